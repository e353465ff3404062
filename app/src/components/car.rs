//! A public share as one file that IPFS tools read.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::icon::{Glyph, Icon};
use crate::format::{percent, share};
use crate::session::Session;
use crate::share_words;

/// Saves a public share as a CAR; says how far it is, and what went wrong.
#[component]
pub(crate) fn SaveCar(
    /// The share.
    cid: Signal<Option<String>>,
) -> impl IntoView {
    let sharing = Session::get().sharing;
    let busy = RwSignal::new(None::<f64>);
    let wrong = RwSignal::new(None::<String>);
    let save = move |_| {
        let Some((files, cid)) = sharing.files().zip(cid.get_untracked()) else { return };
        busy.set(Some(0.0));
        wrong.set(None);
        spawn_local(async move {
            let progress = move |done, all| {
                busy.try_set(Some(share(done, all)));
            };
            let saved = files.save_car(&cid, &progress).await;
            let said = saved.err().map(|error| share_words::error(&error));
            wrong.try_set(said.map(|said| format!("{} {}", said.headline, said.detail)));
            busy.try_set(None);
        });
    };
    let words = move || busy.get().map_or_else(|| "Save as CAR".to_owned(), percent);
    view! {
        <button
            class="button"
            type="button"
            data-do="car"
            title="All blocks in one file, for IPFS tools"
            disabled=move || busy.get().is_some()
            on:click=save
        >
            <Icon glyph=Glyph::Blocks />
            <span class="num">{words}</span>
        </button>
        <p class="quiet quiet--warn" aria-live="polite">{move || wrong.get()}</p>
    }
}
