//! Blocks from gateways into the store: every one checked, nothing fetched twice.
//!
//! Sources are tried in the order given. One that sends other bytes than a block's name says is named
//! and not asked again; one that can't be reached is asked a few times. Blocks are committed as they
//! come, so who is killed goes on where it was.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::content::{
    Block, Cid, Node, decode,
    limits::READ_AHEAD_BLOCKS_MAX,
    read::{ReadError, WalkReader},
    store::BlockStore as _,
};
use tokio::task::JoinSet;

use super::{ContentError, FileStore, Opening, Progress};

pub use source::{Gateways, SourceError};

/// Blocks held at once: asked for, and come before their turn.
const HELD_MAX: usize = 2 * READ_AHEAD_BLOCKS_MAX;

/// What was fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Blocks that came from gateways.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blocks that were here already.
    pub here: u64,
}

/// Fetches every block below `root` that the store lacks. Call it on a thread that may wait, inside a
/// tokio runtime.
///
/// # Errors
/// No gateway gives a block, there is more than `limit_bytes`, the graph is refused or the store can't
/// be written. What came before stays in the store.
pub fn fetch(
    root: Cid,
    opening: &Opening,
    limit_bytes: u64,
    gateways: &Arc<Gateways>,
    store: &mut FileStore,
    progress: Progress<'_>,
) -> Result<Fetched, ContentError> {
    let fetching = Fetching {
        walk: WalkReader::new(root),
        opening,
        // Link nodes are a part of a thousand; folders of many small files are more.
        limit_bytes: limit_bytes.saturating_add(limit_bytes / 8).saturating_add(16 << 20),
        gateways,
        store,
        progress,
        ready: BTreeMap::new(),
        asked: BTreeSet::new(),
        done_bytes: 0,
        total_bytes: 0,
        fetched: Fetched::default(),
    };
    tokio::runtime::Handle::current().block_on(fetching.run())
}

struct Fetching<'f> {
    walk: WalkReader,
    opening: &'f Opening,
    limit_bytes: u64,
    gateways: &'f Arc<Gateways>,
    store: &'f mut FileStore,
    progress: Progress<'f>,
    /// Came before their turn.
    ready: BTreeMap<Cid, Block>,
    asked: BTreeSet<Cid>,
    done_bytes: u64,
    total_bytes: u64,
    fetched: Fetched,
}

type UnderWay = JoinSet<(Cid, Result<Block, SourceError>)>;

impl Fetching<'_> {
    async fn run(mut self) -> Result<Fetched, ContentError> {
        let mut under_way = UnderWay::new();
        let outcome = self.all(&mut under_way).await;
        // Also what came before an error: it was verified.
        self.store.commit()?;
        outcome.map(|()| self.fetched)
    }

    async fn all(&mut self, under_way: &mut UnderWay) -> Result<(), ContentError> {
        loop {
            self.take()?;
            if self.walk.is_done() {
                return Ok(());
            }
            self.ask(under_way)?;
            let Some(mut came) = under_way.join_next().await else { return Ok(()) };
            loop {
                let (cid, result) =
                    came.unwrap_or_else(|e| std::panic::resume_unwind(e.into_panic()));
                self.asked.remove(&cid);
                let block = result.map_err(ContentError::Source)?;
                self.store.put(&block)?;
                self.fetched.blocks += 1;
                self.fetched.bytes += length(block.bytes());
                self.ready.insert(cid, block);
                match under_way.try_join_next() {
                    Some(next) => came = next,
                    None => break,
                }
            }
            // A slow line commits every block, a fast one as many as come together.
            self.store.commit()?;
        }
    }

    /// Takes what is here, in order.
    fn take(&mut self) -> Result<(), ContentError> {
        while let Some(cid) = self.walk.wanted(1).first().copied() {
            let block = match self.ready.remove(&cid) {
                Some(block) => block,
                None => match self.local(&cid)? {
                    Some(block) => {
                        self.fetched.here += 1;
                        block
                    }
                    None => return Ok(()),
                },
            };
            self.done_bytes += length(block.bytes());
            if self.done_bytes > self.limit_bytes {
                let (bytes, limit) = (self.done_bytes, self.limit_bytes);
                return Err(ReadError::TooLarge { bytes, limit }.into());
            }
            let opened = self.opening.open(block)?;
            if self.total_bytes == 0 {
                self.total_bytes = expected(&opened);
            }
            self.walk.put(&opened)?;
            (self.progress)(self.done_bytes, self.total_bytes.max(self.done_bytes));
        }
        Ok(())
    }

    /// A block of the store; a damaged one is removed and fetched again.
    fn local(&mut self, cid: &Cid) -> Result<Option<Block>, ContentError> {
        let Some(candidate) = self.store.get(cid)? else { return Ok(None) };
        if let Ok(block) = candidate.verify() {
            return Ok(Some(block));
        }
        self.store.discard(cid)?;
        Ok(None)
    }

    /// Asks for what is needed next.
    fn ask(&mut self, under_way: &mut UnderWay) -> Result<(), ContentError> {
        for (place, cid) in self.walk.wanted(READ_AHEAD_BLOCKS_MAX).into_iter().enumerate() {
            let full = self.ready.len() + self.asked.len() >= HELD_MAX;
            let known = self.asked.contains(&cid) || self.ready.contains_key(&cid);
            // What is next is asked for in any case: it was looked for in the store already.
            if known || (place > 0 && (full || self.store.has(&cid)?)) {
                continue;
            }
            self.asked.insert(cid);
            let gateways = Arc::clone(self.gateways);
            under_way.spawn(async move { (cid, gateways.block(cid).await) });
        }
        Ok(())
    }
}

/// Bytes to come, as the root says.
fn expected(root: &::content::Opened) -> u64 {
    match decode(root.codec(), root.bytes()) {
        Ok(Node::File { size_bytes, .. }) => size_bytes,
        Ok(Node::Folder(links)) => links.iter().map(|link| link.tree_bytes).sum(),
        Ok(Node::Shard(links)) => links.iter().map(|link| link.tree_bytes).sum(),
        Ok(Node::Symlink(_)) | Err(_) => 0,
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
