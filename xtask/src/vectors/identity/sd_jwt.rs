//! Kind `sd-jwt-vc`: what a verifier makes of a presentation.
//!
//! `presentation`, `nonce`, `aud`, `expect`; where it is accepted, `verified_payload`. With `issued`,
//! `disclose` and the holder's seed we are the holder too: what we present must show the same.
//! `now` (seconds since 1970) stands for the clock and switches on the limit of a presentation's age;
//! without it the day is today's, for presentations in a file grow old.

use std::time::{SystemTime, UNIX_EPOCH};

use identity::{
    SecretKey,
    sd_jwt::{Challenge, Credential, DidKeys, Expected, Path, Step, verify},
};
use serde_json::{Map, Value};

use super::{array, field, judge, same, text};

/// When the first vectors were made, in seconds since 1970: no clock is right that says less.
const NOW_S_MIN: u64 = 1_795_500_000;

/// Verifies the presentation, and presents the same.
pub(crate) fn check(vector: &Value) -> Result<(), String> {
    judge(vector, outcome(vector))
}

fn outcome(vector: &Value) -> Result<(), String> {
    let given = vector.get("now").and_then(Value::as_u64);
    let now_s = given.unwrap_or_else(today_s);
    if vector.get("nonce").is_none_or(Value::is_null) {
        return received(vector, now_s);
    }
    let challenge = Challenge { nonce: text(vector, "nonce")?, audience: text(vector, "aud")? };
    let mut expected = Expected::new(challenge, now_s);
    if given.is_none() {
        expected.age_s_max = u64::MAX;
    }
    let shown = text(vector, "presentation")?;
    shows(vector, shown, &expected)?;
    match vector.get("issued").and_then(Value::as_str) {
        Some(issued) => shows(vector, &present(vector, issued, &expected)?, &expected),
        None => Ok(()),
    }
}

/// Checks what a presentation shows.
fn shows(vector: &Value, presentation: &str, expected: &Expected<'_>) -> Result<(), String> {
    let found = verify(presentation, &DidKeys, expected).map_err(|error| error.to_string())?;
    compare(vector, &found.issuer, found.claims)
}

/// Without a question it is what a holder gets from an issuer.
fn received(vector: &Value, now_s: u64) -> Result<(), String> {
    let issued = text(vector, "presentation").or_else(|_| text(vector, "issued"))?;
    let found = Credential::open(issued, &DidKeys, now_s).map_err(|error| error.to_string())?;
    let contents = found.contents();
    compare(vector, &contents.issuer, contents.claims.clone())
}

fn compare(vector: &Value, issuer: &str, claims: Map<String, Value>) -> Result<(), String> {
    // The file says whose credentials these are: a verifier takes no one else's.
    if let Some(expected) = vector.get("issuer_did") {
        same("issuer", expected, &issuer.into())?;
    }
    match vector.get("verified_payload").filter(|payload| !payload.is_null()) {
        Some(expected) => same("claims", expected, &claims.into()),
        None => Ok(()),
    }
}

fn present(vector: &Value, issued: &str, expected: &Expected<'_>) -> Result<String, String> {
    let credential = Credential::open(issued, &DidKeys, expected.now_s);
    let credential = credential.map_err(|error| error.to_string())?;
    let mut shown = Vec::new();
    chosen(field(vector, "disclose")?, &mut Vec::new(), &mut shown);
    let key = SecretKey::ed25519(&array(vector, "holder_seed_hex")?);
    let presented = credential.present(&shown, expected.challenge, &key, expected.now_s);
    presented.map_err(|error| error.to_string())
}

/// Every path that ends in `true`.
fn chosen(choice: &Value, at: &mut Vec<Step>, shown: &mut Vec<Path>) {
    let mut below = |step, choice: &Value| {
        at.push(step);
        chosen(choice, at, shown);
        at.pop();
    };
    match choice {
        Value::Object(members) => {
            members.iter().for_each(|(name, choice)| below(Step::Name(name.clone()), choice));
        }
        Value::Array(elements) => {
            let elements = elements.iter().enumerate();
            elements.for_each(|(index, choice)| below(Step::Index(index), choice));
        }
        Value::Bool(true) => shown.push(Path(at.clone())),
        _ => {}
    }
}

fn today_s() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(NOW_S_MIN, |since| since.as_secs().max(NOW_S_MIN))
}
