//! The signaling server's witness: it fetches a segment once for everybody and signs what it saw.

use core::time::Duration;

use primitives::{Hash, PeerId, SegmentId, SortedMap, SwarmId, Time};
use swarm::Proof;
use wire::{
    limits::{PIECE_BYTES, SEGMENT_BYTES_MAX, URL_BYTES_MAX},
    signaling::{Base64, ErrorCode, WitnessStatement},
};

use super::{Context, Found, Health};
use crate::{effect::Effect, problems::wrong, urls};

/// Most statements asked for at a time.
const ASKED_MAX: usize = 4;
/// The server fetches a whole segment: give it time.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Attempts for one segment.
const TRIES_MAX: u32 = 2;
/// A server that refused this stream is asked again after this.
const AGAIN: Duration = Duration::from_secs(300);
/// Wait after "too many", unless the server names one.
const BUSY: Duration = Duration::from_secs(5);
/// Longest wait a server may ask for.
const BUSY_MAX: Duration = Duration::from_secs(600);

/// The statements of one stream.
#[derive(Debug)]
pub(super) struct WitnessSource {
    swarm: SwarmId,
    pub(super) health: Health,
    server: Option<PeerId>,
    asks: SortedMap<SegmentId, Ask>,
    /// Not asked before, by the server's wish.
    pause_until: Time,
}

#[derive(Debug)]
enum Ask {
    Asking { id: u32, url: String, by: Time, tries: u32 },
    Again { at: Time, tries: u32 },
    Done(Option<Proof>),
}

impl WitnessSource {
    pub(super) fn new(swarm: SwarmId) -> Self {
        Self {
            swarm,
            health: Health::Unknown,
            server: None,
            asks: SortedMap::new(),
            pause_until: Time::ZERO,
        }
    }

    pub(super) fn find(&mut self, segment: SegmentId, cx: &mut Context<'_>) -> Found {
        let tries = match self.asks.get(&segment) {
            Some(Ask::Done(_)) => {
                let Some(Ask::Done(proof)) = self.asks.remove(&segment) else {
                    return Found::Wait;
                };
                return proof.map_or(Found::Nothing, Found::Proof);
            }
            Some(Ask::Asking { .. }) => return Found::Wait,
            Some(Ask::Again { at, .. }) if *at > cx.now => return Found::Wait,
            Some(Ask::Again { tries, .. }) => *tries,
            None => 0,
        };
        let url = cx.listing.url(segment).filter(|url| url.range.is_none());
        let askable = |url: &String| urls::is_http(url) && url.len() <= URL_BYTES_MAX;
        let Some(url) = url.map(|url| url.url.clone()).filter(askable) else {
            self.asks.remove(&segment);
            return Found::Nothing;
        };
        if self.health.has_failed(cx.now) {
            self.asks.remove(&segment);
            return Found::Nothing;
        }
        let asking = self.asks.values().filter(|ask| matches!(ask, Ask::Asking { .. })).count();
        let most = if self.health == Health::Works { ASKED_MAX } else { 1 };
        if cx.server.is_none() || asking >= most {
            // Taken up when an answer or a server comes; its own time must not wake anybody.
            self.asks.remove(&segment);
            return Found::Wait;
        }
        if self.pause_until > cx.now {
            self.asks.insert(segment, Ask::Again { at: self.pause_until, tries });
            return Found::Wait;
        }
        let id = cx.ids.witness();
        let by = cx.now + TIMEOUT;
        self.asks.insert(segment, Ask::Asking { id, url: url.clone(), by, tries });
        cx.fx.push_back(Effect::Witness { id, url });
        Found::Wait
    }

