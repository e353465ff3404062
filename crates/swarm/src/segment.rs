//! One segment on its way: its pieces, who gave each, and the checks before anything is used.

use std::sync::Arc;

use primitives::{PeerId, SegmentId, SortedMap, SortedSet, Time, sha256};
use wire::limits::SEGMENT_BYTES_MAX;

use crate::{
    input::Proof,
    output::Sources,
    piece::{self, PieceSet, at, len32},
};

/// One segment that is wanted, arriving or held.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) id: SegmentId,
    pub(crate) proof: Option<Proof>,
    pub(crate) asked_proof: Option<Time>,
    pub(crate) body: Body,
    /// The player waits for it.
    pub(crate) wanted: bool,
    /// The origin's bytes are not what was signed: never shared.
    pub(crate) tainted: bool,
    /// The store has it; read it before the network is asked.
    pub(crate) stored: bool,
    /// A read of the store is under way.
    pub(crate) loading: bool,
    /// The player loads it by itself until then, at the longest.
    pub(crate) elsewhere_until: Time,
    /// Since when it is followed.
    pub(crate) since: Time,
    /// Progress changed and was not told yet; when it was told last.
    pub(crate) untold: bool,
    pub(crate) told: Time,
    /// How often this peer sent each piece: spreads distinct pieces first.
    pub(crate) copies: SortedMap<u32, u32>,
    /// Failed origin attempts, and when the next may start.
    pub(crate) failures: u32,
    pub(crate) retry_at: Time,
    /// What several peers gave that did not hash right as a whole: compared with the good bytes later.
    pub(crate) suspects: Option<Suspects>,
}

/// What is here of a segment.
#[derive(Debug)]
pub(crate) enum Body {
    /// Nothing, and the size is not known.
    Empty,
    /// Some pieces.
    Arriving(Arriving),
    /// All of it, verified or from the origin.
    Held { bytes: Arc<[u8]>, sources: Sources },
}

/// Pieces on their way.
#[derive(Debug)]
pub(crate) struct Arriving {
    bytes: Vec<u8>,
    givers: Vec<Option<Giver>>,
    /// Pieces that may be told to others: verified one by one.
    pub(crate) shown: PieceSet,
    missing: u32,
}

/// Who gave a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Giver {
    Origin,
    Peer(PeerId),
}

/// A whole that was wrong, with who gave each piece.
#[derive(Debug)]
pub(crate) struct Suspects {
    bytes: Vec<u8>,
    givers: Vec<Option<Giver>>,
}

/// What became of a piece that came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is in; more is missing.
    Kept,
    /// It was there already, or does not fit the segment.
    Useless,
    /// It does not hash to what was signed.
    Wrong,
    /// It was the last: call [`Segment::finish`].
    Last,
}

/// What became of a segment that has all its pieces.
#[derive(Debug)]
pub(crate) enum Finished {
    /// Verified, or nobody can say and it came from the origin.
    Whole,
    /// The origin's own bytes are not what was signed.
    Forged,
    /// The whole is wrong and these peers gave parts of it. Empty: several did, compare later.
    Lied(Vec<PeerId>),
}

impl Segment {
    pub(crate) fn new(id: SegmentId, now: Time) -> Self {
        Self {
            id,
            proof: None,
            asked_proof: None,
            body: Body::Empty,
            wanted: false,
            tainted: false,
            stored: false,
            loading: false,
            elsewhere_until: Time::ZERO,
            since: now,
            untold: false,
            told: Time::ZERO,
            copies: SortedMap::new(),
            failures: 0,
            retry_at: Time::ZERO,
            suspects: None,
        }
    }

    /// Size in bytes, once the proof or the origin told it.
    pub(crate) fn size_bytes(&self) -> Option<u32> {
        match (&self.proof, &self.body) {
            (_, Body::Held { bytes, .. }) => Some(len32(bytes.len())),
            (_, Body::Arriving(arriving)) => Some(len32(arriving.bytes.len())),
            (Some(Proof::Pieces { segment_bytes, .. }), Body::Empty) => Some(*segment_bytes),
            (_, Body::Empty) => None,
        }
    }

    pub(crate) fn is_held(&self) -> bool {
        matches!(self.body, Body::Held { .. })
    }

