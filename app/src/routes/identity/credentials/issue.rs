//! Making a credential for somebody.

use identity::credentials::{Command, Offer, Order};
use identity::session::Head;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::browser;

use super::super::desk::{Desk, Said};
use super::book::Book;
use super::hand_on::HandOn;
use super::kinds::{self, KINDS};

/// Seconds of a day.
const DAY_S: u64 = 86_400;
/// How long a credential may hold.
const LASTS: [(u64, &str); 4] = [
    (30 * DAY_S, "30 days"),
    (365 * DAY_S, "a year"),
    (5 * 365 * DAY_S, "five years"),
    (0, "without an end"),
];
/// How many copies.
const COPIES: [u8; 4] = [1, 5, 10, 30];

/// What is typed.
#[derive(Debug, Clone, Copy)]
struct Form {
    kind: RwSignal<usize>,
    own: RwSignal<String>,
    claims: RwSignal<String>,
    to: RwSignal<String>,
    label: RwSignal<String>,
    copies: RwSignal<u8>,
    lasts_s: RwSignal<u64>,
    revocable: RwSignal<bool>,
    /// Sign by the key's own name, though there is one on the ledger.
    by_key: RwSignal<bool>,
}

impl Form {
    fn new() -> Self {
        Self {
            kind: RwSignal::new(0),
            own: RwSignal::new(String::new()),
            claims: RwSignal::new(KINDS.first().map_or("", |kind| kind.claims).to_owned()),
            to: RwSignal::new(String::new()),
            label: RwSignal::new(String::new()),
            copies: RwSignal::new(10),
            lasts_s: RwSignal::new(365 * DAY_S),
            revocable: RwSignal::new(true),
            by_key: RwSignal::new(false),
        }
    }

    /// The type.
    fn vct(self) -> String {
        let known = KINDS.get(self.kind.get_untracked()).map_or("", |kind| kind.vct);
        match known {
            "" => self.own.get_untracked().trim().to_owned(),
            known => known.to_owned(),
        }
    }

    /// Where the DID stands that signs; none: the key's own name does.
    fn head(self, desk: Desk) -> Option<Head> {
        if self.by_key.get_untracked() { None } else { desk.head() }
    }

    /// Another type is chosen: what it says follows.
    fn choose(self, at: usize) {
        self.kind.set(at);
        self.claims.set(KINDS.get(at).map_or("", |kind| kind.claims).to_owned());
    }

    fn order(self, desk: Desk) -> Option<Order> {
        Some(Order {
            kind: self.vct(),
            claims: kinds::said(&self.claims.read_untracked())?,
            to: self.to.get_untracked(),
            copies: self.copies.get_untracked(),
            lasts_s: self.lasts_s.get_untracked(),
            revocable: self.revocable.get_untracked(),
            label: self.label.get_untracked(),
            head: self.head(desk),
        })
    }
}

/// The form, and what came of it.
#[component]
pub(super) fn Issue() -> impl IntoView {
    let book = Book::get();
    let desk = book.desk;
    let form = Form::new();
    let (link, what) = (RwSignal::new(String::new()), RwSignal::new(""));
    // A holder's keys may come by a link.
    let hash = use_location().hash;
    Effect::new(move |_| {
        hash.track();
        if let Some(keys) = browser::take_fragment() {
            form.to.set(keys);
        }
    });
    let offer = move |_| {
        let issuer = match form.head(desk) {
            Some(head) => format!("did:starling:{}", head.did),
            None => desk.keys.view.read_untracked().did.clone(),
        };
        let kind = form.vct();
        if kind.is_empty() {
            desk.say("issue", "Say which type of credential it is.");
            return;
        }
        let offer = Offer { kind, count: form.copies.get_untracked(), issuer };
        book.run("issue", Command::Offer(offer), move |reply| {
            what.set("An offer: send it to the holder, who answers with keys. Put those above, and issue.");
            link.set(format!("{}/identity/credentials#offer={}", browser::origin(), reply.text));
        });
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(order) = form.order(desk) else {
            desk.say("issue", "Give every claim a value, a line each: name = value.");
            return;
        };
        book.run("issue", Command::Issue(order), move |reply| {
            what.set("The credential: hand it to the holder, and to nobody else.");
            let text = browser::encoded(&reply.text);
            link.set(format!("{}/identity/credentials#credential={text}", browser::origin()));
        });
    };
    view! {
        <section class="card" aria-labelledby="issue-title">
            <h2 id="issue-title">"A credential"</h2>
            <form class="send" on:submit=submit novalidate>
                <Who form />
                <What form />
                <Whom form />
                <Said place="issue" />
                <div class="dialog-actions">
                    <button id="issue-offer" class="button" type="button" disabled=move || desk.busy.get() on:click=offer>
                        "Make an offer"
                    </button>
                    <button id="issue-go" class="button button--strong" type="submit" disabled=move || desk.busy.get()>
                        "Issue"
                    </button>
                </div>
            </form>
            <div id="issue-link" hidden=move || link.read().is_empty()>
                <p>{what}</p>
                <HandOn label="what you issued" text=link />
            </div>
        </section>
    }
}

