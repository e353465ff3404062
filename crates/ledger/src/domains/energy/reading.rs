//! What a meter says, and what it shows only to its community.

use minicbor::{Decode, Encode};
use primitives::{Hash, KeyPair, PeerId, SignatureError, sha256};

use crate::{AccountId, ChainId, state::encode};

/// What every reading's signature begins with.
const READING: &[u8] = b"starling/energy/reading/1";
/// What every commitment is the hash of, before the registers.
const OPENING: &[u8] = b"starling/energy/opening/1";
/// What a meter signs when it is brought.
const METER: &[u8] = b"starling/energy/meter/1";

/// What a meter says of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Content {
    /// Wh its owner takes from neighbours and grid; at most what was metered.
    #[n(0)]
    pub import_wh: u64,
    /// Wh its owner gives to them; at most what was metered.
    #[n(1)]
    pub export_wh: u64,
    /// Wh taken in all, this slot included: never less than before.
    #[n(2)]
    pub import_total_wh: u64,
    /// Wh given in all, this slot included: never less than before.
    #[n(3)]
    pub export_total_wh: u64,
    /// SHA-256 of an [`Opening`]: the registers, for the community's own peers.
    #[n(4)]
    pub commitment: Hash,
}

/// What a meter says of a slot, signed by it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Reading {
    /// Which community.
    #[n(0)]
    pub community: u32,
    /// Which of its meters.
    #[n(1)]
    pub meter: u32,
    /// Which slot.
    #[n(2)]
    pub slot: u64,
    /// 0, and more for a correction: the highest holds.
    #[n(3)]
    pub revision: u8,
    /// What is said.
    #[n(4)]
    pub content: Content,
    /// Ed25519 by the meter's key over [`Self::to_sign`].
    #[cbor(n(5), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// What a meter's registers showed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Opening {
    /// Random, so that nobody guesses the rest.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub salt: [u8; 32],
    /// Wh metered in.
    #[n(1)]
    pub import_wh: u64,
    /// Wh metered out.
    #[n(2)]
    pub export_wh: u64,
    /// The register of Wh in at the slot's end.
    #[n(3)]
    pub import_register_wh: u64,
    /// The register of Wh out at the slot's end.
    #[n(4)]
    pub export_register_wh: u64,
}

impl Reading {
    /// Signs what a meter says.
    pub fn sign(
        key: &KeyPair,
        chain: ChainId,
        (community, meter): (u32, u32),
        (slot, revision): (u64, u8),
        content: Content,
    ) -> Self {
        let mut reading = Self { community, meter, slot, revision, content, signature: [0; 64] };
        reading.signature = key.sign(&reading.to_sign(chain));
        reading
    }

    /// What is signed: context ‖ chain ‖ community (4) ‖ meter (4) ‖ slot (8) ‖ revision (1) ‖ import
    /// (8) ‖ export (8) ‖ import in all (8) ‖ export in all (8) ‖ commitment (32), numbers big-endian.
    pub fn to_sign(&self, chain: ChainId) -> Vec<u8> {
        let content = &self.content;
        let mut bytes = READING.to_vec();
        bytes.extend_from_slice(chain.as_bytes());
        bytes.extend_from_slice(&self.community.to_be_bytes());
        bytes.extend_from_slice(&self.meter.to_be_bytes());
        bytes.extend_from_slice(&self.slot.to_be_bytes());
        bytes.push(self.revision);
        bytes.extend_from_slice(&content.import_wh.to_be_bytes());
        bytes.extend_from_slice(&content.export_wh.to_be_bytes());
        bytes.extend_from_slice(&content.import_total_wh.to_be_bytes());
        bytes.extend_from_slice(&content.export_total_wh.to_be_bytes());
        bytes.extend_from_slice(content.commitment.as_bytes());
        bytes
    }

    /// Checks that this key said it on `chain`.
    pub fn verify(&self, chain: ChainId, key: PeerId) -> Result<(), SignatureError> {
        key.verify(&self.to_sign(chain), &self.signature)
    }
}

impl Opening {
    /// What a reading commits to: SHA-256 of context ‖ CBOR.
    pub fn commitment(&self) -> Hash {
        sha256(&[OPENING, &encode(self)].concat())
    }
}

/// What a meter's key signs for the account that brings it: context ‖ chain ‖ community (4) ‖ account.
pub fn meter_proof(chain: ChainId, community: u32, owner: AccountId) -> Vec<u8> {
    [METER, chain.as_bytes(), &community.to_be_bytes(), owner.as_bytes()].concat()
}
