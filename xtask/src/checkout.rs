//! Several checkouts share one target folder. Cargo names build output by the path inside the
//! workspace and tells stale from fresh by modification times, so after another checkout was built,
//! an older file here would pass as built. The folder remembers whose it is: a new owner's sources
//! become new, and are built again; dependencies stay.

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::Command,
    time::SystemTime,
};

use anyhow::{Context as _, Result};

use crate::{fingerprint, house::House};

/// What cargo compiles by the path inside the workspace.
const SOURCES: &[&str] = &[
    "app",
    "crates",
    "dist/web",
    "files-wasm",
    "fuzz",
    "identity-wasm",
    "ledger-node",
    "ledger-wasm",
    "peer-native",
    "peer-wasm",
    "relay",
    "scan-wasm",
    "signaling-server",
    "starling",
    "tests",
    "xtask",
];

/// Takes the target folder for this checkout. True when it was another's: what runs now may be the
/// other's program and should be started anew.
pub(crate) fn claim(house: &House) -> Result<bool> {
    let stamp = house.target.join("checkout");
    let own = house.root.to_string_lossy();
    if fs::read_to_string(&stamp).is_ok_and(|owner| owner == own) {
        return Ok(false);
    }
    let now = SystemTime::now();
    for source in SOURCES {
        for file in fingerprint::files(&house.root.join(source))? {
            renew(&file, now).with_context(|| format!("touching {}", file.display()))?;
        }
    }
    fs::create_dir_all(&house.target)
        .and_then(|()| fs::write(&stamp, own.as_bytes()))
        .with_context(|| format!("writing {}", stamp.display()))?;
    Ok(true)
}

/// Runs this chore again, by a program built from this checkout; its exit code.
pub(crate) fn again(house: &House) -> Result<u8> {
    let words = ["run", "--quiet", "--package", "xtask", "--"];
    let mut cargo: Command = house.cargo(words);
    let status =
        cargo.args(std::env::args_os().skip(1)).status().context("could not start cargo")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

fn renew(file: &Path, now: SystemTime) -> io::Result<()> {
    File::options().append(true).open(file)?.set_modified(now)
}
