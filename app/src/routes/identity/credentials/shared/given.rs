//! Who may see what, and who did.

use identity::credentials::{Given, GrantAsk};
use leptos::prelude::*;

use crate::browser;

use super::super::super::desk::Said;
use super::super::book::Book;
use super::super::fact::Fact;
use super::super::hand_on::HandOn;
use super::taken::ask;
use super::{Shelf, called};

/// Said once a grant was revoked and its share stopped.
const STOPPED: &str = "Revoked, and the share is stopped in this browser. To go on with others, share the files again: that makes a new key.";
/// Said where only the first came about.
const NOT_STOPPED: &str =
    "Revoked. The share could not be stopped here, or is gone already: look into the Library.";

/// How a grant stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Revoked,
}

impl State {
    const fn of(given: &Given, now_s: u64) -> Self {
        match given.revoked_s {
            Some(_) => Self::Revoked,
            None if given.until_s <= now_s => Self::Ended,
            None => Self::Open,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::Ended => "Ended",
            Self::Revoked => "Revoked",
        }
    }
}

/// The list.
#[component]
pub(super) fn GivenGrants() -> impl IntoView {
    let book = Book::get();
    let given = Memo::new(move |_| book.view.read().given.clone());
    view! {
        <section class="card" aria-labelledby="given-title">
            <h2 id="given-title">"Who may see what"</h2>
            <p class="quiet">
                "Kept in this browser only, and sealed. Nothing of it is on the ledger."
            </p>
            <p class="quiet" hidden=move || !given.read().is_empty()>
                "Nothing is granted yet."
            </p>
            <Said place="book" />
            <Said place="given" />
        </section>
        <div id="given" class="held">
            {move || given.get().into_iter().map(|given| view! { <One given /> }).collect_view()}
        </div>
    }
}

#[component]
fn One(given: Given) -> impl IntoView {
    let state = State::of(&given, browser::now_s());
    let history = history(&given, state);
    let title = called(&given.name, &given.resource);
    let label = title.clone();
    let (to, purpose, by) = (given.to.clone(), given.purpose.clone(), given.by.clone());
    let until_s = given.until_s;
    view! {
        <section class="card seen given" data-state=state.word() aria-label=label>
            <div class="card-head">
                <h3 class="wrap">{title}</h3>
                <span class="given-state">{state.word()}</span>
            </div>
            <dl>
                <Fact what="For" looks="mono wrap">{to}</Fact>
                <Fact what="What for" looks="wrap">{purpose}</Fact>
                <Fact what="Until" looks="num">{browser::moment(until_s)}</Fact>
                <Fact what="Signed as" looks="mono wrap">{by}</Fact>
                <Fact what="History">
                    <ul class="given-history">
                        {history.into_iter().map(|line| view! { <li class="num">{line}</li> }).collect_view()}
                    </ul>
                </Fact>
            </dl>
            {if state == State::Open {
                view! { <WhileOpen given /> }.into_any()
            } else {
                view! { <WhenOver number=given.number /> }.into_any()
            }}
        </section>
    }
}

/// What can be done with one that holds.
#[component]
fn WhileOpen(given: Given) -> impl IntoView {
    let (book, shelf) = (Book::get(), Shelf::get());
    let (sure, text) = (RwSignal::new(false), RwSignal::new(String::new()));
    let Given { number, resource, .. } = given;
    let stopped = resource.clone();
    let others = move || others(&book.view.read().given, number, &stopped);
    let again = move |_| {
        book.run("given", ask(GrantAsk::Again(number)), move |reply| {
            text.set(format!("{}/identity/shared#grant={}", browser::origin(), reply.text));
        });
    };
    let revoke = move |_| {
        let cid = resource.clone();
        book.run("given", ask(GrantAsk::Revoke(number)), move |_| {
            shelf.halt(cid, move |is_stopped| {
                book.desk.tell("given", if is_stopped { STOPPED } else { NOT_STOPPED });
            });
        });
    };
    let busy = book.desk.busy;
    view! {
        <p class="quiet quiet--warn" hidden=move || !sure.get()>
            "Nobody can take a key back. The share stops in this browser, so nothing more comes from here; who opened it keeps the key and what they fetched, and can hand it on."
            {others}
        </p>
        <div class="dialog-actions">
            <button class="button given-again" type="button" hidden=sure disabled=move || busy.get() on:click=again>
                "Hand it on again"
            </button>
            <button class="button given-revoke" type="button" hidden=sure on:click=move |_| sure.set(true)>
                "Revoke"
            </button>
            <button class="button" type="button" hidden=move || !sure.get() on:click=move |_| sure.set(false)>
                "Leave it"
            </button>
            <button
                class="button button--strong given-revoke-sure"
                type="button"
                hidden=move || !sure.get()
                disabled=move || busy.get()
                on:click=revoke
            >
                "Revoke and stop the share"
            </button>
        </div>
        <div hidden=move || text.read().is_empty()>
            <HandOn label="the grant" text />
        </div>
    }
}

/// What can be done with one that is over.
#[component]
fn WhenOver(number: u32) -> impl IntoView {
    let book = Book::get();
    let forget = move |_| book.run("given", ask(GrantAsk::Forget(number)), |_| ());
    view! {
        <div class="dialog-actions">
            <button class="button given-forget" type="button" disabled=move || book.desk.busy.get() on:click=forget>
                "Forget, with its history"
            </button>
        </div>
    }
}

/// Who else loses the share, in words behind others.
fn others(given: &[Given], number: u32, cid: &str) -> String {
    let now_s = browser::now_s();
    let is_other = |one: &&Given| {
        one.number != number && one.resource == cid && State::of(one, now_s) == State::Open
    };
    match given.iter().filter(is_other).count() {
        0 => String::new(),
        1 => " One other grant of this share is open: it stops for them as well.".to_owned(),
        count => {
            format!(" {count} other grants of this share are open: it stops for them as well.")
        }
    }
}

/// What is known, in words: what is only said, or not known at all, says so.
fn history(given: &Given, state: State) -> Vec<String> {
    let mut lines = vec![format!("Granted {}.", browser::moment(given.at_s))];
    let mut opened = given.receipts.clone();
    opened.sort_unstable();
    if opened.is_empty() {
        lines.push("Not known whether it was opened: no receipt came back.".to_owned());
    }
    for at_s in opened {
        let late = if at_s >= given.until_s { ", after its end" } else { "" };
        lines.push(format!("Opened{late}: their signed receipt says {}.", browser::moment(at_s)));
    }
    if let Some(at_s) = given.revoked_s {
        lines.push(format!("Revoked {}. Who has the key keeps it.", browser::moment(at_s)));
    } else if state == State::Ended {
        lines.push(
            "Ended: pages open it no more. Who opened it before may still have the key.".to_owned(),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_open_until_its_end_unless_it_was_revoked() {
        let text = String::new;
        let mut given = Given {
            number: 1,
            by: text(),
            to: text(),
            resource: text(),
            name: text(),
            purpose: text(),
            at_s: 5,
            until_s: 10,
            revoked_s: None,
            receipts: Vec::new(),
        };
        assert_eq!(State::of(&given, 9), State::Open);
        assert_eq!(State::of(&given, 10), State::Ended);
        given.revoked_s = Some(7);
        assert_eq!(State::of(&given, 10), State::Revoked);
    }
}
