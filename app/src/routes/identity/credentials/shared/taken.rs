//! What others give me: a grant, or the receipt of one that I gave.

use identity::credentials::{Command, Facts as Proved, GrantAsk, Reading};
use leptos::prelude::*;

use crate::browser;
use crate::components::copy::CopyText;
use crate::components::icon::{Glyph, Icon};

use super::super::super::desk::Said;
use super::super::book::Book;
use super::super::fact::{Fact, signed};
use super::super::hand_on::{HandOn, TakeIn};
use super::called;

/// What a receipt's text begins with: grants begin otherwise.
const RECEIPT: &str = "starling-receipt-1.";

/// A command of grants, before anything is proved.
pub(super) fn ask(ask: GrantAsk) -> Command {
    Command::Grants { ask, facts: Proved::default() }
}

/// Taking it, and what it says.
#[component]
pub(super) fn TakeGrant() -> impl IntoView {
    let book = Book::get();
    let text = RwSignal::new(String::new());
    let reading = RwSignal::new(None::<Reading>);
    let take = Callback::new(move |taken: String| {
        reading.set(None);
        if taken.contains(RECEIPT) {
            book.run("take", ask(GrantAsk::Receive(taken)), move |_| {
                book.desk
                    .tell("take", "Taken: the receipt is theirs, and stands in the history below.");
            });
            return;
        }
        book.run("take", ask(GrantAsk::Read(taken.clone())), move |reply| {
            // Together: what is opened is what is shown.
            text.set(taken);
            reading.set(reply.reading);
        });
    });
    view! {
        <section class="card" aria-labelledby="taken-title">
            <h2 id="taken-title">"Given to you"</h2>
            <TakeIn
                place="take"
                label="A grant, or a receipt of one of yours: a link or a text"
                action="Look at it"
                busy=book.desk.busy
                take
            />
            <MyName />
        </section>
        {move || reading.get().map(|reading| view! { <Seen reading text /> })}
    }
}

/// What others have to know to grant something.
#[component]
fn MyName() -> impl IntoView {
    let desk = Book::get().desk;
    let key = Memo::new(move |_| desk.keys.view.read().did.clone());
    let named = Memo::new(move |_| {
        let name = desk.name().filter(|name| name.stopped_s.is_none())?;
        Some(format!("did:starling:{}", name.head.did))
    });
    let named_text = Signal::derive(move || named.get().unwrap_or_default());
    view! {
        <div id="my-name">
            <p class="quiet">"Your name, for who wants to grant you something:"</p>
            <CopyText label="your name" text=key />
            <div hidden=move || named.read().is_none()>
                <p class="quiet">"Or the one on the ledger, whose keys can change:"</p>
                <CopyText label="your name on the ledger" text=named_text />
            </div>
        </div>
    }
}

/// Who gives what for what, before it is opened; then the way to the files.
#[component]
fn Seen(reading: Reading, text: RwSignal<String>) -> impl IntoView {
    let book = Book::get();
    let opened = RwSignal::new(None::<(String, String)>);
    let what = called(&reading.name, &reading.resource);
    let read = reading.read;
    let open = move |_| {
        let command = ask(GrantAsk::Open { text: text.get_untracked(), read });
        book.run("open", command, move |reply| {
            opened.set(reply.reading.map(|reading| (reading.link, reading.receipt)));
        });
    };
    let is_open = move || opened.read().is_some();
    view! {
        <section id="reading" class="card seen" aria-labelledby="reading-title">
            <h2 id="reading-title" class="wrap">{what}</h2>
            <Facts reading />
            <Said place="open" />
            <div class="dialog-actions" hidden=is_open>
                <button
                    id="open-go"
                    class="button button--strong"
                    type="button"
                    disabled=move || book.desk.busy.get()
                    on:click=open
                >
                    <Icon glyph=Glyph::Key />
                    "Open"
                </button>
            </div>
            {move || opened.get().map(|(link, receipt)| view! { <Opened link receipt /> })}
        </section>
    }
}

/// What the grant says, and what proves it.
#[component]
fn Facts(reading: Reading) -> impl IntoView {
    let Reading { by, proved, resource, purpose, at_s, until_s, .. } = reading;
    let signed = signed(proved, "grant");
    view! {
        <dl>
            <Fact what="From" looks="mono wrap">{by}</Fact>
            <Fact what="Proved">{signed}</Fact>
            <Fact what="What for, they say" looks="wrap">{purpose}</Fact>
            <Fact what="Given" looks="num">{browser::moment(at_s)}</Fact>
            <Fact what="Until" looks="num">{browser::moment(until_s)}</Fact>
            <Fact what="Share" looks="mono wrap">{resource}</Fact>
        </dl>
    }
}

#[component]
fn Opened(link: String, receipt: String) -> impl IntoView {
    let receipt = format!("{}/identity/shared#receipt={receipt}", browser::origin());
    let receipt = Signal::stored(receipt);
    view! {
        <div id="opened" role="status">
            <p>"Opened. The files come from whoever has them, and are checked as ever."</p>
            <div class="dialog-actions">
                <a id="get-files" class="button button--strong" href=format!("/{link}")>
                    <Icon glyph=Glyph::Save />
                    "Get the files"
                </a>
            </div>
            <h3>"A receipt"</h3>
            <p class="quiet">
                "Hand it back if you like, before you go on: it says, signed by you, that you opened this and when. Without it nobody knows."
            </p>
            <div id="receipt">
                <HandOn label="your receipt" text=receipt />
            </div>
        </div>
    }
}
