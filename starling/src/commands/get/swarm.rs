//! `starling get` of a link: from the peers of its share.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use content::share::{EntryKind, ShareEntry, ShareKey, ShareLink, ShareManifest};
use peer_native::{Server, ShareStatus, Stage, view::SignalingState};
use serde_json::json;
use starling::content::{Got, get_share};
use starling::share::{Fetched, ShareError, StoreBlocks, Wanted, fetch, key_of};

use super::super::progress::{ProgressLine, Transfer, TransferLine};
use super::super::{Problem, now_s, signals, told, units, waiting};

/// How often a line of JSON says how far it is.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// Options of `starling get` for links.
#[derive(Debug, Clone, clap::Args)]
// Groups are called after their type, and the command has one `Args` already.
#[group(skip)]
pub(super) struct Args {
    /// Who introduces peers, if it is not the link's own server; with a CID: ask peers for it
    #[arg(long, value_name = "URL")]
    pub(super) server: Option<String>,
    /// What the link asks for; better in the variable STARLING_PASSWORD, which no other user sees
    #[arg(long)]
    password: Option<String>,
    /// Get only this file or folder of the share; more than once: all of them
    #[arg(long, value_name = "PATH")]
    only: Vec<String>,
    /// Show what is in the share, and end
    #[arg(long)]
    list: bool,
    /// Give up when nothing came for so long ("90s", "15m", "2h")
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = units::duration)]
    wait: Duration,
    /// Connect through relays only
    #[arg(long)]
    relay_only: bool,
    #[command(flatten)]
    money: super::super::money::Paying,
    #[command(flatten)]
    fund: super::super::money::Funded,
}

/// A password as it was given.
pub(crate) fn password(given: Option<String>) -> Option<String> {
    given.or_else(|| std::env::var("STARLING_PASSWORD").ok())
}

pub(super) async fn run(args: super::Args, link: ShareLink, server: &str) -> Result<(), Problem> {
    let json = args.json;
    tokio::select! {
        done = work(args, link, server) => Ok(done?),
        () = signals::stop() => {
            let stopped = told::<()>(json, Err(ShareError::Interrupted.into()));
            let code = stopped.err().map_or(1, |problem| {
                eprintln!("\n{problem}");
                problem.exit_code
            });
            // A thread that writes to a disk can't be asked to stop. What it leaves is called `.….tmp`.
            std::process::exit(code.into())
        }
    }
}

async fn work(args: super::Args, link: ShareLink, server: &str) -> Result<(), ShareError> {
    if link.is_expired(now_s()) {
        return Err(ShareError::Ended);
    }
    // A fragment alone names no server.
    if server.starts_with(['#', '/']) {
        return Err(ShareError::NoServer);
    }
    let server = Server::new(server)?;
    let money = args.swarm.money.options(&server, &args.data)?;
    let (secret, given) = (link.clone(), password(args.swarm.password.clone()));
    let key = waiting(move || key_of(&secret, given.as_deref())).await?;
    let data = args.data.clone();
    let blocks = waiting(move || StoreBlocks::open(&data)).await;
    let blocks = Arc::new(blocks.map_err(ShareError::from)?);
    let wanted = Wanted {
        server,
        link,
        key: key.clone(),
        only: args.swarm.only.clone(),
        list: args.swarm.list,
        output: args.output.clone(),
        bytes_max: args.max_bytes,
        patience: args.swarm.wait,
        relay_only: args.swarm.relay_only,
        money,
        fund: args.swarm.fund.options(),
    };
    let mut shown = Shown::new(args.json);
    let mut show = |status: &ShareStatus| {
        if !wanted.list {
            shown.show(status);
        }
    };
    let fetched = fetch(&wanted, &blocks, &mut show).await;
    shown.line.end();
    let fetched = fetched?;
    if wanted.list {
        list(&fetched.manifest, &fetched.entries, args.json);
        return Ok(());
    }
    let (pin, root, json) = (args.pin, wanted.link.cid, args.json);
    waiting(move || {
        let got = write(&fetched, &key, &blocks, json)?;
        let name = pin.then(|| fetched.manifest.name.clone());
        blocks.release(root, name, &fetched.blocks)?;
        tell(&fetched, &got, json);
        Ok(())
    })
    .await
}

