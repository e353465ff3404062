//! Shares of a key, dealt by those who will have them: nobody ever sees the whole key, and nobody sees all shares.
//!
//! The engine's distributed key generation (`feldman_desmedt`) without a network: each participant runs each step
//! on their own machine, and they hand files to each other. *Dealers* deal, *players* get shares. For a fresh key
//! these are the same people. In a *resharing* the dealers are the validators that there are; their key stays,
//! and their shares of it and the players' fit together no more.
//!
//! | step | who | makes | is handed to |
//! |---|---|---|---|
//! | [`join`] | players | `NAME.join.toml`, their keys and address | whoever begins |
//! | [`begin`] | one | `ceremony.toml`: who deals to whom, for which network | all |
//! | [`deal`] | dealers | `NAME.dealing.toml`, a sealed part for each player | players |
//! | [`acknowledge`] | players | `NAME.acks.toml`: whose parts they have | dealers |
//! | [`seal`] | dealers | `NAME.log.toml`: their last word | players |
//! | [`take`] | players | their share and the network's file | - |
//!
//! Goals: as few rounds as the engine's algorithm has; a step done twice does no harm; what is wrong is named with
//! whose it is. Laws: a dealer follows from a secret and the ceremony, so that it deals the same again; a player
//! keeps what it acknowledged before it says so; everything is bound to the ceremony's digest.
//!
//! Not here: who the participants are. They compare fingerprints by another way than the files came. Nor do
//! they agree here on whose dealings count: of all dealers, or without those that they name to each other.
//!
//! Why so, and what it does not protect from: `docs/adr/0082-shares-dealt-by-files.md`.

mod error;
mod folder;
mod letter;
mod sealed;
mod steps;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::Path;

use commonware_codec::{Copying, Decode as _, Encode as _};
use commonware_cryptography::bls12381::{
    dkg::feldman_desmedt::{Info, Output, Reveal},
    primitives::{
        sharing::{Mode, ModeVersion, Sharing},
        variant::MinSig,
    },
};
use commonware_utils::{
    N3f1,
    ordered::{self, Quorum as _},
};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use primitives::{Hash, sha256};
use serde::{Deserialize, Serialize};

pub use error::{CeremonyError, Kind, LetterFault};
pub use folder::{
    Acknowledged, Dealt, Outcome, Overview, acknowledge, begin, deal, finish, join, look, seal,
    take,
};

use crate::header::PublicKey;
use crate::network::{Network, NetworkError, Plan, Set, VALIDATORS_MAX, Validator};
use crate::succession::{SUCCESSIONS_MAX, Succession, SuccessionError};
use letter::Member;

/// What every signature of a ceremony is bound to.
const NAMESPACE: &[u8] = b"starling/ceremony/1";
/// Fewest players: one alone needs nobody to deal.
const VALIDATORS_MIN: usize = 2;
/// Longest name of a participant.
const NAME_BYTES_MAX: usize = 32;
/// What names of validators that there are begin with: their place in the network's file follows, from 1.
const OLD: &str = "old-";
/// Bytes of a fingerprint that people compare.
const FINGERPRINT_BYTES: usize = 16;
/// The file that says who deals to whom.
const CEREMONY: &str = "ceremony.toml";

/// What shares are dealt for.
#[derive(Debug, Clone)]
pub enum Purpose {
    /// The first validators of a network; addresses are the players' own.
    Network(Plan),
    /// Those who take over from a network's validators at a height.
    Succession {
        /// The network's file, as it is.
        network: Network,
        /// Their first block.
        height: u64,
        /// Whether they share the key that there is, dealt by those who have it.
        reshare: bool,
    },
}

/// Who deals to whom, and for which network: file `ceremony.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ceremony {
    /// Drawn for this ceremony alone, in hexadecimal.
    id: String,
    /// First block of the players; none: the network begins with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    height: Option<u64>,
    /// Whether the key stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reshare: bool,
    /// Who gets shares.
    players: Vec<Member>,
    /// The network as it is; of one that begins, without who agrees.
    network: Network,
}

/// Who gets a share.
pub(crate) struct Seat {
    name: String,
    /// What is sealed for them.
    encryption: [u8; 32],
}

