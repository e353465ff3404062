//! Status lists as blocks: given by whoever issues, fetched by whoever holds or verifies.
//!
//! A ledger names the newest list of an issuer by its hash, and that hash is the name of a public block. So the list
//! can come from anybody: of this page's own server first, then of neighbours and the gateway that the person chose.
//! Everybody fetches the whole list, so whoever gives it learns that somebody looks at this issuer's credentials, and
//! not at whose.

use core::time::Duration;

use gloo_timers::future::sleep;
use identity::credentials::{Command, Facts, Newest};
use identity::limits::{LIST_BYTES_MAX, LISTS_MAX};
use identity::status::{TokenHash, token_cid, token_hash};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wallet::dids;
use wallet::view::Sight;

use crate::browser;
use crate::sharing::Sharing;

use super::book::Book;

/// Longest wait for this page's server, in milliseconds: it may have to ask peers itself.
const SERVER_MS: u32 = 8_000;
/// The same where this page gives the list, and the server is to keep it.
const KEEP_MS: u32 = 25_000;
/// How long after an answer without it the server is asked again, and how often in all: it may not have met this page
/// yet.
const KEEP_TRIES: (Duration, u32) = (Duration::from_secs(2), 3);
/// Lists of one's own of which is noted who gives them, the newest.
const NOTED_MAX: usize = 16;
/// Letters of an issuer's name that its list is called by.
const NAME_CHARS: usize = 12;

/// The signed list that hashes to this; none: nobody gives it now.
pub(super) async fn fetch(sharing: Sharing, token: TokenHash) -> Option<String> {
    let cid = token_cid(&token);
    if let Some(text) = from_server(&cid, SERVER_MS).await.and_then(|bytes| checked(bytes, token)) {
        return Some(text);
    }
    let bytes = sharing.blocks().await?.block(cid).await?;
    checked(bytes, token)
}

/// A text of this hash.
fn checked(bytes: Vec<u8>, token: TokenHash) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    (text.len() <= LIST_BYTES_MAX && token_hash(&text) == token).then_some(text)
}

/// What the gateway of this page's server has under a name, if there is one.
async fn from_server(cid: &str, ms_max: u32) -> Option<Vec<u8>> {
    browser::fetched(&format!("/ipfs/{cid}?format=raw"), LIST_BYTES_MAX, ms_max).await
}

/// Who gives a list of one's own to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    /// This page will, in a moment.
    Making,
    /// This page does, while it is open.
    Here,
    /// The server of this page keeps it.
    Kept,
    /// It can't be given, and why.
    Failed(String),
}

/// Notes who gives a list.
fn note(book: Book, token: TokenHash, now: Given) {
    book.given.try_update(|all| {
        all.retain(|(one, _)| *one != token);
        all.push((token, now));
        let over = all.len().saturating_sub(NOTED_MAX);
        all.drain(..over);
    });
}

/// Gives a list (its issuer, and which of that one's lists it is) from this page, and has the server keep it if that fetches for others.
pub(super) async fn give(book: Book, (issuer, at): (String, u32), text: String) {
    let token = token_hash(&text);
    note(book, token, Given::Making);
    let Some(blocks) = book.sharing.blocks().await else {
        let why =
            "This browser can\u{2019}t give it to others: it reaches none. Hand it on yourself.";
        note(book, token, Given::Failed(why.to_owned()));
        return;
    };
    match blocks.give(name_of(&issuer, at), text.into_bytes()).await {
        Ok(_) => {
            book.sharing.touch();
            look(book, token).await;
        }
        Err(said) => {
            let why =
                format!("It can\u{2019}t be given to others. {} {}", said.headline, said.detail);
            note(book, token, Given::Failed(why));
        }
    }
}

