//! A meter that tells its quarter hours as they end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::domains::energy::{self, Community, Content, Meter, Opening, READINGS_MAX, Reading};
use ledger::{Action, ChainId, TransactionId};
use primitives::{KeyPair, Seed};

use super::error::refusal;
use super::kept::{Kept, Known, Said};
use super::openings::{self, Group, Opened};
use super::{Feed, MeteringError, write_said};
use crate::ledger_client::{Client, ClientError, Nodes, Waits};

/// How long a block may take to hold a transaction.
pub(super) const WITHIN: Duration = Duration::from_secs(30);
/// Most readings that wait: what the longest window takes.
#[allow(clippy::as_conversions, reason = "`From` is not for constants; widening loses nothing")]
const WAITING_MAX: usize = energy::WINDOW_MAX_SLOTS as usize;
/// Purpose of the secret from which salts follow.
const SALTS: &str = "starling/meter/salts/1";
/// Purpose of the secret from which the keys of letters follow.
const LETTERS: &str = "starling/meter/letters/1";

/// Which meter, and what it tells.
#[derive(Debug)]
pub struct Setup {
    /// The secret of its key.
    pub seed: Seed,
    /// Which community.
    pub community: u32,
    /// Which of its meters; none: the one with this key.
    pub meter: Option<u32>,
    /// Its quarter hours.
    pub feed: Feed,
    /// How much faster than they were metered; none: as the community's clock runs.
    pub speed: Option<u32>,
    /// Whether they are told with their own dates.
    pub as_dated: bool,
    /// Where it writes down what it said.
    pub state: PathBuf,
    /// Folder for a copy of each signed reading.
    pub out: Option<PathBuf>,
    /// For whom what was metered is sealed.
    pub group: Option<Group>,
}

/// A meter of a community, at work.
#[derive(Debug)]
pub struct Live {
    key: KeyPair,
    salts: Seed,
    letters: Seed,
    chain: ChainId,
    id: (u32, u32),
    community: Community,
    device: Meter,
    feed: Feed,
    kept: Kept,
    out: Option<PathBuf>,
    group: Option<Group>,
    pace: Pace,
}

/// How fast its feed goes by.
#[derive(Debug)]
struct Pace {
    speed: Option<u32>,
    began_ms: u64,
    /// The slot with which this run began.
    first: u64,
}

/// What a meter took from its feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Took {
    /// Signed.
    pub signed: usize,
    /// The window was over, or the meter came later: they count in its counters and trade nothing.
    pub missed: usize,
    /// More than the connection carries in a slot: a file of something larger.
    pub too_much: usize,
}

impl Live {
    /// Finds the meter on the ledger and what it said before.
    ///
    /// # Errors
    /// See [`MeteringError`].
    pub async fn open(nodes: &mut Nodes, setup: Setup, now_ms: u64) -> Result<Self, MeteringError> {
        if setup.feed.is_empty() {
            return Err(MeteringError::EmptyFeed);
        }
        let key = KeyPair::from_seed(setup.seed);
        let chain = nodes.ask(async |client: &Client| client.status().await).await?.chain;
        let community = find_community(nodes, setup.community).await?;
        let (number, device) = find_meter(nodes, &setup, &key).await?;
        let fresh = Known {
            chain,
            community: setup.community,
            meter: number,
            shift: 0,
            next: i64::MIN / 4,
            import_wh: 0,
            export_wh: 0,
            last_slot: None,
            waiting: Vec::new(),
        };
        let path = state_path(&setup.state, setup.community, number);
        let mut kept = Kept::open(&path, fresh).await?;
        let is_new = kept.is_new();
        kept.catch_up(device.last);
        let pace = Pace { speed: setup.speed, began_ms: now_ms, first: 0 };
        let mut live = Self {
            key,
            salts: setup.seed.derive(SALTS),
            letters: setup.seed.derive(LETTERS),
            chain,
            id: (setup.community, number),
            community,
            device,
            feed: setup.feed,
            kept,
            out: setup.out,
            group: setup.group,
            pace,
        };
        live.begin(now_ms, is_new, setup.as_dated);
        // Whoever was killed after writing down what it signed had not put it where it belongs.
        let waiting = &live.kept.known.waiting;
        let again: Vec<Opened> = waiting.iter().filter_map(|said| live.opened(&said.0)).collect();
        live.put(&again).await?;
        Ok(live)
    }

    /// Decides which quarter hour of the feed is told first, and as which slot.
    fn begin(&mut self, now_ms: u64, is_new: bool, as_dated: bool) {
        let now = self.community.slot_at(now_ms);
        let earliest = self.earliest(now);
        // A feed that goes by faster than the clock may use what is left of the window.
        let is_faster = self.pace.speed.is_some_and(|speed| speed > self.community.pace());
        let first = signed(if is_faster { earliest } else { earliest.max(now) });
        let known = &mut self.kept.known;
        if as_dated || matches!(self.feed, Feed::Household(_)) {
            known.shift = 0;
            known.next = known.next.max(signed(earliest));
        } else if is_new {
            known.next = self.feed.first_like(first);
            known.shift = first - known.next;
        }
        // What came to an end while nobody told it is not waited for again.
        self.pace.first = self.next_slot().unwrap_or(earliest).max(earliest);
    }

