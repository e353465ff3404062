//! The hosts that are asked: who can be, at which block they are, and what they show of new ones.
//!
//! A socket to each stands all the time. So it is known at once who went, and a new block is told as soon as the
//! first of them has it.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{StatusCode, header};
use futures_util::{SinkExt as _, StreamExt as _};
use light_client::{Header, TrustRoot};
use reqwest::{Client as Http, Upgraded, redirect::Policy};
use serde_json::Value;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use wire::ledger::Finality;
use wire::limits::LEDGER_ANSWER_BYTES_MAX;

use super::{CHECKED_MAX, Checked, ForwardError, Forwarder, Ledger, News, VIA};
use crate::ledger_client::{Client, Follower};

/// How long each step to a source may take, and how long it may be silent within a body.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const READ_WITHIN: Duration = Duration::from_secs(10);
/// Silence after which a source is asked whether it is there; as much again, and it is not.
const PING_EVERY: Duration = Duration::from_secs(20);
/// First and longest wait before a source is tried again.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long a source that did not answer is asked only where no other does.
const TIRED: Duration = Duration::from_secs(10);

/// Why a source is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// No connection.
    #[error("{0}")]
    Unreached(String),
    /// The connection broke.
    #[error("{0}")]
    Away(String),
    /// Too slow.
    #[error("no answer in time")]
    Late,
    /// Not what a ledger says.
    #[error("what it answers is not of a ledger")]
    Form,
    /// It does not work now, by its own word.
    #[error("it answers with status {0}")]
    Status(u16),
    /// What it shows as final is not, as far as anybody knows.
    #[error("its blocks are not proved: {0}")]
    Unproved(String),
    /// It has not seen the newest block, and does not know what may be there.
    #[error("it is behind")]
    Behind,
    /// Another ledger's.
    #[error("it names the trust root {0}, which is another ledger's")]
    OtherLedger(String),
}

impl Trouble {
    /// Without what was asked: that names accounts.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return match error.is_connect() {
                true => Self::Unreached("no connection in time".to_owned()),
                false => Self::Late,
            };
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        if error.is_connect() {
            Self::Unreached(cause.to_string())
        } else {
            Self::Away("it hung up".to_owned())
        }
    }

    /// Whether a source that was asked for something may have done it nevertheless.
    pub(super) const fn may_have_done(&self) -> bool {
        // 502 and 504 are of a proxy before it.
        matches!(self, Self::Away(_) | Self::Late | Self::Form | Self::Status(502 | 504))
    }
}

/// How a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    /// It was not tried yet.
    Unheard,
    /// It can be asked.
    Up,
    /// It can't.
    Off(Trouble),
}

#[derive(Debug)]
struct Health {
    standing: Standing,
    /// The highest block it showed since it is up; some of them unchecked.
    height: u64,
    tired_until: Option<Instant>,
}

/// A host that is asked.
#[derive(Debug)]
pub(super) struct Source {
    /// Its address, without a slash at the end.
    pub(super) base: String,
    /// For what is asked to check its blocks.
    client: Client,
    health: Mutex<Health>,
}

/// The client that asks sources. It follows them nowhere, and upgrades are of version 1.
pub(super) fn http() -> Result<Http, ForwardError> {
    let builder = Http::builder()
        .redirect(Policy::none())
        .connect_timeout(CONNECT_WITHIN)
        .read_timeout(READ_WITHIN)
        .http1_only();
    builder.build().map_err(|error| ForwardError::Client(error.to_string()))
}

