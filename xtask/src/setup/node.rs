//! npm's part of the set-up.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use crate::{
    house::{self, House},
    say,
};

/// hls.js, wasm-opt and esbuild, in the versions of `xtask/npm/package-lock.json`.
pub(crate) fn build_tools(house: &House) -> Result<()> {
    let wanted = house.root.join("xtask/npm");
    let folder = house.npm();
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(wanted.join(name), folder.join(name))
            .with_context(|| format!("copying {name}"))?;
    }
    install_locked(
        house,
        &folder,
        "hls.js, binaryen, esbuild",
        "the player's engine, and what makes the bundle small",
    )
}

/// `npm ci` in a folder, unless what its lock file names is installed.
pub(crate) fn install_locked(house: &House, folder: &Path, name: &str, why: &str) -> Result<()> {
    let lock = fs::read(folder.join("package-lock.json"))
        .with_context(|| format!("reading package-lock.json in {}", folder.display()))?;
    let stamp = folder.join("node_modules/.starling-lock");
    if fs::read(&stamp).is_ok_and(|stamped| stamped == lock) {
        say::kept(name, "there");
        return Ok(());
    }
    say::timed(name, why, || {
        let mut npm = house.command("npm");
        // Install scripts fetch or compile native parts that a browser test needs none of.
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        npm.current_dir(folder);
        house::run(&mut npm).context("is the npm registry in reach?")?;
        fs::write(&stamp, lock).with_context(|| format!("writing {}", stamp.display()))
    })
}
