//! `cargo xtask dist`: the player as an npm package folder, for sites that serve it themselves.
//!
//! Unlike in the web bundle, files keep their plain names: the version is in the package's. hls.js is
//! a file of the package and not a dependency, since the player loads it lazily, by relative URL.

use std::fs;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::{house::House, say, setup, web};

/// Types of what the package exports.
const TYPES: &str = "embed.d.ts";

/// Builds what it is made of, and writes dist/npm.
pub(crate) fn dist(house: &House) -> Result<()> {
    setup::for_web(house)?;
    web::build(house, web::Mode::Release)?;
    package(house)?;
    say::note("publish it with: npm publish dist/npm");
    Ok(())
}

/// Writes dist/npm of what was built.
pub(crate) fn package(house: &House) -> Result<()> {
    say::timed(
        "npm package",
        "the player for sites that serve it themselves, into dist/npm",
        || {
            let peer = web::module_folder(house, "peer");
            let shares = web::module_folder(house, "files");
            let mut files = web::player_files(house, web::Mode::Release, &peer, &shares)?;
            files.retain(|path, _| is_player(path));
            let types = fs::read(peer.join("peer.d.ts")).context("reading the peer's types")?;
            files.insert("peer/peer.d.ts".to_owned(), types);
            for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
                files.insert(
                    licence.to_owned(),
                    fs::read(house.root.join(licence)).context(licence)?,
                );
            }
            let readme =
                fs::read(house.root.join("xtask/npm/README.player.md")).context("README")?;
            files.insert("README.md".to_owned(), readme);
            files.insert("package.json".to_owned(), manifest(&files)?.into_bytes());
            let folder = house.root.join("dist/npm");
            web::clear(&folder)?;
            web::write_folder(&folder, &files)
        },
    )
}

/// What of the bundle is the player.
fn is_player(path: &str) -> bool {
    matches!(path, "embed.js" | "bench.html" | "bench.js" | TYPES)
        || ["player/", "peer/", "files/", "fund/", "vendor/"]
            .iter()
            .any(|folder| path.starts_with(folder))
}

fn manifest(files: &web::Files) -> Result<String> {
    let mut exports = serde_json::Map::new();
    let mut entry = serde_json::Map::new();
    if files.contains_key(TYPES) {
        entry.insert("types".to_owned(), json!(format!("./{TYPES}")));
    }
    entry.insert("default".to_owned(), json!("./embed.js"));
    exports.insert(".".to_owned(), entry.into());
    let manifest = json!({
        "name": "starling-player",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "A video element for HLS whose viewers bring each other the video",
        "license": "MIT OR Apache-2.0",
        "type": "module",
        "exports": exports,
        "sideEffects": ["./embed.js"],
        "files": files.keys().collect::<Vec<_>>(),
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&manifest)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_holds_the_player_and_nothing_of_the_page() {
        assert!(is_player("embed.js") && is_player("vendor/hls.mjs") && is_player("peer/peer.js"));
        assert!(is_player("bench.html") && is_player("bench.js") && !is_player("index.html"));
        assert!(is_player("files/element.js") && !is_player("preview/worker.js"));
        assert!(!is_player("icons/icon.svg") && !is_player("manifest.webmanifest"));
    }
}
