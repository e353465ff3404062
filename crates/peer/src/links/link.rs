//! One `RTCPeerConnection` and where its negotiation stands.

use core::time::Duration;

use primitives::{PeerId, SwarmId, Time};
use wire::{limits::CANDIDATE_BYTES_MAX, signaling::Signal};

use crate::{
    Output, RtcConfig,
    effect::{Effect, Effects},
    input::LinkId,
};

/// Longest wait from the first step to open data channels.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Most candidates kept of each side until they can be used.
pub(crate) const CANDIDATES_MAX: usize = 32;
/// Most frames kept that come before both channels are open.
const EARLY_FRAMES_MAX: usize = 16;

/// One connection, or an attempt at one.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: LinkId,
    pub(crate) swarm: SwarmId,
    pub(crate) remote: PeerId,
    /// Names the attempt; chosen by the dialler.
    pub(crate) connection: u32,
    /// Whether we dialled.
    pub(crate) dialled: bool,
    pub(crate) open: bool,
    pub(crate) stage: Stage,
    /// Since when the other side does not answer, until something is done about it.
    pub(crate) interrupted: Option<Time>,
    /// Until then the channels must be open, or a restart answered.
    pub(crate) deadline: Time,
    /// Whether it was made to go through a relay only.
    pub(crate) relay_only: bool,
    pub(crate) relayed: Option<bool>,
    pub(crate) rtt_ms: Option<u32>,
    /// Whether the remote description is set, so that remote candidates can be used.
    pub(crate) remote_set: bool,
    remote_candidates: Vec<Candidate>,
    local_candidates: Vec<Candidate>,
    /// Our offer and its candidates, until it is answered.
    said: Vec<Signal>,
    pub(crate) early_frames: Vec<Vec<u8>>,
}

/// A candidate line and its media identification.
pub(crate) type Candidate = (String, Option<String>);

/// Where the exchange of descriptions stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The driver makes our offer.
    Offering,
    /// It is with the remote.
    Offered,
    /// The driver makes our answer.
    Answering,
    /// Both descriptions are exchanged.
    Settled,
}

impl Link {
    pub(crate) fn new(id: LinkId, pair: (SwarmId, PeerId), connection: u32, now: Time) -> Self {
        Self {
            id,
            swarm: pair.0,
            remote: pair.1,
            connection,
            dialled: false,
            open: false,
            stage: Stage::Answering,
            interrupted: None,
            deadline: now + CONNECT_TIMEOUT,
            relay_only: false,
            relayed: None,
            rtt_ms: None,
            remote_set: false,
            remote_candidates: Vec::new(),
            local_candidates: Vec::new(),
            said: Vec::new(),
            early_frames: Vec::new(),
        }
    }

    /// Looks for new paths for the same connection.
    pub(crate) fn restart(&mut self, now: Time, rtc: RtcConfig, fx: &mut Effects) {
        self.stage = Stage::Offering;
        self.interrupted = None;
        self.said.clear();
        self.relay_only = rtc.relay_only;
        self.deadline = now + CONNECT_TIMEOUT;
        fx.push_back(Effect::Out(Output::RestartIce { link: self.id, rtc }));
    }

    /// Whether this end makes or has made the offer that is not answered yet.
    pub(crate) fn is_asking(&self) -> bool {
        matches!(self.stage, Stage::Offering | Stage::Offered)
    }

    /// Hands our description over; candidates may follow it.
    pub(crate) fn describe(&mut self, signal: Signal, fx: &mut Effects) {
        self.said.clear();
        self.say(signal, fx);
        for (candidate, mid) in std::mem::take(&mut self.local_candidates) {
            self.tell_candidate(candidate, mid, fx);
        }
    }

    /// The remote description is set in the driver.
    pub(crate) fn remote_described(&mut self, fx: &mut Effects) {
        self.remote_set = true;
        for (candidate, mid) in std::mem::take(&mut self.remote_candidates) {
            fx.push_back(Effect::Out(Output::RemoteCandidate { link: self.id, candidate, mid }));
        }
    }

    pub(crate) fn on_local_candidate(&mut self, candidate: Candidate, fx: &mut Effects) {
        if !fits(&candidate) {
            return;
        }
        if matches!(self.stage, Stage::Offered | Stage::Settled) {
            self.tell_candidate(candidate.0, candidate.1, fx);
        } else if self.local_candidates.len() < CANDIDATES_MAX {
            self.local_candidates.push(candidate);
        }
    }

    pub(crate) fn on_remote_candidate(&mut self, candidate: Candidate, fx: &mut Effects) {
        if !fits(&candidate) {
            return;
        }
        if self.remote_set {
            let (candidate, mid) = candidate;
            fx.push_back(Effect::Out(Output::RemoteCandidate { link: self.id, candidate, mid }));
        } else if self.remote_candidates.len() < CANDIDATES_MAX {
            self.remote_candidates.push(candidate);
        }
    }

    /// Keeps a frame until both channels are open; `false`: too many came.
    pub(crate) fn keep_early(&mut self, bytes: Vec<u8>) -> bool {
        let room = self.early_frames.len() < EARLY_FRAMES_MAX;
        if room {
            self.early_frames.push(bytes);
        }
        room
    }

    fn tell_candidate(&mut self, candidate: String, mid: Option<String>, fx: &mut Effects) {
        let signal = Signal::Candidate { connection: self.connection, candidate, mid };
        self.say(signal, fx);
    }

    fn say(&mut self, signal: Signal, fx: &mut Effects) {
        if self.stage == Stage::Offered && self.said.len() <= CANDIDATES_MAX {
            self.said.push(signal.clone());
        }
        fx.push_back(Effect::Signal { swarm: self.swarm, to: self.remote, signal });
    }

    /// The remote restarts as well, and ours is the one that counts: it may have been lost with the
    /// network that the remote left. Once only: offers of a stranger must not make many of ours.
    pub(crate) fn say_again(&mut self, fx: &mut Effects) {
        for signal in std::mem::take(&mut self.said) {
            fx.push_back(Effect::Signal { swarm: self.swarm, to: self.remote, signal });
        }
    }
}

fn fits((candidate, mid): &Candidate) -> bool {
    candidate.len() <= CANDIDATE_BYTES_MAX
        && mid.as_ref().is_none_or(|mid| mid.len() <= CANDIDATE_BYTES_MAX)
}
