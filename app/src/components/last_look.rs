//! The last look before something is signed: what it is, what it costs, and why it can't be.

use leptos::prelude::*;

use super::modal::once;
use crate::money;

/// A form in a dialog. Signed once, however often it is pressed.
#[component]
pub(crate) fn LastLook(
    /// Ids of its parts begin with it: `-title`, `-bill`, `-problem` and `-sign`.
    place: &'static str,
    /// What is asked.
    #[prop(into)]
    title: String,
    /// What is signed, line by line.
    lines: Vec<AnyView>,
    /// Most units that it costs; none: not proved yet.
    #[prop(into)]
    fee: Signal<Option<u128>>,
    /// What comes of it.
    #[prop(into)]
    warning: String,
    /// Why it can't be signed now.
    #[prop(into)]
    problem: Signal<String>,
    /// Whether it can.
    #[prop(into)]
    ready: Signal<bool>,
    /// Signs.
    sign: Callback<()>,
    /// Closes the dialog.
    close: Callback<()>,
) -> impl IntoView {
    let first = once();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if ready.get_untracked() && first() {
            sign.run(());
            close.run(());
        }
    };
    let id = |part: &str| format!("{place}-{part}");
    view! {
        <form class="send" on:submit=submit novalidate>
            <div class="dialog-head">
                <h2 id=id("title")>{title}</h2>
            </div>
            <dl class="bill num" id=id("bill")>
                {lines}
                <div class="bill-total">
                    <dt>"Fee, at most"</dt>
                    <dd>{move || fee.get().map_or_else(|| "\u{2026}".to_owned(), money::named)}</dd>
                </div>
            </dl>
            <p class="quiet">{warning}</p>
            <p id=id("problem") class="quiet quiet--warn" role="alert">
                {move || problem.get()}
            </p>
            <div class="dialog-actions">
                <button class="button" type="button" on:click=move |_| close.run(())>
                    "Back"
                </button>
                <button
                    id=id("sign")
                    class="button button--strong"
                    type="submit"
                    disabled=move || !ready.get()
                >
                    "Sign and send"
                </button>
            </div>
        </form>
    }
}
