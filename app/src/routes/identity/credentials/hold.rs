//! What I hold, and taking more.

use identity::credentials::{Card, Claim, Command, Mark, Offer};
use identity::status::TokenHash;
use leptos::prelude::*;
use wallet::dids;
use wallet::view::Sight;

use crate::browser;
use crate::format::counted;

use super::super::desk::Said;
use super::book::Book;
use super::fact::Fact;
use super::fields::{ChooseKind, Chosen};
use super::hand_on::{HandOn, TakeIn};
use super::kinds;
use super::lists::{self, Lacking};

/// Copies that are asked for, unless the issuer says otherwise.
const COPIES: u8 = 10;

/// Taking what an issuer gives: an offer, a credential, a newer status list.
#[component]
pub(super) fn Receive() -> impl IntoView {
    let book = Book::get();
    let offer = RwSignal::new(None::<Offer>);
    let code = RwSignal::new(String::new());
    let take = Callback::new(move |text: String| {
        offer.set(None);
        code.set(String::new());
        let facts = identity::credentials::Facts::default();
        book.run("take", Command::Take { text, facts }, move |reply| match reply.offer {
            Some(read) => offer.set(Some(read)),
            None if reply.unproved => book.desk.tell(
                "take",
                "Taken, and kept here. Nothing proves its issuer\u{2019}s key: a web server shows it now, and whoever has that server can show another.",
            ),
            None => book.desk.tell("take", "Taken: it is checked, and kept here."),
        });
    });
    let give = Callback::new(move |(kind, count): (String, u8)| {
        book.run("keys", Command::Keys { kind, count }, move |reply| {
            let link = format!("{}/identity/issue#keys={}", browser::origin(), reply.text);
            code.set(link);
        });
    });
    view! {
        <section class="card" aria-labelledby="receive-title">
            <h2 id="receive-title">"Receive"</h2>
            <TakeIn
                place="take"
                label="What an issuer gave you: a link or a text"
                action="Take"
                busy=book.desk.busy
                take
            />
            {move || offer.get().map(|offer| view! { <Offered offer give /> })}
            <AskIssuer give />
            <Said place="keys" />
            <div id="keys-code" hidden=move || code.read().is_empty()>
                <p class="quiet">
                    "Give this to the issuer. It holds a key for each copy, and says nothing else about you."
                </p>
                <HandOn label="your keys for the issuer" text=code />
            </div>
        </section>
    }
}

#[component]
fn Offered(offer: Offer, give: Callback<(String, u8)>) -> impl IntoView {
    let Offer { kind, count, issuer } = offer;
    let words = format!(
        "{} of \u{201c}{}\u{201d}{}",
        counted(count.into(), "copy", "copies"),
        kinds::title(&kind),
        if count == 1 { "." } else { ", so that who sees one does not know you again by another." }
    );
    let press = move |_| give.run((kind.clone(), count));
    view! {
        <div id="offer">
            <h3>"An offer"</h3>
            <p>{words}</p>
            <p class="quiet wrap">"It says it comes from " <span class="mono">{issuer}</span></p>
            <div class="dialog-actions">
                <button id="offer-go" class="button button--strong" type="button" on:click=press>
                    "Make keys for it"
                </button>
            </div>
        </div>
    }
}

/// Keys for an issuer that made no offer.
#[component]
fn AskIssuer(give: Callback<(String, u8)>) -> impl IntoView {
    let kind = Chosen::new();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        give.run((kind.vct(), COPIES));
    };
    view! {
        <details class="steps">
            <summary>"Ask an issuer who made no offer"</summary>
            <form class="send" on:submit=submit novalidate>
                <ChooseKind name="keys" label="What for" own="Its type, as the issuer writes it" kind />
                <div class="dialog-actions">
                    <button id="keys-go" class="button" type="submit">
                        "Make keys"
                    </button>
                </div>
            </form>
        </details>
    }
}

/// Cards.
#[component]
pub(super) fn Hold() -> impl IntoView {
    let book = Book::get();
    Effect::new(move |_| {
        let view = book.view.read();
        let lists = view.cards.iter().filter_map(|card| card.list.clone());
        let mut lists: Vec<_> = lists.map(|list| (list.issuer, list.uri)).collect();
        lists.dedup();
        if *book.shown.read_untracked() != lists {
            book.shown.set(lists);
        }
    });
    let lacking = lists::keep_up(book);
    let cards = Memo::new(move |_| book.view.read().cards.clone());
    let can_undo = move || book.view.read().can_undo;
    let undo = move |_| book.run("hold", Command::Undo, |_| ());
    view! {
        <Said place="book" />
        <div id="undo" class="card card-head" role="status" hidden=move || !can_undo()>
            <p>"Removed from this device."</p>
            <button id="undo-go" class="button" type="button" on:click=undo>
                "Undo"
            </button>
        </div>
        <Said place="hold" />
        <div class="empty" hidden=move || !cards.read().is_empty()>
            <p class="empty-title">"Nothing here yet"</p>
            <p class="quiet">"An issuer gives you a link, a code or a text: take it above."</p>
        </div>
        <div id="cards" class="held">
            {move || cards.get().into_iter().map(|card| view! { <One card lacking /> }).collect_view()}
        </div>
    }
}

