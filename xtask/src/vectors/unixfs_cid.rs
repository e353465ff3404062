//! Kind `unixfs-cid`: what some bytes are called as a UnixFS file of a profile.
//!
//! `profile` names it; `cid` is what is expected; the bytes are `utf8`, or the first `size` bytes of the
//! keystream of AES-128 in counter mode with a key and a counter of zeros.

use std::convert::Infallible;

use aes::{
    Aes128,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use content::{
    Cid, Profile,
    build::{Build as _, FileBuilder},
};
use serde_json::Value;

type Keystream = ctr::Ctr128BE<Aes128>;

/// Largest input, in bytes: above it a vector is a mistake.
const SIZE_MAX: u64 = 1 << 33;
/// Bytes made at once.
const STEP: u64 = 1 << 20;

/// Builds the file and compares its name.
pub(super) fn check(vector: &Value) -> Result<(), String> {
    let profile = text(vector, "profile")?;
    let profile =
        Profile::by_name(profile).ok_or_else(|| format!("unknown profile {profile:?}"))?;
    let expected: Cid =
        text(vector, "cid")?.parse().map_err(|error| format!("its cid: {error}"))?;
    let found = match (vector.get("utf8").and_then(Value::as_str), vector["size"].as_u64()) {
        (Some(utf8), None) => build(profile, |builder| push(builder, utf8.as_bytes())),
        (None, Some(size)) if size <= SIZE_MAX => {
            build(profile, |builder| keystream(builder, size))
        }
        _ => return Err(format!("expected utf8, or a size of at most {SIZE_MAX} bytes")),
    };
    if found == expected { Ok(()) } else { Err(format!("expected {expected}, found {found}")) }
}

fn text<'v>(vector: &'v Value, field: &str) -> Result<&'v str, String> {
    vector.get(field).and_then(Value::as_str).ok_or_else(|| format!("it has no {field}"))
}

fn build(profile: Profile, input: impl FnOnce(&mut FileBuilder)) -> Cid {
    let mut builder = FileBuilder::new(profile);
    input(&mut builder);
    builder.finish();
    drain(&mut builder);
    builder.entry().expect("a finished builder has an entry").cid
}

fn push(builder: &mut FileBuilder, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        rest = &rest[builder.push(rest)..];
        drain(builder);
    }
}

fn keystream(builder: &mut FileBuilder, size: u64) {
    let mut cipher = Keystream::new(&[0; 16].into(), &[0; 16].into());
    let mut left = size;
    while left > 0 {
        let step = left.min(STEP);
        left -= step;
        let mut bytes = vec![0; usize::try_from(step).expect("a step is small")];
        cipher.apply_keystream(&mut bytes);
        push(builder, &bytes);
    }
}

fn drain(builder: &mut FileBuilder) {
    builder.drain(|_| Ok::<(), Infallible>(())).unwrap_or_else(|never| match never {});
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_vector_passes_or_says_what_was_found() {
        let cid = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
        let vector = |text| json!({ "profile": "kubo", "utf8": text, "cid": cid });
        assert_eq!(check(&vector("hello world")), Ok(()));
        let found = Cid::of(content::Codec::Raw, b"hello");
        assert_eq!(check(&vector("hello")), Err(format!("expected {cid}, found {found}")));
        let vector = json!({ "profile": "none", "size": 1, "cid": cid });
        assert_eq!(check(&vector), Err("unknown profile \"none\"".to_owned()));
        let vector = json!({ "profile": "kubo", "cid": cid });
        assert!(check(&vector).unwrap_err().starts_with("expected utf8"));
    }
}
