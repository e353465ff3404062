//! A status list of one's own: whether the ledger names it, and who gives it to others.

use identity::credentials::{Command, Facts, List};
use identity::session::Head;
use identity::status::{TokenHash, token_cid};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wallet::dids;

use crate::browser;
use crate::components::copy::CopyText;
use crate::format::counted;
use crate::sharing;

use super::super::desk::{Desk, Said};
use super::super::words::GONE;
use super::book::Book;
use super::hand_on::HandOn;
use super::lists::{self, Given};

/// Where the DID stands that a credential was issued by; the outer none: it can't sign now.
pub(super) fn head_of(desk: Desk, issuer: &str) -> Option<Option<Head>> {
    if issuer.starts_with("did:key:") {
        return Some(None);
    }
    let head = desk.head()?;
    (format!("did:starling:{}", head.did) == issuer).then_some(Some(head))
}

/// What the ledger says of a list of one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// Nothing yet.
    Asked,
    /// It names none.
    Not { height: u64 },
    /// It names this one.
    This { number: u64, height: u64 },
    /// It names one that says nothing that this browser does not know.
    Older { number: u64, height: u64 },
    /// It names one that was signed in another browser.
    Foreign { token: TokenHash, number: u64, height: u64 },
}

impl Named {
    fn of(desk: Desk, list: &List) -> Self {
        let records = desk.ledger.records.read();
        let Some(proved) = dids::look_list(&records, &list.issuer, &list.uri) else {
            return Self::Asked;
        };
        let height = proved.height;
        match proved.newest {
            None => Self::Not { height },
            Some(newest) if Some(newest.token) == list.token => {
                Self::This { number: newest.number, height }
            }
            Some(newest) if list.seen.contains(&newest.token) => {
                Self::Older { number: newest.number, height }
            }
            Some(newest) => Self::Foreign { token: newest.token, number: newest.number, height },
        }
    }

    fn words(self) -> String {
        match self {
            Self::Asked => "The ledger is being asked.".to_owned(),
            Self::Not { height } => format!(
                "Not on the ledger (proved at block {height}). Verifiers refuse what is in it."
            ),
            Self::This { number, height } => {
                format!("The ledger names it: version {number}, proved at block {height}.")
            }
            Self::Older { number, height } => format!(
                "The ledger names an older one, version {number} (proved at block {height}). Verifiers go by that."
            ),
            Self::Foreign { number, height, .. } => format!(
                "The ledger names one that you signed in another browser, version {number} (proved at block {height})."
            ),
        }
    }

    /// The number of the version that the ledger names.
    const fn number(self) -> u64 {
        match self {
            Self::Asked | Self::Not { .. } => 0,
            Self::This { number, .. }
            | Self::Older { number, .. }
            | Self::Foreign { number, .. } => number,
        }
    }
}

