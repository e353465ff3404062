//! The form that sends units: to whom, how much of what, what it costs, and one last look.

use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use wallet::assets::Wish;
use wallet::view::{Command, Keys, NOTE_BYTES_MAX};

use crate::assets::Assets;
use crate::browser;
use crate::components::asset_choice::AssetChoice;
use crate::components::avatar::Avatar;
use crate::components::scan::ScanCode;
use crate::format::short_key;
use crate::ledger::Ledger;
use crate::money;

/// Digits of an account's name.
const ACCOUNT_DIGITS: usize = 64;
/// What is said of what is no account.
pub(crate) const NO_ACCOUNT: &str =
    "That is no account: expected 64 digits and letters a to f, or a link to a wallet.";

/// What was typed, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Draft {
    to: String,
    units: u128,
    /// What it is for; empty: nothing is said.
    note: String,
}

/// What the parts of the form share.
#[derive(Debug, Clone, Copy)]
struct Form {
    ledger: Ledger,
    desk: Assets,
    to: NodeRef<Input>,
    how_much: NodeRef<Input>,
    /// What it is for, as it is typed.
    note: RwSignal<String>,
    dialog: NodeRef<Dialog>,
    draft: RwSignal<Option<Draft>>,
    problem: RwSignal<Option<String>>,
    /// Units that a link asks for: an asset's decimals are proved before they can be shown.
    asked: RwSignal<Option<u128>>,
    /// They are in the form.
    is_filled: StoredValue<bool>,
}

impl Form {
    /// Takes what was typed to the last look.
    fn review(self) {
        let value = |field: NodeRef<Input>| field.get().map(|one| one.value()).unwrap_or_default();
        let (to, amount) = (value(self.to), value(self.how_much));
        if self.desk.sends.get_untracked() != 0 {
            // Its own last look says what the ledger would make of it.
            match untrack(|| wished(&to, &amount, self.desk)) {
                Ok(wish) => {
                    self.problem.set(None);
                    self.desk.begin(wish, Callback::new(move |()| self.empty()));
                }
                Err(why) => self.problem.set(Some(why)),
            }
            return;
        }
        let note = self.note.get_untracked();
        match understood(&to, &amount, &note, self.ledger) {
            Ok(understood) => {
                self.problem.set(None);
                self.draft.set(Some(understood));
                if let Some(dialog) = self.dialog.get() {
                    // Refused only if it is open already.
                    drop(dialog.show_modal());
                }
            }
            Err(why) => self.problem.set(Some(why)),
        }
    }

    fn close(self) {
        if let Some(dialog) = self.dialog.get_untracked() {
            dialog.close();
        }
    }

    fn sign(self) {
        // Taken out: pressed twice before it was closed, it is sent once.
        if let Some(Draft { to, units, note }) = self.draft.try_update(Option::take).flatten() {
            let command = if note.is_empty() {
                Command::Send { to, units, asset: 0 }
            } else {
                Command::SendNoted { to, units, note }
            };
            self.ledger.command(&command);
            self.empty();
        }
        self.close();
    }

    /// What was sent stays in the history, not in the form.
    fn empty(self) {
        if let Some(field) = self.how_much.get_untracked() {
            field.set_value("");
        }
        self.note.set(String::new());
    }

    /// What a transfer as it is typed costs.
    fn fee(self) -> Option<u128> {
        let view = self.ledger.view.read();
        if self.note.read().trim().is_empty() { view.fee } else { view.note_fee }
    }

    /// Takes what a link or a code asks for; what it does not say stays.
    fn take(self, text: &str) {
        let asked = Asked::read(text);
        let ours = self.ledger.view.read_untracked().root.clone();
        if asked.root.as_ref().is_some_and(|root| *root != ours) {
            return self.problem.set(Some("That asks for something on another ledger.".to_owned()));
        }
        match asked.asset {
            Which::Number(asset) => self.desk.sends.set(asset),
            Which::Unreadable => {
                return self.problem.set(Some("That asks for no asset that can be.".to_owned()));
            }
            Which::Unsaid => {}
        }
        if let Some(field) = self.to.get_untracked() {
            field.set_value(&asked.to.unwrap_or_else(|| text.to_owned()));
        }
        if let Some(note) = asked.note.as_deref().and_then(browser::decoded) {
            self.note.set(note);
        }
        self.problem.set(None);
        self.is_filled.set_value(false);
        self.asked.set(asked.units);
    }
}

