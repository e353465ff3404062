//! Neighbours of this page's shares that follow the same ledger: asked when no server is of use, answered while one is.
//!
//! A neighbour is to the light client what a server is: checked alike, named when it lies. Answers come out of what the
//! light client proved here, so that a server's lie is not handed on. A neighbour's question goes to servers only
//! ([`light_client::Input::ProveFor`]): none goes round. Frames: `wire::near`; why: `docs/adr/0066-proofs-of-neighbours.md`.

use light_client::{Fault, QueryId, RequestId, ServerId};
use primitives::PeerId;

/// Most neighbours known at a time, those that lied and left among them. More are not heard.
const NEIGHBOURS_MAX: usize = 16;
/// Most neighbours asked at a time.
const ASKED_NEIGHBOURS_MAX: usize = 4;
/// How long one that shows no block is asked while others wait for its place, in milliseconds.
const SHOWS_NOTHING_MS: u64 = 10_000;
/// Most questions to neighbours remembered; the oldest are forgotten, and their answers not heard.
const ASKED_MAX: usize = 128;
/// Neighbours' questions under way, of all and of one.
const RELAYED_MAX: (usize, usize) = (16, 6);
/// Most proofs kept for the next neighbour that asks for the same.
const PROOFS_MAX: usize = 32;
/// What a neighbour may ask at once, and after how long it may ask one more, in milliseconds.
const BUDGET: (u64, u64) = (32, 125);
/// What handing on a transaction takes of that.
pub(crate) const SUBMIT_COST: u64 = 8;
/// What leaving a voucher takes of that: two proofs.
pub(crate) const KEEP_COST: u64 = 2;
/// For how long a neighbour that asked for the newest block is told of newer ones, in milliseconds: it asks again
/// every 15 s.
const FOLLOWED_MS: u64 = 60_000;
/// How often it is told of one, in milliseconds.
const TELL_EVERY_MS: u64 = 2_000;
/// Without a server that is of use for this long, neighbours are asked, in milliseconds.
const ALONE_MS: u64 = 3_000;
/// Questions with smaller numbers are this wallet's own.
const QUERY_FIRST: u64 = 1 << 56;

/// A neighbour.
#[derive(Debug)]
pub(crate) struct Neighbour {
    pub(crate) peer: PeerId,
    is_here: bool,
    /// It said that it may be asked of this ledger.
    pub(crate) follows: bool,
    /// It was told so itself.
    pub(crate) is_told: bool,
    /// As the light client knows it, while it is asked.
    pub(crate) id: Option<ServerId>,
    /// Since when it is asked.
    begun_ms: u64,
    /// Who has a lower one is asked first: it came earlier, or was not asked for longer.
    turn: u32,
    pub(crate) height: u64,
    pub(crate) faults: Vec<Fault>,
    /// The highest block that it was shown here.
    pub(crate) shown: u64,
    told_ms: u64,
    follows_until_ms: u64,
    budget: u64,
    spent_ms: u64,
}

impl Neighbour {
    pub(crate) fn lies(&self) -> bool {
        self.faults.iter().any(|fault| fault.is_a_lie())
    }

    /// Whether it may be asked, and is not.
    fn waits(&self) -> bool {
        self.is_here && self.follows && self.id.is_none() && !self.lies()
    }

    /// When its place is another's who waits, if it brings nothing until then.
    fn free_at(&self) -> Option<u64> {
        let useless = !self.faults.is_empty();
        let free_ms = if useless { 0 } else { self.begun_ms.saturating_add(SHOWS_NOTHING_MS) };
        (self.id.is_some() && (useless || self.height == 0)).then_some(free_ms)
    }

    /// Whether it may ask something that costs so much.
    pub(crate) fn spend(&mut self, now_ms: u64, cost: u64) -> bool {
        let back = now_ms.saturating_sub(self.spent_ms) / BUDGET.1;
        if back > 0 {
            self.budget = self.budget.saturating_add(back).min(BUDGET.0);
            self.spent_ms = now_ms;
        }
        let left = self.budget.checked_sub(cost);
        self.budget = left.unwrap_or(self.budget);
        left.is_some()
    }

