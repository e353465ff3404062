//! One content that is being fetched, and who waits for it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::content::{Block, Cid, Codec, Node, decode};
use peer_native::{Blocks, Failure, Share, Stage};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::super::refusal::Refusal;
use crate::share::StoreBlocks;

/// How long a fetch that gave something stays open after its last answer: who asks block by block, each by
/// its own name, finds it again.
const LINGER: Duration = Duration::from_secs(60);
/// Links remembered of one fetch: of 4 GiB in 256 KiB, and every name a share may have.
const LINKS_MAX: usize = 131_072;

/// One content that is being fetched. It ends with the last who holds it.
#[derive(Debug)]
pub(super) struct Fetch {
    root: Cid,
    share: Share,
    landing: Arc<Landing>,
    users: watch::Sender<usize>,
}

/// What came of a fetch.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Came {
    /// Times that blocks came.
    times: u64,
    /// Nothing more comes, and why.
    pub(in super::super) ended: Option<Ended>,
    /// Somebody waited in vain.
    late: bool,
}

/// Why nothing more comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Ended {
    /// Peers have it, and it can't be read.
    Refused(Failure),
    /// It has more bytes than are fetched.
    TooLarge,
    /// The store takes nothing more.
    Full,
    /// The peer has ended.
    Gone,
}

impl From<Ended> for Refusal {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::TooLarge | Ended::Refused(Failure::TooLarge) => Self::too_large(),
            Ended::Refused(_) => Self::layout(),
            Ended::Full => Self::full(),
            Ended::Gone => Self::upstream(),
        }
    }
}

impl Fetch {
    pub(super) fn new(root: Cid, share: Share, landing: Arc<Landing>) -> Self {
        Self { root, share, landing, users: watch::Sender::new(0) }
    }

    pub(super) const fn root(&self) -> Cid {
        self.root
    }

    /// Whether a block that came links to this one.
    pub(super) fn knows(&self, cid: &Cid) -> bool {
        lock(&self.landing.links).contains(cid)
    }

    /// Answers that wait for it.
    pub(super) fn users(&self) -> watch::Receiver<usize> {
        self.users.subscribe()
    }

    pub(super) fn is_idle(&self) -> bool {
        *self.users.borrow() == 0
    }

    /// How long it stays open when nobody wants it.
    pub(super) fn linger(&self) -> Duration {
        let came = *self.landing.came.borrow();
        if came.times > 0 && came.ended.is_none() && !came.late { LINGER } else { Duration::ZERO }
    }

    /// Waits until its names and sizes are known, or it can't be had.
    pub(super) async fn turn(&self) {
        self.share.turn().await;
    }

    /// Tells who waits if it can't be had.
    pub(super) async fn look(&self) {
        match self.share.status().await {
            Err(_) => self.landing.end(Ended::Gone),
            Ok(status) => match status.share.stage {
                Stage::Failed(failure) => self.landing.end(Ended::Refused(failure)),
                _ if status.share.total_bytes > self.landing.bytes_max => {
                    self.landing.end(Ended::TooLarge);
                }
                _ => {}
            },
        }
    }
}

/// An answer's hold on a fetch.
#[derive(Debug)]
pub(in super::super) struct Taking {
    fetch: Arc<Fetch>,
    _permit: OwnedSemaphorePermit,
}

impl Taking {
    pub(super) fn new(fetch: &Arc<Fetch>, permit: OwnedSemaphorePermit) -> Self {
        fetch.users.send_modify(|users| *users += 1);
        Self { fetch: Arc::clone(fetch), _permit: permit }
    }

    /// Asks peers for these, the first most.
    pub(in super::super) async fn want(&self, wanted: &[Cid]) {
        self.fetch.share.want(wanted.to_vec()).await;
    }

    /// What came of it so far, and comes from now on.
    pub(in super::super) fn came(&self) -> watch::Receiver<Came> {
        self.fetch.landing.came.subscribe()
    }

    /// Its block did not come in time.
    pub(in super::super) fn note_late(&self) {
        self.fetch.landing.came.send_modify(|came| came.late = true);
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        self.fetch.users.send_modify(|users| *users -= 1);
    }
}

/// The store, and a bell for those who wait for what comes into it.
#[derive(Debug)]
pub(super) struct Landing {
    store: StoreBlocks,
    bytes_max: u64,
    came: watch::Sender<Came>,
    /// What blocks that came link to. Who reads a block may ask for these next, by their names alone.
    links: Mutex<BTreeSet<Cid>>,
}

impl Landing {
    pub(super) fn new(store: StoreBlocks, bytes_max: u64) -> Self {
        let came = watch::Sender::new(Came::default());
        Self { store, bytes_max, came, links: Mutex::default() }
    }

    fn note(&self, block: &Block) {
        if block.cid().codec() == Codec::Raw {
            return;
        }
        // What can't be read links to nothing.
        let below: Vec<Cid> = match decode(block.cid().codec(), block.bytes()) {
            Ok(Node::File { children, .. }) => children.iter().map(|child| child.cid).collect(),
            Ok(Node::Folder(links)) => links.iter().map(|link| link.cid).collect(),
            Ok(Node::Shard(links)) => links.iter().map(|link| link.cid).collect(),
            Ok(Node::Symlink(_)) | Err(_) => Vec::new(),
        };
        let mut links = lock(&self.links);
        let room = LINKS_MAX.saturating_sub(links.len());
        links.extend(below.into_iter().take(room));
    }

    fn end(&self, why: Ended) {
        self.came.send_modify(|came| came.ended = Some(came.ended.unwrap_or(why)));
    }
}

impl Blocks for Landing {
    fn has(&self, cid: &Cid) -> bool {
        self.store.has(cid)
    }

    fn read(&self, cid: &Cid) -> Option<Block> {
        let block = self.store.read(cid);
        block.iter().for_each(|block| self.note(block));
        block
    }

    fn keep(&self, blocks: &[Block]) -> bool {
        // Before they can be read: who asks for what they link to is not taken for a stranger.
        blocks.iter().for_each(|block| self.note(block));
        let more = blocks.iter().filter_map(|block| u64::try_from(block.bytes().len()).ok());
        if self.store.counts().kept_bytes.saturating_add(more.sum::<u64>()) > self.bytes_max {
            self.end(Ended::TooLarge);
            return false;
        }
        let kept = self.store.keep(blocks);
        if let Some(trouble) = self.store.take_trouble() {
            tracing::warn!("gateway: {trouble}");
        }
        if kept {
            self.came.send_modify(|came| came.times += 1);
        } else {
            self.end(Ended::Full);
        }
        kept
    }
}

/// A panic in another thread leaves whole values behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
