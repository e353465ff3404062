//! Facts in a list (`dl`): what, and how it is.

use leptos::prelude::*;

/// One.
#[component]
pub(super) fn Fact(
    /// What.
    what: &'static str,
    /// How it is written: classes.
    #[prop(default = "")]
    looks: &'static str,
    /// How it is.
    children: Children,
) -> impl IntoView {
    view! {
        <div>
            <dt>{what}</dt>
            <dd class=looks>{children()}</dd>
        </div>
    }
}

/// What says whose key signed something (`what`): version and block of that key and the block that proved it; none: the
/// name is the key.
pub(super) fn signed(proved: Option<(u64, u64, u64)>, what: &str) -> String {
    match proved {
        None => {
            format!("This name is its key, and signed the {what}: there is nothing to look up.")
        }
        Some((version, since, height)) => format!(
            "Signed by the key of version {version} of this name (block {since}), proved at block {height}."
        ),
    }
}
