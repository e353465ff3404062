//! Why a stream can't be published.

use std::io;
use std::path::PathBuf;

use media::ManifestError;
use primitives::PeerId;

/// Why a stream can't be published. [`PublishError::remedy`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The source is neither a folder nor an http(s) URL.
    #[error("{0} is neither a folder nor an http(s) URL")]
    NoSource(String),
    /// The folder holds no playlist.
    #[error("no HLS playlist in {folder}, found {found}")]
    NoPlaylist {
        /// The folder.
        folder: String,
        /// What it holds instead.
        found: String,
    },
    /// Several playlists, and none is the obvious one.
    #[error("several playlists: {}", .0.join(", "))]
    ManyPlaylists(Vec<String>),
    /// A file that should be a playlist is not.
    #[error("{name} is not an HLS playlist: expected #EXTM3U, found {found}")]
    NotAPlaylist {
        /// The file or URL.
        name: String,
        /// Its first characters.
        found: String,
    },
    /// A playlist lists what can't be published.
    #[error("{name}: {what}")]
    Unfit {
        /// The playlist.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// A playlist names a file outside the folder, or on another server.
    #[error("{name} names {uri}, which is not below {root}")]
    Outside {
        /// The playlist.
        name: String,
        /// What it names.
        uri: String,
        /// The folder.
        root: String,
    },
    /// The stream is live.
    #[error("{0} is live: it has no #EXT-X-ENDLIST")]
    Live(String),
    /// A manifest of another publisher, or something else, is there already.
    #[error("{path} is already there{}", .publisher.map(|id| format!(", signed by {id}")).unwrap_or_default())]
    Taken {
        /// The file.
        path: PathBuf,
        /// Who signed it; `None`: it is no manifest.
        publisher: Option<PeerId>,
    },
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A URL can't be fetched.
    #[error("{url}: {what}")]
    Http {
        /// The URL.
        url: String,
        /// Status, or what went wrong.
        what: String,
    },
    /// What was read makes no valid manifest.
    #[error("the stream does not fit in a manifest: {0}")]
    Manifest(#[from] ManifestError),
}

impl PublishError {
    /// Stable name for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSource(_) => "no-source",
            Self::NoPlaylist { .. } => "no-playlist",
            Self::ManyPlaylists(_) => "many-playlists",
            Self::NotAPlaylist { .. } => "not-a-playlist",
            Self::Unfit { .. } => "unfit",
            Self::Outside { .. } => "outside",
            Self::Live(_) => "live",
            Self::Taken { .. } => "taken",
            Self::Io { .. } => "io",
            Self::Http { .. } => "http",
            Self::Manifest(_) => "manifest",
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NoSource(_) => {
                "Give the folder that holds the .m3u8 playlists, or a playlist's URL."
            }
            Self::NoPlaylist { .. } => {
                "Give the folder that holds the .m3u8 playlists. ffmpeg makes them: \
                 ffmpeg -i video.mp4 -f hls -hls_time 4 -hls_playlist_type vod master.m3u8"
            }
            Self::ManyPlaylists(_) => "Say with --playlist NAME which one viewers open.",
            Self::NotAPlaylist { .. } => "Give the folder of an HLS stream.",
            Self::Unfit { .. } => "Package the stream again without it.",
            Self::Outside { .. } => {
                "Put the segments below the folder of the playlist, and publish there."
            }
            Self::Live(_) => "Add --watch, and leave it running beside the packager.",
            Self::Taken { .. } => {
                "Sign with the key it was signed with (--key), or give --replace to sign it anew."
            }
            Self::Io { .. } => {
                "Check that the file exists and that this user may read and write it."
            }
            Self::Http { .. } => "Check that the URL opens in a browser.",
            Self::Manifest(_) => "Cut the video into shorter segments.",
        }
    }

    /// Exit code of the process: 3 the input is no stream that can be published, 4 refused to
    /// replace somebody else's manifest, 1 reading or writing failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Io { .. } | Self::Http { .. } => 1,
            Self::Taken { .. } => 4,
            Self::NoSource(_)
            | Self::NoPlaylist { .. }
            | Self::ManyPlaylists(_)
            | Self::NotAPlaylist { .. }
            | Self::Unfit { .. }
            | Self::Outside { .. }
            | Self::Live(_)
            | Self::Manifest(_) => 3,
        }
    }
}