/// A status list of one's own.
#[component]
pub(super) fn OwnList(list: List) -> impl IntoView {
    let book = Book::get();
    let desk = book.desk;
    let (issuer, uri) = (StoredValue::new(list.issuer.clone()), list.uri.clone());
    let place = StoredValue::new((list.issuer.clone(), uri.clone()));
    let text = RwSignal::new(String::new());
    let (token, at) = (list.token, list.number);
    let named = Memo::new(move |_| Named::of(desk, &list));
    let is_named = move || matches!(named.get(), Named::This { .. } | Named::Foreign { .. });
    let poor = move || {
        let view = desk.ledger.view.read();
        view.balance.map_or(0, |held| held.units) < view.fee.unwrap_or_default()
    };
    let waits = move || desk.waits();
    let anchor = move |despite: bool| {
        let head = issuer.with_value(|issuer| head_of(desk, issuer));
        let (Some(head), Some(chain)) = (head, desk.chain.get_untracked()) else {
            desk.say("list", GONE);
            return;
        };
        let named = named.get_untracked();
        if matches!(named, Named::This { .. }) {
            // It came there meanwhile.
            return;
        }
        let last = place.with_value(|(issuer, uri)| last_of(desk, issuer, uri));
        let number = named.number() + 1;
        let command = Command::Anchor { network: chain, number, head, last, despite, list: at };
        book.run("list", command, move |reply| {
            // Others can have it before the ledger names it.
            let issuer = issuer.try_get_value().unwrap_or_default();
            spawn_local(lists::give(book, (issuer, at), reply.text));
            let order = dids::anchor(&reply.bytes);
            desk.order("list", order, "Sent. It is there with the next block.");
        });
    };
    let show = move |_| hand_on(book, &issuer.get_value(), at, text);
    view! {
        <section class="card own-list" aria-label="Your status list">
            <h2>"Your status list"</h2>
            <p class="quiet mono wrap">{uri}</p>
            <p class="list-state num" role="status">{move || named.get().words()}</p>
            <p class="quiet" hidden=move || !poor()>
                "The wallet pays a fee for it, and does not hold that much."
            </p>
            <Said place="list" />
            <OnItsWay waits=Signal::derive(waits) />
            <div class="dialog-actions">
                <button class="button" type="button" disabled=move || desk.busy.get() on:click=show>
                    "Hand it on"
                </button>
                <button
                    class="button button--strong list-anchor"
                    type="button"
                    hidden=is_named
                    disabled=move || {
                        desk.busy.get() || poor() || waits() || named.get() == Named::Asked
                    }
                    on:click=move |_| anchor(false)
                >
                    "Put it on the ledger"
                </button>
            </div>
            <div hidden=move || text.read().is_empty()>
                <p class="quiet">
                    "Holders bring it along, verifiers keep it: whoever has it need not ask you. It names nobody."
                </p>
                <HandOn label="your status list" text />
            </div>
            <Elsewhere named poor=Signal::derive(poor) anchor=Callback::new(anchor) />
            {token.map(|token| view! { <GivenBy token issuer at /> })}
        </section>
    }
}

/// Why it can't be put on the ledger now.
#[component]
fn OnItsWay(waits: Signal<bool>) -> impl IntoView {
    view! {
        <p class="quiet list-waits" role="status" hidden=move || !waits.get()>
            "Something is on its way to the ledger: this goes on when it is there."
        </p>
    }
}

/// Makes a link with the list in it.
fn hand_on(book: Book, issuer: &str, at: u32, text: RwSignal<String>) {
    let Some(head) = head_of(book.desk, issuer) else { return book.desk.say("list", GONE) };
    book.run("list", Command::List(head, at), move |reply| {
        text.set(format!("{}/identity/credentials#list={}", browser::origin(), reply.text));
    });
}

/// Hash of the list that the ledger names now.
fn last_of(desk: Desk, issuer: &str, uri: &str) -> Option<TokenHash> {
    let records = desk.ledger.records.read_untracked();
    Some(dids::look_list(&records, issuer, uri)?.newest?.token)
}

