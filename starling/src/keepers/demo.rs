//! A market to try lending on: SUN is pledged, COIN is borrowed, four reporters say what they are worth.
//!
//! Made by transactions of one account, the owner's; what is there already is left, so that it can be run
//! again. If the owner is a demo network's faucet, `/ledger/faucet/{account}?asset=` gives both away.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::domains::lending::{self, Config, Curve, Market, Position, Reserve};
use ledger::domains::{
    accounts::{self, Balance},
    assets::{self, Asset},
    oracle::{self, Feed},
};
use ledger::{AccountId, Action, AssetId, Key, MemoryStore};
use minicbor::Decode;
use primitives::KeyPair;

use super::reporter::every;
use super::{Bounds, ReportError, Reporter, Source};
use crate::key_file::{self, KeyFileError};
use crate::ledger_client::{Client, ClientError, Nodes, Waits};

/// What is pledged and what is borrowed, in the market's order, each with its first price.
const ASSETS: [(&str, &str); 2] = [("SUN", "2.5"), ("COIN", "1")];
/// Position of COIN in the market.
const COIN: u8 = 1;
/// Decimals of both.
const DECIMALS: u8 = 6;
/// COIN that are lent from the start, in units: 100,000.
const LENT_UNITS: u128 = 100_000_000_000;
/// Most of each that may be supplied or owed, in units: a million.
const CAP_UNITS: u128 = 1_000_000_000_000;
/// Reporters: one of four may be wrong in any way.
const REPORTERS: usize = 4;
/// How long a report counts, in seconds.
const AGE_MAX_S: u64 = 120;
/// What is given of each to who asks, in units: a thousand.
const GIFT_UNITS: u128 = 1_000_000_000;
/// Units of the ledger's own that a reporter is given for fees when it has less than a tenth of them.
const FEES_UNITS: u128 = 1_000_000_000;
/// How long a block may take to hold a transaction.
const WITHIN: Duration = Duration::from_secs(30);

/// Why there is no such market.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The ledger.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A reporter.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A reporter's key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A file of a price.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The market, and what its reporters need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// Which market.
    pub market: u32,
    /// SUN and COIN.
    pub assets: [AssetId; 2],
    /// Their feeds.
    pub feeds: [u32; 2],
    /// Files of the reporters' keys.
    pub reporters: Vec<PathBuf>,
    /// Files of the prices, which are read before each report.
    pub prices: [PathBuf; 2],
    /// Transactions it took; 0: all was there.
    pub sent: usize,
}

/// Somebody who makes what is missing of a demo, by transactions.
#[derive(Debug)]
pub(crate) struct Owner<'a> {
    nodes: &'a mut Nodes,
    key: &'a KeyPair,
    pub(crate) account: AccountId,
    /// Transactions so far.
    pub(crate) sent: usize,
}

/// Makes what is missing of the market, its feeds and its assets; keys and prices lie in `folder`.
///
/// # Errors
/// The owner can't pay, a validator does not answer, or the folder can't be used.
pub async fn set_up(nodes: &mut Nodes, owner: &KeyPair, folder: &Path) -> Result<Demo, SetUpError> {
    let paths = (1..=REPORTERS).map(|number| folder.join(format!("reporter-{number}.key")));
    let reporters: Vec<PathBuf> = paths.collect();
    let mut accounts = Vec::new();
    for path in &reporters {
        accounts.push(AccountId::of_key(key_file::load_or_create(path)?.key.id()));
    }
    accounts.sort();
    let mut prices = Vec::new();
    for (symbol, price) in ASSETS {
        prices.push(price_file(folder, symbol, price)?);
    }
    let prices: [PathBuf; 2] = prices.try_into().expect("there are two assets");
    let mut owner = Owner::new(nodes, owner);
    for reporter in &accounts {
        owner.pay_fees_of(*reporter).await?;
    }
    let assets = [owner.asset(ASSETS[0].0).await?, owner.asset(ASSETS[1].0).await?];
    let feeds = owner.feeds(&accounts).await?;
    let market = owner.market(assets, feeds).await?;
    owner.lend(market, assets[1]).await?;
    Ok(Demo { market, assets, feeds, reporters, prices, sent: owner.sent })
}

/// Gives a thousand of each asset to an account, as a demo network's faucet does.
///
/// # Errors
/// The owner can't pay, or a validator does not answer.
pub async fn give(
    nodes: &mut Nodes,
    owner: &KeyPair,
    demo: &Demo,
    to: AccountId,
) -> Result<(), SetUpError> {
    let mut owner = Owner::new(nodes, owner);
    for asset in demo.assets {
        owner.issue(asset, to, GIFT_UNITS).await?;
    }
    Ok(())
}

