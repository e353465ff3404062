//! HTTP as far as a swarm meets it: ranges of files, answers in chunks, statuses, silence.

use std::time::Duration;

use primitives::Time;

/// How a server answers. Its total rate is its host's uplink.
#[derive(Debug, Clone)]
pub struct HttpServer {
    /// Added before the first byte of each answer.
    pub think: Duration,
    /// Rate per client in bits per second; `None`: only the server's uplink limits.
    pub client_bits_per_s: Option<u64>,
    /// Bytes of one chunk, as a browser's stream hands them out.
    pub chunk_bytes: u32,
    /// What goes wrong and when. The first that applies counts.
    pub faults: Vec<Fault>,
}

/// A time in which a server misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Start.
    pub from: Time,
    /// End (exclusive).
    pub until: Time,
    /// How.
    pub kind: FaultKind,
    /// Share of the requests it hits, in thousandths.
    pub permille: u32,
}

/// How a server misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It answers with this status.
    Status(u16),
    /// The connection breaks in the middle of the answer.
    Break,
    /// It never answers.
    Silence,
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Get {
    /// The caller's name for it, unique at this client.
    pub number: u64,
    /// First byte.
    pub from: u32,
    /// One past the last byte.
    pub to: u32,
    /// Before this moment the server answers 404 (live).
    pub exists_at: Time,
}

/// A request at its client.
#[derive(Debug)]
pub(crate) struct PendingGet {
    pub(crate) server: crate::HostId,
}

/// Bytes of a request or of an answer's head.
pub(crate) const HEAD_BYTES: u64 = 400;

#[derive(Debug, Clone, Copy)]
pub(crate) enum HttpMessage {
    Request(Get),
    Abort(u64),
    Chunk { number: u64, from: u32, to: u32, last: bool },
    Failed { number: u64, status: u16 },
}

impl HttpMessage {
    pub(crate) fn size_bytes(&self) -> u64 {
        match self {
            Self::Request(_) | Self::Abort(_) | Self::Failed { .. } => HEAD_BYTES,
            Self::Chunk { from, to, .. } => u64::from(to - from),
        }
    }
}

/// An answer on its way out of the server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) number: u64,
    pub(crate) next: u32,
    pub(crate) to: u32,
    /// Where the connection breaks instead of going on.
    pub(crate) break_at: Option<u32>,
    pub(crate) ended: bool,
}

impl Answer {
    pub(crate) fn next_chunk(&mut self, chunk_bytes: u32) -> HttpMessage {
        let number = self.number;
        if self.break_at.is_some_and(|at| self.next >= at) {
            self.ended = true;
            return HttpMessage::Failed { number, status: 0 };
        }
        let from = self.next;
        self.next = from.saturating_add(chunk_bytes).min(self.to);
        self.ended = self.next >= self.to;
        HttpMessage::Chunk { number, from, to: self.next, last: self.ended }
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.ended
    }
}

impl HttpServer {
    /// A server without faults.
    pub const fn new(think: Duration, client_bits_per_s: Option<u64>) -> Self {
        Self { think, client_bits_per_s, chunk_bytes: 16_384, faults: Vec::new() }
    }

    /// The fault that hits a request at `now`, by a draw in `0..1000`.
    pub(crate) fn fault(&self, now: Time, draw: u32) -> Option<FaultKind> {
        let mut active = self.faults.iter().filter(|f| f.from <= now && now < f.until);
        active.find(|fault| draw < fault.permille).map(|fault| fault.kind)
    }
}
