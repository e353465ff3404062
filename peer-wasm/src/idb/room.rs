//! Which stored segments make room for others: the least recently used.

use core::cmp::Reverse;
use std::collections::BinaryHeap;

use super::database::{Entry, StoreKey};

/// Room is made down to this many eighths of the limit, so that it is not made anew on each write.
const LEFT_EIGHTHS: u64 = 7;

/// What to remove.
#[derive(Debug, PartialEq)]
pub(super) struct Plan {
    /// These, in any order.
    pub(super) remove: Vec<StoreKey>,
    /// What is left then.
    pub(super) left_bytes: u64,
    /// Whether what comes fits then.
    pub(super) fits: bool,
}

/// Room for `coming_bytes` under `limit_bytes`.
pub(super) fn plan(entries: &[Entry], limit_bytes: u64, coming_bytes: u64) -> Plan {
    let mut left_bytes: u64 = entries.iter().map(|entry| entry.size_bytes).sum();
    let fits = coming_bytes <= limit_bytes;
    let mut remove = Vec::new();
    // What can never fit throws nothing out.
    let coming_bytes = if fits { coming_bytes } else { 0 };
    if left_bytes + coming_bytes > limit_bytes {
        let goal_bytes = (limit_bytes / 8 * LEFT_EIGHTHS).saturating_sub(coming_bytes);
        // A heap, because most entries stay. Times are not negative: their bits are in their order.
        let by_age = entries.iter().enumerate();
        let mut by_age: BinaryHeap<_> =
            by_age.map(|(at, entry)| Reverse((entry.used_ms.max(0.0).to_bits(), at))).collect();
        while left_bytes > goal_bytes {
            let Some(Reverse((_, at))) = by_age.pop() else { break };
            let entry = &entries[at];
            left_bytes -= entry.size_bytes;
            remove.push(entry.key);
        }
    }
    Plan { remove, left_bytes, fits }
}

#[cfg(test)]
mod tests {
    use primitives::{SegmentId, SwarmId};
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn entry(index: u32, size_bytes: u64, used_ms: f64) -> Entry {
        Entry { key: (SwarmId::new([1; 32]), SegmentId::new(0, index)), size_bytes, used_ms }
    }

    fn removed(plan: &Plan) -> Vec<u32> {
        plan.remove.iter().map(|(_, segment)| segment.index).collect()
    }

    #[test]
    fn nothing_goes_while_there_is_room() {
        let plan = plan(&[entry(0, 50, 1.0)], 100, 50);
        assert_eq!(plan, Plan { remove: Vec::new(), left_bytes: 50, fits: true });
    }

    #[test]
    fn the_least_recently_used_go_first_and_a_little_more_than_needed() {
        let entries = [entry(0, 400, 3.0), entry(1, 300, 1.0), entry(2, 200, 2.0)];
        let plan = plan(&entries, 800, 100);
        assert_eq!(removed(&plan), [1]);
        assert_eq!(plan.left_bytes, 600);
        assert!(plan.fits);
    }

    #[test]
    fn what_can_never_fit_throws_nothing_out() {
        let plan = plan(&[entry(0, 50, 1.0)], 100, 101);
        assert_eq!(plan, Plan { remove: Vec::new(), left_bytes: 50, fits: false });
    }

    #[test]
    fn a_limit_of_zero_empties_the_store() {
        let plan = plan(&[entry(0, 50, 1.0), entry(1, 50, 2.0)], 0, 0);
        assert_eq!(removed(&plan), [0, 1]);
        assert_eq!(plan.left_bytes, 0);
    }
}
