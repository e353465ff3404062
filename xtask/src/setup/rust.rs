//! Rust's part of the set-up: the wasm target and programs built by cargo.

use anyhow::{Context as _, Result, bail};

use crate::{
    house::{self, House, WASM},
    say,
};

/// The bundler of the page.
const TRUNK: &str = "0.21.14";
/// Splits the page's wasm.
const WASM_SPLIT: &str = "0.2.4";
/// Checks licences, sources and who imports whom.
const CARGO_DENY: &str = "0.20";
/// Checks spelling.
const TYPOS: &str = "1.52";
/// With the dependencies a tool's authors tested, not the newest compatible ones.
const LOCKED: &[&str] = &["--locked"];
/// Tools that work for a second or two: not optimised, they are there in half the time.
const UNOPTIMISED: [&str; 2] = ["trunk", "cargo-deny"];

/// The standard library for the browser.
pub(crate) fn wasm_target(house: &House) -> Result<()> {
    let library = house::read(house.command("rustc").args(["--print", "sysroot"]))
        .map(|sysroot| format!("{}/lib/rustlib/{WASM}/lib", sysroot.trim()))?;
    if std::path::Path::new(&library).is_dir() {
        say::kept(WASM, "there");
        return Ok(());
    }
    let remedy = "install the Rust target wasm32-unknown-unknown: `rustup target add \
                  wasm32-unknown-unknown`, or your distribution's package of it";
    if !house.has("rustup") {
        bail!("there is no rustup here; {remedy}");
    }
    say::timed(WASM, "the page's code compiles to it", || {
        house::run(house.command("rustup").args(["target", "add", WASM])).context(remedy)
    })
}

/// trunk. Without TLS and its look for updates: it finds its helpers here and fetches nothing.
pub(crate) fn trunk(house: &House) -> Result<()> {
    let args = ["--locked", "--no-default-features"];
    cargo_tool(house, "trunk", "trunk", TRUNK, &args, "bundles the page")
}

/// The version of wasm-bindgen that Cargo.lock names: its command line must be the same.
pub(crate) fn wasm_bindgen_version(house: &House) -> Result<String> {
    let lock =
        std::fs::read_to_string(house.root.join("Cargo.lock")).context("reading Cargo.lock")?;
    locked_version(&lock, "wasm-bindgen")
        .map(str::to_owned)
        .context("Cargo.lock names no wasm-bindgen: run `cargo metadata` once")
}

/// The version of a package in a lock file.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let mut lines = lock.lines();
    lines.find(|line| *line == format!("name = \"{package}\""))?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

/// wasm-bindgen's command line, of the version the page links.
pub(crate) fn wasm_bindgen(house: &House) -> Result<()> {
    let version = wasm_bindgen_version(house)?;
    let why = "makes the JavaScript side of the page's wasm";
    cargo_tool(house, "wasm-bindgen-cli", "wasm-bindgen", &version, &[], why)
}

/// Splits the page's wasm at the functions that `app/src/later.rs` marks. The same format as the macro
/// of the library that marks them: `0.2`.
pub(crate) fn wasm_split(house: &House) -> Result<()> {
    let why = "splits the page's wasm, so that pages come when they are opened";
    let args = ["--locked", "--features", "build-binary"];
    cargo_tool(house, "wasm_split_cli_support", "wasm-split-cli", WASM_SPLIT, &args, why)
}

/// What checks more than the compiler does.
pub(crate) fn checkers(house: &House) -> Result<()> {
    let why = "checks licences, sources and who imports whom";
    cargo_tool(house, "cargo-deny", "cargo-deny", CARGO_DENY, LOCKED, why)?;
    if house.cache.join("python/bin/typos").is_file() {
        say::kept("typos", "there");
        return Ok(());
    }
    // The wheel carries the finished program: seconds instead of minutes of compiling.
    let folder = house.cache.join("python");
    let wheel = format!("typos=={TYPOS}.*");
    let pip = house.has("python3")
        && house::succeeds(
            house
                .command("python3")
                .args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"])
                .arg(&folder)
                .arg(&wheel),
        );
    if pip {
        say::kept("typos", "installed: checks spelling");
        return Ok(());
    }
    cargo_tool(house, "typos-cli", "typos", TYPOS, LOCKED, "checks spelling")
}

/// Builds a program with cargo into our tools, if it is not there in this version.
///
/// `args`: more arguments, such as [`LOCKED`].
pub(crate) fn cargo_tool(
    house: &House,
    package: &str,
    program: &str,
    version: &str,
    args: &[&str],
    why: &str,
) -> Result<()> {
    let name = format!("{package} {version}");
    if installed(house, package, program, version) {
        say::kept(&name, "there");
        return Ok(());
    }
    say::timed(&name, &format!("{why} (compiles for some minutes, once)"), || {
        let mut cargo = house.cargo(["install", "--quiet", package, "--version"]);
        cargo
            .arg(format!("{}{version}", if version.matches('.').count() == 2 { "=" } else { "^" }));
        cargo.args(args);
        // Tools run for seconds: compiling them fast matters more than their speed.
        let level = if UNOPTIMISED.contains(&package) { "0" } else { "1" };
        cargo
            .arg("--root")
            .arg(house.tools())
            .env("CARGO_TARGET_DIR", house.cache.join("tools-target"))
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level)
            .env("CARGO_PROFILE_RELEASE_LTO", "false")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        house::run(&mut cargo).with_context(|| {
            format!("install it by hand: cargo install {package} --version {version}")
        })
    })
}

/// Whether the program of a version is in our tools, by cargo's own record.
fn installed(house: &House, package: &str, program: &str, version: &str) -> bool {
    let record = std::fs::read_to_string(house.tools().join(".crates.toml")).unwrap_or_default();
    record_names(&record, package, version) && house.tools().join("bin").join(program).is_file()
}

fn record_names(record: &str, package: &str, version: &str) -> bool {
    record.lines().any(|line| {
        let found = line.trim_start_matches('"').strip_prefix(package);
        let rest = found.and_then(|rest| rest.strip_prefix(' ')?.strip_prefix(version));
        rest.is_some_and(|rest| rest.starts_with([' ', '.']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_names_one_version() {
        let lock = "name = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n\n\
                    name = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "web-sys"), None);
    }

    #[test]
    fn a_record_of_another_version_or_package_does_not_count() {
        let record = "[v1]\n\"trunk 0.21.14 (registry+https://example.org)\" = [\"trunk\"]\n";
        assert!(record_names(record, "trunk", "0.21.14"));
        assert!(record_names(record, "trunk", "0.21"));
        assert!(!record_names(record, "trunk", "0.21.1"));
        assert!(!record_names(record, "run", "0.21.14"));
    }
}
