//! Making a credential for somebody.

use identity::credentials::{Command, Offer, Order};
use identity::session::Head;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::browser;
use crate::components::upload::Switch;

use super::super::desk::{Desk, Said};
use super::book::Book;
use super::fields::{Choice, ChooseKind, Chosen, Line, Lines};
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
    kind: Chosen,
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
            kind: Chosen::new(),
            claims: RwSignal::new(KINDS.first().map_or("", |kind| kind.claims).to_owned()),
            to: RwSignal::new(String::new()),
            label: RwSignal::new(String::new()),
            copies: RwSignal::new(10),
            lasts_s: RwSignal::new(365 * DAY_S),
            revocable: RwSignal::new(true),
            by_key: RwSignal::new(false),
        }
    }

    /// Where the DID stands that signs; none: the key's own name does.
    fn head(self, desk: Desk) -> Option<Head> {
        if self.by_key.get_untracked() { None } else { desk.head() }
    }

    fn order(self, desk: Desk) -> Option<Order> {
        Some(Order {
            kind: self.kind.vct(),
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
        let issuer = desk.signer(form.head(desk).as_ref());
        let kind = form.kind.vct();
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
        <div hidden=move || !named.get()>
            <Switch
                label="By your key instead"
                help="Checked without a ledger; its keys never change."
                on=form.by_key
                choose=move |on| form.by_key.set(on)
            />
        </div>
        <p class="quiet" hidden=move || named.get()>
            "This name is your key. Register one on the Identity page to be able to change keys and be found again."
        </p>
    }
}

/// Type and claims.
#[component]
fn What(form: Form) -> impl IntoView {
    // What it says follows.
    let then = Callback::new(move |at: usize| {
        form.claims.set(KINDS.get(at).map_or("", |kind| kind.claims).to_owned());
    });
    view! {
        <ChooseKind
            name="issue"
            label="What it is"
            own="Its type: a name of your own that verifiers will ask for"
            kind=form.kind
            then
        />
        <Lines
            id="issue-claims"
            label="What it says, a line each: name = value"
            rows="5"
            value=form.claims
            help="The holder may leave out each of them. A slash puts one within another: age_equal_or_over/18 = yes."
        />
    }
}

/// For whom, how often, how long.
#[component]
fn Whom(form: Form) -> impl IntoView {
    let copies = COPIES.map(|count| (count, count.to_string())).to_vec();
    let lasts = LASTS.map(|(seconds, words)| (seconds, words.to_owned())).to_vec();
    view! {
        <Lines
            id="issue-to"
            label="For whom: their did:key, or the keys they sent you"
            rows="2"
            value=form.to
            help="With keys they get copies that can\u{2019}t be told to be one person\u{2019}s. A did:key gets one copy, by which they are known again."
        />
        <Choice id="issue-copies".to_owned() label="Copies, at most" all=copies chosen=form.copies />
        <Choice id="issue-lasts".to_owned() label="Holds" all=lasts chosen=form.lasts_s />
        <Line
            id="issue-label".to_owned()
            label="Your own note: for your list below, nobody else sees it"
            value=form.label
        />
        <Switch
            label="Can be revoked"
            help="Verifiers then want your status list to be on the ledger: a small fee each time it changes."
            on=form.revocable
            choose=move |on| form.revocable.set(on)
        />
    }
}
