//! The signed manifest `starling.json` and its parts, fetched as segments are asked for.

use core::time::Duration;

use media::{MANIFEST_NAME, Manifest, ManifestError, Part, Rendition};
use primitives::{PeerId, SegmentId, SortedMap, SwarmId, Time};
use swarm::Proof;

use super::{Context, Found, HTTP_TIMEOUT};
use crate::{
    Output, RequestId,
    effect::Effect,
    input::{HttpAnswer, HttpError},
    problems::wrong,
    urls,
};

/// Most parts kept; the least recently used goes. 32 parts of 64 segments are 2 hours.
pub(super) const PARTS_MAX: usize = 32;
/// Attempts before a manifest or part that can't be reached counts as absent for a while.
const TRIES_MAX: u32 = 4;
/// Attempts for a live part that is not there yet: with the waits below, ten seconds.
const LIVE_TRIES_MAX: u32 = 8;
/// First and longest wait between attempts.
const WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// First and longest wait for a live part that is not there yet.
const LIVE_WAIT: (Duration, Duration) = (Duration::from_millis(400), Duration::from_secs(2));
/// An absent manifest is looked for again after this: it could not be reached, it was not there.
const AGAIN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(300));

/// The manifest of one stream.
#[derive(Debug)]
pub(super) struct ManifestSource {
    swarm: SwarmId,
    url: String,
    /// File name of the playlist that plays.
    playlist: String,
    pinned: Option<PeerId>,
    /// Pinned, or seen first.
    publisher: Option<PeerId>,
    state: State,
    tries: u32,
    parts: SortedMap<(u16, u32), (PartState, Time)>,
}

#[derive(Debug)]
enum State {
    /// Not asked for yet.
    Idle,
    Asking {
        request: RequestId,
        by: Time,
        /// What segments are told meanwhile: `true` after it counted as absent.
        absent: bool,
    },
    Retry(Time),
    Absent(Time),
    Open(Manifest),
}

#[derive(Debug)]
enum PartState {
    Asking { request: RequestId, by: Time, tries: u32 },
    Retry { at: Time, tries: u32 },
    Absent(Time),
    Here(Part),
}

/// What an HTTP answer means for the thing asked for.
enum Meaning<'a> {
    Body(&'a [u8]),
    /// It is not there.
    Absent,
    /// Nobody knows: ask again.
    Trouble,
}

impl ManifestSource {
    pub(super) fn new(
        swarm: SwarmId,
        playlist_url: &str,
        pinned: Option<PeerId>,
        trusted: Option<PeerId>,
    ) -> Self {
        Self {
            swarm,
            url: urls::beside(playlist_url, MANIFEST_NAME),
            playlist: urls::file_name(playlist_url).to_owned(),
            pinned,
            publisher: pinned.or(trusted),
            state: State::Idle,
            tries: 0,
            parts: SortedMap::new(),
        }
    }

    pub(super) fn start(&mut self, cx: &mut Context<'_>) {
        self.ask(cx);
    }

