//! Who may not be here, and why: by the settings, and by the host while the server runs.
//!
//! A ban names an address or network, the web origin of pages, a peer's key or a swarm (of `/signal` by
//! its id, of the tracker by its info hash), and has a reason that those it keeps out are told. What
//! the host bans while the server runs holds until it ends: nothing is written to disk here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use ipnet::{IpNet, Ipv6Net};
use primitives::{PeerId, SwarmId};
use serde::Serialize;
use tracker::{InfoHash, NAME_BYTES};

use crate::config::BanConfig;
use crate::error::ConfigError;
use crate::origin;
use crate::visitor::Visitor;

/// Most bans.
const BANS_MAX: usize = 10_000;
/// Largest reason, in bytes.
const REASON_BYTES_MAX: usize = 256;
/// What who is told whose ban has no reason.
const NO_REASON: &str = "the host gave no reason";
/// IPv6 addresses are told apart up to here, as everywhere in the server.
const PLACE_BITS: u8 = 64;

/// Whom a ban is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// An address, or all of a network.
    Address(IpNet),
    /// Pages of a web origin.
    Origin(String),
    /// A key.
    Peer(PeerId),
    /// A swarm, whoever joins it.
    Swarm(SwarmId),
    /// A swarm of the tracker.
    Torrent(InfoHash),
}

/// All bans.
#[derive(Debug)]
pub(crate) struct Bans(RwLock<List>);

#[derive(Debug, Default)]
struct List {
    reasons: BTreeMap<Subject, Arc<str>>,
    /// Lengths of the networks' prefixes, so that an address is looked for once per length.
    prefixes: BTreeSet<u8>,
}

/// A ban as the host sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Ban {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<PeerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    swarm: Option<String>,
    reason: String,
}

impl Bans {
    /// Those of the settings.
    pub(crate) fn new(config: &[BanConfig]) -> Result<Self, ConfigError> {
        let bans = Self(RwLock::default());
        for (index, ban) in config.iter().enumerate() {
            let refused = |what| ConfigError::Ban { number: index + 1, what };
            let subject = Subject::of(ban).map_err(refused)?;
            bans.add(subject, &ban.reason).map_err(refused)?;
        }
        Ok(bans)
    }

    /// Adds one, or gives one that is there another reason. The error is for a person.
    pub(crate) fn add(&self, subject: Subject, reason: &str) -> Result<(), String> {
        if reason.len() > REASON_BYTES_MAX {
            return Err(format!("reason is {} bytes, limit is {REASON_BYTES_MAX}", reason.len()));
        }
        let reason = if reason.is_empty() { NO_REASON } else { reason };
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if list.reasons.len() >= BANS_MAX && !list.reasons.contains_key(&subject) {
            return Err(format!("there are {BANS_MAX} bans, more than that there can't be"));
        }
        if let Subject::Address(net) = &subject {
            list.prefixes.insert(net.prefix_len());
        }
        list.reasons.insert(subject, reason.into());
        Ok(())
    }

    /// Takes one back; whether it was there.
    pub(crate) fn lift(&self, subject: &Subject) -> bool {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let was_there = list.reasons.remove(subject).is_some();
        list.prefixes = list.reasons.keys().filter_map(Subject::prefix).collect();
        was_there
    }

    /// Why this visitor may not be here, if so.
    pub(crate) fn of_visitor(&self, visitor: &Visitor) -> Option<Arc<str>> {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if list.reasons.is_empty() {
            return None;
        }
        let origin = visitor.origin.as_deref().map(|origin| Subject::Origin(origin.into()));
        let of_origin = origin.and_then(|origin| list.reasons.get(&origin));
        of_origin.or_else(|| list.of_place(visitor.place)).map(Arc::clone)
    }

    /// Why this key may not, if so.
    pub(crate) fn of_peer(&self, peer: &PeerId) -> Option<Arc<str>> {
        self.of(&Subject::Peer(*peer))
    }

    /// Why nobody may join this swarm, if so.
    pub(crate) fn of_swarm(&self, swarm: &SwarmId) -> Option<Arc<str>> {
        self.of(&Subject::Swarm(*swarm))
    }

    /// The same of a swarm of the tracker.
    pub(crate) fn of_torrent(&self, swarm: &InfoHash) -> Option<Arc<str>> {
        self.of(&Subject::Torrent(*swarm))
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Ban> {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        list.reasons.iter().map(|(subject, reason)| Ban::new(subject, reason)).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).reasons.len()
    }

    fn of(&self, subject: &Subject) -> Option<Arc<str>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).reasons.get(subject).map(Arc::clone)
    }
}

impl List {
    fn of_place(&self, place: IpAddr) -> Option<&Arc<str>> {
        self.prefixes.iter().find_map(|&length| {
            let net = IpNet::new(place, length).ok()?.trunc();
            self.reasons.get(&Subject::Address(net))
        })
    }
}

impl Subject {
    /// Whom a ban of the settings, or of the host, is for: exactly one of its fields. The error is for
    /// a person.
    pub(crate) fn of(ban: &BanConfig) -> Result<Self, String> {
        match (&*ban.address, &*ban.origin, &*ban.peer, &*ban.swarm) {
            (text, "", "", "") if !text.is_empty() => network(text).map(Self::Address),
            ("", text, "", "") if !text.is_empty() => {
                origin::parse(text).map(Self::Origin).map_err(|error| error.to_string())
            }
            ("", "", text, "") if !text.is_empty() => {
                text.parse().map(Self::Peer).map_err(|_| format!("{text:?} is not a peer's key"))
            }
            ("", "", "", text) if !text.is_empty() => {
                let torrent = || info_hash(text).map(Self::Torrent);
                let swarm = text.parse().map(Self::Swarm).ok().or_else(torrent);
                swarm.ok_or_else(|| format!("{text:?} is not a swarm's id or an info hash"))
            }
            _ => Err("expected one of address, origin, peer and swarm".to_owned()),
        }
    }

