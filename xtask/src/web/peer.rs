//! Browser drivers as modules that pages and workers import.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use super::{Mode, clear, imports, module_folder, script};
use crate::{
    fingerprint,
    house::{self, House, WASM},
};

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

/// What the optimiser may take for granted: memory is the module's own, so it starts as zeros; and nothing
/// lives in its first kilobyte, which is the end of a stack of a megabyte that is never used up (static data
/// lies behind the stack).
const MEMORY: &[&str] = &["--low-memory-unused", "--zero-filled-memory"];

/// Compiles the crate `<name>-wasm`.
pub(super) fn compile(house: &House, mode: Mode, name: &str) -> Result<()> {
    let package = format!("{name}-wasm");
    // As cdylib only: the link-time optimiser does nothing when a library is built beside it.
    house::run(&mut house.cargo([
        "rustc",
        "--quiet",
        "--package",
        &package,
        "--lib",
        "--crate-type",
        "cdylib",
        "--target",
        WASM,
        "--profile",
        mode.profile(),
    ]))
}

/// Makes `<name>.js`, `<name>_bg.wasm` and their types of what was compiled; the folder they are in.
pub(super) fn finish(house: &House, mode: Mode, name: &str) -> Result<PathBuf> {
    finish_file(house, mode, name, &format!("{name}_wasm.wasm"))
}

/// An example of `ledger-wasm/examples`, made as what pages load is; the folder it is in.
pub(super) fn ledger_example(house: &House, name: &str) -> Result<PathBuf> {
    let mode = Mode::Release;
    let words = ["build", "--quiet", "--package", "ledger-wasm", "--example", name];
    let kind = ["--target", WASM, "--profile", mode.profile()];
    house::run(&mut house.cargo(words.into_iter().chain(kind)))?;
    let folder = finish_file(house, mode, name, &format!("examples/{name}.wasm"))?;
    let script = folder.join(format!("{name}.js"));
    let small = script::minified(house, &script)?;
    fs::write(&script, small).with_context(|| format!("writing {}", script.display()))?;
    Ok(folder)
}

/// As [`finish`], of a file in cargo's folder.
fn finish_file(house: &House, mode: Mode, name: &str, file: &str) -> Result<PathBuf> {
    let folder = module_folder(house, name);
    clear(&folder)?;
    let compiled = house.target.join(WASM).join(mode.folder()).join(file);
    let mut bindgen = house.command("wasm-bindgen");
    bindgen.args(["--target", "web", "--out-name", name, "--out-dir"]).arg(&folder).arg(compiled);
    if mode == Mode::Dev {
        bindgen.arg("--debug").arg("--keep-debug");
    }
    house::run(&mut bindgen)?;
    let wasm = folder.join(format!("{name}_bg.wasm"));
    if mode == Mode::Release {
        optimise(house, &wasm)?;
        imports::shorten(&wasm, &folder.join(format!("{name}.js")))?;
    }
    check_imports(house, &wasm)?;
    Ok(folder)
}

/// Makes a wasm file smaller, in place.
pub(super) fn optimise(house: &House, wasm: &Path) -> Result<()> {
    let whole = ["-Oz", "--converge", "--gufa", "-Oz", "--merge-similar-functions"];
    run_optimiser(house, whole.into_iter().chain(MEMORY.iter().copied()), wasm)
}

/// Makes one of several parts that share memory and table smaller, in place. Nothing is concluded from what
/// the file alone shows of values: the others call into it and write its memory. Until nothing changes any more
/// (`--converge`) would take twice as long for a thousandth.
pub(super) fn optimise_part(house: &House, wasm: &Path) -> Result<()> {
    run_optimiser(house, core::iter::once("-Oz"), wasm)
}

/// Minutes for all of them: results are kept by the hash of what they came from, as those of `compress` are.
fn run_optimiser<'a>(
    house: &House,
    words: impl Iterator<Item = &'a str>,
    wasm: &Path,
) -> Result<()> {
    let strip = ["--strip-producers", "--strip-target-features", "--strip-debug"];
    let words: Vec<&str> = words.chain(strip).chain(FEATURES.iter().copied()).collect();
    let kept = kept_as(house, &words, wasm)?;
    if kept.is_file() {
        fs::copy(&kept, wasm).with_context(|| format!("reading {}", kept.display()))?;
        return Ok(());
    }
    let mut command = house.command("wasm-opt");
    // It warns of names that wasm-bindgen and wasm-split leave, which are stripped.
    let done = command.args(words).arg(wasm).arg("-o").arg(wasm).output();
    let done = done.context("starting wasm-opt")?;
    let said = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "optimising by wasm-opt ended with {}: {said}", done.status);
    // Put there whole: another checkout may look for it at this moment.
    let coming = kept.with_extension("new");
    fs::copy(wasm, &coming)
        .and_then(|_| fs::rename(&coming, &kept))
        .with_context(|| format!("writing {}", kept.display()))
}

/// Where the result is kept: by the file, the words, and the versions of the tools.
fn kept_as(house: &House, words: &[&str], wasm: &Path) -> Result<PathBuf> {
    let cache = house.cache.join("wasm-opt");
    fs::create_dir_all(&cache).with_context(|| format!("making {}", cache.display()))?;
    let mut hashed = fs::read(wasm).with_context(|| format!("reading {}", wasm.display()))?;
    hashed.extend_from_slice(words.join(" ").as_bytes());
    let lock = house.root.join("xtask/npm/package-lock.json");
    hashed.extend(fs::read(&lock).with_context(|| format!("reading {}", lock.display()))?);
    Ok(cache.join(fingerprint::sha256(&hashed)))
}

/// Refuses wasm that wants something from `env`: no page has that, and it would fail only when loaded.
pub(super) fn check_imports(house: &House, wasm: &Path) -> Result<()> {
    let mut node = house.command("node");
    node.arg(house.root.join("xtask/npm/imports.mjs")).arg(wasm);
    house::run(&mut node).with_context(|| format!("checking imports of {}", wasm.display()))
}
