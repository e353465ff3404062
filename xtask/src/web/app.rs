//! The page, by trunk; its wasm is then split (`split.rs`).

use std::path::PathBuf;

use anyhow::Result;

use super::{Mode, clear};
use crate::house::{self, House};

/// Builds the page, its wasm still in one piece; the folder it is in.
pub(super) fn compile(house: &House, mode: Mode) -> Result<PathBuf> {
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
    Ok(folder)
}
