//! Names of accounts, assets, chains and transactions.

use core::{fmt, str::FromStr};

use minicbor::{Decode, Encode};
use primitives::{Hash, HexError, PeerId, sha256};
use serde::{Deserialize, Serialize};

use crate::Policy;

macro_rules! hash_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
        )]
        #[cbor(transparent)]
        #[serde(transparent)]
        pub struct $name(#[n(0)] Hash);

        impl $name {
            /// The id of these 32 bytes.
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(Hash::new(bytes))
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                self.0.as_bytes()
            }

            /// SHA-256 of a context and of what is named.
            pub(crate) fn of_bytes(context: &[u8], bytes: &[u8]) -> Self {
                Self(sha256(&[context, bytes].concat()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                text.parse().map(Self)
            }
        }
    };
}

hash_id! {
    /// An account: the hash of the keys it was made with, which it keeps when its keys change.
    AccountId
}

hash_id! {
    /// A ledger: the hash of its genesis. A transaction for one is nothing on another.
    ChainId
}

hash_id! {
    /// A transaction: the hash of what its signers sign, so that no choice of signatures changes it.
    TransactionId
}

impl AccountId {
    /// The account that these keys have from the start.
    pub fn of(policy: &Policy) -> Self {
        Self::of_bytes(b"starling/account/1", &policy.to_bytes())
    }

    /// The account of a single key.
    pub fn of_key(key: PeerId) -> Self {
        Self::of(&Policy::single(key))
    }

    /// The account in which a domain holds what it has locked. Nobody has keys of it.
    pub fn of_domain(name: &str) -> Self {
        Self::of_bytes(b"starling/domain/1", name.as_bytes())
    }
}

/// An asset, numbered in order of creation. 0 is the ledger's own unit, in which fees are paid.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct AssetId(#[n(0)] pub u32);

impl AssetId {
    /// The ledger's own unit.
    pub const NATIVE: Self = Self(0);
}
