//! One running validator, and what may be asked of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use commonware_codec::Encode as _;
use commonware_consensus::types::Height;
use commonware_cryptography::Digestible as _;
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_runtime::{Runner as _, tokio as runtime};
use commonware_utils::NZUsize;
use ledger::{AccountId, ChainId, Checked, Policy, Receipt, TransactionId};
use primitives::{KeyPair, Seed};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use crate::application::{App, Core, Stores};
use crate::block::{Block, body_root};
use crate::config::Config;
use crate::engine::{self, Part, Running, Runtime, Wires};
use crate::faucet::Faucet;
use crate::header::{Header, PublicKey};
use crate::memory::Begun;
use crate::mempool::Unwanted;
use crate::network::{FRESH, Members, Network, NetworkError, Plan, Secrets, deal_network};
use crate::records::{Final, Records, RecordsError};
use crate::secret;
use crate::snapshot::{Shelf, SnapshotError, Taken, UNFINISHED, finish};
use crate::sockets;
use crate::state::State;
use crate::transactions::Transactions;

mod error;
mod questions;
mod successions;
#[cfg(test)]
mod tests;

pub use error::NodeError;
use questions::{CROWD_MAX, Question, announce, answer};
pub use questions::{Certified, Proved, Unanswered};
#[cfg(test)]
pub(crate) use questions::{log, lookup};

/// Units that a network of one begins with, all in one account.
const SOLO_UNITS: u128 = 1_000_000_000_000_000;
/// What the engine's composition takes at its start where nothing is optimised is above the usual 2 MiB.
const STACK_BYTES: usize = 16 << 20;
/// Pages of the disk in memory: 32 MiB.
const CACHE_PAGES: usize = 8192;
/// Questions that wait for the engine.
const QUESTIONS_MAX: usize = 64;
/// Fewest blocks that a validator keeps: more than a certificate, a crash or a copy of the state reach
/// back.
pub(crate) const KEEP_BLOCKS_MIN: u64 = 128;
/// Blocks that are forgotten together.
const FORGET_EVERY: u64 = 16;

/// A running validator.
#[derive(Debug)]
pub struct Node {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<oneshot::Receiver<()>>,
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It waits for a block.
    Waits,
    /// A final block holds it.
    Done(Receipt),
    /// It was never here, or waits no more: it expired, or dearer ones needed the room.
    Unknown,
}

/// What may be asked of a validator, from any thread. Clones ask the same one.
#[derive(Debug, Clone)]
pub struct Handle {
    core: Core,
    epoch: u64,
    root: Arc<str>,
    group_key: Arc<[u8]>,
    validators: Arc<[String]>,
    demo: Option<Arc<Faucet>>,
    shelf: Option<Arc<Shelf>>,
    questions: mpsc::Sender<Question>,
    /// Room for questions that wait for a place there.
    crowd: Arc<Semaphore>,
}

/// Where the engine hears what a [`Handle`] is asked.
pub(crate) struct Asked(mpsc::Receiver<Question>);

impl Node {
    /// Starts a validator on threads of its own. Without a network's file it is alone: keys and
    /// genesis are made at the first start.
    ///
    /// # Errors
    /// In order: settings, keys and network, the folder, the records.
    pub fn start(config: &Config) -> Result<Self, NodeError> {
        let keep_blocks = match config.keep_blocks {
            0 => None,
            few @ 1..KEEP_BLOCKS_MIN => return Err(NodeError::Keep(few)),
            many => Some(many),
        };
        finish(&config.data)
            .map_err(|source| NodeError::Io { path: config.data.clone(), source })?;
        let unfinished = config.data.join(UNFINISHED);
        if unfinished.exists() {
            return Err(NodeError::Unfinished(unfinished));
        }
        let path = match &config.network {
            Some(path) => path.clone(),
            None => solo(config)?,
        };
        let network = Network::read(&path)?;
        let secrets = Secrets::read(&config.data)?;
        let (members, scheme) = network.members(&path)?.seat(&secrets)?;
        let count = members.set().keys.len();
        let heartbeat = config.heartbeat(count);
        let path = config.data.join("records.redb");
        let app = app(&members, heartbeat, |genesis| Records::open(&path, genesis))
            .map_err(|error| locked(error, &config.data))?;
        successions::one_history(&members, &app.core, &config.data)?;
        let demo = if network.demo { faucet(&config.data).map(Arc::new) } else { None };
        let shelf = config.snapshots.then(|| Arc::new(Shelf::new(config.data.clone())));
        let (handle, asked) = Handle::new(app.core.clone(), &network, &members, (demo, shelf));
        let (listen, threads) = (config.listen, config.threads.max(1));
        let (pages, prefix) = (NZUsize!(CACHE_PAGES), String::new());
        let fresh = begun(config.data.join(FRESH));
        let part = Part {
            members,
            secrets,
            scheme,
            heartbeat,
            threads,
            pages,
            prefix,
            fresh,
            keep_blocks,
        };
        let (stop, stopped) = oneshot::channel();
        let (ending, ended) = oneshot::channel();
        let folder = config.data.join("engine");
        std::thread::Builder::new()
            .name("ledger".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                run(folder, listen, part, app, asked, stopped);
                drop(ending);
            })
            .map_err(|source| NodeError::Io { path: config.data.clone(), source })?;
        Ok(Self { handle, stop: Some(stop), ended: Some(ended) })
    }

    /// What may be asked of it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until the engine has ended by itself, which is always a failure.
    pub async fn failed(&mut self) -> NodeError {
        if let Some(ended) = &mut self.ended {
            // It says nothing: that it is gone is the news.
            let _ = ended.await;
        }
        NodeError::Ended
    }

    /// Ends it.
    pub async fn stop(mut self) {
        // An error: it has ended by itself.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(ended) = self.ended.take() {
            let _ = ended.await;
        }
    }
}

