//! Who agrees: the file that all validators of a ledger share, and each one's secrets.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use commonware_codec::{Copying, Decode as _, DecodeExt as _, Encode as _};
use commonware_cryptography::{
    Signer as _,
    bls12381::{
        dkg::feldman_desmedt::deal,
        primitives::{
            group::Share,
            sharing::{Mode, ModeVersion, Sharing},
            variant::MinSig,
        },
    },
    certificate::Scoped,
    ed25519::PrivateKey,
};
use commonware_utils::{
    N3f1, TryCollect as _,
    ordered::{self, Quorum as _},
};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use ledger::{AccountId, ChainId, Genesis, GenesisError, Params};
use light_client::TrustRoot;
use primitives::Hash;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::header::{GroupKey, PublicKey, Scheme};
use crate::secret;
use crate::succession::{Eras, Schemes, Succession, SuccessionError, key_bytes};
use crate::upgrade::{Upgrade, UpgradeError, Upgrades};

/// Most validators of a ledger.
pub const VALIDATORS_MAX: u32 = 100;

/// The file beside a validator's secrets that says that its key has never voted.
pub(crate) const FRESH: &str = "validator.fresh";
pub(crate) const FRESH_TEXT: &str = "\
This validator's key has never voted. The file goes with the first start. Without it, a validator
whose disk is empty listens to the others before it votes.
";

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A file can't be read or made.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{path}: {what}")]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// What the ledger begins with is not possible.
    #[error("what the ledger begins with: {0}")]
    Genesis(#[from] GenesisError),
    /// Upgrades that this program can't follow.
    #[error("upgrades in the network's file: {0}")]
    Upgrade(#[from] UpgradeError),
    /// Successions that nobody can follow.
    #[error("successions in the network's file: {0}")]
    Succession(#[from] SuccessionError),
    /// Nobody, or more than [`VALIDATORS_MAX`].
    #[error("expected 1 to {VALIDATORS_MAX} validators")]
    Count,
    /// The platform gave no randomness for new keys.
    #[error("no randomness for new keys: {0}")]
    Entropy(getrandom::Error),
    /// The key is not a validator's, or the share not its own.
    #[error("the key and the share are not those of a validator of this network")]
    NotAValidator,
}

/// What every validator of a ledger must agree on before it starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// What people call it.
    pub name: String,
    /// Its units are worth nothing: who has the faucet's key gives them away to anybody. Default no.
    #[serde(default)]
    pub demo: bool,
    /// When it began, in milliseconds since 1970-01-01 UTC.
    pub time_ms: u64,
    /// Symbol of the ledger's own asset.
    pub symbol: String,
    /// Decimals by which its units are shown.
    pub decimals: u8,
    /// The public half of the validators' shared key, in hexadecimal.
    pub sharing: String,
    /// Who agrees, in any order.
    pub validators: Vec<Validator>,
    /// Who holds what at the start.
    pub allocations: Vec<Allocation>,
    /// What holds from later blocks on, rising in height. Default none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upgrades: Vec<Upgrade>,
    /// Who makes the blocks from later ones on, rising in height. Default none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successions: Vec<Succession>,
}

/// A validator as others reach it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// Its Ed25519 key, in hexadecimal.
    pub key: String,
    /// Where it listens for other validators.
    pub address: SocketAddr,
}

/// What an account holds at the start.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// The account.
    pub account: AccountId,
    /// Units of the ledger's own asset, in decimal digits.
    pub units: String,
}

/// What a network begins with, before anybody has keys.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What people call it.
    pub name: String,
    /// See [`Network::demo`].
    pub demo: bool,
    /// When it begins, in milliseconds since 1970-01-01 UTC.
    pub time_ms: u64,
    /// Where each validator listens for the others.
    pub addresses: Vec<SocketAddr>,
    /// Who holds how many units.
    pub allocations: Vec<(AccountId, u128)>,
}

/// A validator's secrets: files `validator.key` and `validator.share` of its folder.
#[derive(Clone)]
pub(crate) struct Secrets {
    pub(crate) key: PrivateKey,
    pub(crate) share: Share,
}

/// Validators who agree with each other.
#[derive(Clone)]
pub(crate) struct Set {
    /// Their first block.
    pub(crate) first: u64,
    pub(crate) keys: ordered::Set<PublicKey>,
    pub(crate) addresses: Vec<(PublicKey, SocketAddr)>,
    pub(crate) sharing: Sharing<MinSig>,
}

