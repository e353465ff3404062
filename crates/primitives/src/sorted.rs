//! An ordered map and an ordered set that are sorted lists.
//!
//! They iterate in the order of their keys, as `BTreeMap` and `BTreeSet` do, so a replay from a seed
//! is the same with either. They are for what a peer holds: tens of neighbours, hundreds of
//! segments. Each `BTreeMap` of one more pair of types costs a visitor four kilobytes of WebAssembly,
//! each of these a few hundred bytes (`docs/adr/0014-smaller-wasm.md`).
//!
//! | what | costs |
//! |---|---|
//! | to look up | a binary search |
//! | to insert a key above all others | nothing more: it is appended |
//! | to insert or remove another | one move of all entries above it |
//! | to build from a list in order | one pass |
//! | to build from a list of n in any other order | up to n²/2 moved entries: bound n, or sort before |

use core::{
    fmt,
    iter::Zip,
    ops::{Bound, Range, RangeBounds},
    slice,
};
use std::vec;

#[cfg(test)]
mod tests;

type Iter<'a, K, V> = Zip<slice::Iter<'a, K>, slice::Iter<'a, V>>;
type IterMut<'a, K, V> = Zip<slice::Iter<'a, K>, slice::IterMut<'a, V>>;

/// An ordered map: keys and values side by side in two lists, so that maps of the same key share
/// their search.
#[derive(Clone, PartialEq, Eq)]
pub struct SortedMap<K, V> {
    keys: Vec<K>,
    values: Vec<V>,
}

/// An ordered set: one sorted list.
#[derive(Clone, PartialEq, Eq)]
pub struct SortedSet<T> {
    items: Vec<T>,
}

/// Where `key` is, or where it would have to be inserted.
fn search<K: Ord>(keys: &[K], key: &K) -> Result<usize, usize> {
    match keys.last() {
        Some(last) if last < key => Err(keys.len()),
        _ => keys.binary_search(key),
    }
}

/// Which places lie in `range`. None where it ends before it starts.
fn places<K: Ord>(keys: &[K], range: &impl RangeBounds<K>) -> Range<usize> {
    let below = |key: &K| search(keys, key).unwrap_or_else(|at| at);
    let through = |key: &K| search(keys, key).map_or_else(|at| at, |at| at + 1);
    let start = match range.start_bound() {
        Bound::Included(key) => below(key),
        Bound::Excluded(key) => through(key),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(key) => through(key),
        Bound::Excluded(key) => below(key),
        Bound::Unbounded => keys.len(),
    };
    start..end.max(start)
}

impl<K: Ord, V> SortedMap<K, V> {
    /// The value of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.values.get(search(&self.keys, key).ok()?)
    }

    /// The value of `key`, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.values.get_mut(search(&self.keys, key).ok()?)
    }

    /// Whether there is a value of `key`.
    pub fn contains_key(&self, key: &K) -> bool {
        search(&self.keys, key).is_ok()
    }

    /// Sets the value of `key`; what it was.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match search(&self.keys, &key) {
            Ok(at) => Some(core::mem::replace(&mut self.values[at], value)),
            Err(at) => {
                self.keys.insert(at, key);
                self.values.insert(at, value);
                None
            }
        }
    }

    /// Takes out `key`; its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let at = search(&self.keys, key).ok()?;
        self.keys.remove(at);
        Some(self.values.remove(at))
    }

    /// The place of `key`, there or not yet.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        Entry { map: self, key }
    }

    /// The entries whose keys lie in `range`, in order. None where it ends before it starts.
    pub fn range(&self, range: impl RangeBounds<K>) -> Iter<'_, K, V> {
        let places = places(&self.keys, &range);
        self.keys[places.clone()].iter().zip(&self.values[places])
    }
}

