//! A neighbour before all others: to whom a meter of mine gives first and, where both must agree, from whom
//! it buys first.

use leptos::prelude::*;
use wallet::energy::{self, Asset, Friend, Meter, Mode, Tariff, Wish};

use super::desk::Desk;
use super::limits::WouldBe;
use super::words::{price, price_of, typed};

/// A card for each of my meters, where there are neighbours.
#[component]
pub(super) fn FriendCard() -> impl IntoView {
    let desk = Desk::get();
    let numbers =
        Memo::new(move |_| desk.mine().into_iter().map(|meter| meter.number).collect::<Vec<_>>());
    let others = Memo::new(move |_| {
        let all = desk.meters.get().unwrap_or_default();
        all.iter().map(|meter| (meter.number, meter.is_mine)).collect::<Vec<_>>()
    });
    let card = move |number: u32| {
        let street = desk.street.get_untracked()?;
        let meter = untrack(|| desk.mine()).into_iter().find(|one| one.number == number)?;
        let (mode, tariff, asset) = (street.rules.mode, street.rules.tariff, street.asset);
        Some(view! { <Card meter others mode tariff asset /> })
    };
    let is_alone = Memo::new(move |_| others.read().len() < 2);
    // Drawn anew when the rules are others, not with every block.
    let rules = Memo::new(move |_| desk.street.read().as_ref().map(|one| one.rules));
    move || {
        rules.track();
        let numbers = numbers.get();
        (!is_alone.get()).then(|| numbers.into_iter().map(card).collect_view())
    }
}

/// What it means, by how neighbours trade.
const fn note(mode: Mode) -> &'static str {
    match mode {
        Mode::Sharing => {
            "What this meter gives goes to that neighbour first, at your price, and only the rest to all. Both of you gain by it: the price lies between what the grid pays and what all share at."
        }
        Mode::Auction => {
            "Name the neighbour you give to, or buy from, first. It counts when each of you names the other, because others might ask for less; the price is the giver\u{2019}s, within the buyer\u{2019}s limit."
        }
        Mode::Book => {
            "What this meter has left when the book has closed goes to that neighbour before the grid, at your price. Both of you gain by it."
        }
    }
}

#[component]
fn Card(
    meter: Meter,
    others: Memo<Vec<(u32, bool)>>,
    mode: Mode,
    tariff: Tariff,
    asset: Asset,
) -> impl IntoView {
    let desk = Desk::get();
    let number = meter.number;
    let chosen = RwSignal::new(meter.friend.map(|friend| friend.meter));
    let asked = meter.friend.map_or_else(|| tariff.mid(), |friend| friend.price);
    let text = RwSignal::new(typed(asked));
    let holds = Memo::new(move |_| {
        let mine = desk.mine();
        mine.into_iter().find(|one| one.number == number).map(|one| one.friend)
    });
    // None: what was typed is no price.
    let friend = Memo::new(move |_| match chosen.get() {
        None => Some(None),
        Some(meter) => price_of(&text.read()).map(|price| Some(Friend { meter, price })),
    });
    let asset = StoredValue::new(asset);
    let told = Memo::new(move |_| {
        let span = desk.span.get()?;
        let friend = friend.get()?;
        desk.look(|scene| Some(energy::what_if_friend(scene, span, number, friend)))
    });
    let begin = move |_| {
        let Some(friend) = friend.get_untracked() else { return };
        let (lines, warning) = match friend {
            Some(friend) => (
                vec![
                    ("First", format!("Meter {}", friend.meter)),
                    ("Price", asset.with_value(|asset| price(friend.price, asset))),
                ],
                "From the next slot on. Everybody sees which meter is first to which.",
            ),
            None => (vec![("First", "nobody".to_owned())], "From the next slot on."),
        };
        desk.begin(
            format!("Neighbour of meter {number}"),
            lines,
            warning,
            Wish::Friend(number, friend),
        );
    };
    let option = move |(other, is_mine): (u32, bool)| {
        let own = if is_mine { ", mine, too" } else { "" };
        (other != number).then(|| {
            view! {
                <option value=other.to_string() prop:selected=move || chosen.get() == Some(other)>
                    {format!("Meter {other}{own}")}
                </option>
            }
        })
    };
    let between = format!(
        "Counts between {} and {}, and the fee for the way on top.",
        asset.with_value(|asset| price(tariff.feed_in, asset)),
        asset.with_value(|asset| price(tariff.mid(), asset))
    );
    let is_same = move || {
        let friend = friend.get();
        friend.is_none() || friend == holds.get()
    };
    view! {
        <section class="card" aria-labelledby=format!("friend-title-{number}") id=format!("friend-{number}")>
            <h2 id=format!("friend-title-{number}")>
                {format!("A neighbour first, for meter {number}")}
            </h2>
            <p class="quiet">{note(mode)}</p>
            <div class="pair pair--form">
                <div class="labelled">
                    <label for=format!("friend-of-{number}")>
                        {if mode == Mode::Auction { "Give to first, or buy first from" } else { "Give to first" }}
                    </label>
                    <select
                        id=format!("friend-of-{number}")
                        class="text-field"
                        on:change=move |event| chosen.set(event_target_value(&event).parse().ok())
                    >
                        <option value="" prop:selected=move || chosen.get().is_none()>
                            "nobody before others"
                        </option>
                        {move || others.get().into_iter().map(option).collect_view()}
                    </select>
                </div>
                <div class="labelled">
                    <label for=format!("friend-price-{number}")>"My price per kWh, when I give"</label>
                    <input
                        id=format!("friend-price-{number}")
                        class="text-field num"
                        inputmode="decimal"
                        autocomplete="off"
                        prop:value=move || text.get()
                        disabled=move || chosen.get().is_none()
                        on:input=move |event| text.set(event_target_value(&event))
                    />
                </div>
            </div>
            <p class="quiet num">{between}</p>
            <button class="button" type="button" data-do="friend" disabled=is_same on:click=begin>
                "Set this"
            </button>
            <WouldBe
                told
                heading="With this neighbour first, the day above"
                id=format!("what-if-friend-{number}")
                asset
            />
        </section>
    }
}
