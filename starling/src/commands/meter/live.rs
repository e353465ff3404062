//! `starling meter --feed`: a meter of a community; and `add` and `settle`.

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use identity::did::Did;
use ledger::domains::energy::{SLOT_S, Source};
use ledger::{AccountId, TransactionId};
use primitives::KeyPair;
use serde_json::json;
use starling::key_file;
use starling::ledger_client::Nodes;
use starling::metering::{self, Feed, Live, MeteringError, Settled, Settler, Setup, Took, demo};
use tokio::time::sleep;

use super::openings::group;
use super::{How, open, shown, something, speed};
use crate::commands::ledger::NodeArgs;
use crate::commands::lines::Lines;
use crate::commands::{Problem, now_ms, signals, told};

/// How long to wait before what was refused, or not answered, is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Shortest wait for a slot: clocks differ by that much.
const MARGIN: Duration = Duration::from_millis(20);

/// Options of `starling meter --feed`.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(super) struct Feeding {
    /// Be a live meter: sign what this file of readings says, slot by slot, and hand it in to a community
    #[arg(long, value_name = "FILE", required = true)]
    feed: Option<PathBuf>,
    #[command(flatten)]
    how: How,
    /// Which meter of the file, if it has several
    #[arg(long, value_name = "ID")]
    of: Option<String>,
    /// How much faster than it was measured [default: as the community's clock runs]
    #[arg(long, value_name = "FACTOR", value_parser = speed)]
    speed: Option<u32>,
    /// Tell slots with the file's own dates: what is in the community's window is handed in at once
    #[arg(long, conflicts_with = "repeat")]
    as_dated: bool,
    /// Begin anew after the file's last slot
    #[arg(long)]
    repeat: bool,
    /// Which community
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    community: u32,
    /// Which of its meters [default: the one with this key]
    #[arg(long, value_name = "NUMBER")]
    meter: Option<u32>,
    /// The meter's own key
    #[arg(long, value_name = "FILE", default_value = "starling-data/meter.key")]
    key: PathBuf,
    /// Whose account pays the fees [default: the account of the meter's key]
    #[arg(long, value_name = "FILE")]
    payer: Option<PathBuf>,
    #[command(flatten)]
    validators: NodeArgs,
    /// Folder, or .json file, for what was said: counters go on from there. Do not copy or delete it
    #[arg(long, value_name = "PATH", default_value = "starling-data/meters")]
    state: PathBuf,
    /// Write a copy of each signed reading into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Seal what was metered for somebody who settles disputes, by their did:key; once for each
    #[arg(long, value_name = "DID", requires = "sealed")]
    group: Vec<Did>,
    /// The folder for what is sealed; it may be shared with anybody
    #[arg(long, value_name = "DIR", requires = "group")]
    sealed: Option<PathBuf>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// Options of `starling meter add`.
#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// Which community
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    community: u32,
    /// The meter's own key; made unless it is there
    #[arg(long, value_name = "FILE", default_value = "starling-data/meter.key")]
    key: PathBuf,
    /// The key of its owner, a member of the community, whose account pays the fee
    #[arg(long, value_name = "FILE")]
    owner: PathBuf,
    /// Where what it feeds in comes from: unknown, solar, wind, water, biomass or storage
    #[arg(long, default_value = "unknown", value_parser = source)]
    source: Source,
    /// What its connection carries, in W
    #[arg(long, value_name = "W", default_value_t = 17_250)]
    connection_w: u32,
    #[command(flatten)]
    validators: NodeArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Options of `starling meter settle`.
