//! How much each visitor may ask: what this host hands on, others answer.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::request::Parts;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ledger_node::api::{READERS_MAX, READERS_PER_PLACE_MAX, Seat, Seats};
use signaling_server::Proxies;

use super::Refusal;

/// Requests under way at once, and of one place: a page asks a few at a time.
const ASKS_MAX: usize = 512;
const ASKS_PER_PLACE_MAX: usize = 32;
/// Requests after which places are forgotten that asked for nothing lately.
const FORGET_EVERY: u32 = 1024;

/// Who asks, and how often.
#[derive(Debug)]
pub(super) struct Visitors {
    proxies: Proxies,
    asks: DefaultKeyedRateLimiter<IpAddr>,
    count: AtomicU32,
    under_way: Arc<Seats>,
    /// As many as a validator has.
    readers: Arc<Seats>,
}

impl Visitors {
    /// So many requests of each in a minute; 0 counts as 1.
    pub(super) fn new(proxies: Proxies, per_minute: u32) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            proxies,
            asks: RateLimiter::keyed(Quota::per_minute(per_minute)),
            count: AtomicU32::new(0),
            under_way: Seats::new(ASKS_MAX, ASKS_PER_PLACE_MAX),
            readers: Seats::new(READERS_MAX, READERS_PER_PLACE_MAX),
        }
    }

    /// Counts a request of whoever sent it.
    pub(super) fn admit(&self, parts: &Parts) -> Result<(), Refusal> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        if count.is_multiple_of(FORGET_EVERY) {
            self.asks.retain_recent();
            self.asks.shrink_to_fit();
        }
        self.asks.check_key(&self.proxies.place(parts)).map_err(|_| Refusal::Place)
    }

    /// Room for a request of whoever asks, until it is answered.
    pub(super) fn room(&self, parts: &Parts) -> Option<Seat> {
        self.under_way.take(Some(self.proxies.place(parts)))
    }

    /// Room for a socket of whoever asks.
    pub(super) fn sit(&self, parts: &Parts) -> Option<Seat> {
        self.readers.take(Some(self.proxies.place(parts)))
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;
    use axum::http::Request;

    use super::*;

    /// A request of somebody.
    fn parts(last: u8) -> Parts {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.extensions.insert(ConnectInfo(SocketAddr::from(([192, 0, 2, last], 1))));
        parts
    }

    #[test]
    fn one_place_takes_not_all_room_for_requests_or_sockets() {
        let visitors = Visitors::new(Proxies::default(), 1);
        let rooms: Vec<Seat> = (0..32).map(|_| visitors.room(&parts(1)).unwrap()).collect();
        assert!(visitors.room(&parts(1)).is_none());
        let seats: Vec<Seat> = (0..128).map(|_| visitors.sit(&parts(1)).unwrap()).collect();
        assert!(visitors.sit(&parts(1)).is_none(), "as many as a validator lets in");
        assert!(visitors.room(&parts(2)).is_some() && visitors.sit(&parts(2)).is_some());
        drop((rooms, seats));
        assert!(visitors.room(&parts(1)).is_some() && visitors.sit(&parts(1)).is_some());
    }
}
