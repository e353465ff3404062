//! `starling report`.

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use ledger::domains::oracle::Report;
use primitives::KeyPair;
use serde_json::json;
use starling::keepers::{BadReading, Bounds, Price, ReportError, Reported, Reporter, Source};
use starling::key_file;
use starling::ledger_client::Nodes;
use tokio::time::MissedTickBehavior;

use super::ledger::NodeArgs;
use super::lines::Lines;
use super::{Problem, now_s, signals, told};

/// How long a block may take to hold a report.
const RECEIPT_WITHIN: Duration = Duration::from_secs(10);
/// How long to wait before the feed is asked for again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Options of `starling report`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of which feed
    #[arg(long, value_name = "NUMBER")]
    feed: u32,
    /// A file that holds the price as decimal text ("1234.56", at most 8 decimals); read each time
    #[arg(
        long,
        value_name = "PATH",
        required_unless_present = "command",
        conflicts_with = "command"
    )]
    file: Option<PathBuf>,
    /// Do not report what was written into the file longer ago than this, in seconds [default: report it
    /// however old it is]
    #[arg(long, value_name = "SECONDS", requires = "file", value_parser = clap::value_parser!(u64).range(1..))]
    file_age_max: Option<u64>,
    /// A command of the system's shell that prints the price; run each time
    #[arg(long, value_name = "CMD")]
    command: Option<String>,
    /// Do not report less than this
    #[arg(long, value_name = "PRICE")]
    at_least: Option<Price>,
    /// Do not report more than this
    #[arg(long, value_name = "PRICE")]
    at_most: Option<Price>,
    /// Time between reports, in seconds [default: a third of what the feed lets a report count]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: Option<u64>,
    /// Report once and end
    #[arg(long, conflicts_with = "every")]
    once: bool,
    #[command(flatten)]
    validators: NodeArgs,
    /// The key of a reporter of the feed; its account pays the fees. A key for each process: two that use
    /// one wait for each other
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let json = args.json;
    told(json, work(args).await)
}

/// What is reported, and where.
struct Job {
    feed: u32,
    key: KeyPair,
    source: Source,
    bounds: Bounds,
    nodes: Nodes,
    lines: Lines,
}

async fn work(args: Args) -> Result<(), Problem> {
    let source = match (args.file, args.command) {
        (Some(path), _) => Source::File(path),
        (None, line) => Source::Command(line.unwrap_or_default()),
    };
    let mut job = Job {
        feed: args.feed,
        key: KeyPair::from_seed(key_file::load(&args.key)?),
        source,
        bounds: Bounds {
            least: args.at_least,
            most: args.at_most,
            age_max: args.file_age_max.map(Duration::from_secs),
        },
        nodes: args.validators.open()?,
        lines: Lines::new(args.json),
    };
    let (once, every_s) = (args.once, args.every);
    let mut stop = pin!(signals::stop());
    let reporting = async {
        if once {
            let mut reporter = job.open().await?;
            return job.round(&mut reporter).await;
        }
        job.go_on(every_s).await
    };
    tokio::select! {
        () = &mut stop => Ok(()),
        ended = reporting => ended.map_err(Problem::from),
    }
}

impl Job {
    async fn open(&mut self) -> Result<Reporter, ReportError> {
        Reporter::open(&mut self.nodes, self.key.clone(), self.feed).await
    }

    /// Reports until the feed or the key turns out to be wrong.
    async fn go_on(&mut self, every_s: Option<u64>) -> Result<(), ReportError> {
        let mut reporter = loop {
            match self.open().await {
                Ok(reporter) => break reporter,
                Err(error) if error.may_pass() => self.lines.warn(&error.into()),
                Err(error) => return Err(error),
            }
            tokio::time::sleep(ASK_AGAIN_AFTER).await;
        };
        let every = every_s.map_or(reporter.every(), Duration::from_secs);
        let mut every = tokio::time::interval(every);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            if let Err(error) = self.round(&mut reporter).await {
                if !error.may_pass() {
                    return Err(error);
                }
                self.warn(error);
            }
        }
    }

    fn warn(&mut self, error: ReportError) {
        // It is older each time.
        let is_old = matches!(error, ReportError::Reading(BadReading::Old { .. }));
        let problem = Problem::from(error);
        let name = if is_old { "old" } else { problem.what.as_str() };
        self.lines.warn_as(name, &problem);
    }

    /// Reads and reports once.
    async fn round(&mut self, reporter: &mut Reporter) -> Result<(), ReportError> {
        let price = self.source.read(self.bounds).await?;
        let said = reporter.report(&mut self.nodes, price, now_s(), RECEIPT_WITHIN).await?;
        let Reported { report: Report { seen_s, number, .. }, height, transaction } = said;
        let about = json!({
            "feed": self.feed, "price": price.to_string(), "number": number, "seen_s": seen_s,
            "height": height, "transaction": transaction,
        });
        let text = format!("reported {price} as number {number} in block {height}");
        self.lines.settle();
        self.lines.tell("reported", about, &text);
        Ok(())
    }
}
