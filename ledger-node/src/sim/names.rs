//! Names of clients, made and given new keys while everything else goes wrong.

use identity::{
    SecretKey,
    did::starling::{Change, Content, Op, promise},
};
use ledger::{
    Action, ChainId, Store,
    domains::identity::{self as rules, Record},
};
use primitives::Seed;

/// The key that changes a client's name after so many changes.
fn key(client: usize, changes: u64) -> SecretKey {
    let seed = Seed::from_number(changes).derive(&format!("name/{client}"));
    SecretKey::ed25519(seed.as_bytes())
}

/// What the name says then: one key, and the promise of the next.
fn content(client: usize, changes: u64) -> Content {
    Content {
        rotation: vec![key(client, changes).public()],
        next: vec![promise(&key(client, changes + 1).public())],
        methods: Vec::new(),
        services: Vec::new(),
        aliases: Vec::new(),
        guardians: None,
    }
}

fn first(client: usize, chain: ChainId) -> Op {
    let change = Change::Set(content(client, 0));
    Op::sign((0, None), change, (0, &key(client, 0)), chain.as_bytes())
}

/// What a client asks next, by the state of a validator: its name, or new keys for it.
pub(super) fn next(client: usize, chain: ChainId, state: &dyn Store) -> Action {
    let op = first(client, chain);
    let did = op.id();
    Action::Identity(match rules::did(state, did) {
        None => rules::Action::Create { op: Box::new(op) },
        Some(Record { seq, head, .. }) => {
            let (place, change) = ((seq + 1, Some(head)), Change::Set(content(client, seq + 1)));
            let op = Op::sign(place, change, (0, &key(client, seq)), chain.as_bytes());
            rules::Action::Apply { did, op: Box::new(op) }
        }
    })
}

/// Checks that a name, if it was made, is its client's, by the key of its number.
pub(super) fn check(client: usize, chain: ChainId, state: &dyn Store) {
    let Some(record) = rules::did(state, first(client, chain).id()) else { return };
    let expected = content(client, record.seq).rotation;
    assert_eq!(record.standing.rotation, expected, "the name of client {client} has other keys");
}
