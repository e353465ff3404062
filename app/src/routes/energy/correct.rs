//! Corrections of what my meters said, of a file that differs from what was signed, with what comes of them before
//! they are signed.

use leptos::prelude::*;
use wallet::energy::{self, Asset, Change, Corrections, Meter, Said, Stays};

use crate::format::counted;

use super::clock;
use super::desk::Desk;
use super::limits::becomes;
use super::signing::ask;
use super::words::{energy as wh, named, signed};

/// Most changed slots that are listed.
const SHOWN_MAX: usize = 8;
/// Most slots whose readings are proved before others: a day of 25 hours.
const CORRECTING_MAX: usize = 100;

/// Sums of changed slots: Wh taken and given, before and after.
fn sums(changes: &[Change]) -> [(u64, u64); 2] {
    let all = |of: fn(&Said) -> u64| {
        let was: u64 = changes.iter().map(|one| of(&one.was)).sum();
        let now: u64 = changes.iter().map(|one| of(&one.now())).sum();
        (was, now)
    };
    [all(|said| said.import_wh), all(|said| said.export_wh)]
}

/// Before and after in one text.
fn arrow(was: String, now: String) -> String {
    if was == now { was } else { format!("{was} \u{2192} {now}") }
}

fn slots(count: usize) -> String {
    counted(u64::try_from(count).unwrap_or_default(), "slot", "slots")
}

/// Asks before corrections are signed.
pub(super) fn begin(desk: Desk, meter: &Meter, told: &Corrections) {
    let (Some(first), Some(last)) = (told.changes.first(), told.changes.last()) else { return };
    let Some(asset) = desk.community.get_untracked().map(|one| one.asset) else { return };
    let [taken, given] = sums(&told.changes);
    let short = desk.is_short.get_untracked();
    let money = match told.money.unproved {
        0 => arrow(signed(told.money.was.net, &asset), signed(told.money.would.net, &asset)),
        many => format!("not known yet: readings of {} {}", slots(many), waits(short)),
    };
    let readings: Vec<_> = told.changes.iter().map(|one| one.reading.clone()).collect();
    let lines = vec![
        ("Meter", meter.number.to_string()),
        ("From", clock::moment(energy::starts_ms(first.now().slot))),
        ("To", clock::moment(energy::starts_ms(last.now().slot + 1))),
        ("Corrected", slots(readings.len())),
        ("Taken", arrow(wh(taken.0), wh(taken.1))),
        ("Given", arrow(wh(given.0), wh(given.1))),
        ("Set aside", arrow(named(told.cover.0, &asset), named(told.cover.1, &asset))),
        ("To pay, as it stands", money),
    ];
    ask(desk, "Correct readings", lines, meter, &readings);
}

/// Lets all that waits be proved, as soon as there is something to compare it with.
pub(super) fn look_through(desk: Desk, told: Memo<Option<Corrections>>) {
    Effect::new(move |_| {
        let any = told.read().as_ref().is_some_and(|told| !told.changes.is_empty());
        if any && !desk.whole.get_untracked() {
            desk.whole.set(true);
        }
        let slots: Vec<u64> = told
            .read()
            .iter()
            .flat_map(|told| told.changes.iter().map(|one| one.was.slot))
            .take(CORRECTING_MAX)
            .collect();
        let before = desk.correcting.get_untracked();
        let mut all = slots.clone();
        all.extend(before.iter().filter(|slot| !slots.contains(slot)));
        all.truncate(CORRECTING_MAX);
        if all != before {
            desk.correcting.set(all);
        }
    });
}

/// What becomes of readings that are not proved.
const fn waits(is_short: bool) -> &'static str {
    if is_short {
        "are more than can be proved at a time; fewer slots can be corrected on their own"
    } else {
        "are being proved"
    }
}

/// Whether what is told can be signed now.
fn is_ready(desk: Desk, meter: &Meter, told: &Corrections) -> bool {
    let changed: Vec<u64> = told.changes.iter().map(|one| one.was.slot).collect();
    !changed.is_empty() && !desk.speaks(meter.number, &changed)
}