/// A list that another browser signed: learned from, so that what it says stays so.
#[component]
fn Elsewhere(
    named: Memo<Named>,
    /// The fee can't be paid.
    poor: Signal<bool>,
    /// Puts the list of this browser on the ledger, whatever the other says.
    anchor: Callback<bool>,
) -> impl IntoView {
    let book = Book::get();
    let desk = book.desk;
    let came = RwSignal::new(None::<String>);
    let (lost, sure) = (RwSignal::new(false), RwSignal::new(false));
    let tries = RwSignal::new(0_u32);
    let token = Memo::new(move |_| match named.get() {
        Named::Foreign { token, .. } => Some(token),
        _ => None,
    });
    Effect::new(move |_| {
        tries.track();
        let Some(token) = token.get() else { return };
        lost.set(false);
        spawn_local(async move {
            let found = lists::fetch(book.sharing, token).await;
            lost.try_set(found.is_none());
            came.try_set(found);
        });
    });
    Effect::new(move |_| {
        if desk.busy.get() || came.read().is_none() {
            return;
        }
        let Some(text) = came.try_update(Option::take).flatten() else { return };
        // Until it is learned there must be a way on.
        lost.set(true);
        let command = Command::Learn { text, facts: Facts::default() };
        book.run("list", command, move |reply| {
            lost.try_set(false);
            let learned = counted(u64::from(reply.taken), "thing", "things");
            desk.tell("list", match reply.taken {
                0 => "What was signed in another browser was looked through: it says nothing new.".to_owned(),
                _ => format!("What was signed in another browser was looked through: {learned} in it held no more, and stays so here."),
            });
        });
    });
    view! {
        <div class="list-elsewhere" hidden=move || token.get().is_none()>
            <p role="status">
                {move || match lost.get() {
                    false => "It is being fetched, so that what it revoked stays revoked.",
                    true => "Nobody who is online gives it, or it was refused, as said above. Open this page in that browser, or bring in its backup below; then look again.",
                }}
            </p>
            <div class="dialog-actions" hidden=move || !lost.get()>
                <button class="button list-again" type="button" disabled=move || desk.busy.get() on:click=move |_| tries.update(|tries| *tries += 1)>
                    "Look again"
                </button>
                <button class="button list-despite" type="button" hidden=sure on:click=move |_| sure.set(true)>
                    "Go on without it"
                </button>
                <button
                    class="button button--strong list-despite-sure"
                    type="button"
                    hidden=move || !sure.get()
                    disabled=move || desk.busy.get() || poor.get() || desk.waits()
                    on:click=move |_| anchor.run(true)
                >
                    "Put mine there: what only that one revoked holds again"
                </button>
            </div>
        </div>
    }
}

/// Who gives the list to whoever asks for it by its hash.
#[component]
fn GivenBy(
    token: TokenHash,
    issuer: StoredValue<String>,
    /// Which of the issuer's lists it is.
    at: u32,
) -> impl IntoView {
    let book = Book::get();
    let desk = book.desk;
    let cid = token_cid(&token);
    let link = Signal::stored(sharing::full(&format!("#/get/{cid}")));
    Effect::new(move |_| {
        // Shares of the last visit are open from then on.
        book.sharing.ready.track();
        spawn_local(lists::look(book, token));
    });
    let given = Memo::new(move |_| {
        let all = book.given.read();
        all.iter().find(|(one, _)| *one == token).map(|(_, given)| given.clone())
    });
    let words = move || {
        match given.get() {
        None => "Nobody gets it from this page yet: who has an older one waits for somebody who brings it along.".to_owned(),
        Some(Given::Making) => "It is being made ready for others.".to_owned(),
        Some(Given::Here) => "This page gives it to whoever asks, while a page of this site is open here. The server does not keep it: have somebody who stays online fetch it and give it on.".to_owned(),
        Some(Given::Kept) => "The server of this page keeps it too, as long as it has room: this page may be closed.".to_owned(),
        Some(Given::Failed(why)) => why,
    }
    };
    let gives = move || matches!(given.get(), Some(Given::Here | Given::Kept | Given::Making));
    let give = move |_| {
        let Some(head) = issuer.with_value(|issuer| head_of(desk, issuer)) else {
            desk.say("list", GONE);
            return;
        };
        book.run("list", Command::List(head, at), move |reply| {
            let issuer = issuer.try_get_value().unwrap_or_default();
            spawn_local(lists::give(book, (issuer, at), reply.text));
        });
    };
    view! {
        <p class="list-given" role="status">{words}</p>
        <div class="dialog-actions" hidden=gives>
            <button class="button list-give" type="button" disabled=move || desk.busy.get() on:click=give>
                "Give it from here"
            </button>
        </div>
        <details class="steps" hidden=move || !gives()>
            <summary>"For somebody who stays online"</summary>
            <p class="quiet">
                "This link is the list itself: its name is the hash that the ledger names, so it can\u{2019}t be another. "
                <code>"starling get LINK --pin"</code> " fetches it, " <code>"starling seed LINK"</code> " gives it on."
            </p>
            <CopyText label="the link of your status list" text=link />
        </details>
    }
}
