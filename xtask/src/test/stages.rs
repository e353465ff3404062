//! The stages, in the order they run.

use anyhow::{Context as _, Result};

use super::{Stage, count, count::Tally, size, wasm};
use crate::{
    chores, dist,
    house::{self, House, WASM},
    localnet, say, setup, tidy, web,
};

/// What only runs in a browser: compiled for it; natively only for the page's unit tests.
const BROWSER_CRATES: [&str; 12] = [
    "--package",
    "app",
    "--package",
    "files-wasm",
    "--package",
    "identity-wasm",
    "--package",
    "ledger-wasm",
    "--package",
    "peer-wasm",
    "--package",
    "scan-wasm",
];
/// Everything else, and `scan-wasm`, which reads pictures anywhere.
const NATIVE: [&str; 11] = [
    "--workspace",
    "--exclude",
    "app",
    "--exclude",
    "files-wasm",
    "--exclude",
    "identity-wasm",
    "--exclude",
    "ledger-wasm",
    "--exclude",
    "peer-wasm",
];
/// The simulator's suite is a stage of its own.
const SUITE: [&str; 4] = ["--package", "workspace-tests", "--test", "sim"];

/// Every stage.
pub(super) const ALL: &[Stage] = &[
    native("fmt", "formatting", 1, fmt),
    native("tidy", "the map, sizes, paths, anchors", 1, tidy),
    native("typos", "spelling", 1, typos),
    native("deny", "licences, sources, who imports whom", 1, deny),
    native("clippy", "lints, native", 5, clippy),
    native("clippy-wasm", "lints, browser crates", 4, clippy_wasm),
    native("nextest", "unit, property, integration tests", 12, nextest),
    native("localnet", "four validators of `cargo xtask localnet` agree on a block", 1, localnet),
    native("doctest", "examples in doc comments", 2, doctest),
    native("doc", "doc comments build, links resolve", 3, doc),
    native("fuzz", "fuzz targets build and survive a short soak", 3, fuzz),
    native("sim", "the simulator: 14 seeds of each of 15 scenarios", 5, sim),
    on_web("web", "the bundle, built beside the others: imports and sizes", 5, bundle),
    on_web("wasm", "browser driver in Chromium and Firefox", 4, wasm::run),
    on_web(
        "interop",
        "files, trackers, DIDs, credentials, grants and meters as other programs have them",
        3,
        interop,
    ),
    on_web("e2e", "real browsers, real WebRTC, real video", 15, e2e),
    on_web("netns", "NATs, firewalls, moving hosts, in network namespaces (root)", 6, netns),
];

type Run = fn(&House, &mut Tally) -> Result<()>;

const fn native(name: &'static str, what: &'static str, budget_minutes: u64, run: Run) -> Stage {
    Stage { name, what, budget_minutes, needs_web: false, run }
}

const fn on_web(name: &'static str, what: &'static str, budget_minutes: u64, run: Run) -> Stage {
    Stage { name, what, budget_minutes, needs_web: true, run }
}

fn fmt(house: &House, _: &mut Tally) -> Result<()> {
    house::run(&mut house.cargo(["fmt", "--all", "--check"]))?;
    let fuzz = ["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"];
    house::run(&mut house.cargo(fuzz))
}

fn tidy(house: &House, tally: &mut Tally) -> Result<()> {
    tidy::check(house, |good| tally.check(good))
}

fn typos(house: &House, _: &mut Tally) -> Result<()> {
    let mut typos = house.command("typos");
    // The wheel's program lives beside its package, out of cargo's sight.
    house::run(typos.arg("--config").arg(".typos.toml"))
}

fn deny(house: &House, tally: &mut Tally) -> Result<()> {
    // Advisories need a database from the network: `.ci/nightly`.
    for part in ["bans", "licenses", "sources"] {
        let outcome = house::run(&mut house.cargo(["deny", "--log-level", "error", "check", part]));
        tally.check(outcome.is_ok());
    }
    Ok(())
}

fn clippy(house: &House, tally: &mut Tally) -> Result<()> {
    let words = ["clippy", "--quiet", "--all-targets"].into_iter().chain(NATIVE);
    let native = house::run(&mut house.cargo(words.chain(["--", "--deny", "warnings"])));
    tally.check(native.is_ok());
    Ok(())
}

fn clippy_wasm(house: &House, _: &mut Tally) -> Result<()> {
    let words = ["clippy", "--quiet", "--all-targets", "--target", WASM].into_iter();
    house::run(&mut house.cargo(words.chain(BROWSER_CRATES).chain(["--", "--deny", "warnings"])))
}

