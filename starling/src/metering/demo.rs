//! A street of twelve households to try energy on: some with a roof, some without, a sunny day and a cloudy
//! one in turn.
//!
//! Made by ordinary transactions of one account, the operator's, and of the households; what is there is
//! left, so that it can be run again. What each uses and gives is a formula ([`super::Household`]).

use std::path::{Path, PathBuf};

use ledger::domains::energy::{
    self, Community, Member, Meter, Mode, Purse, Reading, Rules, Source, Tariff, Trust,
};
use ledger::{AccountId, Action, AssetId, Key};
use primitives::{KeyPair, Seed};

use super::live::{find_community, meter_of_key};
use super::{Feed, Household, Live, MeteringError, Setup, Took, hand_in};
use crate::keepers::demo::{Owner, not_there};
use crate::key_file;
use crate::ledger_client::{Client, ClientError, Nodes};

/// Households of the street.
pub const HOUSEHOLDS: u32 = 12;
/// In what is paid: the asset of the demo's market, too.
const SYMBOL: &str = "COIN";
/// 30 cents from the grid, 8 to it, 5 for the way between neighbours: 16.5 in the middle.
pub const RULES: Rules = Rules {
    mode: Mode::Sharing,
    tariff: Tariff { retail: 300_000, feed_in: 80_000, grid_fee: 50_000 },
    loss_ppm: 0,
    trust_min: Trust::SelfReported,
};
/// Time for readings after a slot, in slots: an hour.
const WINDOW_SLOTS: u16 = 4;
/// What a household's connection carries: three phases of 25 A.
const CONNECTION_W: u32 = 17_250;
/// What a household pays in when it has less than a tenth of it, in units: a thousand.
const PURSE_UNITS: u128 = 1_000_000_000;
/// The same for the retailer: a hundred thousand.
const GRID_UNITS: u128 = 100_000_000_000;

/// A household, and what it signs with.
#[derive(Debug, Clone)]
pub struct Home {
    /// What it uses and gives.
    pub household: Household,
    /// Its account.
    pub account: AccountId,
    /// Its meter's number.
    pub meter: u32,
    /// The file of its account's key.
    pub key: PathBuf,
    /// The file of its meter's key.
    pub meter_key: PathBuf,
}

/// The street.
#[derive(Debug, Clone)]
pub struct Street {
    /// Which community.
    pub community: u32,
    /// In what is paid.
    pub asset: AssetId,
    /// How many times as fast its clock runs.
    pub pace: u32,
    /// Its households.
    pub homes: Vec<Home>,
    /// Who hands readings in and settles.
    pub collector: PathBuf,
    /// Transactions it took; 0: all was there.
    pub sent: usize,
}

/// Makes what is missing of the street; keys lie in `folder`.
///
/// # Errors
/// The operator can't pay, a validator does not answer, or the folder can't be used.
pub async fn set_up(
    nodes: &mut Nodes,
    operator: &KeyPair,
    folder: &Path,
    pace: u32,
) -> Result<Street, MeteringError> {
    let mut owner = Owner::new(nodes, operator);
    let collector = folder.join("collector.key");
    let collecting = AccountId::of_key(key_file::load_or_create(&collector)?.key.id());
    owner.pay_fees_of(collecting).await?;
    let asset = owner.asset(SYMBOL).await?;
    let community = open(&mut owner, asset, pace).await?;
    let mut sent = owner.sent;
    let mut homes = Vec::new();
    for number in 1..=HOUSEHOLDS {
        let home = move_in(nodes, operator, folder, (community, asset), number).await?;
        sent += home.1;
        homes.push(home.0);
    }
    Ok(Street { community, asset, pace, homes, collector, sent })
}

/// Takes an account into the street and gives it money to pay in.
///
/// # Errors
/// As [`set_up`].
pub async fn admit(
    nodes: &mut Nodes,
    operator: &KeyPair,
    street: &Street,
    account: AccountId,
) -> Result<(), MeteringError> {
    let mut owner = Owner::new(nodes, operator);
    let community = street.community;
    if member(&mut owner, community, account).await?.is_none() {
        owner.act(Action::Energy(energy::Action::Admit { community, account })).await?;
    }
    owner.pay_fees_of(account).await?;
    Ok(owner.issue(street.asset, account, PURSE_UNITS).await?)
}

