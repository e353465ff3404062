//! The badge that says how strangers' bytes are checked, and opens to say what that means.

use leptos::prelude::*;

use crate::components::icon::{Glyph, Icon};
use crate::session::Session;
use crate::story::assurance;

/// The badge of the stream on screen.
#[component]
pub(crate) fn IntegrityBadge() -> impl IntoView {
    let session = Session::get();
    let assured = Memo::new(move |_| assurance(session.stream.read().integrity));
    let glyph = move || if assured.read().checked { Glyph::Shield } else { Glyph::ShieldOff };
    view! {
        <details class="badge" class:badge--warn=move || !assured.read().checked>
            <summary>
                {move || view! { <Icon glyph=glyph() /> }}
                <span>{move || assured.read().name}</span>
            </summary>
            <p class="badge-more">{move || assured.read().meaning}</p>
        </details>
    }
}
