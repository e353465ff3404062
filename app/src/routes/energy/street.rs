//! What a whole street does on a day: for who has no meter in it, and slot by slot for who settles.

use leptos::prelude::*;
use wallet::energy::{Asset, Shown, State, Summary};

use crate::components::fact::fact;
use crate::format::counted;

use super::chart::{PriceChart, day_name};
use super::clock;
use super::desk::{DAYS_MAX, Desk};
use super::seen::SettledBadge;
use super::words::{energy as wh, price, state};

/// Settled slots in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sums {
    slots: u64,
    local_wh: u128,
    from_grid_wh: u128,
    to_grid_wh: u128,
    /// Wh times price of what was traded, so that the mean is of energy, not of slots.
    worth: u128,
}

impl Sums {
    fn of(slots: &[Shown]) -> Self {
        let mut sums = Self::default();
        for shown in slots {
            let State::Settled(summary) = shown.state else { continue };
            let Summary { volume_wh, price, grid_in_wh, grid_out_wh, .. } = summary;
            sums.slots += 1;
            sums.local_wh += u128::from(volume_wh);
            sums.from_grid_wh += u128::from(grid_in_wh);
            sums.to_grid_wh += u128::from(grid_out_wh);
            sums.worth += u128::from(volume_wh) * u128::from(price);
        }
        sums
    }

    /// The mean price between neighbours; none: nobody traded.
    fn mean(&self) -> Option<u64> {
        u64::try_from(self.worth.checked_div(self.local_wh)?).ok()
    }
}

/// Whether somebody only looks at the day: whoever has a meter, or had one then, has a day of their own.
pub(super) fn watches(desk: Desk) -> Memo<bool> {
    Memo::new(move |before: Option<&bool>| {
        // While a new meter is being proved nothing is known.
        if desk.meters.read().is_none() {
            return before.copied().unwrap_or_default();
        }
        let day = desk.day.read();
        let slots = day.as_ref().map(|day| day.slots.as_slice()).unwrap_or_default();
        desk.mine().is_empty() && !slots.iter().any(|shown| shown.mine.is_some())
    })
}

/// The street's day, for who looks at it without a meter.
#[component]
pub(super) fn StreetDay() -> impl IntoView {
    let desk = Desk::get();
    let watches = watches(desk);
    let is_member =
        Memo::new(move |_| desk.street.read().as_ref().is_some_and(|one| one.me.is_some()));
    let note = move || {
        if is_member.get() {
            "You have no meter here: you trade and pay nothing, and see what the street does. A home that only takes power needs a meter as well: one that reads every 15 minutes, or a file of its readings. What was taken by a profile, not metered, your retailer bills as before. Bring a meter below whenever you have one; you can leave at any time."
        } else {
            "What the street does, for everybody to see. Who joins needs no meter at first: one can come later."
        }
    };
    let sums = Memo::new(move |_| {
        let day = desk.day.read();
        Sums::of(day.as_ref().map(|day| day.slots.as_slice()).unwrap_or_default())
    });
    let seen = Signal::derive(move || desk.day.read().as_ref().and_then(|day| day.seen));
    view! {
        <Show when=move || watches.get()>
            <section class="card" aria-labelledby="street-title" id="street-day">
                <div class="card-head">
                    <h2 id="street-title" class="num" aria-live="polite">
                        {move || format!("The street: {}", day_name(desk))}
                    </h2>
                    <SettledBadge seen />
                </div>
                <p class="quiet" id="watching">
                    {note}
                </p>
                <Days />
                {move || desk.street.get().map(|one| view! { <Facts sums=sums.get() asset=one.asset /> })}
                <PriceChart />
                <SlotTable />
            </section>
        </Show>
    }
}

#[component]
fn Facts(sums: Sums, asset: Asset) -> impl IntoView {
    let mean =
        sums.mean().map_or_else(|| "nobody traded yet".to_owned(), |mean| price(mean, &asset));
    view! {
        <dl class="facts-row">
            {fact("Among neighbours", wh(sums.local_wh), ())}
            {fact("From the grid", wh(sums.from_grid_wh), ())}
            {fact("To the grid", wh(sums.to_grid_wh), ())}
            {fact("Mean price between neighbours", mean, ())}
            {fact("Settled", counted(sums.slots, "slot", "slots"), ())}
        </dl>
    }
}