    /// It asked for the newest block: it is told of newer ones for a while.
    pub(crate) fn follow(&mut self, now_ms: u64) {
        self.follows_until_ms = now_ms.saturating_add(FOLLOWED_MS);
        self.told_ms = now_ms;
    }

    /// When it is to be told of the newest block, if it was not shown that.
    fn tell_at(&self, height: u64) -> Option<u64> {
        let at_ms = self.told_ms.saturating_add(TELL_EVERY_MS);
        (self.is_here && self.shown < height && at_ms < self.follows_until_ms).then_some(at_ms)
    }
}

/// Our question to a neighbour.
#[derive(Debug)]
struct Asked {
    number: u32,
    peer: PeerId,
    request: RequestId,
}

/// A neighbour's question that the light client works on.
#[derive(Debug)]
pub(crate) struct Relayed {
    query: QueryId,
    pub(crate) peer: PeerId,
    pub(crate) request: u32,
    key: Vec<u8>,
    /// What it was shown when it asked: an answer of an earlier block would look like a lie.
    pub(crate) least: u64,
}

#[derive(Debug)]
struct Proof {
    key: Vec<u8>,
    height: u64,
    bytes: Vec<u8>,
}

/// All of them. See the module's story.
#[derive(Debug, Default)]
pub(crate) struct Near {
    pub(crate) list: Vec<Neighbour>,
    /// Oldest first.
    asked: Vec<Asked>,
    relayed: Vec<Relayed>,
    /// Oldest first.
    proofs: Vec<Proof>,
    /// The next question's number; the first is of the clock, so that none is one of an earlier visit's.
    requests: Option<u32>,
    servers: u32,
    queries: u64,
    alone_since_ms: Option<u64>,
}

impl Near {
    /// It is there.
    pub(crate) fn on_up(&mut self, peer: PeerId) {
        if let Some(known) = self.list.iter_mut().find(|one| one.peer == peer) {
            (known.is_here, known.is_told, known.shown) = (true, false, 0);
            return;
        }
        if self.list.len() >= NEIGHBOURS_MAX {
            let Some(gone) = self.spare() else { return };
            self.list.remove(gone);
        }
        self.list.push(Neighbour {
            peer,
            is_here: true,
            follows: false,
            is_told: false,
            id: None,
            begun_ms: 0,
            turn: self.servers,
            height: 0,
            faults: Vec::new(),
            shown: 0,
            told_ms: 0,
            follows_until_ms: 0,
            budget: BUDGET.0,
            spent_ms: 0,
        });
    }

    /// Who is forgotten for a new one: who lied and left; or who is of no use, and did not ask for longest.
    fn spare(&self) -> Option<usize> {
        let left = self.list.iter().position(|one| !one.is_here);
        let idle = self.list.iter().enumerate();
        let idle = idle.filter(|(_, one)| !one.follows && !one.lies());
        left.or_else(|| idle.min_by_key(|(_, one)| one.follows_until_ms).map(|(at, _)| at))
    }

    /// It said whether it follows this ledger; its number, if it was asked: it begins anew.
    pub(crate) fn on_follows(&mut self, peer: PeerId, follows: bool) -> Option<ServerId> {
        let turn = self.servers;
        let one = self.heard(peer)?;
        one.follows = follows;
        let id = one.id.take()?;
        (one.turn, one.height) = (turn, 0);
        one.faults.clear();
        self.asked.retain(|asked| asked.peer != peer);
        Some(id)
    }

    /// It is gone; its number, if it was asked. Who lied is remembered.
    pub(crate) fn on_down(&mut self, peer: PeerId) -> Option<ServerId> {
        let at = self.list.iter().position(|one| one.peer == peer)?;
        let known = &mut self.list[at];
        let id = known.id.take();
        (known.is_here, known.follows, known.follows_until_ms) = (false, false, 0);
        if !known.lies() {
            self.list.remove(at);
        }
        self.asked.retain(|one| one.peer != peer);
        id
    }

