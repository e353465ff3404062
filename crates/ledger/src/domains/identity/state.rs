//! Records of identity.

use identity::{
    PublicKey,
    did::{StarlingId, starling::Guardians},
};
use minicbor::{Decode, Encode};
use primitives::Hash;

use crate::{AccountId, Key, Prefix, Store, state::Table};

pub(super) const DIDS: Table<Record> = Table::new(Prefix::Identity, 0);
pub(super) const PAST: Table<Past> = Table::new(Prefix::Identity, 1);
pub(super) const VERSIONS: Table<Version> = Table::new(Prefix::Identity, 2);
pub(super) const ANCHORS: Table<Anchored> = Table::new(Prefix::Identity, 3);

/// Whether this version reads a record; none: its key is of no table here.
pub(super) fn reads(key: &Key, record: &[u8]) -> Option<bool> {
    let tables = [
        DIDS.reads(key, record),
        PAST.reads(key, record),
        VERSIONS.reads(key, record),
        ANCHORS.reads(key, record),
    ];
    tables.into_iter().flatten().next()
}

/// A DID as it is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Record {
    /// Hash of the newest op.
    #[n(0)]
    pub head: Hash,
    /// Its number.
    #[n(1)]
    pub seq: u64,
    /// What of it decides about the next one.
    #[n(2)]
    pub standing: Standing,
    /// What guardians ask for.
    #[n(3)]
    pub pending: Option<Pending>,
    /// The number of the oldest op that may still be erased, or of the next op.
    #[n(4)]
    pub window_from: u64,
    /// The day of UTC, counted from 1970, of the last counted op.
    #[n(5)]
    pub day: u64,
    /// Ops counted on that day.
    #[n(6)]
    pub day_ops: u8,
    /// Who locked the deposit and gets it back.
    #[n(7)]
    pub payer: AccountId,
    /// Units locked.
    #[n(8)]
    pub deposit: u128,
}

/// What decides about the next op.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Standing {
    /// Who may change the DID, the first with the most authority.
    #[n(0)]
    pub rotation: Vec<PublicKey>,
    /// Who may be next.
    #[n(1)]
    pub next: Vec<Hash>,
    /// Hash of what the DID says.
    #[n(2)]
    pub content: Hash,
    /// Who may give new keys.
    #[n(3)]
    pub guardians: Option<Guardians>,
    /// When it was stopped, in seconds since 1970-01-01 UTC.
    #[n(4)]
    pub stopped_s: Option<u64>,
}

/// Keys that guardians ask for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Pending {
    /// What it is called: a veto names it.
    #[n(0)]
    pub guard: Hash,
    /// Who may change the DID after it.
    #[n(1)]
    pub rotation: Vec<PublicKey>,
    /// Whom they promise.
    #[n(2)]
    pub next: Vec<Hash>,
    /// From when on it may be finished, in seconds since 1970-01-01 UTC.
    #[n(3)]
    pub ready_s: u64,
}

/// An op that may still be erased.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct Past {
    /// Its hash.
    #[n(0)]
    pub(super) op: Hash,
    /// The time of its block, in seconds.
    #[n(1)]
    pub(super) time_s: u64,
    /// Who signed it.
    #[n(2)]
    pub(super) signer: PublicKey,
    /// What was before it.
    #[n(3)]
    pub(super) before: Standing,
}

/// One op of a DID's history.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Version {
    /// Its hash.
    #[n(0)]
    pub op: Hash,
    /// The block it is in.
    #[n(1)]
    pub height: u64,
    /// The time of that block, in seconds since 1970-01-01 UTC.
    #[n(2)]
    pub time_s: u64,
    /// Hash of what the DID said after it.
    #[n(3)]
    pub content: Hash,
    /// Whether the DID had ended with it.
    #[n(4)]
    pub stopped: bool,
    /// When it was erased, in seconds since 1970-01-01 UTC.
    #[n(5)]
    pub erased_s: Option<u64>,
}

/// The newest version of an issuer's status list.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Anchored {
    /// 1, then one more each time.
    #[n(0)]
    pub number: u64,
    /// SHA-256 of the list's token.
    #[n(1)]
    pub token: Hash,
    /// The block it came in.
    #[n(2)]
    pub height: u64,
    /// The time of that block, in seconds since 1970-01-01 UTC.
    #[n(3)]
    pub time_s: u64,
}

/// A DID's record.
pub fn did(store: &dyn Store, id: StarlingId) -> Option<Record> {
    DIDS.get(store, &[id.as_bytes()])
}

/// Where a DID's record is.
pub fn did_key(id: StarlingId) -> Key {
    DIDS.key(&[id.as_bytes()])
}

/// The record of one op of a DID's history.
pub fn version(store: &dyn Store, id: StarlingId, seq: u64) -> Option<Version> {
    VERSIONS.get(store, &[id.as_bytes(), &seq.to_be_bytes()])
}

/// Where that record is.
pub fn version_key(id: StarlingId, seq: u64) -> Key {
    VERSIONS.key(&[id.as_bytes(), &seq.to_be_bytes()])
}

/// The number of the op that held at `at_s`, in seconds since 1970-01-01 UTC, of a DID's whole history in
/// order: the newest up to then that nobody erased since. What a thief signed in between holds no more.
pub fn version_at(history: &[Version], at_s: u64) -> Option<usize> {
    history.iter().rposition(|version| version.time_s <= at_s && version.erased_s.is_none())
}

/// Where deposits lie.
pub(super) fn vault() -> AccountId {
    AccountId::of_domain("identity")
}
