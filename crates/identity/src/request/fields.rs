//! Members of a request, each with its bound.

use serde_json::{Map, Value};

use super::RequestRefusal;
use crate::{
    limits::{
        NONCE_BYTES_MAX, NONCE_BYTES_MIN, PURPOSE_BYTES_MAX, RETURN_BYTES_MAX,
        VERIFIER_NAME_BYTES_MAX,
    },
    words::are_plain,
};

type Members = Map<String, Value>;

/// A text that must be there.
pub(super) fn text<'a>(
    members: &'a Members,
    name: &'static str,
) -> Result<&'a str, RequestRefusal> {
    optional(members, name)?.ok_or(RequestRefusal::Missing(name))
}

/// A moment that must be there, in seconds.
pub(super) fn seconds(members: &Members, name: &'static str) -> Result<u64, RequestRefusal> {
    let value = members.get(name).ok_or(RequestRefusal::Missing(name))?;
    value.as_u64().ok_or(RequestRefusal::MemberForm(name))
}

pub(super) fn nonce(members: &Members) -> Result<String, RequestRefusal> {
    let nonce = text(members, "nonce")?;
    if nonce.len() < NONCE_BYTES_MIN {
        return Err(RequestRefusal::ShortNonce);
    }
    url_safe(nonce, "nonce")
}

pub(super) fn state(members: &Members) -> Result<Option<String>, RequestRefusal> {
    optional(members, "state")?.map(|state| url_safe(state, "state")).transpose()
}

pub(super) fn name(members: &Members) -> Result<Option<String>, RequestRefusal> {
    let Some(metadata) = members.get("client_metadata") else { return Ok(None) };
    let metadata = metadata.as_object().ok_or(RequestRefusal::MemberForm("client_metadata"))?;
    words(metadata, "client_name", VERIFIER_NAME_BYTES_MAX)
}

pub(super) fn purpose(members: &Members) -> Result<Option<String>, RequestRefusal> {
    words(members, "purpose", PURPOSE_BYTES_MAX)
}

/// A page of the web without a fragment: the answer is put there. Over plain HTTP only on this machine.
pub(super) fn return_to(members: &Members) -> Result<Option<String>, RequestRefusal> {
    const NAME: &str = "redirect_uri";
    let Some(address) = optional(members, NAME)? else { return Ok(None) };
    let local = ["http://localhost", "http://127.0.0.1", "http://[::1]"].iter().any(|host| {
        let rest = address.strip_prefix(host);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    // Before a path, `@` hides which host it is.
    let authority = address.split("://").nth(1).unwrap_or_default();
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let plain = address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let fits = plain
        && address.len() <= RETURN_BYTES_MAX
        && (local || address.starts_with("https://"))
        && !authority.is_empty()
        && !authority.contains('@')
        && !address.contains('#');
    if fits { Ok(Some(address.to_owned())) } else { Err(RequestRefusal::MemberForm(NAME)) }
}

fn optional<'a>(
    members: &'a Members,
    name: &'static str,
) -> Result<Option<&'a str>, RequestRefusal> {
    let text = |value: &'a Value| value.as_str().filter(|text| !text.is_empty());
    let form = RequestRefusal::MemberForm(name);
    members.get(name).map(|value| text(value).ok_or(form)).transpose()
}

/// Letters that mean themselves in an address (RFC 3986, 2.3).
fn url_safe(text: &str, name: &'static str) -> Result<String, RequestRefusal> {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if text.len() <= NONCE_BYTES_MAX && text.bytes().all(safe) {
        Ok(text.to_owned())
    } else {
        Err(RequestRefusal::MemberForm(name))
    }
}

/// A stranger's words, which a page shows: nothing in them that moves other words about.
fn words(
    members: &Members,
    name: &'static str,
    bytes_max: usize,
) -> Result<Option<String>, RequestRefusal> {
    let Some(text) = optional(members, name)? else { return Ok(None) };
    if text.len() > bytes_max || !are_plain(text) || text.trim().is_empty() {
        return Err(RequestRefusal::MemberForm(name));
    }
    Ok(Some(text.to_owned()))
}
