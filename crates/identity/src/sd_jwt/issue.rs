//! What an issuer does (RFC 9901, 6).

use core::fmt;
use std::collections::BTreeSet;

use primitives::Seed;
use serde_json::{Map, Value, json};

use super::{CREDENTIAL_TYPE, Disclosure, HashAlgorithm, NEVER_HIDDEN, Path, Step};
use crate::{
    PublicKey, SecretKey, base64url, jws,
    limits::{COPIES_MAX, DECOYS_MAX, DISCLOSURES_MAX},
};

/// What is said about somebody, and which of it they may leave out.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Claims, `vct` among them. `iss` and `cnf` are added.
    pub claims: Map<String, Value>,
    /// Claims that the holder may leave out. A claim and one within it may both be listed.
    pub hidden: Vec<Path>,
    /// Digests of nothing beside those of each object, so that their number says less.
    pub decoys: usize,
}

/// Why nothing is issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueError {
    /// The key id is not a DID and a fragment.
    KeyId,
    /// The claims have no `vct`.
    NoType,
    /// The claims hold a name that has a meaning of its own.
    ReservedName,
    /// A claim to be hidden is not there, or twice in the list.
    NoSuchClaim(Path),
    /// A claim that must not be hidden.
    NeverHidden(Path),
    /// More disclosures, decoys or copies than [`crate::limits`] allow.
    TooMany,
    /// Two copies with one key or one place in the status list.
    NotApart,
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyId => f.write_str("expected a key id of a DID and a fragment"),
            Self::NoType => f.write_str("the claims have no vct"),
            Self::ReservedName => f.write_str("a claim has a reserved name"),
            Self::NoSuchClaim(path) => write!(f, "there is no claim to hide at {path}"),
            Self::NeverHidden(path) => write!(f, "the claim {path} must not be hidden"),
            Self::TooMany => {
                write!(
                    f,
                    "at most {DISCLOSURES_MAX} claims and {DECOYS_MAX} decoys are hidden, in at most {COPIES_MAX} copies"
                )
            }
            Self::NotApart => f.write_str(
                "each copy has a key and, if there is a status list, a place of its own",
            ),
        }
    }
}

impl core::error::Error for IssueError {}

/// Issues one copy of a credential, bound to `holder`.
///
/// `seed` is drawn for this copy alone: salts come from it. `key_id` is the issuer's DID and the
/// fragment of `key` in its document. Copies of one credential are told apart by nothing but what is
/// in them, so each has a holder key and a status index of its own.
///
/// # Errors
/// See [`IssueError`].
pub fn issue(
    template: &Template,
    key: &SecretKey,
    key_id: &str,
    holder: &PublicKey,
    seed: Seed,
) -> Result<String, IssueError> {
    let issuer = key_id.split_once('#').ok_or(IssueError::KeyId)?.0;
    check(template)?;
    let mut claims = template.claims.clone();
    claims.insert("iss".to_owned(), issuer.into());
    claims.insert("cnf".to_owned(), json!({ "jwk": holder.to_jwk() }));
    let mut payload = Value::Object(claims);
    let mut hider = Hider { seed, count: 0, decoys: template.decoys, disclosures: Vec::new() };
    // The deepest first: what is hidden within a claim is hidden when the claim is.
    let mut hidden: Vec<&Path> = template.hidden.iter().collect();
    hidden.sort_by_key(|path| core::cmp::Reverse(path.0.len()));
    for path in hidden {
        hider.hide(&mut payload, path)?;
    }
    hider.finish(&mut payload);
    let mut payload = payload.as_object().cloned().unwrap_or_default();
    payload.insert("_sd_alg".to_owned(), "sha-256".into());
    let mut issued = jws::sign(key, CREDENTIAL_TYPE, Some(key_id), &payload);
    issued.push('~');
    for disclosure in hider.disclosures {
        issued.push_str(&disclosure.text);
        issued.push('~');
    }
    Ok(issued)
}

/// What one copy of a credential has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyFor {
    /// The key that it is bound to.
    pub holder: PublicKey,
    /// Its place in the status list; none where the claims name no list.
    pub place: Option<u64>,
}

/// Issues copies of one credential, each to be shown once: to verifiers that compare what they saw, two
/// copies have nothing in common but what they say.
///
/// # Errors
/// See [`IssueError`]; also where two copies share a key or a place, by which they would be known.
pub fn issue_copies(
    template: &Template,
    key: &SecretKey,
    key_id: &str,
    copies: &[CopyFor],
    seed: Seed,
) -> Result<Vec<String>, IssueError> {
    if copies.len() > COPIES_MAX {
        return Err(IssueError::TooMany);
    }
    let holders: BTreeSet<_> = copies.iter().map(|copy| copy.holder).collect();
    let places: BTreeSet<_> = copies.iter().map(|copy| copy.place).collect();
    let listed = template.claims.contains_key("status");
    let apart = holders.len() == copies.len() && (!listed || places.len() == copies.len());
    if !apart || copies.iter().any(|copy| copy.place.is_some() != listed) {
        return Err(IssueError::NotApart);
    }
    let one = |(number, copy): (usize, &CopyFor)| {
        let mut template = template.clone();
        if let Some(place) = copy.place {
            let status = template.claims.get_mut("status");
            let index = status.and_then(|status| status.pointer_mut("/status_list/idx"));
            *index.ok_or(IssueError::NotApart)? = place.into();
        }
        let seed = seed.derive(&format!("starling/sd-jwt/copy/{number}"));
        issue(&template, key, key_id, &copy.holder, seed)
    };
    copies.iter().enumerate().map(one).collect()
}

