//! A community, who is in it, and how its meters are.

use ledger::{
    AssetId,
    domains::{assets, energy as rules},
};

use super::{
    Asset, Book, Friend, Limits, Rules, Scene, Seen, Source, Span, Trust,
    book::{community_keys, meter_numbers, seen},
};
use crate::{explain::hex, lending::NATIVE_DECIMALS};

/// Decimals of any community's asset: its units are millionths.
const DECIMALS: u8 = 6;

/// A community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Community {
    /// Its number.
    pub id: u32,
    /// In what is paid.
    pub asset: Asset,
    /// The operator's account.
    pub operator: String,
    /// The retailer's.
    pub grid: String,
    /// Time for readings after a slot, in slots.
    pub window_slots: u16,
    /// How many times as fast as the ledger's its clock runs: more than once where it is for trying out.
    pub pace: u32,
    /// What holds now.
    pub rules: Rules,
    /// What will hold, and from which slot.
    pub next: Option<(u64, Rules)>,
    /// Members now.
    pub members: u16,
    /// Meters now.
    pub meters: u16,
    /// Slots with readings that wait.
    pub open_slots: u16,
    /// Slots that were settled.
    pub settled_slots: u64,
    /// The retailer's units: free and for readings that wait.
    pub grid_funds: (u128, u128),
    /// Grid fees, in units.
    pub fees: u128,
    /// The community's own units.
    pub fund: u128,
    /// Certificates in Wh: minted and used up.
    pub certificates: (u128, u128),
    /// Whether the account operates it.
    pub is_operator: bool,
    /// Whether the account is the retailer.
    pub is_grid: bool,
    /// Whether grid fees are the account's.
    pub is_network: bool,
    /// What the account has there as a member.
    pub me: Option<rules::Member>,
    /// Units of the asset that the account has outside.
    pub wallet: Option<u128>,
    /// At which blocks this was so.
    pub seen: Seen,
}

/// A meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// Its number.
    pub number: u32,
    /// Whose it is.
    pub owner: String,
    /// Whether it is the account's.
    pub is_mine: bool,
    /// Which of the wallet's keys it signs with; none: its key is elsewhere.
    pub device: Option<u8>,
    /// Where what it feeds in comes from.
    pub source: Source,
    /// What its connection carries, in W.
    pub connection_w: u32,
    /// How far it is trusted.
    pub trust: Trust,
    /// Whether it may trade by the rules of now.
    pub is_trusted: bool,
    /// The first slot it may read.
    pub from_slot: u64,
    /// Limits that hold now.
    pub limits: Limits,
    /// Limits that will hold, and from which slot.
    pub next: Option<(u64, Limits)>,
    /// To whom it gives first, as it will be from the next slot on.
    pub friend: Option<Friend>,
    /// Readings and positions on books that wait.
    pub open: u16,
    /// How it is.
    pub health: Health,
}

/// How a meter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// It contradicted itself or lied: it trades no more.
    pub is_cut: bool,
    /// The last slot that it read.
    pub last: Option<u64>,
    /// Slots of the span that it could have read and did not; none: not all of them are proved.
    pub missing: Option<u32>,
    /// Of those, slots that it still may read.
    pub in_time: u32,
}

/// A community, as soon as it is proved; none: it is not, or there is none of that number.
pub fn community(scene: &Scene<'_>, id: u32) -> Option<Community> {
    let Scene { book, account, now_ms } = *scene;
    let found = rules::community(book, id)?;
    let now = found.slot_at(now_ms);
    let next = found.rules.iter().find(|(from, _)| *from > now).copied();
    let balance = ledger::domains::accounts::balance_key(account, found.asset);
    let units = || ledger::domains::accounts::balance(book, account, found.asset);
    let wallet = book.has(&balance).then(units);
    Some(Community {
        id,
        asset: asset(book, found.asset)?,
        operator: found.operator.to_string(),
        grid: found.grid.to_string(),
        window_slots: found.window_slots,
        pace: found.pace(),
        rules: found.rules_at(now)?,
        next,
        members: found.members,
        meters: found.meters,
        open_slots: found.open_slots,
        settled_slots: found.settled_slots,
        grid_funds: (found.funds.grid_free, found.funds.grid_held),
        fees: found.funds.fees,
        fund: found.funds.fund,
        certificates: (found.certificates.minted_wh, found.certificates.claimed_wh),
        is_operator: found.operator == account,
        is_grid: found.grid == account,
        is_network: found.network == account,
        me: rules::member(book, id, account),
        wallet,
        seen: seen(book, id, account)?,
    })
}

