//! What is wrong and what to do about it, said quietly.

use leptos::prelude::*;

use crate::components::icon::{Glyph, Icon};
use crate::format::sentence;
use crate::session::Session;

/// The list; takes no room while nothing is wrong.
#[component]
pub(crate) fn Problems() -> impl IntoView {
    let session = Session::get();
    let drawn = move || {
        session
            .problems
            .get()
            .into_iter()
            .map(|problem| {
                view! {
                    <li class="problem">
                        <Icon glyph=Glyph::Note />
                        <p>
                            <strong>{sentence(&problem.what)}</strong>
                            " "
                            {sentence(&problem.remedy)}
                        </p>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <ul class="problems" aria-live="polite" aria-label="Notices">
            {drawn}
        </ul>
    }
}
