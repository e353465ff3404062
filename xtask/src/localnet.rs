//! `cargo xtask localnet 4`: a ledger of several validators on this machine, to try things on.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Result, ensure};

use crate::{
    children::Children,
    house::{self, House},
    run,
};

/// How long all validators may take to listen.
const LISTENING_WITHIN: Duration = Duration::from_secs(60);

/// Options of `localnet`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many validators
    #[arg(default_value_t = 4)]
    validators: u16,
    /// The first validator's port towards the others; each next one's is one more
    #[arg(long, default_value_t = 4100)]
    port: u16,
    /// The first validator's port for HTTP; each next one's is one more
    #[arg(long, default_value_t = 8800)]
    http_port: u16,
    /// Where keys and ledgers lie; a network that is there goes on
    #[arg(long, value_name = "DIR", default_value = "data/localnet")]
    out: PathBuf,
}

/// Builds, makes keys unless they are there, starts all, and runs until one ends.
pub(crate) fn localnet(house: &House, args: &Args) -> Result<()> {
    ensure!(args.validators > 0, "a ledger needs a validator");
    run::quick_server(house)?;
    if !house.root.join(&args.out).join("network.toml").exists() {
        house::run(&mut make_keys(house, args))?;
    }
    let mut validators = Children::default();
    for index in 0..args.validators {
        let mut command = starling(house);
        command.args(["validator", "--config"]);
        command.arg(args.out.join(format!("validator-{index}.toml")));
        validators.start(format!("validator {index}"), command.env("RUST_LOG", "warn"))?;
    }
    let ports = (args.http_port..).take(args.validators.into());
    validators.wait_until_listening(ports, LISTENING_WITHIN)?;
    announce(house, args);
    validators.wait()
}

fn starling(house: &House) -> Command {
    house.command(house.tested_starling())
}

fn make_keys(house: &House, args: &Args) -> Command {
    let mut command = starling(house);
    command.args(["keys", "network", "--validators", &args.validators.to_string()]);
    command.args(["--port", &args.port.to_string(), "--http-port", &args.http_port.to_string()]);
    command.arg("--out").arg(&args.out);
    command
}

fn announce(house: &House, args: &Args) {
    let binary = house.tested_starling();
    let (binary, out) = (binary.display(), args.out.display());
    println!(
        "\n  {} validators, keys and ledgers in {out}. To submit, to any of them:",
        args.validators
    );
    for port in (args.http_port..).take(args.validators.into()) {
        println!("    http://127.0.0.1:{port}/ledger/status");
    }
    println!(
        "\n  {binary} keys show {out}/me.key\n  {binary} ledger --node http://127.0.0.1:{} \\\n    \
         send ACCOUNT 1000000 --key {out}/faucet.key\n\n  A market to lend and borrow in \
         (docs/lending.md):\n  {binary} demo lending --node http://127.0.0.1:{} \\\n    \
         --key {out}/faucet.key --data {out}/lending --run\n",
        args.http_port, args.http_port
    );
}
