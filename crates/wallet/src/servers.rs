//! Which servers are asked, and when they are tried again.
//!
//! The page's own is the first. Then there are those that a person named, and those that the page's host names: these
//! are strangers like all others, and make room for a person's.

use std::net::Ipv6Addr;

use light_client::{Fault, ServerId};

/// Most servers at a time, whoever named them.
pub(crate) const SERVERS_MAX: usize = 8;
/// Longest address, in bytes, and longest one that a host names.
const URL_BYTES_MAX: usize = 256;
const NAMED_BYTES_MAX: usize = 200;
/// First and longest wait before a server is tried again, in milliseconds.
const RETRY_MS: (u64, u64) = (1_000, 30_000);

/// A server that is asked.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    /// Of the connection; a new one gets a new number.
    pub(crate) id: ServerId,
    pub(crate) state: State,
    pub(crate) height: u64,
    pub(crate) faults: Vec<Fault>,
    /// The page's host named it, and no person.
    pub(crate) is_named: bool,
    failures: u32,
}

/// What follows from one more server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) url: String,
    /// The connection to open; none: it stands already.
    pub(crate) open: Option<ServerId>,
    /// The connection to close: that one made room.
    pub(crate) gone: Option<ServerId>,
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
    /// Adds one that a person wants. `None`: it is there already, or is no address, or none that a page from here may
    /// ask, or there are too many.
    pub(crate) fn add(&mut self, url: &str) -> Option<Added> {
        let url = plain(url).filter(|url| self.may_ask(url))?;
        if let Some(known) = self.list.iter_mut().find(|server| server.url == url) {
            // From now on it is a person's.
            let was_named = std::mem::take(&mut known.is_named);
            return was_named.then(|| Added { url: url.to_owned(), open: None, gone: None });
        }
        let gone = match self.list.len() >= SERVERS_MAX {
            true => Some(self.take_out(self.list.iter().rposition(|server| server.is_named)?)),
            false => None,
        };
        Some(Added { url: url.to_owned(), open: Some(self.put(url, false)), gone })
    }

    /// Whether a browser lets the page ask there: one that came by TLS asks nobody without, but this machine.
    fn may_ask(&self, url: &str) -> bool {
        let is_safe = self.list.first().is_some_and(|own| own.url.starts_with("https://"));
        !is_safe || url.starts_with("https://") || is_of_this_machine(url)
    }

    /// Adds one that the page's host names; the connection to open. `None`: it is there already, or there are enough.
    pub(crate) fn name(&mut self, url: &str) -> Option<ServerId> {
        let known = self.list.iter().any(|server| server.url == url);
        (!known && self.list.len() < SERVERS_MAX).then(|| self.put(url, true))
    }

    /// Takes out those that the page's host named and does not any more; the connections to close.
    pub(crate) fn keep_named(&mut self, named: &[String]) -> Vec<ServerId> {
        let mut gone = Vec::new();
        while let Some(at) =
            self.list.iter().position(|server| server.is_named && !named.contains(&server.url))
        {
            gone.push(self.take_out(at));
        }
        gone
    }

    fn put(&mut self, url: &str, is_named: bool) -> ServerId {
        let id = self.number();
        self.list.push(Server {
            url: url.to_owned(),
            id,
            state: State::Connecting,
            height: 0,
            faults: Vec::new(),
            is_named,
            failures: 0,
        });
        id
    }

    fn take_out(&mut self, at: usize) -> ServerId {
        self.stayed = false;
        self.list.remove(at).id
    }

    fn number(&mut self) -> ServerId {
        let id = ServerId(self.next);
        self.next += 1;
        id
    }

    /// Takes one out; the connection to close.
    pub(crate) fn remove(&mut self, url: &str) -> Option<ServerId> {
        let at = self.list.iter().position(|server| server.url == url)?;
        Some(self.take_out(at))
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

/// An address as it is kept; `None`: of no server.
fn plain(url: &str) -> Option<&str> {
    let url = url.trim().trim_end_matches('/');
    let place = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    (is_place(place) && url.len() <= URL_BYTES_MAX).then_some(url)
}

/// Whether a socket can be opened there: name or address, port and path.
fn is_place(place: &str) -> bool {
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = port.is_none_or(|port| is_digits(port) && port.parse::<u16>().is_ok());
    let is_name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let fits = |one: char| one.is_alphanumeric() || "-._".contains(one);
            !name.is_empty() && name.chars().all(fits)
        }
    };
    let is_path = path.chars().all(|one| one.is_ascii_graphic() && !"?#\\".contains(one));
    is_name && is_port && is_path
}

