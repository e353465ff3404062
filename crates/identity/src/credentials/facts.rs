//! What a ledger proved, what the block store gave and what web servers show, brought in; and what is still missing.

use core::cell::{Cell, RefCell};

use minicbor::{Decode, Encode};
use primitives::Hash;

use crate::{
    PublicKey,
    did::{Did, Issuers, Place, Vouched, webvh::ReadLog},
    sd_jwt::{DidKeys, IssuerKeys, NoKey},
};

/// What is proved, and what came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Facts {
    /// Keys of names on the ledger.
    #[n(0)]
    pub keys: Vec<KeyFact>,
    /// Newest versions of status lists.
    #[n(1)]
    pub lists: Vec<ListFact>,
    /// Signed status lists that were asked for by their hash. Nothing of them is checked.
    #[n(2)]
    pub tokens: Vec<String>,
    /// Hashes of those that nobody gave.
    #[n(3)]
    pub missing: Vec<Hash>,
    /// What web servers show of names. Nothing of it is checked.
    #[n(4)]
    pub shown: Vec<WebFact>,
}

/// What the web server of a `did:web` or a `did:webvh` shows, whoever fetched it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WebFact {
    /// The DID.
    #[n(0)]
    pub did: String,
    /// Its document, or its log.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// What witnesses of a log signed; empty: nothing, or the log names none.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub witnesses: Vec<u8>,
}

impl WebFact {
    /// Takes what holds of it.
    fn read(&self, issuers: &mut Issuers, now_s: u64) -> Result<(), NoKey> {
        let is_log = Place::of(&self.did).is_ok_and(|place| place.scid().is_some());
        if is_log {
            let log = ReadLog::read(&self.bytes, &self.did, now_s).map_err(|_| NoKey::Shown)?;
            issuers.add_log(log.witnessed(&self.witnesses, now_s).map_err(|_| NoKey::Shown)?);
            return Ok(());
        }
        issuers.add_web(&self.did, &self.bytes).map_err(|_| NoKey::Shown)
    }
}

/// A key of a name on the ledger, or that there was none.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct KeyFact {
    /// The DID and the name of the key; the DID alone: a key of Ed25519 that things are sealed for.
    #[n(0)]
    pub id: String,
    /// When it is to hold, in seconds since 1970-01-01 UTC; none: now.
    #[n(1)]
    pub at_s: Option<u64>,
    /// The key; none: that the DID had no such key then is proved.
    #[n(2)]
    pub key: Option<PublicKey>,
    /// Which version of the DID that was.
    #[n(3)]
    pub version: u64,
    /// The block in which that version came.
    #[n(4)]
    pub since: u64,
    /// The block after which it was proved.
    #[n(5)]
    pub height: u64,
}

/// What the ledger says of a status list.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ListFact {
    /// Whose.
    #[n(0)]
    pub issuer: String,
    /// Its name.
    #[n(1)]
    pub uri: String,
    /// The newest; none: that there is none is proved.
    #[n(2)]
    pub newest: Option<Newest>,
    /// The block after which that was so.
    #[n(3)]
    pub height: u64,
}

/// The newest version of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Newest {
    /// Its number.
    #[n(0)]
    pub number: u64,
    /// SHA-256 of the signed list.
    #[n(1)]
    pub token: Hash,
    /// The block in which it came.
    #[n(2)]
    pub since: u64,
}

