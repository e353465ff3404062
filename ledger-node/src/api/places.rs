//! Who asks, as far as the host's door tells, and how many of one address may stay.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{extract::FromRequestParts, http::request::Parts};

/// Where a request comes from: an address, or the /64 of one. Whoever serves the routes puts it among the
/// request's extensions; without it nobody is told from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(pub IpAddr);

/// The place of a request, where it is known.
pub(super) struct Whence(pub(super) Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Whence {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Place>().map(|place| place.0)))
    }
}

/// Seats for those who stay: so many in all, and so many of one place.
#[derive(Debug)]
pub struct Seats {
    all_max: usize,
    place_max: usize,
    taken: Mutex<Taken>,
}

/// At most as many places as seats.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of: BTreeMap<IpAddr, usize>,
}

/// Somebody's seat, until it is dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    place: Option<IpAddr>,
}

impl Seats {
    /// So many in all, and of one place.
    pub fn new(all_max: usize, place_max: usize) -> Arc<Self> {
        Arc::new(Self { all_max, place_max, taken: Mutex::default() })
    }

    /// A seat for somebody of this place; without one, nobody is told from the others. None: all are taken, or as
    /// many as one place may have.
    pub fn take(self: &Arc<Self>, place: Option<IpAddr>) -> Option<Seat> {
        let mut taken = self.taken();
        if taken.all >= self.all_max {
            return None;
        }
        if let Some(place) = place {
            let own = taken.of.get(&place).copied().unwrap_or(0);
            if own >= self.place_max {
                return None;
            }
            taken.of.insert(place, own + 1);
        }
        taken.all += 1;
        Some(Seat { seats: Arc::clone(self), place })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while it is held.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
        taken.all = taken.all.saturating_sub(1);
        let Some(place) = self.place else { return };
        match taken.of.get(&place).copied() {
            Some(own @ 2..) => {
                taken.of.insert(place, own - 1);
            }
            _ => {
                taken.of.remove(&place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn place(last: u8) -> Option<IpAddr> {
        Some(Ipv4Addr::new(203, 0, 113, last).into())
    }

    #[test]
    fn one_place_takes_not_all_seats_and_gives_back_what_it_leaves() {
        let seats = Seats::new(5, 2);
        let first = (seats.take(place(1)).unwrap(), seats.take(place(1)).unwrap());
        assert!(seats.take(place(1)).is_none());
        let others = [seats.take(place(2)), seats.take(place(3)), seats.take(None)];
        assert!(others.iter().all(Option::is_some));
        assert!(seats.take(place(4)).is_none(), "five in all");
        drop(first.0);
        assert_eq!(seats.taken().of[&place(1).unwrap()], 1);
        drop((first.1, others));
        assert!(seats.taken().of.is_empty());
        assert_eq!(seats.taken().all, 0);
    }

    #[test]
    fn who_is_not_told_from_others_is_counted_in_all_only() {
        let seats = Seats::new(3, 1);
        let all = [seats.take(None), seats.take(None), seats.take(None)];
        assert!(all.iter().all(Option::is_some));
        assert!(seats.take(None).is_none());
    }
}
