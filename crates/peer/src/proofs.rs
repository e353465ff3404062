//! What a segment must hash to, from the strongest source there is.
//!
//! | order | source | trusted because |
//! |---|---|---|
//! | 1 | the signed manifest beside the playlist | the page pinned the publisher, or the key seen first |
//! | 2 | the origin's `Repr-Digest` by HEAD | the origin's own word, as good as its bytes |
//! | 3 | the signaling server's witness | it fetched the segment itself and signed what it saw |
//!
//! A pinned publisher is the only source: nothing weaker is asked. Which source works is decided once
//! per stream, not per segment; sources that failed are tried again after a while, and segments that
//! had no proof get one then. Nothing here holds up playing: the swarm asks the origin meanwhile.

mod digest;
mod manifest;
mod witness;

use core::time::Duration;

use primitives::{PeerId, SegmentId, SortedMap, SortedSet, SwarmId, Time};
use swarm::Proof;
use wire::signaling::{Base64, ErrorCode, WitnessStatement};

use crate::{
    Integrity, RequestId, StreamConfig,
    effect::{Effect, Effects, Ids},
    input::{HttpAnswer, HttpError},
    problems::wrong,
    stream::Listing,
    view::IntegrityView,
};
use digest::DigestSource;
use manifest::ManifestSource;
use witness::WitnessSource;

/// Most segments whose proof is looked for at a time.
const WAITING_MAX: usize = swarm::config::SEGMENTS_MAX;
/// Most segments without a proof that are remembered, to be proved when a source comes back.
const MISSING_MAX: usize = 1024;
/// A small request without an answer for this long failed.
const HTTP_TIMEOUT: Duration = Duration::from_secs(30);

/// What the sources need of the rest of the peer.
pub(crate) struct Context<'a> {
    pub(crate) now: Time,
    pub(crate) listing: &'a Listing,
    pub(crate) ids: &'a mut Ids,
    /// The key of the signaling server, while it can be asked.
    pub(crate) server: Option<PeerId>,
    pub(crate) fx: &'a mut Effects,
}

/// What one source says of one segment.
enum Found {
    Proof(Proof),
    /// Asked, or to be asked soon.
    Wait,
    /// Not from here.
    Nothing,
}

/// What is known of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Unknown,
    Works,
    /// Not asked again before then.
    Failed(Time),
}

impl Health {
    fn has_failed(self, now: Time) -> bool {
        matches!(self, Self::Failed(until) if until > now)
    }
}

/// Which source a waiting segment is at.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Manifest,
    Digest,
    Witness,
}

/// All sources of one stream.
#[derive(Debug)]
pub(crate) struct Proofs {
    swarm: SwarmId,
    unchecked: bool,
    pinned: bool,
    manifest: ManifestSource,
    digest: DigestSource,
    witness: WitnessSource,
    waiting: SortedMap<SegmentId, Stage>,
    missing: SortedSet<SegmentId>,
    /// The strongest source that worked when segments were last moved on.
    worked: IntegrityView,
    shown: IntegrityView,
}

impl Proofs {
    /// `trusted`: the publisher whose manifest this stream had when it was open before.
    pub(crate) fn new(swarm: SwarmId, config: &StreamConfig, trusted: Option<PeerId>) -> Self {
        let (unchecked, pin) = match config.integrity {
            Integrity::Best { publisher } => (false, publisher),
            Integrity::None => (true, None),
        };
        Self {
            swarm,
            unchecked,
            pinned: pin.is_some(),
            manifest: ManifestSource::new(swarm, &config.playlist_url, pin, trusted),
            digest: DigestSource::default(),
            witness: WitnessSource::new(swarm),
            waiting: SortedMap::new(),
            missing: SortedSet::new(),
            worked: IntegrityView::Unknown,
            shown: if unchecked { IntegrityView::Unchecked } else { IntegrityView::Unknown },
        }
    }

    /// Asks for the manifest, so that it is here before the first segment needs it.
    pub(crate) fn start(&mut self, cx: &mut Context<'_>) {
        if !self.unchecked {
            self.manifest.start(cx);
        }
    }

    /// The swarm wants to know.
    pub(crate) fn prove(&mut self, segment: SegmentId, cx: &mut Context<'_>) {
        if self.unchecked {
            return self.answer(segment, Proof::Unchecked, cx);
        }
        if self.waiting.len() >= WAITING_MAX && !self.waiting.contains_key(&segment) {
            return self.answer(segment, Proof::Missing, cx);
        }
        self.waiting.entry(segment).or_insert(Stage::Manifest);
        self.advance(segment, cx);
        self.show(cx);
    }

    /// The answer to a request, if it is one of ours.
    pub(crate) fn on_http(
        &mut self,
        request: RequestId,
        answer: &Result<HttpAnswer, HttpError>,
        cx: &mut Context<'_>,
    ) -> bool {
        let ours =
            self.manifest.on_http(request, answer, cx) || self.digest.on_http(request, answer, cx);
        if ours {
            self.settle(cx);
        }
        ours
    }

