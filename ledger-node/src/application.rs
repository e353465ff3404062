//! Blocks as the engine asks for them: built, executed, final.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use commonware_codec::Encode as _;
use commonware_consensus::{Heightable as _, marshal::ancestry::Ancestry, types::Height};
use commonware_cryptography::{Digestible as _, sha256::Digest};
use commonware_glue::stateful::{
    Application, Finality, Input, Proposed,
    db::{DatabaseSet, Merkleized as _, Unmerkleized as _},
};
use commonware_parallel::Rayon;
use commonware_runtime::{Clock, Spawner};
use commonware_storage::{
    Context as Storage, merkle::Location, mmr, qmdb::current::ordered::fixed::Db,
    qmdb::sync::Target, translator::EightCap,
};
use commonware_utils::{non_empty_range, sequence::FixedBytes};
use futures_util::StreamExt as _;
use ledger::{AccountId, BlockRun, ChainId, Changes, Checked, domains::accounts, record_hash};
use primitives::Hash;
use tokio::sync::{Notify, watch};

use crate::block::{Block, body_root};
use crate::header::{CHUNK_BYTES, Context, Header, Scheme};
use crate::mempool::{Filled, Mempool, Unwanted};
use crate::network::Members;
use crate::records::Snapshot;
use crate::state::{Executed, State, View};
use crate::succession::Named;
use crate::upgrade::Upgrades;

/// The authenticated store: SHA-256 of a key to SHA-256 of its record.
pub(crate) type Store<E> = Db<
    mmr::Family,
    E,
    Digest,
    FixedBytes<32>,
    commonware_cryptography::Sha256,
    EightCap,
    CHUNK_BYTES,
    Rayon,
>;
pub(crate) type Stores<E> = commonware_glue::stateful::db::Shared<Store<E>>;
type Batch<E> = <Stores<E> as DatabaseSet<E>>::Unmerkleized;
type Sealed<E> = <Stores<E> as DatabaseSet<E>>::Merkleized;

/// How far ahead of the local clock a block may say it is, in milliseconds. A validator whose clock
/// is further off votes against blocks and follows what the others make final.
pub(crate) const AHEAD_MS_MAX: u64 = 60_000;

/// What a validator knows: shared by the engine, the network and the HTTP server.
#[derive(Debug, Clone)]
pub(crate) struct Core {
    pub(crate) chain: ChainId,
    upgrades: Arc<Upgrades>,
    /// Which blocks name the validators of the next.
    pub(crate) named: Named,
    /// The last block of this validator's set; none: nobody takes over.
    ends: Option<u64>,
    pub(crate) state: State,
    mempool: Arc<Mutex<Mempool>>,
    /// Counts what came to be put into a block. Whoever waits for it looks from a count on, so that none is missed and
    /// no other who waits, for a block that nobody wants any more, takes the news.
    pub(crate) arrived: Arc<watch::Sender<u64>>,
    /// Height of the last final block.
    pub(crate) height: Arc<watch::Sender<u64>>,
    /// What makes the newest block final, encoded; empty before the first.
    pub(crate) finality: Arc<watch::Sender<Bytes>>,
    /// Something waits that other validators are to be told: one task does.
    pub(crate) untold: Arc<Notify>,
    /// Whether it takes part in agreement: not while it only listens (`memory.rs`).
    pub(crate) voting: Arc<AtomicBool>,
}

impl Core {
    pub(crate) fn new(members: &Members, state: State, height: u64) -> Self {
        let (chain, upgrades) = (members.genesis.chain(), members.upgrades.clone());
        let (mempool, arrived) = (Arc::default(), Arc::new(watch::Sender::new(0)));
        let (height, finality) = (watch::Sender::new(height), watch::Sender::new(Bytes::new()));
        Self {
            chain,
            upgrades: Arc::new(upgrades),
            named: members.eras.named(),
            ends: members.ends(),
            state,
            mempool,
            arrived,
            height: Arc::new(height),
            finality: Arc::new(finality),
            untold: Arc::default(),
            voting: Arc::default(),
        }
    }

