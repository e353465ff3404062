//! A reading of one slot that is typed by hand: its first one, or a correction, with what comes of it before it is
//! signed.

use leptos::prelude::*;
use wallet::energy::{self, Asset, Corrections, Meter, Plan, Said, Skipped, State};

use super::clock;
use super::correct::{begin, bill, look_through};
use super::desk::Desk;
use super::fields::Field;
use super::signing::{left_out, sign};
use super::words::named;

/// The card, for a chosen slot that may still be read.
#[component]
pub(super) fn ByHand() -> impl IntoView {
    let desk = Desk::get();
    let mine = Memo::new(move |_| {
        let signs = |meter: &Meter| meter.device.is_some() && !meter.health.is_cut;
        desk.mine().into_iter().filter(signs).map(|meter| meter.number).collect::<Vec<u32>>()
    });
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
        any.get().then(|| {
            let typing = Typing::new(desk, slot, mine);
            view! { <Form typing /> }
        })
    }
}

/// What comes of what was typed.
#[derive(Debug, Clone, PartialEq)]
enum Typed {
    /// It is read for the first time.
    First(Plan),
    /// It was read otherwise.
    Again(Corrections),
}

/// What was typed of a slot.
#[derive(Debug, Clone, Copy)]
struct Typing {
    desk: Desk,
    slot: u64,
    /// Numbers of meters that can sign.
    mine: Memo<Vec<u32>>,
    /// Which of them.
    at: RwSignal<usize>,
    meter: Memo<Option<Meter>>,
    taken: RwSignal<String>,
    given: RwSignal<String>,
    /// None: nothing, or no number.
    said: Memo<Option<Said>>,
    told: Memo<Option<Typed>>,
    /// What is told, where it is a correction.
    again: Memo<Option<Corrections>>,
    /// What the meter said before is not settled.
    speaks: Memo<bool>,
}

impl Typing {
    fn new(desk: Desk, slot: u64, mine: Memo<Vec<u32>>) -> Self {
        let at = RwSignal::new(0_usize);
        let meter = Memo::new(move |_| {
            let mine = mine.read();
            let number = mine.get(at.get()).or_else(|| mine.first()).copied()?;
            desk.mine().into_iter().find(|one| one.number == number)
        });
        let (taken, given) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
        begin_with_known(desk, slot, meter, (taken, given));
        let said = Memo::new(move |_| {
            let read = |text: &str| match text.trim() {
                "" => Some(0),
                digits => digits.parse::<u64>().ok(),
            };
            let (taken, given) = (taken.read(), given.read());
            let is_empty = taken.trim().is_empty() && given.trim().is_empty();
            let (import_wh, export_wh) = (read(&taken)?, read(&given)?);
            (!is_empty).then_some(Said { slot, import_wh, export_wh })
        });
        let told = Memo::new(move |_| told(desk, &meter.get()?, said.get()?));
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
        Self { desk, slot, mine, at, meter, taken, given, said, told, again, speaks }
    }

    /// Whether there is something to sign, and nothing in its way.
    fn is_ready(self) -> bool {
        let is_any = match self.told.read().as_ref() {
            Some(Typed::First(plan)) => !plan.readings.is_empty(),
            Some(Typed::Again(told)) => !told.changes.is_empty(),
            None => false,
        };
        is_any && !self.speaks.get()
    }

    /// Asks before it is signed.
    fn ask(self) {
        match (self.told.get_untracked(), self.meter.get_untracked()) {
            (Some(Typed::First(plan)), Some(meter)) => sign(self.desk, &plan, &meter),
            (Some(Typed::Again(told)), Some(meter)) => begin(self.desk, &meter, &told),
            _ => {}
        }
    }

    /// What comes of it, in words.
    fn words(self) -> String {
        if self.said.read().is_none() {
            return "Type what the meter took and gave in this slot, in whole Wh.".to_owned();
        }
        if self.speaks.get() {
            return "What this meter said before is on its way: wait until it is proved."
                .to_owned();
        }
        let asset = self.desk.community.get().map(|one| one.asset);
        match (self.told.read().as_ref(), asset) {
            (Some(Typed::First(plan)), Some(asset)) => first(plan, &asset),
            (Some(Typed::Again(told)), Some(asset)) => corrected(told, &asset),
            _ => "What decides it is not proved yet.".to_owned(),
        }
    }
}

