//! What validators agree on: a header, which names everything else by its hash.
//!
//! A light client needs the header, its certificate and a proof; it never fetches transactions.
//! Bytes: `docs/spec/ledger.md`, "Headers and certificates".

use bytes::BufMut;
use commonware_codec::{
    Buf, EncodeSize, Error, FixedSize as _, MaxEncodeSize as _, Read, ReadExt as _, Write,
};
use commonware_consensus::{
    simplex::{scheme::bls12381_threshold::standard, types as simplex},
    types::{Epoch, Height, Round, View},
};
use commonware_cryptography::{
    Digest as _, Hasher as _, Sha256, Signer as _,
    bls12381::primitives::variant::{MinSig, Variant},
    ed25519, sha256,
};

/// SHA-256 of a header, of a transaction, of a record.
pub type Digest = sha256::Digest;
/// A validator's key towards other validators.
pub type PublicKey = ed25519::PublicKey;
/// How votes become one certificate: a BLS12-381 threshold signature of more than two thirds.
pub type Scheme = standard::Scheme<PublicKey, MinSig>;
/// The network's key: what certificates are verified against, whoever the validators are.
pub type GroupKey = <MinSig as Variant>::Public;
/// Where in the agreement a header was proposed, and by whom.
pub type Context = simplex::Context<Digest, PublicKey>;
/// That more than two thirds made a header final.
pub type Finalization = simplex::Finalization<Scheme, Digest>;

/// Bytes of a chunk of the store's activity bitmap: part of what a proof is made of.
pub const CHUNK_BYTES: usize = 32;

/// What validators agree on. Its SHA-256 is the block's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Where in the agreement it was proposed.
    pub context: Context,
    /// The block before.
    pub parent: Digest,
    /// Blocks since genesis.
    pub height: Height,
    /// When, in milliseconds since 1970-01-01 UTC; never less than the block before.
    pub time_ms: u64,
    /// What proofs of records are verified against: the state after this block.
    pub state_root: Digest,
    /// Root of the store's log: what a new validator's copy of the store is verified against.
    pub log_root: Digest,
    /// First position of the log that a copy needs.
    pub log_start: u64,
    /// Position behind the log's last entry.
    pub log_end: u64,
    /// Of the transactions.
    pub body_root: Digest,
}

impl Header {
    /// The block's name.
    pub fn digest(&self) -> Digest {
        Sha256::hash(&[&commonware_codec::Encode::encode(self)])
    }

    /// The header that all agreement of a chain begins with; nobody signs it. It names the chain as
    /// its parent, so that no two chains share a block.
    pub(crate) fn genesis(chain: &[u8; 32], time_ms: u64, log: (Digest, u64, u64)) -> Self {
        let (log_root, log_start, log_end) = log;
        let context = Context {
            round: Round::new(Epoch::zero(), View::zero()),
            leader: ed25519::PrivateKey::from_seed(0).public_key(),
            parent: (View::zero(), Digest::EMPTY),
        };
        let (parent, height) = (Digest::from(*chain), Height::zero());
        let (state_root, body_root) = (Digest::EMPTY, Sha256::hash(&[]));
        Self {
            context,
            parent,
            height,
            time_ms,
            state_root,
            log_root,
            log_start,
            log_end,
            body_root,
        }
    }

    /// The longest header.
    pub(crate) fn bytes_max() -> usize {
        Context::MAX_ENCODE_SIZE + Digest::SIZE * 4 + Height::MAX_ENCODE_SIZE + 3 * u64::SIZE
    }
}

impl Write for Header {
    fn write(&self, buffer: &mut impl BufMut) {
        self.context.write(buffer);
        self.parent.write(buffer);
        self.height.write(buffer);
        self.time_ms.write(buffer);
        self.state_root.write(buffer);
        self.log_root.write(buffer);
        self.log_start.write(buffer);
        self.log_end.write(buffer);
        self.body_root.write(buffer);
    }
}

impl EncodeSize for Header {
    fn encode_size(&self) -> usize {
        let fixed = 4 * Digest::SIZE + 3 * u64::SIZE;
        self.context.encode_size() + self.height.encode_size() + fixed
    }
}

impl Read for Header {
    type Cfg = ();

    fn read_cfg(buffer: &mut impl Buf, (): &()) -> Result<Self, Error> {
        Ok(Self {
            context: Context::read(buffer)?,
            parent: Digest::read(buffer)?,
            height: Height::read(buffer)?,
            time_ms: u64::read(buffer)?,
            state_root: Digest::read(buffer)?,
            log_root: Digest::read(buffer)?,
            log_start: u64::read(buffer)?,
            log_end: u64::read(buffer)?,
            body_root: Digest::read(buffer)?,
        })
    }
}
