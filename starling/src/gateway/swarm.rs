//! What the store lacks, from whoever gives it as a public share.
//!
//! One peer for all answers, started for the first of them; one open share for each content that is asked
//! for. Who asks for the same waits for the same blocks. Of a share its folders and the roots of its files
//! are fetched, since they say where everything else is, and then what answers wait for, with a few blocks
//! ahead: who goes away makes it stop. Blocks are checked by the peer's core and kept in the store without a
//! pin. Nothing is given to other peers: a gateway answers by HTTP, and `starling seed` gives. Why so:
//! `docs/adr/0050-gateway-that-asks-peers.md`.

mod fetch;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::content::{
    Cid,
    share::{ShareKey, ShareLink},
};
use peer_native::{OpenShare, Options, Peer, PeerError, Server};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinHandle;

use super::config::Config;
use super::refusal::Refusal;
use crate::share::StoreBlocks;
use crate::waiting::waiting;

pub(super) use fetch::Taking;
use fetch::{Fetch, Landing};

/// The peer, and what it fetches.
#[derive(Debug)]
pub(super) struct Swarm {
    data: PathBuf,
    server: Server,
    fetches_max: usize,
    bytes_max: u64,
    wait: Duration,
    /// Answers that wait for peers: half of all, so that what is here is always answered.
    answers: Arc<Semaphore>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    peer: Option<Peer>,
    /// By what was asked for; at most `fetches_max`.
    fetches: BTreeMap<Cid, Kept>,
}

/// A fetch and who looks after it.
#[derive(Debug)]
struct Kept {
    fetch: Arc<Fetch>,
    keeping: JoinHandle<()>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

impl Swarm {
    pub(super) fn new(data: &Path, config: &Config, server: Server) -> Self {
        Self {
            data: data.to_owned(),
            server,
            fetches_max: config.swarm.fetches_max,
            bytes_max: config.swarm.bytes_max,
            wait: Duration::from_millis(config.swarm.wait_ms),
            answers: Arc::new(Semaphore::new(config.streams_max.div_ceil(2))),
            open: Mutex::default(),
        }
    }

    /// How long an answer waits for its next block.
    pub(super) const fn wait(&self) -> Duration {
        self.wait
    }

    /// The fetch that a block comes by: one that knows it, or a new one of the content under `root`.
    ///
    /// # Errors
    /// There are as many answers or fetches as there may be, or there is no peer.
    pub(super) async fn take(self: &Arc<Self>, cid: Cid, root: Cid) -> Result<Taking, Refusal> {
        // In a task of its own: who goes away in the middle would leave a share open that nobody closes.
        let taking = tokio::spawn(Arc::clone(self).find_or_start(cid, root)).await;
        taking.unwrap_or_else(|_| Err(Refusal::upstream()))
    }

    async fn find_or_start(self: Arc<Self>, cid: Cid, root: Cid) -> Result<Taking, Refusal> {
        let answers = Arc::clone(&self.answers).try_acquire_owned();
        let permit = answers.map_err(|_| Refusal::busy())?;
        let mut open = self.open.lock().await;
        if let Some(fetch) = open.find(cid, root) {
            return Ok(Taking::new(&fetch, permit));
        }
        open.make_room(self.fetches_max)?;
        let fetch = Arc::new(self.start(&mut open, root).await?);
        let taking = Taking::new(&fetch, permit);
        let keeping = tokio::spawn(Arc::clone(&self).keep(Arc::clone(&fetch)));
        open.fetches.insert(root, Kept { fetch, keeping });
        Ok(taking)
    }

    async fn start(&self, open: &mut Open, root: Cid) -> Result<Fetch, Refusal> {
        let data = self.data.clone();
        let store = waiting(move || StoreBlocks::open(&data)).await;
        let store = store.map_err(|error| Refusal::store(&error))?;
        let peer = match &open.peer {
            Some(peer) => peer.clone(),
            None => open.peer.insert(self.peer()?).clone(),
        };
        let landing = Arc::new(Landing::new(store, self.bytes_max));
        let share = OpenShare {
            link: ShareLink::public(root),
            // Nothing is sealed: any will do.
            key: ShareKey::new([0; 32]),
            blocks: landing.clone(),
            upload_bytes_per_s: Some(0),
            till: None,
        };
        match peer.open(share).await {
            Ok(share) => Ok(Fetch::new(root, share, landing)),
            // The one before is still being closed.
            Err(PeerError::Open) => Err(Refusal::busy()),
            Err(error) => {
                tracing::warn!("the gateway's peer: {error}");
                open.peer = None;
                Err(Refusal::upstream())
            }
        }
    }

    fn peer(&self) -> Result<Peer, Refusal> {
        let options = Options { server: self.server.clone(), relay_only: false };
        Peer::start(options).map_err(|error| {
            tracing::warn!("the gateway's peer: {error}");
            Refusal::upstream()
        })
    }

    /// Looks after a fetch until nobody wants it any more.
    async fn keep(self: Arc<Self>, mut fetch: Arc<Fetch>) {
        let mut users = fetch.users();
        loop {
            let idle = *users.borrow_and_update() == 0;
            tokio::select! {
                () = fetch.turn() => fetch.look().await,
                // Its sender lives in the fetch.
                _ = users.changed() => {}
                () = tokio::time::sleep(fetch.linger()), if idle => {
                    let Some(taken) = self.close(fetch).await else { return };
                    fetch = taken;
                }
            }
        }
    }

    /// Closes a fetch, or gives it back: somebody took it meanwhile.
    async fn close(&self, fetch: Arc<Fetch>) -> Option<Arc<Fetch>> {
        let mut open = self.open.lock().await;
        if !fetch.is_idle() {
            return Some(fetch);
        }
        open.fetches.remove(&fetch.root());
        // With the lock held: its share is closed before anybody opens it again.
        drop(fetch);
        None
    }
}

impl Open {
    fn find(&self, cid: Cid, root: Cid) -> Option<Arc<Fetch>> {
        let by_name = self.fetches.get(&root);
        let kept = by_name.or_else(|| self.fetches.values().find(|kept| kept.fetch.knows(&cid)))?;
        Some(Arc::clone(&kept.fetch))
    }

    /// Room for one more: what nobody wants now gives way.
    fn make_room(&mut self, fetches_max: usize) -> Result<(), Refusal> {
        if self.fetches.len() < fetches_max {
            return Ok(());
        }
        let idle = self.fetches.iter().find(|(_, kept)| kept.fetch.is_idle());
        let root = idle.map(|(root, _)| *root).ok_or_else(Refusal::busy)?;
        self.fetches.remove(&root);
        Ok(())
    }
}
