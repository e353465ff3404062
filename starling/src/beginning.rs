//! How a validator begins by itself: with a snapshot of another host, where its disk has no ledger yet or one that
//! ends before the blocks that others keep.
//!
//! No host is believed: `ledger_node` checks all of a snapshot before anything begins with it. What can't be had
//! keeps no validator from starting as it would without, and the log says what follows from that. The worst that
//! hosts can do is to give nothing, or what is of use and not the newest.

use std::path::PathBuf;

use futures_util::future::join_all;
use ledger_node::{Config, Disk, Found, SnapshotError};

use crate::ledger_client::{Client, ClientError, FetchError};
use crate::waiting::waiting;

/// What is fetched, in the validator's folder: it is there in part until it is removed.
const FETCHED: &str = "begin.snapshot";
/// How often it is told how much was fetched: each tenth, but not more often than this, in bytes.
const TOLD_BYTES: u64 = 64 << 20;

/// Why a validator does not begin.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// It would begin a ledger of its own.
    #[error(
        "`snapshot_from` is for one of several validators, and their network's file {0} is not there"
    )]
    NoNetwork(PathBuf),
}

/// Why a host is passed over.
#[derive(Debug, thiserror::Error)]
enum Passed {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error("it has another ledger")]
    OtherLedger,
}

/// Gives the folder of a validator that does not run what it begins with, where the settings say from whom. Before
/// `ledger_node::Node::start`, which says what it can't start with.
///
/// # Errors
/// See [`BeginError`]. What hosts do or the disk has is none.
pub async fn begin(config: &Config) -> Result<(), BeginError> {
    if config.snapshot_from.is_empty() && config.others.is_empty() {
        return Ok(());
    }
    let asks = !config.snapshot_from.is_empty();
    let network = config.network_file();
    if !network.exists() {
        return if asks { Err(BeginError::NoNetwork(network)) } else { Ok(()) };
    }
    // Of a process that was killed. An error: there is none.
    let _ = tokio::fs::remove_file(config.data.join(FETCHED)).await;
    let settings = config.clone();
    let found = match waiting(move || ledger_node::found(&settings)).await {
        Ok(found) => found,
        Err(error) => {
            // Starting meets it as well, and ends with it.
            tracing::debug!("no snapshot is fetched: {error}");
            return Ok(());
        }
    };
    match found.disk {
        Disk::Empty | Disk::Unfinished if asks => Box::pin(first(config, found)).await,
        Disk::Empty | Disk::Unfinished => {}
        // Where only what everybody has would be given up, nobody need say so.
        Disk::Kept { height } if asks && (config.replace_late || height == 0) => {
            Box::pin(replace(config, found, height)).await;
        }
        // Nothing waits for it.
        Disk::Kept { height } => drop(tokio::spawn(tell(config.clone(), found, height))),
    }
    Ok(())
}

/// A folder without a ledger, or with part of one.
async fn first(config: &Config, found: Found) {
    if found.alone && !found.fresh {
        tracing::warn!(
            "no snapshot is fetched: nothing is final without this validator, and its key may have signed blocks \
             that this disk does not have. Start it with its own data, or, if that is lost, with a snapshot that \
             you choose: `starling ledger restore FILE --roll-back`"
        );
        return;
    }
    for host in &config.snapshot_from {
        let restore = |config: Config, file: PathBuf| ledger_node::restore(&config, &file, false);
        match taken(config, found, host, restore).await {
            Ok(made) => {
                let (height, records) = (made.height, made.records);
                tracing::info!(height, records, "the ledger begins with a snapshot of {host}");
                return;
            }
            Err(error) => pass(host, &error),
        }
    }
    match found.disk {
        Disk::Unfinished => tracing::warn!(
            "no host of `snapshot_from` gave a snapshot that holds, and restoring one was interrupted in this folder: \
             the validator does not start until there is one"
        ),
        Disk::Empty | Disk::Kept { .. } => tracing::warn!(
            "no host of `snapshot_from` gave a snapshot that holds: the validator starts without one and runs all \
             blocks. Where no other validator keeps the first ones, its height stays 0: start it again when a host \
             is up"
        ),
    }
}

