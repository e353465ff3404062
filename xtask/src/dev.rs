//! `cargo xtask dev`: save a file, see it.
//!
//! One loop: look whether any source changed, rebuild quickly what that touches, restart the server
//! if its binary changed. Pages carry a small script that reloads them when the build's number does.

use std::{
    fs,
    process::Child,
    thread,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};

use crate::{
    fingerprint,
    house::{self, House},
    run::Args,
    say, setup, web,
};

/// How often sources are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What the server is made from besides the bundle's inputs.
const SERVER_INPUTS: &[&str] = &["starling", "signaling-server", "relay"];

/// Builds, serves, and starts over at every change, until stopped.
pub(crate) fn dev(house: &House, args: &Args) -> Result<()> {
    args.check_port()?;
    setup::for_run(house)?;
    let mut server: Option<Child> = None;
    let mut served: Option<SystemTime> = None;
    loop {
        let sources = sources(house)?;
        match rebuild(house) {
            Ok(built) if Some(built) != served => {
                stop(server.take());
                let mut serve = args.serve(house, binary(house));
                let child = server.insert(serve.spawn().context("starting starling")?);
                args.announce(house, child)?;
                served = Some(built);
            }
            Ok(_) => say::note("reloaded"),
            // The person is in the middle of a change: the last good build stays up.
            Err(error) => say::problem(&error),
        }
        while self::sources(house)? == sources {
            thread::sleep(LOOK_EVERY);
        }
    }
}

fn sources(house: &House) -> Result<String> {
    let inputs: Vec<&str> = web::INPUTS.iter().chain(SERVER_INPUTS).copied().collect();
    fingerprint::of(&house.root, &inputs, "")
}

/// Builds the bundle and the server; when the server's binary was made.
fn rebuild(house: &House) -> Result<SystemTime> {
    web::build(house, web::Mode::Dev)?;
    house::run(&mut house.cargo(["build", "--quiet", "--package", "starling"]))?;
    let binary = binary(house);
    fs::metadata(&binary)
        .and_then(|file| file.modified())
        .with_context(|| format!("looking at {}", binary.display()))
}

fn binary(house: &House) -> std::path::PathBuf {
    house.tested_starling()
}

fn stop(server: Option<Child>) {
    if let Some(mut server) = server {
        // Neither can fail in a way that matters: the process is ours, and it is gone afterwards.
        let _ = server.kill();
        let _ = server.wait();
    }
}
