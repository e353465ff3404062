//! The heading of a page.

use leptos::prelude::*;

/// What a page is called, what it is in a line, and the ways from here.
#[component]
pub(crate) fn Heading(
    /// What it is called.
    title: &'static str,
    /// What it is.
    about: &'static str,
    /// A button, or several in a `heading-ways`.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="heading">
            <div>
                <h1>{title}</h1>
                <p class="quiet">{about}</p>
            </div>
            {children.map(|children| children())}
        </div>
    }
}