#[derive(Debug, clap::Args)]
pub(super) struct Settle {
    /// Which community
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    community: u32,
    /// Whose account pays the fees; anybody's
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Go on with slots as their windows end, until stopped
    #[arg(long)]
    run: bool,
    #[command(flatten)]
    validators: NodeArgs,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

fn source(text: &str) -> Result<Source, String> {
    let named = [
        ("unknown", Source::Unknown),
        ("solar", Source::Solar),
        ("wind", Source::Wind),
        ("water", Source::Water),
        ("biomass", Source::Biomass),
        ("storage", Source::Storage),
    ];
    let found = named.into_iter().find(|(name, _)| *name == text);
    found.map(|(_, source)| source).ok_or_else(|| {
        format!("expected one of {}, found {text:?}", named.map(|(name, _)| name).join(", "))
    })
}

pub(super) async fn run(args: Feeding) -> Result<(), Problem> {
    let json = args.json;
    told(json, tell_feed(args).await)
}

async fn tell_feed(args: Feeding) -> Result<(), Problem> {
    let path = args.feed.clone().expect("it is required where nothing else is asked for");
    let reading = open(&path, &args.how).await?;
    something(&reading, &path)?;
    let ids: Vec<&str> = reading.meters.iter().map(|meter| meter.id.as_str()).collect();
    let of = |meter: &&meter_data::Meter| args.of.as_ref().is_none_or(|id| *id == meter.id);
    let mut fitting = reading.meters.iter().filter(of);
    let (Some(one), None) = (fitting.next(), fitting.next()) else {
        return Err(Problem::several_meters(&ids));
    };
    let seed = key_file::load_or_create(&args.key)?.seed;
    let payer = args.payer.as_ref().map_or(Ok(seed), |path| key_file::load(path))?;
    let group = group(&args.group, args.sealed.as_ref())?;
    let setup = Setup {
        seed,
        community: args.community,
        meter: args.meter,
        feed: Feed::of(&one.slots().slots, args.repeat),
        speed: args.speed,
        as_dated: args.as_dated,
        state: args.state,
        out: args.out,
        group,
    };
    let mut telling = Telling {
        nodes: args.validators.open()?,
        payer: KeyPair::from_seed(payer),
        lines: Lines::new(args.json),
    };
    let mut stop = pin!(signals::stop());
    tokio::select! {
        () = &mut stop => Ok(()),
        ended = telling.go_on(setup) => ended.map_err(Problem::from),
    }
}

/// What a live meter needs beside itself.
struct Telling {
    nodes: Nodes,
    payer: KeyPair,
    lines: Lines,
}

impl Telling {
    /// Until the feed is through.
    async fn go_on(&mut self, setup: Setup) -> Result<(), MeteringError> {
        let mut live = Live::open(&mut self.nodes, setup, now_ms()).await?;
        self.tell_start(&live);
        while !live.is_done() {
            let took = live.take(now_ms()).await?;
            self.tell_missed(&live, took);
            let readings = live.waiting();
            if readings.is_empty() {
                wait_until(live.due_ms()).await;
                continue;
            }
            match metering::hand_in(&mut self.nodes, &self.payer, readings.clone()).await {
                Ok(transaction) => {
                    live.handed_in(&readings).await?;
                    self.tell_read(&live, &readings, transaction);
                }
                Err(error) if error.may_pass() => {
                    self.lines.warn(&error.into());
                    sleep(AGAIN_AFTER).await;
                }
                Err(error) => return Err(error),
            }
        }
        let (import_wh, export_wh) = live.counters();
        let about = json!({ "import_total_wh": import_wh, "export_total_wh": export_wh });
        self.lines.tell("end", about, "the file is through");
        Ok(())
    }

    fn tell_start(&mut self, live: &Live) {
        let ((community, meter), pace) = (live.id(), live.community().pace());
        let first = live.next_slot();
        let about = json!({
            "community": community, "meter": meter, "pace": pace, "first_slot": first,
            "payer": AccountId::of_key(self.payer.id()),
        });
        let from = first.map_or_else(
            || "nothing is left to tell".to_owned(),
            |slot| format!("from {} on", moment(slot)),
        );
        let text =
            format!("meter {meter} of community {community}, whose clock runs {pace}x: {from}");
        self.lines.tell("meter", about, &text);
    }

    fn tell_missed(&mut self, live: &Live, took: Took) {
        let (community, meter) = live.id();
        for (count, event, why) in [
            (took.missed, "missed", "came too late for the community's window"),
            (took.too_much, "too-much", "are more than the connection carries"),
        ] {
            if count > 0 {
                let about = json!({ "community": community, "meter": meter, "slots": count });
                let text = format!("{count} slots {why}: they count and are not traded");
                self.lines.tell(event, about, &text);
            }
        }
    }

