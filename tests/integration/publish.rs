//! `starling publish` on real folders: what it writes is what a viewer opens, and what it must not
//! touch stays.

#![allow(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

mod stream_rig;

use media::{Manifest, merkle_root};
use primitives::{Hash, sha256};
use starling::publish::{PublishError, Source, Watch, whole};

use stream_rig::{Folder, PIECE_BYTES, key, master, playlist, segment};

fn manifest(folder: &Folder) -> Manifest {
    Manifest::open(&folder.read("starling.json")).unwrap()
}

/// The digest a viewer finds for a segment.
fn signed(folder: &Folder, track: u16, index: u32) -> Option<Hash> {
    let manifest = manifest(folder);
    let number = manifest.part_of(index);
    let path = manifest.rendition(track)?.part_url(number);
    let bytes = std::fs::read(folder.join(&path)).ok()?;
    let part = manifest.open_part(track, number, &bytes).unwrap();
    part.segment(index).map(|entry| entry.sha256)
}

async fn publish(folder: &Folder) -> Result<starling::publish::Report, PublishError> {
    whole(&folder.job(&key(1)), &mut |_| ()).await
}

#[tokio::test]
async fn every_segment_of_every_rendition_is_signed() {
    let folder = Folder::with_stream(3);
    let report = publish(&folder).await.unwrap();
    assert_eq!(report.publisher, key(1).id());
    assert_eq!(report.renditions.len(), 2);
    let manifest = manifest(&folder);
    assert_eq!((manifest.publisher, manifest.live), (key(1).id(), false));
    assert_eq!(manifest.playlist, "master.m3u8");
    for (track, name) in [(0, "hi"), (1, "lo")] {
        let digests: Vec<_> = (0..3).map(|index| sha256(&segment(name, index))).collect();
        for (index, digest) in (0..).zip(&digests) {
            assert_eq!(signed(&folder, track, index), Some(*digest), "{name} {index}");
        }
        let rendition = manifest.rendition(track).unwrap();
        assert_eq!(rendition.playlist, format!("{name}/index.m3u8"));
        assert_eq!((rendition.count, rendition.root), (3, Some(merkle_root(&digests))));
    }
}

#[tokio::test]
async fn an_entry_says_size_and_pieces() {
    let folder = Folder::with_stream(1);
    publish(&folder).await.unwrap();
    let part = manifest(&folder).open_part(0, 0, &folder.read("starling/0-0.json")).unwrap();
    let bytes = segment("hi", 0);
    let entry = part.segment(0).unwrap();
    assert_eq!(entry.uri, "hi/s0.m4s");
    assert_eq!(usize::try_from(entry.size_bytes).unwrap(), bytes.len());
    let pieces: Vec<_> = bytes.chunks(PIECE_BYTES).map(sha256).collect();
    assert_eq!(entry.pieces, pieces);
}

/// Sequence numbers 62 to 66 lie in parts 0 and 1, and both begin or end in their middle.
#[tokio::test]
async fn parts_follow_from_sequence_numbers() {
    let folder = Folder::new();
    folder.write("index.m3u8", playlist(62, 5, true));
    (62..67).for_each(|index| folder.write(&format!("s{index}.m4s"), segment("only", index)));
    publish(&folder).await.unwrap();
    let rendition = manifest(&folder).rendition(0).unwrap().clone();
    assert_eq!((rendition.first, rendition.count), (62, 5));
    for index in 62..67 {
        assert_eq!(signed(&folder, 0, index), Some(sha256(&segment("only", index))), "{index}");
    }
    assert_eq!(signed(&folder, 0, 61), None);
    assert!(folder.join("starling/0-1.json").is_file());
    assert!(!folder.join("starling/0-2.json").exists());
}

#[tokio::test]
async fn a_byte_range_segment_is_its_range() {
    let folder = Folder::new();
    let all: Vec<u8> = (0..=255).cycle().take(1000).collect();
    folder.write("all.mp4", &all);
    let text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n#EXT-X-BYTERANGE:300@100\nall.mp4\n\
        #EXTINF:4,\n#EXT-X-BYTERANGE:600\nall.mp4\n#EXT-X-ENDLIST\n";
    folder.write("video.m3u8", text);
    publish(&folder).await.unwrap();
    assert_eq!(signed(&folder, 0, 0), Some(sha256(&all[100..400])));
    assert_eq!(signed(&folder, 0, 1), Some(sha256(&all[400..])));
    folder.write("all.mp4", &all[..999]);
    assert_eq!(publish(&folder).await.unwrap_err().code(), "io", "the range has no last byte");
}

