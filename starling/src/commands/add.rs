//! `starling add`.

use std::path::PathBuf;

use content::Profile;
use serde_json::json;
use starling::content::{Added, ContentError, FileStore, Options, add, name_only};

use super::progress::ProgressLine;
use super::{Problem, blocking};

/// Options of `starling add`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A file or folder
    path: PathBuf,
    /// How it is cut; decides what it is called
    #[arg(long, value_name = "NAME", default_value = Profile::V1_2025.name(), value_parser = profile)]
    profile: Profile,
    /// Put a single file into a folder, which keeps its name
    #[arg(long)]
    wrap: bool,
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

pub(super) fn profile(name: &str) -> Result<Profile, String> {
    Profile::by_name(name).ok_or_else(|| {
        let names = Profile::ALL.map(|profile| profile.name()).join(", ");
        format!("expected one of {names}")
    })
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let json = args.json;
    blocking(json, move || {
        let (added, profile) = (work(&args)?, args.profile.name());
        let Added { cid, content_bytes, blocks, files } = added;
        if json {
            let cid = cid.to_string();
            println!(
                "{}",
                json!({ "cid": cid, "content_bytes": content_bytes, "blocks": blocks,
                        "files": files, "profile": profile })
            );
        } else {
            println!("{cid}");
        }
        Ok(())
    })
    .await
}

fn work(args: &Args) -> Result<Added, ContentError> {
    let options = Options { profile: args.profile, wrap: args.wrap };
    let mut line = ProgressLine::new("adding");
    let mut show = |done, total| line.show_bytes(done, total);
    if args.only_name {
        return name_only(&args.path, options, &mut show);
    }
    let mut store = FileStore::open(&args.data)?;
    add(&args.path, options, &mut store, &mut show)
}
