//! Signing a text, and checking one: by the key that a name had when it was signed.

use identity::did::{Did, starling::Content};
use identity::session::Command;
use identity::statement::Statement;
use js_sys::{Array, Reflect};
use leptos::html::Textarea;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wallet::dids::{self, Found, Name};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::browser;
use crate::components::copy::CopyText;

use super::desk::{Desk, Said, written};
use super::outside;

/// Most transactions of a block that are looked through.
const TRANSACTIONS_MAX: u32 = 20_000;

/// The card.
#[component]
pub(super) fn Statements() -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="statement-title">
            <h2 id="statement-title">"Sign and check"</h2>
            <Sign />
            <Check />
        </section>
    }
}

#[component]
fn Sign() -> impl IntoView {
    let desk = Desk::get();
    let field = NodeRef::<Textarea>::new();
    let signed = RwSignal::new(String::new());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let command = Command::Sign { text: written(field), head: desk.head() };
        desk.run("sign", command, move |answer| {
            let text = answer.texts.first().map(|text| text.as_str().to_owned());
            signed.set(text.unwrap_or_default());
        });
    };
    view! {
        <form class="send" on:submit=submit novalidate>
            <label for="sign-text">"A text of yours"</label>
            <textarea id="sign-text" class="text-field" node_ref=field rows="2" aria-describedby="said-sign"></textarea>
            <Said place="sign" />
            <div class="dialog-actions">
                <button id="sign-go" class="button" type="submit" disabled=move || desk.busy.get()>
                    "Sign"
                </button>
            </div>
        </form>
        <div id="signed" hidden=move || signed.read().is_empty()>
            <CopyText label="the signed text" text=signed />
        </div>
    }
}

#[component]
fn Check() -> impl IntoView {
    let desk = Desk::get();
    let field = NodeRef::<Textarea>::new();
    let checked = RwSignal::new(String::new());
    let told = RwSignal::new(String::new());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let text: String = written(field).split_whitespace().collect();
        // A name that is not mine is looked up; the check goes on when it is proved.
        if let Ok(read) = Statement::parse(&text)
            && let Ok(Did::Starling(id)) = read.did().parse()
            && desk.did.get_untracked() != Some(id)
        {
            desk.other.set(Some(id));
        }
        checked.set(text);
    };
    let found = Memo::new(move |_| {
        let text = checked.read();
        match Statement::parse(&text).ok()?.did().parse() {
            Ok(Did::Starling(id)) => Some(desk.look(id)),
            _ => None,
        }
    });
    Effect::new(move |_| {
        let (text, found) = (checked.get(), found.get());
        if text.is_empty() {
            return;
        }
        spawn_local(async move {
            let words = verdict(&text, found).await;
            told.try_set(words);
        });
    });
    view! {
        <form class="send" on:submit=submit novalidate>
            <label for="check-text">"A text that somebody signed"</label>
            <textarea
                id="check-text"
                class="text-field mono"
                node_ref=field
                rows="3"
                autocomplete="off"
                spellcheck="false"
                aria-describedby="checked"
            ></textarea>
            <div class="dialog-actions">
                <button id="check-go" class="button" type="submit">
                    "Check"
                </button>
            </div>
        </form>
        <p id="checked" class="wrap" role="status">{told}</p>
    }
}

/// What is to be thought of a signed text.
async fn verdict(text: &str, found: Option<Found>) -> String {
    let Ok(read) = Statement::parse(text) else {
        return "Not a signed text. Paste all of it.".to_owned();
    };
    let said = format!("\u{201c}{}\u{201d}", read.text);
    let (key, by) = match (read.own_key(), found) {
        (Some(key), _) => (Some(key), "by the key that is its own name".to_owned()),
        (None, Some(Found::Here(name))) => {
            let Some((seq, version)) = name.version_at(read.at_s) else {
                return missing(&name).to_owned();
            };
            let by = format!(
                "by the key of version {seq} (block {}), which held then: proved at block {}",
                version.height, name.height
            );
            (key_then(&name, version, read.key_name()).await, by)
        }
        (None, Some(Found::Unproved)) => return "The ledger is being asked.".to_owned(),
        (None, Some(Found::Absent { height })) => {
            return format!("Refused: there is no such name, proved at block {height}.");
        }
        (None, None) => return outside::verdict(&read).await,
    };
    match key {
        None => "Refused: that key was not the name\u{2019}s when it says it signed.".to_owned(),
        Some(key) if read.verify(&key).is_err() => {
            "Refused: the signature is not the key\u{2019}s over this text.".to_owned()
        }
        Some(_) => format!("Good: {said}, signed {by}. {}", read.did()),
    }
}

fn missing(name: &Name) -> &'static str {
    let whole = (0..=name.head.seq).all(|seq| name.versions.contains_key(&seq));
    if whole {
        "Refused: there was no such name when it says it signed."
    } else {
        "The name\u{2019}s history is being proved."
    }
}

/// The key of that name in what the DID said then. The words come from blocks that the page's own server hands
/// over; their hash is proved.
async fn key_then(
    name: &Name,
    version: &dids::Version,
    key_name: &str,
) -> Option<identity::PublicKey> {
    dids::key_named(&said_then(name, version).await?, key_name)
}

/// What the DID said then; none: the page's own server does not hand it over.
pub(super) async fn said_then(name: &Name, version: &dids::Version) -> Option<Content> {
    // A version that changed no words has those of an earlier one.
    let first = name.versions.values().find(|one| one.content == version.content)?;
    let transactions = transactions(first.height).await?;
    dids::content(&transactions, version.content)
}

/// A block's transactions.
async fn transactions(height: u64) -> Option<Vec<Vec<u8>>> {
    let url = format!("{}/ledger/blocks/{height}", browser::origin());
    let answer = JsFuture::from(window().fetch_with_str(&url)).await.ok()?;
    let answer: web_sys::Response = answer.dyn_into().ok()?;
    let value = JsFuture::from(answer.json().ok()?).await.ok()?;
    let list = Reflect::get(&value, &"transactions".into()).ok()?.dyn_into::<Array>().ok()?;
    if list.length() > TRANSACTIONS_MAX {
        return None;
    }
    list.iter().map(|one: JsValue| bytes(&one.as_string()?)).collect()
}

/// Bytes of hexadecimal digits.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect()
}
