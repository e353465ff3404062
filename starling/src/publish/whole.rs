//! A finished stream, published in one go.

use media::limits::PART_BYTES_MAX;
use media::{Manifest, Part, Rendition, SegmentEntry, merkle_proof, merkle_root};
use url::Url;
use wire::limits::SEGMENT_BYTES_MAX;

use super::playlists::{self, Listed, Listing, Segments, Track, path_of};
use super::store::{self, Store};
use super::{Job, PublishError, RenditionReport, Report, Source, Step};

/// Segments per part, unless their entries are so long that fewer fit.
const SEGMENTS_PER_PART: u32 = 64;
/// A sealed part is this many times its digests, at most: Base64 twice, names, signature.
const SEALED_PER_DIGEST_BYTE: usize = 2;

/// Hashes every segment of a finished stream and writes the manifest and its parts.
///
/// # Errors
/// In order: the playlist is not found, is none, is live, or names what is not there; somebody
/// else's manifest is in the way; a segment can't be read; the folder can't be written.
pub async fn whole(job: &Job, progress: &mut dyn FnMut(Step)) -> Result<Report, PublishError> {
    let (playlist, tracks) = find_tracks(&job.source, job.playlist.as_deref()).await?;
    let store = Store::open(&job.out, &job.key, job.replace).await?;
    let mut hashed = Vec::with_capacity(tracks.len());
    for track in &tracks {
        hashed.push(hash_track(&job.source, track, progress).await?);
    }
    let per_part = segments_per_part(&hashed);
    let mut manifest = Manifest::new(job.key.id(), playlist.clone(), false, per_part);
    let mut renditions = Vec::with_capacity(hashed.len());
    for track in &hashed {
        manifest.renditions.push(write_parts(&store, job, track, per_part).await?);
        renditions.push(track.report());
    }
    store.write_manifest(&manifest).await?;
    for rendition in &manifest.renditions {
        let parts = manifest.part_of(rendition.first)
            ..=manifest.part_of(rendition.first + (rendition.count - 1));
        store.remove_parts(rendition.track, |number| !parts.contains(&number)).await?;
    }
    let (publisher, manifest) = (job.key.id(), store.manifest_path());
    Ok(Report { publisher, manifest, playlist, live: false, renditions })
}

/// The playlist viewers open, and its tracks.
pub(super) async fn find_tracks(
    source: &Source,
    playlist: Option<&str>,
) -> Result<(String, Vec<Track>), PublishError> {
    let name = match playlist {
        Some(name) => name.to_owned(),
        None => source.playlist().await?,
    };
    let outside =
        || PublishError::Outside { name: source.name(), uri: name.clone(), root: source.name() };
    let url = source.root().join(&name).map_err(|_| outside())?;
    let path = path_of(source.root(), &url).ok_or_else(outside)?;
    let tracks = match read(source, &url).await? {
        Listing::Multivariant(tracks) => tracks,
        Listing::Media(_) => vec![Track { number: 0, url }],
    };
    Ok((path, tracks))
}

/// The segments of a track now.
pub(super) async fn read_track(source: &Source, track: &Track) -> Result<Segments, PublishError> {
    match read(source, &track.url).await? {
        Listing::Media(segments) => Ok(segments),
        Listing::Multivariant(_) => Err(PublishError::Unfit {
            name: name_of(source, &track.url),
            what: "lists renditions where segments were expected".to_owned(),
        }),
    }
}

/// Reads and hashes one segment.
pub(super) async fn hash(source: &Source, listed: &Listed) -> Result<SegmentEntry, PublishError> {
    let name = name_of(source, &listed.url);
    if listed.gap {
        let what = "is marked as a gap, which only a live stream may have".to_owned();
        return Err(PublishError::Unfit { name, what });
    }
    let limit = u64::from(SEGMENT_BYTES_MAX);
    let bytes = source.read(&listed.url, listed.range.as_ref(), limit).await?;
    SegmentEntry::of(name.clone(), &bytes)
        .ok_or_else(|| PublishError::Unfit { name, what: "is empty".to_owned() })
}

/// A URL of the source as the path that goes into the manifest.
pub(super) fn name_of(source: &Source, url: &Url) -> String {
    path_of(source.root(), url).unwrap_or_else(|| url.to_string())
}

async fn read(source: &Source, url: &Url) -> Result<Listing, PublishError> {
    playlists::read(source.root(), url, &source.playlist_bytes(url).await?)
}

/// One track with the digests of all its segments.
struct Hashed {
    number: u16,
    playlist: String,
    first: u32,
    entries: Vec<SegmentEntry>,
}

impl Hashed {
    fn report(&self) -> RenditionReport {
        RenditionReport {
            track: self.number,
            playlist: self.playlist.clone(),
            segments: self.entries.len(),
            bytes: self.entries.iter().map(|entry| u64::from(entry.size_bytes)).sum(),
        }
    }
}

async fn hash_track(
    source: &Source,
    track: &Track,
    progress: &mut dyn FnMut(Step),
) -> Result<Hashed, PublishError> {
    let playlist = name_of(source, &track.url);
    let segments = read_track(source, track).await?;
    if segments.live {
        return Err(PublishError::Live(playlist));
    }
    let Some(first) = segments.listed.first().map(|listed| listed.index) else {
        let what = "lists no segment".to_owned();
        return Err(PublishError::Unfit { name: playlist, what });
    };
    let of = segments.listed.len();
    progress(Step::Rendition { playlist: playlist.clone(), segments: of });
    let mut entries = Vec::with_capacity(of);
    for (number, listed) in (1..).zip(&segments.listed) {
        let entry = hash(source, listed).await?;
        progress(Step::Segment { number, of, bytes: entry.size_bytes });
        entries.push(entry);
    }
    Ok(Hashed { number: track.number, playlist, first, entries })
}

/// The largest power of two, at most [`SEGMENTS_PER_PART`], with which every part fits.
fn segments_per_part(tracks: &[Hashed]) -> u32 {
    let largest = tracks
        .iter()
        .flat_map(|track| &track.entries)
        .map(|entry| (entry.pieces.len() * 32 + entry.uri.len() + 256) * SEALED_PER_DIGEST_BYTE)
        .max()
        .unwrap_or(1);
    let fit = u32::try_from(PART_BYTES_MAX / largest).unwrap_or(u32::MAX);
    let power = fit.checked_ilog2().map_or(1, |exponent| 1 << exponent);
    power.min(SEGMENTS_PER_PART)
}

async fn write_parts(
    store: &Store,
    job: &Job,
    track: &Hashed,
    per_part: u32,
) -> Result<Rendition, PublishError> {
    let leaves: Vec<_> = track.entries.iter().map(|entry| entry.sha256).collect();
    let mut start = 0;
    let mut first = track.first;
    while start < leaves.len() {
        // The first part may begin in its middle: its number follows from the sequence number.
        let room = usize::try_from(per_part - first % per_part).unwrap_or(usize::MAX);
        let end = start.saturating_add(room).min(leaves.len());
        let entries = track.entries[start..end].to_vec();
        let mut part = Part::new(job.key.id(), track.number, first, entries);
        part.proof = merkle_proof(&leaves, start..end);
        store.write_part(first / per_part, &part).await?;
        first += u32::try_from(end - start).expect("at most per_part");
        start = end;
    }
    Ok(Rendition {
        root: Some(merkle_root(&leaves)),
        first: track.first,
        count: first - track.first,
        ..store::rendition(track.number, track.playlist.clone())
    })
}
