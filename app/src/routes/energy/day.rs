//! A day of mine: chart, sums, and every slot in a table.

use leptos::prelude::*;
use wallet::energy::{self, Asset, Day, Flow, Shown, State};

use super::chart::{DayChart, PriceChart, day_name};
use super::clock;
use super::desk::Desk;
use super::seen::SettledBadge;
use super::street::Days;
use super::words::{energy as wh, price, signed, state};

/// The card of the day.
#[component]
pub(super) fn Today() -> impl IntoView {
    let desk = Desk::get();
    let seen = Signal::derive(move || desk.day.read().as_ref().and_then(|day| day.seen));
    view! {
        <section class="card" aria-labelledby="day-title" id="day">
            <div class="card-head">
                <h2 id="day-title" class="num" aria-live="polite">
                    {move || day_name(desk)}
                </h2>
                <SettledBadge seen />
            </div>
            <Days />
            {move || {
                let (day, community) = (desk.day.get(), desk.street.get());
                day.zip(community).map(|(day, one)| view! { <Sums day asset=one.asset /> })
            }}
            <DayChart />
            <PriceChart />
            <Table />
        </section>
    }
}

#[component]
fn Sums(day: Day, asset: Asset) -> impl IntoView {
    let Flow { import_wh, export_wh, local_import_wh, local_export_wh, left_wh, .. } =
        energy::sum(&day.slots);
    let settled: Vec<Shown> =
        day.slots.iter().copied().filter(|one| matches!(one.state, State::Settled(_))).collect();
    let money = energy::sum(&settled);
    let net = i128::try_from(money.paid).unwrap_or(i128::MAX)
        - i128::try_from(money.got).unwrap_or(i128::MAX);
    let fact = |id: &'static str, name: &'static str, value: String, more: String| {
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd>
                    <span class="fact-value num" id=id>
                        {value}
                    </span>
                    <span class="quiet num">{more}</span>
                </dd>
            </div>
        }
    };
    let missing: usize = day.slots.iter().map(|shown| shown.missing).sum();
    view! {
        <dl class="facts-row">
            {fact("day-taken", "Taken", wh(import_wh), format!("{} from neighbours", wh(local_import_wh)))}
            {fact("day-given", "Given", wh(export_wh), format!("{} to neighbours", wh(local_export_wh)))}
            {fact(
                "day-paid",
                "Paid, less what you got",
                signed(net, &asset),
                format!("of {} settled slots", settled.len()),
            )}
            {fact(
                "day-saved",
                "Saved against the grid alone",
                signed(money.saved(), &asset),
                format!("certificates left: {}", wh(left_wh)),
            )}
        </dl>
        <p class="quiet quiet--warn" id="day-missing" role="status">
            {match missing {
                0 => String::new(),
                1 => "One reading is missing: a silent meter trades nothing in that slot.".to_owned(),
                many => format!("{many} readings are missing: a silent meter trades nothing in those slots."),
            }}
        </p>
    }
}

/// Every slot, for those who want numbers, and to choose one.
#[component]
fn Table() -> impl IntoView {
    let desk = Desk::get();
    let rows = move || {
        let (day, community) = (desk.day.get(), desk.street.get());
        let (Some(day), Some(community)) = (day, community) else { return ().into_any() };
        let told = |shown: &Shown| {
            shown.readings > 0 || shown.missing > 0 || matches!(shown.state, State::Running)
        };
        let rows: Vec<Shown> = day.slots.into_iter().rev().filter(told).collect();
        rows.into_iter()
            .map(|shown| view! { <Row shown asset=community.asset.clone() /> })
            .collect_view()
            .into_any()
    };
    view! {
        <details class="slots" id="slots">
            <summary>"Every slot as a table"</summary>
            <table class="peers">
                <thead>
                    <tr>
                        <th scope="col">"Slot"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="right">"Taken"</th>
                        <th scope="col" class="right">"of it local"</th>
                        <th scope="col" class="right">"Given"</th>
                        <th scope="col" class="right">"of it local"</th>
                        <th scope="col" class="right">"Price"</th>
                        <th scope="col" class="right">"Saved"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
}

#[component]
fn Row(shown: Shown, asset: Asset) -> impl IntoView {
    let desk = Desk::get();
    let slot = shown.slot;
    let flow = shown.mine.unwrap_or_default();
    let settled = matches!(shown.state, State::Settled(_));
    let of = |wh_read: u64, known: bool| match (shown.mine, known) {
        (None, _) if shown.missing > 0 => "missing".to_owned(),
        (None, _) => "\u{2013}".to_owned(),
        (_, false) => "\u{2026}".to_owned(),
        (Some(_), true) => wh(wh_read),
    };
    let traded = match shown.state {
        State::Settled(summary) if summary.price > 0 => price(summary.price, &asset),
        State::Settled(_) => "nobody traded".to_owned(),
        _ => "\u{2026}".to_owned(),
    };
    view! {
        <tr data-slot=slot aria-current=move || (desk.slot.get() == Some(slot)).then_some("true")>
            <th scope="row" class="num">
                <button class="button button--quiet" type="button" on:click=move |_| desk.slot.set(Some(slot))>
                    {clock::slot(slot)}
                </button>
            </th>
            <td data-label="State">{how(&shown)}</td>
            <td class="num right" data-label="Taken">{of(flow.import_wh, true)}</td>
            <td class="num right" data-label="of it local">{of(flow.local_import_wh, settled)}</td>
            <td class="num right" data-label="Given">{of(flow.export_wh, true)}</td>
            <td class="num right" data-label="of it local">{of(flow.local_export_wh, settled)}</td>
            <td class="num right" data-label="Price">{traded}</td>
            <td class="num right" data-label="Saved">
                {if settled { signed(flow.saved(), &asset) } else { "\u{2026}".to_owned() }}
            </td>
        </tr>
    }
}

/// How far a slot is, and whether readings of it were corrected.
fn how(shown: &Shown) -> String {
    match shown.revised {
        0 => state(&shown.state),
        _ => format!("{}, corrected", state(&shown.state)),
    }
}
