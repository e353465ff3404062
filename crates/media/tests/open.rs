//! Proves that a manifest or part opens only as its publisher sealed it, and that opening is total.

#![allow(clippy::unwrap_used, reason = "a test's builders may panic like the test itself")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use media::{Manifest, ManifestError, Part, Rendition, SegmentEntry, merkle_proof, merkle_root};
use primitives::{KeyPair, Seed, sha256};
use proptest::prelude::*;
use serde_json::{Value, json};

fn key() -> KeyPair {
    KeyPair::from_seed(Seed::from_number(1))
}

fn entry(number: u8, bytes: usize) -> SegmentEntry {
    SegmentEntry::of(format!("hi/s{number}.m4s"), &vec![number; bytes]).unwrap()
}

fn entries() -> Vec<SegmentEntry> {
    (0..3).map(|number| entry(number, 150_000)).collect()
}

fn part() -> Part {
    Part::new(key().id(), 0, 64, entries())
}

fn manifest() -> Manifest {
    let mut manifest = Manifest::new(key().id(), "master.m3u8".to_owned(), false, 64);
    let leaves: Vec<_> = entries().iter().map(|entry| entry.sha256).collect();
    manifest.renditions.push(Rendition {
        track: 0,
        playlist: "hi/index.m3u8".to_owned(),
        parts: "starling/0-{part}.json".to_owned(),
        root: Some(merkle_root(&leaves)),
        first: 64,
        count: 3,
    });
    manifest
}

/// The payload of a sealed value, as JSON.
fn payload(sealed: &[u8]) -> Value {
    let envelope: Value = serde_json::from_slice(sealed).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// Any JSON in an envelope that `key` signed.
fn sign(header: &Value, payload: &Value, key: &KeyPair) -> Vec<u8> {
    let protected = URL_SAFE_NO_PAD.encode(header.to_string());
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    let signature = URL_SAFE_NO_PAD.encode(key.sign(format!("{protected}.{payload}").as_bytes()));
    json!({ "payload": payload, "protected": protected, "signature": signature })
        .to_string()
        .into_bytes()
}

fn sealed_by_publisher(payload: &Value) -> Vec<u8> {
    sign(&json!({ "alg": "EdDSA" }), payload, &key())
}

#[test]
fn what_was_sealed_opens_as_it_was() {
    assert_eq!(Manifest::open(&manifest().seal(&key())), Ok(manifest()));
    assert_eq!(Part::open(&part().seal(&key()), &key().id()), Ok(part()));
}

#[test]
fn the_payload_is_the_one_the_specification_shows() {
    let payload = payload(&part().seal(&key()));
    assert_eq!(payload["format"], "starling-part-1");
    assert_eq!(payload["publisher"], key().id().to_string());
    assert_eq!(payload["first"], 64);
    let segment = &payload["segments"][0];
    assert_eq!(segment["size_bytes"], 150_000);
    assert_eq!(segment["sha256"], sha256(&[0; 150_000]).to_string());
    let pieces = URL_SAFE_NO_PAD.decode(segment["pieces"].as_str().unwrap()).unwrap();
    assert_eq!(pieces.len(), 3 * 32);
    assert_eq!(&pieces[..32], sha256(&[0; 65_536]).as_bytes());
    assert_eq!(&pieces[64..], sha256(&[0; 150_000 - 2 * 65_536]).as_bytes());
}

/// Every leaf of a JSON value, as the path to it.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| leaves(field, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(i, item)| leaves(item, &format!("{at}/{i}"), found));
        }
        _ => found.push(at.to_owned()),
    }
}

/// A value of the same type that is not `value`.
fn another(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => json!(!flag),
        Value::Number(number) => json!(number.as_u64().unwrap() + 1),
        Value::String(text) => {
            let end = if text.ends_with('0') { '1' } else { '0' };
            json!(format!("{}{end}", &text[..text.len() - 1]))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => unreachable!("not a leaf"),
    }
}

