//! Communities for trying out, whose clock is not the ledger's; and keys that serve in another community.

use super::*;
use crate::energy::{free_device, shown_ms, starts_ms};

impl Street {
    fn trial(households: u32, pace: u32) -> Self {
        let (grid, network) = (person(51), person(51));
        let (asset, window_slots) = (AssetId::NATIVE, WINDOW);
        let rules = RULES;
        Self::opened(
            households,
            rules::Action::OpenTrial { asset, grid, network, window_slots, rules, pace },
        )
    }

    /// Passes so many slots of a clock that is so fast.
    fn pass(&mut self, slots: u64, pace: u32) {
        self.now_ms += starts_ms(slots) / u64::from(pace);
    }
}

#[test]
fn a_trials_slots_are_told_and_settled_by_its_own_clock() {
    let (pace, slot) = (900, START + 1);
    let mut street = Street::trial(2, pace);
    street.pass(2, pace);
    assert_eq!(street.now_ms, starts_ms(START) + 2_000, "two seconds");
    assert_eq!(shown_ms(&Book::default(), STREET, street.now_ms), street.now_ms, "not proved yet");
    let book = street.seen();
    assert_eq!(shown_ms(&book, STREET, street.now_ms), starts_ms(START + 2));
    assert_eq!(community(&scene(&street, &book), STREET).unwrap().pace, pace);
    let until_ms = starts_ms(slot + u64::from(WINDOW) + 1);
    assert_eq!(state(&street, &book, slot), State::Waiting { until_ms });
    assert_eq!(state(&street, &book, slot + 1), State::Running);

    street.read(slot, &[(0, 1_000, 0), (1, 0, 600)]);
    street.pass(u64::from(WINDOW) - 1, pace);
    assert_eq!(state(&street, &street.seen(), slot), State::Open { until_ms });
    street.pass(1, pace);
    assert_eq!(state(&street, &street.seen(), slot), State::Due);
    street.settle(slot);
    let book = street.seen();
    assert!(matches!(state(&street, &book, slot), State::Settled(_)));
    let mine = sum(&day(&scene(&street, &book), SPAN).unwrap().slots);
    assert_eq!(
        (mine.paid, mine.saved()),
        (249_000, 51_000),
        "as in one that is not for trying out"
    );
    let all = meters(&scene(&street, &book), SPAN, &[]).unwrap();
    assert_eq!(all[0].health.missing, Some(u32::from(WINDOW)), "slots since, by its clock");
}

#[test]
fn of_a_file_what_is_over_before_a_person_signed_is_left_out_by_the_trials_clock() {
    let said = |slot: u64| Said { slot, import_wh: 5, export_wh: 0 };
    // Looking takes five seconds: a slot and more of the one, five slots of the other.
    for (pace, over) in [(60, 0), (900, 2)] {
        let mut street = Street::trial(1, pace);
        street.pass(4, pace);
        let book = street.seen();
        let file = [START + 2, START + 3, START + 4].map(said);
        let told = plan(&scene(&street, &book), STREET, 0, &file, &Spoken::default()).unwrap();
        assert_eq!((told.skipped.over, told.skipped.ahead), (over, 1), "{pace} times as fast");
        assert_eq!(told.readings.len(), 2 - over);
    }
}

#[test]
fn a_key_that_is_of_a_meter_in_another_community_is_not_taken_for_a_new_one() {
    const OTHER: u32 = 2;
    let mut street = Street::new(1, RULES);
    let (grid, network) = (person(51), person(51));
    let (asset, window_slots, rules) = (AssetId::NATIVE, WINDOW, RULES);
    street.done(50, rules::Action::Open { asset, grid, network, window_slots, rules });
    let account = person(1);
    street.done(50, rules::Action::Admit { community: OTHER, account });
    let span = Span { community: OTHER, ..SPAN };
    let look = |street: &Street| street.look(Named { span: Some(span), slot: None, trade: None }).0;
    let bring = |number: u64| {
        let device = key(number);
        let proof = device.sign(&meter_proof(chain(), OTHER, account));
        let (key, source, connection_w) = (device.id(), Source::Solar, 20_000);
        rules::Action::AddMeter { community: OTHER, key, source, connection_w, proof }
    };
    assert_eq!(free_device(&Book::default(), &my_keys()), None, "nothing is proved");
    assert!(street.act(1, bring(60)).is_err(), "it reads in the first");
    assert_eq!(free_device(&look(&street), &my_keys()), Some(Some(1)));
    street.done(1, bring(90));
    assert_eq!(free_device(&look(&street), &my_keys()), Some(None), "both have meters");
}
