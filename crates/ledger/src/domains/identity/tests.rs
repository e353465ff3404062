//! A DID's owner, a thief with one of the keys, and guardians.

mod histories;
mod rules;

use identity::{
    PublicKey, SecretKey,
    did::{
        Did, StarlingId,
        starling::{Change, Content, GuardOp, Guardians, Op, Veto, promise},
    },
    status::{Anchor, token_hash},
};
use primitives::Hash;

use super::{
    Action, DEPOSIT, Error, GUARD_DELAY_S, Record, WINDOW_S, anchored, did, version, version_at,
};
use crate::{
    self as ledger, AssetId, Code as _,
    domains::accounts,
    testing::{Lab, account},
};

const PAYER: u64 = 1;
const LIST: &str = "did:starling:abc#list";

fn key(number: u8) -> SecretKey {
    // Some of each kind; P-256 is slow where it is not optimised.
    if number % 10 == 8 {
        SecretKey::p256(&[number; 32]).unwrap()
    } else {
        SecretKey::ed25519(&[number; 32])
    }
}

fn public(number: u8) -> PublicKey {
    key(number).public()
}

/// What a DID says that these keys may change.
fn content(rotation: &[u8]) -> Content {
    let rotation = rotation.iter().map(|number| public(*number)).collect();
    let (methods, services, aliases) = (Vec::new(), Vec::new(), Vec::new());
    Content { rotation, next: Vec::new(), methods, services, aliases, guardians: None }
}

fn guarded(rotation: &[u8], threshold: u8, guardians: &[u8]) -> Content {
    let mut members: Vec<Did> = guardians.iter().map(|number| Did::Key(public(*number))).collect();
    members.sort();
    Content { guardians: Some(Guardians { threshold, members }), ..content(rotation) }
}

/// The ledger, and one DID on it.
struct Game {
    lab: Lab,
    id: StarlingId,
}

impl Game {
    /// A DID of keys 1 (most authority), 2 and 3, two of three guardians 11, 12, 13.
    fn new() -> Self {
        Self::with(guarded(&[1, 2, 3], 2, &[11, 12, 13]))
    }

    fn with(content: Content) -> Self {
        let mut lab = Lab::new();
        lab.fund(account(PAYER), AssetId::NATIVE, 10 * DEPOSIT);
        let by = number_of(&content.rotation[0]);
        let network = *lab.context.chain.as_bytes();
        let op = Op::sign((0, None), Change::Set(content), (0, &key(by)), &network);
        let mut game = Self { lab, id: op.id() };
        game.create(op).unwrap();
        game
    }

    fn network(&self) -> [u8; 32] {
        *self.lab.context.chain.as_bytes()
    }

    fn act(&mut self, action: Action) -> Result<(), u16> {
        self.lab.act(account(PAYER), &ledger::Action::Identity(action)).map(|_| ())
    }

    fn create(&mut self, op: Op) -> Result<(), u16> {
        self.act(Action::Create { op: Box::new(op) })
    }

    fn bring(&mut self, op: Op) -> Result<(), u16> {
        let (did, op) = (self.id, Box::new(op));
        self.act(Action::Apply { did, op })
    }

    fn record(&self) -> Record {
        did(&self.lab.store, self.id).unwrap()
    }

    /// The next op, signed by the key with this number at this place.
    fn op(&self, change: Change, by: u8, signer: u8) -> Op {
        let record = self.record();
        let place = (record.seq + 1, Some(record.head));
        Op::sign(place, change, (by, &key(signer)), &self.network())
    }

    fn apply(&mut self, change: Change, by: u8, signer: u8) -> Result<(), u16> {
        let op = self.op(change, by, signer);
        self.bring(op)
    }

    fn set(&mut self, content: Content, by: u8, signer: u8) -> Result<(), u16> {
        self.apply(Change::Set(content), by, signer)
    }

    fn recover(&mut self, fork: Hash, content: Content, by: u8, signer: u8) -> Result<(), u16> {
        self.apply(Change::Recover { fork, content }, by, signer)
    }

    /// Guardians by number ask for a key.
    fn guard(&self, rotation: u8, approving: &[u8]) -> GuardOp {
        let record = self.record();
        let mut guard = GuardOp::new(record.head, vec![public(rotation)], Vec::new());
        let members = record.standing.guardians.map(|guardians| guardians.members);
        for number in approving {
            let did = Did::Key(public(*number));
            let at = members.iter().flatten().position(|member| *member == did).unwrap_or(200);
            guard.approve(u8::try_from(at).unwrap(), (0, &key(*number)), &self.network());
        }
        guard
    }

    fn ask(&mut self, rotation: u8, approving: &[u8]) -> Result<(), u16> {
        let guard = self.guard(rotation, approving);
        self.demand(guard)
    }

    fn demand(&mut self, guard: GuardOp) -> Result<(), u16> {
        let (did, guard) = (self.id, Box::new(guard));
        self.act(Action::Guard { did, guard })
    }

    fn veto(&mut self, by: u8, signer: u8) -> Result<(), u16> {
        let guard = self.record().pending.map_or(Hash::new([0; 32]), |pending| pending.guard);
        let veto = Veto::sign(guard, (by, &key(signer)), &self.network());
        let did = self.id;
        self.act(Action::Veto { did, veto })
    }

    fn finish(&mut self) -> Result<(), u16> {
        let did = self.id;
        self.act(Action::Finish { did })
    }

    fn close(&mut self) -> Result<(), u16> {
        let did = self.id;
        self.act(Action::Close { did })
    }

    /// A list of this issuer in this version, signed by the key with this number at this place.
    fn anchor(&mut self, issuer: Did, number: u64, (by, signer): (u8, u8)) -> Result<(), u16> {
        let token = format!("token {number}");
        let name = (issuer, LIST);
        let anchor = Anchor::sign(name, number, &token, (by, &key(signer)), &self.network());
        self.act(Action::Anchor { anchor: Box::new(anchor) })
    }

    /// Which version of that list is the newest; 0: none.
    fn anchored(&self, issuer: &Did) -> u64 {
        anchored(&self.lab.store, issuer, LIST).map_or(0, |record| record.number)
    }

    fn locked(&self) -> u128 {
        accounts::balance(&self.lab.store, super::state::vault(), AssetId::NATIVE)
    }
}

/// Which of the tests' keys a key is.
fn number_of(wanted: &PublicKey) -> u8 {
    (1..=250).find(|number| public(*number) == *wanted).unwrap()
}

fn refused(error: Error) -> Result<(), u16> {
    Err(error.code())
}
