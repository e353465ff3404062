//! One direction of one connection: what waits to be sent, and how much may be under way.

use std::collections::VecDeque;

use primitives::Time;

use crate::{
    http::{Answer, HttpMessage},
    line::Line,
    path::{FIRST_WINDOW_BYTES, Path},
};

/// The two channels of a connection between peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Small messages: sent before payload that waits in the same buffer.
    Control,
    /// Bulk.
    Payload,
}

/// What a message carries.
#[derive(Debug)]
pub(crate) enum Cargo {
    Message { lane: Lane, bytes: Vec<u8> },
    Http(HttpMessage),
}

#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) size_bytes: u64,
    pub(crate) cargo: Cargo,
}

#[derive(Debug)]
pub(crate) struct Flow {
    /// Tells this connection from an earlier one between the same hosts.
    pub(crate) connection: u64,
    pub(crate) path: Path,
    urgent: VecDeque<Packet>,
    bulk: VecDeque<Packet>,
    /// Answers of an HTTP server to this client, served in turn.
    pub(crate) answers: VecDeque<Answer>,
    chunk_bytes: u32,
    /// Cap of this flow alone (an HTTP server's rate per client).
    pace: Option<Line>,
    in_flight_bytes: u64,
    window_bytes: u64,
    /// When bytes under way are acknowledged, in order.
    acks: VecDeque<(Time, u64)>,
    pub(crate) wake_armed: bool,
    pub(crate) lined_up: bool,
    /// Bytes sent, for fairness between the flows of a host.
    pub(crate) share: u64,
    pub(crate) last_arrival: Time,
    /// Messages that came to a cut, and when the cut came.
    pub(crate) held: VecDeque<Packet>,
    pub(crate) cut_at: Option<Time>,
}

impl Flow {
    pub(crate) fn new(connection: u64, path: Path) -> Self {
        Self {
            connection,
            path,
            urgent: VecDeque::new(),
            bulk: VecDeque::new(),
            answers: VecDeque::new(),
            chunk_bytes: 0,
            pace: None,
            in_flight_bytes: 0,
            window_bytes: FIRST_WINDOW_BYTES.min(path.window_bytes_max()),
            acks: VecDeque::new(),
            wake_armed: false,
            lined_up: false,
            share: 0,
            last_arrival: Time::ZERO,
            held: VecDeque::new(),
            cut_at: None,
        }
    }

    /// Makes this the answering side of an HTTP server.
    pub(crate) fn serve(&mut self, chunk_bytes: u32, pace: Option<Line>) {
        self.chunk_bytes = chunk_bytes.max(1);
        self.pace = pace;
    }

    pub(crate) fn push(&mut self, packet: Packet) {
        match packet.cargo {
            Cargo::Message { lane: Lane::Payload, .. } => self.bulk.push_back(packet),
            Cargo::Message { lane: Lane::Control, .. } | Cargo::Http(_) => {
                self.urgent.push_back(packet);
            }
        }
    }

    fn has_work(&self) -> bool {
        !(self.urgent.is_empty() && self.bulk.is_empty() && self.answers.is_empty())
    }

    /// Whether a message may leave now. A message larger than what is left of the window waits only
    /// if something is under way, so that none waits for ever.
    pub(crate) fn can_send(&mut self, now: Time) -> bool {
        self.take_acks(now);
        self.has_work()
            && self.in_flight_bytes < self.window_bytes
            && self.pace.as_ref().is_none_or(|pace| pace.has_room(now))
    }

    /// When a flow that has work and can't send should look again; `None`: an acknowledgement will say.
    pub(crate) fn look_again_at(&self) -> Option<Time> {
        if !self.has_work() {
            return None;
        }
        if self.in_flight_bytes >= self.window_bytes {
            return self.acks.front().map(|(at, _)| *at);
        }
        self.pace.as_ref().map(Line::room_at)
    }

    /// Takes the next message to send.
    pub(crate) fn take(&mut self, now: Time) -> Option<Packet> {
        let packet = self
            .urgent
            .pop_front()
            .or_else(|| self.bulk.pop_front())
            .or_else(|| self.take_of_answers())?;
        self.in_flight_bytes += packet.size_bytes;
        self.share += packet.size_bytes;
        if let Some(pace) = &mut self.pace {
            pace.pass(now, packet.size_bytes);
        }
        Some(packet)
    }

    fn take_of_answers(&mut self) -> Option<Packet> {
        let mut answer = self.answers.pop_front()?;
        let message = answer.next_chunk(self.chunk_bytes);
        if !answer.is_done() {
            self.answers.push_back(answer);
        }
        Some(Packet { size_bytes: message.size_bytes(), cargo: Cargo::Http(message) })
    }

    /// Notes that `bytes` will be acknowledged at `at`. Returns whether the sender waited for it.
    pub(crate) fn acknowledge(&mut self, at: Time, bytes: u64) -> bool {
        let at = self.acks.back().map_or(at, |(last, _)| at.max(*last));
        self.acks.push_back((at, bytes));
        self.has_work() && !self.wake_armed && !self.lined_up
    }

    fn take_acks(&mut self, now: Time) {
        while let Some((at, bytes)) = self.acks.front().copied() {
            if at > now {
                break;
            }
            self.acks.pop_front();
            self.in_flight_bytes = self.in_flight_bytes.saturating_sub(bytes);
            self.window_bytes = (self.window_bytes + bytes).min(self.path.window_bytes_max());
        }
    }
}
