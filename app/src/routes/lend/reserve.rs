//! The reserves of a market: what is in each, what it costs, and what one can do with it.

use leptos::prelude::*;
use wallet::lending::{self, Kind, Place, PriceState, Reserve};

use crate::components::test_units::TestUnits;

use super::curve::Curve;
use super::desk::{Desk, What};
use super::running::Running;
use super::seen::SeenBadge;
use super::words::{
    MISCOUNTED, named, percent, percent_bps, price, price_source, promise, refusal, symbol, value,
    verb,
};

const KINDS: [Kind; 5] = [Kind::Supply, Kind::Withdraw, Kind::Borrow, Kind::Repay, Kind::Cover];

/// All reserves of a market.
#[component]
pub(super) fn Reserves(market: u32) -> impl IntoView {
    let desk = Desk::get();
    let places = Memo::new(move |_| {
        let reserves = desk.market(market).map(|market| market.reserves);
        reserves.map(|reserves| reserves.iter().map(|one| one.place).collect::<Vec<_>>())
    });
    let missing = move || {
        if lending::is_miscounted(&desk.book.read(), market) {
            return Some(MISCOUNTED.to_owned());
        }
        let count = lending::listing(&desk.book.read()).map(|listing| listing.count);
        match (places.read().is_some(), count) {
            (true, _) => None,
            (false, Some(count)) if market == 0 || market > count => {
                Some(format!("There is no market {market}: {count} were opened."))
            }
            (false, _) => Some(format!("Market {market} is being proved.")),
        }
    };
    view! {
        <p class="empty" role="status" hidden=move || missing().is_none()>
            {missing}
        </p>
        {move || {
            let places = places.get().unwrap_or_default();
            places.into_iter().map(|place| view! { <ReserveCard place /> }).collect_view()
        }}
    }
}

#[component]
fn ReserveCard(place: Place) -> impl IntoView {
    let desk = Desk::get();
    let now = Memo::new(move |_| desk.reserve(place));
    let seen = Signal::derive(move || desk.market(place.market).map(|market| market.seen));
    let title = format!("reserve-{}-title", place.reserve);
    let labelled = title.clone();
    let name = move || now.read().as_ref().map(|reserve| symbol(&reserve.asset));
    view! {
        <section class="card reserve" id=format!("reserve-{}", place.reserve) aria-labelledby=labelled>
            <div class="card-head">
                <h2 id=title>{name}</h2>
                <SeenBadge seen />
            </div>
            <div class="pair">
                <Numbers now=now.into() />
                <div class="reserve-side">
                    <Curve place now=now.into() />
                    <PriceLine now=now.into() />
                    <Rules now=now.into() />
                </div>
            </div>
            <p class="quiet" data-promise="">
                {move || now.read().as_ref().and_then(|reserve| promise(&reserve.asset))}
            </p>
            <Ways place />
            <Running place />
            <TestUnits asset=Signal::derive(move || now.get().map(|reserve| reserve.asset)) />
        </section>
    }
}

