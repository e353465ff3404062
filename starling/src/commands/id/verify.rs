//! `starling id verify`: a presentation, or the answer to a request.

use identity::request::Response;
use identity::sd_jwt::{self, Challenge, DidKeys, Expected, Verified};
use serde_json::{Map, Value, json};

use super::options::ToVerify;
use super::{Problem, now_s, read, refused, request, status};

pub(super) async fn run(args: &ToVerify) -> Result<(), Problem> {
    let text = read(&args.presentation)?;
    let verdict = match &args.given.request {
        Some(file) => {
            let request = request::load(file)?;
            let given = Response::parse(&text)
                .and_then(|response| response.check(&request, &DidKeys, now_s()));
            let given = given.map_err(|why| Problem::identity(&why, PROVES_NOTHING))?;
            let mut verdicts = Map::new();
            for (id, verified) in given {
                verdicts.insert(id, judge(args, verified).await?);
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
            let verified = sd_jwt::verify(&text, &DidKeys, &expected).map_err(refused)?;
            judge(args, verified).await?
        }
    };
    println!("{verdict:#}");
    Ok(())
}

const PROVES_NOTHING: &str = "It proves nothing: ask for another.";

/// Of whose issuing it is, of which type, and whether it still holds.
async fn judge(args: &ToVerify, verified: Verified) -> Result<Value, Problem> {
    if args.credential_type.as_ref().is_some_and(|wanted| *wanted != verified.credential_type) {
        return Err(refused(sd_jwt::Refusal::OtherType));
    }
    if args.issuer.as_ref().is_some_and(|wanted| *wanted != verified.issuer) {
        let what = format!("the issuer is {}", verified.issuer);
        return Err(Problem::identity(&what, "Ask for a credential of the issuer you trust."));
    }
    let newest = status::newest(args, &verified).await?;
    let status = status::check(args.status.as_deref(), &verified)?;
    let Verified { claims, issuer, credential_type, disclosed, .. } = verified;
    let disclosed: Vec<String> = disclosed.iter().map(ToString::to_string).collect();
    let mut verdict = json!({
        "issuer": issuer, "type": credential_type, "claims": claims, "disclosed": disclosed,
        "status": status,
    });
    if let Some(newest) = newest {
        verdict["status_list"] = newest;
    }
    Ok(verdict)
}