/// What has to be proved, or brought.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Need {
    /// A key of a `did:starling`.
    #[n(0)]
    Key {
        /// The DID.
        #[n(0)]
        did: String,
        /// The DID and the name of the key; the DID alone: a key of Ed25519 that things are sealed for.
        #[n(1)]
        id: String,
        /// When it is to hold; none: now.
        #[n(2)]
        at_s: Option<u64>,
    },
    /// Which version of a list is the newest.
    #[n(1)]
    List {
        /// Whose.
        #[n(0)]
        issuer: String,
        /// Its name.
        #[n(1)]
        uri: String,
    },
    /// A signed status list, by its hash: from anybody ([`crate::status::token_cid`]).
    #[n(2)]
    Token(#[n(0)] Hash),
    /// What the web server of a DID shows. It learns that somebody looks: a person is asked first.
    #[n(3)]
    Web(#[n(0)] String),
}

impl Facts {
    /// What is proved of a list.
    pub(super) fn list(&self, issuer: &str, uri: &str) -> Option<&ListFact> {
        self.lists.iter().find(|list| list.issuer == issuer && list.uri == uri)
    }

    /// What is proved of a key.
    pub(super) fn key(&self, id: &str, at_s: Option<u64>) -> Option<&KeyFact> {
        self.keys.iter().find(|key| key.id == id && key.at_s == at_s)
    }
}

/// Keys as far as they are proved; notes what is missing.
pub(super) struct Resolved<'a> {
    facts: &'a Facts,
    missing: RefCell<Vec<Need>>,
    /// Ids under which keys were asked for, and when they were to hold.
    used: RefCell<Vec<(String, Option<u64>)>>,
    found: Cell<Option<PublicKey>>,
    /// Now, where names of web servers are looked up; none: they are not.
    web_s: Option<u64>,
    /// Those that were.
    issuers: RefCell<Issuers>,
}

impl<'a> Resolved<'a> {
    /// Names of web servers are none.
    pub(super) fn new(facts: &'a Facts) -> Self {
        Self {
            facts,
            missing: RefCell::new(Vec::new()),
            used: RefCell::new(Vec::new()),
            found: Cell::new(None),
            web_s: None,
            issuers: RefCell::default(),
        }
    }

    /// Names of web servers too.
    pub(super) fn with_web(facts: &'a Facts, now_s: u64) -> Self {
        Self { web_s: Some(now_s), ..Self::new(facts) }
    }

    /// What vouches for a name of a web server that was looked up.
    pub(super) fn vouched(&self, did: &str) -> Option<Vouched> {
        let vouched = self.issuers.borrow().vouched(did);
        vouched.filter(|vouched| *vouched != Vouched::Itself)
    }

    fn on_web(&self, did: &str, key_id: &str, at_s: Option<u64>, now_s: u64) -> Result<PublicKey, NoKey> {
        let Some(shown) = self.facts.shown.iter().find(|one| one.did == did) else {
            self.missing.borrow_mut().push(Need::Web(did.to_owned()));
            return Err(NoKey::Unknown);
        };
        let mut issuers = self.issuers.borrow_mut();
        if issuers.vouched(did).is_none() {
            shown.read(&mut issuers, now_s)?;
        }
        issuers.key(did, key_id, at_s)
    }

    /// What has to be proved before there is an answer.
    pub(super) fn missing(&self) -> Vec<Need> {
        self.missing.borrow().clone()
    }

    /// The key that was found last.
    pub(super) const fn found(&self) -> Option<PublicKey> {
        self.found.get()
    }

    fn look(&self, issuer: &str, key_id: &str, at_s: Option<u64>) -> Result<PublicKey, NoKey> {
        if let (Some(now_s), Ok(_)) = (self.web_s, Place::of(issuer)) {
            return self.on_web(issuer, key_id, at_s, now_s);
        }
        if !issuer.starts_with("did:starling:") {
            return DidKeys.key(issuer, key_id, at_s);
        }
        // What is no name of the ledger's is not asked for: nothing would ever prove it.
        if !matches!(issuer.parse(), Ok(Did::Starling(_))) {
            return Err(NoKey::NotTheirs);
        }
        self.used.borrow_mut().push((key_id.to_owned(), at_s));
        if let Some(fact) = self.facts.key(key_id, at_s) {
            return fact.key.ok_or(NoKey::NotTheirs);
        }
        let need = Need::Key { did: issuer.to_owned(), id: key_id.to_owned(), at_s };
        self.missing.borrow_mut().push(need);
        Err(NoKey::Unknown)
    }

