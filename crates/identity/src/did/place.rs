//! Where the document of a web DID lies: `did:web` (W3C CCG, did:web method), `did:webvh` 1.0 ("The DID to HTTPS
//! Transformation").
//!
//! Whoever fetches it goes where a stranger's text says. So the text is decoded once and judged as what will be
//! asked for: a name of the public internet, never an address in any spelling, and a path without ways up.

use core::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Did, DidError};

/// Longest name of a host, in bytes (RFC 1035, 2.3.4, as text).
const HOST_BYTES_MAX: usize = 253;
/// Longest part of it between dots.
const LABEL_BYTES_MAX: usize = 63;
/// Letters of a SCID: base58 of a multihash of SHA-256.
const SCID_LETTERS: usize = 46;
/// What stands for itself in a path (RFC 3986, 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    scid: Option<String>,
    host: String,
    port: Option<u16>,
    /// Parts of the path, encoded.
    path: Vec<String>,
}

impl Place {
    /// Where the document of a `did:web`, or the log of a `did:webvh`, lies.
    ///
    /// # Errors
    /// No DID, a DID of another method, or a name that leads nowhere it may.
    pub fn of(did: &str) -> Result<Self, DidError> {
        let Did::Web(text) = did.parse::<Did>()? else { return Err(DidError::Method) };
        let mut parts = text.split(':').skip(1);
        let scid = match parts.next() {
            Some("webvh") => {
                let scid = parts.next().filter(|scid| is_scid(scid)).ok_or(DidError::Name)?;
                Some(scid.to_owned())
            }
            _ => None,
        };
        let place = parts.next().and_then(decoded).ok_or(DidError::Name)?;
        let (host, port) = match place.split_once(':') {
            Some((host, port)) => (host, Some(port_of(port).ok_or(DidError::Name)?)),
            None => (place.as_str(), None),
        };
        let host = host.to_ascii_lowercase();
        if !is_public_name(&host) {
            return Err(DidError::Name);
        }
        let path = parts.map(segment).collect::<Option<_>>().ok_or(DidError::Name)?;
        Ok(Self { scid, host, port, path })
    }

    /// The SCID of a `did:webvh`; none: it is a `did:web`.
    pub fn scid(&self) -> Option<&str> {
        self.scid.as_deref()
    }

    /// Who is asked: the host's name, and its port where that is not the usual one.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The path of the document or log, with a slash in front.
    pub fn path(&self) -> String {
        let file = if self.scid.is_some() { "did.jsonl" } else { "did.json" };
        self.file(file)
    }

    /// The path of what witnesses of a `did:webvh` signed.
    pub fn witness_path(&self) -> Option<String> {
        self.scid.as_ref().map(|_| self.file("did-witness.json"))
    }

    fn file(&self, name: &str) -> String {
        match self.path.as_slice() {
            [] => format!("/.well-known/{name}"),
            path => format!("/{}/{name}", path.join("/")),
        }
    }
}

/// The address of the document or log.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", self.authority(), self.path())
    }
}

pub(super) fn is_scid(text: &str) -> bool {
    let is_base58 = |byte: u8| byte.is_ascii_alphanumeric() && !b"0OIl".contains(&byte);
    text.len() == SCID_LETTERS && text.bytes().all(is_base58)
}

