//! A share from whoever has it, into the block store.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::content::{
    Cid,
    share::{EntryKind, ShareKey, ShareLink, ShareManifest},
};
use peer_native::payments::Paid;
use peer_native::{
    OpenShare, Options, Peer, Server, Share, ShareStatus, Stage, view::SignalingState,
};
use tokio::time::Instant;

use super::{
    Counts, ShareError, StoreBlocks,
    settling::{open, serve, settle},
};
use crate::content::ContentError;
use crate::fund::{Reported, Reports};
use crate::purse;
use crate::waiting::waiting;

/// How often it is looked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often what is known of it is written down for whoever is interrupted.
const HOLD_EVERY: Duration = Duration::from_secs(5);
/// How long the server has to answer for the first time.
const SERVER_WITHIN: Duration = Duration::from_secs(30);

/// What is to be fetched.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Who introduces peers.
    pub server: Server,
    /// The share.
    pub link: ShareLink,
    /// What opens it.
    pub key: ShareKey,
    /// Files and folders of it by their paths; none: all.
    pub only: Vec<String>,
    /// Only look what is in it.
    pub list: bool,
    /// Where it will be written; none: its own name. Nothing may be there.
    pub output: Option<PathBuf>,
    /// Refuse more content than this.
    pub bytes_max: u64,
    /// Give up when nothing came for so long.
    pub patience: Duration,
    /// Connect through relays only.
    pub relay_only: bool,
    /// From which account peers are paid that ask for it; none: nobody is.
    pub money: Option<purse::Options>,
    /// Who pays those that give it; none: nobody.
    pub fund: Option<Reported>,
}

/// A share whose chosen files are in the store.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// What is in it.
    pub manifest: ShareManifest,
    /// What was chosen of it, by number.
    pub entries: Vec<u32>,
    /// Where it is to be written.
    pub output: PathBuf,
    /// Names of all its blocks that are known.
    pub blocks: Vec<Cid>,
    /// What was here, and what came.
    pub counts: Counts,
    /// What was paid; none: nothing was to be.
    pub paid: Option<Paid>,
}

/// Fetches what the store lacks. Whoever drops this goes on later where it was.
///
/// # Errors
/// Nobody has it, it is refused, or the store takes nothing more.
pub async fn fetch(
    wanted: &Wanted,
    blocks: &Arc<StoreBlocks>,
    show: &mut (dyn FnMut(&ShareStatus) + Send),
) -> Result<Fetched, ShareError> {
    if let Some(path) = &wanted.output {
        check_absent(path)?;
    }
    let Wanted { server, link, key, relay_only, money, .. } = wanted.clone();
    let peer = Peer::start(Options { server, relay_only })?;
    let (purse, till) = open(money).await?;
    let share = peer
        .open(OpenShare { link, key, blocks: blocks.clone(), upload_bytes_per_s: None, till })
        .await?;
    serve(purse, &share);
    let reports = wanted.fund.clone().map(|fund| Reports::start(fund, &share));
    let fetched = Fetching::new(wanted, blocks, &share).run(show).await;
    // Also of who gives up: what came is paid.
    let paid = settle(&share).await.map(|till| till.paid);
    let fetched = fetched.map(|fetched| Fetched { paid, ..fetched });
    if let Some(reports) = reports {
        reports.end().await;
    }
    drop(share);
    peer.stop().await;
    fetched
}

struct Fetching<'f> {
    wanted: &'f Wanted,
    blocks: &'f Arc<StoreBlocks>,
    share: &'f Share,
    started: Instant,
    /// When something came the last time.
    came_at: Instant,
    came: (u64, u64),
    connected: bool,
    held_at: Option<Instant>,
    held: usize,
}

impl<'f> Fetching<'f> {
    fn new(wanted: &'f Wanted, blocks: &'f Arc<StoreBlocks>, share: &'f Share) -> Self {
        let now = Instant::now();
        Self {
            wanted,
            blocks,
            share,
            started: now,
            came_at: now,
            came: (0, 0),
            connected: false,
            held_at: None,
            held: 0,
        }
    }

