//! What the origin serves: bytes that follow from seed, track and index, and what they hash to.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use primitives::{Hash, Seed, SegmentId, sha256};
use swarm::Proof;
use wire::limits::PIECE_BYTES;

/// Segments of one stream, made when first asked for.
#[derive(Debug)]
pub(crate) struct Content {
    seed: Seed,
    /// Bits per second of each track.
    bits_per_s: Vec<u64>,
    segment: Duration,
    made: BTreeMap<SegmentId, Made>,
}

#[derive(Debug, Clone)]
struct Made {
    bytes: Arc<[u8]>,
    pieces: Vec<Hash>,
}

impl Content {
    pub(crate) fn new(seed: Seed, bits_per_s: Vec<u64>, segment: Duration) -> Self {
        Self { seed: seed.derive("content"), bits_per_s, segment, made: BTreeMap::new() }
    }

    /// The bytes of a segment.
    pub(crate) fn bytes(&mut self, id: SegmentId) -> Arc<[u8]> {
        Arc::clone(&self.made(id).bytes)
    }

    /// The size of a segment.
    pub(crate) fn size_bytes(&mut self, id: SegmentId) -> u32 {
        u32::try_from(self.made(id).bytes.len()).expect("segments are far below 4 GiB")
    }

    /// The signed manifest's entry.
    pub(crate) fn proof(&mut self, id: SegmentId) -> Proof {
        let segment_bytes = self.size_bytes(id);
        Proof::Pieces { segment_bytes, pieces: self.made(id).pieces.clone() }
    }

    fn made(&mut self, id: SegmentId) -> &Made {
        let (seed, segment) = (self.seed, self.segment);
        let rate = self.bits_per_s.get(usize::from(id.track)).copied().unwrap_or(100_000);
        self.made.entry(id).or_insert_with(|| make(seed, rate, segment, id))
    }
}

/// Encoders vary: a segment is between 75 % and 125 % of what the rate says.
fn make(seed: Seed, bits_per_s: u64, segment: Duration, id: SegmentId) -> Made {
    let mut rng = seed.derive(&id.to_string()).rng();
    let mean = bits_per_s * u64::try_from(segment.as_millis()).unwrap_or(0) / 8_000;
    let size = usize::try_from(mean * rng.u64(75..=125) / 100).unwrap_or(0).max(1);
    let mut bytes = vec![0_u8; size];
    for chunk in bytes.chunks_mut(8) {
        let word = rng.u64(..).to_le_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
    let piece = usize::try_from(PIECE_BYTES).expect("64 KiB fits");
    let pieces = bytes.chunks(piece).map(sha256).collect();
    Made { bytes: bytes.into(), pieces }
}
