//! `starling seed` and `starling get LINK`: shares between native peers, by way of a real server, over real
//! WebRTC on this machine.
//!
//! Proves: what arrives is what was shared, sealed, behind a password and public; who was killed in the
//! middle fetches only what is missing; what was got can be given again; each failure has its exit code.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![allow(dead_code, reason = "the rig is shared with the tests of files")]

mod files_rig;
mod native_rig;

use std::fs;

use files_rig::{Place, Served, files_below, noise};
use native_rig::{Getting, Seeded};

#[test]
fn a_folder_arrives_as_it_was_and_its_sender_sees_who_took_it() {
    let (server, sender, receiver) = (Place::new(), Place::new(), Place::new());
    let served = Served::new(&server);
    let film = noise((3 << 20) + 77, 1);
    sender.write("holiday/film.bin", &film);
    sender.write("holiday/notes/day ä.txt", b"sun");
    sender.write("holiday/empty.txt", b"");
    let mut seeded = Seeded::start(&sender, &["holiday", "--server", &served.url]);
    assert!(seeded.link.starts_with(&format!("{}/#/get/", served.url)), "{}", seeded.link);
    assert_eq!(seeded.about["files"], 3);

    let listed = receiver.json(&["get", &seeded.link, "--list"]);
    assert_eq!(listed["entries"].as_array().unwrap().len(), 4);
    assert_eq!(
        receiver.json(&["pins"])["pins"].as_array().unwrap().len(),
        0,
        "a look holds nothing"
    );
    let got = Getting::finish(&receiver, &[&seeded.link]);
    assert_eq!((&got["output"], &got["files"]), (&"holiday".into(), &3.into()));
    assert_eq!(fs::read(receiver.path("holiday/film.bin")).unwrap(), film);
    assert_eq!(fs::read(receiver.path("holiday/notes/day ä.txt")).unwrap(), b"sun");
    assert_eq!(files_below(&receiver.path("holiday")).len(), 3);
    seeded.until(|told| told["sent_bytes"].as_u64().unwrap_or(0) > 3 << 20);
    assert_eq!(seeded.stop(), Some(0));
    // Nothing holds what was got: room may be made of it.
    assert_eq!(receiver.json(&["pins"])["pins"].as_array().unwrap().len(), 0);
}

#[test]
fn a_share_without_files_ends_at_once_with_its_folder() {
    let (server, sender, receiver) = (Place::new(), Place::new(), Place::new());
    let served = Served::new(&server);
    fs::create_dir_all(sender.path("empty/inside")).unwrap();
    let seeded = Seeded::start(&sender, &["empty", "--server", &served.url]);
    let got = Getting::finish(&receiver, &[&seeded.link]);
    assert_eq!(got["files"], 0);
    assert!(receiver.path("empty").is_dir());
}

#[test]
fn who_was_killed_in_the_middle_fetches_only_what_is_missing() {
    const BLOCKS: u64 = 24;
    let (server, sender, receiver) = (Place::new(), Place::new(), Place::new());
    let served = Served::new(&server);
    let film = noise(usize::try_from(BLOCKS << 20).unwrap(), 2);
    sender.write("film.bin", &film);
    let slow = ["film.bin", "--server", &served.url, "--limit", "6000000"];
    let seeded = Seeded::start(&sender, &slow);

    let mut getting = Getting::start(&receiver, &[&seeded.link]);
    getting.until(|told| told["progress"]["done_bytes"].as_u64().unwrap_or(0) >= 8 << 20);
    getting.kill();
    let here = u64::try_from(receiver.blocks().len()).unwrap();
    assert!((8..BLOCKS).contains(&here), "{here} blocks when it was killed");
    let pins = receiver.json(&["pins"]);
    assert_eq!(pins["pins"][0]["kind"], "getting-listed", "held until it goes on");

    let got = Getting::finish(&receiver, &[&seeded.link]);
    assert_eq!(got["blocks_here"], here);
    // The leaves, the node above them, and the manifest.
    assert_eq!(got["fetched_blocks"].as_u64().unwrap() + here, BLOCKS + 2);
    assert_eq!(fs::read(receiver.path("film.bin")).unwrap(), film);
    drop(seeded);
}

#[test]
fn what_was_got_is_given_again_when_its_first_sender_has_gone() {
    let (server, sender) = (Place::new(), Place::new());
    let (receiver, late) = (Place::new(), Place::new());
    let served = Served::new(&server);
    let film = noise(2 << 20, 3);
    sender.write("film.bin", &film);
    let seeded = Seeded::start(&sender, &["film.bin", "--server", &served.url]);
    let link = seeded.link.clone();
    Getting::finish(&receiver, &[&link, "--pin"]);
    let pins = receiver.json(&["pins"]);
    assert_eq!(
        (&pins["pins"][0]["kind"], &pins["pins"][0]["name"]),
        (&"listed".into(), &"film.bin".into())
    );
    drop(seeded);

    let again = Seeded::start(&receiver, &[&link]);
    assert_eq!(again.link, link);
    Getting::finish(&late, &[&link, "-o", "deep/er/copy.bin"]);
    assert_eq!(fs::read(late.path("deep/er/copy.bin")).unwrap(), film);
}