    /// The first slot that may still be read, with one to spare for the way.
    fn earliest(&self, now: u64) -> u64 {
        let after = self.kept.known.last_slot.map_or(0, |slot| slot + 1);
        let open = self.community.oldest(now).saturating_add(1);
        self.device.from_slot.max(after).max(open)
    }

    /// Which meter: community and number.
    pub fn id(&self) -> (u32, u32) {
        self.id
    }

    /// Its community.
    pub fn community(&self) -> &Community {
        &self.community
    }

    /// Its counters now, in Wh: taken and given.
    pub fn counters(&self) -> (u64, u64) {
        (self.kept.known.import_wh, self.kept.known.export_wh)
    }

    /// The next slot that it will tell; none: its feed is through.
    pub fn next_slot(&self) -> Option<u64> {
        let next = self.feed.at_or_after(self.kept.known.next)?;
        u64::try_from(next.slot + self.kept.known.shift).ok()
    }

    /// When the next slot may be told, in milliseconds since 1970; none: its feed is through.
    pub fn due_ms(&self) -> Option<u64> {
        let next = self.next_slot()?;
        let ended_ms = self.community.begins_ms(next + 1);
        let by_speed = self.pace.speed.map_or(0, |speed| {
            let slots = (next + 1).saturating_sub(self.pace.first);
            // Slots of the time when nobody told them are due at once.
            self.pace.began_ms + slots.saturating_mul(energy::SLOT_S * 1_000) / u64::from(speed)
        });
        Some(ended_ms.max(by_speed))
    }

    /// Takes what has ended from the feed, signs it, and writes it down.
    ///
    /// # Errors
    /// It can't be written down: then nobody is told either.
    pub async fn take(&mut self, now_ms: u64) -> Result<Took, MeteringError> {
        let mut took = Took::default();
        let now = self.community.slot_at(now_ms);
        let oldest = self.community.oldest(now).max(self.device.from_slot);
        let most_wh = u64::from(self.device.connection_w) * energy::SLOT_S / 3_600;
        let mut new = Vec::new();
        let before = self.kept.known.waiting.len();
        self.kept.known.waiting.retain(|said| said.0.slot >= oldest);
        took.missed += before - self.kept.known.waiting.len();
        while self.due_ms().is_some_and(|due_ms| due_ms <= now_ms) {
            let (Some(slot), false) = (self.next_slot(), self.is_full()) else { break };
            let Some(quarter) = self.feed.at_or_after(self.kept.known.next) else { break };
            let known = &mut self.kept.known;
            known.next = quarter.slot + 1;
            known.last_slot = Some(slot);
            known.import_wh = known.import_wh.saturating_add(quarter.import_wh);
            known.export_wh = known.export_wh.saturating_add(quarter.export_wh);
            if quarter.import_wh.max(quarter.export_wh) > most_wh {
                took.too_much += 1;
            } else if slot < oldest {
                took.missed += 1;
            } else {
                let said = self.sign(slot, quarter.import_wh, quarter.export_wh);
                self.kept.known.waiting.push(Said(said.reading.clone()));
                new.push(said);
                took.signed += 1;
            }
        }
        if took != Took::default() {
            self.kept.write().await?;
        }
        self.put(&new).await?;
        Ok(took)
    }

