//! What may be promised in an hour, whatever is paid for.

use super::*;

const HOUR_MS: u64 = 3_600_000;
/// Five MiB an hour.
const CAP: u128 = 100_000;

impl Town {
    fn cap(&mut self, units: u128) {
        self.wish(Who::Payer, Wish::Cap(units));
    }

    /// An hour passes, and a little more.
    fn pass(&mut self) {
        for rig in [&mut self.payer, &mut self.payee] {
            rig.now_ms += HOUR_MS + 120_000;
        }
        self.block();
    }
}

#[test]
fn paying_stops_at_the_cap_and_goes_on_by_itself_when_the_hour_is_over() {
    let mut town = Town::new();
    town.begin();
    assert_eq!(town.payer.purse.hour.cap, view::HOUR_CAP, "there is one before anybody says so");
    town.cap(CAP);
    town.fetch(16 * MIB);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.units, deal.stage, deal.stopped.as_str()), (CAP, Stage::On, "hour"));
    assert!(town.held && town.bytes < 16 * MIB);
    let hour = town.payer.purse.hour;
    assert_eq!((hour.cap, hour.spent), (CAP, CAP));
    let again_ms = hour.again_ms.unwrap();
    assert!(again_ms > town.payer.now_ms && again_ms <= town.payer.now_ms + HOUR_MS);

    town.pass();
    assert_eq!(town.payer.purse.hour.again_ms, None, "nobody waits any more");
    town.fetch(16 * MIB);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.units, deal.stopped.as_str()), (2 * CAP, "hour"));
    assert_eq!(town.deal(Who::Payee).units, 2 * CAP);
    assert_eq!(town.payer.purse.hour.spent, CAP);
    // A higher one holds at once.
    town.cap(view::HOUR_CAP);
    town.fetch(4 * MIB);
    assert!(town.deal(Who::Payer).units > 2 * CAP);
}

#[test]
fn what_was_promised_for_one_deal_counts_for_the_next_and_at_the_next_visit() {
    let mut town = Town::new();
    town.begin();
    town.cap(CAP);
    town.fetch(3 * MIB);
    let first = 3 * u128::from(PER_MIB);
    assert_eq!(town.deal(Who::Payer).units, first);
    town.wish(Who::Payer, Wish::End(SHARE.to_owned()));
    town.reload(Who::Payer);
    town.reload(Who::Payee);
    town.held = false;
    assert_eq!(town.payer.purse.hour.spent, first);
    assert_eq!(town.payer.purse.hour.cap, CAP);
    town.agree(Who::Payer, PAY);
    for _ in 0..3 {
        town.block();
    }
    town.meet();
    town.fetch(12 * MIB);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.units, deal.stopped.as_str()), (CAP - first, "hour"));
}

#[test]
fn another_account_of_the_same_browser_has_no_hour_of_its_own() {
    let mut town = Town::new();
    town.begin();
    town.cap(CAP);
    town.fetch(3 * MIB);
    town.payer.step(Input::Use([9; 32]));
    assert_eq!(town.payer.reopened, 1);
    let mut other = Rig::with(town.payer.ledger.clone(), town.payer.saved.clone());
    other.now_ms = town.payer.now_ms;
    other.up();
    let hour = other.purse.hour;
    assert_eq!((hour.cap, hour.spent), (CAP, 3 * u128::from(PER_MIB)));
}

#[test]
fn who_pays_nothing_makes_no_deposit() {
    let mut town = Town::new();
    town.agree(Who::Payee, EARN);
    town.cap(0);
    town.agree(Who::Payer, PAY);
    town.block();
    assert_eq!((town.payer.purse.refused.as_str(), town.payer.purse.deals.len()), ("hour", 0));
    assert_eq!(town.payer.saved.sent, []);
    // Who asks to be paid is asked nothing.
    assert_eq!(town.deal(Who::Payee).stage, Stage::On);
    // What was agreed before stops as well.
    town.cap(view::HOUR_CAP);
    town.agree(Who::Payer, PAY);
    for _ in 0..3 {
        town.block();
    }
    town.cap(0);
    town.meet();
    town.fetch(12 * MIB);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.units, deal.stopped.as_str()), (0, "hour"));
    assert_eq!(town.payer.purse.hour.again_ms, None, "it would wait in vain");
}

#[test]
fn what_is_owed_for_a_whole_share_is_paid_when_the_hour_is_over() {
    let mut town = Town::new();
    town.begin();
    town.cap(3 * u128::from(PER_MIB));
    town.fetch(4 * MIB);
    assert_eq!(town.bytes, 4 * MIB);
    town.tell(Who::Payer, Told::Whole);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.units, deal.stage), (3 * u128::from(PER_MIB), Stage::On));
    town.pass();
    for _ in 0..4 {
        town.block();
    }
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.units, deal.stage), (4 * u128::from(PER_MIB), Stage::Off));
    assert_eq!(deal.stopped, "whole");
}
