//! A share that is given to whoever has its link.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::content::share::{ShareKey, ShareLink};
use peer_native::payments::Earned;
use peer_native::{
    Blocks, OpenShare, Options, Peer, Server, Share, ShareStatus, Stage,
    view::{PeerView, SignalingState},
};

use super::{
    ShareError,
    settling::{open, serve, settle},
};
use crate::fund::{Reported, Reports};
use crate::purse;

/// Letters of a peer's key that a person is shown.
const SHOWN: usize = 8;

/// A share that is given, until this is dropped.
#[derive(Debug)]
pub struct Seeding {
    peer: Peer,
    share: Share,
    takers: BTreeMap<String, Taker>,
    reports: Option<Reports>,
}

/// Who takes what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taker {
    /// The beginning of its key.
    pub peer: String,
    /// Bytes of blocks that it was sent.
    pub sent_bytes: u64,
    /// How much of the share it holds.
    pub has_percent: u8,
    /// Through a relay; `None` while not known.
    pub relayed: Option<bool>,
    /// Round-trip time.
    pub rtt_ms: Option<u32>,
}

/// What is to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether newcomers can be introduced.
    pub connected: bool,
    /// Bytes of all files, and those held; none while the manifest is looked for.
    pub held: Option<(u64, u64)>,
    /// Everybody who is connected.
    pub takers: Vec<Taker>,
    /// Those who came since the last look.
    pub came: Vec<Taker>,
    /// Those who went since the last look, as they were seen last.
    pub went: Vec<Taker>,
    /// Bytes to all.
    pub sent_bytes: u64,
    /// Bytes a second that went out lately.
    pub send_bytes_per_s: u64,
    /// What was earned; none: it is a gift.
    pub earned: Option<Earned>,
    /// Units of a fund that were earned; none: nobody funds it.
    pub fund: Option<u64>,
}

impl Seeding {
    /// Opens a share whose blocks are here.
    ///
    /// # Errors
    /// The peer can't be started.
    pub async fn start(
        server: Server,
        relay_only: bool,
        link: ShareLink,
        key: ShareKey,
        blocks: Arc<dyn Blocks>,
        upload_bytes_per_s: Option<u64>,
        money: Option<purse::Options>,
    ) -> Result<Self, ShareError> {
        let peer = Peer::start(Options { server, relay_only })?;
        let (purse, till) = open(money).await?;
        let open = OpenShare { link, key, blocks, upload_bytes_per_s, till };
        let share = peer.open(open).await?;
        serve(purse, &share);
        Ok(Self { peer, share, takers: BTreeMap::new(), reports: None })
    }

    /// Reports to who pays for what is given, from now on.
    pub fn report_to(&mut self, fund: Option<Reported>) {
        self.reports = fund.map(|fund| Reports::start(fund, &self.share));
    }

    /// What happened since the last look.
    ///
    /// # Errors
    /// The share can't be given: it has ended, or is none.
    pub async fn look(&mut self) -> Result<Look, ShareError> {
        let ShareStatus { share, room, signaling, till, .. } = self.share.status().await?;
        if let Stage::Failed(failure) = share.stage {
            return Err(ShareError::Refused(failure));
        }
        let paths: BTreeMap<&str, &PeerView> =
            room.peers.iter().map(|link| (link.peer.as_str(), link)).collect();
        let now: BTreeMap<String, Taker> = share
            .peers
            .iter()
            .map(|neighbour| {
                let key = neighbour.peer.to_string();
                let path = paths.get(key.as_str());
                let taker = Taker {
                    peer: key.chars().take(SHOWN).collect(),
                    sent_bytes: neighbour.sent_bytes,
                    has_percent: neighbour.has_percent,
                    relayed: path.and_then(|path| path.relayed),
                    rtt_ms: path.and_then(|path| path.rtt_ms),
                };
                (key, taker)
            })
            .collect();
        let not_in = |these: &BTreeMap<String, Taker>, those: &BTreeMap<String, Taker>| {
            let new = these.iter().filter(|(key, _)| !those.contains_key(*key));
            new.map(|(_, taker)| taker.clone()).collect()
        };
        let (came, went) = (not_in(&now, &self.takers), not_in(&self.takers, &now));
        let takers = now.values().cloned().collect();
        self.takers = now;
        let known = !matches!(share.stage, Stage::Finding);
        Ok(Look {
            connected: signaling.state == SignalingState::Connected,
            held: known.then_some((share.held_bytes, share.total_bytes)),
            takers,
            came,
            went,
            sent_bytes: share.sent_bytes,
            send_bytes_per_s: share.send_bytes_per_s,
            earned: till.map(|till| till.earned),
            fund: self.reports.as_ref().map(Reports::earned),
        })
    }

    /// Says goodbye to everybody; what was earned is claimed before.
    pub async fn stop(self) {
        let Self { peer, share, reports, .. } = self;
        settle(&share).await;
        if let Some(reports) = reports {
            reports.end().await;
        }
        drop(share);
        peer.stop().await;
    }
}
