//! How much is passed on: a slider of stops, and whether metered connections count.

use leptos::prelude::*;

use crate::session::Session;
use crate::settings::Upload;

/// The slider.
#[component]
pub(crate) fn UploadLimit() -> impl IntoView {
    let session = Session::get();
    let upload = move || session.settings.read().upload;
    let moved = move |event| {
        let stop = event_target_value(&event).parse().unwrap_or(usize::MAX);
        if let Some(upload) = Upload::STOPS.get(stop).copied() {
            session.choose(|settings| settings.upload = upload);
        }
    };
    view! {
        <div class="choice choice--slider">
            <div class="choice-head">
                <label for="upload">"Pass on to others"</label>
                <output class="num" for="upload">{move || upload().words()}</output>
            </div>
            <input
                id="upload"
                type="range"
                min="0"
                max=Upload::STOPS.len() - 1
                step="1"
                prop:value=move || upload().stop().to_string()
                aria-valuetext=move || upload().words()
                on:input=moved
            />
            <p class="quiet">
                {move || {
                    if session.holds_back() {
                        "Held back now: this connection is metered, mobile, or saving data."
                    } else {
                        "What you pass on is what makes watching together work."
                    }
                }}
            </p>
        </div>
    }
}

/// A choice of yes and no.
#[component]
pub(crate) fn Switch(
    /// What is chosen.
    label: &'static str,
    /// What it does.
    help: &'static str,
    /// Now.
    #[prop(into)]
    on: Signal<bool>,
    /// Called with what is wanted.
    choose: impl Fn(bool) + 'static,
) -> impl IntoView {
    view! {
        <label class="choice choice--switch">
            <span class="choice-words">
                <span class="choice-name">{label}</span>
                <span class="quiet">{help}</span>
            </span>
            <input
                class="switch"
                type="checkbox"
                role="switch"
                prop:checked=on
                on:change=move |event| choose(event_target_checked(&event))
            />
        </label>
    }
}
