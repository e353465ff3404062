//! Who is in a community: named by a server, proved one by one, and counted.

use wire::ledger::Records;

use super::*;
use crate::energy::{Asked, Opening, Roll, ask, asked, roster};

/// A server's list of members; without the last ones, if it leaves some out.
fn listed(street: &Street, leaves_out: usize, more: bool) -> Vec<u8> {
    let mut records = Vec::new();
    street.store.scan(rules::members_prefix(STREET).as_bytes(), &mut |key, record| {
        records.push((key.as_bytes().to_vec().into(), record.to_vec().into()));
    });
    records.truncate(records.len() - leaves_out);
    Records { height: 1, time_ms: street.now_ms, records, more }.to_bytes()
}

fn roll(street: &Street, leaves_out: usize) -> Roll {
    let mut roll = Roll::new(STREET);
    assert!(roll.take(&listed(street, leaves_out, false)));
    assert_eq!(roll.next_path(), None);
    roll
}

/// What is proved of a community and of those who are listed.
fn proved(street: &Street, roll: &Roll) -> Book {
    let community = rules::community_key(STREET).as_bytes().to_vec();
    Book::new(&street.proved(&[vec![community], roll.keys()].concat()))
}

#[test]
fn a_member_without_a_meter_is_there_and_whom_a_server_leaves_out_is_missed() {
    let mut street = Street::new(2, RULES);
    street.done(50, rules::Action::Admit { community: STREET, account: person(9) });
    let all = roll(&street, 0);
    let book = proved(&street, &all);
    let told = roster(&scene(&street, &book), &all).unwrap();
    assert_eq!((told.members.len(), told.count), (3, 3));
    let first = &told.members[0];
    assert_eq!((first.account.clone(), first.has.meters), (person(9).to_string(), 0));
    assert_eq!(told.members.iter().filter(|one| one.is_me && one.has.free == DEPOSIT).count(), 1);
    assert!(told.seen.is_some());
    let some = roll(&street, 1);
    let told = roster(&scene(&street, &book), &some).unwrap();
    assert_eq!((told.members.len(), told.count), (2, 3), "its list is short of one");
    // Who is named and is none is not shown.
    street.done(50, rules::Action::Leave { community: STREET, account: person(9) });
    let book = proved(&street, &all);
    assert_eq!(roster(&scene(&street, &book), &all).unwrap().members.len(), 2);
    assert_eq!(roster(&scene(&street, &Book::default()), &all), None);
}

#[test]
fn a_list_of_something_else_is_none() {
    let street = Street::new(2, RULES);
    let mut other = Roll::new(STREET + 1);
    assert!(!other.take(&listed(&street, 0, false)), "of another community");
    let mut roll = Roll::new(STREET);
    assert!(!roll.take(b"nonsense"));
    let empty = Records { height: 1, time_ms: 1, records: Vec::new(), more: true };
    assert!(!roll.take(&empty.to_bytes()), "it would be asked for without an end");
    assert!(roll.take(&listed(&street, 0, true)));
    assert!(roll.next_path().unwrap().contains("?after="));
    assert!(!roll.take(&listed(&street, 0, false)), "what was listed before");
}

#[test]
fn an_operator_ends_the_membership_of_who_has_no_meter() {
    let mut street = Street::new(1, RULES);
    street.done(50, rules::Action::Admit { community: STREET, account: person(9) });
    let all = roll(&street, 0);
    let balance = |who| ledger::domains::accounts::balance_key(person(who), AssetId::NATIVE);
    let keys = [balance(50), balance(1), ledger::params_key(), rules::community_key(STREET)];
    let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
    let book = Book::new(&street.proved(&[keys, all.keys()].concat()));
    let operator = Scene { book: &book, account: person(50), now_ms: street.now_ms };
    let wish = Wish::Dismiss(person(9).to_string());
    assert_eq!(refusal(&operator, STREET, &wish), Ok(()));
    let stranger = Scene { account: person(1), ..operator };
    assert!(refusal(&stranger, STREET, &wish).is_err());
    let Some(view::Command::Energy { action, .. }) = ask(&operator, STREET, &wish) else {
        panic!("a command of a community")
    };
    street.done(50, minicbor::decode(&action).unwrap());
    assert_eq!(rules::member(&street.store, STREET, person(9)), None);
}

#[test]
fn a_community_for_trying_out_is_opened_by_a_pace() {
    let mut street = Street::new(1, RULES);
    let (grid, network) = (person(51).to_string(), person(51).to_string());
    let (window_slots, rules, pace) = (WINDOW, RULES, 90);
    let opening = Opening { grid, network, window_slots, rules, pace };
    let book = street.seen();
    for pace in [1, 90] {
        let wish = Wish::Open(Opening { pace, ..opening.clone() });
        let Some(view::Command::Energy { action, .. }) = ask(&scene(&street, &book), 0, &wish)
        else {
            panic!("a command of a community")
        };
        let domain = Some(ledger::Prefix::Energy.byte());
        let act = view::Act { action, code: 0, amount: None, seized: None, domain };
        assert_eq!(asked(&act), Some(Asked { community: None, wish: wish.clone() }));
        street.done(1, minicbor::decode(&act.action).unwrap());
    }
    assert_eq!(rules::community(&street.store, STREET + 1).unwrap().clock, None);
    assert_eq!(rules::community(&street.store, STREET + 2).unwrap().clock.unwrap().pace, 90);
}