/// The operator's community with this asset and clock; opened if there is none, and its grid filled.
async fn open(owner: &mut Owner<'_>, asset: AssetId, pace: u32) -> Result<u32, MeteringError> {
    let (number, community) = match find(owner, asset, pace).await? {
        Some(found) => found,
        None => {
            let (grid, network, window_slots) = (owner.account, owner.account, WINDOW_SLOTS);
            let rules = RULES;
            let open = if pace == 1 {
                energy::Action::Open { asset, grid, network, window_slots, rules }
            } else {
                energy::Action::OpenTrial { asset, grid, network, window_slots, rules, pace }
            };
            owner.act(Action::Energy(open)).await?;
            find(owner, asset, pace).await?.ok_or_else(|| not_there("a community"))?
        }
    };
    if community.funds.grid_free < GRID_UNITS / 10 {
        let own = owner.account;
        owner.issue(asset, own, GRID_UNITS).await?;
        pay_in(owner, number, Purse::Grid, GRID_UNITS).await?;
    }
    Ok(number)
}

async fn find(
    owner: &mut Owner<'_>,
    asset: AssetId,
    pace: u32,
) -> Result<Option<(u32, Community)>, MeteringError> {
    let all: Vec<(Key, Community)> = owner.list(energy::communities_prefix()).await?;
    let operator = owner.account;
    let is_it = |one: &Community| {
        one.operator == operator && one.asset == asset && one.pace() == pace && one.grid == operator
    };
    let found = all.into_iter().find(|(_, one)| is_it(one));
    Ok(found.and_then(|(key, one)| Some((energy::community_of(&key)?, one))))
}

/// Makes what is missing of a household; it, and how many transactions that took.
async fn move_in(
    nodes: &mut Nodes,
    operator: &KeyPair,
    folder: &Path,
    (community, asset): (u32, AssetId),
    number: u32,
) -> Result<(Home, usize), MeteringError> {
    let household = Household::of_street(number);
    let path = folder.join(format!("household-{number:02}.key"));
    let meter_path = folder.join(format!("meter-{number:02}.key"));
    let key = key_file::load_or_create(&path)?.key;
    let meter_key = key_file::load_or_create(&meter_path)?.key;
    let account = AccountId::of_key(key.id());
    let mut owner = Owner::new(nodes, operator);
    let known = member(&mut owner, community, account).await?;
    if known.is_none() {
        owner.act(Action::Energy(energy::Action::Admit { community, account })).await?;
    }
    let is_poor = known.is_none_or(|known| known.free + known.held < PURSE_UNITS / 10);
    if is_poor {
        owner.pay_fees_of(account).await?;
        owner.issue(asset, account, PURSE_UNITS).await?;
    }
    let mut sent = owner.sent;
    let mut own = Owner::new(nodes, &key);
    if is_poor {
        pay_in(&mut own, community, Purse::Member, PURSE_UNITS).await?;
    }
    sent += own.sent;
    let meter = match meter_of_key(nodes, community, &meter_key).await? {
        Some((meter, _)) => meter,
        None => {
            sent += 1;
            let source = if household.peak_w > 0 { Source::Solar } else { Source::Unknown };
            add_meter(nodes, &key, (community, source, CONNECTION_W), &meter_key).await?
        }
    };
    Ok((Home { household, account, meter, key: path, meter_key: meter_path }, sent))
}

/// Adds a meter of the account of `owner`; its number.
///
/// # Errors
/// The ledger refuses, or does not answer.
pub async fn add_meter(
    nodes: &mut Nodes,
    owner: &KeyPair,
    (community, source, connection_w): (u32, Source, u32),
    meter: &KeyPair,
) -> Result<u32, MeteringError> {
    find_community(nodes, community).await?;
    let chain = nodes.ask(async |client: &Client| client.status().await).await?.chain;
    let account = AccountId::of_key(owner.id());
    let proof = meter.sign(&energy::meter_proof(chain, community, account));
    let key = meter.id();
    let add = energy::Action::AddMeter { community, key, source, connection_w, proof };
    Owner::new(nodes, owner).act(Action::Energy(add)).await?;
    let found: Option<(u32, Meter)> = meter_of_key(nodes, community, meter).await?;
    Ok(found.ok_or_else(|| not_there("a meter"))?.0)
}

