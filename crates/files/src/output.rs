//! What a share asks of its driver.

use content::Cid;
use primitives::PeerId;
use swarm::{Channel, HangupReason};

/// One thing to do. The driver does them in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send one frame.
    Send {
        /// To whom.
        to: PeerId,
        /// On which channel.
        channel: Channel,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// Close the connection to this peer.
    Hangup {
        /// To whom.
        peer: PeerId,
        /// Why.
        why: HangupReason,
    },
    /// More neighbours would be of use: this many.
    Neighbours(u16),
    /// Which of these blocks are in the store? At most [`crate::config::LOOK_MAX`]. Answered by
    /// [`crate::Input::Looked`].
    Look(Vec<Cid>),
    /// Read this block; answered by [`crate::Input::Loaded`].
    Load(Cid),
    /// Ask the gateway for this block; answered by [`crate::Input::Fetched`] or
    /// [`crate::Input::NotFetched`].
    Fetch(Cid),
    /// Hash these bytes; answered by [`crate::Input::Checked`].
    Check {
        /// The block they are said to be.
        cid: Cid,
        /// Who sent them.
        from: PeerId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Keep this block, which was checked; answered by [`crate::Input::Kept`] or
    /// [`crate::Input::NotKept`].
    Keep {
        /// The block.
        cid: Cid,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Something for the app to know.
    Event(Event),
}

/// What the app may want to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The manifest is here: names and sizes can be shown.
    Opened,
    /// Everything that was chosen is here.
    Done,
    /// This peer sent something else than the block it was asked for, and was cut.
    Liar(PeerId),
    /// This peer was sent this much of blocks.
    Served {
        /// To whom.
        peer: PeerId,
        /// How much.
        bytes: u32,
    },
    /// The share can't be read, and [`crate::view::Stage`] says why.
    Failed,
}
