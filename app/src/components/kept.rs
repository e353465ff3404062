//! That the page stays on this device: its size, what that is good for, and the button that ends it.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser;
use crate::format::bytes;
use crate::kept::{self, Kept};

/// How often it is looked at: a page is kept while somebody looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What is said of it, and what the button does.
fn words(kept: Kept, is_metered: bool) -> (&'static str, &'static str) {
    match kept {
        Kept::Never => {
            ("This browser keeps no pages here, as in private windows and by plain HTTP.", "")
        }
        Kept::Forgotten => {
            ("It comes from its host alone, and does not open while that is down.", "Keep it")
        }
        Kept::NotYet if is_metered => {
            ("Not fetched now: this connection is metered, mobile, or saving data.", "")
        }
        Kept::NotYet => (
            "Once it was open for a while it is kept, and opens while its host is down.",
            "Don\u{2019}t keep it",
        ),
        Kept::Whole(_) => (
            "While its host is down it opens from here, as it was when it was kept. A host that answers comes first.",
            "Forget it",
        ),
    }
}

/// The panel.
#[component]
pub(crate) fn KeptPanel() -> impl IntoView {
    let now = RwSignal::new(None::<Kept>);
    let look = move || {
        spawn_local(async move {
            let kept = kept::look().await;
            // Nobody waits any more where the person left the page meanwhile.
            now.try_set(Some(kept));
        });
    };
    look();
    if let Ok(looking) = set_interval_with_handle(look, LOOK_EVERY) {
        on_cleanup(move || looking.clear());
    }
    let told = Memo::new(move |_| now.get().map(|kept| words(kept, browser::is_metered())));
    let size = move || match now.get() {
        Some(Kept::Whole(size_bytes)) => bytes(size_bytes),
        Some(_) => "Not kept".to_owned(),
        None => String::new(),
    };
    let press = move |_| {
        if now.get_untracked() == Some(Kept::Forgotten) {
            kept::want();
            now.set(Some(Kept::NotYet));
            return;
        }
        spawn_local(async move {
            kept::forget().await;
            look();
        });
    };
    let verb = move || told.get().map(|(_, verb)| verb).unwrap_or_default();
    view! {
        <div class="choice choice--slider" id="kept-page">
            <div class="choice-head">
                <span class="choice-name">"This page, kept on this device"</span>
                <span class="num" role="status">{size}</span>
            </div>
            <p class="quiet">{move || told.get().map(|(words, _)| words)}</p>
            <div class="choice-row">
                <button
                    class="button"
                    type="button"
                    id="forget-page"
                    hidden=move || verb().is_empty()
                    on:click=press
                >
                    {verb}
                </button>
            </div>
        </div>
    }
}