    pub(super) fn publisher(&self) -> Option<PeerId> {
        self.publisher
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self.state, State::Absent(_) | State::Asking { absent: true, .. })
    }

    pub(super) fn find(&mut self, id: SegmentId, cx: &mut Context<'_>) -> Found {
        let State::Open(manifest) = &self.state else {
            return if self.is_absent() { Found::Nothing } else { Found::Wait };
        };
        let Some(rendition) = self.rendition(manifest, id.track) else { return Found::Nothing };
        let listed = rendition.first..rendition.first.saturating_add(rendition.count);
        if !manifest.live && !listed.contains(&id.index) {
            return Found::Nothing;
        }
        let number = manifest.part_of(id.index);
        let url = urls::beside(&self.url, &rendition.part_url(number));
        let key = (rendition.track, number);
        match self.parts.get_mut(&key) {
            Some((PartState::Here(part), used)) => {
                *used = cx.now;
                return part.segment(id.index).map_or(Found::Nothing, |entry| {
                    Found::Proof(Proof::Pieces {
                        segment_bytes: entry.size_bytes,
                        pieces: entry.pieces.clone(),
                    })
                });
            }
            Some((PartState::Absent(until), _)) if *until > cx.now => return Found::Nothing,
            Some((PartState::Asking { .. }, _)) => return Found::Wait,
            Some((PartState::Retry { at, .. }, _)) if *at > cx.now => return Found::Wait,
            Some((PartState::Absent(_) | PartState::Retry { .. }, _)) | None => {}
        }
        self.ask_part(key, url, cx);
        Found::Wait
    }

    /// The rendition that plays as `track`. Folders may hold several playlists: a media playlist of the
    /// manifest played alone is track 0 here and its own track there.
    fn rendition<'a>(&self, manifest: &'a Manifest, track: u16) -> Option<&'a Rendition> {
        if manifest.playlist == self.playlist {
            return manifest.rendition(track);
        }
        manifest
            .renditions
            .iter()
            .find(|rendition| track == 0 && rendition.playlist == self.playlist)
    }

    pub(super) fn on_http(
        &mut self,
        request: RequestId,
        answer: &Result<HttpAnswer, HttpError>,
        cx: &mut Context<'_>,
    ) -> bool {
        if matches!(self.state, State::Asking { request: asked, .. } if asked == request) {
            self.on_manifest(meaning(answer), cx);
            return true;
        }
        let asked = |state: &PartState| matches!(state, PartState::Asking { request: asked, .. } if *asked == request);
        let Some(key) = self.parts.iter().find(|(_, (s, _))| asked(s)).map(|(key, _)| *key) else {
            return false;
        };
        self.on_part(key, meaning(answer), cx);
        true
    }

    pub(super) fn tick(&mut self, cx: &mut Context<'_>) {
        match self.state {
            State::Asking { by, .. } if by <= cx.now => self.on_manifest(Meaning::Trouble, cx),
            State::Retry(at) | State::Absent(at) if at <= cx.now => {
                self.ask(cx);
            }
            State::Idle
            | State::Asking { .. }
            | State::Retry(_)
            | State::Absent(_)
            | State::Open(_) => {}
        }
        let late =
            |state: &PartState| matches!(state, PartState::Asking { by, .. } if *by <= cx.now);
        let keys: Vec<_> =
            self.parts.iter().filter(|(_, (s, _))| late(s)).map(|(key, _)| *key).collect();
        for key in keys {
            self.on_part(key, Meaning::Trouble, cx);
        }
    }

    pub(super) fn wake(&self) -> Time {
        let own = match &self.state {
            State::Asking { by, .. } => *by,
            State::Retry(at) | State::Absent(at) => *at,
            State::Idle | State::Open(_) => Time::NEVER,
        };
        let parts = self.parts.values().filter_map(|(state, _)| match state {
            PartState::Asking { by, .. } => Some(*by),
            PartState::Retry { at, .. } => Some(*at),
            PartState::Absent(_) | PartState::Here(_) => None,
        });
        own.min(parts.min().unwrap_or(Time::NEVER))
    }

    /// Always past the browser's cache, as the parts: an old manifest over new segments would have
    /// the origin's bytes taken for forged.
    fn ask(&mut self, cx: &mut Context<'_>) {
        let request = cx.ids.request();
        let absent = self.is_absent();
        self.state = State::Asking { request, by: cx.now + HTTP_TIMEOUT, absent };
        let url = self.url.clone();
        cx.fx.push_back(Effect::Out(Output::Http { request, url, head: false, fresh: true }));
    }

    fn on_manifest(&mut self, meaning: Meaning<'_>, cx: &mut Context<'_>) {
        let now = cx.now;
        match meaning {
            Meaning::Body(body) => match Manifest::open(body) {
                Ok(manifest) => self.on_opened(manifest, cx),
                Err(error) => {
                    // A server that answers everything with its start page has no manifest.
                    if !matches!(error, ManifestError::Envelope | ManifestError::TooLarge { .. }) {
                        self.refused(&error, cx);
                    }
                    self.set_absent(now + AGAIN.1, cx);
                }
            },
            Meaning::Absent => self.set_absent(now + AGAIN.1, cx),
            Meaning::Trouble if self.is_absent() => self.set_absent(now + AGAIN.0, cx),
            Meaning::Trouble => {
                self.tries += 1;
                // Without a pin weaker sources wait: a refusal by CORS looks just like trouble.
                let tries = if self.pinned.is_some() { TRIES_MAX } else { 2 };
                if self.tries < tries {
                    self.state = State::Retry(now + doubled(WAIT, self.tries));
                } else {
                    self.set_absent(now + AGAIN.0, cx);
                }
            }
        }
    }

    fn on_opened(&mut self, manifest: Manifest, cx: &mut Context<'_>) {
        let found = manifest.publisher;
        match self.publisher {
            Some(expected) if expected != found => {
                let code =
                    if self.pinned.is_some() { "publisher-mismatch" } else { "publisher-changed" };
                let what = format!("the manifest is signed by {found}, not by {expected}");
                let remedy = "If the publisher's key really changed, use the new key in the page.";
                wrong(cx.fx, Some(self.swarm), code, what, remedy);
                self.set_absent(cx.now + AGAIN.1, cx);
            }
            Some(_) | None if !self.covers(&manifest) => {
                let what = format!("the manifest says nothing of {}", self.playlist);
                let remedy = "Publish the folder again with this playlist.";
                wrong(cx.fx, Some(self.swarm), "manifest-refused", what, remedy);
                self.set_absent(cx.now + AGAIN.1, cx);
            }
            Some(_) | None => {
                self.publisher = Some(found);
                self.state = State::Open(manifest);
                for code in ["publisher-mismatch", "manifest-missing"] {
                    cx.fx.push_back(Effect::Right(Some(self.swarm), code));
                }
            }
        }
    }

    /// Whether the manifest is about the playlist that plays.
    fn covers(&self, manifest: &Manifest) -> bool {
        manifest.playlist == self.playlist || self.rendition(manifest, 0).is_some()
    }

    fn set_absent(&mut self, until: Time, cx: &mut Context<'_>) {
        self.tries = 0;
        if self.pinned.is_some() && !self.is_absent() {
            let what = format!("no manifest of the pinned publisher at {}", self.url);
            let remedy =
                "Publish the stream with `starling publish`, or take the pin off the page.";
            wrong(cx.fx, Some(self.swarm), "manifest-missing", what, remedy);
        }
        self.state = State::Absent(until);
    }

    fn ask_part(&mut self, key: (u16, u32), url: String, cx: &mut Context<'_>) {
        let tries = match self.parts.get(&key) {
            Some((PartState::Retry { tries, .. }, _)) => *tries,
            _ => 0,
        };
        self.make_room(key);
        let request = cx.ids.request();
        let by = cx.now + HTTP_TIMEOUT;
        self.parts.insert(key, (PartState::Asking { request, by, tries }, cx.now));
        cx.fx.push_back(Effect::Out(Output::Http { request, url, head: false, fresh: true }));
    }

    fn on_part(&mut self, key: (u16, u32), meaning: Meaning<'_>, cx: &mut Context<'_>) {
        let (State::Open(manifest), Some((PartState::Asking { tries, .. }, _))) =
            (&self.state, self.parts.get(&key))
        else {
            return;
        };
        let (live, tries) = (manifest.live, tries + 1);
        let retry = |wait| PartState::Retry { at: cx.now + doubled(wait, tries), tries };
        let state = match meaning {
            Meaning::Body(body) => match manifest.open_part(key.0, key.1, body) {
                Ok(part) => PartState::Here(part),
                Err(error) => {
                    self.refused(&error, cx);
                    PartState::Absent(cx.now + AGAIN.0)
                }
            },
            Meaning::Absent if live && tries < LIVE_TRIES_MAX => retry(LIVE_WAIT),
            Meaning::Absent => PartState::Absent(cx.now + AGAIN.0),
            Meaning::Trouble if tries < TRIES_MAX => retry(WAIT),
            Meaning::Trouble => PartState::Absent(cx.now + AGAIN.0),
        };
        self.parts.insert(key, (state, cx.now));
    }

    fn refused(&self, error: &ManifestError, cx: &mut Context<'_>) {
        let what = format!("the stream's manifest is not to be trusted: {error}");
        let remedy = "Publish the stream again with `starling publish`.";
        wrong(cx.fx, Some(self.swarm), "manifest-refused", what, remedy);
    }

    /// Forgets the least recently used part that is not being asked for.
    fn make_room(&mut self, key: (u16, u32)) {
        if self.parts.len() < PARTS_MAX || self.parts.contains_key(&key) {
            return;
        }
        let idle = |state: &PartState| !matches!(state, PartState::Asking { .. });
        let oldest = self.parts.iter().filter(|(_, (state, _))| idle(state));
        if let Some(key) = oldest.min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key) {
            self.parts.remove(&key);
        }
    }
}

fn meaning(answer: &Result<HttpAnswer, HttpError>) -> Meaning<'_> {
    match answer {
        Ok(HttpAnswer { status: 200..=299, body, .. }) => Meaning::Body(body),
        Ok(HttpAnswer { status: 408 | 429 | 500..=599, .. }) => Meaning::Trouble,
        Ok(_) | Err(HttpError::TooLong) => Meaning::Absent,
        Err(HttpError::Unreachable) => Meaning::Trouble,
    }
}

/// The wait before attempt `tries`, which counts from 1.
fn doubled((first, longest): (Duration, Duration), tries: u32) -> Duration {
    first.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(longest)
}
