//! Validators, clients, and the network between them; what must always hold is asked here.

mod alone;
mod handover;
mod idle;
mod laws;
mod power;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
use commonware_p2p::{
    Blocker, Provider, Receiver, Sender,
    simulated::{Link, Oracle},
};
use commonware_runtime::{
    Clock as _, Handle as Task, Spawner as _, Supervisor as _, deterministic::Context,
};
use commonware_utils::{NZUsize, probability};
use ledger::{
    AccountId, Action, AssetId, Body, MemoryStore, Receipt, Store, TransactionId,
    domains::accounts::{self, balance_key},
};
use primitives::{KeyPair, Rng, Seed};

use super::disk::Disk;
use super::liars::{Liar, vote_twice};
use super::{markets, names, points, pools, street, wires};
use crate::application::AHEAD_MS_MAX;
use crate::engine::{Part, Wires};
use crate::header::{Header, PublicKey};
use crate::memory::Begun;
use crate::network::{Members, Network, Plan, Secrets, deal_keys};
use crate::node::{self, Handle};
use crate::records::Records;
use crate::snapshot::{Home, restore_into};
use power::Remains;

/// When the world begins: clocks may be behind it.
pub(super) const START: Duration = Duration::from_secs(1_000_000);
/// How long a block waits for its first transaction: few blocks make a short test.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Somebody asks for something this often, which makes two blocks: signatures of blocks are what a run costs.
const TICK: Duration = Duration::from_millis(800);
/// How long it may take until blocks are made again, everybody at the same height.
const DEADLINE: Duration = Duration::from_secs(120);
/// Blocks that must follow when all is well again.
const BLOCKS_MIN: u64 = 3;
const CLIENTS: u64 = 4;
const UNITS: u128 = 1_000_000_000_000;
const FEE_UNITS: u128 = 100_000;

/// A line that loses nothing.
pub(super) fn good() -> Link {
    let (latency, jitter) = (Duration::from_millis(20), Duration::from_millis(5));
    Link { latency, jitter, success_rate: probability!(1.0) }
}

/// What everybody shares, and everybody.
pub(super) struct World {
    pub(super) rng: Rng,
    /// What pools are asked to do follows from this alone.
    promises: Rng,
    pub(super) validators: Vec<Validator>,
    context: Context,
    oracle: Oracle<PublicKey, Context>,
    network: Network,
    /// Secrets under the key of those who take over, if anybody does.
    next: Vec<Secrets>,
    clients: Vec<KeyPair>,
    /// Halves of those that are two.
    twins: Vec<Running>,
    sent: BTreeMap<TransactionId, Sent>,
    /// What became of it, as a validator that keeps the rules has said.
    told: BTreeMap<TransactionId, Receipt>,
    /// A block, and what the blocks up to it made of the state.
    followed: Option<(u64, MemoryStore)>,
    /// After how many transactions, with others behind them in their block, the laws were asked.
    between: usize,
}

/// A transaction that was sent.
pub(super) struct Sent {
    /// By whom, with which number.
    number: (AccountId, u64),
    bytes: Vec<u8>,
}

/// One of them, through all its crashes.
pub(super) struct Validator {
    key: PublicKey,
    secrets: Secrets,
    disk: Disk,
    /// Of how many disks this is the last.
    disks: u32,
    starts: u32,
    /// How far its clock is ahead, in milliseconds.
    pub(super) ahead_ms: i64,
    /// It keeps the rules.
    pub(super) honest: bool,
    /// Its key has never voted.
    fresh: Arc<AtomicBool>,
    /// How many of the last blocks it keeps; none: all.
    pub(super) keep_blocks: Option<u64>,
    running: Option<Running>,
    height: u64,
}

struct Running {
    handle: Handle,
    task: Task<()>,
}

impl World {
    pub(super) async fn new(context: Context, seed: u64, count: usize) -> Self {
        let root = Seed::from_number(seed);
        let clients: Vec<KeyPair> =
            (0..CLIENTS).map(|one| KeyPair::from_seed(Seed::from_number(one))).collect();
        let plan = Plan {
            name: "simulated".to_owned(),
            demo: false,
            time_ms: u64::try_from(START.as_millis()).unwrap(),
            addresses: vec![([127, 0, 0, 1], 1).into(); count],
            allocations: clients.iter().map(|one| (AccountId::of_key(one.id()), UNITS)).collect(),
        };
        let keys: Vec<PrivateKey> =
            (0..count).map(|one| PrivateKey::from_seed(u64::try_from(one).unwrap())).collect();
        let (network, secrets) = deal_keys(&plan, keys, context.child("deal")).unwrap();
        let validators = secrets.into_iter().map(Validator::new).collect();
        let (rng, promises) = (root.derive("world").rng(), root.derive("promises").rng());
        let (next, sent, told) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let remains = Remains { rng, promises, validators, network, next, clients, sent, told };
        Self::of(context, remains).await
    }