    /// The clock was set back: nothing was later than now.
    pub(crate) fn set_back(&mut self, now_ms: u64) {
        self.alone_since_ms = self.alone_since_ms.map(|at_ms| at_ms.min(now_ms));
        for one in &mut self.list {
            one.begun_ms = one.begun_ms.min(now_ms);
            one.spent_ms = one.spent_ms.min(now_ms);
            one.told_ms = one.told_ms.min(now_ms);
            one.follows_until_ms = one.follows_until_ms.min(now_ms.saturating_add(FOLLOWED_MS));
        }
    }

    /// One that is here and did not lie: who lied is not heard any more.
    pub(crate) fn heard(&mut self, peer: PeerId) -> Option<&mut Neighbour> {
        self.list.iter_mut().find(|one| one.peer == peer && one.is_here && !one.lies())
    }

    /// Whether it is there, whatever it said.
    pub(crate) fn is_here(&self, peer: PeerId) -> bool {
        self.list.iter().any(|one| one.peer == peer && one.is_here)
    }

    /// Who follows this ledger and did not lie: a wallet that is open.
    pub(crate) fn following(&self) -> impl Iterator<Item = PeerId> {
        let fit = |one: &&Neighbour| one.is_here && one.follows && !one.lies();
        self.list.iter().filter(fit).map(|one| one.peer)
    }

    pub(crate) fn by_id(&mut self, id: ServerId) -> Option<&mut Neighbour> {
        self.list.iter_mut().find(|one| one.id == Some(id))
    }

    /// Whether neighbours are asked now.
    pub(crate) fn is_asked(&self) -> bool {
        self.list.iter().any(|one| one.id.is_some())
    }

    /// Those that are asked.
    pub(crate) fn asked_peers(&self) -> Vec<PeerId> {
        self.list.iter().filter(|one| one.id.is_some()).map(|one| one.peer).collect()
    }

    /// Begins or ends to ask; who is asked from now on, and who no more. `alone`: no server is of use.
    pub(crate) fn turn(&mut self, alone: bool, now_ms: u64) -> (Vec<ServerId>, Vec<ServerId>) {
        if !alone {
            self.alone_since_ms = None;
            let ended = self.list.iter_mut().filter_map(|one| {
                one.faults.retain(|fault| fault.is_a_lie());
                one.id.take()
            });
            return (Vec::new(), ended.collect());
        }
        let since_ms = *self.alone_since_ms.get_or_insert(now_ms);
        if now_ms.saturating_sub(since_ms) < ALONE_MS {
            return (Vec::new(), Vec::new());
        }
        let mut waiting: Vec<(u32, PeerId)> =
            self.list.iter().filter(|one| one.waits()).map(|one| (one.turn, one.peer)).collect();
        waiting.sort_by_key(|(turn, _)| *turn);
        let free = ASKED_NEIGHBOURS_MAX.saturating_sub(self.asked_peers().len());
        let ended = self.make_room(waiting.len().saturating_sub(free), now_ms);
        let mut begun = Vec::new();
        for (_, peer) in waiting.into_iter().take(free.saturating_add(ended.len())) {
            let number = self.servers;
            let Some(one) = self.heard(peer) else { continue };
            let id = ServerId(ServerId::NEIGHBOURS.saturating_add(number));
            (one.id, one.height, one.begun_ms, one.turn) = (Some(id), 0, now_ms, number);
            self.servers = number.saturating_add(1);
            begun.push(id);
        }
        (begun, ended)
    }

    /// Ends to ask so many at most, of those that bring nothing; whom.
    fn make_room(&mut self, most: usize, now_ms: u64) -> Vec<ServerId> {
        let turn = self.servers;
        let useless =
            self.list.iter_mut().filter(|one| one.free_at().is_some_and(|at_ms| at_ms <= now_ms));
        let ended = useless.take(most).filter_map(|one| {
            one.faults.clear();
            one.turn = turn;
            one.id.take()
        });
        ended.collect()
    }

    /// Blames one; whether it lied, and is asked no more.
    pub(crate) fn blame(&mut self, id: ServerId, fault: Fault) -> bool {
        let Some(one) = self.by_id(id) else { return false };
        if !one.faults.contains(&fault) {
            one.faults.push(fault);
        }
        if fault.is_a_lie() {
            one.id = None;
        }
        fault.is_a_lie()
    }