/// The form.
#[component]
pub(crate) fn SendForm() -> impl IntoView {
    let form = Form {
        ledger: Ledger::get(),
        desk: Assets::get(),
        to: NodeRef::new(),
        how_much: NodeRef::new(),
        note: RwSignal::new(browser::query("memo").unwrap_or_default()),
        dialog: NodeRef::new(),
        draft: RwSignal::new(None),
        problem: RwSignal::new(None),
        asked: RwSignal::new(browser::query("units").and_then(|text| text.parse().ok())),
        is_filled: StoredValue::new(false),
    };
    Effect::new(move |_| {
        let asset = form.desk.asset(form.desk.sends.get());
        let (Some(units), Some(field)) = (form.asked.get(), form.how_much.get()) else { return };
        if let Some(asset) = asset.filter(|_| !form.is_filled.get_value()) {
            form.is_filled.set_value(true);
            field.set_value(&money::exact(units, asset.decimals));
        }
    });
    let review = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.review();
    };
    view! {
        <section class="card" aria-labelledby="send-title">
            <h2 id="send-title">"Send"</h2>
            <form class="send" on:submit=review novalidate>
                <Fields form />
                <Foot form />
            </form>
            <LastLook form />
        </section>
    }
}

#[component]
fn Fields(form: Form) -> impl IntoView {
    let asked = browser::query("to").unwrap_or_default();
    let desk = form.desk;
    let offered = Signal::derive(move || {
        let all = desk.all.read();
        let held = all.iter().flat_map(|all| &all.held).map(|one| one.asset.id);
        [0].into_iter().chain(held).collect::<Vec<u32>>()
    });
    let symbol = move || match desk.asset(desk.sends.get()) {
        Some(asset) => money::symbol(&asset),
        None => "\u{2026}".to_owned(),
    };
    let scanned = move |text: String| form.take(&text);
    view! {
        <label for="send-to">"To"</label>
        <input
            id="send-to"
            class="text-field mono"
            node_ref=form.to
            value=asked
            autocomplete="off"
            autocapitalize="off"
            spellcheck="false"
            placeholder="An account, or a link to one"
            aria-describedby="send-problem"
            on:input=move |event| {
                form.problem.set(None);
                // A link says more than an account.
                let text = event_target_value(&event);
                if text.contains("to=") && account(&text).is_some() {
                    form.take(&text);
                }
            }
        />
        <ScanCode take=scanned />
        <Show when=move || { offered.read().len() > 1 || desk.sends.get() != 0 }>
            <AssetChoice id="send-asset" label="What" offered chosen=desk.sends />
        </Show>
        <label for="send-units">"Amount"</label>
        <div class="with-unit">
            <input
                id="send-units"
                class="text-field num"
                node_ref=form.how_much
                inputmode="decimal"
                autocomplete="off"
                placeholder="0.00"
                aria-describedby="send-problem"
                on:input=move |_| {
                    form.problem.set(None);
                    // What a link asked for does not overwrite it any more.
                    form.is_filled.set_value(true);
                }
            />
            <span id="send-symbol">{symbol}</span>
        </div>
        // Of other assets than the ledger's own nothing is said.
        <Show when=move || desk.sends.get() == 0>
            <Note note=form.note />
        </Show>
    }
}

#[component]
fn Note(note: RwSignal<String>) -> impl IntoView {
    view! {
        <label for="send-note">"Note, if you want one"</label>
        <input
            id="send-note"
            class="text-field"
            prop:value=note
            autocomplete="off"
            placeholder="What it is for"
            aria-describedby="send-note-help"
            on:input=move |event| note.set(event_target_value(&event))
        />
        <p id="send-note-help" class="quiet" hidden=move || note.read().trim().is_empty()>
            "It stays in this browser. Its hash goes on the ledger: whoever you tell the note can check that it is this one."
        </p>
    }
}

#[component]
fn Foot(form: Form) -> impl IntoView {
    let ledger = form.ledger;
    let fee = Memo::new(move |_| form.fee());
    let refused = Memo::new(move |_| ledger.view.read().refused.clone());
    let words = move || {
        let refusal = || refusal(&refused.read()).map(str::to_owned);
        form.problem.get().or_else(refusal).unwrap_or_default()
    };
    let other = move || form.desk.sends.get() != 0;
    let price = move || match fee.get() {
        Some(_) if other() => {
            format!("The fee is paid in {}, and shown before you sign", money::SYMBOL)
        }
        Some(fee) => format!("Fee {}, paid even if it is refused", money::named(fee)),
        None => "The fee is shown once the ledger\u{2019}s prices are proved".to_owned(),
    };
    view! {
        <div class="send-foot">
            <p class="quiet num">{price}</p>
            <button class="button button--strong" type="submit" disabled=move || fee.get().is_none()>
                "Review"
            </button>
        </div>
        <p id="send-problem" class="quiet quiet--warn" role="alert">
            {words}
        </p>
    }
}

