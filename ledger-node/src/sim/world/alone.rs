//! A validator without others.

use std::time::Duration;

use commonware_runtime::{Clock as _, reschedule};

use super::{BLOCKS_MIN, HEARTBEAT, World};

/// Steps of anybody, the engine's tasks among them, until it is killed: a block takes about half as many.
const STEPS_MAX: usize = 40;
/// Somebody asks again this often when it is back.
const ASKED_EVERY: Duration = Duration::from_millis(20);
/// How soon blocks must follow then: before any view can have run out of time.
const SOON: Duration = Duration::from_millis(900);

impl World {
    /// It is killed while it does what somebody asked for, and goes on as soon as it is back.
    pub(in crate::sim) async fn is_killed_in_the_middle(&mut self) {
        assert!(SOON < HEARTBEAT);
        self.ask();
        for _ in 0..self.rng.usize(..STEPS_MAX) {
            reschedule().await;
        }
        self.crash(0).await;
        self.start(0).await;
        let end = self.context.current() + SOON;
        let target = self.heights()[0] + BLOCKS_MIN;
        while self.heights()[0] < target {
            assert!(self.context.current() < end, "{:?}, not {target}", self.heights());
            self.ask();
            self.context.sleep(ASKED_EVERY).await;
            self.look();
        }
    }
}