    /// A statement counts when the server of this very connection signed it and it is about the URL
    /// that was asked for.
    pub(super) fn on_statement(
        &mut self,
        id: u32,
        statement: &WitnessStatement,
        signature: &Base64,
        cx: &mut Context<'_>,
    ) -> bool {
        let Some((segment, asked_url)) = self.asked(id) else { return false };
        let signed = cx.server.is_some_and(|server| statement.verify(&server, signature).is_ok());
        let proof = if signed && statement.url == asked_url { pieces_of(statement) } else { None };
        if proof.is_some() {
            self.health = Health::Works;
        } else {
            self.health = Health::Failed(cx.now + AGAIN);
            let what =
                "the signaling server's witness statement is not what it signed or was asked";
            wrong(cx.fx, Some(self.swarm), "witness-forged", what, "Use another signaling server.");
        }
        self.asks.insert(segment, Ask::Done(proof));
        true
    }

    pub(super) fn on_refused(
        &mut self,
        id: u32,
        code: ErrorCode,
        retry_after_ms: Option<u32>,
        now: Time,
    ) -> bool {
        let Some((segment, _)) = self.asked(id) else { return false };
        let ask = match code {
            ErrorCode::TooMany => {
                let asked = retry_after_ms.map(|ms| Duration::from_millis(u64::from(ms)));
                self.pause_until = now + asked.unwrap_or(BUSY).min(BUSY_MAX);
                Ask::Again { at: self.pause_until, tries: 0 }
            }
            ErrorCode::HelloFirst | ErrorCode::NotJoined => self.again(segment, now),
            ErrorCode::Unfetched => Ask::Done(None),
            ErrorCode::NoWitness => {
                self.health = Health::Failed(Time::NEVER);
                Ask::Done(None)
            }
            ErrorCode::Forbidden | ErrorCode::BadMessage | ErrorCode::BadProof => {
                self.health = Health::Failed(now + AGAIN);
                Ask::Done(None)
            }
        };
        self.asks.insert(segment, ask);
        true
    }

    /// A new connection: what was asked on the old one is asked again.
    pub(super) fn on_server(&mut self, server: Option<PeerId>) {
        if server.is_some() && self.server != server {
            self.server = server;
            self.health = Health::Unknown;
        }
        self.pause_until = Time::ZERO;
        self.asks.retain(|_, ask| matches!(ask, Ask::Done(_)));
    }

    pub(super) fn tick(&mut self, now: Time) {
        let late = |ask: &Ask| matches!(ask, Ask::Asking { by, .. } if *by <= now);
        let late: Vec<SegmentId> =
            self.asks.iter().filter(|(_, ask)| late(ask)).map(|(id, _)| *id).collect();
        for segment in late {
            let ask = self.again(segment, now);
            self.asks.insert(segment, ask);
        }
    }

    pub(super) fn wake(&self) -> Time {
        let at = self.asks.values().filter_map(|ask| match ask {
            Ask::Asking { by, .. } => Some(*by),
            Ask::Again { at, .. } => Some(*at),
            Ask::Done(_) => None,
        });
        at.min().unwrap_or(Time::NEVER)
    }

    fn again(&self, segment: SegmentId, now: Time) -> Ask {
        match self.asks.get(&segment) {
            Some(Ask::Asking { tries, .. }) if tries + 1 < TRIES_MAX => {
                Ask::Again { at: now + BUSY, tries: tries + 1 }
            }
            _ => Ask::Done(None),
        }
    }

    fn asked(&self, id: u32) -> Option<(SegmentId, String)> {
        self.asks.iter().find_map(|(segment, ask)| match ask {
            Ask::Asking { id: asked, url, .. } if *asked == id => Some((*segment, url.clone())),
            Ask::Asking { .. } | Ask::Again { .. } | Ask::Done(_) => None,
        })
    }
}

/// The digests of a statement, if there are as many as its size has pieces.
fn pieces_of(statement: &WitnessStatement) -> Option<Proof> {
    let segment_bytes = statement.size_bytes;
    let (digests, rest) = statement.pieces.0.as_chunks::<32>();
    let count = usize::try_from(segment_bytes.div_ceil(PIECE_BYTES)).ok()?;
    let sound = (1..=SEGMENT_BYTES_MAX).contains(&segment_bytes)
        && rest.is_empty()
        && digests.len() == count;
    let pieces = digests.iter().map(|digest| Hash::new(*digest)).collect();
    sound.then_some(Proof::Pieces { segment_bytes, pieces })
}
