//! What a payee leaves with neighbours, and what becomes of it when it does not come back in time.

use wire::{
    near::{Follows, NearMessage},
    pay::{Keep, PayMessage},
};

use super::*;

const HOUR_MS: u64 = 3_600_000;

fn near(rig: &mut Rig, told: Told) {
    rig.command(Command::Near(told));
    rig.answer();
}

/// A neighbour is there that follows the same ledger.
fn meet(rig: &mut Rig, number: u8) {
    let chain = (*rig.ledger.root().chain.as_bytes()).into();
    let follows = NearMessage::Follows(Follows { chain }).encode_to_vec();
    near(rig, Told::Up([number; 32].into()));
    near(rig, Told::Frame([number; 32].into(), follows.into()));
}

fn read(frame: &[u8]) -> Option<Keep> {
    match PayMessage::decode(frame) {
        Ok(PayMessage::Keep(keep)) => Some(keep),
        _ => None,
    }
}

impl Town {
    /// Somebody can hand in, and 2 MiB were promised to the payee, who knows a neighbour that it can leave that with.
    fn promised() -> Self {
        let gifts = [1, 2, 3].map(|seed| (account_of(seed), GIFT));
        let mut town = Self::with(gifts.to_vec());
        town.keeper.command(Command::Purse(Wish::HandIn(true)));
        town.begin();
        meet(&mut town.payee, 3);
        town.fetch(2 * MIB);
        assert_eq!(town.payee.purse.dues[0].redeemed, 0, "so little is not claimed at once");
        town
    }

    /// What the payee's page told neighbours to keep.
    fn keeps(&self) -> Vec<(PeerId, Keep)> {
        self.told.iter().filter_map(|(to, frame)| Some((*to, read(frame)?))).collect()
    }

    fn leave(&mut self, keep: Keep) {
        let frame = PayMessage::Keep(keep).encode_to_vec();
        near(&mut self.keeper, Told::Frame([2; 32].into(), frame.into()));
        self.block();
    }

    /// The payee leaves its newest voucher with the keeper, and goes.
    fn go(&mut self) {
        near(&mut self.keeper, Told::Up([2; 32].into()));
        let (_, newest) = *self.keeps().last().unwrap();
        self.leave(newest);
        self.gone = Some(Who::Payee);
        self.tell(Who::Payer, Told::Down([2; 32].into()));
        assert_eq!(self.keeper.purse.kept.count, 1);
    }

    fn later(&mut self, ms: u64) {
        for rig in [&mut self.payer, &mut self.payee, &mut self.keeper] {
            rig.now_ms += ms;
        }
        // Long enough for a look.
        self.wait();
    }

    fn wait(&mut self) {
        (0..50).for_each(|_| self.block());
    }

    fn handed_in(&self) -> usize {
        let sent = self.keeper.saved.sent.iter();
        sent.filter(|sent| sent.pool == Some(PoolAct::HandIn)).count()
    }

    /// The payee is back with what it had kept: everything is there, and nothing was handed in twice.
    fn come_back(&mut self, promised: u128) {
        self.gone = None;
        self.reload(Who::Payee);
        (0..4).for_each(|_| self.block());
        assert_eq!(self.payee.purse.dues[0].redeemed, promised);
        assert_eq!(self.payee.saved.sent, [], "nothing is left to hand in");
        assert_eq!(self.balance(Who::Payee), GIFT + promised);
    }
}

#[test]
fn a_payee_leaves_its_newest_voucher_with_two_neighbours_that_do_not_pay_it() {
    let mut town = Town::new();
    town.begin();
    // The first one pays.
    for number in [1, 3, 4, 5] {
        meet(&mut town.payee, number);
    }
    town.fetch(2 * MIB);
    let promised = town.payee.purse.dues[0].promised;
    let keeps = town.keeps();
    assert!(keeps.iter().all(|(to, _)| [3, 4].contains(&to.as_bytes()[0])), "{keeps:?}");
    let newest = keeps.iter().filter(|(_, keep)| keep.promise.cumulative == promised);
    let newest: Vec<_> = newest.map(|(to, keep)| (to.as_bytes()[0], keep.turn)).collect();
    assert_eq!(newest, [(3, 0), (4, 1)], "each is told once");
    let said = town.parting.iter().map(|one| (one.to[0], read(&one.frame).unwrap()));
    let said: Vec<_> = said.map(|(to, keep)| (to, keep.promise.cumulative)).collect();
    assert_eq!(said, [(3, promised), (4, promised)], "the page has the same for when it goes");

    town.wish(Who::Payee, Wish::End(SHARE.to_owned()));
    (0..4).for_each(|_| town.block());
    assert_eq!(town.parting, [], "nothing is left to claim");
}

