//! A link to hand on: its code, copying, the system's own sharing.

use leptos::prelude::*;

use crate::browser;
use crate::components::copy::CopyText;
use crate::components::share::{Code, SystemShare};

/// The link, in full.
#[component]
pub(crate) fn LinkCard(
    /// The link.
    #[prop(into)]
    link: Signal<String>,
    /// What other apps call it.
    #[prop(default = "Files for you")]
    title: &'static str,
) -> impl IntoView {
    view! {
        <div class="share-link">
            <Code text=link />
            <div class="share-ways">
                <CopyText label="the link" text=link />
                {browser::can_share().then(|| view! { <SystemShare link title /> })}
            </div>
        </div>
    }
}
