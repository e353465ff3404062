//! The steps with files: what is handed on lies in one folder, secrets in each participant's own.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use commonware_codec::{Copying, DecodeExt as _, Encode as _};
use commonware_cryptography::{
    Signer as _, bls12381::primitives::group::Share, ed25519::PrivateKey,
};
use ledger::AccountId;
use primitives::sha256;

use super::error::{CeremonyError, Kind, LetterFault};
use super::letter::Member;
use super::steps::{Made, Mine, Texts};
use super::{CEREMONY, Ceremony, Purpose, Round, fingerprint, is_name};
use crate::header::PublicKey;
use crate::network::{
    FRESH, FRESH_TEXT, Network, NetworkError, form, make, make_folder, random_key, write_network,
};
use crate::secret;

/// Longest `ceremony.toml`, in bytes: [`crate::VALIDATORS_MAX`] players, and a network with many successions.
const CEREMONY_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Longest file of a participant, in bytes: [`crate::VALIDATORS_MAX`] players take 40 KB.
const LETTER_BYTES_MAX: u64 = 256 * 1024;
/// The file of a participant's folder that its dealing, and the key to seal for, follow from.
const SECRET: &str = "ceremony.key";

/// Who takes part in a ceremony.
#[derive(Debug, Clone)]
pub struct Overview {
    /// What participants compare: digits in groups.
    pub fingerprint: String,
    /// The network's name.
    pub network: String,
    /// What people compare of the network's file as it is: digits in groups; none: the network begins with them.
    pub runs: Option<String>,
    /// Who begins with how many units in a network that begins.
    pub allocations: Vec<(AccountId, String)>,
    /// The players' first block; none: the network begins with them.
    pub height: Option<u64>,
    /// Whether the key stays.
    pub reshare: bool,
    /// Who deals.
    pub dealers: Vec<String>,
    /// Who gets a share, with the validator's key in hexadecimal, and where it will listen.
    pub players: Vec<(String, String, SocketAddr)>,
    /// How many dealings are needed.
    pub required: u32,
    /// How many players sign for all.
    pub quorum: u32,
    /// How many players may be faulty.
    pub faulty_max: u32,
}

/// A dealer's file was written.
#[derive(Debug, Clone)]
pub struct Dealt {
    /// The file.
    pub file: PathBuf,
    /// Who takes part.
    pub overview: Overview,
}

/// A player said whose dealings it has.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    /// The file.
    pub file: PathBuf,
    /// Whose.
    pub from: Vec<String>,
    /// Whose it has not, and why.
    pub wrong: Vec<(String, LetterFault)>,
    /// Who takes part.
    pub overview: Overview,
}

/// The key is there.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The network's file, which is the same for everybody.
    pub file: PathBuf,
    /// What participants compare of it: digits in groups.
    pub fingerprint: String,
    /// Whose shares anybody may know: they count among the faulty.
    pub revealed: Vec<String>,
    /// Who takes part.
    pub overview: Overview,
}

/// Makes a participant's keys in `home`, a new folder, and says them in `folder`: `NAME.join.toml`.
///
/// # Errors
/// The name is none, or there is something already.
pub fn join(
    home: &Path,
    folder: &Path,
    name: &str,
    address: SocketAddr,
) -> Result<PathBuf, CeremonyError> {
    if !is_name(name) {
        return Err(CeremonyError::Name(name.to_owned()));
    }
    let file = path(folder, name, Kind::Join);
    for there in [&file, &home.join("validator.key"), &home.join(SECRET)] {
        if there.exists() {
            return Err(CeremonyError::There(there.clone()));
        }
    }
    make_folder(home)?;
    make_folder(folder)?;
    let key = random_key()?;
    make(&home.join("validator.key"), &key.encode())?;
    let secret = new_secret(home)?;
    write(&file, &Member::new(name, address, &key, &secret).to_text())?;
    Ok(file)
}

