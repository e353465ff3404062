//! Positions below 1 and near it, with what liquidating them would give.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::A;
use wallet::lending::{
    self, AccountId, Bid, Factor, Hints, LISTED_POSITIONS_MAX, ONE, Part, Reserve, SHOWN_MAX, Seen,
    Target,
};

use crate::components::avatar::Avatar;
use crate::format::{counted, short_key};
use crate::ledger::Ledger;
use crate::money::grouped;

use super::desk::Desk;
use super::seen::SeenBadge;
use super::words::{MISCOUNTED, factor, factor_exact, named, percent_bps, symbol, value};

/// How often a server is asked for its list anew.
const LIST_EVERY: Duration = Duration::from_secs(5);
/// A share of one, in basis points.
const ALL_BPS: u128 = 10_000;

/// The list of the chosen market.
#[component]
pub(super) fn Targets() -> impl IntoView {
    let desk = Desk::get();
    let failed = RwSignal::new(false);
    let list = move || {
        if let Some(market) = desk.chosen.get_untracked() {
            spawn_local(ask(desk.ledger, market, desk.chosen, desk.hints, failed));
        }
    };
    Effect::new(move |_| {
        desk.chosen.track();
        list();
    });
    if let Ok(listing) = set_interval_with_handle(list, LIST_EVERY) {
        on_cleanup(move || listing.clear());
    }
    let found = Memo::new(move |_| {
        let market = desk.chosen.get()?;
        if lending::is_miscounted(&desk.book.read(), market) {
            return None;
        }
        let accounts = desk.ranked.get()?.accounts;
        let proved = |account| desk.look(|scene| lending::target(scene, market, account));
        let owes = |one: &Target| !one.owed.is_empty();
        let mut found: Vec<Target> = accounts.into_iter().filter_map(proved).filter(owes).collect();
        found.sort_by_key(|one| one.standing.factor);
        Some(found)
    });
    // Rows stay while their numbers move: only who is there, and in which order, makes them anew.
    let order = Memo::new(move |_| {
        let found = found.read();
        found.iter().flatten().map(|one| one.borrower).collect::<Vec<_>>()
    });
    let rows = move || {
        order.get().into_iter().map(|borrower| view! { <Row borrower found /> }).collect_view()
    };
    let seen = Signal::derive(move || oldest(found.read().as_deref().unwrap_or_default()));
    let any = move || found.read().as_ref().is_some_and(|found| !found.is_empty());
    let words = move || told(desk, failed.get(), found.read().as_deref());
    view! {
        <Choice />
        <section class="card" aria-labelledby="targets-title">
            <div class="card-head">
                <h2 id="targets-title">{move || title(desk)}</h2>
                <Show when=any>
                    <SeenBadge seen />
                </Show>
            </div>
            <p class="quiet" id="targets-told" role="status">
                {words}
            </p>
            <ul class="payments targets" id="targets">
                {rows}
            </ul>
            <p class="quiet">
                "A server says whose health to look at, and can leave somebody out. What is shown of each is proved, and computed here by the ledger\u{2019}s own rules. "
                <span class="mono">"starling liquidate"</span> " shows the same list."
            </p>
        </section>
    }
}

/// Asks for the list, part by part.
async fn ask(
    ledger: Ledger,
    market: u32,
    chosen: Memo<Option<u32>>,
    hints: RwSignal<Option<Hints>>,
    failed: RwSignal<bool>,
) {
    let mut list = Hints::new(market);
    while let Some(path) = list.next_path() {
        let answer = ledger.fetch(&path).await;
        let good = answer.is_some_and(|bytes| list.take(&bytes));
        if !good {
            // Nobody waits any more where the person left the page meanwhile.
            failed.try_set(true);
            return;
        }
    }
    // Another market was chosen meanwhile.
    if chosen.try_get_untracked().flatten() != Some(market) {
        return;
    }
    failed.try_set(false);
    hints.try_set(Some(list));
}

