//! `starling demo energy`.

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use ledger::AccountId;
use ledger::domains::energy::PACE_MAX;
use primitives::KeyPair;
use serde_json::json;
use starling::key_file;
use starling::ledger_client::{Client, ClientError, Nodes};
use starling::metering::demo::{Meters, Street, admit, set_up};
use starling::metering::{MeteringError, Settler};
use tokio::time::sleep;

use super::super::ledger::NodeArgs;
use super::super::lines::Lines;
use super::super::meter::{speed, tell_settled, wait_until};
use super::super::{Problem, now_ms, signals, told};

/// How long to wait before what failed is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Rounds after which purses are looked at again: the demo never runs dry.
const ROUNDS_PER_LOOK: u32 = 500;

/// Options of `starling demo energy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    validators: NodeArgs,
    /// The operator's key, whose account pays for all: `faucet.key` of the network
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Folder of the households' and the meters' keys, and of what was said
    #[arg(long, value_name = "DIR", default_value = "starling-data/energy")]
    data: PathBuf,
    /// How fast the community's clock runs: at 900x a quarter of an hour takes a second
    #[arg(long, value_name = "FACTOR", default_value = "900x", value_parser = pace)]
    speed: u32,
    /// Take this account in, too, and give it a thousand COIN to pay in; more than once: these
    #[arg(long, value_name = "ACCOUNT")]
    admit: Vec<AccountId>,
    /// Then be the meters of all households, and settle, until stopped
    #[arg(long)]
    run: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

fn pace(text: &str) -> Result<u32, String> {
    let factor = speed(text)?;
    let wrong = || format!("expected at most {PACE_MAX}x, found {text:?}");
    Some(factor).filter(|factor| *factor <= PACE_MAX).ok_or_else(wrong)
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let json = args.json;
    told(json, work(args).await)
}

async fn work(args: Args) -> Result<(), Problem> {
    let key = KeyPair::from_seed(key_file::load(&args.key)?);
    let mut demo = Demo { nodes: args.validators.open()?, lines: Lines::new(args.json), key, args };
    let mut stop = pin!(signals::stop());
    tokio::select! {
        () = &mut stop => Ok(()),
        ended = demo.play() => ended.map_err(Problem::from),
    }
}

struct Demo {
    nodes: Nodes,
    lines: Lines,
    key: KeyPair,
    args: Args,
}

impl Demo {
    async fn play(&mut self) -> Result<(), MeteringError> {
        self.wait_for_ledger().await?;
        let street = self.set_up().await?;
        self.tell(&street);
        for account in self.args.admit.clone() {
            admit(&mut self.nodes, &self.key, &street, account).await?;
        }
        if self.args.run { self.run(&street).await } else { Ok(()) }
    }

    /// A server that has just started makes its ledger first.
    async fn wait_for_ledger(&mut self) -> Result<(), MeteringError> {
        loop {
            let asked = self.nodes.ask(async |client: &Client| client.status().await).await;
            match asked {
                Err(ClientError::Refused { code, .. }) if code == "starting" => {}
                answer => return answer.map(|_| ()).map_err(MeteringError::from),
            }
            sleep(AGAIN_AFTER).await;
        }
    }

    async fn set_up(&mut self) -> Result<Street, MeteringError> {
        set_up(&mut self.nodes, &self.key, &self.args.data, self.args.speed).await
    }

    fn tell(&mut self, street: &Street) {
        let Street { community, asset, pace, homes, sent, .. } = street;
        let roofs = homes.iter().filter(|home| home.household.peak_w > 0).count();
        let home = |home: &starling::metering::demo::Home| {
            json!({
                "household": home.household.number, "solar_w": home.household.peak_w,
                "account": home.account, "meter": home.meter, "key": home.key,
            })
        };
        let about = json!({
            "community": community, "asset": asset, "pace": pace, "sent": sent,
            "homes": homes.iter().map(home).collect::<Vec<_>>(),
        });
        let text = format!(
            "community {community}: {} households, {roofs} with solar, paid in COIN (asset {}); its \
             clock runs {pace}x\nkeys are in {}: household-NN.key is a household's account\nopen the \
             Energy page of the server and choose community {community}",
            homes.len(),
            asset.0,
            self.args.data.display()
        );
        self.lines.tell("community", about, &text);
    }

    /// Meters and settles until the process ends.
    async fn run(&mut self, street: &Street) -> Result<(), MeteringError> {
        let folder = self.args.data.join("meters");
        let mut meters = Meters::open(&mut self.nodes, street, &folder, now_ms()).await?;
        let mut settler = Settler::open(&mut self.nodes, street.community, now_ms()).await?;
        let collector = KeyPair::from_seed(key_file::load(&street.collector)?);
        let about = json!({ "community": street.community });
        self.lines.tell("running", about, "twelve meters are read; a line for each settled slot");
        for round in 1_u32.. {
            if round.is_multiple_of(ROUNDS_PER_LOOK) {
                let filled = self.set_up().await.map(|_| ());
                self.warn(filled).await;
            }
            let read = meters.round(&mut self.nodes, now_ms()).await.map(|_| ());
            self.warn(read).await;
            while settler.due_ms() <= now_ms() {
                match settler.step(&mut self.nodes, &collector).await {
                    Ok(settled) => {
                        let (lines, community) = (&mut self.lines, street.community);
                        settled.iter().for_each(|one| tell_settled(lines, community, one));
                    }
                    Err(error) => {
                        self.warn(Err(error)).await;
                        break;
                    }
                }
            }
            let due_ms = meters.due_ms().into_iter().chain([settler.due_ms()]).min();
            wait_until(due_ms).await;
        }
        Ok(())
    }

    /// Tells what failed, and waits before it is tried again.
    async fn warn(&mut self, done: Result<(), MeteringError>) {
        match done {
            Ok(()) => self.lines.settle(),
            Err(error) => {
                self.lines.warn(&error.into());
                sleep(AGAIN_AFTER).await;
            }
        }
    }
}