fn nextest(house: &House, tally: &mut Tally) -> Result<()> {
    let mut cargo = if house.has("cargo-nextest") {
        let words = ["nextest", "run", "--profile", "ci", "--filter-expr", "not binary(sim)"];
        house.cargo(words.into_iter().chain(NATIVE))
    } else {
        // Compiling nextest takes longer than it saves on a machine that runs us once.
        house.cargo(["test", "--quiet", "--all-targets"].into_iter().chain(NATIVE))
    };
    count::run(&mut cargo, tally)?;
    // What pages say is decided in plain functions, which need no browser.
    count::run(&mut house.cargo(["test", "--quiet", "--package", "app"]), tally)
}

fn localnet(house: &House, _: &mut Tally) -> Result<()> {
    tested_starling(house)?;
    localnet::check(house)
}

fn doctest(house: &House, tally: &mut Tally) -> Result<()> {
    count::run(&mut house.cargo(["test", "--quiet", "--doc"].into_iter().chain(NATIVE)), tally)
}

fn doc(house: &House, _: &mut Tally) -> Result<()> {
    let words = ["doc", "--quiet", "--no-deps", "--document-private-items"].into_iter();
    let mut cargo = house.cargo(words.chain(NATIVE));
    house::run(cargo.env("RUSTDOCFLAGS", "--deny warnings"))
}

fn fuzz(house: &House, tally: &mut Tally) -> Result<()> {
    let words =
        ["check", "--quiet", "--manifest-path", "fuzz/Cargo.toml", "--features", "libfuzzer"];
    let mut check = house.cargo(words);
    // Only types are checked here: libFuzzer itself need not be compiled, so any path will do.
    let built = house::run(check.env("CUSTOM_LIBFUZZER_PATH", house.target.join("libfuzzer.a")));
    tally.check(built.is_ok());
    count::run(chores::quick_soaker(house).args(["--cases", "5000"]), tally)
}

fn sim(house: &House, tally: &mut Tally) -> Result<()> {
    count::run(&mut house.cargo(["test", "--quiet"].into_iter().chain(SUITE)), tally)
}

fn bundle(house: &House, tally: &mut Tally) -> Result<()> {
    web::build(house, web::Mode::Release)?;
    size::check(house, tally)
}

/// What browser tests run on: the bundle as it ships, the binary of the integration tests, which reads it
/// from its folder, and packages that drive browsers.
fn browser_rig(house: &House) -> Result<()> {
    web::build(house, web::Mode::Release)?;
    tested_starling(house)?;
    chores::browser_packages(house)
}

fn tested_starling(house: &House) -> Result<()> {
    say::timed("starling", "the binary of the integration tests", || {
        // The words of `nextest`: others would choose other features, and compile half of it anew.
        house::run(&mut house.cargo(["test", "--quiet", "--no-run"].into_iter().chain(NATIVE)))
    })
}

fn interop(house: &House, tally: &mut Tally) -> Result<()> {
    browser_rig(house)?;
    for (words, what) in [
        (["interop/content.mjs", "--quick"].as_slice(), "interop of files"),
        (&["interop/tracker.mjs"], "interop of the tracker"),
        (&["interop/webvh.mjs"], "interop of did:webvh"),
        (&["interop/ledger.mjs"], "the ledger's bytes by its specification"),
    ] {
        let mut node = house.command("node");
        node.args(words).current_dir(chores::tests(house));
        count::run(node.env("STARLING", house.tested_starling()), tally).context(what)?;
    }
    let python = setup::interop_packages(house)?;
    for (script, what) in [
        ("interop/identity.mjs", "interop of identity"),
        ("interop/meters.mjs", "interop of meters"),
    ] {
        let mut node = house.command("node");
        node.arg(script).current_dir(chores::tests(house)).env("PYTHONPATH", &python);
        count::run(node.env("STARLING", house.tested_starling()), tally).context(what)?;
    }
    Ok(())
}

fn e2e(house: &House, tally: &mut Tally) -> Result<()> {
    browser_rig(house)?;
    // One of the tests serves it alone.
    dist::package(house)?;
    let mut node = house.command("node");
    node.arg("e2e/run.mjs")
        .current_dir(chores::tests(house))
        .env("STARLING", house.tested_starling());
    count::run(&mut node, tally).context("end to end")
}

fn netns(house: &House, tally: &mut Tally) -> Result<()> {
    browser_rig(house)?;
    let mut node = house.command("node");
    node.arg("netns/run.mjs")
        .current_dir(chores::tests(house))
        .env("STARLING", house.tested_starling());
    count::run(&mut node, tally).context("network namespaces")
}
