//! `starling car`.

use std::path::PathBuf;

use clap::Subcommand;
use content::Cid;
use serde_json::json;
use starling::content::{ContentError, Exported, FileStore, Imported, export, import};

use super::progress::ProgressLine;
use super::{Problem, blocking};

/// Options of `starling car`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
    /// Folder that holds the block store
    #[arg(long, value_name = "DIR", default_value = "starling-data", global = true)]
    data: PathBuf,
    /// Print one JSON object
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write a file or folder of the store, and all below it, as a CAR file
    Export {
        /// What to write
        cid: Cid,
        /// The CAR file; nothing may be there
        #[arg(short = 'o', long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Put every block of a CAR file into the store
    Import {
        /// The CAR file
        file: PathBuf,
    },
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let json = args.json;
    blocking(json, move || {
        let mut store = FileStore::open(&args.data)?;
        match &args.what {
            What::Export { cid, output } => {
                let Exported { blocks, bytes } = export(*cid, output, &store)?;
                let output = output.display();
                if json {
                    let output = output.to_string();
                    println!("{}", json!({ "output": output, "blocks": blocks, "bytes": bytes }));
                } else {
                    println!("{output}: {blocks} blocks, {bytes} bytes");
                }
            }
            What::Import { file } => tell(&work(file, &mut store)?, json),
        }
        Ok(())
    })
    .await
}

fn work(file: &std::path::Path, store: &mut FileStore) -> Result<Imported, ContentError> {
    let mut line = ProgressLine::new("importing");
    import(file, store, &mut |done, total| line.show_bytes(done, total))
}

fn tell(imported: &Imported, json: bool) {
    let Imported { roots, blocks, missing } = imported;
    let roots: Vec<String> = roots.iter().map(Cid::to_string).collect();
    if json {
        let missing = missing.map(|cid| cid.to_string());
        println!("{}", json!({ "roots": roots, "blocks": blocks, "missing": missing }));
        return;
    }
    for root in &roots {
        println!("{root}");
    }
    if let Some(cid) = missing {
        eprintln!(
            "{blocks} blocks are in the store; below the roots, {cid} and perhaps more is not"
        );
    }
}
