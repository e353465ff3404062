//! Reading what a peer sends. A signal is not parsed further than its envelope: what peers hand each
//! other is theirs, and a newer peer's fields pass an older server.

use std::borrow::Cow;
use std::fmt;

use primitives::{PeerId, SwarmId};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny};
use wire::limits::{
    CANDIDATE_BYTES_MAX, EXCEPT_MAX, REGION_BYTES_MAX, SDP_BYTES_MAX, SIGNALING_BYTES_MAX,
    STAMPED_BYTES_MAX, TOKEN_BYTES_MAX, URL_BYTES_MAX,
};
use wire::signaling::ToServer;

/// A message of a peer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inbound {
    /// Answered here.
    Server(ToServer),
    /// To be handed on.
    Signal {
        /// The swarm both are said to be in.
        swarm: SwarmId,
        /// The receiver.
        to: PeerId,
    },
}

/// The part of a message that is read in any case. Keys of its fields may not repeat.
#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    swarm: Option<SwarmId>,
    to: Option<PeerId>,
    from: Option<IgnoredAny>,
    sdp: Option<TextLength>,
    candidate: Option<TextLength>,
}

/// The part of a stamped signal that is read. Keys of its fields may not repeat.
#[derive(serde::Deserialize)]
struct Stamped<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    swarm: SwarmId,
    #[serde(rename = "from")]
    _from: PeerId,
    sdp: Option<TextLength>,
    candidate: Option<TextLength>,
}

/// Length of a JSON string after unescaping, in bytes; the string is not kept.
struct TextLength(usize);

/// Reads one message; the error is for a person.
pub(crate) fn read(text: &str) -> Result<Inbound, String> {
    check_length("message", text.len(), SIGNALING_BYTES_MAX)?;
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if envelope.kind == "signal" {
        return read_signal(&envelope);
    }
    let message: ToServer = serde_json::from_str(text).map_err(|error| error.to_string())?;
    check(&message)?;
    Ok(Inbound::Server(message))
}

/// The text of a signal as its receiver gets it: the sender's own, with the proved sender in front.
/// [`read`] refused texts that name a sender themselves.
pub(crate) fn stamp(text: &str, from: &PeerId) -> String {
    let fields = text.trim_start().strip_prefix('{').unwrap_or_default();
    format!(r#"{{"from":"{from}",{fields}"#)
}

/// Whether a text of another node is a signal in this swarm with its sender named, within the bounds.
pub(crate) fn is_stamped(text: &str, swarm: &SwarmId) -> bool {
    let Ok(stamped) = serde_json::from_str::<Stamped<'_>>(text) else { return false };
    let length = |text: &Option<TextLength>| text.as_ref().map_or(0, |text| text.0);
    text.len() <= STAMPED_BYTES_MAX
        && stamped.kind == "signal"
        && stamped.swarm == *swarm
        && length(&stamped.sdp) <= SDP_BYTES_MAX
        && length(&stamped.candidate) <= CANDIDATE_BYTES_MAX
}

/// The name of a message's type, for the counters.
pub(crate) fn name(message: &Inbound) -> &'static str {
    match message {
        Inbound::Signal { .. } => "signal",
        Inbound::Server(message) => match message {
            ToServer::Hello { .. } => "hello",
            ToServer::Join { .. } => "join",
            ToServer::More { .. } => "more",
            ToServer::Signal { .. } => "signal",
            ToServer::Leave { .. } => "leave",
            ToServer::Witness { .. } => "witness",
            ToServer::Ping => "ping",
        },
    }
}

fn read_signal(envelope: &Envelope<'_>) -> Result<Inbound, String> {
    if envelope.from.is_some() {
        return Err("the sender is not the peer's to name".into());
    }
    let length = |text: &Option<TextLength>| text.as_ref().map_or(0, |text| text.0);
    check_length("sdp", length(&envelope.sdp), SDP_BYTES_MAX)?;
    check_length("candidate", length(&envelope.candidate), CANDIDATE_BYTES_MAX)?;
    match (envelope.swarm, envelope.to) {
        (Some(swarm), Some(to)) => Ok(Inbound::Signal { swarm, to }),
        _ => Err("a signal needs swarm and to".into()),
    }
}

fn check(message: &ToServer) -> Result<(), String> {
    let length = |text: &Option<String>| text.as_deref().map_or(0, str::len);
    match message {
        ToServer::Hello { resume, .. } => check_length("resume", length(resume), TOKEN_BYTES_MAX),
        ToServer::Join { region, site, .. } => {
            check_length("region", length(region), REGION_BYTES_MAX)?;
            check_length("site", length(site), TOKEN_BYTES_MAX)
        }
        ToServer::More { except, .. } if except.len() > EXCEPT_MAX => {
            Err(format!("except names {} peers, limit is {EXCEPT_MAX}", except.len()))
        }
        ToServer::Witness { url, .. } => check_length("url", url.len(), URL_BYTES_MAX),
        ToServer::More { .. }
        | ToServer::Signal { .. }
        | ToServer::Leave { .. }
        | ToServer::Ping => Ok(()),
    }
}