fn write(
    fetched: &Fetched,
    key: &ShareKey,
    blocks: &StoreBlocks,
    json: bool,
) -> Result<Got, ShareError> {
    let Fetched { manifest, entries, output, .. } = fetched;
    let mut line = ProgressLine::new("writing");
    let mut show = |done, total| {
        if !json {
            line.show_bytes(done, total);
        }
    };
    let above = output.parent().filter(|above| !above.as_os_str().is_empty());
    make_folder(above)?;
    Ok(get_share(manifest, entries, key, output, blocks.store(), &mut show)?)
}

fn make_folder(path: Option<&Path>) -> Result<(), ShareError> {
    let Some(path) = path else { return Ok(()) };
    std::fs::create_dir_all(path).map_err(|source| {
        starling::content::ContentError::Io { path: path.to_owned(), source }.into()
    })
}

fn tell(fetched: &Fetched, got: &Got, json: bool) {
    let Got { files, content_bytes, left_out } = got;
    let Fetched { output, counts, paid, .. } = fetched;
    let units = paid.map(|paid| paid.promised.to_string());
    for path in left_out {
        eprintln!("left out: {path} is a symlink that leads out of the folder");
    }
    if json {
        println!(
            "{}",
            json!({ "output": output, "files": files, "content_bytes": content_bytes,
                    "left_out": left_out, "fetched_blocks": counts.kept,
                    "fetched_bytes": counts.kept_bytes, "blocks_here": counts.here, "paid_units": units })
        );
    } else {
        println!("{}", output.display());
        if let Some(units) = units {
            eprintln!("paid: {units} units");
        }
    }
}

fn list(manifest: &ShareManifest, entries: &[u32], json: bool) {
    let at = |number: &u32| manifest.entries.get(usize::try_from(*number).ok()?);
    let entries = entries.iter().filter_map(at);
    let kind = |entry: &ShareEntry| match entry.kind {
        EntryKind::File => "file",
        EntryKind::Folder => "folder",
        EntryKind::Symlink => "symlink",
    };
    if json {
        let entry = |entry: &ShareEntry| {
            json!({ "path": entry.path, "cid": entry.cid.to_string(), "kind": kind(entry),
                    "size_bytes": entry.size_bytes })
        };
        let entries: Vec<_> = entries.map(entry).collect();
        println!("{}", json!({ "name": manifest.name, "entries": entries }));
        return;
    }
    for entry in entries {
        println!("{:<7} {:>12}  {}", kind(entry), entry.size_bytes, entry.path);
    }
}

/// What a person, or a program, sees while it comes.
struct Shown {
    line: TransferLine,
    json: bool,
    told: Option<Instant>,
    opened: bool,
}

impl Shown {
    fn new(json: bool) -> Self {
        Self { line: TransferLine::new("getting"), json, told: None, opened: false }
    }

    fn show(&mut self, status: &ShareStatus) {
        if self.json {
            return self.tell(status);
        }
        let share = &status.share;
        if share.stage == Stage::Finding {
            let text = match (status.signaling.state, share.peers.len()) {
                (SignalingState::Connected, 0) => "looking for somebody who has it".to_owned(),
                (SignalingState::Connected, peers) => format!("asking {peers} peers what it is"),
                _ => "looking for the server".to_owned(),
            };
            return self.line.write_over(&text);
        }
        if !std::mem::replace(&mut self.opened, true) {
            self.line.write_over("");
            let (files, total) = (share.files, units::bytes(share.total_bytes));
            eprintln!("\r{}: {files} files, {total}", share.name);
        }
        self.line.show(transfer(status));
    }

    fn tell(&mut self, status: &ShareStatus) {
        if self.told.is_some_and(|told| told.elapsed() < TELL_EVERY) {
            return;
        }
        self.told = Some(Instant::now());
        let Transfer { done_bytes, of_bytes, bytes_per_s, peers } = transfer(status);
        let relayed = status.room.peers.iter().filter(|peer| peer.relayed == Some(true)).count();
        println!(
            "{}",
            json!({ "progress": { "name": status.share.name, "done_bytes": done_bytes,
                    "of_bytes": of_bytes, "bytes_per_s": bytes_per_s, "peers": peers,
                    "relayed": relayed } })
        );
    }
}

fn transfer(status: &ShareStatus) -> Transfer {
    let share = &status.share;
    Transfer {
        done_bytes: share.chosen_held_bytes,
        of_bytes: share.chosen_bytes,
        bytes_per_s: share.receive_bytes_per_s,
        peers: share.peers.len(),
    }
}
