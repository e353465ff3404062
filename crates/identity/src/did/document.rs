//! DID documents of strangers: what of them says which key may do what.

use core::fmt;

use serde_json::{Map, Value};

use crate::{
    PublicKey, json,
    limits::{DID_BYTES_MAX, DOCUMENT_BYTES_MAX, METHODS_MAX},
};

/// What a key may be used for (W3C DID 1.0, 5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To prove who is there.
    Authentication,
    /// To issue credentials.
    Assertion,
}

impl Purpose {
    /// The member that lists such keys.
    const fn member(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Assertion => "assertionMethod",
        }
    }
}

/// A key of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// DID and fragment.
    pub id: String,
    /// The key.
    pub key: PublicKey,
    /// What it may be used for.
    pub purposes: Vec<Purpose>,
}

/// A DID's keys. Those of kinds that are not known here are left out: they verify nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Whose keys these are.
    pub id: String,
    /// At most [`METHODS_MAX`].
    pub methods: Vec<Method>,
}

/// Why bytes are not the document of a DID, in order of check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentError {
    /// More than [`DOCUMENT_BYTES_MAX`].
    TooLarge,
    /// Not a JSON object, or one with a name twice.
    Form,
    /// The document of another DID.
    OtherDid,
    /// A verification method that is none, or one twice, or more than [`METHODS_MAX`].
    Methods,
    /// A list of keys for a purpose that is none, or that names a key that is not there.
    Purposes,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "document is larger than {DOCUMENT_BYTES_MAX} bytes"),
            Self::Form => f.write_str("expected a JSON object, no name twice"),
            Self::OtherDid => f.write_str("the document is another DID's"),
            Self::Methods => {
                write!(f, "expected verification methods, each once, at most {METHODS_MAX}")
            }
            Self::Purposes => f.write_str("expected lists of keys that are in the document"),
        }
    }
}

impl core::error::Error for DocumentError {}

impl Document {
    /// The document of `did` in bytes that a server gave.
    ///
    /// # Errors
    /// See [`DocumentError`]; in its order.
    pub fn parse(bytes: &[u8], did: &str) -> Result<Self, DocumentError> {
        if bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(DocumentError::TooLarge);
        }
        let members = json::parse_object(bytes).ok_or(DocumentError::Form)?;
        if members.get("id").and_then(Value::as_str) != Some(did) {
            return Err(DocumentError::OtherDid);
        }
        let mut reader = Reader { did, seen: Vec::new(), methods: Vec::new() };
        for entry in list(&members, "verificationMethod").ok_or(DocumentError::Methods)? {
            reader.method(entry)?;
        }
        for purpose in [Purpose::Authentication, Purpose::Assertion] {
            for entry in list(&members, purpose.member()).ok_or(DocumentError::Purposes)? {
                reader.purpose(entry, purpose)?;
            }
        }
        Ok(Self { id: did.to_owned(), methods: reader.methods })
    }

    /// The key of an id, if it may be used for this.
    pub fn key(&self, id: &str, purpose: Purpose) -> Option<PublicKey> {
        let named = self.methods.iter().find(|method| method.id == id)?;
        named.purposes.contains(&purpose).then_some(named.key)
    }
}

/// The elements of a list, none if it is not there; nothing if it is no list.
fn list<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a [Value]> {
    match members.get(name) {
        None => Some(&[]),
        Some(Value::Array(elements)) => Some(elements),
        Some(_) => None,
    }
}

struct Reader<'a> {
    did: &'a str,
    /// Ids of all methods, those of unknown kinds too.
    seen: Vec<String>,
    methods: Vec<Method>,
}

impl Reader<'_> {
    /// Takes a verification method; its id.
    fn method(&mut self, entry: &Value) -> Result<String, DocumentError> {
        let members = entry.as_object().ok_or(DocumentError::Methods)?;
        let id = members.get("id").and_then(Value::as_str).ok_or(DocumentError::Methods)?;
        let id = self.absolute(id).ok_or(DocumentError::Methods)?;
        let controller = members.get("controller").and_then(Value::as_str);
        if controller.is_none() || self.seen.contains(&id) || self.seen.len() == METHODS_MAX {
            return Err(DocumentError::Methods);
        }
        self.seen.push(id.clone());
        // Another controller's key proves what that controller does, not what this DID does.
        if controller == Some(self.did)
            && let Some(key) = key_of(members)
        {
            self.methods.push(Method { id: id.clone(), key, purposes: Vec::new() });
        }
        Ok(id)
    }

    /// Takes an entry of a list for a purpose: the id of a method, or a method in place.
    fn purpose(&mut self, entry: &Value, purpose: Purpose) -> Result<(), DocumentError> {
        let id = match entry {
            Value::String(id) => self.absolute(id).ok_or(DocumentError::Purposes)?,
            _ => self.method(entry)?,
        };
        // Keys of other documents may be named; they are of no use here.
        let own = id.split_once('#').is_some_and(|(did, _)| did == self.did);
        if own && !self.seen.contains(&id) {
            return Err(DocumentError::Purposes);
        }
        if let Some(method) = self.methods.iter_mut().find(|method| method.id == id)
            && !method.purposes.contains(&purpose)
        {
            method.purposes.push(purpose);
        }
        Ok(())
    }

    /// An id in full: `#name` is one of this document.
    fn absolute(&self, id: &str) -> Option<String> {
        let full = if id.starts_with('#') { format!("{}{id}", self.did) } else { id.to_owned() };
        let (did, fragment) = full.split_once('#')?;
        let formed = !did.is_empty() && !fragment.is_empty() && full.len() <= DID_BYTES_MAX;
        formed.then_some(full)
    }
}

