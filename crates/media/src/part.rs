//! The digests of some segments of one rendition.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use primitives::{Hash, Hasher, KeyPair, PeerId, sha256};
use serde::{Deserialize, Serialize, Serializer};
use wire::{
    json::{Field, Fields, Json, Mismatch},
    limits::{PIECE_BYTES, SEGMENT_BYTES_MAX},
};

use crate::{
    ManifestError, envelope, is_safe_path,
    limits::{PART_BYTES_MAX, PROOF_HASHES_MAX, SEGMENTS_PER_PART_MAX},
    merkle::proven_root,
};

const FORMAT: &str = "starling-part-1";

/// What a publisher signs about segments `first`, `first + 1`, … of one track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Json")]
pub struct Part {
    format: String,
    /// Who signed it: the manifest's publisher.
    pub publisher: PeerId,
    /// The rendition's track.
    pub track: u16,
    /// Media sequence number of the first segment listed.
    pub first: u32,
    /// 1 to [`SEGMENTS_PER_PART_MAX`], without gaps.
    pub segments: Vec<SegmentEntry>,
    /// That these segments are under the rendition's root ([`crate::merkle_proof`]); empty when they
    /// are all there are, and when the stream is live. At most [`PROOF_HASHES_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "write_hashes")]
    pub proof: Vec<Hash>,
}

/// What one segment must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SegmentEntry {
    /// Its file, relative to the manifest. Byte-range segments share one.
    pub uri: String,
    /// Its size: 1 to [`SEGMENT_BYTES_MAX`].
    pub size_bytes: u32,
    /// SHA-256 of all of it.
    pub sha256: Hash,
    /// SHA-256 of each piece of [`PIECE_BYTES`], the last piece shorter.
    #[serde(serialize_with = "write_hashes")]
    pub pieces: Vec<Hash>,
}

impl Part {
    /// The part of `track` that begins at segment `first`, without a proof.
    pub fn new(publisher: PeerId, track: u16, first: u32, segments: Vec<SegmentEntry>) -> Self {
        Self { format: FORMAT.to_owned(), publisher, track, first, segments, proof: Vec::new() }
    }

    /// Opens a part: checks that `publisher` signed it, then every bound.
    ///
    /// [`crate::Manifest::open_part`] also checks that it is the part that was asked for.
    pub fn open(bytes: &[u8], publisher: &PeerId) -> Result<Self, ManifestError> {
        let payload = envelope::open(bytes, PART_BYTES_MAX, FORMAT, Some(publisher))?;
        let json = Json::read(&payload).ok_or(ManifestError::Payload)?;
        let part = Self::try_from(json).map_err(|_| ManifestError::Payload)?;
        part.check()?;
        Ok(part)
    }

    /// The part's bytes, signed by `key`, whose id must be [`Part::publisher`].
    pub fn seal(&self, key: &KeyPair) -> Vec<u8> {
        let payload = serde_json::to_vec(self).expect("a part always has a JSON form");
        envelope::seal(&payload, key)
    }

    /// The segment with this media sequence number, if it is in this part.
    pub fn segment(&self, index: u32) -> Option<&SegmentEntry> {
        let position = index.checked_sub(self.first)?;
        self.segments.get(usize::try_from(position).ok()?)
    }

    /// Media sequence number of the last segment listed.
    pub fn last(&self) -> Option<u32> {
        let count = u32::try_from(self.segments.len()).ok()?;
        self.first.checked_add(count.checked_sub(1)?)
    }

    /// The root of a rendition of `count` segments from `first` on, if this part and its proof are of
    /// one.
    pub(crate) fn root(&self, first: u32, count: u32) -> Option<Hash> {
        let leaves: Vec<Hash> = self.segments.iter().map(|entry| entry.sha256).collect();
        proven_root(count, self.first.checked_sub(first)?, &leaves, &self.proof)
    }

    /// Every bound that [`Part::open`] holds a stranger's part to.
    pub fn check(&self) -> Result<(), ManifestError> {
        let count = u32::try_from(self.segments.len()).unwrap_or(u32::MAX);
        if !(1..=SEGMENTS_PER_PART_MAX).contains(&count) {
            return Err(ManifestError::Field("segments"));
        }
        if self.track >= wire::limits::TRACKS_MAX {
            return Err(ManifestError::Field("track"));
        }
        if self.last().is_none() {
            return Err(ManifestError::Field("first"));
        }
        if self.proof.len() > PROOF_HASHES_MAX {
            return Err(ManifestError::Field("proof"));
        }
        self.segments.iter().try_for_each(SegmentEntry::check)
    }
}

impl TryFrom<Json> for Part {
    type Error = Mismatch;

    fn try_from(json: Json) -> Result<Self, Mismatch> {
        let mut fields = Fields::of(json)?;
        Ok(Self {
            format: fields.take("format")?,
            publisher: fields.take("publisher")?,
            track: fields.take("track")?,
            first: fields.take("first")?,
            segments: fields.take("segments")?,
            proof: fields.take_or_default::<Hashes>("proof")?.0,
        })
    }
}

impl Field for SegmentEntry {
    fn from_json(json: Json) -> Option<Self> {
        let mut fields = Fields::of(json).ok()?;
        Some(Self {
            uri: fields.take("uri").ok()?,
            size_bytes: fields.take("size_bytes").ok()?,
            sha256: fields.take("sha256").ok()?,
            pieces: fields.take::<Hashes>("pieces").ok()?.0,
        })
    }
}

impl SegmentEntry {
    /// The entry of a segment of these bytes. `None`: it is empty or longer than
    /// [`SEGMENT_BYTES_MAX`].
    pub fn of(uri: String, bytes: &[u8]) -> Option<Self> {
        let size_bytes = u32::try_from(bytes.len()).ok()?;
        if !(1..=SEGMENT_BYTES_MAX).contains(&size_bytes) {
            return None;
        }
        let piece_bytes = usize::try_from(PIECE_BYTES).ok()?;
        let mut whole = Hasher::new();
        let mut pieces = Vec::with_capacity(bytes.len().div_ceil(piece_bytes));
        for piece in bytes.chunks(piece_bytes) {
            whole.update(piece);
            pieces.push(sha256(piece));
        }
        Some(Self { uri, size_bytes, sha256: whole.finish(), pieces })
    }

    fn check(&self) -> Result<(), ManifestError> {
        if !is_safe_path(&self.uri) {
            return Err(ManifestError::Field("uri"));
        }
        if !(1..=SEGMENT_BYTES_MAX).contains(&self.size_bytes) {
            return Err(ManifestError::Field("size_bytes"));
        }
        let count = usize::try_from(self.size_bytes.div_ceil(PIECE_BYTES)).unwrap_or(usize::MAX);
        let contradicts = matches!(self.pieces[..], [only] if only != self.sha256);
        if self.pieces.len() != count || contradicts {
            return Err(ManifestError::Field("pieces"));
        }
        Ok(())
    }
}

fn write_hashes<S: Serializer>(hashes: &[Hash], serializer: S) -> Result<S::Ok, S::Error> {
    let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
    serializer.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
}

/// Digests one after the other, as one text.
#[derive(Default)]
struct Hashes(Vec<Hash>);

impl Field for Hashes {
    fn from_json(json: Json) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(String::from_json(json)?).ok()?;
        let (digests, rest) = bytes.as_chunks::<32>();
        rest.is_empty().then(|| Self(digests.iter().map(|digest| Hash::new(*digest)).collect()))
    }
}
