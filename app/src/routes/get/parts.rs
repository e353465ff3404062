//! Parts of the page of a link.

use std::collections::BTreeSet;

use leptos::html::Input;
use leptos::prelude::*;
use leptos_router::components::A;
use peer_wasm::files::{
    ShareStatus,
    view::{EntryView, Stage},
};

use crate::components::avatar::Avatar;
use crate::components::car::SaveCar;
use crate::components::file_list::SaveButton;
use crate::components::icon::{Glyph, Icon};
use crate::components::saving::Saving;
use crate::format::{bytes, counted, short_key};
use crate::session::Session;
use crate::share_words::Said;

/// Asks for the password.
#[component]
pub(super) fn Password(
    /// What was wrong with the last one.
    wrong: Option<String>,
    /// Tries one.
    unlock: impl Fn(Option<String>) + Copy + 'static,
) -> impl IntoView {
    let input = NodeRef::<Input>::new();
    let trying = RwSignal::new(false);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let password = input.get().map(|input| input.value()).unwrap_or_default();
        if password.is_empty() {
            return;
        }
        trying.set(true);
        // A guess costs a second on purpose: the page says so before it stands still.
        set_timeout(move || unlock(Some(password)), std::time::Duration::from_millis(60));
    };
    let refused = wrong.is_some();
    view! {
        <section class="card transfer" data-stage="locked">
            <div class="transfer-head">
                <h1>"This link needs its password"</h1>
                <p class="quiet">"Whoever sent it to you knows it. It is not sent anywhere."</p>
            </div>
            <form class="open-url" on:submit=submit>
                <label for="password">"Password"</label>
                <div class="field">
                    <input
                        id="password"
                        node_ref=input
                        type="password"
                        autocomplete="off"
                        autofocus
                        aria-invalid=refused.to_string()
                        aria-describedby="password-help"
                    />
                    <button class="button button--strong" type="submit" disabled=trying>
                        {move || if trying.get() { "Trying…" } else { "Open" }}
                    </button>
                </div>
                <p id="password-help" class="quiet" class:quiet--warn=refused aria-live="polite">
                    {wrong.unwrap_or_default()}
                </p>
            </form>
        </section>
    }
}

/// Says why there is nothing.
#[component]
pub(super) fn Failed(said: Said) -> impl IntoView {
    view! {
        <section class="card transfer" data-stage="failed">
            <div class="transfer-head">
                <h1>{said.headline}</h1>
                <p class="quiet">{said.detail}</p>
            </div>
            <div class="transfer-actions">
                <A href="/library" attr:class="button">
                    "Your library"
                </A>
            </div>
        </section>
    }
}

/// What can be done now.
#[component]
pub(super) fn Actions(
    cid: Signal<Option<String>>,
    status: RwSignal<Option<ShareStatus>>,
    entries: RwSignal<Vec<EntryView>>,
    chosen: RwSignal<BTreeSet<u32>>,
) -> impl IntoView {
    let sharing = Session::get().sharing;
    let stage = Memo::new(move |_| status.read().as_ref().map(|status| status.share.stage));
    let stopped = Memo::new(move |_| {
        status.read().as_ref().is_some_and(|status| status.share.paused || status.share.full)
    });
    let pause = move |_| {
        if let Some((files, cid)) = sharing.files().zip(cid.get_untracked()) {
            files.pause(&cid, !stopped.get_untracked());
            sharing.touch();
        }
    };
    let public_and_whole = Memo::new(move |_| {
        let status = status.read();
        status.as_ref().is_some_and(|status| status.share.public && status.share.complete)
    });
    let single = Memo::new(move |_| match entries.read().as_slice() {
        [one] => Some(one.number),
        _ => None,
    });
    view! {
        <div class="transfer-actions">
            <Show when=move || stage.get() == Some(Stage::Offered)>
                <GetButton cid entries chosen />
            </Show>
            <Show when=move || stage.get() == Some(Stage::Fetching)>
                <button class="button" type="button" data-do="pause" on:click=pause>
                    {move || {
                        let glyph = if stopped.get() { Glyph::Play } else { Glyph::Pause };
                        view! { <Icon glyph /> }
                    }}
                    {move || if stopped.get() { "Go on" } else { "Pause" }}
                </button>
            </Show>
            <Show when=move || stage.get() == Some(Stage::Done) && single.get().is_some()>
                <SaveButton
                    cid
                    number=Signal::derive(move || single.get().unwrap_or_default())
                    whole=Signal::stored(true)
                    large=true
                />
            </Show>
            <Show when=move || stage.get() == Some(Stage::Done) && single.get().is_none()>
                <SaveAll cid chosen />
            </Show>
            <Show when=move || public_and_whole.get()>
                <SaveCar cid />
            </Show>
        </div>
    }
}

