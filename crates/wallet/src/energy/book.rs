//! Which records a page of energy needs. Settled slots do not change but for claims, so they are asked
//! for once and kept.

use std::collections::BTreeSet;

use ledger::{
    AccountId, AssetId, Key,
    domains::{accounts::balance_key, assets, energy as rules},
};

use super::{Book, Mode, Scene, shown_ms, slot_at};
use crate::{lending::Seen, view, watch::WATCHED_MAX};

/// Most communities listed: the newest. Any other opens by its number.
pub const LISTED_MAX: u32 = 12;
/// Most meters of a community that are looked through: the newest, as many as there may be at a time.
pub const METERS_SHOWN_MAX: u32 = 128;
/// Most slots of a span: a day of 25 hours.
const SLOTS_MAX: u64 = 100;
/// Records of one community that are asked for at a time beside what is watched all along, so that what
/// changes does not wait for a day of what does not.
const KEPT_AT_A_TIME: usize = 192;

/// Slots of a community that are looked at: a day of the person's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Which community.
    pub community: u32,
    /// The first slot.
    pub from: u64,
    /// The slot after the last.
    pub to: u64,
}

/// Which communities are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Communities opened so far.
    pub count: u32,
    /// Numbers of those that are listed, newest first.
    pub communities: Vec<u32>,
}

/// What a page looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Named {
    /// The community and its slots.
    pub span: Option<Span>,
    /// The slot whose neighbours are shown.
    pub slot: Option<u64>,
    /// The slot whose book is open.
    pub trade: Option<u64>,
}

impl Span {
    /// Its slots that have begun by `now_ms` of the ledger; at most a day of them.
    pub(super) fn slots(
        self,
        book: &Book,
        now_ms: u64,
    ) -> impl DoubleEndedIterator<Item = u64> + use<> {
        let now = slot_at(shown_ms(book, self.community, now_ms));
        self.from..self.to.min(self.from.saturating_add(SLOTS_MAX)).min(now + 1)
    }
}

/// Which communities there are; `None`: their count is not proved yet.
pub fn listing(book: &Book) -> Option<Listing> {
    book.seen(&[rules::count_key()])?;
    let count = rules::count(book);
    let oldest = count.saturating_sub(LISTED_MAX - 1).max(1);
    Some(Listing { count, communities: (oldest..=count).rev().collect() })
}

/// Of those that are listed, where somebody is a member or operates; the newest first.
pub fn joined(scene: &Scene<'_>) -> Vec<u32> {
    let listed = listing(scene.book).map(|listing| listing.communities).unwrap_or_default();
    let is_in = |id: &u32| {
        rules::member(scene.book, *id, scene.account).is_some()
            || rules::community(scene.book, *id)
                .is_some_and(|community| community.operator == scene.account)
    };
    listed.into_iter().filter(is_in).collect()
}

/// Keys of the records that are to be proved next, most needed first; those that `book` keeps of settled
/// slots are left out. Asked again with what came of them, until it says the same. At most as many as a
/// wallet watches.
/// `devices` are the wallet's keys of meters ([`crate::view::View::meter_keys`]).
pub fn wanted(
    (book, kept): (&Book, &Book),
    account: &str,
    now_ms: u64,
    named: Named,
    devices: &[String],
) -> Vec<Vec<u8>> {
    let Ok(account) = account.parse::<AccountId>() else { return Vec::new() };
    let chosen = named.span.map(|span| span.community);
    let mut keys = vec![rules::count_key(), ledger::params_key()];
    keys.push(balance_key(account, AssetId::NATIVE));
    let listed = listing(book).map(|listing| listing.communities).unwrap_or_default();
    for id in chosen.into_iter().chain(listed) {
        keys.extend([rules::community_key(id), rules::member_key(id, account)]);
    }
    if let Some(span) = named.span {
        keys.extend(community_keys(book, span.community, account));
        keys.extend(devices.iter().filter_map(|device| device_key(device)));
        keys.extend(
            named
                .trade
                .into_iter()
                .flat_map(|slot| trade_keys(book, span.community, slot, account)),
        );
        keys.extend(slot_keys(book, kept, span, account, now_ms));
        let looked_at =
            named.slot.into_iter().flat_map(|slot| record_keys(book, span.community, slot));
        keys.extend(looked_at.filter(|key| !kept.has(key)));
        // What a preview of limits needs comes last, and in portions.
        let settled =
            span.slots(book, now_ms).rev().filter(|slot| is_settled(book, span.community, *slot));
        let others = settled.flat_map(|slot| record_keys(book, span.community, slot));
        keys.extend(others.filter(|key| !kept.has(key)).take(KEPT_AT_A_TIME));
    }
    let mut wanted: Vec<Vec<u8>> = Vec::new();
    for key in keys {
        if !wanted.iter().any(|known| known == key.as_bytes()) {
            wanted.push(key.as_bytes().to_vec());
        }
    }
    wanted.truncate(WATCHED_MAX);
    wanted
}