/// Who signs.
#[component]
fn Who(form: Form) -> impl IntoView {
    let desk = Desk::get();
    let named = Memo::new(move |_| desk.name().is_some_and(|name| name.stopped_s.is_none()));
    let did = move || match (named.get() && !form.by_key.get(), desk.did.get()) {
        (true, Some(id)) => format!("did:starling:{id}"),
        _ => desk.keys.view.read().did.clone(),
    };
    view! {
        <p class="quiet wrap">"You issue as " <span id="issuer" class="mono">{did}</span></p>
        <label class="choice choice--switch" hidden=move || !named.get()>
            <span class="choice-words">
                <span class="choice-name">"By your key instead"</span>
                <span class="quiet">"Checked without a ledger; its keys never change."</span>
            </span>
            <input
                class="switch"
                type="checkbox"
                role="switch"
                prop:checked=move || form.by_key.get()
                on:change=move |event| form.by_key.set(event_target_checked(&event))
            />
        </label>
        <p class="quiet" hidden=move || named.get()>
            "This name is your key. Register one on the Identity page to be able to change keys and be found again."
        </p>
    }
}

/// Type and claims.
#[component]
fn What(form: Form) -> impl IntoView {
    let is_own = move || KINDS.get(form.kind.get()).is_none_or(|kind| kind.vct.is_empty());
    view! {
        <label for="issue-kind">"What it is"</label>
        <select
            id="issue-kind"
            class="text-field"
            on:change=move |event| form.choose(event_target_value(&event).parse().unwrap_or(0))
        >
            {KINDS
                .iter()
                .enumerate()
                .map(|(at, kind)| view! { <option value=at.to_string()>{kind.title}</option> })
                .collect_view()}
        </select>
        <div class="send" hidden=move || !is_own()>
            <label for="issue-own">"Its type: a name of your own that verifiers will ask for"</label>
            <input
                id="issue-own"
                class="text-field mono"
                type="text"
                autocomplete="off"
                spellcheck="false"
                placeholder="urn:example:diploma:1"
                on:input=move |event| form.own.set(event_target_value(&event))
            />
        </div>
        <label for="issue-claims">"What it says, a line each: name = value"</label>
        <textarea
            id="issue-claims"
            class="text-field mono"
            rows="5"
            autocomplete="off"
            spellcheck="false"
            prop:value=move || form.claims.get()
            on:input=move |event| form.claims.set(event_target_value(&event))
        ></textarea>
        <p class="quiet">"The holder may leave out each of them. A slash puts one within another: age_equal_or_over/18 = yes."</p>
    }
}

/// For whom, how often, how long.
#[component]
fn Whom(form: Form) -> impl IntoView {
    view! {
        <label for="issue-to">"For whom: their did:key, or the keys they sent you"</label>
        <textarea
            id="issue-to"
            class="text-field mono"
            rows="2"
            autocomplete="off"
            spellcheck="false"
            prop:value=move || form.to.get()
            on:input=move |event| form.to.set(event_target_value(&event))
        ></textarea>
        <p class="quiet">"With keys they get copies that can\u{2019}t be told to be one person\u{2019}s. A did:key gets one copy, by which they are known again."</p>
        <label for="issue-copies">"Copies, at most"</label>
        <select
            id="issue-copies"
            class="text-field"
            on:change=move |event| form.copies.set(event_target_value(&event).parse().unwrap_or(1))
        >
            {COPIES
                .map(|count| {
                    view! {
                        <option value=count.to_string() selected=move || form.copies.get() == count>
                            {count.to_string()}
                        </option>
                    }
                })
                .collect_view()}
        </select>
        <label for="issue-lasts">"Holds"</label>
        <select
            id="issue-lasts"
            class="text-field"
            on:change=move |event| form.lasts_s.set(event_target_value(&event).parse().unwrap_or(0))
        >
            {LASTS
                .map(|(seconds, words)| {
                    view! {
                        <option value=seconds.to_string() selected=move || form.lasts_s.get() == seconds>
                            {words}
                        </option>
                    }
                })
                .collect_view()}
        </select>
        <label for="issue-label">"Your own note: for your list below, nobody else sees it"</label>
        <input
            id="issue-label"
            class="text-field"
            type="text"
            autocomplete="off"
            on:input=move |event| form.label.set(event_target_value(&event))
        />
        <label class="choice choice--switch">
            <span class="choice-words">
                <span class="choice-name">"Can be revoked"</span>
                <span class="quiet">"Verifiers then want your status list to be on the ledger: a small fee each time it changes."</span>
            </span>
            <input
                id="issue-revocable"
                class="switch"
                type="checkbox"
                role="switch"
                prop:checked=move || form.revocable.get()
                on:change=move |event| form.revocable.set(event_target_checked(&event))
            />
        </label>
    }
}
