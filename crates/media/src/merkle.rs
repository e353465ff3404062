//! One digest for all segments of a rendition, and proofs that some of them are among them.

use core::ops::Range;

use primitives::{Hash, Hasher, sha256};

/// The Merkle tree hash of RFC 6962, 2.1, over the segments' digests.
///
/// A leaf is SHA-256(0x00 ‖ digest), a node SHA-256(0x01 ‖ left ‖ right), the left subtree holding
/// the largest power of two smaller than the count. Of nothing: SHA-256 of the empty string.
/// Source: <https://www.rfc-editor.org/rfc/rfc6962#section-2.1>.
pub fn merkle_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [leaf] => tagged(0x00, &[leaf]),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            tagged(0x01, &[&merkle_root(left), &merkle_root(right)])
        }
    }
}

/// What a reader of `leaves[part]` alone needs to find [`merkle_root`]`(leaves)`: the digests of the
/// largest subtrees beside the part, from left to right. At most two per level of the tree.
pub fn merkle_proof(leaves: &[Hash], part: Range<usize>) -> Vec<Hash> {
    let mut proof = Vec::new();
    collect(leaves, 0, &part, &mut proof);
    proof
}

fn collect(leaves: &[Hash], first: usize, part: &Range<usize>, proof: &mut Vec<Hash>) {
    let end = first + leaves.len();
    if end <= part.start || part.end <= first {
        proof.push(merkle_root(leaves));
    } else if first < part.start || part.end < end {
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        collect(left, first, part, proof);
        collect(right, first + left.len(), part, proof);
    }
}

/// The root of `count` leaves of which `leaves` are those from `first` on. `None`: they do not fit,
/// or `proof` has too few digests or too many.
pub(crate) fn proven_root(count: u32, first: u32, leaves: &[Hash], proof: &[Hash]) -> Option<Hash> {
    let end = first.checked_add(u32::try_from(leaves.len()).ok()?)?;
    if leaves.is_empty() || end > count {
        return None;
    }
    let mut reader = Proven { first: first.into(), end: end.into(), leaves, proof: proof.iter() };
    let root = reader.fold(0, count.into())?;
    reader.proof.as_slice().is_empty().then_some(root)
}

struct Proven<'a> {
    first: u64,
    end: u64,
    leaves: &'a [Hash],
    proof: core::slice::Iter<'a, Hash>,
}

impl Proven<'_> {
    /// The digest of the subtree over leaves `from..to`. As deep as the tree: 32 levels.
    fn fold(&mut self, from: u64, to: u64) -> Option<Hash> {
        if to <= self.first || self.end <= from {
            return self.proof.next().copied();
        }
        if self.first <= from && to <= self.end {
            let at = |index: u64| usize::try_from(index - self.first).ok();
            return Some(merkle_root(self.leaves.get(at(from)?..at(to)?)?));
        }
        let middle = from + (to - from).next_power_of_two() / 2;
        let (left, right) = (self.fold(from, middle)?, self.fold(middle, to)?);
        Some(tagged(0x01, &[&left, &right]))
    }
}

fn tagged(tag: u8, digests: &[&Hash]) -> Hash {
    let mut hasher = Hasher::new();
    hasher.update(&[tag]);
    for digest in digests {
        hasher.update(digest.as_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|number| sha256(&[number])).collect()
    }

    #[test]
    fn the_root_of_nothing_is_the_digest_of_nothing() {
        assert_eq!(
            merkle_root(&[]).to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    /// The tree of seven leaves as RFC 6962, 2.1.3 draws it, put together by hand.
    #[test]
    fn seven_leaves_form_the_tree_of_the_rfc() {
        let d = leaves(7);
        let leaf: Vec<Hash> = d.iter().map(|digest| tagged(0, &[digest])).collect();
        let node = |left: Hash, right: Hash| tagged(1, &[&left, &right]);
        let k = node(node(leaf[0], leaf[1]), node(leaf[2], leaf[3]));
        let l = node(node(leaf[4], leaf[5]), leaf[6]);
        assert_eq!(merkle_root(&d), node(k, l));
    }

    #[test]
    fn every_part_of_every_tree_is_proven_and_nothing_else() {
        for count in 1..=20_u8 {
            let all = leaves(count);
            let root = merkle_root(&all);
            for start in 0..usize::from(count) {
                for end in start + 1..=usize::from(count) {
                    let proof = merkle_proof(&all, start..end);
                    let first = u32::try_from(start).unwrap();
                    let check = |first, part: &[Hash], proof: &[Hash]| {
                        proven_root(count.into(), first, part, proof) == Some(root)
                    };
                    let part = &all[start..end];
                    assert!(check(first, part, &proof), "{start}..{end} of {count}");
                    assert!(!check(first + 1, part, &proof), "{start}..{end} of {count}, moved");
                    let longer = [&proof[..], &[root]].concat();
                    assert!(!check(first, part, &longer), "a digest too many");
                    if let Some((_, fewer)) = proof.split_last() {
                        assert!(!check(first, part, fewer), "a digest too few");
                    }
                    let other = leaves(count + 1)[start + 1..=end].to_vec();
                    assert!(!check(first, &other, &proof), "other leaves");
                }
            }
        }
    }

    #[test]
    fn a_proof_for_more_leaves_than_memory_holds_is_only_refused() {
        assert_eq!(proven_root(u32::MAX, u32::MAX - 1, &leaves(1), &leaves(9)), None);
        assert_eq!(proven_root(u32::MAX, u32::MAX, &leaves(1), &[]), None);
        assert_eq!(proven_root(0, 0, &[], &[]), None);
    }

    #[test]
    fn order_count_and_content_change_the_root() {
        let all = leaves(5);
        let mut swapped = all.clone();
        swapped.swap(1, 2);
        assert_ne!(merkle_root(&all), merkle_root(&swapped));
        assert_ne!(merkle_root(&all), merkle_root(&all[..4]));
        assert_ne!(merkle_root(&all[..1]), all[0]);
    }
}
