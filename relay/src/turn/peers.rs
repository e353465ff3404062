//! CreatePermission and ChannelBind (RFC 8656, 9 to 12).

use std::net::{IpAddr, SocketAddr};

use primitives::Time;

use super::allocation::Unbindable;
use super::asker::Asker;
use super::limits::PEERS_PER_REQUEST_MAX;
use super::machine::Machine;
use crate::peers::Reach;
use crate::stun::attribute::{self, Family, read_xor_address};
use crate::stun::{ErrorCode, Message};

impl Machine {
    pub(super) fn on_create_permission(&mut self, now: Time, asker: &Asker, request: &Message<'_>) {
        let outcome = self.permitted(asker, request).and_then(|peers| {
            let allocation = self.allocation_mut(&asker.client);
            let allocation = allocation.ok_or(ErrorCode::AllocationMismatch)?;
            allocation.permit(now, &peers).then_some(()).ok_or(ErrorCode::InsufficientCapacity)
        });
        match outcome {
            Ok(()) => self.answer(asker, asker.success()),
            Err(code) => self.refuse(asker, code),
        }
    }

    /// The peers of a request, all of which may be permitted.
    fn permitted(&self, asker: &Asker, request: &Message<'_>) -> Result<Vec<IpAddr>, ErrorCode> {
        let allocation = self.allocation_of(&asker.client).ok_or(ErrorCode::AllocationMismatch)?;
        let values = request.attributes().filter(|(kind, _)| *kind == attribute::XOR_PEER_ADDRESS);
        let mut peers = Vec::new();
        for (_, value) in values {
            let peer = read_xor_address(value, &asker.transaction);
            let peer = peer.ok_or(ErrorCode::BadRequest)?.ip();
            let family = Family::of(peer);
            allocation.relayed(family).ok_or(ErrorCode::PeerAddressFamilyMismatch)?;
            if self.rules.reach(peer) == Reach::Refused {
                return Err(ErrorCode::Forbidden);
            }
            peers.push(peer);
            if peers.len() > PEERS_PER_REQUEST_MAX {
                return Err(ErrorCode::InsufficientCapacity);
            }
        }
        if peers.is_empty() { Err(ErrorCode::BadRequest) } else { Ok(peers) }
    }

    pub(super) fn on_channel_bind(&mut self, now: Time, asker: &Asker, request: &Message<'_>) {
        match self.bind(now, asker, request) {
            Ok(()) => self.answer(asker, asker.success()),
            Err(code) => self.refuse(asker, code),
        }
    }

    fn bind(&mut self, now: Time, asker: &Asker, request: &Message<'_>) -> Result<(), ErrorCode> {
        let allocation = self.allocation_of(&asker.client).ok_or(ErrorCode::AllocationMismatch)?;
        let number = request.get(attribute::CHANNEL_NUMBER).and_then(attribute::read_channel);
        let number = number.filter(|number| self.settings.channels.contains(number));
        let peer = request.get(attribute::XOR_PEER_ADDRESS);
        let peer = peer.and_then(|value| read_xor_address(value, &asker.transaction));
        let (Some(number), Some(peer)) = (number, peer) else { return Err(ErrorCode::BadRequest) };
        let family = Family::of(peer.ip());
        allocation.relayed(family).ok_or(ErrorCode::PeerAddressFamilyMismatch)?;
        let reach = self.reach(peer);
        if reach == Reach::Refused {
            return Err(ErrorCode::Forbidden);
        }
        let allocation = self.allocation_mut(&asker.client).expect("it was there just now");
        allocation.bind(now, number, peer, reach).map_err(|unbindable| match unbindable {
            Unbindable::Taken => ErrorCode::BadRequest,
            Unbindable::Full => ErrorCode::InsufficientCapacity,
        })
    }

    /// What may be done with a peer at an address and a port: at our own address only the ports of
    /// relayed addresses are there for anybody, unless the host allows that address by name.
    pub(super) fn reach(&self, peer: SocketAddr) -> Reach {
        match self.rules.reach(peer.ip()) {
            Reach::Own if self.is_relayed(peer) => Reach::Own,
            Reach::Own if self.rules.is_allowed(peer.ip()) => Reach::Network,
            Reach::Own => Reach::Refused,
            reach => reach,
        }
    }
}
