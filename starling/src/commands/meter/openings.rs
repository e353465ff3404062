//! `starling meter check`: what meters sealed for the settlement group, held against the ledger.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use identity::did::Did;
use identity::grant::Recipient;
use light_client::TrustRoot;
use primitives::KeyPair;
use serde_json::json;
use starling::key_file;
use starling::ledger_client::{Client, ClientError, Follower, Nodes};
use starling::metering::{self, ENDING, Group, MeteringError, Opened, Verdict};

use crate::commands::ledger::NodeArgs;
use crate::commands::lines::Lines;
use crate::commands::{Problem, told};

/// Options of `starling meter check`.
#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Files that `starling meter --sealed DIR` wrote, or folders of them
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Your key: one of those that they were sealed for
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Show the ledger meters that traded more than they metered: they are cut. Your account pays
    #[arg(long)]
    expose: bool,
    /// The ledger's trust root; the validator's word, if it is left out
    #[arg(long)]
    root: Option<TrustRoot>,
    #[command(flatten)]
    validators: NodeArgs,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// Whom a meter seals for, as the command line says it; none: nobody.
pub(super) fn group(of: &[Did], folder: Option<&PathBuf>) -> Result<Option<Group>, Problem> {
    let Some(folder) = folder else { return Ok(None) };
    let agreement = |did: &Did| match did {
        Did::Key(key) => key.agreement(),
        Did::Starling(_) | Did::Web(_) => None,
    };
    let readers: Option<Vec<[u8; 32]>> = of.iter().map(agreement).collect();
    let readers = readers.ok_or_else(|| {
        let what = "nothing can be sealed for one of the group";
        Problem::identity(
            &what,
            "Name each by a did:key of Ed25519: `starling id key FILE` prints it.",
        )
    })?;
    Ok(Some(Group { readers, folder: folder.clone() }))
}

pub(super) async fn check(args: Check) -> Result<(), Problem> {
    let json = args.json;
    told(json, work(args).await)
}

async fn work(args: Check) -> Result<(), Problem> {
    let seed = key_file::load(&args.key)?;
    let (reader, key) = (Recipient::of_ed25519(seed.as_bytes()), KeyPair::from_seed(seed));
    let files = files(&args.paths)?;
    let mut nodes = args.validators.open()?;
    let follower = follower(&mut nodes, args.root).await?;
    let chain = nodes.ask(async |client: &Client| client.status().await).await?.chain;
    let mut lines = Lines::new(args.json);
    let (mut bad, mut unopened) = (0_usize, 0_usize);
    // Meters that lied: no more than the ledger has.
    let mut shown = BTreeSet::new();
    for file in &files {
        // Anybody may have put a file there: it does not end the run.
        let opened = match metering::read_opened(file, chain, &reader).await {
            Ok(opened) => opened,
            Err(error) => {
                tell_unopened(&mut lines, file, error)?;
                unopened += 1;
                continue;
            }
        };
        let verdict = metering::check(&mut nodes, &follower, chain, &opened).await?;
        bad += usize::from(verdict != Verdict::Matches);
        let (reading, opening) = (&opened.reading, &opened.opening);
        let about = json!({
            "community": reading.community, "meter": reading.meter, "slot": reading.slot,
            "verdict": verdict.code(),
            "traded": { "import_wh": reading.content.import_wh, "export_wh": reading.content.export_wh },
            "metered": { "import_wh": opening.import_wh, "export_wh": opening.export_wh },
        });
        let text = format!(
            "meter {}, slot {}: what was metered {}",
            reading.meter,
            reading.slot,
            verdict.words()
        );
        lines.tell("checked", about, &text);
        // A meter is cut once, however often it lied.
        let is_new = verdict == Verdict::Lied && shown.insert((reading.community, reading.meter));
        if args.expose && is_new {
            cut(&mut nodes, &key, opened, &mut lines).await?;
        }
    }
    match (bad, unopened) {
        (0, 0) => Ok(()),
        (0, unopened) => Err(Problem::unopened(unopened, files.len())),
        (bad, _) => Err(Problem::openings(bad, files.len())),
    }
}

/// Says of a file that it holds nothing for this key, or can't be read.
fn tell_unopened(
    lines: &mut Lines,
    file: &Path,
    error: MeteringError,
) -> Result<(), MeteringError> {
    let verdict = match &error {
        MeteringError::NotForMe(_) => "not-for-me",
        MeteringError::Io { .. } => "unreadable",
        _ => return Err(error),
    };
    let about = json!({ "file": file.display().to_string(), "verdict": verdict });
    lines.tell("checked", about, &error.to_string());
    Ok(())
}

/// Shows the ledger that a meter lied. If a block refuses it, such as because somebody was quicker, the
/// run goes on.
async fn cut(
    nodes: &mut Nodes,
    key: &KeyPair,
    opened: Opened,
    lines: &mut Lines,
) -> Result<(), MeteringError> {
    let (community, meter) = (opened.reading.community, opened.reading.meter);
    match metering::expose(nodes, key, opened).await {
        Ok(transaction) => {
            let about =
                json!({ "community": community, "meter": meter, "transaction": transaction });
            lines.tell("cut", about, &format!("meter {meter} of community {community} is cut"));
        }
        Err(error @ MeteringError::Client(ClientError::Failed { .. })) => {
            lines.warn(&error.into());
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

async fn follower(nodes: &mut Nodes, root: Option<TrustRoot>) -> Result<Follower, Problem> {
    let root = match root {
        Some(root) => root,
        None => nodes.ask(async |client: &Client| client.root().await).await?,
    };
    Follower::new(&root)
        .map_err(|why| Problem::identity(&why, "Give the trust root of the ledger with --root."))
}

/// The files themselves, and all those of folders, in order of names: who leaves some out would hide lies.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(sealed_in(path)?);
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn sealed_in(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let unreadable = |error: std::io::Error| Problem::file(folder, &error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|ends| ends == ENDING) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