#[test]
fn a_password_is_needed_and_must_be_the_right_one() {
    let (server, sender, receiver) = (Place::new(), Place::new(), Place::new());
    let served = Served::new(&server);
    sender.write("secret.txt", b"to nobody");
    let words = ["secret.txt", "--server", &served.url, "--password", "correct horse"];
    let seeded = Seeded::start(&sender, &words);
    let (code, text) = receiver.fails(&["get", &seeded.link]);
    assert!(code == 5 && text.contains("STARLING_PASSWORD"), "{code}: {text}");
    let (code, _) = receiver.fails(&["get", &seeded.link, "--password", "wrong horse"]);
    assert_eq!(code, 5);
    Getting::finish(&receiver, &[&seeded.link, "--password", "correct horse"]);
    assert_eq!(fs::read(receiver.path("secret.txt")).unwrap(), b"to nobody");
}

#[test]
fn a_public_share_has_the_cid_of_add_and_needs_no_key() {
    let (server, sender, receiver) = (Place::new(), Place::new(), Place::new());
    let served = Served::new(&server);
    let film = noise((2 << 20) + 5, 4);
    sender.write("film.bin", &film);
    sender.write("folder/a/one.bin", &noise(1 << 20, 5));
    sender.write("folder/two.txt", b"two");
    let cid = sender.ok(&["add", "film.bin", "--only-name"]);
    let seeded = Seeded::start(&sender, &["film.bin", "--public", "--server", &served.url]);
    assert_eq!(seeded.link, format!("{}/#/get/{cid}?n=film.bin", served.url));
    Getting::finish(&receiver, &[&seeded.link]);
    assert_eq!(fs::read(receiver.path("film.bin")).unwrap(), film);
    // A CID alone is enough, for who knows the server.
    Getting::finish(&receiver, &[&cid, "--server", &served.url, "-o", "copy.bin"]);
    assert_eq!(fs::read(receiver.path("copy.bin")).unwrap(), film);
    drop(seeded);

    let seeded = Seeded::start(&sender, &["folder", "--public", "--server", &served.url]);
    Getting::finish(&receiver, &[&seeded.link, "-o", "folder", "--only", "a"]);
    assert_eq!(fs::read(receiver.path("folder/a/one.bin")).unwrap(), noise(1 << 20, 5));
    assert!(!receiver.path("folder/two.txt").exists());
}

#[test]
fn each_failure_has_its_exit_code_and_says_what_to_do() {
    let (server, sender, receiver) = (Place::new(), Place::new(), Place::new());
    let served = Served::new(&server);
    sender.write("note.txt", b"hello");
    let seeded = Seeded::start(&sender, &["note.txt", "--server", &served.url]);
    let link = seeded.link.clone();
    let check = |words: &[&str], expected: i32, says: &str| {
        let (code, text) = receiver.fails(words);
        assert!(code == expected && text.contains(says), "{words:?}: {code}: {text}");
    };
    check(&["get", &link[..link.len() - 4]], 2, "key is damaged");
    check(&["get", &link, "--only", "other.txt"], 3, "--list");
    check(&["get", &link, "--max-bytes", "4"], 4, "--max-bytes");
    check(&["get", link.split_once('#').unwrap().1], 2, "--server");
    receiver.write("note.txt", b"mine");
    check(&["get", &link], 1, "-o");
    assert_eq!(fs::read(receiver.path("note.txt")).unwrap(), b"mine");
    check(
        &["get", &link, "--server", "http://127.0.0.1:9", "-o", "n", "--wait", "1s"],
        6,
        "address",
    );
    check(&["seed", "absent.txt"], 2, "--server");
    check(&["seed", "absent.txt", "--server", &served.url], 1, "Check the path");
    // The sender goes: then nobody has it.
    assert_eq!(seeded.stop(), Some(0));
    check(&["get", &link, "-o", "n", "--wait", "2s"], 3, "must be online");
    // With --json a program reads the same.
    let output = receiver.run(&["get", &link, "-o", "n", "--wait", "1s", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "nobody");
    let left = fs::read_dir(receiver.path(".")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().ends_with(".tmp")).collect();
    assert!(left.is_empty(), "half written: {left:?}");
    assert!(!receiver.path("n").exists(), "nothing was begun");
}
