//! A text to take along, with a button that copies it and says so.

use std::time::Duration;

use leptos::html::P;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser;
use crate::components::icon::{Glyph, Icon};

/// How long the button says that it is done.
const DONE_FOR: Duration = Duration::from_millis(2_000);

/// What the last press came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    Done,
    /// The browser has no clipboard for us: the text is selected instead.
    Selected,
}

/// A read-only text and its copy button.
#[component]
pub(crate) fn CopyText(
    /// What it is, for screen readers, after the word "Copy".
    label: &'static str,
    /// The text.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    let field = NodeRef::<P>::new();
    let state = RwSignal::new(State::Ready);
    let press = move |_| {
        spawn_local(async move {
            let copied = browser::copy(&text.get_untracked()).await;
            if !copied && let Some(field) = field.get_untracked() {
                browser::select(&field);
            }
            state.set(if copied { State::Done } else { State::Selected });
            set_timeout(move || state.set(State::Ready), DONE_FOR);
        });
    };
    let words = move || match state.get() {
        State::Ready => "Copy",
        State::Done => "Copied",
        State::Selected => "Selected",
    };
    let glyph = move || if state.get() == State::Ready { Glyph::Copy } else { Glyph::Check };
    view! {
        <div class="copy">
            <p class="copy-text" node_ref=field>
                {text}
            </p>
            <button class="button copy-button" type="button" on:click=press>
                {move || view! { <Icon glyph=glyph() /> }}
                <span aria-live="polite">{words}</span>
                <span class="visually-hidden">{label}</span>
            </button>
        </div>
    }
}
