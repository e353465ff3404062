//! A ledger of one validator with many records and no history, for benches: how long does a start take when the
//! state is large?
//!
//! Its records come as those of blocks do: `ledger` mints them, the authenticated store takes them in batches, the
//! file of records holds them. Invented is only that one block, the first, did it all; the validator's own key
//! signs that. So it is for a new network of one, and for whoever has its secrets.

use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;

use commonware_codec::Encode as _;
use commonware_consensus::{
    simplex::{
        config::Floor,
        types::{Finalize, Proposal},
    },
    types::{Epoch, Height, Round, View},
};
use commonware_cryptography::{Digestible as _, Signer as _};
use commonware_glue::stateful::db::{DatabaseSet, Merkleized as _};
use commonware_parallel::Rayon;
use commonware_runtime::{Runner as _, buffer::paged::CacheRef, tokio as runtime};
use commonware_utils::{NZU16, NZUsize, non_empty};
use ledger::{
    AccountId, AssetId, BlockRun, Changes, Genesis, GenesisError, Key, MemoryStore, Overlay,
    domains::accounts,
};
use minicbor::bytes::ByteVec;
use primitives::sha256;
use redb::Database;

use crate::application::{Stores, seal};
use crate::block::{Block, body_root};
use crate::config::Config;
use crate::engine::{PAGE_BYTES, Runtime, store_config};
use crate::header::{Context, Digest, Finalization, Header, PublicKey, Scheme};
use crate::memory::Memory;
use crate::network::{Network, NetworkError, Secrets};
use crate::node::{NodeError, genesis_block, solo};
use crate::records::{Records, RecordsError};
use crate::snapshot::{UNFINISHED, keep_block};
use crate::transactions::Transactions;

/// Pages of the disk in memory: 32 MiB, as a validator has.
const CACHE_PAGES: NonZeroUsize = NZUsize!(8192);
/// Most accounts that are made at a time: they are in memory.
const BATCH_MAX: u64 = 100_000;

/// What a ledger was filled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// Accounts that hold a unit each: those of [`filled_account`] below this number.
    pub accounts: u64,
    /// Records of the state: theirs, and those that every ledger has.
    pub records: u64,
}

/// The account of this number.
pub fn filled_account(number: u64) -> AccountId {
    AccountId::new(*sha256(&number.to_be_bytes()).as_bytes())
}

/// Makes a ledger of a validator alone in the settings' folder, which has none yet. `more` is asked how many
/// accounts there are to be beside those made so far, until it says none; 100,000 are made at a time at most.
///
/// # Errors
/// In order: keys and network, the folder, its disk.
pub fn fill(config: &Config, more: impl FnMut(u64) -> u64 + Send) -> Result<Filled, NodeError> {
    let network = solo(config)?;
    let members = Network::read(&network)?.members(&network)?;
    let secrets = Secrets::read(&config.data)?;
    let scheme = members.scheme(&secrets)?;
    let (file, engine) = (config.data.join("records.redb"), config.data.join("engine"));
    if let Some(path) = [&file, &engine].into_iter().find(|path| path.exists()) {
        let source = io::ErrorKind::AlreadyExists.into();
        return Err(NodeError::Io { path: path.clone(), source });
    }
    // Until it is whole, no validator starts with it.
    let unfinished = config.data.join(UNFINISHED);
    let io = |source| NodeError::Io { path: config.data.clone(), source };
    std::fs::write(&unfinished, "A ledger was being filled here.\n").map_err(io)?;
    let records = Records::empty(Database::create(&file).map_err(RecordsError::from)?);
    let maker = Maker {
        folder: &config.data,
        genesis: &members.genesis,
        me: secrets.key.public_key(),
        scheme,
        records,
        threads: NonZeroUsize::new(config.threads).unwrap_or(NonZeroUsize::MIN),
    };
    let settings = runtime::Config::new()
        .with_worker_threads(config.threads.max(1))
        .with_storage_directory(engine);
    let run = move || {
        runtime::Runner::new(settings)
            .start(|context| async move { Box::pin(maker.make(&context, more)).await })
    };
    // On a thread of its own: whoever calls may be in a runtime already.
    let made = std::thread::scope(|scope| scope.spawn(run).join());
    // It panicked, which was told: the engine's storage does so where a disk fails.
    let filled = made.unwrap_or_else(|_| Err(io(io::Error::other("the disk failed"))))?;
    std::fs::remove_file(&unfinished).map_err(io)?;
    Ok(filled)
}

struct Maker<'a> {
    folder: &'a Path,
    genesis: &'a Genesis,
    me: PublicKey,
    scheme: Scheme,
    records: Records,
    threads: NonZeroUsize,
}

