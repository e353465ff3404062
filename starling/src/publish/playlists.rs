//! What playlists list: tracks and segments, by the names the swarm uses (`docs/spec/swarm.md`).

use std::ops::Range;

use m3u8_rs::{AlternativeMediaType, MasterPlaylist, MediaPlaylist, Playlist};
use url::Url;

use super::PublishError;

/// First track number of audio renditions.
const AUDIO_TRACKS: usize = 32;

/// One rendition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) number: u16,
    pub(super) url: Url,
}

/// The segments of one media playlist.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Segments {
    pub(super) live: bool,
    pub(super) listed: Vec<Listed>,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Media sequence number.
    pub(super) index: u32,
    pub(super) url: Url,
    pub(super) range: Option<Range<u64>>,
    /// `EXT-X-GAP`: there are no bytes.
    pub(super) gap: bool,
}

/// A playlist of either kind.
#[derive(Debug)]
pub(super) enum Listing {
    /// Renditions.
    Multivariant(Vec<Track>),
    /// Segments.
    Media(Segments),
}

/// Reads the playlist at `url`, all of whose files must be below `root`.
pub(super) fn read(root: &Url, url: &Url, bytes: &[u8]) -> Result<Listing, PublishError> {
    let reader = Reader { root, url };
    if !bytes.trim_ascii_start().starts_with(b"#EXTM3U") {
        return Err(PublishError::NotAPlaylist { name: reader.name(), found: beginning(bytes) });
    }
    match m3u8_rs::parse_playlist_res(bytes.trim_ascii_start()) {
        Ok(Playlist::MasterPlaylist(playlist)) => {
            reader.tracks(&playlist).map(Listing::Multivariant)
        }
        Ok(Playlist::MediaPlaylist(playlist)) => reader.segments(&playlist).map(Listing::Media),
        Err(_) => Err(reader.unfit("has a line that is not HLS (RFC 8216)")),
    }
}

struct Reader<'a> {
    root: &'a Url,
    url: &'a Url,
}

impl Reader<'_> {
    /// Variants in order of first appearance, then audio renditions from [`AUDIO_TRACKS`] on.
    fn tracks(&self, playlist: &MasterPlaylist) -> Result<Vec<Track>, PublishError> {
        let variants = playlist.variants.iter().filter(|v| !v.is_i_frame).map(|v| v.uri.as_str());
        let audio = playlist
            .alternatives
            .iter()
            .filter(|media| media.media_type == AlternativeMediaType::Audio)
            .filter_map(|media| media.uri.as_deref());
        let mut tracks = self.numbered(0, variants)?;
        tracks.extend(self.numbered(AUDIO_TRACKS, audio)?);
        if tracks.is_empty() {
            return Err(self.unfit("lists no rendition"));
        }
        Ok(tracks)
    }

    fn numbered<'u>(
        &self,
        first: usize,
        uris: impl Iterator<Item = &'u str>,
    ) -> Result<Vec<Track>, PublishError> {
        let mut tracks: Vec<Track> = Vec::new();
        for uri in uris {
            let url = self.resolve(uri)?;
            if tracks.iter().any(|track| track.url == url) {
                continue;
            }
            if tracks.len() == AUDIO_TRACKS {
                return Err(self.unfit("lists more than 32 renditions of one kind"));
            }
            let number = u16::try_from(first + tracks.len()).expect("below twice AUDIO_TRACKS");
            tracks.push(Track { number, url });
        }
        Ok(tracks)
    }

    fn segments(&self, playlist: &MediaPlaylist) -> Result<Segments, PublishError> {
        let mut listed: Vec<Listed> = Vec::with_capacity(playlist.segments.len());
        for (number, segment) in (playlist.media_sequence..).zip(&playlist.segments) {
            let index = u32::try_from(number)
                .ok()
                .filter(|index| *index < u32::MAX)
                .ok_or_else(|| self.unfit("has media sequence numbers beyond 32 bits"))?;
            let url = self.resolve(&segment.uri)?;
            let gap = segment.unknown_tags.iter().any(|tag| tag.tag == "X-GAP");
            let range = match &segment.byte_range {
                Some(range) => Some(self.range(range, &url, listed.last())?),
                None => None,
            };
            listed.push(Listed { index, url, range, gap });
        }
        Ok(Segments { live: !playlist.end_list, listed })
    }

    /// Without an offset a range goes on where the segment before ended (RFC 8216, 4.3.2.2).
    fn range(
        &self,
        range: &m3u8_rs::ByteRange,
        url: &Url,
        before: Option<&Listed>,
    ) -> Result<Range<u64>, PublishError> {
        let continued = || before.filter(|b| b.url == *url)?.range.as_ref().map(|r| r.end);
        let start = range
            .offset
            .or_else(continued)
            .ok_or_else(|| self.unfit("has an EXT-X-BYTERANGE without an offset to continue"))?;
        let end = start
            .checked_add(range.length)
            .filter(|end| *end > start)
            .ok_or_else(|| self.unfit("has an empty or endless EXT-X-BYTERANGE"))?;
        Ok(start..end)
    }

    fn resolve(&self, uri: &str) -> Result<Url, PublishError> {
        let outside = || PublishError::Outside {
            name: self.name(),
            uri: uri.to_owned(),
            root: self.root.to_string(),
        };
        let url = self.url.join(uri).map_err(|_| outside())?;
        let path = path_of(self.root, &url).ok_or_else(outside)?;
        if media::is_safe_path(&path) { Ok(url) } else { Err(outside()) }
    }

    fn name(&self) -> String {
        path_of(self.root, self.url).unwrap_or_else(|| self.url.to_string())
    }

    fn unfit(&self, what: &str) -> PublishError {
        PublishError::Unfit { name: self.name(), what: what.to_owned() }
    }
}

