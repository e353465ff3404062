//! The files of a share: what is chosen, how far each is, saving.

use std::collections::BTreeSet;

use leptos::prelude::*;
use peer_wasm::files::view::EntryView;

use crate::components::icon::{Glyph, Icon};
use crate::components::preview::{Kind, Preview};
use crate::components::saving::Saving;
use crate::format::{bytes, percent, share};
use crate::session::Session;

/// Most rows drawn: more are counted.
const ROWS_MAX: usize = 300;

/// Which file is looked at, by number: one at a time, for each takes room.
#[derive(Debug, Clone, Copy)]
struct Look {
    /// What the person pressed last: a file, or the one that was open, to close it.
    pressed: RwSignal<Option<Option<u32>>>,
    /// The file.
    at: Memo<Option<u32>>,
}

impl Look {
    fn new(entries: RwSignal<Vec<EntryView>>, choosing: Signal<bool>) -> Self {
        let pressed = RwSignal::new(None);
        let alone = Memo::new(move |_| match entries.read().as_slice() {
            [one] if one.whole && !choosing.get() => {
                Kind::of(one).filter(|kind| kind.opens()).map(|_| one.number)
            }
            _ => None,
        });
        Self { pressed, at: Memo::new(move |_| pressed.get().unwrap_or_else(|| alone.get())) }
    }

    fn toggle(self, number: u32) {
        let open = self.at.get_untracked() == Some(number);
        self.pressed.set(Some((!open).then_some(number)));
    }
}

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
    let look = Look::new(entries, choosing);
    view! {
        <ul class="files" data-files=move || count.get().to_string()>
            <For each=rows key=|row| *row let:row>
                <Row cid entries chosen choosing look row />
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
    look: Look,
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
    let kind = Memo::new(move |_| entry.read().as_ref().and_then(Kind::of));
    let shows = Memo::new(move |_| look.at.get() == Some(number()) && kind.get().is_some());
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
            <span class="file-acts">
                <LookButton kind look number=Signal::derive(number) whole=Signal::derive(whole) choosing />
                <SaveButton cid number=Signal::derive(number) whole=Signal::derive(whole) />
            </span>
            <Show when=move || shows.get()>
                {move || {
                    kind.get()
                        .map(|kind| {
                            let (number, name) = (untrack(number), untrack(name));
                            view! { <Preview cid number name kind /> }
                        })
                }}
            </Show>
            <span class="file-bar" aria-hidden="true" hidden=move || choosing.get() || whole()>
                <span style:transform=move || format!("scaleX({:.4})", part())></span>
            </span>
        </li>
    }
}

/// Shows one file below its row, or no longer.
#[component]
fn LookButton(
    kind: Memo<Option<Kind>>,
    look: Look,
    number: Signal<u32>,
    whole: Signal<bool>,
    choosing: Signal<bool>,
) -> impl IntoView {
    let can = move || {
        let kind = kind.get().filter(|kind| kind.comes() || whole.get());
        kind.is_some() && !choosing.get()
    };
    let open = move || look.at.get() == Some(number.get());
    let words = move || match kind.get() {
        _ if open() => "Close it",
        Some(kind) => kind.words(),
        None => "",
    };
    let toggle = move |_| look.toggle(number.get_untracked());
    let glyph = move || match kind.get() {
        Some(kind) if kind.comes() => Glyph::Play,
        _ => Glyph::Eye,
    };
    view! {
        <Show when=can>
            <button
                class="button button--icon"
                type="button"
                data-do="look"
                aria-expanded=move || open().to_string()
                aria-label=words
                title=words
                on:click=toggle
            >
                {move || view! { <Icon glyph=glyph() /> }}
            </button>
        </Show>
    }
}

/// Saves one file, or cancels that; says how far it is, and what went wrong.
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
    let saving = Saving::new();
    let press = move |_| {
        let (Some(files), Some(cid)) = (sharing.files(), cid.get_untracked()) else { return };
        let number = number.get_untracked();
        saving.press(async move |progress: &dyn Fn(u64, u64) -> bool| {
            files.save(&cid, number, progress).await
        });
    };
    let words = move || saving.words("Save");
    view! {
        {(!large).then(|| view! { <span class="num quiet">{move || saving.part()}</span> })}
        <button
            class="button save"
            class:button--strong=large
            class:button--icon={!large}
            type="button"
            data-state=move || saving.state.get()
            disabled=move || !whole.get() && !saving.busy()
            aria-label=move || if large { String::new() } else { words() }
            title=words
            on:click=press
        >
            {move || view! { <Icon glyph=saving.glyph(Glyph::Save) /> }}
            {large.then(|| view! { <span class="num">{words}</span> })}
        </button>
        <span class="quiet quiet--warn save-wrong" aria-live="polite">
            {move || saving.wrong()}
        </span>
    }
}
