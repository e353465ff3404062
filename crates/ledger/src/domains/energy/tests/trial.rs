//! Communities for trying out: slots by a clock that runs faster.

use super::*;

const PACE: u32 = 900;

fn open_trial(pace: u32) -> Action {
    let (grid, network) = (account(GRID), account(NETWORK));
    let (asset, window_slots, rules) = (AssetId::NATIVE, WINDOW, RULES);
    Action::OpenTrial { asset, grid, network, window_slots, rules, pace }
}

#[test]
fn a_trial_settles_in_seconds_what_takes_hours_otherwise() {
    let mut street = Street::opened(2, open_trial(PACE));
    let slot = START + 1;
    assert_eq!(street.community().slot_at(street.lab.context.time_ms), START);
    street.lab.wait_s(1);
    let said = street.next(0, slot, 1_000, 0);
    street.refused(STRANGER, read(&[&said]), Error::NotOpen);
    street.lab.wait_s(1);
    street.done(STRANGER, read(&[&said]));
    street.read(slot, &[(1, 0, 600)]);
    street.lab.wait_s(u64::from(WINDOW) - 1);
    street.refused(STRANGER, settle(slot), Error::TooEarly);
    street.lab.wait_s(1);
    street.settle(slot);
    assert_eq!((street.gained(1), street.gained(2)), (-249_000, 99_000));
}

#[test]
fn a_trials_rules_are_announced_a_day_of_its_clock_ahead() {
    let mut street = Street::opened(1, open_trial(PACE));
    street.refused(OPERATOR, set_rules(START + 95, auction()), Error::TooSoon);
    street.done(OPERATOR, set_rules(START + 96, auction()));
}

#[test]
fn a_clock_is_faster_than_the_ledgers_and_no_faster_than_any_may_be() {
    let mut street = Street::new(1, RULES);
    for pace in [0, 1, crate::domains::energy::PACE_MAX + 1] {
        street.refused(OPERATOR, open_trial(pace), Error::BadPace);
    }
    street.done(OPERATOR, open_trial(2));
    assert_eq!(street.community().clock, None, "a community without one keeps the ledger's");
}

#[test]
fn a_slot_begins_at_the_first_time_that_is_in_it() {
    let mut street = Street::opened(0, open_trial(7));
    street.lab.wait_s(1);
    let community = street.community();
    for slot in START + 1..START + 50 {
        let begins_ms = community.begins_ms(slot);
        assert_eq!(community.slot_at(begins_ms), slot);
        assert_eq!(community.slot_at(begins_ms - 1), slot - 1);
    }
}

#[test]
fn a_clock_that_no_trial_may_have_breaks_the_laws() {
    use crate::domains::energy::{Clock, PACE_MAX, state::write_community};

    let street = Street::opened(0, open_trial(PACE));
    for (pace, holds) in [(1, false), (2, true), (PACE_MAX, true), (PACE_MAX + 1, false)] {
        let mut community = street.community();
        community.clock = community.clock.map(|clock| Clock { pace, ..clock });
        let mut store = street.lab.store.clone();
        let mut state = crate::Overlay::new(&store);
        write_community(&mut state, COMMUNITY, &community);
        let (changes, _) = state.into_parts();
        store.commit(changes);
        assert_eq!(ledger::laws(&store).is_ok(), holds, "{pace}");
    }
}
