//! "I opened it": signed by the key that a grant was sealed for.

use minicbor::{Decode, Encode};
use primitives::Hash;

use super::{Access, AccessError, VERSION};
use crate::{
    SecretKey, base64url,
    limits::{CLOCK_SKEW_S_MAX, RECEIPT_TEXT_BYTES_MAX},
};

/// What the text begins with.
const TEXT: &str = "starling-receipt-1.";
/// What a signature begins with.
const SIGNED: &[u8] = b"starling-receipt/1\0";

/// A receipt. That its reader opened the grant is proved; when, they say; what they read, nobody knows. CBOR: an
/// array of four.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    #[n(0)]
    version: u8,
    /// Of which grant: [`Access::id`].
    #[n(1)]
    access: Hash,
    /// When, as its reader says, in seconds since 1970-01-01 UTC.
    #[n(2)]
    at_s: u64,
    #[cbor(n(3), with = "minicbor::bytes")]
    signature: [u8; 64],
}

impl Receipt {
    /// Signs that a grant was opened, by the key that it was sealed for.
    pub fn sign(access: &Access, reader: &SecretKey, at_s: u64) -> Self {
        let access = access.id();
        let signature = reader.sign(&to_sign(access, at_s));
        Self { version: VERSION, access, at_s, signature }
    }

    /// Of which grant.
    pub const fn access(&self) -> Hash {
        self.access
    }

    /// When, as its reader says.
    pub const fn at_s(&self) -> u64 {
        self.at_s
    }

    /// Whether the reader of this grant signed it, at a time that can be.
    ///
    /// # Errors
    /// [`AccessError::Other`], [`AccessError::Signature`], [`AccessError::Times`].
    pub fn verify(&self, access: &Access, now_s: u64) -> Result<(), AccessError> {
        if self.access != access.id() {
            return Err(AccessError::Other);
        }
        let consent = access.consent();
        let signed = to_sign(self.access, self.at_s);
        let verified = consent.reader.verify_unique(&signed, &self.signature);
        verified.map_err(|_| AccessError::Signature)?;
        let soonest_s = consent.at_s.saturating_sub(CLOCK_SKEW_S_MAX);
        if (soonest_s..=now_s.saturating_add(CLOCK_SKEW_S_MAX)).contains(&self.at_s) {
            Ok(())
        } else {
            Err(AccessError::Times)
        }
    }

    /// As a text.
    pub fn to_text(&self) -> String {
        let bytes = minicbor::to_vec(self).expect("encoding into memory does not fail");
        format!("{TEXT}{}", base64url::encode(&bytes))
    }

    /// Reads a text, with any spaces in it.
    ///
    /// # Errors
    /// [`AccessError::Form`].
    pub fn parse(text: &str) -> Result<Self, AccessError> {
        if text.len() > RECEIPT_TEXT_BYTES_MAX {
            return Err(AccessError::Form);
        }
        let text: String = text.split_whitespace().collect();
        let bytes = text.strip_prefix(TEXT).and_then(base64url::decode);
        let receipt: Option<Self> = bytes.and_then(|bytes| minicbor::decode(&bytes).ok());
        let formed = |receipt: &Self| receipt.version == VERSION && receipt.to_text() == text;
        receipt.filter(formed).ok_or(AccessError::Form)
    }
}

fn to_sign(access: Hash, at_s: u64) -> Vec<u8> {
    let mut bytes = SIGNED.to_vec();
    bytes.extend(minicbor::to_vec((access, at_s)).expect("encoding into memory does not fail"));
    bytes
}
