//! The door for fixed terms is shut: what is kept for them means nothing yet, and nothing else has taken it.

use super::*;
use crate::{
    Body, ChainId, Checked, Code as _, Key, Prefix, Refusal, code::number, domains::lending::terms,
    testing::key,
};

#[test]
fn an_action_of_a_kept_number_is_no_transaction() {
    let chain = ChainId::new([1; 32]);
    let collect = Action::Collect { market: MARKET, reserve: USD };
    let body = Body::new(chain, account(1), 0, ledger::Action::Lending(collect));
    let signed = body.sign(&key(1)).to_bytes();
    assert!(Checked::open(&signed, chain).is_ok());
    // Domain 5, and of it action 9 with two fields.
    let known = [0x82_u8, 5, 0x81, 0x83, 9, 1, 0];
    let at = signed.windows(known.len()).position(|part| *part == known[..]).unwrap();
    for action in terms::ACTIONS {
        let mut kept = signed.clone();
        kept[at + 4] = action;
        let refused = Checked::open(&kept, chain);
        assert_eq!(refused, Err(Refusal::Malformed), "action {action}");
        // Whatever fields it has: it is the number that is not known.
        for fields in 0..8_u8 {
            let mut bytes = vec![0x81 + fields, action];
            bytes.extend((0..fields).map(|_| 0));
            let error = minicbor::decode::<Action>(&bytes).unwrap_err();
            assert!(error.is_unknown_variant(), "action {action} with {fields} fields: {error}");
        }
    }
    assert_eq!(Refusal::Malformed.code(), 2, "as docs/spec/ledger.md says");
}

#[test]
fn nothing_else_takes_what_is_kept() {
    let taken = |local: u8| {
        let code = number(Prefix::Lending, local);
        Error::ALL.iter().any(|(known, _)| *known == code)
    };
    assert!(taken(terms::REFUSALS.start() - 1), "they follow those that there are");
    for local in terms::REFUSALS {
        assert!(!taken(local), "refusal {local}");
    }
    for table in terms::TABLES {
        let key = Key::new(Prefix::Lending, table, &[&MARKET.to_be_bytes()]);
        assert_eq!(ledger::reads(&key, &[0x80]), None, "table {table}");
    }
    let last = Key::new(Prefix::Lending, terms::TABLES.start() - 1, &[]);
    assert_eq!(ledger::reads(&last, &[1]), Some(true), "they follow those that there are");
}

/// Collecting has the last number of those that there are.
#[test]
fn no_event_has_a_number_that_is_kept() {
    let mut game = Game::borrowed();
    game.lab.wait_s(31_536_000);
    let act = |game: &mut Game, action| {
        game.lab.act(account(9), &ledger::Action::Lending(action)).unwrap()
    };
    game.fund(9, USD, USD_1);
    act(&mut game, Action::Supply { market: MARKET, reserve: USD, amount: USD_1 });
    let events = act(&mut game, Action::Collect { market: MARKET, reserve: USD });
    let last = number(Prefix::Lending, terms::EVENTS.start() - 1);
    assert_eq!(events.iter().map(|event| event.kind).collect::<Vec<_>>(), [last]);
}
