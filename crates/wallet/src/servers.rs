//! Which servers are asked, and when they are tried again.

use light_client::{Fault, ServerId};

/// Most servers a person may name.
pub(crate) const SERVERS_MAX: usize = 8;
/// Longest address, in bytes.
const URL_BYTES_MAX: usize = 256;
/// First and longest wait before a server is tried again, in milliseconds.
const RETRY_MS: (u64, u64) = (1_000, 30_000);

/// A server that a person named, or the page's own.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    /// Of the connection; a new one gets a new number.
    pub(crate) id: ServerId,
    pub(crate) state: State,
    pub(crate) height: u64,
    pub(crate) faults: Vec<Fault>,
    failures: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Connecting,
    Up,
    /// To be tried again.
    Down {
        until_ms: u64,
    },
    /// Never again: it lied.
    Out,
}

impl Server {
    /// It did not answer, or hung up, and has not been reached since.
    pub(crate) const fn is_away(&self) -> bool {
        match self.state {
            State::Down { .. } => true,
            State::Connecting => self.failures > 0,
            State::Up | State::Out => false,
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    pub(crate) list: Vec<Server>,
    next: u32,
    /// Nobody has gone since what waits was told to those who are up.
    stayed: bool,
}

impl Servers {
    /// Adds one; the connection to open. `None`: it is there already, or there are too many.
    pub(crate) fn add(&mut self, url: &str) -> Option<(ServerId, String)> {
        let url = url.trim().trim_end_matches('/');
        let shaped = url.starts_with("http://") || url.starts_with("https://");
        let known = self.list.iter().any(|server| server.url == url);
        if known || !shaped || url.len() > URL_BYTES_MAX || self.list.len() >= SERVERS_MAX {
            return None;
        }
        let id = self.number();
        self.list.push(Server {
            url: url.to_owned(),
            id,
            state: State::Connecting,
            height: 0,
            faults: Vec::new(),
            failures: 0,
        });
        Some((id, url.to_owned()))
    }

    fn number(&mut self) -> ServerId {
        let id = ServerId(self.next);
        self.next += 1;
        id
    }

    /// Takes one out; the connection to close.
    pub(crate) fn remove(&mut self, url: &str) -> Option<ServerId> {
        let at = self.list.iter().position(|server| server.url == url)?;
        self.stayed = false;
        Some(self.list.remove(at).id)
    }

    pub(crate) fn get_mut(&mut self, id: ServerId) -> Option<&mut Server> {
        self.list.iter_mut().find(|server| server.id == id)
    }

    /// Servers that may be told a transaction.
    pub(crate) fn up(&self) -> impl Iterator<Item = &Server> {
        self.list.iter().filter(|server| server.state == State::Up)
    }

    /// Whether those who are up are to be told what others took, now: one of these went, and what it took may be
    /// gone with it. So it is at the beginning of a visit.
    pub(crate) fn take_lost(&mut self) -> bool {
        let is_up = self.up().next().is_some();
        is_up && !std::mem::replace(&mut self.stayed, true)
    }

    pub(crate) fn on_up(&mut self, id: ServerId) -> bool {
        let Some(server) = self.get_mut(id).filter(|server| server.state == State::Connecting)
        else {
            return false;
        };
        server.state = State::Up;
        server.failures = 0;
        // Of the connection before: the light client knows this one by another number.
        server.faults.clear();
        true
    }

    pub(crate) fn on_down(&mut self, id: ServerId, now_ms: u64) {
        let Some(server) = self.get_mut(id).filter(|server| server.state != State::Out) else {
            return;
        };
        let wait_ms = RETRY_MS.0.saturating_mul(1 << server.failures.min(5)).min(RETRY_MS.1);
        server.failures += 1;
        let was_up = server.state == State::Up;
        server.state = State::Down { until_ms: now_ms.saturating_add(wait_ms) };
        server.height = 0;
        self.stayed &= !was_up;
    }

    /// Blames a server; whether it is out because of it.
    pub(crate) fn blame(&mut self, id: ServerId, fault: Fault) -> bool {
        let Some(server) = self.get_mut(id) else { return false };
        if !server.faults.contains(&fault) {
            server.faults.push(fault);
        }
        if fault.is_a_lie() {
            server.state = State::Out;
            self.stayed = false;
        }
        fault.is_a_lie()
    }

    pub(crate) fn forgive(&mut self, id: ServerId, fault: Fault) {
        if let Some(server) = self.get_mut(id) {
            server.faults.retain(|known| *known != fault);
        }
    }

    /// Connections to open now.
    pub(crate) fn due(&mut self, now_ms: u64) -> Vec<(ServerId, String)> {
        let mut due = Vec::new();
        for at in 0..self.list.len() {
            if matches!(self.list[at].state, State::Down { until_ms } if until_ms <= now_ms) {
                let id = self.number();
                let server = &mut self.list[at];
                server.id = id;
                server.state = State::Connecting;
                due.push((id, server.url.clone()));
            }
        }
        due
    }

    /// The clock was set back: none is due later than the longest wait from now.
    pub(crate) fn set_back(&mut self, now_ms: u64) {
        let latest_ms = now_ms.saturating_add(RETRY_MS.1);
        for server in &mut self.list {
            if let State::Down { until_ms } = &mut server.state {
                *until_ms = (*until_ms).min(latest_ms);
            }
        }
    }

    /// When the next one is due.
    pub(crate) fn wake(&self) -> Option<u64> {
        let until = |server: &Server| match server.state {
            State::Down { until_ms } => Some(until_ms),
            State::Connecting | State::Up | State::Out => None,
        };
        self.list.iter().filter_map(until).min()
    }
}