#[tokio::test]
async fn publishing_again_replaces_what_the_same_key_signed_and_nothing_else() {
    let folder = Folder::with_stream(2);
    publish(&folder).await.unwrap();
    folder.write("starling/0-9.json", "an old part");
    folder.write("starling/notes.txt", "not ours");
    folder.write("hi/s1.m4s", b"changed");
    publish(&folder).await.unwrap();
    assert_eq!(signed(&folder, 0, 1), Some(sha256(b"changed")));
    assert!(!folder.join("starling/0-9.json").exists());
    assert_eq!(folder.read("starling/notes.txt"), b"not ours");

    let before = folder.read("starling.json");
    let error = whole(&folder.job(&key(2)), &mut |_| ()).await.unwrap_err();
    let PublishError::Taken { publisher, .. } = &error else { panic!("{error}") };
    assert_eq!((*publisher, error.exit_code()), (Some(key(1).id()), 4));
    assert_eq!(folder.read("starling.json"), before);

    let mut job = folder.job(&key(2));
    job.replace = true;
    whole(&job, &mut |_| ()).await.unwrap();
    assert_eq!(manifest(&folder).publisher, key(2).id());
}

#[tokio::test]
async fn what_cannot_be_published_says_why_and_writes_nothing() {
    let check = async |files: &[(&str, &str)], code: &str| {
        let folder = Folder::new();
        files.iter().for_each(|(name, text)| folder.write(name, text));
        let error = publish(&folder).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!error.remedy().is_empty());
        assert!(!folder.join("starling.json").exists(), "{code}");
    };
    let head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n";
    let with = |uri: &str| format!("{head}#EXTINF:4,\n{uri}\n#EXT-X-ENDLIST\n");
    check(&[("video.mp4", "")], "no-playlist").await;
    check(&[("a.m3u8", head), ("b.m3u8", head)], "many-playlists").await;
    check(&[("master.m3u8", "<html>")], "not-a-playlist").await;
    check(&[("index.m3u8", &playlist(0, 0, true))], "unfit").await;
    check(&[("index.m3u8", &playlist(0, 1, false)), ("s0.m4s", "x")], "live").await;
    check(&[("index.m3u8", &with("gone.ts"))], "io").await;
    check(&[("index.m3u8", &with("empty.ts")), ("empty.ts", "")], "unfit").await;
    check(&[("index.m3u8", &with("../../etc/passwd"))], "outside").await;
    check(&[("index.m3u8", &with("%2e%2e%2fkey"))], "outside").await;
    check(&[("index.m3u8", &with("https://cdn.example/a.ts"))], "outside").await;
}

#[tokio::test]
async fn a_stream_on_the_web_is_signed_into_another_folder() {
    let origin = Folder::with_stream(2);
    let out = Folder::new();
    let files = axum::Router::new().route(
        "/video/{*path}",
        axum::routing::get({
            let root = origin.path().to_owned();
            async move |axum::extract::Path(path): axum::extract::Path<String>| {
                std::fs::read(root.join(path)).map_err(|_| axum::http::StatusCode::NOT_FOUND)
            }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, files).await });

    let url = format!("http://{address}/video/master.m3u8");
    let mut job = out.job(&key(1));
    job.source = Source::web(&url).unwrap();
    whole(&job, &mut |_| ()).await.unwrap();
    publish(&origin).await.unwrap();
    assert_eq!(manifest(&out), manifest(&origin));
    assert_eq!(out.read("starling/1-0.json"), origin.read("starling/1-0.json"));

    job.source = Source::web(&format!("http://{address}/video/none.m3u8")).unwrap();
    assert_eq!(whole(&job, &mut |_| ()).await.unwrap_err().code(), "http");
}

/// A live folder of one rendition; what the playlist lists is there.
fn live(folder: &Folder, first: u32, count: u32, ended: bool) {
    (first..first + count).for_each(|index| folder.add_segment("hi", index));
    folder.write("hi/index.m3u8", playlist(first, count, ended));
}