/// Decoded once; none: a percent sign that begins nothing, or no text behind it.
fn decoded(text: &str) -> Option<String> {
    let mut pairs = text.split('%').skip(1);
    let is_pair = |rest: &str| {
        rest.get(..2).is_some_and(|pair| pair.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    if !pairs.all(is_pair) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

fn port_of(text: &str) -> Option<u16> {
    let digits = text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

/// A name of two labels and more that no reader of addresses takes for one.
fn is_public_name(host: &str) -> bool {
    let is_label = |label: &str| {
        let letters = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let ends = label.starts_with('-') || label.ends_with('-');
        (1..=LABEL_BYTES_MAX).contains(&label.len()) && letters && !ends
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    // "A host that ends in a number" is an IPv4 address in some spelling (WHATWG URL, 3.5).
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    host.len() <= HOST_BYTES_MAX
        && host.contains('.')
        && host.split('.').all(is_label)
        && !is_number
}

/// A part of the path, decoded, judged, encoded again.
fn segment(text: &str) -> Option<String> {
    let plain = decoded(text)?;
    let leads_away = matches!(plain.as_str(), "" | "." | "..") || plain.contains(['/', '\\']);
    let is_padded = plain.trim() != plain;
    if leads_away || is_padded || plain.chars().any(char::is_control) {
        return None;
    }
    Some(utf8_percent_encode(&plain, ENCODED).to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCID: &str = "QmdmPkUdYzbr9txmx8gM2rsHPgr5L6m3gHjJGAf4vUFoGE";

    /// The examples of did:webvh 1.0 and of did:web.
    #[test]
    fn a_did_leads_to_the_address_that_its_specification_gives() {
        let check = |name: &str, path: &str| {
            let place = Place::of(&format!("did:webvh:{SCID}:{name}")).unwrap();
            assert_eq!(place.to_string(), format!("https://{path}/did.jsonl"));
            let place = Place::of(&format!("did:web:{name}")).unwrap();
            assert_eq!(place.to_string(), format!("https://{path}/did.json"));
        };
        check("example.com", "example.com/.well-known");
        check("issuer.example.com", "issuer.example.com/.well-known");
        check("example.com:dids:issuer", "example.com/dids/issuer");
        check("example.com%3A3000:dids:issuer", "example.com:3000/dids/issuer");
        check("example.com%3a3000", "example.com:3000/.well-known");
        check("xn--jp-cd2fp15c.xn--fsq.jp:%E7%94%A8", "xn--jp-cd2fp15c.xn--fsq.jp/%E7%94%A8");
        check("w3c-ccg.github.io:user:alice", "w3c-ccg.github.io/user/alice");
        let place = Place::of(&format!("did:webvh:{SCID}:a.example:b")).unwrap();
        assert_eq!(place.witness_path().as_deref(), Some("/b/did-witness.json"));
        assert_eq!((place.scid(), place.authority().as_str()), (Some(SCID), "a.example"));
    }

    /// Among them the DIDs of the negative vectors of didwebvh-test-suite.
    #[test]
    fn what_leads_elsewhere_is_refused() {
        for name in [
            "127.0.0.1",
            "127.0.0.1%3A8080",
            "127.0.0.1%3a8080",
            "127%2E0%2E0%2E1",
            "169%2e254%2e169%2e254",
            "127.1",
            "2130706433",
            "example.0x7f",
            "0x7f.0.0.0x1",
            "%5B%3A%3A1%5D",
            "localhost",
            "localhost%3A8080",
            "example.com%2Fadmin",
            "example.com%40evil.example",
            "example.com%3A0",
            "example.com%3A65536",
            "example.com%3A80%3A80",
            "example.com%3A",
            "example.com%3A+80",
            "example..com",
            "-a.example",
            ".example",
            "example.com.",
            "ex%ZZmple.com",
            "example.com%",
            "%C3%A4.example",
            "example.com:..:..:admin",
            "example.com:%2E%2E:admin",
            "example.com:%2e%2e",
            "example.com:.",
            "example.com:a%2Fb",
            "example.com:a%5Cb",
            "example.com:%00",
            "example.com:%20a",
            "example.com:a%0Ab",
        ] {
            for did in [format!("did:web:{name}"), format!("did:webvh:{SCID}:{name}")] {
                assert!(Place::of(&did).is_err(), "{did}");
            }
        }
        let check = |did: &str, expected| assert_eq!(Place::of(did), Err(expected), "{did}");
        check(&format!("did:webvh:{SCID}:127.0.0.1#x"), DidError::Form);
        check(&format!("did:webvh:{SCID}"), DidError::Name);
        check(&format!("did:webvh:{}0:a.example", &SCID[1..]), DidError::Name);
        check("did:webvh:{SCID}:a.example", DidError::Form);
        check("did:webvh:short:a.example", DidError::Name);
        check("did:starling:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", DidError::Method);
    }

    proptest! {
        #[test]
        fn an_address_has_the_hosts_name_and_no_way_up(name in "[a-z0-9.%A-F:/-]{0,40}") {
            if let Ok(place) = Place::of(&format!("did:web:{name}")) {
                let address = place.to_string();
                let rest = address.strip_prefix("https://").unwrap();
                let (authority, path) = rest.split_once('/').unwrap();
                prop_assert_eq!(authority, place.authority());
                prop_assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")));
            }
        }
    }
}