    pub(crate) fn mempool(&self) -> MutexGuard<'_, Mempool> {
        // Nothing panics while it is held but storage, after which the validator stops anyway.
        self.mempool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a transaction whose signatures were checked: it waits for a block.
    pub(crate) fn take(&self, checked: Checked) -> Result<(), Unwanted> {
        self.take_with(checked, |_, _| {})
    }

    /// The same of one that no other validator has: they are told.
    pub(crate) fn take_first(&self, checked: Checked) -> Result<(), Unwanted> {
        self.take_with(checked, Mempool::tell)?;
        self.untold.notify_one();
        Ok(())
    }

    fn take_with(
        &self,
        checked: Checked,
        then: impl FnOnce(&mut Mempool, Hash),
    ) -> Result<(), Unwanted> {
        let mut mempool = self.mempool();
        // Looked at under the lock: what a block changes after this is settled after this.
        let hash = mempool.insert(&*self.latest(), checked)?;
        then(&mut mempool, hash);
        drop(mempool);
        self.arrived.send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }

    /// The next number of an account, those that wait counted.
    pub(crate) fn next_number(&self, account: AccountId) -> u64 {
        let mempool = self.mempool();
        // Under the lock, as above.
        mempool.missing(account, accounts::nonce(&*self.latest(), account))
    }

    /// Whether the last block of this validator's set is final: others make the next ones.
    pub(crate) fn is_over(&self) -> bool {
        self.ends.is_some_and(|last| *self.height.borrow() >= last)
    }

    /// The final state.
    pub(crate) fn latest(&self) -> Arc<Snapshot> {
        self.state.records().snapshot().expect("the ledger's records can be read")
    }

    fn view(&self, block: &Digest) -> Option<View> {
        self.state.after(block).expect("the ledger's records can be read")
    }

    /// The next block on a state, by what holds from it on. `None`: it is not the next.
    fn begin<'a>(&self, view: &'a View, height: u64, time_ms: u64) -> Option<BlockRun<'a>> {
        let mut run = BlockRun::begin(view, height, time_ms).ok()?;
        self.upgrades.begin(height, &mut run)?;
        self.named.begin(height, &mut run);
        Some(run)
    }

    /// A block's transactions, their signatures checked now or when they came; `None`: one is none.
    fn open(&self, block: &Block) -> Option<Vec<Arc<Checked>>> {
        let known = |bytes: &[u8]| self.mempool().checked(bytes);
        let known: Vec<_> = block.transactions.iter().map(known).collect();
        let unknown = block.transactions.iter().zip(&known).filter(|(_, known)| known.is_none());
        let mut opened = Checked::open_all(unknown.map(|(bytes, _)| bytes), self.chain).into_iter();
        let each = known.into_iter().map(|known| match known {
            Some(checked) => Some(checked),
            None => opened.next()?.ok().map(Arc::new),
        });
        each.collect()
    }

    /// What a block of others changes; `None`: it is no block on its parent.
    fn run(&self, block: &Block) -> Option<Arc<Changes>> {
        let known = self.state.changes(&block.header).expect("the ledger's records can be read");
        if known.is_some() {
            return known;
        }
        let view = self.view(&block.header.parent)?;
        let (height, time_ms) = (block.header.height.get(), block.header.time_ms);
        let mut run = self.begin(&view, height, time_ms)?;
        let mut signers = BTreeSet::new();
        for checked in self.open(block)? {
            run.push(&checked).ok()?;
            signers.insert(checked.transaction().body.signer);
        }
        let applied = run.finish();
        let changes = Arc::new(applied.changes);
        let header = block.header.clone();
        let receipts = applied.receipts;
        self.state.add(Executed { header, changes: changes.clone(), receipts, signers });
        Some(changes)
    }
}

/// The engine's view of a [`Core`].
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) core: Core,
    pub(crate) genesis: Block,
    /// Records of block 0, which block 1 puts into the authenticated store.
    pub(crate) first: Arc<Changes>,
    /// How long after its parent a block waits for its first transaction.
    pub(crate) heartbeat: Duration,
    /// How far ahead of the runtime's clock this validator's is, in milliseconds: none, but where one
    /// runtime's clock is everybody's.
    pub(crate) ahead_ms: i64,
}

