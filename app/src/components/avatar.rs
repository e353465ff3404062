//! A peer's face: a disc in two hues taken from its key, so that a peer is recognised again.

use leptos::prelude::*;

/// Hue of a key in degrees, 0 to 359: even over the circle, the same on every screen.
pub(crate) fn hue(key: &str) -> u16 {
    let digits = key.get(..4).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    digits.unwrap_or_default() % 360
}

/// The disc.
#[component]
pub(crate) fn Avatar(
    /// The peer's key, hexadecimal.
    #[prop(into)]
    key: Signal<String>,
) -> impl IntoView {
    view! {
        <span
            class="avatar"
            aria-hidden="true"
            style:--hue=move || hue(&key.read()).to_string()
        ></span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_has_a_hue() {
        assert_eq!(hue("00ff00"), 255);
        assert_eq!(hue("ffff"), 15);
        assert_eq!(hue("zz"), 0);
        assert_eq!(hue(""), 0);
    }
}
