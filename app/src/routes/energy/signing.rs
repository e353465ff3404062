//! What a meter of mine can sign, of a file or of one slot: new readings, and corrections of what was read.

use leptos::prelude::*;
use wallet::energy::{self, Meter, Plan, READINGS_MAX, Reading, Said, Wish, starts_ms};

use crate::format::counted;

use super::clock;
use super::correct::FromFile;
use super::desk::{Desk, Doing};
use super::words::{energy as wh, named};

/// What is said before readings are signed.
const STANDS: &str = "What is signed stands: who says two things of one slot is cut. Wh of each slot are public, the registers are not.";

/// What of the file a meter of mine can sign.
#[component]
pub(super) fn Signing(said: StoredValue<Vec<Said>>, mine: Memo<Vec<Meter>>) -> impl IntoView {
    let desk = Desk::get();
    let at = RwSignal::new(0_usize);
    let meter = Memo::new(move |_| {
        let mine = mine.read();
        mine.get(at.get()).or_else(|| mine.first()).cloned()
    });
    let plan = Memo::new(move |_| {
        let (meter, community) = (meter.get()?, desk.chosen.get()?);
        let spoken = desk.spoken(meter.number);
        desk.look(|scene| {
            said.with_value(|said| energy::plan(scene, community, meter.number, said, &spoken))
        })
    });
    let corrects = Memo::new(move |_| {
        let is_any = plan.read().as_ref().is_some_and(|plan| !plan.readings.is_empty());
        is_any && corrects_newest(desk, said, meter.get())
    });
    let begin = move |_| {
        let (plan, meter) = (plan.get_untracked(), meter.get_untracked());
        if let Some((plan, meter)) = plan.zip(meter) {
            sign(desk, &plan, &meter);
        }
    };
    let none = move || plan.read().as_ref().is_none_or(|plan| plan.readings.is_empty());
    // Counters go on from the last reading, as it is proved.
    let waits = move || meter.read().as_ref().is_some_and(|meter| desk.speaks(meter.number, &[]));
    let options = move || {
        let option = |(at, one): (usize, Meter)| {
            view! { <option value=at.to_string()>{format!("Meter {}", one.number)}</option> }
        };
        mine.get().into_iter().enumerate().map(option).collect_view()
    };
    view! {
        <div class="move">
            <label for="sign-meter">"Sign as"</label>
            <select
                id="sign-meter"
                class="text-field"
                on:change=move |event| at.set(event_target_value(&event).parse().unwrap_or_default())
            >
                {options}
            </select>
            <button
                class="button button--strong"
                type="button"
                data-do="sign-readings"
                disabled=move || none() || waits()
                on:click=begin
            >
                "Look at what is signed"
            </button>
        </div>
        <p class="quiet" role="status" hidden=move || !waits()>
            "Readings are on their way: the next ones are signed when the ledger has them."
        </p>
        <p class="quiet quiet--warn" role="status" hidden=move || !corrects.get()>
            "The newest slot that was signed is another in this file. Correct it first, below: once later slots are signed, it can only become less."
        </p>
        <ul class="notes num" id="plan" aria-live="polite">
            {move || match plan.get() {
                Some(plan) => {
                    told(desk, &plan).into_iter().map(|line| view! { <li class="quiet">{line}</li> }).collect_view().into_any()
                }
                None => view! { <li class="quiet">"What decides it is not proved yet."</li> }.into_any(),
            }}
        </ul>
        <FromFile said meter />
    }
}

/// Whether a file says something else of the newest slot that was signed: what is signed after it is counted from it.
fn corrects_newest(desk: Desk, said: StoredValue<Vec<Said>>, meter: Option<Meter>) -> bool {
    let newest = meter.and_then(|meter| Some((meter.number, meter.health.last?)));
    let (Some((meter, slot)), Some(community)) = (newest, desk.chosen.get()) else {
        return false;
    };
    let one = said.with_value(|said| said.iter().find(|one| one.slot == slot).copied());
    let spoken = desk.spoken(meter);
    let told = one.and_then(|one| {
        desk.look(|scene| energy::corrections(scene, community, meter, &[one], &spoken))
    });
    told.is_some_and(|told| !told.changes.is_empty())
}

