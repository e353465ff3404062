//! Keys of issuers that were looked up, and what says that they are theirs.

use std::collections::BTreeMap;

use super::{Did, Document, DocumentError, Place, Purpose, StarlingId, starling, webvh::Log};
use crate::{
    PublicKey,
    did::did_key,
    sd_jwt::{IssuerKeys, NoKey},
};

/// What says that a key is a DID's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vouched {
    /// The name is the key: nothing else has to be believed.
    Itself,
    /// The ledger, by a proof.
    Ledger {
        /// After which block.
        height: u64,
    },
    /// A log that its owner's keys signed from the beginning. Newer entries may be held back.
    Log {
        /// The newest version that was seen.
        version: String,
        /// How many witnesses must sign a change; 0: none.
        witnesses: usize,
    },
    /// Whoever has this web server or its name now. Nothing is proved, and of the past nothing is known.
    WebServer {
        /// Its name.
        host: String,
    },
}

/// What a DID of the ledger said from a time on.
#[derive(Debug, Clone, PartialEq)]
pub struct Since {
    /// In seconds since 1970-01-01 UTC.
    pub from_s: u64,
    /// Then.
    pub content: starling::Content,
}

/// Issuers that were looked up. Of those that were not, `did:key` is known.
#[derive(Debug, Clone, Default)]
pub struct Issuers {
    known: BTreeMap<String, Source>,
}

#[derive(Debug, Clone)]
enum Source {
    Web(String, Document),
    Log(Log),
    /// Documents from a time on, oldest first, and the block of the proof.
    Ledger(Vec<(u64, Document)>, u64),
}

impl Issuers {
    /// Takes the document that a web server gave for a `did:web`.
    ///
    /// # Errors
    /// It is no such DID ([`DocumentError::OtherDid`]), or no document of it.
    pub fn add_web(&mut self, did: &str, bytes: &[u8]) -> Result<(), DocumentError> {
        let place = Place::of(did).ok().filter(|place| place.scid().is_none());
        let host = place.ok_or(DocumentError::OtherDid)?.authority();
        let document = Document::parse(bytes, did)?;
        self.known.insert(did.to_owned(), Source::Web(host, document));
        Ok(())
    }

    /// Takes the log of a `did:webvh`.
    pub fn add_log(&mut self, log: Log) {
        self.known.insert(log.did().to_owned(), Source::Log(log));
    }

    /// Takes what a ledger proves of a DID after a block: versions that nobody erased, in any order.
    pub fn add_ledger(&mut self, id: StarlingId, mut versions: Vec<Since>, height: u64) {
        let did = Did::Starling(id).to_string();
        versions.sort_by_key(|version| version.from_s);
        let read = |since: &Since| {
            let bytes = starling::document(id, &since.content).to_string();
            Some((since.from_s, Document::parse(bytes.as_bytes(), &did).ok()?))
        };
        let versions = versions.iter().filter_map(read).collect();
        self.known.insert(did.clone(), Source::Ledger(versions, height));
    }

    /// What says that an issuer's keys are its own; none: it was not looked up.
    pub fn vouched(&self, issuer: &str) -> Option<Vouched> {
        if let Ok(Did::Key(_)) = issuer.parse() {
            return Some(Vouched::Itself);
        }
        Some(match self.known.get(issuer)? {
            Source::Web(host, _) => Vouched::WebServer { host: host.clone() },
            Source::Log(log) => Vouched::Log {
                version: log.versions().last().map(|last| last.id.clone()).unwrap_or_default(),
                witnesses: log.witnesses(),
            },
            Source::Ledger(_, height) => Vouched::Ledger { height: *height },
        })
    }
}

impl IssuerKeys for Issuers {
    fn key(&self, issuer: &str, key_id: &str, at_s: Option<u64>) -> Result<PublicKey, NoKey> {
        if issuer.starts_with("did:key:") {
            return did_key::key_of_id(key_id).ok_or(NoKey::NotTheirs);
        }
        let key = match self.known.get(issuer).ok_or(NoKey::Unknown)? {
            Source::Web(_, document) => document.key(key_id, Purpose::Assertion),
            Source::Log(log) => log.key(key_id, Purpose::Assertion, at_s),
            Source::Ledger(versions, _) => {
                let holds =
                    |(from_s, _): &&(u64, Document)| at_s.is_none_or(|at_s| *from_s <= at_s);
                let version = versions.iter().rev().find(holds);
                version.and_then(|(_, document)| document.key(key_id, Purpose::Assertion))
            }
        };
        key.ok_or(NoKey::NotTheirs)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::SecretKey;

    fn key(number: u8) -> SecretKey {
        SecretKey::ed25519(&[number; 32])
    }

    #[test]
    fn a_web_servers_word_is_called_that() {
        let did = "did:web:a.example";
        let id = format!("{did}#one");
        let document = json!({ "id": did, "assertionMethod": [{ "id": id, "type": "Multikey",
            "controller": did, "publicKeyMultibase": key(1).public().to_multikey() }] });
        let mut issuers = Issuers::default();
        assert_eq!(issuers.key(did, &id, None), Err(NoKey::Unknown));
        issuers.add_web(did, document.to_string().as_bytes()).unwrap();
        assert_eq!(issuers.key(did, &id, Some(1)), Ok(key(1).public()));
        assert_eq!(issuers.key(did, &format!("{did}#two"), None), Err(NoKey::NotTheirs));
        let host = "a.example".to_owned();
        assert_eq!(issuers.vouched(did), Some(Vouched::WebServer { host }));
        let other = issuers.add_web("did:web:b.example", document.to_string().as_bytes());
        assert_eq!(other, Err(DocumentError::OtherDid));
        let inside = issuers.add_web("did:web:localhost", document.to_string().as_bytes());
        assert_eq!(inside, Err(DocumentError::OtherDid));
    }

    #[test]
    fn a_key_of_the_ledger_holds_for_its_time() {
        let id = StarlingId::new([7; 20]);
        let did = Did::Starling(id).to_string();
        let since = |from_s, number: u8| Since {
            from_s,
            content: starling::Content {
                rotation: vec![key(number).public()],
                next: Vec::new(),
                methods: vec![starling::KeyMethod {
                    id: format!("key-{number}"),
                    key: key(number).public(),
                    purposes: starling::purposes::ASSERTION,
                }],
                services: Vec::new(),
                aliases: Vec::new(),
                guardians: None,
            },
        };
        let mut issuers = Issuers::default();
        issuers.add_ledger(id, vec![since(200, 2), since(100, 1)], 9);
        let ask = |number: u8, at_s| issuers.key(&did, &format!("{did}#key-{number}"), at_s);
        assert_eq!(ask(1, Some(99)), Err(NoKey::NotTheirs), "there was no DID");
        assert_eq!(ask(1, Some(199)), Ok(key(1).public()));
        assert_eq!(ask(2, Some(199)), Err(NoKey::NotTheirs));
        assert_eq!(ask(2, Some(200)), Ok(key(2).public()));
        assert_eq!((ask(1, None), ask(2, None)), (Err(NoKey::NotTheirs), Ok(key(2).public())));
        assert_eq!(issuers.vouched(&did), Some(Vouched::Ledger { height: 9 }));
        let own = did_key::did(&key(1).public());
        assert_eq!(issuers.vouched(&own), Some(Vouched::Itself));
        assert_eq!(
            issuers.key(&own, &did_key::key_id(&key(1).public()), None),
            Ok(key(1).public())
        );
    }
}
