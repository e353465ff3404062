//! DIDs of the ledger as a page sees them: records that the wallet proved, and ops that servers hand
//! over and hashes check. What is asked of the ledger is made here as well; who signs it, `identity`.

use std::collections::BTreeMap;

use identity::{
    PublicKey,
    credentials::{ListFact, Newest},
    did::{
        Did, StarlingId,
        starling::{Approval, Content, GuardOp, KeyMethod, Op, Veto, purposes},
    },
    session::Head,
    status::Anchor,
};
use ledger::{
    AccountId, Action,
    domains::identity::{self as rules, Anchored, Record},
};
use light_client::TrustRoot;
use minicbor::bytes::ByteVec;
use primitives::{Hash, PeerId};

use crate::view::{self, Command, Records};

pub use ledger::domains::identity::Version;

/// Most versions of a DID that are looked at: the newest.
pub const VERSIONS_MAX: u64 = 64;
/// What a DID locks, in units of the ledger's own asset.
pub const DEPOSIT: u128 = rules::DEPOSIT;

/// What is known of a DID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Not proved yet.
    Unproved,
    /// That there is none is proved.
    Absent {
        /// After which block.
        height: u64,
    },
    /// It is there.
    Here(Box<Name>),
}

/// A DID that is there, as one round of proofs shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Where it stands, for the session.
    pub head: Head,
    /// After which block that was so.
    pub height: u64,
    /// That block's time.
    pub time_ms: u64,
    /// What guardians asked for: what it is called, and from when on it may be finished, in seconds.
    pub pending: Option<(Hash, u64)>,
    /// When it was stopped, in seconds since 1970-01-01 UTC.
    pub stopped_s: Option<u64>,
    /// The number of the oldest change that may still be erased.
    pub window_from: u64,
    /// Its history, by numbers: those that are proved.
    pub versions: BTreeMap<u64, Version>,
}

/// The chain of a trust root, which signatures for the ledger name.
pub fn chain(root: &str) -> Option<[u8; 32]> {
    Some(*root.parse::<TrustRoot>().ok()?.chain.as_bytes())
}

/// The account that a key spends from.
pub fn account(key: &[u8]) -> Option<String> {
    let key: [u8; 32] = key.try_into().ok()?;
    Some(AccountId::of_key(PeerId::new(key)).to_string())
}

/// Records to watch for a DID: its own, and its history as far as `seq` is known.
pub fn keys(id: StarlingId, seq: Option<u64>) -> Vec<ByteVec> {
    let bytes = |key: ledger::Key| ByteVec::from(key.as_bytes().to_vec());
    let mut keys = vec![bytes(rules::did_key(id))];
    if let Some(seq) = seq {
        let first = (seq + 1).saturating_sub(VERSIONS_MAX);
        keys.extend((first..=seq).map(|seq| bytes(rules::version_key(id, seq))));
    }
    keys
}

/// What proved records say of a DID. `network` is the ledger's chain.
pub fn look(records: &Records, network: [u8; 32], id: StarlingId) -> Found {
    let find =
        |key: ledger::Key| records.list.iter().find(|one| one.key.as_slice() == key.as_bytes());
    let Some(own) = find(rules::did_key(id)) else { return Found::Unproved };
    let Some(bytes) = &own.record else { return Found::Absent { height: own.height } };
    let Some(record) = view::read::<Record>(bytes) else { return Found::Unproved };
    let version = |seq: u64| {
        let bytes = find(rules::version_key(id, seq))?.record.clone()?;
        Some((seq, view::read::<Version>(&bytes)?))
    };
    let first = (record.seq + 1).saturating_sub(VERSIONS_MAX);
    let standing = record.standing;
    Found::Here(Box::new(Name {
        head: Head {
            network,
            did: id,
            op: record.head,
            seq: record.seq,
            rotation: standing.rotation,
            content: standing.content,
            guardians: standing.guardians,
        },
        height: own.height,
        time_ms: own.time_ms,
        pending: record.pending.map(|pending| (pending.guard, pending.ready_s)),
        stopped_s: standing.stopped_s,
        window_from: record.window_from,
        versions: (first..=record.seq).filter_map(version).collect(),
    }))
}

impl Name {
    /// The version that held at a time, in seconds since 1970-01-01 UTC; `None`: there was none, the name was
    /// stopped by then and has no keys any more, or not all of the history is proved.
    pub fn version_at(&self, at_s: u64) -> Option<(u64, &Version)> {
        // The newest first, without a gap down to the one that held.
        let known = (0..=self.head.seq).rev().take_while(|seq| self.versions.contains_key(seq));
        let first = known.last()?;
        let list: Vec<Version> = self.versions.range(first..).map(|(_, one)| one.clone()).collect();
        let seq = first + u64::try_from(rules::version_at(&list, at_s)?).ok()?;
        self.versions.get(&seq).filter(|one| !one.stopped).map(|one| (seq, one))
    }
}

/// What a DID said, of ops in a block's transactions: the content whose hash this is. Who handed them over
/// does not matter.
pub fn content(transactions: &[Vec<u8>], hash: Hash) -> Option<Content> {
    transactions.iter().find_map(|bytes| {
        let transaction = view::read::<ledger::Transaction>(bytes)?;
        let Action::Identity(action) = &transaction.body.action else { return None };
        let (rules::Action::Create { op } | rules::Action::Apply { op, .. }) = action else {
            return None;
        };
        op.content().filter(|content| content.hash() == hash).cloned()
    })
}