/// Writes a block's changes into the authenticated store's batch and computes its roots.
pub(crate) async fn seal<E: Spawner + Storage>(
    batch: Batch<E>,
    first: Option<&Changes>,
    changes: &Changes,
) -> Sealed<E> {
    let mut batch = batch;
    for (key, record) in first.into_iter().flatten().chain(changes) {
        let value = record.as_ref().map(|one| FixedBytes::new(*record_hash(one).as_bytes()));
        batch = batch.write(Digest::from(*key.hash().as_bytes()), value);
    }
    // Nothing but storage can fail here, and a validator without storage must stop.
    batch.merkleize().await.expect("the authenticated store works")
}

/// Nothing of a block that is not one here. What is final nevertheless is told: the engine stops at it.
fn differs<T>(block: &Block, finality: Finality) -> Option<T> {
    if finality == Finality::Finalized {
        tracing::error!(
            "block {} is final and does something else here: this program, or the upgrades and successions in \
             its network's file, are not those of the other validators; it can't go on until they are",
            block.height().get()
        );
    }
    None
}

impl App {
    fn now_ms(&self, clock: &impl Clock) -> u64 {
        let since = clock.current().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let runtime_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        runtime_ms.saturating_add_signed(self.ahead_ms)
    }

    fn first(&self, height: Height) -> Option<&Changes> {
        (height.get() == 1).then_some(&*self.first)
    }

    /// How long the next block on a parent may wait for its first transaction: until a heartbeat has passed since the
    /// parent by this validator's clock. After a stop that was longer it need not wait.
    pub(crate) fn left(&self, clock: &impl Clock, parent: &Digest) -> Duration {
        let view = self.core.view(parent);
        let tip = view.as_ref().and_then(|view| ledger::tip(view));
        let age_ms = tip.map_or(0, |tip| self.now_ms(clock).saturating_sub(tip.time_ms));
        self.heartbeat.saturating_sub(Duration::from_millis(age_ms))
    }

    /// Whether the next block on a parent need not wait at all.
    pub(crate) fn is_due(&self, clock: &impl Clock, parent: &Digest) -> bool {
        let core = &self.core;
        // What is agreed on and not final, for which a vote may have been late, is final with the next block at the
        // latest: with transactions in it, that is made at once, though it may be empty.
        if core.state.is_unsettled(parent) {
            return true;
        }
        // Where the state is not known yet, the engine finds it first.
        let Some(view) = core.view(parent) else { return true };
        let Some(tip) = ledger::tip(&view) else { return true };
        // The last block of an epoch is proposed again, until it is final.
        if core.ends == Some(tip.height) {
            return true;
        }
        let time_ms = self.now_ms(clock).max(tip.time_ms);
        let run = core.begin(&view, tip.height.saturating_add(1), time_ms);
        run.is_none_or(|mut run| core.mempool().fits(&mut run))
    }

    /// What waits, as a block on this parent. Without state of the parent: none.
    fn build(&self, parent: &Block, now_ms: u64) -> Option<(u64, Filled, ledger::Applied)> {
        let view = self.core.view(&parent.digest())?;
        let time_ms = now_ms.max(parent.header.time_ms);
        let mut run = self.core.begin(&view, parent.height().get() + 1, time_ms)?;
        let filled = self.core.mempool().fill(&mut run);
        Some((time_ms, filled, run.finish()))
    }