    pub(super) fn count(&self) -> usize {
        self.validators.len()
    }

    /// Most validators that may break the rules or be away.
    pub(super) fn faulty_max(&self) -> usize {
        (self.count() - 1) / 3
    }

    /// That many of them, any.
    pub(super) fn some(&mut self, count: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.count()).collect();
        self.rng.shuffle(&mut all);
        all.truncate(count);
        all
    }

    fn members(&self) -> Members {
        self.network.members(Path::new("simulated")).unwrap()
    }

    /// Lines between those who are together, and none between others.
    pub(super) async fn connect(&self, link: &Link, together: impl Fn(usize, usize) -> bool) {
        for (from, sender) in self.validators.iter().enumerate() {
            for (to, receiver) in self.validators.iter().enumerate().filter(|(to, _)| *to != from) {
                let ends = (sender.key.clone(), receiver.key.clone());
                // There may be none.
                let _ = self.oracle.remove_link(ends.0.clone(), ends.1.clone()).await;
                if together(from, to) {
                    self.oracle.add_link(ends.0, ends.1, link.clone()).await.unwrap();
                }
            }
        }
    }

    pub(super) async fn start_all(&mut self) {
        for index in 0..self.count() {
            self.start(index).await;
        }
    }

    pub(super) async fn start(&mut self, index: usize) {
        self.start_telling(index, None).await;
    }

    /// One that votes for its blocks like everybody, but gives them to some only.
    pub(super) async fn start_withholder(&mut self, index: usize) {
        let mut others = self.others(index);
        let count = self.rng.usize(..others.len());
        others.truncate(count);
        self.validators[index].honest = false;
        self.start_telling(index, Some(others)).await;
    }

    async fn start_telling(&mut self, index: usize, blocks_to: Option<Vec<PublicKey>>) {
        let key = self.validators[index].key.clone();
        let channels = wires::channels(&self.oracle, &key).await;
        let [wires, _] =
            wires::halves(&self.context, &self.oracle, &key, channels, [None, None], blocks_to);
        let running = self.spawn(index, "", &self.validators[index].disk, wires);
        let validator = &mut self.validators[index];
        validator.starts += 1;
        // What it once said to be final it still says.
        let height = *running.handle.height().borrow();
        assert!(height >= validator.height, "validator {index} forgot what is final");
        validator.running = Some(running);
    }

    /// All others, in any order.
    fn others(&mut self, index: usize) -> Vec<PublicKey> {
        let all = self.validators.iter().enumerate().filter(|(at, _)| *at != index);
        let mut others: Vec<PublicKey> = all.map(|(_, one)| one.key.clone()).collect();
        self.rng.shuffle(&mut others);
        others
    }

    /// Two with one key: each is heard by some of the others, and hears all.
    pub(super) async fn start_twins(&mut self, index: usize) {
        let key = self.validators[index].key.clone();
        let others = self.others(index);
        // Some hear both.
        let (first, second) = (self.rng.usize(1..others.len()), self.rng.usize(1..others.len()));
        let reach =
            [Some(others[..first].to_vec()), Some(others[others.len() - second..].to_vec())];
        let channels = wires::channels(&self.oracle, &key).await;
        let halves = wires::halves(&self.context, &self.oracle, &key, channels, reach, None);
        self.validators[index].honest = false;
        self.validators[index].starts += 1;
        for (half, wires) in ["one", "two"].into_iter().zip(halves) {
            // Their blocks differ at least in their time.
            self.validators[index].ahead_ms += 1_000;
            let twin = self.spawn(index, half, &Disk::default(), wires);
            self.twins.push(twin);
        }
    }

    fn spawn<S, R, P, B>(
        &self,
        index: usize,
        half: &str,
        disk: &Disk,
        wires: Wires<S, R, P, B>,
    ) -> Running
    where
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        P: Provider<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        let validator = &self.validators[index];
        let secrets = validator.secrets.clone();
        let (members, scheme) = self.members().seat(&secrets).unwrap();
        let database = disk.open();
        let mut app =
            node::app(&members, HEARTBEAT, |genesis| Records::of(database, genesis)).unwrap();
        app.ahead_ms = validator.ahead_ms;
        let (handle, asked) = Handle::new(app.core.clone(), &self.network, &members, (None, None));
        let prefix = format!("{index}-{}-{half}-", validator.disks);
        let (heartbeat, pages) = (HEARTBEAT, NZUsize!(64));
        let never_voted = validator.fresh.clone();
        // Twins know nothing of each other's votes, nor of their own before.
        let fresh = (!validator.honest || never_voted.load(Ordering::Relaxed))
            .then(|| -> Begun { Box::new(move || never_voted.store(false, Ordering::Relaxed)) });
        let keep_blocks = validator.keep_blocks;
        let part = Part {
            members,
            secrets,
            scheme,
            heartbeat,
            threads: 1,
            pages,
            prefix,
            fresh,
            keep_blocks,
        };
        let context = self.context.child("validator").with_attribute("index", index);
        let context = context.with_attribute("start", format!("{}{half}", validator.starts));
        let task = context.spawn(move |context| async move {
            node::drive(&context, part, app, wires, asked).await;
        });
        Running { handle, task }
    }

    /// One that votes for everything and its opposite.
    pub(super) async fn start_double_voter(&mut self, index: usize) {
        let channels = wires::channels(&self.oracle, &self.validators[index].key).await;
        let scheme = self.members().scheme(&self.validators[index].secrets).unwrap();
        vote_twice(self.context.child("double_voter"), scheme, channels);
        self.validators[index].honest = false;
    }

    /// One that proposes what nobody may vote for.
    pub(super) async fn start_liar(&mut self, index: usize) {
        let members = self.members();
        let me = self.validators[index].key.clone();
        let channels = wires::channels(&self.oracle, &me).await;
        let scheme = members.scheme(&self.validators[index].secrets).unwrap();
        let genesis = node::genesis_block(&members.genesis);
        let rng = self.rng.fork();
        let liar = Liar { scheme, keys: members.set().keys.clone(), me, rng, genesis };
        liar.start(self.context.child("liar"), channels);
        self.validators[index].honest = false;
    }

    /// The empty disk of one that does not run is made of a snapshot of any other's state.
    pub(super) async fn restore(&mut self, index: usize) {
        let count = self.honest().count();
        let asked = self.rng.usize(..count);
        let (_, handle) = self.honest().nth(asked).unwrap();
        let mut file = Vec::new();
        let height = handle.write_snapshot(&mut file).await.unwrap();
        let validator = &self.validators[index];
        let (members, _) = self.members().seat(&validator.secrets).unwrap();
        let prefix = format!("{index}-{}--", validator.disks);
        let home = Home {
            prefix: &prefix,
            members: &members,
            votes: validator.fresh.load(Ordering::Relaxed),
            pages: NZUsize!(64),
            database: validator.disk.open(),
        };
        let context = self.context.child("restore").with_attribute("disk", &prefix);
        let file = Box::new(std::io::Cursor::new(file));
        let restored = restore_into(&context, home, file).await.unwrap();
        assert_eq!(restored.height, height);
    }

    /// From a block on a transaction costs something else, as everybody is told before it starts.
    pub(super) fn upgrade(&mut self, height: u64, fee_base: u64) {
        let text = format!("height = {height}\nfee_base = {fee_base}");
        self.network.upgrades.push(toml::from_str(&text).unwrap());
    }

    /// What a transaction costs at least, as everybody who runs and keeps the rules has it.
    pub(super) fn all_ask_for(&self, fee_base: u64) {
        for (index, handle) in self.honest() {
            let params = handle.with_state(|state| ledger::params(state).unwrap()).unwrap();
            assert_eq!(params.fee_base, fee_base, "validator {index}");
        }
    }

    /// Everybody who runs and keeps the rules comes to know nothing of the first blocks any more.
    pub(super) async fn all_forget(&mut self) {
        let end = self.context.current() + DEADLINE;
        while self.honest().any(|(_, handle)| handle.since().unwrap() <= 1) {
            assert!(self.context.current() < end, "one keeps everything");
            self.pass(TICK).await;
        }
    }

    /// Lets time pass. Clients ask for something.
    pub(super) async fn pass(&mut self, span: Duration) {
        let end = self.context.current() + span;
        loop {
            let left = end.duration_since(self.context.current()).unwrap_or_default();
            if left.is_zero() {
                return;
            }
            self.ask();
            self.context.sleep(left.min(TICK)).await;
            self.look();
        }
    }

    /// Those who run and keep the rules.
    fn honest(&self) -> impl Iterator<Item = (usize, &Handle)> {
        let honest = self.validators.iter().enumerate().filter(|(_, one)| one.honest);
        honest.filter_map(|(index, one)| Some((index, &one.running.as_ref()?.handle)))
    }

    fn heights(&self) -> Vec<u64> {
        self.honest().map(|(_, handle)| *handle.height().borrow()).collect()
    }

    /// One client changes its name or pays another, by any validator: it may have used the same number elsewhere. Or
    /// several use pools and a market and share energy, by all validators, so that one block holds all of it.
    fn ask(&mut self) {
        let mut handles: Vec<Handle> = self.honest().map(|(_, handle)| handle.clone()).collect();
        if handles.is_empty() {
            return;
        }
        let account = |client: &KeyPair| AccountId::of_key(client.id());
        let clients: Vec<AccountId> = self.clients.iter().map(account).collect();
        let asked = self.rng.usize(..handles.len());
        handles.swap(0, asked);
        let (from, to) = (self.rng.usize(..clients.len()), self.rng.usize(..clients.len()));
        let (amount, kind) = (self.rng.u128(1..1_000), self.rng.u8(..4));
        let (asset, to) = (AssetId::NATIVE, clients[to]);
        let transfer = accounts::Action::Transfer { asset, to, amount };
        let (rng, promises, chain) = (&mut self.rng, &mut self.promises, handles[0].chain());
        let ask = |state: &dyn Store| match kind {
            0 => vec![(from, names::next(from, chain, state))],
            1 => vec![(from, Action::Accounts(transfer))],
            _ => {
                let energy = street::next(&clients, chain, state);
                let paid = pools::next(&clients, chain, state, promises);
                [markets::next(&clients, state, rng), energy, paid].concat()
            }
        };
        let both = handles[0].with_state(|state| {
            let numbers = clients.iter().map(|client| accounts::nonce(state, *client));
            (numbers.collect::<Vec<u64>>(), ask(state))
        });
        let (mut numbers, asks) = both.unwrap();
        if kind < 2 {
            handles.truncate(1);
        }
        for (client, action) in asks {
            let (signer, nonce) = (clients[client], numbers[client]);
            let mut body = Body::new(chain, signer, nonce, action);
            body.fee = FEE_UNITS;
            let part = client + usize::from(nonce.to_le_bytes()[0]);
            let seed = Seed::from_number(client.try_into().unwrap());
            let bytes = points::sign(body, seed, part).to_bytes();
            // Refused: another one with this number waits.
            for id in handles.iter().filter_map(|handle| handle.submit(&bytes).ok()) {
                self.sent.insert(id, Sent { number: (signer, nonce), bytes: bytes.clone() });
            }
            numbers[client] += 1;
        }
    }

    /// Takes note of receipts that are given, and of blocks.
    fn look(&mut self) {
        let mut news = Vec::new();
        for (_, handle) in self.honest() {
            let open = self.sent.keys().filter(|id| !self.told.contains_key(*id));
            news.extend(open.filter_map(|id| handle.receipt(id).unwrap()));
        }
        for receipt in news {
            let before = self.told.entry(receipt.transaction).or_insert_with(|| receipt.clone());
            assert_eq!(*before, receipt, "two receipts of one transaction");
        }
        self.follow();
    }

    /// Nothing is made final while that long passes.
    pub(super) async fn stands_still(&mut self, span: Duration) {
        let before = self.heights();
        self.pass(span).await;
        assert_eq!(self.heights(), before, "final without two thirds");
    }

    /// Everybody who runs and keeps the rules makes blocks.
    pub(super) async fn goes_on(&mut self) {
        let target = self.heights().into_iter().max().unwrap() + BLOCKS_MIN;
        let end = self.context.current() + DEADLINE;
        while self.heights().into_iter().any(|height| height < target) {
            assert!(self.context.current() < end, "no progress to {target}: {:?}", self.heights());
            self.pass(TICK).await;
        }
    }

    /// Everybody who runs and keeps the rules votes.
    pub(super) async fn all_vote(&mut self) {
        let end = self.context.current() + DEADLINE;
        while !self.honest().all(|(_, handle)| handle.voting()) {
            assert!(self.context.current() < end, "one listens for ever");
            self.pass(TICK).await;
        }
    }

    /// Waits, with nobody asking for anything, until everybody is at the same height.
    async fn comes_to_rest(&mut self) {
        let end = self.context.current() + DEADLINE;
        loop {
            let heights = self.heights();
            if heights.iter().all(|height| *height == heights[0]) {
                return;
            }
            assert!(self.context.current() < end, "never at one height: {heights:?}");
            self.context.sleep(TICK / 8).await;
            self.look();
        }
    }

    /// All is well again: blocks are made, and everybody agrees on all of it.
    pub(super) async fn end(mut self) -> String {
        self.goes_on().await;
        self.all_vote().await;
        self.comes_to_rest().await;
        self.one_history();
        self.laws_hold();
        self.receipts_are_kept();
        self.nobody_honest_is_shut_out().await;
        self.proofs_hold().await;
        self.context.auditor().state()
    }

    fn one_history(&self) {
        let height = self.heights()[0];
        let all: Vec<(usize, &Handle)> = self.honest().collect();
        let records = |handle: &Handle| handle.records().all().unwrap();
        let state = records(all[0].1);
        let since = |handle: &Handle| handle.since().unwrap();
        for (index, handle) in &all[1..] {
            for at in since(all[0].1).max(since(handle))..=height {
                let (one, other) = (all[0].1.header(at).unwrap(), handle.header(at).unwrap());
                assert_eq!(one, other, "validator {index} has another block {at}");
            }
            assert_eq!(records(handle), state, "validator {index} has another state");
        }
        let now = self.context.current().duration_since(std::time::UNIX_EPOCH).unwrap();
        let honest = self.validators.iter().filter(|one| one.honest);
        let clock_ms = honest.map(|one| one.ahead_ms.min(20_000)).max().unwrap();
        let latest_ms = u64::try_from(now.as_millis()).unwrap().saturating_add_signed(clock_ms);
        let mut before_ms = 0;
        for at in since(all[0].1)..=height {
            let bytes = all[0].1.header(at).unwrap().unwrap();
            let time_ms = Header::decode(Copying(&bytes[..])).unwrap().time_ms;
            assert!(time_ms >= before_ms, "time falls at {at}");
            assert!(time_ms <= latest_ms + AHEAD_MS_MAX, "block {at} is of the future");
            before_ms = time_ms;
        }
    }

    fn receipts_are_kept(&self) {
        assert!(!self.told.is_empty(), "nobody paid anything");
        let mut spent = BTreeSet::new();
        for (id, receipt) in &self.told {
            assert!(spent.insert(self.sent[id].number), "two payments with one number");
            for (index, handle) in self.honest() {
                let kept = handle.receipt(id).unwrap();
                let gone = receipt.height < handle.since().unwrap();
                let expected = (!gone).then_some(receipt);
                assert_eq!(kept.as_ref(), expected, "validator {index} lost a receipt");
            }
        }
    }

    async fn nobody_honest_is_shut_out(&self) {
        let keeps =
            |key: &PublicKey| self.validators.iter().any(|one| one.key == *key && one.honest);
        for (from, to) in self.oracle.blocked().await.unwrap() {
            assert!(!keeps(&from) || !keeps(&to), "one that keeps the rules is shut out");
        }
    }

    /// What a validator says of its state holds for who knows nothing but the group key.
    async fn proofs_hold(&mut self) {
        let count = self.honest().count();
        let asked = self.rng.usize(..count);
        let client = AccountId::of_key(self.clients[0].id());
        let (_, handle) = self.honest().nth(asked).unwrap();
        let key = balance_key(client, AssetId::NATIVE);
        let proved = handle.prove(key.clone()).await.unwrap();
        let mut verifier = light_client::Verifier::new(&handle.root().parse().unwrap()).unwrap();
        for proof in &handle.successions(0).unwrap().0 {
            verifier.succeed(proof).unwrap();
        }
        let headers = verifier.finality(&proved.certified.to_wire()).unwrap();
        let proof = proved.to_wire();
        let found = light_client::Verifier::record(&headers[0], key.as_bytes(), &proof).unwrap();
        assert_eq!(found, proved.record.as_deref());
        assert!(found.is_some(), "a client holds units");
    }
}

impl Validator {
    fn new(secrets: Secrets) -> Self {
        Self {
            key: secrets.key.public_key(),
            secrets,
            disk: Disk::default(),
            disks: 1,
            starts: 0,
            ahead_ms: 0,
            honest: true,
            fresh: Arc::new(AtomicBool::new(true)),
            keep_blocks: None,
            running: None,
            height: 0,
        }
    }
}
