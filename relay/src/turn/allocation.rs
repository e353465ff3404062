//! One client's allocation: its relayed addresses, permissions and channels.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use primitives::Time;

use super::FiveTuple;
use super::asker::Key;
use super::limits::{CHANNEL_LIFETIME, CHANNELS_MAX, PERMISSION_LIFETIME, PERMISSIONS_MAX};
use super::users::UserId;
use crate::peers::Reach;
use crate::stun::Transaction;
use crate::stun::attribute::Family;

#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) client: FiveTuple,
    pub(super) user: UserId,
    pub(super) key: Key,
    /// Of the request that made it: a retransmission gets the same answer.
    pub(super) transaction: Transaction,
    /// The rest of that answer.
    pub(super) granted: Granted,
    pub(super) v4: Option<SocketAddr>,
    pub(super) v6: Option<SocketAddr>,
    pub(super) expires: Time,
    permissions: BTreeMap<IpAddr, Time>,
    channels: BTreeMap<u16, Channel>,
    numbers: BTreeMap<SocketAddr, u16>,
}

/// What the answer to an Allocate request tells beside the addresses.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Granted {
    pub(super) lifetime_s: u32,
    pub(super) reservation: Option<[u8; 8]>,
    /// The family of a second address that could not be had.
    pub(super) missing: Option<(Family, crate::stun::ErrorCode)>,
}

/// A bound channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channel {
    pub(super) peer: SocketAddr,
    /// What the rules say of the peer: they do not change.
    pub(super) reach: Reach,
    expires: Time,
}

/// Why a channel can't be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unbindable {
    /// The number has another peer, or the peer another number.
    Taken,
    /// There are as many as there may be.
    Full,
}

impl Allocation {
    pub(super) fn new(
        (client, user, key): (FiveTuple, UserId, Key),
        transaction: Transaction,
        granted: Granted,
        expires: Time,
    ) -> Self {
        Self {
            client,
            user,
            key,
            transaction,
            granted,
            v4: None,
            v6: None,
            expires,
            permissions: BTreeMap::new(),
            channels: BTreeMap::new(),
            numbers: BTreeMap::new(),
        }
    }

    /// Its relayed address of a family.
    pub(super) fn relayed(&self, family: Family) -> Option<SocketAddr> {
        match family {
            Family::V4 => self.v4,
            Family::V6 => self.v6,
        }
    }

    pub(super) fn relayed_mut(&mut self, family: Family) -> &mut Option<SocketAddr> {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }

    pub(super) fn all_relayed(&self) -> impl Iterator<Item = SocketAddr> + use<> {
        [self.v4, self.v6].into_iter().flatten()
    }

    /// Whether this peer may send to the client, and the client to it.
    pub(super) fn permits(&self, now: Time, peer: IpAddr) -> bool {
        self.permissions.get(&peer).is_some_and(|expires| *expires > now)
    }

    /// Installs or refreshes permissions: all or none. `false`: there would be too many.
    pub(super) fn permit(&mut self, now: Time, peers: &[IpAddr]) -> bool {
        let fresh = peers.iter().filter(|peer| !self.permissions.contains_key(peer)).count();
        if self.permissions.len() + fresh > PERMISSIONS_MAX {
            self.permissions.retain(|_, expires| *expires > now);
        }
        let known = self.permissions.len();
        if known + peers.iter().filter(|peer| !self.permissions.contains_key(peer)).count()
            > PERMISSIONS_MAX
        {
            return false;
        }
        self.permissions.extend(peers.iter().map(|peer| (*peer, now + PERMISSION_LIFETIME)));
        true
    }

    /// The channel of a number.
    pub(super) fn channel(&self, now: Time, number: u16) -> Option<Channel> {
        self.channels.get(&number).copied().filter(|channel| channel.expires > now)
    }

    /// The number of a peer's channel.
    pub(super) fn number(&self, now: Time, peer: SocketAddr) -> Option<u16> {
        let number = *self.numbers.get(&peer)?;
        self.channel(now, number).map(|_| number)
    }

    /// Binds or refreshes a channel, and permits its peer.
    pub(super) fn bind(
        &mut self,
        now: Time,
        number: u16,
        peer: SocketAddr,
        reach: Reach,
    ) -> Result<(), Unbindable> {
        let by_number = self.channel(now, number).is_some_and(|channel| channel.peer != peer);
        let by_peer = self.number(now, peer).is_some_and(|other| other != number);
        if by_number || by_peer {
            return Err(Unbindable::Taken);
        }
        self.forget_channels(now, number, peer);
        if self.channels.len() >= CHANNELS_MAX || !self.permit(now, &[peer.ip()]) {
            return Err(Unbindable::Full);
        }
        self.channels.insert(number, Channel { peer, reach, expires: now + CHANNEL_LIFETIME });
        self.numbers.insert(peer, number);
        Ok(())
    }

    /// Makes place: what the new binding replaces, and all that expired if there are many.
    fn forget_channels(&mut self, now: Time, number: u16, peer: SocketAddr) {
        let old = [Some(number), self.numbers.get(&peer).copied()];
        for old in old.into_iter().flatten() {
            if let Some(channel) = self.channels.remove(&old) {
                self.numbers.remove(&channel.peer);
            }
        }
        if self.channels.len() >= CHANNELS_MAX {
            self.channels.retain(|_, channel| channel.expires > now);
            let channels = &self.channels;
            self.numbers.retain(|_, number| channels.contains_key(number));
        }
    }

    /// Permissions and channels held, those that expired included.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize, usize) {
        (self.permissions.len(), self.channels.len(), self.numbers.len())
    }
}
