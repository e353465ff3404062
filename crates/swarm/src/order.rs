//! Agreement without messages: rendezvous hashing (Thaler and Ravishankar, 1998).
//!
//! Everybody scores every candidate for a key in the same way and ranks them; the highest is the one.
//! Two who disagree on who the candidates are disagree only on keys that the disputed candidate wins.

use primitives::{PeerId, SegmentId};

/// Score of `peer` for a part of a segment: uniform over 64 bits, the same at every peer.
pub(crate) fn score(peer: &PeerId, segment: SegmentId, part: u32) -> u64 {
    let mut words = [0_u64; 5];
    for (word, bytes) in words.iter_mut().zip(peer.as_bytes().chunks_exact(8)) {
        *word = u64::from_be_bytes(bytes.try_into().expect("chunks of eight"));
    }
    words[4] = u64::from(segment.track) << 48 ^ u64::from(segment.index) << 16 ^ u64::from(part);
    // Peer ids are public keys, already uniform; mixing is for the key. It need not resist an
    // attacker: who wins only decides who asks the origin first.
    words.into_iter().fold(0x9e37_79b9_7f4a_7c15, |state, word| mix(state ^ word))
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(word: u64) -> u64 {
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::Seed;

    #[test]
    fn every_candidate_wins_its_share() {
        let peers: Vec<PeerId> =
            (0..8).map(|number| PeerId::new(*Seed::from_number(number).as_bytes())).collect();
        let mut wins = [0_u32; 8];
        for index in 0..8_000 {
            let segment = SegmentId::new(0, index);
            let winner = (0..8).max_by_key(|peer| score(&peers[*peer], segment, 3)).unwrap();
            wins[winner] += 1;
        }
        assert!(wins.iter().all(|count| (850..1150).contains(count)), "{wins:?}");
    }
}
