//! `starling meter accuse`.

use std::path::PathBuf;

use primitives::KeyPair;
use serde_json::json;
use starling::key_file;
use starling::metering;

use crate::commands::ledger::NodeArgs;
use crate::commands::lines::Lines;
use crate::commands::{Problem, told};

/// Options of `starling meter accuse`.
#[derive(Debug, clap::Args)]
pub(super) struct Accuse {
    /// A signed reading, as `starling meter --out DIR` writes it
    first: PathBuf,
    /// Another of the same meter, slot and revision
    second: PathBuf,
    #[command(flatten)]
    validators: NodeArgs,
    /// Whose account pays the fee; anybody's
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn accuse(args: Accuse) -> Result<(), Problem> {
    let json = args.json;
    told(json, work(args).await)
}

async fn work(args: Accuse) -> Result<(), Problem> {
    let key = KeyPair::from_seed(key_file::load(&args.key)?);
    let (first, second) =
        (metering::read_said(&args.first).await?, metering::read_said(&args.second).await?);
    let (community, meter, slot) = (first.community, first.meter, first.slot);
    let mut nodes = args.validators.open()?;
    let transaction = metering::accuse(&mut nodes, &key, first, second).await?;
    let about = json!({
        "community": community, "meter": meter, "slot": slot, "transaction": transaction,
    });
    let text =
        format!("meter {meter} of community {community} is cut: it said two things of slot {slot}");
    Lines::new(args.json).tell("cut", about, &text);
    Ok(())
}
