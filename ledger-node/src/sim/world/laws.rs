//! The laws of every domain, asked after every block that did something.

use ledger::{Key, MemoryStore, Prefix, domains::lending};

use super::{World, markets, names, pools, street};
use crate::node::Handle;

impl World {
    /// Follows the blocks that became final since, by what some validator that keeps the rules has kept of them.
    pub(super) fn follow(&mut self) {
        let Some(newest) = self.heights().into_iter().max() else { return };
        let (mut height, mut state) = self.followed.take().unwrap_or_else(|| self.furthest());
        while height < newest {
            let next = height + 1;
            let kept = |(_, handle): (usize, &Handle)| handle.records().changes(next).unwrap();
            let Some((_, changes)) = self.honest().find_map(kept) else {
                // All who run began with a snapshot of a later block.
                (height, state) = self.furthest();
                continue;
            };
            // Of a block without transactions only the chain itself tells.
            let chain = Prefix::Chain.byte();
            let is_idle = changes.keys().all(|key| key.as_bytes().first() == Some(&chain));
            state.commit(changes);
            if !is_idle {
                assert_eq!(ledger::laws(&state), Ok(()), "after block {next}");
            }
            height = next;
        }
        self.followed = Some((height, state));
    }

    /// The last block of who has most, and all records after it.
    fn furthest(&self) -> (u64, MemoryStore) {
        let furthest = self.honest().max_by_key(|(_, handle)| *handle.height().borrow());
        let records = furthest.unwrap().1.records();
        let all = records.all().unwrap().into_iter();
        let mut state = MemoryStore::new();
        state.commit(all.map(|(key, record)| (Key::from_bytes(key), Some(record))).collect());
        (records.last().unwrap().0, state)
    }

    /// In the end all of the state is looked at, which is what the blocks made of it.
    pub(super) fn laws_hold(&mut self) {
        self.follow();
        let (height, state) = self.furthest();
        ledger::laws(&state).unwrap();
        let chain = ledger::tip(&state).unwrap().chain;
        for client in 0..self.clients.len() {
            names::check(client, chain, &state);
        }
        pools::check(self.told.values().flat_map(|receipt| &receipt.events));
        let is_same = self.followed == Some((height, state));
        assert!(is_same, "blocks changed something else than what they tell");
    }

    /// Clients did not only ask: somebody owed and was liquidated, neighbours traded, and pools paid.
    pub(in crate::sim) fn all_is_used(&self) {
        let (_, state) = self.furthest();
        markets::check_used(&state);
        street::check_used(&state);
        let mut events = self.told.values().flat_map(|receipt| &receipt.events);
        pools::check_used(events.clone());
        assert!(events.any(|event| event.kind == lending::LIQUIDATED), "nobody was liquidated");
    }
}
