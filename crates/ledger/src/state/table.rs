//! A domain's records of one kind.

use core::marker::PhantomData;

use minicbor::{Decode, Encode};

use super::{Key, Overlay, Prefix, Scan, Store, encode};

/// Records of one type under one table byte. Private to the domain that declares it: others call
/// the domain's functions.
#[derive(Debug)]
pub(crate) struct Table<V> {
    prefix: Prefix,
    table: u8,
    record: PhantomData<fn() -> V>,
}

impl<V: Encode<()> + for<'b> Decode<'b, ()>> Table<V> {
    pub(crate) const fn new(prefix: Prefix, table: u8) -> Self {
        Self { prefix, table, record: PhantomData }
    }

    pub(crate) fn key(&self, id: &[&[u8]]) -> Key {
        Key::new(self.prefix, self.table, id)
    }

    /// The id part of a key; none: it is of another table.
    pub(crate) fn id_of<'k>(&self, key: &'k Key) -> Option<&'k [u8]> {
        key.as_bytes().strip_prefix(&[self.prefix.byte(), self.table])
    }

    /// Whether this version reads a record; none: its key is of another table.
    pub(crate) fn reads(&self, key: &Key, record: &[u8]) -> Option<bool> {
        self.id_of(key).map(|_| minicbor::decode::<V>(record).is_ok())
    }

    pub(crate) fn get(&self, store: &dyn Store, id: &[&[u8]]) -> Option<V> {
        store.get(&self.key(id)).map(|record| read(&record))
    }

    pub(crate) fn put(&self, state: &mut Overlay<'_>, id: &[&[u8]], value: &V) {
        state.put(self.key(id), encode(value));
    }

    pub(crate) fn remove(&self, state: &mut Overlay<'_>, id: &[&[u8]]) {
        state.remove(self.key(id));
    }

    /// Every record with the id part of its key: for laws.
    pub(crate) fn all(&self, store: &dyn Scan) -> Vec<(Vec<u8>, V)> {
        self.all_of(store, &[])
    }

    /// Every record whose id begins with `part`.
    pub(crate) fn all_of(&self, store: &dyn Scan, part: &[u8]) -> Vec<(Vec<u8>, V)> {
        let mut found = Vec::new();
        store.scan(self.key(&[part]).as_bytes(), &mut |key, record| {
            found.push((key.as_bytes()[2..].to_vec(), read(record)));
        });
        found
    }
}

/// A node whose storage holds something else must stop, not guess.
fn read<V: for<'b> Decode<'b, ()>>(record: &[u8]) -> V {
    minicbor::decode(record).expect("the state holds only records that this crate wrote")
}
