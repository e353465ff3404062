//! A community on a ledger in memory.

use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use ledger::domains::energy::{
    self, Content, METERS_OF_MEMBER_MAX, Mode, Opening, Purse, READINGS_MAX, Reading, SLOT_S,
    Source, WINDOW_MIN_SLOTS, meter_proof,
};
use ledger::{
    AccountId, Action, AssetId, BlockContext, Body, Genesis, MemoryStore, Overlay, Params,
    Scan as _,
};
use primitives::{KeyPair, Seed};

use super::rules;

/// The community.
const COMMUNITY: u32 = 1;
/// Units that everybody pays in.
const DEPOSIT: u128 = 1 << 60;
/// The slot in which it begins.
const START: u64 = 2_000_000;
/// Slots of a day.
const DAY: u64 = 96;

/// Bytes that a meter costs in a day.
pub(super) struct Bytes {
    /// Keys and records.
    pub(super) records: u64,
    /// Transactions.
    pub(super) transactions: u64,
}

/// A community whose meters all read.
pub(super) struct Street {
    store: MemoryStore,
    context: BlockContext,
    people: Vec<KeyPair>,
    meters: Vec<KeyPair>,
    /// The next slot to read.
    next: u64,
    /// Wh that each meter counted in each direction.
    total_wh: u64,
    /// Bytes of transactions so far.
    sent_bytes: u64,
}

fn account(key: &KeyPair) -> AccountId {
    AccountId::of_key(key.id())
}

impl Street {
    /// One with so many meters, the first member its operator, grid and network.
    pub(super) fn new(meters: u16) -> Result<Self> {
        let key = |number: u64| KeyPair::from_seed(Seed::from_number(number));
        let people: Vec<KeyPair> =
            (0..u64::from(meters.div_ceil(METERS_OF_MEMBER_MAX))).map(key).collect();
        let genesis = Genesis {
            name: "bench".to_owned(),
            time_ms: START * SLOT_S * 1_000,
            params: Params::default(),
            symbol: "UNIT".to_owned(),
            decimals: 6,
            allocations: people.iter().map(|one| (account(one), 4 * DEPOSIT)).collect(),
        };
        let mut store = MemoryStore::new();
        store.commit(genesis.changes().map_err(|error| anyhow!("{error}"))?);
        let context = BlockContext { chain: genesis.chain(), height: 1, time_ms: genesis.time_ms };
        let mut street = Self {
            store,
            context,
            people,
            meters: (0..u64::from(meters)).map(|number| key(1_000 + number)).collect(),
            next: START + 1,
            total_wh: 0,
            sent_bytes: 0,
        };
        street.found()?;
        Ok(street)
    }

    fn found(&mut self) -> Result<()> {
        let (asset, window_slots) = (AssetId::NATIVE, WINDOW_MIN_SLOTS);
        let operator = account(&self.people[0]);
        let (grid, network, rules) = (operator, operator, rules(Mode::Sharing));
        self.act(0, energy::Action::Open { asset, grid, network, window_slots, rules })?;
        let deposit =
            |purse| energy::Action::Deposit { community: COMMUNITY, purse, amount: DEPOSIT };
        self.act(0, deposit(Purse::Grid))?;
        for person in 0..self.people.len() {
            let account = account(&self.people[person]);
            self.act(0, energy::Action::Admit { community: COMMUNITY, account })?;
            self.act(person, deposit(Purse::Member))?;
        }
        for number in 0..self.meters.len() {
            let owner = number / usize::from(METERS_OF_MEMBER_MAX);
            let (device, who) = (&self.meters[number], account(&self.people[owner]));
            let proof = device.sign(&meter_proof(self.context.chain, COMMUNITY, who));
            let (key, source, connection_w) = (device.id(), Source::Solar, 20_000);
            let community = COMMUNITY;
            let add = energy::Action::AddMeter { community, key, source, connection_w, proof };
            self.act(owner, add)?;
        }
        Ok(())
    }

    /// Acts, without a fee; how long executing took.
    fn act(&mut self, who: usize, action: energy::Action) -> Result<Duration> {
        let (signer, action) = (account(&self.people[who]), Action::Energy(action));
        let start = Instant::now();
        let mut state = Overlay::new(&self.store);
        let done = ledger::execute(&self.context, signer, &action, &mut state);
        let (changes, _) = state.into_parts();
        self.store.commit(changes);
        let took = start.elapsed();
        done.map_err(|code| anyhow!("refusal {code} of {action:?}"))?;
        let body = Body::new(self.context.chain, signer, 0, action);
        let bytes = body.sign(&self.people[who]).to_bytes().len();
        self.sent_bytes += u64::try_from(bytes)?;
        Ok(took)
    }

    /// Reads and settles so many slots; how long taking readings took, and settling.
    pub(super) fn slots(&mut self, count: u64) -> Result<(Duration, Duration)> {
        let (mut read, mut settled) = (Duration::ZERO, Duration::ZERO);
        let first = self.next;
        for slot in first..first + count {
            self.context.time_ms = (slot + 1) * SLOT_S * 1_000;
            let readings = self.readings(slot);
            for batch in readings.chunks(READINGS_MAX) {
                read += self.act(0, energy::Action::Read { readings: batch.to_vec() })?;
            }
        }
        self.next = first + count + u64::from(WINDOW_MIN_SLOTS);
        self.context.time_ms = self.next * SLOT_S * 1_000;
        for slot in first..first + count {
            settled += self.settle(slot)?;
        }
        Ok((read, settled))
    }

    fn settle(&mut self, slot: u64) -> Result<Duration> {
        let readings_max = u16::try_from(self.meters.len())?;
        self.act(0, energy::Action::Settle { community: COMMUNITY, slot, readings_max })
    }

    /// Half of the meters take, half give.
    fn readings(&mut self, slot: u64) -> Vec<Reading> {
        let energy_wh = 400 + slot % 7;
        self.total_wh += energy_wh;
        let (chain, total_wh) = (self.context.chain, self.total_wh);
        let said = |(number, key): (u32, &KeyPair)| {
            let (import_wh, import_total_wh) =
                if number.is_multiple_of(2) { (energy_wh, total_wh) } else { (0, 0) };
            let (export_wh, export_total_wh) = (energy_wh - import_wh, total_wh - import_total_wh);
            let opening = Opening {
                salt: [7; 32],
                import_wh,
                export_wh,
                import_register_wh: import_total_wh,
                export_register_wh: export_total_wh,
            };
            let commitment = opening.commitment();
            let content =
                Content { import_wh, export_wh, import_total_wh, export_total_wh, commitment };
            Reading::sign(key, chain, (COMMUNITY, number), (slot, 0), content)
        };
        (0..).zip(&self.meters).map(said).collect()
    }

    /// What a day leaves, for each meter.
    pub(super) fn bytes_of_a_day(&mut self) -> Result<Bytes> {
        let (records, sent) = (self.record_bytes(), self.sent_bytes);
        self.slots(DAY)?;
        let meters = u64::try_from(self.meters.len())?;
        Ok(Bytes {
            records: (self.record_bytes() - records) / meters,
            transactions: (self.sent_bytes - sent) / meters,
        })
    }

    fn record_bytes(&self) -> u64 {
        let mut bytes = 0;
        // 7: communities.
        self.store.scan(&[7], &mut |key, record| bytes += key.as_bytes().len() + record.len());
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}
