use proptest::prelude::*;

use super::{Action, CHALLENGE_S, Error, Voucher, lane, pool, state::vault};
use crate::{
    self as ledger, AccountId, AssetId, Code as _,
    domains::{accounts, assets},
    testing::{Lab, account, key},
};

const PAYER: u64 = 1;
const HOUR: u64 = 3_600;

fn act(lab: &mut Lab, who: u64, action: Action) -> Result<Vec<u128>, u16> {
    let events = lab.act(account(who), &ledger::Action::Paypool(action))?;
    Ok(events.last().map(|event| event.numbers.clone()).unwrap_or_default())
}

fn open(lab: &mut Lab, deposit: u128) -> u64 {
    open_of(lab, AssetId::NATIVE, deposit)
}

fn open_of(lab: &mut Lab, asset: AssetId, deposit: u128) -> u64 {
    let signer = key(100).id();
    let action = Action::Open { asset, deposit, ttl_s: HOUR, signer };
    act(lab, PAYER, action).unwrap()[0].try_into().unwrap()
}

fn reserve(pool: u64, payees: &[(u64, u128)]) -> Action {
    let mut lanes: Vec<_> = payees.iter().map(|(who, amount)| (account(*who), *amount)).collect();
    lanes.sort();
    Action::Reserve { pool, lanes }
}

fn voucher(lab: &Lab, pool: u64, payee: u64, epoch: u32, cumulative: u128) -> Voucher {
    Voucher::sign(&key(100), lab.context.chain, pool, account(payee), epoch, cumulative)
}

fn claim(lab: &mut Lab, vouchers: Vec<Voucher>) -> Result<Vec<u128>, u16> {
    act(lab, 50, Action::Claim { vouchers })
}

fn lab() -> Lab {
    let mut lab = Lab::new();
    lab.fund(account(PAYER), AssetId::NATIVE, 1_000);
    lab
}

#[test]
fn anyone_claims_for_the_payee_and_no_more_than_the_reserve() {
    let mut lab = lab();
    let id = open(&mut lab, 600);
    act(&mut lab, PAYER, reserve(id, &[(2, 200)])).unwrap();
    let newest = voucher(&lab, id, 2, 1, 500);
    assert_eq!(claim(&mut lab, vec![newest.clone()]).unwrap()[1], 200);
    assert_eq!(lab.balance(account(2), AssetId::NATIVE), 200);
    assert_eq!(claim(&mut lab, vec![newest]), Err(Error::NothingToPay.code()));
}

#[test]
fn a_voucher_by_another_key_for_another_chain_or_sum_pays_nothing() {
    let mut lab = lab();
    let id = open(&mut lab, 600);
    act(&mut lab, PAYER, reserve(id, &[(2, 200)])).unwrap();
    let chain = lab.context.chain;
    let other_key = Voucher::sign(&key(1), chain, id, account(2), 1, 10);
    let elsewhere = ledger::ChainId::new([9; 32]);
    let other_chain = Voucher::sign(&key(100), elsewhere, id, account(2), 1, 10);
    let more = Voucher { cumulative: 11, ..voucher(&lab, id, 2, 1, 10) };
    for bad in [other_key, other_chain, more] {
        let good = voucher(&lab, id, 2, 1, 10);
        assert_eq!(claim(&mut lab, vec![good, bad]), Err(Error::BadVoucher.code()));
    }
    assert_eq!(lab.balance(account(2), AssetId::NATIVE), 0);
}

#[test]
fn a_batch_passes_over_what_was_claimed_before() {
    let mut lab = lab();
    let id = open(&mut lab, 600);
    act(&mut lab, PAYER, reserve(id, &[(2, 200), (3, 200)])).unwrap();
    let (two, three) = (voucher(&lab, id, 2, 1, 50), voucher(&lab, id, 3, 1, 60));
    claim(&mut lab, vec![two.clone()]).unwrap();
    claim(&mut lab, vec![two.clone(), three.clone()]).unwrap();
    assert_eq!(lab.balance(account(3), AssetId::NATIVE), 60);
    assert_eq!(claim(&mut lab, vec![two, three]), Err(Error::NothingToPay.code()));
    assert_eq!(claim(&mut lab, vec![]), Err(Error::BadBatch.code()));
}

