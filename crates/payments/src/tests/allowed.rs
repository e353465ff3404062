//! What a driver allows its tills together, beside the limit of each.

use super::*;

impl World {
    /// The payer's driver allows so much, at its next step and until it says otherwise.
    fn allow(&mut self, units: u128) {
        self.tills[PAYER].allow(Some(units));
    }

    fn promised(&self) -> u128 {
        self.tills[PAYER].paid().promised
    }
}

#[test]
fn what_is_not_allowed_is_not_promised_and_goes_on_when_it_is() {
    let mut world = World::new(Some(paying()), Some(earning()));
    let most = price(3 * MIB, PER_MIB);
    world.allow(most);
    world.move_bytes(20 * MIB);
    world.wait(config::QUIET);
    assert_eq!(world.promised(), most, "not a unit more");
    assert!(world.tills[PAYER].paid().reserved <= most, "nor is more set aside");
    assert_eq!(world.stopped(), Some(StopReason::Limit));
    assert!(world.tills[PAYER].is_bound());
    // The last promise, of less than a quantum, came in the quiet moment: the payee serves for as much again.
    world.move_bytes(20 * MIB);
    world.wait(config::QUIET);
    assert_eq!(world.promised(), most);
    assert!(world.tills[PAYER].is_bound() && world.held);

    world.allow(1_000_000);
    world.run(PAYER, Input::GoOn);
    assert!(!world.tills[PAYER].is_bound());
    world.wait(config::QUIET);
    assert!(!world.held, "what was owed is paid");
    world.move_bytes(20 * MIB);
    world.wait(config::QUIET);
    assert_eq!(world.promised(), price(world.received, PER_MIB));
    assert_eq!(world.tills[PAYEE].earned().sure, world.promised());
}

#[test]
fn who_is_allowed_nothing_sets_nothing_aside() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.allow(0);
    world.move_bytes(20 * MIB);
    world.wait(config::QUIET);
    let paid = world.tills[PAYER].paid();
    assert_eq!((paid.promised, paid.reserved), (0, 0));
    assert!(world.tills[PAYER].is_bound() && world.held);
}

#[test]
fn a_limit_that_is_reached_is_no_such_bound() {
    let limit = Paying { spend_max: 3_500, ..paying() };
    let mut world = World::new(Some(limit), Some(earning()));
    world.allow(3_500);
    world.move_bytes(50 * MIB);
    world.wait(config::QUIET);
    assert_eq!((world.promised(), world.tills[PAYER].is_bound()), (3_500, false));
    // As above: until the payee is owed its credit again.
    world.move_bytes(50 * MIB);
    world.wait(config::QUIET);
    assert_eq!((world.promised(), world.tills[PAYER].is_bound()), (3_500, false));
    // It is asked to go on and can't: it says so again, and no more than that.
    let frames = world.frames;
    world.allow(1_000_000);
    world.run(PAYER, Input::GoOn);
    world.wait(config::QUIET);
    assert_eq!((world.promised(), world.tills[PAYER].is_bound()), (3_500, false));
    assert!(world.frames <= frames + 2 && world.held, "{} frames", world.frames - frames);
}

#[test]
fn who_ended_is_not_paid_again_by_that() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.allow(1_000);
    world.move_bytes(8 * MIB);
    world.run(PAYER, Input::Stop);
    let before = world.promised();
    world.allow(1_000_000);
    world.run(PAYER, Input::GoOn);
    world.wait(config::QUIET);
    assert_eq!(world.promised(), before);
}

proptest! {
    #[test]
    fn no_more_is_promised_than_was_allowed_whatever_comes(
        turns in prop::collection::vec((0u64..6, 0u128..4_000, any::<bool>()), 0..20),
    ) {
        let mut world = World::new(Some(paying()), Some(earning()));
        let mut left = 0;
        for (mib, more, goes_on) in turns {
            left += more;
            let before = world.promised();
            world.allow(left);
            if goes_on {
                world.run(PAYER, Input::GoOn);
            }
            world.move_bytes(mib * MIB);
            world.wait(config::QUIET);
            let paid = world.promised() - before;
            prop_assert!(paid <= left, "{paid} of {left}");
            left -= paid;
        }
    }
}
