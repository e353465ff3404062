//! `starling get`.

use std::path::PathBuf;

use content::Cid;
use serde_json::json;
use starling::content::{ContentError, FileStore, Got, get, import};

use super::progress::ProgressLine;
use super::{Problem, blocking};

/// Options of `starling get`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to get
    cid: Cid,
    /// Where to write the file or folder; nothing may be there [default: the CID]
    #[arg(short = 'o', long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Import this CAR file first
    #[arg(long, value_name = "CAR")]
    from: Option<PathBuf>,
    /// Refuse more content than this, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 40)]
    max_bytes: u64,
    /// Folder that holds the block store
    #[arg(long, value_name = "DIR", default_value = "starling-data")]
    data: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let json = args.json;
    blocking(json, move || {
        let output = args.output.clone().unwrap_or_else(|| PathBuf::from(args.cid.to_string()));
        let Got { files, content_bytes, left_out } = work(&args, &output)?;
        for path in &left_out {
            eprintln!("left out: {path} is a symlink that leads out of the folder");
        }
        if json {
            println!(
                "{}",
                json!({ "output": output, "files": files, "content_bytes": content_bytes,
                        "left_out": left_out })
            );
        } else {
            println!("{}", output.display());
        }
        Ok(())
    })
    .await
}

fn work(args: &Args, output: &std::path::Path) -> Result<Got, ContentError> {
    let mut store = FileStore::open(&args.data)?;
    if let Some(car) = &args.from {
        let mut line = ProgressLine::new("importing");
        import(car, &mut store, &mut |done, total| line.show_bytes(done, total))?;
    }
    let mut line = ProgressLine::new("writing");
    let mut show = |done, total| line.show_bytes(done, total);
    get(args.cid, output, args.max_bytes, &store, &mut show)
}