#[component]
fn LastLook(form: Form) -> impl IntoView {
    let fee = move || form.fee().unwrap_or_default();
    view! {
        <dialog class="dialog dialog--small" node_ref=form.dialog aria-labelledby="review-title">
            <div class="dialog-head">
                <h2 id="review-title">"Sign and send?"</h2>
            </div>
            {move || form.draft.get().map(|draft| view! { <Review draft fee=fee() /> })}
            <div class="dialog-actions">
                <button class="button" type="button" on:click=move |_| form.close()>
                    "Back"
                </button>
                <button id="send-sign" class="button button--strong" type="button" on:click=move |_| form.sign()>
                    "Sign and send"
                </button>
            </div>
        </dialog>
    }
}

#[component]
fn Review(draft: Draft, fee: u128) -> impl IntoView {
    let total = draft.units.saturating_add(fee);
    view! {
        <dl class="bill num">
            <div>
                <dt>"To"</dt>
                <dd class="who">
                    <Avatar key=draft.to.clone() />
                    <span class="mono">{short_key(&draft.to)}</span>
                </dd>
            </div>
            <div>
                <dt>"Amount"</dt>
                <dd>{money::named(draft.units)}</dd>
            </div>
            {(!draft.note.is_empty())
                .then(|| {
                    view! {
                        <div>
                            <dt>"Note"</dt>
                            <dd class="wrap">{draft.note.clone()}</dd>
                        </div>
                    }
                })}
            <div>
                <dt>"Fee"</dt>
                <dd>{money::named(fee)}</dd>
            </div>
            <div class="bill-total">
                <dt>"Total"</dt>
                <dd>{money::named(total)}</dd>
            </div>
        </dl>
        <p class="quiet mono wrap">{draft.to}</p>
        <p class="quiet">"It can't be taken back."</p>
    }
}

/// What was typed, or what is wrong with it.
fn understood(to: &str, amount: &str, note: &str, ledger: Ledger) -> Result<Draft, String> {
    let note = note.trim().to_owned();
    if note.len() > NOTE_BYTES_MAX {
        return Err(format!(
            "That note is too long: it has {} bytes, the most are {NOTE_BYTES_MAX}.",
            note.len()
        ));
    }
    if let Some(keys) = ledger.view.read_untracked().keys {
        return Err(several(keys));
    }
    let to = account(to).ok_or(NO_ACCOUNT)?;
    let units = money::units(amount)
        .filter(|units| *units > 0)
        .ok_or("That is no amount: expected digits, at most six after the point.")?;
    let view = ledger.view.read_untracked();
    if to == view.account {
        return Err("That is this account itself.".to_owned());
    }
    let held = view.balance.map_or(0, |proved| proved.units).saturating_sub(view.outgoing);
    let fee = if note.is_empty() { view.fee } else { view.note_fee };
    let fee = fee.unwrap_or_default();
    if units.saturating_add(fee) > held {
        return Err(format!(
            "That is more than there is: {} can be sent after the fee.",
            money::named(held.saturating_sub(fee))
        ));
    }
    Ok(Draft { to, units, note })
}

/// That this page can't sign alone for an account.
pub(crate) fn several(keys: Keys) -> String {
    let Keys { needed, count, has_ours } = keys;
    let ours = if has_ours { "this browser has one of them" } else { "none is in this browser" };
    match (needed, count) {
        (1, 1) => "Another key signs for this account, and it is not in this browser.".to_owned(),
        (needed, count) => {
            format!("It takes {needed} of {count} keys to sign for this account, and {ours}.")
        }
    }
}

/// What was typed of another asset than the ledger's own, or what is wrong with it.
fn wished(to: &str, amount: &str, desk: Assets) -> Result<Wish, String> {
    let to = account(to).ok_or(NO_ACCOUNT)?;
    let number = desk.sends.get();
    let held = desk.holding(number).ok_or("What you have of it is not proved yet.")?;
    let decimals = held.asset.decimals;
    let amount = money::read(amount, decimals).filter(|units| *units > 0).ok_or_else(|| {
        format!("That is no amount: expected digits, at most {decimals} after the point.")
    })?;
    if to == desk.ledger.view.read().account {
        return Err("That is this account itself.".to_owned());
    }
    if amount > held.units {
        let there = money::units_of(held.units, &held.asset);
        return Err(format!("That is more than there is: you hold {there}."));
    }
    Ok(Wish::Send { asset: number, to, amount })
}

