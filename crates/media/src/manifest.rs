//! `starling.json`: which renditions a stream has and where their digests are.

use primitives::{Hash, KeyPair, PeerId};
use serde::{Deserialize, Serialize};
use wire::json::{Field, Fields, Json, Mismatch};

use crate::{
    ManifestError, Part, envelope, is_safe_path,
    limits::{MANIFEST_BYTES_MAX, RENDITIONS_MAX, SEGMENTS_PER_PART_MAX},
};

/// File name of the manifest, beside the multivariant playlist.
pub const MANIFEST_NAME: &str = "starling.json";
/// What stands for the part's number in [`Rendition::parts`].
pub const PART_PLACEHOLDER: &str = "{part}";

const FORMAT: &str = "starling-manifest-1";

/// What a publisher signs about a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Json")]
pub struct Manifest {
    format: String,
    /// Who signed it.
    pub publisher: PeerId,
    /// Whether segments are still being added.
    pub live: bool,
    /// The playlist the stream is played by: multivariant, or a media playlist alone.
    pub playlist: String,
    /// Size of the pieces that parts list digests of: [`wire::limits::PIECE_BYTES`].
    pub piece_bytes: u32,
    /// Segments per part, 1 to [`SEGMENTS_PER_PART_MAX`]; 1 for a live stream, whose parts appear
    /// one by one.
    pub segments_per_part: u32,
    /// At most [`RENDITIONS_MAX`], one per track, in order of track.
    pub renditions: Vec<Rendition>,
}

/// One rendition of a [`Manifest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rendition {
    /// The track's number in the swarm (`docs/spec/swarm.md`).
    pub track: u16,
    /// Its media playlist, relative to the manifest.
    pub playlist: String,
    /// Where its parts are, relative to the manifest, with [`PART_PLACEHOLDER`] for the number.
    pub parts: String,
    /// Merkle root of all segments' SHA-256 ([`crate::merkle_root`]). Only when not live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Hash>,
    /// Media sequence number of the first segment. Only when not live.
    #[serde(skip_serializing_if = "is_zero")]
    pub first: u32,
    /// How many segments there are. Only when not live.
    #[serde(skip_serializing_if = "is_zero")]
    pub count: u32,
}

impl Manifest {
    /// A manifest without renditions, in pieces of the swarm's size.
    pub fn new(publisher: PeerId, playlist: String, live: bool, segments_per_part: u32) -> Self {
        Self {
            format: FORMAT.to_owned(),
            publisher,
            live,
            playlist,
            piece_bytes: wire::limits::PIECE_BYTES,
            segments_per_part,
            renditions: Vec::new(),
        }
    }

    /// Opens `starling.json`: checks the signature by the publisher it names, then every bound.
    ///
    /// Whoever pins a publisher compares [`Manifest::publisher`] with it.
    pub fn open(bytes: &[u8]) -> Result<Self, ManifestError> {
        let payload = envelope::open(bytes, MANIFEST_BYTES_MAX, FORMAT, None)?;
        let json = Json::read(&payload).ok_or(ManifestError::Payload)?;
        let manifest = Self::try_from(json).map_err(|_| ManifestError::Payload)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The bytes of `starling.json`, signed by `key`, whose id must be [`Manifest::publisher`].
    pub fn seal(&self, key: &KeyPair) -> Vec<u8> {
        let payload = serde_json::to_vec(self).expect("a manifest always has a JSON form");
        envelope::seal(&payload, key)
    }

    /// The rendition of this track.
    pub fn rendition(&self, track: u16) -> Option<&Rendition> {
        self.renditions.iter().find(|rendition| rendition.track == track)
    }

    /// The part that holds the segment `index` of any rendition.
    pub fn part_of(&self, index: u32) -> u32 {
        index / self.segments_per_part.max(1)
    }

    /// Opens part `number` of `track`: signed by the same publisher, for that track and part, and of a
    /// finished stream only if it is under the rendition's root.
    pub fn open_part(&self, track: u16, number: u32, bytes: &[u8]) -> Result<Part, ManifestError> {
        let part = Part::open(bytes, &self.publisher)?;
        let last = part.last().ok_or(ManifestError::OtherPart)?;
        let rendition = self.rendition(track).ok_or(ManifestError::OtherPart)?;
        let under = |root| part.root(rendition.first, rendition.count) == Some(root);
        let fits = part.track == track
            && self.part_of(part.first) == number
            && self.part_of(last) == number
            && rendition.root.is_none_or(under);
        if fits { Ok(part) } else { Err(ManifestError::OtherPart) }
    }

    /// Every bound that [`Manifest::open`] holds a stranger's manifest to. Publishers ask it before
    /// they seal.
    pub fn check(&self) -> Result<(), ManifestError> {
        check(is_safe_path(&self.playlist), "playlist")?;
        check(self.piece_bytes == wire::limits::PIECE_BYTES, "piece_bytes")?;
        let allowed = if self.live { 1..=1 } else { 1..=SEGMENTS_PER_PART_MAX };
        check(allowed.contains(&self.segments_per_part), "segments_per_part")?;
        check(self.renditions.len() <= usize::from(RENDITIONS_MAX), "renditions")?;
        check(self.renditions.is_sorted_by(|a, b| a.track < b.track), "track")?;
        self.renditions.iter().try_for_each(|rendition| rendition.check(self.live))
    }
}

impl TryFrom<Json> for Manifest {
    type Error = Mismatch;

    fn try_from(json: Json) -> Result<Self, Mismatch> {
        let mut fields = Fields::of(json)?;
        Ok(Self {
            format: fields.take("format")?,
            publisher: fields.take("publisher")?,
            live: fields.take("live")?,
            playlist: fields.take("playlist")?,
            piece_bytes: fields.take("piece_bytes")?,
            segments_per_part: fields.take("segments_per_part")?,
            renditions: fields.take("renditions")?,
        })
    }
}

impl Field for Rendition {
    fn from_json(json: Json) -> Option<Self> {
        let mut fields = Fields::of(json).ok()?;
        Some(Self {
            track: fields.take("track").ok()?,
            playlist: fields.take("playlist").ok()?,
            parts: fields.take("parts").ok()?,
            root: fields.take("root").ok()?,
            first: fields.take_or_default("first").ok()?,
            count: fields.take_or_default("count").ok()?,
        })
    }
}

impl Rendition {
    /// Where part `part` is, relative to the manifest.
    pub fn part_url(&self, part: u32) -> String {
        self.parts.replace(PART_PLACEHOLDER, &part.to_string())
    }

    fn check(&self, live: bool) -> Result<(), ManifestError> {
        check(self.track < RENDITIONS_MAX, "track")?;
        check(is_safe_path(&self.playlist), "playlist")?;
        let one = self.parts.matches(PART_PLACEHOLDER).count() == 1;
        check(one && is_safe_path(&self.part_url(u32::MAX)), "parts")?;
        check(self.root.is_none() == live, "root")?;
        check((self.count == 0) == live, "count")?;
        check(!live || self.first == 0, "first")?;
        check(self.first.checked_add(self.count).is_some(), "count")
    }
}

fn check(holds: bool, field: &'static str) -> Result<(), ManifestError> {
    if holds { Ok(()) } else { Err(ManifestError::Field(field)) }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
