//! The page, by trunk; its wasm is then [split].

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Mode, clear, split};
use crate::house::{self, House};

/// Builds the page; the folder it is in.
pub(super) fn build(house: &House, mode: Mode) -> Result<PathBuf> {
    let folder = house.root.join("dist/build/app");
    clear(&folder)?;
    let mut trunk = house.command("trunk");
    trunk.args([
        "build",
        "--skip-version-check",
        "--log",
        "warn",
        "--cargo-profile",
        mode.profile(),
    ]);
    trunk.arg(format!("--release={}", mode == Mode::Release)).arg("--dist").arg(&folder);
    // trunk reads this as yes or no and stumbles over the usual "1".
    trunk.env_remove("NO_COLOR").env("CARGO_TERM_QUIET", "true");
    house::run(&mut trunk)?;
    split::split(house, mode, &folder).context("splitting the page's wasm")?;
    Ok(folder)
}