#[test]
fn a_frozen_payee_refuses_the_batch_until_it_is_left_out() {
    let mut lab = lab();
    let issuer = account(9);
    let create = assets::Action::Create {
        symbol: "TOK".to_owned(),
        decimals: 6,
        supply_max: None,
        freezable: true,
    };
    lab.act(issuer, &ledger::Action::Assets(create)).unwrap();
    let token = AssetId(1);
    let issue = assets::Action::Issue { asset: token, to: account(PAYER), amount: 1_000 };
    lab.act(issuer, &ledger::Action::Assets(issue)).unwrap();
    let id = open_of(&mut lab, token, 600);
    act(&mut lab, PAYER, reserve(id, &[(2, 200), (3, 200)])).unwrap();
    let freeze = assets::Action::Freeze { asset: token, account: account(3), frozen: true };
    lab.act(issuer, &ledger::Action::Assets(freeze)).unwrap();
    let (two, three) = (voucher(&lab, id, 2, 1, 50), voucher(&lab, id, 3, 1, 60));
    let frozen = Err(accounts::Error::Frozen.code());
    assert_eq!(claim(&mut lab, vec![two.clone(), three]), frozen);
    assert_eq!(lab.balance(account(2), token), 0);
    claim(&mut lab, vec![two]).unwrap();
    assert_eq!(lab.balance(account(2), token), 50);
}

#[test]
fn a_released_lane_is_free_at_once_and_its_vouchers_are_dead() {
    let mut lab = lab();
    let id = open(&mut lab, 100);
    act(&mut lab, PAYER, reserve(id, &[(2, 100)])).unwrap();
    let old = voucher(&lab, id, 2, 1, 40);
    let release = |epoch| Action::Release { pool: id, epoch };
    assert_eq!(act(&mut lab, 3, release(1)), Err(Error::NoLane.code()));
    assert_eq!(act(&mut lab, 2, release(1)).unwrap(), [1, 100]);
    act(&mut lab, PAYER, reserve(id, &[(2, 100)])).unwrap();
    assert_eq!(claim(&mut lab, vec![old]), Err(Error::NoLane.code()));
    assert_eq!(act(&mut lab, 2, release(1)), Err(Error::NoLane.code()), "an earlier lane");
    assert_eq!(lane(&lab.store, id, account(2)).unwrap().epoch, 2);
}

#[test]
fn a_payer_that_asks_waits_a_day_and_payees_are_paid_meanwhile() {
    let mut lab = lab();
    let id = open(&mut lab, 600);
    act(&mut lab, PAYER, reserve(id, &[(2, 200)])).unwrap();
    let (start, finish) = (Action::CloseStart { pool: id }, Action::CloseFinish { pool: id });
    assert_eq!(act(&mut lab, 2, start.clone()), Err(Error::NotPayer.code()));
    act(&mut lab, PAYER, start.clone()).unwrap();
    assert_eq!(act(&mut lab, PAYER, start), Err(Error::Closed.code()));
    assert_eq!(act(&mut lab, PAYER, reserve(id, &[(3, 1)])), Err(Error::Closed.code()));
    lab.wait_s(CHALLENGE_S - 1);
    let newest = voucher(&lab, id, 2, 1, 150);
    claim(&mut lab, vec![newest.clone()]).unwrap();
    assert_eq!(act(&mut lab, PAYER, finish.clone()), Err(Error::TooEarly.code()));
    lab.wait_s(1);
    assert_eq!(act(&mut lab, 9, finish.clone()).unwrap(), [1, 450], "anyone may");
    assert_eq!(claim(&mut lab, vec![newest]), Err(Error::NoPool.code()));
    assert_eq!(act(&mut lab, PAYER, finish), Err(Error::NoPool.code()));
    assert_eq!(lab.balance(account(PAYER), AssetId::NATIVE), 850);
    assert!(lane(&lab.store, id, account(2)).is_none());
}

