//! The web bundle: what a browser loads, assembled in `dist/web` and embedded by the binary.
//!
//! | part | from | in the bundle |
//! |---|---|---|
//! | the page | `app/`, by trunk | `index.html`, hashed js, wasm and css |
//! | pages that come when they are opened | `app/`, by [`split`] | `pages/` |
//! | the peer for embedding sites | `peer-wasm/`, by wasm-bindgen and wasm-opt | `peer/` |
//! | the wallet for the page's worker | `ledger-wasm/`, likewise | `wallet/` |
//! | keys and credentials for a worker of the page | `identity-wasm/`, likewise | `identity/` |
//! | codes in pictures for a worker of the page | `scan-wasm/`, likewise | `scan/` |
//! | files for embedding sites | `files-wasm/`, likewise | `files/` |
//! | the player's engine | npm's hls.js | `vendor/` |
//! | the player, icons, manifest | `static/` | as there |
//! | what stays on a visitor's device | by [`kept`] | `kept.json` |
//!
//! Scripts and wasm get names that contain the hash of their bytes ([`names`]), so that they may be
//! cached for ever; `embed.js`, the workers, `kept.js` and `index.html`
//! keep theirs; so do `bench.html` and `bench.js`, which rigs open. What compresses gets a `.br` beside it.
//! The bundle is made in a neighbouring folder and swapped in whole: a server that is running never
//! reads half of it.

mod app;
mod compress;
mod imports;
mod kept;
mod names;
mod peer;
mod script;
mod split;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context as _, Result};

use crate::{fingerprint, house::House, say, setup};

/// Small and compressed, or quick to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As shipped.
    Release,
    /// Debug assertions, no optimiser, no compression.
    Dev,
}

impl Mode {
    const fn profile(self) -> &'static str {
        match self {
            Self::Release => "wasm-release",
            Self::Dev => "dev",
        }
    }

    /// The folder of cargo's output for the profile.
    const fn folder(self) -> &'static str {
        match self {
            Self::Release => "wasm-release",
            Self::Dev => "debug",
        }
    }
}

/// Everything the bundle is made from.
pub(crate) const INPUTS: &[&str] = &[
    "app",
    "peer-wasm",
    "files-wasm",
    "identity-wasm",
    "ledger-wasm",
    "scan-wasm",
    "crates",
    "static",
    ".cargo",
    "xtask/npm",
    "xtask/src/web",
    "xtask/src/web.rs",
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
];

/// Files by their path in the bundle, with `/` between folders.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Builds the bundle unless it was built from the same inputs; whether it was built.
pub(crate) fn build(house: &House, mode: Mode) -> Result<bool> {
    let _turn = turn(house)?;
    let extra = format!("{mode:?} {}", setup::wasm_bindgen_version(house)?);
    let inputs = fingerprint::of(&house.root, INPUTS, &extra)?;
    let stamp = house.root.join("dist/web.inputs");
    if house.web().is_dir() && fs::read_to_string(&stamp).is_ok_and(|made| made == inputs) {
        say::kept("web bundle", "unchanged");
        return Ok(false);
    }
    let (app, modules) = wasm(house, mode)?;
    say::timed("bundle", "hashed names, compression, into dist/web", || {
        assemble(house, mode, modules.each_ref().map(PathBuf::as_path), &app)
    })?;
    fs::write(&stamp, inputs).context("writing dist/web.inputs")?;
    Ok(true)
}

/// Modules beside the page: the name, and what it is.
const MODULES: [(&str, &str); 5] = [
    ("peer", "the browser driver as wasm, for embedding sites"),
    ("files", "files from peers as wasm, for embedding sites"),
    ("ledger", "the wallet as wasm, for the page's worker"),
    ("identity", "keys and credentials as wasm, for a worker of the page"),
    ("scan", "codes in pictures as wasm, for a worker of the page"),
];

/// The page's folder, and those of the [`MODULES`]. Cargo compiles one after the other, for it locks its
/// output; what was compiled is made smaller beside that, which takes as long and uses one processor.
fn wasm(house: &House, mode: Mode) -> Result<(PathBuf, [PathBuf; 5])> {
    thread::scope(|scope| {
        // The page first: its parts take longest.
        let folder =
            say::timed("page", "the app as wasm, with its styles", || app::compile(house, mode))?;
        let app = scope.spawn(move || {
            say::timed("parts", "the page's wasm in parts, each made smaller", || {
                split::split(house, mode, &folder).context("splitting the page's wasm")?;
                Ok(folder)
            })
        });
        let mut modules = Vec::new();
        for (name, what) in MODULES {
            say::timed(name, what, || peer::compile(house, mode, name))?;
            modules.push(scope.spawn(move || peer::finish(house, mode, name)));
        }
        let mut folders = modules.into_iter().map(joined);
        let mut next = || folders.next().context("a module for each name")?;
        Ok((joined(app)?, [next()?, next()?, next()?, next()?, next()?]))
    })
}

fn joined<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Waits until no other chore builds the bundle of this checkout. Held until dropped.
fn turn(house: &House) -> Result<fs::File> {
    let dist = house.root.join("dist");
    fs::create_dir_all(&dist).with_context(|| format!("making {}", dist.display()))?;
    let lock = fs::File::create(dist.join(".building")).context("making the bundle's lock")?;
    if lock.try_lock().is_err() {
        say::step("web bundle", "another chore builds it: waiting");
        lock.lock().context("waiting for the bundle's lock")?;
    }
    Ok(lock)
}

