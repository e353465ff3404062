//! What happened, counted. No address and no name is in it.

use crate::stun::ErrorCode;

/// Why data or a message went nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Drop {
    /// Not a message.
    Malformed,
    /// The sender, or the relayed address, has no allocation.
    NoAllocation,
    /// The peer may not send to this client, or the client did not permit it.
    NoPermission,
    /// The channel is not bound.
    NoChannel,
    /// The rules refuse the peer.
    Forbidden,
    /// Too fast.
    Rate,
    /// The credential's bytes are used up.
    Quota,
    /// Too many unauthenticated requests at once.
    Strangers,
    /// Longer than can be relayed.
    Long,
}

impl Drop {
    /// All, for counters.
    pub const ALL: [Self; 9] = [
        Self::Malformed,
        Self::NoAllocation,
        Self::NoPermission,
        Self::NoChannel,
        Self::Forbidden,
        Self::Rate,
        Self::Quota,
        Self::Strangers,
        Self::Long,
    ];

    /// Its word in the metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NoAllocation => "no_allocation",
            Self::NoPermission => "no_permission",
            Self::NoChannel => "no_channel",
            Self::Forbidden => "forbidden",
            Self::Rate => "rate",
            Self::Quota => "quota",
            Self::Strangers => "strangers",
            Self::Long => "long",
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Malformed => 0,
            Self::NoAllocation => 1,
            Self::NoPermission => 2,
            Self::NoChannel => 3,
            Self::Forbidden => 4,
            Self::Rate => 5,
            Self::Quota => 6,
            Self::Strangers => 7,
            Self::Long => 8,
        }
    }
}

/// Counters since the start; those without "now" never fall.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Allocations now.
    pub allocations_now: usize,
    /// Credentials remembered now.
    pub users_now: usize,
    /// Allocations made.
    pub allocations: u64,
    /// Datagrams from clients that were relayed.
    pub from_clients: u64,
    /// Bytes of data in them.
    pub from_clients_bytes: u64,
    /// Datagrams to clients.
    pub to_clients: u64,
    /// Bytes of data in them.
    pub to_clients_bytes: u64,
    /// Of those from clients, datagrams that stayed inside the relay.
    pub inside: u64,
    /// Requests whose credential was not good.
    pub authentication_failures: u64,
    /// Requests challenged for a credential: the first of every client.
    pub challenges: u64,
    drops: [u64; Drop::ALL.len()],
    errors: [u64; ErrorCode::ALL.len()],
}

impl Stats {
    /// How often something went nowhere for this reason.
    pub fn dropped(&self, why: Drop) -> u64 {
        self.drops[why.index()]
    }

    /// How often this error was answered.
    pub fn refused(&self, code: ErrorCode) -> u64 {
        index(code).map_or(0, |index| self.errors[index])
    }

    pub(super) fn drop(&mut self, why: Drop) {
        self.drops[why.index()] += 1;
    }

    pub(super) fn refuse(&mut self, code: ErrorCode) {
        if let Some(index) = index(code) {
            self.errors[index] += 1;
        }
    }
}

fn index(code: ErrorCode) -> Option<usize> {
    ErrorCode::ALL.iter().position(|other| *other == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_and_code_has_its_own_counter() {
        let mut stats = Stats::default();
        for (count, why) in Drop::ALL.into_iter().enumerate() {
            (0..=count).for_each(|_| stats.drop(why));
        }
        for (count, code) in ErrorCode::ALL.into_iter().enumerate() {
            (0..=count).for_each(|_| stats.refuse(code));
        }
        let drops: Vec<u64> = Drop::ALL.into_iter().map(|why| stats.dropped(why)).collect();
        assert_eq!(drops, (1..=9).collect::<Vec<u64>>());
        let errors: Vec<u64> = ErrorCode::ALL.into_iter().map(|code| stats.refused(code)).collect();
        assert_eq!(errors, (1..=12).collect::<Vec<u64>>());
    }
}