#[test]
fn a_payer_closes_at_once_when_nobody_waits() {
    let mut lab = lab();
    let id = open(&mut lab, 600);
    let finish = Action::CloseFinish { pool: id };
    act(&mut lab, PAYER, reserve(id, &[(2, 200)])).unwrap();
    assert_eq!(act(&mut lab, PAYER, finish.clone()), Err(Error::TooEarly.code()));
    act(&mut lab, 2, Action::Release { pool: id, epoch: 1 }).unwrap();
    assert_eq!(act(&mut lab, 3, finish.clone()), Err(Error::TooEarly.code()), "only the payer");
    act(&mut lab, PAYER, finish).unwrap();
    assert_eq!(lab.balance(account(PAYER), AssetId::NATIVE), 1_000);
}

#[test]
fn a_pool_is_filled_and_lives_longer_while_it_is_open() {
    let mut lab = lab();
    let id = open(&mut lab, 100);
    act(&mut lab, PAYER, Action::TopUp { pool: id, amount: 50 }).unwrap();
    assert_eq!(pool(&lab.store, id).unwrap().free, 150);
    let extend = |ttl_s| Action::Extend { pool: id, ttl_s };
    assert_eq!(act(&mut lab, PAYER, extend(HOUR)), Err(Error::NotLater.code()));
    assert_eq!(act(&mut lab, PAYER, extend(1)), Err(Error::BadTtl.code()));
    act(&mut lab, PAYER, extend(2 * HOUR)).unwrap();
    lab.wait_s(2 * HOUR);
    assert_eq!(act(&mut lab, PAYER, extend(2 * HOUR)), Err(Error::Closed.code()));
    let more = Action::TopUp { pool: id, amount: 50 };
    assert_eq!(act(&mut lab, PAYER, more), Err(Error::Closed.code()));
}

#[derive(Debug, Clone)]
enum Step {
    Open(u128),
    TopUp(u128),
    Reserve(u64, u128),
    Claim(u64, u32, u128),
    Release(u64, u32),
    CloseStart,
    CloseFinish,
    Wait(u64),
    Gift(u128),
}

fn any_step() -> impl Strategy<Value = Step> {
    let (payee, epoch, sum) = (2..6_u64, 1..3_u32, 0..400_u128);
    prop_oneof![
        1 => sum.clone().prop_map(Step::Open),
        1 => sum.clone().prop_map(Step::TopUp),
        4 => (payee.clone(), sum.clone()).prop_map(|(payee, sum)| Step::Reserve(payee, sum)),
        6 => (payee.clone(), epoch.clone(), sum.clone()).prop_map(|(p, e, s)| Step::Claim(p, e, s)),
        2 => (payee, epoch).prop_map(|(payee, epoch)| Step::Release(payee, epoch)),
        1 => Just(Step::CloseStart),
        1 => Just(Step::CloseFinish),
        2 => (0..50_000_u64).prop_map(Step::Wait),
        1 => sum.prop_map(Step::Gift),
    ]
}

