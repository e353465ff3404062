//! Chores that hand over to a program of the workspace.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};

use crate::{
    bench_energy,
    house::{self, House},
    run, setup, web,
};

/// Arguments that are not ours to read.
#[derive(Debug, clap::Args)]
pub(crate) struct Forwarded {
    /// Handed over as they are
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

impl Forwarded {
    /// Those behind the first, which names the chore.
    pub(crate) fn after_first(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }
}

/// Options of `soak`.
#[derive(Debug, clap::Args)]
pub(crate) struct SoakArgs {
    /// How long each target is fed
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where the bytes come from; a failure is replayed by its seed
    #[arg(long)]
    seed: Option<u64>,
    /// How many seeds validators are simulated with, in place of how long
    #[arg(long, conflicts_with = "seconds")]
    seeds: Option<u64>,
    /// Only this target; `validators`: the ledger's, simulated with every trouble
    #[arg(long)]
    target: Option<String>,
}

/// The program that feeds the fuzz targets, for cargo.
const SOAK: [&str; 5] = ["--manifest-path", "fuzz/Cargo.toml", "--bin", "soak", "--"];
/// What `soak` feeds that is no fuzz target.
const VALIDATORS: &str = "validators";
/// Troubles that validators are simulated with, for each one at a time.
const TROUBLES_PER_PROCESSOR: u64 = 6;

/// Replays simulations.
pub(crate) fn sim(house: &House, args: &Forwarded) -> Result<()> {
    // Optimised: ten thousand viewers are many steps.
    let words =
        ["run", "--quiet", "--release", "--package", "workspace-tests", "--bin", "sim", "--"];
    house::run(house.cargo(words).args(&args.words))
}

/// Benches of servers: the word after `bench`, the crate whose examples it runs, the server and the load.
const SERVER_BENCHES: [(&str, &str, &str, &str); 4] = [
    ("load", "signaling-server", "alone", "load"),
    ("nodes", "signaling-server", "alone", "load"),
    ("relay", "relay", "relay-alone", "relay-load"),
    ("tracker", "signaling-server", "alone", "load"),
];

/// Benches of validators, which run as the release binary.
const LEDGER_BENCHES: [&str; 2] = ["ledger", "lending"];

/// Measures in real browsers; with the word of another bench first, what that is about.
pub(crate) fn bench(house: &House, args: &Forwarded) -> Result<()> {
    if args.words.first().is_some_and(|word| word == "energy") {
        return bench_energy::bench(house, args);
    }
    setup::for_test(house)?;
    if let Some((word, words)) = args.words.split_first()
        && let Some(bench) = SERVER_BENCHES.iter().find(|(name, ..)| name == word)
    {
        return bench_server(house, *bench, words);
    }
    match args.words.split_first() {
        Some((word, words)) if word == "files" => bench_files(house, words),
        Some((word, words)) if LEDGER_BENCHES.contains(&word.as_str()) => {
            bench_ledger(house, word, words)
        }
        Some((word, words)) if word == "store" => {
            browser_packages(house)?;
            house::run(bench_script(house, "store").args(words))
        }
        _ => {
            browser_rig(house)?;
            let mut node = bench_script(house, "run");
            house::run(node.args(&args.words).env("STARLING", house.starling()))
        }
    }
}

/// Files between tabs and command lines; native peers beside `webrtc` as it comes, an example of theirs.
fn bench_files(house: &House, words: &[String]) -> Result<()> {
    browser_rig(house)?;
    let build = ["build", "--quiet", "--release", "--package", "peer-native", "--examples"];
    house::run(&mut house.cargo(build))?;
    let mut node = bench_script(house, "files");
    node.arg("--stock").arg(house.target.join("release/examples/webrtc-alone"));
    house::run(node.args(words).env("STARLING", house.starling()))
}

/// Validators of the release binary, and an example of theirs that sends.
fn bench_ledger(house: &House, name: &str, words: &[String]) -> Result<()> {
    browser_rig(house)?;
    let build = ["build", "--quiet", "--release", "--package", "starling", "--example"];
    house::run(&mut house.cargo(build.into_iter().chain(["ledger-load"])))?;
    let mut node = bench_script(house, name);
    node.arg("--load").arg(house.target.join("release/examples/ledger-load"));
    if name == "ledger" {
        node.arg("--light").arg(web::ledger_example(house, "light")?);
        node.arg("--proofs").arg(web::ledger_example(house, "proofs")?);
    }
    house::run(node.args(words).env("STARLING", house.starling()))
}

fn bench_script(house: &House, name: &str) -> std::process::Command {
    let mut node = house.command("node");
    node.arg(format!("bench/{name}.mjs")).current_dir(tests(house));
    node
}

fn bench_server(
    house: &House,
    (name, package, server, load): (&str, &str, &str, &str),
    words: &[String],
) -> Result<()> {
    browser_packages(house)?;
    let build = ["build", "--quiet", "--release", "--package", package, "--examples"];
    house::run(&mut house.cargo(build))?;
    let examples = house.target.join("release/examples");
    let mut node = bench_script(house, name);
    node.arg("--load").arg(examples.join(load)).arg("--server").arg(examples.join(server));
    house::run(node.args(words))
}

/// What the bench runs on: the release binary with its bundle, and packages that drive browsers.
pub(crate) fn browser_rig(house: &House) -> Result<()> {
    web::build(house, web::Mode::Release)?;
    run::server(house)?;
    browser_packages(house)
}

/// npm packages that drive browsers.
pub(crate) fn browser_packages(house: &House) -> Result<()> {
    setup::install_locked(house, &tests(house), "puppeteer-core and more", "drives the browsers")
}

/// Folder of the browser tests.
pub(crate) fn tests(house: &House) -> PathBuf {
    house.root.join("tests")
}

/// Feeds mutated bytes to decoders and cores, and plays validators with seeds that CI has no time for.
pub(crate) fn soak(house: &House, args: &SoakArgs) -> Result<()> {
    if args.target.as_deref() != Some(VALIDATORS) {
        let mut soak = soaker(house);
        soak.args(["--seconds", &args.seconds.to_string()]);
        if let Some(seed) = args.seed {
            soak.args(["--seed", &seed.to_string()]);
        }
        if let Some(target) = &args.target {
            soak.args(["--target", target]);
        }
        house::run(&mut soak)?;
    }
    if args.target.as_deref().is_none_or(|target| target == VALIDATORS) {
        soak_validators(house, args)?;
    }
    Ok(())
}

/// `ledger-node/src/sim.rs`, with so many seeds or for about as long as was asked; a seed that fails is named.
fn soak_validators(house: &House, args: &SoakArgs) -> Result<()> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let first = args.seed.unwrap_or(since.as_secs());
    // Optimised: twice as many seeds in a minute as tests' profile plays.
    let words = ["test", "--quiet", "--release", "--package", "ledger-node", "--lib", "sim::"];
    let mut cargo = house.cargo(words);
    cargo.env("SIM_FIRST", first.to_string());
    match args.seeds {
        Some(seeds) => cargo.env("SIM_SEEDS", seeds.to_string()),
        None => {
            let seconds = args.seconds.div_ceil(TROUBLES_PER_PROCESSOR);
            cargo.env("SIM_SECONDS", seconds.to_string())
        }
    };
    // Each trouble's test adds a line: how many it played.
    let tally = std::path::absolute(house.target.join("simulated-validators"))?;
    std::fs::write(&tally, "").with_context(|| format!("{} is not written", tally.display()))?;
    house::run(cargo.env("SIM_TALLY", &tally))?;
    let lines = std::fs::read_to_string(&tally)?;
    let played: u64 = lines.lines().filter_map(|line| line.parse::<u64>().ok()).sum();
    println!("{VALIDATORS}: {played} seeds, from {first} on");
    Ok(())
}

/// The program that feeds the fuzz targets on stable Rust.
pub(crate) fn soaker(house: &House) -> std::process::Command {
    // With what validators read, which is compiled with the engine.
    house.cargo(["run", "--quiet", "--release", "--features", "node"].into_iter().chain(SOAK))
}

/// The same for a short while: what tests have compiled is not compiled again.
pub(crate) fn quick_soaker(house: &House) -> std::process::Command {
    house.cargo(["run", "--quiet"].into_iter().chain(SOAK))
}
