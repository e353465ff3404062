//! Random histories by everybody who has keys and some who do not: the laws after each step, and what
//! no single step shows.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    /// New keys, by a place, by somebody.
    Set(Vec<u8>, u8, u8),
    /// The same, erasing the op so many before the head.
    Recover(u64, Vec<u8>, u8, u8),
    Stop(u8, u8),
    Ask(u8, Vec<u8>),
    Veto(u8, u8),
    Finish,
    Close,
    /// A version of the DID's list, so many after the newest, by a place, by somebody.
    Anchor(u64, u8, u8),
    Wait(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    // Few keys, so that places and signers often fit.
    let (who, at) = (1..6_u8, 0..3_u8);
    let keys = prop::sample::subsequence(vec![1, 2, 3, 4, 5], 1..4).prop_shuffle();
    let guardians = prop::sample::subsequence(vec![11, 12, 13], 0..4);
    prop_oneof![
        8 => (keys.clone(), at.clone(), who.clone()).prop_map(|(keys, at, who)| Step::Set(keys, at, who)),
        8 => (0..4_u64, keys, at.clone(), who.clone())
            .prop_map(|(back, keys, at, who)| Step::Recover(back, keys, at, who)),
        1 => (at.clone(), who.clone()).prop_map(|(at, who)| Step::Stop(at, who)),
        4 => (who.clone(), guardians).prop_map(|(who, guardians)| Step::Ask(who, guardians)),
        1 => (at.clone(), who.clone()).prop_map(|(at, who)| Step::Veto(at, who)),
        4 => (0..3_u64, at, who).prop_map(|(after, at, who)| Step::Anchor(after, at, who)),
        2 => Just(Step::Finish),
        1 => Just(Step::Close),
        4 => prop_oneof![0..3600_u64, 0..100 * 3600_u64, Just(GUARD_DELAY_S)].prop_map(Step::Wait),
    ]
}

fn take(game: &mut Game, step: &Step) -> Result<(), u16> {
    match step {
        Step::Set(keys, at, who) => game.set(guarded(keys, 2, &[11, 12, 13]), *at, *who),
        Step::Recover(back, keys, at, who) => {
            let seq = game.record().seq.saturating_sub(*back);
            let fork = version(&game.lab.store, game.id, seq).unwrap().op;
            game.recover(fork, guarded(keys, 2, &[11, 12, 13]), *at, *who)
        }
        Step::Stop(at, who) => game.apply(Change::Stop, *at, *who),
        Step::Ask(who, guardians) => game.ask(*who, guardians),
        Step::Veto(at, who) => game.veto(*at, *who),
        Step::Finish => game.finish(),
        Step::Close => game.close(),
        Step::Anchor(after, at, who) => {
            let issuer = Did::Starling(game.id);
            let number = game.anchored(&issuer) + after;
            game.anchor(issuer, number, (*at, *who))
        }
        Step::Wait(seconds) => {
            game.lab.wait_s(*seconds);
            Ok(())
        }
    }
}

/// What a step that was done may have changed.
fn check(before: &Record, after: &Record, step: &Step, game: &Game) {
    let rotation = &before.standing.rotation;
    match step {
        Step::Set(_, at, who) | Step::Stop(at, who) => {
            assert_eq!(rotation.get(usize::from(*at)), Some(&public(*who)), "a key in effect");
            assert_eq!(after.seq, before.seq + 1);
        }
        Step::Recover(back, _, at, who) => {
            assert_eq!(after.seq, before.seq + 1);
            let fork = before.seq - back;
            let erased = version(&game.lab.store, game.id, fork).unwrap();
            assert!(erased.erased_s.is_some());
            assert_ne!((fork, *back), (0, before.seq), "the first op is never erased");
            let head = version(&game.lab.store, game.id, after.seq).unwrap();
            assert!(head.erased_s.is_none() && usize::from(*at) < 3 && *who < 6);
        }
        Step::Ask(_, guardians) => {
            assert!(guardians.len() >= 2, "one fewer never rotates");
            assert_eq!((after.seq, &after.standing), (before.seq, &before.standing));
        }
        Step::Finish => {
            let pending = before.pending.as_ref().unwrap();
            assert_eq!(after.standing.rotation, pending.rotation);
            assert!(game.lab.context.now_s() >= pending.ready_s);
        }
        Step::Veto(at, who) => {
            assert_eq!(rotation.get(usize::from(*at)), Some(&public(*who)), "a key in effect");
            assert_eq!((after.seq, &after.standing), (before.seq, &before.standing));
        }
        Step::Close => assert!(before.standing.stopped_s.is_some()),
        Step::Anchor(ahead, at, who) => {
            assert_eq!(rotation.get(usize::from(*at)), Some(&public(*who)), "a key in effect");
            assert_eq!(*ahead, 1, "versions have no gap");
            assert_eq!(before, after, "a list changes no DID");
        }
        Step::Wait(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_history_keeps_the_laws(steps in prop::collection::vec(any_step(), 1..40)) {
        let mut game = Game::new();
        for step in &steps {
            let before = game.record();
            let old: Vec<_> = (0..=before.seq)
                .map(|seq| version(&game.lab.store, game.id, seq).unwrap())
                .collect();
            let outcome = take(&mut game, step);
            let after = game.record();
            match outcome {
                Ok(()) => check(&before, &after, step, &game),
                Err(_) => prop_assert_eq!(&before, &after),
            }
            // Once out of the window, history only grows.
            for (seq, old) in (0..).zip(old) {
                let now = version(&game.lab.store, game.id, seq).unwrap();
                let late = game.lab.context.now_s() > old.time_s + WINDOW_S;
                prop_assert!(now == old || (!late && old.erased_s.is_none()), "version {seq}");
            }
        }
    }
}
