//! The gateway that fetches what its store lacks from native peers, over real WebRTC on this machine.
//!
//! Proves: a public share of a peer is answered as a block, a CAR, a file and a part of one, with nothing in
//! the store before and no pin after; only what was asked for is fetched; who asks for the same at once makes
//! one fetch; without the setting, and for `only-if-cached`, nobody is asked; what nobody has, what is too
//! much and what is too many has its own status.

use std::fs;

use content::{Candidate, Cid, Codec};
use reqwest::{Method, StatusCode};

use crate::files_rig::{Place, noise};
use crate::native_rig::Seeded;
use crate::{CAR, Site, car, text};

const SWARM: &[u8] = b"[gateway.swarm]\nenabled = true\n";

/// A server with an empty store and these settings.
fn site(settings: &[u8]) -> Site {
    let place = Place::new();
    place.write("config.toml", settings);
    Site::new(place)
}

/// Somebody who gives a file to whoever knows its CID.
fn seed(site: &Site, sender: &Place, name: &str) -> Seeded {
    Seeded::start(sender, &[name, "--public", "--server", &site.served.url])
}

fn cid(seeded: &Seeded) -> String {
    seeded.about["cid"].as_str().unwrap().to_owned()
}

/// A value of the server's own figures.
async fn figure(site: &Site, name: &str) -> u64 {
    let all = site.get("/metrics").await.text().await.unwrap();
    let value = all.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{name} is not in {all}")).parse().unwrap()
}

const CAME: &str = "starling_signaling_messages_total{kind=\"hello\"}";
const JOINED: &str = "starling_signaling_messages_total{kind=\"join\"}";

#[tokio::test]
async fn a_public_share_of_a_peer_is_answered_raw_as_a_car_and_as_a_file() {
    let (site, sender) = (site(SWARM), Place::new());
    let film = noise((3 << 20) + 5, 61);
    sender.write("film.bin", &film);
    let seeded = seed(&site, &sender, "film.bin");
    let cid = cid(&seeded);
    let root: Cid = cid.parse().unwrap();

    let raw = site.get(&format!("/ipfs/{cid}?format=raw")).await;
    assert_eq!(raw.status(), StatusCode::OK);
    assert!(text(&raw, "cache-control").contains("immutable"));
    let bytes = raw.bytes().await.unwrap().to_vec();
    assert!(Candidate { cid: root, bytes }.verify().is_ok());
    let path = format!("/ipfs/{cid}");
    let part = site.ask(Method::GET, &path, &[("range", "bytes=2097150-2097160")]).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert!(part.bytes().await.unwrap() == film[2_097_150..=2_097_160]);
    let (roots, blocks) = car(site.ask(Method::GET, &path, &[("accept", CAR)]).await).await;
    assert_eq!((roots, blocks.len()), (vec![root], 1 + 4));
    assert!(site.get(&path).await.bytes().await.unwrap() == film);

    // From now on it is here, without its sender; and what is here makes room for something else.
    drop(seeded);
    let cached = site.ask(Method::GET, &path, &[("cache-control", "only-if-cached")]).await;
    assert!(cached.bytes().await.unwrap() == film);
    assert_eq!(site.place.json(&["pins"])["pins"].as_array().unwrap().len(), 0);
    let Site { place, served, .. } = site;
    assert_eq!(place.blocks().len(), 1 + 4);
    served.process.kill();
    place.ok(&["gc"]);
    assert_eq!(place.blocks().len(), 0);
}

#[tokio::test]
async fn of_a_folder_only_what_is_asked_for_is_fetched() {
    let (site, sender) = (site(SWARM), Place::new());
    sender.write("box/large.bin", &noise(9 << 20, 62));
    sender.write("box/site/index.html", b"<h1>hi");
    sender.write("box/site/two.bin", &noise(2 << 20, 63));
    let seeded = seed(&site, &sender, "box");
    let cid = cid(&seeded);
    let page = site.get(&format!("/ipfs/{cid}/site/")).await;
    assert_eq!(page.text().await.unwrap(), "<h1>hi");
    let two = site.get(&format!("/ipfs/{cid}/site/two.bin")).await;
    assert!(two.bytes().await.unwrap() == noise(2 << 20, 63));
    let stored = site.place.blocks().into_iter().map(|path| fs::metadata(path).unwrap().len());
    assert!(stored.sum::<u64>() < 3 << 20, "the large file was fetched too");
    let listing = site.get(&format!("/ipfs/{cid}/")).await.text().await.unwrap();
    assert!(listing.contains("large.bin"), "{listing}");
    let absent = site.get(&format!("/ipfs/{cid}/none")).await;
    assert_eq!(absent.status(), StatusCode::NOT_FOUND);
    assert!(
        site.get(&format!("/ipfs/{cid}/large.bin")).await.bytes().await.unwrap().len() == 9 << 20
    );
}

