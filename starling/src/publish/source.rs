//! Where playlists and segments are read from: a folder, or a folder on the web.
//!
//! Both name their files by URL, so that relative references mean the same in both. The URL of a
//! folder's files is made up and never leaves this module.

use std::ops::Range;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use url::Url;

use super::PublishError;

/// Stands for the folder. The name can't exist (RFC 2606, 2). It is deep, for a reference that climbs
/// out of a shallow one would be clamped to its top and look as if it stayed inside.
const FOLDER_ROOT: &str = "http://folder.invalid/0/1/2/3/4/5/6/7/";
/// Largest playlist read, in bytes.
const PLAYLIST_BYTES_MAX: u64 = 16 << 20;
/// Names tried when a folder has several playlists.
const USUAL_NAMES: [&str; 3] = ["master.m3u8", "index.m3u8", "playlist.m3u8"];

/// A folder with playlists and segments.
#[derive(Debug)]
pub struct Source {
    place: Place,
    root: Url,
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Web { client: reqwest::Client, playlist: String },
}

impl Source {
    /// A folder on this machine.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        let root = FOLDER_ROOT.parse().expect("the constant is a URL");
        Self { place: Place::Folder(path.into()), root }
    }

    /// The folder on the web that holds this playlist.
    ///
    /// # Errors
    /// The text is no http(s) URL of a file.
    pub fn web(playlist: &str) -> Result<Self, PublishError> {
        let none = || PublishError::NoSource(playlist.to_owned());
        let url: Url = playlist.parse().map_err(|_| none())?;
        let root = url.join(".").map_err(|_| none())?;
        let name = root.make_relative(&url).filter(|name| !name.is_empty()).ok_or_else(none)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(none());
        }
        let client = reqwest::Client::builder().build().map_err(|error| PublishError::Http {
            url: url.to_string(),
            what: error.to_string(),
        })?;
        Ok(Self { place: Place::Web { client, playlist: name }, root })
    }

    /// What a person calls this source.
    pub fn name(&self) -> String {
        match &self.place {
            Place::Folder(path) => path.display().to_string(),
            Place::Web { .. } => self.root.to_string(),
        }
    }

    /// The URL all paths of this source start with.
    pub(super) fn root(&self) -> &Url {
        &self.root
    }

    /// The playlist viewers open: the one named in the URL; in a folder the only one, or
    /// `master.m3u8`, `index.m3u8`, `playlist.m3u8` if it is there.
    ///
    /// # Errors
    /// There is none, or several and none of the usual names.
    pub async fn playlist(&self) -> Result<String, PublishError> {
        let folder = match &self.place {
            Place::Web { playlist, .. } => return Ok(playlist.clone()),
            Place::Folder(folder) => folder,
        };
        let names = names_in(folder).await?;
        let is_playlist = |name: &&String| name.ends_with(".m3u8") && !name.starts_with('.');
        let mut playlists: Vec<String> = names.iter().filter(is_playlist).cloned().collect();
        if let Some(usual) = USUAL_NAMES.iter().find(|usual| playlists.iter().any(|n| n == *usual))
        {
            return Ok((*usual).to_owned());
        }
        match playlists.len() {
            0 => Err(PublishError::NoPlaylist { folder: self.name(), found: some_of(&names) }),
            1 => Ok(playlists.remove(0)),
            _ => Err(PublishError::ManyPlaylists(playlists)),
        }
    }

    /// The bytes of a playlist.
    pub(super) async fn playlist_bytes(&self, url: &Url) -> Result<Vec<u8>, PublishError> {
        self.read(url, None, PLAYLIST_BYTES_MAX).await
    }

    /// The bytes of a file, or of a range of it; at most `limit`.
    pub(super) async fn read(
        &self,
        url: &Url,
        range: Option<&Range<u64>>,
        limit: u64,
    ) -> Result<Vec<u8>, PublishError> {
        if range.is_some_and(|range| range.end - range.start > limit) {
            return Err(too_large(url, limit));
        }
        match &self.place {
            Place::Folder(folder) => {
                let path = self.path_in(folder, url)?;
                read_file(&path, range, limit).await.map_err(|source| {
                    if source.kind() == std::io::ErrorKind::FileTooLarge {
                        return too_large(url, limit);
                    }
                    PublishError::Io { path, source }
                })
            }
            Place::Web { client, .. } => fetch(client, url, range, limit).await,
        }
    }

    /// The file of a URL of this source.
    fn path_in(&self, folder: &Path, url: &Url) -> Result<PathBuf, PublishError> {
        let outside = || PublishError::Outside {
            name: self.name(),
            uri: url.path().to_owned(),
            root: self.name(),
        };
        let inside = super::playlists::path_of(&self.root, url).ok_or_else(outside)?;
        let mut path = folder.to_owned();
        for step in inside.split('/') {
            let step = percent_decode_str(step).decode_utf8().map_err(|_| outside())?;
            if matches!(step.as_ref(), "" | "." | "..") || step.contains(['/', '\\', '\0']) {
                return Err(outside());
            }
            path.push(step.as_ref());
        }
        Ok(path)
    }
}

async fn read_file(
    path: &Path,
    range: Option<&Range<u64>>,
    limit: u64,
) -> std::io::Result<Vec<u8>> {
    let mut file = tokio::fs::File::open(path).await?;
    let wanted = match range {
        Some(range) => {
            file.seek(std::io::SeekFrom::Start(range.start)).await?;
            range.end - range.start
        }
        None => limit + 1,
    };
    let mut bytes = Vec::new();
    file.take(wanted).read_to_end(&mut bytes).await?;
    let read = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    match range {
        Some(_) if read < wanted => Err(std::io::ErrorKind::UnexpectedEof.into()),
        None if read > limit => Err(std::io::ErrorKind::FileTooLarge.into()),
        Some(_) | None => Ok(bytes),
    }
}

async fn fetch(
    client: &reqwest::Client,
    url: &Url,
    range: Option<&Range<u64>>,
    limit: u64,
) -> Result<Vec<u8>, PublishError> {
    let fail = |what: String| PublishError::Http { url: url.to_string(), what };
    let mut request = client.get(url.clone());
    if let Some(range) = range {
        request = request.header("range", format!("bytes={}-{}", range.start, range.end - 1));
    }
    let mut response = request.send().await.map_err(|error| fail(error.to_string()))?;
    let expected = if range.is_some() { 206 } else { 200 };
    if response.status().as_u16() != expected {
        return Err(fail(format!("expected status {expected}, found {}", response.status())));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| fail(error.to_string()))? {
        bytes.extend_from_slice(&chunk);
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
            return Err(too_large(url, limit));
        }
    }
    Ok(bytes)
}

fn too_large(url: &Url, limit: u64) -> PublishError {
    let name = url.path().trim_start_matches('/').to_owned();
    PublishError::Unfit { name, what: format!("is larger than {limit} bytes") }
}

async fn names_in(folder: &Path) -> Result<Vec<String>, PublishError> {
    let fail = |source| PublishError::Io { path: folder.to_owned(), source };
    let mut entries = tokio::fs::read_dir(folder).await.map_err(fail)?;
    let mut names = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(fail)? {
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// The first names, for a message.
fn some_of(names: &[String]) -> String {
    match names {
        [] => "an empty folder".to_owned(),
        [first @ .., last] if first.len() < 5 => {
            let all: Vec<_> = first.iter().chain([last]).map(String::as_str).collect();
            all.join(", ")
        }
        _ => format!("{} and {} more", names[..4].join(", "), names.len() - 4),
    }
}
