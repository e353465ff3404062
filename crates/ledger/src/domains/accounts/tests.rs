use super::{Action, Error, has_policy, set_frozen};
use crate::{
    self as ledger, AccountId, AssetId, Code as _, Overlay, Policy,
    testing::{Lab, account, key},
};

fn transfer(to: AccountId, amount: u128) -> ledger::Action {
    ledger::Action::Accounts(Action::Transfer { asset: AssetId::NATIVE, to, amount })
}

#[test]
fn a_transfer_moves_units_and_tells_both() {
    let mut lab = Lab::new();
    lab.fund(account(1), AssetId::NATIVE, 100);
    let events = lab.act(account(1), &transfer(account(2), 30)).unwrap();
    assert_eq!(events[0].accounts, [account(1), account(2)]);
    assert_eq!(events[0].numbers, [0, 30]);
    assert_eq!(lab.balance(account(1), AssetId::NATIVE), 70);
    assert_eq!(lab.balance(account(2), AssetId::NATIVE), 30);
}

#[test]
fn a_refused_transfer_writes_nothing() {
    let mut lab = Lab::new();
    lab.fund(account(1), AssetId::NATIVE, 100);
    let before = lab.store.clone();
    let cases = [
        (transfer(account(2), 0), Error::NothingToSend),
        (transfer(account(1), 5), Error::ToItself),
        (transfer(account(2), 101), Error::InsufficientBalance),
    ];
    for (action, error) in cases {
        assert_eq!(lab.act(account(1), &action), Err(error.code()));
    }
    assert_eq!(lab.store, before);
}

#[test]
fn an_emptied_account_leaves_no_balance_record() {
    let mut lab = Lab::new();
    lab.fund(account(1), AssetId::NATIVE, 100);
    let count = lab.store.count();
    lab.act(account(1), &transfer(account(2), 100)).unwrap();
    assert_eq!(lab.store.count(), count);
}

#[test]
fn frozen_units_neither_leave_nor_arrive() {
    let mut lab = Lab::new();
    let mut state = Overlay::new(&lab.store);
    set_frozen(&mut state, account(2), AssetId(7), true);
    super::mint(&mut state, AssetId(7), account(1), 5).unwrap();
    let refused = super::send(&mut state, AssetId(7), account(1), account(2), 1);
    assert_eq!(refused, Err(Error::Frozen));
    assert_eq!(super::mint(&mut state, AssetId(7), account(2), 1), Err(Error::Frozen));
    set_frozen(&mut state, account(2), AssetId(7), false);
    super::send(&mut state, AssetId(7), account(1), account(2), 5).unwrap();
    let (changes, _) = state.into_parts();
    lab.store.commit(changes);
    assert_eq!(lab.balance(account(2), AssetId(7)), 5);
}

#[test]
fn an_account_changes_its_keys_and_keeps_its_name() {
    let mut lab = Lab::new();
    let mut keys = vec![key(2).id(), key(3).id()];
    keys.sort();
    let policy = Policy { threshold: 2, keys };
    let change = ledger::Action::Accounts(Action::SetPolicy { policy: policy.clone() });
    lab.act(account(1), &change).unwrap();
    assert!(has_policy(&lab.store, account(1), &policy));
    assert!(!has_policy(&lab.store, account(1), &Policy::single(key(1).id())));
    let nobody = Policy { threshold: 3, ..policy };
    let change = ledger::Action::Accounts(Action::SetPolicy { policy: nobody });
    assert_eq!(lab.act(account(1), &change), Err(Error::BadPolicy.code()));
}

#[test]
fn a_supply_beyond_128_bits_is_refused() {
    let mut lab = Lab::new();
    lab.fund(account(1), AssetId::NATIVE, u128::MAX);
    let mut state = Overlay::new(&lab.store);
    let refused = super::mint(&mut state, AssetId::NATIVE, account(2), 1);
    assert_eq!(refused, Err(Error::SupplyOverflow));
}