/// What the engine needs of a network, read and checked, as one of a set of validators: the first, unless
/// [`Members::seat`] says another.
pub(crate) struct Members {
    pub(crate) epoch: u64,
    pub(crate) eras: Eras,
    pub(crate) genesis: Genesis,
    pub(crate) upgrades: Upgrades,
}

/// Makes the keys of a new network: `network.toml` in `folder`, and each validator's secrets in one
/// of `homes`. Whoever runs this sees every secret: it is for a single validator, for trying out,
/// and for people who trust who runs it. Others deal to each other: [`crate::ceremony`].
///
/// # Errors
/// A file can't be made, or is there already.
pub fn deal_network(plan: &Plan, folder: &Path, homes: &[PathBuf]) -> Result<(), NetworkError> {
    if homes.len() != plan.addresses.len() {
        return Err(NetworkError::Count);
    }
    let keys: Vec<PrivateKey> =
        plan.addresses.iter().map(|_| random_key()).collect::<Result<_, _>>()?;
    let (network, secrets) = deal_keys(plan, keys, commonware_utils::sys_rng())?;
    network.members(folder)?;
    write(&network, folder, &secrets, homes)
}

/// Makes the keys of those who take over from a network's validators at a height: `network.toml` in
/// `folder`, which is the file at `path` with them in it, and each one's secrets in one of `homes`. As
/// with [`deal_network`], whoever runs this sees every secret.
///
/// # Errors
/// The file is no network's, nobody can take over at this height, or a file can't be made.
pub fn deal_successor(
    path: &Path,
    height: u64,
    addresses: &[SocketAddr],
    folder: &Path,
    homes: &[PathBuf],
) -> Result<(), NetworkError> {
    if homes.len() != addresses.len() {
        return Err(NetworkError::Count);
    }
    let made = folder.join("network.toml");
    if made.exists() {
        let what = "is there already: name a new folder".to_owned();
        return Err(NetworkError::Form { path: made, what });
    }
    let keys: Vec<PrivateKey> = addresses.iter().map(|_| random_key()).collect::<Result<_, _>>()?;
    let network = Network::read(path)?;
    let (network, secrets) =
        succeed(network, height, addresses, keys, commonware_utils::sys_rng())?;
    network.members(path)?;
    write(&network, folder, &secrets, homes)
}

fn write(
    network: &Network,
    folder: &Path,
    secrets: &[Secrets],
    homes: &[PathBuf],
) -> Result<(), NetworkError> {
    for (secrets, home) in secrets.iter().zip(homes) {
        make_folder(home)?;
        make(&home.join("validator.key"), &secrets.key.encode())?;
        make(&home.join("validator.share"), &secrets.share.encode())?;
        make(&home.join(FRESH), FRESH_TEXT.as_bytes())?;
    }
    write_network(network, folder)
}

/// Last, and whole: a folder with this file has everything else.
pub(crate) fn write_network(network: &Network, folder: &Path) -> Result<(), NetworkError> {
    let text = toml::to_string(network).expect("a network is a table of plain values");
    make_folder(folder)?;
    let (path, part) = (folder.join("network.toml"), folder.join("network.toml.part"));
    let io = |source| NetworkError::Io { path: path.clone(), source };
    std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, &path)).map_err(io)
}

/// The network of validators with these keys, and each one's secrets, in the same order.
pub(crate) fn deal_keys(
    plan: &Plan,
    keys: Vec<PrivateKey>,
    rng: impl CryptoRng,
) -> Result<(Network, Vec<Secrets>), NetworkError> {
    let (sharing, validators, secrets) = deal_set(&plan.addresses, keys, rng)?;
    Ok((Network { sharing, validators, ..plan.network() }, secrets))
}

/// The network whose validators of these keys take over at a height, and each one's secrets.
pub(crate) fn succeed(
    mut network: Network,
    height: u64,
    addresses: &[SocketAddr],
    keys: Vec<PrivateKey>,
    rng: impl CryptoRng,
) -> Result<(Network, Vec<Secrets>), NetworkError> {
    let (sharing, validators, secrets) = deal_set(addresses, keys, rng)?;
    network.successions.push(Succession { height, sharing, validators });
    Ok((network, secrets))
}

