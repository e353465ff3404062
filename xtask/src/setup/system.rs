//! Programs of the system, by its package manager.

use anyhow::{Result, bail};

use crate::{
    house::{self, House},
    say,
};

/// A program the system provides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program {
    /// Any of these will do.
    names: &'static [&'static str],
    /// Debian packages that bring it.
    packages: &'static [&'static str],
    why: &'static str,
}

/// Node and npm.
pub(crate) const NODE: Program = Program {
    names: &["npm"],
    packages: &["nodejs", "npm"],
    why: "runs wasm-opt, compresses the page, drives the browser tests (20 or newer)",
};
/// Makes the demo video.
pub(crate) const FFMPEG: Program =
    Program { names: &["ffmpeg"], packages: &["ffmpeg"], why: "makes the demo video, once" };
/// The first browser of the tests.
pub(crate) const CHROMIUM: Program = Program {
    names: &["chromium"],
    packages: &["chromium"],
    why: "tests run in it: wasm, and two to eight tabs end to end",
};
/// For driving Chromium by WebDriver by hand; our own tests speak CDP.
pub(crate) const CHROMEDRIVER: Program = Program {
    names: &["chromedriver"],
    packages: &["chromium-driver"],
    why: "lets wasm-bindgen-test-runner be used by hand without our script",
};
/// The second browser of the tests.
pub(crate) const FIREFOX: Program = Program {
    names: &["firefox-esr", "firefox"],
    packages: &["firefox-esr"],
    why: "tests run in it: wasm, and Chromium with Firefox",
};
/// Libraries of other people's making for credentials.
pub(crate) const PYTHON: Program = Program {
    names: &["python3"],
    packages: &["python3", "python3-pip"],
    why: "its libraries read our credentials and grants",
};
/// Clients of other people's making for the relay.
pub(crate) const COTURN: Program = Program {
    names: &["turnutils_uclient"],
    packages: &["coturn"],
    why: "its clients test the relay; its server is what `cargo xtask bench relay` compares with",
};
/// Joins nodes.
pub(crate) const NATS: Program = Program {
    names: &["nats-server"],
    packages: &["nats-server"],
    why: "joins several nodes of one host: tests and `cargo xtask cluster` start it themselves",
};

/// Makes network namespaces and the wires between them.
pub(crate) const IPROUTE: Program = Program {
    names: &["ip", "/usr/sbin/ip"],
    packages: &["iproute2"],
    why: "makes the networks of the tests in namespaces",
};
/// Address translation and firewalls.
pub(crate) const NFTABLES: Program = Program {
    names: &["nft", "/usr/sbin/nft"],
    packages: &["nftables"],
    why: "makes the NATs and firewalls of the tests in namespaces",
};

/// Makes certificates.
pub(crate) const OPENSSL: Program = Program {
    names: &["openssl"],
    packages: &["openssl"],
    why: "makes the certificate of the tests in namespaces",
};

/// Installs those of `programs` that are missing, in one go.
pub(crate) fn install(house: &House, programs: &[Program]) -> Result<()> {
    let (there, missing): (Vec<Program>, Vec<Program>) =
        programs.iter().partition(|program| program.names.iter().any(|name| house.has(name)));
    for program in there {
        say::kept(program.packages[0], "there");
    }
    if missing.is_empty() {
        return Ok(());
    }
    for program in &missing {
        say::step(&program.packages.join(" "), program.why);
    }
    let packages: Vec<&str> =
        missing.iter().flat_map(|program| program.packages).copied().collect();
    let remedy =
        format!("install by your package manager and run this again: {}", packages.join(" "));
    if !house.has("apt-get") {
        bail!("there is no apt-get here; {remedy}");
    }
    let Some(mut apt) = administrator(house) else {
        bail!("installing needs root or sudo without a password; {remedy}");
    };
    let install = |words: &[&str]| -> Result<()> {
        let mut command = apt(words);
        say::note(&house::shown(&command));
        house::run(&mut command)
    };
    with_remedy(&remedy, install, &packages)
}

fn with_remedy(
    remedy: &str,
    mut install: impl FnMut(&[&str]) -> Result<()>,
    packages: &[&str],
) -> Result<()> {
    let words: Vec<&str> =
        ["install", "--yes", "--no-install-recommends"].iter().chain(packages).copied().collect();
    // Lists that are old name old browsers, which the tests' driver may not speak to. Without a network
    // what is listed may still be at hand.
    let _ = install(&["update"]);
    let outcome = install(&words);
    outcome.map_err(|error| error.context(format!("apt-get could not install; {remedy}")))
}

/// How to run `apt-get` as root, if there is a way that asks nothing.
fn administrator(house: &House) -> Option<impl FnMut(&[&str]) -> std::process::Command> {
    let root = house::read(house.command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let sudo = !root && house::succeeds(house.command("sudo").args(["-n", "true"]));
    (root || sudo).then_some(move |words: &[&str]| {
        let mut command = if root { house.command("apt-get") } else { house.command("sudo") };
        if !root {
            command.args(["-n", "apt-get"]);
        }
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        command
    })
}
