//! A dialog that is open while there is something to be done in it.

use leptos::html::Dialog;
use leptos::prelude::*;

/// True the first time: what is pressed twice before a page has drawn anew is done once.
pub(crate) fn once() -> impl Fn() -> bool + Copy {
    let done = StoredValue::new(false);
    move || done.try_update_value(|done| !std::mem::replace(done, true)) == Some(true)
}

/// A dialog: open while `about` is set, empty otherwise. `titled` is the id of the heading in `form`, which is
/// given what it is about and what closes it. Closed by its own means, with Escape too, it sets `about` to none.
pub(crate) fn modal<T, V>(
    about: RwSignal<Option<T>>,
    class: &'static str,
    titled: &'static str,
    form: impl Fn(T, Callback<()>) -> V + Send + 'static,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        if let (true, Some(dialog)) = (about.read().is_some(), dialog.get()) {
            // Refused only if it is open already.
            drop(dialog.show_modal());
        }
    });
    let close = Callback::new(move |()| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    });
    let closed = move |_| {
        // A browser says so later: by then it may be open again, about something else.
        if dialog.get_untracked().is_none_or(|dialog| !dialog.open()) {
            about.set(None);
        }
    };
    view! {
        <dialog class=class node_ref=dialog aria-labelledby=titled on:close=closed>
            {move || about.get().map(|about| form(about, close))}
        </dialog>
    }
}
