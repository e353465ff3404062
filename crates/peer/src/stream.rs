//! One open stream: its swarm, where its segments are fetched, what they must be, what flowed.

mod listing;

use primitives::{PeerId, SegmentId, SortedMap, SwarmId, Time};
use swarm::{FetchId, Swarm};
use wire::signaling::ToServer;

use crate::{
    Integrity, Output, StreamConfig,
    effect::{Effect, Effects},
    history::{History, Way},
    problems::wrong,
    proofs::Proofs,
};
pub(crate) use listing::Listing;

/// Everything of one stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: SwarmId,
    pub(crate) config: StreamConfig,
    /// How often the app opened it less how often it closed it.
    pub(crate) opened: u32,
    pub(crate) swarm: Swarm,
    pub(crate) swarm_wake: Time,
    pub(crate) proofs: Proofs,
    pub(crate) listing: Listing,
    pub(crate) history: History,
    /// Peers in the swarm by the server's word.
    pub(crate) size: u32,
    /// Where the player is: media sequence number.
    position: Option<u32>,
    /// Origin fetches under way.
    fetches: SortedMap<FetchId, SegmentId>,
}

impl Stream {
    pub(crate) fn new(
        config: StreamConfig,
        me: PeerId,
        trusted: Option<PeerId>,
        seed: primitives::Seed,
        now: Time,
    ) -> Self {
        let id = config.swarm_id();
        let refuse_forged = matches!(config.integrity, Integrity::Best { publisher: Some(_) });
        let core = swarm::Config { swarm: id, refuse_forged };
        Self {
            id,
            opened: 1,
            swarm: Swarm::new(core, me, seed.derive(&id.to_string()), now),
            swarm_wake: now,
            proofs: Proofs::new(id, &config, trusted),
            listing: Listing::default(),
            history: History::new(now),
            size: 0,
            position: None,
            fetches: SortedMap::new(),
            config,
        }
    }

    /// Hands the swarm one input and turns what it asks for into effects.
    pub(crate) fn step(
        &mut self,
        now: Time,
        input: swarm::Input<'_>,
        fx: &mut Effects,
    ) -> Vec<Ask> {
        let (mut out, mut asks) = (Vec::new(), Vec::new());
        self.swarm_wake = self.swarm.step(now, input, &mut out).at;
        for output in out {
            asks.extend(self.perform(now, output, fx));
        }
        asks
    }

    pub(crate) fn set_track(&mut self, now: Time, list: Listed, fx: &mut Effects) -> Vec<Ask> {
        self.listing.set(&list.track, list.urls);
        self.step(now, swarm::Input::Track(list.track), fx)
    }

    pub(crate) fn set_playhead(
        &mut self,
        now: Time,
        playhead: swarm::Playhead,
        fx: &mut Effects,
    ) -> Vec<Ask> {
        self.position = self.listing.at(playhead.track, playhead.position_ms).or(self.position);
        self.step(now, swarm::Input::Playback(playhead), fx)
    }

    /// Bytes of an origin fetch came.
    pub(crate) fn on_fetched(
        &mut self,
        now: Time,
        fetch: FetchId,
        told_bytes: Option<u32>,
        bytes: &[u8],
        fx: &mut Effects,
    ) -> Vec<Ask> {
        let Some(segment) = self.fetches.get(&fetch).copied() else { return Vec::new() };
        self.history.add(now, Way::Origin, bytes.len());
        fx.push_back(Effect::Right(Some(self.id), "origin-refused"));
        // The origin tells the size of the file; a byte-range segment is as long as its range.
        let ranged = self.listing.url(segment).and_then(|url| url.range);
        let segment_bytes = match ranged {
            Some((first, end)) => u32::try_from(end.saturating_sub(first)).ok(),
            None => told_bytes,
        };
        self.step(now, swarm::Input::Fetched { fetch, segment_bytes, bytes }, fx)
    }

    pub(crate) fn on_fetch_ended(
        &mut self,
        now: Time,
        fetch: FetchId,
        fx: &mut Effects,
    ) -> Vec<Ask> {
        match self.fetches.remove(&fetch) {
            Some(_) => self.step(now, swarm::Input::FetchEnded { fetch }, fx),
            None => Vec::new(),
        }
    }

    pub(crate) fn on_fetch_failed(
        &mut self,
        now: Time,
        fetch: FetchId,
        status: u16,
        fx: &mut Effects,
    ) -> Vec<Ask> {
        if self.fetches.remove(&fetch).is_none() {
            return Vec::new();
        }
        if status == 0 {
            let what = "the video's server gave no answer, or does not let this page read it";
            let remedy = "Check the connection. The video's server must allow this site (CORS: \
                          Access-Control-Allow-Origin).";
            wrong(fx, Some(self.id), "origin-refused", what, remedy);
        }
        self.step(now, swarm::Input::FetchFailed { fetch, status }, fx)
    }

