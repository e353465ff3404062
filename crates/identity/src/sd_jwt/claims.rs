//! Claims that decide whether a credential holds.

use serde_json::{Map, Value};

use super::Refusal;
use crate::{PublicKey, limits::CLOCK_SKEW_S_MAX, status::StatusRef};

/// A moment in seconds since 1970-01-01 UTC, if the claim is there.
pub(crate) fn seconds(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<u64>, Refusal> {
    claims.get(name).map(|value| value.as_u64().ok_or(Refusal::ClaimForm(name))).transpose()
}

/// A text that must be there and not be empty.
pub(crate) fn text<'a>(
    claims: &'a Map<String, Value>,
    name: &'static str,
) -> Result<&'a str, Refusal> {
    let value = claims.get(name).ok_or(Refusal::Missing(name))?;
    value.as_str().filter(|text| !text.is_empty()).ok_or(Refusal::ClaimForm(name))
}

/// Whether the claims hold at `now_s`.
pub(crate) fn check_times(claims: &Map<String, Value>, now_s: u64) -> Result<(), Refusal> {
    let soon_s = now_s.saturating_add(CLOCK_SKEW_S_MAX);
    let issued_s = seconds(claims, "iat")?;
    let (from_s, until_s) = (seconds(claims, "nbf")?, seconds(claims, "exp")?);
    if issued_s.is_some_and(|at| at > soon_s) || from_s.is_some_and(|at| at > soon_s) {
        return Err(Refusal::NotYetValid);
    }
    if until_s.is_some_and(|at| at <= now_s) { Err(Refusal::Expired) } else { Ok(()) }
}

/// The key that the credential is bound to (RFC 7800, 3.2).
pub(crate) fn holder(claims: &Map<String, Value>) -> Result<Option<PublicKey>, Refusal> {
    let Some(confirmation) = claims.get("cnf") else { return Ok(None) };
    let members = confirmation.as_object().ok_or(Refusal::ClaimForm("cnf"))?;
    let Some(jwk) = members.get("jwk") else { return Err(Refusal::ClaimForm("cnf")) };
    let key = PublicKey::from_jwk(jwk).map_err(|_| Refusal::ClaimForm("cnf"))?;
    Ok(Some(key))
}

/// Where the credential's status is. A status of a kind that is not known can't be looked at, so the
/// credential is refused rather than taken for good.
pub(crate) fn status(claims: &Map<String, Value>) -> Result<Option<StatusRef>, Refusal> {
    let Some(status) = claims.get("status") else { return Ok(None) };
    let found = status.get("status_list").and_then(|list| {
        let (index, uri) = (list.get("idx")?.as_u64()?, list.get("uri")?.as_str()?);
        Some(StatusRef { index, uri: uri.to_owned() })
    });
    found.map(Some).ok_or(Refusal::ClaimForm("status"))
}
