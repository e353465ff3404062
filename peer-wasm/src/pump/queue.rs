//! Inputs that wait for the pump. Bounded: strangers can fill it only with messages, and the one who
//! fills it most is hung up.

use primitives::SortedMap;
use std::collections::VecDeque;

use peer::{Input, LinkId};

/// Most inputs that wait. The pump empties the queue in the callback that filled it, so more than a
/// few means that something floods.
const INPUTS_MAX: usize = 2048;

/// First in, first out.
#[derive(Debug, Default)]
pub(super) struct Queue(VecDeque<Input>);

impl Queue {
    /// Adds an input. When the queue is full, drops the messages of the connection that has most in
    /// it, and names that connection, which must be closed.
    pub(super) fn push(&mut self, input: Input) -> Option<LinkId> {
        self.0.push_back(input);
        if self.0.len() <= INPUTS_MAX {
            return None;
        }
        let noisiest = self.noisiest()?;
        self.0
            .retain(|input| !matches!(input, Input::RtcMessage { link, .. } if *link == noisiest));
        Some(noisiest)
    }

    /// Adds an input of our own making, full or not.
    pub(super) fn push_always(&mut self, input: Input) {
        self.0.push_back(input);
    }

    /// The oldest input.
    pub(super) fn pop(&mut self) -> Option<Input> {
        self.0.pop_front()
    }

    fn noisiest(&self) -> Option<LinkId> {
        let mut counts = SortedMap::<LinkId, usize>::new();
        for input in &self.0 {
            if let Input::RtcMessage { link, .. } = input {
                *counts.entry(*link).or_default() += 1;
            }
        }
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(link, _)| link)
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn message(link: u32) -> Input {
        Input::RtcMessage { link: LinkId(link), bytes: vec![0] }
    }

    #[test]
    fn a_flood_closes_the_connection_it_comes_from_and_keeps_the_rest() {
        let mut queue = Queue::default();
        assert_eq!(queue.push(message(1)), None);
        let closed: Vec<_> = (0..INPUTS_MAX).filter_map(|_| queue.push(message(2))).collect();
        assert_eq!(closed, [LinkId(2)]);
        assert!(matches!(queue.pop(), Some(Input::RtcMessage { link: LinkId(1), .. })));
        assert!(queue.pop().is_none());
    }
}
