//! `cargo xtask test`: everything CI checks, stage by stage, cheap ones first.
//!
//! Every chosen stage runs, whatever failed before it; the table at the end says how each went and
//! how long it took, the last line counts. A stage without tests of its own counts as one, one that
//! this machine can't run as none.

mod beside;
mod count;
mod size;
mod stages;
mod wasm;

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::{house::House, say, setup};
use beside::Beside;
use count::Tally;

/// Options of `test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these stages, by name
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// All but these stages
    #[arg(long, value_delimiter = ',')]
    skip: Vec<String>,
    /// Print the stages and stop
    #[arg(long)]
    list: bool,
}

/// One thing that CI checks.
pub(super) struct Stage {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    /// What it may take on two cores from cold. Going over is said, not punished.
    pub(super) budget_minutes: u64,
    /// Whether it runs on the web bundle.
    pub(super) needs_web: bool,
    /// Adds to the tally, or fails as one.
    pub(super) run: fn(&House, &mut Tally) -> Result<()>,
}

/// How one stage went.
struct Row {
    stage: &'static Stage,
    tally: Tally,
    took: Duration,
}

/// Runs the chosen stages.
pub(crate) fn test(house: &House, args: &Args) -> Result<()> {
    if args.list {
        for stage in stages::ALL {
            println!("{:<12} {:>3} min  {}", stage.name, stage.budget_minutes, stage.what);
        }
        return Ok(());
    }
    let chosen = choose(args)?;
    let start = Instant::now();
    setup::for_test(house)?;
    let set_up = start.elapsed();
    let mut beside = if builds_beside(&chosen) { Beside::start(house) } else { None };
    let mut rows = Vec::new();
    for stage in chosen {
        rows.push(run_stage(house, stage, if stage.needs_web { beside.take() } else { None }));
    }
    summarise(&rows, set_up, start.elapsed());
    if rows.iter().any(|row| row.tally.failed > 0) {
        // The counting line stays the last one: the exit code says the rest.
        std::process::exit(1);
    }
    Ok(())
}

fn choose(args: &Args) -> Result<Vec<&'static Stage>> {
    for name in args.only.iter().chain(&args.skip) {
        let known = stages::ALL.iter().any(|stage| stage.name == name);
        ensure!(known, "no stage is called {name}; see --list");
    }
    let chosen: Vec<&Stage> = stages::ALL
        .iter()
        .filter(|stage| args.only.is_empty() || args.only.iter().any(|name| stage.name == name))
        .filter(|stage| !args.skip.iter().any(|name| stage.name == name))
        .collect();
    if chosen.is_empty() {
        bail!("no stage is left to run");
    }
    Ok(chosen)
}

/// Whether the bundle is built while stages run that do not need it.
fn builds_beside(chosen: &[&Stage]) -> bool {
    let first = chosen.iter().position(|stage| stage.needs_web);
    first.is_some_and(|first| chosen[..first].iter().any(|stage| stage.name == "nextest"))
}

fn run_stage(house: &House, stage: &'static Stage, beside: Option<Beside>) -> Row {
    println!("\n── {}: {} ──", stage.name, stage.what);
    let start = Instant::now();
    if let Some(beside) = beside {
        beside.join();
    }
    let mut tally = Tally::default();
    let outcome = (stage.run)(house, &mut tally);
    if let Err(error) = &outcome {
        say::problem(error);
    }
    tally.close(outcome.is_ok());
    Row { stage, tally, took: start.elapsed() }
}

fn summarise(rows: &[Row], set_up: Duration, total: Duration) {
    println!("\n── summary ──");
    println!("  {:<12} {:>7} {:>7} {:>13}", "stage", "passed", "failed", "time");
    println!("  {:<12} {:>7} {:>7} {:>13}", "set-up", "", "", say::duration(set_up));
    for Row { stage, tally, took } in rows {
        let mark = match tally {
            Tally { failed: 1.., .. } => '✗',
            Tally { not_run: true, .. } => '–',
            Tally { .. } => '✓',
        };
        let late = *took > Duration::from_secs(stage.budget_minutes * 60);
        let remark = match late {
            _ if tally.not_run => "  not run, as said above".to_owned(),
            true => format!("  over {} min", stage.budget_minutes),
            false => String::new(),
        };
        let took = say::duration(*took);
        println!(
            "{mark} {:<12} {:>7} {:>7} {took:>13}{remark}",
            stage.name, tally.passed, tally.failed
        );
    }
    println!("  {:<12} {:>7} {:>7} {:>13}", "all", "", "", say::duration(total));
    let passed: u64 = rows.iter().map(|row| row.tally.passed).sum();
    let failed: u64 = rows.iter().map(|row| row.tally.failed).sum();
    println!("{passed} passed, {failed} failed");
}
