//! Who is in a community, with a meter or without: a server lists them, each is proved, and the community's own
//! count says whether any was left out.

use std::collections::BTreeSet;

use ledger::{
    AccountId, Key,
    domains::energy::{self as rules, MEMBERS_MAX},
};
use wire::ledger::Records;

use super::{Scene, Seen};

/// Names that a server gave of a community's members; nothing of it is shown unproved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roll {
    community: u32,
    /// At most [`MEMBERS_MAX`]: no community has more.
    accounts: BTreeSet<AccountId>,
    last: Option<Key>,
    has_more: bool,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// The account's name.
    pub account: String,
    /// Whether it is the person's own.
    pub is_me: bool,
    /// Whether it operates the community.
    pub is_operator: bool,
    /// What it has there.
    pub has: rules::Member,
}

/// All that are proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// Those without a meter first, then by name.
    pub members: Vec<Neighbour>,
    /// How many there are, by the community's record.
    pub count: u16,
    /// At which blocks they were so; none: nobody is proved.
    pub seen: Option<Seen>,
}

impl Roll {
    /// Of a community of which nobody is listed yet.
    pub fn new(community: u32) -> Self {
        Self { community, accounts: BTreeSet::new(), last: None, has_more: true }
    }

    /// Of which community.
    pub fn community(&self) -> u32 {
        self.community
    }

    /// Where a server has the next part of the list, below `/ledger`; none: that is all of it.
    pub fn next_path(&self) -> Option<String> {
        if !self.has_more || self.accounts.len() >= usize::from(MEMBERS_MAX) {
            return None;
        }
        let after = self.last.as_ref().map(|key| format!("?after={key}")).unwrap_or_default();
        Some(format!("/records/{}{after}", rules::members_prefix(self.community)))
    }

    /// Takes a part of the list; whether it is one.
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        let Some(page) = Records::read(bytes) else { return false };
        // An empty part that says there is more would be asked for again and again.
        if page.records.is_empty() && page.more {
            return false;
        }
        for (key, _) in page.records {
            let bytes: Vec<u8> = key.into();
            let key = Key::from_bytes(bytes);
            let found =
                rules::member_of(&key).filter(|(community, _)| *community == self.community);
            let Some((_, account)) = found.filter(|_| self.last.as_ref() < Some(&key)) else {
                return false;
            };
            if self.accounts.len() < usize::from(MEMBERS_MAX) {
                self.accounts.insert(account);
            }
            self.last = Some(key);
        }
        self.has_more = page.more;
        true
    }

    /// Keys of what is to be proved of them.
    pub fn keys(&self) -> Vec<Vec<u8>> {
        let key = |account: &AccountId| rules::member_key(self.community, *account);
        self.accounts.iter().map(|account| key(account).as_bytes().to_vec()).collect()
    }
}

/// Members that are proved; none: the community is not.
pub fn roster(scene: &Scene<'_>, roll: &Roll) -> Option<Roster> {
    let community = rules::community(scene.book, roll.community)?;
    let one = |account: &AccountId| {
        let has = rules::member(scene.book, roll.community, *account)?;
        let is_me = *account == scene.account;
        let is_operator = *account == community.operator;
        Some(Neighbour { account: account.to_string(), is_me, is_operator, has })
    };
    let mut members: Vec<Neighbour> = roll.accounts.iter().filter_map(one).collect();
    members.sort_by_key(|one| one.has.meters > 0);
    let keys: Vec<Key> = roll
        .accounts
        .iter()
        .map(|account| rules::member_key(roll.community, *account))
        .filter(|key| scene.book.has(key))
        .collect();
    let seen = if members.is_empty() { None } else { scene.book.seen(&keys) };
    Some(Roster { members, count: community.members, seen })
}
