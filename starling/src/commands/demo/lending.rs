//! `starling demo lending`.

use std::path::PathBuf;
use std::pin::pin;

use ledger::AccountId;
use primitives::KeyPair;
use serde_json::json;
use starling::keepers::demo::{Demo, Reporters, SetUpError, give, set_up};
use starling::key_file;
use starling::ledger_client::Nodes;
use tokio::time::MissedTickBehavior;

use super::super::lines::Lines;
use super::super::{Problem, now_s, signals, told};

/// What is told when the first prices are reported.
const TOLD: &str = "reporting; change a file to change a price";

/// Options of `starling demo lending`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Validators; the next is asked when one does not answer
    #[arg(long, value_name = "URL", num_args = 1.., default_value = "http://127.0.0.1:8788")]
    node: Vec<String>,
    /// The owner's key, whose account pays for all: `faucet.key` of the network, so that a demo network's
    /// faucet can give the assets away
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Folder of the reporters' keys and of the files their prices are read from
    #[arg(long, value_name = "DIR", default_value = "starling-data/lending")]
    data: PathBuf,
    /// Give a thousand of each asset to this account; more than once: to these
    #[arg(long, value_name = "ACCOUNT")]
    give: Vec<AccountId>,
    /// Then report the prices in the files until stopped, by all reporters
    #[arg(long)]
    run: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let json = args.json;
    told(json, work(args).await)
}

async fn work(args: Args) -> Result<(), Problem> {
    let key = KeyPair::from_seed(key_file::load(&args.key)?);
    let (mut nodes, mut lines) = (Nodes::new(&args.node)?, Lines::new(args.json));
    let mut stop = pin!(signals::stop());
    let working = async {
        let demo = set_up(&mut nodes, &key, &args.data).await?;
        tell(&mut lines, &demo);
        for account in &args.give {
            give(&mut nodes, &key, &demo, *account).await?;
        }
        if args.run { report(&mut nodes, &mut lines, &demo).await } else { Ok(()) }
    };
    tokio::select! {
        () = &mut stop => Ok(()),
        ended = working => ended.map_err(Problem::from),
    }
}

fn tell(lines: &mut Lines, demo: &Demo) {
    let Demo { market, assets: [sun, coin], feeds: [sun_feed, coin_feed], reporters, prices, sent } =
        demo;
    let about = json!({
        "market": market, "sun": sun, "coin": coin, "feeds": [sun_feed, coin_feed],
        "reporters": reporters, "prices": prices, "sent": sent,
    });
    let files = prices.each_ref().map(|path| path.display().to_string()).join(", ");
    let text = format!(
        "market {market}: pledge SUN (asset {}, feed {sun_feed}), borrow COIN (asset {}, feed \
         {coin_feed})\nprices are read from {files}",
        sun.0, coin.0
    );
    lines.tell("market", about, &text);
}

/// Reports until the process ends.
async fn report(nodes: &mut Nodes, lines: &mut Lines, demo: &Demo) -> Result<(), SetUpError> {
    let mut reporters = Reporters::open(nodes, demo).await?;
    let mut every = tokio::time::interval(Reporters::every());
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_first = true;
    loop {
        every.tick().await;
        match reporters.round(nodes, now_s()).await {
            Ok(()) => {
                lines.settle();
                if is_first {
                    is_first = false;
                    lines.tell("reporting", json!({}), TOLD);
                }
            }
            Err(error) => lines.warn(&error.into()),
        }
    }
}