impl Maker<'_> {
    async fn make<E: Runtime>(
        self,
        context: &E,
        mut more: impl FnMut(u64) -> u64,
    ) -> Result<Filled, NodeError> {
        let strategy = context.child("pool").strategy(self.threads);
        let pages = CacheRef::new(NZU16!(PAGE_BYTES), CACHE_PAGES);
        let settings = store_config("", &pages, &strategy, 0);
        let opened = <Stores<E> as DatabaseSet<E>>::init(context.child("state"), settings, None);
        let stores: Stores<E> = Box::pin(opened).await;
        let (mut supply, first) = beginning(self.genesis)?;
        let (mut accounts, mut records) = (0_u64, 0);
        let mut changes = first;
        let roots = loop {
            let roots =
                Box::pin(put(&stores, &changes)).await.map_err(|error| self.failed(&error))?;
            let page = listed(&changes);
            // The supply is written each time anew.
            records += if records == 0 { length(&page) } else { length(&page).saturating_sub(1) };
            self.records.add(&page)?;
            let next = accounts..accounts.saturating_add(more(accounts).min(BATCH_MAX));
            if next.is_empty() {
                break roots;
            }
            accounts = next.end;
            changes = mint(&mut supply, next)?;
        };
        let block = self.block(&roots);
        let found = self.sign(&block, &strategy)?;
        let kept = keep_block(context, "", &block, &found, &pages);
        Box::pin(kept).await.map_err(|error| self.failed(&error))?;
        let (header, digest) = (&block.header, block.digest());
        self.records.begin_after(
            &header.parent,
            (header.height.get(), &digest),
            &header.encode(),
        )?;
        let memory = Memory::open(context.child("memory"), "memory".to_owned()).await;
        let memory = memory.begin_with(header.height.get(), &found).await;
        memory.begin(0, &Floor::Finalized(found)).await;
        Ok(Filled { accounts, records })
    }

    fn failed(&self, error: &impl ToString) -> NodeError {
        let source = io::Error::other(error.to_string());
        NodeError::Io { path: self.folder.to_owned(), source }
    }

    /// The first block, without transactions, of this state.
    fn block(&self, roots: &Roots) -> Block {
        let parent = genesis_block(self.genesis).digest();
        let header = Header {
            context: Context {
                round: first_round(),
                leader: self.me.clone(),
                parent: (View::zero(), parent),
            },
            parent,
            height: Height::new(1),
            time_ms: self.genesis.time_ms,
            state_root: roots.state,
            log_root: roots.log,
            log_start: roots.log_start,
            log_end: roots.log_end,
            body_root: body_root(&Transactions::default()),
        };
        Block { header, transactions: Transactions::default() }
    }

    /// What makes it final: the one validator's vote.
    fn sign(&self, block: &Block, strategy: &Rayon) -> Result<Finalization, NodeError> {
        let proposal = Proposal::new(first_round(), View::zero(), block.digest());
        let vote = Finalize::sign(&self.scheme, proposal).ok_or(NetworkError::NotAValidator)?;
        Finalization::from_owned_finalizes(&self.scheme, non_empty![vote], strategy)
            .map_err(|error| self.failed(&error))
    }
}

fn first_round() -> Round {
    Round::new(Epoch::zero(), View::new(1))
}

/// What a header says of the store.
pub(crate) struct Roots {
    pub(crate) state: Digest,
    pub(crate) log: Digest,
    pub(crate) log_start: u64,
    pub(crate) log_end: u64,
}

/// Writes into the store and waits for the disk.
pub(crate) async fn put<E: Runtime>(stores: &Stores<E>, changes: &Changes) -> io::Result<Roots> {
    let batch = <Stores<E> as DatabaseSet<E>>::new_batches(stores).await;
    let sealed = seal::<E>(batch, None, changes).await;
    let roots = Roots {
        state: sealed.root(),
        log: sealed.ops_root(),
        log_start: *sealed.sync_boundary(),
        log_end: *sealed.bounds().tip.size,
    };
    <Stores<E> as DatabaseSet<E>>::apply(stores, sealed).await;
    let written = <Stores<E> as DatabaseSet<E>>::finalize(stores).await;
    if written.durable().await { Ok(roots) } else { Err(io::Error::other("the disk was closed")) }
}

/// What an empty first block leaves, and of it what the next accounts are minted on.
fn beginning(genesis: &Genesis) -> Result<(MemoryStore, Changes), NetworkError> {
    let mut changes = genesis.changes()?;
    let mut store = MemoryStore::new();
    store.commit(changes.clone());
    let run = BlockRun::begin(&store, 1, genesis.time_ms).expect("genesis has no block yet");
    changes.extend(run.finish().changes);
    let key = accounts::supply_key(AssetId::NATIVE);
    let supply = changes.get(&key).cloned().flatten();
    let mut store = MemoryStore::new();
    store.commit(Changes::from([(key, supply)]));
    Ok((store, changes))
}

/// A unit for each of these accounts. The store keeps the supply only: nothing else of it is read again.
fn mint(store: &mut MemoryStore, numbers: Range<u64>) -> Result<Changes, NetworkError> {
    let mut state = Overlay::new(store);
    for number in numbers {
        accounts::mint(&mut state, AssetId::NATIVE, filled_account(number), 1)
            .map_err(|_| GenesisError::Supply)?;
    }
    let (changes, _) = state.into_parts();
    let key = accounts::supply_key(AssetId::NATIVE);
    let supply = changes.get(&key).cloned().flatten();
    store.commit(Changes::from([(key, supply)]));
    Ok(changes)
}

fn listed(changes: &Changes) -> Vec<(ByteVec, ByteVec)> {
    let entry = |(key, record): (&Key, &Option<Vec<u8>>)| {
        Some((ByteVec::from(key.as_bytes().to_vec()), ByteVec::from(record.clone()?)))
    };
    changes.iter().filter_map(entry).collect()
}

fn length(page: &[(ByteVec, ByteVec)]) -> u64 {
    u64::try_from(page.len()).unwrap_or(u64::MAX)
}