/// Looks whether this page gives a list, and then whether its server keeps it: one that fetches for others fetches it
/// from here by being asked.
pub(super) async fn look(book: Book, token: TokenHash) {
    let cid = token_cid(&token);
    if !book.sharing.blocks_now().is_some_and(|blocks| blocks.is_given(&cid)) {
        return;
    }
    note(book, token, Given::Here);
    let (every, times) = KEEP_TRIES;
    for _ in 0..times {
        let found = from_server(&cid, KEEP_MS).await;
        if found.is_some_and(|bytes| checked(bytes, token).is_some()) {
            note(book, token, Given::Kept);
            return;
        }
        sleep(every).await;
    }
}

/// What a list is called as a file.
fn name_of(issuer: &str, at: u32) -> String {
    let letters: Vec<char> = issuer.chars().filter(char::is_ascii_alphanumeric).collect();
    let from = letters.len().saturating_sub(NAME_CHARS);
    let tail: String = letters.into_iter().skip(from).collect();
    match at {
        0 => format!("status-list-{tail}.jwt"),
        at => format!("status-list-{tail}-{}.jwt", at.saturating_add(1)),
    }
}

/// A list that the ledger names, and that is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacking {
    /// It is being fetched.
    Coming,
    /// It came, and is looked at. If it is refused, that is said below.
    Came,
    /// Nobody gives it now.
    Nowhere,
}

/// Keeps the lists of what is held up to date while the page is open: each that the ledger names is fetched once.
/// What is known of those that are not here, by their hashes.
pub(super) fn keep_up(book: Book) -> RwSignal<Vec<(TokenHash, Lacking)>> {
    let lacking = RwSignal::new(Vec::<(TokenHash, Lacking)>::new());
    let came = RwSignal::new(Vec::<String>::new());
    let note = move |token: TokenHash, now: Lacking| {
        lacking.try_update(|all| {
            all.retain(|(one, _)| *one != token);
            all.push((token, now));
            let over = all.len().saturating_sub(LISTS_MAX);
            all.drain(..over);
        });
    };
    let wanted = Memo::new(move |_| {
        if book.desk.ledger.view.read().sight != Sight::Fresh {
            return None;
        }
        let records = book.desk.ledger.records.read();
        let view = book.view.read();
        let lists = view.cards.iter().filter_map(|card| card.list.as_ref());
        let newest = |list: &identity::credentials::List| {
            let Newest { token, .. } = dids::look_list(&records, &list.issuer, &list.uri)?.newest?;
            (list.token != Some(token)).then_some(token)
        };
        let known = lacking.read();
        let is_new = |token: &TokenHash| !known.iter().any(|(one, _)| one == token);
        lists.filter_map(newest).find(is_new)
    });
    Effect::new(move |_| {
        let Some(token) = wanted.get() else { return };
        note(token, Lacking::Coming);
        spawn_local(async move {
            match fetch(book.sharing, token).await {
                Some(text) => {
                    note(token, Lacking::Came);
                    came.try_update(|all| all.push(text));
                }
                None => note(token, Lacking::Nowhere),
            }
        });
    });
    // One at a time, and none while the person does something else.
    Effect::new(move |_| {
        if book.desk.busy.get() || came.read().is_empty() {
            return;
        }
        let Some(text) = came.try_update(Vec::pop).flatten() else { return };
        book.run("hold", Command::Take { text, facts: Facts::default() }, |_| ());
    });
    lacking
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_called_by_the_end_of_its_issuers_name() {
        let name = "did:starling:abcdefghijklmnop";
        assert_eq!(name_of(name, 0), "status-list-efghijklmnop.jwt");
        assert_eq!(name_of(name, 1), "status-list-efghijklmnop-2.jwt");
        assert_eq!(name_of("a:b", 0), "status-list-ab.jwt");
    }

    #[test]
    fn only_what_hashes_to_the_name_is_taken() {
        let token = token_hash("a list");
        assert_eq!(checked(b"a list".to_vec(), token).as_deref(), Some("a list"));
        assert_eq!(checked(b"another".to_vec(), token), None);
        assert_eq!(checked(vec![0xff], token), None);
        let long = "a".repeat(LIST_BYTES_MAX + 1);
        assert_eq!(checked(long.clone().into_bytes(), token_hash(&long)), None);
    }
}
