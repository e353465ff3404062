//! Meters: how mine are, a new one, and what others' say of themselves.

use leptos::prelude::*;
use wallet::energy::{self, Meter, Wish};

use crate::format::{counted, short_key};

use super::clock;
use super::desk::Desk;
use super::words::{SOURCES, power, source, trust};

/// W of a house's connection, as a form begins with: three phases of 25 A.
const HOUSE_W: u32 = 17_250;

/// The card of my meters.
#[component]
pub(super) fn Meters() -> impl IntoView {
    let desk = Desk::get();
    let is_member =
        Memo::new(move |_| desk.community.read().as_ref().is_some_and(|one| one.me.is_some()));
    let known = Memo::new(move |_| desk.meters.read().is_some());
    let mine = Memo::new(move |_| desk.mine());
    let row = move |meter: Meter| {
        let remove = mine_removed(desk, &meter);
        view! { <Row meter>{remove}</Row> }
    };
    view! {
        <Show when=move || is_member.get()>
            <section class="card" aria-labelledby="meters-title" id="meters">
                <h2 id="meters-title">"My meters"</h2>
                <p class="quiet" hidden=move || known.get()>
                    "Meters are not all proved yet."
                </p>
                <p class="quiet" hidden=move || !known.get() || !mine.read().is_empty()>
                    "None yet. A meter reads from the slot after the one in which it comes."
                </p>
                <ul class="payments">{move || mine.get().into_iter().map(row).collect_view()}</ul>
                <Bring />
            </section>
        </Show>
    }
}

fn mine_removed(desk: Desk, meter: &Meter) -> impl IntoView + use<> {
    let (number, waits) = (meter.number, meter.open > 0 || meter.health.is_cut);
    let remove = move |_| {
        let lines = vec![("Meter", number.to_string())];
        desk.begin(
            "Take a meter away",
            lines,
            "Its key may come back later.",
            Wish::RemoveMeter(number),
        );
    };
    view! {
        <button class="button button--quiet" type="button" disabled=waits on:click=remove>
            "Take away"
        </button>
    }
}

/// A meter, how it is, and what may be done with it.
#[component]
pub(super) fn Row(meter: Meter, children: Children) -> impl IntoView {
    let Meter { number, health, .. } = meter;
    let last = health.last.map_or_else(
        || "no reading yet".to_owned(),
        |slot| format!("last reading of {}", clock::moment(energy::starts_ms(slot))),
    );
    let missing = match health.missing {
        None => "missing slots are not known yet".to_owned(),
        Some(0) => "none missing on this day".to_owned(),
        Some(many) => {
            let many = counted(many.into(), "slot missing", "slots missing");
            format!("{many} on this day, {} still in time", health.in_time)
        }
    };
    let key = match meter.device {
        Some(_) => "its key follows from this account\u{2019}s",
        None if meter.is_mine => "its key is elsewhere: it reads by itself",
        None => "",
    };
    let from = clock::moment(energy::starts_ms(meter.from_slot));
    let owner =
        if meter.is_mine { String::new() } else { format!("of {}", short_key(&meter.owner)) };
    let facts = [
        owner,
        source(meter.source).to_owned(),
        power(meter.connection_w),
        trust(meter.trust).to_owned(),
        format!("reads from {from}"),
        key.to_owned(),
    ];
    let facts = facts.into_iter().filter(|one| !one.is_empty()).collect::<Vec<_>>().join(", ");
    let bad = health.missing.is_some_and(|missing| missing > 0);
    view! {
        <li class="payment" id=format!("meter-{number}")>
            <div class="row-words">
                <strong class="num">{format!("Meter {number}")}</strong>
                <span class="quiet num">{facts}</span>
                <span class="quiet num" class:quiet--warn=bad>
                    {format!("{last}; {missing}; {} waiting", meter.open)}
                </span>
                {meter
                    .friend
                    .map(|friend| {
                        view! {
                            <span class="quiet num">{format!("meter {} first", friend.meter)}</span>
                        }
                    })}
                {health
                    .is_cut
                    .then(|| {
                        view! {
                            <span class="problem problem--warn" role="status">
                                "Cut: it said two things of one slot, or traded more than it metered. It trades no more, and what it said of slots that wait is left out."
                            </span>
                        }
                    })}
                {(!meter.is_trusted)
                    .then(|| {
                        view! {
                            <span class="quiet quiet--warn">
                                "The community asks for more trust: the operator says how far a meter is trusted."
                            </span>
                        }
                    })}
            </div>
            {children()}
        </li>
    }
}

/// A new meter.
#[component]
fn Bring() -> impl IntoView {
    let desk = Desk::get();
    let watts = RwSignal::new(HOUSE_W.to_string());
    let chosen = RwSignal::new(0_usize);
    let free = move || energy::free_device(&desk.book.read(), &desk.ledger.view.read().meter_keys);
    let device = move || free().flatten();
    let used_up = move || free() == Some(None);
    let connection = move || watts.read().trim().parse::<u32>().ok().filter(|watts| *watts > 0);
    let begin = move |_| {
        let (device, connection_w) = (untrack(device), untrack(connection));
        let (Some(device), Some(connection_w)) = (device, connection_w) else { return };
        let from = SOURCES.get(chosen.get_untracked()).copied().unwrap_or(energy::Source::Unknown);
        let lines =
            vec![("Energy from", source(from).to_owned()), ("Connection", power(connection_w))];
        desk.begin(
            "Bring a meter",
            lines,
            "This key says who said something, not that it is so: neighbours see \u{201c}self-reported\u{201d} until the operator trusts it further.",
            Wish::AddMeter { device, source: from, connection_w },
        );
    };
    let option = |(at, one): (usize, energy::Source)| {
        view! { <option value=at.to_string()>{source(one)}</option> }
    };
    view! {
        <div class="move">
            <label for="meter-source">"Energy from"</label>
            <select
                id="meter-source"
                class="text-field"
                on:change=move |event| {
                    chosen.set(event_target_value(&event).parse().unwrap_or_default());
                }
            >
                {SOURCES.into_iter().enumerate().map(option).collect_view()}
            </select>
            <label for="meter-watts">"Connection, W"</label>
            <input
                id="meter-watts"
                class="text-field num"
                inputmode="numeric"
                prop:value=move || watts.get()
                on:input=move |event| watts.set(event_target_value(&event))
            />
            <button
                class="button"
                type="button"
                data-do="bring"
                disabled=move || device().is_none() || connection().is_none()
                on:click=begin
            >
                "Bring a meter"
            </button>
            <p class="quiet quiet--warn" role="status" hidden=move || !used_up()>
                "Every key of your account has a meter, here or in another community, and a key serves one. Remove a meter there, or bring it with another account."
            </p>
        </div>
    }
}
