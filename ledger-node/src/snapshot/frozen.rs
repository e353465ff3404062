//! Frozen bytes of what validators hand out: headers, certificates, proofs of records and of absence, who took over,
//! and a snapshot.
//!
//! Proves that the engine's store, agreement's signatures and our own code make the bytes of the vectors from the
//! same seeds today, and that the light client and `restore` believe them. A vector changes only by a reviewed
//! decision, noted in the changelog under **Formats**: `UPDATE_VECTORS=1` writes them anew.

use std::io::Cursor;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use commonware_codec::{Copying, DecodeExt as _, Encode as _};
use commonware_consensus::{
    simplex::types::{Finalize, Proposal},
    types::{Epoch, Height, Round, View},
};
use commonware_cryptography::{Digestible as _, Signer as _, ed25519::PrivateKey};
use commonware_glue::stateful::db::DatabaseSet;
use commonware_parallel::Rayon;
use commonware_runtime::{Runner as _, buffer::paged::CacheRef, deterministic};
use commonware_utils::{NZU16, NZUsize, non_empty};
use data_encoding::HEXLOWER as HEX;
use ledger::{
    AccountId, Action, AssetId, BlockRun, Body, Changes, Checked, Key, MemoryStore, Scan as _,
    Store as _, domains::accounts,
};
use light_client::Verifier;
use primitives::{KeyPair, Seed, sha256};
use redb::{Database, backends::InMemoryBackend};
use serde_json::{Value, json};
use wire::ledger::{Finality, StateProof, Successions};

use super::make::write_parts;
use super::{Head, Home, MAGIC, Page, restore_into};
use crate::application::Stores;
use crate::block::{Block, body_root};
use crate::engine::{PAGE_BYTES, Runtime, store_config};
use crate::fill::put;
use crate::header::{Context, Digest, Finalization, Header, PublicKey, Scheme};
use crate::network::{Members, Network, Plan, Secrets, deal_keys, succeed};
use crate::node::{genesis_block, log, lookup};
use crate::records::Records;
use crate::succession::key_bytes;

const TIME_MS: u64 = 1_700_000_000_000;
/// Validators of each epoch, and how many of them a certificate takes.
const VALIDATORS: u64 = 4;
const QUORUM: usize = 3;
/// The first block of those who take over.
const TAKEN_OVER: u64 = 3;
const PAGES: NonZeroUsize = NZUsize!(64);