fn title(desk: Desk) -> String {
    match desk.chosen.get() {
        Some(market) => format!("Market {market}"),
        None => "Choose a market".to_owned(),
    }
}

/// When all of them were so.
fn oldest(found: &[Target]) -> Option<Seen> {
    found.iter().map(|one| one.seen).min_by_key(|seen| seen.from_height)
}

/// What there is to see, in words.
fn told(desk: Desk, failed: bool, found: Option<&[Target]>) -> String {
    let Some(market) = desk.chosen.get() else {
        return match lending::listing(&desk.book.read()) {
            None => "Asking which markets there are.".to_owned(),
            Some(listing) if listing.count == 0 => "No market was opened yet.".to_owned(),
            Some(_) => "Markets share no risk, so each has a list of its own.".to_owned(),
        };
    };
    if lending::is_miscounted(&desk.book.read(), market) {
        return MISCOUNTED.to_owned();
    }
    let count = lending::listing(&desk.book.read()).map_or(u32::MAX, |listing| listing.count);
    if market == 0 || market > count {
        return format!("There is no market {market}: {count} were opened.");
    }
    let (Some(ranked), Some(found)) = (desk.ranked.get(), found) else {
        let words = if failed {
            "The server gives no list of positions. It is asked again."
        } else {
            "The market is being proved, and its positions are being listed."
        };
        return words.to_owned();
    };
    let below = found.iter().filter(|one| is_below(one)).count();
    let word = |count: usize| u64::try_from(count).unwrap_or_default();
    let mut words = format!(
        "{} of {} below 1, {} near it (below 1.25).",
        below,
        counted(word(ranked.borrowers), "debtor", "debtors"),
        ranked.near.saturating_sub(below)
    );
    if found.len() < ranked.near.min(SHOWN_MAX) {
        words += " Some are being proved.";
    }
    if ranked.near > SHOWN_MAX {
        words += &format!(" The {SHOWN_MAX} lowest are shown.");
    }
    if ranked.unpriced > 0 {
        words += &format!(
            " {} can\u{2019}t be valued: a price is stale, or jumped and waits to be confirmed. Nobody may liquidate them meanwhile.",
            ranked.unpriced
        );
    }
    if desk.hints.read().as_ref().is_some_and(Hints::is_cut) {
        let most = u128::try_from(LISTED_POSITIONS_MAX).unwrap_or_default();
        words += &format!(" Only the first {} positions were looked at.", grouped(most));
    }
    words
}

fn is_below(target: &Target) -> bool {
    matches!(target.standing.factor, Factor::Is(factor) if factor < ONE)
}

/// Which market; hidden where there is one.
#[component]
fn Choice() -> impl IntoView {
    let desk = Desk::get();
    let listing = Memo::new(move |_| lending::listing(&desk.book.read()));
    let link = move |market: u32| {
        let current = move || (desk.chosen.get() == Some(market)).then_some("true");
        view! {
            <li aria-current=current>
                <A href=format!("/liquidations?market={market}") attr:class="button">
                    {format!("Market {market}")}
                </A>
            </li>
        }
    };
    let markets = move || listing.get().map(|listing| listing.markets).unwrap_or_default();
    let alone = move || markets().len() < 2;
    view! {
        <nav aria-label="Markets" hidden=alone>
            <ul class="ways ways--top">{move || markets().into_iter().map(link).collect_view()}</ul>
        </nav>
    }
}

