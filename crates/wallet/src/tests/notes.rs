//! Transfers with a note, and accounts for which one key is not enough.

use ledger::{Body, Params, Policy, domains::accounts::Account};
use light_client::testing::State;
use primitives::{KeyPair, Seed};

use super::{Rig, SEED, account, send, somebody, state_of};
use crate::view::{Command, Fate, Keys, NOTE_BYTES_MAX, Part, Stage, Wish};

fn noted(units: u128, note: &str) -> Command {
    Command::SendNoted { to: somebody().to_string(), units, note: note.to_owned() }
}

fn rich() -> Rig {
    let mut rig = Rig::new();
    rig.up();
    rig.block(10_000_000, 0);
    rig
}

#[test]
fn the_hash_of_a_note_is_signed_and_the_note_stays_here() {
    let mut rig = rich();
    let (fee, note_fee) = (rig.view.fee.unwrap(), rig.view.note_fee.unwrap());
    assert!(note_fee > fee, "its bytes are paid");
    rig.command(noted(5, "rent, June"));
    rig.answer();
    let transaction: ledger::Transaction = minicbor::decode(&rig.submitted[0]).unwrap();
    assert_eq!(transaction.body.memo, Some(Body::memo_of("rent, June")));
    let found = rig.submitted[0].windows(4).any(|part| part == b"rent");
    assert!(!found, "it is not told to anybody");
    let sent = rig.view.sent[0].clone();
    assert_eq!((sent.note.as_deref(), sent.fee), (Some("rent, June"), note_fee));
    // It is known at the next visit, and after it is done.
    rig.block(10_000_000 - 5 - note_fee, 1);
    let mut again = Rig::with(rig.ledger.clone(), rig.saved.clone());
    again.up();
    assert_eq!(again.view.sent[0].note.as_deref(), Some("rent, June"));
    assert_ne!(again.view.sent[0].fate, Fate::Sending);

    rig.command(send(somebody(), 5));
    assert_eq!((rig.view.sent[0].note.as_deref(), rig.view.sent[0].fee), (None, fee));
}

#[test]
fn a_note_that_is_too_long_or_none_is_not_signed() {
    let mut rig = rich();
    for (command, why) in [
        (noted(5, &"x".repeat(NOTE_BYTES_MAX + 1)), "note"),
        (noted(5, ""), "note"),
        (noted(0, "x"), "nothing"),
        (noted(10_000_000, "x"), "too-much"),
        (
            Command::SendNoted { to: account().to_string(), units: 1, note: "x".to_owned() },
            "itself",
        ),
    ] {
        rig.command(command);
        assert_eq!(rig.view.refused, why);
    }
    assert_eq!(rig.view.sent, []);
}

/// The account with other keys than those that name it.
fn changed(policy: Policy) -> State {
    state_of(10_000_000, &Account { nonce: 1, policy: Some(policy) }, &Params::default())
}

#[test]
fn an_account_that_takes_several_keys_is_told_and_nothing_is_signed_for_it() {
    let mut rig = rich();
    assert_eq!(rig.view.keys, None);
    let ours = KeyPair::from_seed(Seed::new(SEED)).id();
    let other = KeyPair::from_seed(Seed::from_number(8)).id();
    let mut keys = vec![ours, other];
    keys.sort_unstable();
    rig.block_of(changed(Policy { threshold: 2, keys }));
    assert_eq!(rig.view.keys, Some(Keys { needed: 2, count: 2, has_ours: true }));
    let (share, name) = ("bafyshare".to_owned(), "film.bin".to_owned());
    let part = Part::Pay { per_mib_max: 1_000, limit: 1_000 };
    for command in
        [send(somebody(), 5), noted(5, "rent"), Command::Purse(Wish::Deal { share, name, part })]
    {
        rig.command(command);
        rig.answer();
    }
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("keys", 0));
    let deal = rig.purse.deals[0].clone();
    assert_eq!((deal.stage, deal.stopped.as_str()), (Stage::Off, "keys"));

    rig.block_of(changed(Policy::single(other)));
    assert_eq!(rig.view.keys, Some(Keys { needed: 1, count: 1, has_ours: false }));
    // Back to the key that named it.
    rig.block_of(changed(Policy::single(ours)));
    assert_eq!(rig.view.keys, None);
    rig.command(send(somebody(), 5));
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("", 1));
}
