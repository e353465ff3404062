//! `starling meter`.

mod evidence;
mod live;
mod openings;
mod shown;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::domains::energy;
use meter_data::limits::FILE_BYTES_MAX;
use meter_data::{Format, Options, ReadError, Reading, SLOT_S, Slot, Zone, read};
use tokio::time::{Instant, sleep_until};

use super::{Problem, signals, told, waiting};

pub(super) use live::{tell_settled, wait_until};

#[allow(clippy::as_conversions, reason = "`From` is not for constants; widening loses nothing")]
const _: () = assert!(SLOT_S as u64 == energy::SLOT_S, "a slot of meters is one of the ledger");

/// Options of `starling meter`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    live: live::Feeding,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Say what is understood of a file of meter readings, and what is not
    Inspect {
        #[command(flatten)]
        file: File,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Tell the slots of a file one after the other, as a live meter would
    Replay {
        #[command(flatten)]
        file: File,
        /// How much faster than they were measured
        #[arg(long, value_name = "FACTOR", default_value = "1x", value_parser = speed)]
        speed: u32,
        /// Print one JSON object per slot
        #[arg(long)]
        json: bool,
    },
    /// Bring a meter into a community that its owner is a member of
    Add(live::Add),
    /// Settle slots of a community whose window is over
    Settle(live::Settle),
    /// Show the ledger two signed readings of one slot that differ: the meter is cut
    Accuse(evidence::Accuse),
    /// Open what meters sealed for you, and hold it against the ledger
    Check(openings::Check),
}

/// A file, and how to read it.
#[derive(Debug, clap::Args)]
struct File {
    /// NEM12, Green Button XML, DSMR telegrams or CSV
    file: PathBuf,
    #[command(flatten)]
    how: How,
}

/// What a file does not say of itself.
#[derive(Debug, Clone, clap::Args)]
struct How {
    /// Where local times of a CSV file are from: `Europe/Amsterdam`, or an offset like `+10:00`
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    zone: Option<Zone>,
    /// Read it as this format, whatever it looks like: nem12, green-button, dsmr or csv
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,
}

fn zone(text: &str) -> Result<Zone, String> {
    let wrong = || format!("expected a zone like Europe/Amsterdam or +10:00, found {text:?}");
    Zone::named(text).ok_or_else(wrong)
}

fn format(text: &str) -> Result<Format, String> {
    let names = || Format::ALL.map(Format::code).join(", ");
    Format::by_code(text).ok_or_else(|| format!("expected one of {}, found {text:?}", names()))
}

pub(super) fn speed(text: &str) -> Result<u32, String> {
    let factor = text.strip_suffix('x').unwrap_or(text).parse().ok();
    let wrong = || format!("expected a factor like 900x, found {text:?}");
    factor.filter(|factor| *factor > 0).ok_or_else(wrong)
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let Some(what) = args.what else { return live::run(args.live).await };
    match what {
        What::Inspect { file, json } => {
            let reading = told(json, open(&file.file, &file.how).await)?;
            if json {
                println!("{}", shown::json(&reading));
            } else {
                print!("{}", shown::Table(&reading));
            }
            something(&reading, &file.file)
        }
        What::Replay { file, speed, json } => {
            let reading = told(json, open(&file.file, &file.how).await)?;
            something(&reading, &file.file)?;
            replay(&reading, speed, json).await;
            Ok(())
        }
        What::Add(args) => live::add(args).await,
        What::Settle(args) => live::settle(args).await,
        What::Accuse(args) => evidence::accuse(args).await,
        What::Check(args) => openings::check(args).await,
    }
}

async fn open(path: &Path, how: &How) -> Result<Reading, Problem> {
    let (path, options) = (path.to_owned(), Options { format: how.format, zone: how.zone.clone() });
    waiting(move || {
        let unreadable = |error: std::io::Error| Problem::file(&path, &error);
        // Asked first: a film is not read into memory to be refused.
        let length = fs::metadata(&path).map_err(unreadable)?.len();
        let bytes = usize::try_from(length).unwrap_or(usize::MAX);
        if bytes > FILE_BYTES_MAX {
            return Err(ReadError::TooLarge { bytes, limit: FILE_BYTES_MAX }.into());
        }
        let bytes = fs::read(&path).map_err(unreadable)?;
        Ok(read(&bytes, &options)?)
    })
    .await
}

fn something(reading: &Reading, path: &Path) -> Result<(), Problem> {
    if reading.is_empty() { Err(Problem::no_readings(path)) } else { Ok(()) }
}

/// Tells each slot when it has ended, until all are told, the reader is gone or somebody stops it.
async fn replay(reading: &Reading, speed: u32, as_json: bool) {
    let slots = |index: usize| {
        reading.meters[index].slots().slots.into_iter().map(move |slot| (slot.start_s, index, slot))
    };
    let mut slots: Vec<(i64, usize, Slot)> = (0..reading.meters.len()).flat_map(slots).collect();
    slots.sort_by_key(|(start_s, index, _)| (*start_s, *index));
    let Some(first_s) = slots.first().map(|(start_s, ..)| *start_s) else { return };
    let (began, mut stop) = (Instant::now(), Box::pin(signals::stop()));
    for (start_s, index, slot) in slots {
        let elapsed_s = u64::try_from(start_s - first_s).unwrap_or(0) + u64::from(SLOT_S);
        let due = began + Duration::from_secs(elapsed_s) / speed;
        tokio::select! {
            () = sleep_until(due) => {}
            () = &mut stop => return,
        }
        let meter = &reading.meters[index].id;
        let line =
            if as_json { shown::slot_json(meter, &slot) } else { shown::slot_text(meter, &slot) };
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}
