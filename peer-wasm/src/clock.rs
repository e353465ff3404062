//! Time: `performance.now`, and the one timer.

use core::cell::{Cell, RefCell};

use gloo_timers::callback::Timeout;
use primitives::Time;

use crate::{js_error::BrowserError, number};

/// The page's monotonic clock, from when the peer started.
#[derive(Debug)]
pub(crate) struct Clock {
    performance: web_sys::Performance,
    started_ms: f64,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Result<Self, BrowserError> {
        let performance = web_sys::window()
            .and_then(|window| window.performance())
            .ok_or_else(|| BrowserError::missing("Performance"))?;
        let started_ms = performance.now();
        Ok(Self { performance, started_ms })
    }

    /// Now.
    pub(crate) fn now(&self) -> Time {
        Time::from_us(number::whole((self.performance.now() - self.started_ms) * 1000.0))
    }
}

/// Wall clock in milliseconds since 1970, for what must compare across visits (last use of a segment).
pub(crate) fn wall_ms() -> f64 {
    js_sys::Date::now()
}

/// Longest sleep asked of `setTimeout`, whose argument is a signed 32-bit count: 12 hours.
const SLEEP_MS_MAX: u64 = 12 * 3_600_000;

/// The one timer. Set anew only to wake earlier: waking too early costs one empty call, setting a
/// timer on every message of a data channel costs more.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    set_for: Cell<Option<Time>>,
    timeout: RefCell<Option<Timeout>>,
}

impl Alarm {
    /// Calls `ring` at `at`, if it is not already set for an earlier moment.
    pub(crate) fn set(&self, now: Time, at: Time, ring: impl FnOnce() + 'static) {
        if at == Time::NEVER || self.set_for.get().is_some_and(|set| set <= at) {
            return;
        }
        // Up to the next whole millisecond: one too early would find nothing to do.
        let sleep_us = at.as_us().saturating_sub(now.as_us());
        let sleep_ms = sleep_us.div_ceil(1000).min(SLEEP_MS_MAX);
        let sleep_ms = u32::try_from(sleep_ms).expect("12 hours of milliseconds fit 32 bits");
        self.set_for.set(Some(at));
        self.timeout.replace(Some(Timeout::new(sleep_ms, ring)));
    }

    /// The timer rang.
    pub(crate) fn rang(&self) {
        self.set_for.set(None);
    }
}