async fn member(
    owner: &mut Owner<'_>,
    community: u32,
    account: AccountId,
) -> Result<Option<Member>, MeteringError> {
    Ok(owner.record(energy::member_key(community, account)).await?)
}

async fn pay_in(
    owner: &mut Owner<'_>,
    community: u32,
    purse: Purse,
    amount: u128,
) -> Result<(), MeteringError> {
    let deposit = energy::Action::Deposit { community, purse, amount };
    Ok(owner.act(Action::Energy(deposit)).await?)
}

/// The street's meters in one process, with one account that pays for all.
#[derive(Debug)]
pub struct Meters {
    payer: KeyPair,
    lives: Vec<Live>,
}

impl Meters {
    /// Those of a street; what they say is written down in `folder`.
    ///
    /// # Errors
    /// See [`MeteringError`].
    pub async fn open(
        nodes: &mut Nodes,
        street: &Street,
        folder: &Path,
        now_ms: u64,
    ) -> Result<Self, MeteringError> {
        let payer = KeyPair::from_seed(key_file::load(&street.collector)?);
        let mut lives = Vec::new();
        for home in &street.homes {
            let seed: Seed = key_file::load(&home.meter_key)?;
            let setup = Setup {
                seed,
                community: street.community,
                meter: Some(home.meter),
                feed: Feed::Household(home.household),
                speed: None,
                as_dated: false,
                state: folder.to_owned(),
                out: None,
                group: None,
            };
            lives.push(Live::open(nodes, setup, now_ms).await?);
        }
        Ok(Self { payer, lives })
    }

    /// When the next slot has ended, in milliseconds since 1970.
    pub fn due_ms(&self) -> Option<u64> {
        self.lives.iter().filter_map(Live::due_ms).min()
    }

    /// Signs what has ended and hands it in, all in one transaction; where that is refused, each meter's by
    /// itself. What was taken.
    ///
    /// # Errors
    /// The first of what failed; the others were handed in.
    pub async fn round(&mut self, nodes: &mut Nodes, now_ms: u64) -> Result<Took, MeteringError> {
        let mut all = Took::default();
        for live in &mut self.lives {
            let took = live.take(now_ms).await?;
            all.signed += took.signed;
            all.missed += took.missed;
            all.too_much += took.too_much;
        }
        let share = energy::READINGS_MAX / self.lives.len().max(1);
        let each = |live: &Live| live.waiting().into_iter().take(share.max(1)).collect::<Vec<_>>();
        let readings: Vec<Reading> = self.lives.iter().flat_map(each).collect();
        if readings.is_empty() {
            return Ok(all);
        }
        match hand_in(nodes, &self.payer, readings.clone()).await {
            Ok(_) => self.handed_in(&readings).await?,
            // One of them: the others are not to wait for it.
            Err(MeteringError::Client(ClientError::Failed { .. })) => {
                self.each_alone(nodes).await?;
            }
            Err(error) => return Err(error),
        }
        Ok(all)
    }

    async fn handed_in(&mut self, readings: &[Reading]) -> Result<(), MeteringError> {
        for live in &mut self.lives {
            live.handed_in(readings).await?;
        }
        Ok(())
    }

    async fn each_alone(&mut self, nodes: &mut Nodes) -> Result<(), MeteringError> {
        let mut done = Ok(());
        for live in &mut self.lives {
            let readings = live.waiting();
            if readings.is_empty() {
                continue;
            }
            match hand_in(nodes, &self.payer, readings.clone()).await {
                Ok(_) => live.handed_in(&readings).await?,
                Err(error) => done = done.and(Err(error)),
            }
        }
        done
    }
}
