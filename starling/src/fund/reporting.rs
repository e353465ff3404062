//! Telling a fund who gave what of a share, as `static/fund/reports.js` does for a video.

use std::collections::BTreeMap;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::Duration;

use ledger::AccountId;
use peer_native::payments::fund::Tally;
use peer_native::{Share, ShareStatus, Witness};
use primitives::{Hash, PeerId};
use reqwest::StatusCode;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};
use wire::fund::Told;

/// How often it is looked who gave what.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A fund that did not answer is asked again after so long.
const AGAIN: Duration = Duration::from_secs(20);
/// How long one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long the last report may take.
const END_WITHIN: Duration = Duration::from_secs(8);
/// Largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 4 << 10;

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
            tally: Tally::default(),
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
    tally: Tally,
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
        self.tally.count(&here);
    }

    /// Reports, again if the fund's hour has changed; when next.
    async fn report(&mut self, status: &ShareStatus) -> Result<Duration, Failure> {
        let first = self.report_once(status).await;
        let Err(Failure::Refused(StatusCode::CONFLICT)) = first else { return first };
        self.tally.anew();
        self.report_once(status).await
    }

    async fn report_once(&mut self, status: &ShareStatus) -> Result<Duration, Failure> {
        if self.tally.terms().is_none() {
            let request = self.http.get(&self.to.url).timeout(ANSWER_WITHIN);
            let answer = read(request.send().await?).await?;
            if !self.tally.read_terms(&answer) {
                return Err(Failure::Form);
            }
        }
        let swarm = status.room.swarm.parse().map_err(|_| Failure::Ended)?;
        let account = self.to.account.map(|account| Hash::new(*account.as_bytes()));
        let said = self.tally.said(swarm, account).ok_or(Failure::Form)?;
        let told = match self.tell(said).await {
            Ok(told) => told,
            Err(failure) => {
                self.is_refused = matches!(failure, Failure::Refused(StatusCode::NOT_FOUND));
                return Err(failure);
            }
        };
        self.earned.store(told.earned.parse().unwrap_or(0), Ordering::Relaxed);
        Ok(self.tally.heard())
    }

    async fn tell(&self, said: String) -> Result<Told, Failure> {
        let signed = self.witness.attest(said.clone()).await;
        let (peer, signature) = signed.map_err(|_| Failure::Ended)?;
        let request = self.http.post(&self.to.url).timeout(ANSWER_WITHIN);
        let answer =
            read(request.body(Tally::report(peer, said, &signature)).send().await?).await?;
        serde_json::from_slice(&answer).map_err(|_| Failure::Form)
    }
}

async fn read(mut answer: reqwest::Response) -> Result<Vec<u8>, Failure> {
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
    Ok(bytes)
}
