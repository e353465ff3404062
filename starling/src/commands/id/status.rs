//! `starling id status`, and what a list says about what was verified.

use std::path::Path;

use identity::did::did_key;
use identity::sd_jwt::{DidKeys, Verified};
use identity::status::{Bits, ListError, Status, StatusList, StatusToken, Terms};

use super::options::ToSign;
use super::{Problem, now_s, read, secret};

pub(super) fn run(args: &ToSign) -> Result<(), Problem> {
    let bits = if args.suspend.is_empty() { Bits::One } else { Bits::Two };
    let wrong = |error: ListError| Problem::identity(&error, "Change --count or the places.");
    let mut list = StatusList::new(bits, args.count).map_err(wrong)?;
    let places = [(Status::Invalid, &args.revoke), (Status::Suspended, &args.suspend)];
    for (status, places) in places {
        for place in places {
            list.set(*place, status.value()).map_err(wrong)?;
        }
    }
    let (uri, ttl_s) = (args.uri.clone(), Some(args.ttl_s));
    let terms = Terms { uri, issued_s: now_s(), expires_s: None, ttl_s };
    let key = secret(&args.key)?;
    println!("{}", StatusToken::sign(&list, &terms, &key, &did_key::key_id(&key.public())));
    Ok(())
}

/// What the list in `file` says; nothing if the credential names none. One that names a list is not
/// taken without it.
pub(super) fn check(
    file: Option<&Path>,
    verified: &Verified,
) -> Result<Option<&'static str>, Problem> {
    let Some(place) = &verified.status else { return Ok(None) };
    let file = file.ok_or_else(|| {
        let what = format!("the credential may have been revoked: {} says", place.uri);
        Problem::identity(&what, "Fetch the list and name it with --status FILE.")
    })?;
    let token = StatusToken::open(&read(file)?, &place.uri, &verified.issuer, &DidKeys, now_s());
    let status = token.and_then(|token| token.status(place, now_s()));
    let status = status.map_err(|error| Problem::identity(&error, "Fetch the newest list."))?;
    let what = match status {
        Status::Valid => return Ok(Some("valid")),
        Status::Invalid => "the credential was revoked",
        Status::Suspended => "the credential is suspended",
        Status::Other(_) => "the credential has a status that is not known",
    };
    Err(Problem::identity(&what, "It proves nothing: ask for another."))
}