    /// Stops all origin fetches: the app closed the stream.
    pub(crate) fn abort_all(&mut self, fx: &mut Effects) {
        for fetch in std::mem::take(&mut self.fetches).into_keys() {
            fx.push_back(Effect::Out(Output::AbortFetch { swarm: self.id, fetch }));
        }
    }

    /// What to say to be introduced.
    pub(crate) fn join(&self, want: usize) -> ToServer {
        let region = self.config.region.clone();
        let site = self.config.site.clone();
        ToServer::Join {
            swarm: self.id,
            want: clamp_want(want),
            region: region.filter(|text| text.len() <= wire::limits::REGION_BYTES_MAX),
            site: site.filter(|text| text.len() <= wire::limits::TOKEN_BYTES_MAX),
            position: self.position,
        }
    }

    /// What to say to be introduced to others.
    pub(crate) fn more(&self, want: usize, except: Vec<PeerId>) -> ToServer {
        ToServer::More { swarm: self.id, want: clamp_want(want), except, position: self.position }
    }

    fn perform(&mut self, now: Time, output: swarm::Output, fx: &mut Effects) -> Option<Ask> {
        let swarm = self.id;
        let out = match output {
            swarm::Output::Send { to, channel, bytes } => {
                return Some(Ask::Send { to, channel, bytes });
            }
            swarm::Output::Hangup { peer, why } => return Some(Ask::HangUp(peer, why)),
            swarm::Output::Prove(segment) => return Some(Ask::Prove(segment)),
            swarm::Output::Event(event) => return self.on_event(now, event, fx),
            swarm::Output::Fetch { fetch, segment, from, to } => {
                self.fetches.insert(fetch, segment);
                match self.listing.fetch(segment, from, to) {
                    Some((url, range, segment_at)) => {
                        Output::Fetch { swarm, fetch, url, range, segment_at }
                    }
                    None => {
                        fx.push_back(Effect::Unfetchable { swarm, fetch });
                        return None;
                    }
                }
            }
            swarm::Output::Adopt { fetch, segment } => {
                self.fetches.insert(fetch, segment);
                Output::Adopt { swarm, fetch, segment }
            }
            swarm::Output::AbortFetch(fetch) => {
                self.fetches.remove(&fetch)?;
                Output::AbortFetch { swarm, fetch }
            }
            swarm::Output::Store { segment, bytes } => Output::Store { swarm, segment, bytes },
            swarm::Output::Load(segment) => Output::Load { swarm, segment },
            swarm::Output::Deliver { segment, bytes, sources } => {
                Output::Deliver { swarm, segment, bytes, sources }
            }
            swarm::Output::Fail { segment, status, forged } => {
                Output::Fail { swarm, segment, status, forged }
            }
        };
        fx.push_back(Effect::Out(out));
        None
    }

    fn on_event(&mut self, now: Time, event: swarm::Event, fx: &mut Effects) -> Option<Ask> {
        match event {
            swarm::Event::Served { bytes, .. } => {
                self.history.add(now, Way::Upload, usize::try_from(bytes).unwrap_or(usize::MAX));
            }
            swarm::Event::Received { bytes, .. } => {
                self.history.add(now, Way::Peer, usize::try_from(bytes).unwrap_or(usize::MAX));
            }
            swarm::Event::Misbehaved { peer, why: swarm::HangupReason::WrongBytes } => {
                let what =
                    format!("peer {peer:?} sent wrong bytes and was cut; nothing was played");
                wrong(fx, Some(self.id), "peer-lied", what, "");
            }
            swarm::Event::OriginMismatch(segment) => {
                let what = format!("the origin's segment {segment} is not what was signed");
                let remedy = "The publisher should publish the stream again after changing it.";
                wrong(fx, Some(self.id), "origin-mismatch", what, remedy);
            }
            swarm::Event::NeighboursWanted(count) => return Some(Ask::Neighbours(count)),
            swarm::Event::Misbehaved { .. } | swarm::Event::Completed { .. } => {}
        }
        None
    }
}

/// What a swarm asks of the other parts.
#[derive(Debug)]
pub(crate) enum Ask {
    Send { to: PeerId, channel: swarm::Channel, bytes: Vec<u8> },
    HangUp(PeerId, swarm::HangupReason),
    Prove(SegmentId),
    Neighbours(u16),
}

/// A track with the URL of each of its segments.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) track: swarm::Track,
    pub(crate) urls: Vec<crate::SegmentUrl>,
}

/// A count of neighbours as the server takes it.
pub(crate) fn clamp_want(want: usize) -> u16 {
    u16::try_from(want.min(wire::limits::NEIGHBOURS_MAX)).unwrap_or(0)
}
