//! What of the bundle stays on a visitor's device (`static/kept.js`): the list of it, and its version.
//!
//! The version is a hash of all these files. The document says it, so that what keeps its name is asked for with
//! the version of the page that asks.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use super::Files;
use crate::fingerprint;

/// The list.
const LIST: &str = "kept.json";
/// The document; servers have it at `/`.
const DOCUMENT: &str = "index.html";
/// Folders of what the page loads. The others are for embedding sites, or workers that browsers keep by themselves.
const FOLDERS: [&str; 8] =
    ["fund", "icons", "identity", "pages", "player", "scan", "vendor", "wallet"];
/// Bounds, as the worker has them.
const FILES_MAX: usize = 512;
const BYTES_MAX: usize = 16_777_216;
/// Hexadecimal digits of a version.
const DIGITS: usize = 16;

/// Adds the list, and the version to the document.
pub(super) fn add_list(files: &mut Files) -> Result<()> {
    let version = version(files);
    let document = files.get_mut(DOCUMENT).context("trunk made no index.html")?;
    let mut text = String::from_utf8(std::mem::take(document)).context("reading index.html")?;
    let end = text.find("</head>").context("index.html has no end of its head")?;
    text.insert_str(end, &format!("<meta name=\"starling-version\" content=\"{version}\">"));
    *document = text.into_bytes();
    let kept: Vec<_> = files.iter().filter(|(path, _)| is_kept(path)).collect();
    let size_bytes: usize = kept.iter().map(|(_, bytes)| bytes.len()).sum();
    ensure!(kept.len() <= FILES_MAX, "{} files to keep, limit is {FILES_MAX}", kept.len());
    ensure!(size_bytes <= BYTES_MAX, "{size_bytes} bytes to keep, limit is {BYTES_MAX}");
    let entries: Vec<_> = kept
        .into_iter()
        .map(|(path, bytes)| json!([address(path), bytes.len(), fingerprint::sha256(bytes)]))
        .collect();
    let list = json!({ "version": version, "bytes": size_bytes, "files": entries });
    files.insert(LIST.to_owned(), list.to_string().into_bytes());
    Ok(())
}

fn version(files: &Files) -> String {
    let lines: String = files
        .iter()
        .filter(|(path, _)| is_kept(path))
        .map(|(path, bytes)| format!("{path} {}\n", fingerprint::sha256(bytes)))
        .collect();
    fingerprint::sha256(lines.as_bytes()).chars().take(DIGITS).collect()
}

/// Whether the page needs it.
fn is_kept(path: &str) -> bool {
    match path.split_once('/') {
        Some((folder, _)) => FOLDERS.contains(&folder),
        // Rigs open `bench.html`, no visitor does.
        None => path != "kept.js" && path != LIST && !path.starts_with("bench."),
    }
}

/// Where a server has it.
fn address(path: &str) -> String {
    if path == DOCUMENT { "/".to_owned() } else { format!("/{path}") }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn bundle(worker: &str) -> Files {
        [
            ("index.html", "<head></head>"),
            ("app-00.js", "app"),
            ("bench.html", "of rigs"),
            ("bench.js", "of rigs"),
            ("fund/reports-00.js", "told"),
            ("wallet/worker.js", worker),
            ("peer/peer-00.js", "of other sites"),
            ("preview/worker.js", "kept by the browser"),
            ("kept.js", "the worker itself"),
        ]
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .collect()
    }

    fn listed(worker: &str) -> (Value, String) {
        let mut files = bundle(worker);
        add_list(&mut files).unwrap();
        let document = String::from_utf8(files["index.html"].clone()).unwrap();
        (serde_json::from_slice(&files[LIST]).unwrap(), document)
    }

    #[test]
    fn the_list_has_what_the_page_needs_and_the_document_as_it_is_served() {
        let (list, document) = listed("one");
        let version = list["version"].as_str().unwrap();
        assert_eq!(version.len(), DIGITS);
        let meta = format!("<head><meta name=\"starling-version\" content=\"{version}\"></head>");
        assert_eq!(document, meta);
        let files = list["files"].as_array().unwrap();
        let paths: Vec<&str> = files.iter().map(|file| file[0].as_str().unwrap()).collect();
        assert_eq!(paths, ["/app-00.js", "/fund/reports-00.js", "/", "/wallet/worker.js"]);
        assert_eq!(
            files[2],
            json!(["/", document.len(), fingerprint::sha256(document.as_bytes())])
        );
        assert_eq!(list["bytes"], json!(3 + 4 + document.len() + 3));
    }

    #[test]
    fn a_file_that_keeps_its_name_changes_the_version() {
        assert_eq!(listed("one"), listed("one"));
        assert_ne!(listed("one").0["version"], listed("two").0["version"]);
    }

    #[test]
    fn the_worker_has_the_same_bounds() {
        let worker = include_str!("../../../static/kept.js");
        assert!(worker.contains(&format!("const FILES_MAX = {FILES_MAX};")));
        assert!(worker.contains("const BYTES_MAX = 16_777_216;") && BYTES_MAX == 16_777_216);
        assert!(worker.contains(&format!("const LIST = \"/{LIST}\";")));
        let folders = format!("(?:{})\\/)?", FOLDERS.join("|"));
        assert!(worker.contains(&folders), "files of every folder");
    }
}
