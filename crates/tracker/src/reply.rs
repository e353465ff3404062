//! What clients are told, as JSON text. Each is one allocation of the right size.

use std::fmt::Write as _;

use crate::id::{InfoHash, Name, OfferId, PeerName};
use crate::request::{Answer, Offer, Refused};
use crate::swarms::Counts;

/// `,"peer_id":"`, `","info_hash":"` and `"}`.
const TAIL_BYTES: usize = 12 + 15 + 2;

/// The end of every message of one peer in one swarm, written once for all its offers:
/// `,"peer_id":"…","info_hash":"…"}`.
#[derive(Debug)]
pub struct Tail {
    text: String,
    /// Where `,"info_hash"` begins.
    swarm_at: usize,
}

impl Tail {
    /// The end of messages of this peer in this swarm.
    pub fn new(swarm: &InfoHash, peer: &PeerName) -> Self {
        let size_bytes = TAIL_BYTES + text_bytes(peer) + text_bytes(swarm);
        let mut text = String::with_capacity(size_bytes);
        text.push_str(",\"peer_id\":\"");
        peer.write(&mut text);
        text.push('"');
        let swarm_at = text.len();
        text.push_str(",\"info_hash\":\"");
        swarm.write(&mut text);
        text.push_str("\"}");
        Self { text, swarm_at }
    }

    /// What an announce is answered: `{"action":"announce","interval":…,"complete":…,"incomplete":…,
    /// "info_hash":…}`. The interval is in seconds.
    pub fn welcome(&self, interval_s: u32, counts: Counts) -> String {
        const LONGEST: usize = 96;
        let mut text = String::with_capacity(LONGEST + self.text.len() - self.swarm_at);
        let Counts { complete, incomplete, .. } = counts;
        let _ = write!(
            text,
            r#"{{"action":"announce","interval":{interval_s},"complete":{complete},"incomplete":{incomplete}"#
        );
        text.push_str(&self.text[self.swarm_at..]);
        text
    }

    /// An offer of the peer, for another.
    pub fn offer(&self, offer: &Offer<'_>) -> String {
        self.forward("offer", offer.description, &offer.id)
    }

    /// An answer of the peer, for who made the offer.
    pub fn answer(&self, answer: &Answer<'_>) -> String {
        self.forward("answer", answer.description, &answer.offer)
    }

    fn forward(&self, kind: &str, description: &str, id: &OfferId) -> String {
        const HEAD: &str = "{\"action\":\"announce\",\"";
        const MIDDLE: &str = ",\"offer_id\":\"";
        let size_bytes =
            HEAD.len() + kind.len() + 2 + description.len() + MIDDLE.len() + text_bytes(id) + 1;
        let mut text = String::with_capacity(size_bytes + self.text.len());
        text.push_str(HEAD);
        text.push_str(kind);
        text.push_str("\":");
        text.push_str(description);
        text.push_str(MIDDLE);
        id.write(&mut text);
        text.push('"');
        text.push_str(&self.text);
        text
    }
}

/// Bytes of a name as JSON, without its quotes.
fn text_bytes(name: &Name) -> usize {
    name.as_bytes()
        .iter()
        .map(|byte| match byte {
            b'"' | b'\\' | 0x80..=0xff => 2,
            0x00..=0x1f => 6,
            _ => 1,
        })
        .sum()
}

/// What a scrape is answered: `{"action":"scrape","files":{"…":{"complete":…,"incomplete":…,
/// "downloaded":…}}}`.
pub fn scrape(swarms: impl IntoIterator<Item = (InfoHash, Counts)>) -> String {
    let mut text = String::from("{\"action\":\"scrape\",\"files\":{");
    for (index, (swarm, counts)) in swarms.into_iter().enumerate() {
        text.push_str(if index == 0 { "\"" } else { ",\"" });
        swarm.write(&mut text);
        let Counts { complete, incomplete, downloaded } = counts;
        let _ = write!(
            text,
            r#"":{{"complete":{complete},"incomplete":{incomplete},"downloaded":{downloaded}}}"#
        );
    }
    text.push_str("}}");
    text
}

/// A refusal. It always has `action` and `info_hash`: stock clients throw without the one and
/// connect anew without the other.
pub fn failure(refused: &Refused<'_>) -> String {
    let action = if refused.scrape { "scrape" } else { "announce" };
    let swarm = refused.swarm.unwrap_or("\"\"");
    let reason = serde_json::to_string(&refused.reason).expect("a text has a JSON form");
    format!(r#"{{"action":"{action}","failure reason":{reason},"info_hash":{swarm}}}"#)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn parse(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn binary(bytes: &[u8; 20]) -> String {
        bytes.iter().map(|&byte| char::from(byte)).collect()
    }

    #[test]
    fn a_failure_names_its_action_and_swarm() {
        let reason = "a \"quoted\" reason".to_owned();
        let refused = Refused { scrape: false, swarm: Some("\"ab\\u0000\""), reason };
        let value = parse(&failure(&refused));
        assert_eq!(value["action"], "announce");
        assert_eq!(value["info_hash"], "ab\0");
        assert_eq!(value["failure reason"], "a \"quoted\" reason");
        let bare = Refused { scrape: true, swarm: None, reason: String::new() };
        assert_eq!(parse(&failure(&bare))["info_hash"], "");
    }

    proptest! {
        #[test]
        fn forwarded_messages_fill_what_was_allocated(
            swarm: [u8; 20], peer: [u8; 20], id: [u8; 20], sdp in ".{0,60}"
        ) {
            let description = serde_json::json!({ "type": "offer", "sdp": sdp }).to_string();
            let tail = Tail::new(&Name::new(swarm), &Name::new(peer));
            let text = tail.offer(&Offer { id: Name::new(id), description: &description });
            prop_assert_eq!(text.len(), text.capacity());
            let value = parse(&text);
            prop_assert_eq!(&value["action"], "announce");
            prop_assert_eq!(&value["offer"]["sdp"], sdp.as_str());
            for (field, bytes) in [("offer_id", id), ("peer_id", peer), ("info_hash", swarm)] {
                let expected = Value::from(binary(&bytes));
                prop_assert_eq!(&value[field], &expected);
            }
            prop_assert!(value.get("to_peer_id").is_none());
        }

        #[test]
        fn replies_are_json(swarm: [u8; 20], other: [u8; 20], complete: u32, incomplete: u32) {
            let counts = Counts { complete, incomplete, downloaded: 7 };
            let tail = Tail::new(&Name::new(swarm), &Name::new(other));
            let value = parse(&tail.welcome(u32::MAX, counts));
            prop_assert_eq!(&value["incomplete"], incomplete);
            let expected = Value::from(binary(&swarm));
            prop_assert_eq!(&value["info_hash"], &expected);
            let files = parse(&scrape([(Name::new(swarm), counts), (Name::new(other), counts)]));
            prop_assert_eq!(&files["files"][binary(&swarm)]["downloaded"], 7);
            prop_assert_eq!(&files["files"][binary(&other)]["complete"], complete);
        }
    }
}
