//! `did:webvh` 1.0: a DID whose web server shows the whole history of its document, which nobody but the holders of
//! its keys can write, not the server and not who fetched it.
//!
//! ```text
//! did.jsonl         -> ReadLog::read     every entry: parameters, chain of hashes, proofs, promises, times, SCID
//! did-witness.json  -> ReadLog::witnessed  enough witnesses signed, where the log names any
//! the log           -> Log::key           the key that held at a time
//! ```
//!
//! What it proves: whoever made the SCID wrote this, and every change was signed by a key that the one before allowed.
//! What it does not: that there is no newer entry (a server may hold one back; witnesses can't tell), who stands
//! behind the DID, and when a thing was signed but by the signer's word.
//!
//! Source: identity.foundation/didwebvh/v1.0; Data Integrity EdDSA Cryptosuites 1.0 (`eddsa-jcs-2022`); RFC 8785.
//! Only whole numbers are read. Every entry is checked, an invalid one ends the reading: there is no part of a log.

mod entry;
mod parameters;
mod proof;
mod refusal;
#[cfg(test)]
mod tests;
mod time;
mod witness;

use serde_json::{Map, Value};

use super::{Document, Place, Purpose};
use crate::{
    PublicKey, json,
    limits::{LOG_BYTES_MAX, LOG_ENTRIES_MAX, WITNESS_BYTES_MAX},
};

pub use refusal::{LogError, LogRefusal};

use entry::Entry;
use parameters::{Active, Rule};

/// A log whose entries are checked; whether witnesses signed is not.
#[derive(Debug, Clone)]
pub struct ReadLog {
    log: Log,
    /// Who must have witnessed which version.
    rules: Vec<Option<Rule>>,
}

/// The history of a DID, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    did: String,
    versions: Vec<Version>,
    is_deactivated: bool,
    can_change: bool,
    witnesses: usize,
}

/// What a DID said from a time on.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its number, a hyphen, its hash.
    pub id: String,
    /// From when on, by its writer's word, in seconds since 1970-01-01 UTC.
    pub time_s: u64,
    /// The document.
    pub document: Map<String, Value>,
}

impl ReadLog {
    /// Checks the log of `did`.
    ///
    /// # Errors
    /// The first entry that is none, and why.
    pub fn read(bytes: &[u8], did: &str, now_s: u64) -> Result<Self, LogError> {
        let whole = |why| LogError { entry: 0, why };
        let place = Place::of(did).map_err(|_| whole(LogRefusal::OtherDid))?;
        let scid = place.scid().ok_or_else(|| whole(LogRefusal::OtherDid))?;
        if bytes.len() > LOG_BYTES_MAX {
            return Err(whole(LogRefusal::TooLarge));
        }
        let text = core::str::from_utf8(bytes).map_err(|_| whole(LogRefusal::Form))?;
        let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or(text).split('\n').collect();
        if lines.len() > LOG_ENTRIES_MAX {
            return Err(whole(LogRefusal::TooLarge));
        }
        let mut reader = Reader { scid, now_s, active: None, last: None, log: Vec::new() };
        for (at, line) in lines.iter().enumerate() {
            reader.take(line).map_err(|why| LogError { entry: at + 1, why })?;
        }
        let active = reader.active.ok_or_else(|| whole(LogRefusal::Form))?;
        let (versions, rules): (Vec<Version>, Vec<Option<Rule>>) = reader.log.into_iter().unzip();
        let is_it = |version: &Version| text_of(&version.document, "id") == Some(did);
        if !versions.iter().any(is_it) {
            return Err(whole(LogRefusal::OtherDid));
        }
        let log = Log {
            did: did.to_owned(),
            versions,
            is_deactivated: active.is_deactivated,
            can_change: !active.update_keys.is_empty() && !active.is_deactivated,
            witnesses: active.witness.map_or(0, |rule| rule.threshold),
        };
        Ok(Self { log, rules })
    }

    /// Whether what witnesses signed is needed, too.
    pub fn needs_witnesses(&self) -> bool {
        self.rules.iter().any(Option::is_some)
    }

    /// Checks that enough witnesses signed, of what lies beside the log; nothing lies there: none did.
    ///
    /// # Errors
    /// The first version that too few have signed.
    pub fn witnessed(self, proofs: &[u8], now_s: u64) -> Result<Log, LogError> {
        if self.needs_witnesses() {
            let ids: Vec<&str> = self.log.versions.iter().map(|one| one.id.as_str()).collect();
            witness::check(proofs, &ids, &self.rules, now_s)?;
        }
        Ok(self.log)
    }
}

impl Log {
    /// Whose history it is.
    pub fn did(&self) -> &str {
        &self.did
    }

