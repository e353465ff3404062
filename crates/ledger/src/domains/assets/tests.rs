use super::{Action, Error, asset};
use crate::{
    self as ledger, AssetId, Code as _,
    domains::accounts,
    testing::{Lab, account},
};

const GOLD: AssetId = AssetId(1);

fn act(action: Action) -> ledger::Action {
    ledger::Action::Assets(action)
}

fn create(symbol: &str, supply_max: Option<u128>, freezable: bool) -> ledger::Action {
    act(Action::Create { symbol: symbol.to_owned(), decimals: 6, supply_max, freezable })
}

fn issue(amount: u128) -> ledger::Action {
    act(Action::Issue { asset: GOLD, to: account(2), amount })
}

#[test]
fn the_creator_issues_up_to_the_cap_and_nobody_else() {
    let mut lab = Lab::new();
    let events = lab.act(account(1), &create("GOLD", Some(100), false)).unwrap();
    assert_eq!(events[0].numbers, [1]);
    lab.act(account(1), &issue(60)).unwrap();
    assert_eq!(lab.act(account(2), &issue(1)), Err(Error::NotIssuer.code()));
    assert_eq!(lab.act(account(1), &issue(41)), Err(Error::OverCap.code()));
    lab.act(account(1), &issue(40)).unwrap();
    assert_eq!(lab.balance(account(2), GOLD), 100);
}

#[test]
fn holders_burn_their_own_and_make_room_under_the_cap() {
    let mut lab = Lab::new();
    lab.act(account(1), &create("GOLD", Some(100), false)).unwrap();
    lab.act(account(1), &issue(100)).unwrap();
    let burn = |amount| act(Action::Burn { asset: GOLD, amount });
    lab.act(account(2), &burn(30)).unwrap();
    let refused = lab.act(account(1), &burn(1));
    assert_eq!(refused, Err(accounts::Error::InsufficientBalance.code()));
    assert_eq!(accounts::supply(&lab.store, GOLD), 70);
    lab.act(account(1), &issue(30)).unwrap();
}

#[test]
fn only_what_was_declared_so_can_be_frozen() {
    let mut lab = Lab::new();
    lab.act(account(1), &create("FREE", None, false)).unwrap();
    lab.act(account(1), &create("HELD", None, true)).unwrap();
    let freeze = |asset, frozen| act(Action::Freeze { asset, account: account(2), frozen });
    let refused = lab.act(account(1), &freeze(AssetId(1), true));
    assert_eq!(refused, Err(Error::NotFreezable.code()));
    assert_eq!(lab.act(account(3), &freeze(AssetId(2), true)), Err(Error::NotIssuer.code()));
    lab.act(account(1), &freeze(AssetId(2), true)).unwrap();
    let issue = act(Action::Issue { asset: AssetId(2), to: account(2), amount: 5 });
    assert_eq!(lab.act(account(1), &issue), Err(accounts::Error::Frozen.code()));
    lab.act(account(1), &freeze(AssetId(2), false)).unwrap();
    lab.act(account(1), &issue).unwrap();
}

#[test]
fn issuing_is_given_up_for_good() {
    let mut lab = Lab::new();
    lab.act(account(1), &create("GOLD", None, false)).unwrap();
    let renounce = act(Action::Renounce { asset: GOLD });
    lab.act(account(1), &renounce).unwrap();
    assert_eq!(lab.act(account(1), &issue(1)), Err(Error::Closed.code()));
    assert_eq!(lab.act(account(1), &renounce), Err(Error::Closed.code()));
    assert!(asset(&lab.store, GOLD).unwrap().closed);
}

#[test]
fn names_outside_the_rules_are_refused() {
    let mut lab = Lab::new();
    for symbol in ["", "gold", "GOLD COIN", "THIRTEENBYTES"] {
        assert_eq!(lab.act(account(1), &create(symbol, None, false)), Err(Error::BadSymbol.code()));
    }
    let many = act(Action::Create {
        symbol: "X".to_owned(),
        decimals: 25,
        supply_max: None,
        freezable: false,
    });
    assert_eq!(lab.act(account(1), &many), Err(Error::BadDecimals.code()));
    assert_eq!(lab.act(account(1), &issue(1)), Err(Error::NoAsset.code()));
}
