//! `starling add`, `get` and `car`, by the real binary: what a person types and sees.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own, and the store in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut starling = Command::new(env!("CARGO_BIN_EXE_starling"));
        starling.args(words).args(["--data", "store"]).current_dir(self.0.path());
        starling.output().unwrap()
    }

    /// What it prints when it works.
    fn ok(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Its exit code and what it says when it does not.
    fn fails(&self, words: &[&str]) -> (i32, String) {
        let output = self.run(words);
        assert!(!output.status.success(), "{words:?} went well");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    /// A folder with files, an empty one, and a symlink.
    fn folder(&self) -> PathBuf {
        self.write("box/a/large.bin", &large());
        self.write("box/a/empty.txt", b"");
        self.write("box/ä ö.txt", b"hello world");
        fs::create_dir_all(self.path("box/nothing")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("../ä ö.txt", self.path("box/a/link")).unwrap();
        self.path("box")
    }
}

/// Three blocks and a part of one.
fn large() -> Vec<u8> {
    (0..3_300_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

/// Every path below a folder, with its bytes or its target.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_owned();
            let kind = path.symlink_metadata().unwrap();
            if kind.is_dir() {
                found.push((name, b"folder".to_vec()));
                todo.push(path);
            } else if kind.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                found.push((name, target.to_str().unwrap().as_bytes().to_vec()));
            } else {
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_file_is_called_what_ipfs_calls_it() {
    let place = Place::new();
    place.write("hello", b"hello world");
    let cid = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    assert_eq!(place.ok(&["add", "hello"]), cid);
    assert_eq!(place.ok(&["add", "hello", "--profile", "kubo"]), cid);
    let json: Value = serde_json::from_str(&place.ok(&["add", "hello", "--json"])).unwrap();
    assert_eq!((&json["cid"], &json["content_bytes"]), (&cid.into(), &11.into()));
    assert_eq!(place.ok(&["get", cid, "-o", "back"]), "back");
    assert_eq!(fs::read(place.path("back")).unwrap(), b"hello world");
}

#[test]
fn only_the_name_stores_nothing() {
    let place = Place::new();
    place.folder();
    let name = place.ok(&["add", "box", "--only-name"]);
    assert!(!place.path("store").exists());
    assert_eq!(place.ok(&["add", "box"]), name);
}

#[test]
fn a_folder_goes_through_a_car_to_another_store() {
    let (here, there) = (Place::new(), Place::new());
    let folder = here.folder();
    let cid = here.ok(&["add", "box"]);
    here.ok(&["car", "export", &cid, "-o", "box.car"]);
    fs::copy(here.path("box.car"), there.path("in.car")).unwrap();
    assert_eq!(there.ok(&["car", "import", "in.car"]), cid);
    there.ok(&["get", &cid, "-o", "out"]);
    assert_eq!(content(&there.path("out")), content(&folder));
    // And what came out is called the same.
    assert_eq!(there.ok(&["add", "out", "--only-name"]), cid);
    let third = Place::new();
    third.ok(&["get", &cid, "-o", "out", "--from", here.path("box.car").to_str().unwrap()]);
    assert_eq!(content(&third.path("out")), content(&folder));
}

#[test]
fn a_wrapped_file_keeps_its_name() {
    let place = Place::new();
    place.write("hello.txt", b"hello world");
    let cid = place.ok(&["add", "hello.txt", "--wrap"]);
    place.ok(&["get", &cid, "-o", "out"]);
    assert_eq!(fs::read(place.path("out/hello.txt")).unwrap(), b"hello world");
}

#[test]
fn a_damaged_car_is_refused_and_the_good_blocks_are_kept() {
    let (here, there) = (Place::new(), Place::new());
    here.write("large", &large());
    let cid = here.ok(&["add", "large"]);
    here.ok(&["car", "export", &cid, "-o", "whole.car"]);
    let whole = fs::read(here.path("whole.car")).unwrap();

    there.write("cut.car", &whole[..whole.len() - 7]);
    let (code, said) = there.fails(&["car", "import", "cut.car"]);
    assert!(code == 4 && said.contains("cut off") && said.contains("Get the file again"), "{said}");

    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    there.write("flipped.car", &flipped);
    let (code, said) = there.fails(&["car", "import", "flipped.car"]);
    assert!(code == 4 && said.contains("found other bytes"), "{said}");

    // Three of four leaves and the root are here; the last leaf is said to be missing.
    let (code, said) = there.fails(&["get", &cid, "-o", "out"]);
    assert!(code == 3 && said.contains("is not in the store"), "{said}");
    assert!(!there.path("out").exists());

    there.write("text.car", b"this is no CAR");
    let (code, said) = there.fails(&["car", "import", "text.car"]);
    assert!(code == 4 && said.contains("expected a CAR file"), "{said}");
}

#[test]
fn a_damaged_store_is_not_believed() {
    let place = Place::new();
    place.write("hello", b"hello world");
    let cid = place.ok(&["add", "hello"]);
    let found = content(&place.path("store")).into_iter();
    let (name, _) = found.into_iter().find(|(_, bytes)| bytes == b"hello world").unwrap();
    fs::write(place.path("store").join(name), b"hello w0rld").unwrap();
    let (code, said) = place.fails(&["get", &cid, "-o", "out"]);
    assert!(code == 4 && said.contains("damaged") && !place.path("out").exists(), "{said}");
}

#[test]
fn wrong_words_say_what_is_right() {
    let place = Place::new();
    let (code, said) = place.fails(&["get", "hello"]);
    assert!(code == 2 && said.contains("expected a CID"), "{said}");
    // dag-cbor, which we do not read.
    let (_, said) =
        place.fails(&["get", "bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4kok6gl37quzvm"]);
    assert!(said.contains("codec raw or dag-pb, found codec 0x71"), "{said}");
    let (code, said) = place.fails(&["add", "nothing here"]);
    assert!(code == 1 && said.contains("nothing here"), "{said}");
    let (code, said) = place.fails(&["add", ".", "--profile", "none"]);
    assert!(code == 2 && said.contains("unixfs-v1-2025"), "{said}");
    place.write("hello", b"hello world");
    let cid = place.ok(&["add", "hello"]);
    let (code, said) = place.fails(&["get", &cid, "-o", "hello"]);
    assert!(code == 1 && said.contains("is there already"), "{said}");
    let (code, said) = place.fails(&["get", &cid, "-o", "out", "--max-bytes", "10"]);
    assert!(code == 4 && said.contains("--max-bytes"), "{said}");
    let output = place.run(&["get", &cid, "-o", "hello", "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["error"]["code"], "exists");
}

#[cfg(unix)]
#[test]
fn tricks_in_a_folder_are_refused_or_left_out() {
    let place = Place::new();
    place.write("bad/con.txt", b"x");
    let (code, said) = place.fails(&["add", "bad"]);
    assert!(code == 4 && said.contains("device on Windows") && said.contains("Rename"), "{said}");
    fs::create_dir(place.path("links")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", place.path("links/out")).unwrap();
    std::os::unix::fs::symlink("in-file", place.path("links/in")).unwrap();
    let cid = place.ok(&["add", "links"]);
    let json: Value = serde_json::from_str(&place.ok(&["get", &cid, "-o", "o", "--json"])).unwrap();
    assert_eq!(json["left_out"], serde_json::json!(["out"]));
    assert!(place.path("o/in").is_symlink() && !place.path("o/out").is_symlink());
}
