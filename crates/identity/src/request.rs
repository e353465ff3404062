//! A verifier's signed question and the holder's answer: request objects and responses of OpenID4VP 1.0
//! (5 and 8), of which this is the part that needs no server.
//!
//! ```text
//! verifier  signs  { client_id, nonce, exp, dcql_query, purpose }   QR, link, text
//! holder    reads who asks, what for and why; chooses; signs
//! verifier  reads  { vp_token: { id: [presentation] } }             link's fragment, QR, text
//! ```
//!
//! Who asks is a DID whose key signed the question, so nobody can be shown another's name and DID. What
//! the verifier calls itself and why it asks are its own words: pages say so. The answer names the
//! verifier and the nonce, so it is of no use to others or a second time.
//!
//! `purpose` is ours: OpenID4VP leaves reasons to the formats of others. Answers go back as `fragment`
//! to `redirect_uri`, or by hand where there is none; other ways (`direct_post`) need a server.
//!
//! Not here: who remembers which nonce is open, whom to trust, status lists.

mod fields;
mod refusal;
mod response;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

pub use refusal::RequestRefusal;
pub use response::{Response, ResponseRefusal};

use crate::{
    SecretKey,
    dcql::Query,
    jws::{self, Jws},
    limits::{CLOCK_SKEW_S_MAX, REQUEST_BYTES_MAX, REQUEST_LIFE_S_MAX},
    sd_jwt::{Challenge, IssuerKeys},
};

/// The media type in the header of a request.
pub const REQUEST_TYPE: &str = "oauth-authz-req+jwt";
/// Before a DID that names a verifier (OpenID4VP 1.0, 5.9.3).
const CLIENT_PREFIX: &str = "decentralized_identifier:";
/// For whom a request is that is for any wallet (OpenID4VP 1.0, 5.8).
const ANY_WALLET: &str = "https://self-issued.me/v2";

/// A question, and who asks it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The verifier's DID.
    pub verifier: String,
    /// Drawn for this question, of at least 128 random bits.
    pub nonce: String,
    /// What the answer repeats, so that the verifier finds its question.
    pub state: Option<String>,
    /// When it was signed, in seconds since 1970-01-01 UTC.
    pub issued_s: u64,
    /// From when on it is not answered any more.
    pub expires_s: u64,
    /// What is asked for.
    pub query: Query,
    /// What the verifier calls itself.
    pub name: Option<String>,
    /// Why it asks, in its own words.
    pub purpose: Option<String>,
    /// The page that the answer goes to.
    pub return_to: Option<String>,
}

impl Request {
    /// Signs the question. `key_id` is the verifier's DID and the fragment of `key` in its document.
    pub fn sign(&self, key: &SecretKey, key_id: &str) -> String {
        let mut payload = json!({
            "aud": ANY_WALLET, "response_type": "vp_token", "response_mode": "fragment",
            "client_id": self.audience(), "nonce": self.nonce, "iat": self.issued_s,
            "exp": self.expires_s, "dcql_query": self.query.to_json(),
            "client_metadata": { "vp_formats_supported": { "dc+sd-jwt": {
                "sd-jwt_alg_values": ["EdDSA", "ES256"], "kb-jwt_alg_values": ["EdDSA", "ES256"],
            } } },
        });
        if let Some(name) = &self.name {
            payload["client_metadata"]["client_name"] = name.as_str().into();
        }
        let texts =
            [("state", &self.state), ("purpose", &self.purpose), ("redirect_uri", &self.return_to)];
        for (member, text) in texts {
            if let Some(text) = text {
                payload[member] = text.as_str().into();
            }
        }
        let payload = payload.as_object().cloned().unwrap_or_default();
        jws::sign(key, REQUEST_TYPE, Some(key_id), &payload)
    }

    /// Reads a question and checks who asks, at `now_s`. `keys` looks up what a DID signs in its own name
    /// with.
    ///
    /// # Errors
    /// The first [`RequestRefusal`] that applies.
    pub fn open(text: &str, keys: &impl IssuerKeys, now_s: u64) -> Result<Self, RequestRefusal> {
        if text.len() > REQUEST_BYTES_MAX {
            return Err(RequestRefusal::TooLarge);
        }
        let signed = Jws::parse(text)?;
        signed.check(REQUEST_TYPE)?;
        let payload = &signed.payload;
        let client = fields::text(payload, "client_id")?;
        let verifier = client.strip_prefix(CLIENT_PREFIX).ok_or(RequestRefusal::Verifier)?;
        let key_id = signed.text("kid").ok_or(RequestRefusal::Verifier)?;
        if key_id.split_once('#').is_none_or(|(did, _)| did != verifier) {
            return Err(RequestRefusal::Verifier);
        }
        let issued_s = fields::seconds(payload, "iat")?;
        let key = keys.key(verifier, key_id, Some(issued_s)).map_err(RequestRefusal::Key)?;
        signed.verify(&key)?;
        let expires_s = fields::seconds(payload, "exp")?;
        check_times(issued_s, expires_s, now_s)?;
        check_kind(payload)?;
        let query = payload.get("dcql_query").ok_or(RequestRefusal::Missing("dcql_query"))?;
        Ok(Self {
            verifier: verifier.to_owned(),
            nonce: fields::nonce(payload)?,
            state: fields::state(payload)?,
            issued_s,
            expires_s,
            query: Query::parse(query).map_err(RequestRefusal::Query)?,
            name: fields::name(payload)?,
            purpose: fields::purpose(payload)?,
            return_to: fields::return_to(payload)?,
        })
    }

    /// Whom a presentation is for: what stands in its key binding.
    pub fn audience(&self) -> String {
        format!("{CLIENT_PREFIX}{}", self.verifier)
    }

    /// What a holder signs; `audience` is [`Request::audience`].
    pub fn challenge<'a>(&'a self, audience: &'a str) -> Challenge<'a> {
        Challenge { nonce: &self.nonce, audience }
    }
}

fn check_times(issued_s: u64, expires_s: u64, now_s: u64) -> Result<(), RequestRefusal> {
    if issued_s > now_s.saturating_add(CLOCK_SKEW_S_MAX) {
        return Err(RequestRefusal::FromTheFuture);
    }
    if expires_s <= now_s {
        return Err(RequestRefusal::Expired);
    }
    if expires_s.saturating_sub(issued_s) > REQUEST_LIFE_S_MAX {
        return Err(RequestRefusal::LongLived);
    }
    Ok(())
}

/// Refuses what is not a question for a presentation, and what would change what is signed.
fn check_kind(payload: &Map<String, Value>) -> Result<(), RequestRefusal> {
    if fields::text(payload, "aud")? != ANY_WALLET {
        return Err(RequestRefusal::ForOthers);
    }
    if fields::text(payload, "response_type")? != "vp_token" {
        return Err(RequestRefusal::Unsupported("response_type"));
    }
    if payload.get("response_mode").is_some_and(|mode| mode != "fragment") {
        return Err(RequestRefusal::Unsupported("response_mode"));
    }
    let unknown = ["transaction_data", "request_uri", "response_uri", "scope", "request"];
    match unknown.into_iter().find(|member| payload.contains_key(*member)) {
        Some(member) => Err(RequestRefusal::Unsupported(member)),
        None => Ok(()),
    }
}
