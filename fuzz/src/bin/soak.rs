//! `cargo xtask soak`: feeds every target for a while.
//!
//! `soak [--seconds N | --cases N] [--seed N] [--target NAME] [--case N]`. Prints the seed first; a
//! failure is replayed by `--seed`, `--target` and `--case`. Closes with `N passed, N failed`.

use std::{process::ExitCode, time::Duration};

use lexopt::{Arg, ValueExt as _};
use starling_fuzz::{
    TARGETS, Target,
    soak::{Failure, Until, replay, soak},
};

struct Options {
    until: Until,
    seed: u64,
    target: Option<String>,
    case: Option<u64>,
}

fn options() -> Result<Options, lexopt::Error> {
    let mut options = Options {
        until: Until::Elapsed(Duration::from_secs(60)),
        seed: fastrand::u64(..),
        target: None,
        case: None,
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("seconds") => {
                options.until = Until::Elapsed(Duration::from_secs(parser.value()?.parse()?));
            }
            Arg::Long("cases") => options.until = Until::Cases(parser.value()?.parse()?),
            Arg::Long("seed") => options.seed = parser.value()?.parse()?,
            Arg::Long("target") => options.target = Some(parser.value()?.string()?),
            Arg::Long("case") => options.case = Some(parser.value()?.parse()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    println!("seed {}", options.seed);
    let chosen: Vec<&Target> = TARGETS
        .iter()
        .filter(|target| options.target.as_deref().is_none_or(|name| name == target.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("expected a target of {}", names.join(", "));
        return ExitCode::FAILURE;
    }
    let failed = chosen.iter().filter(|target| !feed(target, &options)).count();
    println!("{} passed, {failed} failed", chosen.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether the target survived.
fn feed(target: &Target, options: &Options) -> bool {
    let outcome = match options.case {
        Some(case) => replay(target, options.seed, case).map(|()| 1),
        None => soak(target, options.seed, options.until),
    };
    match outcome {
        Ok(cases) => {
            println!("{}: {cases} inputs", target.name);
            true
        }
        Err(Failure { case, bytes }) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            println!("{}: panicked on {hex}", target.name);
            println!("  replay: --seed {} --target {} --case {case}", options.seed, target.name);
            false
        }
    }
}
