//! Puts disclosures where their digests are (RFC 9901, 7.1, steps 3 to 5).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Disclosure, HashAlgorithm, NEVER_HIDDEN, Path, Refusal, Step};
use crate::limits::JSON_DEPTH_MAX;

/// Claims as they are for who has these disclosures.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// Without digests.
    pub(crate) claims: Map<String, Value>,
    /// Where each disclosure went, in their order.
    pub(crate) paths: Vec<Path>,
}

/// Unpacks a payload that its issuer signed.
pub(crate) fn unpack(
    payload: &Map<String, Value>,
    disclosures: &[Disclosure],
    hash: HashAlgorithm,
) -> Result<Unpacked, Refusal> {
    let mut by_digest = BTreeMap::new();
    for (index, disclosure) in disclosures.iter().enumerate() {
        if by_digest.insert(hash.digest(&disclosure.text), index).is_some() {
            return Err(Refusal::DuplicateDisclosure);
        }
    }
    let paths = vec![None; disclosures.len()];
    let mut unpacker = Unpacker { disclosures, by_digest, seen: BTreeSet::new(), paths };
    let claims = unpacker.object(payload, &Place::default())?;
    // Each disclosure was signed, directly or within another.
    let paths: Option<Vec<Path>> = unpacker.paths.into_iter().collect();
    Ok(Unpacked { claims, paths: paths.ok_or(Refusal::Unreferenced)? })
}

/// Where the unpacker is.
#[derive(Clone, Default)]
struct Place {
    path: Path,
    /// Within a claim of which nothing may be hidden.
    open: bool,
}

impl Place {
    fn is_top(&self) -> bool {
        self.path.0.is_empty()
    }

    fn member(&self, name: &str) -> Self {
        let open = self.open || (self.is_top() && NEVER_HIDDEN.contains(&name));
        Self { path: self.path.join(Step::Name(name.to_owned())), open }
    }

    fn element(&self, index: usize) -> Self {
        Self { path: self.path.join(Step::Index(index)), open: self.open }
    }
}

struct Unpacker<'a> {
    disclosures: &'a [Disclosure],
    by_digest: BTreeMap<String, usize>,
    /// Digests met so far, of disclosures given or not.
    seen: BTreeSet<String>,
    paths: Vec<Option<Path>>,
}

impl Unpacker<'_> {
    fn value(&mut self, value: &Value, place: &Place) -> Result<Value, Refusal> {
        if place.path.0.len() > JSON_DEPTH_MAX {
            return Err(Refusal::TooDeep);
        }
        match value {
            Value::Object(members) => self.object(members, place).map(Value::Object),
            Value::Array(elements) => self.array(elements, place).map(Value::Array),
            _ => Ok(value.clone()),
        }
    }

    fn object(
        &mut self,
        members: &Map<String, Value>,
        place: &Place,
    ) -> Result<Map<String, Value>, Refusal> {
        let nested_algorithm = !place.is_top() && members.contains_key("_sd_alg");
        if nested_algorithm || members.contains_key("...") {
            return Err(Refusal::DigestForm);
        }
        let mut claims = Map::new();
        for (name, value) in members {
            if name != "_sd" && name != "_sd_alg" {
                claims.insert(name.clone(), self.value(value, &place.member(name))?);
            }
        }
        for digest in digests(members)? {
            let Some(index) = self.meet(digest)? else { continue };
            let disclosure = &self.disclosures[index];
            let name = disclosure.name.as_deref().ok_or(Refusal::DisclosureForm)?;
            let below = place.member(name);
            if below.open {
                return Err(Refusal::NeverHidden);
            }
            if claims.contains_key(name) || name == "_sd_alg" {
                return Err(Refusal::Overwrites);
            }
            let value = self.value(&disclosure.value, &below)?;
            self.paths[index] = Some(below.path);
            claims.insert(name.to_owned(), value);
        }
        Ok(claims)
    }

    /// Elements are numbered as they are shown: those that are withheld, and decoys, have no number.
    fn array(&mut self, elements: &[Value], place: &Place) -> Result<Vec<Value>, Refusal> {
        let mut shown = Vec::new();
        for element in elements {
            let below = place.element(shown.len());
            let Some(digest) = hidden(element)? else {
                shown.push(self.value(element, &below)?);
                continue;
            };
            let Some(index) = self.meet(digest)? else { continue };
            let disclosure = &self.disclosures[index];
            if disclosure.name.is_some() {
                return Err(Refusal::DisclosureForm);
            }
            if below.open {
                return Err(Refusal::NeverHidden);
            }
            shown.push(self.value(&disclosure.value, &below)?);
            self.paths[index] = Some(below.path);
        }
        Ok(shown)
    }

    /// Meets a digest for the only time; the disclosure of it, if it was given.
    fn meet(&mut self, digest: &str) -> Result<Option<usize>, Refusal> {
        if self.seen.insert(digest.to_owned()) {
            Ok(self.by_digest.get(digest).copied())
        } else {
            Err(Refusal::DuplicateDigest)
        }
    }
}

/// What `_sd` lists.
fn digests(members: &Map<String, Value>) -> Result<Vec<&str>, Refusal> {
    let list = match members.get("_sd") {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(Refusal::DigestForm),
    };
    list.iter().map(|digest| digest.as_str().ok_or(Refusal::DigestForm)).collect()
}

/// The digest that stands in place of an element: an object with `...` and nothing else.
fn hidden(element: &Value) -> Result<Option<&str>, Refusal> {
    let Some(members) = element.as_object() else { return Ok(None) };
    match (members.get("..."), members.len()) {
        (None, _) => Ok(None),
        (Some(Value::String(digest)), 1) => Ok(Some(digest)),
        _ => Err(Refusal::DigestForm),
    }
}