/// The key of a document by its name.
pub fn key_named(content: &Content, name: &str) -> Option<PublicKey> {
    content.methods.iter().find(|method| method.id == name).map(|method| method.key)
}

/// The key of a document by its name, if it may sign credentials and requests.
pub fn issuing_key(content: &Content, name: &str) -> Option<PublicKey> {
    let method = content.methods.iter().find(|method| method.id == name)?;
    (method.purposes & purposes::ASSERTION != 0).then_some(method.key)
}

/// The key of a document that things are sealed for: the first of Ed25519 that may be used so.
pub fn sealing_key(content: &Content) -> Option<PublicKey> {
    let seals = |method: &&KeyMethod| {
        method.purposes & purposes::AGREEMENT != 0 && method.key.agreement().is_some()
    };
    content.methods.iter().find(seals).map(|method| method.key)
}

/// The record to watch for an issuer's status list; none: the issuer is no DID.
pub fn list_key(issuer: &str, uri: &str) -> Option<ByteVec> {
    let key = rules::anchored_key(&issuer.parse::<Did>().ok()?, uri);
    Some(key.as_bytes().to_vec().into())
}

/// What proved records say of an issuer's status list; none: nothing yet.
pub fn look_list(records: &Records, issuer: &str, uri: &str) -> Option<ListFact> {
    let key = list_key(issuer, uri)?;
    let own = records.list.iter().find(|one| one.key == key)?;
    let newest = match &own.record {
        None => None,
        Some(bytes) => {
            let Anchored { number, token, height, .. } = view::read(bytes)?;
            Some(Newest { number, token, since: height })
        }
    };
    let (issuer, uri) = (issuer.to_owned(), uri.to_owned());
    Some(ListFact { issuer, uri, newest, height: own.height })
}

/// Say which version of a status list is the newest.
pub fn anchor(anchor: &[u8]) -> Option<Command> {
    let anchor = Box::new(view::read::<Anchor>(anchor)?);
    Some(command(rules::Action::Anchor { anchor }, 0))
}

/// The DID that a first op makes.
pub fn id_of(op: &[u8]) -> Option<StarlingId> {
    Some(view::read::<Op>(op)?.id())
}

/// Make a DID; the wallet's account locks the deposit.
pub fn create(op: &[u8]) -> Option<Command> {
    let op = Box::new(view::read::<Op>(op)?);
    Some(command(rules::Action::Create { op }, DEPOSIT))
}

/// Change, recover or stop a DID.
pub fn apply(did: StarlingId, op: &[u8]) -> Option<Command> {
    let op = Box::new(view::read::<Op>(op)?);
    Some(command(rules::Action::Apply { did, op }, 0))
}

/// Ask for new keys with guardians' approvals.
pub fn guard(did: StarlingId, mut guard: GuardOp, mut approvals: Vec<Approval>) -> Command {
    approvals.sort_by_key(|approval| approval.member);
    approvals.dedup_by_key(|approval| approval.member);
    guard.approvals = approvals;
    command(rules::Action::Guard { did, guard: Box::new(guard) }, 0)
}

/// Say no to guardians.
pub fn veto(did: StarlingId, veto: &[u8]) -> Option<Command> {
    let veto = view::read::<Veto>(veto)?;
    Some(command(rules::Action::Veto { did, veto }, 0))
}

/// Take the keys that guardians gave.
pub fn finish(did: StarlingId) -> Command {
    command(rules::Action::Finish { did }, 0)
}

/// What was asked of the ledger last since `since_ms`, beside markets, communities and payments, where it came to
/// nothing: a block refused it, or none took it.
pub fn failed(view: &view::View, since_ms: u64) -> Option<&view::Sent> {
    let plain = |sent: &&view::Sent| sent.act.is_none() && sent.pool.is_none();
    // The newest comes first.
    let last = view.sent.iter().find(plain).filter(|sent| sent.signed_ms >= since_ms)?;
    let is_lost = match last.fate {
        view::Fate::Refused | view::Fate::Expired | view::Fate::Replaced | view::Fate::GivenUp => {
            true
        }
        view::Fate::Sending | view::Fate::Waiting | view::Fate::Done | view::Fate::Final => false,
    };
    is_lost.then_some(last)
}

/// What was asked of names and of lists last. Nothing else is signed to oneself with no word of what it is.
pub fn last(view: &view::View) -> Option<&view::Sent> {
    // The newest comes first.
    view.sent
        .iter()
        .find(|sent| sent.act.is_none() && sent.pool.is_none() && sent.to == view.account)
}

/// Whether something that was asked of a name or a list is signed, and records that are proved at `height` may not
/// know of it yet: asked again now, it would be refused, and its fee paid a second time.
pub fn waits(view: &view::View, height: u64) -> bool {
    last(view).is_some_and(|sent| match sent.fate {
        view::Fate::Sending | view::Fate::Waiting => true,
        // Its own block is told by a server, and later; that its number was counted by then is proved.
        view::Fate::Done | view::Fate::Final => {
            sent.counted.unwrap_or_default().max(sent.height) > height
        }
        view::Fate::Refused | view::Fate::Expired | view::Fate::Replaced | view::Fate::GivenUp => {
            false
        }
    })
}

fn command(action: rules::Action, units: u128) -> Command {
    Command::Did { action: view::to_bytes(&action), units }
}

#[cfg(test)]
mod tests;
