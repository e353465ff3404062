//! Which records are needed to say what an account holds and issues, and what they come to.

use ledger::{
    AccountId, AssetId, Key, Store as _,
    domains::{
        accounts::{Balance, balance_key, supply, supply_key},
        assets,
    },
};

use super::{Asset, Book, Seen, described};
use crate::{lending::each_once, view::Records};

/// Most assets that are looked through for what the account holds: those made last.
pub const LOOKED_MAX: u32 = 512;
/// Most assets of which one has something that are proved with every round and shown at once: the most important.
pub const FIRST_MAX: usize = 24;
/// Most of one's own issue that are proved with every round.
const OWN_MAX: usize = 64;
/// Assets made last whose balance is proved with every round, held or not.
const FOLLOWED_MAX: usize = 16;
/// Assets that something names whose balance is proved with every round, held or not.
const NAMED_MAX: usize = 48;
/// Assets looked at for the first time in one go.
const AT_ONCE: usize = 32;

/// An asset that an account holds or issues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Which.
    pub asset: Asset,
    /// Units that the account holds.
    pub units: u128,
    /// Whether the issuer froze them.
    pub frozen: bool,
    /// Units that there are; none: not proved yet.
    pub supply: Option<u128>,
    /// Most units there may ever be; none: no cap.
    pub supply_max: Option<u128>,
    /// Whether the issuer may freeze what others hold.
    pub freezable: bool,
    /// Whether issuing was given up.
    pub closed: bool,
    /// When the balance and what was promised were so.
    pub seen: Seen,
}

/// What an account holds and issues, as far as it is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    /// Assets of which it has units, or which were frozen for it: those it issues and the [`FIRST_MAX`] most important
    /// others; those made last first.
    pub held: Vec<Holding>,
    /// The rest of them, as they were proved last.
    pub others: Vec<Holding>,
    /// Assets that it issues.
    pub issued: Vec<Holding>,
    /// Assets that were made on this ledger.
    pub made: u32,
    /// Assets of which it is proved that the account has nothing.
    pub without: u32,
    /// When that was so; none: there is none of these.
    pub without_seen: Option<Seen>,
    /// Assets that are still to be looked at.
    pub waiting: u32,
    /// Older ones, beyond [`LOOKED_MAX`], of which nothing is said.
    pub left_out: u32,
}

impl Holdings {
    /// All that is held.
    pub fn all_held(&self) -> impl Iterator<Item = &Holding> {
        self.held.iter().chain(&self.others)
    }
}

/// Numbers of the assets that are looked at: those made last, then older ones that something names.
fn looked_at(made: u32, named: &[u32]) -> Vec<u32> {
    let oldest = made.saturating_sub(LOOKED_MAX).saturating_add(1);
    let mut numbers: Vec<u32> = (oldest..=made).rev().collect();
    let is_older = |number: &&u32| (1..oldest).contains(*number);
    for number in named.iter().filter(is_older) {
        if !numbers.contains(number) {
            numbers.push(*number);
        }
    }
    numbers
}

/// What decides whether an account has anything to do with an asset.
fn keys_of(account: AccountId, number: u32) -> [Key; 2] {
    [balance_key(account, AssetId(number)), assets::asset_key(AssetId(number))]
}

/// Whether what an account has of an asset is proved.
pub(super) fn is_proved(book: &Book, account: AccountId, number: u32) -> bool {
    book.has(&balance_key(account, AssetId(number)))
}

/// What a balance says; absent is nothing.
pub(super) fn balance(book: &Book, account: AccountId, number: u32) -> Balance {
    let record = book.get(&balance_key(account, AssetId(number)));
    // A book holds what this version reads.
    record.and_then(|record| minicbor::decode(&record).ok()).unwrap_or_default()
}

fn issues(book: &Book, account: AccountId, number: u32) -> bool {
    assets::asset(book, AssetId(number)).is_some_and(|made| made.issuer == account)
}

/// Assets that are proved with every round of those that an account has something to do with, the most important
/// first: what it issues, then what it holds, in the order of `named`, then those made last.
fn first(book: &Book, account: AccountId, numbers: &[u32], named: &[u32]) -> Vec<u32> {
    let is_known = |number: &&u32| keys_of(account, **number).iter().all(|key| book.has(key));
    let known: Vec<u32> = numbers.iter().filter(is_known).copied().collect();
    let (own, others): (Vec<u32>, Vec<u32>) =
        known.into_iter().partition(|number| issues(book, account, *number));
    let is_held = |number: &u32| balance(book, account, *number) != Balance::default();
    let mut held: Vec<u32> = others.into_iter().filter(is_held).collect();
    let place = |number: &u32| named.iter().position(|one| one == number).unwrap_or(usize::MAX);
    // Those that nothing names stay in their order.
    held.sort_by_key(place);
    own.into_iter().take(OWN_MAX).chain(held.into_iter().take(FIRST_MAX)).collect()
}