fn price_file(folder: &Path, symbol: &str, price: &str) -> Result<PathBuf, SetUpError> {
    let path = folder.join(format!("{}.price", symbol.to_lowercase()));
    if !path.exists() {
        let io = |source| SetUpError::Io { path: path.clone(), source };
        std::fs::write(&path, format!("{price}\n")).map_err(io)?;
    }
    Ok(path)
}

impl<'a> Owner<'a> {
    pub(crate) fn new(nodes: &'a mut Nodes, key: &'a KeyPair) -> Self {
        Self { nodes, key, account: AccountId::of_key(key.id()), sent: 0 }
    }

    pub(crate) async fn act(&mut self, action: Action) -> Result<(), ClientError> {
        let id = self.nodes.act(self.key, &action, Waits::default()).await?;
        self.nodes.ask(async |client: &Client| client.done(id, WITHIN).await).await?;
        self.sent += 1;
        Ok(())
    }

    pub(crate) async fn list<T: for<'b> Decode<'b, ()>>(
        &mut self,
        prefix: Key,
    ) -> Result<Vec<(Key, T)>, ClientError> {
        let listing = async |client: &Client| client.list(&prefix, &mut MemoryStore::new()).await;
        self.nodes.ask(listing).await
    }

    pub(crate) async fn record<T: for<'b> Decode<'b, ()>>(
        &mut self,
        key: Key,
    ) -> Result<Option<T>, ClientError> {
        self.nodes.ask(async |client: &Client| client.record(&key).await).await
    }

    pub(crate) async fn balance(
        &mut self,
        account: AccountId,
        asset: AssetId,
    ) -> Result<u128, ClientError> {
        let held: Option<Balance> = self.record(accounts::balance_key(account, asset)).await?;
        Ok(held.unwrap_or_default().amount)
    }

    /// Gives an account units for fees, unless it has some.
    pub(crate) async fn pay_fees_of(&mut self, to: AccountId) -> Result<(), ClientError> {
        let asset = AssetId::NATIVE;
        if self.balance(to, asset).await? >= FEES_UNITS / 10 {
            return Ok(());
        }
        let amount = FEES_UNITS;
        self.act(Action::Accounts(accounts::Action::Transfer { asset, to, amount })).await
    }

    /// The owner's asset with this symbol.
    pub(crate) async fn asset(&mut self, symbol: &str) -> Result<AssetId, ClientError> {
        if let Some(found) = self.find_asset(symbol).await? {
            return Ok(found);
        }
        let (symbol, decimals) = (symbol.to_owned(), DECIMALS);
        let (supply_max, freezable) = (None, false);
        let wanted = symbol.clone();
        let create = assets::Action::Create { symbol, decimals, supply_max, freezable };
        self.act(Action::Assets(create)).await?;
        self.find_asset(&wanted).await?.ok_or_else(|| not_there("an asset"))
    }

    async fn find_asset(&mut self, symbol: &str) -> Result<Option<AssetId>, ClientError> {
        let all: Vec<(Key, Asset)> = self.list(assets::assets_prefix()).await?;
        let is_it = |asset: &Asset| {
            let own = asset.issuer == self.account && !asset.closed;
            own && asset.symbol == symbol && asset.decimals == DECIMALS
        };
        let found = all.iter().find(|(_, asset)| is_it(asset));
        Ok(found.and_then(|(key, _)| assets::asset_of(key)))
    }

    /// The first two feeds of these reporters.
    async fn feeds(&mut self, reporters: &[AccountId]) -> Result<[u32; 2], ClientError> {
        let is_it = |feed: &Feed| feed.reporters == reporters && feed.age_max_s == AGE_MAX_S;
        for _ in 0..=ASSETS.len() {
            let all: Vec<(Key, Feed)> = self.list(oracle::feeds_prefix()).await?;
            let ours = all.iter().filter(|(_, feed)| is_it(feed));
            let ours: Vec<u32> = ours.filter_map(|(key, _)| oracle::feed_of(key)).collect();
            if let [first, second, ..] = ours[..] {
                return Ok([first, second]);
            }
            let (reporters, age_max_s) = (reporters.to_vec(), AGE_MAX_S);
            self.act(Action::Oracle(oracle::Action::Create { reporters, age_max_s })).await?;
        }
        Err(not_there("a feed"))
    }

