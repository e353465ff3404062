//! `starling keys`.

mod ceremony;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ledger::AccountId;
use ledger_node::{NetworkError, Plan, deal_network, deal_successor};
use serde_json::json;
use starling::key_file;

use super::{Problem, now_ms};

/// Units that the owner of a new network holds.
const UNITS: u128 = 1_000_000_000_000_000;

/// Options of `starling keys`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show the public half of a key and the account it has; a new key is made unless it is there
    Show {
        /// The key's file, which only its owner may read
        file: PathBuf,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Make a new network: the keys of all its validators at once. Whoever runs this could sign for
    /// all of them; `ceremony` is for those who do not want that
    Network {
        #[command(flatten)]
        set: Set,
    },
    /// Make the keys of those who take over from a network's validators at a block, and the network's file
    /// that says so. Whoever runs this could sign for all of the new ones; `ceremony` is for those who do not
    /// want that
    Successor {
        /// The network's file as it is: `network.toml` of a validator that is alone lies in its folder
        network: PathBuf,
        /// The first block of the new validators; all old ones must be told before the block before it
        #[arg(long)]
        height: u64,
        #[command(flatten)]
        set: Set,
    },
    /// Keys of several validators who trust nobody with all of them: each makes its own and deals to the others,
    /// by files. The same for those who take over, and to deal a key anew to others who keep it
    Ceremony(ceremony::Args),
}

/// Validators that are made.
#[derive(Debug, clap::Args)]
struct Set {
    /// A new folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many validators; 4 survive one that fails
    #[arg(long, default_value_t = 4)]
    validators: u16,
    /// The first validator's port towards the others; each next one's is one more
    #[arg(long, default_value_t = 4100)]
    port: u16,
    /// The first validator's port for HTTP; each next one's is one more
    #[arg(long, default_value_t = 8800)]
    http_port: u16,
    /// How long a block waits for its first transaction, in milliseconds; 0: the default
    #[arg(long, default_value_t = 0)]
    heartbeat_ms: u64,
}

impl Set {
    /// Names of the validators.
    fn names(&self) -> Vec<String> {
        (0..self.validators).map(|index| format!("validator-{index}")).collect()
    }

    /// Their folders.
    fn homes(&self) -> Vec<PathBuf> {
        self.names().iter().map(|name| self.out.join(name)).collect()
    }

    /// Addresses of this machine from a port on.
    fn addresses(&self, first: u16) -> Result<Vec<SocketAddr>, NetworkError> {
        let local = |port| SocketAddr::from((IpAddr::V4(Ipv4Addr::LOCALHOST), port));
        let all = (0..self.validators).map(|index| first.checked_add(index).map(local));
        all.collect::<Option<_>>().ok_or(NetworkError::Count)
    }

    /// Writes each one's settings, and prints where.
    fn write_settings(&self) -> Result<(), NetworkError> {
        let (listen, http) = (self.addresses(self.port)?, self.addresses(self.http_port)?);
        for ((name, listen), http) in self.names().iter().zip(&listen).zip(&http) {
            let text = format!(
                "data = \"{name}\"\nnetwork = \"network.toml\"\nlisten = \"{listen}\"\n\
                 http = \"{http}\"\nheartbeat_ms = {}\n",
                self.heartbeat_ms
            );
            let path = self.out.join(format!("{name}.toml"));
            std::fs::write(&path, text)
                .map_err(|source| NetworkError::Io { path: path.clone(), source })?;
            println!("{}", path.display());
        }
        Ok(())
    }
}

pub(crate) fn run(args: Args) -> Result<(), Problem> {
    match args.what {
        What::Show { file, json } => show(&file, json),
        What::Network { set } => network(&set),
        What::Successor { network, height, set } => successor(&network, height, &set),
        What::Ceremony(args) => ceremony::run(args),
    }
}

fn show(file: &Path, json: bool) -> Result<(), Problem> {
    let loaded = key_file::load_or_create(file)?;
    let (key, account) = (loaded.key.id(), AccountId::of_key(loaded.key.id()));
    if json {
        println!("{}", json!({ "key": key, "account": account, "created": loaded.created }));
    } else {
        println!("key     {key}\naccount {account}");
    }
    Ok(())
}

fn network(set: &Set) -> Result<(), Problem> {
    let faucet = key_file::load_or_create(&set.out.join("faucet.key"))?.key;
    let plan = Plan {
        name: "local".to_owned(),
        demo: false,
        time_ms: now_ms(),
        addresses: set.addresses(set.port)?,
        allocations: vec![(AccountId::of_key(faucet.id()), UNITS)],
    };
    // Before any file is made.
    set.addresses(set.http_port)?;
    deal_network(&plan, &set.out, &set.homes())?;
    Ok(set.write_settings()?)
}

fn successor(network: &Path, height: u64, set: &Set) -> Result<(), Problem> {
    let addresses = set.addresses(set.port)?;
    set.addresses(set.http_port)?;
    deal_successor(network, height, &addresses, &set.out, &set.homes())?;
    set.write_settings()?;
    let (out, last) = (set.out.display(), height.saturating_sub(1));
    println!(
        "\nBefore block {last}\n\
         - each of the validators that run now takes {out}/network.toml in place of its own network.toml and \
         starts again. Block {last} is then their last: it names the new ones' key. Who was not told stops there.\n\
         - each new validator is handed its own folder {out}/validator-N, which nobody else may see, with its \
         validator-N.toml and network.toml. Addresses in both are of this machine: change them first.\n\
         After block {last}\n\
         - fetch it from an old validator: starling ledger --node URL snapshot FILE\n\
         - each new validator: starling ledger restore --config validator-N.toml FILE, then starling validator. \
         (Or it takes `engine` and `records.redb` of an old one that was stopped, which has all receipts.)\n\
         - when enough of the new ones run, stop the old ones, and delete their validator.key and validator.share. \
         Light clients follow by themselves."
    );
    Ok(())
}
