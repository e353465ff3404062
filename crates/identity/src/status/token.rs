//! A list that its issuer signed (draft-ietf-oauth-status-list, 5.1 and 8.3).

use core::fmt;

use serde_json::{Map, Value, json};

use super::{Bits, ListError, Status, StatusList, StatusRef};
use crate::{
    SecretKey,
    jws::{self, Jws, JwsError},
    limits::{CLOCK_SKEW_S_MAX, STATUS_TOKEN_BYTES_MAX},
    sd_jwt::{IssuerKeys, NoKey},
};

/// The media type in the header.
pub const STATUS_TYPE: &str = "statuslist+jwt";

/// What an issuer says of a list besides the list. Times in seconds since 1970-01-01 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The list's name, as credentials give it.
    pub uri: String,
    /// When it was signed.
    pub issued_s: u64,
    /// From when on it is not to be believed.
    pub expires_s: Option<u64>,
    /// For how many seconds a copy may be used before a newer one is looked for.
    pub ttl_s: Option<u64>,
}

/// A list that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusToken {
    /// What was said of it.
    pub terms: Terms,
    /// The list.
    pub list: StatusList,
}

/// Why a list, or an answer from it, is refused. In order of check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusRefusal {
    /// More than [`STATUS_TOKEN_BYTES_MAX`].
    TooLarge,
    /// Not signed JSON with a list.
    Form,
    /// The header asks for an extension; none is known.
    Critical,
    /// The header's `typ` is not that of a status list.
    Type,
    /// `none`, an unknown algorithm, or another than the key's.
    Algorithm,
    /// The key is not named, or not as the issuer's.
    Issuer,
    /// The issuer's key is not to be had.
    Key(NoKey),
    /// The issuer did not sign this.
    Signature,
    /// A list of another name than the credential gives.
    OtherList,
    /// Signed in the future.
    FromTheFuture,
    /// Expired.
    Expired,
    /// Older than its `ttl`: a newer one must be fetched.
    Stale,
    /// A size of entries that there is not.
    Bits,
    /// The list in it is none.
    List(ListError),
    /// The list has no place for the credential, so the credential is not in it.
    NoPlace,
    /// Another list than the one that the ledger names as the newest.
    NotNewest,
}

impl fmt::Display for StatusRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the status list is too large",
            Self::Form => "expected a status list, found something else",
            Self::Critical => "the status list needs an extension that is not known",
            Self::Type => "expected the type statuslist+jwt",
            Self::Algorithm => "the algorithm is not the key's",
            Self::Issuer => "the issuer and its key are not named as one",
            Self::Key(why) => return why.fmt(f),
            Self::Signature => "the issuer did not sign this status list",
            Self::OtherList => "the credential's status is in another list",
            Self::FromTheFuture => "the status list is from the future",
            Self::Expired => "the status list has expired",
            Self::Stale => "the status list is too old",
            Self::Bits => "expected entries of 1, 2, 4 or 8 bits",
            Self::List(why) => return why.fmt(f),
            Self::NoPlace => "the status list has no place for the credential",
            Self::NotNewest => "the status list is not the newest: the ledger names another",
        })
    }
}

impl core::error::Error for StatusRefusal {}

impl StatusToken {
    /// Signs a list. `key_id` is the issuer's DID and the fragment of `key` in its document.
    pub fn sign(list: &StatusList, terms: &Terms, key: &SecretKey, key_id: &str) -> String {
        let mut payload = Map::new();
        payload.insert("sub".to_owned(), terms.uri.as_str().into());
        payload.insert("iat".to_owned(), terms.issued_s.into());
        if let Some(expires_s) = terms.expires_s {
            payload.insert("exp".to_owned(), expires_s.into());
        }
        if let Some(ttl_s) = terms.ttl_s {
            payload.insert("ttl".to_owned(), ttl_s.into());
        }
        let inner = json!({ "bits": list.bits().count(), "lst": list.to_text() });
        payload.insert("status_list".to_owned(), inner);
        jws::sign(key, STATUS_TYPE, Some(key_id), &payload)
    }

    /// The list's name in a token of which nothing is checked yet.
    ///
    /// # Errors
    /// Too large, or not signed JSON with a name.
    pub fn name(token: &str) -> Result<String, StatusRefusal> {
        if token.len() > STATUS_TOKEN_BYTES_MAX {
            return Err(StatusRefusal::TooLarge);
        }
        let signed = Jws::parse(token).map_err(refusal)?;
        let name = signed.payload.get("sub").and_then(Value::as_str);
        name.map(str::to_owned).ok_or(StatusRefusal::Form)
    }

