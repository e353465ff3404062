//! Which assets a person knows, so that what strangers send does not hide them.
//!
//! Anybody may make assets and give some of each to everybody, for a fee. Only so many are proved with every round and
//! shown at once, so there is an order: what the person marked, what was done from here, what they have had for long,
//! and then by turns what came first and what a server says came. A page keeps [`Known`] in its browser; it says where to look, never what is there.

use ledger::{AccountId, AssetId, domains::accounts::Balance};

use super::{
    Book,
    ask::named,
    held::{balance, is_proved},
};
use crate::view::{Received, Sent};

/// Most assets that are remembered as marked, and most as held: what comes when it is full is only counted.
pub const KNOWN_MAX: usize = 64;
/// Days from which on something was had for long.
const LONG_DAYS: u32 = 7;
/// Seconds of a day.
const DAY_S: u64 = 86_400;

/// What a person marked, and what they have, in the order in which it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    marked: Vec<u32>,
    held: Vec<Had>,
}

/// An asset that somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Had {
    number: u32,
    /// The day on which it was seen first, since 1970-01-01 UTC; 0: before days were kept.
    since: u32,
}

impl Had {
    fn read(text: &str) -> Option<Self> {
        let (number, since) = text.split_once('@').unwrap_or((text, "0"));
        Some(Self { number: number.parse().ok()?, since: since.parse().ok()? })
    }

    fn to_text(self) -> String {
        match self.since {
            0 => self.number.to_string(),
            since => format!("{}@{since}", self.number),
        }
    }

    /// What strangers send is not had for long because it was seen before something else.
    const fn is_long(self, today: u32) -> bool {
        today.saturating_sub(self.since) >= LONG_DAYS
    }
}

/// The day of a time in seconds since 1970-01-01 UTC.
fn day(now_s: u64) -> u32 {
    u32::try_from(now_s / DAY_S).unwrap_or(u32::MAX)
}

impl Known {
    /// What was kept as a text. What is no number is passed over.
    pub fn read(text: &str) -> Self {
        let (marked, held) = text.split_once('|').unwrap_or_default();
        let each = |text: &str| {
            let mut all: Vec<Had> = Vec::new();
            for one in text.split(' ').filter_map(Had::read) {
                if all.len() < KNOWN_MAX && !all.iter().any(|known| known.number == one.number) {
                    all.push(one);
                }
            }
            all
        };
        let marked = each(marked).into_iter().map(|one| one.number).collect();
        Self { marked, held: each(held) }
    }

    /// As a text, to be kept.
    pub fn to_text(&self) -> String {
        let marked: Vec<String> = self.marked.iter().map(u32::to_string).collect();
        let held: Vec<String> = self.held.iter().map(|one| one.to_text()).collect();
        format!("{}|{}", marked.join(" "), held.join(" "))
    }

    /// Whether the person marked it.
    pub fn is_marked(&self, number: u32) -> bool {
        self.marked.contains(&number)
    }

    /// The person marks it, or does not any more; whether that is so now. It is not, where as many are marked as may
    /// be.
    pub fn mark(&mut self, number: u32, is_marked: bool) -> bool {
        self.marked.retain(|one| *one != number);
        let has_room = self.marked.len() < KNOWN_MAX;
        if is_marked && has_room {
            self.marked.push(number);
        }
        has_room || !is_marked
    }

    /// Remembers what is proved to be held, the oldest assets first, and forgets what is proved to be held no more;
    /// whether anything is different now. What was there before is not pushed out. `now_s`: in seconds since 1970-01-01
    /// UTC.
    pub fn notice(
        &mut self,
        (book, account): (&Book, &str),
        numbers: impl IntoIterator<Item = u32>,
        now_s: u64,
    ) -> bool {
        let Ok(account) = account.parse::<AccountId>() else { return false };
        let before = self.held.clone();
        let has = |number: u32| balance(book, account, number) != Balance::default();
        self.held.retain(|one| !is_proved(book, account, one.number) || has(one.number));
        let mut came: Vec<u32> = numbers.into_iter().filter(|number| has(*number)).collect();
        came.sort_unstable();
        for number in came {
            let is_known = self.held.iter().any(|one| one.number == number);
            let is_new = number != AssetId::NATIVE.0 && !is_known;
            if is_new && self.held.len() < KNOWN_MAX {
                self.held.push(Had { number, since: day(now_s) });
            }
        }
        self.held != before
    }

    /// Assets that something names, the most important first: `wanted` by a link or a form, marked, acted on from
    /// here, held for long; then by turns what came first of late and what a server tells of, so that a flood hides
    /// neither what was there before it nor what comes after it. `now_s`: in seconds since 1970-01-01 UTC.
    pub fn names(
        &self,
        wanted: u32,
        (sent, received): (&[Sent], &[Received]),
        now_s: u64,
    ) -> Vec<u32> {
        let is_long = |one: &Had| one.is_long(day(now_s));
        let (long, late): (Vec<Had>, Vec<Had>) = self.held.iter().copied().partition(is_long);
        let numbers = |all: Vec<Had>| all.into_iter().map(|one| one.number).collect::<Vec<u32>>();
        let (late, told) = (numbers(late), named(&[], received));
        let by_turns = (0..late.len().max(told.len()))
            .flat_map(|at| [late.get(at), told.get(at)])
            .flatten()
            .copied()
            .collect();
        let all = [vec![wanted], self.marked.clone(), named(sent, &[]), numbers(long), by_turns];
        let mut names: Vec<u32> = Vec::new();
        for number in all.into_iter().flatten() {
            if number != AssetId::NATIVE.0 && !names.contains(&number) {
                names.push(number);
            }
        }
        names
    }
}
