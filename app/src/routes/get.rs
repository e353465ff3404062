//! What somebody shared: names and sizes first, then fetching, then saving.

mod parts;

use std::collections::BTreeSet;
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_location;
use peer_wasm::files::{FilesError, ShareStatus, view::Stage};

use crate::browser;
use crate::components::file_list::FileList;
use crate::components::funding::FundedShare;
use crate::components::gateway::GatewayChoice;
use crate::components::price::Price;
use crate::format::share;
use crate::reporting;
use crate::session::Session;
use crate::share_words::{self, Said};
use parts::{Actions, Failed, Password, Peers, Shape};

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(700);

/// How far the link is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Being opened.
    Waiting,
    /// It needs its password; what was wrong with the last one.
    Locked(Option<String>),
    /// It can't be opened.
    Failed(Said),
    /// Open, by its CID.
    Open(String),
}

/// The page of a link.
#[component]
pub(crate) fn Get() -> impl IntoView {
    browser::set_title("Files for you");
    let session = Session::get();
    session.sharing.want();
    // A share's link stands in the fragment of the address.
    let link = use_location().hash;
    let opening = RwSignal::new(Opening::Waiting);
    let open = move |password: Option<String>| {
        let Some(files) = session.sharing.files() else { return };
        let link = link.get_untracked();
        spawn_local(async move {
            opening.set(match files.open(&link, password.as_deref()).await {
                Ok(cid) => {
                    let fund = browser::query("fund");
                    if let Some(fund) = fund.and_then(|fund| browser::web_address(&fund)) {
                        reporting::linked(&cid, &fund);
                    }
                    Opening::Open(cid)
                }
                Err(FilesError::PasswordNeeded) => Opening::Locked(None),
                Err(FilesError::Password(wrong)) => {
                    Opening::Locked(Some(crate::format::sentence(&wrong.to_string())))
                }
                Err(error) => Opening::Failed(share_words::error(&error)),
            });
            session.sharing.touch();
        });
    };
    Effect::new(move || {
        let _ = link.get();
        if session.sharing.ready.get() {
            opening.set(Opening::Waiting);
            open(None);
        }
    });
    let cid = Signal::derive(move || match opening.get() {
        Opening::Open(cid) => Some(cid),
        _ => None,
    });
    let kind = move || match opening.get() {
        Opening::Locked(wrong) => view! { <Password wrong unlock=open /> }.into_any(),
        Opening::Failed(said) => view! { <Failed said /> }.into_any(),
        Opening::Waiting | Opening::Open(_) => view! { <Fetching cid /> }.into_any(),
    };
    // Drawn anew only when the kind changes, not with each look.
    view! { <div class="route">{kind}</div> }
}

/// One open share.
#[component]
fn Fetching(cid: Signal<Option<String>>) -> impl IntoView {
    let sharing = Session::get().sharing;
    let status = sharing.watch(cid);
    let entries = RwSignal::new(Vec::new());
    let chosen = RwSignal::new(BTreeSet::new());
    let stage = Memo::new(move |_| status.read().as_ref().map(|status| status.share.stage));
    let look = move || {
        let Some((files, cid)) = sharing.files().zip(cid.get_untracked()) else { return };
        let now = files.entries(&cid);
        if *entries.read_untracked() != now {
            if entries.read_untracked().is_empty() {
                chosen.set(now.iter().map(|entry| entry.number).collect());
            }
            entries.set(now);
        }
    };
    Effect::new(move || {
        let _ = (stage.get(), cid.get());
        look();
    });
    if let Ok(looking) = set_interval_with_handle(look, LOOK_EVERY) {
        on_cleanup(move || looking.clear());
    }
    let said =
        Memo::new(move |_| status.read().as_ref().map(share_words::receiving).unwrap_or_default());
    let name = Memo::new(move |_| {
        let status = status.read();
        let name = status.as_ref().map(|status| status.share.name.clone()).unwrap_or_default();
        if name.is_empty() { "Files for you".to_owned() } else { name }
    });
    Effect::new(move || browser::set_title(&name.get()));
    let choosing = Memo::new(move |_| stage.get() == Some(Stage::Offered));
    // Somebody who waits is shown what else there is.
    let lacking = Memo::new(move |_| {
        status.read().as_ref().is_some_and(|status| {
            let share = &status.share;
            matches!(share.stage, Stage::Finding | Stage::Fetching) && share.peers.is_empty()
        })
    });
    view! {
        <section
            class="card transfer"
            data-stage=move || stage.get().map(stage_word)
            data-peers=move || status.read().as_ref().map_or(0, |s| s.share.peers.len()).to_string()
            data-gateway-bytes=move || {
                status.read().as_ref().map_or(0, |s| s.share.gateway_bytes).to_string()
            }
        >
            <div class="transfer-head">
                <h1>{name}</h1>
                <p class="quiet num">
                    {move || status.read().as_ref().map(|s| share_words::contents(&s.share))}
                </p>
            </div>
            <Progress status said=said.into() choosing=choosing.into() />
            <Actions cid status entries chosen />
            <Shape status />
            <Show when=move || !entries.read().is_empty()>
                <FileList cid entries chosen choosing=choosing />
            </Show>
        </section>
        <Price cid status />
        <FundedShare cid />
        <Peers status />
        <section class="card other-source" hidden=move || !lacking.get()>
            <details>
                <summary>"Another source"</summary>
                <GatewayChoice />
            </details>
        </section>
    }
}

/// How far, in words and as a bar. Keeps its room while there is nothing to say.
#[component]
fn Progress(
    status: RwSignal<Option<ShareStatus>>,
    said: Signal<Said>,
    choosing: Signal<bool>,
) -> impl IntoView {
    let part = move || {
        status
            .read()
            .as_ref()
            .map_or(0.0, |status| share(status.share.chosen_held_bytes, status.share.chosen_bytes))
    };
    let available = move || {
        status
            .read()
            .as_ref()
            .map_or(0.0, |status| share(status.share.available_bytes, status.share.chosen_bytes))
    };
    view! {
        <div class="transfer-state" hidden=choosing>
            <p class="truth-line num" aria-live="polite">
                {move || said.read().headline.clone()}
            </p>
            <div
                class="progress"
                role="progressbar"
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=move || format!("{:.0}", part() * 100.0)
            >
                <span
                    class="progress-available"
                    style:transform=move || format!("scaleX({:.4})", available())
                ></span>
                <span
                    class="progress-held"
                    style:transform=move || format!("scaleX({:.4})", part())
                ></span>
            </div>
            <p class="quiet num transfer-detail">{move || said.read().detail.clone()}</p>
        </div>
    }
}

const fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Finding => "finding",
        Stage::Offered => "offered",
        Stage::Fetching => "fetching",
        Stage::Done => "done",
        Stage::Failed(_) => "failed",
    }
}