    /// Whether strangers' bytes may be taken for it now.
    pub(crate) fn takes_from_peers(&self) -> bool {
        // After a wrong whole with several givers only the origin's copy can tell who lied.
        !self.tainted
            && self.suspects.is_none()
            && matches!(
                self.proof,
                Some(Proof::Pieces { .. } | Proof::Whole { .. } | Proof::Unchecked)
            )
    }

    /// Whether what is held may be given to others.
    pub(crate) fn shareable(&self) -> bool {
        !self.tainted && !matches!(self.proof, None | Some(Proof::Missing))
    }

    /// Whether single pieces can be verified, told and passed on.
    pub(crate) fn piecewise(&self) -> bool {
        matches!(self.proof, Some(Proof::Pieces { .. }))
    }

    /// Sets the size, where it was not known. `false`: the size contradicts what was signed.
    pub(crate) fn set_size(&mut self, segment_bytes: u32) -> bool {
        if segment_bytes == 0 || segment_bytes > SEGMENT_BYTES_MAX {
            return false;
        }
        if let Some(known) = self.size_bytes()
            && known != segment_bytes
        {
            return false;
        }
        if matches!(self.body, Body::Empty) {
            let pieces = piece::count(segment_bytes);
            self.body = Body::Arriving(Arriving {
                bytes: vec![0; at(segment_bytes)],
                givers: vec![None; at(pieces)],
                shown: PieceSet::default(),
                missing: pieces,
            });
        }
        true
    }

    /// Pieces not here. Empty when all are, or when the size is not known.
    pub(crate) fn missing(&self) -> Vec<u32> {
        match &self.body {
            Body::Held { .. } => Vec::new(),
            Body::Arriving(arriving) => arriving
                .givers
                .iter()
                .zip(0..)
                .filter_map(|(giver, piece)| giver.is_none().then_some(piece))
                .collect(),
            Body::Empty => (0..self.size_bytes().map_or(0, piece::count)).collect(),
        }
    }

    /// Whether this piece is here.
    pub(crate) fn has(&self, piece: u32) -> bool {
        match &self.body {
            Body::Held { bytes, .. } => piece < piece::count(len32(bytes.len())),
            Body::Arriving(arriving) => arriving.givers.get(at(piece)).is_some_and(Option::is_some),
            Body::Empty => false,
        }
    }

    /// Puts a piece in, verified where a single piece can be.
    pub(crate) fn put(&mut self, index: u32, bytes: &[u8], giver: Giver) -> Put {
        let Some(size) = self.size_bytes() else { return Put::Useless };
        let range = piece::range(size, index);
        if len32(bytes.len()) != range.end - range.start || self.has(index) || self.is_held() {
            return Put::Useless;
        }
        let verified = match &self.proof {
            Some(Proof::Pieces { pieces, .. }) => {
                if pieces.get(at(index)) != Some(&sha256(bytes)) {
                    return Put::Wrong;
                }
                true
            }
            _ => false,
        };
        self.set_size(size);
        let Body::Arriving(arriving) = &mut self.body else { return Put::Useless };
        arriving.bytes[at(range.start)..at(range.end)].copy_from_slice(bytes);
        arriving.givers[at(index)] = Some(giver);
        arriving.missing -= 1;
        if verified {
            arriving.shown.insert(index);
            self.untold = true;
        }
        if arriving.missing == 0 { Put::Last } else { Put::Kept }
    }

    /// Takes what must hold of this segment; pieces of the origin that came before are checked now.
    /// `false`: the origin's bytes contradict it, and were thrown away.
    pub(crate) fn set_proof(&mut self, proof: Proof) -> bool {
        let good = match (&proof, &mut self.body) {
            (Proof::Pieces { segment_bytes, pieces }, Body::Arriving(arriving)) => {
                let fits = len32(arriving.bytes.len()) == *segment_bytes;
                fits && arriving.check_all(pieces)
            }
            (Proof::Pieces { segment_bytes, pieces }, Body::Held { bytes, .. }) => {
                len32(bytes.len()) == *segment_bytes
                    && bytes
                        .chunks(at(wire::limits::PIECE_BYTES))
                        .map(sha256)
                        .eq(pieces.iter().copied())
            }
            (Proof::Whole { sha256: digest }, Body::Held { bytes, .. }) => sha256(bytes) == *digest,
            _ => true,
        };
        self.proof = Some(proof);
        self.untold = true;
        good
    }