/// What is done with the file that says that a key never voted, once it votes. `None`: there is none.
fn begun(fresh: PathBuf) -> Option<Begun> {
    if !fresh.exists() {
        return None;
    }
    Some(Box::new(move || {
        if let Err(error) = std::fs::remove_file(&fresh) {
            tracing::warn!("{}: {error}", fresh.display());
        }
    }))
}

fn locked(error: NodeError, folder: &Path) -> NodeError {
    match error {
        NodeError::Records(RecordsError::Database(inner))
            if matches!(*inner, redb::Error::DatabaseAlreadyOpen) =>
        {
            NodeError::Locked(folder.to_owned())
        }
        other => other,
    }
}

/// What the engine runs, with the state as its records have it.
pub(crate) fn app(
    members: &Members,
    heartbeat: Duration,
    open: impl FnOnce(&Final<'_>) -> Result<Records, RecordsError>,
) -> Result<App, NodeError> {
    let genesis = genesis_block(&members.genesis);
    let first = Arc::new(members.genesis.changes().map_err(NetworkError::from)?);
    let records = open(&Final {
        height: 0,
        digest: genesis.digest(),
        header: &genesis.header.encode(),
        changes: &first,
        receipts: &[],
    })?;
    let height = records.last()?.0;
    let core = Core::new(members, State::new(records), height);
    Ok(App { core, genesis, first, heartbeat, ahead_ms: 0 })
}

/// The engine on threads and sockets of its own, until it is told to stop.
fn run(
    folder: PathBuf,
    listen: SocketAddr,
    part: Part,
    app: App,
    asked: Asked,
    stopped: oneshot::Receiver<()>,
) {
    let threads = part.threads;
    let config = runtime::Config::new().with_worker_threads(threads).with_storage_directory(folder);
    runtime::Runner::new(config).start(|context| async move {
        let wires = sockets::open(&context, &part, listen);
        let driven = Box::pin(drive(&context, part, app, wires, asked));
        tokio::select! {
            () = driven => {}
            // An error: whoever may stop it is gone, which is the same.
            _ = stopped => {}
        }
    });
}

/// The engine, and answers to what is asked of it, until nobody can ask any more.
pub(crate) async fn drive<E, S, R, P, B>(
    context: &E,
    part: Part,
    app: App,
    wires: Wires<S, R, P, B>,
    asked: Asked,
) where
    E: Runtime,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    let (core, keep_blocks) = (app.core.clone(), part.keep_blocks);
    let Asked(mut asked) = asked;
    let started = Box::pin(engine::start(context, part, app, wires)).await;
    // It said why.
    let Some(Running { blocks, stores, go }) = started else { return };
    let stores: Stores<E> = stores.subscribe_databases().await;
    Box::pin(successions::keep(&core, &blocks, &stores)).await;
    successions::tell_missing(&core);
    // An error: the engine has ended.
    let _ = go.send(());
    let mut heights = core.height.subscribe();
    heights.mark_changed();
    loop {
        // In this order, so that a simulation of a seed is always the same one.
        let question = tokio::select! {
            biased;
            // An error: nobody makes blocks any more, which is the end.
            changed = heights.changed() => match changed {
                Ok(()) => {
                    announce(&core, &blocks).await;
                    Box::pin(successions::keep(&core, &blocks, &stores)).await;
                    if let Some(count) = keep_blocks {
                        forget(count, &core, &blocks);
                    }
                    continue;
                }
                Err(_) => return,
            },
            question = asked.recv() => question,
        };
        let Some(question) = question else { return };
        answer(question, &core, &blocks, &stores).await;
    }
}

