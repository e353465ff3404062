//! The book of a slot that has not begun: what is bid and offered, my orders, and what a new one would
//! meet.

use leptos::prelude::*;
use wallet::energy::{self, Asset, Met, Order, Orders, Seen, Side, Supply, Tariff, Waiting, Wish};

use crate::money;

use super::clock;
use super::depth::{Curves, nearest};
use super::desk::Desk;
use super::seen::SeenBadge;
use super::words::{energy as wh, named, price, price_of, symbol, typed};

/// Decimals of kWh that are typed: to the Wh.
const KWH_DECIMALS: u8 = 3;
/// Newest trades that are shown.
const DEALS_SHOWN: usize = 8;

/// The card, where neighbours trade by orders.
#[component]
pub(super) fn OrdersCard() -> impl IntoView {
    let desk = Desk::get();
    let slots = Memo::new(move |_| {
        let id = desk.chosen.get()?;
        desk.look(|scene| Some(energy::open_slots(scene, id)))
    });
    // The next slot is looked at until a person chooses, and again when the one that was chosen begins.
    Effect::new(move |_| {
        let open = slots.get().unwrap_or_default();
        let chosen = desk.trade.get_untracked();
        if chosen.is_none_or(|chosen| !open.contains(&chosen)) {
            desk.trade.set(open.first().copied());
        }
    });
    on_cleanup(move || desk.trade.set(None));
    let has_book = Memo::new(move |_| slots.read().as_ref().is_some_and(|open| !open.is_empty()));
    let known = Memo::new(move |_| {
        let (id, slot) = (desk.chosen.get()?, desk.trade.get()?);
        desk.look(|scene| energy::orders(scene, id, slot))
    });
    let seen = Signal::derive(move || known.read().as_ref().map(|one| one.seen));
    // Without its heights, so that what is drawn of it stays while nothing changes.
    let shown = Memo::new(move |_| {
        let seen = Seen { from_height: 0, to_height: 0, from_ms: 0 };
        Some(Orders { seen, ..known.get()? })
    });
    let option = move |slot: u64| {
        view! {
            <option value=slot.to_string() prop:selected=move || desk.trade.get() == Some(slot)>
                {clock::moment(energy::starts_ms(slot))}
            </option>
        }
    };
    view! {
        <Show when=move || has_book.get()>
            <section class="card" aria-labelledby="orders-title" id="orders">
                <div class="card-head">
                    <h2 id="orders-title">"Orders ahead"</h2>
                    <SeenBadge seen />
                </div>
                <p class="quiet">
                    "Buy and sell for a quarter of an hour before it begins. An order meets those that wait at their price; the rest waits, and ends when the slot begins."
                </p>
                <div class="move">
                    <label for="order-slot">"Quarter of an hour from"</label>
                    <select
                        id="order-slot"
                        class="text-field num"
                        on:change=move |event| desk.trade.set(event_target_value(&event).parse().ok())
                    >
                        {move || slots.get().unwrap_or_default().into_iter().map(option).collect_view()}
                    </select>
                </div>
                <NewOrder />
                {move || {
                    let (orders, community) = (shown.get(), desk.street.get()?);
                    Some(
                        match orders {
                            Some(orders) => view! { <Shown orders asset=community.asset /> }.into_any(),
                            None => {
                                view! { <p class="quiet">"Its book is not proved yet."</p> }.into_any()
                            }
                        },
                    )
                }}
            </section>
        </Show>
    }
}

/// What was typed.
#[derive(Debug, Clone, Copy)]
struct Draft {
    meter: RwSignal<Option<u32>>,
    side: RwSignal<Side>,
    energy: RwSignal<String>,
    limit: RwSignal<Option<String>>,
}

impl Draft {
    fn new() -> Self {
        Self {
            meter: RwSignal::new(None),
            side: RwSignal::new(Side::Buy),
            energy: RwSignal::new(String::new()),
            limit: RwSignal::new(None),
        }
    }

    /// The meter that was chosen, or my first.
    fn meter(self, desk: Desk) -> Option<u32> {
        let mine = desk.mine();
        let chosen = self.meter.get();
        let found = mine.iter().find(|meter| Some(meter.number) == chosen);
        found.or_else(|| mine.first()).map(|meter| meter.number)
    }

    /// What stands in the field of the price: halfway between what the grid asks and pays, the way included,
    /// until something is typed.
    fn limit(self, desk: Desk) -> String {
        self.limit.get().unwrap_or_else(|| {
            let community = desk.street.read();
            let tariff = community.as_ref().map(|one| one.rules.tariff);
            tariff.map_or_else(String::new, |tariff| {
                typed(match self.side.get() {
                    Side::Buy => tariff.mid() + tariff.grid_fee,
                    Side::Sell => tariff.mid(),
                })
            })
        })
    }

