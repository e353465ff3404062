//! A set of peers that can be drawn from at random in logarithmic time.

use std::collections::BTreeMap;

use primitives::{PeerId, Rng};

/// Peers in no order that means anything, each once.
#[derive(Debug, Default)]
pub(super) struct Bag {
    drawn: Vec<PeerId>,
    places: BTreeMap<PeerId, usize>,
}

impl Bag {
    pub(super) fn insert(&mut self, peer: PeerId) {
        if let std::collections::btree_map::Entry::Vacant(place) = self.places.entry(peer) {
            place.insert(self.drawn.len());
            self.drawn.push(peer);
        }
    }

    pub(super) fn remove(&mut self, peer: &PeerId) {
        let Some(place) = self.places.remove(peer) else { return };
        self.drawn.swap_remove(place);
        if let Some(moved) = self.drawn.get(place) {
            self.places.insert(*moved, place);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.drawn.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.drawn.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &PeerId> {
        self.drawn.iter()
    }

    /// One of them, each as likely as another.
    pub(super) fn draw(&self, rng: &mut Rng) -> Option<PeerId> {
        (!self.is_empty()).then(|| self.drawn[rng.usize(..self.drawn.len())])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use primitives::Seed;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bag_holds_what_a_set_holds(changes in prop::collection::vec((any::<bool>(), 0u8..12), 0..80)) {
            let (mut bag, mut set) = (Bag::default(), BTreeSet::new());
            let mut rng = Seed::from_number(1).rng();
            for (add, number) in changes {
                let peer = PeerId::new([number; 32]);
                if add {
                    bag.insert(peer);
                    set.insert(peer);
                } else {
                    bag.remove(&peer);
                    set.remove(&peer);
                }
                prop_assert_eq!(bag.iter().copied().collect::<BTreeSet<_>>(), set.clone());
                prop_assert_eq!(bag.len(), set.len());
                prop_assert_eq!(bag.draw(&mut rng).is_some_and(|drawn| set.contains(&drawn)), !set.is_empty());
            }
        }
    }
}