    async fn market(&mut self, assets: [AssetId; 2], feeds: [u32; 2]) -> Result<u32, ClientError> {
        if let Some(found) = self.find_market(assets, feeds).await? {
            return Ok(found);
        }
        let reserves = vec![
            rules(assets[0], feeds[0], [7_500, 8_000]),
            // It is lent, and stands for no debt.
            rules(assets[1], feeds[1], [0, 0]),
        ];
        let open = lending::Action::Open { treasury: self.account, reserves };
        self.act(Action::Lending(open)).await?;
        self.find_market(assets, feeds).await?.ok_or_else(|| not_there("a market"))
    }

    async fn find_market(
        &mut self,
        assets: [AssetId; 2],
        feeds: [u32; 2],
    ) -> Result<Option<u32>, ClientError> {
        let all: Vec<(Key, Market)> = self.list(lending::markets_prefix()).await?;
        let own = all.iter().filter(|(_, market)| market.creator == self.account);
        let own: Vec<u32> = own.filter_map(|(key, _)| lending::market_of(key)).collect();
        for id in own {
            let reserves: Vec<(Key, Reserve)> = self.list(lending::reserves_prefix(id)).await?;
            let of = reserves.iter().map(|(_, one)| (one.config.asset, one.config.feed));
            if of.eq(assets.into_iter().zip(feeds)) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    pub(crate) async fn issue(
        &mut self,
        asset: AssetId,
        to: AccountId,
        amount: u128,
    ) -> Result<(), ClientError> {
        self.act(Action::Assets(assets::Action::Issue { asset, to, amount })).await
    }

    /// Lends COIN, unless the owner does.
    async fn lend(&mut self, market: u32, asset: AssetId) -> Result<(), ClientError> {
        let key = lending::position_key(market, self.account);
        let held: Position = self.record(key).await?.unwrap_or_default();
        if held.entry(COIN).supply_scaled > 0 {
            return Ok(());
        }
        let missing = LENT_UNITS.saturating_sub(self.balance(self.account, asset).await?);
        if missing > 0 {
            self.issue(asset, self.account, missing).await?;
        }
        let supply = lending::Action::Supply { market, reserve: COIN, amount: LENT_UNITS };
        self.act(Action::Lending(supply)).await
    }
}

pub(crate) fn not_there(what: &str) -> ClientError {
    ClientError::Form(format!("{what} was made and is not listed"))
}

/// Rules with what may be owed against the asset and what must stay owed at most, in basis points.
fn rules(asset: AssetId, feed: u32, [ltv_bps, threshold_bps]: [u16; 2]) -> Config {
    Config {
        asset,
        feed,
        decimals: DECIMALS,
        ltv_bps,
        threshold_bps,
        bonus_bps: 10_500,
        reserve_factor_bps: 1_000,
        protocol_fee_bps: 1_000,
        supply_cap: CAP_UNITS,
        borrow_cap: CAP_UNITS,
        borrowable: true,
        curve: Curve { optimal_bps: 8_000, base_bps: 0, slope1_bps: 400, slope2_bps: 6_000 },
    }
}

/// All reporters of the market in one process.
#[derive(Debug)]
pub struct Reporters(Vec<(Source, Vec<Reporter>)>);

impl Reporters {
    /// Those of a market that was set up.
    ///
    /// # Errors
    /// A key can't be read, or no validator answers.
    pub async fn open(nodes: &mut Nodes, demo: &Demo) -> Result<Self, SetUpError> {
        let mut all = Vec::new();
        for (feed, path) in demo.feeds.iter().zip(&demo.prices) {
            let mut reporters = Vec::new();
            for file in &demo.reporters {
                let key = key_file::load_or_create(file)?.key;
                reporters.push(Reporter::open(nodes, key, *feed).await?);
            }
            all.push((Source::File(path.clone()), reporters));
        }
        Ok(Self(all))
    }

    /// Time between reports.
    pub const fn every() -> Duration {
        every(AGE_MAX_S)
    }

    /// Reads both prices and reports them, one reporter after the other.
    ///
    /// # Errors
    /// The first of what failed; the others reported.
    pub async fn round(&mut self, nodes: &mut Nodes, now_s: u64) -> Result<(), ReportError> {
        let mut done = Ok(());
        for (source, reporters) in &mut self.0 {
            let price = match source.read(Bounds::default()).await {
                Ok(price) => price,
                Err(error) => {
                    done = done.and(Err(error.into()));
                    continue;
                }
            };
            for reporter in reporters {
                let said = reporter.report(nodes, price, now_s, WITHIN).await;
                done = done.and(said.map(|_| ()));
            }
        }
        done
    }
}
