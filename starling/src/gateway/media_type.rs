//! What a file is said to be.

/// Bytes that are looked at.
pub(super) const HEAD_BYTES: u64 = 512;
const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// By its name; none if that says nothing.
pub(super) fn by_name(name: &str) -> Option<String> {
    name.rsplit_once('.')?;
    let guess = mime_guess::from_path(name).first()?;
    Some(harmless(guess.essence_str()))
}

/// By its first bytes.
pub(super) fn by_bytes(head: &[u8]) -> String {
    if let Some(kind) = infer::get(head) {
        return harmless(kind.mime_type());
    }
    // A letter may be cut at the end.
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() + 4 > head.len() && error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return BYTES.to_owned(),
    };
    let plain = !text.chars().any(|c| c.is_control() && !"\n\r\t\u{c}".contains(c));
    if plain { TEXT.to_owned() } else { BYTES.to_owned() }
}

/// No type that a browser would run as a script of this origin: a page of ours that were tricked into
/// loading one from here would be lost, for its own policy trusts its own origin.
fn harmless(media_type: &str) -> String {
    let runs = ["javascript", "ecmascript", "livescript", "jscript", "wasm", "shellscript"];
    match media_type {
        kind if runs.iter().any(|word| kind.contains(word)) => TEXT.to_owned(),
        "text/cache-manifest" | "text/x-component" => TEXT.to_owned(),
        kind if kind.starts_with("text/") || kind == "application/json" => {
            format!("{kind}; charset=utf-8")
        }
        kind => kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_it_is_and_never_a_script() {
        for (name, expected) in [
            ("a.PNG", Some("image/png")),
            ("a.html", Some("text/html; charset=utf-8")),
            ("a.svg", Some("image/svg+xml")),
            ("a.mp4", Some("video/mp4")),
            ("a.js", Some(TEXT)),
            ("a.mjs", Some(TEXT)),
            ("a.wasm", Some(TEXT)),
            ("README", None),
            ("a.unknown-thing", None),
        ] {
            assert_eq!(by_name(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn bytes_say_what_they_are() {
        assert_eq!(by_bytes(b"\x89PNG\r\n\x1a\n____"), "image/png");
        assert_eq!(by_bytes(b"%PDF-1.7"), "application/pdf");
        assert_eq!(by_bytes("häuser".as_bytes()), TEXT);
        // Cut in the middle of a letter.
        assert_eq!(by_bytes(&"hä".as_bytes()[..2]), TEXT);
        assert_eq!(by_bytes(b""), TEXT);
        assert_eq!(by_bytes(&[0, 1, 2, 3]), BYTES);
        assert_eq!(by_bytes(&[b'a', 0xff, b'b', b'c', b'd', b'e']), BYTES);
        assert_eq!(by_bytes(b"#!/bin/sh\nrm"), TEXT);
    }
}
