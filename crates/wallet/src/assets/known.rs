//! Which assets a person knows, so that what strangers send does not hide them.
//!
//! Anybody may make assets and give some of each to everybody, for a fee. Only so many are proved with every round and
//! shown at once, so there is an order: what the person marked, what was done from here, what they have had for long,
//! and then what a server says came. A page keeps [`Known`] in its browser; it says where to look, never what is there.

use ledger::{AccountId, AssetId, domains::accounts::Balance};

use super::{
    Book,
    ask::named,
    held::{balance, is_proved},
};
use crate::view::{Received, Sent};

/// Most assets that are remembered as marked, and most as held: what comes when it is full is only counted.
pub const KNOWN_MAX: usize = 64;

/// What a person marked, and what they have, in the order in which it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    marked: Vec<u32>,
    held: Vec<u32>,
}

impl Known {
    /// What was kept as a text. What is no number is passed over.
    pub fn read(text: &str) -> Self {
        let (marked, held) = text.split_once('|').unwrap_or_default();
        let numbers = |text: &str| {
            let mut numbers: Vec<u32> = Vec::new();
            for number in text.split(' ').filter_map(|one| one.parse().ok()) {
                if numbers.len() < KNOWN_MAX && !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
            numbers
        };
        Self { marked: numbers(marked), held: numbers(held) }
    }

    /// As a text, to be kept.
    pub fn to_text(&self) -> String {
        let line =
            |numbers: &[u32]| numbers.iter().map(u32::to_string).collect::<Vec<String>>().join(" ");
        format!("{}|{}", line(&self.marked), line(&self.held))
    }

    /// Whether the person marked it.
    pub fn is_marked(&self, number: u32) -> bool {
        self.marked.contains(&number)
    }

    /// The person marks it, or does not any more. Nothing, where as many are marked as may be.
    pub fn mark(&mut self, number: u32, is_marked: bool) {
        self.marked.retain(|one| *one != number);
        if is_marked && self.marked.len() < KNOWN_MAX {
            self.marked.push(number);
        }
    }

    /// Remembers what is proved to be held, the oldest assets first, and forgets what is proved to be held no more;
    /// whether anything is different now. What was there before is not pushed out.
    pub fn notice(
        &mut self,
        book: &Book,
        account: &str,
        numbers: impl IntoIterator<Item = u32>,
    ) -> bool {
        let Ok(account) = account.parse::<AccountId>() else { return false };
        let before = self.held.clone();
        let has = |number: u32| balance(book, account, number) != Balance::default();
        self.held.retain(|number| !is_proved(book, account, *number) || has(*number));
        let mut came: Vec<u32> = numbers.into_iter().filter(|number| has(*number)).collect();
        came.sort_unstable();
        for number in came {
            let is_new = number != AssetId::NATIVE.0 && !self.held.contains(&number);
            if is_new && self.held.len() < KNOWN_MAX {
                self.held.push(number);
            }
        }
        self.held != before
    }

    /// Assets that something names, the most important first: `wanted` by a link or a form, marked, acted on from
    /// here, held for long, told of by a server.
    pub fn names(&self, wanted: u32, sent: &[Sent], received: &[Received]) -> Vec<u32> {
        let all = [
            vec![wanted],
            self.marked.clone(),
            named(sent, &[]),
            self.held.clone(),
            named(&[], received),
        ];
        let mut names: Vec<u32> = Vec::new();
        for number in all.into_iter().flatten() {
            if number != AssetId::NATIVE.0 && !names.contains(&number) {
                names.push(number);
            }
        }
        names
    }
}
