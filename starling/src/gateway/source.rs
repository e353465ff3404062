//! Where the blocks of one answer come from: the store, and for what it lacks the swarm.

use std::sync::Arc;

use ::content::{
    Block, Cid,
    read::{PathEnd, PathReader},
};
use tokio::time::timeout;

use super::refusal::Refusal;
use super::request::Asked;
use super::swarm::{Swarm, Taking};
use super::{Gateway, Way};
use crate::content::{ContentError, block};
use crate::waiting::waiting;

/// Blocks asked of peers for one answer at a time.
pub(super) const AHEAD: usize = 16;

/// The blocks of one answer.
#[derive(Debug)]
pub(super) struct Source {
    gateway: Arc<Gateway>,
    root: Cid,
    /// None: what is not here is missing.
    swarm: Option<Arc<Swarm>>,
    /// Something was missing, and is fetched until the answer ends.
    taking: Option<Taking>,
}

impl Source {
    pub(super) fn new(gateway: &Arc<Gateway>, asked: &Asked) -> Self {
        let swarm = gateway.swarm.clone().filter(|_| !asked.only_if_cached);
        Self { gateway: Arc::clone(gateway), root: asked.root, swarm, taking: None }
    }

    /// Follows the path that was asked for.
    pub(super) async fn way(&mut self, asked: &Asked) -> Result<Way, Refusal> {
        self.follow(asked.root, asked.names.iter().map(String::as_str)).await
    }

    /// Follows a path.
    pub(super) async fn follow<'a>(
        &mut self,
        root: Cid,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<Way, Refusal> {
        let mut reader = PathReader::new(root, names).map_err(|error| Refusal::bad(&error))?;
        let mut above = Vec::new();
        while let Some(cid) = reader.wanted() {
            let block = self.block(cid, &[cid]).await?;
            reader
                .put(&block.clone().into_opened())
                .map_err(|error| Refusal::unreadable(&error))?;
            above.push(block);
        }
        match reader.end() {
            Some(PathEnd::Found(cid)) => Ok(Way { above, end: self.block(cid, &[cid]).await? }),
            _ => Err(Refusal::absent()),
        }
    }

    /// The first of these, verified; none: nothing is wanted any more. The others are read after it: peers
    /// are asked for them too, if it is to come from peers.
    pub(super) async fn next(&mut self, wanted: &[Cid]) -> Result<Option<Block>, Refusal> {
        let Some(cid) = wanted.first().copied() else { return Ok(None) };
        self.block(cid, wanted).await.map(Some)
    }

    async fn block(&mut self, cid: Cid, wanted: &[Cid]) -> Result<Block, Refusal> {
        match self.stored(cid).await {
            Err(ContentError::Missing(_)) => {}
            found => return Ok(found?),
        }
        let Some(swarm) = self.swarm.clone() else {
            return Err(ContentError::Missing(cid).into());
        };
        let found = timeout(swarm.wait(), self.fetched(&swarm, cid, wanted)).await;
        found.unwrap_or_else(|_| {
            self.taking.iter().for_each(Taking::note_late);
            Err(Refusal::late(cid))
        })
    }

    /// A block that peers have, once the store has it.
    async fn fetched(
        &mut self,
        swarm: &Arc<Swarm>,
        cid: Cid,
        wanted: &[Cid],
    ) -> Result<Block, Refusal> {
        if self.taking.is_none() {
            self.taking = Some(swarm.take(cid, self.root).await?);
        }
        let taking = self.taking.as_ref().expect("it was taken a line above");
        let mut came = taking.came();
        loop {
            // Marked as seen before the store is asked: what comes after that is not missed.
            let ended = came.borrow_and_update().ended;
            match self.stored(cid).await {
                Err(ContentError::Missing(_)) => {}
                found => return Ok(found?),
            }
            if let Some(ended) = ended {
                return Err(ended.into());
            }
            taking.want(wanted).await;
            if came.changed().await.is_err() {
                return Err(Refusal::upstream());
            }
        }
    }

    /// A block of the store, verified, read on a thread that may wait.
    async fn stored(&self, cid: Cid) -> Result<Block, ContentError> {
        let gateway = Arc::clone(&self.gateway);
        waiting(move || block(&gateway.store, cid)).await
    }
}
