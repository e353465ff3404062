//! The host's own media, read from the disk.
//!
//! A URL names a file here if it is under the host name the asker itself reached this server by. A
//! client may lie about that name: then it gets a true statement about our file under a URL of its own
//! invention, and nobody else does, for files are remembered by path and not by URL.

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use reqwest::Url;
use tokio::io::AsyncReadExt as _;

use super::{Looking, Seen, Unseen};
use crate::config::MediaFolder;

const READ_BYTES: usize = 65_536;

/// The file a URL names, whether it exists or not.
pub(super) fn file(folders: &[MediaFolder], host: Option<&str>, url: &Url) -> Option<PathBuf> {
    if !is_own(url, host?) {
        return None;
    }
    folders.iter().find_map(|folder| {
        let rest = url.path().strip_prefix(folder.path.as_str())?;
        let rest = percent_decode_str(rest).decode_utf8().ok()?;
        let inside = Path::new(rest.as_ref());
        let stays = inside.components().all(|part| matches!(part, Component::Normal(_)));
        (stays && !rest.is_empty() && !rest.contains('\0')).then(|| folder.folder.join(inside))
    })
}

/// Reads and hashes.
pub(super) async fn read(path: &Path) -> Result<Seen, Unseen> {
    let mut file = tokio::fs::File::open(path).await.map_err(|_| Unseen::NoFile)?;
    let mut looking = Looking::default();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read_bytes = file.read(&mut buffer).await.map_err(|_| Unseen::NoFile)?;
        if read_bytes == 0 {
            return Ok(looking.finish());
        }
        looking.update(&buffer[..read_bytes])?;
    }
}

/// Whether the URL's host and port are what the `Host` header said.
fn is_own(url: &Url, host: &str) -> bool {
    let (Some(name), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return false;
    };
    let with_port = format!("{name}:{port}");
    host == with_port || (url.port().is_none() && host == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, url: &str, expected: Option<&str>) {
        let folders = [MediaFolder { path: "/media/".into(), folder: "/srv".into() }];
        let found = file(&folders, Some(host), &url.parse().unwrap());
        assert_eq!(found, expected.map(PathBuf::from), "{url}");
    }

    #[test]
    fn own_media_is_found_by_the_name_the_asker_used() {
        check("a.example", "https://a.example/media/hi/s0.m4s", Some("/srv/hi/s0.m4s"));
        check("a.example:443", "https://a.example/media/s%200.m4s", Some("/srv/s 0.m4s"));
        check("127.0.0.1:8787", "http://127.0.0.1:8787/media/s0.m4s", Some("/srv/s0.m4s"));
        check("a.example", "https://a.example:8443/media/s0.m4s", None);
        check("b.example", "https://a.example/media/s0.m4s", None);
        check("a.example", "https://a.example/other/s0.m4s", None);
        check("a.example", "https://a.example/media/s0.m4s?x=1", Some("/srv/s0.m4s"));
    }

    #[test]
    fn nothing_outside_the_folder_is_found() {
        check("a.example", "https://a.example/media/..%2f..%2fetc/passwd", None);
        check("a.example", "https://a.example/media/%2fetc/passwd", None);
        check("a.example", "https://a.example/media/", None);
        check("a.example", "https://a.example/media/a/%00", None);
    }
}
