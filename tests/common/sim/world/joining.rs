//! Viewers come, meet, part and go.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use netsim::{Lane, OFFLINE, Path};
use primitives::{PeerId, SwarmId, Time};
use swarm::{Input, Limits, Swarm};
use wire::peer::{Have, Message, Run};

use super::{ORIGIN, Timer, World, host_number, viewer_of};
use crate::sim::{
    player::Player,
    viewer::{Counts, Job, Life, Role, Viewer},
};

/// ICE, DTLS and SCTP take about three round trips and this.
const CONNECT_TIME: Duration = Duration::from_millis(300);
/// One-way latency to the signaling server.
const SIGNALING_ONE_WAY: Duration = Duration::from_millis(15);
/// When a page dies without a word, its neighbours' connections fail after this.
const DEATH_NOTICE: Duration = Duration::from_secs(8);
/// A liar repeats its boast this often.
const BOAST_EVERY: Duration = Duration::from_secs(3);

impl World {
    pub(super) fn plan_joins(&mut self) {
        let count = self.scenario.viewers;
        let gap = self.scenario.joining / count.max(1);
        // A crowd that comes at once still loads its pages in some tenths of a second.
        let jitter_us = u64::try_from(gap.as_micros()).unwrap_or(0).clamp(300_000, 1_000_000);
        for number in 0..count {
            let at = Time::ZERO + gap * number + Duration::from_micros(self.rng.u64(0..jitter_us));
            self.add_viewer(at);
        }
    }

    fn add_viewer(&mut self, at: Time) {
        let viewer = self.viewers.len();
        let id = PeerId::new(*self.seed.derive(&format!("viewer {viewer}")).as_bytes());
        let host = self.net.add_host(self.scenario.access_of(viewer));
        debug_assert_eq!(host.index(), host_number(viewer), "hosts follow viewers");
        self.net.open_http(host, ORIGIN, Path::https(self.scenario.origin_one_way));
        self.by_peer.insert(id, viewer);
        self.audit.add_viewer();
        self.viewers.push(Viewer {
            id,
            host,
            role: self.scenario.role_of(viewer),
            joined_at: at,
            life: None,
            left: false,
            past: None,
            counts: Counts::default(),
        });
        if self.viewers[viewer].role == Role::Honest {
            self.unfinished.insert(viewer);
        }
        self.net.set_timer(at, Timer::Join(viewer));
    }

    pub(super) fn join(&mut self, viewer: usize) {
        let now = self.net.now();
        let id = self.viewers[viewer].id;
        let config = swarm::Config { swarm: SwarmId::new([7; 32]), ..swarm::Config::default() };
        let seed = self.seed.derive(&format!("swarm {viewer}"));
        self.viewers[viewer].joined_at = now;
        self.viewers[viewer].life = Some(Life {
            swarm: Swarm::new(config, id, seed, now),
            player: Player::new(now, self.scenario.bits_per_s.clone()),
            neighbours: BTreeSet::new(),
            fetches: BTreeMap::new(),
            stored: BTreeSet::new(),
            wake_at: Time::NEVER,
            timer_at: Time::NEVER,
            spins: 0,
            player_timer_at: Time::NEVER,
            listed: BTreeSet::new(),
            first_listed: None,
            parts: BTreeSet::new(),
            unsent: BTreeMap::new(),
        });
        if let Some(memory_bytes) = self.scenario.memory_bytes {
            let limits = Limits { memory_bytes, ..Limits::default() };
            self.queue(viewer, Job::Plain(Input::Limits(limits)));
        }
        // The multivariant playlist, then the media playlist.
        self.net.set_timer(now + self.origin_answer_time() * 2, Timer::Playlist(viewer));
        let phase = Duration::from_millis(self.rng.u64(0..1000));
        self.net.set_timer(now + phase, Timer::Playhead(viewer));
        // WebSocket, challenge and hello: three round trips.
        self.net.set_timer(now + SIGNALING_ONE_WAY * 6, Timer::Introduce(viewer, usize::MAX));
        if let Some(mean) = self.scenario.mean_stay {
            let stay = mean * self.rng.u32(25..=175) / 100;
            if now + stay < Time::ZERO + self.scenario.joining + self.scenario.churn_for {
                self.net.set_timer(now + stay, Timer::Leave(viewer));
            }
        }
    }

    pub(super) fn leave(&mut self, viewer: usize) {
        let now = self.net.now();
        let Some(life) = self.viewers[viewer].life.take() else { return };
        let subject = &mut self.viewers[viewer];
        subject.left = true;
        subject.counts.present_ms = now.as_ms() - subject.joined_at.as_ms();
        self.unfinished.remove(&viewer);
        let polite = self.rng.bool();
        let notice = if polite { Duration::ZERO } else { DEATH_NOTICE };
        self.net.remove_host(subject.host, notice);
        self.audit.remove_viewer(viewer);
        self.tracker.leave(viewer);
        self.last_words(viewer, life);
        let pause = Duration::from_millis(self.rng.u64(0..3_000));
        self.add_viewer(now + pause);
    }

