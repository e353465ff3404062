//! Where proofs come from, and what happens without.

use peer::{Integrity, view::IntegrityView};
use primitives::{KeyPair, PeerId, Seed};

use crate::{
    origin::{SEGMENTS, beside, segment},
    world::{BEST, World},
};

fn publisher() -> KeyPair {
    KeyPair::from_seed(Seed::from_number(77))
}

fn pinned(publisher: PeerId) -> Integrity {
    Integrity::Best { publisher: Some(publisher) }
}

/// The first watches all, then the second; returns the second's bytes from peers.
fn shared_bytes(world: &mut World, integrity: &Integrity) -> u64 {
    world.watch(0, integrity.clone());
    world.until("the first has it all", 90, |world| world.nodes[0].player.is_done());
    world.watch(1, integrity.clone());
    world.until("the second has it all", 90, |world| world.nodes[1].player.is_done());
    for index in 0..SEGMENTS {
        assert!(world.nodes[1].player.got[&index].0 == segment(index));
    }
    world.nodes[1].player.bytes_from_peers()
}

#[test]
fn the_manifest_of_the_pinned_publisher_proves() {
    let mut world = World::new(2);
    world.origin.publish(&publisher());
    assert!(shared_bytes(&mut world, &pinned(publisher().id())) > 0);
    assert_eq!(world.stream(1).integrity, IntegrityView::Manifest);
    assert_eq!(world.origin.asked("starling/0-0.json"), 2, "one part, once for each viewer");
    assert!(world.origin.asked.iter().all(|(_, head)| !head), "nothing weaker was asked");
}

#[test]
fn another_publisher_than_the_pinned_one_proves_nothing() {
    let mut world = World::new(2);
    world.origin.publish(&publisher());
    world.origin.digests = true;
    world.server.witnesses = true;
    let other = KeyPair::from_seed(Seed::from_number(78)).id();
    assert_eq!(shared_bytes(&mut world, &pinned(other)), 0);
    assert!(world.has_problem(1, "publisher-mismatch"));
    assert_eq!(world.stream(1).integrity, IntegrityView::HttpOnly);
    assert!(world.origin.asked.iter().all(|(_, head)| !head), "nothing weaker was asked");
}

#[test]
fn a_missing_manifest_of_a_pinned_publisher_is_told_and_looked_for_again() {
    let mut world = World::new(1);
    world.origin.digests = true;
    world.watch(0, pinned(publisher().id()));
    world.until("all is here", 90, |world| world.nodes[0].player.is_done());
    assert!(world.has_problem(0, "manifest-missing"));
    assert_eq!(world.stream(0).integrity, IntegrityView::HttpOnly);
    world.origin.publish(&publisher());
    world.until("it is found", 400, |world| {
        world.stream(0).integrity == IntegrityView::Manifest && world.view(0).problems.is_empty()
    });
}

#[test]
fn without_a_pin_the_first_publisher_is_trusted_and_another_is_not() {
    let mut world = World::new(1);
    world.origin.publish(&publisher());
    world.watch(0, BEST);
    world.until("proved", 10, |world| world.stream(0).integrity == IntegrityView::Manifest);
    world.give(0, peer::Input::Close(world.swarm));
    world.origin.publish(&KeyPair::from_seed(Seed::from_number(78)));
    world.open(0, BEST);
    world.until("told", 10, |world| world.has_problem(0, "publisher-changed"));
    assert_ne!(world.stream(0).integrity, IntegrityView::Manifest);
}

#[test]
fn a_media_playlist_played_alone_finds_its_own_rendition() {
    let mut world = World::new(2);
    world.origin.publish_as_one_of_many(&publisher(), "master.m3u8");
    assert!(shared_bytes(&mut world, &pinned(publisher().id())) > 0);
    assert_eq!(world.stream(1).integrity, IntegrityView::Manifest);
}

#[test]
fn a_manifest_of_other_playlists_says_nothing_of_this_one() {
    let mut world = World::new(1);
    world.origin.publish_as_one_of_many(&publisher(), "another.m3u8");
    world.watch(0, pinned(publisher().id()));
    world.until("all is here", 90, |world| world.nodes[0].player.is_done());
    assert!(world.has_problem(0, "manifest-refused"));
    assert!(world.nodes[0].player.failed.is_empty());
    assert_eq!(world.stream(0).integrity, IntegrityView::HttpOnly);
}