/// Folder of a module's JavaScript, wasm and types, as wasm-bindgen made them.
pub(crate) fn module_folder(house: &House, name: &str) -> PathBuf {
    house.root.join("dist/build").join(name)
}

/// Folder of an example of `ledger-wasm`, built now: no part of the bundle, but what a bench weighs.
pub(crate) fn ledger_example(house: &House, name: &'static str) -> Result<PathBuf> {
    say::timed(name, "of the light client as wasm, to be weighed", || {
        peer::ledger_example(house, name)
    })
}

fn assemble(
    house: &House,
    mode: Mode,
    [peer, shares, ledger, keys, codes]: [&Path; 5],
    app: &Path,
) -> Result<()> {
    let mut files = player_files(house, mode, peer, shares)?;
    for (folder, module) in [("wallet", ledger), ("identity", keys), ("scan", codes)] {
        for (path, bytes) in scripts(house, mode, module)? {
            files.insert(format!("{folder}/{path}"), bytes);
        }
    }
    files.retain(|path, _| !path.ends_with(".d.ts"));
    let workers = ["alerts", "identity", "preview", "scan", "share-target", "wallet"];
    let workers = workers.map(|folder| format!("{folder}/worker.js"));
    let others = ["bench.js", "embed.js", "kept.js", "scan/element.js"];
    let fixed: Vec<&str> = workers.iter().map(String::as_str).chain(others).collect();
    names::hash(&mut files, &fixed)?;
    for (path, bytes) in read_folder(app)? {
        // The page's own files win: its index.html is the bundle's.
        files.insert(path, bytes);
    }
    match mode {
        Mode::Dev => add_reload(house, &mut files)?,
        Mode::Release => kept::add_list(&mut files)?,
    }
    let next = house.root.join("dist/web.next");
    clear(&next)?;
    write_folder(&next, &files)?;
    if mode == Mode::Release {
        compress::compress(house, &next, &files)?;
    }
    let (web, old) = (house.web(), house.root.join("dist/web.old"));
    clear(&old)?;
    if web.is_dir() {
        fs::rename(&web, &old).with_context(|| format!("putting {} aside", web.display()))?;
    }
    fs::rename(&next, &web).with_context(|| format!("putting {} in place", web.display()))?;
    clear(&old)
}

/// Makes the page of a debug bundle reload when it is built anew.
fn add_reload(house: &House, files: &mut Files) -> Result<()> {
    let script = fs::read(house.root.join("xtask/npm/dev-reload.js")).context("dev-reload.js")?;
    let number: String = files.values().map(|bytes| fingerprint::sha256(bytes)).collect();
    files.insert("dev-build.txt".to_owned(), fingerprint::sha256(number.as_bytes()).into_bytes());
    files.insert("dev-reload.js".to_owned(), script);
    let page = files.get_mut("index.html").context("trunk made no index.html")?;
    let tag = "<script type=\"module\" src=\"/dev-reload.js\"></script></head>";
    *page = String::from_utf8(std::mem::take(page))?.replace("</head>", tag).into_bytes();
    Ok(())
}

/// The files of a folder, its scripts as they are shipped.
fn scripts(house: &House, mode: Mode, folder: &Path) -> Result<Files> {
    let mut files = read_folder(folder)?;
    for (path, bytes) in files.iter_mut().filter(|(path, _)| path.ends_with(".js")) {
        if mode == Mode::Release {
            *bytes = script::minified(house, &folder.join(path))?;
        }
    }
    Ok(files)
}

/// The player with all it loads, under plain names: `static/`, the peer, files, hls.js.
pub(crate) fn player_files(house: &House, mode: Mode, peer: &Path, shares: &Path) -> Result<Files> {
    let mut files = scripts(house, mode, &house.root.join("static"))?;
    for (folder, module) in [("peer", peer), ("files", shares)] {
        for (path, bytes) in scripts(house, mode, module)? {
            if !path.ends_with(".d.ts") {
                files.insert(format!("{folder}/{path}"), bytes);
            }
        }
    }
    let hls = house.npm().join("node_modules/hls.js/dist/hls.min.mjs");
    let bytes = fs::read(&hls).with_context(|| format!("reading {}", hls.display()))?;
    files.insert("vendor/hls.mjs".to_owned(), without_source_map(&bytes));
    Ok(files)
}

/// A script without the comment that names its source map, which is not in the bundle.
fn without_source_map(script: &[u8]) -> Vec<u8> {
    let mark = b"//# sourceMappingURL=";
    let end = script.windows(mark.len()).rposition(|window| window == mark);
    script[..end.unwrap_or(script.len())].to_vec()
}

/// Reads all files of a folder.
pub(crate) fn read_folder(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    for file in fingerprint::files(folder)? {
        let path = file.strip_prefix(folder).context("a file outside its folder")?;
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        let bytes = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
        files.insert(parts.join("/"), bytes);
    }
    Ok(files)
}

/// Writes files into a folder.
pub(crate) fn write_folder(folder: &Path, files: &Files) -> Result<()> {
    for (path, bytes) in files {
        let file = folder.join(path);
        let parent = file.parent().context("a file without a folder")?;
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        fs::write(&file, bytes).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

/// Removes a folder with all in it, if it is there.
pub(crate) fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_comment_of_a_script_goes() {
        assert_eq!(without_source_map(b"a();\n//# sourceMappingURL=a.map\n"), b"a();\n");
        assert_eq!(without_source_map(b"a();"), b"a();");
    }
}
