//! `starling page`.

use std::path::PathBuf;

use content::Cid;
use serde_json::json;
use starling::content::{ContentError, FileStore};
use starling::serve::{Page, PageError};

use super::{Problem, told, waiting};

/// Options of `starling page`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only say what it is called; store nothing
    #[arg(long)]
    only_name: bool,
    /// Folder that holds the block store
    #[arg(long, value_name = "DIR", default_value = "starling-data")]
    data: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let json = args.json;
    let named = waiting(move || work(&args)).await;
    let cid = told(json, named.map_err(Problem::from))?;
    if json {
        println!("{}", json!({ "cid": cid.to_string() }));
    } else {
        println!("{cid}");
    }
    Ok(())
}

fn work(args: &Args) -> Result<Cid, PageError> {
    let page = Page::built_in();
    if args.only_name {
        return page.name();
    }
    let mut store = FileStore::open(&args.data).map_err(ContentError::from)?;
    page.keep(&mut store)
}
