//! What a page asks of grants and what it is told, as CBOR.

use minicbor::{Decode, Encode};
use primitives::Hash;

use crate::session::Head;

/// Everything a page may want of grants.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum GrantAsk {
    /// Grant a share: a text to hand over.
    #[n(0)]
    Give(#[n(0)] Box<Give>),
    /// The text of one that was given, once more.
    #[n(1)]
    Again(#[n(0)] u32),
    /// It shall not hold any more.
    #[n(2)]
    Revoke(#[n(0)] u32),
    /// Remember one no more that is over.
    #[n(3)]
    Forget(#[n(0)] u32),
    /// Take a receipt.
    #[n(4)]
    Receive(#[n(0)] String),
    /// Read what somebody gave: who, what, what for. Nothing is opened.
    #[n(5)]
    Read(#[n(0)] String),
    /// Open it: the share's link, and a receipt.
    #[n(6)]
    Open {
        /// As before.
        #[n(0)]
        text: String,
        /// Which one the person saw: [`Reading::read`].
        #[n(1)]
        read: Hash,
    },
}

/// What is to be granted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Give {
    /// The share's link, which holds its key.
    #[n(0)]
    pub link: String,
    /// What it is called.
    #[n(1)]
    pub name: String,
    /// Whose it shall be to read: a `did:key` or a `did:starling`.
    #[n(2)]
    pub to: String,
    /// What for.
    #[n(3)]
    pub purpose: String,
    /// For how many days.
    #[n(4)]
    pub days: u16,
    /// Where the giver's DID stands, if it is on the ledger.
    #[n(5)]
    pub head: Option<Head>,
}

/// A grant that was given.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Given {
    /// Its number here.
    #[n(0)]
    pub number: u32,
    /// By which DID.
    #[n(1)]
    pub by: String,
    /// To which DID.
    #[n(2)]
    pub to: String,
    /// The share's CID.
    #[n(3)]
    pub resource: String,
    /// What it is called; may be empty.
    #[n(4)]
    pub name: String,
    /// What for.
    #[n(5)]
    pub purpose: String,
    /// When, in seconds since 1970-01-01 UTC.
    #[n(6)]
    pub at_s: u64,
    /// From when on it does not hold.
    #[n(7)]
    pub until_s: u64,
    /// When it was revoked; none: it was not.
    #[n(8)]
    pub revoked_s: Option<u64>,
    /// When it was opened, by receipts and as they say. None: that is not known.
    #[n(9)]
    pub receipts: Vec<u64>,
}

/// A grant as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Reading {
    /// Who gives it: their key signed.
    #[n(0)]
    pub by: String,
    /// Version and block of that key, and the block that proved it; none: the DID is its key.
    #[n(1)]
    pub proved: Option<(u64, u64, u64)>,
    /// To whom: a name of the reader's.
    #[n(2)]
    pub to: String,
    /// The share's CID.
    #[n(3)]
    pub resource: String,
    /// What the giver calls it; may be empty.
    #[n(4)]
    pub name: String,
    /// What for, in the giver's words.
    #[n(5)]
    pub purpose: String,
    /// When, in seconds since 1970-01-01 UTC.
    #[n(6)]
    pub at_s: u64,
    /// From when on it does not hold.
    #[n(7)]
    pub until_s: u64,
    /// Hash of the text that all this is of: only that one is opened.
    #[n(8)]
    pub read: Hash,
    /// The share's link from its `#`; empty until it is opened.
    #[n(9)]
    pub link: String,
    /// That it was opened, signed, to be handed back; empty until then.
    #[n(10)]
    pub receipt: String,
}