    /// A witness statement, if it is one of ours.
    pub(crate) fn on_witness(
        &mut self,
        id: u32,
        statement: &WitnessStatement,
        signature: &Base64,
        cx: &mut Context<'_>,
    ) -> bool {
        let ours = self.witness.on_statement(id, statement, signature, cx);
        if ours {
            self.settle(cx);
        }
        ours
    }

    /// The server refused a witness request.
    pub(crate) fn on_witness_refused(
        &mut self,
        id: u32,
        code: ErrorCode,
        retry_after_ms: Option<u32>,
        cx: &mut Context<'_>,
    ) {
        if self.witness.on_refused(id, code, retry_after_ms, cx.now) {
            self.settle(cx);
        }
    }

    /// A server can be asked: what was asked of an earlier one is asked again.
    pub(crate) fn on_server(&mut self, cx: &mut Context<'_>) {
        self.witness.on_server(cx.server);
        self.settle(cx);
    }

    /// Deadlines and retries.
    pub(crate) fn tick(&mut self, cx: &mut Context<'_>) {
        if self.wake() > cx.now {
            return;
        }
        self.manifest.tick(cx);
        self.digest.tick(cx.now);
        self.witness.tick(cx.now);
        self.settle(cx);
    }

    pub(crate) fn wake(&self) -> Time {
        let sources = self.manifest.wake().min(self.digest.wake()).min(self.witness.wake());
        if self.unchecked { Time::NEVER } else { sources }
    }

    /// The key whose manifest is in force.
    pub(crate) fn publisher(&self) -> Option<PeerId> {
        self.manifest.publisher()
    }

    pub(crate) fn view(&self) -> IntegrityView {
        self.shown
    }

    /// Moves every waiting segment on as far as it goes, and takes up those without a proof when a
    /// source works that did not.
    fn settle(&mut self, cx: &mut Context<'_>) {
        for segment in self.waiting.keys().copied().collect::<Vec<_>>() {
            self.advance(segment, cx);
        }
        let after = self.working(cx.now);
        let before = std::mem::replace(&mut self.worked, after);
        let proves = matches!(
            after,
            IntegrityView::Manifest | IntegrityView::Digest | IntegrityView::Witness
        );
        self.show(cx);
        if proves && after != before {
            for segment in std::mem::take(&mut self.missing) {
                self.waiting.insert(segment, Stage::Manifest);
                self.advance(segment, cx);
            }
        }
    }

    fn advance(&mut self, segment: SegmentId, cx: &mut Context<'_>) {
        while let Some(stage) = self.waiting.get(&segment).copied() {
            let (found, next) = match stage {
                Stage::Manifest if self.pinned => (self.manifest.find(segment, cx), None),
                Stage::Manifest => (self.manifest.find(segment, cx), Some(Stage::Digest)),
                Stage::Digest => (self.digest.find(segment, cx), Some(Stage::Witness)),
                Stage::Witness => (self.witness.find(segment, cx), None),
            };
            match (found, next) {
                (Found::Proof(proof), _) => self.answer(segment, proof, cx),
                (Found::Wait, _) => return,
                (Found::Nothing, Some(next)) => {
                    self.waiting.insert(segment, next);
                }
                (Found::Nothing, None) => self.answer(segment, Proof::Missing, cx),
            }
        }
    }

    fn answer(&mut self, segment: SegmentId, proof: Proof, cx: &mut Context<'_>) {
        self.waiting.remove(&segment);
        if proof == Proof::Missing {
            self.missing.insert(segment);
            if self.missing.len() > MISSING_MAX {
                self.missing.pop_first();
            }
        } else {
            self.missing.remove(&segment);
        }
        cx.fx.push_back(Effect::Proof { swarm: self.swarm, segment, proof });
    }

    /// The strongest source that works now.
    fn working(&self, now: Time) -> IntegrityView {
        if self.manifest.is_open() {
            IntegrityView::Manifest
        } else if self.pinned {
            if self.manifest.is_absent() { IntegrityView::HttpOnly } else { IntegrityView::Unknown }
        } else if self.digest.health == Health::Works {
            IntegrityView::Digest
        } else if self.witness.health == Health::Works {
            IntegrityView::Witness
        } else if self.manifest.is_absent()
            && self.digest.health.has_failed(now)
            && self.witness.health.has_failed(now)
        {
            IntegrityView::HttpOnly
        } else {
            IntegrityView::Unknown
        }
    }

    /// Brings what is shown up to date.
    fn show(&mut self, cx: &mut Context<'_>) {
        let now_shown = match self.working(cx.now) {
            // Between two sources the last known stays: the page should not flicker.
            IntegrityView::Unknown => self.shown,
            known => known,
        };
        if now_shown == self.shown {
            return;
        }
        self.shown = now_shown;
        if now_shown == IntegrityView::HttpOnly {
            let what = "nobody can say what the segments must be, so none are taken from peers";
            let remedy = "Publish the stream with `starling publish`, let its server send \
                          Repr-Digest, or use a signaling server that witnesses this origin.";
            wrong(cx.fx, Some(self.swarm), "no-integrity", what, remedy);
        } else {
            cx.fx.push_back(Effect::Right(Some(self.swarm), "no-integrity"));
        }
    }
}