    fn tell_read(
        &mut self,
        live: &Live,
        readings: &[ledger::domains::energy::Reading],
        transaction: Option<TransactionId>,
    ) {
        self.lines.settle();
        let (community, meter) = live.id();
        for reading in readings {
            let content = &reading.content;
            let about = json!({
                "community": community, "meter": meter, "slot": reading.slot,
                "import_wh": content.import_wh, "export_wh": content.export_wh,
                "import_total_wh": content.import_total_wh,
                "export_total_wh": content.export_total_wh, "transaction": transaction,
            });
            let text = format!(
                "{}  import {}  export {}",
                moment(reading.slot),
                shown::kwh(content.import_wh),
                shown::kwh(content.export_wh)
            );
            self.lines.tell("read", about, &text);
        }
    }
}

/// When a slot begins by its community's clock.
fn moment(slot: u64) -> String {
    shown::moment(i64::try_from(slot * SLOT_S).unwrap_or(i64::MAX))
}

/// Waits for a time in milliseconds since 1970, and a little.
pub(crate) async fn wait_until(due_ms: Option<u64>) {
    let wait_ms = due_ms.unwrap_or(0).saturating_sub(now_ms());
    sleep(Duration::from_millis(wait_ms) + MARGIN).await;
}

pub(super) async fn add(args: Add) -> Result<(), Problem> {
    let json = args.json;
    told(json, bring(args).await)
}

async fn bring(args: Add) -> Result<(), Problem> {
    let owner = KeyPair::from_seed(key_file::load(&args.owner)?);
    let key = key_file::load_or_create(&args.key)?.key;
    let mut nodes = args.validators.open()?;
    let what = (args.community, args.source, args.connection_w);
    let meter = demo::add_meter(&mut nodes, &owner, what, &key).await?;
    let community = args.community;
    let about = json!({ "community": community, "meter": meter, "key": key.id() });
    let text = format!("meter {meter} of community {community}; it reads from the next slot on");
    Lines::new(args.json).tell("added", about, &text);
    Ok(())
}

pub(super) async fn settle(args: Settle) -> Result<(), Problem> {
    let json = args.json;
    told(json, close(args).await)
}

async fn close(args: Settle) -> Result<(), Problem> {
    let key = KeyPair::from_seed(key_file::load(&args.key)?);
    let (mut nodes, mut lines) = (args.validators.open()?, Lines::new(args.json));
    let mut settler = Settler::open(&mut nodes, args.community, now_ms()).await?;
    let mut stop = pin!(signals::stop());
    let closing = async {
        loop {
            if settler.due_ms() > now_ms() {
                if !args.run {
                    return Ok(());
                }
                wait_until(Some(settler.due_ms())).await;
                continue;
            }
            match settler.step(&mut nodes, &key).await {
                Ok(settled) => {
                    lines.settle();
                    settled.iter().for_each(|one| tell_settled(&mut lines, args.community, one));
                }
                Err(error) if args.run && error.may_pass() => {
                    lines.warn(&error.into());
                    sleep(AGAIN_AFTER).await;
                }
                Err(error) => return Err(Problem::from(error)),
            }
        }
    };
    tokio::select! {
        () = &mut stop => Ok(()),
        ended = closing => ended,
    }
}

/// Tells what a slot came to.
pub(crate) fn tell_settled(lines: &mut Lines, community: u32, settled: &Settled) {
    let Settled { slot, meters, summary } = settled;
    let about = json!({
        "community": community, "slot": slot, "meters": meters,
        "volume_wh": summary.volume_wh, "price": summary.price,
        "grid_in_wh": summary.grid_in_wh, "grid_out_wh": summary.grid_out_wh,
    });
    let text = format!(
        "{}  settled: {} among neighbours, {} from the grid, {} to it",
        moment(*slot),
        shown::kwh(summary.volume_wh),
        shown::kwh(summary.grid_in_wh),
        shown::kwh(summary.grid_out_wh)
    );
    lines.tell("settled", about, &text);
}
