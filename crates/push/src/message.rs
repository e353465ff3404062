//! What a browser is told: JSON, filled up to one length.

use primitives::sha256;
use serde::Serialize;

use crate::limits::MESSAGE_BYTES;
use crate::text;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Alerts are on: the first message.
    On,
    /// Health fell under the limit.
    Low,
    /// Health fell under one.
    Seizable,
}

/// What a browser is told: numbers that the ledger says to everybody. The worker makes words of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    pub(crate) kind: Kind,
    /// The first characters of the account's name.
    pub(crate) account: String,
    /// The limit, as people read it.
    pub(crate) limit: String,
    /// Which market; none: all of the subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) market: Option<u32>,
    /// Health, as people read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) health: Option<String>,
}

/// What a later message takes the place of, while the earlier one waits at a push service (RFC 8030, 5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic(String);

impl Message {
    /// Its bytes. All messages are of one length.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        // Space behind a value is no part of it.
        bytes.resize(MESSAGE_BYTES.max(bytes.len()), b' ');
        bytes
    }
}

impl Topic {
    /// With the browser's secret in it: whoever passes it on can't try which account it is of.
    pub(crate) fn of(auth: &str, account: &str, market: Option<u32>) -> Self {
        let what = match market {
            Some(market) => format!("starling/push/{auth}/{account}/{market}"),
            None => format!("starling/push/{auth}/{account}"),
        };
        let hash = sha256(what.as_bytes());
        let (first, _) = hash.as_bytes().split_at(24);
        Self(text::encode(first))
    }

    /// 32 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_messages_are_of_one_length_and_read_as_json() {
        let long = Message {
            kind: Kind::Seizable,
            account: "0123abcd".to_owned(),
            limit: "10.00".to_owned(),
            market: Some(u32::MAX),
            health: Some(crate::level::shown(u128::MAX)),
        };
        let short = Message { kind: Kind::On, market: None, health: None, ..long.clone() };
        assert_eq!(long.to_bytes().len(), MESSAGE_BYTES);
        assert_eq!(short.to_bytes().len(), MESSAGE_BYTES);
        let read: serde_json::Value = serde_json::from_slice(&short.to_bytes()).unwrap();
        let expected = serde_json::json!({ "kind": "on", "account": "0123abcd", "limit": "10.00" });
        assert_eq!(read, expected);
    }

    #[test]
    fn a_topic_is_what_the_header_may_hold() {
        let one = Topic::of("secret", "a", Some(1));
        assert_eq!(one.as_str().len(), 32);
        assert_eq!(one, Topic::of("secret", "a", Some(1)));
        assert_ne!(one, Topic::of("secret", "a", Some(2)));
        assert_ne!(one, Topic::of("secret", "a", None));
        assert_ne!(one, Topic::of("another", "a", Some(1)), "nobody else can make it");
        assert!(one.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
    }
}
