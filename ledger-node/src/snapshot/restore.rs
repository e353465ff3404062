//! A validator's folder out of a snapshot.

use std::fs::File;
use std::io::{BufReader, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use commonware_codec::{Copying, Decode as _, DecodeExt as _, Encode as _};
use commonware_consensus::{Epochable as _, simplex::config::Floor};
use commonware_cryptography::Digestible as _;
use commonware_parallel::Rayon;
use commonware_runtime::{Runner as _, buffer::paged::CacheRef, tokio as runtime};
use commonware_storage::{
    archive::{Archive as _, prunable},
    merkle::Location,
    mmr,
    qmdb::sync::{self, Request, Response, Source, Target, engine, source},
    translator::TwoCap,
};
use commonware_utils::{Faults as _, N3f1, NZU16, NZU64, NZUsize, non_empty_range};
use futures_util::StreamExt as _;
use ledger::{Key, record_hash};
use light_client::Verifier;
use minicbor::bytes::ByteVec;
use redb::Database;
use wire::ledger::StateProof;

use super::{Head, LOG_BATCH, MAGIC, Page, SnapshotError, Update, cut, finish, read_part};
use crate::application::Store;
use crate::block::Block;
use crate::config::Config;
use crate::engine::{PAGE_BYTES, Runtime, archive_config, store_config};
use crate::header::{Digest, Finalization};
use crate::memory::Memory;
use crate::network::{FRESH, Members, Network, NetworkError, Secrets};
use crate::node::genesis_block;
use crate::records::{Records, RecordsError};
use crate::succession::key_bytes;

/// Is in a folder while a snapshot is restored into it, and stays where that was interrupted.
pub(crate) const UNFINISHED: &str = "restore.unfinished";
const UNFINISHED_TEXT: &str = "\
A snapshot was being restored into this folder. The validator does not start until it is restored again.
";
/// The engine's folder, and the file of records.
pub(super) const ENGINE: &str = "engine";
pub(super) const RECORDS: &str = "records.redb";
/// Records that are written at once.
const RECORDS_AT_ONCE: usize = 8192;
/// Pages of the disk in memory: 32 MiB.
const CACHE_PAGES: NonZeroUsize = NZUsize!(8192);

/// What was made of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// The block that the validator begins with.
    pub height: u64,
    /// When it was made, in milliseconds since 1970-01-01 UTC.
    pub time_ms: u64,
    /// Records of the state.
    pub records: u64,
}

/// Where a snapshot goes.
pub(crate) struct Home<'a> {
    /// See [`crate::engine::Part::prefix`].
    pub(crate) prefix: &'a str,
    pub(crate) members: &'a Members,
    /// Whether this validator may vote from the snapshot's block on: its key signed nothing behind it.
    /// Otherwise it listens first (`memory.rs`).
    pub(crate) votes: bool,
    /// Pages of the disk that are kept in memory, 4 KiB each.
    pub(crate) pages: NonZeroUsize,
    pub(crate) database: Database,
}

pub(super) type Reader = Box<dyn Read + Send>;

/// Checks a snapshot and makes the ledger of a validator's folder of it, which has its secrets and no
/// ledger yet. `roll_back`: a validator whom the others can't do without begins there nevertheless,
/// whatever it signed since.
///
/// # Errors
/// In order: network and secrets, the folder, the snapshot. The folder is then as it was.
pub fn restore(config: &Config, file: &Path, roll_back: bool) -> Result<Restored, SnapshotError> {
    finish(&config.data)?;
    let Seat { members, fresh, alone } = Seat::of(config)?;
    if alone && !fresh && !roll_back {
        return Err(SnapshotError::RollBack);
    }
    let reader: Reader = Box::new(BufReader::new(File::open(file)?));
    let folder = Folder::of(&config.data);
    if folder.unfinished.exists() {
        folder.clear()?;
    } else if let Some(used) =
        [&folder.engine, &folder.records].into_iter().find(|one| one.exists())
    {
        return Err(SnapshotError::Used(used.clone()));
    }
    std::fs::write(&folder.unfinished, UNFINISHED_TEXT)?;
    let made = on_thread(&folder, reader, &members, fresh || alone);
    if made.is_err() {
        folder.clear()?;
    }
    std::fs::remove_file(&folder.unfinished)?;
    made
}