    /// Keeps the scores of a viewer that left, without its swarm's memory.
    fn last_words(&mut self, viewer: usize, mut life: Life) {
        life.fetches.clear();
        let trace_line = format!("  left after {} stalls", life.player.score.stalls);
        let now = self.net.now();
        if let Some(trace) = self.trace.as_mut().filter(|trace| trace.viewer == viewer) {
            trace.note(now, &trace_line);
        }
        self.viewers[viewer].past = Some(life.player);
    }

    /// The signaling server answers a hello or a call for neighbours.
    pub(super) fn introduce(&mut self, viewer: usize, wanted: usize) {
        if self.viewers[viewer].life.is_none() {
            return;
        }
        let now = self.net.now();
        if self.scenario.plain {
            self.queue(viewer, Job::Plain(Input::SwarmSize(1)));
            return;
        }
        if self.is_offline(viewer) {
            let again = Timer::Introduce(viewer, wanted);
            self.net.set_timer(now + Duration::from_secs(2), again);
            return;
        }
        self.tracker.join(viewer);
        self.queue(viewer, Job::Plain(Input::SwarmSize(self.tracker.size())));
        for other in self.tracker.introduce(now, viewer, wanted) {
            let trip = self.scenario.path_between(viewer, other).round_trip();
            let at = now + trip * 3 + CONNECT_TIME;
            self.net.set_timer(at, Timer::Connect(viewer, other));
        }
    }

    /// Whether a viewer is offline now.
    pub(super) fn is_offline(&self, viewer: usize) -> bool {
        let now = self.net.now();
        let cut = self.scenario.cut.filter(|cut| cut.offline && viewer % 2 == 1);
        cut.is_some_and(|cut| cut.from <= now && now < cut.until)
    }

    /// The data channels of two viewers open.
    pub(super) fn connect(&mut self, viewer: usize, other: usize) {
        let path = self.scenario.path_between(viewer, other);
        let (a, b) = (self.viewers[viewer].host, self.viewers[other].host);
        let alive = |v: usize| self.viewers[v].life.is_some();
        if !alive(viewer) || !alive(other) || !self.net.connect(a, b, path) {
            self.tracker.unlink(viewer, other);
            return;
        }
        for (one, two) in [(viewer, other), (other, viewer)] {
            let peer = self.viewers[two].id;
            let Some(life) = &mut self.viewers[one].life else { continue };
            life.neighbours.insert(two);
            let count = life.neighbours.len();
            let counts = &mut self.viewers[one].counts;
            counts.neighbours_max = counts.neighbours_max.max(count);
            self.queue(one, Job::Plain(Input::PeerUp(peer)));
            if self.viewers[one].role == Role::Boasts {
                let at = self.net.now() + Duration::from_millis(100);
                self.net.set_timer(at, Timer::Boast(one, two));
            }
        }
    }

    /// A liar tells a neighbour that it has everything.
    pub(super) fn boast(&mut self, viewer: usize, other: usize) {
        let Some(life) = &self.viewers[viewer].life else { return };
        if !life.neighbours.contains(&other) {
            return;
        }
        for track in (0_u16..).take(self.scenario.bits_per_s.len()) {
            let added = vec![Run { first: 0, count: 1_000 }];
            let bytes = Message::Have(Have { track, added, removed: Vec::new() }).encode_to_vec();
            let (from, to) = (self.viewers[viewer].host, self.viewers[other].host);
            self.net.send(from, to, Lane::Control, bytes);
        }
        self.net.set_timer(self.net.now() + BOAST_EVERY, Timer::Boast(viewer, other));
    }

    pub(super) fn on_closed(&mut self, viewer: usize, other: usize) {
        self.tracker.unlink(viewer, other);
        let peer = self.viewers[other].id;
        let Some(life) = &mut self.viewers[viewer].life else { return };
        life.unsent.remove(&other);
        if life.neighbours.remove(&other) {
            self.queue(viewer, Job::Plain(Input::PeerDown(peer)));
        }
    }

    /// Closes a connection from this side.
    pub(super) fn hang_up(&mut self, viewer: usize, other: usize, for_good: bool) {
        let now = self.net.now();
        self.tracker.part(now, viewer, other, for_good);
        let (a, b) = (self.viewers[viewer].host, self.viewers[other].host);
        debug_assert_eq!(viewer_of(a), viewer, "hosts follow viewers");
        self.net.disconnect(a, b);
        if let Some(life) = &mut self.viewers[viewer].life {
            life.neighbours.remove(&other);
            life.unsent.remove(&other);
        }
    }

    /// Every second viewer loses its network, or sight of the others; or gets it back.
    pub(super) fn set_cut(&mut self, starts: bool) {
        let offline = self.scenario.cut.is_some_and(|cut| cut.offline);
        let side = if offline { OFFLINE } else { 1 };
        for viewer in (1..self.viewers.len()).step_by(2) {
            let host = self.viewers[viewer].host;
            self.net.set_side(host, if starts { side } else { 0 });
        }
    }
}
