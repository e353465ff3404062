//! A last look before something is done that costs.

use leptos::html::Dialog;
use leptos::prelude::*;

/// Asks for it once more, in a dialog.
#[component]
pub(crate) fn Sure(
    /// It, for [`open`].
    dialog: NodeRef<Dialog>,
    /// What the names of its title and of its button begin with.
    name: &'static str,
    /// The question.
    title: &'static str,
    /// What the button says.
    agree: &'static str,
    /// What follows.
    on_agree: impl Fn() + 'static,
    /// What it comes to.
    children: Children,
) -> impl IntoView {
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let done = move |_| {
        // Pressed twice before it was closed, it is done once.
        if dialog.get_untracked().is_some_and(|dialog| dialog.open()) {
            close();
            on_agree();
        }
    };
    let named = format!("{name}-title");
    view! {
        <dialog class="dialog dialog--small" node_ref=dialog aria-labelledby=named.clone()>
            <div class="dialog-head">
                <h2 id=named.clone()>{title}</h2>
            </div>
            {children()}
            <div class="dialog-actions">
                <button class="button" type="button" on:click=move |_| close()>"Back"</button>
                <button
                    id=format!("{name}-agree")
                    class="button button--strong"
                    type="button"
                    on:click=done
                >
                    {agree}
                </button>
            </div>
        </dialog>
    }
}

/// Opens it.
pub(crate) fn open(dialog: NodeRef<Dialog>) {
    if let Some(dialog) = dialog.get_untracked() {
        // Refused only if it is open already.
        drop(dialog.show_modal());
    }
}