    /// The next block on a parent, of what waits, and what the store becomes by it. Without state of the parent: none.
    async fn make<E: Spawner + Storage>(
        &self,
        context: Context,
        parent: &Block,
        batch: Batch<E>,
        now_ms: u64,
    ) -> Option<(Block, Sealed<E>)> {
        let (time_ms, filled, applied) = self.build(parent, now_ms)?;
        let Filled { transactions, signers } = filled;
        let height = Height::new(parent.height().get() + 1);
        let sealed = seal::<E>(batch, self.first(height), &applied.changes).await;
        let header = Header {
            context,
            parent: parent.digest(),
            height,
            time_ms,
            state_root: sealed.root(),
            log_root: sealed.ops_root(),
            log_start: *sealed.sync_boundary(),
            log_end: *sealed.bounds().tip.size,
            body_root: body_root(&transactions),
        };
        let (changes, receipts) = (Arc::new(applied.changes), applied.receipts);
        self.core.state.add(Executed { header: header.clone(), changes, receipts, signers });
        Some((Block { header, transactions }, sealed))
    }
}

impl<E: Spawner + Storage + Clock> Application<E> for App {
    type SigningScheme = Scheme;
    type Context = Context;
    type Block = Block;
    type Databases = Stores<E>;
    type Captured = Option<Arc<Executed>>;
    type Provider = ();
    type Input = ();

    fn sync_targets(block: &Block) -> <Stores<E> as DatabaseSet<E>>::SyncTargets {
        let Header { log_root, log_start, log_end, .. } = block.header;
        Target::new(log_root, non_empty_range!(Location::new(log_start), Location::new(log_end)))
    }

    async fn genesis(&mut self) -> Block {
        self.genesis.clone()
    }

    async fn propose(
        &mut self,
        (runtime, context): (E, Context),
        ancestry: impl Ancestry<Block>,
        batch: Batch<E>,
        _: Input<(), ()>,
    ) -> Option<Proposed<Self, E>> {
        let mut ancestry = pin!(ancestry);
        let parent = ancestry.next().await?;
        // Nothing waits in here: until this returns, the engine makes no block final. `Resting` has waited.
        let now_ms = self.now_ms(&runtime);
        let (block, merkleized) = self.make::<E>(context, parent.inner(), batch, now_ms).await?;
        Some(Proposed { block, merkleized })
    }

    async fn process(
        &mut self,
        (runtime, _): (E, Context),
        ancestry: impl Ancestry<Block>,
        batch: Batch<E>,
        finality: Finality,
    ) -> Option<Sealed<E>> {
        let block: Block = ancestry.peek()?.inner().clone();
        let latest_ms = self.now_ms(&runtime).saturating_add(AHEAD_MS_MAX);
        if finality == Finality::Candidate && block.header.time_ms > latest_ms {
            return None;
        }
        let Some(changes) = self.core.run(&block) else {
            return differs(&block, finality);
        };
        let sealed = seal::<E>(batch, self.first(block.height()), &changes).await;
        // The engine compares the log's root only.
        if sealed.root() != block.header.state_root {
            return differs(&block, finality);
        }
        Some(sealed)
    }

    /// What a final block did goes to the disk before the engine's own store has it: a block that is there after a crash
    /// is not brought again.
    async fn capture(
        &mut self,
        _: (E, Context),
        block: &Block,
        _: &Sealed<E>,
        _: <Stores<E> as DatabaseSet<E>>::Readers,
    ) -> Self::Captured {
        // Without its records a validator can't go on: the next start runs this block again.
        self.core.state.finalize(&block.header).expect("the ledger's records can be written")
    }

    async fn finalized(
        &mut self,
        _: (E, Context),
        block: &Block,
        executed: Self::Captured,
        _: <Stores<E> as DatabaseSet<E>>::Readers,
    ) {
        let core = &self.core;
        let open = |bytes| minicbor::decode::<ledger::Transaction>(bytes).ok();
        let read = || block.transactions.iter().filter_map(open).map(|one| one.body.signer);
        let signers =
            executed.as_ref().map_or_else(|| read().collect(), |executed| executed.signers.clone());
        let latest = core.latest();
        let mut mempool = core.mempool();
        mempool.settle(&*latest, &signers);
        mempool.expire(block.height().get());
        drop(mempool);
        core.height.send_replace(latest.last.0);
        tracing::debug!(
            height = block.height().get(),
            transactions = block.transactions.count(),
            again = executed.is_none(),
            bytes = block.encode().len(),
            "final block"
        );
    }
}

#[cfg(test)]
mod tests;