/// Begins a ceremony of those in `folder` who are called so: `ceremony.toml`.
///
/// # Errors
/// One of their files is missing or wrong, or there is a ceremony already.
pub fn begin(folder: &Path, purpose: Purpose, names: &[String]) -> Result<Overview, CeremonyError> {
    let file = folder.join(CEREMONY);
    if file.exists() {
        return Err(CeremonyError::There(file));
    }
    let fault =
        |who: &str, fault| CeremonyError::Letter { who: who.to_owned(), kind: Kind::Join, fault };
    let mut players = Vec::new();
    for name in names {
        if !is_name(name) {
            return Err(CeremonyError::Name(name.clone()));
        }
        let text = read(&path(folder, name, Kind::Join), LETTER_BYTES_MAX)?;
        let text = text.ok_or_else(|| fault(name, LetterFault::Missing))?;
        let member: Member = toml::from_str(&text).map_err(|_| fault(name, LetterFault::Form))?;
        if member.name != *name {
            return Err(fault(name, LetterFault::Signature));
        }
        players.push(member);
    }
    let mut id = [0; 32];
    getrandom::fill(&mut id).map_err(NetworkError::Entropy)?;
    let round = Round::new(Ceremony::new(id, purpose, players))?;
    write(&file, &round.ceremony.to_text())?;
    Ok(overview(&round))
}

/// Who takes part in the ceremony of a folder.
///
/// # Errors
/// There is none.
pub fn look(folder: &Path) -> Result<Overview, CeremonyError> {
    round(folder).map(|round| overview(&round))
}

/// Deals with the secrets in `home`: `NAME.dealing.toml`. Again, it is the same dealing.
///
/// # Errors
/// The folder's ceremony is none, or has no dealer of that key and share, or is for another network than the one
/// in `home`.
pub fn deal(home: &Path, folder: &Path) -> Result<Dealt, CeremonyError> {
    let round = round(folder)?;
    same_network(home, &round)?;
    let mine = mine(home, &round)?;
    let letter = round.deal(&mine)?;
    let file = path(folder, round.dealer(&mine.key.public_key())?, Kind::Dealing);
    write(&file, &letter.to_text())?;
    Ok(Dealt { file, overview: overview(&round) })
}

/// Says whose dealings a player has, which it keeps in `home`: `NAME.acks.toml`.
///
/// # Errors
/// The folder's ceremony is none, or has no player of that key.
pub fn acknowledge(home: &Path, folder: &Path) -> Result<Acknowledged, CeremonyError> {
    let round = round(folder)?;
    let mine = mine(home, &round)?;
    let name = round.player(&mine.key.public_key())?;
    let kept = kept(home, &round);
    let mut dealings = texts(&kept, &round.dealers, Kind::Dealing)?;
    for (dealer, text) in texts(folder, &round.dealers, Kind::Dealing)? {
        dealings.entry(dealer).or_insert(text);
    }
    let heard = round.hear(&mine, &dealings)?;
    make_folder(&kept)?;
    // Before anybody is told that they are here.
    for (dealer, name) in &round.dealers {
        if let Some(text) = dealings.get(dealer).filter(|_| heard.acks.contains_key(name)) {
            write(&path(&kept, name, Kind::Dealing), text)?;
        }
    }
    let file = path(folder, name, Kind::Acks);
    write(&file, &round.acknowledge(&mine, &heard).to_text())?;
    let from = heard.acks.keys().cloned().collect();
    Ok(Acknowledged { file, from, wrong: heard.wrong, overview: overview(&round) })
}

/// A dealer's last word: `NAME.log.toml`. The shares of players in `reveal` who did not acknowledge are in it for
/// everybody to read. Again, it is the first one, whatever is in `reveal` then: two with other shares in them would
/// give away more than one may.
///
/// # Errors
/// As [`deal`], and while a player did not acknowledge.
pub fn seal(home: &Path, folder: &Path, reveal: &[String]) -> Result<Dealt, CeremonyError> {
    let round = round(folder)?;
    let mine = mine(home, &round)?;
    let name = round.dealer(&mine.key.public_key())?;
    let kept = kept(home, &round);
    let own = path(&kept, name, Kind::Log);
    let text = match read(&own, LETTER_BYTES_MAX)? {
        Some(text) => text,
        None => {
            let acks = texts(folder, &players(&round), Kind::Acks)?;
            let text = round.seal(&mine, &acks, reveal)?.to_text();
            make_folder(&kept)?;
            // Before anybody can read it.
            write(&own, &text)?;
            text
        }
    };
    let file = path(folder, name, Kind::Log);
    write(&file, &text)?;
    Ok(Dealt { file, overview: overview(&round) })
}