    /// What it said, oldest first; never empty.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The version that held at a time; none: there was no such DID yet.
    pub fn version_at(&self, at_s: u64) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.time_s <= at_s)
    }

    /// Whether its owner ended it: it has no document any more.
    pub const fn is_deactivated(&self) -> bool {
        self.is_deactivated
    }

    /// Whether anybody can change it still.
    pub const fn can_change(&self) -> bool {
        self.can_change
    }

    /// How many witnesses must sign a change; 0: it has none.
    pub const fn witnesses(&self) -> usize {
        self.witnesses
    }

    /// The key of an id, if it was this DID's for a purpose at a time (none: now) and the DID was not ended since.
    pub fn key(&self, id: &str, purpose: Purpose, at_s: Option<u64>) -> Option<PublicKey> {
        if self.is_deactivated {
            return None;
        }
        let version = match at_s {
            Some(at_s) => self.version_at(at_s)?,
            None => self.versions.last()?,
        };
        let bytes = Value::Object(version.document.clone()).to_string();
        // A DID that moved has documents of other names.
        Document::parse(bytes.as_bytes(), &self.did).ok()?.key(id, purpose)
    }
}

/// Whether bytes have the form of a log, and begin as that of a SCID does: for who fetches and does not check.
pub fn is_log_of(bytes: &[u8], scid: &str) -> bool {
    if bytes.len() > LOG_BYTES_MAX {
        return false;
    }
    let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n');
    let has_id = |entry: &Map<String, Value>| entry.get("versionId").is_some_and(Value::is_string);
    let entry = |line: &[u8]| json::parse_object(line).filter(has_id);
    let entries: Option<Vec<_>> = lines.take(LOG_ENTRIES_MAX + 1).map(entry).collect();
    let Some(entries) = entries.filter(|entries| entries.len() <= LOG_ENTRIES_MAX) else {
        return false;
    };
    let said = entries.first().and_then(|first| first.get("parameters")?.get("scid")?.as_str());
    said == Some(scid)
}

/// Whether bytes have the form of what witnesses sign: for who fetches and does not check.
pub fn are_witnesses(bytes: &[u8]) -> bool {
    let list = if bytes.len() <= WITNESS_BYTES_MAX { json::parse(bytes) } else { None };
    let has_id = |entry: &Value| entry.get("versionId").is_some_and(Value::is_string);
    list.as_ref().and_then(Value::as_array).is_some_and(|list| list.iter().all(has_id))
}

/// Reads a log, entry by entry.
struct Reader<'a> {
    scid: &'a str,
    now_s: u64,
    active: Option<Active>,
    /// Id, time and DID of the entry before.
    last: Option<(String, time::Instant, String)>,
    log: Vec<(Version, Option<Rule>)>,
}

impl Reader<'_> {
    fn take(&mut self, line: &str) -> Result<(), LogRefusal> {
        let entry = Entry::parse(line)?;
        let active = Active::after(self.active.as_ref(), &entry.parameters, self.scid)?;
        let previous = self.last.as_ref().map_or(self.scid, |(id, ..)| id.as_str());
        entry.check_id(self.log.len() + 1, previous)?;
        if self.log.is_empty() {
            entry.check_scid(self.scid)?;
        }
        let time = entry.time(self.now_s)?;
        if self.last.as_ref().is_some_and(|(_, before, _)| time <= *before) {
            return Err(LogRefusal::Time);
        }
        entry.check_proofs(&active.signers, self.now_s)?;
        let did = self.check_state(&entry)?;
        let rule = active.rule.clone();
        let version =
            Version { id: entry.id.clone(), time_s: time.seconds(), document: entry.state };
        self.log.push((version, rule));
        self.last = Some((entry.id, time, did));
        self.active = Some(active);
        Ok(())
    }

    /// The DID that an entry's document is of.
    fn check_state(&self, entry: &Entry) -> Result<String, LogRefusal> {
        let did = text_of(&entry.state, "id").ok_or(LogRefusal::State)?;
        let place = Place::of(did).map_err(|_| LogRefusal::State)?;
        if place.scid() != Some(self.scid) {
            return Err(LogRefusal::State);
        }
        let Some((_, _, before)) = self.last.as_ref().filter(|(_, _, before)| before != did) else {
            return Ok(did.to_owned());
        };
        let known = entry.state.get("alsoKnownAs").and_then(Value::as_array);
        let names_it = known.is_some_and(|known| known.iter().any(|one| one == before.as_str()));
        let may_move = self.active.as_ref().is_some_and(|active| active.is_portable);
        if may_move && names_it { Ok(did.to_owned()) } else { Err(LogRefusal::Moved) }
    }
}

fn text_of<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}
