//! `starling id status` and `starling id anchor`, and what a list says about what was verified.

use std::path::Path;
use std::time::Duration;

use identity::did::{Did, Issuers, did_key};
use identity::sd_jwt::{DidKeys, Verified};
use identity::status::{
    Anchor, Bits, ListError, Status, StatusList, StatusRefusal, StatusToken, Terms, check_newest,
    token_cid, token_hash,
};
use ledger::Action;
use ledger::domains::identity::{self as dids, Anchored};
use primitives::KeyPair;
use serde_json::{Value, json};
use starling::key_file;
use starling::ledger_client::{Client, Waits};

use super::look_up::Asked;
use super::options::{ToAnchor, ToSign, ToVerify};
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
    let key_id = args.key_id.clone().unwrap_or_else(|| did_key::key_id(&key.public()));
    println!("{}", StatusToken::sign(&list, &terms, &key, &key_id));
    Ok(())
}

/// Puts the list in a file on the ledger as the newest of its name.
pub(super) async fn anchor(args: &ToAnchor) -> Result<(), Problem> {
    let (token, key) = (read(&args.list)?, secret(&args.key)?);
    let issuer = Did::Key(key.public());
    let did = did_key::did(&key.public());
    let wrong = |why: StatusRefusal| {
        Problem::identity(&why, "Sign the list anew with `starling id status`.")
    };
    let uri = StatusToken::name(&token).map_err(wrong)?;
    StatusToken::open(&token, &uri, &did, &DidKeys, now_s()).map_err(wrong)?;
    let mut nodes = args.validators.open()?;
    let place = dids::anchored_key(&issuer, &uri);
    let last: Option<Anchored> =
        nodes.ask(async |client: &Client| client.record(&place).await).await?;
    let number = last.map_or(0, |record| record.number).saturating_add(1);
    let chain = nodes.ask(async |client: &Client| client.status().await).await?.chain;
    let anchor = Anchor::sign((issuer, uri.as_str()), number, &token, (0, &key), chain.as_bytes());
    let payer = key_file::load(args.payer.as_ref().unwrap_or(&args.key))?;
    let action = Action::Identity(dids::Action::Anchor { anchor: Box::new(anchor) });
    let id = nodes.act(&KeyPair::from_seed(payer), &action, Waits::default()).await?;
    let within = Duration::from_secs(args.wait_s);
    let receipt = nodes.ask(async |client: &Client| client.done(id, within).await).await?;
    let cid = token_cid(&token_hash(&token));
    println!(
        "{}",
        json!({ "list": uri, "version": number, "height": receipt["height"], "cid": cid })
    );
    Ok(())
}

/// What the ledger proves of the list that was given: that it is the newest, and in which block that was
/// so. Nothing, if no ledger is asked or the credential names no list.
pub(super) async fn newest(
    args: &ToVerify,
    verified: &Verified,
    ledger: Option<&Asked>,
) -> Result<Option<Value>, Problem> {
    let (Some(ledger), Some(file), Some(place)) = (ledger, &args.status, &verified.status) else {
        return Ok(None);
    };
    let issuer = verified.issuer.parse::<Did>().map_err(|why| {
        Problem::identity(&why, "Its lists are not on a ledger: leave --ledger out.")
    })?;
    let key = dids::anchored_key(&issuer, &place.uri);
    let (proved, age_s) = ledger.proved::<Anchored>(&key).await?;
    let anchored = proved.record.ok_or_else(|| {
        let what =
            format!("in block {} no version of {} is on the ledger", proved.height, place.uri);
        Problem::identity(&what, "Ask the issuer to anchor it, or leave --ledger out.")
    })?;
    check_newest(&read(file)?, anchored.token).map_err(|why| {
        let (Anchored { number, height, .. }, cid) = (&anchored, token_cid(&anchored.token));
        let what = format!("{why}, version {number} since block {height}, which is block {cid}");
        Problem::identity(&what, "Fetch the newest list: `starling get` of that block.")
    })?;
    let Anchored { number, height, .. } = anchored;
    Ok(Some(json!({
        "version": number, "since_height": height, "proved_at_height": proved.height,
        "proved_at_s": proved.time_s, "proof_age_s": age_s,
    })))
}

/// What the list in `file` says; nothing if the credential names none. One that names a list is not
/// taken without it.
pub(super) fn check(
    file: Option<&Path>,
    verified: &Verified,
    issuers: &Issuers,
) -> Result<Option<&'static str>, Problem> {
    let Some(place) = &verified.status else { return Ok(None) };
    let file = file.ok_or_else(|| {
        let what = format!("the credential may have been revoked: {} says", place.uri);
        Problem::identity(&what, "Fetch the list and name it with --status FILE.")
    })?;
    let token = StatusToken::open(&read(file)?, &place.uri, &verified.issuer, issuers, now_s());
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

#[cfg(test)]
mod tests {
    use content::{Cid, Codec};

    use super::*;

    #[test]
    fn a_list_on_the_ledger_is_the_block_that_the_store_calls_so() {
        let token = "eyJ.eyJ.sig";
        let cid = Cid::of(Codec::Raw, token.as_bytes());
        assert_eq!(token_cid(&token_hash(token)), cid.to_string());
    }
}
