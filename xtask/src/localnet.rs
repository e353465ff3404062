//! `cargo xtask localnet 4`: a ledger of several validators on this machine, to try things on.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    children::Children,
    house::{self, House},
    run,
};

/// How long all validators may take to listen.
const LISTENING_WITHIN: Duration = Duration::from_secs(60);

/// How long they may take from there to a final block, when that is looked for.
const FINAL_WITHIN: Duration = Duration::from_secs(60);
/// How long one may take to say how far it is.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How often it is asked.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// First ports of the validators of [`check`]: no system hands them out by itself.
const CHECK_PORTS: (u16, u16) = (24_100, 24_150);

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
    run::quick_server(house)?;
    let mut validators = start(house, args)?;
    announce(house, args);
    validators.wait()
}

/// Starts four of the binary that is there, in a new folder, and ends them when each has a final block.
pub(crate) fn check(house: &House) -> Result<()> {
    let out = house.target.join("localnet");
    if out.exists() {
        fs::remove_dir_all(&out).with_context(|| out.display().to_string())?;
    }
    let (port, http_port) = CHECK_PORTS;
    let args = Args { validators: 4, port, http_port, out };
    let mut validators = start(house, &args)?;
    let start = Instant::now();
    for port in http_ports(&args) {
        while height(port).unwrap_or(0) == 0 {
            validators.check()?;
            let late = start.elapsed() > FINAL_WITHIN;
            ensure!(!late, "port {port}: no block is final after {FINAL_WITHIN:?}");
            thread::sleep(LOOK_EVERY);
        }
    }
    Ok(())
}

fn start(house: &House, args: &Args) -> Result<Children> {
    ensure!(args.validators > 0, "a ledger needs a validator");
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
    validators.wait_until_listening(http_ports(args), LISTENING_WITHIN)?;
    Ok(validators)
}

fn http_ports(args: &Args) -> impl Iterator<Item = u16> + use<> {
    (args.http_port..).take(args.validators.into())
}

/// How many blocks are final by what a validator says. None: it says nothing yet.
fn height(port: u16) -> Option<u64> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).ok()?;
    let request = "GET /ledger/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let status: serde_json::Value = serde_json::from_str(body).ok()?;
    status.get("height")?.as_u64()
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
    for port in http_ports(args) {
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