/// A folder whose ledger is given up if the others do not keep the blocks behind it.
async fn replace(config: &Config, found: Found, height: u64) {
    let Some(since) = late(config, found, height).await else { return };
    if found.alone {
        return say_late(config, found, height, since);
    }
    tracing::warn!(
        height,
        since,
        "this disk's ledger ends before the blocks that others keep: it is moved aside when a snapshot is there"
    );
    for host in &config.snapshot_from {
        let restore =
            move |config: Config, file: PathBuf| ledger_node::restore_late(&config, &file, height);
        match taken(config, found, host, restore).await {
            Ok((made, aside)) => {
                tracing::warn!(
                    height = made.height,
                    "the ledger begins with a snapshot of {host}. What was there is kept as {} and the records \
                     beside it, until you delete it. The validator listens before it votes",
                    aside.display()
                );
                return;
            }
            Err(error) => pass(host, &error),
        }
    }
    tracing::warn!("no host of `snapshot_from` gave a snapshot that holds: nothing was moved");
    say_late(config, found, height, since);
}

/// Says so where a ledger ends before the blocks that others keep.
async fn tell(config: Config, found: Found, height: u64) {
    if let Some(since) = late(&config, found, height).await {
        say_late(&config, found, height, since);
    }
}

/// The first block that is kept by who keeps most of those that answer, where a ledger that ends with block `height`
/// can't go on with it.
async fn late(config: &Config, found: Found, height: u64) -> Option<u64> {
    let mut hosts: Vec<String> = Vec::new();
    for host in config.snapshot_from.iter().chain(&config.others) {
        if !hosts.contains(host) {
            hosts.push(host.clone());
        }
    }
    let asked =
        hosts.into_iter().map(|host| async move { Client::new(&host).ok()?.reach().await.ok() });
    let reaches = join_all(asked).await.into_iter().flatten();
    let since =
        reaches.filter(|reach| reach.chain == found.chain).map(|reach| reach.since).min()?;
    (since > height.saturating_add(1)).then_some(since)
}

/// What a person can do about a ledger that is too far behind.
fn say_late(config: &Config, found: Found, height: u64, since: u64) {
    if found.alone {
        tracing::warn!(
            "this disk's ledger ends with block {height}, and the hosts that it knows keep blocks from {since} on: \
             nothing is final without this validator, so this is an old copy of its data. Stop it, and start it with \
             the newest"
        );
    } else {
        tracing::warn!("{}", late_text(config, height, since));
    }
}

fn late_text(config: &Config, height: u64, since: u64) -> String {
    let host = config.snapshot_from.first().or_else(|| config.others.first());
    let host = host.map_or("URL", String::as_str);
    let data = config.data.display();
    format!(
        "this disk's ledger ends with block {height}, and the hosts that it knows keep blocks from {since} on: if \
         nobody gives it those between, its height stands still. Start it once with `--snapshot-from {host} \
         --replace-late` (in its settings: snapshot_from = [\"{host}\"], replace_late = true). Or by hand: stop it, \
         move {data}/engine and {data}/records.redb elsewhere, remove {data}/validator.fresh if it is there, \
         `starling ledger --node {host} snapshot FILE`, `starling ledger restore FILE --config validator.toml`, and \
         start it"
    )
}

fn pass(host: &str, error: &Passed) {
    tracing::warn!("{host} is passed over, no snapshot of it: {error}");
}

/// Fetches a host's snapshot and makes of it what `restore` does.
async fn taken<T: Send + 'static>(
    config: &Config,
    found: Found,
    host: &str,
    restore: impl FnOnce(Config, PathBuf) -> Result<T, SnapshotError> + Send + 'static,
) -> Result<T, Passed> {
    let client = Client::new(host)?;
    if client.reach().await?.chain != found.chain {
        return Err(Passed::OtherLedger);
    }
    tracing::info!("fetching a snapshot from {host}, which may have to make it first");
    let file = config.data.join(FETCHED);
    let mut progress = Progress::default();
    let fetched = client.snapshot_to(&file, |bytes, of| progress.see(bytes, of)).await;
    let made = match fetched {
        Ok(bytes) => {
            tracing::info!(
                bytes,
                "checking the snapshot: the validators' certificate, the store's log, and every record"
            );
            let (settings, path) = (config.clone(), file.clone());
            waiting(move || restore(settings, path)).await.map_err(Passed::from)
        }
        Err(error) => Err(error.into()),
    };
    // Best effort: the next start does it again.
    let _ = tokio::fs::remove_file(&file).await;
    made
}

