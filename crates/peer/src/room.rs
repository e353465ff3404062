//! A swarm whose messages are somebody else's: of a share, of which a page that plays knows nothing.
//!
//! The peer introduces, connects, signs, cuts; what is said on the channels goes to the driver, which
//! hands it to the core that speaks that protocol (`files`). So a page that only plays carries none of it.

use primitives::{PeerId, SwarmId};
use swarm::{Channel, HangupReason};
use wire::signaling::ToServer;

use crate::{Output, Peer, effect::Effect, peer::STREAMS_MAX, problems::wrong};

/// What the core of a room says.
#[derive(Debug, Clone)]
pub enum RoomInput {
    /// Be introduced, and connect.
    Open,
    /// Say goodbye to everybody, and leave.
    Close,
    /// Send one message.
    Send {
        /// To whom.
        to: PeerId,
        /// On which channel.
        channel: Channel,
        /// The message.
        bytes: Vec<u8>,
    },
    /// Close the connection to this peer; for wrong bytes, in every swarm and for the session.
    Hangup {
        /// To whom.
        peer: PeerId,
        /// Why.
        why: HangupReason,
    },
    /// More neighbours would be of use: this many.
    Neighbours(u16),
}

/// What the core of a room is to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// Data channels to this peer are open.
    Up(PeerId),
    /// They are gone.
    Down(PeerId),
    /// One message.
    Frame {
        /// Who sent it.
        from: PeerId,
        /// At most one byte more than a frame may have.
        bytes: Vec<u8>,
    },
    /// Payload left the transport's buffer.
    Sent {
        /// To whom.
        to: PeerId,
        /// How much.
        bytes: u64,
    },
}

/// One room.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Room {
    /// Peers in the swarm by the server's word.
    pub(crate) size: u32,
}

impl Peer {
    pub(crate) fn take_room(&mut self, swarm: SwarmId, input: RoomInput) {
        match input {
            RoomInput::Open => self.open_room(swarm),
            RoomInput::Close => self.close_room(swarm),
            RoomInput::Send { to, channel, bytes } => {
                if self.rooms.contains_key(&swarm)
                    && let Some(link) = self.links.open_link((swarm, to))
                {
                    self.fx.push_back(Effect::Out(Output::Send { link, channel, bytes }));
                }
            }
            RoomInput::Hangup { peer, why } => {
                if self.rooms.contains_key(&swarm) {
                    self.links.hang_up(self.now, (swarm, peer), why, &mut self.fx);
                }
            }
            RoomInput::Neighbours(count) => self.ask_for_neighbours(swarm, usize::from(count)),
        }
    }

    fn open_room(&mut self, swarm: SwarmId) {
        if self.rooms.contains_key(&swarm) || self.streams.contains_key(&swarm) {
            return;
        }
        if self.rooms.len() + self.streams.len() >= STREAMS_MAX {
            let what = format!("{STREAMS_MAX} streams and shares are open, more are not shared");
            wrong(&mut self.fx, None, "too-many-streams", what, "Close one of them.");
            return;
        }
        self.rooms.insert(swarm, Room::default());
        self.enter(swarm);
    }

    fn close_room(&mut self, swarm: SwarmId) {
        if self.rooms.contains_key(&swarm) {
            self.links.close_swarm(swarm, &mut self.fx);
            self.rooms.remove(&swarm);
            self.leave(swarm);
        }
    }

    /// Hands an event to the room's core; `false`: there is no such room.
    pub(crate) fn tell_room(&mut self, swarm: SwarmId, event: RoomEvent) -> bool {
        let known = self.rooms.contains_key(&swarm);
        if known {
            self.fx.push_back(Effect::Out(Output::Room { swarm, event }));
        }
        known
    }
}

/// What to say to be introduced.
pub(crate) fn join(swarm: SwarmId, want: u16) -> ToServer {
    ToServer::Join { swarm, want, region: None, site: None, position: None }
}

/// What to say to be introduced to more.
pub(crate) fn more(swarm: SwarmId, want: u16, except: Vec<PeerId>) -> ToServer {
    ToServer::More { swarm, want, except, position: None }
}
