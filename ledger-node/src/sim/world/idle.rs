//! A ledger of which nobody wants anything.

use std::time::{Duration, UNIX_EPOCH};

use commonware_codec::{Copying, DecodeExt as _};
use commonware_runtime::Clock as _;

use super::{BLOCKS_MIN, HEARTBEAT, World};
use crate::header::Header;

/// How often it is looked for blocks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a block may take from its time until it is final everywhere: votes on good lines, and a look.
const FINAL_WITHIN_MS: u64 = 400;

impl World {
    /// Nobody asks for anything. Blocks are made with each heartbeat, and each is final long before the next one.
    pub(in crate::sim) async fn idles(&mut self, span: Duration) {
        assert!(u128::from(FINAL_WITHIN_MS) * 2 < HEARTBEAT.as_millis());
        let end = self.context.current() + span;
        let mut known = self.heights();
        let first = known.clone();
        while self.context.current() < end {
            self.context.sleep(LOOK_EVERY).await;
            let now = self.context.current().duration_since(UNIX_EPOCH).unwrap();
            let now_ms = u64::try_from(now.as_millis()).unwrap();
            let heights = self.heights();
            for ((index, handle), (before, height)) in
                self.honest().zip(known.iter().zip(&heights)).filter(|(_, (old, new))| old < new)
            {
                let bytes = handle.header(*height).unwrap().unwrap();
                let time_ms = Header::decode(Copying(&bytes[..])).unwrap().time_ms;
                let age_ms = now_ms.saturating_sub(time_ms);
                assert!(
                    age_ms <= FINAL_WITHIN_MS,
                    "block {height} after {before} took {age_ms} ms to be final at validator {index}"
                );
            }
            known = heights;
        }
        let beats = u64::try_from(span.as_millis() / HEARTBEAT.as_millis()).unwrap();
        for (height, before) in known.iter().zip(&first) {
            let made = height - before;
            assert!(
                (BLOCKS_MIN..=beats + 1).contains(&made),
                "{made} blocks in {beats} heartbeats"
            );
        }
    }
}