#[component]
fn Row(borrower: AccountId, found: Memo<Option<Vec<Target>>>) -> impl IntoView {
    let desk = Desk::get();
    let target = Memo::new(move |_| {
        let found = found.read();
        found.iter().flatten().find(|one| one.borrower == borrower).cloned()
    });
    let name = borrower.to_string();
    let told =
        move |of: fn(Desk, &Target) -> String| target.read().as_ref().map(|one| of(desk, one));
    let under = move || target.read().as_ref().is_some_and(is_below);
    let can = move || under() && target.read().as_ref().is_some_and(|one| one.mine.is_some());
    let factor_of = move |words: fn(Factor) -> String| {
        target.read().as_ref().map(|one| words(one.standing.factor))
    };
    let label = format!("Liquidate the position of {name}");
    let press = move |_| desk.seizing.set(target.get_untracked());
    view! {
        <li class="payment target" class:target--under=under data-borrower=name.clone()>
            <Avatar key=name.clone() />
            <div class="row-words">
                <span class="num">
                    <span class="mono" title=name.clone()>
                        {short_key(&name)}
                    </span>
                    " \u{b7} health "
                    <strong class="target-health" title=move || factor_of(factor_exact)>
                        {move || factor_of(factor)}
                    </strong>
                </span>
                <span class="quiet num">{move || told(owes)}</span>
                <span class="quiet num">{move || told(pledges)}</span>
                <span class="num target-offer">{move || told(offer)}</span>
            </div>
            <button
                class="button button--strong"
                type="button"
                aria-label=label
                hidden=move || !can()
                on:click=press
            >
                "Liquidate"
            </button>
        </li>
    }
}

fn owes(desk: Desk, target: &Target) -> String {
    format!("Owes {}", parts(desk, &target.owed, target.standing.debt))
}

fn pledges(desk: Desk, target: &Target) -> String {
    format!("Pledged {}", parts(desk, &target.pledged, target.standing.collateral))
}

/// Parts of reserves with what all of them are worth.
fn parts(desk: Desk, parts: &[Part], worth: Option<u128>) -> String {
    let one = |part: &Part| match desk.reserve(part.place) {
        Some(reserve) => named(part.amount, &reserve.asset),
        None => format!("{} units", part.amount),
    };
    let listed: Vec<String> = parts.iter().map(one).collect();
    let worth = worth.map(|worth| format!(", worth {}", value(worth))).unwrap_or_default();
    if listed.is_empty() { "nothing".to_owned() } else { format!("{}{worth}", listed.join(", ")) }
}

/// What may be done, or why not.
fn offer(desk: Desk, target: &Target) -> String {
    let factor = match target.standing.factor {
        Factor::Is(factor) => factor,
        Factor::Unknown => {
            return "A price is stale or unconfirmed: nobody may liquidate it now.".to_owned();
        }
        Factor::Endless => return String::new(),
    };
    if factor >= ONE {
        let fall = ALL_BPS - (ALL_BPS * ONE).div_ceil(factor).min(ALL_BPS);
        let fall = percent_bps(u64::try_from(fall).unwrap_or_default());
        return format!("Below 1 when what is pledged falls {fall} against what is owed");
    }
    match (target.is_mine, target.mine, target.anybody) {
        (true, ..) => {
            "Yours: nobody liquidates themselves. Repay, or add collateral, on Lend.".to_owned()
        }
        (_, Some(bid), _) => gives(desk, &bid).unwrap_or_default(),
        (_, None, Some(bid)) => {
            let debt = desk.reserve(bid.call.debt).map(|reserve| symbol(&reserve.asset));
            let gives = gives(desk, &bid).unwrap_or_default();
            format!("{gives}. Your account lacks {} or STAR for the fee", debt.unwrap_or_default())
        }
        (_, None, None) => {
            "Nothing would be gained: the bonus is gone, or all of what is pledged is lent out."
                .to_owned()
        }
    }
}

/// What a liquidation takes and gives.
fn gives(desk: Desk, bid: &Bid) -> Option<String> {
    let (debt, collateral) = (desk.reserve(bid.call.debt)?, desk.reserve(bid.call.collateral)?);
    let amount = |units, reserve: &Reserve| named(units, &reserve.asset);
    Some(format!(
        "Repay {} for {}: {} more than you pay, after the market\u{2019}s {}",
        amount(bid.repaid, &debt),
        amount(bid.seized, &collateral),
        value(bid.gain),
        amount(bid.fee, &collateral)
    ))
}
