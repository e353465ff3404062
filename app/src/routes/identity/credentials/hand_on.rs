//! Texts that go from person to person: out by code, link or copying, in by scanning, a link or pasting.

use leptos::html::Textarea;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::browser;
use crate::components::copy::CopyText;
use crate::components::scan::ScanCode;
use crate::components::share::{Code, SystemShare};

use super::super::desk::{Said, empty_lines, written};

/// Longest text that a code holds, in bytes.
const CODE_BYTES_MAX: usize = 2_900;

/// Something to hand on.
#[component]
pub(super) fn HandOn(
    /// What it is, for screen readers.
    label: &'static str,
    /// The link, or the text.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    let is_long = move || text.read().len() > CODE_BYTES_MAX;
    view! {
        <div class="share-link share-link--dense">
            <Code text />
            <div class="share-ways">
                <CopyText label text />
                {browser::can_share().then(|| view! { <SystemShare link=text title=label /> })}
                <p class="quiet" hidden=move || !is_long()>
                    "Too long for a code: send it as a link or a text."
                </p>
            </div>
        </div>
    }
}

/// What a link brought along, or else what is pasted into a field. `take` gets it.
#[component]
pub(super) fn TakeIn(
    /// Name of its parts on the page.
    place: &'static str,
    /// What is wanted, above the field.
    label: &'static str,
    /// What the button says.
    action: &'static str,
    /// Whether something else is under way.
    #[prop(into)]
    busy: Signal<bool>,
    /// Gets what came.
    #[prop(into)]
    take: Callback<String>,
) -> impl IntoView {
    let field = NodeRef::<Textarea>::new();
    let hash = use_location().hash;
    Effect::new(move |_| {
        hash.track();
        if busy.get() {
            return;
        }
        // Not kept in the history: whoever looks there later finds no credential.
        if let Some(link) = browser::take_fragment() {
            take.run(link);
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let text = written(field);
        if !busy.get_untracked() && !text.trim().is_empty() {
            empty_lines(field);
            take.run(text);
        }
    };
    // A code that is read while something is under way waits in the field.
    let scanned = Callback::new(move |text: String| {
        if !busy.get_untracked() {
            take.run(text);
        } else if let Some(field) = field.get_untracked() {
            field.set_value(&text);
        }
    });
    view! {
        <ScanCode take=scanned />
        <form class="send" on:submit=submit novalidate>
            <label for=format!("{place}-text")>{label}</label>
            <textarea
                id=format!("{place}-text")
                class="text-field mono"
                node_ref=field
                rows="3"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                aria-describedby=format!("said-{place}")
            ></textarea>
            <Said place />
            <div class="dialog-actions">
                <button
                    id=format!("{place}-go")
                    class="button button--strong"
                    type="submit"
                    disabled=move || busy.get()
                >
                    {action}
                </button>
            </div>
        </form>
    }
}