/// Puts a changed payload under the old signature, one leaf at a time.
fn check_tampering(sealed: &[u8], fields: usize, open: impl Fn(&[u8]) -> Option<ManifestError>) {
    let original = payload(sealed);
    let mut paths = Vec::new();
    leaves(&original, "", &mut paths);
    assert_eq!(paths.len(), fields, "{paths:?}");
    for path in paths {
        let mut changed = original.clone();
        let leaf = changed.pointer_mut(&path).unwrap();
        *leaf = another(leaf);
        let mut envelope: Value = serde_json::from_slice(sealed).unwrap();
        envelope["payload"] = json!(URL_SAFE_NO_PAD.encode(changed.to_string()));
        let error = open(envelope.to_string().as_bytes());
        let expected = match path.as_str() {
            "/format" => matches!(error, Some(ManifestError::Payload)),
            "/publisher" => {
                matches!(error, Some(ManifestError::Publisher { .. } | ManifestError::Signature))
            }
            _ => error == Some(ManifestError::Signature),
        };
        assert!(expected, "{path}: {error:?}");
    }
}

#[test]
fn no_field_can_be_changed_under_the_signature() {
    check_tampering(&manifest().seal(&key()), 12, |bytes| Manifest::open(bytes).err());
    check_tampering(&part().seal(&key()), 4 + 3 * 4, |bytes| Part::open(bytes, &key().id()).err());
}

#[test]
fn no_byte_can_be_changed_in_the_envelope() {
    let sealed = manifest().seal(&key());
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert!(Manifest::open(&changed).is_err(), "byte {index}");
    }
}

#[test]
fn only_the_publisher_signs_for_itself() {
    let other = KeyPair::from_seed(Seed::from_number(2));
    let stolen = sign(&json!({ "alg": "EdDSA" }), &payload(&manifest().seal(&key())), &other);
    assert_eq!(Manifest::open(&stolen), Err(ManifestError::Signature));
    let expected = other.id();
    let found = key().id();
    let error = Part::open(&part().seal(&key()), &expected);
    assert_eq!(error, Err(ManifestError::Publisher { expected, found }));
}

#[test]
fn a_header_of_another_algorithm_or_with_extensions_is_refused() {
    let body = payload(&manifest().seal(&key()));
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "EdDSA", "crit": ["b64"], "b64": false }),
        json!({ "alg": "EdDSA", "b64": false }),
    ] {
        let error = Manifest::open(&sign(&header, &body, &key()));
        assert_eq!(error, Err(ManifestError::Algorithm), "{header}");
    }
    let with_key_id = json!({ "alg": "EdDSA", "kid": "anything" });
    assert_eq!(Manifest::open(&sign(&with_key_id, &body, &key())), Ok(manifest()));
}

#[test]
fn a_manifest_is_not_a_part() {
    let error = Part::open(&manifest().seal(&key()), &key().id());
    assert_eq!(error, Err(ManifestError::Payload));
    assert_eq!(Manifest::open(&part().seal(&key())), Err(ManifestError::Payload));
}

/// Sets one field of a good payload to a value outside its bounds and signs it properly.
fn check_bound<T>(
    sealed: &[u8],
    (path, value): (&str, Value),
    field: &'static str,
    open: impl Fn(&[u8]) -> Result<T, ManifestError>,
) {
    let mut changed = payload(sealed);
    match (path, changed.pointer_mut(path)) {
        // The only field that is left out when it is empty.
        ("/proof", _) => changed["proof"] = value,
        (_, found) => *found.unwrap() = value,
    }
    let error = open(&sealed_by_publisher(&changed)).err();
    assert_eq!(error, Some(ManifestError::Field(field)), "{path}");
}

