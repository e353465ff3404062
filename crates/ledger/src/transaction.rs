//! What people sign.

mod checked;
mod refusal;

use minicbor::{Decode, Encode};
use primitives::{Hash, KeyPair, PeerId, sha256};

pub use checked::Checked;
pub use refusal::Refusal;

use crate::{
    AccountId, Action, ChainId, Params, Policy, TransactionId, app, limits::SIGNATURE_WORK,
    state::encode,
};

/// The version this code reads and writes.
const VERSION: u8 = 1;
/// What every signature of a transaction begins with.
const CONTEXT: &[u8] = b"starling/transaction/1";

/// What the signers agree to.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Body {
    /// 1.
    #[n(0)]
    pub version: u8,
    /// For which ledger.
    #[n(1)]
    pub chain: ChainId,
    /// Who acts and pays.
    #[n(2)]
    pub signer: AccountId,
    /// How many transactions of this account are in blocks before this one.
    #[n(3)]
    pub nonce: u64,
    /// The last block this may be in.
    #[n(4)]
    pub expiry_height: u64,
    /// What is paid for it, done or refused, in units of the ledger's own asset.
    #[n(5)]
    pub fee: u128,
    /// Hash of a note kept elsewhere.
    #[n(6)]
    pub memo: Option<Hash>,
    /// What to do.
    #[n(7)]
    pub action: Action,
}

/// A signature by one of the account's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Signature {
    /// 0-based position of the key in the policy.
    #[n(0)]
    pub key: u8,
    /// Ed25519 over [`Body::to_sign`].
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bytes: [u8; 64],
}

/// A body with what proves that its signer agreed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Transaction {
    /// What was signed.
    #[n(0)]
    pub body: Body,
    /// The account's keys: those that name it, or those it changed to.
    #[n(1)]
    pub policy: Policy,
    /// Exactly as many as the policy asks for, in ascending order of keys.
    #[n(2)]
    pub signatures: Vec<Signature>,
}

impl Body {
    /// A body of today's version.
    pub fn new(chain: ChainId, signer: AccountId, nonce: u64, action: Action) -> Self {
        let expiry_height = u64::MAX;
        Self { version: VERSION, chain, signer, nonce, expiry_height, fee: 0, memo: None, action }
    }

    /// The bytes that are signed: the context, then the canonical CBOR.
    pub fn to_sign(&self) -> Vec<u8> {
        [CONTEXT, &encode(self)].concat()
    }

    /// What this transaction is called, signed or not.
    pub fn id(&self) -> TransactionId {
        TransactionId::of_bytes(CONTEXT, &encode(self))
    }

    /// The memo of a note: SHA-256 of its text in UTF-8. Who guesses the note knows it: a short one hides nothing.
    pub fn memo_of(note: &str) -> Hash {
        sha256(note.as_bytes())
    }

    /// The most that it costs, signed by one key, whatever fee of up to 64 bits it offers.
    pub fn cost(&self, params: &Params) -> u128 {
        self.cost_by(params, &Policy::single(PeerId::new([0; 32])))
    }

    /// The same, signed by as many keys as a policy asks for.
    pub fn cost_by(&self, params: &Params, policy: &Policy) -> u128 {
        // As long as any: the longest fee. A key's place is a byte, whichever it is.
        let body = Self { fee: u64::MAX.into(), ..self.clone() };
        let signature_work = SIGNATURE_WORK.saturating_mul(u32::from(policy.threshold));
        let work = app::work(&body.action).saturating_add(signature_work);
        let one = Signature { key: 0, bytes: [0; 64] };
        let signatures = vec![one; policy.threshold.into()];
        let bytes = Transaction { body, policy: policy.clone(), signatures }.to_bytes();
        params.fee(u64::try_from(bytes.len()).unwrap_or(u64::MAX), work)
    }

    /// Signs for the account of a single key.
    pub fn sign(self, key: &KeyPair) -> Transaction {
        let policy = Policy::single(key.id());
        self.sign_by(policy, &[key])
    }

    /// Signs with those of `keys` that the policy knows, as many as it asks for.
    pub fn sign_by(self, policy: Policy, keys: &[&KeyPair]) -> Transaction {
        let bytes = self.to_sign();
        let place = |key: &&KeyPair| policy.keys.binary_search(&key.id()).ok();
        let sign = |key: &&KeyPair| {
            let at = u8::try_from(place(key)?).ok()?;
            Some(Signature { key: at, bytes: key.sign(&bytes) })
        };
        let mut signatures: Vec<Signature> = keys.iter().filter_map(sign).collect();
        signatures.sort_by_key(|signature| signature.key);
        signatures.dedup_by_key(|signature| signature.key);
        signatures.truncate(policy.threshold.into());
        Transaction { body: self, policy, signatures }
    }
}

impl Transaction {
    /// The canonical bytes: what is sent and what a block holds.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }
}