/// Every block is asked for by its own name, which nobody gives as a share.
#[tokio::test]
async fn a_client_that_asks_block_by_block_gets_a_file_from_peers() {
    let (site, sender, receiver) = (site(SWARM), Place::new(), Place::new());
    let film = noise((5 << 20) + 9, 64);
    sender.write("box/film.bin", &film);
    sender.write("box/a/note.txt", b"hello");
    let seeded = seed(&site, &sender, "box");
    let (cid, url) = (cid(&seeded), site.served.url.clone());
    let receiver = tokio::task::spawn_blocking(move || {
        receiver.ok(&["get", &cid, "-o", "copy", "--from", &url]);
        receiver
    });
    let receiver = receiver.await.unwrap();
    assert!(fs::read(receiver.path("copy/film.bin")).unwrap() == film);
    assert_eq!(fs::read(receiver.path("copy/a/note.txt")).unwrap(), b"hello");
}

#[tokio::test]
async fn who_asks_for_the_same_at_once_makes_one_fetch() {
    let (site, sender) = (site(SWARM), Place::new());
    let film = noise(6 << 20, 65);
    sender.write("film.bin", &film);
    let mut seeded = seed(&site, &sender, "film.bin");
    let path = format!("/ipfs/{}", cid(&seeded));
    let get = async || site.get(&path).await.bytes().await.unwrap();
    let (one, two, three) = tokio::join!(get(), get(), get());
    assert!(one == film && two == film && three == film);
    assert_eq!(figure(&site, JOINED).await, 2, "the sender and one peer of the server's");
    let told = seeded.until(|told| told["sent_bytes"].as_u64().unwrap_or(0) >= 6 << 20);
    assert!(told["sent_bytes"].as_u64().unwrap() < 8 << 20, "{told}");
    assert_eq!(told["takers"].as_array().unwrap().len(), 1, "{told}");
}

#[tokio::test]
async fn without_the_setting_what_peers_have_is_not_here() {
    let (site, sender) = (site(b""), Place::new());
    sender.write("note.txt", b"hello");
    let seeded = seed(&site, &sender, "note.txt");
    let answer = site.get(&format!("/ipfs/{}", cid(&seeded))).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(figure(&site, JOINED).await <= 1, "the sender alone");
}

#[tokio::test]
async fn what_nobody_has_is_said_in_time_and_what_is_not_meant_before_anybody_is_asked() {
    let site = site(b"[gateway.swarm]\nenabled = true\nwait_ms = 700\n");
    let absent = Cid::of(Codec::Raw, b"nobody has this").to_string();
    let check = async |path: String, headers: &[(&str, &str)], expected: u16| {
        let answer = site.ask(Method::GET, &path, headers).await;
        assert_eq!(answer.status().as_u16(), expected, "{path} {headers:?}");
        assert_eq!(text(&answer, "cache-control"), "no-store");
        assert_eq!(text(&answer, "retry-after"), if expected == 504 { "10" } else { "" });
    };
    check("/ipfs/hello".to_owned(), &[], 400).await;
    check(format!("/ipfs/{}?format=raw", &absent[..absent.len() - 1]), &[], 400).await;
    check(format!("/ipfs/{absent}?format=dag-json"), &[], 400).await;
    check(format!("/ipfs/{absent}"), &[("cache-control", "only-if-cached")], 412).await;
    assert_eq!(figure(&site, CAME).await, 0, "nobody was asked");
    for query in ["", "?format=raw", "?format=car"] {
        check(format!("/ipfs/{absent}{query}"), &[], 504).await;
    }
    assert_ne!(figure(&site, CAME).await, 0, "peers were asked");
    let head = site.ask(Method::HEAD, &format!("/ipfs/{absent}?format=raw"), &[]).await;
    assert_eq!(head.status(), StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn what_is_too_large_or_too_many_is_not_fetched() {
    let settings = b"[gateway.swarm]\nenabled = true\nfetches_max = 1\nbytes_max = 500000\n\
        wait_ms = 50000\n";
    let (site, sender) = (site(settings), Place::new());
    sender.write("film.bin", &noise(3 << 20, 66));
    let seeded = seed(&site, &sender, "film.bin");
    let answer = site.get(&format!("/ipfs/{}", cid(&seeded))).await;
    assert_eq!(answer.status(), StatusCode::GONE);
    let stored = site.place.blocks().into_iter().map(|path| fs::metadata(path).unwrap().len());
    assert!(stored.sum::<u64>() <= 500_000);
    // Of two that nobody has one waits, and the other is told at once to come back.
    let ask = async |bytes: &[u8; 3]| {
        let absent = Cid::of(Codec::Raw, bytes);
        site.get(&format!("/ipfs/{absent}?format=raw")).await
    };
    let first = tokio::select! {
        answer = ask(b"one") => answer,
        answer = ask(b"two") => answer,
    };
    assert_eq!((first.status().as_u16(), text(&first, "retry-after")), (503, "1"));
}
