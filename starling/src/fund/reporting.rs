//! Telling a fund who gave what of a share, as `static/fund/reports.js` does for a video.

use std::collections::BTreeMap;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::Duration;

use ledger::AccountId;
use peer_native::{Share, ShareStatus, Witness};
use primitives::{Hash, PeerId};
use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use wire::fund::{GIVERS_MAX, Report, Said, Terms, Told};
use wire::signaling::Base64;

/// How often it is looked who gave what.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A fund that did not answer is asked again after so long.
const AGAIN: Duration = Duration::from_secs(20);
/// Longest wait between two reports, whatever the fund says, in seconds.
const EVERY_MAX_S: u32 = 3_600;
/// How long one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long the last report may take.
const END_WITHIN: Duration = Duration::from_secs(8);
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 4 << 10;
/// Most senders remembered.
const REMEMBERED_MAX: usize = 1_024;

/// Who pays for what is given, and whom.
#[derive(Debug, Clone)]
pub struct Reported {
    /// Where the fund takes reports.
    pub url: String,
    /// The account to pay for what this peer gives; none: it is a gift.
    pub account: Option<AccountId>,
}

/// Reports of a share, until this is dropped.
#[derive(Debug)]
pub struct Reports {
    task: JoinHandle<()>,
    stop: Arc<Notify>,
    earned: Arc<AtomicU64>,
}

impl Drop for Reports {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reports {
    /// Reports what comes of a share from now on.
    pub fn start(to: Reported, share: &Share) -> Self {
        let (stop, earned) = (Arc::new(Notify::new()), Arc::new(AtomicU64::new(0)));
        let reporter = Reporter {
            to,
            http: reqwest::Client::new(),
            witness: share.witness(),
            terms: None,
            givers: BTreeMap::new(),
            earned: Arc::clone(&earned),
            is_refused: false,
        };
        let task = tokio::spawn(reporter.run(Arc::clone(&stop)));
        Self { task, stop, earned }
    }

    /// Units that the fund says this peer's account earned, as far as 64 bits go.
    pub fn earned(&self) -> u64 {
        self.earned.load(Ordering::Relaxed)
    }

