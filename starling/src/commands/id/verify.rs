//! `starling id verify`: a presentation, or the answer to a request.

use identity::did::Issuers;
use identity::request::Response;
use identity::sd_jwt::{self, Challenge, Expected, Verified};
use serde_json::{Map, Value, json};

use super::look_up::{self, Asked};
use super::options::ToVerify;
use super::{Problem, now_s, read, refused, request, status};

pub(super) async fn run(args: &ToVerify) -> Result<(), Problem> {
    let text = read(&args.presentation)?;
    let ledger = Asked::open(&args.from).await?;
    let ledger = ledger.as_ref();
    let verdict = match &args.given.request {
        Some(file) => {
            let request = request::load(file)?;
            let proves_nothing = |why| Problem::identity(&why, PROVES_NOTHING);
            let response = Response::parse(&text).map_err(proves_nothing)?;
            let texts: Vec<String> = response.presentations.values().cloned().collect();
            let issuers = look_up::issuers_of(&texts, &args.from, ledger).await?;
            let given = response.check(&request, &issuers, now_s()).map_err(proves_nothing)?;
            let mut verdicts = Map::new();
            for (id, verified) in given {
                verdicts.insert(id, judge(args, verified, &issuers, ledger).await?);
            }
            Value::Object(verdicts)
        }
        None => {
            let (nonce, audience) = (args.given.nonce.as_deref(), args.given.audience.as_deref());
            let challenge = Challenge {
                nonce: nonce.unwrap_or_default(),
                audience: audience.unwrap_or_default(),
            };
            let expected = Expected::new(challenge, now_s());
            let texts = std::slice::from_ref(&text);
            let issuers = look_up::issuers_of(texts, &args.from, ledger).await?;
            let verified = sd_jwt::verify(&text, &issuers, &expected).map_err(refused)?;
            judge(args, verified, &issuers, ledger).await?
        }
    };
    println!("{verdict:#}");
    Ok(())
}

const PROVES_NOTHING: &str = "It proves nothing: ask for another.";

/// Of whose issuing it is and what says so, of which type, and whether it still holds.
async fn judge(
    args: &ToVerify,
    verified: Verified,
    issuers: &Issuers,
    ledger: Option<&Asked>,
) -> Result<Value, Problem> {
    if args.credential_type.as_ref().is_some_and(|wanted| *wanted != verified.credential_type) {
        return Err(refused(sd_jwt::Refusal::OtherType));
    }
    if args.issuer.as_ref().is_some_and(|wanted| *wanted != verified.issuer) {
        let what = format!("the issuer is {}", verified.issuer);
        return Err(Problem::identity(&what, "Ask for a credential of the issuer you trust."));
    }
    let newest = status::newest(args, &verified, ledger).await?;
    let status = status::check(args.status.as_deref(), &verified, issuers)?;
    let vouched = issuers.vouched(&verified.issuer).as_ref().map(look_up::vouched);
    let Verified { claims, issuer, credential_type, disclosed, .. } = verified;
    let disclosed: Vec<String> = disclosed.iter().map(ToString::to_string).collect();
    let mut verdict = json!({
        "issuer": issuer, "type": credential_type, "claims": claims, "disclosed": disclosed,
        "status": status, "vouched": vouched,
    });
    if let Some(newest) = newest {
        verdict["status_list"] = newest;
    }
    Ok(verdict)
}
