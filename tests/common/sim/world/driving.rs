//! The pump of each viewer: one input, one step, its outputs, and the checks of every step.

use netsim::Lane;
use primitives::{PeerId, SegmentId, Time};
use swarm::{Channel, Event, HangupReason, Input, Output, Wake};
use wire::{limits::FRAME_BYTES_MAX, peer::Message};

use super::{Timer, World};
use crate::sim::viewer::{Job, Role, Viewer};

/// Steps in a row that may ask to be woken at once.
const SPINS_MAX: u32 = 50;
/// Reading a segment from the store takes this long.
const STORE_LATENCY: std::time::Duration = std::time::Duration::from_millis(5);

impl World {
    /// Works off the queue.
    pub(super) fn work(&mut self) {
        while let Some((viewer, job)) = self.jobs.pop_front() {
            self.step(viewer, &job);
        }
    }

    fn step(&mut self, viewer: usize, job: &Job) {
        let now = self.net.now();
        self.trace_job(viewer, job);
        let held = match job {
            Job::Fetched { segment, .. } => Some(self.content.bytes(*segment)),
            Job::Loaded(segment) => {
                let life = self.viewers[viewer].life.as_ref();
                let stored = life.is_some_and(|life| life.stored.contains(segment));
                stored.then(|| self.content.bytes(*segment))
            }
            Job::Plain(_) | Job::Frame { .. } => None,
        };
        let input = match job {
            Job::Plain(input) => input.clone(),
            Job::Frame { from, bytes } => Input::Frame { from: *from, bytes },
            Job::Loaded(segment) => Input::Loaded { segment: *segment, bytes: held.as_deref() },
            Job::Fetched { fetch, from, to, .. } => {
                let bytes = held.as_deref().unwrap_or_default();
                let segment_bytes = u32::try_from(bytes.len()).ok();
                Input::Fetched {
                    fetch: *fetch,
                    segment_bytes,
                    bytes: &bytes[index(*from)..index(*to)],
                }
            }
        };
        let Some(life) = &mut self.viewers[viewer].life else { return };
        let mut outputs = Vec::new();
        let started_ns = self.options.stopwatch.map(|clock| clock());
        let wake = life.swarm.step(now, input, &mut outputs);
        let ended_ns = self.options.stopwatch.map(|clock| clock());
        let counts = &mut self.viewers[viewer].counts;
        counts.steps += 1;
        if let (Some(start), Some(end)) = (started_ns, ended_ns) {
            counts.step_ns += end - start;
            counts.step_ns_max = counts.step_ns_max.max(end - start);
        }
        self.set_wake(viewer, wake, matches!(job, Job::Plain(Input::Tick)));
        for output in outputs {
            self.perform(viewer, output);
        }
    }

    /// Sets the one timer of this viewer's swarm.
    fn set_wake(&mut self, viewer: usize, wake: Wake, ticked: bool) {
        let now = self.net.now();
        let Some(life) = &mut self.viewers[viewer].life else { return };
        life.wake_at = wake.at;
        life.spins = if ticked && wake.at <= now { life.spins + 1 } else { 0 };
        if life.spins > SPINS_MAX {
            life.wake_at = Time::from_ms(now.as_ms() + 100);
            life.spins = 0;
            self.problem(viewer, &format!("asks to be woken at once, again and again: {:?}", wake));
        }
        self.arm_wake(viewer);
    }

    fn arm_wake(&mut self, viewer: usize) {
        let Some(life) = &mut self.viewers[viewer].life else { return };
        if life.wake_at < life.timer_at {
            life.timer_at = life.wake_at;
            self.net.set_timer(life.wake_at, Timer::Wake(viewer));
        }
    }

    pub(super) fn wake_timer(&mut self, viewer: usize) {
        let now = self.net.now();
        let Some(life) = &mut self.viewers[viewer].life else { return };
        if now < life.timer_at {
            // An earlier timer took this one's place.
            return;
        }
        life.timer_at = Time::NEVER;
        if life.wake_at <= now {
            self.queue(viewer, Job::Plain(Input::Tick));
        } else {
            self.arm_wake(viewer);
        }
    }

    fn perform(&mut self, viewer: usize, output: Output) {
        self.trace_output(viewer, &output);
        match output {
            Output::Send { to, channel, bytes } => self.send(viewer, to, channel, bytes),
            Output::Hangup { peer, why } => {
                let for_good = why == HangupReason::WrongBytes;
                self.hang_up(viewer, self.by_peer[&peer], for_good);
            }
            Output::Fetch { fetch, segment, from, to } => {
                self.fetch(viewer, fetch, segment, (from, to));
            }
            // Simulated players hand nothing over: their first segment is the swarm's from the start.
            Output::Adopt { .. } => self.problem(viewer, "adopts what was not handed over"),
            Output::AbortFetch(fetch) => self.abort(viewer, fetch),
            Output::Prove(segment) => self.prove(viewer, segment),
            Output::Store { segment, bytes } => {
                self.check_bytes(viewer, segment, &bytes, "stored");
                if let Some(life) = &mut self.viewers[viewer].life {
                    life.stored.insert(segment);
                }
            }
            Output::Load(segment) => {
                let at = self.net.now() + STORE_LATENCY;
                self.net.set_timer(at, Timer::Loaded(viewer, segment));
            }
            Output::Deliver { segment, bytes, sources } => {
                self.check_bytes(viewer, segment, &bytes, "delivered");
                self.delivered(viewer, segment, bytes.len(), sources.bytes_per_s);
            }
            Output::Fail { segment, .. } => self.failed(viewer, segment),
            Output::Event(event) => self.on_event(viewer, event),
        }
    }

