//! What a validator without others had signed before it was killed.
//!
//! After a start the engine reads its votes from the disk, so that it says nothing else, but counts only what comes in:
//! it expects that others have gone on meanwhile, or that the view runs out of time. One without others would stand
//! still for that long, two heartbeats and more. So each vote that the engine tells of at its start comes to it once
//! more as a message, as from a line to itself, until something of its view or a later one is final. Nothing is signed
//! for it, and it is checked as any other.
//!
//! A vote for a block is on the disk before the block is; a vote that makes it final comes after both. A block that was
//! lost between these is refused, since nobody else has it either: the view ends, and the next block is another.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use commonware_actor::Feedback;
use commonware_codec::Encode as _;
use commonware_consensus::{
    Reporter, Viewable as _,
    simplex::types::{Activity, Vote},
};
use commonware_p2p::{Message, Receiver};
use commonware_runtime::Clock;
use tokio::sync::watch;

use crate::engine::Final;
use crate::header::{Digest, PublicKey, Scheme};

/// Votes that are told once more; those before are of views that are over.
const VOTES_MAX: usize = 64;
/// How often one of them is told: the engine hears none before it has read all of its disk, and does not say when.
const AGAIN: Duration = Duration::from_millis(20);

type Own = Vote<Scheme, Digest>;

/// A validator's own votes from before its start, of views of which nothing is final. Clones share them.
#[derive(Clone)]
pub(crate) struct Recall {
    votes: Arc<watch::Sender<VecDeque<Own>>>,
    has_begun: Arc<AtomicBool>,
    blocks: Final,
}

impl Recall {
    pub(crate) fn new(blocks: Final) -> Self {
        Self { votes: Arc::default(), has_begun: Arc::default(), blocks }
    }

    fn add(&self, vote: Own) {
        if self.has_begun.load(Ordering::Relaxed) {
            return;
        }
        self.votes.send_modify(|votes| {
            if votes.len() == VOTES_MAX {
                votes.pop_front();
            }
            votes.push_back(vote);
        });
    }

    /// From here on the engine asks for something: what it signs now is none of this.
    pub(crate) fn begin(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    /// Whether this one voted for a block before it was started, and does not have it any more.
    pub(crate) async fn has_lost(&self, block: Digest) -> bool {
        let is_own =
            |vote: &Own| matches!(vote, Vote::Notarize(it) if it.proposal.payload == block);
        let is_known = self.votes.borrow().iter().any(is_own);
        is_known && self.blocks.get_block(&block).await.is_none()
    }
}

impl Reporter for Recall {
    type Activity = Activity<Scheme, Digest>;

    /// Of single votes the engine tells when it reads them from its disk, and when it signs others or they come in.
    fn report(&mut self, activity: Self::Activity) -> Feedback {
        match activity {
            Activity::Notarize(vote) => self.add(Vote::Notarize(vote)),
            Activity::Nullify(vote) => self.add(Vote::Nullify(vote)),
            Activity::Finalize(vote) => self.add(Vote::Finalize(vote)),
            Activity::Finalization(found) => {
                self.votes.send_modify(|votes| votes.retain(|vote| vote.view() > found.view()));
            }
            _ => {}
        }
        Feedback::Ok
    }
}

/// The channel of votes, with those of its own.
pub(crate) struct Recalled<R, C> {
    lines: R,
    /// None: there are others.
    own: Option<OwnLine<C>>,
}

struct OwnLine<C> {
    me: PublicKey,
    clock: C,
    votes: watch::Receiver<VecDeque<Own>>,
    told: usize,
}

impl<R, C> Recalled<R, C> {
    pub(crate) fn new(lines: R, me: PublicKey, clock: C, recall: Option<&Recall>) -> Self {
        let votes = recall.map(|recall| recall.votes.subscribe());
        Self { lines, own: votes.map(|votes| OwnLine { me, clock, votes, told: 0 }) }
    }
}

impl<C: Clock> OwnLine<C> {
    /// Each in its turn. Nothing is lost when this is not waited for to its end.
    async fn next(&mut self) -> Message<PublicKey> {
        loop {
            if self.votes.wait_for(|votes| !votes.is_empty()).await.is_err() {
                // Who tells of votes is gone, with the engine.
                return std::future::pending().await;
            }
            self.clock.sleep(AGAIN).await;
            let votes = self.votes.borrow();
            if let Some(at) = self.told.checked_rem(votes.len()) {
                self.told = at + 1;
                return (self.me.clone(), votes[at].encode().into());
            }
        }
    }
}

impl<R: fmt::Debug, C> fmt::Debug for Recalled<R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recalled").field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl<R: Receiver<PublicKey = PublicKey>, C: Clock> Receiver for Recalled<R, C> {
    type Error = R::Error;
    type PublicKey = PublicKey;

    async fn recv(&mut self) -> Result<Message<PublicKey>, R::Error> {
        let Some(own) = &mut self.own else { return self.lines.recv().await };
        // In this order, so that a simulation of a seed is always the same one.
        tokio::select! {
            biased;
            message = self.lines.recv() => message,
            message = own.next() => Ok(message),
        }
    }

    fn capacity(&self) -> NonZeroUsize {
        self.lines.capacity()
    }
}
