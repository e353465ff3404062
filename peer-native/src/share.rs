//! What callers hold of an open share.

use core::fmt;
use std::sync::Arc;

use files::{
    Input,
    content::{
        Cid,
        share::{ShareKey, ShareLink, ShareManifest},
    },
    view::ShareView,
};
use peer::view::{Problem, RoomView, SignalingView};
use primitives::{PeerId, Signature, SwarmId};
use tokio::sync::Notify;

use crate::{
    Blocks, OpenTill, Peer, PeerError, TillView,
    pump::{Event, Pump},
    running::Running,
};

/// A share to be opened.
pub struct OpenShare {
    /// The link.
    pub link: ShareLink,
    /// The key: the link's own, or what the password opened.
    pub key: ShareKey,
    /// Where its blocks are, and go.
    pub blocks: Arc<dyn Blocks>,
    /// Bytes a second to all neighbours together; `None`: as much as the line takes.
    pub upload_bytes_per_s: Option<u64>,
    /// Who pays whom for bytes; none: nobody.
    pub till: Option<OpenTill>,
}

impl fmt::Debug for OpenShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OpenShare").field(&self.link.cid).finish()
    }
}

/// A share, as shown.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareStatus {
    /// What is in it, and how far it is.
    pub share: ShareView,
    /// Its swarm and connections.
    pub room: RoomView,
    /// The connection to the server.
    pub signaling: SignalingView,
    /// What was paid and earned; none: there is no till.
    pub till: Option<TillView>,
    /// What is wrong with the peer now, newest first.
    pub problems: Vec<Problem>,
}

/// An open share. It is closed when this is dropped.
#[derive(Debug)]
pub struct Share {
    peer: Peer,
    swarm: SwarmId,
    turns: Arc<Notify>,
}

impl Share {
    pub(crate) async fn open(peer: Peer, options: OpenShare) -> Result<Self, PeerError> {
        let opened = peer.ask(move |pump| open(pump, options)).await??;
        let (swarm, turns) = opened;
        Ok(Self { peer, swarm, turns })
    }

    /// What is shown now.
    ///
    /// # Errors
    /// The peer has ended.
    pub async fn status(&self) -> Result<ShareStatus, PeerError> {
        let swarm = self.swarm;
        self.peer.ask(move |pump| pump.status(swarm)).await?.ok_or(PeerError::Ended)
    }

    /// What is in it, once that is known.
    ///
    /// # Errors
    /// The peer has ended.
    pub async fn manifest(&self) -> Result<Option<ShareManifest>, PeerError> {
        self.look(Running::manifest).await
    }

    /// Names of all blocks that are known.
    ///
    /// # Errors
    /// The peer has ended.
    pub async fn cids(&self) -> Result<Vec<Cid>, PeerError> {
        self.look(Running::cids).await
    }

    /// Chooses what to fetch, by number, the most wanted first. Replaces what was chosen before.
    pub async fn choose(&self, entries: Vec<u32>) {
        self.tell(Input::Choose { entries, in_order: false }).await;
    }

    /// What the ledger answered, or that this peer leaves.
    pub async fn tell_till(&self, input: payments::Input) {
        self.peer.inbox().put(Event::Till(self.swarm, input)).await;
    }

    /// Tells a till from wherever the ledger is asked.
    pub fn till_teller(&self) -> impl Fn(payments::Input) + Send + Sync + use<> {
        let (peer, swarm) = (self.peer.clone(), self.swarm);
        move |input| peer.inbox().put_later(Event::Till(swarm, input))
    }

    /// Somebody waits for these blocks, the first most: they come before all else, chosen or not.
    pub async fn want(&self, cids: Vec<Cid>) {
        self.tell(Input::Wait(cids)).await;
    }

    /// Looks at it and signs what came, from wherever that is told.
    pub fn witness(&self) -> Witness {
        Witness { peer: self.peer.clone(), swarm: self.swarm }
    }

    /// Waits until the share was opened, everything chosen is here, or it can't be had: one of these
    /// since the last call.
    pub async fn turn(&self) {
        self.turns.notified().await;
    }

    async fn tell(&self, input: Input) {
        self.peer.inbox().put(Event::Share(self.swarm, input)).await;
    }

    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Running) -> T + Send + 'static,
    ) -> Result<T, PeerError> {
        let swarm = self.swarm;
        self.peer.ask(move |pump| pump.share(swarm).map(look)).await?.ok_or(PeerError::Ended)
    }
}

/// Says and signs what came of a share. It does not keep the share open.
#[derive(Debug, Clone)]
pub struct Witness {
    peer: Peer,
    swarm: SwarmId,
}

impl Witness {
    /// What is shown now.
    ///
    /// # Errors
    /// The share is closed, or the peer has ended.
    pub async fn status(&self) -> Result<ShareStatus, PeerError> {
        let swarm = self.swarm;
        self.peer.ask(move |pump| pump.status(swarm)).await?.ok_or(PeerError::Ended)
    }

    /// What a report to a fund says, signed by this peer.
    ///
    /// # Errors
    /// The peer has ended.
    pub async fn attest(&self, said: String) -> Result<(PeerId, Signature), PeerError> {
        self.peer.ask(move |pump| pump.attest(&said)).await
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let swarm = self.swarm;
        let close = move |pump: &mut Pump| pump.close(swarm);
        self.peer.inbox().put_later(Event::Ask(Box::new(close)));
    }
}

fn open(pump: &mut Pump, options: OpenShare) -> Result<(SwarmId, Arc<Notify>), PeerError> {
    let running = pump.running(options)?;
    let (swarm, turns) = (running.swarm(), running.turns());
    if pump.open(running) { Ok((swarm, turns)) } else { Err(PeerError::Open) }
}
