//! What can happen to a share.

use content::{Cid, share::ShareLink};
use primitives::{Hash, PeerId, Seed};

use content::share::ShareKey;

/// What a share is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The link it was opened by.
    pub link: ShareLink,
    /// The key: the link's own, or what the password opened. A public share uses none: any will do.
    pub key: ShareKey,
    /// This peer.
    pub me: PeerId,
    /// For choices among equals.
    pub seed: Seed,
    /// The time of day when it starts, in seconds since 1970: for shares that end.
    pub started_s: u64,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The wake time came; nothing else happened.
    Tick,
    /// Data channels to this peer are open both ways.
    PeerUp(PeerId),
    /// They are gone.
    PeerDown(PeerId),
    /// One message of a data channel, from a stranger: any bytes.
    Frame {
        /// Who sent it.
        from: PeerId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Payload left the transport's buffer.
    Sent {
        /// To whom.
        to: PeerId,
        /// How much.
        bytes: u64,
    },

    /// The answer to [`crate::Output::Look`]: each name, and whether its block is in the store.
    Looked(Vec<(Cid, bool)>),
    /// The answer to [`crate::Output::Load`]; `None`: it is not there, or not what it was.
    Loaded {
        /// The block.
        cid: Cid,
        /// Its bytes; the driver has checked that they are the block.
        bytes: Option<Vec<u8>>,
    },
    /// The answer to [`crate::Output::Check`].
    Checked {
        /// The block they were said to be.
        cid: Cid,
        /// Who sent them.
        from: PeerId,
        /// SHA-256 of the bytes, as the driver computed it.
        digest: Hash,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The store has this block, and will after a crash.
    Kept(Cid),
    /// The store can't take it: the disk is full, or it is broken. Nothing more is fetched until
    /// [`Input::Pause`] says `false`.
    NotKept(Cid),
    /// The store has these now, from elsewhere: the person chose the files once more.
    Found(Vec<Cid>),
    /// The store no longer has these.
    Lost(Vec<Cid>),

    /// The person chose what to fetch: entries of the manifest by number, the most wanted first. Replaces
    /// what was chosen before.
    Choose {
        /// The entries; folders and unknown numbers are passed over.
        entries: Vec<u32>,
        /// From front to back, to be looked at while it comes; otherwise the rarest first.
        in_order: bool,
    },
    /// Somebody reads an entry as it comes: this byte is needed now, what follows at a pace. Said again
    /// whenever the reader waits, and as it goes on. What is due comes first (`reading`).
    Look {
        /// The entry.
        entry: u32,
        /// The byte.
        from: u64,
        /// Bytes the reader takes in a second; more than it does costs others time, less makes it wait.
        bytes_per_s: u64,
    },
    /// Somebody waits for these, the first most: they come before all else, chosen or not.
    Wait(Vec<Cid>),
    /// There is a gateway to ask for what no neighbour has, or none. A gateway that lied is asked again
    /// after this.
    Gateway(bool),
    /// A gateway's answer to [`crate::Output::Fetch`].
    Fetched {
        /// The block that was asked for.
        cid: Cid,
        /// SHA-256 of the bytes, as the driver computed it.
        digest: Hash,
        /// The bytes; at most [`wire::limits::BLOCK_BYTES_MAX`].
        bytes: Vec<u8>,
    },
    /// A gateway gave no block.
    NotFetched {
        /// The block that was asked for.
        cid: Cid,
        /// Why.
        why: NotFetched,
    },
    /// Fetch nothing for now, or go on.
    Pause(bool),
    /// This neighbour is held back: it gets nothing until it is said again; or it is held back no more.
    Hold {
        /// Which.
        peer: PeerId,
        /// It gets nothing.
        on: bool,
    },
    /// Bytes per second to all neighbours together; `None`: as much as the line takes; `Some(0)`: none.
    Limit(Option<u64>),
}

/// Why a gateway gave no block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFetched {
    /// It answers, and does not have it, or not to us.
    Lacking,
    /// No answer came.
    Unreachable,
}