    /// Reports once more, while the share is open still.
    pub async fn end(mut self) {
        self.stop.notify_one();
        if tokio::time::timeout(END_WITHIN, &mut self.task).await.is_err() {
            tracing::warn!("the fund was not told of what came last");
        }
    }
}

/// Verified bytes from one sender: in all, at the last look, as of the session before, and as the fund knows them.
#[derive(Debug, Clone, Copy, Default)]
struct Giver {
    all: u64,
    last: u64,
    base: u64,
    told: u64,
}

/// Why a report did not arrive.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the fund can't be reached: {0}")]
    Http(#[from] reqwest::Error),
    #[error("the fund says {0}")]
    Refused(StatusCode),
    #[error("this is not the answer of a fund")]
    Form,
    #[error("the peer has ended")]
    Ended,
}

struct Reporter {
    to: Reported,
    http: reqwest::Client,
    witness: Witness,
    terms: Option<Terms>,
    givers: BTreeMap<PeerId, Giver>,
    earned: Arc<AtomicU64>,
    /// The fund does not pay for this share.
    is_refused: bool,
}

impl Reporter {
    async fn run(mut self, stop: Arc<Notify>) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut next, mut warned) = (Instant::now(), false);
        loop {
            let stops = tokio::select! {
                () = stop.notified() => true,
                _ = looks.tick() => false,
            };
            let Ok(status) = self.witness.status().await else { return };
            self.count(&status);
            if !self.is_refused && (stops || Instant::now() >= next) {
                let sent = self.report(&status).await;
                if let (Err(failure), false) = (&sent, warned) {
                    tracing::warn!("{failure}");
                    warned = true;
                }
                next = Instant::now() + sent.unwrap_or(AGAIN);
            }
            if stops {
                return;
            }
        }
    }

    fn count(&mut self, status: &ShareStatus) {
        let peers = &status.share.peers;
        let here: BTreeMap<PeerId, u64> =
            peers.iter().map(|one| (one.peer, one.received_bytes)).collect();
        for (peer, giver) in &mut self.givers {
            if !here.contains_key(peer) {
                // Whoever comes back is counted from nothing, by a new connection.
                giver.last = 0;
            }
        }
        for (peer, bytes) in here {
            let has_room = self.givers.len() < REMEMBERED_MAX || self.givers.contains_key(&peer);
            if bytes == 0 || !has_room {
                continue;
            }
            let giver = self.givers.entry(peer).or_default();
            giver.all += if bytes >= giver.last { bytes - giver.last } else { bytes };
            giver.last = bytes;
        }
    }

    /// Reports, again if the fund's hour has changed; when next.
    async fn report(&mut self, status: &ShareStatus) -> Result<Duration, Failure> {
        let first = self.report_once(status).await;
        let Err(Failure::Refused(StatusCode::CONFLICT)) = first else { return first };
        // Another hour, or another pool: what was told was for the last.
        self.givers.values_mut().for_each(|giver| giver.base = giver.told);
        self.terms = None;
        self.report_once(status).await
    }

    async fn report_once(&mut self, status: &ShareStatus) -> Result<Duration, Failure> {
        let terms = match self.terms.take() {
            Some(terms) => terms,
            None => self.ask().await?,
        };
        let every = Duration::from_secs(terms.every_s.clamp(1, EVERY_MAX_S).into());
        let told = self.most_news();
        let said = Said {
            chain: terms.chain,
            pool: terms.pool,
            session: terms.session,
            swarm: status.room.swarm.parse().map_err(|_| Failure::Ended)?,
            account: self.to.account.map(|account| Hash::new(*account.as_bytes())),
            from: told.iter().map(|(peer, one)| (*peer, one.all - one.base)).collect(),
        };
        self.terms = Some(terms);
        let answer = match self.tell(&said).await {
            Ok(answer) => answer,
            Err(failure) => {
                self.is_refused = matches!(failure, Failure::Refused(StatusCode::NOT_FOUND));
                return Err(failure);
            }
        };
        for (peer, one) in told {
            self.givers.entry(peer).and_modify(|giver| giver.told = one.all);
        }
        self.earned.store(answer.earned.parse().unwrap_or(0), Ordering::Relaxed);
        Ok(every)
    }

    /// Of whom to tell.
    fn most_news(&self) -> Vec<(PeerId, Giver)> {
        let mut givers: Vec<_> = self.givers.iter().map(|(peer, one)| (*peer, *one)).collect();
        givers.sort_by_key(|(_, one)| std::cmp::Reverse(one.all - one.told));
        givers.truncate(GIVERS_MAX);
        givers
    }

    async fn ask(&self) -> Result<Terms, Failure> {
        let request = self.http.get(&self.to.url).timeout(ANSWER_WITHIN);
        read(request.send().await?).await
    }

    async fn tell(&self, said: &Said) -> Result<Told, Failure> {
        let said = serde_json::to_string(said).map_err(|_| Failure::Form)?;
        let signed = self.witness.attest(said.clone()).await;
        let (peer, signature) = signed.map_err(|_| Failure::Ended)?;
        let report = Report { peer, said, signature: Base64(signature.to_vec()) };
        let request = self.http.post(&self.to.url).timeout(ANSWER_WITHIN);
        read(request.body(report.to_json()).send().await?).await
    }
}

async fn read<T: DeserializeOwned>(mut answer: reqwest::Response) -> Result<T, Failure> {
    if !answer.status().is_success() {
        return Err(Failure::Refused(answer.status()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(Failure::Form);
        }
    }
    serde_json::from_slice(&bytes).map_err(|_| Failure::Form)
}
