//! The native driver of a peer: what `starling get` and `starling seed` run.
//!
//! The cores ([`peer::Peer`], [`files::Share`]) decide; this crate feeds them what the machine tells and
//! does what they ask, as `peer-wasm` does in a browser.
//!
//! | module | |
//! |---|---|
//! | `pump` | the loop: one task owns the cores and everything below |
//! | `rtc` | WebRTC: one task for each connection |
//! | `socket` | the signaling WebSocket |
//! | `running`, `keeper` | one open share; blocks are read, hashed and kept on threads that may wait |
//! | `till` | money beside its bytes |
//! | `address` | from a server's address to its signaling socket |
//!
//! Laws: no protocol `if` in here; what a core asks for never makes the pump wait; who is slower than the
//! network makes the network wait (a full `pump::Inbox` shrinks the receive window of the connection);
//! nothing grows without a named bound.
//!
//! Not here: streams of video (a native peer plays nothing), disks ([`Blocks`] is the caller's).

mod address;
mod error;
mod keeper;
mod pump;
mod rtc;
mod running;
mod share;
mod socket;
mod till;

use std::sync::Arc;

use files::content::{Block, Cid};
use primitives::{PeerId, SwarmId};
use tokio::task::JoinHandle;

pub use address::{AddressError, Server};
pub use error::PeerError;
/// What callers make shares with, and what is shown of them.
pub use files::{
    make, swarm_of as share_swarm,
    view::{Failure, Stage},
};
/// What tills are set up with.
pub use payments;
pub use peer::view;
pub use share::{OpenShare, Share, ShareStatus, Witness};
pub use till::{OpenTill, TillView, questions};

use pump::{Inbox, Pump};

/// The swarm of a stream, by its playlist's address or the name that its pages give it.
pub fn stream_swarm(name: &str, publisher: Option<PeerId>) -> SwarmId {
    let is_address = name.contains("://");
    let config = peer::StreamConfig {
        playlist_url: name.to_owned(),
        swarm_name: (!is_address).then(|| name.to_owned()),
        integrity: peer::Integrity::Best { publisher },
        site: None,
        region: None,
    };
    config.swarm_id()
}

/// How a peer is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who introduces it.
    pub server: Server,
    /// Connect through relays only.
    pub relay_only: bool,
}

/// Where the blocks of a share are. Called on threads that may wait for disks, several at a time.
pub trait Blocks: Send + Sync + 'static {
    /// Whether the block can be read.
    fn has(&self, cid: &Cid) -> bool;

    /// The block. `None`: it is not there, or not what it was.
    fn read(&self, cid: &Cid) -> Option<Block>;

    /// Keeps these blocks, so that they are there after a crash; `false`: none of them is sure to be.
    fn keep(&self, blocks: &[Block]) -> bool;
}

/// A running peer. A cheap handle: clones are the same peer, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Peer(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    inbox: Inbox,
    task: JoinHandle<()>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// Starts a peer with a fresh key, in the runtime that this is called in. It contacts nobody before a
    /// share is opened.
    ///
    /// # Errors
    /// The system gives no entropy, or TLS can't be set up.
    pub fn start(options: Options) -> Result<Self, PeerError> {
        let (pump, inbox, events) = Pump::new(options)?;
        let task = tokio::spawn(pump.run(events));
        Ok(Self(Arc::new(Handle { inbox, task })))
    }

    /// Opens a share: from now on it is fetched and given. It is closed when the handle is dropped.
    ///
    /// # Errors
    /// It is open already, or the peer has ended.
    pub async fn open(&self, options: OpenShare) -> Result<Share, PeerError> {
        Share::open(self.clone(), options).await
    }

    /// Leaves politely: says goodbye to the neighbours and to the server.
    pub async fn stop(self) {
        if self.ask(Pump::leave).await.is_ok() {
            tokio::time::sleep(pump::GOODBYE).await;
        }
    }

    /// Runs something inside of the pump, and gives what it gives.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Pump) -> T + Send + 'static,
    ) -> Result<T, PeerError> {
        self.0.inbox.ask(question).await.ok_or(PeerError::Ended)
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.0.inbox
    }
}
