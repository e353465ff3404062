//! The answer to a question.

use core::fmt;
use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::Request;
use crate::{
    dcql::Unanswered,
    json as strict,
    limits::{QUERY_CREDENTIALS_MAX, RESPONSE_BYTES_MAX},
    sd_jwt::{self, Expected, IssuerKeys, Refusal, Verified},
};

/// What is written as it is in a fragment (RFC 3986, 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Presentations, each under the id that it was asked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// By id.
    pub presentations: BTreeMap<String, String>,
    /// What the question said.
    pub state: Option<String>,
    /// Signed status lists that the holder brings along, so that nobody is asked for them. Whether one is
    /// the newest, the ledger says. Ours: the standard has no such member.
    pub status_lists: Vec<String>,
}

/// Why an answer proves nothing. In order of check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseRefusal {
    /// More bytes than [`RESPONSE_BYTES_MAX`].
    TooLarge,
    /// Not an answer.
    Form,
    /// The holder's wallet says that it does not answer, and why.
    Declined(String),
    /// The answer to another question.
    State,
    /// It came when the question was not open any more.
    Late,
    /// A presentation that proves nothing.
    Presentation(String, Refusal),
    /// Not what was asked for.
    Unanswered(Unanswered),
}

impl fmt::Display for ResponseRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the answer is too large"),
            Self::Form => f.write_str("expected an answer to a request, found something else"),
            Self::Declined(why) => write!(f, "the wallet did not answer: {why}"),
            Self::State => f.write_str("the answer is to another request"),
            Self::Late => f.write_str("the request had expired when the answer came"),
            Self::Presentation(id, why) => write!(f, "{id}: {why}"),
            Self::Unanswered(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for ResponseRefusal {}

impl Response {
    /// Reads an answer: a JSON object, or what stands in the fragment of an address.
    ///
    /// # Errors
    /// Too large, not an answer, or declined.
    pub fn parse(text: &str) -> Result<Self, ResponseRefusal> {
        if text.len() > RESPONSE_BYTES_MAX {
            return Err(ResponseRefusal::TooLarge);
        }
        let text = text.trim();
        let members = if text.starts_with('{') {
            strict::parse_object(text.as_bytes())
        } else {
            from_fragment(text)
        };
        let members = members.ok_or(ResponseRefusal::Form)?;
        if let Some(why) = members.get("error").and_then(Value::as_str) {
            return Err(ResponseRefusal::Declined(word(why)));
        }
        let state = match members.get("state") {
            None => None,
            Some(state) => Some(state.as_str().ok_or(ResponseRefusal::Form)?.to_owned()),
        };
        let presentations = members.get("vp_token").and_then(Value::as_object);
        let presentations = presentations.ok_or(ResponseRefusal::Form)?;
        if presentations.is_empty() || presentations.len() > QUERY_CREDENTIALS_MAX {
            return Err(ResponseRefusal::Form);
        }
        let one = |(id, list): (&String, &Value)| match list.as_array()?.as_slice() {
            [Value::String(presentation)] => Some((id.clone(), presentation.clone())),
            _ => None,
        };
        let presentations = presentations.iter().map(one).collect::<Option<_>>();
        let presentations = presentations.ok_or(ResponseRefusal::Form)?;
        let status_lists = status_lists(members.get("status_lists"));
        let status_lists = status_lists.ok_or(ResponseRefusal::Form)?;
        Ok(Self { presentations, state, status_lists })
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        let mut members = json!({ "vp_token": self.token() });
        if let Some(state) = &self.state {
            members["state"] = state.as_str().into();
        }
        if !self.status_lists.is_empty() {
            members["status_lists"] = self.status_lists.clone().into();
        }
        members.to_string()
    }

    /// As the fragment of an address, without `#`.
    pub fn to_fragment(&self) -> String {
        let token = self.token().to_string();
        let mut text = format!("vp_token={}", utf8_percent_encode(&token, ENCODED));
        if let Some(state) = &self.state {
            text.push_str(&format!("&state={}", utf8_percent_encode(state, ENCODED)));
        }
        if !self.status_lists.is_empty() {
            let lists = Value::from(self.status_lists.clone()).to_string();
            text.push_str(&format!("&status_lists={}", utf8_percent_encode(&lists, ENCODED)));
        }
        text
    }

    /// What the answer proves, by id. Of whose issuing it is, and its status, the caller judges; that
    /// the question was open and is not any more, too.
    ///
    /// # Errors
    /// The first [`ResponseRefusal`] that applies.
    pub fn check(
        &self,
        request: &Request,
        keys: &impl IssuerKeys,
        now_s: u64,
    ) -> Result<BTreeMap<String, Verified>, ResponseRefusal> {
        if self.state != request.state {
            return Err(ResponseRefusal::State);
        }
        if request.expires_s <= now_s {
            return Err(ResponseRefusal::Late);
        }
        let audience = request.audience();
        let expected = Expected::new(request.challenge(&audience), now_s);
        let mut given = BTreeMap::new();
        for (id, presentation) in &self.presentations {
            if request.query.credential(id).is_none() {
                return Err(ResponseRefusal::Unanswered(Unanswered::NotAsked(id.clone())));
            }
            let verified = sd_jwt::verify(presentation, keys, &expected);
            let verified =
                verified.map_err(|why| ResponseRefusal::Presentation(id.clone(), why))?;
            given.insert(id.clone(), verified);
        }
        request.query.check(&given).map_err(ResponseRefusal::Unanswered)?;
        Ok(given)
    }

    fn token(&self) -> Value {
        let one = |(id, text): (&String, &String)| (id.clone(), json!([text]));
        Value::Object(self.presentations.iter().map(one).collect())
    }
}

/// Texts of lists; none where there is no such member.
fn status_lists(member: Option<&Value>) -> Option<Vec<String>> {
    let Some(member) = member else { return Some(Vec::new()) };
    let list = member.as_array().filter(|list| list.len() <= QUERY_CREDENTIALS_MAX)?;
    list.iter().map(|one| one.as_str().map(str::to_owned)).collect()
}

/// A word of a stranger's that is shown: letters of error codes only.
fn word(text: &str) -> String {
    let plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | ' ');
    text.chars().filter(plain).take(64).collect()
}

/// Members of a fragment; each name once.
fn from_fragment(text: &str) -> Option<Map<String, Value>> {
    let text = text.rsplit_once('#').map_or(text, |(_, fragment)| fragment);
    let mut members = Map::new();
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value).decode_utf8().ok()?;
        let value = match name {
            "vp_token" => Value::Object(strict::parse_object(value.as_bytes())?),
            "status_lists" => strict::parse(value.as_bytes())?,
            _ => Value::String(value.into_owned()),
        };
        if members.insert(name.to_owned(), value).is_some() {
            return None;
        }
    }
    Some(members)
}