/// Whose ledger it is to be.
pub(super) struct Seat {
    pub(super) members: Members,
    /// Its key never voted, wherever.
    pub(super) fresh: bool,
    /// Nothing is final without it.
    pub(super) alone: bool,
}

impl Seat {
    pub(super) fn of(config: &Config) -> Result<Self, NetworkError> {
        let path = config.network_file();
        let secrets = Secrets::read(&config.data);
        let (members, _) = Network::read(&path)?.members(&path)?.seat(&secrets?)?;
        let fresh = config.data.join(FRESH).exists();
        let alone = N3f1::max_faults(members.set().keys.len()) == 0;
        Ok(Self { members, fresh, alone })
    }
}

/// On a thread and runtime of its own: whoever calls may be in a runtime already.
pub(super) fn on_thread(
    folder: &Folder,
    reader: Reader,
    members: &Members,
    votes: bool,
) -> Result<Restored, SnapshotError> {
    let database = Database::create(&folder.records).map_err(RecordsError::from)?;
    let config = runtime::Config::new().with_storage_directory(folder.engine.clone());
    let home = Home { prefix: "", members, votes, pages: CACHE_PAGES, database };
    let run = move || {
        runtime::Runner::new(config)
            .start(|context| async move { Box::pin(restore_into(&context, home, reader)).await })
    };
    std::thread::scope(|scope| {
        let ended = scope.spawn(run).join();
        // It panicked, which was told: the engine's storage does so where a disk fails.
        ended.unwrap_or_else(|_| Err(std::io::Error::other("the disk failed").into()))
    })
}

/// Files of a validator that a snapshot makes.
pub(super) struct Folder {
    pub(super) unfinished: PathBuf,
    pub(super) engine: PathBuf,
    pub(super) records: PathBuf,
}

impl Folder {
    pub(super) fn of(data: &Path) -> Self {
        Self {
            unfinished: data.join(UNFINISHED),
            engine: data.join(ENGINE),
            records: data.join(RECORDS),
        }
    }

    /// Takes back what there is of a snapshot.
    fn clear(&self) -> std::io::Result<()> {
        if self.engine.exists() {
            std::fs::remove_dir_all(&self.engine)?;
        }
        if self.records.exists() {
            std::fs::remove_file(&self.records)?;
        }
        Ok(())
    }
}

/// The same on any runtime, wherever records are kept.
pub(crate) async fn restore_into<E: Runtime>(
    context: &E,
    home: Home<'_>,
    mut reader: Reader,
) -> Result<Restored, SnapshotError> {
    let mut magic = [0; MAGIC.len()];
    reader.read_exact(&mut magic).map_err(cut)?;
    if magic != *MAGIC {
        return Err(SnapshotError::NotASnapshot);
    }
    let strategy = context.child("pool").strategy(NonZeroUsize::MIN);
    let pages = CacheRef::new(NZU16!(PAGE_BYTES), home.pages);
    let head = read_part(&mut reader)?.ok_or(SnapshotError::Cut)?;
    let head: Head = minicbor::decode(&head).map_err(|_| SnapshotError::Form("first part"))?;
    let (block, found) = final_block(context, &head, home.members, &strategy)?;
    let height = block.header.height.get();
    let successions = successions(head.successions.unwrap_or_default(), height, home.members)?;
    let log = Log(Arc::new(Mutex::new(reader)));
    let store = store(context, home.prefix, &block, log.clone(), &pages, &strategy).await?;
    log.end()?;
    let records = Records::empty(home.database);
    let count = check_records(&log, &store, &records).await?;
    // What the engine has of it is flushed before anything says that it is there.
    drop(store.sync().await.map_err(|error| SnapshotError::Log(error.to_string()))?);
    keep_block(context, home.prefix, &block, &found, &pages).await?;
    let (header, digest) = (&block.header, block.digest());
    let genesis = genesis_block(&home.members.genesis).digest();
    for (epoch, proof) in &successions {
        records.keep_succession(*epoch, proof)?;
    }
    records.begin_after(&genesis, (height, &digest), &header.encode())?;
    let memory = Memory::open(context.child("memory"), format!("{}memory", home.prefix)).await;
    let memory = memory.begin_with(height, &found).await;
    if home.votes {
        let epoch = home.members.epoch;
        // Who begins with the last block of those before votes from the first of its own on.
        let start = match found.epoch().get() == epoch {
            true => Floor::Finalized(found),
            false => Floor::Genesis(digest),
        };
        memory.begin(epoch, &start).await;
    }
    Ok(Restored { height, time_ms: header.time_ms, records: count })
}