    /// Copies what was signed, and seals what it commits to. The same has the same file; the key of a
    /// letter is of what is in it, so that none seals two things, even where a slot is signed anew.
    async fn put(&self, said: &[Opened]) -> Result<(), MeteringError> {
        if let Some(folder) = &self.out {
            for one in said {
                write_said(folder, &one.reading).await?;
            }
        }
        if let Some(group) = &self.group {
            for one in said {
                let label = format!("{}/{}", self.label(one.reading.slot), one.digest());
                openings::write(group, self.chain, one, self.letters.derive(&label)).await?;
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.kept.known.waiting.len() >= WAITING_MAX
    }

    /// The salt follows from the key and the slot: what is signed again is signed alike.
    fn sign(&self, slot: u64, import_wh: u64, export_wh: u64) -> Opened {
        let (import_total_wh, export_total_wh) = self.counters();
        let opening = self.opening(slot, (import_wh, export_wh), self.counters());
        let commitment = opening.commitment();
        let content =
            Content { import_wh, export_wh, import_total_wh, export_total_wh, commitment };
        let reading = Reading::sign(&self.key, self.chain, self.id, (slot, 0), content);
        Opened { reading, opening }
    }

    /// What a slot's commitment opens to.
    fn opening(&self, slot: u64, metered_wh: (u64, u64), registers_wh: (u64, u64)) -> Opening {
        Opening {
            salt: *self.salts.derive(&self.label(slot)).as_bytes(),
            import_wh: metered_wh.0,
            export_wh: metered_wh.1,
            import_register_wh: registers_wh.0,
            export_register_wh: registers_wh.1,
        }
    }

    /// What it said, with what that commits to; none: another program signed it.
    fn opened(&self, reading: &Reading) -> Option<Opened> {
        let Content { import_wh, export_wh, import_total_wh, export_total_wh, commitment } =
            reading.content;
        let registers_wh = (import_total_wh, export_total_wh);
        let opening = self.opening(reading.slot, (import_wh, export_wh), registers_wh);
        let reading = reading.clone();
        (opening.commitment() == commitment).then_some(Opened { reading, opening })
    }

    /// A slot of this meter, among all there are.
    fn label(&self, slot: u64) -> String {
        let (community, meter) = self.id;
        format!("{}/{community}/{meter}/{slot}", self.chain)
    }

    /// The oldest readings that wait, as many as one transaction takes.
    pub fn waiting(&self) -> Vec<Reading> {
        self.kept.known.waiting.iter().take(READINGS_MAX).map(|said| said.0.clone()).collect()
    }

    /// Whether all was told and taken.
    pub fn is_done(&self) -> bool {
        self.kept.known.waiting.is_empty() && self.next_slot().is_none()
    }

    /// Forgets readings that a block holds.
    ///
    /// # Errors
    /// It can't be written down.
    pub async fn handed_in(&mut self, readings: &[Reading]) -> Result<(), MeteringError> {
        let before = self.kept.known.waiting.len();
        self.kept.known.waiting.retain(|said| !readings.contains(&said.0));
        if before == self.kept.known.waiting.len() { Ok(()) } else { self.kept.write().await }
    }
}

/// Hands readings in and waits for the block; it is told which, unless all were in one before.
///
/// # Errors
/// The ledger refuses them, or does not answer.
pub async fn hand_in(
    nodes: &mut Nodes,
    payer: &KeyPair,
    readings: Vec<Reading>,
) -> Result<Option<TransactionId>, MeteringError> {
    let action = Action::Energy(energy::Action::Read { readings });
    match act(nodes, payer, &action).await {
        Ok(id) => Ok(Some(id)),
        Err(error) if refusal(&error) == Some(energy::Error::NothingNew) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Acts, and waits until a block holds it.
pub(super) async fn act(
    nodes: &mut Nodes,
    key: &KeyPair,
    action: &Action,
) -> Result<TransactionId, ClientError> {
    let id = nodes.act(key, action, Waits::default()).await?;
    nodes.ask(async |client: &Client| client.done(id, WITHIN).await).await?;
    Ok(id)
}

/// A community that must be there.
pub(super) async fn find_community(
    nodes: &mut Nodes,
    number: u32,
) -> Result<Community, MeteringError> {
    let key = energy::community_key(number);
    let found = nodes.ask(async |client: &Client| client.record(&key).await).await?;
    found.ok_or(MeteringError::NoCommunity(number))
}

async fn find_meter(
    nodes: &mut Nodes,
    setup: &Setup,
    key: &KeyPair,
) -> Result<(u32, Meter), MeteringError> {
    let community = setup.community;
    let (number, device) = match setup.meter {
        Some(meter) => {
            let at = energy::meter_key(community, meter);
            let found: Option<Meter> =
                nodes.ask(async |client: &Client| client.record(&at).await).await?;
            (meter, found.ok_or(MeteringError::NoMeter { community, meter })?)
        }
        None => meter_of_key(nodes, community, key)
            .await?
            .ok_or(MeteringError::NoMeterOfKey(community))?,
    };
    if device.key != key.id() {
        return Err(MeteringError::OtherKey { community, meter: number });
    }
    if device.cut {
        Err(MeteringError::Cut { community, meter: number })
    } else {
        Ok((number, device))
    }
}

/// The meter of a community with a key.
pub(super) async fn meter_of_key(
    nodes: &mut Nodes,
    community: u32,
    key: &KeyPair,
) -> Result<Option<(u32, Meter)>, ClientError> {
    let prefix = energy::meters_prefix(community);
    let all: Vec<(ledger::Key, Meter)> = nodes
        .ask(async |client: &Client| client.list(&prefix, &mut ledger::MemoryStore::new()).await)
        .await?;
    let mut all = all.into_iter();
    let found = all.find(|(_, meter)| meter.key == key.id());
    Ok(found.and_then(|(at, meter)| Some((energy::meter_of(&at)?, meter))))
}

/// The file itself; in a folder, one for each meter.
fn state_path(state: &Path, community: u32, meter: u32) -> PathBuf {
    if state.extension().is_some_and(|ends| ends == "json") {
        state.to_owned()
    } else {
        state.join(format!("meter-{community}-{meter}.json"))
    }
}

/// A slot among those before 1970.
fn signed(slot: u64) -> i64 {
    i64::try_from(slot).unwrap_or(i64::MAX / 4)
}
