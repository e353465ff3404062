//! A public share as one file that IPFS tools read.

use leptos::prelude::*;

use crate::components::icon::{Glyph, Icon};
use crate::components::saving::Saving;
use crate::session::Session;

/// Saves a public share as a CAR; says how far it is, and what went wrong.
#[component]
pub(crate) fn SaveCar(
    /// The share.
    cid: Signal<Option<String>>,
) -> impl IntoView {
    let sharing = Session::get().sharing;
    let saving = Saving::new();
    let press = move |_| {
        let Some((files, cid)) = sharing.files().zip(cid.get_untracked()) else { return };
        saving.press(async move |progress: &dyn Fn(u64, u64) -> bool| {
            files.save_car(&cid, progress).await
        });
    };
    view! {
        <button
            class="button"
            type="button"
            data-do="car"
            data-state=move || saving.state.get()
            title="All blocks in one file, for IPFS tools"
            on:click=press
        >
            {move || view! { <Icon glyph=saving.glyph(Glyph::Blocks) /> }}
            <span class="num">{move || saving.words("Save as CAR")}</span>
        </button>
        <p class="quiet quiet--warn" aria-live="polite">{move || saving.wrong()}</p>
    }
}
