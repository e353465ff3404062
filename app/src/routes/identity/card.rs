//! The names: the key's own at once, and the one on the ledger.

use identity::session::{Command, Next};
use leptos::prelude::*;
use wallet::dids::{self, Found, Name};

use crate::components::copy::CopyText;
use crate::money;

use super::desk::{Desk, Said};
use super::sure::Sure;

/// The card.
#[component]
pub(super) fn Card() -> impl IntoView {
    let desk = Desk::get();
    let did = Signal::derive(move || desk.keys.view.read().did.clone());
    let lock = move |_| desk.run("card", Command::Lock, |_| ());
    view! {
        <section class="card" aria-labelledby="card-title">
            <div class="card-head">
                <h2 id="card-title">"You"</h2>
                <button id="identity-lock" class="button" type="button" on:click=lock>
                    "Lock"
                </button>
            </div>
            <p class="quiet">"Your key is a name by itself. It works at once, offline, and is never changed."</p>
            <CopyText label="your key\u{2019}s DID" text=did />
            <h3>"Your name on the ledger"</h3>
            <OnLedger />
            <Said place="card" />
        </section>
    }
}

#[component]
fn OnLedger() -> impl IntoView {
    let desk = Desk::get();
    let found = Memo::new(move |_| desk.did.get().map(|id| desk.look(id)));
    let did = Signal::derive(move || {
        desk.did.get().map(|id| format!("did:starling:{id}")).unwrap_or_default()
    });
    let name = Memo::new(move |_| match found.get() {
        Some(Found::Here(name)) => Some(*name),
        Some(Found::Absent { .. } | Found::Unproved) | None => None,
    });
    let is_here = Memo::new(move |_| name.read().is_some());
    view! {
        <p class="quiet">
            "A name that outlives its keys: they can be changed, and guardians can give new ones. It stands on the ledger for ever, so nothing personal is in it."
        </p>
        // It stays while its numbers move: a dialog that is open does, too.
        <Show when=move || is_here.get()>
            <CopyText label="your DID on the ledger" text=did />
            <Here name />
        </Show>
        {move || match found.get() {
            Some(Found::Here(_)) => ().into_any(),
            Some(Found::Absent { height }) => view! { <Absent height /> }.into_any(),
            Some(Found::Unproved) | None => {
                view! {
                    <p class="quiet" role="status">
                        "The ledger is being asked. Everything else on this page works without it."
                    </p>
                }
                    .into_any()
            }
        }}
    }
}

#[component]
fn Absent(height: u64) -> impl IntoView {
    let desk = Desk::get();
    let fee = move || desk.ledger.view.read().fee.unwrap_or_default();
    let held = move || desk.ledger.view.read().balance.map_or(0, |proved| proved.units);
    let poor = move || held() < dids::DEPOSIT.saturating_add(fee());
    let register = move |_| {
        let Some(chain) = desk.chain.get_untracked() else { return };
        desk.run("card", Command::Genesis(chain), move |answer| {
            let order = dids::create(&answer.bytes);
            desk.order("card", order, "Sent. It is there with the next block.");
        });
    };
    view! {
        <p id="did-state" class="num">{format!("Not registered: proved at block {height}.")}</p>
        <div class="dialog-actions">
            <button
                id="did-register"
                class="button button--strong"
                type="button"
                disabled=move || desk.busy.get() || poor() || desk.waits()
                on:click=register
            >
                {format!("Register: {} are set aside", money::named(dids::DEPOSIT))}
            </button>
        </div>
        <p class="quiet" hidden=move || !poor()>
            "The wallet does not hold that much with the fee. What is set aside comes back three days after the name is stopped."
        </p>
    }
}

#[component]
fn Here(name: Memo<Option<Name>>) -> impl IntoView {
    let desk = Desk::get();
    let stopped = move || name.read().as_ref().is_some_and(|name| name.stopped_s.is_some());
    let state = move || {
        let name = name.read();
        let words =
            |name: &Name| format!("Version {}, proved at block {}.", name.head.seq, name.height);
        name.as_ref().map(words)
    };
    let versions = Memo::new(move |_| {
        name.read().as_ref().map(|name| Name { height: 0, time_ms: 0, ..name.clone() })
    });
    let rotate = move || {
        let Some(head) = desk.head() else { return };
        let did = head.did;
        desk.run("card", Command::Next { head, change: Next::Rotate }, move |answer| {
            let order = dids::apply(did, &answer.bytes);
            desk.order("card", order, "Sent. The new keys hold from the next block on.");
        });
    };
    view! {
        <p id="did-state" class="num">
            {state}
            {move || stopped().then_some(" It was stopped.")}
        </p>
        {move || versions.get().map(|name| view! { <History name /> })}
        <div class="dialog-actions">
            <Sure
                id="did-rotate"
                label="Change keys"
                title="Change the keys of your name?"
                deed="Change keys"
                disabled=Signal::derive(move || stopped() || desk.waits())
                run=rotate
            >
                <p>
                    "New keys sign from the next block on. What the old key signed before stays good, by its time. Others see that keys changed."
                </p>
            </Sure>
        </div>
    }
}

/// Every version that is proved, newest first.
#[component]
fn History(name: Name) -> impl IntoView {
    let window_from = name.window_from;
    let line = move |(seq, version): (&u64, &dids::Version)| {
        let state = match (version.erased_s, *seq >= window_from) {
            (Some(_), _) => " \u{b7} erased",
            (None, true) => " \u{b7} less than 72 hours old: a key of more authority may erase it",
            (None, false) => "",
        };
        view! { <li class="num">{format!("Version {seq}, block {}{state}", version.height)}</li> }
    };
    view! {
        <details class="steps">
            <summary>"History"</summary>
            <ul>{name.versions.iter().rev().map(line).collect_view()}</ul>
        </details>
    }
}
