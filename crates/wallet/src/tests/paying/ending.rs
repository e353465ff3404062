//! Deals that end by themselves, what is given back then, and servers that tell what is not so.

use ledger::domains::paypool;

use super::*;
use crate::purse::Kept;

const HOUR_MS: u64 = 3_600_000;

impl Town {
    /// Units of the payer's first deal that are asked to be set aside.
    fn reserved(&self) -> u128 {
        view::read::<Kept>(&self.payer.kept).unwrap().deals[0].reserved
    }

    fn blocks(&mut self, count: usize) {
        (0..count).for_each(|_| self.block());
    }

    /// The payee's page counts anew: its till is another.
    fn move_on(&mut self, bytes: u64, from: u64) {
        let until = self.bytes + bytes;
        while self.bytes < until && !self.held {
            self.bytes += MIB / 4;
            let moved = self.bytes;
            self.tell(Who::Payee, Told::Moved([1; 32].into(), 0, 0, moved - from));
            self.tell(Who::Payer, Told::Moved([2; 32].into(), moved, 0, 0));
        }
    }
}

#[test]
fn a_deal_is_over_when_all_of_it_came_and_later_deposits_are_for_later_deals() {
    let mut town = Town::new();
    town.begin();
    town.fetch(4 * MIB);
    town.tell(Who::Payer, Told::Whole);
    let price = 4 * u128::from(PER_MIB);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.stage, deal.stopped.as_str(), deal.till), (Stage::Off, "whole", 0));
    assert_eq!(deal.units, price);
    let payee = town.deal(Who::Payee);
    assert_eq!((payee.units, payee.stopped.as_str()), (price, ""), "nobody stopped anybody");
    assert_eq!(payee.stage, Stage::On);

    let (share, name) = ("bafyother".to_owned(), "other.bin".to_owned());
    town.wish(Who::Payer, Wish::Deal { share, name, part: PAY });
    town.blocks(3);
    assert_eq!(town.deal(Who::Payer).stage, Stage::On);
    assert_eq!(town.payer.purse.pools.len(), 1);
    assert_eq!(town.payer.purse.pools[0].proved.unwrap().free, LIMIT);
}

#[test]
fn what_came_before_units_were_set_aside_is_paid_before_the_deal_is_over() {
    let mut town = Town::new();
    town.begin();
    town.move_bytes(MIB);
    town.tell(Who::Payer, Told::Whole);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.stage, deal.owed), (Stage::On, u128::from(PER_MIB)));
    town.blocks(4);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.stage, deal.units), (Stage::Off, u128::from(PER_MIB)));
    assert_eq!(town.deal(Who::Payee).units, deal.units);
}

#[test]
fn a_share_that_is_whole_waits_a_while_for_a_ledger_that_sets_nothing_aside() {
    let mut town = Town::new();
    town.begin();
    town.refuses = true;
    town.move_bytes(MIB);
    town.tell(Who::Payer, Told::Whole);
    town.block();
    assert_eq!(town.deal(Who::Payer).stage, Stage::On);
    town.blocks(60);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.stage, deal.units), (Stage::Off, 0));
}

#[test]
fn a_deal_is_over_when_nobody_who_is_paid_was_there_for_an_hour() {
    let mut town = Town::new();
    town.begin();
    town.fetch(2 * MIB);
    town.tell(Who::Payer, Told::Down([2; 32].into()));
    let gone_ms = town.payer.now_ms;
    for (after_ms, stage) in [(HOUR_MS - 9_000, Stage::On), (HOUR_MS, Stage::Off)] {
        for rig in [&mut town.payer, &mut town.payee] {
            rig.now_ms = gone_ms + after_ms;
        }
        town.block();
        assert_eq!(town.deal(Who::Payer).stage, stage);
    }
    assert_eq!(town.deal(Who::Payer).stopped, "gone");
    assert_eq!(town.deal(Who::Payee).stage, Stage::On, "who asks may wait");
}

