//! The tree takes and refuses what serde's derived reader does.

use super::*;

/// One of each kind of field, read by serde's own derive.
#[derive(Debug, PartialEq, Deserialize)]
struct Derived {
    count: u32,
    track: u16,
    live: bool,
    name: String,
    swarm: SwarmId,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    urls: Vec<String>,
}

/// The same by the tree.
fn by_tree(text: &str) -> Option<Derived> {
    let mut fields = Fields::of(Json::read(text.as_bytes())?).ok()?;
    Some(Derived {
        count: fields.take("count").ok()?,
        track: fields.take("track").ok()?,
        live: fields.take("live").ok()?,
        name: fields.take("name").ok()?,
        swarm: fields.take("swarm").ok()?,
        region: fields.take("region").ok()?,
        urls: fields.take_or_default("urls").ok()?,
    })
}

const FIELDS: [&str; 7] = ["count", "track", "live", "name", "swarm", "region", "urls"];

/// Values right for some fields and wrong for others.
fn values() -> Vec<String> {
    let plain = [
        "0",
        "-0",
        "-1",
        "1.0",
        "1e2",
        "65535",
        "65536",
        "4294967295",
        "4294967296",
        "1e999",
        "01",
        "18446744073709551616",
        "true",
        "null",
        "\"\"",
        "\"\\u00e9\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"a\nb\"",
        "[]",
        "[\"stun:a\",\"\"]",
        "[null]",
        "{}",
        "{\"count\":1}",
        "[1",
        "nul",
    ];
    let ids = ["0".repeat(64), "0".repeat(63), "A".repeat(64)].map(|id| format!("\"{id}\""));
    plain.into_iter().map(ToOwned::to_owned).chain(ids).collect()
}

fn good() -> Vec<(&'static str, String)> {
    let id = format!("\"{}\"", "1".repeat(64));
    let values = ["7", "1", "true", "\"n\"", id.as_str(), "\"eu\"", "[\"u\"]"];
    FIELDS.into_iter().zip(values.map(ToOwned::to_owned)).collect()
}

fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

fn check(text: &str) {
    assert_eq!(by_tree(text), serde_json::from_str(text).ok(), "{text}");
}

#[test]
fn each_value_of_each_field_is_taken_or_refused_alike() {
    assert!(by_tree(&object(&good())).is_some());
    for at in 0..FIELDS.len() {
        for value in values() {
            let mut fields = good();
            fields[at].1 = value;
            check(&object(&fields));
        }
    }
}

#[test]
fn absent_double_and_unknown_fields_are_taken_or_refused_alike() {
    for at in 0..FIELDS.len() {
        let mut absent = good();
        let one = absent.remove(at);
        check(&object(&absent));
        let mut double = good();
        double.push(one);
        check(&object(&double));
        double.reverse();
        check(&object(&double));
    }
    for value in values() {
        let mut unknown = good();
        unknown.insert(3, ("new", value.clone()));
        unknown.push(("new", value));
        let text = object(&unknown);
        // Only the tree looks inside strings that it skips: half a surrogate pair is no text.
        if text.contains("ud83d\"") {
            assert!(by_tree(&text).is_none());
        } else {
            check(&text);
        }
    }
}

#[test]
fn an_array_is_no_object() {
    assert!(by_tree("[7,1,true,\"n\",null,null,[]]").is_none());
    let json: Json = serde_json::from_str("[0,-1,{\"a\":null}]").unwrap();
    let Json::List(list) = json else { panic!("a list") };
    assert_eq!(list[..2], [Json::Whole(0), Json::Number]);
    assert_eq!(Fields::of(list[2].clone()).unwrap().take::<Option<u32>>("a"), Ok(None));
    assert_eq!(Fields::of(list[1].clone()), Err(Mismatch("object")));
    assert_eq!(Mismatch("count").to_string(), "expected another value as count");
}

/// Checks that both readers make the same of it, but for numbers that fit no float.
fn read_alike(text: &[u8]) {
    let serde: serde_json::Result<Json> = serde_json::from_slice(text);
    let too_large = |error: &serde_json::Error| error.to_string().contains("out of range");
    if !serde.as_ref().is_err_and(too_large) {
        assert_eq!(Json::read(text), serde.ok(), "{}", text.escape_ascii());
    }
}

#[test]
fn a_text_with_any_byte_changed_is_read_as_serde_reads_it() {
    let texts: [&[u8]; 9] = [
        b" { \"a\" : [ true , false , null ] , \"\" : { } } ",
        b"[0,-0,10,-12,1.5,0.25e7,1E+2,-3e-1]\n",
        b"[18446744073709551615,18446744073709551616]",
        b"\"\\u00e9\\ud83d\\ude00\\n\\/\\\\\\\"\"",
        b"\"\\udbff\\udfff\\ud800\\udc00\\uFFFF\"",
        "[\"\u{e9}\u{20ac}\u{1f600}\"]".as_bytes(),
        b"\t[[],[[]],{\"a\":{\"b\":[{}]}}]\r\n",
        b"{\"a\":1,\"a\":2}",
        b"null",
    ];
    for text in texts {
        for at in 0..=text.len() {
            read_alike(&text[..at]);
            for byte in 0..=255 {
                let mut inserted = text.to_vec();
                inserted.insert(at, byte);
                read_alike(&inserted);
                if at < text.len() {
                    inserted.remove(at + 1);
                    read_alike(&inserted);
                    inserted.remove(at);
                    read_alike(&inserted);
                }
            }
        }
    }
}

#[test]
fn every_short_text_is_read_as_serde_reads_it() {
    const ALPHABET: &[u8] = b"{}[]\",:\\ u0d8e.-+1true";
    let mut digits = [0; 5];
    loop {
        let text = digits.map(|digit| ALPHABET[digit]);
        for length in 1..=text.len() {
            if digits[length..].iter().all(|digit| *digit == 0) {
                read_alike(&text[..length]);
            }
        }
        let Some(at) = digits.iter().position(|digit| digit + 1 < ALPHABET.len()) else { return };
        digits[at] += 1;
        digits[..at].fill(0);
    }
}

#[test]
fn levels_are_counted_as_serde_counts_them() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for levels in [126, 127, 128, 129, 100_000] {
            let inner = if open == "[" { "" } else { "1" };
            let text = [open.repeat(levels).as_str(), inner, &close.repeat(levels)].concat();
            read_alike(text.as_bytes());
        }
    }
    assert!(Json::read("[".repeat(127).as_bytes()).is_none());
}

#[test]
fn a_number_that_fits_no_float_is_a_number() {
    assert_eq!(Json::read(b"1e999"), Some(Json::Number));
    assert!(serde_json::from_str::<Json>("1e999").is_err());
}
