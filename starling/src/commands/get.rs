//! `starling get`.

mod swarm;

pub(crate) use swarm::password;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use content::{
    Cid, CidError,
    share::{LinkError, ShareLink},
};
use serde_json::json;
use starling::content::{
    ContentError, Fetched, FileStore, Gateways, Got, Opening, Pin, PinKind, fetch, get, import,
};
use starling::share::ShareError;
use url::Url;

use super::progress::ProgressLine;
use super::{Problem, blocking, told};

/// Options of `starling get`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A link to a share (between quotes: "https://host/#/get/…"), which is fetched from its peers; or a CID
    #[arg(value_name = "LINK|CID")]
    what: What,
    /// Where to write the file or folder; nothing may be there [default: its name, or the CID]
    #[arg(short = 'o', long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// A CAR file to import first, or a gateway to fetch from (https://…), whose blocks are checked;
    /// more than once: the next is asked when one lies or fails
    #[arg(long, value_name = "CAR|URL", conflicts_with_all = ["server", "only", "list", "password", "relay_only"])]
    from: Vec<From>,
    /// Keep what was fetched: room is made of other blocks
    #[arg(long)]
    pin: bool,
    /// Refuse more content than this, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 40)]
    max_bytes: u64,
    #[command(flatten)]
    swarm: swarm::Args,
    /// Folder that holds the block store
    #[arg(long, value_name = "DIR", default_value = "starling-data")]
    data: PathBuf,
    /// Print JSON: of peers, how far it is line by line; at the end one object
    #[arg(long)]
    json: bool,
}

/// What is asked for.
#[derive(Debug, Clone)]
enum What {
    Cid(Cid),
    /// With the text it came from, which may name the server.
    Link(Box<ShareLink>, String),
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains("/get/") {
            let link = text.parse().map_err(|error: LinkError| error.to_string())?;
            return Ok(Self::Link(Box::new(link), text.to_owned()));
        }
        text.parse().map(Self::Cid).map_err(|error: CidError| error.to_string())
    }
}

/// Where blocks come from.
#[derive(Debug, Clone)]
enum From {
    Car(PathBuf),
    Gateway(Url),
}

impl FromStr for From {
    type Err = url::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("http://") || text.starts_with("https://") {
            Url::parse(text).map(Self::Gateway)
        } else {
            Ok(Self::Car(PathBuf::from(text)))
        }
    }
}

/// What happened.
struct Done {
    got: Got,
    fetched: Option<Fetched>,
    given_up: Vec<(String, String)>,
}

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let json = args.json;
    let cid = match args.what.clone() {
        What::Link(..) if !args.from.is_empty() => {
            return told(json, Err(ShareError::FromOfLink.into()));
        }
        What::Link(link, text) => {
            let server = args.swarm.server.clone().unwrap_or(text);
            return told(json, swarm::run(args, *link, &server).await);
        }
        What::Cid(cid) => match args.swarm.server.clone() {
            Some(server) => {
                let link = ShareLink::public(cid);
                return told(json, swarm::run(args, link, &server).await);
            }
            None => cid,
        },
    };
    blocking(json, move || {
        let output = args.output.clone().unwrap_or_else(|| PathBuf::from(cid.to_string()));
        let Done { got, fetched, given_up } = work(&args, cid, &output)?;
        let Got { files, content_bytes, left_out } = got;
        for path in &left_out {
            eprintln!("left out: {path} is a symlink that leads out of the folder");
        }
        if json {
            let Fetched { blocks, bytes, here } = fetched.unwrap_or_default();
            let given_up = given_up.iter().map(|(url, why)| json!({ "url": url, "why": why }));
            println!(
                "{}",
                json!({ "output": output, "files": files, "content_bytes": content_bytes,
                        "left_out": left_out, "fetched_blocks": blocks, "fetched_bytes": bytes,
                        "blocks_here": here, "given_up": given_up.collect::<Vec<_>>() })
            );
        } else {
            println!("{}", output.display());
        }
        Ok(())
    })
    .await
}

fn work(args: &Args, cid: Cid, output: &Path) -> Result<Done, ContentError> {
    if output.symlink_metadata().is_ok() {
        return Err(ContentError::Exists { path: output.to_owned() });
    }
    let mut store = FileStore::open(&args.data)?;
    let mut urls = Vec::new();
    for from in &args.from {
        match from {
            From::Gateway(url) => urls.push(url.clone()),
            From::Car(car) => {
                let mut line = ProgressLine::new("importing");
                import(car, &mut store, &mut |done, total| line.show_bytes(done, total))?;
            }
        }
    }
    let pin = |kind| Pin { root: cid, kind, name: None };
    let (mut fetched, mut given_up) = (None, Vec::new());
    if !urls.is_empty() {
        // Until all is here: who is interrupted finds it again.
        store.pin(&pin(PinKind::Getting), &[])?;
        let gateways = Arc::new(Gateways::new(&urls).map_err(ContentError::Http)?);
        let mut line = ProgressLine::new("fetching");
        let mut show = |done, total| line.show_bytes(done, total);
        let plain = Opening::Plain;
        fetched = Some(fetch(cid, &plain, args.max_bytes, &gateways, &mut store, &mut show)?);
        given_up = gateways.given_up();
    }
    let mut line = ProgressLine::new("writing");
    let mut show = |done, total| line.show_bytes(done, total);
    let got = get(cid, output, args.max_bytes, &store, &mut show)?;
    if args.pin {
        store.pin(&pin(PinKind::Below), &[])?;
    } else if matches!(
        store.pinned(&cid)?,
        Some(Pin { kind: PinKind::Getting | PinKind::GettingListed, .. })
    ) {
        store.unpin(&cid)?;
    }
    Ok(Done { got, fetched, given_up })
}
