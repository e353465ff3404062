//! What files are called, as other programs call them, and the frozen bytes of shares.
//!
//! `cid_vectors_open.json` comes from npm `ipfs-unixfs-importer` and crate `rust-unixfs`, which agree.
//! `share.json` is ours: a vector changes only by a reviewed decision, noted in the changelog under
//! **Formats**: `UPDATE_VECTORS=1` writes them anew.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{convert::Infallible, fmt::Write as _, fs, path::PathBuf};

use aes::cipher::{KeyIvInit as _, StreamCipher as _};
use content::{
    Cid, Codec, Draft, Profile,
    build::{Build as _, FileBuilder},
    car,
    share::{
        Cipher, EntryKind, PasswordCost, PasswordLock, Purpose, Sealer, Secret, ShareEntry,
        ShareKey, ShareLink, ShareManifest,
    },
};
use serde_json::{Value, json};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conformance/vectors").join(name)
}

fn read(name: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(&fs::read_to_string(file(name)).unwrap()).unwrap();
    document["vectors"].as_array().unwrap().clone()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// The name of `bytes` cut at `cut` bytes, which must change nothing.
fn name(profile: Profile, bytes: &[u8], cut: usize) -> Cid {
    let mut builder = FileBuilder::new(profile);
    for mut rest in bytes.chunks(cut) {
        while !rest.is_empty() {
            rest = &rest[builder.push(rest)..];
            builder.drain(|_| Ok::<_, Infallible>(())).unwrap();
        }
    }
    builder.finish();
    builder.drain(|_| Ok::<_, Infallible>(())).unwrap();
    builder.entry().unwrap().cid
}

#[test]
fn files_are_called_what_ipfs_calls_them() {
    let vectors = read("cid_vectors_open.json");
    assert_eq!(vectors.len(), 54);
    let longest = vectors.iter().filter_map(|vector| vector["size"].as_u64()).max().unwrap();
    let mut input = vec![0; usize::try_from(longest).unwrap()];
    let mut keystream = ctr::Ctr128BE::<aes::Aes128>::new(&[0; 16].into(), &[0; 16].into());
    keystream.apply_keystream(&mut input);
    for vector in vectors {
        let profile = Profile::by_name(vector["profile"].as_str().unwrap()).unwrap();
        let bytes = match vector["size"].as_u64() {
            Some(size) => &input[..usize::try_from(size).unwrap()],
            None => vector["utf8"].as_str().unwrap().as_bytes(),
        };
        let expected = vector["cid"].as_str().unwrap();
        assert_eq!(name(profile, bytes, 1 << 16).to_string(), expected, "{}", vector["id"]);
    }
}

fn key() -> ShareKey {
    ShareKey::new(std::array::from_fn(|at| u8::try_from(at).unwrap()))
}

fn root() -> Cid {
    Cid::of(Codec::Raw, b"hello world")
}

fn lock() -> PasswordLock {
    let cost = PasswordCost { memory_mib: 8, passes: 1 };
    PasswordLock::new(&key(), "correct horse battery staple", [7; 16], cost).unwrap()
}

fn manifest() -> ShareManifest {
    let profile = Profile::default().name().to_owned();
    let name = "Ferien 🏖".to_owned();
    let mut manifest = ShareManifest::new(name, root(), Cipher::XChaCha20Poly1305, profile);
    manifest.expires_at_s = Some(1_893_456_000);
    let entry = |path: &str, kind, size_bytes, media_type: Option<&str>| ShareEntry {
        path: path.to_owned(),
        kind,
        cid: Cid::of(Codec::Raw, path.as_bytes()),
        size_bytes,
        media_type: media_type.map(str::to_owned),
    };
    manifest.entries = vec![
        entry("film.mp4", EntryKind::File, 4_294_967_297, Some("video/mp4")),
        entry("notes", EntryKind::Folder, 0, None),
        entry("notes/latest", EntryKind::Symlink, 0, None),
        entry("notes/today.txt", EntryKind::File, 11, None),
    ];
    manifest
}

fn sealed(purpose: Purpose, count: u64) -> Draft {
    let draft = Draft { codec: Codec::Raw, bytes: b"hello world".to_vec() };
    Sealer::resume(key(), [0xa5; 16], count).seal(draft, purpose)
}

fn links() -> Vec<(&'static str, ShareLink)> {
    let mut public = ShareLink::public(root());
    public.name = Some("hello world.txt".to_owned());
    let mut expiring = ShareLink::new(root(), Secret::Key(key()));
    expiring.expires_at_s = Some(1_893_456_000);
    let password = ShareLink::new(root(), Secret::Password(lock()));
    vec![("public", public), ("key", expiring), ("password", password)]
}

#[test]
fn shares_are_the_frozen_bytes() {
    let block = |name: &str, purpose, count| {
        let bytes = sealed(purpose, count).bytes;
        json!({ "kind": "share-block", "name": name, "bytes": hex(&bytes),
                "cid": Cid::of(Codec::Raw, &bytes).to_string() })
    };
    let manifest = manifest();
    let mut found = vec![
        json!({ "kind": "share-manifest", "name": "folder", "cbor": hex(&manifest.encode().unwrap()) }),
        block("content", Purpose::Content, 0),
        block("manifest", Purpose::Manifest, 258),
        json!({ "kind": "car-header", "name": "one root", "bytes": hex(&car::header(&[root()])) }),
    ];
    let link = |(name, link): (&str, ShareLink)| json!({ "kind": "share-link", "name": name, "text": link.to_string() });
    found.extend(links().into_iter().map(link));
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&json!({ "vectors": found })).unwrap() + "\n";
        fs::write(file("share.json"), text).unwrap();
    }
    assert_eq!(read("share.json"), found);
}

#[test]
fn the_frozen_bytes_of_shares_are_read() {
    let vectors = read("share.json");
    let of = |kind: &str, field: &str| -> Vec<String> {
        let of_kind = vectors.iter().filter(|vector| vector["kind"] == kind);
        of_kind.map(|vector| vector[field].as_str().unwrap().to_owned()).collect()
    };
    let cbor = unhex(&of("share-manifest", "cbor")[0]);
    assert_eq!(ShareManifest::decode(&cbor), Ok(manifest()));
    let texts = of("share-link", "text");
    for (text, (name, link)) in texts.iter().zip(links()) {
        assert_eq!(text.parse(), Ok(link), "{name}");
    }
    let bytes = unhex(&of("share-block", "bytes")[0]);
    let block = Draft { codec: Codec::Raw, bytes }.hash();
    assert_eq!(block.cid().to_string(), of("share-block", "cid")[0]);
    assert_eq!(key().open(&block, Purpose::Content).unwrap().bytes(), b"hello world");
    assert_eq!(lock().open("correct horse battery staple"), Ok(key()));
}
