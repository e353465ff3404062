//! One digest for all segments of a rendition.

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
    fn order_count_and_content_change_the_root() {
        let all = leaves(5);
        let mut swapped = all.clone();
        swapped.swap(1, 2);
        assert_ne!(merkle_root(&all), merkle_root(&swapped));
        assert_ne!(merkle_root(&all), merkle_root(&all[..4]));
        assert_ne!(merkle_root(&all[..1]), all[0]);
    }
}