#[test]
fn a_publisher_cannot_leave_the_bounds_of_a_manifest() {
    let sealed = manifest().seal(&key());
    let rendition = payload(&sealed)["renditions"][0].clone();
    let same_track = json!([rendition, rendition]);
    for (change, field) in [
        (("/playlist", json!("../master.m3u8")), "playlist"),
        (("/piece_bytes", json!(1)), "piece_bytes"),
        (("/segments_per_part", json!(0)), "segments_per_part"),
        (("/segments_per_part", json!(257)), "segments_per_part"),
        (("/live", json!(true)), "segments_per_part"),
        (("/renditions", json!(vec![rendition; 65])), "renditions"),
        (("/renditions", same_track), "track"),
        (("/renditions/0/track", json!(64)), "track"),
        (("/renditions/0/playlist", json!("https://host/a.m3u8")), "playlist"),
        (("/renditions/0/parts", json!("starling/0.json")), "parts"),
        (("/renditions/0/parts", json!("{part}/{part}.json")), "parts"),
        (("/renditions/0/parts", json!("/{part}.json")), "parts"),
        (("/renditions/0/root", Value::Null), "root"),
        (("/renditions/0/count", json!(0)), "count"),
        (("/renditions/0/first", json!(u32::MAX)), "count"),
    ] {
        check_bound(&sealed, change, field, Manifest::open);
    }
}

#[test]
fn a_publisher_cannot_leave_the_bounds_of_a_part() {
    let sealed = part().seal(&key());
    let segment = payload(&sealed)["segments"][0].clone();
    let one_piece = URL_SAFE_NO_PAD.encode([0; 32]);
    for (change, field) in [
        (("/segments", json!([])), "segments"),
        (("/segments", json!(vec![segment; 257])), "segments"),
        (("/track", json!(64)), "track"),
        (("/first", json!(u32::MAX)), "first"),
        (("/proof", json!(URL_SAFE_NO_PAD.encode([0; 65 * 32]))), "proof"),
        (("/segments/1/uri", json!("/etc/passwd")), "uri"),
        (("/segments/1/size_bytes", json!(0)), "size_bytes"),
        (("/segments/1/size_bytes", json!((64 << 20) + 1)), "size_bytes"),
        (("/segments/1/size_bytes", json!(3 * 65_536 + 1)), "pieces"),
        (("/segments/1/pieces", json!(one_piece)), "pieces"),
    ] {
        check_bound(&sealed, change, field, |bytes| Part::open(bytes, &key().id()));
    }
    let mut single = payload(&sealed);
    single["segments"][0]["size_bytes"] = json!(65_536);
    single["segments"][0]["pieces"] = json!(one_piece);
    let error = Part::open(&sealed_by_publisher(&single), &key().id());
    assert_eq!(error, Err(ManifestError::Field("pieces")), "one piece is the segment");
}

#[test]
fn too_many_bytes_are_not_even_read() {
    let bytes = vec![b' '; media::limits::MANIFEST_BYTES_MAX + 1];
    let limit = media::limits::MANIFEST_BYTES_MAX;
    let error = ManifestError::TooLarge { bytes: bytes.len(), limit };
    assert_eq!(Manifest::open(&bytes), Err(error));
}

#[test]
fn the_largest_manifest_fits() {
    let mut largest = manifest();
    let long = "a".repeat(media::limits::PATH_BYTES_MAX);
    let parts = format!("{}{{part}}", &long[10..]);
    let template = Rendition { playlist: long, parts, ..largest.renditions[0].clone() };
    largest.renditions = (0..media::limits::RENDITIONS_MAX)
        .map(|track| Rendition { track, ..template.clone() })
        .collect();
    assert_eq!(Manifest::open(&largest.seal(&key())), Ok(largest));
}

#[test]
fn a_part_is_found_by_segment_and_holds_only_that_part() {
    let manifest = manifest();
    assert_eq!(manifest.part_of(63), 0);
    assert_eq!(manifest.part_of(64), 1);
    assert_eq!(manifest.rendition(0).unwrap().part_url(1), "starling/0-1.json");
    let sealed = part().seal(&key());
    let opened = manifest.open_part(0, 1, &sealed).unwrap();
    assert_eq!(opened.segment(66), Some(&entries()[2]));
    assert_eq!(opened.segment(67), None);
    assert_eq!(opened.segment(63), None);
    assert_eq!(manifest.open_part(0, 0, &sealed), Err(ManifestError::OtherPart));
    assert_eq!(manifest.open_part(1, 1, &sealed), Err(ManifestError::OtherPart));
    let overlapping = Part::new(key().id(), 0, 63, entries()).seal(&key());
    assert_eq!(manifest.open_part(0, 0, &overlapping), Err(ManifestError::OtherPart));
}

