//! The engine's parts, wired: agreement, storage, our application, over what network and runtime there
//! is: `sockets.rs` and tokio, or a simulation of both (`sim.rs`).
//!
//! ```text
//! p2p ── votes, certificates ── simplex ── deferred ── stateful ── App
//!  └──── blocks ── broadcast, backfill ─── marshal ───────┘
//! ```

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::sync::atomic::Ordering;
use std::time::Duration;

use commonware_broadcast::buffered;
use commonware_codec::{Copying, DecodeExt as _};
use commonware_consensus::{
    Reporters,
    marshal::{
        self,
        core::Actor as Marshal,
        core::Mailbox as MarshalMailbox,
        resolver::p2p as marshal_resolver,
        standard::{Deferred, Standard},
    },
    simplex::{
        self,
        config::{Floor, ForwardPolicy, SkipPolicy},
        elector::RoundRobin,
    },
    types::{Epoch, ViewDelta},
};
use commonware_cryptography::{Digested, Digestible as _, Sha256};
use commonware_glue::stateful::{
    Config as StatefulConfig, Mailbox as StatefulMailbox, PruneConfig, Stateful, SyncPlan,
    db::{SyncEngineConfig, p2p as store_resolver},
};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Rayon;
use commonware_runtime::{
    Clock, Metrics, Quota, Spawner, Storage, Strategizer, buffer::paged::CacheRef,
};
use commonware_storage::{
    archive::prunable,
    journal::contiguous::fixed::Config as LogConfig,
    merkle::full::Config as TreeConfig,
    mmr,
    qmdb::current::FixedConfig,
    translator::{EightCap, TwoCap},
};
use commonware_utils::{Faults as _, N3f1, NZDuration, NZU16, NZU32, NZU64, NZUsize};
use rand_core::CryptoRng;
use tokio::sync::oneshot;

use crate::application::{App, Core, Store};
use crate::block::Block;
use crate::gossip;
use crate::header::{Digest, Header, PublicKey, Scheme};
use crate::memory::{Begun, Memory, listen};
use crate::network::{Members, Secrets};
use crate::recall::{Recall, Recalled};
use crate::records::CHANGES_KEPT;
use crate::succession::Resting;

/// Final blocks that are applied before the store is flushed; less than
/// [`crate::records::CHANGES_KEPT`].
pub(crate) const PENDING_ACKS_MAX: usize = 4;
/// Messages a second from each peer in each channel. Memory grows with it: see
/// `docs/adr/0015-ledger-node.md`.
const QUOTA_PER_S: u32 = 1024;
/// Views whose votes are kept behind the last final one.
const VIEWS_KEPT: u64 = 16;
pub(crate) const MAILBOX: usize = 1024;
pub(crate) const BUFFER_BYTES: usize = 1 << 20;
/// What the store and the archives are made with; another number is another format on disk.
const ITEMS_PER_BLOB: u64 = 65_536;
const ITEMS_PER_SECTION: u64 = 1_024;
/// Keys in memory while the store's log is read again, 41 bytes each, until the start is done: what was written since
/// is found there and not on the disk, which takes ten times as long. All that the log may name, from 3 to 690 MB.
const KEYS_AT_START: RangeInclusive<u64> = 1 << 16..=1 << 24;
/// A page of the disk without its checksum.
pub(crate) const PAGE_BYTES: u16 = 4088;
/// How often blocks and the store's log are cut where not everything is kept, in blocks.
const PRUNED_EVERY: usize = 16;
/// Blocks whose states a copy of the store can be made of, where not everything is kept: a copy takes
/// some time.
const STORE_KEPT: usize = 256;
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
pub(crate) const RETRY: Duration = Duration::from_millis(100);
/// Channels between validators: votes, certificates, certificates on demand, blocks on demand, blocks,
/// the store's log, transactions.
pub(crate) const CHANNELS: usize = 7;

pub(crate) type Final = MarshalMailbox<Scheme, Standard<Block>>;

