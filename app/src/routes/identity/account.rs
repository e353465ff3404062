//! The wallet's account: whether its key follows from the words, and the way there.

use identity::session::Command;
use leptos::prelude::*;
use wallet::dids;
use wallet::view::Command as Order;

use crate::browser;
use crate::format::uptime;
use crate::money;

use super::desk::{Desk, Said};
use super::sure::Sure;

/// The card of the account.
#[component]
pub(super) fn Account() -> impl IntoView {
    let desk = Desk::get();
    let recoverable = Memo::new(move |_| desk.ledger.view.read().recoverable);
    let open = move || *desk.ledger.stage.read() == crate::ledger::Stage::Open;
    view! {
        <section class="card" aria-labelledby="account-title">
            <h2 id="account-title">"Your account"</h2>
            <Show when=open fallback=|| view! { <p class="quiet">"The wallet is not open."</p> }>
                <Show when=move || recoverable.get() fallback=|| view! { <OfDevice /> }>
                    <OfIdentity />
                </Show>
            </Show>
            <Said place="account" />
        </section>
    }
}

/// The account in use was made in this browser.
#[component]
fn OfDevice() -> impl IntoView {
    let desk = Desk::get();
    let view = desk.ledger.view;
    let spare = move || {
        let view = view.read();
        let held = view.balance.map_or(0, |proved| proved.units).saturating_sub(view.outgoing);
        held.saturating_sub(view.fee.unwrap_or_default())
    };
    let moving = move || view.read().outgoing > 0;
    let use_it = move || {
        if let Some(chain) = desk.chain.get_untracked() {
            desk.keys.lend_account(desk.ledger, &chain);
            desk.expect_refusal("account");
        }
    };
    let send = move |_| {
        let Some(chain) = desk.chain.get_untracked() else { return };
        desk.run("account", Command::Account(chain), move |answer| {
            let units = untrack(spare);
            let order = dids::account(&answer.bytes).map(|to| Order::Send { to, units, asset: 0 });
            desk.order("account", order, "Sent. When it is done, use the recoverable account.");
        });
    };
    view! {
        <p id="account-state">
            "The wallet uses an account made in this browser: it is not recovered with your words. Your identity has one that is."
        </p>
        <div class="dialog-actions">
            <button
                id="account-move"
                class="button"
                type="button"
                disabled=move || desk.busy.get() || spare() == 0 || moving()
                on:click=send
            >
                {move || format!("Move {}", money::named(spare()))}
            </button>
            <Sure
                id="account-use"
                label="Use the recoverable account"
                title="Change the account?"
                deed="Change it"
                asks=is_owed(desk)
                disabled=Signal::derive(moving)
                strong=true
                run=use_it
            >
                <Owed />
            </Sure>
        </div>
        <p class="quiet">
            "Nothing is lost by changing: the other account\u{2019}s key stays in this browser, and you can go back. What you lend, owe or meter stays with the account that did it."
        </p>
    }
}

/// The account in use follows from the words.
#[component]
fn OfIdentity() -> impl IntoView {
    let desk = Desk::get();
    let aside = Memo::new(move |_| desk.ledger.view.read().aside.clone());
    let back = move || {
        desk.ledger.command(&Order::UseDevice);
        desk.expect_refusal("account");
    };
    let mine = RwSignal::new(true);
    let account = Memo::new(move |_| desk.ledger.view.read().account.clone());
    Effect::new(move |_| {
        // Another identity's account may be in use on this device.
        let (Some(chain), account) = (desk.chain.get(), account.get()) else { return };
        leptos::task::spawn_local(async move {
            let answer = desk.keys.call(Command::Account(chain)).await;
            let own = answer.and_then(|answer| dids::account(&answer.bytes));
            mine.try_set(own.is_none_or(|own| own == account));
        });
    });
    view! {
        <p id="account-state">
            {move || {
                if mine.get() {
                    "The wallet uses the account that follows from your words: whoever enters them has it on another device."
                } else {
                    "The wallet uses the account of another identity. Go back to this browser\u{2019}s own first, then use yours."
                }
            }}
        </p>
        <p class="quiet mono wrap" hidden=move || aside.read().is_empty()>
            "This browser\u{2019}s own account: " {aside}
        </p>
        <div class="dialog-actions">
            <Sure
                id="account-back"
                label="Use this browser\u{2019}s own account"
                title="Change the account?"
                deed="Change it"
                asks=is_owed(desk)
                run=back
            >
                <Owed />
            </Sure>
        </div>
        <p class="quiet">
            "Its key also lies in this browser, as a wallet\u{2019}s does: locking your identity does not lock the account."
        </p>
    }
}

/// Whether others promised something to the account in use that is not in it yet.
fn is_owed(desk: Desk) -> Signal<bool> {
    Signal::derive(move || desk.ledger.purse.read().unclaimed().is_some())
}

/// What would wait for the account that is in use; nothing, where nobody owes it anything.
#[component]
pub(super) fn Owed() -> impl IntoView {
    let desk = Desk::get();
    let words = move || {
        let owed = desk.ledger.purse.read().unclaimed()?;
        let until = match owed.ends_s.saturating_sub(browser::now_s()) {
            left_s if owed.ends_s > 0 => format!(" for {}", uptime(left_s)),
            _ => " for some days".to_owned(),
        };
        Some(format!(
            "{} of what others promised to this account is not handed in. It waits in this browser, and can be handed in{until} while this account is in use. Or do it now, on the Wallet page.",
            money::named(owed.units)
        ))
    };
    view! {
        <p class="quiet quiet--warn" hidden=move || words().is_none()>
            {words}
        </p>
    }
}
