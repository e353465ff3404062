//! What one part of a peer says to the others. Performed in order by [`crate::Peer`].

use std::collections::VecDeque;

use primitives::{PeerId, SegmentId, SwarmId};
use swarm::Proof;
use wire::signaling::Signal;

use crate::{
    Output,
    input::{LinkId, RequestId},
    view::Problem,
};

/// One thing that follows from an input.
#[derive(Debug)]
pub(crate) enum Effect {
    /// For the driver.
    Out(Output),
    /// For one peer, by way of the signaling server.
    Signal { swarm: SwarmId, to: PeerId, signal: Signal },
    /// Data channels are open.
    Up { swarm: SwarmId, peer: PeerId },
    /// They are gone.
    Down { swarm: SwarmId, peer: PeerId },
    /// A frame that came before both channels were open.
    Frame { swarm: SwarmId, from: PeerId, bytes: Vec<u8> },
    /// What a segment must be.
    Proof { swarm: SwarmId, segment: SegmentId, proof: Proof },
    /// A fetch whose URL nobody knows.
    Unfetchable { swarm: SwarmId, fetch: swarm::FetchId },
    /// Ask the server to fetch and sign.
    Witness { id: u32, url: String },
    /// Something is wrong, with this stream or at all.
    Wrong(Option<SwarmId>, Problem),
    /// What this code names is right again.
    Right(Option<SwarmId>, &'static str),
}

/// What follows, in order.
pub(crate) type Effects = VecDeque<Effect>;

/// The next number of everything that is named by one.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    link: u32,
    request: u32,
    witness: u32,
}

impl Ids {
    pub(crate) fn link(&mut self) -> LinkId {
        self.link = self.link.wrapping_add(1);
        LinkId(self.link)
    }

    pub(crate) fn request(&mut self) -> RequestId {
        self.request = self.request.wrapping_add(1);
        RequestId(self.request)
    }

    pub(crate) fn witness(&mut self) -> u32 {
        self.witness = self.witness.wrapping_add(1);
        self.witness
    }
}
