//! Opening a market: what it can be made of, whether its rules can be kept, what it costs, and what came of it.

use std::collections::BTreeSet;

use ledger::{
    AccountId, AssetId, Code as _, Key, Overlay,
    domains::{
        Domain as _,
        accounts::{self, balance_key},
        assets,
        lending::{self as rules, Config, Lending},
        oracle,
    },
};

use super::{
    Asset, Book, LISTED_MAX, Price, Scene, Seen,
    book::{each_once, feed_keys, market_keys, reserves},
    fee_of, listing,
    market::{context, described, price},
    preview::NOBODY,
};
use crate::view::{self, Act, Command};

/// What a market can be made of: what was made last, and what the listed markets are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// The ledger's own first, then the newest.
    pub assets: Vec<Asset>,
    /// The newest first.
    pub feeds: Vec<Feed>,
    /// How many assets were made, the ledger's own aside.
    pub assets_made: u32,
    /// How many feeds were made.
    pub feeds_made: u32,
}

/// A feed of prices. It has no name: it is known by its price, and by what markets take it for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its number.
    pub id: u32,
    /// What it says.
    pub price: Price,
    /// Numbers of the assets whose price listed markets take it for.
    pub taken_for: Vec<u32>,
}

/// What opening a market would do in a block that is made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// What it costs at most.
    pub fee: u128,
    /// Why it would be refused: the refusal's number.
    pub refusal: Option<u16>,
}

impl Choices {
    /// The feed that listed markets take for the price of an asset; the newest of them.
    pub fn feed_of(&self, asset: u32) -> Option<u32> {
        self.feeds.iter().find(|feed| feed.taken_for.contains(&asset)).map(|feed| feed.id)
    }
}

/// Numbers of what was made last, of so many that are numbered from 1; the newest first.
fn newest(count: u32) -> impl Iterator<Item = u32> {
    (count.saturating_sub(LISTED_MAX - 1).max(1)..=count).rev()
}

/// What the reserves of listed markets lend, and whose price they take; the newest market first.
fn taken(book: &Book) -> Vec<(AssetId, u32)> {
    let markets = listing(book).map(|listing| listing.markets).unwrap_or_default();
    let reserves = markets.into_iter().flat_map(move |market| reserves(book, market));
    let configs = reserves.filter_map(|(_, reserve)| Some(reserve?.config));
    configs.map(|config| (config.asset, config.feed)).collect()
}

/// Assets and feeds that are offered, each once.
fn offered(book: &Book) -> (Vec<AssetId>, Vec<u32>) {
    let taken = taken(book);
    let (mut assets, mut feeds) = (vec![AssetId::NATIVE], Vec::new());
    assets.extend(newest(assets::count(book)).map(AssetId));
    assets.extend(taken.iter().map(|(asset, _)| *asset));
    feeds.extend(newest(oracle::count(book)));
    feeds.extend(taken.iter().map(|(_, feed)| *feed));
    (once(assets), once(feeds))
}

fn once<T: Copy + Ord>(list: Vec<T>) -> Vec<T> {
    let mut known = BTreeSet::new();
    list.into_iter().filter(|one| known.insert(*one)).collect()
}

/// Keys that a page needs beside those it wants anyway, while somebody opens a market. What there is comes
/// first, what feeds say last: of more than a wallet watches, that is left out.
pub fn with_choices(book: &Book, wanted: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let (assets, feeds) = offered(book);
    let mut keys = vec![assets::count_key(), oracle::count_key()];
    let issued = assets.into_iter().filter(|asset| *asset != AssetId::NATIVE);
    keys.extend(issued.map(assets::asset_key));
    keys.extend(feeds.iter().map(|feed| oracle::feed_key(*feed)));
    keys.extend(wanted.into_iter().map(Key::from_bytes));
    keys.extend(feeds.into_iter().flat_map(|feed| feed_keys(book, feed)));
    each_once(keys)
}

/// What a market can be made of, as far as it is proved; `None`: how much there is, is not.
pub fn choices(scene: &Scene<'_>) -> Option<Choices> {
    let book = scene.book;
    book.seen(&[assets::count_key(), oracle::count_key()])?;
    let (assets, feeds) = offered(book);
    let (taken, context) = (taken(book), context(book, scene.now_ms));
    let feed = |id: u32| {
        oracle::feed(book, id)?;
        let assets = taken.iter().filter(|(_, feed)| *feed == id).map(|(asset, _)| asset.0);
        Some(Feed { id, price: price(book, id, &context), taken_for: once(assets.collect()) })
    };
    Some(Choices {
        assets: assets.into_iter().filter_map(|asset| described(book, asset)).collect(),
        feeds: feeds.into_iter().filter_map(feed).collect(),
        assets_made: assets::count(book),
        feeds_made: oracle::count(book),
    })
}

/// The signer is also who collects the protocol's share.
fn action(account: AccountId, reserves: &[Config]) -> rules::Action {
    rules::Action::Open { treasury: account, reserves: reserves.to_vec() }
}

/// What opening a market of these reserves would do; `None`: what decides it is not proved.
pub fn opening(scene: &Scene<'_>, reserves: &[Config]) -> Option<Opening> {
    let book = scene.book;
    let native = balance_key(scene.account, AssetId::NATIVE);
    let mut keys = vec![rules::count_key(), ledger::params_key(), native];
    for config in reserves {
        keys.push(oracle::feed_key(config.feed));
        keys.extend((config.asset != AssetId::NATIVE).then(|| assets::asset_key(config.asset)));
    }
    book.seen(&keys)?;
    let fee = fee_of(scene, action(scene.account, reserves))?;
    Some(Opening { fee, refusal: run(scene, reserves, fee).err() })
}

/// Pays the fee and opens, as a block does; or the refusal's number.
fn run(scene: &Scene<'_>, reserves: &[Config], fee: u128) -> Result<(), u16> {
    let mut state = Overlay::new(scene.book);
    accounts::send(&mut state, AssetId::NATIVE, scene.account, NOBODY, fee)
        .map_err(|refused| refused.code())?;
    let context = context(scene.book, scene.now_ms);
    let action = action(scene.account, reserves);
    Lending::execute(&context, scene.account, &action, &mut state).map_err(|refused| refused.code())
}

/// What a wallet is told to do.
pub fn ask_to_open(scene: &Scene<'_>, reserves: &[Config]) -> Command {
    Command::Act { action: view::to_bytes(&action(scene.account, reserves)), units: 0 }
}

/// The reserves of the market that was asked for; `None`: something else was.
pub fn opened(act: &Act) -> Option<Vec<Config>> {
    if act.domain.is_some() {
        return None;
    }
    match view::read::<rules::Action>(&act.action)? {
        rules::Action::Open { reserves, .. } => Some(reserves),
        _ => None,
    }
}

/// The newest listed market that this account opened with these reserves, and when that was proved; `None`:
/// there is none, or it is not proved yet.
pub fn market_opened(scene: &Scene<'_>, asked: &[Config]) -> Option<(u32, Seen)> {
    let book = scene.book;
    let is_it = |market: &u32| {
        let is_mine =
            rules::market(book, *market).is_some_and(|found| found.creator == scene.account);
        let configs = reserves(book, *market).map(|(_, reserve)| reserve.map(|one| one.config));
        is_mine && configs.eq(asked.iter().cloned().map(Some))
    };
    let market = listing(book)?.markets.into_iter().find(is_it)?;
    Some((market, book.seen(&market_keys(book, market))?))
}