#[component]
fn One(card: Card, lacking: RwSignal<Vec<(TokenHash, Lacking)>>) -> impl IntoView {
    let book = Book::get();
    let id = card.id;
    let remove = move |_| book.run("hold", Command::Remove(id), |_| ());
    let title = kinds::title(&card.kind).to_owned();
    let (label, removed) = (title.clone(), title.clone());
    let until = until(card.until_s);
    let copies = format!(
        "{} of {} not shown to anybody",
        card.fresh,
        counted(card.copies.into(), "copy", "copies")
    );
    let card = StoredValue::new(card);
    let status = move || card.with_value(|card| status(book, card, &lacking.read()));
    view! {
        <section class="card seen" aria-label=label>
            <div class="card-head">
                <h2>{title}</h2>
                <button class="button" type="button" disabled=move || book.desk.busy.get() on:click=remove>
                    "Remove"
                    <span class="visually-hidden">" " {removed}</span>
                </button>
            </div>
            <dl>
                {card.with_value(|card| claims(&card.claims))}
                <Fact what="Issuer" looks="mono wrap">{card.with_value(|card| card.issuer.clone())}</Fact>
                <Fact what="Holds">{until}</Fact>
                <Fact what="Status" looks="held-status">{status}</Fact>
                <Fact what="Copies" looks="num">{copies}</Fact>
            </dl>
        </section>
    }
}

/// Claims, a line each.
pub(super) fn claims(claims: &[Claim]) -> impl IntoView + use<> {
    let line = |claim: &Claim| {
        let (name, value) = (claim.name.clone(), claim.value.clone());
        view! {
            <div>
                <dt>{name}</dt>
                <dd class="wrap">{value}</dd>
            </div>
        }
    };
    claims.iter().map(line).collect_view()
}

/// Until when, in words.
pub(super) fn until(until_s: Option<u64>) -> String {
    match until_s {
        None => "without an end".to_owned(),
        Some(until_s) if until_s <= browser::now_s() => {
            format!("no more: it ended {}", browser::moment(until_s))
        }
        Some(until_s) => format!("until {}", browser::moment(until_s)),
    }
}

/// Whether it was revoked, as far as that is known here and proved.
fn status(book: Book, card: &Card, lacking: &[(TokenHash, Lacking)]) -> String {
    let Some(list) = &card.list else {
        return "Can\u{2019}t be revoked.".to_owned();
    };
    let proved = dids::look_list(&book.desk.ledger.records.read(), &list.issuer, &list.uri);
    let Some(proved) = proved else {
        return "The ledger is being asked.".to_owned();
    };
    let height = proved.height;
    let sight = book.desk.ledger.view.read().sight;
    match sight {
        Sight::Fresh => {}
        Sight::Forked => {
            return "Not known: validators signed two histories of the ledger.".to_owned();
        }
        Sight::Blind | Sight::Stale => {
            return format!("Not known: the newest block here is old (proved at block {height}).");
        }
        Sight::ClockBehind | Sight::ClockAhead => {
            return format!(
                "Not known: this device\u{2019}s clock is off, so how new that is can\u{2019}t be told (proved at block {height})."
            );
        }
    }
    let Some(newest) = proved.newest else {
        return format!(
            "Not known: the issuer has put no status list on the ledger (proved at block {height})."
        );
    };
    if list.token != Some(newest.token) {
        let known = lacking.iter().find(|(one, _)| *one == newest.token);
        let more = match known.map(|(_, lacking)| *lacking) {
            None | Some(Lacking::Coming) => "It is being fetched.",
            Some(Lacking::Came) => "It came, and is looked at.",
            Some(Lacking::Nowhere) => {
                "Nobody who is online gives it: ask the issuer for it, and take it above."
            }
        };
        return format!(
            "Not known: there is a newer status list, version {} (proved at block {height}). {more}",
            newest.number
        );
    }
    let by = format!("version {} of the status list, proved at block {height}", newest.number);
    match card.mark {
        Some(Mark::Valid) => format!("Not revoked: {by}."),
        Some(Mark::Revoked) => format!("Revoked: {by}."),
        Some(Mark::Suspended) => format!("Suspended: {by}."),
        None => format!("Not known: {by} says something that only its issuer understands."),
    }
}
