//! Questions that only the engine's own threads can answer: certificates, transactions, proofs.

use std::time::Duration;

use commonware_codec::Encode as _;
use commonware_consensus::types::Height;
use commonware_storage::{
    mmr,
    qmdb::sync::{Request, Source as _},
};
use ledger::{Key, Store as _, record_hash};
use tokio::sync::{mpsc, oneshot};

use super::Handle;
use crate::application::{Core, Stores};
use crate::engine::{Final, Runtime};
use crate::header::{Digest, Header};
use crate::transactions::Transactions;

/// Most headers between a block and the certificate that makes it final.
const LINKS_MAX: u64 = 64;
/// Questions that wait for a place among those that wait for the engine.
pub(super) const CROWD_MAX: usize = 512;
/// How long they do: an honest validator that has much to do is not one that keeps answers back.
const PLACE_WITHIN: Duration = Duration::from_secs(1);
/// How often a proof is tried while blocks become final meanwhile.
const TRIES_MAX: usize = 8;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// Too many questions wait, and for too long, or the state moved on each time it was looked at.
    Busy,
    /// No final block has this height yet, or none was made since genesis.
    Unknown,
    /// The block is older than what this validator keeps, which begins with this height.
    Pruned(u64),
    /// The engine does not run.
    Stopped,
}

/// That a header is final: a certificate of it or of a block built on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// Headers from the one asked for to the one that the certificate names, each the parent of the
    /// next.
    pub headers: Vec<Vec<u8>>,
    /// The finalization, encoded.
    pub certificate: Vec<u8>,
}

/// What is under a key after a final block, or that nothing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// Blocks since genesis.
    pub height: u64,
    /// The record; none: it is absent.
    pub record: Option<Vec<u8>>,
    /// The engine's proof, of the key or of its absence, against the first header's state root.
    pub proof: Vec<u8>,
    /// That the block is final.
    pub certified: Certified,
}

impl Certified {
    /// The form that light clients read.
    pub fn to_wire(&self) -> wire::ledger::Finality {
        wire::ledger::Finality::new(self.headers.clone(), self.certificate.clone())
    }
}

impl Proved {
    /// The form that light clients read.
    pub fn to_wire(&self) -> wire::ledger::StateProof {
        wire::ledger::StateProof {
            record: self.record.clone().map(Into::into),
            proof: self.proof.clone().into(),
            finality: self.certified.to_wire(),
        }
    }
}

/// A block as others read it: its header, the certificate of it, and all of it.
pub(crate) type Whole = (Vec<u8>, Vec<u8>, Vec<u8>);

pub(super) enum Question {
    Certificate(u64, oneshot::Sender<Result<Certified, Unanswered>>),
    Transactions(u64, oneshot::Sender<Result<Vec<Vec<u8>>, Unanswered>>),
    Prove(Key, oneshot::Sender<Result<Proved, Unanswered>>),
    Whole(u64, oneshot::Sender<Result<Whole, Unanswered>>),
    Log(Request<mmr::Family>, oneshot::Sender<Result<Vec<u8>, Unanswered>>),
}

impl Handle {
    /// That a block is final.
    ///
    /// # Errors
    /// See [`Unanswered`].
    pub async fn certificate(&self, height: u64) -> Result<Certified, Unanswered> {
        self.ask(|reply| Question::Certificate(height, reply)).await
    }

    /// The transactions of a final block.
    ///
    /// # Errors
    /// See [`Unanswered`].
    pub async fn transactions(&self, height: u64) -> Result<Vec<Vec<u8>>, Unanswered> {
        self.ask(|reply| Question::Transactions(height, reply)).await
    }

    /// What is under a key after the last final block, with its proof.
    ///
    /// # Errors
    /// See [`Unanswered`].
    pub async fn prove(&self, key: Key) -> Result<Proved, Unanswered> {
        self.ask(|reply| Question::Prove(key, reply)).await
    }

    /// A final block that has a certificate of its own.
    pub(crate) async fn whole_block(&self, height: u64) -> Result<Whole, Unanswered> {
        self.ask_patiently(|reply| Question::Whole(height, reply)).await
    }

    /// A part of the store's log, with the proof that it is one.
    pub(crate) async fn log(&self, request: Request<mmr::Family>) -> Result<Vec<u8>, Unanswered> {
        self.ask_patiently(|reply| Question::Log(request, reply)).await
    }

    /// A question of a stranger, who may ask again. Where too many wait, it waits for its place, not for long and
    /// not with everybody.
    async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<Result<T, Unanswered>>) -> Question,
    ) -> Result<T, Unanswered> {
        let (reply, answer) = oneshot::channel();
        match self.questions.try_send(question(reply)) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(Unanswered::Stopped),
            Err(mpsc::error::TrySendError::Full(question)) => {
                // Outside of tokio, as in a simulation, no timer ends a wait: there is none then.
                if tokio::runtime::Handle::try_current().is_err() {
                    return Err(Unanswered::Busy);
                }
                let _waits = self.crowd.try_acquire().map_err(|_| Unanswered::Busy)?;
                let placed = tokio::time::timeout(PLACE_WITHIN, self.questions.send(question));
                let placed = placed.await.map_err(|_| Unanswered::Busy)?;
                placed.map_err(|_| Unanswered::Stopped)?;
            }
        }
        answer.await.map_err(|_| Unanswered::Stopped)?
    }

    /// One of many that are of use only together: it waits for its place.
    async fn ask_patiently<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<Result<T, Unanswered>>) -> Question,
    ) -> Result<T, Unanswered> {
        let (reply, answer) = oneshot::channel();
        self.questions.send(question(reply)).await.map_err(|_| Unanswered::Stopped)?;
        answer.await.map_err(|_| Unanswered::Stopped)?
    }
}