/// Puts into the fields what the ledger has of a meter; what was typed stays while blocks come.
fn begin_with_known(
    desk: Desk,
    slot: u64,
    meter: Memo<Option<Meter>>,
    (taken, given): (RwSignal<String>, RwSignal<String>),
) {
    let number = Memo::new(move |_| meter.read().as_ref().map(|meter| meter.number));
    Effect::new(move |before: Option<Option<u32>>| {
        let (number, before) = (number.get(), before.flatten());
        if number.is_some() && number != before {
            let known =
                untrack(|| energy::said_of(&desk.book.read(), desk.chosen.get()?, slot, number?));
            let text = |of: fn(&Said) -> u64| known.as_ref().map(|said| of(said).to_string());
            taken.set(text(|said| said.import_wh).unwrap_or_default());
            given.set(text(|said| said.export_wh).unwrap_or_default());
        }
        number.or(before)
    });
}

/// What comes of saying this; none: what decides it is not proved.
fn told(desk: Desk, meter: &Meter, said: Said) -> Option<Typed> {
    let community = desk.chosen.get()?;
    let spoken = desk.spoken(meter.number);
    // What comes before the last one was read, or was left out.
    let was_passed = meter.health.last.is_some_and(|last| last >= said.slot);
    desk.look(|scene| {
        if was_passed {
            let told = energy::corrections(scene, community, meter.number, &[said], &spoken)?;
            return Some(Typed::Again(told));
        }
        energy::plan(scene, community, meter.number, &[said], &spoken).map(Typed::First)
    })
}

#[component]
fn Form(typing: Typing) -> impl IntoView {
    let Typing { desk, slot, mine, at, taken, given, again, .. } = typing;
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
                {move || typing.words()}
            </p>
            <div id="hand-bill">{move || bill(desk, again.get())}</div>
            <button
                class="button"
                type="button"
                data-do="hand"
                disabled=move || !typing.is_ready()
                on:click=move |_| typing.ask()
            >
                "Look at what is signed"
            </button>
        </section>
    }
}

/// What comes of a first reading of one slot.
fn first(plan: &Plan, asset: &Asset) -> String {
    let Skipped { ahead, over, before, read, too_much, not_covered, .. } = plan.skipped;
    if !plan.readings.is_empty() {
        let cover = named(plan.cover, asset);
        let left = match plan.gaps {
            0 => String::new(),
            _ => format!(" {} left out for good by it: sign those first.", left_out(plan)),
        };
        return format!("Its first reading. {cover} are set aside until it is settled.{left}");
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
        return format!(
            "Correction {}: it takes the place of what was said.",
            one.reading.revision
        );
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
    use wallet::energy::Stays;

    use super::*;

    #[test]
    fn why_a_slot_stays_is_said_and_what_is_missing() {
        let asset = Asset { id: 0, symbol: String::new(), decimals: 6, issuer: None };
        let words = |stays| {
            let told = Corrections {
                changes: Vec::new(),
                stays,
                cover: (0, 0),
                missing: 1_500_000,
                money: energy::WhatIf::default(),
            };
            corrected(&told, &asset).replace('\u{a0}', " ")
        };
        let stays = Stays { not_covered: 1, ..Stays::default() };
        assert_eq!(words(stays), "It is not covered: pay in 1.50 STAR more.");
        assert_eq!(words(Stays { same: 1, ..Stays::default() }), "The ledger has this already.");
        let plan = Plan { missing: 2_000_000, ..Plan::default() };
        let lacks = Skipped { not_covered: 1, ..Skipped::default() };
        let told = first(&Plan { skipped: lacks, ..plan.clone() }, &asset);
        assert!(told.starts_with("It is not covered: pay in 2.00"), "{told}");
        let late = Plan { gaps: 3, ..Plan::default() };
        assert_eq!(left_out(&late), "3\u{a0}earlier slots could still be read, and are");
        let ahead = Skipped { ahead: 1, ..Skipped::default() };
        assert_eq!(first(&Plan { skipped: ahead, ..plan }, &asset), "It has not ended.");
    }
}
