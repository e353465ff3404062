//! Changes that are not yet part of the state.

use std::{collections::BTreeMap, fmt};

use super::{Key, Store};
use crate::{AccountId, Event, code::number, limits::EVENTS_MAX, state::Prefix};

/// What to write: records, or their removal, in order of keys.
pub type Changes = BTreeMap<Key, Option<Vec<u8>>>;

/// A store with changes on top. Dropping it undoes them.
pub struct Overlay<'a> {
    base: &'a dyn Store,
    changes: Changes,
    events: Vec<Event>,
}

impl<'a> Overlay<'a> {
    /// No changes yet.
    pub fn new(base: &'a dyn Store) -> Self {
        Self { base, changes: Changes::new(), events: Vec::new() }
    }

    /// The changes and events so far.
    pub fn into_parts(self) -> (Changes, Vec<Event>) {
        (self.changes, self.events)
    }

    /// Events so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The changes so far.
    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Adds changes made on an overlay above this one.
    pub(crate) fn absorb(&mut self, changes: Changes) {
        self.changes.extend(changes);
    }

    pub(crate) fn put(&mut self, key: Key, record: Vec<u8>) {
        self.changes.insert(key, Some(record));
    }

    pub(crate) fn remove(&mut self, key: Key) {
        self.changes.insert(key, None);
    }

    /// Tells those concerned. Domains bound their lists so that [`EVENTS_MAX`] is never reached.
    pub(crate) fn emit(
        &mut self,
        domain: Prefix,
        kind: u8,
        accounts: &[AccountId],
        numbers: &[u128],
    ) {
        debug_assert!(self.events.len() < EVENTS_MAX, "an action emits too many events");
        let kind = number(domain, kind);
        self.events.push(Event { kind, accounts: accounts.to_vec(), numbers: numbers.to_vec() });
    }
}

impl Store for Overlay<'_> {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        match self.changes.get(key) {
            Some(change) => change.clone(),
            None => self.base.get(key),
        }
    }
}

impl fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overlay")
            .field("changes", &self.changes.len())
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}