/// The path of `url` below `root`, without query and fragment.
pub(super) fn path_of(root: &Url, url: &Url) -> Option<String> {
    if url.origin() != root.origin() {
        return None;
    }
    url.path().strip_prefix(root.path()).map(str::to_owned)
}

/// The first characters of a file, for a message.
fn beginning(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(24)];
    if start.is_empty() {
        return "an empty file".to_owned();
    }
    format!("{:?}", String::from_utf8_lossy(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Listing, PublishError> {
        let root: Url = "http://folder.invalid/deep/".parse().unwrap();
        let url = root.join("hi/index.m3u8").unwrap();
        read(&root, &url, text.as_bytes())
    }

    fn media(body: &str) -> Segments {
        let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n{body}");
        match parse(&text).unwrap() {
            Listing::Media(segments) => segments,
            Listing::Multivariant(_) => panic!("expected a media playlist"),
        }
    }

    #[test]
    fn tracks_are_numbered_by_first_appearance_and_audio_from_32_on() {
        let text = "#EXTM3U\n\
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",URI=\"../en.m3u8\"\n\
            #EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"en\",URI=\"../sub.m3u8\"\n\
            #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"muxed\"\n\
            #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"iframes.m3u8\"\n\
            #EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO=\"a\"\nhi.m3u8\n\
            #EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nlo.m3u8\n\
            #EXT-X-STREAM-INF:BANDWIDTH=3,AUDIO=\"b\"\nhi.m3u8\n";
        let Listing::Multivariant(tracks) = parse(text).unwrap() else { panic!("multivariant") };
        let found: Vec<_> = tracks.iter().map(|t| (t.number, t.url.path())).collect();
        assert_eq!(
            found,
            [(0, "/deep/hi/hi.m3u8"), (1, "/deep/hi/lo.m3u8"), (32, "/deep/en.m3u8")]
        );
    }

    #[test]
    fn segments_are_numbered_by_media_sequence() {
        let body = "#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:4,\na.ts\n#EXTINF:4,\nb c.ts?token=1\n";
        let segments = media(body);
        assert!(segments.live);
        let found: Vec<_> = segments.listed.iter().map(|s| (s.index, s.url.path())).collect();
        assert_eq!(found, [(7, "/deep/hi/a.ts"), (8, "/deep/hi/b%20c.ts")]);
    }

    #[test]
    fn byte_ranges_continue_where_the_one_before_ended() {
        let body = "#EXTINF:4,\n#EXT-X-BYTERANGE:100@50\nall.mp4\n\
            #EXTINF:4,\n#EXT-X-BYTERANGE:30\nall.mp4\n#EXT-X-ENDLIST\n";
        let segments = media(body);
        assert!(!segments.live);
        let found: Vec<_> = segments.listed.iter().map(|s| s.range.clone()).collect();
        assert_eq!(found, [Some(50..150), Some(150..180)]);
    }

    #[test]
    fn a_range_that_continues_nothing_is_unfit() {
        let text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n#EXT-X-BYTERANGE:9\na.mp4\n";
        assert!(matches!(parse(text), Err(PublishError::Unfit { .. })));
    }

    #[test]
    fn a_segment_marked_as_a_gap_is_known_as_one() {
        let gaps: Vec<_> = media("#EXTINF:4,\na.ts\n#EXT-X-GAP\n#EXTINF:4,\nb.ts\n")
            .listed
            .iter()
            .map(|s| s.gap)
            .collect();
        assert_eq!(gaps, [false, true]);
    }

    #[test]
    fn files_outside_the_folder_are_refused() {
        for uri in ["../../a.ts", "https://cdn.example/a.ts", "//cdn.example/a.ts"] {
            let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{uri}\n");
            assert!(matches!(parse(&text), Err(PublishError::Outside { .. })), "{uri}");
        }
    }

    #[test]
    fn what_is_no_playlist_is_shown() {
        let Err(PublishError::NotAPlaylist { found, .. }) = parse("<html>hello") else {
            panic!("expected a refusal")
        };
        assert_eq!(found, "\"<html>hello\"");
    }
}