/// Who took over up to a block and after it, as the network's file has it.
fn successions(
    shown: Vec<StateProof>,
    height: u64,
    members: &Members,
) -> Result<Vec<(u32, StateProof)>, SnapshotError> {
    let mut verifier =
        Verifier::new(&members.root()).map_err(|_| SnapshotError::Form("trust root"))?;
    let (mut found, mut shown) = (Vec::new(), shown.into_iter());
    let due = members.eras.iter().skip(1).filter(|(_, set)| set.first <= height.saturating_add(1));
    for (epoch, set) in due {
        let proof = shown.next().ok_or(SnapshotError::Successions)?;
        let (next, _) = verifier.succeed(&proof).map_err(|_| SnapshotError::Successions)?;
        let epoch = u32::try_from(epoch).map_err(|_| SnapshotError::Successions)?;
        if (next.height, next.group_key) != (set.first, key_bytes(&set.group_key())) {
            return Err(SnapshotError::Successions);
        }
        found.push((epoch, proof));
    }
    Ok(found)
}

/// The snapshot's block, which this ledger's validators made final: those of this one, or those before in their
/// last block.
fn final_block<E: Runtime>(
    context: &E,
    head: &Head,
    members: &Members,
    strategy: &Rayon,
) -> Result<(Block, Finalization), SnapshotError> {
    let Head { finality, block, .. } = head;
    let block = Block::decode(Copying(&block[..])).map_err(|_| SnapshotError::Form("block"))?;
    let found = Finalization::decode(Copying(&finality.certificate[..]))
        .map_err(|_| SnapshotError::Form("certificate"))?;
    let header = block.header.encode();
    let shown = matches!(finality.headers.as_slice(), [one] if one[..] == header[..]);
    let mut rng = context.child("certificate");
    let certified = found.proposal.payload == block.digest();
    let (height, epoch) = (block.header.height.get(), found.epoch().get());
    let scheme = members.verifier(epoch).filter(|_| epoch == members.eras.epoch(height));
    let signed = scheme.is_some_and(|scheme| found.verify(&mut rng, &scheme, strategy));
    if !shown || !certified || !signed {
        return Err(SnapshotError::NotFinal);
    }
    let (first, last) = (members.set().first.saturating_sub(1), members.ends());
    if height < first || last.is_some_and(|last| height > last) {
        return Err(SnapshotError::Epoch { height, first, last });
    }
    Ok((block, found))
}

/// The authenticated store as the log makes it, which is the one that the block names.
async fn store<E: Runtime>(
    context: &E,
    prefix: &str,
    block: &Block,
    log: Log,
    pages: &CacheRef,
    strategy: &Rayon,
) -> Result<Store<E>, SnapshotError> {
    let header = &block.header;
    if header.log_start >= header.log_end {
        return Err(SnapshotError::Form("header"));
    }
    let range = non_empty_range!(Location::new(header.log_start), Location::new(header.log_end));
    let copied = sync::sync::<Store<E>, Log>(engine::Config {
        context: context.child("state"),
        source: log,
        target: Target::new(header.log_root, range),
        // One after the other: as they are in the file.
        max_outstanding_requests: NZUsize!(1),
        fetch_batch_size: NZU64!(LOG_BATCH),
        apply_batch_size: NZU64!(LOG_BATCH),
        db_config: store_config(
            prefix,
            pages,
            strategy,
            header.log_end.saturating_sub(header.log_start),
        ),
        update_rx: None,
        finish_rx: None,
        reached_target_tx: None,
    });
    let store = Box::pin(copied).await.map_err(|error| match error {
        sync::Error::Source(error) => error,
        other => SnapshotError::Log(other.to_string()),
    })?;
    if store.root() != header.state_root {
        return Err(SnapshotError::State);
    }
    Ok(store)
}