    /// The order; none: something in it is no number, or nothing.
    fn read(self, desk: Desk) -> Option<Order> {
        let quantity_wh = u64::try_from(money::read(&self.energy.read(), KWH_DECIMALS)?).ok()?;
        let limit = price_of(&self.limit(desk))?;
        (quantity_wh > 0).then_some(Order { side: self.side.get(), limit, quantity_wh })
    }
}

/// A new order, and what it would meet.
#[component]
fn NewOrder() -> impl IntoView {
    let desk = Desk::get();
    let draft = Draft::new();
    let unit = move || desk.street.read().as_ref().map(|one| symbol(&one.asset));
    let met = Memo::new(move |_| {
        let (id, slot) = (desk.chosen.get()?, desk.trade.get()?);
        let order = draft.read(desk)?;
        desk.look(|scene| energy::meets(scene, id, slot, &order)).map(|met| (order, met))
    });
    let begin = move |_| {
        let (slot, meter) = (desk.trade.get_untracked(), untrack(|| draft.meter(desk)));
        let order = untrack(|| draft.read(desk));
        let community = desk.street.get_untracked();
        let (Some(slot), Some(meter), Some(order), Some(community)) =
            (slot, meter, order, community)
        else {
            return;
        };
        let (title, bound, warning) = match order.side {
            Side::Buy => ("Buy ahead", "Pay at most, fee included", BUYING),
            Side::Sell => ("Sell ahead", "Take at least", SELLING),
        };
        let lines = vec![
            ("Slot", clock::moment(energy::starts_ms(slot))),
            ("Meter", meter.to_string()),
            ("Energy", wh(order.quantity_wh)),
            (bound, price(order.limit, &community.asset)),
        ];
        let Order { side, limit, quantity_wh } = order;
        desk.begin(title, lines, warning, Wish::Place { slot, meter, side, limit, quantity_wh });
    };
    let side = move |event| {
        let is_sale = event_target_value(&event) == "sell";
        draft.side.set(if is_sale { Side::Sell } else { Side::Buy });
    };
    let bound = move || match draft.side.get() {
        Side::Buy => "Pay at most per kWh, fee included",
        Side::Sell => "Take at least per kWh",
    };
    let meters =
        Memo::new(move |_| desk.mine().into_iter().map(|meter| meter.number).collect::<Vec<u32>>());
    let option = |number: u32| {
        view! { <option value=number.to_string()>{format!("Meter {number}")}</option> }
    };
    view! {
        <div class="pair pair--form">
            <div class="labelled">
                <label for="order-meter">"For"</label>
                <select
                    id="order-meter"
                    class="text-field"
                    on:change=move |event| draft.meter.set(event_target_value(&event).parse().ok())
                >
                    {move || meters.get().into_iter().map(option).collect_view()}
                </select>
            </div>
            <div class="labelled">
                <label for="order-side">"I want to"</label>
                <select id="order-side" class="text-field" on:change=side>
                    <option value="buy">"buy"</option>
                    <option value="sell">"sell"</option>
                </select>
            </div>
            <div class="labelled">
                <label for="order-energy">"Energy, kWh"</label>
                <input
                    id="order-energy"
                    class="text-field num"
                    inputmode="decimal"
                    autocomplete="off"
                    placeholder="0.000"
                    on:input=move |event| draft.energy.set(event_target_value(&event))
                />
            </div>
            <div class="labelled">
                <label for="order-limit">{bound}</label>
                <div class="with-unit">
                    <input
                        id="order-limit"
                        class="text-field num"
                        inputmode="decimal"
                        autocomplete="off"
                        prop:value=move || draft.limit(desk)
                        on:input=move |event| draft.limit.set(Some(event_target_value(&event)))
                    />
                    <span>{unit}</span>
                </div>
            </div>
        </div>
        <p class="quiet num" id="order-told" aria-live="polite">
            {move || {
                let order = draft.read(desk)?;
                let community = desk.street.get()?;
                Some(match met.get() {
                    Some((order, met)) => told(&order, &met, &community.asset),
                    None if is_below_fee(&order, community.rules.tariff) => {
                        "That is less than the fee for the way.".to_owned()
                    }
                    None => "Its book is not proved yet.".to_owned(),
                })
            }}
        </p>
        <div class="dialog-actions">
            <button
                class="button button--strong"
                type="button"
                data-do="order"
                disabled=move || met.read().is_none() || meters.read().is_empty()
                on:click=begin
            >
                {move || match draft.side.get() {
                    Side::Buy => "Buy ahead",
                    Side::Sell => "Sell ahead",
                }}
            </button>
        </div>
    }
}

