//! What a page asks of a session and what it is told, as CBOR: the session runs in a worker.

use core::fmt;

use minicbor::{Decode, Encode, bytes::ByteVec};
use primitives::Hash;
use zeroize::Zeroize as _;

use crate::{
    PublicKey,
    did::{StarlingId, starling::Guardians},
};

/// Bytes that open something. Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Secret(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    Vec<u8>,
);

impl Secret {
    /// A text.
    pub fn text(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    /// Bytes.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text; empty where it is none.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Everything a page may want.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// Only the view.
    #[n(0)]
    Look,
    /// Draw a seed. Nothing is kept before there are two ways to it.
    #[n(1)]
    Create,
    /// The recovery words, to be written down.
    #[n(2)]
    Words,
    /// The words, entered again: only then are they a way in.
    #[n(3)]
    Confirm(#[n(0)] Secret),
    /// A password, in place of the one before.
    #[n(4)]
    Password(#[n(0)] Secret),
    /// A salt for a passkey's PRF. It waits for [`Self::Passkey`].
    #[n(5)]
    Salt,
    /// A passkey, and what its PRF gave for the salt.
    #[n(6)]
    Passkey {
        /// The passkey's id.
        #[n(0)]
        id: ByteVec,
        /// 32 bytes.
        #[n(1)]
        output: Secret,
    },
    /// Shares for guardians, to be handed out. They are no way before [`Self::HandedOut`].
    #[n(7)]
    Share {
        /// How many are enough.
        #[n(0)]
        threshold: u8,
        /// How many there are.
        #[n(1)]
        count: u8,
    },
    /// Take a way in away, by its place.
    #[n(8)]
    Remove(#[n(0)] u8),
    /// Open by the way at a place: a password, or what a passkey's PRF gave.
    #[n(9)]
    Unlock {
        /// The place.
        #[n(0)]
        slot: u8,
        /// What opens it.
        #[n(1)]
        with: Secret,
    },
    /// Open by the words, on a device that has nothing or does not know the password.
    #[n(10)]
    Recover(#[n(0)] Secret),
    /// The same by shares of guardians.
    #[n(11)]
    RecoverByShares(#[n(0)] Vec<Secret>),
    /// Try the words, and change nothing.
    #[n(12)]
    Drill(#[n(0)] Secret),
    /// Forget the seed until it is opened again.
    #[n(13)]
    Lock,
    /// Forget everything on this device.
    #[n(14)]
    SignOut,
    /// Lock by itself, this many minutes after keys were last used.
    #[n(15)]
    LockAfter(#[n(0)] u16),
    /// Drop a seed that is not kept yet.
    #[n(16)]
    GiveUp,
    /// The first op of the DID that follows from the seed, for a ledger's chain.
    #[n(17)]
    Genesis(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// The next op of a DID.
    #[n(18)]
    Next {
        /// Where it stands.
        #[n(0)]
        head: Head,
        /// What becomes of it.
        #[n(1)]
        change: Next,
    },
    /// This DID is mine from now on: guardians gave it keys of this seed.
    #[n(19)]
    Adopt(#[n(0)] Option<StarlingId>),
    /// Keys of this seed for a DID whose own were lost, for its guardians to approve.
    #[n(20)]
    Ask(#[n(0)] Head),
    /// Approve, as a guardian, what a text asks for.
    #[n(21)]
    Approve {
        /// What guards the DID, as the ledger proves.
        #[n(0)]
        head: Head,
        /// The text.
        #[n(1)]
        asked: String,
    },
    /// Say no to what guardians of my DID asked for.
    #[n(22)]
    Veto {
        /// Where the DID stands.
        #[n(0)]
        head: Head,
        /// What they asked for.
        #[n(1)]
        guard: Hash,
    },
    /// Sign a text, by the DID on the ledger if its head is there, else by the key's own.
    #[n(23)]
    Sign {
        /// What to sign.
        #[n(0)]
        text: String,
        /// Where the DID stands.
        #[n(1)]
        head: Option<Head>,
    },
    /// What the identity on this device is: bytes that open nothing without one of its ways in.
    #[n(24)]
    Backup,
    /// A backup, on a device that has nothing. Locked.
    #[n(25)]
    Restore(#[n(0)] ByteVec),
    /// The public key of the account on a ledger, by its chain. It does not count as use.
    #[n(26)]
    Account(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// Every guardian has their share: the shares that were made last are a way, in place of those before.
    #[n(27)]
    HandedOut,
    /// This DID is mine from now on, if keys of this seed may change it: guardians gave it to this seed at an
    /// earlier time or on another device.
    #[n(28)]
    Mine(#[n(0)] Head),
}

/// Where a DID stands, as the ledger proves.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// The ledger's chain.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub network: [u8; 32],
    /// The DID.
    #[n(1)]
    pub did: StarlingId,
    /// Hash of its newest op.
    #[n(2)]
    pub op: Hash,
    /// That one's number.
    #[n(3)]
    pub seq: u64,
    /// Who may change it.
    #[n(4)]
    pub rotation: Vec<PublicKey>,
    /// Hash of what it says.
    #[n(5)]
    pub content: Hash,
    /// Who may give new keys.
    #[n(6)]
    pub guardians: Option<Guardians>,
}

/// What becomes of a DID.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Next {
    /// New keys of every kind.
    #[n(0)]
    Rotate,
    /// Other guardians; the key that signs stays.
    #[n(1)]
    Guardians(#[n(0)] Option<Guardians>),
    /// It ends.
    #[n(2)]
    Stop,
}

/// How far a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Stage {
    /// There is no identity on this device.
    #[default]
    #[n(0)]
    Empty,
    /// A seed is there and not kept: it has fewer than two ways to it.
    #[n(1)]
    Draft,
    /// Kept, and closed.
    #[n(2)]
    Locked,
    /// Kept, and open.
    #[n(3)]
    Open,
}

/// What is shown. Nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct View {
    /// How far it is.
    #[n(0)]
    pub stage: Stage,
    /// The `did:key`; empty: there is none.
    #[n(1)]
    pub did: String,
    /// Ways to the seed, by their places.
    #[n(2)]
    pub slots: Vec<Way>,
    /// Whether they are enough for something of value.
    #[n(3)]
    pub is_recoverable: bool,
    /// When the words were last entered, in milliseconds since 1970-01-01 UTC; 0: never here.
    #[n(4)]
    pub drilled_ms: u64,
    /// Minutes after which it locks by itself.
    #[n(5)]
    pub lock_after_min: u16,
    /// A DID that guardians gave to this seed.
    #[n(6)]
    pub adopted: Option<StarlingId>,
}

/// A way to the seed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Way {
    /// A password.
    #[n(0)]
    Password,
    /// The words.
    #[n(1)]
    Words,
    /// A passkey.
    #[n(2)]
    Passkey {
        /// Its id.
        #[n(0)]
        id: ByteVec,
        /// What its PRF is asked for.
        #[n(1)]
        salt: ByteVec,
    },
    /// Guardians.
    #[n(3)]
    Guardians {
        /// How many are enough.
        #[n(0)]
        threshold: u8,
    },
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Answer {
    /// How it is now.
    #[n(0)]
    pub view: View,
    /// Why nothing was done.
    #[n(1)]
    pub refused: Option<Refusal>,
    /// Which word, 1-based, where one is wrong; else 0.
    #[n(2)]
    pub at: u8,
    /// Words, shares, or a text that was signed.
    #[n(3)]
    pub texts: Vec<Secret>,
    /// A salt, an op, a veto, a backup.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

/// Why nothing is done. A page has words for each; none says anything of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Refusal {
    /// Not a call of this version.
    #[n(0)]
    Form,
    /// There is no identity on this device.
    #[n(1)]
    Empty,
    /// There is one already.
    #[n(2)]
    Exists,
    /// It is locked.
    #[n(3)]
    Locked,
    /// Not 24 words.
    #[n(4)]
    WordCount,
    /// A word that is not in the list.
    #[n(5)]
    Word,
    /// All words are in the list, but one is wrong or two are swapped.
    #[n(6)]
    WordsChecked,
    /// Words, but of another identity.
    #[n(7)]
    WordsOther,
    /// A password of fewer than eight characters, or a very long one.
    #[n(8)]
    PasswordLength,
    /// A wrong password, or another passkey.
    #[n(9)]
    Wrong,
    /// Not enough memory for the password's cost.
    #[n(10)]
    Memory,
    /// A share that is none.
    #[n(11)]
    Share,
    /// Too few shares, one twice, or shares that do not belong together.
    #[n(12)]
    Shares,
    /// Fewer than two ways, or none that is not on this device, would be left.
    #[n(13)]
    TooFewWays,
    /// As many ways as there may be.
    #[n(14)]
    Full,
    /// There is no such way, or it takes something else.
    #[n(15)]
    NoWay,
    /// No key of this seed may change the DID.
    #[n(16)]
    NotYours,
    /// Guardians that a DID can't have.
    #[n(17)]
    Guardians,
    /// Not what somebody asks of their guardians, or for another DID or op.
    #[n(18)]
    NotAsked,
    /// This identity is no guardian of that DID.
    #[n(19)]
    NoGuardian,
    /// Too long to sign, or empty.
    #[n(20)]
    TextLength,
    /// It was opened too long ago for this: whoever sits here may be somebody else.
    #[n(21)]
    NotFresh,
    /// No shares were made since it was opened.
    #[n(22)]
    NoShares,
    /// The DID was changed as often as keys of one seed are looked for: it can still sign, and be stopped.
    #[n(23)]
    UsedUp,
}

/// As bytes, for the other side.
pub fn to_bytes(value: &impl Encode<()>) -> Vec<u8> {
    minicbor::to_vec(value).expect("encoding into memory does not fail")
}

/// From bytes of the other side.
pub fn read<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Option<T> {
    minicbor::decode(bytes).ok()
}
