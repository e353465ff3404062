//! What a ledger proved, what the block store gave and what web servers vouch for, brought in; and what is missing.

use core::cell::{Cell, RefCell};

use minicbor::{Decode, Encode};
use primitives::Hash;

use crate::{
    PublicKey,
    did::{Did, Place},
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
    /// Keys of names that web servers keep.
    #[n(4)]
    pub web: Vec<WebFact>,
}

/// A key of a name that a web server keeps, or that there was none. Who brings it looked it up and checked the log.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct WebFact {
    /// The DID and the name of the key.
    #[n(0)]
    pub id: String,
    /// When it is to hold, in seconds since 1970-01-01 UTC; none: now.
    #[n(1)]
    pub at_s: Option<u64>,
    /// The key; none: the DID has, or had then, no such key.
    #[n(2)]
    pub key: Option<PublicKey>,
    /// What vouches for it.
    #[n(3)]
    pub by: WebWord,
}

/// What vouches for a name that a web server keeps.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum WebWord {
    /// Its own log. Newer entries may be held back.
    #[n(0)]
    Log {
        /// The newest version that was seen.
        #[n(0)]
        version: String,
        /// How many witnesses must see a change; 0: none.
        #[n(1)]
        witnesses: u32,
    },
    /// Whoever has this web server now. Nothing is proved.
    #[n(1)]
    Server(#[n(0)] String),
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
    /// A key of a DID that a web server keeps. That one learns that somebody looks: a person is asked first.
    #[n(3)]
    Web {
        /// The DID.
        #[n(0)]
        did: String,
        /// The DID and the name of the key.
        #[n(1)]
        id: String,
        /// When it is to hold; none: now.
        #[n(2)]
        at_s: Option<u64>,
    },
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
    /// Whether names of web servers are looked up.
    has_web: bool,
}

impl<'a> Resolved<'a> {
    /// Names of web servers are none.
    pub(super) const fn new(facts: &'a Facts) -> Self {
        Self {
            facts,
            missing: RefCell::new(Vec::new()),
            used: RefCell::new(Vec::new()),
            found: Cell::new(None),
            has_web: false,
        }
    }

    /// Names of web servers too.
    pub(super) fn with_web(facts: &'a Facts) -> Self {
        Self { has_web: true, ..Self::new(facts) }
    }

    /// What vouches for a name of a web server whose key was brought.
    pub(super) fn by_web(&self, did: &str) -> Option<&'a WebWord> {
        let is_of = |fact: &&WebFact| fact.id.split_once('#').is_some_and(|(name, _)| name == did);
        self.facts.web.iter().find(is_of).map(|fact| &fact.by)
    }

    fn on_web(&self, did: &str, id: &str, at_s: Option<u64>) -> Result<PublicKey, NoKey> {
        if let Some(fact) = self.facts.web.iter().find(|one| one.id == id && one.at_s == at_s) {
            return fact.key.ok_or(NoKey::NotTheirs);
        }
        let need = Need::Web { did: did.to_owned(), id: id.to_owned(), at_s };
        self.missing.borrow_mut().push(need);
        Err(NoKey::Unknown)
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
        if self.has_web && Place::of(issuer).is_ok() {
            return self.on_web(issuer, key_id, at_s);
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

    #[test]
    fn a_key_of_a_web_server_is_asked_for_and_said_to_be_that() {
        let key = crate::SecretKey::ed25519(&[1; 32]).public();
        let did = "did:web:town.example";
        let (none, id, at_s) = (Facts::default(), format!("{did}#key"), Some(3));
        let keys = Resolved::with_web(&none);
        assert_eq!(keys.key(did, &id, at_s), Err(NoKey::Unknown));
        let need = Need::Web { did: did.to_owned(), id: id.clone(), at_s };
        assert_eq!((keys.missing(), keys.by_web(did)), (vec![need], None));
        // Where such names are none, and where a name leads nowhere it may, nobody is asked.
        let inside = "did:web:localhost";
        for (keys, did) in [(Resolved::new(&none), did), (Resolved::with_web(&none), inside)] {
            assert_eq!(keys.key(did, &format!("{did}#key"), at_s), Err(NoKey::Method));
            assert_eq!(keys.missing(), []);
        }
        let by = WebWord::Server("town.example".to_owned());
        let fact = |key| WebFact { id: id.clone(), at_s, key, by: by.clone() };
        let facts = Facts { web: vec![fact(Some(key))], ..Facts::default() };
        let keys = Resolved::with_web(&facts);
        assert_eq!(keys.key(did, &id, at_s), Ok(key));
        assert_eq!((keys.missing(), keys.by_web(did)), (Vec::new(), Some(&by)));
        assert_eq!(keys.key(did, &id, None), Err(NoKey::Unknown), "of another time");
        let facts = Facts { web: vec![fact(None)], ..Facts::default() };
        assert_eq!(Resolved::with_web(&facts).key(did, &id, at_s), Err(NoKey::NotTheirs));
    }
}
