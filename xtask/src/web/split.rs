//! The page's wasm in parts: the first comes with the page, the others with the pages that need them.
//!
//! trunk compiles the page and lays it out. What it makes of the wasm is replaced: wasm-split takes apart
//! what the compiler made at the functions marked in `app/src/later.rs`, wasm-bindgen makes the JavaScript
//! side of the first part, and each part is optimised by itself. All files get the same hash in their
//! names, of all their bytes: parts of two builds never meet.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread,
};

use anyhow::{Context as _, Result};

use super::{Files, Mode, clear, peer, read_folder, script, write_folder};
use crate::{
    fingerprint,
    house::{self, House, WASM},
};

/// What wasm-split calls the script that loads the parts.
const LOADER: &str = "__wasm_split.js";
/// What it puts before the names of parts.
const PART: &str = "split_";
/// Parts that are made smaller at a time.
const OPTIMISERS: usize = 2;
/// Hexadecimal digits of the hash in a name.
const DIGITS: usize = 16;

/// Replaces the page's wasm and its script, in the folder that trunk made, by their parts.
pub(super) fn split(house: &House, mode: Mode, page: &Path) -> Result<()> {
    let parts = parts(house, mode)?;
    let bound = bind(house, mode, &parts)?;
    let mut files = Files::new();
    files.insert("app.js".to_owned(), shipped(house, mode, &bound.join("app.js"))?);
    files.insert("split.js".to_owned(), shipped(house, mode, &parts.join(LOADER))?);
    let mut all = vec![("app_bg.wasm".to_owned(), bound.join("app_bg.wasm"))];
    for name in read_folder(&parts)?.keys() {
        if let Some(stem) = name.strip_suffix(".wasm").filter(|stem| *stem != "app") {
            let short = stem.strip_prefix(PART).unwrap_or(stem);
            all.push((format!("pages/{short}.wasm"), parts.join(name)));
        }
    }
    files.extend(optimised(house, mode, all)?);
    peer::check_imports(house, &bound.join("app_bg.wasm")).context("the page's wasm")?;
    place(page, files)
}

/// The parts as wasm-split makes them: `app.wasm`, the others, and the script that loads these.
fn parts(house: &House, mode: Mode) -> Result<PathBuf> {
    let compiled = house.target.join(WASM).join(mode.folder()).join("app.wasm");
    let folder = house.root.join("dist/build/parts");
    clear(&folder)?;
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let mut split = house.command(house.tools().join("bin/wasm-split-cli"));
    split.args(["--out-name", "app"]).arg(compiled).arg(&folder).env("RUST_LOG", "error");
    house::run(&mut split)?;
    Ok(folder)
}

/// The JavaScript side of the first part.
fn bind(house: &House, mode: Mode, parts: &Path) -> Result<PathBuf> {
    let folder = house.root.join("dist/build/bound");
    clear(&folder)?;
    let mut bindgen = house.command("wasm-bindgen");
    // Other parts import what the linker exports.
    bindgen.args(["--target", "web", "--no-typescript", "--keep-lld-exports"]);
    bindgen.args(["--out-name", "app", "--out-dir"]).arg(&folder).arg(parts.join("app.wasm"));
    if mode == Mode::Dev {
        bindgen.arg("--debug").arg("--keep-debug");
    }
    house::run(&mut bindgen)?;
    Ok(folder)
}

fn shipped(house: &House, mode: Mode, path: &Path) -> Result<Vec<u8>> {
    match mode {
        Mode::Release => script::minified(house, path),
        Mode::Dev => fs::read(path).with_context(|| format!("reading {}", path.display())),
    }
}

