//! One line of a log.

use serde_json::{Map, Value};

use super::{LogRefusal, proof, time::Instant};
use crate::{jcs, json, limits::PROOFS_MAX};

/// Stands for the SCID where it is computed.
const PLACEHOLDER: &str = "{SCID}";
/// How far an entry may be ahead of this machine's clock, in seconds.
const AHEAD_S_MAX: u64 = 300;

/// An entry; nothing of it is true yet.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    time: String,
    pub(super) parameters: Map<String, Value>,
    pub(super) state: Map<String, Value>,
    proofs: Vec<Value>,
    /// All but the proofs.
    unsigned: Map<String, Value>,
}

impl Entry {
    pub(super) fn parse(line: &str) -> Result<Self, LogRefusal> {
        let mut members = json::parse_object(line.as_bytes()).ok_or(LogRefusal::Form)?;
        let proofs = match members.remove("proof") {
            Some(Value::Array(proofs)) if (1..=PROOFS_MAX).contains(&proofs.len()) => proofs,
            _ => return Err(LogRefusal::Proof),
        };
        let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
        let object = |name: &str| members.get(name).and_then(Value::as_object).cloned();
        let entry = (text("versionId"), text("versionTime"), object("parameters"), object("state"));
        let (Some(id), Some(time), Some(parameters), Some(state), 4) =
            (entry.0, entry.1, entry.2, entry.3, members.len())
        else {
            return Err(LogRefusal::Form);
        };
        Ok(Self { id, time, parameters, state, proofs, unsigned: members })
    }

    /// Whether it is entry `number` behind the one of the id `previous`: the SCID's, of the first.
    pub(super) fn check_id(&self, number: usize, previous: &str) -> Result<(), LogRefusal> {
        let hash = proof::multihash(self.with_id(previous)?.as_bytes());
        if self.id == format!("{number}-{hash}") { Ok(()) } else { Err(LogRefusal::Version) }
    }

    /// Whether a SCID is the hash of this first entry as it was before there was the SCID.
    pub(super) fn check_scid(&self, scid: &str) -> Result<(), LogRefusal> {
        let text = self.with_id(PLACEHOLDER)?.replace(scid, PLACEHOLDER);
        // Names may have changed, and with them their order.
        let value = json::parse(text.as_bytes()).ok_or(LogRefusal::Scid)?;
        let text = jcs::canonical(&value).ok_or(LogRefusal::Form)?;
        if proof::multihash(text.as_bytes()) == scid { Ok(()) } else { Err(LogRefusal::Scid) }
    }

    /// What is hashed: the entry without proofs, under another id.
    fn with_id(&self, id: &str) -> Result<String, LogRefusal> {
        let mut members = self.unsigned.clone();
        members.insert("versionId".to_owned(), id.into());
        jcs::canonical_object(&members).ok_or(LogRefusal::Form)
    }

    /// Its time, which is not ahead.
    pub(super) fn time(&self, now_s: u64) -> Result<Instant, LogRefusal> {
        let time = Instant::parse(&self.time).ok_or(LogRefusal::Time)?;
        if time.seconds() > now_s.saturating_add(AHEAD_S_MAX) {
            return Err(LogRefusal::Time);
        }
        Ok(time)
    }

    /// Whether all its proofs hold, each of one of these multikeys.
    pub(super) fn check_proofs(&self, signers: &[String], now_s: u64) -> Result<(), LogRefusal> {
        let document = jcs::canonical_object(&self.unsigned).ok_or(LogRefusal::Form)?;
        for proof in &self.proofs {
            let key = proof::signed_by(proof, &document, now_s).ok_or(LogRefusal::Proof)?;
            if !signers.iter().any(|signer| signer == key) {
                return Err(LogRefusal::NotAuthorized);
            }
        }
        Ok(())
    }
}
