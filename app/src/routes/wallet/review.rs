//! The last look at what is about to be signed of an asset: what it is, its fee, and why the ledger would refuse it.

use leptos::prelude::*;
use wallet::assets::{Preview, Wish};
use wallet::view::Sight;

use crate::assets::Assets;
use crate::components::avatar::Avatar;
use crate::components::last_look::LastLook;
use crate::components::modal::modal;
use crate::format::short_key;
use crate::money;

use super::words::{question, refusal, warning};

/// The dialog; open while something is about to be signed.
#[component]
pub(super) fn Review() -> impl IntoView {
    modal(Assets::get().draft, "dialog dialog--small", "asset-title", |wish, close| {
        view! { <Look wish close /> }
    })
}

#[component]
fn Look(wish: Wish, close: Callback<()>) -> impl IntoView {
    let desk = Assets::get();
    let tried = wish.clone();
    let preview = Memo::new(move |_| desk.preview(&tried));
    let ready = move || preview.get().is_some_and(|told| told.refusal.is_none());
    let problem = move || match preview.get() {
        Some(Preview { refusal: Some(number), .. }) => {
            format!("{} (refusal {number})", refusal(number))
        }
        Some(Preview { refusal: None, .. }) => String::new(),
        None if desk.ledger.view.read().sight != Sight::Fresh => {
            "Nothing is sent while the newest block is not known.".to_owned()
        }
        None => "What decides it is being proved.".to_owned(),
    };
    let fee = Signal::derive(move || preview.get().map(|told| told.fee));
    let (title, warning) = (question(&wish), warning(&wish));
    let lines = lines(desk, &wish);
    let sign = Callback::new(move |()| desk.sign(&wish));
    let (problem, ready) = (Signal::derive(problem), Signal::derive(ready));
    view! { <LastLook place="asset" title lines fee warning problem ready sign close /> }
}

/// What is signed, line by line.
fn lines(desk: Assets, wish: &Wish) -> Vec<AnyView> {
    let mut lines = Vec::new();
    let who = match wish {
        Wish::Send { to, .. } | Wish::Issue { to, .. } => Some(("To", to)),
        Wish::Freeze { account, .. } => Some(("Account", account)),
        Wish::Create { .. } | Wish::Burn { .. } | Wish::Renounce { .. } => None,
    };
    lines.extend(who.map(|(what, account)| person(what, account.clone())));
    if let Wish::Create { symbol, decimals, supply_max, freezable } = wish {
        let cap = match supply_max {
            Some(units) => money::shown(*units, *decimals),
            None => "none".to_owned(),
        };
        let freezes = if *freezable { "by you" } else { "never" };
        lines.push(line("Symbol", symbol.clone()));
        lines.push(line("Decimals", decimals.to_string()));
        lines.push(line("Cap on the supply", cap));
        lines.push(line("Can be frozen", freezes.to_owned()));
    }
    let amount = match wish {
        Wish::Send { amount, .. } | Wish::Issue { amount, .. } | Wish::Burn { amount, .. } => {
            Some(*amount)
        }
        Wish::Create { .. } | Wish::Freeze { .. } | Wish::Renounce { .. } => None,
    };
    if let Some(number) = wish.asset() {
        let asset = desk.asset(number);
        lines.extend(amount.map(|amount| line("Amount", desk.units(amount, number))));
        let titled = asset.map_or_else(|| format!("asset {number}"), |asset| desk.titled(&asset));
        lines.push(line("What", titled));
    }
    lines
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

fn person(what: &'static str, account: String) -> AnyView {
    view! {
        <div>
            <dt>{what}</dt>
            <dd class="who" title=account.clone()>
                <Avatar key=account.clone() />
                <span class="mono">{short_key(&account)}</span>
            </dd>
        </div>
    }
    .into_any()
}