/// What the engine runs on: clock, disk, tasks, randomness.
pub(crate) trait Runtime:
    Clock + CryptoRng + Metrics + Spawner + Storage + Strategizer
{
}

impl<E: Clock + CryptoRng + Metrics + Spawner + Storage + Strategizer> Runtime for E {}

/// The other validators, as one of them reaches them.
pub(crate) struct Wires<S, R, P, B> {
    /// In the order that [`CHANNELS`] says.
    pub(crate) channels: [(S, R); CHANNELS],
    /// Who they are.
    pub(crate) peers: P,
    /// Where one that breaks the rules is shut out.
    pub(crate) blocker: B,
}

/// How many messages a second a channel carries to each peer.
pub(crate) fn quota() -> Quota {
    Quota::per_second(NZU32!(QUOTA_PER_S))
}

/// Most bytes of a message.
pub(crate) fn message_bytes_max(validators: usize) -> u32 {
    let count = u32::try_from(validators).expect("at most a hundred validators");
    let longest = simplex::max_payload_size::<Scheme, Digest>(count)
        .max(marshal::max_payload_size::<Standard<Block>, Scheme>(count, &()))
        .max(BUFFER_BYTES);
    u32::try_from(longest).expect("a block is a few MiB")
}

/// What a running engine is asked through.
pub(crate) struct Running<E: Runtime> {
    pub(crate) blocks: Final,
    pub(crate) stores: StatefulMailbox<E, App>,
    /// Agreement begins when this is told: what is known of blocks before is kept first.
    pub(crate) go: oneshot::Sender<()>,
}

/// How one validator takes part.
pub(crate) struct Part {
    pub(crate) members: Members,
    pub(crate) secrets: Secrets,
    pub(crate) scheme: Scheme,
    pub(crate) heartbeat: Duration,
    pub(crate) threads: usize,
    /// Pages of the disk that are kept in memory: 4 KiB each, taken at the start.
    pub(crate) pages: NonZeroUsize,
    /// Before the name of each part of the disk: nothing, where a validator has a disk of its own.
    pub(crate) prefix: String,
    /// Its key has never voted, wherever: who is to know when it does.
    pub(crate) fresh: Option<Begun>,
    /// How many of the last final blocks are kept; none: all.
    pub(crate) keep_blocks: Option<u64>,
}

/// What is done to the store and to blocks of before, so that the disk does not grow for ever.
fn pruning(keep_blocks: u64) -> PruneConfig {
    let blocks = usize::try_from(keep_blocks).unwrap_or(usize::MAX / 2);
    PruneConfig {
        maintenance_interval: NZUsize!(PRUNED_EVERY),
        retained_marshal_blocks: blocks,
        retained_qmdb_blocks: blocks.min(STORE_KEPT),
    }
}

/// Entries of the store's log on this disk, at most: those of all its files.
pub(crate) async fn log_entries<E: Runtime>(context: &E, prefix: &str) -> u64 {
    // None is there before the first start.
    let files = context.scan(&format!("{prefix}state-log-blobs")).await.unwrap_or_default();
    u64::try_from(files.len()).unwrap_or(u64::MAX).saturating_mul(ITEMS_PER_BLOB)
}

/// The store's settings; `entries` are in its log.
pub(crate) fn store_config(
    prefix: &str,
    pages: &CacheRef,
    strategy: &Rayon,
    entries: u64,
) -> FixedConfig<EightCap, Rayon> {
    let keys = entries.clamp(*KEYS_AT_START.start(), *KEYS_AT_START.end());
    let name = |part: &str| format!("{prefix}state-{part}");
    FixedConfig {
        merkle_config: TreeConfig {
            journal_partition: name("tree"),
            metadata_partition: name("tree-meta"),
            items_per_blob: NZU64!(ITEMS_PER_BLOB),
            write_buffer: NZUsize!(BUFFER_BYTES),
            replay_buffer: NZUsize!(BUFFER_BYTES),
            strategy: strategy.clone(),
            page_cache: pages.clone(),
        },
        journal_config: LogConfig {
            partition: name("log"),
            items_per_blob: NZU64!(ITEMS_PER_BLOB),
            page_cache: pages.clone(),
            write_buffer: NZUsize!(BUFFER_BYTES),
            replay_buffer: NZUsize!(BUFFER_BYTES),
        },
        grafted_metadata_partition: name("grafted"),
        translator: EightCap,
        init_cache: usize::try_from(keys).ok().and_then(NonZeroUsize::new),
        init_buffer: NZUsize!(1 << 21),
        init_concurrency: (),
    }
}