    fn prefix(&self) -> Option<u8> {
        if let Self::Address(net) = self { Some(net.prefix_len()) } else { None }
    }
}

/// An info hash in hexadecimal.
fn info_hash(text: &str) -> Option<InfoHash> {
    let mut bytes = [0; NAME_BYTES];
    if text.len() != bytes.len() * 2 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(InfoHash::new(bytes))
}

/// An address or network; of IPv6 at least a /64.
fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    let net = address.or_else(|_| text.parse::<IpNet>());
    let net = net.map_err(|_| format!("{text:?} is not an address or a network"))?;
    Ok(match net {
        IpNet::V6(net) if net.prefix_len() > PLACE_BITS => {
            Ipv6Net::new(net.addr(), PLACE_BITS).map_or(IpNet::V6(net), IpNet::V6).trunc()
        }
        net => net.trunc(),
    })
}

impl Ban {
    fn new(subject: &Subject, reason: &Arc<str>) -> Self {
        let mut ban = Self {
            address: None,
            origin: None,
            peer: None,
            swarm: None,
            reason: reason.to_string(),
        };
        match subject {
            Subject::Address(net) => ban.address = Some(net.to_string()),
            Subject::Origin(origin) => ban.origin = Some(origin.clone()),
            Subject::Peer(peer) => ban.peer = Some(*peer),
            Subject::Swarm(swarm) => ban.swarm = Some(swarm.to_string()),
            Subject::Torrent(swarm) => ban.swarm = Some(swarm.to_string()),
        }
        ban
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ban(address: &str) -> BanConfig {
        let (address, reason) = (address.to_owned(), "spam".to_owned());
        BanConfig { address, reason, ..BanConfig::default() }
    }

    fn check(banned: &str, place: &str, expected: bool) {
        let bans = Bans::new(&[ban(banned)]).unwrap();
        let visitor = Visitor { place: place.parse().unwrap(), origin: None, host: None };
        assert_eq!(bans.of_visitor(&visitor).is_some(), expected, "{place} by {banned}");
    }

    #[test]
    fn an_address_is_banned_by_itself_or_by_its_network() {
        check("203.0.113.7", "203.0.113.7", true);
        check("203.0.113.7", "203.0.113.8", false);
        check("203.0.113.0/24", "203.0.113.8", true);
        check("203.0.113.9/24", "203.0.114.1", false);
        check("::ffff:203.0.113.7", "203.0.113.7", true);
        check("0.0.0.0/0", "198.51.100.1", true);
        // Visitors of IPv6 are known by their /64.
        check("2001:db8:1:2::3", "2001:db8:1:2::", true);
        check("2001:db8::/32", "2001:db8:1:2::", true);
        check("2001:db8::/32", "2001:db9::", false);
    }

    #[test]
    fn origins_keys_and_swarms_are_banned_with_their_reason() {
        let (peer, swarm) = (PeerId::new([1; 32]), SwarmId::new([2; 32]));
        let of = |origin: &str, peer: &str, swarm: &str| BanConfig {
            origin: origin.to_owned(),
            peer: peer.to_owned(),
            swarm: swarm.to_owned(),
            ..BanConfig::default()
        };
        let bans = Bans::new(&[
            of("HTTPS://Bad.example/", "", ""),
            of("", &peer.to_string(), ""),
            of("", "", &swarm.to_string()),
        ]);
        let bans = bans.unwrap();
        let origin = Some("https://bad.example".into());
        let visitor = Visitor { place: [192, 0, 2, 1].into(), origin, host: None };
        assert_eq!(bans.of_visitor(&visitor).as_deref(), Some(NO_REASON));
        assert!(bans.of_peer(&peer).is_some() && bans.of_swarm(&swarm).is_some());
        assert!(bans.lift(&Subject::Peer(peer)) && !bans.lift(&Subject::Peer(peer)));
        assert_eq!((bans.of_peer(&peer), bans.count()), (None, 2));
    }

    #[test]
    fn swarms_of_the_tracker_are_banned_by_their_info_hash() {
        let text = "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffee0000";
        let of = |text: &str| BanConfig { swarm: text.to_owned(), ..BanConfig::default() };
        let bans = Bans::new(&[of(&text.to_uppercase())]).unwrap();
        let hash = info_hash(text).unwrap();
        assert_eq!(hash.to_string(), text);
        assert!(bans.of_torrent(&hash).is_some());
        assert_eq!(bans.all()[0].swarm.as_deref(), Some(text));
        for wrong in [&text[1..], "+0ffeec0ffeec0ffeec0ffeec0ffeec0ffee0000"] {
            assert!(Bans::new(&[of(wrong)]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_ban_of_nobody_or_of_two_is_refused() {
        let both = BanConfig { peer: PeerId::new([1; 32]).to_string(), ..ban("192.0.2.1") };
        for wrong in [BanConfig::default(), both, ban("192.0.2"), ban("192.0.2.1/33")] {
            assert!(matches!(Bans::new(&[wrong]), Err(ConfigError::Ban { number: 1, .. })));
        }
        let long = BanConfig { reason: "x".repeat(REASON_BYTES_MAX + 1), ..ban("192.0.2.1") };
        assert!(Bans::new(&[long]).is_err());
    }
}