/// How much of a snapshot was told to be here.
#[derive(Debug, Default)]
struct Progress {
    told: u64,
}

impl Progress {
    fn see(&mut self, bytes: u64, of: Option<u64>) {
        if self.is_due(bytes, of) {
            match percent(bytes, of) {
                Some(percent) => tracing::info!(bytes, percent, "fetching the snapshot"),
                None => tracing::info!(bytes, "fetching the snapshot"),
            }
        }
    }

    /// Whether it is told that so many came.
    fn is_due(&mut self, bytes: u64, of: Option<u64>) -> bool {
        let step = of.map_or(TOLD_BYTES, |of| (of / 10).max(TOLD_BYTES));
        let is_due = bytes.saturating_sub(self.told) >= step;
        if is_due {
            self.told = bytes;
        }
        is_due
    }
}

/// How much of a known length came; a host may say any.
fn percent(bytes: u64, of: Option<u64>) -> Option<u64> {
    bytes.saturating_mul(100).checked_div(of?).map(|percent| percent.min(100))
}

#[cfg(test)]
mod tests {
    use ledger::ChainId;

    use super::*;

    #[test]
    fn progress_is_told_by_tenths_and_not_for_each_piece() {
        let (mut progress, of) = (Progress::default(), Some(TOLD_BYTES * 100));
        assert!(!progress.is_due(TOLD_BYTES, of));
        assert!(progress.is_due(TOLD_BYTES * 10, of));
        assert!(!progress.is_due(TOLD_BYTES * 11, of));
        assert!(progress.is_due(TOLD_BYTES * 21, of));
        let mut unknown = Progress::default();
        assert!(!unknown.is_due(TOLD_BYTES - 1, None));
        assert!(unknown.is_due(TOLD_BYTES, None));
        assert_eq!(percent(1, Some(3)), Some(33));
        assert_eq!(percent(9, Some(3)), Some(100));
        assert_eq!((percent(9, Some(0)), percent(9, None)), (None, None));
    }

    #[test]
    fn who_is_late_is_told_the_commands_with_its_own_names() {
        let config = Config {
            data: PathBuf::from("/srv/ledger"),
            snapshot_from: vec!["https://a.example".to_owned()],
            ..Config::default()
        };
        let text = late_text(&config, 7, 900);
        for part in [
            "ends with block 7,",
            "blocks from 900 on",
            "--snapshot-from https://a.example --replace-late",
            "/srv/ledger/engine",
            "/srv/ledger/validator.fresh",
            "starling ledger --node https://a.example snapshot FILE",
            "starling ledger restore FILE --config validator.toml",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    /// A host that says what it keeps.
    async fn host(chain: ChainId, since: u64) -> String {
        let status = serde_json::json!({ "chain": chain, "since": since, "height": since + 200 });
        let answer = axum::routing::get(move || async move { axum::Json(status) });
        let app = axum::Router::new().route("/ledger/status", answer);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, app).into_future());
        base
    }

    #[tokio::test]
    async fn who_keeps_most_says_whether_a_ledger_is_too_far_behind() {
        let (chain, other) = (ChainId::new([1; 32]), ChainId::new([2; 32]));
        let disk = Disk::Kept { height: 700 };
        let found = Found { disk, chain, fresh: false, alone: false };
        let mut config = Config {
            snapshot_from: vec![host(chain, 900).await, host(other, 3).await],
            others: vec![host(chain, 800).await],
            ..Config::default()
        };
        assert_eq!(late(&config, found, 700).await, Some(800));
        assert_eq!(late(&config, found, 799).await, None, "the next block is there");
        config.others.push(host(chain, 0).await);
        assert_eq!(late(&config, found, 0).await, None, "one keeps all");
        config.snapshot_from.truncate(0);
        config.others = vec![host(other, 900).await];
        assert_eq!(late(&config, found, 700).await, None, "nobody of this ledger says so");
    }

    #[tokio::test]
    async fn a_snapshot_is_for_one_of_several_validators() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { data: folder.path().to_owned(), ..Config::default() };
        assert!(begin(&config).await.is_ok());
        config.others = vec!["https://a.example".to_owned()];
        assert!(begin(&config).await.is_ok(), "nothing is fetched");
        config.snapshot_from = vec!["https://a.example".to_owned()];
        let refused = begin(&config).await.unwrap_err();
        assert!(refused.to_string().contains("network.toml"), "{refused}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