/// Forgets what is older than the last blocks, some at a time.
fn forget(count: u64, core: &Core, blocks: &engine::Final) {
    let (records, below) = (core.state.records(), core.height.borrow().saturating_sub(count));
    // A validator that can't use its disk stops.
    let since = records.since().expect("the ledger's records can be read");
    if below >= since.saturating_add(FORGET_EVERY) {
        records.forget_below(below).expect("the ledger's records can be written");
        blocks.prune(Height::new(below));
    }
}

/// The block that everybody has without agreeing.
pub(crate) fn genesis_block(genesis: &ledger::Genesis) -> Block {
    use commonware_glue::stateful::db::DatabaseSet;
    let target =
        <Stores<runtime::Context> as DatabaseSet<runtime::Context>>::initial_sync_targets();
    let log = (target.root, *target.range.start(), *target.range.end());
    let header = Header::genesis(genesis.chain().as_bytes(), genesis.time_ms, log);
    debug_assert_eq!(header.body_root, body_root(&Transactions::default()), "no transactions");
    Block { header, transactions: Transactions::default() }
}

/// The key that gives units away, where this validator has it.
fn faucet(folder: &Path) -> Option<Faucet> {
    let seed: [u8; 32] = secret::read(&folder.join("faucet.key")).ok()?.try_into().ok()?;
    Some(Faucet::new(KeyPair::from_seed(Seed::new(seed))))
}

/// The network of one, made unless it is there.
pub(crate) fn solo(config: &Config) -> Result<PathBuf, NodeError> {
    let folder = config.data.as_path();
    let path = folder.join("network.toml");
    if path.exists() {
        return Ok(path);
    }
    let io = |path: &Path| {
        let path = path.to_owned();
        |source| NodeError::Io { path, source }
    };
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    let faucet = folder.join("faucet.key");
    if !faucet.exists() {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(NetworkError::Entropy)?;
        secret::write(&faucet, &seed).map_err(io(&faucet))?;
    }
    // It may be one of several validators whose settings lost their `network`: never overwrite.
    let key = folder.join("validator.key");
    if key.exists() {
        let what = "a key without a network's file: name `network`, or remove it".to_owned();
        return Err(NetworkError::Form { path: key, what }.into());
    }
    let seed = secret::read(&faucet).map_err(io(&faucet))?;
    let form = NetworkError::Form { path: faucet, what: "expected a key".to_owned() };
    let seed: [u8; 32] = seed.try_into().map_err(|_| form)?;
    let account = AccountId::of(&Policy::single(KeyPair::from_seed(Seed::new(seed)).id()));
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let plan = Plan {
        name: if config.demo { "demo" } else { "solo" }.to_owned(),
        demo: config.demo,
        time_ms: u64::try_from(since.as_millis()).unwrap_or(0),
        addresses: vec![([127, 0, 0, 1], 1).into()],
        allocations: vec![(account, SOLO_UNITS)],
    };
    deal_network(&plan, folder, &[folder.to_owned()])?;
    Ok(path)
}

impl Handle {
    /// Of a validator, and where the engine hears what is asked.
    pub(crate) fn new(
        core: Core,
        network: &Network,
        members: &Members,
        (demo, shelf): (Option<Arc<Faucet>>, Option<Arc<Shelf>>),
    ) -> (Self, Asked) {
        let (questions, asked) = mpsc::channel(QUESTIONS_MAX);
        let epoch = members.epoch;
        let group_key = members.set().group_key().encode().to_vec().into();
        let validators = network.validators(epoch).iter().map(|one| one.key.clone()).collect();
        let root = members.root().to_string().into();
        let crowd = Arc::new(Semaphore::new(CROWD_MAX));
        let handle =
            Self { core, epoch, root, group_key, validators, demo, shelf, questions, crowd };
        (handle, Asked(asked))
    }

    #[cfg(test)]
    pub(crate) fn records(&self) -> &Records {
        self.core.state.records()
    }

    /// Which ledger.
    pub fn chain(&self) -> ChainId {
        self.core.chain
    }

    /// What certificates of this validator's epoch are verified against, 96 bytes.
    pub fn group_key(&self) -> &[u8] {
        &self.group_key
    }

    /// Keys of those who agree, in hexadecimal.
    pub fn validators(&self) -> &[String] {
        &self.validators
    }

    /// Who gives units away here; none but on a demo network.
    pub fn faucet(&self) -> Option<&Faucet> {
        self.demo.as_deref()
    }

