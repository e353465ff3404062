//! Signed manifests and their parts. Besides raw bytes, the bytes are sealed as a payload by a key of
//! ours: a publisher may be hostile too, and nothing behind the signature would be reached otherwise.

use media::{Manifest, Part, Rendition, SegmentEntry, is_safe_path, merkle_root};
use primitives::{KeyPair, Seed};

/// Opens the bytes as they are; what opens must keep its own laws.
pub fn run(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::open(bytes) {
        check_manifest(&manifest);
    }
    let _ = Part::open(bytes, &key().id()).map(|part| check_part(&part));
    // The same as a publisher's own text, through the types: mutated fields, a good signature.
    if let Ok(manifest) = serde_json::from_slice::<Manifest>(bytes) {
        if let Ok(opened) = Manifest::open(&manifest.seal(&key())) {
            check_manifest(&opened);
        }
    }
    if let Ok(part) = serde_json::from_slice::<Part>(bytes) {
        let sealed = part.seal(&key());
        if let Ok(opened) = Part::open(&sealed, &key().id()) {
            check_part(&opened);
        }
        if let Ok(opened) = manifest().open_part(0, 0, &sealed) {
            let digests: Vec<_> = opened.segments.iter().map(|segment| segment.sha256).collect();
            assert_eq!(digests, [entry().sha256], "a part that is not under the root");
        }
    }
}

fn check_manifest(manifest: &Manifest) {
    for rendition in &manifest.renditions {
        for number in [0, 1, manifest.part_of(u32::MAX)] {
            assert!(is_safe_path(&rendition.part_url(number)), "a part outside its folder");
        }
        assert!(manifest.rendition(rendition.track).is_some());
    }
}

fn check_part(part: &Part) {
    let last = part.last().expect("an opened part has segments");
    assert!(part.segment(part.first).is_some() && part.segment(last).is_some());
    assert!(last.checked_add(1).is_none_or(|next| part.segment(next).is_none()));
}

fn key() -> KeyPair {
    KeyPair::from_seed(Seed::new([2; 32]))
}

/// The one segment of the stream.
fn entry() -> SegmentEntry {
    SegmentEntry::of("hi/s000.m4s".to_owned(), &[5; 70_000]).expect("it has bytes")
}

fn manifest() -> Manifest {
    let mut manifest = Manifest::new(key().id(), "master.m3u8".to_owned(), false, 64);
    manifest.renditions.push(Rendition {
        track: 0,
        playlist: "hi/index.m3u8".to_owned(),
        parts: "starling/0-{part}.json".to_owned(),
        root: Some(merkle_root(&[entry().sha256])),
        first: 0,
        count: 1,
    });
    manifest
}

/// A manifest and a part, sealed and bare.
pub fn seeds() -> Vec<Vec<u8>> {
    let manifest = manifest();
    let part = Part::new(key().id(), 0, 0, vec![entry()]);
    let bare = [serde_json::to_vec(&manifest), serde_json::to_vec(&part)];
    let bare = bare.map(|json| json.expect("both have a JSON form"));
    [manifest.seal(&key()), part.seal(&key())].into_iter().chain(bare).collect()
}