#[test]
fn what_was_left_is_handed_in_once_when_its_pool_ends_soon_and_its_payee_finds_it() {
    let mut town = Town::promised();
    let promised = town.payee.purse.dues[0].promised;
    town.go();
    assert_eq!(town.keeper.purse.kept.units, promised);
    near(&mut town.keeper, Told::Down([2; 32].into()));
    town.later(6 * DAY_MS);
    assert_eq!(town.handed_in(), 0, "its payee may come back still");
    town.reload(Who::Keeper);
    town.later(19 * HOUR_MS);
    assert_eq!(town.handed_in(), 0, "nobody said yet that it may");
    town.keeper.command(Command::Purse(Wish::HandIn(true)));
    town.wait();
    assert_eq!((town.handed_in(), town.keeper.purse.kept.count), (1, 0));
    let fee = town.fees[&account_of(3)];
    assert_eq!(town.balance(Who::Keeper), GIFT - fee);
    assert_eq!((town.keeper.purse.kept.spent, town.keeper.purse.hour.spent), (fee, fee));
    town.wait();
    assert_eq!(town.handed_in(), 1);
    town.come_back(promised);
}

#[test]
fn what_was_left_is_handed_in_when_its_pool_closes_but_not_of_who_is_here() {
    let mut town = Town::promised();
    let promised = town.payee.purse.dues[0].promised;
    town.go();
    let pool = town.payer.purse.pools[0].number;
    town.wish(Who::Payer, Wish::Close(pool));
    town.wait();
    assert_eq!(town.handed_in(), 0, "its payee is here");
    town.keeper.command(Command::Purse(Wish::Cap(0)));
    near(&mut town.keeper, Told::Down([2; 32].into()));
    town.wait();
    assert_eq!(town.handed_in(), 0, "nothing may be spent in an hour");
    town.keeper.command(Command::Purse(Wish::Cap(LIMIT)));
    town.wait();
    assert_eq!(town.handed_in(), 1);
    town.come_back(promised);
}

#[test]
fn who_is_back_first_is_left_alone_and_pays_its_own_fee() {
    let mut town = Town::promised();
    let promised = town.payee.purse.dues[0].promised;
    town.go();
    near(&mut town.keeper, Told::Down([2; 32].into()));
    town.gone = None;
    town.reload(Who::Payee);
    (0..4).for_each(|_| town.block());
    town.later(6 * DAY_MS + 19 * HOUR_MS);
    assert_eq!((town.handed_in(), town.keeper.purse.kept.count), (0, 0));
    assert_eq!(town.payee.purse.dues[0].redeemed, promised);
    assert_eq!(town.balance(Who::Payee), GIFT + promised - town.fees[&account_of(2)]);
}

#[test]
fn nothing_is_kept_that_is_forged_foreign_known_or_not_wanted() {
    let mut town = Town::promised();
    let (_, good) = *town.keeps().last().unwrap();
    let mut forged = good;
    forged.promise.cumulative += 1;
    let mut elsewhere = good;
    elsewhere.chain = [9; 32].into();
    let mut no_lane = good;
    no_lane.promise.lane.epoch += 1;
    let mut no_pool = good;
    no_pool.promise.lane.pool += 1;
    let mut ours = good;
    ours.payee = (*account_of(3).as_bytes()).into();
    town.leave(good);
    assert_eq!(town.keeper.purse.kept.count, 0, "of a stranger");
    near(&mut town.keeper, Told::Up([2; 32].into()));
    for bad in [forged, elsewhere, no_lane, no_pool, ours] {
        town.leave(bad);
        assert_eq!(town.keeper.purse.kept.count, 0, "{bad:?}");
    }
    town.keeper.command(Command::Purse(Wish::HandIn(false)));
    town.leave(good);
    assert_eq!(town.keeper.purse.kept.count, 0, "the person wants none of it");
    town.keeper.command(Command::Purse(Wish::HandIn(true)));
    town.leave(good);
    assert_eq!(town.keeper.purse.kept.count, 1);
    let keeps = town.keeper.keeps;
    town.leave(good);
    assert_eq!(town.keeper.keeps, keeps, "it is there already");
}

#[test]
fn nothing_is_left_with_who_pays_from_that_lane_though_the_deal_is_over() {
    let mut town = Town::new();
    town.begin();
    for number in [1, 3] {
        meet(&mut town.payee, number);
    }
    town.fetch(2 * MIB);
    // Before a block holds the claim.
    town.wish(Who::Payee, Wish::End(SHARE.to_owned()));
    let keepers: Vec<u8> = town.parting.iter().map(|one| one.to[0]).collect();
    assert_eq!(keepers, [3]);
}

#[test]
fn what_is_gone_from_the_ledger_is_kept_no_longer_though_a_person_turned_it_off() {
    let mut town = Town::promised();
    town.go();
    town.keeper.command(Command::Purse(Wish::HandIn(false)));
    town.gone = None;
    town.reload(Who::Payee);
    (0..4).for_each(|_| town.block());
    town.wait();
    assert_eq!((town.handed_in(), town.keeper.purse.kept.count), (0, 0));
}