/// Keys of the records that are to be proved next, those that are proved included; most needed first. Asked again
/// with what came of them ([`remember`]), until it says the same. `named`: assets that something names, the most
/// important first ([`super::Known::names`]); `more`: other records that the page needs now.
pub fn wanted(book: &Book, account: &str, named: &[u32], more: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let Ok(account) = account.parse::<AccountId>() else { return Vec::new() };
    let native = balance_key(account, AssetId::NATIVE);
    let mut keys = vec![assets::count_key(), ledger::params_key(), native];
    keys.extend(more.iter().cloned().map(Key::from_bytes));
    let numbers = looked_at(assets::count(book), named);
    for number in first(book, account, &numbers, named) {
        keys.extend(keys_of(account, number));
        keys.push(supply_key(AssetId(number)));
    }
    let is_new = |number: &&u32| !keys_of(account, **number).iter().all(|key| book.has(key));
    let new = numbers.iter().filter(is_new).take(AT_ONCE);
    keys.extend(new.flat_map(|number| keys_of(account, *number)));
    let named = named.iter().filter(|number| numbers.contains(number)).take(NAMED_MAX);
    let followed = numbers.iter().take(FOLLOWED_MAX).chain(named);
    keys.extend(followed.map(|number| balance_key(account, AssetId(*number))));
    each_once(keys)
}

/// A round's records over what was proved before of this account's assets. It grows with [`LOOKED_MAX`] only.
pub fn remember(round: &Records, before: &Book, account: &str, named: &[u32]) -> Book {
    let new = Book::new(round);
    let Ok(account) = account.parse::<AccountId>() else { return new };
    let mut kept = Book::default();
    kept.copy(before, [assets::count_key()]);
    kept.copy(&new, [assets::count_key()]);
    for number in looked_at(assets::count(&kept), named) {
        let supply = supply_key(AssetId(number));
        kept.copy(before, keys_of(account, number).into_iter().chain([supply]));
    }
    new.over(&kept)
}

/// An asset as the account has it; `None`: it is not proved, or there is none of this number.
pub fn holding(book: &Book, account: &str, number: u32) -> Option<Holding> {
    of(book, account.parse().ok()?, number)
}

fn of(book: &Book, account: AccountId, number: u32) -> Option<Holding> {
    let id = AssetId(number);
    let seen = book.seen(&keys_of(account, number))?;
    let (made, asset) = (assets::asset(book, id)?, described(book, id)?);
    let Balance { amount: units, frozen } = balance(book, account, number);
    Some(Holding {
        asset,
        units,
        frozen,
        supply: book.has(&supply_key(id)).then(|| supply(book, id)),
        supply_max: made.supply_max,
        freezable: made.freezable,
        closed: made.closed,
        seen,
    })
}

/// What an account holds and issues; `None`: how many assets there are is not proved yet.
pub fn holdings(book: &Book, account: &str, named: &[u32]) -> Option<Holdings> {
    let account: AccountId = account.parse().ok()?;
    book.seen(&[assets::count_key()])?;
    let made = assets::count(book);
    let numbers = looked_at(made, named);
    let looked = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    let left_out = made.saturating_sub(looked);
    let first = first(book, account, &numbers, named);
    let mut all = Holdings {
        held: Vec::new(),
        others: Vec::new(),
        issued: Vec::new(),
        made,
        without: 0,
        without_seen: None,
        waiting: 0,
        left_out,
    };
    for number in numbers {
        let Some(found) = of(book, account, number) else {
            all.waiting += 1;
            continue;
        };
        if issues(book, account, number) {
            all.issued.push(found.clone());
        }
        if found.units > 0 || found.frozen {
            let shown = if first.contains(&number) { &mut all.held } else { &mut all.others };
            shown.push(found);
        } else {
            all.without += 1;
            all.without_seen = Some(found.seen.with(all.without_seen));
        }
    }
    Some(all)
}

/// Assets that an account issues and goes on issuing, of those that are looked at: what a demo network's faucet
/// gives.
pub fn made_by(book: &Book, issuer: &str, named: &[u32]) -> Vec<Asset> {
    let Ok(issuer) = issuer.parse::<AccountId>() else { return Vec::new() };
    let is_theirs = |number: &u32| {
        let made = assets::asset(book, AssetId(*number));
        made.is_some_and(|made| made.issuer == issuer && !made.closed)
    };
    let numbers = looked_at(assets::count(book), named).into_iter().filter(is_theirs);
    numbers.filter_map(|number| described(book, AssetId(number))).collect()
}
