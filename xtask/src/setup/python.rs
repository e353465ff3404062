//! pip's part of the set-up.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};

use crate::{
    house::{self, House},
    say,
};

/// Installs the versions of `tests/interop/requirements.txt` into a folder of the cache; the folder.
pub(crate) fn interop_packages(house: &House) -> Result<PathBuf> {
    let wanted = house.root.join("tests/interop/requirements.txt");
    let list = fs::read(&wanted).with_context(|| format!("reading {}", wanted.display()))?;
    let folder = house.cache.join("python-interop");
    let stamp = folder.join("starling-requirements.txt");
    let name = "sd-jwt, pyhpke, nemreader, greenbutton-objects, dsmr-parser";
    if fs::read(&stamp).is_ok_and(|stamped| stamped == list) {
        say::kept(name, "there");
        return Ok(folder);
    }
    say::timed(name, "read our credentials, our grants and meters", || {
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("emptying {}", folder.display()))?;
        }
        let mut pip = house.command("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps"]);
        pip.arg("--target").arg(&folder).arg("--requirement").arg(&wanted);
        house::run(&mut pip).context("is there pip, and the Python package index in reach?")?;
        fs::write(&stamp, &list).with_context(|| format!("writing {}", stamp.display()))
    })?;
    Ok(folder)
}