const BUYING: &str = "A trade stands, whatever you will use: what you bought and do not take goes to the grid for what it pays. Others may be quicker than this page.";
const SELLING: &str = "A trade stands, whatever the sun does: what you sold and do not feed in you buy from the grid at its price. That much is set aside until the slot is settled.";

/// Whether a bid pays not even for the way.
fn is_below_fee(order: &Order, tariff: Tariff) -> bool {
    order.side == Side::Buy && order.limit < tariff.grid_fee
}

/// What an order would meet, in words.
fn told(order: &Order, met: &Met, asset: &Asset) -> String {
    let at_once = match (met.now_wh, order.side) {
        (0, _) => "Nothing at once.".to_owned(),
        (now, Side::Buy) => format!(
            "{} at once for {}; the grid asks {}.",
            wh(now),
            named(met.money, asset),
            named(met.grid, asset)
        ),
        (now, Side::Sell) => format!(
            "{} at once for {}; the grid pays {}.",
            wh(now),
            named(met.money, asset),
            named(met.grid, asset)
        ),
    };
    let waits = match met.waits_wh {
        0 => String::new(),
        waits => format!(" {} would wait.", wh(waits)),
    };
    let held = named(met.held, asset);
    format!("{at_once}{waits} Set aside until it is settled: {held}.")
}

/// A book as it stands.
#[component]
fn Shown(orders: Orders, asset: Asset) -> impl IntoView {
    let desk = Desk::get();
    let fee = orders.rules.tariff.grid_fee;
    let words = nearest(&orders.bids, &orders.offers, &asset);
    let (bids, offers) = (orders.bids, orders.offers);
    let is_empty = bids.is_empty() && offers.is_empty();
    let curves = if is_empty {
        view! { <p class="quiet" id="book-depth">{words}</p> }.into_any()
    } else {
        view! { <Curves bids offers cross=None words id="book-depth" /> }.into_any()
    };
    let booked = orders.booked.iter().map(|(meter, booked)| {
        let (bought, sold) = (wh(booked.bought_wh), wh(booked.sold_wh));
        let cost = named(booked.cost.div_ceil(1_000), &asset);
        let revenue = named(booked.revenue / 1_000, &asset);
        let words =
            format!("Meter {meter} bought {bought} for {cost} and sold {sold} for {revenue}");
        view! { <li class="num">{words}</li> }
    });
    let booked = booked.collect_view();
    let mine: Vec<Waiting> = orders.mine;
    let slot = desk.trade.get_untracked().unwrap_or_default();
    let row = |one: &Waiting| {
        let Waiting { order, side, quantity_wh, .. } = *one;
        let words = match side {
            Side::Buy => format!("Buy {} at {}", wh(quantity_wh), price(one.price + fee, &asset)),
            Side::Sell => format!("Sell {} at {}", wh(quantity_wh), price(one.price, &asset)),
        };
        let lines = vec![("Order", words.clone())];
        let back = move |_| {
            let warning = "What is set aside for it is free again.";
            desk.begin("Take an order back", lines.clone(), warning, Wish::Cancel(slot, order));
        };
        view! {
            <li class="payment">
                <div class="row-words">
                    <span class="num">{words}</span>
                    <span class="quiet">"waits until the slot begins"</span>
                </div>
                <button class="button button--quiet" type="button" data-do="take-back" on:click=back>
                    "Take back"
                </button>
            </li>
        }
    };
    let deal = |one: &Supply| {
        let words = format!(
            "Meter {} to meter {}: {} at {}",
            one.from,
            one.to,
            wh(one.quantity_wh),
            price(one.price, &asset)
        );
        view! { <li class="num">{words}</li> }
    };
    view! {
        {curves}
        <ul class="supplies" id="booked">{booked}</ul>
        {(!mine.is_empty()).then(|| view! { <h3>"My orders"</h3> })}
        <ul class="payments" id="my-orders">{mine.iter().map(row).collect_view()}</ul>
        {(!orders.deals.is_empty()).then(|| view! { <h3>"Newest trades"</h3> })}
        <ul class="supplies" id="deals">
            {orders.deals.iter().take(DEALS_SHOWN).map(deal).collect_view()}
        </ul>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_order_meets_is_said_with_what_the_grid_would_ask() {
        let asset = Asset { id: 0, symbol: String::new(), decimals: 6, issuer: None };
        let order = Order { side: Side::Buy, limit: 200_000, quantity_wh: 1_000 };
        let met = Met { now_wh: 800, money: 146_000, grid: 240_000, waits_wh: 200, held: 186_001 };
        let words = told(&order, &met, &asset).replace('\u{a0}', " ");
        assert_eq!(
            words,
            "800 Wh at once for 0.146 STAR; the grid asks 0.24 STAR. 200 Wh would wait. Set aside until it is settled: 0.186001 STAR."
        );
    }
}