/// What of a file differs from what a meter said, and can be corrected.
#[component]
pub(super) fn FromFile(said: StoredValue<Vec<Said>>, meter: Memo<Option<Meter>>) -> impl IntoView {
    let desk = Desk::get();
    let told = Memo::new(move |_| {
        let (meter, community) = (meter.get()?, desk.chosen.get()?);
        let spoken = desk.spoken(meter.number);
        desk.look(|scene| {
            said.with_value(|said| {
                energy::corrections(scene, community, meter.number, said, &spoken)
            })
        })
    });
    look_through(desk, told);
    let ready = Memo::new(move |_| {
        let (meter, told) = (meter.read(), told.read());
        meter.as_ref().zip(told.as_ref()).is_some_and(|(meter, told)| is_ready(desk, meter, told))
    });
    let press = move |_| {
        if let Some((meter, told)) = meter.get_untracked().zip(told.get_untracked()) {
            begin(desk, &meter, &told);
        }
    };
    let is_any =
        Memo::new(move |_| told.read().as_ref().is_some_and(|told| !lines(told).is_empty()));
    view! {
        <Show when=move || is_any.get()>
            <div id="corrections">
                <h3>"Slots that were signed otherwise"</h3>
                <ul class="notes num" aria-live="polite">
                    {move || {
                        let told = told.get()?;
                        Some(lines(&told).into_iter().map(|line| view! { <li class="quiet">{line}</li> }).collect_view())
                    }}
                </ul>
                {move || bill(desk, told.get())}
                <button
                    class="button"
                    type="button"
                    data-do="correct-file"
                    disabled=move || !ready.get()
                    on:click=press
                >
                    "Look at the corrections"
                </button>
            </div>
        </Show>
    }
}

/// What of a file is corrected, and why the rest stays; nothing where all is as it was signed.
fn lines(told: &Corrections) -> Vec<String> {
    let mut lines = Vec::new();
    let changed = told.changes.len();
    if changed > 0 {
        lines.push(format!("{} can be corrected", slots(changed)));
    }
    for one in told.changes.iter().take(SHOWN_MAX) {
        let (was, now) = (one.was, one.now());
        let taken = arrow(wh(was.import_wh), wh(now.import_wh));
        let given = arrow(wh(was.export_wh), wh(now.export_wh));
        let at = clock::moment(energy::starts_ms(now.slot));
        lines.push(format!("{at}: taken {taken}, given {given}"));
    }
    if changed > SHOWN_MAX {
        lines.push(format!("and {} more", slots(changed - SHOWN_MAX)));
    }
    let Stays { left_out, counted_on, too_much, untrusted, not_covered, grid_not_covered, .. } =
        told.stays;
    for (count, why) in [
        (left_out, "left out before a later one was signed: what is left out stays out"),
        (counted_on, "can only be less, because later ones were counted from there"),
        (too_much, "with more than the connection carries"),
        (untrusted, "of a meter that the community does not trust enough"),
        (not_covered, "not covered by what you paid in"),
        (grid_not_covered, "not covered by what the retailer paid in"),
        (told.stays.too_often, "corrected as often as may be"),
    ] {
        if count > 0 {
            lines.push(format!("{} {why}", slots(count)));
        }
    }
    lines
}

/// The bill, where something changes.
pub(super) fn bill(desk: Desk, told: Option<Corrections>) -> impl IntoView {
    let told = told.filter(|told| !told.changes.is_empty());
    let asset = desk.community.get_untracked().map(|one| one.asset);
    told.zip(asset).map(|(told, asset)| view! { <Bill desk told asset /> })
}

/// What corrections change: energy and money.
#[component]
fn Bill(desk: Desk, told: Corrections, asset: Asset) -> impl IntoView {
    let [taken, given] = sums(&told.changes);
    let energy::WhatIf { slots: known, unproved, was, would } = told.money;
    let note = move || match unproved {
        0 => {
            "Settled as it stands now, by the ledger\u{2019}s own code; who reads later changes it."
                .to_owned()
        }
        many => {
            format!(
                "Of {}; readings of {} {}.",
                slots(known),
                slots(many),
                waits(desk.is_short.get())
            )
        }
    };
    view! {
        <dl class="bill num" data-bill="correction">
            {becomes("Taken", wh(taken.0), wh(taken.1))}
            {becomes("Given", wh(given.0), wh(given.1))}
            {becomes("From neighbours", wh(was.local_import_wh), wh(would.local_import_wh))}
            {becomes("To neighbours", wh(was.local_export_wh), wh(would.local_export_wh))}
            {becomes("To pay, less what you get", signed(was.net, &asset), signed(would.net, &asset))}
            {becomes("Set aside", named(told.cover.0, &asset), named(told.cover.1, &asset))}
        </dl>
        <p class="quiet">{note}</p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_only_what_differs_is_told() {
        let told = |stays| Corrections {
            changes: Vec::new(),
            stays,
            cover: (0, 0),
            missing: 0,
            money: energy::WhatIf::default(),
        };
        let told_of = |stays| lines(&told(stays));
        let short = Stays { not_covered: 1, ..Stays::default() };
        assert_eq!(told_of(short), ["1\u{a0}slot not covered by what you paid in"]);
        let old = Stays { counted_on: 2, same: 3, over: 9, ..Stays::default() };
        assert_eq!(told_of(old).len(), 1, "what is as it was, or too old, is no news");
        assert_eq!(told_of(Stays { same: 96, ..Stays::default() }), [""; 0]);
        assert_eq!(arrow("1".to_owned(), "1".to_owned()), "1");
    }
}
