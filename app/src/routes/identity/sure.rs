//! A deed that is asked about once more before it is done.

use leptos::html::Dialog;
use leptos::prelude::*;

use super::desk::Desk;

/// A button, and the dialog that it opens.
#[component]
pub(super) fn Sure(
    /// Id of the button; the one in the dialog has `-sure` behind it.
    id: &'static str,
    /// What the button says.
    label: &'static str,
    /// The question.
    title: &'static str,
    /// What the button in the dialog says.
    deed: &'static str,
    /// Whether it is asked: else one press is enough.
    #[prop(optional, into)]
    asks: Option<Signal<bool>>,
    /// Whether it can't be done now.
    #[prop(optional, into)]
    disabled: Option<Signal<bool>>,
    /// Whether it is what the card is about.
    #[prop(default = false)]
    strong: bool,
    /// The deed.
    run: impl Fn() + Copy + 'static,
    /// What follows from it.
    children: Children,
) -> impl IntoView {
    let desk = Desk::get();
    let dialog = NodeRef::<Dialog>::new();
    let open = move |_| {
        if asks.is_some_and(|asks| !asks.get_untracked()) {
            run();
        } else if let Some(dialog) = dialog.get_untracked() {
            // Refused only if it is open already.
            drop(dialog.show_modal());
        }
    };
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let sure = move |_| {
        // Pressed twice before it was closed, it is done once.
        if dialog.get_untracked().is_some_and(|dialog| dialog.open()) {
            close();
            run();
        }
    };
    let off = move || desk.busy.get() || disabled.is_some_and(|disabled| disabled.get());
    let question = format!("{id}-ask");
    view! {
        <button
            id=id
            class="button"
            class:button--strong=strong
            type="button"
            aria-haspopup="dialog"
            disabled=off
            on:click=open
        >
            {label}
        </button>
        <dialog class="dialog dialog--small" node_ref=dialog aria-labelledby=question.clone()>
            <div class="dialog-head">
                <h2 id=question.clone()>{title}</h2>
            </div>
            {children()}
            <div class="dialog-actions">
                <button class="button" type="button" on:click=move |_| close()>
                    "Back"
                </button>
                <button id=format!("{id}-sure") class="button button--strong" type="button" on:click=sure>
                    {deed}
                </button>
            </div>
        </dialog>
    }
}