fn take(lab: &mut Lab, id: u64, step: &Step) -> Result<Vec<u128>, u16> {
    match step {
        Step::Open(deposit) => {
            let signer = key(100).id();
            let (asset, deposit) = (AssetId::NATIVE, *deposit);
            act(lab, PAYER, Action::Open { asset, deposit, ttl_s: HOUR, signer })
        }
        Step::TopUp(amount) => act(lab, PAYER, Action::TopUp { pool: id, amount: *amount }),
        Step::Reserve(payee, amount) => act(lab, PAYER, reserve(id, &[(*payee, *amount)])),
        Step::Claim(payee, epoch, sum) => {
            let voucher = voucher(lab, id, *payee, *epoch, *sum);
            claim(lab, vec![voucher])
        }
        Step::Release(payee, epoch) => {
            act(lab, *payee, Action::Release { pool: id, epoch: *epoch })
        }
        Step::CloseStart => act(lab, PAYER, Action::CloseStart { pool: id }),
        Step::CloseFinish => act(lab, PAYER, Action::CloseFinish { pool: id }),
        Step::Wait(seconds) => {
            lab.wait_s(*seconds);
            Ok(Vec::new())
        }
        Step::Gift(amount) => {
            let gift = ledger::domains::accounts::Action::Transfer {
                asset: AssetId::NATIVE,
                to: vault(),
                amount: *amount,
            };
            lab.act(account(PAYER), &ledger::Action::Accounts(gift)).map(|_| Vec::new())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Units are conserved, payees never get more than was signed to them, and only the payee
    /// lowers a lane.
    #[test]
    fn any_history_keeps_the_promises(steps in prop::collection::vec(any_step(), 1..40)) {
        let mut lab = lab();
        let mut signed = std::collections::BTreeMap::new();
        for step in steps {
            let last = lab.store.clone();
            let id = last_pool(&lab);
            if let Step::Claim(payee, epoch, sum) = &step {
                let most = signed.entry((*payee, id, *epoch)).or_insert(0);
                *most = (*sum).max(*most);
            }
            let outcome = take(&mut lab, id, &step);
            if outcome.is_err() {
                prop_assert_eq!(&lab.store, &last);
            }
            for payee in 2..6 {
                let owed: u128 = signed.iter().filter(|((who, ..), _)| *who == payee).map(|(_, s)| s).sum();
                prop_assert!(lab.balance(account(payee), AssetId::NATIVE) <= owed);
                let (before, after) = (lane(&last, id, account(payee)), lane(&lab.store, id, account(payee)));
                let gone = matches!(step, Step::Release(who, _) if who == payee) || matches!(step, Step::CloseFinish);
                if let (Some(before), Some(after), false) = (before, after, gone) {
                    prop_assert!(after.reserve >= before.reserve || after.epoch > before.epoch);
                }
            }
        }
        let total: u128 = (1..6).map(|who| lab.balance(account(who), AssetId::NATIVE)).sum();
        prop_assert_eq!(total + lab.balance(vault(), AssetId::NATIVE), 1_000);
    }

    /// Vouchers in any order, each as often as one likes, leave the same state.
    #[test]
    fn the_order_of_claims_does_not_matter(
        sums in prop::collection::vec((2..5_u64, 0..150_u128), 1..8),
        again in prop::collection::vec(0..8_usize, 0..6),
        seed in any::<u64>(),
    ) {
        let mut one = lab();
        let id = open(&mut one, 300);
        act(&mut one, PAYER, reserve(id, &[(2, 100), (3, 100), (4, 100)])).unwrap();
        let mut other = Lab { store: one.store.clone(), context: one.context.clone() };
        let vouchers: Vec<_> =
            sums.iter().map(|(payee, sum)| voucher(&one, id, *payee, 1, *sum)).collect();
        for voucher in &vouchers {
            let _ = claim(&mut one, vec![voucher.clone()]);
        }
        let mut mixed = vouchers.clone();
        mixed.extend(again.iter().filter_map(|at| vouchers.get(*at).cloned()));
        let mut rng = primitives::Seed::from_number(seed).rng();
        rng.shuffle(&mut mixed);
        for voucher in mixed {
            let _ = claim(&mut other, vec![voucher]);
        }
        prop_assert_eq!(one.store, other.store);
    }
}

fn last_pool(lab: &Lab) -> u64 {
    super::state::COUNT.get(&lab.store, &[]).unwrap_or_default()
}

#[test]
fn a_pool_of_an_asset_that_is_not_held_is_refused() {
    let mut lab = lab();
    let signer = key(100).id();
    let nobody: AccountId = account(8);
    let action = Action::Open { asset: AssetId(5), deposit: 1, ttl_s: HOUR, signer };
    let refused = lab.act(nobody, &ledger::Action::Paypool(action));
    let code = ledger::domains::accounts::Error::InsufficientBalance.code();
    assert_eq!(refused.unwrap_err(), code);
}