/// A player's share in `home`, and there the network's file and the validator's settings. All must leave out the
/// same dealers, those in `without`.
///
/// # Errors
/// The share is there already; a file is missing or wrong; too few dealings hold.
pub fn take(home: &Path, folder: &Path, without: &[String]) -> Result<Outcome, CeremonyError> {
    let file = home.join("network.toml");
    if file.exists() {
        return Err(CeremonyError::There(file));
    }
    let round = round(folder)?;
    let mine = mine(home, &round)?;
    let name = round.player(&mine.key.public_key())?;
    let dealings = texts(&kept(home, &round), &round.dealers, Kind::Dealing)?;
    let (made, share) = round.take(&mine, &dealings, &logs(folder, &round, without)?)?;
    // A step that was interrupted may have written it.
    let held = home.join("validator.share");
    if !held.exists() {
        // First, and of a new share only: one that is there may have voted since.
        write(&home.join(FRESH), FRESH_TEXT)?;
        make(&held, &share.encode())?;
    } else if secret_bytes(&held)?[..] != share.encode()[..] {
        return Err(CeremonyError::There(held));
    }
    let settings = home.join("validator.toml");
    if !settings.exists() {
        let address = round.ceremony.players.iter().find(|one| one.name == name);
        let address = address.ok_or(CeremonyError::Count)?.address;
        write(&settings, &settings_text(address))?;
    }
    outcome(home, &round, made)
}

/// The network's file for whoever has no share, in `out`: the validators that there are, and hosts.
///
/// # Errors
/// It is there already; a file is missing or wrong; too few dealings hold.
pub fn finish(folder: &Path, out: &Path, without: &[String]) -> Result<Outcome, CeremonyError> {
    let file = out.join("network.toml");
    if file.exists() {
        return Err(CeremonyError::There(file));
    }
    let round = round(folder)?;
    let made = round.observe(&logs(folder, &round, without)?)?;
    outcome(out, &round, made)
}

fn outcome(folder: &Path, round: &Round, made: Made) -> Result<Outcome, CeremonyError> {
    write_network(&made.network, folder)?;
    let (file, overview) = (folder.join("network.toml"), overview(round));
    let fingerprint = network_fingerprint(&made.network);
    Ok(Outcome { file, fingerprint, revealed: made.revealed, overview })
}

/// What people compare of a network's file.
fn network_fingerprint(network: &Network) -> String {
    fingerprint(&sha256(&plain(network)))
}

/// What a network's file says, however it is written.
fn plain(network: &Network) -> Vec<u8> {
    serde_json::to_vec(network).expect("a network is plain values")
}

/// Refuses a succession in another network than the one that runs in `home`, where one does: who begins a ceremony
/// could change it unseen.
fn same_network(home: &Path, round: &Round) -> Result<(), CeremonyError> {
    let file = home.join("network.toml");
    if round.ceremony.height.is_none() || !file.exists() {
        return Ok(());
    }
    if plain(&Network::read(&file)?) == plain(&round.ceremony.network) {
        return Ok(());
    }
    Err(CeremonyError::OtherNetwork(file))
}

fn settings_text(address: SocketAddr) -> String {
    format!(
        "data = \".\"\nnetwork = \"network.toml\"\n# Behind a router: the address of this machine there.\n\
         listen = \"{address}\"\nhttp = \"127.0.0.1:8788\"\n"
    )
}

fn overview(round: &Round) -> Overview {
    let players = round.ceremony.players.iter();
    let players = players.map(|one| (one.name.clone(), one.key.clone(), one.address));
    let (network, height) = (&round.ceremony.network, round.ceremony.height);
    // Those of a network that runs are in what is compared of it.
    let begins = height.is_none().then_some(network.allocations.iter());
    let allocations = begins.into_iter().flatten().map(|one| (one.account, one.units.clone()));
    Overview {
        fingerprint: fingerprint(&round.digest),
        network: network.name.clone(),
        runs: height.map(|_| network_fingerprint(network)),
        allocations: allocations.collect(),
        height,
        reshare: round.ceremony.reshare,
        dealers: round.dealer_names(),
        players: players.collect(),
        required: round.required(),
        quorum: round.quorum(),
        faulty_max: round.faulty_max(),
    }
}

fn players(round: &Round) -> BTreeMap<PublicKey, String> {
    round.players.iter().map(|(key, seat)| (key.clone(), seat.name.clone())).collect()
}

