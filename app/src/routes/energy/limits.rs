//! For what a meter's energy is traded in an auction: sliders, and what settled slots of the day that is
//! looked at would have come to with them.

use leptos::prelude::*;
use wallet::energy::{self, Asset, Limits, Meter, Mode, Tariff, WhatIf, Wish};

use super::clock;
use super::desk::Desk;
use super::words::{energy as wh, price, signed};

/// Steps of a slider.
const STEPS: u64 = 200;

/// A card for each of my meters.
#[component]
pub(super) fn LimitCards() -> impl IntoView {
    let desk = Desk::get();
    let numbers =
        Memo::new(move |_| desk.mine().into_iter().map(|meter| meter.number).collect::<Vec<_>>());
    move || numbers.get().into_iter().map(|number| view! { <Card number /> }).collect_view()
}

#[component]
fn Card(number: u32) -> impl IntoView {
    let desk = Desk::get();
    let known = Memo::new(move |_| {
        let community = desk.community.read();
        let community = community.as_ref()?;
        let meter = desk.mine().into_iter().find(|one| one.number == number)?;
        Some((meter, community.rules, community.asset.clone()))
    });
    // The sliders stay where a finger put them while blocks come.
    let first = Memo::new(move |before: Option<&Option<_>>| {
        before.cloned().flatten().or_else(|| known.get())
    });
    move || {
        first.get().map(|(meter, rules, asset)| {
            view! { <Sliders meter tariff=rules.tariff mode=rules.mode asset /> }
        })
    }
}

#[component]
fn Sliders(meter: Meter, tariff: Tariff, mode: Mode, asset: Asset) -> impl IntoView {
    let desk = Desk::get();
    let number = meter.number;
    let now = meter.next.map_or(meter.limits, |(_, limits)| limits);
    let (buy, sell) = (RwSignal::new(now.buy), RwSignal::new(now.sell));
    let limits = Memo::new(move |_| Limits { buy: buy.get(), sell: sell.get() });
    let holds = Memo::new(move |_| desk.mine().into_iter().find(|one| one.number == number));
    let asset = StoredValue::new(asset);
    let begin = move |_| {
        let Limits { buy, sell } = limits.get_untracked();
        let told = asset.with_value(|asset| {
            vec![("Pay at most", price(buy, asset)), ("Take at least", price(sell, asset))]
        });
        let warning = "They hold from the next slot on: who has seen others\u{2019} readings of a slot can\u{2019}t answer them.";
        let wish = Wish::Limits(number, limits.get_untracked());
        desk.begin(format!("Set limits of meter {number}"), told, warning, wish);
    };
    let note = match mode {
        Mode::Auction => {
            "One price for all in each slot; you trade with neighbours only within these, and with the grid for the rest."
        }
        Mode::Sharing => {
            "This community shares at one price in the middle, so limits change nothing now. They would count in an auction: try it below."
        }
        Mode::Book => {
            "This community trades by orders, so limits change nothing now. They would count in an auction: try it below."
        }
    };
    let holding = move || {
        let meter = holds.get()?;
        let asset = asset.get_value();
        let words = |limits: Limits| {
            format!(
                "pay at most {}, take at least {}",
                price(limits.buy, &asset),
                price(limits.sell, &asset)
            )
        };
        Some(match meter.next {
            Some((from, next)) => format!(
                "Now: {}. From {}: {}.",
                words(meter.limits),
                clock::time(energy::starts_ms(from)),
                words(next)
            ),
            None => format!("Now: {}.", words(meter.limits)),
        })
    };
    view! {
        <section class="card" aria-labelledby=format!("limits-title-{number}") id=format!("limits-{number}")>
            <h2 id=format!("limits-title-{number}")>{format!("Limits of meter {number}")}</h2>
            <p class="quiet">{note}</p>
            <Slider id=format!("buy-{number}") name="Pay at most, fee included" value=buy tariff asset />
            <Slider id=format!("sell-{number}") name="Take at least" value=sell tariff asset />
            <p class="quiet num" id=format!("holding-{number}")>{holding}</p>
            <button
                class="button"
                type="button"
                data-do="limits"
                disabled=move || holds.read().as_ref().is_none_or(|one| one.next.map_or(one.limits, |(_, next)| next) == limits.get())
                on:click=begin
            >
                "Set these limits"
            </button>
            <Tried number limits mode asset />
        </section>
    }
}