impl Source {
    pub(super) fn new(base: &str) -> Result<Self, ForwardError> {
        let client = Client::new(base).map_err(|error| ForwardError::Client(error.to_string()))?;
        let health = Health { standing: Standing::Unheard, height: 0, tired_until: None };
        Ok(Self { base: base.to_owned(), client, health: Mutex::new(health) })
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        // Nothing panics while it is held.
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_unheard(&self) -> bool {
        self.health().standing == Standing::Unheard
    }

    pub(super) fn is_of_another_ledger(&self) -> bool {
        matches!(self.health().standing, Standing::Off(Trouble::OtherLedger(_)))
    }

    fn is_up(&self) -> bool {
        self.health().standing == Standing::Up
    }

    /// Why it can't be asked any more.
    fn off(&self) -> Option<Trouble> {
        match &self.health().standing {
            Standing::Off(trouble) => Some(trouble.clone()),
            Standing::Unheard | Standing::Up => None,
        }
    }

    /// Whether it showed no block of this height yet.
    pub(super) fn is_behind(&self, height: u64) -> bool {
        self.health().height < height
    }

    /// It did not answer.
    pub(super) fn tire(&self, trouble: &Trouble) {
        tracing::debug!(source = self.base.as_str(), "no answer: {trouble}");
        self.health().tired_until = Instant::now().checked_add(TIRED);
    }

    fn rise(&self) {
        tracing::info!(source = self.base.as_str(), "the ledger is asked there");
        *self.health() = Health { standing: Standing::Up, height: 0, tired_until: None };
    }

    /// It can't be asked any more; said once for each reason.
    pub(super) fn fall(&self, trouble: &Trouble) {
        let now = Standing::Off(trouble.clone());
        let before = std::mem::replace(&mut self.health().standing, now.clone());
        if before == now {
            return;
        }
        match trouble {
            Trouble::OtherLedger(_) => {
                tracing::error!(
                    source = self.base.as_str(),
                    "[ledger] from: {trouble}; it is not asked"
                );
            }
            _ => tracing::warn!(
                source = self.base.as_str(),
                "the ledger is not to be had there: {trouble}"
            ),
        }
    }

    /// A socket to `/ledger/ws`.
    async fn subscribe(&self, http: &Http) -> Result<WebSocketStream<Upgraded>, Trouble> {
        let key = generate_key();
        let asked = http
            .get(format!("{}/ledger/ws", self.base))
            .header(header::VIA, VIA)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, &key);
        let response = asked.send().await.map_err(|error| Trouble::of(&error))?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(Trouble::Status(response.status().as_u16()));
        }
        let accepted = response.headers().get(header::SEC_WEBSOCKET_ACCEPT);
        if accepted
            .is_none_or(|value| value.as_bytes() != derive_accept_key(key.as_bytes()).as_bytes())
        {
            return Err(Trouble::Form);
        }
        let stream = response.upgrade().await.map_err(|error| Trouble::of(&error))?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(LEDGER_ANSWER_BYTES_MAX))
            .max_frame_size(Some(LEDGER_ANSWER_BYTES_MAX));
        Ok(WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await)
    }
}

fn broken(error: &tungstenite::Error) -> Trouble {
    Trouble::Away(error.to_string())
}

impl Forwarder {
    /// Those that can be asked, the best one first: who answered lately, who has the newest block, who is named
    /// first.
    pub(super) fn order(&self) -> Vec<&Source> {
        let (now, highest) = (Instant::now(), self.highest());
        let mut up: Vec<(bool, bool, &Source)> = Vec::new();
        for source in self.sources.iter().filter(|source| source.is_up()) {
            let health = source.health();
            let is_tired = health.tired_until.is_some_and(|until| until > now);
            up.push((is_tired, health.height < highest, source));
        }
        // It keeps the order of those that are alike.
        up.sort_by_key(|(is_tired, is_behind, _)| (*is_tired, *is_behind));
        up.into_iter().map(|(.., source)| source).collect()
    }

