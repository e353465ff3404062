//! The browser driver's own tests, in Chromium and in Firefox.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{count, count::Tally};
use crate::{
    chores,
    house::{self, House, WASM},
};

/// Compiles the test programs, then has each browser run each.
pub(super) fn run(house: &House, tally: &mut Tally) -> Result<()> {
    chores::browser_packages(house)?;
    let programs = compile(house)?;
    ensure!(!programs.is_empty(), "peer-wasm has no test programs");
    for browser in ["chromium", "firefox"] {
        for program in &programs {
            let mut node = house.command("node");
            node.arg(house.root.join("xtask/npm/wasm-tests.mjs")).arg(browser).arg(program);
            let before = *tally;
            let outcome = count::run(&mut node, tally);
            if outcome.is_err() && tally.failed == before.failed {
                tally.check(false);
            }
        }
    }
    Ok(())
}

fn compile(house: &House) -> Result<Vec<PathBuf>> {
    let words =
        ["test", "--no-run", "--quiet", "--package", "peer-wasm", "--tests", "--target", WASM];
    let mut cargo = house.cargo(words);
    let messages = house::read(cargo.args(["--message-format", "json-render-diagnostics"]))?;
    Ok(messages.lines().filter_map(executable).collect())
}

/// The test program that a message of cargo announces.
fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let program = message.get("executable")?.as_str()?;
    let test = message["profile"]["test"].as_bool()? || message["target"]["test"].as_bool()?;
    test.then(|| PathBuf::from(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_test_programs_are_taken_from_cargos_messages() {
        let test = r#"{"executable":"a.wasm","profile":{"test":true},"target":{"test":true}}"#;
        assert_eq!(executable(test), Some(PathBuf::from("a.wasm")));
        let library = r#"{"executable":null,"profile":{"test":false},"target":{"test":true}}"#;
        assert_eq!(executable(library), None);
        assert_eq!(executable("not a message"), None);
    }
}