/// Fetches what is chosen.
#[component]
fn GetButton(
    cid: Signal<Option<String>>,
    entries: RwSignal<Vec<EntryView>>,
    chosen: RwSignal<BTreeSet<u32>>,
) -> impl IntoView {
    let sharing = Session::get().sharing;
    let get = move |_| {
        if let Some((files, cid)) = sharing.files().zip(cid.get_untracked()) {
            files.choose(&cid, chosen.get_untracked().into_iter().collect(), false);
            sharing.touch();
        }
    };
    let words = move || {
        let (all, chosen) = (entries.read(), chosen.read());
        let size = all.iter().filter(|entry| chosen.contains(&entry.number));
        let size = bytes(size.map(|entry| entry.size_bytes).sum());
        match (all.len(), chosen.len()) {
            (1, _) => format!("Get it, {size}"),
            (all, some) if all == some => format!("Get all, {size}"),
            (_, some) => format!("Get {}, {size}", counted(count(some), "file", "files")),
        }
    };
    view! {
        <button
            class="button button--strong"
            type="button"
            data-do="get"
            disabled=move || chosen.read().is_empty()
            on:click=get
        >
            <Icon glyph=Glyph::Save />
            <span class="num">{words}</span>
        </button>
    }
}

/// Saves a folder where the browser can; elsewhere files are saved one by one.
#[component]
fn SaveAll(cid: Signal<Option<String>>, chosen: RwSignal<BTreeSet<u32>>) -> impl IntoView {
    let sharing = Session::get().sharing;
    let saving = Saving::new();
    let press = move |_| {
        let Some((files, cid)) = sharing.files().zip(cid.get_untracked()) else { return };
        let numbers: Vec<u32> = chosen.get_untracked().into_iter().collect();
        saving.press(async move |progress: &dyn Fn(u64, u64) -> bool| {
            files.save_all(&cid, &numbers, progress).await
        });
    };
    let can = crate::browser::can_pick_folders();
    view! {
        {can
            .then(|| {
                view! {
                    <button
                        class="button button--strong"
                        type="button"
                        data-state=move || saving.state.get()
                        on:click=press
                    >
                        {move || view! { <Icon glyph=saving.glyph(Glyph::Folder) /> }}
                        <span class="num">{move || saving.words("Save all")}</span>
                    </button>
                }
            })}
        {(!can)
            .then(|| view! { <p class="quiet">"This browser saves files one by one, below."</p> })}
        <p class="quiet quiet--warn" aria-live="polite">{move || saving.wrong()}</p>
    }
}

/// What is known before anything is: two grey lines where names will stand, so that nothing jumps.
#[component]
pub(super) fn Shape(status: RwSignal<Option<ShareStatus>>) -> impl IntoView {
    let empty =
        move || status.read().as_ref().is_none_or(|status| status.share.stage == Stage::Finding);
    view! {
        <div class="shape" aria-hidden="true" hidden=move || !empty()>
            <span></span>
            <span></span>
        </div>
    }
}

/// Who is connected, what they have and how the bytes go.
#[component]
pub(super) fn Peers(status: RwSignal<Option<ShareStatus>>) -> impl IntoView {
    let peers = Memo::new(move |_| status.read().as_ref().map(rows).unwrap_or_default());
    let drawn = move || {
        peers
            .get()
            .into_iter()
            .map(|row| {
                view! {
                    <li class="peer-row">
                        <span class="who">
                            <Avatar key=row.peer.clone() />
                            <span class="num">{short_key(&row.peer)}</span>
                        </span>
                        <span class="quiet num">{row.has}</span>
                        <span class="quiet num">{row.flow}</span>
                        <span class="quiet num">{row.path}</span>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <section class="card" aria-labelledby="others-title" hidden=move || peers.read().is_empty()>
            <h2 id="others-title">"Connected now"</h2>
            <ul class="peer-rows">{drawn}</ul>
        </section>
    }
}

/// One connection in words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct PeerRow {
    peer: String,
    has: String,
    flow: String,
    path: String,
}

fn rows(status: &ShareStatus) -> Vec<PeerRow> {
    let path = |peer: &str| {
        let link = status.room.peers.iter().find(|link| link.peer == peer);
        let way = match link.and_then(|link| link.relayed) {
            Some(true) => "relayed",
            Some(false) => "direct",
            None => "",
        };
        let far = link.and_then(|link| link.rtt_ms).map(|ms| format!(", {ms}\u{a0}ms"));
        format!("{way}{}", far.unwrap_or_default())
    };
    let row = |peer: &peer_wasm::files::view::PeerView| {
        let name = peer.peer.to_string();
        let has = match peer.has_percent {
            100 => "has all".to_owned(),
            percent => format!("has {percent}\u{a0}%"),
        };
        let flow = match (peer.received_bytes, peer.sent_bytes) {
            (0, 0) => "nothing yet".to_owned(),
            (got, 0) => format!("gave {}", bytes(got)),
            (0, sent) => format!("got {}", bytes(sent)),
            (got, sent) => format!("gave {}, got {}", bytes(got), bytes(sent)),
        };
        PeerRow { path: path(&name), peer: name, has, flow }
    };
    status.share.peers.iter().map(row).collect()
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