    async fn run(
        mut self,
        show: &mut (dyn FnMut(&ShareStatus) + Send),
    ) -> Result<Fetched, ShareError> {
        let mut chosen: Option<(ShareManifest, Vec<u32>, PathBuf)> = None;
        loop {
            tokio::select! {
                () = self.share.turn() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if chosen.is_none()
                && let Some(manifest) = self.share.manifest().await?
            {
                let (entries, output) = self.choose(&manifest)?;
                let is_file = |number: &u32| {
                    let entry =
                        usize::try_from(*number).ok().and_then(|at| manifest.entries.get(at));
                    entry.is_some_and(|entry| entry.kind != EntryKind::Folder)
                };
                // Folders are in the manifest: of them alone nothing is to be fetched.
                if self.wanted.list || !entries.iter().any(is_file) {
                    return self.fetched(manifest, entries, output).await;
                }
                self.share.choose(entries.clone()).await;
                chosen = Some((manifest, entries, output));
            }
            if chosen.is_some() {
                self.hold().await?;
            }
            let status = self.share.status().await?;
            show(&status);
            self.check(&status)?;
            if status.share.stage == Stage::Done
                && let Some((manifest, entries, output)) = chosen.take()
            {
                return self.fetched(manifest, entries, output).await;
            }
        }
    }

    async fn fetched(
        &self,
        manifest: ShareManifest,
        entries: Vec<u32>,
        output: PathBuf,
    ) -> Result<Fetched, ShareError> {
        let blocks = self.share.cids().await?;
        Ok(Fetched { manifest, entries, output, blocks, counts: self.blocks.counts(), paid: None })
    }

    /// What of it is wanted, and where it goes.
    fn choose(&self, manifest: &ShareManifest) -> Result<(Vec<u32>, PathBuf), ShareError> {
        let Wanted { only, output, bytes_max, .. } = self.wanted;
        let is_in = |path: &str, top: &str| {
            let top = top.trim_end_matches('/');
            path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        for top in only {
            if !manifest.entries.iter().any(|entry| is_in(&entry.path, top)) {
                return Err(ShareError::NoSuchEntry(top.clone()));
            }
        }
        let chosen = (0_u32..)
            .zip(&manifest.entries)
            .filter(|(_, entry)| only.is_empty() || only.iter().any(|top| is_in(&entry.path, top)));
        let (mut entries, mut bytes) = (Vec::new(), 0_u64);
        for (number, entry) in chosen {
            entries.push(number);
            bytes = bytes.saturating_add(entry.size_bytes);
        }
        if bytes > *bytes_max {
            return Err(ShareError::TooLarge { bytes, limit: *bytes_max });
        }
        // A name in a manifest is one name, of no folder but this.
        let output = output.clone().unwrap_or_else(|| PathBuf::from(&manifest.name));
        if !self.wanted.list {
            check_absent(&output)?;
        }
        Ok((entries, output))
    }

    /// Writes down what is known of it, now and then: who is interrupted finds its blocks again.
    async fn hold(&mut self) -> Result<(), ShareError> {
        if self.held_at.is_some_and(|at| at.elapsed() < HOLD_EVERY) {
            return Ok(());
        }
        self.held_at = Some(Instant::now());
        let known = self.share.cids().await?;
        if known.len() != self.held {
            self.held = known.len();
            let (blocks, root) = (Arc::clone(self.blocks), self.wanted.link.cid);
            waiting(move || blocks.hold(root, &known)).await?;
        }
        Ok(())
    }

    /// Whether it is worth waiting on.
    fn check(&mut self, status: &ShareStatus) -> Result<(), ShareError> {
        if let Stage::Failed(failure) = status.share.stage {
            return Err(ShareError::Refused(failure));
        }
        if status.share.full
            && let Some(error) = self.blocks.take_trouble()
        {
            return Err(error.into());
        }
        let now = Instant::now();
        self.connected |= status.signaling.state == SignalingState::Connected;
        let came = (status.share.received_bytes, status.share.chosen_held_bytes);
        if came != self.came {
            (self.came, self.came_at) = (came, now);
        }
        let Wanted { patience, server, .. } = self.wanted;
        let unreachable = || ShareError::Unreachable { server: server.page().to_owned() };
        if !self.connected && now - self.started > SERVER_WITHIN.min(*patience) {
            return Err(unreachable());
        }
        if now - self.came_at > *patience {
            let peers = status.share.peers.len();
            if peers == 0 && status.signaling.state != SignalingState::Connected {
                return Err(unreachable());
            }
            return Err(ShareError::Nobody { seconds: patience.as_secs(), peers });
        }
        Ok(())
    }
}

fn check_absent(path: &std::path::Path) -> Result<(), ShareError> {
    if path.symlink_metadata().is_ok() {
        return Err(ContentError::Exists { path: path.to_owned() }.into());
    }
    Ok(())
}
