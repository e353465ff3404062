use proptest::prelude::*;

use super::*;
use crate::{
    Block, Candidate, Cid, Codec, Draft, Mismatch, NameError, Profile,
    build::{Build, Entry, FileBuilder},
    read::FileReader,
    store::{BlockStore as _, MemoryStore},
};

const CHEAP: PasswordCost = PasswordCost { memory_mib: 1, passes: 1 };

fn key(number: u8) -> ShareKey {
    ShareKey::new([number; 32])
}

fn draft(bytes: &[u8]) -> Draft {
    Draft { codec: Codec::Raw, bytes: bytes.to_vec() }
}

fn seal(bytes: &[u8]) -> Block {
    Sealer::new(key(1), [2; 16]).seal(draft(bytes), Purpose::Content).hash()
}

/// A sealed file, as a sender makes it.
fn add_sealed(bytes: &[u8], sealer: &mut Sealer, store: &mut MemoryStore) -> Entry {
    let mut builder = FileBuilder::new(Profile::SWEEP);
    let mut rest = bytes;
    while builder.entry().is_none() {
        rest = &rest[builder.push(rest)..];
        if rest.is_empty() {
            builder.finish();
        }
        while let Some(draft) = builder.next_draft() {
            let block = sealer.seal(draft, Purpose::Content).hash();
            builder.name(block.cid(), block.bytes().len());
            store.put(&block).unwrap();
        }
    }
    builder.entry().unwrap()
}

proptest! {
    #[test]
    fn a_sealed_file_reads_back_with_its_key(bytes in proptest::collection::vec(any::<u8>(), 0..800)) {
        let mut store = MemoryStore::new();
        let entry = add_sealed(&bytes, &mut Sealer::new(key(1), [9; 16]), &mut store);
        // Nothing tells links from bytes to who has no key.
        prop_assert!(store.cids().all(|cid| cid.codec() == Codec::Raw));
        prop_assert_eq!(entry.content_bytes, u64::try_from(bytes.len()).unwrap());
        let mut reader = FileReader::new(entry.cid, 1000);
        let mut found = Vec::new();
        while !reader.is_done() {
            for cid in reader.wanted(3) {
                let block = store.get(&cid).unwrap().unwrap().verify().unwrap();
                let _ = reader.put(&key(1).open(&block, Purpose::Content).unwrap());
            }
            while let Some(part) = reader.next_part() {
                found.extend(part.bytes);
            }
        }
        prop_assert_eq!(found, bytes);
    }

    #[test]
    fn a_changed_bit_of_a_sealed_block_is_refused_twice(
        bytes in proptest::collection::vec(any::<u8>(), 0..100),
        bit in any::<proptest::sample::Index>(),
    ) {
        let block = seal(&bytes);
        let mut changed = block.bytes().to_vec();
        let bit = bit.index(changed.len() * 8);
        changed[bit / 8] ^= 1 << (bit % 8);
        let cid = block.cid();
        let claim = Candidate { cid, bytes: changed.clone() };
        prop_assert_eq!(claim.verify(), Err(Mismatch::Digest { cid }));
        // Even under a name of its own it does not open.
        let own = draft(&changed).hash();
        prop_assert!(key(1).open(&own, Purpose::Content).is_err());
    }

    #[test]
    fn any_bytes_are_a_manifest_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = ShareManifest::decode(&bytes);
        let _ = PasswordLock::from_bytes(&bytes);
    }

    #[test]
    fn a_changed_manifest_is_another_one_or_an_error(
        at in any::<proptest::sample::Index>(),
        to in any::<u8>(),
    ) {
        let mut bytes = manifest().encode().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = to;
        if let Ok(read) = ShareManifest::decode(&bytes) {
            prop_assert_eq!(ShareManifest::decode(&read.encode().unwrap()), Ok(read));
        }
    }

    #[test]
    fn any_text_is_a_link_or_an_error(text in "(#/get/)?[a-z0-9?&=%#/]{0,80}") {
        let _ = text.parse::<ShareLink>();
    }

    #[test]
    fn a_link_survives_its_text(
        secret in 0..3, expires_at_s in any::<Option<u64>>(), name in proptest::option::of("[a-zä% &#?=]{1,20}x"),
    ) {
        let secret = match secret {
            0 => Secret::Public,
            1 => Secret::Key(key(7)),
            _ => Secret::Password(lock()),
        };
        let name = name.filter(|_| secret == Secret::Public);
        let link = ShareLink { cid: root(), secret, expires_at_s, name };
        for before in ["", "https://host/", "https://host/app/?x=1"] {
            prop_assert_eq!(&format!("{before}{link}").parse(), &Ok(link.clone()));
        }
        prop_assert_eq!(link.to_string()[1..].parse(), Ok(link));
    }
}