/// A shared key for validators of these keys: its public half, who they are, and each one's secrets.
fn deal_set(
    addresses: &[SocketAddr],
    keys: Vec<PrivateKey>,
    rng: impl CryptoRng,
) -> Result<(String, Vec<Validator>, Vec<Secrets>), NetworkError> {
    let count = u32::try_from(keys.len()).map_err(|_| NetworkError::Count)?;
    if count == 0 || count > VALIDATORS_MAX || keys.len() != addresses.len() {
        return Err(NetworkError::Count);
    }
    let names: ordered::Set<PublicKey> =
        keys.iter().map(|key| key.public_key()).try_collect().map_err(|_| NetworkError::Count)?;
    let (output, shares) = deal::<MinSig, _, N3f1>(rng, Mode::NonZeroCounter, names)
        .map_err(|_| NetworkError::Count)?;
    let validators = keys.iter().zip(addresses).map(|(key, address)| Validator {
        key: HEX.encode(&key.public_key().encode()),
        address: *address,
    });
    let validators = validators.collect();
    let secrets = keys.into_iter().map(|key| {
        let share = shares.get_value(&key.public_key()).ok_or(NetworkError::NotAValidator)?.clone();
        Ok::<_, NetworkError>(Secrets { key, share })
    });
    let secrets = secrets.collect::<Result<Vec<_>, _>>()?;
    Ok((HEX.encode(&output.public().encode()), validators, secrets))
}

pub(crate) fn random_key() -> Result<PrivateKey, NetworkError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(NetworkError::Entropy)?;
    Ok(PrivateKey::decode(Copying(&seed[..])).expect("any 32 bytes are a seed"))
}

pub(crate) fn make(path: &Path, secret: &[u8]) -> Result<(), NetworkError> {
    secret::write(path, secret).map_err(|source| NetworkError::Io { path: path.to_owned(), source })
}

pub(crate) fn make_folder(path: &Path) -> Result<(), NetworkError> {
    std::fs::create_dir_all(path)
        .map_err(|source| NetworkError::Io { path: path.to_owned(), source })
}

impl Plan {
    /// The network, without anybody who agrees.
    pub(crate) fn network(&self) -> Network {
        let allocations = self
            .allocations
            .iter()
            .map(|(account, units)| Allocation { account: *account, units: units.to_string() });
        Network {
            name: self.name.clone(),
            demo: self.demo,
            time_ms: self.time_ms,
            symbol: "STAR".to_owned(),
            decimals: 6,
            sharing: String::new(),
            validators: Vec::new(),
            allocations: allocations.collect(),
            upgrades: Vec::new(),
            successions: Vec::new(),
        }
    }
}

impl Network {
    /// Reads a network's file.
    ///
    /// # Errors
    /// It can't be read, or is no network.
    pub fn read(path: &Path) -> Result<Self, NetworkError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| NetworkError::Io { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|error| form(path, &error))
    }

    /// What the ledger begins with; its hash is the ledger's name.
    ///
    /// # Errors
    /// An allocation is no number.
    pub fn genesis(&self) -> Result<Genesis, NetworkError> {
        let allocation = |one: &Allocation| {
            let units = one.units.parse().map_err(|_| GenesisError::Supply)?;
            Ok::<_, GenesisError>((one.account, units))
        };
        Ok(Genesis {
            name: self.name.clone(),
            time_ms: self.time_ms,
            params: Params::default(),
            symbol: self.symbol.clone(),
            decimals: self.decimals,
            allocations: self.allocations.iter().map(allocation).collect::<Result<_, _>>()?,
        })
    }

    /// Reads keys and addresses; `path` is for what is said of an error.
    pub(crate) fn members(&self, path: &Path) -> Result<Members, NetworkError> {
        let mut sets = vec![Set::read(0, &self.sharing, &self.validators, path)?];
        for Succession { height, sharing, validators } in &self.successions {
            sets.push(Set::read(*height, sharing, validators, path)?);
        }
        let eras = Eras::new(sets)?;
        let genesis = self.genesis()?;
        genesis.changes()?;
        let upgrades = Upgrades::new(&genesis.params, &self.upgrades)?;
        Ok(Members { epoch: 0, eras, genesis, upgrades })
    }

    /// Who agrees in an epoch.
    pub(crate) fn validators(&self, epoch: u64) -> &[Validator] {
        let place = epoch.checked_sub(1).and_then(|place| usize::try_from(place).ok());
        match place.and_then(|place| self.successions.get(place)) {
            Some(succession) => &succession.validators,
            None => &self.validators,
        }
    }
}