impl<K, V> SortedMap<K, V> {
    /// An empty map, without memory of its own.
    pub const fn new() -> Self {
        Self { keys: Vec::new(), values: Vec::new() }
    }

    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Takes out every entry.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.values.clear();
    }

    /// Takes out the entries that `keep` refuses. It is asked in order.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        let mut kept = 0;
        for at in 0..self.keys.len() {
            if keep(&self.keys[at], &mut self.values[at]) {
                self.keys.swap(kept, at);
                self.values.swap(kept, at);
                kept += 1;
            }
        }
        self.keys.truncate(kept);
        self.values.truncate(kept);
    }

    /// The entries in order.
    pub fn iter(&self) -> Iter<'_, K, V> {
        self.keys.iter().zip(&self.values)
    }

    /// The entries in order, values to be changed.
    pub fn iter_mut(&mut self) -> IterMut<'_, K, V> {
        self.keys.iter().zip(&mut self.values)
    }

    /// The keys in order.
    pub fn keys(&self) -> slice::Iter<'_, K> {
        self.keys.iter()
    }

    /// The values in order of their keys.
    pub fn values(&self) -> slice::Iter<'_, V> {
        self.values.iter()
    }

    /// The values in order of their keys, to be changed.
    pub fn values_mut(&mut self) -> slice::IterMut<'_, V> {
        self.values.iter_mut()
    }

    /// The keys alone.
    pub fn into_keys(self) -> vec::IntoIter<K> {
        self.keys.into_iter()
    }

    /// The values alone, in order of their keys.
    pub fn into_values(self) -> vec::IntoIter<V> {
        self.values.into_iter()
    }

    /// The entry of the lowest key.
    pub fn first_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }

    /// The entry of the highest key.
    pub fn last_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next_back()
    }

    /// Takes out the entry of the lowest key.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        (!self.keys.is_empty()).then(|| (self.keys.remove(0), self.values.remove(0)))
    }
}

/// The place of a key in a [`SortedMap`], there or not yet.
#[derive(Debug)]
pub struct Entry<'a, K, V> {
    map: &'a mut SortedMap<K, V>,
    key: K,
}

impl<'a, K: Ord, V> Entry<'a, K, V> {
    /// The value; `default` where there was none.
    pub fn or_insert(self, default: V) -> &'a mut V {
        self.or_insert_with(|| default)
    }

    /// The value; what `make` makes where there was none.
    pub fn or_insert_with(self, make: impl FnOnce() -> V) -> &'a mut V {
        let at = match search(&self.map.keys, &self.key) {
            Ok(at) => at,
            Err(at) => {
                let value = make();
                self.map.keys.insert(at, self.key);
                self.map.values.insert(at, value);
                at
            }
        };
        &mut self.map.values[at]
    }

    /// The value; the default one where there was none.
    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }
}

impl<T: Ord> SortedSet<T> {
    /// Whether `item` is in it.
    pub fn contains(&self, item: &T) -> bool {
        search(&self.items, item).is_ok()
    }

    /// Puts in `item`; whether it was missing.
    pub fn insert(&mut self, item: T) -> bool {
        let place = search(&self.items, &item);
        if let Err(at) = place {
            self.items.insert(at, item);
        }
        place.is_err()
    }

    /// Takes out `item`; whether it was there.
    pub fn remove(&mut self, item: &T) -> bool {
        let place = search(&self.items, item);
        if let Ok(at) = place {
            self.items.remove(at);
        }
        place.is_ok()
    }

    /// The items that lie in `range`, in order. None where it ends before it starts.
    pub fn range(&self, range: impl RangeBounds<T>) -> slice::Iter<'_, T> {
        self.items[places(&self.items, &range)].iter()
    }
}

impl<T> SortedSet<T> {
    /// An empty set, without memory of its own.
    pub const fn new() -> Self {
        Self { items: Vec::new() }
    }

    /// How many items there are.
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Takes out every item.
    pub fn clear(&mut self) {
        self.items.clear();
    }

    /// Takes out the items that `keep` refuses. It is asked in order.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.items.retain(keep);
    }

    /// The items in order.
    pub fn iter(&self) -> slice::Iter<'_, T> {
        self.items.iter()
    }

    /// The lowest item.
    pub fn first(&self) -> Option<&T> {
        self.items.first()
    }

    /// The highest item.
    pub fn last(&self) -> Option<&T> {
        self.items.last()
    }

    /// Takes out the lowest item.
    pub fn pop_first(&mut self) -> Option<T> {
        (!self.items.is_empty()).then(|| self.items.remove(0))
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Default for SortedSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SortedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for SortedSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        map.extend(entries);
        map
    }
}

impl<K: Ord, V> Extend<(K, V)> for SortedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<T: Ord> FromIterator<T> for SortedSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut set = Self::new();
        set.extend(items);
        set
    }
}

impl<T: Ord> Extend<T> for SortedSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        for item in items {
            self.insert(item);
        }
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = Zip<vec::IntoIter<K>, vec::IntoIter<V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.keys.into_iter().zip(self.values)
    }
}

impl<'a, K, V> IntoIterator for &'a SortedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, K, V> IntoIterator for &'a mut SortedMap<K, V> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = IterMut<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T> IntoIterator for SortedSet<T> {
    type Item = T;
    type IntoIter = vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a SortedSet<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
