//! `starling id`: credentials and grants by hand. Each command reads files and prints one thing, so that
//! an issuer, a holder and a verifier can be three machines.

mod grant;
mod look_up;
mod options;
mod present;
mod request;
mod resolve;
mod status;
mod verify;

use std::path::Path;

use identity::SecretKey;
use identity::did::{Did, did_key};
use identity::sd_jwt::{self, Credential, Template};
use primitives::Seed;
use serde_json::{Value, json};
use starling::key_file;

use super::{Problem, now_s};
use options::{LookUp, ToIssue, What};

pub(crate) use options::Args;

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    match args.what {
        What::Key { file, json } => key(&file, json),
        What::Issue(args) => issue(&args),
        What::Show { credential, from } => show(&credential, &from).await,
        What::Request(args) => request::run(&args),
        What::Present(args) => present::run(&args).await,
        What::Verify(args) => verify::run(&args).await,
        What::Resolve(args) => resolve::run(&args).await,
        What::Status(args) => status::run(&args),
        What::Anchor(args) => status::anchor(&args).await,
        What::Grant(args) => grant::make(&args),
        What::Open(args) => grant::open(&args),
    }
}

fn key(file: &Path, as_json: bool) -> Result<(), Problem> {
    let loaded = key_file::load_or_create(file)?;
    let key = SecretKey::ed25519(loaded.seed.as_bytes()).public();
    let (did, key_id) = (did_key::did(&key), did_key::key_id(&key));
    if as_json {
        let document = did_key::document(&key);
        println!("{}", json!({ "did": did, "key_id": key_id, "document": document }));
    } else {
        println!("{did}");
    }
    Ok(())
}

fn issue(args: &ToIssue) -> Result<(), Problem> {
    let claims: Value = serde_json::from_str(&read(&args.claims)?).map_err(wrong_file)?;
    let Value::Object(claims) = claims else { return Err(wrong_file("expected a JSON object")) };
    let Did::Key(holder) = args.to else {
        return Err(Problem::identity(&"only a did:key can be looked up here", ""));
    };
    let key = secret(&args.key)?;
    let key_id = args.key_id.clone().unwrap_or_else(|| did_key::key_id(&key.public()));
    let template = Template { claims, hidden: args.hide.clone(), decoys: args.decoys };
    let issued = sd_jwt::issue(&template, &key, &key_id, &holder, entropy()?);
    let issued = issued.map_err(|error| {
        Problem::identity(&error, "Change the claims, or what is hidden with --hide PATH.")
    })?;
    println!("{issued}");
    Ok(())
}

async fn show(file: &Path, from: &LookUp) -> Result<(), Problem> {
    let text = read(file)?;
    let ledger = look_up::Asked::open(from).await?;
    let issuers = look_up::issuers_of(std::slice::from_ref(&text), from, ledger.as_ref()).await?;
    let credential = Credential::open(&text, &issuers, now_s()).map_err(refused)?;
    let choices: Vec<String> = credential.choices().iter().map(ToString::to_string).collect();
    let contents = credential.contents();
    println!("{:#}", json!({ "claims": contents.claims, "may_be_hidden": choices }));
    Ok(())
}

/// The text of a file, without the line's end that printing added.
fn read(path: &Path) -> Result<String, Problem> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Problem::identity(&format!("{}: {error}", path.display()), "Name a file that can be read.")
    })?;
    Ok(text.trim().to_owned())
}

/// The key of a file that exists: a new one would be nobody's.
fn secret(file: &Path) -> Result<SecretKey, Problem> {
    Ok(SecretKey::ed25519(key_file::load(file)?.as_bytes()))
}

fn entropy() -> Result<Seed, Problem> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(key_file::KeyFileError::Entropy)?;
    Ok(Seed::new(seed))
}

fn wrong_file(error: impl ToString) -> Problem {
    Problem::identity(&error.to_string(), "Give a file with one JSON object of claims.")
}

fn refused(refusal: sd_jwt::Refusal) -> Problem {
    Problem::identity(&refusal, "It proves nothing: ask for another.")
}
