//! The form that sends units: to whom, how much, what it costs, and one last look.

use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use wallet::view::Command;

use crate::browser;
use crate::components::avatar::Avatar;
use crate::format::short_key;
use crate::ledger::Ledger;
use crate::money;

/// Digits of an account's name.
const ACCOUNT_DIGITS: usize = 64;

/// What was typed, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Draft {
    to: String,
    units: u128,
}

/// What the parts of the form share.
#[derive(Debug, Clone, Copy)]
struct Form {
    ledger: Ledger,
    to: NodeRef<Input>,
    how_much: NodeRef<Input>,
    dialog: NodeRef<Dialog>,
    draft: RwSignal<Option<Draft>>,
    problem: RwSignal<Option<String>>,
}

impl Form {
    /// Takes what was typed to the last look.
    fn review(self) {
        let value = |field: NodeRef<Input>| field.get().map(|one| one.value()).unwrap_or_default();
        match understood(&value(self.to), &value(self.how_much), self.ledger) {
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
        if let Some(Draft { to, units }) = self.draft.try_update(Option::take).flatten() {
            self.ledger.command(&Command::Send { to, units });
            // It stays in the history, not in the form.
            if let Some(field) = self.how_much.get_untracked() {
                field.set_value("");
            }
        }
        self.close();
    }
}

/// The form.
#[component]
pub(crate) fn SendForm() -> impl IntoView {
    let form = Form {
        ledger: Ledger::get(),
        to: NodeRef::new(),
        how_much: NodeRef::new(),
        dialog: NodeRef::new(),
        draft: RwSignal::new(None),
        problem: RwSignal::new(None),
    };
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
    let units = browser::query("units").and_then(|text| text.parse().ok());
    let amount = units.map(|units| money::amount(units).replace(',', ""));
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
            on:input=move |_| form.problem.set(None)
        />
        <label for="send-units">"Amount"</label>
        <div class="with-unit">
            <input
                id="send-units"
                class="text-field num"
                node_ref=form.how_much
                value=amount
                inputmode="decimal"
                autocomplete="off"
                placeholder="0.00"
                aria-describedby="send-problem"
                on:input=move |_| form.problem.set(None)
            />
            <span>{money::SYMBOL}</span>
        </div>
    }
}

#[component]
fn Foot(form: Form) -> impl IntoView {
    let ledger = form.ledger;
    let fee = Memo::new(move |_| ledger.view.read().fee);
    let refused = Memo::new(move |_| ledger.view.read().refused.clone());
    let words = move || {
        let refusal = || refusal(&refused.read()).map(str::to_owned);
        form.problem.get().or_else(refusal).unwrap_or_default()
    };
    let price = move || match fee.get() {
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
    let fee = move || form.ledger.view.read().fee.unwrap_or_default();
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
fn understood(to: &str, amount: &str, ledger: Ledger) -> Result<Draft, String> {
    let to = account(to).ok_or(
        "That is no account: expected 64 digits and letters a to f, or a link to a wallet.",
    )?;
    let units = money::units(amount)
        .filter(|units| *units > 0)
        .ok_or("That is no amount: expected digits, at most six after the point.")?;
    let view = ledger.view.read_untracked();
    if to == view.account {
        return Err("That is this account itself.".to_owned());
    }
    let held = view.balance.map_or(0, |proved| proved.units).saturating_sub(view.outgoing);
    let fee = view.fee.unwrap_or_default();
    if units.saturating_add(fee) > held {
        return Err(format!(
            "That is more than there is: {} can be sent after the fee.",
            money::named(held.saturating_sub(fee))
        ));
    }
    Ok(Draft { to, units })
}

/// The account in what a person typed or pasted: its name, or a link that carries it.
fn account(typed: &str) -> Option<String> {
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
            "Nothing is sent while the newest block is not known. Try again in a moment."
        }
        "itself" => "That is this account itself.",
        "account" => "That is no account.",
        "nothing" => "Nothing is not an amount.",
        "readers" => {
            "One of those that read is no key to seal for. Ask for a did:key of Ed25519, at most sixteen."
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
}