/// The day before, and the day after.
#[component]
pub(super) fn Days() -> impl IntoView {
    let desk = Desk::get();
    let go = move |by: i64| {
        desk.days_ago.update(|ago| *ago = ago.saturating_add_signed(by).min(DAYS_MAX));
    };
    view! {
        <div class="ways">
            <button
                class="button"
                type="button"
                data-do="day-before"
                disabled=move || { desk.days_ago.get() >= DAYS_MAX }
                on:click=move |_| go(1)
            >
                "Day before"
            </button>
            <button
                class="button"
                type="button"
                disabled=move || desk.days_ago.get() == 0
                on:click=move |_| go(-1)
            >
                "Day after"
            </button>
        </div>
    }
}

/// Slots of the day that were read or traded, the newest first.
pub(super) fn told_slots(desk: Desk) -> Vec<Shown> {
    let day = desk.day.read();
    let all = day.as_ref().map(|day| day.slots.clone()).unwrap_or_default();
    let waits =
        |one: &Shown| matches!(one.state, State::Open { .. } | State::Due | State::Settled(_));
    all.into_iter().rev().filter(waits).collect()
}

/// The street's slots as a table, to choose one.
#[component]
pub(super) fn SlotTable() -> impl IntoView {
    let desk = Desk::get();
    let slots = Memo::new(move |_| told_slots(desk));
    let row = |shown: Shown| view! { <SlotRow shown /> };
    view! {
        <details class="slots">
            <summary>"Slots that were read or traded"</summary>
            <table class="peers">
                <thead>
                    <tr>
                        <th scope="col">"Slot"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="right">"Readings"</th>
                        <th scope="col" class="right">"Among neighbours"</th>
                        <th scope="col" class="right">"From the grid"</th>
                    </tr>
                </thead>
                <tbody>{move || slots.get().into_iter().map(row).collect_view()}</tbody>
            </table>
        </details>
    }
}

#[component]
fn SlotRow(shown: Shown) -> impl IntoView {
    let desk = Desk::get();
    let slot = shown.slot;
    let (local, grid) = match shown.state {
        State::Settled(summary) => (wh(summary.volume_wh), wh(summary.grid_in_wh)),
        _ => ("\u{2026}".to_owned(), "\u{2026}".to_owned()),
    };
    view! {
        <tr data-slot=slot aria-current=move || (desk.slot.get() == Some(slot)).then_some("true")>
            <th scope="row" class="num">
                <button class="button button--quiet" type="button" on:click=move |_| desk.slot.set(Some(slot))>
                    {clock::slot(slot)}
                </button>
            </th>
            <td data-label="State">{state(&shown.state)}</td>
            <td class="num right" data-label="Readings">{readings(&shown)}</td>
            <td class="num right" data-label="Among neighbours">{local}</td>
            <td class="num right" data-label="From the grid">{grid}</td>
        </tr>
    }
}

/// How many readings a slot has, and how many of them were corrected.
fn readings(shown: &Shown) -> String {
    match shown.revised {
        0 => shown.readings.to_string(),
        revised => format!("{}, {revised} corrected", shown.readings),
    }
}

#[cfg(test)]
mod tests {
    use wallet::energy::{Mode, Rules, Tariff, Trust};

    use super::*;

    #[test]
    fn a_street_is_summed_over_what_is_settled() {
        let tariff = Tariff { retail: 300_000, feed_in: 80_000, grid_fee: 50_000 };
        let rules =
            Rules { mode: Mode::Sharing, tariff, loss_ppm: 0, trust_min: Trust::SelfReported };
        let shown = |state| Shown {
            slot: 1,
            state,
            rules,
            readings: 2,
            revised: 1,
            mine: None,
            missing: 0,
        };
        let settled = |volume_wh, price| {
            let grid_in_wh = 40;
            State::Settled(Summary { volume_wh, price, grid_in_wh, ..Summary::default() })
        };
        let slots = [shown(settled(100, 200_000)), shown(settled(300, 100_000)), shown(State::Due)];
        let sums = Sums::of(&slots);
        assert_eq!((sums.slots, sums.local_wh, sums.from_grid_wh), (2, 400, 80));
        assert_eq!(sums.mean(), Some(125_000), "of energy, not of slots");
        assert_eq!(Sums::of(&slots[2..]).mean(), None);
        assert_eq!(readings(&slots[0]), "2, 1 corrected");
    }
}
