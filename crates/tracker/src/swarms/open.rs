//! Offers that wait for an answer.

use std::collections::VecDeque;

use primitives::Time;

use super::{OFFER_LIFE, OPEN_OFFERS_MAX};
use crate::id::OfferId;

/// At most [`OPEN_OFFERS_MAX`], oldest first, each with who is at its other end. Holds no memory while it
/// is empty: most members wait most of the time.
#[derive(Debug)]
pub(super) struct Open<T>(VecDeque<Waiting<T>>);

#[derive(Debug, Clone, Copy)]
struct Waiting<T> {
    id: OfferId,
    /// Since when, in seconds.
    at_s: u32,
    with: T,
}

impl<T: Copy> Open<T> {
    pub(super) fn new() -> Self {
        Self(VecDeque::new())
    }

    /// Puts one in; the oldest of too many is forgotten.
    pub(super) fn put(&mut self, now: Time, id: OfferId, with: T) {
        if self.0.len() >= OPEN_OFFERS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Waiting { id, at_s: seconds(now), with });
    }

    /// Takes out the oldest of this name whose other end `fits`. `None`: there is none, or it waited
    /// too long.
    pub(super) fn take(&mut self, now: Time, id: &OfferId, fits: impl Fn(&T) -> bool) -> Option<T> {
        let at = self.0.iter().position(|waiting| waiting.id == *id && fits(&waiting.with))?;
        let waiting = self.0.remove(at)?;
        if self.0.is_empty() {
            self.0 = VecDeque::new();
        }
        waiting.is_open(seconds(now)).then_some(waiting.with)
    }

    /// Forgets what was not answered in time.
    pub(super) fn forget_old(&mut self, now: Time) {
        let now_s = seconds(now);
        if self.0.front().is_none_or(|oldest| oldest.is_open(now_s)) {
            return;
        }
        self.0.retain(|waiting| waiting.is_open(now_s));
        self.0.shrink_to_fit();
    }
}

impl<T> Waiting<T> {
    fn is_open(&self, now_s: u32) -> bool {
        u64::from(now_s.saturating_sub(self.at_s)) < OFFER_LIFE.as_secs()
    }
}

fn seconds(time: Time) -> u32 {
    u32::try_from(time.as_ms() / 1000).unwrap_or(u32::MAX)
}