    /// What is proved of the newest key that was asked for of a DID; none: the DID is its key.
    pub(super) fn fact(&self, did: &str) -> Option<&'a KeyFact> {
        let used = self.used.borrow();
        let of = |(id, _): &&(String, Option<u64>)| {
            id.split_once('#').is_some_and(|(name, _)| name == did)
        };
        let (id, at_s) = used.iter().rev().find(of)?;
        self.facts.key(id, *at_s)
    }
}

impl IssuerKeys for Resolved<'_> {
    fn key(&self, issuer: &str, key_id: &str, at_s: Option<u64>) -> Result<PublicKey, NoKey> {
        let key = self.look(issuer, key_id, at_s)?;
        self.found.set(Some(key));
        Ok(key)
    }
}

/// A key that was found before.
pub(super) struct Known(pub(super) PublicKey);

impl IssuerKeys for Known {
    fn key(&self, _: &str, _: &str, _: Option<u64>) -> Result<PublicKey, NoKey> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::did::StarlingId;

    #[test]
    fn only_what_can_be_a_name_of_the_ledger_is_asked_for() {
        let facts = Facts::default();
        let keys = Resolved::new(&facts);
        for issuer in ["did:starling:x", "did:starling:", "did:starling:a b"] {
            let key = keys.key(issuer, &format!("{issuer}#key-0"), None);
            assert_eq!(key, Err(NoKey::NotTheirs), "{issuer}");
        }
        assert_eq!(keys.missing(), []);
        let did = format!("did:starling:{}", StarlingId::new([7; 20]));
        assert_eq!(keys.key(&did, &format!("{did}#key-0"), None), Err(NoKey::Unknown));
        assert_eq!(keys.missing().len(), 1);
    }

    /// A name of a web server, a key in its document, and what that server shows.
    fn town(key: &PublicKey) -> (String, WebFact) {
        let did = "did:web:town.example".to_owned();
        let method = serde_json::json!({ "id": format!("{did}#key"), "type": "Multikey",
            "controller": did, "publicKeyMultibase": key.to_multikey() });
        let document = serde_json::json!({ "id": did, "assertionMethod": [method] });
        let (bytes, witnesses) = (document.to_string().into_bytes(), Vec::new());
        (did.clone(), WebFact { did, bytes, witnesses })
    }

    #[test]
    fn what_a_web_server_shows_is_asked_for_once_and_said_to_be_that() {
        let key = crate::SecretKey::ed25519(&[1; 32]).public();
        let (did, shown) = town(&key);
        let (none, id) = (Facts::default(), format!("{did}#key"));
        let keys = Resolved::with_web(&none, 9);
        assert_eq!(keys.key(&did, &id, None), Err(NoKey::Unknown));
        assert_eq!((keys.missing(), keys.vouched(&did)), (vec![Need::Web(did.clone())], None));
        // Where such names are none, nobody is asked.
        let keys = Resolved::new(&none);
        assert_eq!(keys.key(&did, &id, None), Err(NoKey::Method));
        assert_eq!(keys.missing(), []);
        let inside = "did:web:localhost";
        let keys = Resolved::with_web(&none, 9);
        assert_eq!(keys.key(inside, &format!("{inside}#key"), None), Err(NoKey::Method));
        assert_eq!(keys.missing(), []);

        let facts = Facts { shown: vec![shown.clone()], ..Facts::default() };
        let keys = Resolved::with_web(&facts, 9);
        assert_eq!(keys.key(&did, &id, Some(3)), Ok(key));
        assert_eq!(keys.key(&did, &format!("{did}#other"), None), Err(NoKey::NotTheirs));
        let host = "town.example".to_owned();
        assert_eq!(keys.vouched(&did), Some(Vouched::WebServer { host }));
        assert_eq!(keys.missing(), []);
        let junk = WebFact { bytes: b"junk".to_vec(), ..shown };
        let facts = Facts { shown: vec![junk], ..Facts::default() };
        assert_eq!(Resolved::with_web(&facts, 9).key(&did, &id, None), Err(NoKey::Shown));
    }
}