/// What was said of a span's slots that wait, for who looks through all of them, not only their own: of the `first`
/// slots, which are to be corrected, then the newest first. At most as many as are asked for at a time; and whether
/// that is all.
pub fn waiting_keys(book: &Book, span: Span, now_ms: u64, first: &[u64]) -> (Vec<Vec<u8>>, bool) {
    let id = span.community;
    let slots = span.slots(book, now_ms).rev().filter(|slot| !is_settled(book, id, *slot));
    let (corrected, others): (Vec<u64>, Vec<u64>) = slots.partition(|slot| first.contains(slot));
    let slots = corrected.into_iter().chain(others);
    let mut keys = slots.flat_map(|slot| record_keys(book, id, slot));
    let taken = keys.by_ref().take(KEPT_AT_A_TIME).map(|key| key.as_bytes().to_vec()).collect();
    (taken, keys.next().is_none())
}

/// Whether these are as many keys as a wallet watches, or more: then what is not proved may never be, and no server
/// is to blame for it.
pub fn is_short(keys: &[Vec<u8>]) -> bool {
    keys.iter().collect::<BTreeSet<_>>().len() >= WATCHED_MAX
}

/// Where it is said which meter a key is of, by the key's name.
pub(super) fn device_key(device: &str) -> Option<Key> {
    Some(rules::meter_with_key(device.parse().ok()?))
}

/// A community's meters, its asset, and what somebody could pay in.
pub(super) fn community_keys(book: &Book, id: u32, account: AccountId) -> Vec<Key> {
    let mut keys = vec![rules::community_key(id), rules::member_key(id, account)];
    let Some(community) = rules::community(book, id) else { return keys };
    if community.asset != AssetId::NATIVE {
        keys.push(assets::asset_key(community.asset));
    }
    keys.extend([account, rules::vault()].map(|who| balance_key(who, community.asset)));
    keys.extend(meter_numbers(&community).map(|meter| rules::meter_key(id, meter)));
    keys
}

/// Numbers of the meters that are looked through.
pub(super) fn meter_numbers(community: &rules::Community) -> core::ops::Range<u32> {
    community.meters_ever.saturating_sub(METERS_SHOWN_MAX)..community.meters_ever
}

/// Slots that are not kept, and what an account's meters said of them.
fn slot_keys(book: &Book, kept: &Book, span: Span, account: AccountId, now_ms: u64) -> Vec<Key> {
    let id = span.community;
    let mine = meters_of(book, id, account);
    let slots: Vec<u64> = span.slots(book, now_ms).collect();
    let mut keys: Vec<Key> = slots.iter().map(|slot| rules::slot_key(id, *slot)).collect();
    for slot in slots {
        let Some(found) = rules::slot(book, id, slot) else { continue };
        let ours = mine.iter().filter(|meter| found.meters.contains(meter));
        keys.extend(ours.map(|meter| rules::record_key(id, slot, *meter)));
        if found.rules.mode == Mode::Book {
            keys.push(rules::order_book_key(id, slot));
            let traded = traded(book, id, slot, &found);
            let ours = mine.iter().filter(|meter| traded.contains(meter));
            keys.extend(ours.map(|meter| rules::position_key(id, slot, *meter)));
        }
    }
    keys.retain(|key| !kept.has(key));
    keys
}

