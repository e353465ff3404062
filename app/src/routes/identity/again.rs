//! Before words and shares are shown: is it still who opened it?

use leptos::html::Dialog;
use leptos::prelude::*;

use super::desk::Desk;
use super::unlock::WaysIn;

/// A dialog that opens when the session asks to be opened once more, and does then what was asked of it.
#[component]
pub(super) fn Again() -> impl IntoView {
    let desk = Desk::get();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let asks = desk.asks_again.get();
        let Some(dialog) = dialog.get() else { return };
        match (asks, dialog.open()) {
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            (true, true) | (false, false) => {}
        }
    });
    // Escape closes it too, and so does the lock.
    let closed = move |_| desk.forget_retry();
    on_cleanup(move || desk.forget_retry());
    view! {
        <dialog class="dialog dialog--small" node_ref=dialog aria-labelledby="again-title" on:close=closed>
            <div class="dialog-head">
                <h2 id="again-title">"Is it you?"</h2>
            </div>
            <p>
                "What brings your identity back anywhere is shown to who opened it just now, not to who finds it open."
            </p>
            <Show when=move || desk.asks_again.get()>
                <WaysIn />
            </Show>
            <div class="dialog-actions">
                <button class="button" type="button" on:click=move |_| desk.forget_retry()>
                    "Back"
                </button>
            </div>
        </dialog>
    }
}
