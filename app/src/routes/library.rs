//! What is here: sent and received, what it takes, what may go.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::A;
use peer_wasm::files::{Files, FilesError, Remembered, Space};

use crate::browser;
use crate::components::gateway::GatewayChoice;
use crate::components::heading::Heading;
use crate::components::icon::{Glyph, Icon};
use crate::format::{bytes, share, trimmed};
use crate::paying;
use crate::routes::share::ends;
use crate::session::Session;
use crate::share_words;

/// How long something removed can be had back.
const UNDO_FOR: Duration = Duration::from_secs(8);

/// The page.
#[component]
pub(crate) fn Library() -> impl IntoView {
    browser::set_title("Library");
    let sharing = Session::get().sharing;
    sharing.want();
    let wrong = RwSignal::new(None::<String>);
    let held = LocalResource::new(move || {
        let _ = (sharing.ready.get(), sharing.changed.get());
        async move {
            match sharing.files() {
                Some(files) => (files.library().await, files.space().await),
                None => (Vec::new(), Space::default()),
            }
        }
    });
    let rows = move || held.get().map(|(rows, _)| rows).unwrap_or_default();
    let empty = move || held.get().is_some_and(|(rows, _)| rows.is_empty()) && sharing.ready.get();
    let space = move || held.get().map(|(_, space)| space).unwrap_or_default();
    view! {
        <div class="route">
            <Heading title="Library" about="Files you sent and received, as this device holds them.">
                <A href="/identity/shared" attr:class="button">
                    "Shared with"
                </A>
                <A href="/share" attr:class="button button--strong">
                    "Share files"
                </A>
            </Heading>
            <section class="card" aria-labelledby="space-title">
                <h2 id="space-title">"Space"</h2>
                <SpaceBar space=Signal::derive(space) />
            </section>
            <p class="quiet quiet--warn" aria-live="polite">{move || wrong.get()}</p>
            <div class="empty" hidden=move || !empty()>
                <p class="empty-title">"Nothing here yet"</p>
                <p class="quiet">"What you share, and what others send you, stands here until you remove it."</p>
            </div>
            <ul class="shelf">
                <For each=rows key=|row| format!("{row:?}") let:row>
                    <Row row wrong />
                </For>
            </ul>
            <section class="card other-source" aria-labelledby="source-title">
                <h2 id="source-title">"Another source"</h2>
                <GatewayChoice />
            </section>
        </div>
    }
}

#[component]
fn SpaceBar(space: Signal<Space>) -> impl IntoView {
    let part = move || share(space.read().used_bytes, space.read().limit_bytes);
    view! {
        <div class="bar" aria-hidden="true">
            <span class="bar-part bar-part--cache" style:flex-grow=move || format!("{:.4}", part())></span>
            <span
                class="bar-part bar-part--empty"
                style:flex-grow=move || format!("{:.4}", (1.0 - part()).max(0.0))
            ></span>
        </div>
        <p class="quiet num">
            {move || {
                let space = space.get();
                format!(
                    "{} of {} that this browser grants. What was used longest ago makes room, never what you keep.",
                    bytes(space.used_bytes),
                    trimmed(&bytes(space.limit_bytes)),
                )
            }}
        </p>
    }
}

/// One share.
#[component]
fn Row(row: Remembered, wrong: RwSignal<Option<String>>) -> impl IntoView {
    let sharing = Session::get().sharing;
    let cid = StoredValue::new(row.cid.clone());
    let going = RwSignal::new(false);
    let act = move |work: Work| {
        let Some(files) = sharing.files() else { return };
        if matches!(work, Work::Stop | Work::Remove) {
            paying::let_go(sharing.ledger, &cid.get_value(), matches!(work, Work::Remove));
        }
        spawn_local(async move {
            let done = work.go(&files, &cid.get_value()).await;
            wrong.set(done.err().map(|error| {
                let said = share_words::error(&error);
                format!("{} {}", said.headline, said.detail)
            }));
            sharing.touch();
        });
    };
    // Removed after a while, so that it can be had back. Who leaves the page meanwhile keeps it.
    let remove = move |()| {
        going.set(true);
        set_timeout(
            move || {
                if going.try_get_untracked() == Some(true) {
                    act(Work::Remove);
                }
            },
            UNDO_FOR,
        );
    };
    let (active, pinned, made) = (row.active, row.pinned, row.made);
    let name = if row.name.is_empty() { "Not known yet".to_owned() } else { row.name.clone() };
    let facts = facts(&row);
    let link = format!("/{}", row.link);
    view! {
        <li class="card shelf-row" data-cid=row.cid.clone() data-made=made.to_string()>
            <Show
                when=move || !going.get()
                fallback=move || {
                    view! {
                        <p class="quiet">"Removed from this device."</p>
                        <button class="button" type="button" on:click=move |_| going.set(false)>
                            "Undo"
                        </button>
                    }
                }
            >
                <a class="shelf-name" href=link.clone()>
                    <Icon glyph=if made { Glyph::Share } else { Glyph::File } />
                    <span>{name.clone()}</span>
                </a>
                <span class="quiet num shelf-facts">{facts.clone()}</span>
                <Buttons active pinned act remove />
            </Show>
        </li>
    }
}

/// Keep, stop or go on, remove.
#[component]
fn Buttons(
    active: bool,
    pinned: bool,
    act: impl Fn(Work) + Copy + 'static,
    remove: impl Fn(()) + Copy + 'static,
) -> impl IntoView {
    view! {
        <span class="shelf-actions">
            <button
                class="button button--icon"
                type="button"
                aria-pressed=pinned.to_string()
                aria-label="Keep when room is made"
                title=if pinned { "Kept when room is made" } else { "Keep when room is made" }
                on:click=move |_| act(Work::Pin(!pinned))
            >
                <Icon glyph=Glyph::Pin />
            </button>
            <button
                class="button"
                type="button"
                on:click=move |_| act(if active { Work::Stop } else { Work::Start })
            >
                {if active { "Stop" } else { "Go on" }}
            </button>
            <button
                class="button button--icon"
                type="button"
                aria-label="Remove"
                title="Remove"
                on:click=move |_| remove(())
            >
                <Icon glyph=Glyph::Bin />
            </button>
        </span>
    }
}

/// What a button does.
#[derive(Debug, Clone, Copy)]
enum Work {
    Pin(bool),
    Stop,
    Start,
    Remove,
}

impl Work {
    async fn go(self, files: &Files, cid: &str) -> Result<(), FilesError> {
        match self {
            Self::Pin(on) => files.pin(cid, on).await,
            Self::Stop => files.stop(cid).await,
            Self::Start => files.start(cid).await,
            Self::Remove => files.remove(cid).await,
        }
    }
}

fn facts(row: &Remembered) -> String {
    let mut facts = vec![if row.made { "Sent by you" } else { "Received" }.to_owned()];
    if row.size_bytes > 0 {
        facts.push(bytes(row.size_bytes));
    }
    if row.held_bytes < row.size_bytes {
        facts.push(format!("{} here", bytes(row.held_bytes)));
    }
    if row.public {
        facts.push("public".to_owned());
    }
    if row.active {
        facts.push("being shared".to_owned());
    }
    if row.needs_files {
        facts.push("read from your files".to_owned());
    }
    facts.extend(row.ends_at_s.map(ends));
    facts.join(" · ")
}
