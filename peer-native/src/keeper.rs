//! One thread for each share that keeps blocks: those that come together are synced together.

use std::sync::Arc;

use files::{
    Input,
    content::{Block, Candidate, Cid},
};
use primitives::SwarmId;
use tokio::sync::mpsc;

use crate::{
    Blocks,
    pump::{Event, Inbox},
};

/// Bytes kept together, at most: a sync for each, and a while that a crash can lose.
const BATCH_BYTES_MAX: usize = 16 << 20;

/// Where blocks go to be kept. Ends when dropped, after what it took.
///
/// What waits here is bounded by the core: [`files::config::COMING_BYTES_MAX`] counts a block until it is
/// kept.
#[derive(Debug)]
pub(crate) struct Keeper(mpsc::UnboundedSender<Candidate>);

impl Keeper {
    /// Starts the thread. What becomes of each block goes to the share.
    pub(crate) fn start(swarm: SwarmId, blocks: Arc<dyn Blocks>, inbox: Inbox) -> Self {
        let (sender, mut waiting) = mpsc::unbounded_channel();
        tokio::task::spawn_blocking(move || {
            while let Some(first) = waiting.blocking_recv() {
                let batch = fill(first, || waiting.try_recv().ok());
                for (cid, kept) in keep(&*blocks, batch) {
                    let input = if kept { Input::Kept(cid) } else { Input::NotKept(cid) };
                    inbox.put_waiting(Event::Share(swarm, input));
                }
            }
        });
        Self(sender)
    }

    /// Keeps a block, soon.
    pub(crate) fn keep(&self, block: Candidate) {
        // The thread lives as long as this does.
        drop(self.0.send(block));
    }
}

fn fill(first: Candidate, mut next: impl FnMut() -> Option<Candidate>) -> Vec<Candidate> {
    let mut bytes = first.bytes.len();
    let mut batch = vec![first];
    while bytes < BATCH_BYTES_MAX
        && let Some(more) = next()
    {
        bytes += more.bytes.len();
        batch.push(more);
    }
    batch
}

/// Each name, and whether its block is kept now.
fn keep(blocks: &dyn Blocks, batch: Vec<Candidate>) -> Vec<(Cid, bool)> {
    let names: Vec<Cid> = batch.iter().map(|one| one.cid).collect();
    // Hashed once more, next to the disk: what was damaged in between is not kept under that name.
    let whole: Option<Vec<Block>> = batch.into_iter().map(|one| one.verify().ok()).collect();
    let kept = whole.is_some_and(|whole| blocks.keep(&whole));
    names.into_iter().map(|cid| (cid, kept)).collect()
}

#[cfg(test)]
mod tests {
    use files::content::Codec;

    use super::*;

    struct Never;

    impl Blocks for Never {
        fn has(&self, _: &Cid) -> bool {
            false
        }

        fn read(&self, _: &Cid) -> Option<Block> {
            None
        }

        fn keep(&self, _: &[Block]) -> bool {
            true
        }
    }

    fn candidate(bytes: &[u8]) -> Candidate {
        Candidate { cid: Cid::of(Codec::Raw, bytes), bytes: bytes.to_vec() }
    }

    #[test]
    fn blocks_that_come_together_are_kept_together_up_to_a_bound() {
        let large = vec![7; BATCH_BYTES_MAX / 4];
        let batch = fill(candidate(&large), || Some(candidate(&large)));
        assert_eq!(batch.len(), 4);
        assert_eq!(fill(candidate(b"alone"), || None).len(), 1);
    }

    #[test]
    fn what_is_not_the_block_is_not_kept() {
        let (good, mut bad) = (candidate(b"good"), candidate(b"bad"));
        bad.bytes[0] ^= 1;
        assert_eq!(keep(&Never, vec![good.clone()]), [(good.cid, true)]);
        assert_eq!(keep(&Never, vec![bad.clone()]), [(bad.cid, false)]);
    }
}
