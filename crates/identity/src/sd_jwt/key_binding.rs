//! The holder's answer to a verifier (RFC 9901, 4.3 and 7.3).

use serde_json::{Map, Value, json};

use super::{HashAlgorithm, KEY_BINDING_TYPE, Refusal, claims::seconds, token::Token};
use crate::{
    PublicKey, SecretKey,
    jws::{self, Jws, JwsError},
    limits::CLOCK_SKEW_S_MAX,
};

/// What a verifier asks a holder to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// Drawn for this question, of at least 128 random bits.
    pub nonce: &'a str,
    /// Who asks: the verifier's DID or address.
    pub audience: &'a str,
}

/// Signs the answer to a challenge for what is presented.
pub(crate) fn sign(
    presented: &str,
    hash: HashAlgorithm,
    challenge: Challenge<'_>,
    key: &SecretKey,
    now_s: u64,
) -> String {
    let payload = json!({
        "iat": now_s, "aud": challenge.audience, "nonce": challenge.nonce,
        "sd_hash": hash.digest(presented),
    });
    let payload = payload.as_object().cloned().unwrap_or_default();
    jws::sign(key, KEY_BINDING_TYPE, None, &payload)
}

/// Checks the answer of a token's holder.
pub(crate) fn check(
    token: &Token<'_>,
    hash: HashAlgorithm,
    challenge: Challenge<'_>,
    holder: &PublicKey,
    (now_s, age_s_max): (u64, u64),
) -> Result<(), Refusal> {
    if token.key_binding.is_empty() {
        return Err(Refusal::NoKeyBinding);
    }
    let answer = Jws::parse(token.key_binding).map_err(refusal)?;
    answer.check(KEY_BINDING_TYPE).map_err(refusal)?;
    answer.verify(holder).map_err(refusal)?;
    let claims = &answer.payload;
    if text(claims, "nonce")? != challenge.nonce {
        return Err(Refusal::Nonce);
    }
    if text(claims, "aud")? != challenge.audience {
        return Err(Refusal::Audience);
    }
    check_age(claims, now_s, age_s_max)?;
    if text(claims, "sd_hash")? != hash.digest(token.presented) {
        return Err(Refusal::PresentationHash);
    }
    Ok(())
}

fn check_age(claims: &Map<String, Value>, now_s: u64, age_s_max: u64) -> Result<(), Refusal> {
    let form = |_| Refusal::KeyBindingForm;
    let at_s = seconds(claims, "iat").map_err(form)?.ok_or(Refusal::KeyBindingForm)?;
    if at_s > now_s.saturating_add(CLOCK_SKEW_S_MAX) {
        return Err(Refusal::FromTheFuture);
    }
    let until_s = seconds(claims, "exp").map_err(form)?.unwrap_or(u64::MAX);
    let from_s = seconds(claims, "nbf").map_err(form)?.unwrap_or(0);
    if from_s > now_s.saturating_add(CLOCK_SKEW_S_MAX) {
        return Err(Refusal::FromTheFuture);
    }
    let old = now_s.saturating_sub(at_s) > age_s_max || until_s <= now_s;
    if old { Err(Refusal::Stale) } else { Ok(()) }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    claims.get(name).and_then(Value::as_str).ok_or(Refusal::KeyBindingForm)
}

fn refusal(error: JwsError) -> Refusal {
    match error {
        JwsError::Form | JwsError::Critical => Refusal::KeyBindingForm,
        JwsError::Type => Refusal::KeyBindingType,
        JwsError::Algorithm => Refusal::KeyBindingAlgorithm,
        JwsError::Signature => Refusal::KeyBindingSignature,
    }
}
