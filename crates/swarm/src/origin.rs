//! When the origin is asked, by whom, and for which part.
//!
//! Three reasons, tried in this order for each segment that is needed:
//!
//! 1. **Alone**: nobody to get it from. What the player asks for is fetched at once, as plain HTTP would.
//! 2. **Late**: the last responsible moment. Neighbours, by what they have shown, will not have sent the
//!    missing pieces before the segment is due; what is missing is fetched, by range if some is here.
//! 3. **Seed**: nobody has these pieces and somebody will need them within [`config::SEED_LEAD`].
//!    Those who need the segment rank each other for each *group* (an eighth) of its pieces by
//!    rendezvous hashing ([`order`]); the first fetches the group and everybody trades. One copy leaves
//!    the origin in eight parts to eight peers, so upload is spread from the first moment.
//!    If the first gives no sign (no claim, no pieces), the next takes over after [`config::BACKUP_STEP`].
//!
//! **Claims.** A fetch under way is told to neighbours ([`wire::peer::Pieces::fetching`]). A freshly
//! claimed piece is waited for, even when late; a claim without progress goes stale. When two fetch the
//! same group, the lower ranked yields at the group's edge: a crowd that starts at once, each with a
//! fetch of the whole, falls into parts without a word.
//!
//! **Large swarms.** In `n` peers with neighbourhoods of `d`, `n/(d+1)` are first in their own
//! neighbourhood. The swarm's size is told by the signaling server, so each first estimates its rank
//! among all (a uniform score) and waits one [`config::HOP`] for each doubling of that rank: the
//! segment usually arrives from the few real firsts before.

use core::time::Duration;

use primitives::{PeerId, SegmentId, Time};

use crate::{
    config,
    fetches::Fetch,
    input::FetchId,
    order,
    output::Output,
    piece::{self, PieceSet, len32},
    rate::time_for,
    segment::Segment,
    swarm::{Swarm, WakeReason},
};

/// Parts of a segment, in pieces, for the agreed fetchers.
const GROUPS: u32 = 8;
/// Segment size assumed before anybody told one.
const SIZE_GUESS: u32 = 1 << 20;
/// How soon a wait for others is looked at again.
const RECHECK: Duration = Duration::from_millis(250);

/// Pieces `first..end` of a segment; `None`: all of it, whatever its size.
pub(crate) type Part = Option<(u32, u32)>;

impl Swarm {
    /// Whether there is nobody to get anything from, and no hope of it soon.
    fn is_alone(&self) -> bool {
        self.greeted_nobody() && self.now >= self.alone_at()
    }

    /// When a fresh stream that met nobody acts as if alone. The server's word that there are others is
    /// worth a longer wait: the player gets what it needs at the last responsible moment meanwhile.
    fn alone_at(&self) -> Time {
        let wait = match self.swarm_size {
            Some(0 | 1) => return self.started,
            Some(_) => config::INTRODUCED_AFTER,
            None => config::ALONE_AFTER,
        };
        self.started + wait
    }

    fn is_young(&self) -> bool {
        self.now.since(self.started) < config::ALONE_AFTER
    }

    /// Whether the first neighbours are still to come, or to say what they have.
    fn is_introducing(&self) -> bool {
        let greeted = self.neighbours.values().filter_map(|neighbour| neighbour.greeted_at).min();
        self.is_young() && greeted.is_none_or(|first| self.now < first + config::SETTLE)
    }

    fn greeted_nobody(&self) -> bool {
        !self.neighbours.values().any(|neighbour| neighbour.greeted)
    }

    /// Starts the fetches whose moment has come and stops those that were overtaken.
    pub(crate) fn ask_origin(&mut self, needs: &[(Time, SegmentId)], out: &mut Vec<Output>) {
        self.abort_overtaken(out);
        let alone = self.is_alone();
        if !alone && self.greeted_nobody() {
            self.wake_at(self.alone_at(), WakeReason::Origin);
        }
        for (due, id) in &needs[..self.open_segments(needs)] {
            if self.fetches.len() >= config::FETCHES_MAX || self.is_line_urgent(*due) {
                break;
            }
            if self.fetches.values().any(|fetch| fetch.segment == *id) {
                continue;
            }
            if let Some(part) = self.part_to_fetch(*due, *id, alone) {
                self.fetch(*id, part, out);
            }
        }
    }