#[test]
fn who_asks_again_after_settling_is_paid_in_a_new_lane_by_who_is_still_there() {
    let mut town = Town::new();
    town.begin();
    town.fetch(2 * MIB);
    let due = town.payee.purse.dues[0].clone();
    town.wish(Who::Payee, Wish::End(SHARE.to_owned()));
    town.wish(Who::Payee, Wish::Settle { pool: due.pool, epoch: due.epoch });
    town.blocks(6);
    assert!(town.payee.purse.dues[0].closed);
    let before = town.deal(Who::Payer).units;

    town.agree(Who::Payee, EARN);
    town.block();
    town.held = false;
    town.tell(Who::Payee, Told::Up([1; 32].into()));
    let from = town.bytes;
    for _ in 0..20 {
        town.move_on((from + 8 * MIB).saturating_sub(town.bytes), from);
        town.block();
    }
    assert_eq!(town.bytes, from + 8 * MIB, "it is served to the end");
    let price = 8 * u128::from(PER_MIB);
    assert_eq!(town.deal(Who::Payer).units, before + price);
    assert_eq!(town.deal(Who::Payee).units, price);
    let due = &town.payee.purse.dues[0];
    assert_eq!((due.epoch, due.promised), (2, price));
}

#[test]
fn units_that_the_ledger_did_not_set_aside_are_free_again() {
    let mut town = Town::new();
    town.begin();
    town.refuses = true;
    town.move_bytes(MIB / 4);
    assert!(town.reserved() > 0);
    town.block();
    assert_eq!(town.reserved(), 0, "refused");
    town.refuses = false;
    town.blocks(2);
    assert!(town.reserved() > 0, "it is tried again");

    // No server passes it on, until it lapses.
    town.payer.submitted.clear();
    let (now_ms, state) = (town.payer.now_ms, town.state());
    for _ in 0..1_002 {
        town.payer.ledger.add(now_ms, state.clone());
    }
    town.block();
    assert_eq!(town.reserved(), 0, "lost");
}

#[test]
fn who_has_nothing_is_told_what_handing_in_costs_before_anything_is_asked() {
    let town = Town::new();
    assert_eq!(town.payee.purse.claim_lacks, 0);
    let town = Town::with(vec![(account_of(1), GIFT), (account_of(2), 10)]);
    let purse = &town.payee.purse;
    assert_eq!(purse.deals, []);
    assert_eq!(Some(purse.claim_lacks + 10), purse.claim_cost);
}

#[test]
fn what_is_proved_and_not_new_is_not_written_down_again() {
    let mut town = Town::new();
    town.begin();
    town.fetch(2 * MIB);
    town.wish(Who::Payee, Wish::End(SHARE.to_owned()));
    town.blocks(4);
    let due = town.payee.purse.dues[0].clone();
    assert_eq!((due.redeemed, due.closed), (due.promised, false));
    let keeps = town.payee.keeps;
    town.wish(Who::Payee, Wish::Settle { pool: due.pool, epoch: due.epoch });
    assert_eq!(town.payee.keeps, keeps);
    town.blocks(3);
    assert!(town.payee.purse.dues[0].closed && town.payee.keeps > keeps);
}

#[test]
fn a_server_that_is_behind_proves_no_voucher_worthless() {
    let mut town = Town::new();
    town.begin();
    let early = town.payee.ledger.clone();
    town.fetch(2 * MIB);
    let promised = town.payee.purse.dues[0].promised;
    assert!(promised > 0);
    let newest = std::mem::replace(&mut town.payee.ledger, early);
    town.reload(Who::Payee);
    for _ in 0..5 {
        town.payee.now_ms += 1_000;
        town.payee.step(Input::Tick);
        town.payee.answer();
    }
    let due = &town.payee.purse.dues[0];
    assert!(!due.closed, "the lane is not there yet, as of that block");
    town.payee.ledger = newest;
    town.blocks(4);
    assert_eq!(town.payee.purse.dues[0].redeemed, promised);
}

#[test]
fn a_server_that_tells_that_a_deposit_was_refused_is_not_believed() {
    let mut town = Town::new();
    town.tells_refused = true;
    town.agree(Who::Payee, EARN);
    town.agree(Who::Payer, PAY);
    town.blocks(6);
    assert_eq!((town.sent(PoolAct::Open), town.deal(Who::Payer).stage), (1, Stage::On));
    assert_eq!(town.payer.purse.pools.len(), 1);
}

#[test]
fn a_deposit_is_found_behind_many_that_others_made_meanwhile() {
    let mut town = Town::new();
    town.tells_refused = true;
    town.agree(Who::Payee, EARN);
    town.agree(Who::Payer, PAY);
    assert_eq!(town.sent(PoolAct::Open), 1);
    // Before a block has it, others open and end two hundred.
    let count = minicbor::to_vec(200_u64).unwrap();
    town.store.commit([(paypool::count_key(), Some(count))].into_iter().collect());
    town.blocks(12);
    assert_eq!((town.sent(PoolAct::Open), town.deal(Who::Payer).stage), (1, Stage::On));
    assert_eq!(town.payer.purse.pools[0].number, 201);
}