/// One number with its name.
type Line = (&'static str, fn(&Reserve) -> String);

/// What is shown of every reserve.
const LINES: [Line; 7] = [
    ("Supplied", |one| named(one.supplied, &one.asset)),
    ("Borrowed", |one| named(one.owed, &one.asset)),
    ("Here, free", |one| named(one.available, &one.asset)),
    ("Lent out", |one| percent(one.used_ppm)),
    ("Supply APY", |one| percent(one.supply_apy_ppm)),
    ("Left to supply", |one| cap(one.supply_left, one.supply_cap, one)),
    ("Left to borrow", |one| cap(one.borrow_left, one.borrow_cap, one)),
];

fn cap(left: u128, cap: u128, reserve: &Reserve) -> String {
    if cap == u128::MAX { "no cap".to_owned() } else { named(left, &reserve.asset) }
}

#[component]
fn Numbers(now: Signal<Option<Reserve>>) -> impl IntoView {
    let text = move |of: fn(&Reserve) -> String| now.read().as_ref().map(of);
    let lines = LINES.map(|(name, of)| {
        view! {
            <div class="sum">
                <dt>{name}</dt>
                <dd class="num">{move || text(of)}</dd>
            </div>
        }
    });
    let borrow = move || {
        let reserve = now.get()?;
        let lent = reserve.is_borrowable.then(|| percent(reserve.borrow_apy_ppm));
        Some(lent.unwrap_or_else(|| "not lent".to_owned()))
    };
    let deficit = move || now.get().filter(|reserve| reserve.deficit > 0);
    view! {
        <dl class="sums sums--list">
            {lines.into_iter().collect_view()}
            <div class="sum">
                <dt>"Borrow APY"</dt>
                <dd class="num">{borrow}</dd>
            </div>
            <div class="sum">
                <dt>"Deficit"</dt>
                <dd class="num" class:quiet--warn=move || deficit().is_some()>
                    {move || match deficit() {
                        Some(reserve) => named(reserve.deficit, &reserve.asset),
                        None => "none".to_owned(),
                    }}
                </dd>
            </div>
        </dl>
        <p class="quiet quiet--warn">
            {move || {
                deficit()
                    .map(|_| {
                        "Debts that nobody pays any more. Suppliers are owed more than there is, until one of them covers it with what they supplied."
                    })
            }}
        </p>
    }
}

#[component]
fn PriceLine(now: Signal<Option<Reserve>>) -> impl IntoView {
    let told = move || now.read().as_ref().map(|reserve| reserve.price);
    let good = move || told().is_some_and(|one| one.state == PriceState::Fresh);
    let worth = move || match told() {
        Some(one) if one.price > 0 && one.state == PriceState::Fresh => price(one.price),
        Some(one) if one.price > 0 => format!("was {}", price(one.price)),
        _ => "\u{2013}".to_owned(),
    };
    view! {
        <p class="price num">
            <span>"Price"</span>
            <strong>{worth}</strong>
            <span class="quiet" class:quiet--warn=move || !good()>
                {move || told().map(|one| price_source(&one))}
            </span>
        </p>
    }
}

#[component]
fn Rules(now: Signal<Option<Reserve>>) -> impl IntoView {
    let words = move || {
        let reserve = now.get()?;
        Some(if reserve.ltv_bps == 0 {
            "No collateral: nothing may be borrowed against it.".to_owned()
        } else {
            format!(
                "As collateral: up to {} of its value may be borrowed, at {} it is liquidated, for {} more than is repaid.",
                percent_bps(reserve.ltv_bps.into()),
                percent_bps(reserve.threshold_bps.into()),
                percent_bps(reserve.bonus_bps.into())
            )
        })
    };
    let frozen = move || now.read().as_ref().is_some_and(|reserve| reserve.is_frozen);
    view! {
        <p class="quiet">{words}</p>
        <p class="quiet quiet--warn">
            {move || frozen().then(|| refusal(0x0506))}
        </p>
    }
}

/// Buttons; those that the ledger would refuse now are off, and below it is said why.
#[component]
fn Ways(place: Place) -> impl IntoView {
    let desk = Desk::get();
    // Why each is off; none: it is not.
    let blocks = Memo::new(move |_| {
        KINDS.map(|kind| {
            let known = desk.look(|scene| {
                lending::preview(scene, place, kind.wish(1))
                    .map(|_| lending::blocked(scene, place, kind))
            });
            match known {
                Some(number) => number.map(refusal),
                None => Some("What decides it is not proved yet."),
            }
        })
    });
    // A deficit is covered by who supplied.
    let covers = Memo::new(move |_| {
        desk.look(|scene| {
            let before = lending::preview(scene, place, Kind::Cover.wish(1))?.before;
            Some(before.reserve.deficit > 0 && before.held.supplied > 0)
        }) == Some(true)
    });
    let offered = move |kind: Kind| kind != Kind::Cover || covers.get();
    let free = move || {
        let mine = desk.look(|scene| lending::position(scene, place.market))?;
        let held = mine.held.into_iter().find(|one| one.place == place)?;
        let reserve = desk.reserve(place)?;
        let worth = reserve.value(held.wallet).map(|worth| format!(", worth {}", value(worth)));
        let wallet = named(held.wallet, &reserve.asset);
        Some(format!("In your wallet: {wallet}{}", worth.unwrap_or_default()))
    };
    let button = move |at: usize, kind: Kind| {
        view! {
            <button
                class="button"
                class:button--strong=kind == Kind::Supply
                type="button"
                data-kind=verb(kind)
                hidden=move || !offered(kind)
                disabled=move || blocks.read()[at].is_some()
                aria-describedby=format!("why-{}", place.reserve)
                on:click=move |_| desk.begin(place, What::Amount(kind))
            >
                {verb(kind)}
            </button>
        }
    };
    let why = move || {
        let blocks = blocks.get();
        let said = KINDS.into_iter().zip(blocks).filter(|(kind, _)| offered(*kind));
        let said = said.filter_map(|(kind, why)| Some((verb(kind), why?)));
        said.map(|(verb, why)| view! { <li>{format!("{verb}: {why}")}</li> }).collect_view()
    };
    view! {
        <div class="ways">
            {KINDS.into_iter().enumerate().map(|(at, kind)| button(at, kind)).collect_view()}
        </div>
        <p class="quiet num">{free}</p>
        <ul class="quiet why" id=format!("why-{}", place.reserve)>
            {why}
        </ul>
    }
}