    /// How many of the needed segments may be fetched now. The nearer the first that is missing is due,
    /// the fewer share the origin with it: in a crowd that starts at once everybody fetches a part of the
    /// same few segments, and none takes the line for what is played in twenty seconds.
    fn open_segments(&self, needs: &[(Time, SegmentId)]) -> usize {
        let here = |id: &SegmentId| self.segments.get(id).is_some_and(Segment::is_held);
        let Some(first) = needs.iter().position(|(_, id)| !here(id)) else { return needs.len() };
        let ahead = needs[first].0.since(self.now);
        let open = config::OPEN.iter().find(|(within, _)| ahead <= *within);
        open.map_or(needs.len(), |(_, count)| (first + count).min(needs.len()))
    }

    /// Whether something earlier, fetched here or loaded by the player itself, is so urgent that nothing
    /// may share the line with it.
    fn is_line_urgent(&self, due: Time) -> bool {
        let soon = self.now + config::URGENT;
        let due_of = |id: SegmentId| self.timeline.due(self.now, id);
        let fetched = self.fetches.values().filter_map(|fetch| due_of(fetch.segment));
        let elsewhere = self.segments.values().filter(|s| self.now < s.elsewhere_until);
        let loaded = elsewhere.filter_map(|segment| due_of(segment.id));
        due > soon && fetched.chain(loaded).any(|other| other <= soon)
    }

    /// Whether it is known who the neighbours are and what they have: before, nothing is fetched for
    /// others or ahead of time.
    fn knows_neighbours(&mut self) -> bool {
        let greeted = self.neighbours.values().filter_map(|neighbour| neighbour.greeted_at);
        let alone_at = self.alone_at();
        let known_at = greeted.min().map_or(alone_at, |first| alone_at.min(first + config::SETTLE));
        if self.now < known_at {
            self.wake_at(known_at, WakeReason::Seed);
        }
        self.now >= known_at
    }

    fn part_to_fetch(&mut self, due: Time, id: SegmentId, alone: bool) -> Option<Part> {
        let now = self.now;
        let segment = self.segments.get(&id)?;
        let elsewhere_until = segment.elsewhere_until;
        if now < elsewhere_until {
            self.wake_at(elsewhere_until, WakeReason::Origin);
            return None;
        }
        if segment.is_held() || segment.loading || (segment.stored && !segment.wanted) {
            return None;
        }
        let waits_for_proof = segment.stored && segment.proof.is_none();
        let store_until = segment.since + config::STORE_GRACE;
        if waits_for_proof && now < store_until {
            self.wake_at(store_until, WakeReason::Origin);
            return None;
        }
        let retry_at = segment.retry_at;
        if now < retry_at {
            self.wake_at(retry_at, WakeReason::Origin);
            return None;
        }
        let wanted = segment.wanted;
        let missing = segment.missing();
        if alone {
            return wanted.then(|| first_run(&missing, segment));
        }
        self.late_part(due, id, &missing).or_else(|| self.seed_part(due, id, &missing))
    }

    /// The last responsible moment: what must come from the origin now.
    fn late_part(&mut self, due: Time, id: SegmentId, missing: &[u32]) -> Option<Part> {
        let now = self.now;
        let start = due.before(self.origin_lead(id, missing));
        if now < start {
            self.wake_at(start, WakeReason::Origin);
            return None;
        }
        let fresh = if due.since(now) < config::CLAIM_FRESH {
            config::CLAIM_FRESH_LATE
        } else {
            config::CLAIM_FRESH
        };
        self.wake_at(now + RECHECK, WakeReason::Origin);
        if missing.is_empty() {
            return (!self.is_claimed(id, 0, fresh)).then_some(None);
        }
        let (covered, orphans): (Vec<u32>, Vec<u32>) =
            missing.iter().partition(|piece| self.served_by_neighbour(id, **piece));
        let in_time = covered.is_empty()
            || self.neighbours_finish(id, &covered, due) + config::PEER_MARGIN <= due;
        let mut ours = if in_time { orphans } else { missing.to_vec() };
        ours.retain(|piece| !self.is_claimed(id, *piece, fresh));
        if ours.is_empty() {
            return None;
        }
        let contested = self
            .neighbours
            .values()
            .any(|neighbour| neighbour.has_any(id) && !neighbour.has_whole(id));
        let segment = self.segments.get(&id)?;
        if contested && segment.piecewise() {
            return self.own_run(id, &ours);
        }
        Some(first_run(&ours, segment))
    }

