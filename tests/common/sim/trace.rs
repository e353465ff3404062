//! What one viewer saw and did, line by line, for a person who asks why.

use primitives::{PeerId, Time};
use swarm::{Channel, Input, Output};
use wire::peer::Message;

use super::viewer::Job;

/// Prints one viewer's inputs and outputs; of data frames only the last of each piece.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) viewer: usize,
    /// Lines since the last [`Trace::take`].
    lines: Vec<String>,
}

impl Trace {
    pub(crate) const fn new(viewer: usize) -> Self {
        Self { viewer, lines: Vec::new() }
    }

    pub(crate) fn note(&mut self, now: Time, text: &str) {
        self.lines.push(format!("{:>9.3} {text}", seconds(now)));
    }

    pub(crate) fn job(&mut self, now: Time, job: &Job, name: impl Fn(&PeerId) -> String) {
        let text = match job {
            Job::Frame { from, bytes } => {
                let Some(message) = shown(bytes) else { return };
                format!("{:>5} -> me    {message}", name(from))
            }
            Job::Fetched { fetch, segment, from, to } => {
                if to % wire::limits::PIECE_BYTES != 0 && to - from == 16_384 {
                    return;
                }
                format!("  origin      {segment} bytes ..{to} (fetch {})", fetch.0)
            }
            Job::Loaded(segment) => format!("  store       {segment}"),
            Job::Plain(Input::Tick) => "  tick".to_owned(),
            Job::Plain(Input::Sent { .. }) => return,
            Job::Plain(Input::Track(track)) => {
                let indices = track.segments.iter().map(|segment| segment.index);
                let (first, last) = (indices.clone().min(), indices.max());
                format!("  playlist    track {} {first:?}..={last:?}", track.track)
            }
            Job::Plain(Input::Proof { segment, .. }) => format!("  proof       {segment}"),
            Job::Plain(Input::Playback(head)) => format!(
                "  playhead    track {} at {:.1} s, buffered to {:.1} s",
                head.track,
                thousandth(head.position_ms),
                thousandth(head.buffered_ms)
            ),
            Job::Plain(Input::PeerUp(peer)) => format!("  up          {}", name(peer)),
            Job::Plain(Input::PeerDown(peer)) => format!("  down        {}", name(peer)),
            Job::Plain(other) => format!("  {other:?}"),
        };
        self.note(now, &text);
    }

    pub(crate) fn output(&mut self, now: Time, output: &Output, name: impl Fn(&PeerId) -> String) {
        let text = match output {
            Output::Send { to, channel, bytes } => {
                let shown = shown(bytes).filter(|_| *channel == Channel::Control);
                let Some(message) = shown else { return };
                format!("      me -> {:<5} {message}", name(to))
            }
            Output::Hangup { peer, why } => format!("    HANG UP   {} {why:?}", name(peer)),
            Output::Fetch { fetch, segment, from, to } => {
                format!("    FETCH     {segment} {from}..{to:?} (fetch {})", fetch.0)
            }
            Output::AbortFetch(fetch) => format!("    ABORT     fetch {}", fetch.0),
            Output::Prove(segment) => format!("    prove     {segment}"),
            Output::Store { segment, .. } => format!("    store     {segment}"),
            Output::Deliver { segment, sources, .. } => format!(
                "    DELIVER   {segment} origin {} peers {} cache {} at {} kbit/s",
                sources.origin_bytes,
                sources.peer_bytes,
                sources.cache_bytes,
                sources.bytes_per_s / 125
            ),
            Output::Event(swarm::Event::Served { .. } | swarm::Event::Received { .. }) => return,
            other => format!("    {other:?}"),
        };
        self.note(now, &text);
    }

    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}

/// A frame in words; `None` for data in the middle of a piece.
fn shown(bytes: &[u8]) -> Option<String> {
    let message = match Message::decode(bytes) {
        Ok(message) => message,
        Err(error) => return Some(format!("{error}")),
    };
    Some(match message {
        Message::Data(data) => {
            let end = data.offset + u32::try_from(data.bytes.len()).unwrap_or(0);
            let piece_ends = end % wire::limits::PIECE_BYTES == 0 || end == data.segment_bytes;
            let piece = data.offset / wire::limits::PIECE_BYTES;
            return piece_ends.then(|| format!("data {} piece {piece}", data.segment));
        }
        Message::Request(ask) => {
            let last = ask.first + ask.count - 1;
            format!("request {} {}..={last} due in {} ms", ask.segment, ask.first, ask.due_in_ms)
        }
        Message::Cancel(cancel) => {
            format!("cancel {} {} x {}", cancel.segment, cancel.first, cancel.count)
        }
        Message::Playback(at) => {
            let (missing, offset) = (at.next_missing, at.offset_ms);
            format!("playback at {} + {offset} ms, needs from {missing}", at.at)
        }
        other => format!("{other:?}"),
    })
}

fn seconds(at: Time) -> f64 {
    thousandth(at.as_us() / 1000)
}

/// Milliseconds as seconds.
fn thousandth(ms: u64) -> f64 {
    f64::from(u32::try_from(ms).unwrap_or(u32::MAX)) / 1000.0
}
