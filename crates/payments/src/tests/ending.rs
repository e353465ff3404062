//! How paying and asking end, and begin again.

use super::*;

impl World {
    /// The payee's till is another from now on, as when a person stops asking and asks again.
    fn ask_again(&mut self, earning: Earning) {
        self.run(PAYEE, Input::Stop);
        let setup = Setup { chain: chain(), paying: None, earning: Some(earning) };
        self.tills[PAYEE] = Till::new(setup, self.now);
        (self.sent, self.held) = (0, false);
        self.run(PAYEE, Input::Up(Self::id(PAYER)));
    }

    fn paid(&self) -> u128 {
        self.tills[PAYER].paid().promised
    }
}

#[test]
fn who_stops_asking_and_asks_again_is_paid_again_by_who_is_still_there() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(4 * MIB);
    world.run(PAYEE, Input::Stop);
    // What comes while nobody asks is a gift.
    let received = world.received + 3 * MIB;
    world.come(received, 0);
    world.wait(config::QUIET);
    let before = world.paid();
    world.received = received;
    world.ask_again(earning());
    assert_eq!(world.paid(), before, "for nothing that came before");
    assert!(world.move_bytes(20 * MIB) >= 20 * MIB, "it is held");
    world.wait(config::QUIET);
    let since = world.paid() - before;
    assert_eq!(since, price(world.received - received, PER_MIB));
    assert_eq!(world.tills[PAYEE].earned().sure, since);
}

#[test]
fn another_price_holds_from_then_on_and_one_that_is_too_high_is_refused() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(4 * MIB);
    world.wait(config::QUIET);
    let (before, received) = (world.paid(), world.received);
    world.ask_again(Earning { per_mib: PER_MIB / 2, ..earning() });
    world.move_bytes(4 * MIB);
    world.wait(config::QUIET);
    let cheap = price(world.received - received, PER_MIB / 2);
    assert_eq!(world.paid() - before, cheap);
    world.ask_again(Earning { per_mib: PER_MIB * 2, ..earning() });
    world.move_bytes(20 * MIB);
    assert_eq!(world.paid() - before, cheap);
    let last = world.events.iter().rev().find_map(|(_, event)| match event {
        Event::Stopped(_, reason) => Some(*reason),
        _ => None,
    });
    assert_eq!(last, Some(StopReason::Terms));
    assert!(world.held);
    // Cheaper again: these terms are new ones, too.
    world.ask_again(earning());
    assert!(world.move_bytes(4 * MIB) >= 4 * MIB);
    world.wait(config::QUIET);
    assert!(world.paid() - before > cheap);
}

#[test]
fn a_lane_that_was_given_back_meanwhile_is_no_more_counted_on() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(4 * MIB);
    world.wait(config::QUIET);
    // It settles, and the ledger opens another lane when units are set aside anew.
    world.run(PAYEE, Input::Stop);
    let book = &mut world.book;
    (book.epoch, book.reserve, book.redeemed, book.remembered) = (0, 0, 0, 0);
    world.ask_again(earning());
    assert!(world.move_bytes(4 * MIB) >= 4 * MIB, "{:?}", world.events);
    world.wait(config::QUIET);
    assert!(world.tills[PAYEE].earned().sure >= price(4 * MIB, PER_MIB));
}

#[test]
fn what_was_set_aside_for_who_is_gone_for_long_is_for_others() {
    let limit = price(4 * MIB, PER_MIB);
    let mut world = World::new(Some(Paying { spend_max: limit, ..paying() }), Some(earning()));
    world.move_bytes(2 * MIB);
    world.wait(config::QUIET);
    let (first, paid) = (world.received, world.tills[PAYER].paid());
    assert_eq!((paid.reserved, world.tills[PAYER].payees()), (limit, 1));
    world.run(PAYER, Input::Down(World::id(PAYEE)));
    assert_eq!(world.tills[PAYER].payees(), 0);
    world.wait(config::GONE - Duration::from_millis(1));
    assert_eq!(world.tills[PAYER].paid().reserved, limit, "it may come back");
    world.wait(Duration::from_millis(1));
    assert_eq!(world.tills[PAYER].paid().reserved, paid.promised);
    // It comes back, and is paid from the lane that is there.
    world.run(PAYEE, Input::Down(World::id(PAYER)));
    world.up();
    world.move_bytes(MIB);
    world.wait(config::QUIET);
    assert_eq!(world.paid(), price(first + world.received, PER_MIB));
}

#[test]
fn where_nothing_more_comes_what_is_owed_is_set_aside_and_promised_at_once() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.book.down = true;
    world.move_bytes(MIB);
    world.run(PAYER, Input::Whole);
    assert_eq!(world.tills[PAYER].paid().promised, 0);
    world.book.down = false;
    world.wait(config::AGAIN);
    let paid = world.tills[PAYER].paid();
    let owed = price(world.received, PER_MIB);
    assert_eq!((paid.promised, paid.owed), (owed, 0));
    assert_eq!(paid.reserved, owed, "no more than that is set aside");
    assert_eq!(world.tills[PAYEE].earned().sure, owed);
}

#[test]
fn the_last_promise_of_who_stops_counts_when_its_lane_is_proved_later() {
    let mut world = World::new(None, Some(earning()));
    world.reserve(500);
    world.book.down = true;
    let (from, lane) = (World::id(PAYER), Lane { pool: POOL, epoch: 1 });
    say(&mut world, from, PayMessage::Lane(lane));
    say(&mut world, from, promise(lane, 400));
    say(&mut world, from, PayMessage::Stop(wire::pay::Stop { reason: StopReason::Limit }));
    world.wait(config::AGAIN);
    assert_eq!(world.tills[PAYEE].earned().sure, 0);
    world.book.down = false;
    world.wait(config::AGAIN);
    assert_eq!(world.tills[PAYEE].earned().sure, 400);
}
