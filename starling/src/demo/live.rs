//! A finished stream played out again as a live one: real time, sliding window, without end.
//!
//! When the last segment has gone out the first comes again, behind an `EXT-X-DISCONTINUITY`. A
//! segment is there before a playlist lists it, playlists are replaced whole.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use m3u8_rs::{MediaPlaylist, Playlist};

use super::PLAYLIST;
use crate::atomic;

/// Why the stream can't be played out.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The stream to repeat is not one that [`super::make`] makes.
    #[error("{path}: expected {what}")]
    Form {
        /// The playlist.
        path: PathBuf,
        /// What it lacks.
        what: &'static str,
    },
}

/// A finished stream that goes out as a live one.
#[derive(Debug)]
pub struct Live {
    out: PathBuf,
    window: u32,
    segment: Duration,
    started: DateTime<Utc>,
    tracks: Vec<Track>,
    /// Media sequence number of the next segment.
    next: u32,
}

#[derive(Debug)]
struct Track {
    from: PathBuf,
    to: PathBuf,
    playlist: MediaPlaylist,
    init: Option<String>,
}

impl Live {
    /// Reads the finished stream in `from` and starts a live one in `out` with a full window of
    /// `window` segments, which ended at `now`.
    ///
    /// # Errors
    /// A file can't be read or written, or the stream is of another form.
    pub async fn start(
        from: &Path,
        out: &Path,
        window: u32,
        now: DateTime<Utc>,
    ) -> Result<Self, LiveError> {
        let window = window.max(3);
        let master = from.join(PLAYLIST);
        let form = |what| LiveError::Form { path: master.clone(), what };
        let bytes = read(&master).await?;
        let Ok(Playlist::MasterPlaylist(variants)) = m3u8_rs::parse_playlist_res(&bytes) else {
            return Err(form("a multivariant playlist"));
        };
        let mut tracks = Vec::with_capacity(variants.variants.len());
        for variant in &variants.variants {
            if !media::is_safe_path(&variant.uri) {
                return Err(form("playlists below its folder"));
            }
            tracks.push(Track::open(&from.join(&variant.uri), &out.join(&variant.uri)).await?);
        }
        let first = tracks.first().ok_or_else(|| form("a rendition"))?;
        let segment = Duration::from_secs(first.playlist.target_duration.max(1));
        let started = now - segment * window;
        let out = out.to_owned();
        let mut live = Self { out, window, segment, started, tracks, next: 0 };
        for _ in 0..window {
            live.place().await?;
        }
        live.list().await?;
        write(&live.out.join(PLAYLIST), &bytes).await?;
        Ok(live)
    }

    /// How long a segment is: call [`Live::advance`] this often.
    pub fn segment_duration(&self) -> Duration {
        self.segment
    }

    /// Adds the next segment to every rendition and drops the oldest.
    ///
    /// # Errors
    /// A file can't be written.
    pub async fn advance(&mut self) -> Result<(), LiveError> {
        self.place().await?;
        self.list().await
    }

    async fn place(&mut self) -> Result<(), LiveError> {
        for track in &self.tracks {
            track.place(self.next).await?;
            // As long again as the window: viewers may still be fetching what has just left it.
            if let Some(gone) = self.next.checked_sub(2 * self.window) {
                remove(&track.to.join(name(gone))).await?;
            }
        }
        self.next += 1;
        Ok(())
    }

    async fn list(&self) -> Result<(), LiveError> {
        let first = self.next.saturating_sub(self.window);
        for track in &self.tracks {
            let text = track.list(first, self.next, self.started, self.segment);
            write(&track.to.join("index.m3u8"), text.as_bytes()).await?;
        }
        Ok(())
    }
}

impl Track {
    async fn open(from: &Path, to: &Path) -> Result<Self, LiveError> {
        let form = |what| LiveError::Form { path: from.to_owned(), what };
        let bytes = read(from).await?;
        let Ok(Playlist::MediaPlaylist(playlist)) = m3u8_rs::parse_playlist_res(&bytes) else {
            return Err(form("a media playlist"));
        };
        if playlist.segments.is_empty() || !playlist.end_list {
            return Err(form("the segments of a finished stream"));
        }
        if to.file_name().is_none_or(|name| name != "index.m3u8") {
            return Err(form("the name index.m3u8"));
        }
        let folder = |path: &Path| path.parent().unwrap_or(Path::new("")).to_owned();
        let (from, to) = (folder(from), folder(to));
        let map = playlist.segments.iter().find_map(|segment| segment.map.as_ref());
        let init = map.map(|map| map.uri.clone());
        if let Some(init) = &init {
            write(&to.join(init), &read(&from.join(init)).await?).await?;
        }
        Ok(Self { from, to, playlist, init })
    }