    pub(crate) fn forgive(&mut self, id: ServerId, fault: Fault) {
        if let Some(one) = self.by_id(id) {
            one.faults.retain(|known| *known != fault);
        }
    }

    /// Numbers a question to a neighbour.
    pub(crate) fn ask(&mut self, peer: PeerId, request: RequestId, now_ms: u64) -> u32 {
        if self.asked.len() >= ASKED_MAX {
            self.asked.remove(0);
        }
        let first = now_ms & u64::from(u32::MAX);
        let number = self.requests.unwrap_or(u32::try_from(first).unwrap_or_default());
        self.requests = Some(number.wrapping_add(1));
        self.asked.push(Asked { number, peer, request });
        number
    }

    /// Which question this neighbour answers, if it was asked that.
    pub(crate) fn answered(&mut self, peer: PeerId, number: u32) -> Option<RequestId> {
        let fit = |one: &Asked| one.number == number && one.peer == peer;
        let at = self.asked.iter().position(fit)?;
        Some(self.asked.remove(at).request)
    }

    /// A proof that is known: of the newest block, or, where nobody can be asked (`alone`), of what it was shown last.
    pub(crate) fn known(&self, key: &[u8], shown: u64, head: u64, alone: bool) -> Option<&[u8]> {
        let least = if alone { shown } else { shown.max(head) };
        let fit = |one: &&Proof| one.key == key && one.height >= least;
        self.proofs.iter().find(fit).map(|one| one.bytes.as_slice())
    }

    /// Begins to prove something for a neighbour; `None`: enough is under way.
    pub(crate) fn relay(
        &mut self,
        peer: PeerId,
        request: u32,
        key: &[u8],
        least: u64,
    ) -> Option<QueryId> {
        let its = self.relayed.iter().filter(|one| one.peer == peer).count();
        if self.relayed.len() >= RELAYED_MAX.0 || its >= RELAYED_MAX.1 {
            return None;
        }
        let query = QueryId(QUERY_FIRST.saturating_add(self.queries));
        self.queries += 1;
        self.relayed.push(Relayed { query, peer, request, key: key.to_vec(), least });
        Some(query)
    }

    /// The neighbour's question that is answered by this, if it is one's.
    pub(crate) fn relayed(&mut self, query: QueryId) -> Option<Relayed> {
        let at = self.relayed.iter().position(|one| one.query == query)?;
        Some(self.relayed.remove(at))
    }

    /// Keeps a proof for the next one who asks.
    pub(crate) fn keep(&mut self, relayed: Relayed, height: u64, bytes: &[u8]) {
        self.proofs.retain(|one| one.key != relayed.key);
        if self.proofs.len() >= PROOFS_MAX {
            self.proofs.remove(0);
        }
        self.proofs.push(Proof { key: relayed.key, height, bytes: bytes.to_vec() });
    }

    /// Who is to be told of the newest block now.
    pub(crate) fn due(&mut self, height: u64, now_ms: u64) -> Vec<PeerId> {
        let mut due = Vec::new();
        for one in &mut self.list {
            if one.tell_at(height).is_some_and(|at_ms| at_ms <= now_ms) {
                (one.shown, one.told_ms) = (height, now_ms);
                due.push(one.peer);
            }
        }
        due
    }

