//! The store on disk: killed writers, quotas, pins.

use std::fs;

use content::{Candidate, Cid};

use crate::files_rig::{Killed, Place, noise, wait_until};

/// Every block of a store is what its name says.
fn all_whole(place: &Place) -> usize {
    let blocks = place.blocks();
    for path in &blocks {
        let cid: Cid = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let verified = Candidate { cid, bytes: fs::read(path).unwrap() }.verify();
        assert!(verified.is_ok(), "{}", path.display());
    }
    blocks.len()
}

#[test]
fn a_writer_that_is_killed_loses_nothing_acknowledged_and_leaves_no_half_block() {
    let place = Place::new();
    place.write("first", &noise(3_000_000, 1));
    let first = place.ok(&["add", "first"]);
    place.write("second", &noise(96 << 20, 2));
    let second = place.ok(&["add", "second", "--only-name"]);
    // Killed at different moments: while the first batch is written, and after some were placed.
    for blocks in [0, 40] {
        let before = place.blocks().len();
        let add = place.command(&["add", "second"]).stdout(std::process::Stdio::piped()).spawn();
        let add = Killed(add.unwrap());
        wait_until("the writer is at work", || {
            place.being_written() > 1 && place.blocks().len() >= before.min(4) + blocks
        });
        add.kill();
        assert!(all_whole(&place) >= 4);
        assert_eq!(
            place.ok(&["get", &first, "-o", &format!("got{blocks}")]),
            format!("got{blocks}")
        );
    }
    assert!(place.being_written() > 0, "the killed writer left litter");
    assert_eq!(place.ok(&["add", "second"]), second);
    assert_eq!(place.being_written(), 0);
    assert_eq!(all_whole(&place), 4 + 96 + 1);
    place.ok(&["get", &second, "-o", "out"]);
    assert!(fs::read(place.path("out")).unwrap() == noise(96 << 20, 2));
}

#[test]
fn what_was_added_stays_and_what_was_only_passing_goes_first() {
    let (here, there) = (Place::new(), Place::new());
    there.write("cached", &noise(10 << 20, 1));
    let cached = there.ok(&["add", "cached"]);
    there.ok(&["car", "export", &cached, "-o", here.path("in.car").to_str().unwrap()]);
    assert_eq!(here.json(&["gc", "--quota-bytes", "1"])["quota_bytes"], 16 << 20);
    here.ok(&["car", "import", "in.car"]);
    here.write("mine", &noise(9 << 20, 2));
    let mine = here.ok(&["add", "mine"]);
    let pins = here.json(&["pins"]);
    assert_eq!(pins["pins"][0]["cid"], mine.as_str());
    assert_eq!(pins["pins"][0]["name"], "mine");
    let (code, said) = here.fails(&["get", &cached, "-o", "out"]);
    assert!(code == 3 && said.contains("is not in the store"), "{said}");
    here.ok(&["get", &mine, "-o", "mine-again"]);

    // Two files that are both to stay do not fit.
    here.write("more", &noise(9 << 20, 3));
    let (code, said) = here.fails(&["add", "more"]);
    assert!(code == 1 && said.contains("limits are 16777216"), "{said}");
    assert!(said.contains("--quota-bytes"), "{said}");
    here.ok(&["get", &mine, "-o", "mine-once-more"]);
    here.ok(&["gc", "--quota-bytes", "40000000"]);
    here.ok(&["add", "more"]);
}

#[test]
fn pins_are_listed_taken_back_and_what_they_kept_is_removed() {
    let place = Place::new();
    place.write("box/a.txt", b"hello");
    place.write("box/b/c.bin", &noise(2_500_000, 1));
    let cid = place.ok(&["add", "box"]);
    let listed = place.json(&["ls", &cid]);
    let paths: Vec<&str> =
        listed["entries"].as_array().unwrap().iter().map(|e| e["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["", "a.txt", "b", "b/c.bin"]);
    assert_eq!(listed["entries"][3]["size_bytes"], 2_500_000);

    let (code, said) = place.fails(&["rm", &cid]);
    assert!(code == 1 && said.contains("is pinned") && said.contains("unpin"), "{said}");
    assert_eq!(place.json(&["gc"])["removed_blocks"], 0);
    assert_eq!(place.ok(&["unpin", &cid]), cid);
    let (code, said) = place.fails(&["unpin", &cid]);
    assert!(code == 3 && said.contains("is not pinned"), "{said}");
    // A part of it is pinned by itself: that stays.
    let inner = listed["entries"][2]["cid"].as_str().unwrap();
    place.ok(&["pin", inner, "--name", "inner"]);
    assert_eq!(place.json(&["rm", &cid])["removed_blocks"], 2);
    place.ok(&["get", inner, "-o", "inner"]);
    let total = place.json(&["ls"]);
    assert_eq!((&total["blocks"], &total["pins"]), (&5.into(), &1.into()));
    place.ok(&["unpin", inner]);
    assert_eq!(place.json(&["gc"])["blocks"], 0);
    let (code, _) = place.fails(&["rm", &cid]);
    assert_eq!(code, 3);
}
