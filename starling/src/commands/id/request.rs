//! `starling id request`, and what others read of it.

use std::path::Path;

use identity::dcql::{ClaimPath, ClaimQuery, Query};
use identity::did::did_key;
use identity::request::Request;
use identity::sd_jwt::DidKeys;
use primitives::Hash;
use serde_json::Value;

use super::options::ToRequest;
use super::{Problem, entropy, now_s, read, secret};

pub(super) fn run(args: &ToRequest) -> Result<(), Problem> {
    let key = secret(&args.key)?;
    let now_s = now_s();
    let request = Request {
        verifier: did_key::did(&key.public()),
        nonce: Hash::new(*entropy()?.as_bytes()).to_string(),
        state: None,
        issued_s: now_s,
        expires_s: now_s.saturating_add(args.life_s),
        query: query(args)?,
        name: args.name.clone(),
        purpose: args.purpose.clone(),
        return_to: args.return_to.clone(),
    };
    let text = request.sign(&key, &did_key::key_id(&key.public()));
    // What nobody would answer is not asked.
    open(&text)?;
    println!("{text}");
    Ok(())
}

fn query(args: &ToRequest) -> Result<Query, Problem> {
    let Some(file) = &args.query else {
        let claim = |path: &ClaimPath| ClaimQuery { path: path.clone(), values: Vec::new() };
        let claims = args.claim.iter().map(claim).collect();
        return Ok(Query::of(args.credential_type.as_deref().unwrap_or_default(), claims));
    };
    let remedy = "Give a file with a question in DCQL, or ask with --type and --claim.";
    let value: Value =
        serde_json::from_str(&read(file)?).map_err(|error| Problem::identity(&error, remedy))?;
    Query::parse(&value).map_err(|error| Problem::identity(&error, remedy))
}

/// The request in a file.
pub(super) fn load(file: &Path) -> Result<Request, Problem> {
    open(&read(file)?)
}

fn open(text: &str) -> Result<Request, Problem> {
    Request::open(text, &DidKeys, now_s())
        .map_err(|why| Problem::identity(&why, "Do not answer it: ask the verifier for another."))
}
