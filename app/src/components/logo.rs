//! The mark: a small flock on the wing.

use leptos::prelude::*;

/// One bird from above, flying right, 20 units long and wide, about its middle.
pub(crate) const BIRD: &str = "M10 0C8.8-.5 8-1.5 6.4-1.7C3.6-2.1 2.4-4.2.4-6.6C-1-8.3-2.8-9.6-5.6-10.4\
                               C-3.9-7.6-3.3-4.6-3.9-2.3C-4.6-1.4-6.4-1.5-9.6-2.4L-7.8 0L-9.6 2.4\
                               C-6.4 1.5-4.6 1.4-3.9 2.3C-3.3 4.6-3.9 7.6-5.6 10.4C-2.8 9.6-1 8.3.4 6.6\
                               C2.4 4.2 3.6 2.1 6.4 1.7C8 1.5 8.8.5 10 0Z";

/// The mark, in the colour of the text around it.
#[component]
pub(crate) fn Logo() -> impl IntoView {
    view! {
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <path d=BIRD transform="translate(20.6 11.2) rotate(-30) scale(1.06)" />
            <path d=BIRD transform="translate(6.7 21.4) rotate(-30) scale(.5)" />
            <path d=BIRD transform="translate(15.2 27.6) rotate(-30) scale(.36)" />
        </svg>
    }
}