fn check_length(what: &str, found_bytes: usize, limit_bytes: usize) -> Result<(), String> {
    if found_bytes > limit_bytes {
        return Err(format!("{what} is {found_bytes} bytes, limit is {limit_bytes}"));
    }
    Ok(())
}

impl<'de> Deserialize<'de> for TextLength {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = TextLength;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TextLength, E> {
                Ok(TextLength(text.len()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use wire::signaling::{Base64, FromServer, Signal};

    use super::*;

    fn offer(sdp: String) -> String {
        let signal = Signal::Offer { connection: 7, sdp, signature: Base64(vec![1; 64]) };
        let (swarm, to) = (SwarmId::new([1; 32]), PeerId::new([2; 32]));
        serde_json::to_string(&ToServer::Signal { swarm, to, signal }).unwrap()
    }

    #[test]
    fn a_signal_arrives_as_it_was_sent_with_its_sender() {
        let text = offer("v=0\r\n".into());
        let (swarm, to) = (SwarmId::new([1; 32]), PeerId::new([2; 32]));
        assert_eq!(read(&text), Ok(Inbound::Signal { swarm, to }));
        let from = PeerId::new([3; 32]);
        let arrived: FromServer = serde_json::from_str(&stamp(&text, &from)).unwrap();
        let signal =
            Signal::Offer { connection: 7, sdp: "v=0\r\n".into(), signature: Base64(vec![1; 64]) };
        assert_eq!(arrived, FromServer::Signal { swarm, from, signal });
    }

    #[test]
    fn only_a_stamped_signal_of_the_swarm_is_taken_from_another_node() {
        let stamped = stamp(&offer("v=0".into()), &PeerId::new([3; 32]));
        assert!(is_stamped(&stamped, &SwarmId::new([1; 32])));
        assert!(!is_stamped(&stamped, &SwarmId::new([2; 32])));
        assert!(!is_stamped(&offer("v=0".into()), &SwarmId::new([1; 32])), "nobody is named");
        assert!(!is_stamped(&stamped.replace("signal", "goodbye"), &SwarmId::new([1; 32])));
        let long = stamp(&offer("x".repeat(SDP_BYTES_MAX + 1)), &PeerId::new([3; 32]));
        assert!(!is_stamped(&long, &SwarmId::new([1; 32])));
        assert!(!is_stamped("{", &SwarmId::new([1; 32])));
    }

    #[test]
    fn a_peer_can_not_name_another_sender() {
        let text = offer(String::new());
        let mine = format!(r#"{},"from":"{}"}}"#, &text[..text.len() - 1], PeerId::new([9; 32]));
        assert!(read(&mine).is_err());
        assert!(read(&mine.replace("from", "fr\\u006fm")).is_err());
        assert!(read(&mine.replace(r#""from":""#, r#""to":""#)).is_err(), "a key came twice");
    }

    #[test]
    fn every_length_is_bounded() {
        assert!(read(&offer("x".repeat(SDP_BYTES_MAX))).is_ok());
        assert!(read(&offer("x".repeat(SDP_BYTES_MAX + 1))).is_err());
        let leave = ToServer::Leave { swarm: SwarmId::new([0; 32]) };
        let leave = serde_json::to_string(&leave).unwrap();
        assert!(read(&leave).is_ok());
        assert!(read(&format!("{leave}{}", " ".repeat(SIGNALING_BYTES_MAX))).is_err());
        let witness = ToServer::Witness { id: 1, url: "x".repeat(URL_BYTES_MAX + 1) };
        assert!(read(&serde_json::to_string(&witness).unwrap()).is_err());
        let more = ToServer::More {
            swarm: SwarmId::new([0; 32]),
            want: 1,
            except: vec![PeerId::new([0; 32]); EXCEPT_MAX + 1],
            position: None,
        };
        assert!(read(&serde_json::to_string(&more).unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}") {
            let _ = read(&text);
        }

        #[test]
        fn what_passes_is_still_json_when_stamped(key in "[a-z\"\\\\]{1,6}", value in ".{0,20}") {
            let text = offer(value);
            let text = format!(r#"{},"{key}":1}}"#, &text[..text.len() - 1]);
            if read(&text).is_ok() {
                let stamped = stamp(&text, &PeerId::new([3; 32]));
                let value: serde_json::Value = serde_json::from_str(&stamped).unwrap();
                prop_assert_eq!(&value["from"], &PeerId::new([3; 32]).to_string());
            }
        }
    }
}
