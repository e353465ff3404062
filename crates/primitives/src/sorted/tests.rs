//! Whatever is done to a list and to a tree, both hold the same in the same order.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use proptest::prelude::*;

use super::*;

/// One thing to do to a map. Keys are few, so that they meet.
#[derive(Debug, Clone)]
enum Act {
    Insert(u8, u16),
    Remove(u8),
    Change(u8, u16),
    OrInsert(u8, u16),
    Add(u8),
    RetainOdd(u16),
    PopFirst,
    Clear,
    Extend(Vec<(u8, u16)>),
}

fn act() -> impl Strategy<Value = Act> {
    let key = 0..32_u8;
    prop_oneof![
        8 => (key.clone(), any::<u16>()).prop_map(|(key, value)| Act::Insert(key, value)),
        4 => key.clone().prop_map(Act::Remove),
        2 => (key.clone(), any::<u16>()).prop_map(|(key, value)| Act::Change(key, value)),
        2 => (key.clone(), any::<u16>()).prop_map(|(key, value)| Act::OrInsert(key, value)),
        2 => key.clone().prop_map(Act::Add),
        1 => (1..8_u16).prop_map(Act::RetainOdd),
        1 => Just(Act::PopFirst),
        1 => Just(Act::Clear),
        1 => prop::collection::vec((key, any::<u16>()), 0..8).prop_map(Act::Extend),
    ]
}

fn bound() -> impl Strategy<Value = Bound<u8>> {
    prop_oneof![
        Just(Bound::Unbounded),
        (0..32_u8).prop_map(Bound::Included),
        (0..32_u8).prop_map(Bound::Excluded),
    ]
}

fn do_both(list: &mut SortedMap<u8, u16>, tree: &mut BTreeMap<u8, u16>, act: &Act) {
    match act.clone() {
        Act::Insert(key, value) => assert_eq!(list.insert(key, value), tree.insert(key, value)),
        Act::Remove(key) => assert_eq!(list.remove(&key), tree.remove(&key)),
        Act::Change(key, value) => {
            assert_eq!(list.get_mut(&key).is_some(), tree.contains_key(&key));
            list.get_mut(&key).into_iter().for_each(|slot| *slot = value);
            tree.get_mut(&key).into_iter().for_each(|slot| *slot = value);
        }
        Act::OrInsert(key, value) => {
            assert_eq!(list.entry(key).or_insert(value), tree.entry(key).or_insert(value));
        }
        Act::Add(key) => {
            let (a, b) = (list.entry(key).or_default(), tree.entry(key).or_default());
            *a = a.wrapping_add(7);
            *b = b.wrapping_add(7);
        }
        Act::RetainOdd(step) => {
            list.retain(|key, value| u16::from(*key).wrapping_add(*value) % step != 0);
            tree.retain(|key, value| u16::from(*key).wrapping_add(*value) % step != 0);
        }
        Act::PopFirst => assert_eq!(list.pop_first(), tree.pop_first()),
        Act::Clear => {
            list.clear();
            tree.clear();
        }
        Act::Extend(entries) => {
            list.extend(entries.clone());
            tree.extend(entries);
        }
    }
}

fn check_same(list: &mut SortedMap<u8, u16>, tree: &mut BTreeMap<u8, u16>) {
    assert!(list.iter().eq(tree.iter()) && list.iter().rev().eq(tree.iter().rev()));
    assert!(list.keys().eq(tree.keys()) && list.values().eq(tree.values()));
    assert!(list.iter_mut().eq(tree.iter_mut()) && list.values_mut().eq(tree.values_mut()));
    assert_eq!((list.len(), list.is_empty()), (tree.len(), tree.is_empty()));
    assert_eq!(list.first_key_value(), tree.first_key_value());
    assert_eq!(list.last_key_value(), tree.last_key_value());
    for key in 0..33 {
        assert_eq!(list.get(&key), tree.get(&key));
        assert_eq!(list.contains_key(&key), tree.contains_key(&key));
    }
    assert!(list.clone().into_iter().eq(tree.clone()));
    assert!(list.clone().into_keys().eq(tree.clone().into_keys()));
    assert!(list.clone().into_values().eq(tree.clone().into_values()));
    assert_eq!(format!("{list:?}"), format!("{tree:?}"));
}

/// Ranges at which a tree panics: they end before they start.
fn is_backward(range: (Bound<u8>, Bound<u8>)) -> bool {
    match range {
        (Bound::Excluded(a), Bound::Excluded(b)) => a >= b,
        (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) => a > b,
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_list_is_a_map(acts in prop::collection::vec(act(), 0..60)) {
        let (mut list, mut tree) = (SortedMap::new(), BTreeMap::new());
        for act in &acts {
            do_both(&mut list, &mut tree, act);
            check_same(&mut list, &mut tree);
        }
    }

    #[test]
    fn a_list_is_built_like_a_map(entries in prop::collection::vec((0..64_u8, any::<u16>()), 0..80)) {
        let list: SortedMap<u8, u16> = entries.iter().copied().collect();
        let tree: BTreeMap<u8, u16> = entries.into_iter().collect();
        prop_assert!(list.iter().eq(tree.iter()));
    }

    #[test]
    fn a_range_of_a_list_is_that_of_a_tree(
        keys in prop::collection::vec(0..32_u8, 0..40),
        range in (bound(), bound()),
    ) {
        let list: SortedMap<u8, u8> = keys.iter().map(|key| (*key, !key)).collect();
        let set: SortedSet<u8> = keys.iter().copied().collect();
        if is_backward(range) {
            prop_assert_eq!((list.range(range).count(), set.range(range).count()), (0, 0));
        } else {
            let tree: BTreeMap<u8, u8> = keys.iter().map(|key| (*key, !key)).collect();
            prop_assert!(list.range(range).eq(tree.range(range)));
            prop_assert!(list.range(range).rev().eq(tree.range(range).rev()));
            prop_assert!(set.range(range).eq(tree.range(range).map(|(key, _)| key)));
        }
    }

    #[test]
    fn a_list_is_a_set(acts in prop::collection::vec((0..5_u8, 0..32_u8), 0..80)) {
        let (mut list, mut tree) = (SortedSet::new(), BTreeSet::new());
        for (act, item) in acts {
            match act {
                0 | 1 => prop_assert_eq!(list.insert(item), tree.insert(item)),
                2 => prop_assert_eq!(list.remove(&item), tree.remove(&item)),
                3 if item % 4 == 0 => prop_assert_eq!(list.pop_first(), tree.pop_first()),
                3 => prop_assert_eq!(list.contains(&item), tree.contains(&item)),
                _ => {
                    list.retain(|other| other % 8 != item % 8);
                    tree.retain(|other| other % 8 != item % 8);
                }
            }
            prop_assert!(list.iter().eq(tree.iter()));
            prop_assert_eq!((list.first(), list.last()), (tree.first(), tree.last()));
            prop_assert_eq!((list.len(), list.is_empty()), (tree.len(), tree.is_empty()));
            prop_assert!(list.clone().into_iter().eq(tree.clone()));
        }
        prop_assert_eq!(format!("{list:?}"), format!("{tree:?}"));
        list.clear();
        prop_assert!(list.is_empty());
    }
}

#[test]
fn a_list_in_order_is_appended() {
    let map: SortedMap<u32, u32> = (0..65_536).map(|key| (key, key)).collect();
    assert_eq!((map.len(), map.get(&65_535)), (65_536, Some(&65_535)));
}
