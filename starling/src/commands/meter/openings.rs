//! `starling meter check`: what meters sealed for the settlement group, held against the ledger.

use std::path::{Path, PathBuf};

use identity::did::Did;
use identity::grant::Recipient;
use light_client::{TrustRoot, Verifier};
use primitives::KeyPair;
use serde_json::json;
use starling::key_file;
use starling::ledger_client::{Client, Nodes};
use starling::metering::{self, ENDING, Group, Verdict};

use crate::commands::ledger::NodeArgs;
use crate::commands::lines::Lines;
use crate::commands::{Problem, told};

/// Most files that one run looks at: a month of a meter.
const FILES_MAX: usize = 4_096;

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
    let verifier = verifier(&mut nodes, args.root).await?;
    let chain = nodes.ask(async |client: &Client| client.status().await).await?.chain;
    let mut lines = Lines::new(args.json);
    let mut bad = 0_usize;
    for file in &files {
        let opened = metering::read_opened(file, chain, &reader).await?;
        let verdict = metering::check(&mut nodes, &verifier, chain, &opened).await?;
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
        if args.expose && verdict == Verdict::Lied {
            let (community, meter) = (reading.community, reading.meter);
            let transaction = metering::expose(&mut nodes, &key, opened).await?;
            let about =
                json!({ "community": community, "meter": meter, "transaction": transaction });
            lines.tell("cut", about, &format!("meter {meter} of community {community} is cut"));
        }
    }
    if bad == 0 { Ok(()) } else { Err(Problem::openings(bad, files.len())) }
}

async fn verifier(nodes: &mut Nodes, root: Option<TrustRoot>) -> Result<Verifier, Problem> {
    let root = match root {
        Some(root) => root,
        None => nodes.ask(async |client: &Client| client.root().await).await?,
    };
    Verifier::new(&root)
        .map_err(|why| Problem::identity(&why, "Give the trust root of the ledger with --root."))
}

/// The files themselves, and those of folders, in order of names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(sealed_in(path)?);
        } else {
            found.push(path.clone());
        }
    }
    found.truncate(FILES_MAX);
    Ok(found)
}

fn sealed_in(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let unreadable = |error: std::io::Error| Problem::file(folder, &error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)?.take(FILES_MAX) {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|ends| ends == ENDING) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