fn root() -> Cid {
    Cid::of(Codec::Raw, b"root")
}

fn lock() -> PasswordLock {
    static LOCK: std::sync::LazyLock<PasswordLock> = std::sync::LazyLock::new(|| {
        PasswordLock::new(&key(7), "correct horse", [3; 16], CHEAP).unwrap()
    });
    LOCK.clone()
}

fn manifest() -> ShareManifest {
    let entry = |path: &str, kind, size_bytes, media_type: Option<&str>| ShareEntry {
        path: path.to_owned(),
        kind,
        cid: Cid::of(Codec::Raw, path.as_bytes()),
        size_bytes,
        media_type: media_type.map(str::to_owned),
    };
    let profile = Profile::default().name().to_owned();
    let mut manifest =
        ShareManifest::new("Holiday".to_owned(), root(), Cipher::XChaCha20Poly1305, profile);
    manifest.expires_at_s = Some(1_800_000_000);
    manifest.entries = vec![
        entry("a.mp4", EntryKind::File, 4 << 30, Some("video/mp4")),
        entry("d", EntryKind::Folder, 0, None),
        entry("d/link", EntryKind::Symlink, 0, None),
    ];
    manifest
}

#[test]
fn a_nonce_is_never_used_twice() {
    let mut sealer = Sealer::new(key(1), [2; 16]);
    let mut seal = || sealer.seal(draft(b"same"), Purpose::Content).bytes;
    let nonces: std::collections::BTreeSet<_> = (0..1000).map(|_| seal()[1..25].to_vec()).collect();
    assert_eq!(nonces.len(), 1000);
    assert_eq!(sealer.count(), 1000);
    // The same place of another run, and the same place of the same run, made again.
    let at_0 = |run| Sealer::new(key(1), run).seal(draft(b"same"), Purpose::Content);
    assert_ne!(at_0([3; 16]).bytes[..25], at_0([2; 16]).bytes[..25]);
    let mut again = Sealer::resume(key(1), [2; 16], 999);
    assert!(nonces.contains(&again.seal(draft(b"same"), Purpose::Content).bytes[1..25]));
}

#[test]
fn a_sealed_block_opens_with_its_key_for_its_purpose_only() {
    let block = seal(b"text");
    assert_eq!(key(1).open(&block, Purpose::Content).unwrap().bytes(), b"text");
    assert_eq!(key(2).open(&block, Purpose::Content), Err(OpenError::Key));
    assert_eq!(key(1).open(&block, Purpose::Manifest), Err(OpenError::Key));
    for wrong in [&b""[..], b"\x01short", b"plain text that nobody sealed, long enough for all"] {
        assert_eq!(key(1).open(&draft(wrong).hash(), Purpose::Content), Err(OpenError::Form));
    }
}

#[test]
fn a_password_opens_and_another_says_so() {
    let lock = lock();
    assert_eq!(lock.open("correct horse"), Ok(key(7)));
    assert_eq!(lock.open("wrong horse"), Err(PasswordError::Wrong));
    assert_eq!(lock.open(""), Err(PasswordError::Length { bytes: 0 }));
    assert_eq!(PasswordLock::from_bytes(lock.as_bytes()), Ok(lock.clone()));
    let changed = |at: usize, to| {
        let mut bytes = lock.as_bytes().to_vec();
        bytes[at] = to;
        PasswordLock::from_bytes(&bytes)
    };
    // A link can't make a visitor's tab take a gigabyte or forever.
    assert_eq!(changed(1, 129), Err(PasswordError::Cost));
    assert_eq!(changed(2, 11), Err(PasswordError::Cost));
    assert_eq!(changed(2, 0), Err(PasswordError::Cost));
    assert_eq!(changed(0, 2), Err(PasswordError::Form));
    // A cheaper lock than was made is another key.
    assert_eq!(changed(2, 2).unwrap().open("correct horse"), Err(PasswordError::Wrong));
}