impl Set {
    fn read(
        first: u64,
        sharing: &str,
        validators: &[Validator],
        path: &Path,
    ) -> Result<Self, NetworkError> {
        let hex = |text: &str| HEX.decode(text.as_bytes()).map_err(|error| form(path, &error));
        let bound = NonZeroU32::new(VALIDATORS_MAX).expect("more than none");
        let sharing: Sharing<MinSig> =
            Sharing::decode_cfg(Copying(&hex(sharing)?[..]), &(bound, ModeVersion::v0()))
                .map_err(|error| form(path, &error))?;
        let mut addresses = Vec::new();
        for validator in validators {
            let key = PublicKey::decode(Copying(&hex(&validator.key)?[..]))
                .map_err(|error| form(path, &error))?;
            addresses.push((key, validator.address));
        }
        let keys: ordered::Set<PublicKey> = addresses
            .iter()
            .map(|(key, _)| key.clone())
            .try_collect()
            .map_err(|_| NetworkError::Count)?;
        // The engine panics for others.
        let shared = usize::try_from(sharing.total().get()) == Ok(keys.len());
        if !shared || sharing.required() != keys.quorum::<N3f1>() {
            return Err(NetworkError::Count);
        }
        Ok(Self { first, keys, addresses, sharing })
    }

    /// What their certificates are verified against.
    pub(crate) fn group_key(&self) -> GroupKey {
        *self.sharing.public()
    }

    /// How those before name them.
    pub(crate) fn succession(&self) -> ledger::Succession {
        ledger::Succession { height: self.first, key: key_bytes(&self.group_key()) }
    }
}

pub(crate) fn form(path: &Path, error: &impl ToString) -> NetworkError {
    NetworkError::Form { path: path.to_owned(), what: error.to_string() }
}

impl Secrets {
    /// Reads a validator's secrets.
    pub(crate) fn read(home: &Path) -> Result<Self, NetworkError> {
        let (key, share) = (home.join("validator.key"), home.join("validator.share"));
        let bytes = |path: &Path| {
            secret::read(path).map_err(|source| NetworkError::Io { path: path.to_owned(), source })
        };
        Ok(Self {
            key: PrivateKey::decode(Copying(&bytes(&key)?[..])).map_err(|one| form(&key, &one))?,
            share: Share::decode(Copying(&bytes(&share)?[..])).map_err(|one| form(&share, &one))?,
        })
    }
}

impl Members {
    /// Those among whom this is one.
    pub(crate) fn set(&self) -> &Set {
        self.eras.get(self.epoch).expect("an epoch of the network's")
    }

    /// The last block of theirs; none: nobody takes over.
    pub(crate) fn ends(&self) -> Option<u64> {
        self.eras.ends(self.epoch)
    }

    /// As one of the newest set that these secrets are of, and how it votes there.
    pub(crate) fn seat(mut self, secrets: &Secrets) -> Result<(Self, Scheme), NetworkError> {
        for epoch in (0..self.eras.count()).rev() {
            self.epoch = epoch;
            if let Ok(scheme) = self.scheme(secrets) {
                return Ok((self, scheme));
            }
        }
        Err(NetworkError::NotAValidator)
    }

    /// How this validator votes.
    pub(crate) fn scheme(&self, secrets: &Secrets) -> Result<Scheme, NetworkError> {
        let set = self.set();
        let place = set.keys.position(&secrets.key.public_key());
        let index = usize::try_from(secrets.share.index.get()).ok();
        // The engine panics for a share of nobody.
        if place.is_none() || place != index {
            return Err(NetworkError::NotAValidator);
        }
        let namespace = namespace(self.genesis.chain());
        let (keys, sharing) = (set.keys.clone(), set.sharing.clone());
        Scheme::signer(&namespace, keys, sharing, secrets.share.clone())
            .ok_or(NetworkError::NotAValidator)
    }

    /// How certificates of an epoch are verified; none: there is no such epoch.
    pub(crate) fn verifier(&self, epoch: u64) -> Option<Scheme> {
        let key = self.eras.get(epoch)?.group_key();
        Some(Scheme::certificate_verifier(&namespace(self.genesis.chain()), key))
    }

    /// How certificates of all epochs are verified; `own` is of this validator's.
    pub(crate) fn schemes(&self, own: &Scheme) -> Schemes {
        let scheme = |epoch| match epoch == self.epoch {
            true => Some(Scoped::scheme(Arc::new(own.clone()))),
            false => self.verifier(epoch).map(|scheme| Scoped::verifier(Arc::new(scheme))),
        };
        Schemes((0..self.eras.count()).filter_map(scheme).collect())
    }

    /// What light clients pin: the first validators' key.
    pub(crate) fn root(&self) -> TrustRoot {
        let first = self.eras.get(0).expect("at least one set");
        let chain = Hash::new(*self.genesis.chain().as_bytes());
        TrustRoot { chain, group_key: key_bytes(&first.group_key()) }
    }
}

/// What every vote of a ledger is bound to.
pub fn namespace(chain: ChainId) -> Vec<u8> {
    [b"starling/ledger/1".as_slice(), chain.as_bytes()].concat()
}