    /// What makes the newest block final, as it comes: the bytes of a [`wire::ledger::Finality`],
    /// empty before the first.
    pub fn finality(&self) -> watch::Receiver<bytes::Bytes> {
        self.core.finality.subscribe()
    }

    /// Height of the last final block, as it grows.
    pub fn height(&self) -> watch::Receiver<u64> {
        self.core.height.subscribe()
    }

    /// Whether it votes. One that has lost its disk only listens at first.
    pub fn voting(&self) -> bool {
        self.core.voting.load(Ordering::Relaxed)
    }

    /// Transactions that wait, and their bytes.
    pub fn waiting(&self) -> (usize, u64) {
        self.core.mempool().size()
    }

    /// The next number of an account, those that wait counted.
    pub(crate) fn next_number(&self, account: AccountId) -> u64 {
        self.core.next_number(account)
    }

    /// Takes a transaction. It waits until a block holds it, it expires, or dearer ones need the
    /// room. Checks signatures: call it where that may take its time.
    ///
    /// # Errors
    /// Why it does not wait here.
    pub fn submit(&self, bytes: &[u8]) -> Result<TransactionId, Unwanted> {
        if self.core.is_over() {
            return Err(Unwanted::Replaced);
        }
        let checked = Checked::open(bytes, self.core.chain)?;
        let id = checked.id();
        self.core.take_first(checked)?;
        Ok(id)
    }

    /// What became of a transaction.
    ///
    /// # Errors
    /// The records can't be read.
    pub fn fate(&self, id: &TransactionId) -> Result<Fate, RecordsError> {
        // A block's receipts are kept before what it holds no longer waits: in this order none is missed.
        let waits = self.core.mempool().holds(id);
        Ok(match self.receipt(id)? {
            Some(receipt) => Fate::Done(receipt),
            None if waits => Fate::Waits,
            None => Fate::Unknown,
        })
    }

    /// The receipt of a transaction that a final block holds.
    ///
    /// # Errors
    /// The records can't be read.
    pub fn receipt(&self, id: &TransactionId) -> Result<Option<Receipt>, RecordsError> {
        self.core.state.records().receipt(id)
    }

    /// What happened to an account, newest first: at most `count` receipts of transactions whose
    /// events name it, before a height and an index in its block.
    ///
    /// # Errors
    /// The records can't be read.
    pub fn events(
        &self,
        account: &AccountId,
        before: (u64, u32),
        count: usize,
    ) -> Result<Vec<Receipt>, RecordsError> {
        self.core.state.records().events(account, before, count)
    }

    /// The header of a final block, encoded.
    ///
    /// # Errors
    /// The records can't be read.
    pub fn header(&self, height: u64) -> Result<Option<Vec<u8>>, RecordsError> {
        self.core.state.records().header(height)
    }

    /// The first block of which this validator has everything; it forgot those before, or began after
    /// them.
    ///
    /// # Errors
    /// The records can't be read.
    pub fn since(&self) -> Result<u64, RecordsError> {
        self.core.state.records().since()
    }

    /// The newest snapshot of the state and its height, made now if the last one is old. `None`: this
    /// validator gives none.
    ///
    /// # Errors
    /// See [`SnapshotError`]; [`Unanswered::Busy`] where several read one already.
    pub async fn snapshot(&self) -> Result<Option<Taken>, SnapshotError> {
        let Some(shelf) = &self.shelf else { return Ok(None) };
        shelf.take(self.clone()).await.map(Some)
    }

    /// The records after the last final block.
    pub(crate) fn final_state(&self) -> Result<Arc<crate::records::Snapshot>, RecordsError> {
        self.core.state.records().snapshot()
    }

    /// A page of the records whose keys begin with `prefix` and come behind `after`; nothing is proved.
    ///
    /// # Errors
    /// The records can't be read.
    pub fn list(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> Result<wire::ledger::Records, RecordsError> {
        let state = self.core.state.records().snapshot()?;
        let tip = ledger::tip(&*state).ok_or(RecordsError::Format)?;
        let (records, more) = state.list(prefix, after)?;
        let records =
            records.into_iter().map(|(key, record)| (key.into(), record.into())).collect();
        Ok(wire::ledger::Records { height: tip.height, time_ms: tip.time_ms, records, more })
    }

    /// Reads the final state at once: nobody else is needed, nothing is proved.
    ///
    /// # Errors
    /// The records can't be read.
    pub fn with_state<T>(
        &self,
        read: impl FnOnce(&dyn ledger::Store) -> T,
    ) -> Result<T, RecordsError> {
        Ok(read(&*self.core.state.records().snapshot()?))
    }
}
