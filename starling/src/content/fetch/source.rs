//! Gateways that are asked for blocks.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::content::{Block, Candidate, Cid, limits::BLOCK_BYTES_MAX};
use reqwest::{Client, StatusCode, header};
use url::Url;

/// Most gateways of one fetch.
pub(super) const GATEWAYS_MAX: usize = 16;
/// How often one that can't be reached is asked for a block.
const TRIES: u32 = 4;
/// How often one that is busy is asked for a block.
const BUSY_TRIES: u32 = 30;
/// Wait after the first failure; doubled after each.
const WAIT_FIRST: Duration = Duration::from_millis(250);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Longest silence in an answer.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Gateways, in the order they are asked.
#[derive(Debug)]
pub struct Gateways {
    http: Client,
    all: Vec<Gateway>,
}

#[derive(Debug)]
struct Gateway {
    base: Url,
    /// Why it is asked no more.
    given_up: Mutex<Option<String>>,
}

/// Nobody gives a block.
#[derive(Debug)]
pub struct SourceError {
    /// The block.
    pub cid: Cid,
    /// Each gateway and what it did.
    pub tried: Vec<(String, String)>,
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no gateway gave block {}", self.cid)?;
        self.tried.iter().try_for_each(|(gateway, why)| write!(f, "; {gateway} {why}"))
    }
}

impl std::error::Error for SourceError {}

/// What went wrong with one answer.
enum Trouble {
    /// It does not have the block: others may.
    Absent,
    /// It is busy: in so long.
    Busy(Duration),
    /// It failed: perhaps not the next time.
    Failed(String),
    /// It sent something else: it is not asked again.
    Lied(String),
}

impl Gateways {
    /// Gateways at these addresses; more than 16 are not asked.
    ///
    /// # Errors
    /// The system's TLS can't be set up.
    pub fn new(addresses: &[Url]) -> Result<Self, reqwest::Error> {
        let http = Client::builder().connect_timeout(CONNECT_WITHIN).read_timeout(SILENCE_MAX);
        let all = addresses.iter().take(GATEWAYS_MAX);
        let gateway = |base: &Url| Gateway { base: base.clone(), given_up: Mutex::new(None) };
        Ok(Self { http: http.build()?, all: all.map(gateway).collect() })
    }

    /// Gateways that were given up, and why.
    pub fn given_up(&self) -> Vec<(String, String)> {
        let of = |gateway: &Gateway| Some((gateway.name(), gateway.given_up()?));
        self.all.iter().filter_map(of).collect()
    }

    /// A block, from the first that has it.
    ///
    /// # Errors
    /// None gives it.
    pub async fn block(&self, cid: Cid) -> Result<Block, SourceError> {
        let mut tried = Vec::new();
        for gateway in &self.all {
            let why = match gateway.given_up() {
                Some(why) => why,
                None => match gateway.block(&self.http, cid).await {
                    Ok(block) => return Ok(block),
                    Err(why) => why,
                },
            };
            tried.push((gateway.name(), why));
        }
        Err(SourceError { cid, tried })
    }
}

impl Gateway {
    fn name(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    fn given_up(&self) -> Option<String> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks no more: the first reason counts.
    fn give_up(&self, why: &str) {
        let mut given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        if given_up.is_none() {
            tracing::warn!("{} {why}; it is not asked again", self.name());
            *given_up = Some(why.to_owned());
        }
    }

    async fn block(&self, http: &Client, cid: Cid) -> Result<Block, String> {
        let (mut failed, mut busy, mut wait) = (0, 0, WAIT_FIRST);
        loop {
            match self.try_block(http, cid).await {
                Ok(block) => return Ok(block),
                Err(Trouble::Absent) => return Err("does not have it".to_owned()),
                Err(Trouble::Lied(why)) => {
                    self.give_up(&why);
                    return Err(why);
                }
                Err(Trouble::Busy(pause)) => {
                    busy += 1;
                    if busy == BUSY_TRIES {
                        return Err("is busy".to_owned());
                    }
                    tokio::time::sleep(pause).await;
                }
                Err(Trouble::Failed(why)) => {
                    failed += 1;
                    if failed == TRIES {
                        self.give_up(&why);
                        return Err(why);
                    }
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
            }
            if let Some(why) = self.given_up() {
                return Err(why);
            }
        }
    }

    async fn try_block(&self, http: &Client, cid: Cid) -> Result<Block, Trouble> {
        let failed = |error: &reqwest::Error| Trouble::Failed(reason(error));
        let request = http.get(self.url(cid)).header(header::ACCEPT, "application/vnd.ipld.raw");
        let mut answer = request.send().await.map_err(|error| failed(&error))?;
        match answer.status() {
            StatusCode::OK => {}
            // The last: it looked elsewhere, and nobody gave it in time.
            StatusCode::NOT_FOUND
            | StatusCode::GONE
            | StatusCode::PRECONDITION_FAILED
            | StatusCode::GATEWAY_TIMEOUT => return Err(Trouble::Absent),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                return Err(Trouble::Busy(pause(&answer)));
            }
            status => return Err(Trouble::Failed(format!("answered {status}"))),
        }
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| failed(&error))? {
            if bytes.len() + part.len() > BLOCK_BYTES_MAX {
                let why = format!("sent more than {BLOCK_BYTES_MAX} bytes as block {cid}");
                return Err(Trouble::Lied(why));
            }
            bytes.extend_from_slice(&part);
        }
        let verified = Candidate { cid, bytes }.verify();
        verified.map_err(|_| Trouble::Lied(format!("sent other bytes as block {cid}")))
    }

    fn url(&self, cid: Cid) -> Url {
        let mut url = self.base.clone();
        let path = url.path().trim_end_matches('/').trim_end_matches("/ipfs").to_owned();
        url.set_path(&format!("{path}/ipfs/{cid}"));
        url.set_query(Some("format=raw"));
        url.set_fragment(None);
        url
    }
}

/// How long it asks us to wait; a few seconds at most.
fn pause(answer: &reqwest::Response) -> Duration {
    let asked = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let seconds = asked.and_then(|seconds| seconds.parse().ok()).unwrap_or(1_u64);
    Duration::from_secs(seconds.clamp(1, 5))
}

/// The innermost cause: what a person can do something about.
fn reason(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    format!("failed: {cause}")
}