fn key(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

fn account(number: u64) -> AccountId {
    AccountId::of_key(key(number).id())
}

/// Keys, blocks and store of a ledger that nobody runs.
struct Chain<E: Runtime> {
    network: Network,
    leader: PublicKey,
    /// How those vote who make a certificate, by epoch.
    schemes: [Vec<Scheme>; 2],
    secrets: Secrets,
    stores: Stores<E>,
    strategy: Rayon,
    state: MemoryStore,
    blocks: Vec<(Block, Finalization)>,
}

fn members(network: &Network) -> Members {
    network.members(Path::new("frozen")).unwrap()
}

fn schemes(network: &Network, secrets: &[Secrets]) -> Vec<Scheme> {
    secrets[..QUORUM].iter().map(|one| members(network).seat(one).unwrap().1).collect()
}

fn keys(from: u64) -> Vec<PrivateKey> {
    (from..from + VALIDATORS).map(PrivateKey::from_seed).collect()
}

impl<E: Runtime> Chain<E> {
    async fn begin(context: &E) -> Self {
        let addresses: Vec<SocketAddr> =
            keys(0).iter().map(|_| ([127, 0, 0, 1], 1).into()).collect();
        let plan = Plan {
            name: "frozen".to_owned(),
            demo: false,
            time_ms: TIME_MS,
            addresses: addresses.clone(),
            allocations: vec![(account(1), 1 << 70), (account(2), 5_000_000)],
        };
        let (network, first) = deal_keys(&plan, keys(0), context.child("deal")).unwrap();
        let next = keys(VALIDATORS);
        let next = succeed(network, TAKEN_OVER, &addresses, next, context.child("succeed"));
        let (network, next) = next.unwrap();
        let strategy = context.child("pool").strategy(NonZeroUsize::MIN);
        let pages = CacheRef::new(NZU16!(PAGE_BYTES), PAGES);
        let settings = store_config("made-", &pages, &strategy, 0);
        let opened = <Stores<E> as DatabaseSet<E>>::init(context.child("state"), settings, None);
        let stores: Stores<E> = Box::pin(opened).await;
        let mut state = MemoryStore::new();
        state.commit(members(&network).genesis.changes().unwrap());
        Self {
            leader: keys(0)[0].public_key(),
            schemes: [schemes(&network, &first), schemes(&network, &next)],
            secrets: next[0].clone(),
            network,
            stores,
            strategy,
            state,
            blocks: Vec::new(),
        }
    }

    /// The next block, as its validators would make and sign it.
    async fn block(&mut self, transactions: Vec<Vec<u8>>) {
        let members = members(&self.network);
        let height = u64::try_from(self.blocks.len()).unwrap() + 1;
        let time_ms = TIME_MS + 1_000 * height;
        let mut run = BlockRun::begin(&self.state, height, time_ms).unwrap();
        members.eras.named().begin(height, &mut run);
        for bytes in &transactions {
            let checked = Checked::open(bytes, members.genesis.chain()).unwrap();
            assert_eq!(run.push(&checked).unwrap().code, 0);
        }
        let changes = run.finish().changes;
        // Block 1 also stores the records of genesis.
        let mut stored = Changes::new();
        if height == 1 {
            stored = members.genesis.changes().unwrap();
        }
        stored.extend(changes.clone());
        self.state.commit(changes);
        let roots = Box::pin(put(&self.stores, &stored)).await.unwrap();
        let epoch = members.eras.epoch(height);
        let genesis = genesis_block(&members.genesis).digest();
        let parent = self.blocks.last().map_or(genesis, |(block, _)| block.digest());
        // Views count from 1 in each epoch.
        let view = height + 1 - members.eras.get(epoch).unwrap().first.max(1);
        let (round, before) = (Round::new(Epoch::new(epoch), View::new(view)), View::new(view - 1));
        let header = Header {
            context: Context { round, leader: self.leader.clone(), parent: (before, parent) },
            parent,
            height: Height::new(height),
            time_ms,
            state_root: roots.state,
            log_root: roots.log,
            log_start: roots.log_start,
            log_end: roots.log_end,
            body_root: body_root(&transactions.iter().collect()),
        };
        let block = Block { header, transactions: transactions.iter().collect() };
        let proposal = Proposal::new(round, before, block.digest());
        let schemes = &self.schemes[usize::try_from(epoch).unwrap()];
        let vote = |scheme: &Scheme| Finalize::sign(scheme, proposal.clone()).unwrap();
        let votes: Vec<Finalize<Scheme, Digest>> = schemes.iter().map(vote).collect();
        let found =
            Finalization::from_owned_finalizes(&schemes[0], non_empty![@votes], &self.strategy);
        self.blocks.push((block, found.unwrap()));
    }

    fn last(&self) -> &(Block, Finalization) {
        self.blocks.last().unwrap()
    }

    /// That the last `count` blocks are final.
    fn finality(&self, count: usize) -> Finality {
        let shown = &self.blocks[self.blocks.len() - count..];
        let headers = shown.iter().map(|(block, _)| block.header.encode().to_vec());
        Finality::new(headers.collect(), self.last().1.encode().to_vec())
    }

    /// What is under a key after the last block.
    async fn prove(&self, key: &Key) -> StateProof {
        let (root, _, proof) = Box::pin(lookup(key, &self.stores)).await.unwrap();
        assert_eq!(root, self.last().0.header.state_root);
        let record = self.state.get(key).map(Into::into);
        StateProof { record, proof: proof.into(), finality: self.finality(1) }
    }

    /// Every record, and a file that says after which block.
    fn records(&self) -> Records {
        let records = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        let records = Records::empty(records);
        let mut page = Page::new();
        self.state.scan(&[], &mut |key, record| {
            page.push((key.as_bytes().to_vec().into(), record.to_vec().into()));
        });
        records.add(&page).unwrap();
        let genesis = genesis_block(&members(&self.network).genesis).digest();
        let (block, _) = self.last();
        let last = (block.header.height.get(), &block.digest());
        records.begin_after(&genesis, last, &block.header.encode()).unwrap();
        records
    }

    /// What nobody proves: a page of records whose keys begin alike.
    fn page(&self, prefix: &[u8]) -> wire::ledger::Records {
        let (header, mut records) = (&self.last().0.header, Vec::new());
        self.state.scan(prefix, &mut |key, record| {
            records.push((key.as_bytes().to_vec().into(), record.to_vec().into()));
        });
        let (height, time_ms) = (header.height.get(), header.time_ms);
        wire::ledger::Records { height, time_ms, records, more: false }
    }

    async fn snapshot(&self, successions: &Successions) -> Vec<u8> {
        let head = Head {
            finality: self.finality(1),
            block: self.last().0.encode().to_vec().into(),
            successions: Some(successions.0.clone()),
        };
        // A view of the records is no longer there than they are.
        let records = self.records();
        let (state, mut file) = (records.snapshot().unwrap(), Vec::new());
        let log = async |request| log(request, &self.stores).await;
        let written = Box::pin(write_parts(&head, &state, log, &mut file)).await;
        assert_eq!(written.unwrap(), self.last().0.header.height.get());
        file
    }
}

/// A payment; who takes over, and what others have of it; their first block, without transactions.
async fn made<E: Runtime>(context: E) -> Vec<Value> {
    let mut chain = Chain::begin(&context).await;
    let genesis = members(&chain.network).genesis;
    let (asset, to, amount) = (AssetId::NATIVE, account(2), 1 << 65);
    let pay = accounts::Action::Transfer { asset, to, amount };
    let mut body = Body::new(genesis.chain(), account(1), 0, Action::Accounts(pay));
    (body.fee, body.expiry_height) = (100_000, 1_000);
    Box::pin(chain.block(vec![body.sign(&key(1)).to_bytes()])).await;
    Box::pin(chain.block(Vec::new())).await;
    let linked = chain.finality(2);
    let successions = Successions(vec![chain.prove(&ledger::succession_key(1)).await]);
    Box::pin(chain.block(Vec::new())).await;
    let held = accounts::balance_key(account(2), AssetId::NATIVE);
    let absent = accounts::balance_key(account(3), AssetId::NATIVE);
    let proofs = [("held", held), ("absent", absent)];
    let mut vectors = vec![root(&chain)];
    vectors.extend(chain.blocks.iter().map(block));
    vectors.push(json!({
        "name": "two headers", "kind": "ledger-finality", "cbor": HEX.encode(&linked.to_bytes()),
    }));
    vectors.push(json!({
        "name": "after epoch 0", "kind": "ledger-successions",
        "cbor": HEX.encode(&successions.to_bytes()),
    }));
    for (name, key) in proofs {
        let proof = chain.prove(&key).await;
        vectors.push(json!({
            "name": name, "kind": "ledger-state-proof", "key": HEX.encode(key.as_bytes()),
            "cbor": HEX.encode(&proof.to_bytes()),
        }));
    }
    vectors.push(json!({
        "name": "balances", "kind": "ledger-records",
        "cbor": HEX.encode(&chain.page(&[1, 1]).to_bytes()),
    }));
    let file = chain.snapshot(&successions).await;
    vectors.push(json!({
        "name": "after block 3", "kind": "ledger-snapshot", "bytes": HEX.encode(&file),
        "sha256": sha256(&file).to_string(),
    }));
    begins_with(&context, &chain, file).await;
    vectors
}

fn root<E: Runtime>(chain: &Chain<E>) -> Value {
    let members = members(&chain.network);
    let keys = [0, 1].map(|epoch| key_bytes(&members.eras.get(epoch).unwrap().group_key()));
    json!({
        "name": "root", "kind": "ledger-root", "text": members.root().to_string(),
        "chain": members.genesis.chain().to_string(),
        "group_keys": keys.map(|key| HEX.encode(&key)),
    })
}

fn block((block, found): &(Block, Finalization)) -> Value {
    let (header, hex) = (&block.header, |digest: &Digest| HEX.encode(digest.as_ref()));
    json!({
        "name": hex(&block.digest()), "kind": "ledger-block",
        "height": header.height.get(), "time_ms": header.time_ms, "parent": hex(&header.parent),
        "state_root": hex(&header.state_root), "log_root": hex(&header.log_root),
        "log_start": header.log_start, "log_end": header.log_end,
        "body_root": hex(&header.body_root), "header": HEX.encode(&header.encode()),
        "block": HEX.encode(&block.encode()), "certificate": HEX.encode(&found.encode()),
    })
}

/// A validator of the second epoch begins with the file.
async fn begins_with<E: Runtime>(context: &E, chain: &Chain<E>, file: Vec<u8>) {
    assert!(file.starts_with(MAGIC));
    let (members, _) = members(&chain.network).seat(&chain.secrets).unwrap();
    let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
    let home = Home { prefix: "read-", members: &members, votes: true, pages: PAGES, database };
    let file = Box::new(Cursor::new(file));
    let restored = Box::pin(restore_into(&context.child("restore"), home, file)).await.unwrap();
    let records = u64::try_from(chain.state.count()).unwrap();
    assert_eq!((restored.height, restored.records), (TAKEN_OVER, records));
}

fn path() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join("tests/conformance/vectors/ledger-proofs.json")
}