/// A ceremony, read and checked.
pub(crate) struct Round {
    ceremony: Ceremony,
    digest: Hash,
    info: Info<MinSig, PublicKey>,
    /// Names of those who deal.
    dealers: BTreeMap<PublicKey, String>,
    players: BTreeMap<PublicKey, Seat>,
    /// Whose key is dealt anew.
    previous: Option<Set>,
}

/// Whether others may be called so.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with(OLD)
}

/// Bounds what the engine reads.
fn bound() -> NonZeroU32 {
    NonZeroU32::new(VALIDATORS_MAX).expect("more than none")
}

/// The first bytes of a hash, for people to compare: 32 digits in groups of four.
fn fingerprint(hash: &Hash) -> String {
    let text = HEX.encode(hash.as_bytes());
    let digits: Vec<char> = text.chars().take(2 * FINGERPRINT_BYTES).collect();
    let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

/// What the engine has of a set whose shares are dealt anew. It reads it from bytes only; how that set came to its
/// shares is not known here and makes no difference, so long as all say the same.
fn output(set: &Set) -> Result<Output<MinSig, PublicKey>, CeremonyError> {
    let nobody = ordered::Set::<PublicKey>::default();
    let (sharing, keys) = (set.sharing.encode(), set.keys.encode());
    let bytes = [&[0; 32][..], &sharing[..], &keys[..], &keys[..], &nobody.encode()[..]].concat();
    Output::decode_cfg(Copying(&bytes[..]), &(bound(), ModeVersion::v0()))
        .map_err(|error| CeremonyError::Round(error.to_string()))
}

impl Ceremony {
    /// A ceremony of these players; `id` is drawn for it.
    pub(crate) fn new(id: [u8; 32], purpose: Purpose, players: Vec<Member>) -> Self {
        let (network, height, reshare) = match purpose {
            Purpose::Network(plan) => (plan.network(), None, false),
            Purpose::Succession { network, height, reshare } => (network, Some(height), reshare),
        };
        Self { id: HEX.encode(&id), height, reshare, players, network }
    }

    pub(crate) fn read(text: &str) -> Result<Self, CeremonyError> {
        let form = |error: toml::de::Error| CeremonyError::Form {
            path: CEREMONY.into(),
            what: error.to_string(),
        };
        toml::from_str(text).map_err(form)
    }

    pub(crate) fn to_text(&self) -> String {
        toml::to_string(self).expect("a ceremony is tables of plain values")
    }

    /// What it says, whatever became of spaces and lines on its way.
    fn digest(&self) -> Hash {
        sha256(&serde_json::to_vec(self).expect("a ceremony is plain values"))
    }

    /// Whose shares are dealt anew; none: the key is fresh.
    fn previous(&self) -> Result<Option<Set>, CeremonyError> {
        let Some(height) = self.height else {
            self.network.genesis()?.changes().map_err(NetworkError::from)?;
            let begun = !self.network.sharing.is_empty()
                || !self.network.validators.is_empty()
                || !self.network.successions.is_empty();
            let what = "a network that begins has no validators yet".to_owned();
            let path = CEREMONY.into();
            return if begun || self.reshare {
                Err(CeremonyError::Form { path, what })
            } else {
                Ok(None)
            };
        };
        let members = self.network.members(Path::new(CEREMONY))?;
        let epoch = members.eras.count().saturating_sub(1);
        let last = members.eras.get(epoch).ok_or(CeremonyError::Count)?;
        let refused = |error| Err(NetworkError::Succession(error).into());
        if self.network.successions.len() >= SUCCESSIONS_MAX {
            return refused(SuccessionError::Count);
        }
        // A number of a TOML file.
        let written = i64::try_from(height).is_ok();
        if !written || height < 2 || height <= last.first {
            return refused(SuccessionError::Order(height));
        }
        if self.reshare && last.keys.len() == 1 {
            return refused(SuccessionError::Alone(height));
        }
        Ok(self.reshare.then(|| last.clone()))
    }
}

impl Round {
    /// Reads who takes part, and checks that they can deal to each other.
    pub(crate) fn new(ceremony: Ceremony) -> Result<Self, CeremonyError> {
        let digest = ceremony.digest();
        let previous = ceremony.previous()?;
        let most = usize::try_from(VALIDATORS_MAX).unwrap_or(usize::MAX);
        if !(VALIDATORS_MIN..=most).contains(&ceremony.players.len()) {
            return Err(CeremonyError::Count);
        }
        let mut players = BTreeMap::new();
        let mut names = BTreeSet::new();
        for member in &ceremony.players {
            let name = &member.name;
            let fault =
                |fault| CeremonyError::Letter { who: name.clone(), kind: Kind::Join, fault };
            let (key, encryption) = member.keys().map_err(fault)?;
            let seat = Seat { name: name.clone(), encryption };
            if !names.insert(name.clone()) || players.insert(key, seat).is_some() {
                return Err(CeremonyError::Twice(name.clone()));
            }
        }
        let dealers = match &previous {
            Some(set) => old_names(set),
            None => players.iter().map(|(key, seat)| (key.clone(), seat.name.clone())).collect(),
        };
        let info = info(&ceremony, &digest, previous.as_ref(), &dealers, &players)?;
        Ok(Self { ceremony, digest, info, dealers, players, previous })
    }

    fn keys<T>(people: &BTreeMap<PublicKey, T>) -> ordered::Set<PublicKey> {
        ordered::Set::from_iter_dedup(people.keys().cloned())
    }

    /// How many dealings are needed.
    pub(crate) fn required(&self) -> u32 {
        let before = self.previous.as_ref().map_or(0, |set| set.keys.quorum::<N3f1>());
        Self::keys(&self.dealers).quorum::<N3f1>().max(before)
    }

    /// How many validators may be faulty.
    pub(crate) fn faulty_max(&self) -> u32 {
        Self::keys(&self.players).max_faults::<N3f1>()
    }

    /// How many validators sign for all.
    pub(crate) fn quorum(&self) -> u32 {
        Self::keys(&self.players).quorum::<N3f1>()
    }

    /// The network's file, once the key is there.
    pub(crate) fn network(&self, sharing: &Sharing<MinSig>) -> Result<Network, CeremonyError> {
        let mut network = self.ceremony.network.clone();
        let sharing = letter::hex(sharing);
        let validators = self.ceremony.players.iter();
        let validators: Vec<Validator> = validators
            .map(|one| Validator { key: one.key.clone(), address: one.address })
            .collect();
        match self.ceremony.height {
            None => (network.sharing, network.validators) = (sharing, validators),
            Some(height) => network.successions.push(Succession { height, sharing, validators }),
        }
        network.members(Path::new("network.toml"))?;
        Ok(network)
    }

    /// What is sealed is sealed for this ceremony alone.
    fn sealing(&self) -> Vec<u8> {
        [NAMESPACE, self.digest.as_bytes().as_slice()].concat()
    }
}

/// Validators that there are have no names: their place in the network's file says who.
fn old_names(set: &Set) -> BTreeMap<PublicKey, String> {
    let name = |(place, (key, _)): (usize, &(PublicKey, _))| (key.clone(), format!("{OLD}{place}"));
    (1..).zip(set.addresses.iter()).map(name).collect()
}

/// What all signatures of the engine's algorithm are bound to. It asks for a round's number that is never used
/// again, with one namespace for all rounds: here the namespace has the ceremony's digest, which holds a drawn
/// number, and the round says the epoch.
fn info(
    ceremony: &Ceremony,
    digest: &Hash,
    previous: Option<&Set>,
    dealers: &BTreeMap<PublicKey, String>,
    players: &BTreeMap<PublicKey, Seat>,
) -> Result<Info<MinSig, PublicKey>, CeremonyError> {
    let namespace = [NAMESPACE, digest.as_bytes().as_slice()].concat();
    let successions = u64::try_from(ceremony.network.successions.len()).unwrap_or(u64::MAX);
    let epoch = ceremony.height.map_or(0, |_| successions.saturating_add(1));
    Info::new::<N3f1>(
        &namespace,
        epoch,
        previous.map(output).transpose()?,
        Mode::NonZeroCounter,
        Reveal::V1,
        Round::keys(dealers),
        Round::keys(players),
    )
    .map_err(|error| CeremonyError::Round(error.to_string()))
}
