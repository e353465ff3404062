//! The files of a share: what is chosen, how far each is, saving.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos::task::spawn_local;
use peer_wasm::files::view::EntryView;

use crate::components::icon::{Glyph, Icon};
use crate::format::{bytes, percent, share};
use crate::session::Session;
use crate::share_words;

/// Most rows drawn: more are counted.
const ROWS_MAX: usize = 300;

/// The list.
#[component]
pub(crate) fn FileList(
    /// The share.
    cid: Signal<Option<String>>,
    /// Its files as they are now.
    entries: RwSignal<Vec<EntryView>>,
    /// Which are chosen, by number.
    chosen: RwSignal<BTreeSet<u32>>,
    /// Whether they can be chosen still.
    #[prop(into)]
    choosing: Signal<bool>,
) -> impl IntoView {
    let count = Memo::new(move |_| entries.read().len());
    let rows = move || 0..count.get().min(ROWS_MAX);
    let more = move || count.get().saturating_sub(ROWS_MAX);
    view! {
        <ul class="files" data-files=move || count.get().to_string()>
            <For each=rows key=|row| *row let:row>
                <Row cid entries chosen choosing row />
            </For>
        </ul>
        <p class="quiet" hidden=move || more() == 0>
            {move || format!("and {} more", more())}
        </p>
    }
}

#[component]
fn Row(
    cid: Signal<Option<String>>,
    entries: RwSignal<Vec<EntryView>>,
    chosen: RwSignal<BTreeSet<u32>>,
    choosing: Signal<bool>,
    row: usize,
) -> impl IntoView {
    let entry = Memo::new(move |_| entries.read().get(row).cloned());
    let number = move || entry.read().as_ref().map_or(0, |entry| entry.number);
    let path = move || entry.read().as_ref().map(|entry| entry.path.clone()).unwrap_or_default();
    let folder = move || path().rsplit_once('/').map(|(above, _)| format!("{above}/"));
    let name = move || path().rsplit('/').next().unwrap_or_default().to_owned();
    let size = move || entry.read().as_ref().map_or(0, |entry| entry.size_bytes);
    let held = move || entry.read().as_ref().map_or(0, |entry| entry.held_bytes);
    let whole = move || entry.read().as_ref().is_some_and(|entry| entry.whole);
    let part = move || share(held(), size());
    let toggle = move |on| {
        chosen.update(|chosen| {
            if on {
                chosen.insert(number())
            } else {
                chosen.remove(&number())
            };
        });
    };
    view! {
        <li class="file-row" data-whole=move || whole().to_string()>
            <label class="file-name">
                <Show when=move || choosing.get()>
                    <input
                        type="checkbox"
                        prop:checked=move || chosen.read().contains(&number())
                        on:change=move |event| toggle(event_target_checked(&event))
                    />
                </Show>
                <Show when=move || !choosing.get()>
                    <Icon glyph=Glyph::File />
                </Show>
                <span class="file-words">
                    <span class="quiet file-folder">{folder}</span>
                    <span>{name}</span>
                </span>
            </label>
            <span class="num quiet file-size">
                {move || {
                    if whole() || held() == 0 || choosing.get() {
                        bytes(size())
                    } else {
                        format!("{} of {}", percent(part()), bytes(size()))
                    }
                }}
            </span>
            <SaveButton cid number=Signal::derive(number) whole=Signal::derive(whole) />
            <span class="file-bar" aria-hidden="true" hidden=move || choosing.get() || whole()>
                <span style:transform=move || format!("scaleX({:.4})", part())></span>
            </span>
        </li>
    }
}

/// Saves one file; says how far it is, and what went wrong.
#[component]
pub(crate) fn SaveButton(
    cid: Signal<Option<String>>,
    number: Signal<u32>,
    whole: Signal<bool>,
    /// With its words, not only its icon.
    #[prop(default = false)]
    large: bool,
) -> impl IntoView {
    let sharing = Session::get().sharing;
    let busy = RwSignal::new(None::<f64>);
    let wrong = RwSignal::new(None::<String>);
    let save = move |_| {
        let (Some(files), Some(cid)) = (sharing.files(), cid.get_untracked()) else { return };
        busy.set(Some(0.0));
        wrong.set(None);
        spawn_local(async move {
            let progress = move |done, all| busy.set(Some(share(done, all)));
            let saved = files.save(&cid, number.get_untracked(), &progress).await;
            wrong.set(saved.err().map(|error| share_words::error(&error).headline));
            busy.set(None);
        });
    };
    let words = move || match (busy.get(), wrong.get()) {
        (Some(part), _) => percent(part),
        (None, Some(wrong)) => wrong,
        (None, None) => "Save".to_owned(),
    };
    view! {
        <button
            class="button save"
            class:button--strong=large
            class:button--icon={!large}
            type="button"
            disabled=move || !whole.get() || busy.get().is_some()
            aria-label=move || if large { String::new() } else { words() }
            title=words
            on:click=save
        >
            <Icon glyph=Glyph::Save />
            {large.then(|| view! { <span class="num">{words}</span> })}
        </button>
    }
}