/// What a link or a code asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    to: Option<String>,
    asset: Which,
    units: Option<u128>,
    /// What it is for, as it stands in the link.
    note: Option<String>,
    /// The ledger's trust root.
    root: Option<String>,
}

/// Which asset a link asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Which {
    /// An account alone says nothing of it.
    #[default]
    Unsaid,
    Number(u32),
    Unreadable,
}

impl Asked {
    fn read(text: &str) -> Self {
        let query = text.split_once('?').map_or("", |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        let value = |name: &str| {
            query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        let asset = match value("asset") {
            Some(text) => text.parse().map_or(Which::Unreadable, Which::Number),
            // A link without one asks for the ledger's own.
            None if value("to").is_some() => Which::Number(0),
            None => Which::Unsaid,
        };
        Self {
            to: account(text),
            asset,
            root: value("root").map(str::to_owned),
            units: value("units").and_then(|text| text.parse().ok()),
            note: value("memo").map(str::to_owned),
        }
    }
}

/// The account in what a person typed or pasted: its name, or a link that carries it.
pub(crate) fn account(typed: &str) -> Option<String> {
    let typed = typed.trim();
    let named = match typed.split_once("to=") {
        Some((_, rest)) => rest.split(['&', '#']).next().unwrap_or(rest),
        None => typed,
    };
    let name = named.to_ascii_lowercase();
    let shaped = name.len() == ACCOUNT_DIGITS && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    shaped.then_some(name)
}

/// Why the wallet refused, in words.
pub(crate) fn refusal(code: &str) -> Option<&'static str> {
    Some(match code {
        "" => return None,
        "too-much" => "The account does not hold that much with the fee.",
        "not-fresh" => {
            "Nothing is sent while the newest block is not known, or this device\u{2019}s clock is off. Try again in a moment."
        }
        "keys" => "One key is not enough to sign for this account, or it is another one.",
        "note" => "That note is too long.",
        "itself" => "That is this account itself.",
        "account" => "That is no account.",
        "nothing" => "Nothing is not an amount.",
        "readers" => {
            "One of those that read is no key to seal for. Ask for a did:key of Ed25519, at most sixteen."
        }
        "contradicts" => {
            "Something else was signed of one of these slots meanwhile. Look at it again: it can be corrected once that is proved."
        }
        "open" => "Something is on its way to the ledger. Try again when it is done.",
        _ => return None,
    })
}

/// Why the wallet did not sign what a page asked it to.
pub(crate) fn unsigned(code: &str) -> Option<&'static str> {
    match code {
        // A server's address that was refused is told where it was typed.
        "" | "server" => None,
        code => Some(refusal(code).unwrap_or("The wallet did not take it.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_taken_by_name_or_by_link() {
        let name = "ab".repeat(32);
        assert_eq!(account(&name.to_uppercase()), Some(name.clone()));
        let link = format!("https://h/wallet?root=x&to={name}&units=5");
        assert_eq!(account(&link), Some(name));
        assert_eq!(account("abc"), None);
        assert_eq!(account("https://h/wallet?to=abc"), None);
    }

    #[test]
    fn an_account_of_several_keys_is_told_as_such() {
        let told = several(Keys { needed: 2, count: 3, has_ours: true });
        assert_eq!(
            told,
            "It takes 2 of 3 keys to sign for this account, and this browser has one of them."
        );
        let told = several(Keys { needed: 1, count: 1, has_ours: false });
        assert!(told.starts_with("Another key signs"), "{told}");
    }

    #[test]
    fn a_link_asks_for_units_of_an_asset() {
        let name = "ab".repeat(32);
        let read = |text: &str| Asked::read(text);
        let link = format!("https://h/wallet?to={name}&root=x&asset=3&units=5");
        let root = Some("x".to_owned());
        let to = Some(name.clone());
        let three = Asked {
            to: to.clone(),
            asset: Which::Number(3),
            units: Some(5),
            root,
            ..Asked::default()
        };
        assert_eq!(read(&link), three);
        let noted = read(&format!("{link}&memo=June%20rent"));
        assert_eq!(noted.note.as_deref(), Some("June%20rent"));
        assert_eq!(
            read(&name),
            Asked { to: to.clone(), ..Asked::default() },
            "it says nothing of it"
        );
        let own = Asked { to, asset: Which::Number(0), ..Asked::default() };
        assert_eq!(read(&format!("https://h/wallet?to={name}#asset=3")), own);
        let none = Asked { asset: Which::Unreadable, ..Asked::default() };
        assert_eq!(read("https://h/wallet?asset=x&units=-1"), none);
    }
}
