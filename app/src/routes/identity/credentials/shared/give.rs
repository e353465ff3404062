//! Granting a share to one person.

use identity::credentials::{Give, GrantAsk};
use identity::session::Head;
use leptos::prelude::*;
use leptos_router::components::A;

use crate::browser;

use super::super::super::desk::{Desk, Said};
use super::super::book::Book;
use super::super::fields::{Choice, Line};
use super::super::hand_on::HandOn;
use super::taken::ask;
use super::{Own, Shelf, called};

/// For how many days.
const DAYS: [(u16, &str); 6] = [
    (1, "a day"),
    (7, "a week"),
    (30, "30 days"),
    (90, "90 days"),
    (365, "a year"),
    (1_825, "five years"),
];

/// What is typed.
#[derive(Debug, Clone, Copy)]
struct Form {
    cid: RwSignal<String>,
    to: RwSignal<String>,
    purpose: RwSignal<String>,
    days: RwSignal<u16>,
}

/// Where my name on the ledger stands, while it can sign.
fn head(desk: Desk) -> Option<Head> {
    let name = untrack(|| desk.name());
    name.filter(|name| name.stopped_s.is_none()).map(|name| name.head)
}

/// The form, and what came of it.
#[component]
pub(super) fn GiveGrant() -> impl IntoView {
    let (book, shelf) = (Book::get(), Shelf::get());
    let desk = book.desk;
    let form = Form {
        cid: RwSignal::new(String::new()),
        to: RwSignal::new(String::new()),
        purpose: RwSignal::new(String::new()),
        days: RwSignal::new(7),
    };
    let link = RwSignal::new(String::new());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        link.set(String::new());
        let cid = form.cid.get_untracked();
        let own = shelf.own.read_untracked().iter().find(|own| own.cid == cid).cloned();
        let Some(own) = own else {
            desk.say("grant", "Choose what to grant: a share that you made here.");
            return;
        };
        let give = Give {
            link: own.link,
            name: own.name,
            to: form.to.get_untracked(),
            purpose: form.purpose.get_untracked(),
            days: form.days.get_untracked(),
            head: head(desk),
        };
        book.run("grant", ask(GrantAsk::Give(Box::new(give))), move |reply| {
            form.to.set(String::new());
            form.purpose.set(String::new());
            link.set(format!("{}/identity/shared#grant={}", browser::origin(), reply.text));
        });
    };
    view! {
        <section class="card" aria-labelledby="grant-title">
            <h2 id="grant-title">"Grant a share"</h2>
            <p class="quiet">
                "Its key, sealed for one person: for a purpose, until a day. Whoever has the share\u{2019}s plain link reads it too, so do not hand that on."
            </p>
            <form class="send" on:submit=submit novalidate>
                <Fields form />
                <Said place="grant" />
                <div class="dialog-actions">
                    <button id="grant-go" class="button button--strong" type="submit" disabled=move || desk.busy.get()>
                        "Grant"
                    </button>
                </div>
            </form>
            <div id="grant-link" hidden=move || link.read().is_empty()>
                <p>
                    "For them only. Who else gets it learns for whom it is, and nothing more. It also stands in the list below."
                </p>
                <HandOn label="the grant" text=link />
            </div>
        </section>
    }
}

/// What, for whom, what for, for how long, and by whom.
#[component]
fn Fields(form: Form) -> impl IntoView {
    let days = DAYS.map(|(days, words)| (days, words.to_owned())).to_vec();
    view! {
        <ChooseShare cid=form.cid />
        <Line
            id="grant-to".to_owned()
            label="For whom: the did:key or did:starling that their page \u{201c}Shared with\u{201d} shows"
            value=form.to
            mono=true
        />
        <Line id="grant-purpose".to_owned() label="What for: they see it before they open it" value=form.purpose />
        <Choice id="grant-days".to_owned() label="For how long" all=days chosen=form.days />
        <Who />
    }
}

/// One of the shares that were made here.
#[component]
fn ChooseShare(cid: RwSignal<String>) -> impl IntoView {
    let shelf = Shelf::get();
    let has_none = move || shelf.own.read().is_empty();
    let option = move |own: Own| {
        let (value, named) = (own.cid.clone(), called(&own.name, &own.cid));
        let words = if own.active { named } else { format!("{named} (not shared now)") };
        view! {
            <option value=value selected=move || *cid.read() == own.cid>
                {words}
            </option>
        }
    };
    let help = move || match (shelf.is_read.get(), has_none()) {
        (false, _) => "Your shares are being looked for.",
        (true, true) => {
            "No share here can be granted yet. Share files, encrypted and without a password: then they stand here."
        }
        (true, false) => {
            "Shares that you made in this browser, encrypted and without a password. They are fetched from you: it must be shared and this browser online, or somebody who has it."
        }
    };
    view! {
        <label for="grant-share">"What"</label>
        <select
            id="grant-share"
            class="text-field"
            aria-describedby="grant-share-help"
            on:change=move |event| cid.set(event_target_value(&event))
        >
            <option value="" selected=move || cid.read().is_empty()>
                "Choose a share"
            </option>
            {move || shelf.own.get().into_iter().map(option).collect_view()}
        </select>
        <p id="grant-share-help" class="quiet">
            {help}
            <span hidden=move || !has_none()>
                " "
                <A href="/share">"Share files"</A>
            </span>
        </p>
    }
}

/// Who signs.
#[component]
fn Who() -> impl IntoView {
    let desk = Book::get().desk;
    let did = move || match desk.name().filter(|name| name.stopped_s.is_none()) {
        Some(name) => format!("did:starling:{}", name.head.did),
        None => desk.keys.view.read().did.clone(),
    };
    view! {
        <p class="quiet wrap">
            "You grant it as " <span id="granter" class="mono">{did}</span>
        </p>
    }
}