    /// How long before its due time a segment with these pieces missing must be asked of the origin.
    fn origin_lead(&self, id: SegmentId, missing: &[u32]) -> Duration {
        let bytes = match len32(missing.len()) {
            0 => self.size_guess(id),
            count => count.saturating_mul(wire::limits::PIECE_BYTES),
        };
        let rate = self.origin_rate.bytes_per_s().unwrap_or(config::ORIGIN_PRIOR);
        let latency = self.origin_latency.unwrap_or_default();
        let transfer = time_for(u64::from(bytes), rate) * 3 / 2;
        let may_wait = transfer <= config::INTRODUCTION_TRANSFER && self.is_introducing();
        let margin = if may_wait { config::INTRODUCTION_MARGIN } else { config::ORIGIN_MARGIN };
        let lead = latency + transfer + margin;
        lead.min(config::ORIGIN_LEAD_MAX)
    }

    /// Size of a segment that nobody told: as large as the one before it, if that is here.
    fn size_guess(&self, id: SegmentId) -> u32 {
        let before = id.index.checked_sub(1).map(|index| SegmentId::new(id.track, index));
        let known = before.and_then(|before| self.segments.get(&before)?.size_bytes());
        known.unwrap_or(SIZE_GUESS)
    }

    /// What this peer is the agreed fetcher of, and whose time has come.
    fn seed_part(&mut self, due: Time, id: SegmentId, missing: &[u32]) -> Option<Part> {
        let held = self.neighbours.values().any(|n| n.serves(self.now) && n.has_whole(id));
        if held || !self.uploads() || !self.knows_neighbours() {
            return None;
        }
        let segment = self.segments.get(&id)?;
        let proof_until = segment.since + config::PROOF_GRACE;
        if segment.proof.is_none() && self.now < proof_until {
            self.wake_at(proof_until, WakeReason::Seed);
            return None;
        }
        let candidates = self.candidates(id);
        let first_due = self.first_due(due, id);
        let entry = self.timeline.entry(id)?;
        let listed = entry.since;
        let from = first_due.before(config::SEED_LEAD).max(listed);
        let segment = self.segments.get(&id)?;
        if !segment.piecewise() {
            let start = from + self.turn(id, 0, &candidates);
            let part = first_run(missing, segment);
            return self.seed_now(start, part);
        }
        let size = segment.size_bytes()?;
        let group_pieces = piece::count(size).div_ceil(GROUPS);
        let mut parts: Vec<(Time, u32)> = Vec::new();
        for group in 0..GROUPS {
            let start = from + self.turn(id, group, &candidates);
            let pieces = group * group_pieces..(group + 1) * group_pieces;
            let open = missing.iter().copied().filter(|piece| pieces.contains(piece));
            parts.extend(
                open.filter(|piece| self.nobody_has(id, *piece)).map(|piece| (start, piece)),
            );
        }
        let soonest = parts.iter().map(|(start, _)| *start).min()?;
        if self.now < soonest {
            self.wake_at(soonest, WakeReason::Seed);
            return None;
        }
        let ready: Vec<u32> =
            parts.iter().filter(|(start, _)| *start <= self.now).map(|(_, piece)| *piece).collect();
        let later = parts.iter().map(|(start, _)| *start).filter(|start| *start > self.now).min();
        if let Some(later) = later {
            self.wake_at(later, WakeReason::Seed);
        }
        let segment = self.segments.get(&id)?;
        Some(first_run(&ready, segment))
    }

    fn seed_now(&mut self, start: Time, part: Part) -> Option<Part> {
        if self.now < start {
            self.wake_at(start, WakeReason::Seed);
            return None;
        }
        Some(part)
    }

    /// Whether a piece is neither at a neighbour, nor claimed, nor asked for.
    fn nobody_has(&self, id: SegmentId, piece: u32) -> bool {
        !self.served_by_neighbour(id, piece)
            && !self.is_claimed(id, piece, config::CLAIM_FRESH)
            && !self.is_asked(id, piece)
    }

    fn is_claimed(&self, id: SegmentId, piece: u32, fresh: Duration) -> bool {
        let piece = if self.segments.get(&id).is_some_and(Segment::piecewise) { piece } else { 0 };
        self.neighbours.values().any(|n| n.serves(self.now) && n.claims(self.now, id, piece, fresh))
    }

    /// Who could fetch it for everybody: those who upload and still need it.
    fn candidates(&self, id: SegmentId) -> Vec<PeerId> {
        let able = |n: &&crate::neighbour::Neighbour| n.serves(self.now) && n.needs(id);
        self.neighbours.values().filter(able).map(|n| n.peer).collect()
    }