/// The key of a method, in any of the forms in use.
fn key_of(members: &Map<String, Value>) -> Option<PublicKey> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    match text("type")? {
        "Multikey" | "Ed25519VerificationKey2020" => {
            PublicKey::from_multikey(text("publicKeyMultibase")?).ok()
        }
        "JsonWebKey" | "JsonWebKey2020" => PublicKey::from_jwk(members.get("publicKeyJwk")?).ok(),
        "Ed25519VerificationKey2018" => {
            let digits = text("publicKeyBase58").filter(|digits| digits.len() <= 64)?;
            let bytes = bs58::decode(digits).into_vec().ok()?;
            PublicKey::ed25519(bytes.try_into().ok()?).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{SecretKey, did::did_key};

    fn keys() -> [PublicKey; 2] {
        [SecretKey::ed25519(&[1; 32]), SecretKey::p256(&[2; 32]).unwrap()].map(|key| key.public())
    }

    fn parse(document: &Value) -> Result<Document, DocumentError> {
        Document::parse(document.to_string().as_bytes(), "did:web:a.example")
    }

    #[test]
    fn the_document_of_a_did_key_is_read_back() {
        for key in keys() {
            let (did, id) = (did_key::did(&key), did_key::key_id(&key));
            let bytes = did_key::document(&key).to_string();
            let document = Document::parse(bytes.as_bytes(), &did).unwrap();
            assert_eq!(document.key(&id, Purpose::Assertion), Some(key));
            assert_eq!(did_key::key_of_id(&id), Some(key));
        }
    }

    #[test]
    fn a_key_is_good_for_what_the_document_says_only() {
        let [ed25519, p256] = keys();
        let document = json!({
            "id": "did:web:a.example",
            "verificationMethod": [
                { "id": "#one", "type": "Multikey", "controller": "did:web:a.example",
                  "publicKeyMultibase": ed25519.to_multikey() },
                { "id": "#new", "type": "Unheard2030", "controller": "did:web:a.example" },
                { "id": "#theirs", "type": "Multikey", "controller": "did:web:b.example",
                  "publicKeyMultibase": ed25519.to_multikey() },
            ],
            "authentication": ["#one", "#new", "did:web:b.example#other"],
            "assertionMethod": ["#theirs", { "id": "did:web:a.example#two", "type": "JsonWebKey",
                "controller": "did:web:a.example", "publicKeyJwk": p256.to_jwk() }],
        });
        let document = parse(&document).unwrap();
        let key = |name: &str, purpose| document.key(&format!("did:web:a.example#{name}"), purpose);
        assert_eq!(key("one", Purpose::Authentication), Some(ed25519));
        assert_eq!(key("one", Purpose::Assertion), None);
        assert_eq!(key("two", Purpose::Assertion), Some(p256));
        assert_eq!(key("theirs", Purpose::Assertion), None);
        assert_eq!(key("new", Purpose::Authentication), None);
    }

    #[test]
    fn hostile_documents_are_refused_with_their_reason() {
        let method = json!({ "id": "#a", "type": "Multikey", "controller": "x" });
        let id = "did:web:a.example";
        let check = |document: Value, expected| assert_eq!(parse(&document), Err(expected));
        check(json!([]), DocumentError::Form);
        check(json!({ "id": "did:web:b.example" }), DocumentError::OtherDid);
        check(json!({ "id": id, "verificationMethod": {} }), DocumentError::Methods);
        check(json!({ "id": id, "verificationMethod": [method, method] }), DocumentError::Methods);
        let many: Vec<Value> = (0..=METHODS_MAX)
            .map(|at| json!({ "id": format!("#{at}"), "type": "Multikey", "controller": "x" }))
            .collect();
        check(json!({ "id": id, "verificationMethod": many }), DocumentError::Methods);
        check(json!({ "id": id, "authentication": ["#gone"] }), DocumentError::Purposes);
        check(json!({ "id": id, "authentication": ["no fragment"] }), DocumentError::Purposes);
        let large = format!("{{\"id\":\"{}\"}}", "x".repeat(DOCUMENT_BYTES_MAX));
        assert_eq!(Document::parse(large.as_bytes(), id), Err(DocumentError::TooLarge));
        let twice = format!(r#"{{"id":"{id}","id":"{id}"}}"#);
        assert_eq!(Document::parse(twice.as_bytes(), id), Err(DocumentError::Form));
    }
}