    /// What a token says of which nothing is checked: of one that was checked before, or made here.
    ///
    /// # Errors
    /// It is no status list.
    pub(crate) fn unchecked(token: &str) -> Result<Self, StatusRefusal> {
        let signed = Jws::parse(token).map_err(refusal)?;
        let issued_s = seconds(&signed.payload, "iat")?.ok_or(StatusRefusal::Form)?;
        let terms = terms(&signed.payload, issued_s)?;
        let list = list(signed.payload.get("status_list").ok_or(StatusRefusal::Form)?)?;
        Ok(Self { terms, list })
    }

    /// Checks the list that a credential of `issuer` names, at `now_s`.
    ///
    /// # Errors
    /// The first [`StatusRefusal`] that applies.
    pub fn open(
        token: &str,
        uri: &str,
        issuer: &str,
        keys: &impl IssuerKeys,
        now_s: u64,
    ) -> Result<Self, StatusRefusal> {
        if token.len() > STATUS_TOKEN_BYTES_MAX {
            return Err(StatusRefusal::TooLarge);
        }
        let signed = Jws::parse(token).map_err(refusal)?;
        signed.check(STATUS_TYPE).map_err(refusal)?;
        let key_id = signed.text("kid").ok_or(StatusRefusal::Issuer)?;
        if key_id.split_once('#').is_none_or(|(did, _)| did != issuer) {
            return Err(StatusRefusal::Issuer);
        }
        let issued_s = seconds(&signed.payload, "iat")?.ok_or(StatusRefusal::Form)?;
        let key = keys.key(issuer, key_id, Some(issued_s)).map_err(StatusRefusal::Key)?;
        signed.verify(&key).map_err(refusal)?;
        let terms = terms(&signed.payload, issued_s)?;
        if terms.uri != uri {
            return Err(StatusRefusal::OtherList);
        }
        terms.check(now_s)?;
        let list = list(signed.payload.get("status_list").ok_or(StatusRefusal::Form)?)?;
        Ok(Self { terms, list })
    }

    /// What it says about a credential at `now_s`: a list that was checked may have become old since.
    ///
    /// # Errors
    /// The list is another or too old, or has no such place.
    pub fn status(&self, place: &StatusRef, now_s: u64) -> Result<Status, StatusRefusal> {
        if place.uri != self.terms.uri {
            return Err(StatusRefusal::OtherList);
        }
        self.terms.check(now_s)?;
        self.list.get(place.index).map(Status::of).ok_or(StatusRefusal::NoPlace)
    }
}

impl Terms {
    /// Whether a list of these terms is to be believed at `now_s`.
    ///
    /// # Errors
    /// From the future, expired, or older than its `ttl`.
    pub fn check(&self, now_s: u64) -> Result<(), StatusRefusal> {
        if self.issued_s > now_s.saturating_add(CLOCK_SKEW_S_MAX) {
            return Err(StatusRefusal::FromTheFuture);
        }
        if self.expires_s.is_some_and(|at_s| at_s <= now_s) {
            return Err(StatusRefusal::Expired);
        }
        let age_s = now_s.saturating_sub(self.issued_s);
        if self.ttl_s.is_some_and(|ttl_s| age_s > ttl_s) {
            return Err(StatusRefusal::Stale);
        }
        Ok(())
    }
}

fn terms(payload: &Map<String, Value>, issued_s: u64) -> Result<Terms, StatusRefusal> {
    let uri = payload.get("sub").and_then(Value::as_str).ok_or(StatusRefusal::Form)?.to_owned();
    let (expires_s, ttl_s) = (seconds(payload, "exp")?, seconds(payload, "ttl")?);
    // "A positive number": a list that may never be used is a mistake.
    if ttl_s == Some(0) {
        return Err(StatusRefusal::Form);
    }
    Ok(Terms { uri, issued_s, expires_s, ttl_s })
}

fn list(member: &Value) -> Result<StatusList, StatusRefusal> {
    let bits = member.get("bits").and_then(Value::as_u64).ok_or(StatusRefusal::Form)?;
    let bits = Bits::of(bits).ok_or(StatusRefusal::Bits)?;
    let text = member.get("lst").and_then(Value::as_str).ok_or(StatusRefusal::Form)?;
    StatusList::from_text(bits, text).map_err(StatusRefusal::List)
}

fn seconds(payload: &Map<String, Value>, name: &str) -> Result<Option<u64>, StatusRefusal> {
    payload.get(name).map(|value| value.as_u64().ok_or(StatusRefusal::Form)).transpose()
}

fn refusal(error: JwsError) -> StatusRefusal {
    match error {
        JwsError::Form => StatusRefusal::Form,
        JwsError::Critical => StatusRefusal::Critical,
        JwsError::Type => StatusRefusal::Type,
        JwsError::Algorithm => StatusRefusal::Algorithm,
        JwsError::Signature => StatusRefusal::Signature,
    }
}
