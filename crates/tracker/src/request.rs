//! Reading what a client sends. Session descriptions stay the text they are: they are checked to be JSON
//! and measured, nothing more, so that whatever clients agree on passes.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, SeqAccess};
use serde_json::value::RawValue;

use crate::id::{InfoHash, Name, OfferId, PeerName, wrong};

/// Longest message that is read; a longer one ends the socket. Ten offers with all their candidates
/// are a fraction of it.
pub const MESSAGE_BYTES_MAX: usize = 131_072;
/// Longest offer or answer, as JSON.
pub const DESCRIPTION_BYTES_MAX: usize = 16_384;
/// Most offers of one announce that are handed on; others are skipped. Stock clients send five,
/// Trystero ten.
pub const OFFERS_MAX: usize = 10;
/// Most swarms of one scrape.
pub const SCRAPE_MAX: usize = 64;
/// Longest `info_hash`, as JSON, that a failure repeats: 20 code points, each escaped.
const ECHO_BYTES_MAX: usize = 122;
/// Longest failure reason; what serde says may hold the client's own text.
const REASON_BYTES_MAX: usize = 200;

/// One message of a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// I am here; hand these offers to others.
    Announce(Announce<'a>),
    /// To be handed to who made the offer.
    Answer(Answer<'a>),
    /// How many peers have these swarms?
    Scrape(Vec<InfoHash>),
}

/// An announce.
#[derive(Debug, PartialEq, Eq)]
pub struct Announce<'a> {
    /// The swarm.
    pub swarm: InfoHash,
    /// What the client calls itself in it.
    pub peer: PeerName,
    /// What happened.
    pub event: Event,
    /// Bytes the client still wants; `None`: it does not know or say.
    pub left: Option<u64>,
    /// At most [`OFFERS_MAX`], and not more than the client wants peers.
    pub offers: Vec<Offer<'a>>,
}

/// One offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer<'a> {
    /// Its name.
    pub id: OfferId,
    /// The description, as JSON.
    pub description: &'a str,
}

/// An answer to an offer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The swarm.
    pub swarm: InfoHash,
    /// Who answers.
    pub peer: PeerName,
    /// Who made the offer.
    pub to: PeerName,
    /// The offer.
    pub offer: OfferId,
    /// The description, as JSON.
    pub description: &'a str,
}

/// Why a client announces itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Event {
    /// It comes, pauses, or says that it is still here.
    #[default]
    Present,
    /// It has everything now.
    Completed,
    /// It goes.
    Stopped,
}

/// Why a message is refused, with what a client needs to know that it is meant: one that can't tell
/// takes its socket for broken and connects anew, after a pause.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused<'a> {
    /// It was a scrape.
    pub scrape: bool,
    /// `info_hash`, as the client wrote it, quotes included; `None`: none, or a long one.
    pub swarm: Option<&'a str>,
    /// For a person, at most 200 bytes.
    pub reason: String,
}

/// Every field any message has.
#[derive(serde::Deserialize)]
struct Message<'a> {
    #[serde(default)]
    action: Action,
    #[serde(default)]
    info_hash: Hashes,
    peer_id: Option<PeerName>,
    #[serde(default)]
    event: Event,
    #[serde(default)]
    left: Amount,
    #[serde(default)]
    numwant: Amount,
    #[serde(borrow, default)]
    offers: Offers<'a>,
    #[serde(borrow)]
    answer: Option<&'a RawValue>,
    to_peer_id: Option<PeerName>,
    offer_id: Option<OfferId>,
}

#[derive(serde::Deserialize)]
struct OfferMessage<'a> {
    #[serde(borrow)]
    offer: &'a RawValue,
    offer_id: OfferId,
}

/// What is read of a message that is refused.
#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(default)]
    action: Action,
    #[serde(borrow)]
    info_hash: Option<&'a RawValue>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Action {
    Announce,
    Scrape,
    #[default]
    Unknown,
}

/// `info_hash`: one, several, or none.
#[derive(Default)]
enum Hashes {
    #[default]
    None,
    One(InfoHash),
    Many(Vec<InfoHash>),
}

/// A number that clients also leave out, set to null (what JSON makes of infinity) or write as text.
#[derive(Default)]
struct Amount(Option<u64>);

#[derive(Default)]
struct Offers<'a>(Vec<Offer<'a>>);

/// Reads one message.
pub fn read(text: &str) -> Result<Request<'_>, Refused<'_>> {
    let message = serde_json::from_str(text).map_err(|error| error.to_string());
    message.and_then(understand).map_err(|reason| refuse(text, reason))
}

/// The refusal of a message that can be read no better.
pub fn refuse(text: &str, mut reason: String) -> Refused<'_> {
    reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
    let envelope = serde_json::from_str::<Envelope<'_>>(text).ok();
    let scrape = envelope.as_ref().is_some_and(|envelope| envelope.action == Action::Scrape);
    let swarm = envelope.and_then(|envelope| envelope.info_hash).map(RawValue::get);
    let swarm = swarm.filter(|text| text.starts_with('"') && text.len() <= ECHO_BYTES_MAX);
    Refused { scrape, swarm, reason }
}

