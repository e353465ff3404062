//! That this browser could not keep the wallet, in place of the account's name.

use leptos::prelude::*;

use crate::components::icon::{Glyph, Icon};
use crate::ledger::Ledger;

/// The notice; nothing while it is being kept. What is sent to a key that goes with the page is lost.
#[component]
pub(super) fn Unkept() -> impl IntoView {
    let ledger = Ledger::get();
    let is_lost = move || ledger.kept.get() == Some(false);
    view! {
        <Show when=is_lost>
            <section class="card" aria-labelledby="unkept-title">
                <h2 id="unkept-title">"Not kept on this device"</h2>
                <p class="problem" role="alert">
                    <Icon glyph=Glyph::Note />
                    <span>
                        "This browser can\u{2019}t write what the wallet knows: its storage is full, or this site may not use it. Until it can, nothing is sent, and your account is not shown to give away: it would be gone with this page. Make room; it is tried again by itself."
                    </span>
                </p>
            </section>
        </Show>
    }
}
