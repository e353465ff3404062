//! Corrections of what my meters said: of a file that differs from what was signed, or of one slot by hand, with
//! what comes of it before it is signed.

use leptos::prelude::*;
use wallet::energy::{self, Asset, Change, Corrections, Meter, Said, Skipped, State, Stays};

use crate::format::counted;

use super::clock;
use super::desk::Desk;
use super::fields::Field;
use super::limits::becomes;
use super::signing::{ask, sign};
use super::words::{energy as wh, named, signed};

/// Most changed slots that are listed.
const SHOWN_MAX: usize = 8;

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
fn begin(desk: Desk, meter: &Meter, told: &Corrections) {
    let (Some(first), Some(last)) = (told.changes.first(), told.changes.last()) else { return };
    let Some(asset) = desk.community.get_untracked().map(|one| one.asset) else { return };
    let [taken, given] = sums(&told.changes);
    let money = match told.money.unproved {
        0 => arrow(signed(told.money.was.net, &asset), signed(told.money.would.net, &asset)),
        many => format!("not known yet: readings of {} are being proved", slots(many)),
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
fn look_through(desk: Desk, told: Memo<Option<Corrections>>) {
    Effect::new(move |_| {
        let any = told.read().as_ref().is_some_and(|told| !told.changes.is_empty());
        if any && !desk.whole.get_untracked() {
            desk.whole.set(true);
        }
    });
}

/// Whether what is told can be signed now.
fn is_ready(desk: Desk, meter: &Meter, told: &Corrections) -> bool {
    let changed: Vec<u64> = told.changes.iter().map(|one| one.was.slot).collect();
    !changed.is_empty() && !desk.speaks(meter.number, &changed)
}

/// What of a file differs from what a meter said, and can be corrected.
#[component]
pub(super) fn FromFile(
    said: StoredValue<Vec<Said>>,
    meter: Memo<Option<Meter>>,
) -> impl IntoView {
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
    let is_any = Memo::new(move |_| told.read().as_ref().is_some_and(|told| !lines(told).is_empty()));
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
fn bill(desk: Desk, told: Option<Corrections>) -> impl IntoView {
    let told = told.filter(|told| !told.changes.is_empty());
    let asset = desk.community.get_untracked().map(|one| one.asset);
    told.zip(asset).map(|(told, asset)| view! { <Bill told asset /> })
}

/// What corrections change: energy and money.
#[component]
fn Bill(told: Corrections, asset: Asset) -> impl IntoView {
    let [taken, given] = sums(&told.changes);
    let energy::WhatIf { slots: known, unproved, was, would } = told.money;
    let note = match unproved {
        0 => {
            "Settled as it stands now, by the ledger\u{2019}s own code; who reads later changes it."
                .to_owned()
        }
        many => format!("Of {}; readings of {} are being proved.", slots(known), slots(many)),
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

/// The card for one slot, typed by hand: read for the first time, or corrected.
#[component]
pub(super) fn ByHand() -> impl IntoView {
    let desk = Desk::get();
    let mine = Memo::new(move |_| {
        let signs = |meter: &Meter| meter.device.is_some() && !meter.health.is_cut;
        desk.mine().into_iter().filter(signs).map(|meter| meter.number).collect::<Vec<u32>>()
    });
    // Slots that still may be read.
    let open = Memo::new(move |_| {
        let chosen = desk.slot.get()?;
        let day = desk.day.read();
        let shown = day.as_ref()?.slots.iter().find(|shown| shown.slot == chosen)?;
        matches!(shown.state, State::Waiting { .. } | State::Open { .. }).then_some(chosen)
    });
    // What is typed stays while records of a new meter are being proved.
    let any = Memo::new(move |before: Option<&bool>| {
        before.copied().unwrap_or_default() || !mine.read().is_empty()
    });
    move || {
        let slot = open.get()?;
        any.get().then(|| view! { <Hand slot mine /> })
    }
}

/// What comes of what was typed.
#[derive(Debug, Clone, PartialEq)]
enum Typed {
    /// It is read for the first time.
    First(energy::Plan),
    /// It was read otherwise.
    Again(Corrections),
}

#[component]
fn Hand(slot: u64, mine: Memo<Vec<u32>>) -> impl IntoView {
    let desk = Desk::get();
    let at = RwSignal::new(0_usize);
    let meter = Memo::new(move |_| {
        let mine = mine.read();
        let number = mine.get(at.get()).or_else(|| mine.first()).copied()?;
        desk.mine().into_iter().find(|one| one.number == number)
    });
    let (taken, given) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let number = Memo::new(move |_| meter.read().as_ref().map(|meter| meter.number));
    // What the ledger has stands there first; what was typed stays while blocks come.
    Effect::new(move |before: Option<Option<u32>>| {
        let (number, before) = (number.get(), before.flatten());
        if number.is_some() && number != before {
            let known = untrack(|| {
                energy::said_of(&desk.book.read(), desk.chosen.get()?, slot, number?)
            });
            let text = |of: fn(&Said) -> u64| known.as_ref().map(|said| of(said).to_string());
            taken.set(text(|said| said.import_wh).unwrap_or_default());
            given.set(text(|said| said.export_wh).unwrap_or_default());
        }
        number.or(before)
    });
    let said = Memo::new(move |_| {
        let read = |text: &str| match text.trim() {
            "" => Some(0),
            digits => digits.parse::<u64>().ok(),
        };
        let is_empty = taken.read().trim().is_empty() && given.read().trim().is_empty();
        let (import_wh, export_wh) = (read(&taken.read())?, read(&given.read())?);
        (!is_empty).then_some(Said { slot, import_wh, export_wh })
    });
    let told = Memo::new(move |_| {
        let (said, meter, community) = (said.get()?, meter.get()?, desk.chosen.get()?);
        let spoken = desk.spoken(meter.number);
        let was_passed = meter.health.last.is_some_and(|last| last >= slot);
        desk.look(|scene| {
            Some(if was_passed {
                let told = energy::corrections(scene, community, meter.number, &[said], &spoken);
                Typed::Again(told?)
            } else {
                Typed::First(energy::plan(scene, community, meter.number, &[said], &spoken)?)
            })
        })
    });
    let again = Memo::new(move |_| match told.get() {
        Some(Typed::Again(told)) => Some(told),
        _ => None,
    });
    look_through(desk, again);
    let speaks = Memo::new(move |_| {
        let changes = again.read().as_ref().is_some_and(|told| !told.changes.is_empty());
        let corrected = if changes { vec![slot] } else { Vec::new() };
        meter.read().as_ref().is_some_and(|meter| desk.speaks(meter.number, &corrected))
    });
    let is_any = move || match told.read().as_ref() {
        Some(Typed::First(plan)) => !plan.readings.is_empty(),
        Some(Typed::Again(told)) => !told.changes.is_empty(),
        None => false,
    };
    let press = move |_| match (told.get_untracked(), meter.get_untracked()) {
        (Some(Typed::First(plan)), Some(meter)) => sign(desk, &plan, &meter),
        (Some(Typed::Again(told)), Some(meter)) => begin(desk, &meter, &told),
        _ => {}
    };
    let words = move || {
        if said.read().is_none() {
            return "Type what the meter took and gave in this slot, in whole Wh.".to_owned();
        }
        if speaks.get() {
            return "What this meter said before is on its way: wait until it is proved.".to_owned();
        }
        let asset = desk.community.get().map(|one| one.asset);
        match (told.read().as_ref(), asset) {
            (Some(Typed::First(plan)), Some(asset)) => first(plan, &asset),
            (Some(Typed::Again(told)), Some(asset)) => corrected(told, &asset),
            _ => "What decides it is not proved yet.".to_owned(),
        }
    };
    let options = move || {
        let option = |(at, number): (usize, u32)| {
            view! { <option value=at.to_string()>{format!("Meter {number}")}</option> }
        };
        mine.get().into_iter().enumerate().map(option).collect_view()
    };
    view! {
        <section class="card" aria-labelledby="correct-title" id="correct" data-slot=slot>
            <h2 id="correct-title" class="num">
                {format!("My reading of {}", clock::slot(slot))}
            </h2>
            <p class="quiet">
                "Where a reading is wrong or missing, the meter says it again before the slot\u{2019}s time is over. Of what was read before a later slot, only less can be said."
            </p>
            <div class="pair pair--form">
                <div class="labelled" hidden=move || { mine.read().len() < 2 }>
                    <label for="hand-meter">"Meter"</label>
                    <select
                        id="hand-meter"
                        class="text-field"
                        on:change=move |event| at.set(event_target_value(&event).parse().unwrap_or_default())
                    >
                        {options}
                    </select>
                </div>
                <Field id="hand-taken" name="Taken, Wh" value=taken />
                <Field id="hand-given" name="Given, Wh" value=given />
            </div>
            <p class="quiet num" id="hand-told" role="status">
                {words}
            </p>
            <div id="hand-bill">
                {move || bill(desk, again.get())}
            </div>
            <button
                class="button"
                type="button"
                data-do="hand"
                disabled=move || !is_any() || speaks.get()
                on:click=press
            >
                "Look at what is signed"
            </button>
        </section>
    }
}

/// What comes of a first reading of one slot.
fn first(plan: &energy::Plan, asset: &Asset) -> String {
    let Skipped { ahead, over, before, read, too_much, not_covered, .. } = plan.skipped;
    if !plan.readings.is_empty() {
        let cover = named(plan.cover, asset);
        return format!("Its first reading. {cover} are set aside until it is settled.");
    }
    if not_covered > 0 {
        return format!("It is not covered: pay in {} more.", named(plan.missing, asset));
    }
    let why = [
        (ahead, "It has not ended."),
        (over, "Its time for readings is over."),
        (before, "It is from before this meter came."),
        (read, "It was read before."),
        (too_much, "That is more than the connection carries."),
    ];
    reason(&why, "What the retailer paid in does not cover it.")
}

/// The first of these that counts something, or what is left.
fn reason(why: &[(usize, &str)], other: &str) -> String {
    let found = why.iter().find(|(count, _)| *count > 0);
    found.map_or(other, |(_, why)| *why).to_owned()
}

/// What comes of a correction of one slot.
fn corrected(told: &Corrections, asset: &Asset) -> String {
    if let Some(one) = told.changes.first() {
        return format!("Correction {}: it takes the place of what was said.", one.reading.revision);
    }
    let stays = told.stays;
    if stays.not_covered > 0 {
        return format!("It is not covered: pay in {} more.", named(told.missing, asset));
    }
    let why = [
        (stays.same, "The ledger has this already."),
        (stays.over, "Its time for readings is over."),
        (stays.left_out, "It was left out before a later slot was read, and stays out."),
        (stays.unproved, "What was said of it is not proved yet."),
        (
            stays.counted_on,
            "A later slot was counted from it: it can only be less than what was said.",
        ),
        (stays.too_much, "That is more than the connection carries."),
        (stays.untrusted, "The community does not trust this meter enough."),
        (stays.grid_not_covered, "What the retailer paid in does not cover it."),
    ];
    reason(&why, "It was corrected as often as may be.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_slot_stays_is_said_and_what_is_missing() {
        let asset = Asset { id: 0, symbol: String::new(), decimals: 6, issuer: None };
        let stays = |stays| Corrections {
            changes: Vec::new(),
            stays,
            cover: (0, 0),
            missing: 1_500_000,
            money: energy::WhatIf::default(),
        };
        let told = stays(Stays { not_covered: 1, ..Stays::default() });
        let words = corrected(&told, &asset).replace('\u{a0}', " ");
        assert_eq!(words, "It is not covered: pay in 1.50 STAR more.");
        assert_eq!(lines(&told), ["1\u{a0}slot not covered by what you paid in"]);
        let told = stays(Stays { counted_on: 2, same: 3, over: 9, ..Stays::default() });
        assert_eq!(lines(&told).len(), 1, "what is as it was, or too old, is no news");
        assert_eq!(arrow("1".to_owned(), "1".to_owned()), "1");
    }
}