    fn position(&self, index: u32) -> usize {
        usize::try_from(index).unwrap_or(0) % self.playlist.segments.len()
    }

    async fn place(&self, index: u32) -> Result<(), LiveError> {
        let from = self.from.join(&self.playlist.segments[self.position(index)].uri);
        let to = self.to.join(name(index));
        remove(&to).await?;
        if tokio::fs::hard_link(&from, &to).await.is_ok() {
            return Ok(());
        }
        write(&to, &read(&from).await?).await
    }

    /// The playlist of segments `first..next` (RFC 8216, 4.3 and 6.2.2).
    fn list(&self, first: u32, next: u32, started: DateTime<Utc>, segment: Duration) -> String {
        let count = u32::try_from(self.playlist.segments.len()).unwrap_or(u32::MAX);
        let seams_gone = first.saturating_sub(1) / count;
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:{first}\n\
             #EXT-X-DISCONTINUITY-SEQUENCE:{seams_gone}\n#EXT-X-INDEPENDENT-SEGMENTS\n",
            self.playlist.target_duration,
        );
        if let Some(init) = &self.init {
            writeln!(text, "#EXT-X-MAP:URI=\"{init}\"").expect("a String takes everything");
        }
        for index in first..next {
            let position = self.position(index);
            if position == 0 && index > 0 {
                text.push_str("#EXT-X-DISCONTINUITY\n");
            }
            let at = (started + segment * index).to_rfc3339_opts(SecondsFormat::Millis, true);
            let seconds = self.playlist.segments[position].duration;
            let name = name(index);
            write!(text, "#EXT-X-PROGRAM-DATE-TIME:{at}\n#EXTINF:{seconds:.6},\n{name}\n")
                .expect("a String takes everything");
        }
        text
    }
}

fn name(index: u32) -> String {
    format!("s{index:06}.m4s")
}

async fn read(path: &Path) -> Result<Vec<u8>, LiveError> {
    tokio::fs::read(path).await.map_err(|source| LiveError::Io { path: path.to_owned(), source })
}

async fn write(path: &Path, bytes: &[u8]) -> Result<(), LiveError> {
    atomic::write(path, bytes)
        .await
        .map_err(|source| LiveError::Io { path: path.to_owned(), source })
}

async fn remove(path: &Path) -> Result<(), LiveError> {
    match tokio::fs::remove_file(path).await {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(LiveError::Io { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(folder: &Path) {
        let mut text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI=\"init.mp4\"\n".to_owned();
        for number in 0..3 {
            writeln!(text, "#EXTINF:4.0,\ns{number}.m4s").unwrap();
            std::fs::create_dir_all(folder.join("hi")).unwrap();
            std::fs::write(folder.join(format!("hi/s{number}.m4s")), format!("{number}")).unwrap();
        }
        std::fs::write(folder.join("hi/index.m3u8"), text + "#EXT-X-ENDLIST\n").unwrap();
        std::fs::write(folder.join("hi/init.mp4"), "init").unwrap();
        let master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhi/index.m3u8\n";
        std::fs::write(folder.join(PLAYLIST), master).unwrap();
    }

    #[tokio::test]
    async fn the_window_slides_and_seams_are_marked_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let (from, out) = (folder.path().join("from"), folder.path().join("out"));
        stream(&from);
        let now = DateTime::from_timestamp(1_000_000_012, 0).unwrap();
        let mut live = Live::start(&from, &out, 3, now).await.unwrap();
        let list = || std::fs::read_to_string(out.join("hi/index.m3u8")).unwrap();
        assert!(list().contains("#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"));
        assert!(list().contains("TIME:2001-09-09T01:46:40.000Z\n#EXTINF:4.000000,\ns000000.m4s"));
        assert!(!list().contains("#EXT-X-DISCONTINUITY\n"));
        for _ in 0..3 {
            live.advance().await.unwrap();
        }
        assert!(list().contains("#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n"));
        assert_eq!(list().matches("#EXT-X-DISCONTINUITY\n").count(), 1);
        assert_eq!(std::fs::read_to_string(out.join("hi/s000005.m4s")).unwrap(), "2");
        live.advance().await.unwrap();
        assert!(list().contains("#EXT-X-MEDIA-SEQUENCE:4\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"));
        assert!(!out.join("hi/s000000.m4s").exists(), "what left the window long ago goes");
        assert!(out.join("hi/s000001.m4s").exists());
    }
}