    /// When the first who needs it, here or next door, needs it.
    pub(crate) fn first_due(&self, due: Time, id: SegmentId) -> Time {
        let dues = self.neighbours.values().filter(|n| n.needs(id)).filter_map(|n| {
            let (playback, told) = n.playback.as_ref()?;
            self.timeline.due_of(playback, *told, id)
        });
        dues.fold(due, Time::min)
    }

    /// How long after the agreed start it is this peer's turn to fetch a part.
    fn turn(&self, id: SegmentId, part: u32, candidates: &[PeerId]) -> Duration {
        let mine = order::score(&self.me, id, part);
        let before = candidates.iter().filter(|peer| order::score(peer, id, part) > mine).count();
        let step = config::BACKUP_STEP * len32(before);
        let size = u64::from(self.swarm_size.unwrap_or(0)).max(1);
        // Expected number of peers in the whole swarm that score higher.
        let rank = (u128::from(u64::MAX - mine) * u128::from(size)) >> 64;
        let doublings =
            (u64::try_from(rank).unwrap_or(u64::MAX) / 2).checked_ilog2().map_or(0, |log| log + 1);
        let known = len32(candidates.len()) + 1;
        // Where the neighbourhood is the swarm, its order is the swarm's order.
        if u64::from(known) + 1 >= size { step } else { step + config::HOP * doublings }
    }

    /// Of these pieces, a run in the group that this peer ranks highest in.
    fn own_run(&self, id: SegmentId, pieces: &[u32]) -> Option<Part> {
        let segment = self.segments.get(&id)?;
        let size = segment.size_bytes()?;
        let group_pieces = piece::count(size).div_ceil(GROUPS);
        let candidates = self.candidates(id);
        let group_of = |piece: &u32| piece / group_pieces;
        let best = pieces.iter().map(group_of).min_by_key(|group| {
            let mine = order::score(&self.me, id, *group);
            let before =
                candidates.iter().filter(|peer| order::score(peer, id, *group) > mine).count();
            (before, *group)
        })?;
        let run: Vec<u32> =
            pieces.iter().copied().filter(|piece| group_of(piece) == best).collect();
        Some(first_run(&run, segment))
    }

    /// Pieces this peer fetches from the origin now, as told to neighbours.
    pub(crate) fn fetching(&self, id: SegmentId) -> PieceSet {
        let mut set = PieceSet::default();
        let Some(segment) = self.segments.get(&id) else { return set };
        let fetches: Vec<&Fetch> = self.fetches.values().filter(|f| f.segment == id).collect();
        if !segment.piecewise() {
            if !fetches.is_empty() {
                set.insert(0);
            }
            return set;
        }
        for piece in segment.missing() {
            if fetches.iter().any(|fetch| fetch.brings(piece)) {
                set.insert(piece);
            }
        }
        set
    }

    /// Stops fetches whose next piece came from elsewhere, or is another's by rank.
    fn abort_overtaken(&mut self, out: &mut Vec<Output>) {
        let overtaken = |fetch: &Fetch| {
            let held = self.segments.get(&fetch.segment).is_none_or(|s| s.has(fetch.piece()));
            held || (fetch.partial.is_empty() && self.yields(fetch))
        };
        let ids: Vec<FetchId> =
            self.fetches.iter().filter(|(_, fetch)| overtaken(fetch)).map(|(id, _)| *id).collect();
        for id in ids {
            self.abort(id, out);
        }
    }

    /// Whether somebody who ranks higher fetches the group this fetch enters now.
    fn yields(&self, fetch: &Fetch) -> bool {
        let Some(segment) = self.segments.get(&fetch.segment) else { return true };
        let Some(size) = segment.size_bytes().filter(|_| segment.piecewise()) else { return false };
        let (id, piece) = (fetch.segment, fetch.piece());
        let group = piece / piece::count(size).div_ceil(GROUPS);
        let mine = order::score(&self.me, id, group);
        self.neighbours.values().any(|n| {
            n.serves(self.now)
                && order::score(&n.peer, id, group) > mine
                && n.claims(self.now, id, piece, config::CLAIM_FRESH_LATE)
        })
    }
}

/// The first run of consecutive pieces; all of the segment as one request without a range.
fn first_run(pieces: &[u32], segment: &Segment) -> Part {
    let first = *pieces.first()?;
    let mut end = first + 1;
    while pieces.contains(&end) {
        end += 1;
    }
    let all = segment.size_bytes().is_some_and(|size| first == 0 && end == piece::count(size));
    (!all).then_some((first, end))
}