#[tokio::test]
async fn a_live_stream_gets_a_part_per_segment_and_old_parts_go() {
    let folder = Folder::new();
    folder.write("master.m3u8", master(&["hi"]));
    live(&folder, 0, 3, false);
    let mut watch = Watch::start(folder.job(&key(1))).await.unwrap();
    let manifest = manifest(&folder);
    assert!(manifest.live && manifest.segments_per_part == 1);
    assert_eq!(signed(&folder, 0, 2), Some(sha256(&segment("hi", 2))), "there at once");

    assert_eq!(watch.poll().await.unwrap().segments, []);
    live(&folder, 2, 4, false);
    assert_eq!(watch.poll().await.unwrap().segments, [(0, 3), (0, 4), (0, 5)]);
    assert_eq!(signed(&folder, 0, 5), Some(sha256(&segment("hi", 5))));
    assert!(signed(&folder, 0, 0).is_some(), "a margin behind the window stays");

    live(&folder, 40, 3, false);
    assert_eq!(watch.poll().await.unwrap().segments.len(), 3);
    assert_eq!(signed(&folder, 0, 5), None);
    let parts = std::fs::read_dir(folder.join("starling")).unwrap().count();
    assert_eq!(parts, 3, "no temporary file and no old part is left");

    live(&folder, 41, 3, true);
    let last = watch.poll().await.unwrap();
    assert_eq!((last.segments, last.ended), (vec![(0, 43)], true));
}

#[tokio::test]
async fn a_live_segment_that_is_late_and_a_playlist_that_is_cut_are_tried_again() {
    let folder = Folder::new();
    folder.write("master.m3u8", master(&["hi"]));
    live(&folder, 0, 1, false);
    let mut watch = Watch::start(folder.job(&key(1))).await.unwrap();
    folder.write("hi/index.m3u8", playlist(0, 2, false));
    assert_eq!(watch.poll().await.unwrap().segments, []);
    folder.write("hi/index.m3u8", "#EXT");
    assert_eq!(watch.poll().await.unwrap().segments, []);
    live(&folder, 0, 2, false);
    assert_eq!(watch.poll().await.unwrap().segments, [(0, 1)]);
}

#[tokio::test]
async fn a_packager_that_starts_again_is_signed_anew() {
    let folder = Folder::new();
    folder.write("master.m3u8", master(&["hi"]));
    live(&folder, 100, 3, false);
    let mut watch = Watch::start(folder.job(&key(1))).await.unwrap();
    live(&folder, 0, 2, false);
    assert_eq!(watch.poll().await.unwrap().segments, [(0, 0), (0, 1)]);
    assert_eq!(signed(&folder, 0, 101), None);
}

#[tokio::test]
async fn watching_never_takes_over_somebody_elses_manifest() {
    let folder = Folder::with_stream(1);
    publish(&folder).await.unwrap();
    live(&folder, 0, 2, false);
    let before = (folder.read("starling.json"), folder.read("starling/0-0.json"));
    let error = Watch::start(folder.job(&key(2))).await.unwrap_err();
    assert_eq!(error.code(), "taken");
    assert_eq!((folder.read("starling.json"), folder.read("starling/0-0.json")), before);
}

/// The real encoder, shorter than the real demo.
#[tokio::test]
async fn the_demo_is_a_stream_of_two_renditions_that_can_be_published() {
    use starling::demo::{Shape, make};
    let folder = Folder::new();
    let demo = folder.join("demo");
    let mut last = 0;
    let shape = Shape { seconds: 8, segment_seconds: 4 };
    make(&demo, shape, &mut |percent| last = percent).await.unwrap();
    assert!(last >= 90, "progress ended at {last} %");
    let mut job = folder.job(&key(1));
    (job.source, job.out) = (Source::folder(&demo), demo.clone());
    let report = whole(&job, &mut |_| ()).await.unwrap();
    let found: Vec<_> =
        report.renditions.iter().map(|r| (r.track, r.playlist.as_str(), r.segments)).collect();
    assert_eq!(found, [(0, "hi/index.m3u8", 2), (1, "lo/index.m3u8", 2)]);
    assert!(report.renditions[0].bytes > 2 * report.renditions[1].bytes);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "the temporary folder is gone");
}
