//! Names that contain the hash of the bytes.
//!
//! A file refers to another by a quoted path, relative to itself or to the bundle's root. Files are
//! renamed after those they refer to, so that a change below changes every name above.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::Files;
use crate::fingerprint;

/// Hexadecimal digits of the hash in a name: 64 bits, as trunk's.
const DIGITS: usize = 16;

/// Renames scripts, styles and wasm to `name-<hash>.ext`, except those in `stable`, and rewrites
/// what refers to them.
pub(super) fn hash(files: &mut Files, stable: &[&str]) -> Result<()> {
    let mut linker = Linker { old: std::mem::take(files), new: BTreeMap::new(), stable };
    let paths: Vec<String> = linker.old.keys().cloned().collect();
    for path in &paths {
        linker.place(path, &mut Vec::new(), files)?;
    }
    Ok(())
}

struct Linker<'a> {
    old: Files,
    /// Old path to new path, of the files done.
    new: BTreeMap<String, String>,
    stable: &'a [&'a str],
}

impl Linker<'_> {
    /// Puts a file into `files` under its new name, after those it refers to.
    fn place(&mut self, path: &str, above: &mut Vec<String>, files: &mut Files) -> Result<()> {
        if self.new.contains_key(path) {
            return Ok(());
        }
        if above.iter().any(|one| one == path) {
            bail!("{} refers to itself by way of {}", path, above.join(", "));
        }
        above.push(path.to_owned());
        let mut bytes = self.old[path].clone();
        if is_text(path) {
            let mut text = String::from_utf8(bytes)?;
            for other in self.old.keys().cloned().collect::<Vec<_>>() {
                let spellings = spellings(path, &other);
                // A stable name needs no rewriting, and may be imported by what it imports.
                let stable = self.stable.contains(&other.as_str());
                if other != path && !stable && spellings.iter().any(|quoted| text.contains(quoted))
                {
                    self.place(&other, above, files)?;
                    let (old, new) = (file_name(&other), file_name(&self.new[&other]));
                    for quoted in spellings {
                        text = text.replace(&quoted, &quoted.replace(old, new));
                    }
                }
            }
            bytes = text.into_bytes();
        }
        above.pop();
        let name = if self.stable.contains(&path) || !is_hashed(path) {
            path.to_owned()
        } else {
            hashed_name(path, &bytes)
        };
        files.insert(name.clone(), bytes);
        self.new.insert(path.to_owned(), name);
        Ok(())
    }
}

fn is_text(path: &str) -> bool {
    [".js", ".mjs", ".css"].iter().any(|end| path.ends_with(end))
}

fn is_hashed(path: &str) -> bool {
    is_text(path) || path.ends_with(".wasm")
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// `peer/peer.js` and its bytes to `peer/peer-0123456789abcdef.js`.
fn hashed_name(path: &str, bytes: &[u8]) -> String {
    let digest = fingerprint::sha256(bytes);
    let (stem, end) = path.rsplit_once('.').unwrap_or((path, ""));
    format!("{stem}-{}.{end}", &digest[..DIGITS])
}

/// The quoted ways in which a file may write the path of another.
fn spellings(from: &str, to: &str) -> Vec<String> {
    let folder: Vec<&str> =
        from.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev().collect();
    let target: Vec<&str> = to.split('/').collect();
    let shared = folder.iter().zip(&target).take_while(|(a, b)| a == b).count();
    let up = "../".repeat(folder.len() - shared);
    let relative = format!("{up}{}", target[shared..].join("/"));
    let paths = [
        relative.clone(),
        format!("./{relative}"),
        to.to_owned(),
        format!("./{to}"),
        format!("/{to}"),
    ];
    let mut all: Vec<String> = paths
        .iter()
        .flat_map(|path| ['"', '\'', '`'].map(|quote| format!("{quote}{path}{quote}")))
        .collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(leaf: &str) -> Files {
        [
            ("embed.js", "import './player/element.js';"),
            (
                "player/element.js",
                "import('../vendor/hls.mjs'); new URL(\"peer/peer_bg.wasm\", base)",
            ),
            ("vendor/hls.mjs", leaf),
            ("peer/peer_bg.wasm", "\0asm"),
            ("icons/a.svg", "<svg/>"),
        ]
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .collect()
    }

    fn hashed(leaf: &str) -> Files {
        let mut files = bundle(leaf);
        hash(&mut files, &["embed.js"]).unwrap();
        files
    }

    #[test]
    fn a_change_below_changes_every_name_above_but_not_the_stable_one() {
        let (one, two) = (hashed("1"), hashed("2"));
        let element = |files: &Files| {
            files.keys().find(|path| path.starts_with("player/element-")).cloned().unwrap()
        };
        assert_ne!(element(&one), element(&two));
        assert!(one.contains_key("embed.js") && one.contains_key("icons/a.svg"));
        let embed = String::from_utf8(one["embed.js"].clone()).unwrap();
        assert_eq!(embed, format!("import './{}';", element(&one)));
    }

    #[test]
    fn references_are_found_relative_to_the_file_and_to_the_root() {
        let files = hashed("1");
        let (_, element) = files.iter().find(|(path, _)| path.starts_with("player/")).unwrap();
        let text = String::from_utf8(element.clone()).unwrap();
        let hls = files.keys().find(|path| path.starts_with("vendor/hls-")).unwrap();
        let wasm = files.keys().find(|path| path.starts_with("peer/peer_bg-")).unwrap();
        assert_eq!(text, format!("import('../{hls}'); new URL(\"{wasm}\", base)"));
    }

    #[test]
    fn a_circle_is_refused() {
        let mut files: Files = [("a.js", "import './b.js'"), ("b.js", "import './a.js'")]
            .into_iter()
            .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
            .collect();
        assert!(hash(&mut files, &[]).is_err());
    }
}
