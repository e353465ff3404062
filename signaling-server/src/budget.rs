//! How many sockets and messages one address, one web origin and all together may have.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use primitives::SwarmId;

use crate::config::Config;
use crate::error::ConfigError;
use crate::lock;
use crate::visitor::Visitor;

/// Rates allow this many times their second, or a tenth of their minute, at once: a page that opens
/// sends the candidates of all its connections in one go.
const BURST: u32 = 10;
/// Requests of one address with the host's token, or a guess at it, per second.
const ADMINISTERED_PER_S: u32 = 5;

/// Why a socket is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The server has its most sockets.
    All,
    /// The address has its most sockets, or opens them too fast.
    Place(Duration),
    /// The pages of this origin have their most sockets.
    Origin,
}

/// Budgets of one server.
pub(crate) struct Budgets {
    connects: DefaultKeyedRateLimiter<IpAddr>,
    messages_of_place: DefaultKeyedRateLimiter<IpAddr>,
    messages_of_origin: Option<DefaultKeyedRateLimiter<Box<str>>>,
    messages_in_swarm: Option<DefaultKeyedRateLimiter<SwarmId>>,
    asks: DefaultKeyedRateLimiter<IpAddr>,
    /// Of the host, or of who would like to be.
    administered: DefaultKeyedRateLimiter<IpAddr>,
    of_socket: Quota,
    of_tracker_socket: Quota,
    clock: DefaultClock,
    sockets: Mutex<Sockets>,
    sockets_max: u32,
    sockets_of_place_max: u32,
    sockets_of_origin_max: u32,
    /// Peers in swarms of the tracker.
    peers_of_place: Mutex<BTreeMap<IpAddr, u32>>,
    peers_of_place_max: u32,
}

impl std::fmt::Debug for Budgets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budgets").field("sockets", &self.sockets).finish_non_exhaustive()
    }
}

/// Sockets open now.
#[derive(Debug, Default)]
struct Sockets {
    all: u32,
    of_place: BTreeMap<IpAddr, u32>,
    of_origin: BTreeMap<Box<str>, u32>,
}

/// An open socket's place in the budgets; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    budgets: Arc<Budgets>,
    place: IpAddr,
    origin: Option<Box<str>>,
}