/// Addresses that the page's host at `origin` named, one a line, as far as a page may ask them because of that:
/// by TLS, or of this machine if the host is, too. As many as there may be servers beside it.
pub(crate) fn named(list: &str, origin: &str) -> Vec<String> {
    let is_local = is_of_this_machine(origin);
    let mut hosts: Vec<String> = Vec::new();
    for url in list.lines().filter_map(plain) {
        let safe = is_by_tls(url) || (is_local && is_of_this_machine(url));
        let is_new = url != origin && !hosts.iter().any(|known| known == url);
        if safe && is_new && url.len() <= NAMED_BYTES_MAX && hosts.len() + 1 < SERVERS_MAX {
            hosts.push(url.to_owned());
        }
    }
    hosts
}

fn is_by_tls(url: &str) -> bool {
    url.strip_prefix("https://").is_some_and(is_host)
}

fn is_of_this_machine(url: &str) -> bool {
    let Some(place) = url.strip_prefix("http://").filter(|place| is_host(place)) else {
        return false;
    };
    let here = ["127.0.0.1", "localhost", "[::1]"].map(|name| place.strip_prefix(name));
    here.into_iter().flatten().any(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// Name and port, and nothing else.
fn is_host(place: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    !place.is_empty() && place.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_names_others_by_tls_and_its_own_machine_where_it_is_there() {
        let list = "https://b.example/\nhttps://b.example\nhttp://c.example\nhttp://127.0.0.1:2\n\
            https://me@d.example\nhttps://e.example/ledger\nhttps://own.example\nhttps://[2001:db8::1]:8443";
        let public = named(list, "https://own.example");
        assert_eq!(public, ["https://b.example", "https://[2001:db8::1]:8443"]);
        let local = named(
            "http://127.0.0.1:2\nhttp://localhost.example\nhttp://[::1]:3",
            "http://127.0.0.1:1",
        );
        assert_eq!(local, ["http://127.0.0.1:2", "http://[::1]:3"]);
        let long = format!("https://{}.example", "a".repeat(NAMED_BYTES_MAX));
        assert!(named(&long, "https://own.example").is_empty());
        let many: Vec<String> =
            (0..20).map(|number| format!("https://h{number}.example")).collect();
        assert_eq!(named(&many.join("\n"), "https://own.example"), many[..SERVERS_MAX - 1]);
    }

    #[test]
    fn what_no_page_could_ask_is_no_address() {
        let good = [
            "https://b.example",
            "http://b.example:8080/",
            "https://[2001:db8::1]:8443",
            "https://[::1]",
            "https://b.example/by/proxy",
            "https://bücher.example",
        ];
        for url in good {
            assert!(plain(url).is_some(), "{url}");
        }
        let bad = [
            "https://foo bar",
            "https://h:99999",
            "https://h:",
            "https://h:+1",
            "https://h:1:2",
            "https://[h]",
            "https://me@b.example",
            "https://b.example?a",
            "https://b.example/#a",
            "https://",
            "ftp://b.example",
        ];
        for url in bad {
            assert_eq!(plain(url), None, "{url}");
        }
        let (mut safe, mut plain_own) = (Servers::default(), Servers::default());
        safe.add("https://own.example").unwrap();
        plain_own.add("http://own.example").unwrap();
        assert_eq!(safe.add("http://b.example"), None, "no browser lets a page by TLS do that");
        assert!(plain_own.add("http://b.example").is_some());
        assert!(safe.add("http://127.0.0.1:8080").is_some());
    }

    #[test]
    fn whom_a_host_names_makes_room_for_whom_a_person_names() {
        let mut servers = Servers::default();
        let own = servers.add("https://own.example").unwrap();
        assert!(own.open.is_some() && own.gone.is_none());
        let urls: Vec<String> =
            (1..SERVERS_MAX).map(|number| format!("https://h{number}.example")).collect();
        let ids: Vec<ServerId> = urls.iter().map(|url| servers.name(url).unwrap()).collect();
        assert_eq!(servers.name("https://late.example"), None, "there are enough");
        assert_eq!(servers.name(&urls[0]), None, "it is there");
        let mine = servers.add("https://mine.example").unwrap();
        assert_eq!(mine.gone, ids.last().copied());
        // What a person names too is theirs, and goes for nobody.
        let both = servers.add(&urls[0]).unwrap();
        assert_eq!((both.open, both.gone), (None, None));
        assert_eq!(servers.add(&urls[0]), None);
        assert_eq!(servers.keep_named(&urls[1..2]).len(), 4);
        let left: Vec<&str> = servers.list.iter().map(|server| server.url.as_str()).collect();
        let expected =
            ["https://own.example", urls[0].as_str(), urls[1].as_str(), "https://mine.example"];
        assert_eq!(left, expected);
    }
}
