//! HLS streams of a few bytes, laid out in a folder as a packager would.

#![allow(dead_code, reason = "each test binary uses its part of the rig")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use primitives::{KeyPair, Seed};
use starling::publish::{Job, Source};

pub(crate) const PIECE_BYTES: usize = 65_536;

/// A folder that goes when the test ends.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.join(name)).unwrap()
    }

    /// Two renditions, `hi` and `lo`, of `count` segments each.
    pub(crate) fn with_stream(count: u32) -> Self {
        let folder = Self::new();
        folder.write("master.m3u8", master(&["hi", "lo"]));
        for name in ["hi", "lo"] {
            folder.write(&format!("{name}/index.m3u8"), playlist(0, count, true));
            (0..count).for_each(|index| folder.add_segment(name, index));
        }
        folder
    }

    pub(crate) fn add_segment(&self, rendition: &str, index: u32) {
        self.write(&format!("{rendition}/s{index}.m4s"), segment(rendition, index));
    }

    pub(crate) fn job(&self, key: &KeyPair) -> Job {
        Job {
            source: Source::folder(self.path()),
            playlist: None,
            out: self.path().to_owned(),
            key: key.clone(),
            replace: false,
        }
    }
}

pub(crate) fn key(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

/// Bytes that differ between segments; two pieces and a bit.
pub(crate) fn segment(rendition: &str, index: u32) -> Vec<u8> {
    let line = format!("{rendition} {index} ");
    line.bytes().cycle().take(2 * PIECE_BYTES + 100 + line.len()).collect()
}

pub(crate) fn master(renditions: &[&str]) -> String {
    let mut text = "#EXTM3U\n".to_owned();
    for (number, name) in renditions.iter().enumerate() {
        let bandwidth = 1_000_000 - number;
        writeln!(text, "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}\n{name}/index.m3u8").unwrap();
    }
    text
}

/// The playlist of segments `first..first + count`.
pub(crate) fn playlist(first: u32, count: u32, ended: bool) -> String {
    let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
    for index in first..first + count {
        writeln!(text, "#EXTINF:4.0,\ns{index}.m4s").unwrap();
    }
    if ended {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    text
}
