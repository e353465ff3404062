//! The browser driver as a module that a page imports.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{Mode, clear, peer_folder};
use crate::house::{self, House, WASM};

/// What Rust's wasm target uses by default and every browser with WebRTC data channels has.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Builds `peer.js`, `peer_bg.wasm` and their types; the folder they are in.
pub(super) fn build(house: &House, mode: Mode) -> Result<PathBuf> {
    // As cdylib only: the link-time optimiser does nothing when a library is built beside it.
    house::run(&mut house.cargo([
        "rustc",
        "--quiet",
        "--package",
        "peer-wasm",
        "--lib",
        "--crate-type",
        "cdylib",
        "--target",
        WASM,
        "--profile",
        mode.profile(),
    ]))?;
    let folder = peer_folder(house);
    clear(&folder)?;
    let compiled = house.target.join(WASM).join(mode.folder()).join("peer_wasm.wasm");
    let mut bindgen = house.command("wasm-bindgen");
    bindgen.args(["--target", "web", "--out-name", "peer", "--out-dir"]).arg(&folder).arg(compiled);
    if mode == Mode::Dev {
        bindgen.arg("--debug").arg("--keep-debug");
    }
    house::run(&mut bindgen)?;
    let wasm = folder.join("peer_bg.wasm");
    if mode == Mode::Release {
        optimise(house, &wasm)?;
    }
    check_imports(house, &wasm)?;
    Ok(folder)
}

/// Makes a wasm file smaller, in place.
pub(super) fn optimise(house: &House, wasm: &Path) -> Result<()> {
    let mut command = house.command("wasm-opt");
    command.args(["-Oz", "--converge"]).args(FEATURES).arg(wasm).arg("-o").arg(wasm);
    house::run(&mut command).context("optimising by wasm-opt")
}

/// Refuses wasm that wants something from `env`: no page has that, and it would fail only when loaded.
pub(super) fn check_imports(house: &House, wasm: &Path) -> Result<()> {
    let mut node = house.command("node");
    node.arg(house.root.join("xtask/npm/imports.mjs")).arg(wasm);
    house::run(&mut node).with_context(|| format!("checking imports of {}", wasm.display()))
}
