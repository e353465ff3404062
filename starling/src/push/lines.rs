//! What waits to be sent: a line for each push service, so that one that is slow holds up nobody else's.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use url::Url;

/// Messages under way at once to one push service.
const PER_ORIGIN_MAX: usize = 8;

/// What waits, by the origin of its push service. It is as long as the list lets it be: a subscription has one
/// message at most for each of its markets.
#[derive(Debug)]
pub(super) struct Lines<T>(BTreeMap<String, Line<T>>);

#[derive(Debug)]
struct Line<T> {
    waiting: VecDeque<T>,
    /// Held by this line, and by each message under way.
    rooms: Arc<()>,
}

/// A message's room at its push service, free again when this is dropped.
#[derive(Debug)]
pub(super) struct Room {
    _held: Arc<()>,
}

impl<T> Lines<T> {
    /// Nothing waits.
    pub(super) fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Puts something at the end of the line of an address's push service.
    pub(super) fn put(&mut self, endpoint: &str, item: T) {
        let line = self
            .0
            .entry(origin(endpoint))
            .or_insert_with(|| Line { waiting: VecDeque::new(), rooms: Arc::new(()) });
        line.waiting.push_back(item);
    }

    /// What is to be sent next: the first for the push service that has the fewest under way. `None`: nothing
    /// waits, or only for push services that are full.
    pub(super) fn next(&mut self) -> Option<(T, Room)> {
        self.0.retain(|_, line| !line.waiting.is_empty() || line.under_way() > 0);
        let free = self.0.values_mut().filter(|line| {
            let has_room = line.under_way() < PER_ORIGIN_MAX;
            has_room && !line.waiting.is_empty()
        });
        let line = free.min_by_key(|line| line.under_way())?;
        let item = line.waiting.pop_front()?;
        Some((item, Room { _held: Arc::clone(&line.rooms) }))
    }
}

impl<T> Line<T> {
    fn under_way(&self) -> usize {
        Arc::strong_count(&self.rooms).saturating_sub(1)
    }
}

/// Those that are no address share one: none of them is asked.
fn origin(endpoint: &str) -> String {
    Url::parse(endpoint).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_push_service_holds_up_no_other() {
        let mut lines = Lines::new();
        for number in 0..100 {
            lines.put(&format!("https://slow.example/{number}"), "slow");
        }
        let slow: Vec<_> = std::iter::from_fn(|| lines.next()).collect();
        assert_eq!(slow.len(), PER_ORIGIN_MAX, "the others wait");
        lines.put("https://quick.example/a", "quick");
        let (item, room) = lines.next().unwrap();
        assert_eq!(item, "quick");
        assert!(lines.next().is_none());
        drop(room);
        assert!(lines.next().is_none());
        drop(slow);
        assert_eq!(std::iter::from_fn(|| lines.next()).count(), 100 - PER_ORIGIN_MAX);
        assert!(lines.next().is_none());
        assert!(lines.0.is_empty(), "nothing is left of a line that is over");
    }

    #[test]
    fn a_line_is_in_order_and_who_has_fewest_under_way_is_first() {
        let mut lines = Lines::new();
        for number in [1, 2, 3] {
            lines.put("https://a.example/1", number);
        }
        lines.put("https://b.example/1", 10);
        let mut rooms = Vec::new();
        let mut order = Vec::new();
        while let Some((item, room)) = lines.next() {
            order.push(item);
            rooms.push(room);
        }
        assert_eq!(order, [1, 10, 2, 3]);
    }
}
