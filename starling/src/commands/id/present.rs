//! `starling id present`: to a challenge, or to a request.

use std::collections::BTreeMap;

use identity::SecretKey;
use identity::dcql::CredentialQuery;
use identity::request::{Request, Response};
use identity::sd_jwt::{Challenge, Credential, Path, PresentError, Verified};
use serde_json::{Value, json};

use super::options::ToPresent;
use super::{Problem, look_up, now_s, read, refused, request, secret};

pub(super) async fn run(args: &ToPresent) -> Result<(), Problem> {
    let texts = args.credential.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let ledger = look_up::Asked::open(&args.from).await?;
    let issuers = look_up::issuers_of(&texts, &args.from, ledger.as_ref()).await?;
    let open = |text: &String| Credential::open(text, &issuers, now_s()).map_err(refused);
    let held: Vec<Credential> = texts.iter().map(open).collect::<Result<_, _>>()?;
    let key = secret(&args.key)?;
    if let Some(file) = &args.given.request {
        return answer(args, &request::load(file)?, &held, &key);
    }
    let [credential] = held.as_slice() else {
        let remedy = "Name one credential, or the request with --request FILE.";
        return Err(Problem::identity(&"several credentials for one challenge", remedy));
    };
    let given = &args.given;
    let (nonce, audience) = (given.nonce.as_deref(), given.audience.as_deref());
    let challenge =
        Challenge { nonce: nonce.unwrap_or_default(), audience: audience.unwrap_or_default() };
    println!("{}", credential.present(&args.show, challenge, &key, now_s()).map_err(not_shown)?);
    Ok(())
}

/// What a request asks for, and what else the holder wants to show.
fn answer(
    args: &ToPresent,
    request: &Request,
    held: &[Credential],
    key: &SecretKey,
) -> Result<(), Problem> {
    let contents: Vec<&Verified> = held.iter().map(Credential::contents).collect();
    let answers = request.query.answers(&contents).map_err(|why| {
        Problem::identity(
            &why,
            "Name a credential of the type, with the claims that are asked for.",
        )
    })?;
    let (mut presentations, mut preview) = (BTreeMap::new(), Vec::new());
    let audience = request.audience();
    for answer in answers {
        let first = answer.held.first().and_then(|place| held.get(*place));
        let Some(credential) = first else { continue };
        let shown = shown(answer.query, credential, &args.show);
        preview.push(described(answer.query, credential, &shown));
        let challenge = request.challenge(&audience);
        let text = credential.present(&shown, challenge, key, now_s()).map_err(not_shown)?;
        presentations.insert(answer.query.id.clone(), text);
    }
    if args.preview {
        let Request { verifier, name, purpose, expires_s, return_to, .. } = request;
        let preview = json!({
            "verifier": verifier, "calls_itself": name, "why": purpose, "until_s": expires_s,
            "answer_goes_to": return_to, "would_show": preview,
        });
        println!("{preview:#}");
        return Ok(());
    }
    let state = request.state.clone();
    println!("{}", Response { presentations, state, status_lists: Vec::new() }.to_json());
    Ok(())
}

fn shown(query: &CredentialQuery, credential: &Credential, more: &[Path]) -> Vec<Path> {
    [query.shown(credential), more.to_vec()].concat()
}

fn described(query: &CredentialQuery, credential: &Credential, shown: &[Path]) -> Value {
    let contents = credential.contents();
    let shown: Vec<String> = shown.iter().map(ToString::to_string).collect();
    json!({
        "for": query.id, "issuer": contents.issuer, "type": contents.credential_type, "shown": shown,
    })
}

fn not_shown(error: PresentError) -> Problem {
    Problem::identity(&error, "`starling id show CREDENTIAL` lists what there is to choose.")
}
