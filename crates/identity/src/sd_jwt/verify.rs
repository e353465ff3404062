//! What a verifier does with a presentation (RFC 9901, 7.1 and 7.3).

use core::fmt;

use serde_json::{Map, Value};

use super::{Challenge, HashAlgorithm, Path, Refusal, claims, key_binding, token::Token, unpack};
use crate::{PublicKey, did::did_key, limits::PRESENTATION_AGE_S_MAX, status::StatusRef};

/// Where keys of issuers are looked up.
pub trait IssuerKeys {
    /// The key that `key_id` names, if it was `issuer`'s for issuing credentials at `at_s` (seconds
    /// since 1970; none: now) and was not given up as stolen since.
    ///
    /// # Errors
    /// [`NoKey`].
    fn key(&self, issuer: &str, key_id: &str, at_s: Option<u64>) -> Result<PublicKey, NoKey>;
}

/// Why there is no key of an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoKey {
    /// The issuer's method is not looked up here.
    Method,
    /// The issuer is not known, or is not in reach.
    Unknown,
    /// The issuer has, or had at that time, no such key for this.
    NotTheirs,
}

impl fmt::Display for NoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "issuers of this kind are not looked up",
            Self::Unknown => "the issuer is not known",
            Self::NotTheirs => "the key was not the issuer's",
        })
    }
}

impl core::error::Error for NoKey {}

/// Keys of issuers that are their own names: `did:key`.
#[derive(Debug, Clone, Copy, Default)]
pub struct DidKeys;

impl IssuerKeys for DidKeys {
    fn key(&self, issuer: &str, key_id: &str, _: Option<u64>) -> Result<PublicKey, NoKey> {
        if !issuer.starts_with("did:key:") {
            return Err(NoKey::Method);
        }
        did_key::key_of_id(key_id).ok_or(NoKey::NotTheirs)
    }
}

/// What a verifier takes.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Now, in seconds since 1970-01-01 UTC.
    pub now_s: u64,
    /// The question that was asked.
    pub challenge: Challenge<'a>,
    /// The type of credential that was asked for; none: any.
    pub credential_type: Option<&'a str>,
    /// How old an answer may be, in seconds.
    pub age_s_max: u64,
}

impl<'a> Expected<'a> {
    /// Any credential, as the answer to a challenge of the last five minutes.
    pub const fn new(challenge: Challenge<'a>, now_s: u64) -> Self {
        Self { now_s, challenge, credential_type: None, age_s_max: PRESENTATION_AGE_S_MAX }
    }
}

/// What a presentation proves.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// Everything that was shown, without digests.
    pub claims: Map<String, Value>,
    /// Where the holder chose to show more than what is always shown.
    pub disclosed: Vec<Path>,
    /// Who says so.
    pub issuer: String,
    /// What kind of credential it is.
    pub credential_type: String,
    /// The key that the credential is bound to.
    pub holder: PublicKey,
    /// Where to see whether it was revoked. The verifier must look.
    pub status: Option<StatusRef>,
}

/// Who is said to have issued a credential, of which nothing is checked yet: whose keys to look up.
pub fn issuer_said(text: &str) -> Option<String> {
    let token = Token::parse(text).ok()?;
    token.signed.payload.get("iss").and_then(Value::as_str).map(str::to_owned)
}

/// Checks a presentation. Of whose issuing it is, and its status, the caller judges.
///
/// # Errors
/// The first [`Refusal`] that applies.
pub fn verify(
    presentation: &str,
    keys: &impl IssuerKeys,
    expected: &Expected<'_>,
) -> Result<Verified, Refusal> {
    let token = Token::parse(presentation)?;
    let (verified, hash) = check_issued(&token, keys, expected.now_s)?;
    if expected.credential_type.is_some_and(|wanted| wanted != verified.credential_type) {
        return Err(Refusal::OtherType);
    }
    let times = (expected.now_s, expected.age_s_max);
    key_binding::check(&token, hash, expected.challenge, &verified.holder, times)?;
    Ok(verified)
}

/// What holds of a token by its issuer's signature alone.
pub(crate) fn check_issued(
    token: &Token<'_>,
    keys: &impl IssuerKeys,
    now_s: u64,
) -> Result<(Verified, HashAlgorithm), Refusal> {
    token.check_header()?;
    let payload = &token.signed.payload;
    let issuer = payload.get("iss").and_then(Value::as_str).ok_or(Refusal::Issuer)?;
    let key_id = token.signed.text("kid").ok_or(Refusal::Issuer)?;
    if key_id.split_once('#').is_none_or(|(did, _)| did != issuer) {
        return Err(Refusal::Issuer);
    }
    let issued_s = claims::seconds(payload, "iat")?;
    let key = keys.key(issuer, key_id, issued_s).map_err(Refusal::Key)?;
    token.check_signature(&key)?;
    let hash = HashAlgorithm::of_claim(payload.get("_sd_alg"))?;
    let unpacked = unpack::unpack(payload, &token.disclosures, hash)?;
    let verified = check_claims(unpacked, issuer, now_s)?;
    Ok((verified, hash))
}

fn check_claims(unpacked: unpack::Unpacked, issuer: &str, now_s: u64) -> Result<Verified, Refusal> {
    let shown = unpacked.claims;
    let credential_type = claims::text(&shown, "vct")?.to_owned();
    claims::check_times(&shown, now_s)?;
    let holder = claims::holder(&shown)?.ok_or(Refusal::NoHolderKey)?;
    let status = claims::status(&shown)?;
    let issuer = issuer.to_owned();
    let disclosed = unpacked.paths;
    Ok(Verified { claims: shown, disclosed, issuer, credential_type, holder, status })
}