/// Numbers of an account's meters.
pub(super) fn meters_of(book: &Book, id: u32, account: AccountId) -> Vec<u32> {
    rules::community(book, id).map_or_else(Vec::new, |community| {
        let is_mine = |meter: &u32| {
            rules::meter(book, id, *meter).is_some_and(|meter| meter.owner == account)
        };
        meter_numbers(&community).filter(is_mine).collect()
    })
}

/// The book of a slot, and what an account's meters have on it.
pub(super) fn trade_keys(book: &Book, id: u32, slot: u64, account: AccountId) -> Vec<Key> {
    let mut keys = vec![rules::slot_key(id, slot), rules::order_book_key(id, slot)];
    let mine = meters_of(book, id, account).into_iter();
    keys.extend(mine.map(|meter| rules::position_key(id, slot, meter)));
    keys
}

/// Meters that have something on a slot's book.
pub(super) fn traded(book: &Book, id: u32, slot: u64, found: &rules::Slot) -> Vec<u32> {
    let orders = (found.rules.mode == Mode::Book).then(|| rules::order_book(book, id, slot));
    orders.flatten().map(|orders| orders.meters).unwrap_or_default()
}

/// What every meter said of a slot, and traded on its book.
pub(super) fn record_keys(book: &Book, id: u32, slot: u64) -> Vec<Key> {
    let Some(found) = rules::slot(book, id, slot) else { return Vec::new() };
    let mut keys: Vec<Key> =
        found.meters.iter().map(|meter| rules::record_key(id, slot, *meter)).collect();
    if found.rules.mode == Mode::Book {
        keys.push(rules::order_book_key(id, slot));
        let traded = traded(book, id, slot, &found).into_iter();
        keys.extend(traded.map(|meter| rules::position_key(id, slot, meter)));
    }
    keys
}

fn is_settled(book: &Book, id: u32, slot: u64) -> bool {
    rules::slot(book, id, slot).is_some_and(|slot| slot.summary.is_some())
}

/// Takes out of what was proved what will not change: settled slots, and what was said of them. A page
/// that looks at something else begins with nothing kept.
pub fn keep(kept: &mut Book, fresh: &view::Records, span: Span, now_ms: u64) {
    let fresh = Book::new(fresh);
    for slot in span.slots(&fresh, now_ms) {
        let place = rules::slot_key(span.community, slot);
        if is_settled(&fresh, span.community, slot) {
            kept.copy(&fresh, [place.clone()]);
        }
        if kept.has(&place) {
            // What was proved while the slot still waited says nothing of what it came to.
            let settled = record_keys(kept, span.community, slot).into_iter();
            // A settled slot without a book gets none.
            let orders = rules::order_book_key(span.community, slot);
            let is_none = |key: &Key| *key == orders && ledger::Store::get(&fresh, key).is_none();
            let is_due = |key: &Key| fresh.is_due(key) || (fresh.has(key) && is_none(key));
            kept.copy(&fresh, settled.filter(is_due));
        }
    }
}

impl Book {
    /// A page's: what was proved last, over what is kept.
    pub fn with_kept(fresh: &view::Records, kept: &Self) -> Self {
        Self::new(fresh).over(kept)
    }

    /// Whether a record under this key was settled: a reading that has its due, or whose cover was given
    /// back because its meter was cut; a position whose cover was; a book on which nothing waits.
    fn is_due(&self, key: &Key) -> bool {
        let Some(bytes) = ledger::Store::get(self, key) else { return false };
        if let Ok(record) = minicbor::decode::<rules::Record>(&bytes) {
            return record.due.is_some() || record.cover + record.grid_cover == 0;
        }
        if let Ok(position) = minicbor::decode::<rules::Position>(&bytes) {
            return position.cover + position.grid_cover == 0;
        }
        let orders = minicbor::decode::<rules::OrderBook>(&bytes);
        orders.is_ok_and(|orders| orders.waiting.is_empty())
    }
}

/// Between which blocks a community's own records are proved.
pub(super) fn seen(book: &Book, id: u32, account: AccountId) -> Option<Seen> {
    book.seen(&[rules::community_key(id), rules::member_key(id, account)])
}