fn check(template: &Template) -> Result<(), IssueError> {
    if !template.claims.get("vct").is_some_and(Value::is_string) {
        return Err(IssueError::NoType);
    }
    if template.claims.iter().any(|(name, value)| is_reserved(name) || has_reserved(value)) {
        return Err(IssueError::ReservedName);
    }
    if template.hidden.len() > DISCLOSURES_MAX || template.decoys > DECOYS_MAX {
        return Err(IssueError::TooMany);
    }
    let open = |path: &&Path| match path.0.first() {
        Some(Step::Name(name)) => NEVER_HIDDEN.contains(&name.as_str()),
        _ => true,
    };
    template
        .hidden
        .iter()
        .find(open)
        .map_or(Ok(()), |path| Err(IssueError::NeverHidden(path.clone())))
}

fn is_reserved(name: &str) -> bool {
    ["_sd", "_sd_alg", "..."].contains(&name)
}

fn has_reserved(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().any(|(name, value)| is_reserved(name) || has_reserved(value))
        }
        Value::Array(elements) => elements.iter().any(has_reserved),
        _ => false,
    }
}

struct Hider {
    seed: Seed,
    /// Salts and decoys drawn.
    count: u64,
    decoys: usize,
    disclosures: Vec<Disclosure>,
}

impl Hider {
    /// 128 bits that nobody else knows.
    fn salt(&mut self) -> String {
        self.count += 1;
        let drawn = self.seed.derive(&format!("starling/sd-jwt/salt/{}", self.count));
        base64url::encode(&drawn.as_bytes()[..16])
    }

    /// Puts a digest in place of a claim.
    fn hide(&mut self, payload: &mut Value, path: &Path) -> Result<(), IssueError> {
        let missing = || IssueError::NoSuchClaim(path.clone());
        let (last, parents) = path.0.split_last().ok_or_else(missing)?;
        let parent = parents.iter().try_fold(payload, descend).ok_or_else(missing)?;
        let salt = self.salt();
        let hash = HashAlgorithm::Sha256;
        let disclosure = match (parent, last) {
            (Value::Object(members), step) => {
                let name = name_of(step);
                let mut value = members.remove(&name).ok_or_else(missing)?;
                self.finish(&mut value);
                let disclosure = Disclosure::new(&salt, Some(&name), value);
                let digests = members.entry("_sd").or_insert_with(|| json!([]));
                let digests = digests.as_array_mut().ok_or_else(missing)?;
                digests.push(hash.digest(&disclosure.text).into());
                disclosure
            }
            (Value::Array(elements), Step::Index(index)) => {
                let element = elements.get_mut(*index).ok_or_else(missing)?;
                if element.get("...").is_some() {
                    return Err(missing());
                }
                let mut value = element.take();
                self.finish(&mut value);
                let disclosure = Disclosure::new(&salt, None, value);
                *element = json!({ "...": hash.digest(&disclosure.text) });
                disclosure
            }
            _ => return Err(missing()),
        };
        self.disclosures.push(disclosure);
        Ok(())
    }

    /// Adds decoys and sorts, so that the order of digests says nothing (RFC 9901, 4.2.4.1). Asked
    /// once of each object: when what it is in is hidden, or at the end.
    fn finish(&mut self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::Array(digests)) = members.get_mut("_sd") {
                    for _ in 0..self.decoys {
                        digests.push(HashAlgorithm::Sha256.digest(&self.salt()).into());
                    }
                    digests.sort_by(|one, two| one.as_str().cmp(&two.as_str()));
                }
                members.iter_mut().for_each(|(_, value)| self.finish(value));
            }
            Value::Array(elements) => elements.iter_mut().for_each(|value| self.finish(value)),
            _ => {}
        }
    }
}

fn name_of(step: &Step) -> String {
    match step {
        Step::Name(name) => name.clone(),
        Step::Index(index) => index.to_string(),
    }
}

fn descend<'a>(value: &'a mut Value, step: &Step) -> Option<&'a mut Value> {
    match (value, step) {
        (Value::Object(members), step) => members.get_mut(&name_of(step)),
        (Value::Array(elements), Step::Index(index)) => elements.get_mut(*index),
        _ => None,
    }
}