/// Tells what makes the newest block final. A block without a certificate of its own yet is covered
/// by that of the next.
pub(super) async fn announce(core: &Core, blocks: &Final) {
    let height = *core.height.borrow();
    if let Ok(certified) = certificate(height, core, blocks).await {
        core.finality.send_replace(certified.to_wire().to_bytes().into());
    }
}

/// Answers one question. Whoever asked may be gone.
pub(super) async fn answer<E: Runtime>(
    question: Question,
    core: &Core,
    blocks: &Final,
    stores: &Stores<E>,
) {
    match question {
        Question::Certificate(height, reply) => {
            let _ = reply.send(certificate(height, core, blocks).await);
        }
        Question::Transactions(height, reply) => {
            let known = height <= *core.height.borrow();
            let block = if known { blocks.get_block(Height::new(height)).await } else { None };
            let list = |batch: &Transactions| batch.iter().map(<[u8]>::to_vec).collect();
            let transactions = block.map(|block| list(&block.inner().transactions));
            let _ = reply.send(transactions.ok_or_else(|| absent(height, core)));
        }
        Question::Whole(height, reply) => {
            let _ = reply.send(whole(height, blocks).await.ok_or_else(|| absent(height, core)));
        }
        Question::Log(request, reply) => {
            let _ = reply.send(log(request, stores).await);
        }
        Question::Prove(key, reply) => {
            let _ = reply.send(prove(&key, core, blocks, stores).await);
        }
    }
}

async fn certificate(height: u64, core: &Core, blocks: &Final) -> Result<Certified, Unanswered> {
    let mut headers = Vec::new();
    for at in height..=height.saturating_add(LINKS_MAX) {
        let found = core.state.records().header(at).map_err(|_| Unanswered::Stopped)?;
        headers.push(found.filter(|_| at > 0).ok_or_else(|| absent(at, core))?);
        if let Some(finalization) = blocks.get_finalization(Height::new(at)).await {
            return Ok(Certified { headers, certificate: finalization.encode().to_vec() });
        }
    }
    Err(Unanswered::Unknown)
}

/// Why there is nothing of a block.
fn absent(height: u64, core: &Core) -> Unanswered {
    match core.state.records().since() {
        Ok(since) if height < since => Unanswered::Pruned(since),
        Ok(_) => Unanswered::Unknown,
        Err(_) => Unanswered::Stopped,
    }
}

async fn whole(height: u64, blocks: &Final) -> Option<Whole> {
    let found = blocks.get_finalization(Height::new(height)).await?;
    let block = blocks.get_block(Height::new(height)).await?;
    let block = block.inner();
    let header = block.header.encode().to_vec();
    Some((header, found.encode().to_vec(), block.encode().to_vec()))
}

pub(crate) async fn log<E: Runtime>(
    request: Request<mmr::Family>,
    stores: &Stores<E>,
) -> Result<Vec<u8>, Unanswered> {
    let store = stores.read().await;
    match store.serve(request).await {
        Ok((response, _)) => Ok(response.encode().to_vec()),
        Err(error) => {
            // It was cut meanwhile.
            tracing::warn!("no part of the store's log: {error}");
            Err(Unanswered::Busy)
        }
    }
}

pub(super) async fn prove<E: Runtime>(
    key: &Key,
    core: &Core,
    blocks: &Final,
    stores: &Stores<E>,
) -> Result<Proved, Unanswered> {
    let mut heights = core.height.subscribe();
    for _ in 0..TRIES_MAX {
        heights.mark_unchanged();
        let (root, hash, proof) = lookup(key, stores).await?;
        let header = core.state.header_of(&root);
        match header.and_then(|header| Some((record(key, &header, core)?, header))) {
            Some((record, header)) if record.as_deref().map(hash_of) == hash => {
                let height = header.height.get();
                let certified = certificate(height, core, blocks).await?;
                return Ok(Proved { height, record, proof, certified });
            }
            // The block of this state is no longer the last one on disk: the store has the next in a moment.
            _ => heights.changed().await.map_err(|_| Unanswered::Stopped)?,
        }
    }
    Err(Unanswered::Busy)
}

fn hash_of(record: &[u8]) -> [u8; 32] {
    *record_hash(record).as_bytes()
}

/// The record as it was after a block. `None`: that state is gone.
fn record(key: &Key, header: &Header, core: &Core) -> Option<Option<Vec<u8>>> {
    Some(core.state.after(&header.digest()).ok()??.get(key))
}

pub(crate) type Found = (Digest, Option<[u8; 32]>, Vec<u8>);

/// Root, value and proof of one state: under one lock.
pub(crate) async fn lookup<E: Runtime>(key: &Key, stores: &Stores<E>) -> Result<Found, Unanswered> {
    let name = Digest::from(*key.hash().as_bytes());
    let store = stores.read().await;
    let failed = |error| {
        tracing::error!("no proof: {error}");
        Unanswered::Stopped
    };
    let root = store.root();
    let (value, proof) = match store.get(&name).await.map_err(failed)? {
        Some(value) => {
            let value = <[u8; 32]>::try_from(value.as_ref()).map_err(|_| Unanswered::Stopped)?;
            (Some(value), store.key_value_proof(name).await.map_err(failed)?.encode().to_vec())
        }
        None => (None, store.exclusion_proof(&name).await.map_err(failed)?.encode().to_vec()),
    };
    Ok((root, value, proof))
}