    fn check_bytes(&mut self, viewer: usize, segment: SegmentId, bytes: &[u8], how: &str) {
        if *self.content.bytes(segment) != *bytes {
            self.problem(viewer, &format!("wrong bytes of {segment} {how}"));
        }
    }

    fn on_event(&mut self, viewer: usize, event: Event) {
        match event {
            Event::Misbehaved { peer, why } => {
                let accused = self.by_peer[&peer];
                if self.viewers[accused].role == Role::Honest {
                    self.problem(viewer, &format!("accuses honest viewer {accused}: {why:?}"));
                }
            }
            Event::OriginMismatch(segment) => {
                self.problem(viewer, &format!("takes the origin's bytes of {segment} for forged"));
            }
            Event::NeighboursWanted(count) => {
                let at = self.net.now() + std::time::Duration::from_millis(200);
                self.net.set_timer(at, Timer::Introduce(viewer, usize::from(count)));
            }
            Event::Served { .. } | Event::Received { .. } | Event::Completed { .. } => {}
        }
    }

    fn send(&mut self, viewer: usize, to: PeerId, channel: Channel, mut bytes: Vec<u8>) {
        let Some(other) = self.by_peer.get(&to).copied() else {
            return self.problem(viewer, "sends to a peer that does not exist");
        };
        if bytes.len() > FRAME_BYTES_MAX {
            self.problem(viewer, &format!("sends a frame of {} bytes", bytes.len()));
        }
        let role = self.viewers[viewer].role;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let Viewer { life: Some(life), counts, .. } = &mut self.viewers[viewer] else { return };
        if !life.neighbours.contains(&other) {
            return self.problem(viewer, &format!("sends to viewer {other}, no neighbour"));
        }
        let lane = match channel {
            Channel::Control => {
                counts.control_out_bytes += size;
                counts.control_out_frames += 1;
                Lane::Control
            }
            Channel::Payload => {
                let unsent = life.unsent.entry(other).or_default();
                *unsent += size;
                counts.unsent_bytes_max = counts.unsent_bytes_max.max(*unsent);
                Lane::Payload
            }
        };
        match (lane, role) {
            (Lane::Payload, Role::Mute) => return self.on_sent(viewer, other, size),
            (Lane::Payload, Role::Corrupts) => {
                if let Some(last) = bytes.last_mut() {
                    *last ^= 0x10;
                }
            }
            _ => {}
        }
        if lane == Lane::Payload {
            self.viewers[viewer].counts.payload_out_bytes += size;
        }
        let (from, to) = (self.viewers[viewer].host, self.viewers[other].host);
        self.net.send(from, to, lane, bytes);
    }

    pub(super) fn on_sent(&mut self, viewer: usize, other: usize, bytes: u64) {
        let to = self.viewers[other].id;
        let Some(life) = &mut self.viewers[viewer].life else { return };
        let Some(unsent) = life.unsent.get_mut(&other) else { return };
        *unsent = unsent.saturating_sub(bytes);
        self.queue(viewer, Job::Plain(Input::Sent { to, bytes }));
    }

    /// Counts a data frame that arrived.
    pub(super) fn note_data(&mut self, viewer: usize, _from: usize, bytes: &[u8]) {
        let Ok(Message::Data(data)) = Message::decode(bytes) else { return };
        let end = data.offset + u32::try_from(data.bytes.len()).unwrap_or(0);
        self.viewers[viewer].counts.payload_in_bytes += u64::from(end - data.offset);
        self.audit.came(viewer, data.segment, (data.offset, end), None);
    }

    fn trace_job(&mut self, viewer: usize, job: &Job) {
        let now = self.net.now();
        let by_peer = &self.by_peer;
        if let Some(trace) = self.trace.as_mut().filter(|trace| trace.viewer == viewer) {
            trace.job(now, job, |peer| format!("v{}", by_peer[peer]));
        }
    }

    fn trace_output(&mut self, viewer: usize, output: &Output) {
        let now = self.net.now();
        let by_peer = &self.by_peer;
        if let Some(trace) = self.trace.as_mut().filter(|trace| trace.viewer == viewer) {
            trace.output(now, output, |peer| format!("v{}", by_peer[peer]));
        }
    }
}

fn index(offset: u32) -> usize {
    usize::try_from(offset).expect("an offset in a segment held in memory")
}
