//! Pools for funds: what the wallet signs of them, and what it learns of a new one.

use ledger::{Event, domains::paypool};

use super::{Rig, account};
use crate::{
    Input,
    funds::{self as page, Wish},
    view::{self, Command, Fate},
};

const DEPOSIT: u128 = 2_000_000;

fn open() -> Wish {
    let key = primitives::KeyPair::from_seed(primitives::Seed::from_number(5)).id();
    Wish::Open { key: key.to_string(), units: DEPOSIT, ttl_s: 7 * 86_400 }
}

fn rich() -> Rig {
    let mut rig = Rig::new();
    rig.up();
    rig.block(10_000_000, 0);
    rig
}

#[test]
fn a_pool_for_a_fund_is_paid_for_and_no_deposit_of_the_wallets_own() {
    let mut rig = rich();
    rig.command(page::ask(&open()).unwrap());
    let sent = rig.view.sent[0].clone();
    assert_eq!((sent.units, sent.pool), (DEPOSIT, None));
    assert_eq!(rig.view.outgoing, DEPOSIT + sent.fee);
    assert_eq!(page::asked(sent.act.as_ref().unwrap()), Some(open()));
    rig.answer();
    let event = Event { kind: 0x0300, accounts: vec![account()], numbers: vec![7, 0, DEPOSIT] };
    rig.receipt(&sent.id, 0, vec![event]);
    rig.block(10_000_000 - DEPOSIT - sent.fee, 1);
    rig.now_ms += 3_000;
    rig.step(Input::Tick);
    rig.answer();
    let sent = &rig.view.sent[0];
    assert_eq!(sent.fate, Fate::Done);
    assert_eq!(sent.act.as_ref().and_then(|act| act.amount), Some(7), "its number");
}

#[test]
fn more_than_there_is_is_not_set_aside_and_what_a_fund_never_needs_is_not_signed() {
    let mut rig = rich();
    let Wish::Open { key, ttl_s, .. } = open() else { panic!("it opens one") };
    let dear = Wish::Open { key: key.clone(), units: 10_000_000, ttl_s };
    rig.command(page::ask(&dear).unwrap());
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("too-much", 0));
    let brief = Wish::Open { key, units: 5, ttl_s: 1 };
    let release = paypool::Action::Release { pool: 7, epoch: 1 };
    let release = Command::Pool(view::to_bytes(&release));
    for command in [page::ask(&brief).unwrap(), release, Command::Pool(vec![0x80])] {
        rig.command(command);
        assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("action", 0));
    }
}
