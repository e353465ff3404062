//! A `.br` (RFC 7932) beside every file that it makes smaller.

use std::{fmt::Write as _, fs, io::Write as _, path::Path, process::Stdio};

use anyhow::{Context as _, Result, ensure};

use super::Files;
use crate::{
    fingerprint,
    house::{self, House},
};

/// Formats that are not compressed already.
const COMPRESSIBLE: &[&str] =
    &[".css", ".html", ".js", ".json", ".mjs", ".svg", ".txt", ".wasm", ".webmanifest", ".xml"];
/// Below this a response saves no packet.
const SIZE_BYTES_LEAST: usize = 512;

/// Compresses what of `files` (written in `folder`) is worth it. Compressing is slow at the quality
/// that pays for a file loaded often, so results are kept by the hash of what they came from.
pub(super) fn compress(house: &House, folder: &Path, files: &Files) -> Result<()> {
    let cache = house.cache.join("brotli");
    fs::create_dir_all(&cache).with_context(|| format!("making {}", cache.display()))?;
    let chosen: Vec<_> = files
        .iter()
        .filter(|(path, bytes)| {
            bytes.len() >= SIZE_BYTES_LEAST && COMPRESSIBLE.iter().any(|end| path.ends_with(end))
        })
        .map(|(path, bytes)| (path, bytes, cache.join(fingerprint::sha256(bytes))))
        .collect();
    let mut work = String::new();
    for (path, _, kept) in chosen.iter().filter(|(_, _, kept)| !kept.is_file()) {
        writeln!(work, "{}\t{}", folder.join(path).display(), kept.display())?;
    }
    if !work.is_empty() {
        run(house, &work)?;
    }
    for (path, bytes, kept) in chosen {
        let compressed = fs::read(&kept).with_context(|| format!("reading {}", kept.display()))?;
        if compressed.len() < bytes.len() {
            let file = folder.join(format!("{path}.br"));
            fs::write(&file, compressed).with_context(|| format!("writing {}", file.display()))?;
        }
    }
    Ok(())
}

/// Hands `from<tab>to` lines to node, whose zlib has brotli.
fn run(house: &House, work: &str) -> Result<()> {
    let mut node = house.command("node");
    node.arg(house.root.join("xtask/npm/compress.mjs")).stdin(Stdio::piped());
    let mut child = node.spawn().with_context(|| format!("starting {}", house::shown(&node)))?;
    let mut stdin = child.stdin.take().context("the child's input is a pipe")?;
    stdin.write_all(work.as_bytes()).context("telling node what to compress")?;
    drop(stdin);
    let status = child.wait().context("waiting for node")?;
    ensure!(status.success(), "compressing ended with {status}");
    Ok(())
}