#[test]
fn a_deposit_that_was_refused_is_told_and_made_no_second_time() {
    let mut town = Town::new();
    town.refuses = true;
    town.agree(Who::Payer, PAY);
    town.blocks(6);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.stage, deal.stopped.as_str()), (Stage::Off, "deposit"));
    assert_eq!((town.sent(PoolAct::Open), town.payer.purse.pools.len()), (1, 0));
}

#[test]
fn a_deposit_whose_number_another_device_used_is_no_pool_and_another_one_can_be_made() {
    let mut town = Town::new();
    town.agree(Who::Payer, PAY);
    assert_eq!(town.sent(PoolAct::Open), 1);
    // A server took it, and a block holds what another device signed.
    town.payer.submitted.clear();
    town.nonces.insert(account_of(1), 1);
    // Until servers said several times that they know nothing of it.
    town.blocks(10);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.stage, deal.stopped.as_str()), (Stage::Off, "deposit"));
    town.agree(Who::Payee, EARN);
    town.agree(Who::Payer, PAY);
    town.blocks(4);
    assert_eq!((town.sent(PoolAct::Open), town.deal(Who::Payer).stage), (2, Stage::On));
}

#[test]
fn a_deposit_that_was_given_up_and_kept_by_a_server_all_the_same_is_found() {
    let mut town = Town::new();
    town.agree(Who::Payee, EARN);
    town.payer.refuses = Some((503, "full", ""));
    town.agree(Who::Payer, PAY);
    let opening = town.payer.saved.sent.last().unwrap().clone();
    town.payer.command(Command::GiveUp(opening.id.to_string()));
    town.payer.refuses = None;
    assert_eq!(town.payer.view.sent[0].fate, view::Fate::GivenUp);
    // A server took it, and its answer was lost.
    town.payer.submitted.push(opening.bytes);
    town.blocks(6);
    assert_eq!((town.sent(PoolAct::Open), town.deal(Who::Payer).stage), (1, Stage::On));
    assert_eq!(town.payer.purse.pools.len(), 1);
}

#[test]
fn who_gave_a_deposit_up_makes_another_one_at_once() {
    let mut town = Town::new();
    town.agree(Who::Payee, EARN);
    town.payer.refuses = Some((503, "full", ""));
    town.agree(Who::Payer, PAY);
    let opening = town.payer.saved.sent.last().unwrap().id.to_string();
    town.payer.command(Command::GiveUp(opening));
    town.payer.refuses = None;
    town.agree(Who::Payer, PAY);
    town.blocks(4);
    assert_eq!((town.sent(PoolAct::Open), town.deal(Who::Payer).stage), (2, Stage::On));
}

#[test]
fn a_deposit_of_which_no_server_keeps_a_receipt_is_found_by_what_is_proved() {
    let mut town = Town::new();
    town.payer.since = u64::MAX;
    town.agree(Who::Payee, EARN);
    town.agree(Who::Payer, PAY);
    for _ in 0..20 {
        if town.deal(Who::Payer).stage != Stage::Opening {
            break;
        }
        for rig in [&mut town.payer, &mut town.payee] {
            rig.now_ms += HOUR_MS / 3;
        }
        town.block();
    }
    assert_eq!((town.sent(PoolAct::Open), town.deal(Who::Payer).stage), (1, Stage::On));
}

#[test]
fn what_comes_after_the_clock_was_set_back_is_paid_as_before() {
    let mut town = Town::new();
    town.begin();
    town.fetch(2 * MIB);
    for back in [false, true] {
        for rig in [&mut town.payer, &mut town.payee] {
            rig.now_ms = if back { rig.now_ms - HOUR_MS / 2 } else { rig.now_ms + HOUR_MS / 2 };
            rig.step(Input::Tick);
            rig.answer();
        }
        town.carry();
    }
    town.fetch(10 * MIB);
    assert_eq!(town.bytes, 12 * MIB, "it is served to the end");
    assert_eq!(town.deal(Who::Payer).units, 12 * u128::from(PER_MIB));
    assert_eq!(town.deal(Who::Payee).units, 12 * u128::from(PER_MIB));
}
