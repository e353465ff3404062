//! The wallet's account: whether its key follows from the words, and the way there.

use identity::session::Command;
use leptos::prelude::*;
use wallet::dids;
use wallet::view::Command as Order;

use crate::money;

use super::desk::{Desk, Said};

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
    let use_it = move |_| {
        if let Some(chain) = desk.chain.get_untracked() {
            desk.keys.lend_account(desk.ledger, &chain);
        }
    };
    let send = move |_| {
        let Some(chain) = desk.chain.get_untracked() else { return };
        desk.run("account", Command::Account(chain), move |answer| {
            let units = untrack(spare);
            let order = dids::account(&answer.bytes).map(|to| Order::Send { to, units });
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
            <button
                id="account-use"
                class="button button--strong"
                type="button"
                disabled=move || desk.busy.get() || moving()
                on:click=use_it
            >
                "Use the recoverable account"
            </button>
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
    let back = move |_| desk.ledger.command(&Order::UseDevice);
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
            <button id="account-back" class="button" type="button" on:click=back>
                "Use this browser\u{2019}s own account"
            </button>
        </div>
        <p class="quiet">
            "Its key also lies in this browser, as a wallet\u{2019}s does: locking your identity does not lock the account."
        </p>
    }
}
