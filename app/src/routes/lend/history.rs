//! What I did on markets, and what became of it.

use leptos::prelude::*;
use wallet::lending::{self, Call, Place, Rules, Wish};
use wallet::view::{Act, Sent};

use crate::components::deeds::deeds;
use crate::format::short_key;

use super::desk::Desk;
use super::words::{named, refusal, symbol, unsigned};

/// The list.
#[component]
pub(super) fn Deeds() -> impl IntoView {
    let desk = Desk::get();
    let sent = Memo::new(move |_| {
        let view = desk.ledger.view.read();
        // What was asked of communities is told on their page.
        let ours = |sent: &&Sent| sent.act.as_ref().is_some_and(|act| act.domain.is_none());
        view.sent.iter().filter(ours).cloned().collect::<Vec<_>>()
    });
    let problem =
        move || desk.signed.get().then(|| unsigned(&desk.ledger.view.read().refused)).flatten();
    // Assets are named as soon as their market is proved.
    let what = move |sent: &Sent| {
        let act = sent.act.clone();
        let what = Memo::new(move |_| act.as_ref().map(|act| words(desk, act)).unwrap_or_default());
        move || what.get()
    };
    let told = "That it is in a block is proved. What became of it there, and the amount, a server tells: not proved.";
    deeds(sent, problem, what, refusal, told)
}

fn words(desk: Desk, act: &Act) -> String {
    if let Some(call) = lending::liquidated(act) {
        return liquidation(desk, act, call);
    }
    if let Some(rules) = lending::opened(act) {
        return opening(desk, &rules);
    }
    let Some((place, wish)) = lending::asked(act) else { return "Another action".to_owned() };
    let reserve = desk.reserve(place);
    let amount = |asked: Option<u128>| match (asked.or(act.amount), &reserve) {
        (Some(units), Some(reserve)) => named(units, &reserve.asset),
        (Some(units), None) => format!("{units} units"),
        (None, _) => "all".to_owned(),
    };
    let what = match wish {
        // What moved can be less than what was asked for.
        Wish::Supply(units) => format!("Supplied {}", amount(Some(units))),
        Wish::Withdraw(units) => format!("Withdrew {}", amount(units)),
        Wish::Borrow(units) => format!("Borrowed {}", amount(Some(units))),
        Wish::Repay(units) => format!("Repaid {}", amount(act.amount.or(units))),
        Wish::Pledge(true) => "Pledged".to_owned(),
        Wish::Pledge(false) => "Stopped pledging".to_owned(),
        Wish::Stop(true) => "Stopped new business".to_owned(),
        Wish::Stop(false) => "Allowed new business".to_owned(),
        Wish::Collect => "Collected what was set aside".to_owned(),
        Wish::Cover(units) => {
            format!("Covered {} of the deficit", amount(act.amount.or(Some(units))))
        }
    };
    let name = match (&reserve, wish) {
        (Some(reserve), Wish::Pledge(_)) => format!(" {}", symbol(&reserve.asset)),
        (Some(reserve), Wish::Stop(_) | Wish::Collect) => {
            format!(" in {}", symbol(&reserve.asset))
        }
        _ => String::new(),
    };
    format!("{what}{name}, market {}", place.market)
}

/// A market, by what it is made of.
fn opening(desk: Desk, rules: &[Rules]) -> String {
    let book = desk.book.read();
    let name = |rules: &Rules| match lending::described(&book, rules.asset) {
        Some(asset) => symbol(&asset),
        None => format!("asset {}", rules.asset.0),
    };
    let names: Vec<String> = rules.iter().map(name).collect();
    format!("Opened a market of {}", names.join(" and "))
}

/// A liquidation, and what changed hands once a server told it.
fn liquidation(desk: Desk, act: &Act, call: Call) -> String {
    let amount = |units: u128, place: Place| match desk.reserve(place) {
        Some(reserve) => named(units, &reserve.asset),
        None => format!("{units} units"),
    };
    let whose = short_key(&call.borrower.to_string());
    let market = call.debt.market;
    match (act.amount, act.seized) {
        (Some(repaid), Some(seized)) => format!(
            "Liquidated {whose}: repaid {} for {}, market {market}",
            amount(repaid, call.debt),
            amount(seized, call.collateral)
        ),
        _ => format!(
            "Liquidate {whose}: repay at most {}, market {market}",
            amount(call.cover, call.debt)
        ),
    }
}
