//! A promise that only grows.

use minicbor::{Decode, Encode};
use primitives::{KeyPair, PeerId, SignatureError};

use crate::{AccountId, ChainId};

/// What every voucher's signature begins with.
const CONTEXT: &[u8] = b"p2p/paypool/v1";

/// The payer's promise that a payee may have `cumulative` units in all. The newest replaces all
/// before it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Voucher {
    /// Which pool.
    #[n(0)]
    pub pool: u64,
    /// Whom it pays.
    #[n(1)]
    pub payee: AccountId,
    /// Which of the payee's lanes, counted from 1.
    #[n(2)]
    pub epoch: u32,
    /// Units in all, from the lane's beginning.
    #[n(3)]
    pub cumulative: u128,
    /// Ed25519 by the pool's voucher key over [`Self::to_sign`].
    #[cbor(n(4), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl Voucher {
    /// Signs a promise.
    pub fn sign(
        key: &KeyPair,
        chain: ChainId,
        pool: u64,
        payee: AccountId,
        epoch: u32,
        cumulative: u128,
    ) -> Self {
        let mut voucher = Self { pool, payee, epoch, cumulative, signature: [0; 64] };
        voucher.signature = key.sign(&voucher.to_sign(chain));
        voucher
    }

    /// What is signed: context ‖ chain ‖ pool (8) ‖ payee (32) ‖ epoch (4) ‖ cumulative (16), numbers
    /// big-endian.
    pub fn to_sign(&self, chain: ChainId) -> Vec<u8> {
        let mut bytes = CONTEXT.to_vec();
        bytes.extend_from_slice(chain.as_bytes());
        bytes.extend_from_slice(&self.pool.to_be_bytes());
        bytes.extend_from_slice(self.payee.as_bytes());
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&self.cumulative.to_be_bytes());
        bytes
    }

    /// Checks that `signer` promised this on `chain`. Payees ask before they serve.
    pub fn verify(&self, chain: ChainId, signer: PeerId) -> Result<(), SignatureError> {
        signer.verify(&self.to_sign(chain), &self.signature)
    }
}
