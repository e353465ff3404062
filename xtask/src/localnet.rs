//! `cargo xtask localnet 4`: a ledger of several validators on this machine, to try things on.

use std::{
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    house::{self, House},
    say,
};

/// How long all validators may take to listen.
const LISTENING_WITHIN: Duration = Duration::from_secs(60);
/// How often processes are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

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
    say::timed("starling", "the binary", || {
        house::run(&mut house.cargo(["build", "--quiet", "--package", "starling"]))
    })?;
    if !house.root.join(&args.out).join("network.toml").exists() {
        house::run(&mut make_keys(house, args))?;
    }
    let mut validators = Validators(Vec::new());
    for index in 0..args.validators {
        let mut command = starling(house);
        command.args(["validator", "--config"]);
        command.arg(args.out.join(format!("validator-{index}.toml")));
        let child = command.env("RUST_LOG", "warn").spawn();
        validators.0.push(child.context("starting a validator")?);
    }
    validators.wait_until_listening(args)?;
    announce(house, args);
    loop {
        validators.check()?;
        thread::sleep(LOOK_EVERY);
    }
}

fn starling(house: &House) -> Command {
    house.command(house.target.join("debug/starling"))
}

fn make_keys(house: &House, args: &Args) -> Command {
    let mut command = starling(house);
    command.args(["keys", "network", "--validators", &args.validators.to_string()]);
    command.args(["--port", &args.port.to_string(), "--http-port", &args.http_port.to_string()]);
    command.arg("--out").arg(&args.out);
    command
}

fn announce(house: &House, args: &Args) {
    let binary = house.target.join("debug/starling");
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
         send ACCOUNT 1000000 --key {out}/faucet.key\n",
        args.http_port
    );
}

/// Children that end with us.
struct Validators(Vec<Child>);

impl Validators {
    fn check(&mut self) -> Result<()> {
        for (index, child) in self.0.iter_mut().enumerate() {
            if let Some(status) = child.try_wait().context("asking after a validator")? {
                bail!("validator {index} ended with {status}; what it said stands above");
            }
        }
        Ok(())
    }

    fn wait_until_listening(&mut self, args: &Args) -> Result<()> {
        let start = Instant::now();
        for port in (args.http_port..).take(args.validators.into()) {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
                self.check()?;
                let late = start.elapsed() > LISTENING_WITHIN;
                ensure!(!late, "port {port}: nobody listens after {LISTENING_WITHIN:?}");
                thread::sleep(LOOK_EVERY);
            }
        }
        Ok(())
    }
}

impl Drop for Validators {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // Neither can fail in a way that matters: the process is ours, and it is gone afterwards.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
