//! What is signed to make, change, recover or stop a DID.

use minicbor::{Decode, Encode};
use primitives::{Hash, sha256};

use super::{
    Content,
    content::{check_rotation, promise},
};
use crate::{BadSignature, PublicKey, SecretKey, did::StarlingId};

/// The version of these forms.
pub const VERSION: u8 = 1;
/// Largest op, in bytes.
pub const OP_BYTES_MAX: usize = 4096;
/// What signatures of ops begin with; no two begin alike.
const OP_CONTEXT: &[u8] = b"starling-did/1\0";
const GUARD_CONTEXT: &[u8] = b"starling-did-guard/1\0";
const VETO_CONTEXT: &[u8] = b"starling-did-veto/1\0";

/// What an op does.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Change {
    /// Makes the DID, or replaces what it says.
    #[n(0)]
    Set(#[n(0)] Content),
    /// Erases an op and all after it, and says this instead.
    #[n(1)]
    Recover {
        /// The first op to erase.
        #[n(0)]
        fork: Hash,
        /// What the DID says from now on.
        #[n(1)]
        content: Content,
    },
    /// Ends the DID.
    #[n(2)]
    Stop,
}

/// One step of a DID's history.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Op {
    /// 1.
    #[n(0)]
    pub version: u8,
    /// 0, then one more each time.
    #[n(1)]
    pub seq: u64,
    /// Hash of the whole op before; none for the first.
    #[n(2)]
    pub prev: Option<Hash>,
    /// What it does.
    #[n(3)]
    pub change: Change,
    /// 0-based place of the signer among the keys that may change the DID: before this op; of the
    /// first op, in its own; of a recovery, before what it erases.
    #[n(4)]
    pub by: u8,
    /// Over [`Self::to_sign`].
    #[cbor(n(5), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl Op {
    /// Signs a step. `network` is the ledger's chain.
    pub fn sign(
        (seq, prev): (u64, Option<Hash>),
        change: Change,
        (by, key): (u8, &SecretKey),
        network: &[u8; 32],
    ) -> Self {
        let mut op = Self { version: VERSION, seq, prev, change, by, signature: [0; 64] };
        op.signature = key.sign(&op.to_sign(network));
        op
    }

    /// What is signed: context, network, canonical CBOR of the op without its signature.
    pub fn to_sign(&self, network: &[u8; 32]) -> Vec<u8> {
        let body = (self.version, self.seq, &self.prev, &self.change, self.by);
        signed(OP_CONTEXT, network, &encode(&body))
    }

    /// Checks the signature, which has one form: the hash of the op is its name.
    ///
    /// # Errors
    /// `key` did not sign this for this network.
    pub fn verify(&self, key: &PublicKey, network: &[u8; 32]) -> Result<(), BadSignature> {
        key.verify_unique(&self.to_sign(network), &self.signature)
    }

    /// What the op is called: SHA-256 of its bytes, signature included.
    pub fn hash(&self) -> Hash {
        sha256(&self.to_bytes())
    }

    /// The id of the DID that this op makes, if it is a first op.
    pub fn id(&self) -> StarlingId {
        let mut id = [0; 20];
        id.copy_from_slice(&self.hash().as_bytes()[..20]);
        StarlingId::new(id)
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// What the DID says after this op; of an end, nothing new.
    pub const fn content(&self) -> Option<&Content> {
        match &self.change {
            Change::Set(content) | Change::Recover { content, .. } => Some(content),
            Change::Stop => None,
        }
    }

    /// Whether it is of this version, within bounds, and says what a DID may say.
    pub fn is_formed(&self) -> bool {
        let content = self.content().map_or(Ok(()), Content::check);
        self.version == VERSION && self.to_bytes().len() <= OP_BYTES_MAX && content.is_ok()
    }
}

/// Whether keys were promised: none were, or each of these was.
pub fn are_promised(rotation: &[PublicKey], next: &[Hash]) -> bool {
    next.is_empty() || rotation.iter().all(|key| next.contains(&promise(key)))
}

/// New keys by guardians, for who has lost theirs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GuardOp {
    /// 1.
    #[n(0)]
    pub version: u8,
    /// Hash of the op it follows.
    #[n(1)]
    pub prev: Hash,
    /// Who may change the DID after it.
    #[n(2)]
    pub rotation: Vec<PublicKey>,
    /// Whom they promise.
    #[n(3)]
    pub next: Vec<Hash>,
    /// Signatures of guardians, in ascending order of members.
    #[n(4)]
    pub approvals: Vec<Approval>,
}

/// A guardian's signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Approval {
    /// 0-based place among the guardians.
    #[n(0)]
    pub member: u8,
    /// 0-based place of the signing key among those that may change the guardian's own DID; 0 of a
    /// `did:key`.
    #[n(1)]
    pub key: u8,
    /// Over [`GuardOp::to_sign`].
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl GuardOp {
    /// New keys that nobody approved yet.
    pub fn new(prev: Hash, rotation: Vec<PublicKey>, next: Vec<Hash>) -> Self {
        Self { version: VERSION, prev, rotation, next, approvals: Vec::new() }
    }

    /// Adds a guardian's approval.
    pub fn approve(&mut self, member: u8, (at, key): (u8, &SecretKey), network: &[u8; 32]) {
        let signature = key.sign(&self.to_sign(network));
        self.approvals.push(Approval { member, key: at, signature });
        self.approvals.sort_by_key(|approval| approval.member);
    }

    /// What guardians sign: context, network, canonical CBOR of the op without approvals. The op it
    /// follows is of one DID, so its id need not be there.
    pub fn to_sign(&self, network: &[u8; 32]) -> Vec<u8> {
        let body = (self.version, self.prev, &self.rotation, &self.next);
        signed(GUARD_CONTEXT, network, &encode(&body))
    }

    /// What it is called.
    pub fn hash(&self) -> Hash {
        sha256(&encode(self))
    }

    /// Whether it is of this version, within bounds, and its keys may change a DID.
    pub fn is_formed(&self) -> bool {
        let keys = check_rotation(&self.rotation, &self.next);
        let ascending = self.approvals.is_sorted_by(|one, next| one.member < next.member);
        let small = encode(self).len() <= OP_BYTES_MAX;
        self.version == VERSION && keys.is_ok() && ascending && small
    }
}

/// The owner is there after all: guardians shall change nothing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Veto {
    /// Hash of what the guardians want.
    #[n(0)]
    pub guard: Hash,
    /// 0-based place of the signer among the keys that may change the DID.
    #[n(1)]
    pub by: u8,
    /// Over [`Self::to_sign`].
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl Veto {
    /// Signs a veto.
    pub fn sign(guard: Hash, (by, key): (u8, &SecretKey), network: &[u8; 32]) -> Self {
        let mut veto = Self { guard, by, signature: [0; 64] };
        veto.signature = key.sign(&veto.to_sign(network));
        veto
    }

    /// What is signed: context, network, the hash and the place.
    pub fn to_sign(&self, network: &[u8; 32]) -> Vec<u8> {
        signed(VETO_CONTEXT, network, &encode(&(self.guard, self.by)))
    }
}

fn signed(context: &[u8], network: &[u8; 32], body: &[u8]) -> Vec<u8> {
    [context, network, body].concat()
}

fn encode(value: &impl Encode<()>) -> Vec<u8> {
    minicbor::to_vec(value).expect("encoding into memory does not fail")
}
