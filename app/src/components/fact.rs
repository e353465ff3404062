//! A figure of a row of them: what it is, how much, and what belongs to it.

use leptos::prelude::*;

/// One of a `facts-row`. `more` may be `()`.
pub(crate) fn fact(name: &'static str, value: impl IntoView, more: impl IntoView) -> impl IntoView {
    view! {
        <div class="fact">
            <dt>{name}</dt>
            <dd>
                <span class="fact-value num">{value}</span>
                <span class="quiet num">{more}</span>
            </dd>
        </div>
    }
}