fn round(folder: &Path) -> Result<Round, CeremonyError> {
    let file = folder.join(CEREMONY);
    let text = read(&file, CEREMONY_BYTES_MAX)?;
    let none = || CeremonyError::Io { path: file, source: io::ErrorKind::NotFound.into() };
    Round::new(Ceremony::read(&text.ok_or_else(none)?)?)
}

/// Secrets of a participant. A validator that there is has none of a ceremony yet, a player has its own since it
/// joined: with another one it could open nothing.
fn mine(home: &Path, round: &Round) -> Result<Mine, CeremonyError> {
    let path = home.join("validator.key");
    let key = PrivateKey::decode(Copying(&secret_bytes(&path)?));
    let key = key.map_err(|error| form(&path, &error))?;
    let share = match round.ceremony.reshare && round.dealer(&key.public_key()).is_ok() {
        false => None,
        true => {
            let path = home.join("validator.share");
            let share = Share::decode(Copying(&secret_bytes(&path)?));
            Some(share.map_err(|error| form(&path, &error))?)
        }
    };
    let path = home.join(SECRET);
    let own = match path.exists() {
        false if round.players.contains_key(&key.public_key()) => {
            return Err(CeremonyError::SecretLost(path));
        }
        false => new_secret(home)?,
        true => secret_bytes(&path)?.try_into().map_err(|_| {
            let what = "expected 64 hexadecimal digits".to_owned();
            CeremonyError::Form { path, what }
        })?,
    };
    Ok(Mine { key, secret: own, share })
}

fn new_secret(home: &Path) -> Result<[u8; 32], CeremonyError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(NetworkError::Entropy)?;
    make(&home.join(SECRET), &secret)?;
    Ok(secret)
}

fn secret_bytes(path: &Path) -> Result<Vec<u8>, CeremonyError> {
    secret::read(path).map_err(|source| CeremonyError::Io { path: path.to_owned(), source })
}

/// The file of somebody.
fn path(folder: &Path, name: &str, kind: Kind) -> PathBuf {
    folder.join(format!("{name}.{kind}.toml"))
}

/// Where a player keeps the dealings of a ceremony that it acknowledged, and a dealer its last word.
fn kept(home: &Path, round: &Round) -> PathBuf {
    let digest = round.digest.to_string();
    home.join(format!("dealings-{}", digest.get(..16).unwrap_or_default()))
}

/// Files of one kind that are there.
fn texts(
    folder: &Path,
    people: &BTreeMap<PublicKey, String>,
    kind: Kind,
) -> Result<Texts, CeremonyError> {
    let mut texts = Texts::new();
    for (key, name) in people {
        if let Some(text) = read(&path(folder, name, kind), LETTER_BYTES_MAX)? {
            texts.insert(key.clone(), text);
        }
    }
    Ok(texts)
}

/// Last words of all dealers but these.
fn logs(folder: &Path, round: &Round, without: &[String]) -> Result<Texts, CeremonyError> {
    round.know(without, &round.dealer_names())?;
    let mut counted = round.dealers.clone();
    counted.retain(|_, name| !without.contains(name));
    let texts = texts(folder, &counted, Kind::Log)?;
    let waits = counted.iter().filter(|(key, _)| !texts.contains_key(*key));
    let waits: Vec<String> = waits.map(|(_, name)| format!("{name}.{}.toml", Kind::Log)).collect();
    if waits.is_empty() { Ok(texts) } else { Err(CeremonyError::Waits(waits.join(", "))) }
}

/// A text that is not too long; none: there is no such file.
fn read(path: &Path, bytes_max: u64) -> Result<Option<String>, CeremonyError> {
    let io = |source| CeremonyError::Io { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let mut bytes = Vec::new();
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(CeremonyError::TooLarge { path: path.to_owned(), bytes_max });
    }
    // What is no text is no file of ours either, which is said with whose it is.
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Writes a file whole: whoever hands it on at this moment has the one before or this. The folder is others' too:
/// what they left in its way is not written through.
fn write(path: &Path, text: &str) -> Result<(), CeremonyError> {
    let part = path.with_extension("part");
    let io = |source| CeremonyError::Io { path: path.to_owned(), source };
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        Ok(()) | Err(_) => {}
    }
    let opened = OpenOptions::new().write(true).create_new(true).open(&part);
    let written = opened.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&part, path)).map_err(io)
}
