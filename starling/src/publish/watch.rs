//! A stream that is still being packaged: a signed part for each new segment.
//!
//! The packager is watched through its playlists alone, which it has to write anyway. A part is kept
//! as long as its segment may be asked for: while it is listed, and for a margin of another window.

use media::{Manifest, Part};

use super::playlists::{Listed, Track};
use super::store::{self, Store};
use super::whole::{find_tracks, hash, name_of, read_track};
use super::{Job, PublishError, RenditionReport, Report};

/// Fewest parts kept behind the window.
const MARGIN_SEGMENTS_MIN: u32 = 8;
/// Most segments hashed of a playlist seen for the first time or after a pause, newest first wins.
const CATCH_UP_SEGMENTS_MAX: usize = 4096;

/// Watches one live stream. Call [`Watch::poll`] often: a viewer asks for a part as soon as its
/// segment is listed.
#[derive(Debug)]
pub struct Watch {
    job: Job,
    store: Store,
    playlist: String,
    tracks: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    track: Track,
    ended: bool,
    /// Why it could not be read last time, told once.
    trouble: Option<String>,
    /// The next media sequence number that has no part yet.
    next: Option<u32>,
    segments: usize,
    bytes: u64,
}

/// What a [`Watch::poll`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// New parts: track and media sequence number.
    pub segments: Vec<(u16, u32)>,
    /// Every playlist has its end: nothing more will come.
    pub ended: bool,
}

impl Watch {
    /// Finds the playlists and writes the manifest, so that viewers learn the publisher at once.
    ///
    /// # Errors
    /// As `super::whole`, but a live stream is what is expected.
    pub async fn start(job: Job) -> Result<Self, PublishError> {
        let (playlist, tracks) = find_tracks(&job.source, job.playlist.as_deref()).await?;
        let store = Store::open(&job.out, &job.key, job.replace).await?;
        let mut manifest = Manifest::new(job.key.id(), playlist.clone(), true, 1);
        for track in &tracks {
            // Parts of an earlier run say what other segments of the same number were.
            store.remove_parts(track.number, |_| true).await?;
            let name = name_of(&job.source, &track.url);
            manifest.renditions.push(store::rendition(track.number, name));
        }
        let fresh = |track| Watched {
            track,
            ended: false,
            trouble: None,
            next: None,
            segments: 0,
            bytes: 0,
        };
        let mut watch =
            Self { tracks: tracks.into_iter().map(fresh).collect(), job, store, playlist };
        watch.poll().await?;
        watch.store.write_manifest(&manifest).await?;
        Ok(watch)
    }

    /// Reads the playlists again and signs what is new. A playlist or segment that is not there at
    /// this moment is tried again next time.
    ///
    /// # Errors
    /// What is there can't be published, or nothing can be written.
    pub async fn poll(&mut self) -> Result<Added, PublishError> {
        let mut segments = Vec::new();
        for watched in &mut self.tracks {
            if !watched.ended {
                let added = watched.poll(&self.job, &self.store).await?;
                segments.extend(added.into_iter().map(|index| (watched.track.number, index)));
            }
        }
        Ok(Added { segments, ended: self.tracks.iter().all(|watched| watched.ended) })
    }

    /// What was published so far.
    pub fn report(&self) -> Report {
        let rendition = |watched: &Watched| RenditionReport {
            track: watched.track.number,
            playlist: name_of(&self.job.source, &watched.track.url),
            segments: watched.segments,
            bytes: watched.bytes,
        };
        Report {
            publisher: self.job.key.id(),
            manifest: self.store.manifest_path(),
            playlist: self.playlist.clone(),
            live: true,
            renditions: self.tracks.iter().map(rendition).collect(),
        }
    }
}

impl Watched {
    async fn poll(&mut self, job: &Job, store: &Store) -> Result<Vec<u32>, PublishError> {
        let now = match read_track(&job.source, &self.track).await {
            Ok(now) => now,
            Err(error) => {
                self.pass(error)?;
                return Ok(Vec::new());
            }
        };
        let (Some(first), Some(last)) = (now.listed.first(), now.listed.last()) else {
            self.ended = !now.live;
            return Ok(Vec::new());
        };
        let (first, last) = (first.index, last.index);
        // A packager that starts again counts from the beginning: all of its segments are new.
        let next = self.next.filter(|next| *next <= last.saturating_add(1)).unwrap_or(first);
        if self.next.is_some_and(|before| before > next) {
            store.remove_parts(self.track.number, |_| true).await?;
        }
        let new: Vec<&Listed> = now.listed.iter().filter(|listed| listed.index >= next).collect();
        let skipped = new.len().saturating_sub(CATCH_UP_SEGMENTS_MAX);
        let added = self.add(job, store, &new[skipped..]).await?;
        self.ended = !now.live && self.next == last.checked_add(1);
        let margin = (last - first + 1).max(MARGIN_SEGMENTS_MIN);
        let kept = first.saturating_sub(margin)..=last;
        if !added.is_empty() {
            store.remove_parts(self.track.number, |number| !kept.contains(&number)).await?;
        }
        Ok(added)
    }

    /// In order; stops at a segment that can't be read yet.
    async fn add(
        &mut self,
        job: &Job,
        store: &Store,
        new: &[&Listed],
    ) -> Result<Vec<u32>, PublishError> {
        let mut added = Vec::new();
        for listed in new {
            if !listed.gap {
                let entry = match hash(&job.source, listed).await {
                    Ok(entry) => entry,
                    Err(error) => {
                        self.pass(error)?;
                        break;
                    }
                };
                self.segments += 1;
                self.bytes += u64::from(entry.size_bytes);
                let part = Part::new(job.key.id(), self.track.number, listed.index, vec![entry]);
                store.write_part(listed.index, &part).await?;
                added.push(listed.index);
            }
            self.trouble = None;
            self.next = listed.index.checked_add(1);
        }
        Ok(added)
    }

    /// Lets an error pass that may be over next time, and tells it once.
    fn pass(&mut self, error: PublishError) -> Result<(), PublishError> {
        if !is_passing(&error) {
            return Err(error);
        }
        let text = error.to_string();
        if self.trouble.as_ref() != Some(&text) {
            tracing::warn!("{text}; trying again");
            self.trouble = Some(text);
        }
        Ok(())
    }
}

/// A packager replaces and removes files while we read: what is missing or cut may be whole next time.
fn is_passing(error: &PublishError) -> bool {
    match error {
        PublishError::Http { .. }
        | PublishError::NotAPlaylist { .. }
        | PublishError::Unfit { .. } => true,
        PublishError::Io { source, .. } => matches!(
            source.kind(),
            std::io::ErrorKind::NotFound | std::io::ErrorKind::UnexpectedEof
        ),
        PublishError::NoSource(_)
        | PublishError::NoPlaylist { .. }
        | PublishError::ManyPlaylists(_)
        | PublishError::Outside { .. }
        | PublishError::Live(_)
        | PublishError::Taken { .. }
        | PublishError::Manifest(_) => false,
    }
}
