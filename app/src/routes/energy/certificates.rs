//! Certificates of a day: what moved with trades, and what is left of what my meters gave.

use leptos::prelude::*;
use wallet::energy::{self, Flow, Left, Wish};

use crate::components::fact::fact;
use crate::format::counted;

use super::clock;
use super::desk::{Desk, Doing};
use super::words::{energy as wh, source};

/// Most slots whose certificates are used up by one press: each is a transaction with its fee.
const CLAIMED_AT_ONCE: usize = 8;

/// The card, on a day with certificates.
#[component]
pub(super) fn Certificates() -> impl IntoView {
    let desk = Desk::get();
    let left = Memo::new(move |_| {
        let span = desk.span.get()?;
        desk.look(|scene| Some(energy::left(scene, span)))
    });
    let flow = Memo::new(move |_| desk.day.read().as_ref().map(|day| energy::sum(&day.slots)));
    let is_any = Memo::new(move |_| {
        flow.read().as_ref().is_some_and(|flow| flow.local_import_wh + minted(flow) > 0)
    });
    let begin = move |_| {
        let all = left.get_untracked().unwrap_or_default();
        let some: Vec<Left> = all.into_iter().take(CLAIMED_AT_ONCE).collect();
        let (Some(first), Some(last)) = (some.first(), some.last()) else { return };
        let sum: u64 = some.iter().map(|one| one.left_wh).sum();
        let lines = vec![
            ("Certificates", wh(sum)),
            ("From", clock::slot(first.slot)),
            ("To", clock::slot(last.slot)),
        ];
        let claim =
            |one: Left| Wish::Claim { slot: one.slot, meter: one.meter, energy_wh: one.left_wh };
        desk.doing.set(Some(Doing {
            title: "Use up certificates".to_owned(),
            lines,
            warning: "Once used up, in your name, nobody can use them again. They stand for what the grid took.",
            community: desk.chosen.get_untracked().unwrap_or_default(),
            wishes: some.into_iter().map(claim).collect(),
        }));
    };
    view! {
        <Show when=move || is_any.get()>
            <section class="card" aria-labelledby="certificates-title" id="certificates">
                <h2 id="certificates-title">"Certificates of this day"</h2>
                <p class="quiet">
                    "Each Wh that a meter fed in has one, from the slot in which it is settled. What a neighbour takes moves with the trade and is used up by it."
                </p>
                {move || flow.get().map(|flow| view! { <Sums flow /> })}
                <ul class="notes num" id="certificates-left">
                    {move || sources(&left.get().unwrap_or_default()).into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}
                </ul>
                <button
                    class="button"
                    type="button"
                    data-do="claim"
                    disabled=move || {
                        left.read().as_ref().is_none_or(Vec::is_empty)
                            || desk.waits(|wish| matches!(wish, Wish::Claim { .. }))
                    }
                    on:click=begin
                >
                    "Use up what is left"
                </button>
            </section>
        </Show>
    }
}

/// Certificates that my meters' energy has: of what is settled.
fn minted(flow: &Flow) -> u64 {
    flow.local_export_wh + flow.left_wh
}

#[component]
fn Sums(flow: Flow) -> impl IntoView {
    view! {
        <dl class="facts-row facts-row--three">
            {fact("From neighbours, used up by me", wh(flow.local_import_wh), ())}
            {fact("To neighbours, used up by them", wh(flow.local_export_wh), ())}
            {fact("Mine, not used up", wh(flow.left_wh), ())}
        </dl>
    }
}

/// What is left, by where it came from.
fn sources(left: &[Left]) -> Vec<String> {
    let mut lines: Vec<(&'static str, u64, u64)> = Vec::new();
    for one in left {
        let from = source(one.source);
        match lines.iter_mut().find(|(name, ..)| *name == from) {
            Some((_, sum_wh, slots)) => (*sum_wh, *slots) = (*sum_wh + one.left_wh, *slots + 1),
            None => lines.push((from, one.left_wh, 1)),
        }
    }
    let line = |(from, sum_wh, slots): (&str, u64, u64)| {
        format!("{}, from: {from}, of {}", wh(sum_wh), counted(slots, "slot", "slots"))
    };
    lines.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use wallet::energy::Source;

    use super::*;

    #[test]
    fn what_is_left_is_told_by_source() {
        let of = |slot, source, left_wh| Left { slot, meter: 0, source, left_wh };
        let all = [of(1, Source::Solar, 300), of(2, Source::Wind, 5), of(3, Source::Solar, 800)];
        let told: Vec<String> =
            sources(&all).iter().map(|line| line.replace('\u{a0}', " ")).collect();
        assert_eq!(told, ["1.100 kWh, from: sun, of 2 slots", "5 Wh, from: wind, of 1 slot"]);
    }
}
