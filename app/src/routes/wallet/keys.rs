//! That one key is not enough for this account, and how it is used then.

use leptos::prelude::*;

use crate::components::icon::{Glyph, Icon};
use crate::components::send::several;
use crate::ledger::Ledger;

/// The notice; nothing where this browser's key signs alone.
#[component]
pub(super) fn SeveralKeys() -> impl IntoView {
    let ledger = Ledger::get();
    let keys = Memo::new(move |_| ledger.view.read().keys);
    view! {
        <Show when=move || keys.get().is_some()>
            <p class="problem" role="status" id="several-keys">
                <Icon glyph=Glyph::Note />
                <span>
                    <strong>{move || keys.get().map(several)}</strong>
                    " This page signs with one, so it sends nothing. Whoever has the keys does it with the command line: "
                    <code>"starling ledger send \u{2026} --from ACCOUNT --draft FILE"</code>
                    " writes what is to be signed, each signs the file with "
                    <code>"starling ledger sign FILE --key KEY"</code>
                    ", and "
                    <code>"starling ledger submit FILE"</code>
                    " sends it."
                </span>
            </p>
        </Show>
    }
}
