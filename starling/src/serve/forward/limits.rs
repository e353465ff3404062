//! How much each visitor may ask: what this host hands on, others answer.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use signaling_server::Proxies;

use super::Refusal;

/// Most readers of blocks at a time, as a validator has, and of one place.
const READERS_MAX: usize = 1024;
const READERS_OF_PLACE_MAX: usize = 64;
/// Requests after which places are forgotten that asked for nothing lately.
const FORGET_EVERY: u32 = 1024;

/// Who asks, and how often.
#[derive(Debug)]
pub(super) struct Visitors {
    proxies: Proxies,
    asks: DefaultKeyedRateLimiter<IpAddr>,
    count: AtomicU32,
    /// Sockets by place; no place without any.
    seats: Mutex<BTreeMap<IpAddr, usize>>,
}

/// One socket's, until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    visitors: Arc<Visitors>,
    place: IpAddr,
}

impl Visitors {
    /// So many requests of each in a minute; 0 counts as 1.
    pub(super) fn new(proxies: Proxies, per_minute: u32) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            proxies,
            asks: RateLimiter::keyed(Quota::per_minute(per_minute)),
            count: AtomicU32::new(0),
            seats: Mutex::default(),
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

    /// Room for a socket of whoever asks.
    pub(super) fn sit(visitors: &Arc<Self>, parts: &Parts) -> Result<Seat, Refusal> {
        Self::sit_at(visitors, visitors.proxies.place(parts))
    }

    fn sit_at(visitors: &Arc<Self>, place: IpAddr) -> Result<Seat, Refusal> {
        let mut seats = visitors.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = seats.values().sum();
        let here = seats.get(&place).copied().unwrap_or_default();
        if all >= READERS_MAX || here >= READERS_OF_PLACE_MAX {
            return Err(Refusal::Place);
        }
        seats.insert(place, here + 1);
        Ok(Seat { visitors: Arc::clone(visitors), place })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Nothing panics while it is held.
        let mut seats = self.visitors.seats.lock().unwrap_or_else(PoisonError::into_inner);
        match seats.get_mut(&self.place) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(seats.remove(&self.place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_so_many_sockets_and_gives_them_back() {
        let proxies = Proxies::parse(&[]).unwrap();
        let visitors = Arc::new(Visitors::new(proxies, 1));
        let place = |last| IpAddr::from([192, 0, 2, last]);
        let sit = |last| Visitors::sit_at(&visitors, place(last));
        let mut seats: Vec<Seat> = (0..READERS_OF_PLACE_MAX).map(|_| sit(1).unwrap()).collect();
        assert_eq!(sit(1).unwrap_err(), Refusal::Place);
        let other = sit(2).unwrap();
        seats.pop();
        let again = sit(1).unwrap();
        drop((seats, other, again));
        assert!(visitors.seats.lock().unwrap().is_empty(), "nobody is remembered");
    }
}