pub(crate) fn archive_config(name: &str, pages: &CacheRef) -> prunable::Config<TwoCap, ()> {
    prunable::Config {
        translator: TwoCap,
        metadata_partition: format!("{name}-meta"),
        key_partition: format!("{name}-key"),
        key_page_cache: pages.clone(),
        value_partition: format!("{name}-value"),
        compression: None,
        codec_config: (),
        items_per_section: NZU64!(ITEMS_PER_SECTION),
        key_write_buffer: NZUsize!(BUFFER_BYTES),
        value_write_buffer: NZUsize!(BUFFER_BYTES),
        replay_buffer: NZUsize!(BUFFER_BYTES),
    }
}

/// Starts everything. The parts run until the context's task ends; one that fails ends the process. `None`: it may
/// not begin with this disk, which it said.
#[allow(
    clippy::too_many_lines,
    reason = "wired once, in order, one statement a part; the parts' types are the engine's own"
)]
pub(crate) async fn start<E, S, R, P, B>(
    context: &E,
    part: Part,
    app: App,
    wires: Wires<S, R, P, B>,
) -> Option<Running<E>>
where
    E: Runtime,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    let me = commonware_cryptography::Signer::public_key(&part.secrets.key);
    let parallel = NonZeroUsize::new(part.threads.max(1)).expect("at least one");
    let strategy = context.child("pool").strategy(parallel);
    let pages = CacheRef::new(NZU16!(PAGE_BYTES), part.pages);
    let disk = |name: &str| format!("{}{name}", part.prefix);

    let Wires { channels, peers, blocker } = wires;
    let [votes, certificates, simplex_fetch, backfill, broadcast, store_fetch, told] = channels;
    gossip::start(context, app.core.clone(), told.0, told.1);

    let resolver = marshal_resolver::init(
        context.child("marshal_resolver"),
        marshal_resolver::Config {
            public_key: me.clone(),
            peer_provider: peers.clone(),
            blocker: blocker.clone(),
            mailbox_size: NZUsize!(MAILBOX),
            fetch_timeout: NZDuration!(FETCH_TIMEOUT),
            fetch_retry_delay: RETRY,
            priority_requests: false,
            priority_responses: false,
        },
        backfill,
    );
    let (spread, buffer) = buffered::Engine::new(
        context.child("broadcast"),
        buffered::Config {
            public_key: me.clone(),
            mailbox_size: NZUsize!(MAILBOX),
            deque_size: 16,
            priority: false,
            codec_config: (),
            peer_provider: peers.clone(),
            strategy: strategy.clone(),
        },
    );
    spread.start(broadcast);

    let archive = "a validator without its archive can't run";
    let finalizations = prunable::Archive::init(
        context.child("finalizations"),
        archive_config(&disk("finalizations"), &pages),
    )
    .await
    .expect(archive);
    let blocks =
        prunable::Archive::init(context.child("blocks"), archive_config(&disk("blocks"), &pages))
            .await
            .expect(archive);
    let plan = SyncPlan::init(context.child("plan"), disk("ledger")).await;
    let genesis = Digested::precomputed(app.genesis.clone(), app.genesis.digest());
    let memory = Memory::open(context.child("memory"), disk("memory")).await;
    // What was made from a snapshot begins with its block, until the engine is well beyond it.
    let height = *app.core.height.borrow();
    let first = memory.first().filter(|(first, _)| height < first.saturating_add(CHANGES_KEPT));
    let start = match first {
        Some((_, found)) => marshal::Start::Floor(found),
        None => plan.marshal_start(genesis),
    };
    let (epoch, epochs) = (part.members.epoch, part.members.eras.clone());
    let (marshal_actor, marshal, floor) = Marshal::<_, Standard<Block>, _, _, _, _, _>::init(
        context.child("marshal"),
        finalizations,
        blocks,
        marshal::Config {
            provider: part.members.schemes(&part.scheme),
            epocher: epochs.clone(),
            start,
            partition_prefix: disk("marshal"),
            mailbox_size: NZUsize!(MAILBOX),
            view_retention: ViewDelta::new(VIEWS_KEPT),
            prunable_items_per_section: NZU64!(ITEMS_PER_SECTION),
            page_cache: pages.clone(),
            replay_buffer: NZUsize!(BUFFER_BYTES),
            key_write_buffer: NZUsize!(BUFFER_BYTES),
            value_write_buffer: NZUsize!(BUFFER_BYTES),
            block_codec_config: (),
            max_repair: NZUsize!(16),
            max_pending_acks: NZUsize!(PENDING_ACKS_MAX),
            strategy: strategy.clone(),
        },
    )
    .await;

    let (store_actor, store_resolver) =
        store_resolver::Actor::<_, PublicKey, _, _, mmr::Family, Store<E>>::new(
            context.child("store_resolver"),
            store_resolver::Config {
                peer_provider: peers.clone(),
                blocker: blocker.clone(),
                database: None,
                mailbox_size: NZUsize!(128),
                me: Some(me.clone()),
                fetch_timeout: NZDuration!(FETCH_TIMEOUT),
                fetch_retry_delay: RETRY,
                max_serve_ops: NZU64!(64),
                priority_requests: false,
                priority_responses: false,
            },
        );
    store_actor.start(store_fetch);
    let (genesis, core, proposer) = (app.genesis.digest(), app.core.clone(), app.clone());
    let entries = log_entries(context, &part.prefix).await;
    let (stateful_actor, stores) = Stateful::new(
        context.child("stateful"),
        StatefulConfig {
            application: app,
            db_config: store_config(&part.prefix, &pages, &strategy, entries),
            provider: (),
            marshal: (marshal.clone(), floor),
            mailbox_size: NZUsize!(MAILBOX),
            plan,
            resolvers: store_resolver,
            sync_config: SyncEngineConfig {
                fetch_batch_size: NZU64!(64),
                apply_batch_size: NZU64!(1024),
                max_outstanding_requests: NZUsize!(8),
            },
            prune_config: part.keep_blocks.map(pruning),
            strategy: strategy.clone(),
        },
    );
    let deferred =
        Deferred::new(context.child("deferred"), stores.clone(), marshal.clone(), epochs);
    marshal_actor.start(stores.clone(), buffer, resolver);
    stateful_actor.start();

    let count = part.members.set().keys.len();
    let faulty_max =
        usize::try_from(N3f1::max_faults(count)).expect("at most a hundred validators");
    let partition = match epoch {
        0 => disk("simplex"),
        _ => disk(&format!("simplex-{epoch}")),
    };
    // Disks from before there was a memory: who has votes remembers them.
    let votes_kept = context.scan(&partition).await.is_ok_and(|all| !all.is_empty());
    // Where nobody may be faulty, nothing is final without this one.
    let alone = faulty_max == 0;
    let before = part.members.set().first.checked_sub(1);
    // A later epoch's first start is remembered, and its key is fresh until then. What is neither is data of the
    // validators before, again: what this one signed behind it would have a second history beside it.
    let begins = part.fresh.is_some() || votes_kept || memory.start(epoch, genesis).is_some();
    if alone && before.is_some() && !begins {
        tracing::error!(
            epoch,
            "this key is not fresh, and this disk has nothing that it signed: begin with this validator's own data, \
             or with `starling ledger restore --roll-back` if that is lost"
        );
        return None;
    }
    let first = part.fresh.is_some() || votes_kept || alone;

    // Above the heartbeat: an idle leader is no absent one.
    let leader_timeout = part.heartbeat + Duration::from_secs(1);
    let (scheme, fresh) = (part.scheme, part.fresh);
    // Who has others may get a block from them again.
    let recall = (count == 1).then(|| Recall::new(marshal.clone()));
    let resting =
        Resting::new(context.child("resting"), deferred.clone(), proposer, recall.clone());
    let (go, gone) = oneshot::channel();
    context.child("agreement").spawn(move |mut context| async move {
        let (mut votes, mut certificates) = (votes, certificates);
        if gone.await.is_err() {
            return;
        }
        let known = match memory.start(epoch, genesis) {
            None if first => match before {
                None => Some(Floor::Genesis(genesis)),
                Some(last) => named(&core, last).await.map(Floor::Genesis),
            },
            known => known,
        };
        let memory = match &known {
            Some(start) => memory.begin(epoch, start).await,
            None => memory,
        };
        if let Some(begun) = fresh {
            begun();
        }
        let floor = match known {
            Some(start) => start,
            None => {
                tracing::warn!("this disk has no votes: listening until none can be contradicted");
                let heard = (&mut votes.1, &mut certificates.1);
                let told = deferred.clone();
                let last = listen(&mut context, &scheme, faulty_max, &strategy, heard, told).await;
                let Some(last) = last else { return };
                tracing::warn!(view = last.proposal.round.view().get(), "voting after this view");
                let start = Floor::Finalized(last);
                memory.begin(epoch, &start).await;
                start
            }
        };
        core.voting.store(true, Ordering::Relaxed);
        let clock = context.child("recall");
        let votes = (votes.0, Recalled::new(votes.1, me, clock, recall.as_ref()));
        let engine = simplex::Engine::new(
            context.child("engine"),
            simplex::Config {
                scheme,
                elector: RoundRobin::<Sha256>::default(),
                blocker,
                automaton: resting,
                relay: deferred.clone(),
                reporter: Reporters::<_, Recall>::from((deferred, recall)),
                strategy,
                partition,
                mailbox_size: NZUsize!(MAILBOX),
                epoch: Epoch::new(epoch),
                floor,
                replay_buffer: NZUsize!(BUFFER_BYTES),
                write_buffer: NZUsize!(BUFFER_BYTES),
                page_cache: pages,
                leader_timeout,
                certification_timeout: leader_timeout * 2,
                timeout_retry: Duration::from_secs(1),
                view_retention: ViewDelta::new(VIEWS_KEPT),
                skip: SkipPolicy::Enabled {
                    timeout: leader_timeout * 4,
                    budget: simplex::SkipBudget::Participants,
                },
                fetch_timeout: NZDuration!(FETCH_TIMEOUT),
                fetch_retry_delay: RETRY * 5,
                forward: ForwardPolicy::Disabled,
                track_historical_votes: false,
            },
        );
        // It ends with this task. An error: it has failed, and said so.
        let _ = engine.start(votes, certificates, simplex_fetch).await;
    });
    Some(Running { blocks: marshal, stores, go })
}

/// The name of the block that an epoch begins after, once that is final here. `None`: it never will be.
async fn named(core: &Core, last: u64) -> Option<Digest> {
    let mut heights = core.height.subscribe();
    let height = *heights.borrow();
    if height < last {
        tracing::warn!(
            height,
            last,
            "waiting for the last block of the validators before, which this folder does not have: begin with a \
             snapshot of it, or with the data of one of them"
        );
    }
    heights.wait_for(|height| *height >= last).await.ok()?;
    // Whoever begins with a snapshot of a later block need not ask.
    let header = core.state.records().header(last).expect("the ledger's records can be read")?;
    Header::decode(Copying(&header[..])).ok().map(|header| header.digest())
}