/// Keeps every record that the store knows of; how many.
async fn check_records<E: Runtime>(
    log: &Log,
    store: &Store<E>,
    records: &Records,
) -> Result<u64, SnapshotError> {
    let failed = |error: &dyn std::fmt::Display| SnapshotError::Log(error.to_string());
    let (mut found, mut before, mut kept) = (0, ByteVec::from(Vec::new()), Page::new());
    while let Some(part) = log.part()? {
        let page: Page = minicbor::decode(&part).map_err(|_| SnapshotError::Form("records"))?;
        for (key, record) in page {
            let name = Key::from_bytes(key.to_vec()).hash();
            let held = store.get(&Digest::from(*name.as_bytes())).await;
            let held = held.map_err(|error| failed(&error))?;
            let is_held = held.is_some_and(|held| {
                let hash: &[u8] = held.as_ref();
                hash == record_hash(&record).as_bytes().as_slice()
            });
            // In order, so that none is there twice.
            if !is_held || *before >= *key {
                return Err(SnapshotError::Record(found));
            }
            found += 1;
            before = key.clone();
            kept.push((key, record));
        }
        if kept.len() >= RECORDS_AT_ONCE {
            records.add(&kept)?;
            kept.clear();
        }
    }
    records.add(&kept)?;
    log.ends()?;
    let mut expected = 0;
    let mut keys = pin!(store.keys(..));
    while let Some(key) = keys.next().await {
        key.map_err(|error| failed(&error))?;
        expected += 1;
    }
    if found != expected {
        return Err(SnapshotError::Missing { found, expected });
    }
    Ok(found)
}

/// Gives the engine the block that it begins with, and what makes it final.
pub(crate) async fn keep_block<E: Runtime>(
    context: &E,
    prefix: &str,
    block: &Block,
    found: &Finalization,
    pages: &CacheRef,
) -> Result<(), SnapshotError> {
    type Kept<E, T> = prunable::Archive<TwoCap, E, Digest, T>;
    let failed = |error: &dyn std::fmt::Display| SnapshotError::Log(error.to_string());
    let (height, digest) = (block.header.height.get(), block.digest());
    let config = archive_config(&format!("{prefix}blocks"), pages);
    let blocks = Kept::<E, Arc<Block>>::init(context.child("blocks"), config).await;
    let blocks = blocks.map_err(|error| failed(&error))?;
    let blocks = blocks.put(height, digest, &Arc::new(block.clone())).await;
    let blocks = blocks.map_err(|error| failed(&error))?;
    drop(blocks.sync().await.map_err(|error| failed(&error))?);
    let config = archive_config(&format!("{prefix}finalizations"), pages);
    let certificates = Kept::<E, Finalization>::init(context.child("finalizations"), config).await;
    let certificates = certificates.map_err(|error| failed(&error))?;
    let certificates = certificates.put(height, digest, found).await;
    let certificates = certificates.map_err(|error| failed(&error))?;
    drop(certificates.sync().await.map_err(|error| failed(&error))?);
    Ok(())
}

/// The rest of a snapshot, part by part; the log's are what the engine asks for, in this order.
#[derive(Clone)]
struct Log(Arc<Mutex<Reader>>);

impl Log {
    fn part(&self) -> Result<Option<Vec<u8>>, SnapshotError> {
        // Nothing panics while it is held.
        read_part(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A list of parts ends here.
    fn end(&self) -> Result<(), SnapshotError> {
        match self.part()? {
            None => Ok(()),
            Some(_) => Err(SnapshotError::Form("log")),
        }
    }

    /// Nothing follows.
    fn ends(&self) -> Result<(), SnapshotError> {
        let mut reader = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match reader.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(SnapshotError::Form("end")),
        }
    }
}

impl Source for Log {
    type Family = mmr::Family;
    type Digest = Digest;
    type Op = Update;
    type Error = SnapshotError;

    async fn serve(&self, request: Request<mmr::Family>) -> source::Result<Self> {
        let part = self.part()?.ok_or(SnapshotError::Cut)?;
        let most = usize::try_from(request.max_ops().get()).unwrap_or(usize::MAX);
        let response = Response::decode_cfg(Copying(&part[..]), &(most, ()));
        Ok((response.map_err(|_| SnapshotError::Form("log"))?, None))
    }
}
