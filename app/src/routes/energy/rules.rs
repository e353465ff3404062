//! Other tariffs and ways of trading, announced a day ahead.

use leptos::prelude::*;
use wallet::energy::{Community, NOTICE_SLOTS, Wish, slot_at, starts_ms};

use super::clock;
use super::desk::Desk;
use super::rules_form::{Draft, RulesFields, lines};

/// Seconds from the press to the block: looking at it, signing, a block.
const WAY_S: u64 = 60;
/// Seconds of a slot of a clock that is not for trying out.
const SLOT_S: u64 = wallet::energy::SLOT_S;

/// The first slot that may still get other rules, if they are signed now: by a community's own clock, which
/// may be fast.
fn first_slot(shown_ms: u64, pace: u32) -> u64 {
    let way = (WAY_S * u64::from(pace)).div_ceil(SLOT_S);
    slot_at(shown_ms) + NOTICE_SLOTS + way
}

/// The card of an operator.
#[component]
pub(super) fn Announce() -> impl IntoView {
    let desk = Desk::get();
    // What was typed stays while blocks come; another community is another form.
    let first = Memo::new(move |before: Option<&Option<Community>>| {
        let now = desk.street.get();
        let before = before.cloned().flatten();
        match (before, now) {
            (Some(before), Some(now)) if before.id == now.id => Some(before),
            (_, now) => now,
        }
    });
    move || first.get().map(|community| view! { <Form community /> })
}

#[component]
fn Form(community: Community) -> impl IntoView {
    let desk = Desk::get();
    let Community { id, asset, pace, rules, next, .. } = community;
    // What was announced last is what one goes on from.
    let draft = Draft::of(&next.map_or(rules, |(_, rules)| rules));
    let from_slot = move || {
        let now_ms = desk.now_ms()?;
        Some(first_slot(wallet::energy::shown_ms(&desk.book.read(), id, now_ms), pace))
    };
    let is_same = move || {
        let holds = desk.street.read();
        let holds = holds.as_ref().map(|one| one.next.map_or(one.rules, |(_, rules)| rules));
        draft.read() == holds
    };
    let begin = move |_| {
        let (Some(rules), Some(from)) = (untrack(|| draft.read()), untrack(from_slot)) else {
            return;
        };
        let from_line = ("From", clock::moment(starts_ms(from)));
        let lines = [vec![from_line], lines(&rules, &asset)].concat();
        desk.begin(
            "Announce rules",
            lines,
            "Everybody sees them at once, and a day is theirs to leave or to set other limits. They take the place of what was announced for later.",
            Wish::Rules(from, rules),
        );
    };
    view! {
        <section class="card" aria-labelledby="announce-title" id="announce">
            <h2 id="announce-title">"Other rules"</h2>
            <RulesFields draft place="next" />
            <p class="quiet num">
                {move || from_slot().map(|from| format!("They hold from {} at the earliest; until then the present ones do.", clock::moment(starts_ms(from))))}
            </p>
            <button
                class="button"
                type="button"
                data-do="announce"
                disabled=move || draft.read().is_none() || is_same()
                on:click=begin
            >
                "Announce these"
            </button>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_begin_a_day_and_the_way_to_a_block_later_by_the_communitys_clock() {
        let at = |slot: u64| starts_ms(slot) + 1;
        assert_eq!(first_slot(at(1_000), 1), 1_000 + 96 + 1);
        assert_eq!(first_slot(at(1_000), 900), 1_000 + 96 + 60);
    }
}
