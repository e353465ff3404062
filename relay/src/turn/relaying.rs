//! Data: from a client to its peers, from peers to a client, and from one client to another inside.

use std::net::SocketAddr;
use std::ops::Range;

use primitives::Time;

use super::limits::DATA_BYTES_MAX;
use super::machine::{Machine, Slot, unknown};
use super::stats::Drop;
use super::{FiveTuple, Frame, Verdict};
use crate::channel_data::{self, HEADER_BYTES};
use crate::peers::Reach;
use crate::stun::Message;
use crate::stun::attribute::{self, Family, read_xor_address};

impl Machine {
    /// ChannelData of a client.
    pub(super) fn on_channel_data(
        &mut self,
        now: Time,
        client: &FiveTuple,
        bytes: &[u8],
    ) -> Verdict {
        let Some((number, length)) = channel_data::parse(bytes) else {
            return self.dropped(Drop::Malformed);
        };
        let Some(&slot) = self.by_client.get(client) else {
            return self.dropped(Drop::NoAllocation);
        };
        let channel = self.slots[slot].as_ref().and_then(|found| found.channel(now, number));
        let Some(channel) = channel else { return self.dropped(Drop::NoChannel) };
        let data = HEADER_BYTES..HEADER_BYTES + length;
        self.forward(now, slot, (channel.peer, channel.reach), data)
    }

    /// A Send indication of a client (RFC 8656, 11.2): nobody answers it, whatever is wrong.
    pub(super) fn on_send(
        &mut self,
        now: Time,
        client: &FiveTuple,
        message: &Message<'_>,
    ) -> Verdict {
        let peer = message.get(attribute::XOR_PEER_ADDRESS);
        let peer = peer.and_then(|value| read_xor_address(value, &message.transaction()));
        let data = message.range(attribute::DATA);
        let (Some(peer), Some(data), None) = (peer, data, unknown(message)) else {
            return self.dropped(Drop::Malformed);
        };
        let Some(&slot) = self.by_client.get(client) else {
            return self.dropped(Drop::NoAllocation);
        };
        let permitted =
            self.slots[slot].as_ref().is_some_and(|found| found.permits(now, peer.ip()));
        if !permitted {
            return self.dropped(Drop::NoPermission);
        }
        self.forward(now, slot, (peer, self.reach(peer)), data)
    }

    fn forward(
        &mut self,
        now: Time,
        slot: Slot,
        (peer, reach): (SocketAddr, Reach),
        data: Range<usize>,
    ) -> Verdict {
        let Some(allocation) = self.slots[slot].as_ref() else {
            return self.dropped(Drop::NoAllocation);
        };
        // Bound while the allocation had an address of this family: it may have given it back.
        let Some(relay) = allocation.relayed(Family::of(peer.ip())) else {
            return self.dropped(Drop::NoAllocation);
        };
        if reach == Reach::Refused {
            return self.dropped(Drop::Forbidden);
        }
        let user = allocation.user;
        if let Err(why) = self.charge(now, user, data.len()) {
            return self.dropped(why);
        }
        self.stats.from_clients += 1;
        self.stats.from_clients_bytes += bytes_of(&data);
        match reach {
            Reach::Own => self.deliver(now, peer, relay, data, true),
            _ => Verdict::ToPeer { relay, peer, data },
        }
    }

    /// A datagram of `length` bytes that a peer sent to a relayed address.
    pub fn from_peer(
        &mut self,
        now: Time,
        relay: SocketAddr,
        peer: SocketAddr,
        length: usize,
    ) -> Verdict {
        let now = self.pass(now);
        self.deliver(now, relay, peer, 0..length, false)
    }

    /// Hands data that came to a relayed address to the client who has it.
    fn deliver(
        &mut self,
        now: Time,
        relay: SocketAddr,
        peer: SocketAddr,
        data: Range<usize>,
        inside: bool,
    ) -> Verdict {
        let slot = self.by_relay.get(&relay).copied();
        let Some(allocation) = slot.and_then(|slot| self.slots[slot].as_ref()) else {
            return self.dropped(Drop::NoAllocation);
        };
        if !allocation.permits(now, peer.ip()) {
            return self.dropped(Drop::NoPermission);
        }
        if data.len() > DATA_BYTES_MAX {
            return self.dropped(Drop::Long);
        }
        let (client, user) = (allocation.client, allocation.user);
        let frame = allocation.number(now, peer).map_or(Frame::Indication(peer), Frame::Channel);
        if let Err(why) = self.charge(now, user, data.len()) {
            return self.dropped(why);
        }
        self.stats.inside += u64::from(inside);
        self.stats.to_clients += 1;
        self.stats.to_clients_bytes += bytes_of(&data);
        Verdict::ToClient { client, frame, data }
    }

    fn charge(&mut self, now: Time, user: usize, length: usize) -> Result<(), Drop> {
        let bytes = u64::try_from(length).unwrap_or(u64::MAX);
        if !self.all.take(now, bytes.saturating_mul(8), self.settings.bits_per_s) {
            return Err(Drop::Rate);
        }
        self.users.charge(now, user, bytes)
    }
}

fn bytes_of(data: &Range<usize>) -> u64 {
    u64::try_from(data.len()).unwrap_or(u64::MAX)
}