/// Three parts of two, from number 2 on: sequence numbers 5 to 9, so that the first holds one.
#[test]
fn a_part_of_another_cut_is_refused_though_the_same_publisher_signed_it() {
    let cut = |shift: u8| -> Vec<SegmentEntry> {
        (0..5).map(|number| entry(number + shift, 1000)).collect()
    };
    let leaves = |cut: &[SegmentEntry]| cut.iter().map(|entry| entry.sha256).collect::<Vec<_>>();
    let part = |cut: &[SegmentEntry], range: core::ops::Range<usize>| {
        let first = 5 + u32::try_from(range.start).unwrap();
        let mut part = Part::new(key().id(), 0, first, cut[range.clone()].to_vec());
        part.proof = merkle_proof(&leaves(cut), range);
        part.seal(&key())
    };
    let (new, old) = (cut(0), cut(100));
    let mut manifest = manifest();
    manifest.segments_per_part = 2;
    manifest.renditions[0] = Rendition {
        root: Some(merkle_root(&leaves(&new))),
        first: 5,
        count: 5,
        ..manifest.renditions[0].clone()
    };
    assert_eq!(manifest.check(), Ok(()));
    for (number, range) in [(2, 0..1), (3, 1..3), (4, 3..5)] {
        assert!(manifest.open_part(0, number, &part(&new, range.clone())).is_ok(), "part {number}");
        let error = manifest.open_part(0, number, &part(&old, range.clone()));
        assert_eq!(error, Err(ManifestError::OtherPart), "part {number}");
        let first = 5 + u32::try_from(range.start).unwrap();
        let bare = Part::new(key().id(), 0, first, new[range].to_vec()).seal(&key());
        assert_eq!(manifest.open_part(0, number, &bare), Err(ManifestError::OtherPart));
    }
}

#[test]
fn an_entry_has_one_digest_per_piece_and_none_is_empty() {
    assert_eq!(entry(1, 65_536).pieces.len(), 1);
    assert_eq!(entry(1, 65_537).pieces.len(), 2);
    assert_eq!(SegmentEntry::of("a".to_owned(), b""), None);
}

/// JSON of any shape, with the names and values the formats use among others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z0-9/.%{}-]{0,70}".prop_map(Value::from),
        Just(json!(key().id().to_string())),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let name =
            prop_oneof!["[a-z_]{1,12}", Just("segments".to_owned()), Just("root".to_owned())];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

/// A good payload with one of its values replaced by any JSON.
fn spoiled(sealed: &[u8], at: usize, by: Value) -> Value {
    let mut changed = payload(sealed);
    let mut paths = Vec::new();
    leaves(&changed, "", &mut paths);
    let path = &paths[at % paths.len()];
    *changed.pointer_mut(path).unwrap() = by;
    changed
}

proptest! {
    #[test]
    fn opening_any_bytes_is_total(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Manifest::open(&bytes).is_err());
        prop_assert!(Part::open(&bytes, &key().id()).is_err());
    }

    #[test]
    fn opening_any_signed_json_is_total_and_keeps_the_bounds(at in 0_usize..32, by in any_json()) {
        let changed = spoiled(&manifest().seal(&key()), at, by.clone());
        if let Ok(manifest) = Manifest::open(&sealed_by_publisher(&changed)) {
            prop_assert_eq!(manifest.check(), Ok(()));
        }
        let changed = spoiled(&part().seal(&key()), at, by);
        if let Ok(part) = Part::open(&sealed_by_publisher(&changed), &key().id()) {
            prop_assert_eq!(part.check(), Ok(()));
        }
    }

    #[test]
    fn a_part_of_any_segments_survives(
        first in 0_u32..1_000_000,
        sizes in proptest::collection::vec(1_usize..200_000, 1..6),
    ) {
        let segments = (0..).zip(&sizes).map(|(number, bytes)| entry(number, *bytes)).collect();
        let part = Part::new(key().id(), 3, first, segments);
        prop_assert_eq!(Part::open(&part.seal(&key()), &key().id()), Ok(part));
    }
}
