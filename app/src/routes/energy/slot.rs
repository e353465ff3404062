//! One slot: who supplied whom, and, in an auction, what was bid and offered.

use leptos::prelude::*;
use wallet::energy::{self, Asset, Giver, Mode, Shown, State, Supply, Wish};

use super::clock;
use super::depth::DepthChart;
use super::desk::Desk;
use super::words::{energy as wh, price, state};

/// The card of the slot that is looked at.
#[component]
pub(super) fn SlotCard() -> impl IntoView {
    let desk = Desk::get();
    let shown = Memo::new(move |_| {
        let chosen = desk.slot.get()?;
        let day = desk.day.read();
        day.as_ref()?.slots.iter().copied().find(|shown| shown.slot == chosen)
    });
    move || {
        shown.get().zip(desk.street.get()).map(|(shown, community)| {
            view! { <One shown asset=community.asset id=community.id /> }
        })
    }
}

#[component]
fn One(shown: Shown, asset: Asset, id: u32) -> impl IntoView {
    let desk = Desk::get();
    let slot = shown.slot;
    let neighbours = Memo::new(move |_| desk.look(|scene| energy::neighbours(scene, id, slot)));
    let supplies = Memo::new(move |_| energy::supplies(&desk.book.read(), id, slot));
    let revised = Memo::new(move |_| energy::revisions(&desk.book.read(), id, slot));
    let is_due = shown.state == State::Due;
    let settled = matches!(shown.state, State::Settled(_));
    let is_auction = shown.rules.mode == Mode::Auction;
    let is_booked = shown.rules.mode == Mode::Book;
    let settle = move |_| {
        let lines = vec![("Slot", clock::slot(slot))];
        desk.begin("Settle a slot", lines, SETTLE, Wish::Settle(slot));
    };
    view! {
        <section class="card" aria-labelledby="slot-title" id="slot">
            <div class="card-head">
                <h2 id="slot-title" class="num">
                    {format!("Slot {}", clock::slot(slot))}
                </h2>
                <button class="button button--quiet" type="button" on:click=move |_| desk.slot.set(None)>
                    "Close"
                </button>
            </div>
            <p class="quiet num">{format!("{}, {} readings", state(&shown.state), shown.readings)}</p>
            <p class="quiet num" id="slot-corrected" hidden=move || revised.read().is_empty()>
                {move || corrected(&revised.read())}
            </p>
            {is_due
                .then(|| {
                    view! {
                        <button class="button button--strong" type="button" data-do="settle" on:click=settle>
                            "Settle it"
                        </button>
                    }
                })}
            <p class="quiet" hidden=move || neighbours.read().is_some()>
                "What every neighbour\u{2019}s meter said of this slot is not proved yet."
            </p>
            {move || {
                let (all, pairs) = (neighbours.get()?, supplies.get()?);
                Some(view! { <Who all pairs asset=asset.clone() settled is_booked /> })
            }}
            {is_auction.then(|| view! { <DepthChart id at=slot /> })}
        </section>
    }
}

/// Whose readings were corrected, and by which correction they are what they are.
fn corrected(revised: &[(u32, u8)]) -> String {
    let one = |(meter, revision): &(u32, u8)| format!("meter {meter}, correction {revision}");
    let all: Vec<String> = revised.iter().map(one).collect();
    format!("Said again while there was time: {}.", all.join("; "))
}

/// What is said before a slot is settled.
pub(super) const SETTLE: &str = "Anybody may settle a slot whose time is over. It moves everybody\u{2019}s money as the rules say, whoever asks.";

/// Who gave and who took.
#[component]
fn Who(
    all: Vec<Giver>,
    pairs: Vec<Supply>,
    asset: Asset,
    settled: bool,
    is_booked: bool,
) -> impl IntoView {
    let mine: Vec<u32> = all.iter().filter(|one| one.is_mine).map(|one| one.meter).collect();
    let is_mine = |meter: &u32| mine.contains(meter);
    let name =
        |meter: u32| if is_mine(&meter) { "you".to_owned() } else { format!("meter {meter}") };
    let pair = |one: &Supply| {
        let how = if one.is_friend { ", as a friend" } else { "" };
        let words = format!(
            "{} to {}: {} at {}{how}",
            name(one.from),
            name(one.to),
            wh(one.quantity_wh),
            price(one.price, &asset)
        );
        let ours = is_mine(&one.from) || is_mine(&one.to);
        view! { <li class="num" class:strong=ours>{words}</li> }
    };
    let pool = |one: &Giver| {
        let words = match (one.given_wh, one.taken_wh) {
            (given, 0) => format!("{} gave {}", name(one.meter), wh(given)),
            (0, taken) => format!("{} took {}", name(one.meter), wh(taken)),
            (given, taken) => {
                format!("{} gave {} and took {}", name(one.meter), wh(given), wh(taken))
            }
        };
        view! { <li class="num" class:strong=one.is_mine>{words}</li> }
    };
    let told = if is_booked {
        "The newest trades of its book, then friends. Who sold and did not feed it in bought it from the grid."
    } else if pairs.is_empty() {
        "What neighbours give is one pool, and each takes of it in proportion: no kWh has a name on it."
    } else {
        "Friends first, then bids and offers in their order."
    };
    let nobody = all.is_empty() && pairs.is_empty();
    view! {
        <h3>{if settled { "Who supplied whom" } else { "Who would supply whom, if it were settled as it stands" }}</h3>
        <ul class="supplies" id="supplies">
            {pairs.iter().map(pair).collect_view()}
            {pairs.is_empty().then(|| all.iter().map(pool).collect_view())}
        </ul>
        <p class="quiet">{if nobody { "No neighbour had what another needed." } else { told }}</p>
    }
}