/// What would be signed, and why the rest is not.
fn told(desk: Desk, plan: &Plan) -> Vec<String> {
    let slots = |count: usize| counted(u64::try_from(count).unwrap_or_default(), "slot", "slots");
    let mut lines = vec![match plan.readings.first().zip(plan.readings.last()) {
        Some((first, last)) => format!(
            "{} can be signed: {} to {}",
            slots(plan.readings.len()),
            clock::moment(starts_ms(first.slot)),
            clock::moment(starts_ms(last.slot + 1))
        ),
        None => "Nothing of it can be signed now".to_owned(),
    }];
    if plan.gaps > 0 {
        lines.push(format!("{} not signed with them: what is left out stays out", left_out(plan)));
    }
    let asset = desk.community.read().as_ref().map(|one| one.asset.clone());
    let skipped = plan.skipped;
    for (count, one, many) in [
        (skipped.ahead, "slot has not ended", "slots have not ended"),
        (
            skipped.over,
            "slot is too old: its time for readings is over",
            "slots are too old: their time for readings is over",
        ),
        (
            skipped.before,
            "slot is from before this meter came",
            "slots are from before this meter came",
        ),
        (
            skipped.read,
            "slot was read before, or a later one was",
            "slots were read before, or a later one was",
        ),
        (
            skipped.too_much,
            "slot has more than the connection carries: is the unit right, and the meter?",
            "slots have more than the connection carries: is the unit right, and the meter?",
        ),
        (
            skipped.grid_not_covered,
            "slot is not covered by what the retailer paid in",
            "slots are not covered by what the retailer paid in",
        ),
    ] {
        if count > 0 {
            lines.push(counted(u64::try_from(count).unwrap_or_default(), one, many));
        }
    }
    if let Some(asset) = asset.filter(|_| skipped.not_covered > 0) {
        let missing = named(plan.missing, &asset);
        lines
            .push(format!("{} are not covered: pay in {missing} more", slots(skipped.not_covered)));
    }
    lines
}

/// Slots that are given up by what is signed, in words that go on with what becomes of them.
pub(super) fn left_out(plan: &Plan) -> String {
    let (one, many) =
        ("earlier slot could still be read, and is", "earlier slots could still be read, and are");
    counted(plan.gaps, one, many)
}

/// Asks before new readings are signed.
pub(super) fn sign(desk: Desk, plan: &Plan, meter: &Meter) {
    let all = &plan.readings;
    let (Some(first), Some(last)) = (all.first(), all.last()) else { return };
    let Some(community) = desk.community.get_untracked() else { return };
    let taken: u64 = all.iter().map(|one| one.content.import_wh).sum();
    let given: u64 = all.iter().map(|one| one.content.export_wh).sum();
    let mut lines = vec![
        ("Meter", meter.number.to_string()),
        ("From", clock::moment(starts_ms(first.slot))),
        ("To", clock::moment(starts_ms(last.slot + 1))),
        ("Readings", all.len().to_string()),
        ("Taken", wh(taken)),
        ("Given", wh(given)),
        ("Set aside", named(plan.cover, &community.asset)),
    ];
    if plan.gaps > 0 {
        let gaps = counted(plan.gaps, "earlier slot, for good", "earlier slots, for good");
        lines.push(("Left out", gaps));
    }
    ask(desk, "Sign readings", lines, meter, all);
}

/// Asks before a meter's readings are signed, and sealed for whom this household named.
pub(super) fn ask(
    desk: Desk,
    title: &str,
    mut lines: Vec<(&'static str, String)>,
    meter: &Meter,
    readings: &[Reading],
) {
    let (Some(device), Some(community)) = (meter.device, desk.chosen.get_untracked()) else {
        return;
    };
    let readers = desk.group.get_untracked();
    let sealed = match readers.len() {
        0 => "sealed for nobody".to_owned(),
        count => {
            let count = u64::try_from(count).unwrap_or_default();
            format!("sealed for {}", counted(count, "person", "people"))
        }
    };
    lines.push(("What the registers showed", sealed));
    let wish = |part: &[Reading]| {
        let (readings, readers) = (part.to_vec(), readers.clone());
        Wish::Read { device, readings, readers }
    };
    desk.doing.set(Some(Doing {
        title: title.to_owned(),
        lines,
        warning: STANDS,
        community,
        wishes: readings.chunks(READINGS_MAX).map(wish).collect(),
    }));
}