fn asset(book: &Book, asset: AssetId) -> Option<Asset> {
    let (symbol, decimals, issuer) = match asset {
        AssetId::NATIVE => (String::new(), NATIVE_DECIMALS, None),
        other => {
            let made = assets::asset(book, other)?;
            (made.symbol, DECIMALS, Some(made.issuer.to_string()))
        }
    };
    Some(Asset { id: asset.0, symbol, decimals, issuer })
}

/// The meters of a community that are proved, mine first; `None`: not all of them are proved. `keys`
/// are the wallet's ([`crate::view::View::meter_keys`]).
pub fn meters(scene: &Scene<'_>, span: Span, keys: &[String]) -> Option<Vec<Meter>> {
    let Scene { book, account, now_ms } = *scene;
    let id = span.community;
    book.seen(&community_keys(book, id, account))?;
    let found = rules::community(book, id)?;
    let running = found.slot_at(now_ms);
    let now = found.rules_at(running)?;
    let one = |number: u32| {
        let meter = rules::meter(book, id, number)?;
        let key = hex(meter.key.as_bytes());
        let device = keys.iter().position(|known| *known == key);
        Some(Meter {
            number,
            owner: meter.owner.to_string(),
            is_mine: meter.owner == account,
            device: device.and_then(|at| u8::try_from(at).ok()),
            source: meter.source,
            connection_w: meter.connection_w,
            trust: meter.trust,
            is_trusted: meter.trust >= now.trust_min,
            from_slot: meter.from_slot,
            limits: limits(&meter, running).unwrap_or_else(|| now.standing()),
            next: meter.limits.iter().find(|(from, _)| *from > running).copied(),
            friend: meter.friends.last().and_then(|(_, friend)| *friend),
            open: meter.open,
            health: health(scene, span, &found, number, &meter),
        })
    };
    let mut all: Vec<Meter> = meter_numbers(&found).filter_map(one).collect();
    all.sort_by_key(|meter| (!meter.is_mine, meter.number));
    Some(all)
}

/// The limits that hold for a slot.
fn limits(meter: &rules::Meter, slot: u64) -> Option<Limits> {
    meter.limits.iter().rev().find(|(from, _)| *from <= slot).map(|(_, limits)| *limits)
}

fn health(
    scene: &Scene<'_>,
    span: Span,
    community: &rules::Community,
    number: u32,
    meter: &rules::Meter,
) -> Health {
    let now = community.slot_at(scene.now_ms);
    let could =
        span.slots(scene.book, scene.now_ms).filter(|slot| *slot >= meter.from_slot && *slot < now);
    let (mut missing, mut in_time, mut known) = (0, 0, true);
    for slot in could {
        known &= scene.book.has(&rules::slot_key(span.community, slot));
        let read = rules::slot(scene.book, span.community, slot).map(|slot| slot.meters);
        if !read.unwrap_or_default().contains(&number) {
            missing += 1;
            // What comes before its last reading can't be read any more.
            let is_later = meter.last.is_none_or(|last| last.slot < slot);
            in_time += u32::from(is_later && !community.is_over(slot, now));
        }
    }
    let last = meter.last.map(|last| last.slot);
    Health { is_cut: meter.cut, last, missing: known.then_some(missing), in_time }
}

/// The wallet's first key that is of no meter, here or in another community, since a key serves one; by its number.
/// None within: all of them have meters. None: that is not proved yet.
pub fn free_device(book: &Book, keys: &[String]) -> Option<Option<u8>> {
    for (at, name) in keys.iter().enumerate() {
        let key = name.parse().ok()?;
        if !book.has(&rules::meter_with_key(key)) {
            return None;
        }
        if rules::meter_with(book, key).is_none() {
            return Some(u8::try_from(at).ok());
        }
    }
    (!keys.is_empty()).then_some(None)
}