#[test]
fn what_validators_hand_out_are_the_frozen_bytes() {
    let config = deterministic::Config::new().with_seed(1);
    let vectors = deterministic::Runner::new(config).start(|context| Box::pin(made(context)));
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&json!({ "vectors": vectors })).unwrap() + "\n";
        std::fs::write(path(), text).unwrap();
    }
    let frozen = frozen();
    assert_eq!(frozen.len(), vectors.len(), "number of vectors");
    for (expected, found) in frozen.iter().zip(&vectors) {
        assert_eq!(expected, found);
    }
}

fn frozen() -> Vec<Value> {
    let text = std::fs::read_to_string(path()).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    document["vectors"].as_array().unwrap().clone()
}

fn bytes(vector: &Value, member: &str) -> Vec<u8> {
    HEX.decode(vector[member].as_str().unwrap().as_bytes()).unwrap()
}

/// By code that shares nothing with the engine, from the root as a text on.
#[test]
fn who_pinned_the_root_believes_the_frozen_bytes() {
    let vectors = frozen();
    let of =
        |kind: &str| vectors.iter().filter(|vector| vector["kind"] == kind).collect::<Vec<_>>();
    let root = of("ledger-root")[0]["text"].as_str().unwrap().parse().unwrap();
    let mut verifier = Verifier::new(&root).unwrap();
    let blocks = of("ledger-block");
    let last = blocks[2];
    let shown =
        |block: &Value| Finality::new(vec![bytes(block, "header")], bytes(block, "certificate"));
    assert!(verifier.finality(&shown(last)).is_err(), "nobody named them yet");
    let linked = Finality::read(&bytes(of("ledger-finality")[0], "cbor")).unwrap();
    let heights = verifier.finality(&linked).unwrap().into_iter().map(|header| header.height);
    assert_eq!(heights.collect::<Vec<_>>(), [1, 2]);
    let Successions(proofs) =
        Successions::read(&bytes(of("ledger-successions")[0], "cbor")).unwrap();
    let [proof] = proofs.as_slice() else { panic!("one took over") };
    let (next, _) = verifier.succeed(proof).unwrap();
    let keys = of("ledger-root")[0]["group_keys"].as_array().unwrap();
    assert_eq!((next.height, json!(HEX.encode(&next.group_key))), (TAKEN_OVER, keys[1].clone()));
    for (vector, height) in blocks.into_iter().zip(1..) {
        let headers = verifier.finality(&shown(vector)).unwrap();
        assert_eq!(headers[0].name.to_string(), name(vector));
        assert_eq!(headers[0].height, height);
        let block = Block::decode(Copying(&bytes(vector, "block")[..])).unwrap();
        assert_eq!(block.header.encode(), bytes(vector, "header"));
    }
    let page = wire::ledger::Records::read(&bytes(of("ledger-records")[0], "cbor")).unwrap();
    assert!(page.height == TAKEN_OVER && !page.records.is_empty());
    for (vector, there) in of("ledger-state-proof").into_iter().zip([true, false]) {
        let proof = StateProof::read(&bytes(vector, "cbor")).unwrap();
        let headers = verifier.finality(&proof.finality).unwrap();
        assert_eq!(headers[0].name.to_string(), name(last));
        let record = Verifier::record(&headers[0], &bytes(vector, "key"), &proof).unwrap();
        assert_eq!(record.is_some(), there, "{}", vector["name"]);
    }
}

fn name(vector: &Value) -> &str {
    vector["name"].as_str().unwrap()
}
