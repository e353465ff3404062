//! The HTTP server of the video.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use peer::{
    SegmentUrl,
    input::{HttpAnswer, HttpError},
};
use primitives::{KeyPair, sha256};
use swarm::{Track, TrackSegment};

/// Segments of the test video: what a newcomer needs at once comes from the origin, the rest need not.
pub(crate) const SEGMENTS: u32 = 16;
/// Bytes of each: not a whole number of pieces.
pub(crate) const SEGMENT_BYTES: usize = 200_000;
pub(crate) const SEGMENT_MS: u64 = 4_000;
pub(crate) const PLAYLIST: &str = "https://media.example/film/master.m3u8";

#[derive(Default)]
pub(crate) struct Origin {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Whether HEAD answers carry `Repr-Digest`.
    pub(crate) digests: bool,
    /// URLs that give no answer at all.
    pub(crate) unreachable: BTreeSet<String>,
    /// Every small request, in order, with `true` for HEAD.
    pub(crate) asked: Vec<(String, bool)>,
}

impl Origin {
    pub(crate) fn with_film() -> Self {
        let files = (0..SEGMENTS).map(|index| (url(index), segment(index)));
        Self { files: files.collect(), ..Self::default() }
    }

    /// Puts `starling.json` and its one part beside the playlist, as a publisher does.
    pub(crate) fn publish(&mut self, key: &KeyPair) {
        let entry = |index| {
            media::SegmentEntry::of(format!("s{index}.m4s"), &segment(index)).expect("not empty")
        };
        let entries: Vec<_> = (0..SEGMENTS).map(entry).collect();
        let leaves: Vec<_> = entries.iter().map(|entry| entry.sha256).collect();
        let mut manifest = media::Manifest::new(key.id(), "master.m3u8".to_owned(), false, 64);
        manifest.renditions.push(media::Rendition {
            track: 0,
            playlist: "index.m3u8".to_owned(),
            parts: "starling/0-{part}.json".to_owned(),
            root: Some(media::merkle_root(&leaves)),
            first: 0,
            count: SEGMENTS,
        });
        let part = media::Part::new(key.id(), 0, 0, entries);
        self.files.insert(beside("starling.json"), manifest.seal(key));
        self.files.insert(beside("starling/0-0.json"), part.seal(key));
    }

    /// A folder with several playlists: this film is `master.m3u8` alone, track 5 of `all.m3u8`.
    pub(crate) fn publish_as_one_of_many(&mut self, key: &KeyPair, film: &str) {
        let entry = |index| {
            media::SegmentEntry::of(format!("s{index}.m4s"), &segment(index)).expect("not empty")
        };
        let entries: Vec<_> = (0..SEGMENTS).map(entry).collect();
        let leaves: Vec<_> = entries.iter().map(|entry| entry.sha256).collect();
        let mut manifest = media::Manifest::new(key.id(), "all.m3u8".to_owned(), false, 64);
        for (track, playlist) in [(0, "other.m3u8"), (5, film)] {
            manifest.renditions.push(media::Rendition {
                track,
                playlist: playlist.to_owned(),
                parts: format!("starling/{track}-{{part}}.json"),
                root: Some(media::merkle_root(&leaves)),
                first: 0,
                count: SEGMENTS,
            });
        }
        let part = media::Part::new(key.id(), 5, 0, entries);
        self.files.insert(beside("starling.json"), manifest.seal(key));
        self.files.insert(beside("starling/5-0.json"), part.seal(key));
    }

    /// The same for a live stream: parts of one segment, of which only some exist yet.
    pub(crate) fn publish_live(&mut self, key: &KeyPair, parts: core::ops::Range<u32>) {
        let mut manifest = media::Manifest::new(key.id(), "master.m3u8".to_owned(), true, 1);
        manifest.renditions.push(media::Rendition {
            track: 0,
            playlist: "index.m3u8".to_owned(),
            parts: "starling/0-{part}.json".to_owned(),
            root: None,
            first: 0,
            count: 0,
        });
        self.files.insert(beside("starling.json"), manifest.seal(key));
        for index in parts {
            let entry = media::SegmentEntry::of(format!("s{index}.m4s"), &segment(index));
            let part = media::Part::new(key.id(), 0, index, vec![entry.expect("not empty")]);
            self.files.insert(beside(&format!("starling/0-{index}.json")), part.seal(key));
        }
    }

    pub(crate) fn answer(&mut self, url: &str, head: bool) -> Result<HttpAnswer, HttpError> {
        self.asked.push((url.to_owned(), head));
        if self.unreachable.contains(url) {
            return Err(HttpError::Unreachable);
        }
        let Some(file) = self.files.get(url) else {
            return Ok(HttpAnswer { status: 404, repr_digest: None, body: Vec::new() });
        };
        let digest = || format!("sha-256=:{}:", STANDARD.encode(sha256(file).as_bytes()));
        let repr_digest = self.digests.then(digest);
        let body = if head { Vec::new() } else { file.clone() };
        Ok(HttpAnswer { status: 200, repr_digest, body })
    }

    pub(crate) fn asked(&self, part: &str) -> usize {
        self.asked.iter().filter(|(url, _)| url.contains(part)).count()
    }
}

pub(crate) fn beside(path: &str) -> String {
    format!("https://media.example/film/{path}")
}

pub(crate) fn url(index: u32) -> String {
    beside(&format!("s{index}.m4s"))
}

/// The bytes of a segment: each differs from the others everywhere.
pub(crate) fn segment(index: u32) -> Vec<u8> {
    let mut rng = primitives::Seed::from_number(u64::from(index)).rng();
    (0..SEGMENT_BYTES).map(|_| rng.u8(..)).collect()
}

pub(crate) fn track(live: bool) -> (Track, Vec<SegmentUrl>) {
    let segment = |index: u32| TrackSegment {
        index,
        start_ms: u64::from(index) * SEGMENT_MS,
        duration_ms: 4_000,
    };
    let list = Track { track: 0, live, segments: (0..SEGMENTS).map(segment).collect() };
    let url = |index| SegmentUrl { url: url(index), range: None };
    (list, (0..SEGMENTS).map(url).collect())
}