fn understand(message: Message<'_>) -> Result<Request<'_>, String> {
    match message.action {
        Action::Scrape => scrape(message.info_hash),
        Action::Announce => {
            let Hashes::One(swarm) = message.info_hash else {
                return Err("an announce needs one info_hash".into());
            };
            let peer = message.peer_id.ok_or("an announce needs peer_id")?;
            match message.answer {
                Some(answer) => {
                    let to = message.to_peer_id.ok_or("an answer needs to_peer_id")?;
                    let offer = message.offer_id.ok_or("an answer needs offer_id")?;
                    let description = measured(answer)?;
                    Ok(Request::Answer(Answer { swarm, peer, to, offer, description }))
                }
                None => {
                    let mut offers = message.offers.0;
                    let wanted = message.numwant.0.and_then(|count| usize::try_from(count).ok());
                    offers.truncate(wanted.unwrap_or(OFFERS_MAX));
                    let (event, left) = (message.event, message.left.0);
                    Ok(Request::Announce(Announce { swarm, peer, event, left, offers }))
                }
            }
        }
        Action::Unknown => Err("action is not announce or scrape".into()),
    }
}

fn scrape<'a>(hashes: Hashes) -> Result<Request<'a>, String> {
    match hashes {
        Hashes::One(swarm) => Ok(Request::Scrape(vec![swarm])),
        Hashes::Many(swarms) => Ok(Request::Scrape(swarms)),
        Hashes::None => Err("a scrape needs info_hash: this tracker lists no swarms".into()),
    }
}

/// A description that did not come in a message: its text, if it is JSON and not too long.
pub fn description(text: &str) -> Option<&str> {
    measured(serde_json::from_str(text).ok()?).ok()
}

fn measured(description: &RawValue) -> Result<&str, String> {
    let text = description.get();
    let size_bytes = text.len();
    if size_bytes > DESCRIPTION_BYTES_MAX {
        return Err(format!(
            "a description is {size_bytes} bytes, limit is {DESCRIPTION_BYTES_MAX}"
        ));
    }
    Ok(text)
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl de::Visitor<'_> for Word {
            type Value = Action;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an action")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Action, E> {
                Ok(match text {
                    "announce" => Action::Announce,
                    "scrape" => Action::Scrape,
                    _ => Action::Unknown,
                })
            }
        }
        deserializer.deserialize_str(Word)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl de::Visitor<'_> for Word {
            type Value = Event;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Event, E> {
                match text {
                    "" | "empty" | "started" | "update" | "paused" => Ok(Event::Present),
                    "completed" => Ok(Event::Completed),
                    "stopped" => Ok(Event::Stopped),
                    _ => Err(E::custom(
                        "event is not started, stopped, completed, update, paused or empty",
                    )),
                }
            }

            fn visit_unit<E: de::Error>(self) -> Result<Event, E> {
                Ok(Event::Present)
            }
        }
        deserializer.deserialize_any(Word)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl de::Visitor<'_> for Number {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Amount, E> {
                Ok(Amount(Some(number)))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Amount, E> {
                Ok(Amount(u64::try_from(number).ok()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Amount, E> {
                Ok(Amount(Some(if number == 0.0 { 0 } else { u64::MAX })))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                Ok(Amount(text.parse().ok()))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Amount, E> {
                Ok(Amount(None))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

impl<'de> Deserialize<'de> for Hashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> de::Visitor<'de> for Names {
            type Value = Hashes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hashes, E> {
                Name::from_text(text).map(Hashes::One).ok_or_else(|| wrong(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Hashes, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    if names.len() == SCRAPE_MAX {
                        let most = "a scrape names too many swarms, limit is";
                        return Err(de::Error::custom(format_args!("{most} {SCRAPE_MAX}")));
                    }
                    names.push(name);
                }
                Ok(Hashes::Many(names))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Hashes, E> {
                Ok(Hashes::None)
            }
        }
        deserializer.deserialize_any(Names)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Offers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> de::Visitor<'de> for List {
            type Value = Offers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of offers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Offers<'de>, A::Error> {
                let mut offers = Vec::new();
                while offers.len() < OFFERS_MAX {
                    let Some(OfferMessage { offer, offer_id }) = list.next_element()? else {
                        return Ok(Offers(offers));
                    };
                    let description = measured(offer).map_err(de::Error::custom)?;
                    offers.push(Offer { id: offer_id, description });
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Offers(offers))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Offers<'de>, E> {
                Ok(Offers::default())
            }
        }
        deserializer.deserialize_any(List)
    }
}

#[cfg(test)]
mod tests;
