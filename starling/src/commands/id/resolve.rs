//! `starling id resolve`: the document of a DID, and what vouches for it.

use identity::did::{Did, Vouched, did_key, starling};
use serde_json::{Value, json};

use super::look_up::{self, Asked, Web};
use super::options::ToResolve;
use super::{Problem, now_s};

pub(super) async fn run(args: &ToResolve) -> Result<(), Problem> {
    let did: Did = args.did.parse().map_err(|why| {
        Problem::identity(&why, "Give a did:key, did:starling, did:web or did:webvh.")
    })?;
    let at_s = args.at_s.unwrap_or_else(now_s);
    let found = match &did {
        Did::Key(key) => {
            json!({ "document": did_key::document(key), "vouched": look_up::vouched(&Vouched::Itself) })
        }
        Did::Starling(id) => {
            let ledger = Asked::open(&args.from).await?.ok_or_else(|| {
                Problem::identity(&"it is on a ledger", "Name a server of it with --ledger URL.")
            })?;
            of_ledger(&ledger.history(*id).await?, at_s)?
        }
        Did::Web(text) => {
            let resolver = args.from.resolver.as_deref().ok_or_else(|| {
                let remedy = "Name a server that asks with --resolver URL, or ask from here with --resolver self.";
                Problem::identity(&"its web server must be asked", remedy)
            })?;
            match look_up::web(text, resolver).await? {
                Web::Document(bytes) => of_web(text, &bytes)?,
                Web::Log(log) => of_log(&log, at_s)?,
            }
        }
    };
    println!("{found:#}");
    Ok(())
}

fn of_ledger(history: &look_up::History, at_s: u64) -> Result<Value, Problem> {
    let holds = |(version, _): &&(ledger::domains::identity::Version, starling::Content)| {
        version.time_s <= at_s
    };
    let (version, content) = history.versions.iter().rev().find(holds).ok_or_else(not_then)?;
    let vouched = look_up::vouched(&Vouched::Ledger { height: history.height });
    Ok(json!({
        "document": starling::document(history.id, content), "version": version.op.to_string(),
        "since_height": version.height, "since_s": version.time_s, "ended": version.stopped,
        "proof_age_s": history.age_s, "vouched": vouched,
    }))
}

fn of_web(did: &str, bytes: &[u8]) -> Result<Value, Problem> {
    let wrong = |why: &dyn std::fmt::Display| {
        Problem::identity(&why.to_string(), "Its web server must show its own document.")
    };
    // It is read as a verifier does before it is shown.
    let mut issuers = identity::did::Issuers::default();
    issuers.add_web(did, bytes).map_err(|why| wrong(&why))?;
    let document: Value = serde_json::from_slice(bytes).map_err(|why| wrong(&why))?;
    let vouched = issuers.vouched(did).as_ref().map(look_up::vouched);
    Ok(json!({ "document": document, "vouched": vouched }))
}

fn of_log(log: &identity::did::webvh::Log, at_s: u64) -> Result<Value, Problem> {
    let version = log.version_at(at_s).ok_or_else(not_then)?;
    let mut issuers = identity::did::Issuers::default();
    issuers.add_log(log.clone());
    let vouched = issuers.vouched(log.did()).as_ref().map(look_up::vouched);
    // What was ended has no document any more.
    let document = (!log.is_deactivated()).then_some(&version.document);
    Ok(json!({
        "document": document, "version": version.id, "since_s": version.time_s,
        "versions": log.versions().len(), "ended": log.is_deactivated(),
        "can_change": log.can_change(), "vouched": vouched,
    }))
}

fn not_then() -> Problem {
    Problem::identity(&"there was no such DID then", "Ask for a later time with --at-s SECONDS.")
}
