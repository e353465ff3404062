//! `starling keys`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ledger::AccountId;
use ledger_node::{NetworkError, Plan, deal_network};
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
    /// all of them
    Network {
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
    },
}

pub(crate) fn run(args: Args) -> Result<(), Problem> {
    match args.what {
        What::Show { file, json } => show(&file, json),
        What::Network { out, validators, port, http_port, heartbeat_ms } => {
            network(&out, validators, port, http_port, heartbeat_ms)
        }
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

fn network(
    out: &Path,
    count: u16,
    port: u16,
    http_port: u16,
    heartbeat_ms: u64,
) -> Result<(), Problem> {
    let faucet = key_file::load_or_create(&out.join("faucet.key"))?.key;
    let local = |port| SocketAddr::from((IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    let ports = |first: u16| (0..count).map(move |index| first.checked_add(index).map(local));
    let addresses: Option<Vec<SocketAddr>> = ports(port).collect();
    let http: Option<Vec<SocketAddr>> = ports(http_port).collect();
    let (Some(addresses), Some(http)) = (addresses, http) else {
        return Err(NetworkError::Count.into());
    };
    let plan = Plan {
        name: "local".to_owned(),
        demo: false,
        time_ms: now_ms(),
        addresses: addresses.clone(),
        allocations: vec![(AccountId::of_key(faucet.id()), UNITS)],
    };
    let names: Vec<String> = (0..count).map(|index| format!("validator-{index}")).collect();
    let homes: Vec<PathBuf> = names.iter().map(|name| out.join(name)).collect();
    deal_network(&plan, out, &homes)?;
    for ((name, listen), http) in names.iter().zip(&addresses).zip(&http) {
        let text = format!(
            "data = \"{name}\"\nnetwork = \"network.toml\"\nlisten = \"{listen}\"\n\
             http = \"{http}\"\nheartbeat_ms = {heartbeat_ms}\n"
        );
        let path = out.join(format!("{name}.toml"));
        std::fs::write(&path, text)
            .map_err(|source| NetworkError::Io { path: path.clone(), source })?;
        println!("{}", path.display());
    }
    Ok(())
}