#[test]
fn a_manifest_that_nobody_signed_is_refused() {
    let mut world = World::new(2);
    world.origin.publish(&publisher());
    let manifest = world.origin.files.get_mut(&beside("starling.json")).unwrap();
    let text = String::from_utf8(manifest.clone()).unwrap();
    let forged = KeyPair::from_seed(Seed::from_number(79));
    let mut other = World::new(0);
    other.origin.publish(&forged);
    // The signature of one manifest on the payload of another.
    let signature = |text: &str| {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        json["signature"].as_str().unwrap().to_owned()
    };
    let theirs = String::from_utf8(other.origin.files[&beside("starling.json")].clone()).unwrap();
    *manifest = text.replace(&signature(&text), &signature(&theirs)).into_bytes();
    assert_eq!(shared_bytes(&mut world, &BEST), 0);
    assert!(world.has_problem(0, "manifest-refused"));
}

#[test]
fn the_origins_digest_proves_when_there_is_no_manifest() {
    let mut world = World::new(2);
    world.origin.digests = true;
    assert!(shared_bytes(&mut world, &BEST) > 0);
    assert_eq!(world.stream(1).integrity, IntegrityView::Digest);
    let heads = world.origin.asked.iter().filter(|(_, head)| *head).count();
    assert_eq!(heads, 2 * usize::try_from(SEGMENTS).unwrap(), "one per segment and viewer");
}

#[test]
fn a_start_page_in_place_of_the_manifest_is_no_manifest() {
    let mut world = World::new(2);
    world.origin.digests = true;
    world.origin.files.insert(beside("starling.json"), b"<!doctype html><title>x".to_vec());
    assert!(shared_bytes(&mut world, &BEST) > 0);
    assert_eq!(world.stream(1).integrity, IntegrityView::Digest);
    assert!(!world.has_problem(1, "manifest-refused"));
}

#[test]
fn the_witness_proves_when_the_origin_says_nothing() {
    let mut world = World::new(2);
    world.server.witnesses = true;
    assert!(shared_bytes(&mut world, &BEST) > 0);
    assert_eq!(world.stream(1).integrity, IntegrityView::Witness);
    let heads = world.origin.asked.iter().filter(|(_, head)| *head).count();
    assert_eq!(heads, 2, "each viewer finds out once that the origin gives no digests");
}

#[test]
fn a_witness_statement_signed_by_another_key_proves_nothing() {
    let mut world = World::new(2);
    world.server.witnesses = true;
    world.server.witness_key = KeyPair::from_seed(Seed::from_number(1234));
    assert_eq!(shared_bytes(&mut world, &BEST), 0);
    assert!(world.has_problem(1, "witness-forged"));
    assert_eq!(world.stream(1).integrity, IntegrityView::HttpOnly);
}

#[test]
fn with_no_source_at_all_everything_comes_by_http_and_it_is_said() {
    let mut world = World::new(2);
    assert_eq!(shared_bytes(&mut world, &BEST), 0);
    assert_eq!(world.stream(1).integrity, IntegrityView::HttpOnly);
    assert!(world.view(1).problems.iter().any(|problem| problem.code == "no-integrity"));
    let asked = world.origin.asked.len();
    assert!(asked <= 6, "sources that failed are not asked for every segment: {asked}");
}

#[test]
fn unchecked_is_the_embedders_choice_and_asks_nobody() {
    let mut world = World::new(2);
    world.origin.publish(&publisher());
    assert!(shared_bytes(&mut world, &Integrity::None) > 0);
    assert_eq!(world.stream(1).integrity, IntegrityView::Unchecked);
    assert!(world.origin.asked.is_empty());
}

#[test]
fn an_origin_in_trouble_is_asked_again_and_what_came_unproved_is_proved() {
    let mut world = World::new(1);
    world.origin.publish(&publisher());
    world.origin.unreachable.insert(beside("starling.json"));
    world.watch(0, BEST);
    world.until("all is here", 90, |world| world.nodes[0].player.is_done());
    assert_eq!(world.stream(0).integrity, IntegrityView::HttpOnly);
    world.origin.unreachable.clear();
    world.until("proved", 200, |world| world.stream(0).integrity == IntegrityView::Manifest);
    world.run(2_000);
    assert!(world.origin.asked("starling/0-0.json") > 0, "what had no proof is proved now");
}

#[test]
fn a_live_part_that_is_not_there_yet_is_asked_for_again() {
    let mut world = World::new(1);
    world.origin.publish_live(&publisher(), 0..1);
    world.watch(0, BEST);
    world.run(1_500);
    let (missing, here) = (world.origin.asked("0-1.json"), world.origin.asked("0-0.json"));
    assert_eq!(here, 1);
    assert!(missing >= 2, "{missing}");
    world.origin.publish_live(&publisher(), 0..SEGMENTS);
    world.run(4_000);
    let asked = world.origin.asked("0-1.json");
    world.run(20_000);
    assert_eq!(world.origin.asked("0-1.json"), asked, "once it is here it is not asked for again");
    assert_eq!(world.stream(0).integrity, IntegrityView::Manifest);
}
