//! The laws of every domain, asked after every transaction and after every block that did something.

use ledger::{
    AccountId, BlockContext, BlockRun, Changes, Checked, Key, MemoryStore, Prefix, Receipt,
    domains::lending, params, tip,
};

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
            if !is_idle {
                self.between += self.laws_hold_between(&state, next, &changes);
            }
            state.commit(changes);
            if !is_idle {
                assert_eq!(ledger::laws(&state), Ok(()), "after block {next}");
            }
            height = next;
        }
        self.followed = Some((height, state));
    }

    /// Runs a block's transactions again, one by one: the laws hold after each, so that none breaks what the next one
    /// mends. How many of them had others behind them.
    fn laws_hold_between(&self, before: &MemoryStore, height: u64, changes: &Changes) -> usize {
        let mut after = before.clone();
        after.commit(changes.clone());
        let (last, chosen) = (tip(&after).unwrap(), params(&after).unwrap());
        let context = BlockContext { chain: last.chain, height, time_ms: last.time_ms };
        let clients: Vec<AccountId> =
            self.clients.iter().map(|client| AccountId::of_key(client.id())).collect();
        let mut told: Vec<&Receipt> =
            self.told.values().filter(|receipt| receipt.height == height).collect();
        told.sort_by_key(|receipt| receipt.index);
        let behind = told.len().saturating_sub(1);
        let mut run = BlockRun::begin(before, height, last.time_ms).unwrap();
        run.choose(chosen).unwrap();
        let (mut seen, mut between) = (before.clone(), 0);
        // Of who keeps the last blocks only, some may have been forgotten before they were told.
        for (at, receipt) in (0..).zip(told).take_while(|(at, receipt)| receipt.index == *at) {
            let bytes = &self.sent[&receipt.transaction].bytes;
            run.push(&Checked::open(bytes, last.chain).unwrap()).unwrap();
            let mut now = before.clone();
            now.commit(run.changes().clone());
            markets::check_step((&seen, &now), receipt, &context, &clients);
            // After the last one, the block is asked.
            if between < behind {
                assert_eq!(ledger::laws(&now), Ok(()), "in block {height}, after number {at}");
                between += 1;
            }
            seen = now;
        }
        between
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

    /// Clients did not only ask: somebody owed and was liquidated, neighbours traded, pools paid, and blocks held
    /// several transactions.
    pub(in crate::sim) fn all_is_used(&self) {
        let (_, state) = self.furthest();
        markets::check_used(&state);
        street::check_used(&state);
        let mut events = self.told.values().flat_map(|receipt| &receipt.events);
        pools::check_used(events.clone());
        assert!(events.any(|event| event.kind == lending::LIQUIDATED), "nobody was liquidated");
        assert!(self.between > 0, "no block held two transactions");
    }
}