#[component]
fn Slider(
    id: String,
    name: &'static str,
    value: RwSignal<u64>,
    tariff: Tariff,
    asset: StoredValue<Asset>,
) -> impl IntoView {
    // From what the grid gives to what it asks, and a tenth more: beyond, neighbours never help.
    let top = (tariff.retail + tariff.retail / 10).max(1);
    let step = (top / STEPS).max(1);
    let words = move || asset.with_value(|asset| price(value.get(), asset));
    let input = move |event| {
        if let Ok(typed) = event_target_value(&event).parse() {
            value.set(typed);
        }
    };
    view! {
        <div class="choice">
            <div class="choice-head">
                <label for=id.clone()>{name}</label>
                <output class="num" for=id.clone()>
                    {words}
                </output>
            </div>
            <input
                id=id
                type="range"
                min="0"
                max=top.to_string()
                step=step.to_string()
                prop:value=move || value.get().to_string()
                aria-valuetext=words
                on:input=input
            />
        </div>
    }
}

/// What settled slots would have come to with other limits.
#[component]
fn Tried(
    number: u32,
    limits: Memo<Limits>,
    mode: Mode,
    asset: StoredValue<Asset>,
) -> impl IntoView {
    let desk = Desk::get();
    let told = Memo::new(move |_| {
        let span = desk.span.get()?;
        let limits = limits.get();
        desk.look(|scene| Some(energy::what_if(scene, span, number, limits, Mode::Auction)))
    });
    let heading = match mode {
        Mode::Auction => "With these limits, the day above",
        Mode::Sharing | Mode::Book => "In an auction with these limits, the day above",
    };
    view! { <WouldBe told heading id=format!("what-if-{number}") asset /> }
}

/// A line of a bill: what it was, and what it becomes where that is something else.
pub(super) fn becomes(name: &'static str, was: String, would: String) -> impl IntoView {
    let changed = was != would;
    view! {
        <div>
            <dt>{name}</dt>
            <dd>
                <span class:was=changed>{was}</span>
                {changed
                    .then(|| {
                        view! {
                            <span aria-hidden="true">" \u{2192} "</span>
                            <strong>{would}</strong>
                        }
                    })}
            </dd>
        </div>
    }
}

/// What settled slots came to, and would have come to.
#[component]
pub(super) fn WouldBe(
    told: Memo<Option<WhatIf>>,
    heading: &'static str,
    id: String,
    asset: StoredValue<Asset>,
) -> impl IntoView {
    view! {
        <h3>{heading}</h3>
        <div aria-live="polite" id=id>
            {move || {
                let told = told.get()?;
                if told.slots == 0 {
                    let words = if told.unproved > 0 {
                        "Readings of its settled slots are being proved."
                    } else {
                        "None of its slots is settled yet. Look at the day before."
                    };
                    return Some(view! { <p class="quiet">{words}</p> }.into_any());
                }
                let asset = asset.get_value();
                let rest = if told.unproved > 0 {
                    format!(", {} more are being proved", told.unproved)
                } else {
                    String::new()
                };
                Some(
                    view! {
                        <dl class="bill num">
                            {becomes("Paid, less what you got", signed(told.was.net, &asset), signed(told.would.net, &asset))}
                            {becomes("From neighbours", wh(told.was.local_import_wh), wh(told.would.local_import_wh))}
                            {becomes("To neighbours", wh(told.was.local_export_wh), wh(told.would.local_export_wh))}
                        </dl>
                        <p class="quiet num">
                            {format!("{} settled slots, cleared again by the ledger\u{2019}s own code{rest}. Others\u{2019} choices and readings stay as they were.", told.slots)}
                        </p>
                    }
                        .into_any(),
                )
            }}
        </div>
    }
}