#[test]
fn a_manifest_survives_its_bytes() {
    let manifest = manifest();
    assert_eq!(ShareManifest::decode(&manifest.encode().unwrap()), Ok(manifest.clone()));
    assert_eq!(manifest.total_bytes(), 4 << 30);
    assert!(!manifest.is_expired(1_799_999_999) && manifest.is_expired(1_800_000_000));
}

#[test]
fn a_manifest_outside_its_bounds_is_refused() {
    let check = |change: fn(&mut ShareManifest)| {
        let mut changed = manifest();
        change(&mut changed);
        let bytes = minicbor::to_vec(&changed).unwrap();
        assert_eq!(changed.encode().err(), ShareManifest::decode(&bytes).err());
        changed.encode().unwrap_err()
    };
    assert_eq!(check(|m| m.name = "a/b".to_owned()), ManifestError::Name(NameError::Separator));
    assert_eq!(check(|m| m.entries.swap(0, 1)), ManifestError::Order);
    assert_eq!(check(|m| drop(m.entries.remove(1))), ManifestError::Order);
    assert_eq!(
        check(|m| m.entries[0].path.insert_str(0, "../")),
        ManifestError::Name(NameError::Dots)
    );
    assert_eq!(check(|m| m.entries[1].size_bytes = 1), ManifestError::Field("size_bytes"));
    assert_eq!(check(|m| m.profile = "x".repeat(65)), ManifestError::Field("profile"));
    let text = "text/html; charset=x".to_owned();
    let mut changed = manifest();
    changed.entries[0].media_type = Some(text);
    assert_eq!(changed.encode(), Err(ManifestError::Field("media_type")));
    let mut bytes = manifest().encode().unwrap();
    bytes[1] = 2;
    assert_eq!(ShareManifest::decode(&bytes), Err(ManifestError::Version(2)));
    bytes[1] = 1;
    bytes.push(0);
    assert_eq!(ShareManifest::decode(&bytes), Err(ManifestError::Malformed));
}

#[test]
fn a_damaged_link_says_what_is_wrong() {
    let cid = root();
    let parse = |text: &str| format!("#/get/{cid}{text}").parse::<ShareLink>().unwrap_err();
    let k = "k=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    assert_eq!(parse(&format!("?{}", &k[..40])), LinkError::Key);
    assert_eq!(parse(&format!("?{k}&{k}")), LinkError::Parameter("k".to_owned()));
    assert_eq!(parse(&format!("?{k}&n=a")), LinkError::Mixed);
    assert_eq!(parse("?z=1"), LinkError::Parameter("z".to_owned()));
    assert_eq!(parse("?k"), LinkError::Parameter("k".to_owned()));
    assert_eq!(parse("?"), LinkError::Parameter(String::new()));
    assert_eq!(parse("?x=-1"), LinkError::Expiry);
    assert_eq!(parse("?x=01"), LinkError::Expiry);
    assert_eq!(parse("?n=%2e%2e"), LinkError::Name(NameError::Dots));
    assert_eq!(parse("?n=%zz"), LinkError::NameForm);
    assert_eq!(parse("?p=AQ"), LinkError::Password(PasswordError::Form));
    assert_eq!(parse("x"), LinkError::Cid(crate::CidError::Malformed));
    for text in ["", "#", "hello", "https://host/", "#/other/x"] {
        assert_eq!(text.parse::<ShareLink>(), Err(LinkError::NotALink), "{text}");
    }
    let long = "a".repeat(5000);
    assert_eq!(long.parse::<ShareLink>(), Err(LinkError::TooLong { bytes: 5000 }));
}