    /// Follows a source, for ever.
    pub(super) async fn follow(&self, at: usize) {
        let Some(source) = self.sources.get(at) else { return };
        let mut wait = RETRY.0;
        loop {
            let begun = Instant::now();
            let Err(trouble) = self.listen(source).await;
            // It was up for a while: who comes and goes is waited for like one that does not come.
            if begun.elapsed() >= RETRY.1 {
                wait = RETRY.0;
            }
            source.fall(&trouble);
            self.tell_open();
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2).min(RETRY.1);
        }
    }

    /// Tells who reads whether there is a source.
    pub(super) fn tell_open(&self) {
        let is_open = self.sources.iter().any(Source::is_up);
        self.open.send_if_modified(|open| std::mem::replace(open, is_open) != is_open);
    }

    /// Hears of blocks until the source is of no use.
    async fn listen(&self, source: &Source) -> Result<Infallible, Trouble> {
        let root = tokio::time::timeout(CONNECT_WITHIN, self.root_of(source));
        let root = root.await.map_err(|_| Trouble::Late)??;
        self.adopt(source, root)?;
        let opening = tokio::time::timeout(CONNECT_WITHIN, source.subscribe(&self.http));
        let mut socket = opening.await.map_err(|_| Trouble::Late)??;
        source.rise();
        self.tell_open();
        let mut is_asked = false;
        loop {
            let message = match tokio::time::timeout(PING_EVERY, socket.next()).await {
                Ok(message) => message,
                Err(_) if is_asked => return Err(Trouble::Late),
                Err(_) => {
                    let ping = socket.send(Message::Ping(Bytes::new()));
                    ping.await.map_err(|error| broken(&error))?;
                    is_asked = true;
                    continue;
                }
            };
            is_asked = false;
            // What it answered to somebody is of no ledger, or of another: it is looked at anew.
            if let Some(trouble) = source.off() {
                return Err(trouble);
            }
            match message.transpose().map_err(|error| broken(&error))? {
                Some(Message::Binary(bytes)) => self.hear(source, &bytes).await?,
                Some(Message::Close(_)) | None => {
                    return Err(Trouble::Away("it hung up".to_owned()));
                }
                // Pings are answered by the socket; other kinds are not of this protocol.
                Some(_) => {}
            }
        }
    }

    /// The trust root that a source names.
    async fn root_of(&self, source: &Source) -> Result<TrustRoot, Trouble> {
        let asked =
            self.http.get(format!("{}/ledger/status", source.base)).header(header::VIA, VIA);
        let response = asked.send().await.map_err(|error| Trouble::of(&error))?;
        if response.status() != StatusCode::OK {
            return Err(Trouble::Status(response.status().as_u16()));
        }
        let bytes = whole(response).await?;
        let status: Value = serde_json::from_slice(&bytes).map_err(|_| Trouble::Form)?;
        status["root"].as_str().and_then(|text| text.parse().ok()).ok_or(Trouble::Form)
    }

    /// Asks a source from now on, if it is of this ledger. Where no other was asked yet and the settings name no
    /// root, this is the ledger.
    fn adopt(&self, source: &Source, root: TrustRoot) -> Result<(), Trouble> {
        if self.ledger.get().is_none() {
            let follower = Follower::new(&root).map_err(|_| Trouble::Form)?;
            // An error: another source was first.
            if self.ledger.set(Ledger { root, follower }).is_ok() {
                tracing::warn!(
                    source = source.base.as_str(),
                    "[ledger] has no `root`, so this source says which ledger it is: {root}. Pin it"
                );
            }
        }
        self.is_ours(&root)
    }

    /// Whether a root is the ledger's.
    pub(super) fn is_ours(&self, root: &TrustRoot) -> Result<(), Trouble> {
        match self.ledger.get() {
            Some(ledger) if ledger.root == *root => Ok(()),
            _ => Err(Trouble::OtherLedger(root.to_string())),
        }
    }

    /// Takes what a source shows as the newest block.
    async fn hear(&self, source: &Source, bytes: &[u8]) -> Result<(), Trouble> {
        let finality = Finality::read(bytes).ok_or(Trouble::Form)?;
        let last = finality.headers.last().and_then(|bytes| Header::read(bytes));
        let height = last.ok_or(Trouble::Form)?.height;
        source.health().height = height;
        if height <= self.news.borrow().height {
            return Ok(());
        }
        let height = self.check(source, &finality).await?.height;
        self.news.send_if_modified(|news| {
            let is_newer = height > news.height;
            if is_newer {
                *news = News { height, bytes: Bytes::copy_from_slice(bytes) };
            }
            is_newer
        });
        Ok(())
    }

    /// What a source shows as final, if it is.
    pub(super) async fn check(
        &self,
        source: &Source,
        finality: &Finality,
    ) -> Result<Checked, Trouble> {
        let bytes = finality.to_bytes();
        let known = self.checked().iter().find(|one| one.bytes == bytes).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let ledger = self.ledger.get().ok_or(Trouble::Form)?;
        let headers = ledger.follower.headers(&source.client, finality).await;
        let headers = headers.map_err(|error| Trouble::Unproved(error.to_string()))?;
        let (Some(first), Some(last)) = (headers.first(), headers.last()) else {
            return Err(Trouble::Form);
        };
        let (first, height) = (first.clone(), last.height);
        let new = Checked { bytes, first, height };
        self.highest.fetch_max(height, Ordering::Relaxed);
        let mut checked = self.checked();
        checked.push_front(new.clone());
        checked.truncate(CHECKED_MAX);
        Ok(new)
    }
}

/// A body that must be short, as all are that are read here.
pub(super) async fn whole(mut response: reqwest::Response) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| Trouble::of(&error))? {
        if bytes.len().saturating_add(part.len()) > LEDGER_ANSWER_BYTES_MAX {
            return Err(Trouble::Form);
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_did_not_answer_and_who_is_behind_come_last() {
        let from: Vec<String> =
            ["a", "b", "c", "d"].iter().map(|name| format!("https://{name}.example")).collect();
        let wanted = super::super::Wanted {
            from: &from,
            root: None,
            others: &[],
            asks_per_ip_per_minute: 1,
        };
        let proxies = signaling_server::Proxies::parse(&[]).unwrap();
        let forwarder = Forwarder::new(&wanted, proxies).unwrap();
        let order = || -> Vec<String> {
            let order = forwarder.order();
            order.iter().map(|source| source.base["https://".len()..][..1].to_owned()).collect()
        };
        assert!(order().is_empty(), "nobody was heard");
        assert_eq!(forwarder.refusal(), super::super::Refusal::Starting);
        for source in &forwarder.sources[..3] {
            source.rise();
            source.health().height = 7;
        }
        forwarder.sources[3].fall(&Trouble::OtherLedger("root".to_owned()));
        assert_eq!(order(), ["a", "b", "c"]);
        forwarder.highest.store(8, Ordering::Relaxed);
        forwarder.sources[1].health().height = 8;
        assert_eq!(order(), ["b", "a", "c"]);
        forwarder.sources[1].tire(&Trouble::Late);
        assert_eq!(order(), ["a", "c", "b"]);
        for source in &forwarder.sources {
            source.fall(&Trouble::Late);
        }
        assert_eq!(forwarder.refusal(), super::super::Refusal::Unreachable);
    }
}