    /// What each peer gave, where only the whole can be checked: verified once that is right.
    pub(crate) fn given(&self) -> Vec<(PeerId, u32)> {
        let (Some(Proof::Whole { .. }), Body::Arriving(arriving)) = (&self.proof, &self.body)
        else {
            return Vec::new();
        };
        let size = len32(arriving.bytes.len());
        let pieces = arriving.givers.iter().zip(0..).filter_map(|(giver, index)| {
            let range = piece::range(size, index);
            Some((Giver::peer(giver)?, range.end - range.start))
        });
        pieces.collect()
    }

    /// Checks the whole once every piece is here, and holds it.
    pub(crate) fn finish(&mut self) -> Finished {
        let Body::Arriving(arriving) = std::mem::replace(&mut self.body, Body::Empty) else {
            return Finished::Whole;
        };
        let right = match &self.proof {
            Some(Proof::Whole { sha256: digest }) => sha256(&arriving.bytes) == *digest,
            _ => true,
        };
        if right {
            let sources = arriving.sources();
            let bytes: Arc<[u8]> = arriving.bytes.into();
            self.body = Body::Held { bytes, sources };
            return Finished::Whole;
        }
        let peers: SortedSet<PeerId> = arriving.givers.iter().filter_map(Giver::peer).collect();
        let peers: Vec<PeerId> = peers.into_iter().collect();
        let from_origin = arriving.givers.iter().flatten().any(|giver| *giver == Giver::Origin);
        match peers.as_slice() {
            [] => {
                let sources = arriving.sources();
                self.body = Body::Held { bytes: arriving.bytes.into(), sources };
                Finished::Forged
            }
            [_] if !from_origin => Finished::Lied(peers),
            _ => {
                // Everything anew from the origin, whose copy is compared in `liars`.
                self.suspects = Some(Suspects { bytes: arriving.bytes, givers: arriving.givers });
                Finished::Lied(Vec::new())
            }
        }
    }

    /// After a wrong whole and a good one: who gave the pieces that differ.
    pub(crate) fn liars(&mut self) -> Vec<PeerId> {
        let (Some(suspects), Body::Held { bytes, .. }) = (self.suspects.take(), &self.body) else {
            return Vec::new();
        };
        let size = at(wire::limits::PIECE_BYTES);
        let pairs = suspects.bytes.chunks(size).zip(bytes.chunks(size)).zip(&suspects.givers);
        let differ = pairs.filter(|((bad, good), _)| bad != good);
        let peers: SortedSet<PeerId> = differ.filter_map(|(_, giver)| Giver::peer(giver)).collect();
        peers.into_iter().collect()
    }

    /// Bytes of one piece, if it may be given to others.
    pub(crate) fn piece_bytes(&self, index: u32) -> Option<&[u8]> {
        let range = piece::range(self.size_bytes()?, index);
        let range = at(range.start)..at(range.end);
        match &self.body {
            Body::Held { bytes, .. } if self.shareable() => bytes.get(range),
            Body::Arriving(arriving) if arriving.shown.contains(index) => arriving.bytes.get(range),
            Body::Held { .. } | Body::Arriving(_) | Body::Empty => None,
        }
        .filter(|bytes| !bytes.is_empty())
    }

    /// Throws away what is here; the proof stays.
    pub(crate) fn reset(&mut self) {
        self.body = Body::Empty;
        self.untold = true;
    }
}

impl Arriving {
    /// Pieces here, in bytes by source.
    pub(crate) fn sources(&self) -> Sources {
        let mut sources = Sources::default();
        let size = len32(self.bytes.len());
        for (giver, index) in self.givers.iter().zip(0..) {
            let range = piece::range(size, index);
            match giver {
                Some(Giver::Origin) => sources.origin_bytes += range.end - range.start,
                Some(Giver::Peer(_)) => sources.peer_bytes += range.end - range.start,
                None => {}
            }
        }
        sources
    }

    fn check_all(&mut self, digests: &[primitives::Hash]) -> bool {
        let chunks = self.bytes.chunks(at(wire::limits::PIECE_BYTES));
        for ((index, chunk), giver) in (0..).zip(chunks).zip(&self.givers) {
            if giver.is_none() {
                continue;
            }
            if digests.get(at(index)) != Some(&sha256(chunk)) {
                return false;
            }
            self.shown.insert(index);
        }
        true
    }
}

impl Giver {
    fn peer(giver: &Option<Self>) -> Option<PeerId> {
        match giver {
            Some(Self::Peer(peer)) => Some(*peer),
            Some(Self::Origin) | None => None,
        }
    }
}
