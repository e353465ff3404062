//! What an issuer puts on a ledger about a list: which version is the newest.
//!
//! A list's signature says who made it and how long a copy may be used, not that there is no newer one. An
//! anchor does: it names the newest token by its hash, and a ledger proves it to whoever asks, at a height.
//! Whoever keeps the list, and whoever brings it, can then hide nothing.

use data_encoding::BASE32_NOPAD;
use minicbor::{Decode, Encode};
use primitives::{Hash, sha256};

use super::StatusRefusal;
use crate::{BadSignature, PublicKey, SecretKey, did::Did, limits::LIST_NAME_BYTES_MAX};

/// The version of this form.
const VERSION: u8 = 1;
/// What the signature begins with; no two begin alike.
const CONTEXT: &[u8] = b"starling-status/1\0";

/// The newest version of a list, signed by its issuer for one ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Anchor {
    /// 1.
    #[n(0)]
    pub version: u8,
    /// Whose list it is.
    #[n(1)]
    pub issuer: Did,
    /// The list's name, as credentials give it.
    #[n(2)]
    pub uri: String,
    /// 1, then one more each time.
    #[n(3)]
    pub number: u64,
    /// SHA-256 of the list's token.
    #[n(4)]
    pub token: Hash,
    /// 0-based place of the signer among the keys that may change the issuer's DID; 0 of a `did:key`.
    #[n(5)]
    pub by: u8,
    /// Over [`Self::to_sign`].
    #[cbor(n(6), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

impl Anchor {
    /// Signs that `token` is version `number` of a list. `network` is the ledger's chain.
    pub fn sign(
        (issuer, uri): (Did, &str),
        number: u64,
        token: &str,
        (by, key): (u8, &SecretKey),
        network: &[u8; 32],
    ) -> Self {
        let (uri, token) = (uri.to_owned(), token_hash(token));
        let mut anchor =
            Self { version: VERSION, issuer, uri, number, token, by, signature: [0; 64] };
        anchor.signature = key.sign(&anchor.to_sign(network));
        anchor
    }

    /// What is signed: context, network, canonical CBOR of the anchor without its signature.
    pub fn to_sign(&self, network: &[u8; 32]) -> Vec<u8> {
        let Self { version, issuer, uri, number, token, by, .. } = self;
        let body = minicbor::to_vec((version, issuer, uri, number, token, by));
        [CONTEXT, network, &body.expect("encoding into memory does not fail")].concat()
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// `key` did not sign this for this network.
    pub fn verify(&self, key: &PublicKey, network: &[u8; 32]) -> Result<(), BadSignature> {
        key.verify_unique(&self.to_sign(network), &self.signature)
    }

    /// Whether it is of this version and within bounds.
    pub fn is_formed(&self) -> bool {
        let named = !self.uri.is_empty() && self.uri.len() <= LIST_NAME_BYTES_MAX;
        self.version == VERSION && named && self.number > 0
    }
}

/// What an anchor calls a list's token: SHA-256 of it.
pub type TokenHash = Hash;

/// What an anchor calls a list's token.
pub fn token_hash(token: &str) -> TokenHash {
    sha256(token.as_bytes())
}

/// The name of a token among blocks, by what an anchor calls it: a CID of version 1, raw, by SHA-256. So whoever
/// reads a ledger can ask anybody for the list, and sees whether it is the one.
pub fn token_cid(token: &TokenHash) -> String {
    let bytes = [&[1, 0x55, 0x12, 32], token.as_bytes().as_slice()].concat();
    format!("b{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
}

/// Checks that a token is the version that its issuer anchored last.
///
/// # Errors
/// [`StatusRefusal::NotNewest`].
pub fn check_newest(token: &str, anchored: Hash) -> Result<(), StatusRefusal> {
    if token_hash(token) == anchored { Ok(()) } else { Err(StatusRefusal::NotNewest) }
}
