//! The last look at what is about to be signed of a fund's pool.

use leptos::prelude::*;
use wallet::funds::{self, Found, Wish};
use wallet::view::Sight;

use crate::assets::Assets;
use crate::components::avatar::Avatar;
use crate::components::last_look::LastLook;
use crate::components::modal::modal;
use crate::format::short_key;
use crate::money;

use super::{Pools, words};

/// The dialog; open while something is about to be signed.
#[component]
pub(super) fn Review() -> impl IntoView {
    modal(Pools::get().draft, "dialog dialog--small", "fund-title", |wish, close| {
        view! { <Look wish close /> }
    })
}

#[component]
fn Look(wish: Wish, close: Callback<()>) -> impl IntoView {
    let (pools, assets) = (Pools::get(), Assets::get());
    let (priced, units) = (wish.clone(), wish.units());
    let fee = Signal::derive(move || assets.fund_fee(&priced));
    let problem = Signal::derive(move || problem(pools, units, fee.get()));
    let ready = Signal::derive(move || fee.get().is_some() && problem.read().is_empty());
    let (title, warning) = (words::question(&wish), words::warning(&wish));
    let lines = lines(pools, &wish);
    let sign = Callback::new(move |()| {
        if let Some(command) = funds::ask(&wish) {
            pools.ledger.command(&command);
        }
    });
    view! { <LastLook place="fund" title lines fee warning problem ready sign close /> }
}

/// Why it can't be signed now.
fn problem(pools: Pools, units: u128, fee: Option<u128>) -> String {
    let view = pools.ledger.view.read();
    if view.sight != Sight::Fresh {
        return "Nothing is sent while the newest block is not known.".to_owned();
    }
    let (Some(balance), Some(fee)) = (view.balance, fee) else {
        return "What you have and what it costs is being proved.".to_owned();
    };
    let held = balance.units.saturating_sub(view.outgoing);
    match units.checked_add(fee) {
        _ if balance.frozen => "The issuer froze your balance: nothing moves.".to_owned(),
        Some(needed) if needed <= held => String::new(),
        _ => format!("The account holds less than that and the fee: {}.", money::named(held)),
    }
}

/// What is signed, line by line.
fn lines(pools: Pools, wish: &Wish) -> Vec<AnyView> {
    match wish {
        Wish::Open { key, units, ttl_s } => vec![
            person("The fund\u{2019}s key", key),
            line("Locked", money::named(*units)),
            line("For", format!("{}\u{a0}days", ttl_s / 86_400)),
        ],
        Wish::Allow { pool, account, units } => vec![
            line("Pool", pool.to_string()),
            person("The fund\u{2019}s account", account),
            line("May draw", money::named(*units)),
        ],
        Wish::Extend { pool, ttl_s } => vec![
            line("Pool", pool.to_string()),
            line("From now", format!("{}\u{a0}days", ttl_s / 86_400)),
        ],
        Wish::Close(pool) | Wish::Take(pool) => {
            let found = funds::pool(&pools.ledger.records.read_untracked(), *pool);
            let left = match found {
                Found::Here(pool) => money::named(pool.free.saturating_add(pool.reserved)),
                Found::Unproved | Found::Gone(_) | Found::Unread => "\u{2013}".to_owned(),
            };
            vec![line("Pool", pool.to_string()), line("Left in it", left)]
        }
        Wish::Fees { account, units } => {
            vec![person("The fund\u{2019}s account", account), line("Amount", money::named(*units))]
        }
    }
}

fn line(what: &'static str, value: String) -> AnyView {
    view! {
        <div>
            <dt>{what}</dt>
            <dd>{value}</dd>
        </div>
    }
    .into_any()
}

fn person(what: &'static str, name: &str) -> AnyView {
    view! {
        <div>
            <dt>{what}</dt>
            <dd class="who" title=name.to_owned()>
                <Avatar key=name.to_owned() />
                <span class="mono">{short_key(name)}</span>
            </dd>
        </div>
    }
    .into_any()
}