/// The parts, made smaller: each takes one processor, so several at a time, the largest first.
fn optimised(house: &House, mode: Mode, mut parts: Vec<(String, PathBuf)>) -> Result<Files> {
    let size = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
    parts.sort_by_key(|(_, path)| size(path));
    let (parts, files) = (Mutex::new(parts), Mutex::new(Files::new()));
    let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let work = || -> Result<()> {
        while let Some((name, path)) = next() {
            if mode == Mode::Release {
                peer::optimise_part(house, &path)?;
            }
            let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            files.lock().unwrap_or_else(PoisonError::into_inner).insert(name, bytes);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..OPTIMISERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(super::joined)
    })?;
    Ok(files.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Puts the files into the page's folder, under names with their hash, in the place of trunk's.
fn place(page: &Path, files: Files) -> Result<()> {
    let all: Vec<u8> = files.values().flatten().copied().collect();
    let hash = &fingerprint::sha256(&all)[..DIGITS];
    let mut index = fs::read_to_string(page.join("index.html")).context("trunk's index.html")?;
    for old in read_folder(page)?.keys().filter(|path| is_trunks(path)) {
        let new = named(if old.ends_with(".js") { "app.js" } else { "app_bg.wasm" }, hash);
        index = index.replace(old.as_str(), &new);
        fs::remove_file(page.join(old)).with_context(|| format!("removing {old}"))?;
    }
    fs::write(page.join("index.html"), index).context("writing index.html")?;
    let mut hashed = Files::new();
    for (path, bytes) in files {
        let bytes = if path.ends_with(".js") { linked(bytes, hash)? } else { bytes };
        hashed.insert(named(&path, hash), bytes);
    }
    write_folder(page, &hashed)
}

/// What trunk made of the wasm.
fn is_trunks(path: &str) -> bool {
    path.starts_with("app-") && (path.ends_with(".js") || path.ends_with(".wasm"))
}

/// `app.js` as `app-<hash>.js`, `app_bg.wasm` as `app-<hash>_bg.wasm`.
fn named(path: &str, hash: &str) -> String {
    let end = path.find(['_', '.']).unwrap_or(path.len());
    format!("{}-{hash}{}", &path[..end], &path[end..])
}

/// A script that refers to the others by their names with the hash.
fn linked(script: Vec<u8>, hash: &str) -> Result<Vec<u8>> {
    let mut text = String::from_utf8(script)?;
    // Not every mention: in the script of the first part the loader's name is also a key of its imports.
    for (old, new) in [(LOADER, "split.js"), ("app.js", "app.js")] {
        for from in ["from\"./", "from \"./"] {
            text =
                text.replace(&format!("{from}{old}\""), &format!("{from}{}\"", named(new, hash)));
        }
    }
    for quote in ['"', '\''] {
        let old = format!("{quote}app_bg.wasm{quote}");
        text = text.replace(&old, &format!("{quote}{}{quote}", named("app_bg.wasm", hash)));
    }
    let mut pieces = text.split(".wasm\"");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    // `"./split_files.wasm"` is at `"./pages/files-<hash>.wasm"`.
    for piece in pieces {
        if let Some(at) = whole.rfind("\"./").filter(|at| !whole[*at + 3..].contains(['/', '"'])) {
            let stem = whole.split_off(at + 3);
            let short = stem.strip_prefix(PART).unwrap_or(&stem);
            whole.push_str(&named(&format!("pages/{short}.wasm"), hash));
            whole.push('"');
        } else {
            whole.push_str(".wasm\"");
        }
        whole.push_str(piece);
    }
    Ok(whole.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_hash_before_their_ending() {
        assert_eq!(named("app.js", "0a"), "app-0a.js");
        assert_eq!(named("app_bg.wasm", "0a"), "app-0a_bg.wasm");
        assert_eq!(named("pages/files.wasm", "0a"), "pages/files-0a.wasm");
    }

    #[test]
    fn scripts_find_each_other_and_the_parts() {
        let link = |text: &str| String::from_utf8(linked(text.as_bytes().to_vec(), "0a").unwrap());
        let loader = r#"import{initSync}from"./app.js";f(new URL("./split_files.wasm",import.meta.url));f(new URL("./chunk_1.wasm",u))"#;
        assert_eq!(
            link(loader).unwrap(),
            r#"import{initSync}from"./app-0a.js";f(new URL("./pages/files-0a.wasm",import.meta.url));f(new URL("./pages/chunk-0a_1.wasm",u))"#
        );
        let app = r#"import*as i from"./__wasm_split.js";o={"./__wasm_split.js":i};w=new URL("app_bg.wasm",import.meta.url)"#;
        assert_eq!(
            link(app).unwrap(),
            r#"import*as i from"./split-0a.js";o={"./__wasm_split.js":i};w=new URL("app-0a_bg.wasm",import.meta.url)"#
        );
    }
}
