//! A backup of what was issued, and bringing one in.

use identity::credentials::{Command, Joined, View};
use identity::limits::BOOK_BYTES_MAX;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use crate::browser;
use crate::format::counted;
use crate::picked;

use super::super::desk::Said;
use super::book::Book;

/// What the input is called that is behind the button.
const PICK: &str = "pick-book";

/// The card.
#[component]
pub(super) fn Backup() -> impl IntoView {
    let book = Book::get();
    let desk = book.desk;
    let found = RwSignal::new(None::<(Vec<u8>, Joined)>);
    // What the file is called that the browser was given, until the person has it: no browser tells that it saved it.
    let handed = RwSignal::new(None::<String>);
    let state = move || {
        let view = book.view.read();
        state(view.saved_s, view.unsaved, is_empty(&view))
    };
    let save = move |_| {
        book.run("book-file", Command::Backup, move |reply| {
            // Made at this moment, by the clock on the wall.
            let name = format!("issued {}.starling", browser::moment(browser::now_s()));
            let name = name.replace(':', "-");
            if browser::download(&name, &reply.bytes) {
                handed.set(Some(name));
            } else {
                desk.say("book-file", "This browser can\u{2019}t save files from here.");
            }
        });
    };
    let have = move |_| {
        book.run("book-file", Command::Saved, move |_| {
            handed.set(None);
            desk.tell("book-file", "Good. Keep it where this device can\u{2019}t take it along.");
        });
    };
    let asks = move || {
        let name = handed.get()?;
        Some(format!(
            "Handed to the browser as \u{201c}{name}\u{201d}. Look whether it is there: it counts as a backup once you say that you have it."
        ))
    };
    let chosen = move |event| choose(book, found, &event);
    view! {
        <section class="card" aria-labelledby="book-title">
            <h2 id="book-title">"Backup of what you issued"</h2>
            <p id="book-state" role="status">{state}</p>
            <p class="quiet">
                "A file, sealed: on another device your 24 words and this file bring all of it back. Nobody else can read it."
            </p>
            <input id=PICK class="visually-hidden" type="file" tabindex="-1" aria-hidden="true" on:change=chosen />
            <div class="dialog-actions">
                <button id="book-choose" class="button" type="button" disabled=move || desk.busy.get() on:click=move |_| picked::pick(PICK)>
                    "Bring one in"
                </button>
                <button
                    id="book-save"
                    class="button button--strong"
                    type="button"
                    disabled=move || desk.busy.get() || is_empty(&book.view.read())
                    on:click=save
                >
                    "Save a backup"
                </button>
            </div>
            <div id="book-handed" role="status" hidden=move || { handed.read().is_none() || !book.view.read().handed }>
                <p>{asks}</p>
                <div class="dialog-actions">
                    <button id="book-have" class="button button--strong" type="button" disabled=move || desk.busy.get() on:click=have>
                        "I have the file"
                    </button>
                </div>
            </div>
            <Said place="book-file" />
            <Found found />
        </section>
    }
}

/// Looks at the file that was picked.
fn choose(book: Book, found: RwSignal<Option<(Vec<u8>, Joined)>>, event: &leptos::ev::Event) {
    let desk = book.desk;
    let input = event.target().and_then(|one| one.dyn_into::<HtmlInputElement>().ok());
    let Some(input) = input else { return };
    let file = input.files().and_then(|files| files.get(0));
    // So that the same file can be picked again.
    input.set_value("");
    let Some(file) = file else { return };
    found.set(None);
    spawn_local(async move {
        let read = browser::read(&file, BOOK_BYTES_MAX).await;
        // The person may have left the page.
        if found.try_get_untracked().is_none() {
            return;
        }
        let Some(bytes) = read else {
            desk.say(
                "book-file",
                "That file can\u{2019}t be read, or is too large to be a backup.",
            );
            return;
        };
        let look = Command::Restore { file: bytes.clone(), sure: false };
        book.run("book-file", look, move |reply| {
            found.set(reply.joined.map(|joined| (bytes, joined)));
        });
    });
}

/// What a file brings, before it is brought in.
#[component]
fn Found(
    /// The file, and what is in it.
    found: RwSignal<Option<(Vec<u8>, Joined)>>,
) -> impl IntoView {
    let book = Book::get();
    let desk = book.desk;
    let join = move |_| {
        let Some((file, _)) = found.get_untracked() else { return };
        book.run("book-file", Command::Restore { file, sure: true }, move |_| {
            found.set(None);
            desk.tell(
                "book-file",
                "It is in. If your status list has changed by it, put it on the ledger.",
            );
        });
    };
    let words = move || found.read().as_ref().map(|(_, joined)| brings(joined)).unwrap_or_default();
    let warns = move || found.read().as_ref().map_or(0, |(_, joined)| joined.twice);
    view! {
        <div id="book-found" role="status" hidden=move || found.read().is_none()>
            <p>{words}</p>
            <p class="quiet quiet--warn" hidden=move || warns() == 0>
                "Two browsers gave the same place in your status list: revoking one of those credentials revokes the other."
            </p>
            <div class="dialog-actions">
                <button class="button" type="button" on:click=move |_| found.set(None)>
                    "Leave it"
                </button>
                <button id="book-join" class="button button--strong" type="button" disabled=move || desk.busy.get() on:click=join>
                    "Bring it in"
                </button>
            </div>
        </div>
    }
}

/// Whether there is nothing that a file would keep, whatever is looked for.
fn is_empty(view: &View) -> bool {
    view.issued_count == 0 && view.lists.is_empty()
}

/// Whether all of it is in a backup.
fn state(saved_s: Option<u64>, unsaved: u32, is_empty: bool) -> String {
    let changes = counted(u64::from(unsaved), "change", "changes");
    match (saved_s, unsaved) {
        (None, _) if is_empty => "Nothing to back up yet.".to_owned(),
        (None, _) => {
            "No backup yet: if this browser is lost, nothing that you issued can be revoked."
                .to_owned()
        }
        (Some(at_s), 0) => format!("Last backup {}. Everything is in it.", browser::moment(at_s)),
        (Some(at_s), _) => {
            format!("Last backup {}, and {changes} since: make another.", browser::moment(at_s))
        }
    }
}

/// What a file would bring.
fn brings(joined: &Joined) -> String {
    let count = |count: u32| counted(u64::from(count), "credential", "credentials");
    let Joined { saved_s, added, same, worse, left, .. } = *joined;
    let worse = match worse {
        0 => String::new(),
        worse => format!(", of which {worse} no longer hold by the backup"),
    };
    let left = match left {
        0 => String::new(),
        left => format!(
            " {} of the oldest, which are over, stay in the file: there is no room for them.",
            count(left)
        ),
    };
    format!(
        "A backup of {}, with {} that this browser does not know and {} that it knows{worse}.{left} Nothing here is lost by it: both are put together, and what was revoked in either stays revoked.",
        browser::moment(saved_s),
        count(added),
        count(same)
    )
}