impl Budgets {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let per_second = |field, rate| quota(field, rate, Quota::per_second);
        let of_origin = config.messages_per_origin_per_s;
        let in_swarm = config.messages_per_swarm_per_s;
        Ok(Self {
            connects: RateLimiter::keyed(per_minute(config.connects_per_ip_per_minute)?),
            messages_of_place: RateLimiter::keyed(per_second(
                "messages_per_ip_per_s",
                config.messages_per_ip_per_s,
            )?),
            messages_of_origin: (of_origin > 0)
                .then(|| per_second("messages_per_origin_per_s", of_origin).map(RateLimiter::keyed))
                .transpose()?,
            messages_in_swarm: (in_swarm > 0)
                .then(|| per_second("messages_per_swarm_per_s", in_swarm).map(RateLimiter::keyed))
                .transpose()?,
            administered: RateLimiter::keyed(per_second("administered", ADMINISTERED_PER_S)?),
            asks: RateLimiter::keyed(per_second(
                "witness.asks_per_ip_per_s",
                config.witness.asks_per_ip_per_s,
            )?),
            of_socket: per_second("messages_per_socket_per_s", config.messages_per_socket_per_s)?,
            of_tracker_socket: per_second(
                "tracker.messages_per_socket_per_s",
                config.tracker.messages_per_socket_per_s,
            )?,
            clock: DefaultClock::default(),
            sockets: Mutex::default(),
            sockets_max: config.connections_max,
            sockets_of_place_max: config.connections_per_ip_max,
            sockets_of_origin_max: config.connections_per_origin_max,
            peers_of_place: Mutex::default(),
            peers_of_place_max: config.tracker.peers_per_ip_max,
        })
    }

    /// Takes a place for a socket.
    pub(crate) fn open(self: &Arc<Self>, visitor: &Visitor) -> Result<Permit, Refused> {
        let rate = self.connects.check_key(&visitor.place);
        rate.map_err(|until| Refused::Place(self.wait(&until)))?;
        let mut sockets = lock(&self.sockets);
        if sockets.all >= self.sockets_max {
            return Err(Refused::All);
        }
        let of_place = sockets.of_place.get(&visitor.place).copied().unwrap_or(0);
        if of_place >= self.sockets_of_place_max {
            return Err(Refused::Place(Duration::from_secs(10)));
        }
        if let Some(origin) = &visitor.origin {
            let of_origin = sockets.of_origin.entry(origin.clone()).or_default();
            if self.sockets_of_origin_max > 0 && *of_origin >= self.sockets_of_origin_max {
                return Err(Refused::Origin);
            }
            *of_origin += 1;
        }
        sockets.all += 1;
        sockets.of_place.insert(visitor.place, of_place + 1);
        let origin = visitor.origin.clone();
        Ok(Permit { budgets: Arc::clone(self), place: visitor.place, origin })
    }

    /// Counts a message of a visitor; the wait when a budget is used up.
    pub(crate) fn message(
        &self,
        visitor: &Visitor,
        socket: &DefaultDirectRateLimiter,
    ) -> Result<(), Duration> {
        socket.check().map_err(|until| self.wait(&until))?;
        let of_place = self.messages_of_place.check_key(&visitor.place);
        of_place.map_err(|until| self.wait(&until))?;
        match (&self.messages_of_origin, &visitor.origin) {
            (Some(limiter), Some(origin)) => {
                limiter.check_key(origin).map_err(|until| self.wait(&until))
            }
            _ => Ok(()),
        }
    }

    /// Counts a message in a swarm, whoever sent it.
    pub(crate) fn in_swarm(&self, swarm: &SwarmId) -> Result<(), Duration> {
        let Some(limiter) = &self.messages_in_swarm else { return Ok(()) };
        limiter.check_key(swarm).map_err(|until| self.wait(&until))
    }

    /// Counts a request that shows the host's token, or claims to.
    pub(crate) fn administer(&self, visitor: &Visitor) -> Result<(), Duration> {
        self.administered.check_key(&visitor.place).map_err(|until| self.wait(&until))
    }

    /// Counts a request beside the sockets as a message of the address.
    pub(crate) fn request(&self, visitor: &Visitor) -> Result<(), Duration> {
        let of_place = self.messages_of_place.check_key(&visitor.place);
        of_place.map_err(|until| self.wait(&until))
    }

    /// Counts a question to the witness.
    pub(crate) fn ask(&self, visitor: &Visitor) -> Result<(), Duration> {
        self.asks.check_key(&visitor.place).map_err(|until| self.wait(&until))
    }

    /// The budget of one socket.
    pub(crate) fn of_socket(&self) -> DefaultDirectRateLimiter {
        RateLimiter::direct(self.of_socket)
    }

    /// The budget of one socket of the tracker.
    pub(crate) fn of_tracker_socket(&self) -> DefaultDirectRateLimiter {
        RateLimiter::direct(self.of_tracker_socket)
    }

    /// Takes a place for a peer in a swarm of the tracker; give it back with [`Self::leave`].
    pub(crate) fn enter(&self, place: IpAddr) -> bool {
        let mut peers = lock(&self.peers_of_place);
        let count = peers.get(&place).copied().unwrap_or(0);
        let fits = count < self.peers_of_place_max;
        if fits {
            peers.insert(place, count + 1);
        }
        fits
    }

    /// Gives the place of a peer back.
    pub(crate) fn leave(&self, place: IpAddr) {
        give_back(&mut lock(&self.peers_of_place), &place);
    }

    /// Forgets addresses and origins whose budgets are whole again.
    pub(crate) fn forget_quiet(&self) {
        for limiter in [&self.connects, &self.messages_of_place, &self.asks, &self.administered] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        if let Some(limiter) = &self.messages_in_swarm {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        if let Some(limiter) = &self.messages_of_origin {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    fn wait<P: governor::clock::Reference>(&self, until: &NotUntil<P>) -> Duration
    where
        DefaultClock: governor::clock::Clock<Instant = P>,
    {
        until.wait_time_from(self.clock.now())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut sockets = lock(&self.budgets.sockets);
        sockets.all = sockets.all.saturating_sub(1);
        give_back(&mut sockets.of_place, &self.place);
        if let Some(origin) = &self.origin {
            give_back(&mut sockets.of_origin, origin);
        }
    }
}

fn give_back<K: Ord>(counts: &mut BTreeMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

fn quota(
    field: &'static str,
    rate: u32,
    per: impl FnOnce(NonZeroU32) -> Quota,
) -> Result<Quota, ConfigError> {
    let rate = NonZeroU32::new(rate).ok_or(ConfigError::Zero { field })?;
    Ok(per(rate).allow_burst(rate.saturating_mul(NonZeroU32::MIN.saturating_add(BURST - 1))))
}

fn per_minute(rate: u32) -> Result<Quota, ConfigError> {
    let rate =
        NonZeroU32::new(rate).ok_or(ConfigError::Zero { field: "connects_per_ip_per_minute" })?;
    Ok(Quota::per_minute(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(last: u8, origin: Option<&str>) -> Visitor {
        Visitor {
            place: IpAddr::from([192, 0, 2, last]),
            origin: origin.map(Into::into),
            host: None,
        }
    }

    fn budgets(config: &Config) -> Arc<Budgets> {
        Arc::new(Budgets::new(config).unwrap())
    }

    #[test]
    fn a_place_has_its_most_sockets_and_gets_them_back() {
        let budgets = budgets(&Config { connections_per_ip_max: 2, ..Config::default() });
        let first = budgets.open(&visitor(1, None)).unwrap();
        let _second = budgets.open(&visitor(1, None)).unwrap();
        assert!(matches!(budgets.open(&visitor(1, None)), Err(Refused::Place(_))));
        assert!(budgets.open(&visitor(2, None)).is_ok());
        drop(first);
        assert!(budgets.open(&visitor(1, None)).is_ok());
    }

    #[test]
    fn an_origin_and_the_server_have_their_most_sockets() {
        let config =
            Config { connections_per_origin_max: 1, connections_max: 2, ..Config::default() };
        let budgets = budgets(&config);
        let page = Some("https://a.example");
        let _first = budgets.open(&visitor(1, page)).unwrap();
        assert!(matches!(budgets.open(&visitor(2, page)), Err(Refused::Origin)));
        let _second = budgets.open(&visitor(2, None)).unwrap();
        assert!(matches!(budgets.open(&visitor(3, None)), Err(Refused::All)));
    }

    #[test]
    fn messages_are_counted_by_socket_place_and_origin() {
        let config = Config { messages_per_socket_per_s: 1, ..Config::default() };
        let budgets = budgets(&config);
        let (socket, other) = (budgets.of_socket(), budgets.of_socket());
        let visitor = visitor(1, None);
        let sent = (0..100).filter(|_| budgets.message(&visitor, &socket).is_ok()).count();
        assert!((10..=11).contains(&sent), "{sent} messages passed");
        assert!(budgets.message(&visitor, &socket).unwrap_err() > Duration::from_millis(100));
        assert!(budgets.message(&visitor, &other).is_ok());
    }

    #[test]
    fn one_swarm_does_not_use_up_what_others_have() {
        let config = Config { messages_per_swarm_per_s: 1, ..Config::default() };
        let budgets = budgets(&config);
        let (busy, other) = (SwarmId::new([1; 32]), SwarmId::new([2; 32]));
        let passed = (0..100).filter(|_| budgets.in_swarm(&busy).is_ok()).count();
        assert!((10..=11).contains(&passed), "{passed} messages passed");
        assert!(budgets.in_swarm(&other).is_ok());
        let unbounded = Config { messages_per_swarm_per_s: 0, ..Config::default() };
        let unbounded = Budgets::new(&unbounded).unwrap();
        assert!((0..100_000).all(|_| unbounded.in_swarm(&busy).is_ok()));
    }

    #[test]
    fn a_rate_of_zero_is_refused() {
        let config = Config { messages_per_ip_per_s: 0, ..Config::default() };
        assert!(matches!(Budgets::new(&config), Err(ConfigError::Zero { .. })));
    }
}
