//! Parameters of log entries: what an entry says, and what holds after it.

use serde_json::{Map, Value};

use super::{LogRefusal, proof};
use crate::{
    KeyKind, PublicKey,
    did::Did,
    limits::{LOG_KEYS_MAX, MULTIKEY_BYTES_MAX, WITNESSES_MAX},
};

/// The version of the method that is read here.
const METHOD: &str = "did:webvh:1.0";
/// Longest time that a copy may be used, in seconds.
const TTL_S_MAX: u64 = 1 << 31;

/// Who must witness changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// How many of them.
    pub(super) threshold: usize,
    /// Their multikeys, each once.
    pub(super) witnesses: Vec<String>,
}

/// What holds after an entry.
#[derive(Debug, Clone)]
pub(super) struct Active {
    /// Multikeys of which one must have signed this entry.
    pub(super) signers: Vec<String>,
    /// Who must have witnessed this entry.
    pub(super) rule: Option<Rule>,
    pub(super) update_keys: Vec<String>,
    pub(super) next_hashes: Vec<String>,
    pub(super) witness: Option<Rule>,
    pub(super) is_portable: bool,
    pub(super) is_deactivated: bool,
}

/// What an entry says. None: nothing of it.
#[derive(Debug, Default)]
struct Said {
    method: Option<String>,
    scid: Option<String>,
    update_keys: Option<Vec<String>>,
    next_hashes: Option<Vec<String>>,
    witness: Option<Option<Rule>>,
    portable: Option<bool>,
    deactivated: Option<bool>,
}

impl Active {
    /// What holds after an entry that says `parameters`, and who may have signed it.
    pub(super) fn after(
        before: Option<&Self>,
        parameters: &Map<String, Value>,
        scid: &str,
    ) -> Result<Self, LogRefusal> {
        let said = Said::parse(parameters)?;
        if said.method.as_ref().is_some_and(|method| method != METHOD) {
            return Err(LogRefusal::Method);
        }
        match before {
            None => Self::first(said, scid),
            Some(before) => before.next(said),
        }
    }

    fn first(said: Said, scid: &str) -> Result<Self, LogRefusal> {
        said.method.ok_or(LogRefusal::Method)?;
        if said.scid.ok_or(LogRefusal::Scid)? != scid {
            return Err(LogRefusal::Scid);
        }
        let update_keys = said.update_keys.ok_or(LogRefusal::Parameters)?;
        let witness = said.witness.unwrap_or_default();
        Ok(Self {
            signers: update_keys.clone(),
            rule: witness.clone(),
            update_keys,
            next_hashes: said.next_hashes.unwrap_or_default(),
            witness,
            is_portable: said.portable.unwrap_or_default(),
            is_deactivated: said.deactivated.unwrap_or_default(),
        })
    }

    fn next(&self, said: Said) -> Result<Self, LogRefusal> {
        if self.is_deactivated {
            return Err(LogRefusal::Ended);
        }
        // Allowed from the beginning, or never.
        if said.scid.is_some() || said.portable == Some(true) {
            return Err(LogRefusal::Parameters);
        }
        let is_promised = !self.next_hashes.is_empty();
        if is_promised {
            // Nothing is inherited: who has the keys of before would go on with them.
            let keys = said.update_keys.as_ref().ok_or(LogRefusal::NotPromised)?;
            said.next_hashes.as_ref().ok_or(LogRefusal::NotPromised)?;
            let kept = |key: &String| self.next_hashes.contains(&proof::multihash(key.as_bytes()));
            if keys.is_empty() || !keys.iter().all(kept) {
                return Err(LogRefusal::NotPromised);
            }
        }
        let update_keys = said.update_keys.unwrap_or_else(|| self.update_keys.clone());
        let witness = said.witness.unwrap_or_else(|| self.witness.clone());
        Ok(Self {
            signers: if is_promised { update_keys.clone() } else { self.update_keys.clone() },
            // Others witness from the next entry on; where there were none, these do at once.
            rule: self.witness.clone().or_else(|| witness.clone()),
            update_keys,
            next_hashes: said.next_hashes.unwrap_or_else(|| self.next_hashes.clone()),
            witness,
            is_portable: said.portable.unwrap_or(self.is_portable),
            is_deactivated: said.deactivated.unwrap_or_default(),
        })
    }
}

impl Said {
    /// What is not of the method is refused, for it may say what only others know. `null` is what early writers
    /// said for the default.
    fn parse(parameters: &Map<String, Value>) -> Result<Self, LogRefusal> {
        let mut said = Self::default();
        for (name, value) in parameters {
            let read = match name.as_str() {
                "method" => text(value).map(|text| said.method = Some(text)),
                "scid" => text(value).map(|text| said.scid = Some(text)),
                "updateKeys" => texts(value).map(|keys| said.update_keys = Some(keys)),
                "nextKeyHashes" => texts(value).map(|hashes| said.next_hashes = Some(hashes)),
                "witness" => rule(value).map(|rule| said.witness = Some(rule)),
                "portable" => flag(value).map(|flag| said.portable = Some(flag)),
                "deactivated" => flag(value).map(|flag| said.deactivated = Some(flag)),
                "watchers" => texts(value).map(drop),
                "ttl" => is_ttl(value).then_some(()),
                _ => None,
            };
            read.ok_or(LogRefusal::Parameters)?;
        }
        Ok(said)
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn flag(value: &Value) -> Option<bool> {
    if value.is_null() { Some(false) } else { value.as_bool() }
}

fn is_ttl(value: &Value) -> bool {
    value.is_null() || value.as_u64().is_some_and(|ttl_s| ttl_s <= TTL_S_MAX)
}

fn texts(value: &Value) -> Option<Vec<String>> {
    if value.is_null() {
        return Some(Vec::new());
    }
    let list = value.as_array().filter(|list| list.len() <= LOG_KEYS_MAX)?;
    list.iter().map(text).collect()
}

/// Who must witness; nobody, of `{}`. A rule that can't be met, or that one witness meets for two, is none.
fn rule(value: &Value) -> Option<Option<Rule>> {
    if value.is_null() {
        return Some(None);
    }
    let members = value.as_object()?;
    if members.is_empty() {
        return Some(None);
    }
    let threshold = members.get("threshold")?.as_u64()?;
    let list = members.get("witnesses")?.as_array().filter(|list| list.len() <= WITNESSES_MAX)?;
    let mut witnesses: Vec<String> = Vec::new();
    for one in list {
        let key = witness_key(one.get("id")?.as_str()?)?;
        if witnesses.contains(&key) {
            return None;
        }
        witnesses.push(key);
    }
    let threshold = usize::try_from(threshold).ok()?;
    (1..=witnesses.len()).contains(&threshold).then_some(Some(Rule { threshold, witnesses }))
}

/// The multikey of a witness, a `did:key` of Ed25519.
fn witness_key(id: &str) -> Option<String> {
    let Ok(Did::Key(key)) = id.parse() else { return None };
    is_signer(&key).then(|| key.to_multikey())
}

/// Whether proofs of the one suite are of this kind of key.
fn is_signer(key: &PublicKey) -> bool {
    key.kind() == KeyKind::Ed25519
}

/// The key of a multikey that may sign proofs.
pub(super) fn signer(multikey: &str) -> Option<PublicKey> {
    if multikey.len() > MULTIKEY_BYTES_MAX {
        return None;
    }
    PublicKey::from_multikey(multikey).ok().filter(is_signer)
}