    /// When somebody is to be told of it, or begun to be asked.
    pub(crate) fn wake(&self, height: u64, now_ms: u64) -> Option<u64> {
        let tell = self.list.iter().filter_map(|one| one.tell_at(height));
        let alone = self.alone_since_ms.map(|since_ms| since_ms.saturating_add(ALONE_MS));
        let waits = alone.is_some() && self.list.iter().any(Neighbour::waits);
        let free = self.list.iter().filter_map(Neighbour::free_at).filter(|_| waits);
        tell.chain(alone.into_iter().chain(free).filter(|at_ms| *at_ms > now_ms)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u8) -> PeerId {
        PeerId::new([number; 32])
    }

    /// So many that may be asked.
    fn following(count: u8) -> Near {
        let mut near = Near::default();
        for number in 0..count {
            near.on_up(peer(number));
            assert_eq!(near.on_follows(peer(number), true), None);
        }
        near
    }

    fn id(near: &mut Near, number: u8) -> Option<ServerId> {
        near.heard(peer(number)).and_then(|one| one.id)
    }

    #[test]
    fn one_that_shows_no_block_gives_way_after_ten_seconds_and_by_turns() {
        let mut near = following(5);
        assert_eq!(near.turn(true, 0), (vec![], vec![]));
        let (begun, ended) = near.turn(true, ALONE_MS);
        assert_eq!((begun.len(), ended), (4, vec![]));
        assert_eq!(near.asked_peers(), [0, 1, 2, 3].map(peer));
        for number in 0..3 {
            near.heard(peer(number)).unwrap().height = 7;
        }
        let silent = id(&mut near, 3).unwrap();
        let mut now_ms = ALONE_MS + SHOWS_NOTHING_MS;
        assert_eq!(near.wake(0, now_ms - 1), Some(now_ms));
        assert_eq!(near.turn(true, now_ms - 1), (vec![], vec![]));
        let (begun, ended) = near.turn(true, now_ms);
        assert_eq!((begun.len(), ended), (1, vec![silent]));
        assert_eq!(near.asked_peers(), [0, 1, 2, 4].map(peer));
        assert_eq!(near.turn(true, now_ms), (vec![], vec![]), "who shows blocks stays");
        now_ms += SHOWS_NOTHING_MS;
        assert_eq!(near.turn(true, now_ms).0.len(), 1);
        assert_eq!(near.asked_peers(), [0, 1, 2, 3].map(peer), "it has another turn");
    }

    #[test]
    fn one_with_a_fault_gives_way_where_another_waits() {
        let mut near = following(4);
        near.turn(true, 0);
        near.turn(true, ALONE_MS);
        let late = id(&mut near, 1).unwrap();
        assert!(!near.blame(late, Fault::Withholds));
        assert_eq!(near.turn(true, ALONE_MS), (vec![], vec![]), "nobody waits");
        near.on_up(peer(4));
        near.on_follows(peer(4), true);
        let (begun, ended) = near.turn(true, ALONE_MS);
        assert_eq!((begun.len(), ended), (1, vec![late]));
        assert_eq!(near.asked_peers(), [0, 2, 3, 4].map(peer));
    }

    #[test]
    fn many_silent_ones_do_not_keep_an_honest_one_waiting_for_ever() {
        let mut near = following(16);
        let mut asked = Vec::new();
        for now_ms in (0..ALONE_MS + 4 * SHOWS_NOTHING_MS).step_by(500) {
            near.turn(true, now_ms);
            assert!(near.asked_peers().len() <= ASKED_NEIGHBOURS_MAX);
            asked.extend(near.asked_peers());
        }
        for number in 0..16 {
            assert!(asked.contains(&peer(number)), "{number}");
        }
    }

    #[test]
    fn in_a_full_list_a_new_one_takes_the_place_of_one_that_does_not_follow() {
        let mut near = following(16);
        near.on_up(peer(16));
        assert!(near.heard(peer(16)).is_none(), "all of them are of use");
        near.on_follows(peer(5), false);
        near.on_follows(peer(9), false);
        near.heard(peer(5)).unwrap().follow(1_000);
        near.on_up(peer(16));
        assert!(near.heard(peer(16)).is_some() && near.heard(peer(9)).is_none());
        assert!(near.heard(peer(5)).is_some(), "it asked a moment ago");
        near.on_follows(peer(16), true);
        near.heard(peer(5)).unwrap().faults.push(Fault::Forged);
        near.on_up(peer(17));
        assert!(near.heard(peer(17)).is_none(), "who lied and is here is remembered");
        assert_eq!(near.list.len(), NEIGHBOURS_MAX);
    }

    #[test]
    fn questions_are_numbered_from_the_time_on() {
        let mut near = following(1);
        let now_ms = (5_u64 << 32) + u64::from(u32::MAX);
        assert_eq!(near.ask(peer(0), RequestId(1), now_ms), u32::MAX);
        assert_eq!(near.ask(peer(0), RequestId(2), now_ms + 9), 0);
        assert_eq!(near.answered(peer(0), u32::MAX), Some(RequestId(1)));
    }
}
