//! Who counts money beside a share: what it is told of neighbours, and what it may do with them.
//!
//! A share knows nothing of money. Frames about payment are taken out here before they reach its core, and what
//! moved is told in steps: whoever counts is in a worker, and a message for each part would cost more than it says.

use core::{cell::RefCell, fmt};
use std::{collections::BTreeMap, rc::Rc};

use files::{Channel, Input, is_payment, is_terms, view::Stage};
use gloo_timers::callback::Interval;
use peer::RoomInput;
use primitives::PeerId;

use super::{Files, running::Running};

/// A neighbour's name: its key.
pub type Name = [u8; 32];
/// Bytes that moved: verified from a neighbour, spared from it, sent to it.
type Moved = (u64, u64, u64);

/// What moved is told when it is so much more than what was told.
const TELL_BYTES: u64 = 256 << 10;
/// Or when it was not told for so long, in milliseconds.
const TELL_MS: u32 = 250;
/// Of what came after a neighbour's terms and before somebody counts, so much counts: what a payee gives a
/// stranger on credit.
const BACK_BYTES: u64 = 2 << 20;

/// What happened in a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// This neighbour is there.
    Up(Name),
    /// It is gone.
    Down(Name),
    /// It sent a frame about payment: any bytes.
    Frame(Name, Vec<u8>),
    /// So many bytes moved since it is counted: verified from it, spared from it, sent to it.
    Moved(Name, u64, u64, u64),
    /// Everything that was chosen is here, and all that moved was told.
    Whole,
}

/// Whoever is told.
pub type Teller = Rc<dyn Fn(Told)>;

/// Who counts, by the share's CID. Its text says how many.
#[derive(Default)]
pub(super) struct Tellers(BTreeMap<String, Teller>);

impl fmt::Debug for Tellers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tellers").field(&self.0.len()).finish()
    }
}

/// Beside one open share.
#[derive(Default)]
pub(super) struct Counter {
    neighbours: RefCell<BTreeMap<PeerId, Neighbour>>,
    tell: RefCell<Option<Teller>>,
    looks: RefCell<Option<Interval>>,
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counter")
    }
}

#[derive(Debug, Default)]
struct Neighbour {
    /// What it wants for its bytes.
    terms: Option<Vec<u8>>,
    /// What moved before it counts.
    before: Moved,
    told: Moved,
    held: bool,
}

impl Counter {
    fn tell(&self, told: Told) {
        let tell = self.tell.borrow().clone();
        if let Some(tell) = tell {
            tell(told);
        }
    }

    /// Hears what the share is told; whether it is not for the share. `moved`: what moved to and from a neighbour.
    pub(super) fn hear(&self, input: &Input, moved: impl Fn(PeerId) -> Moved) -> bool {
        match input {
            Input::PeerUp(peer) => {
                self.neighbours.borrow_mut().insert(*peer, Neighbour::default());
                self.tell(Told::Up(*peer.as_bytes()));
            }
            Input::PeerDown(peer) => {
                self.neighbours.borrow_mut().remove(peer);
                self.tell(Told::Down(*peer.as_bytes()));
            }
            Input::Frame { from, bytes } if is_payment(bytes) => {
                if let Some(neighbour) = self.neighbours.borrow_mut().get_mut(from)
                    && is_terms(bytes)
                    && neighbour.terms.is_none()
                {
                    neighbour.terms = Some(bytes.clone());
                    if self.tell.borrow().is_none() {
                        neighbour.before = moved(*from);
                    }
                }
                self.tell(Told::Frame(*from.as_bytes(), bytes.clone()));
                return true;
            }
            _ => {}
        }
        false
    }

    /// Tells what moved; `all`: however little that is.
    pub(super) fn count(&self, moved: impl Iterator<Item = (PeerId, u64, u64, u64)>, all: bool) {
        for (peer, received, spared, sent) in moved {
            let now = {
                let mut neighbours = self.neighbours.borrow_mut();
                let Some(neighbour) = neighbours.get_mut(&peer) else { continue };
                let now = since((received, spared, sent), neighbour.before);
                let (come, skipped, gone) = since(now, neighbour.told);
                let new = come.saturating_add(skipped).saturating_add(gone);
                if new == 0 || (new < TELL_BYTES && !all) {
                    continue;
                }
                neighbour.told = now;
                now
            };
            self.tell(Told::Moved(*peer.as_bytes(), now.0, now.1, now.2));
        }
    }

    /// Everything that was chosen is here.
    pub(super) fn whole(&self, moved: impl Iterator<Item = (PeerId, u64, u64, u64)>) {
        if self.is_on() {
            self.count(moved, true);
            self.tell(Told::Whole);
        }
    }

    /// Whether somebody counts.
    pub(super) fn is_on(&self) -> bool {
        self.tell.borrow().is_some()
    }

    /// What neighbours want for their bytes, as they said it.
    pub(super) fn terms(&self) -> Vec<Vec<u8>> {
        self.neighbours.borrow().values().filter_map(|one| one.terms.clone()).collect()
    }

    /// The share is closed: nobody is there any more.
    pub(super) fn close(&self) {
        self.looks.replace(None);
        for peer in self.neighbours.take().into_keys() {
            self.tell(Told::Down(*peer.as_bytes()));
        }
    }

    fn begin(&self, tell: Teller, moved: &[(PeerId, u64, u64, u64)]) {
        self.tell.replace(Some(tell));
        let mut greetings = Vec::new();
        for (peer, neighbour) in self.neighbours.borrow_mut().iter_mut() {
            let found = moved.iter().find(|(one, ..)| one == peer);
            let (received, spared, sent) = found.map_or((0, 0, 0), |one| (one.1, one.2, one.3));
            let back = match neighbour.terms {
                Some(_) => received.saturating_sub(neighbour.before.0).min(BACK_BYTES),
                None => 0,
            };
            neighbour.before = (received - back, spared, sent);
            neighbour.told = (0, 0, 0);
            greetings.push((*peer.as_bytes(), neighbour.terms.clone()));
        }
        for (peer, terms) in greetings {
            self.tell(Told::Up(peer));
            terms.into_iter().for_each(|terms| self.tell(Told::Frame(peer, terms)));
        }
        self.count(moved.iter().copied(), true);
    }

    /// Nobody counts any more; who was held for it is given back.
    fn end(&self, moved: &[(PeerId, u64, u64, u64)]) -> Vec<PeerId> {
        self.tell.replace(None);
        self.looks.replace(None);
        let mut held = Vec::new();
        for (peer, neighbour) in self.neighbours.borrow_mut().iter_mut() {
            let found = moved.iter().find(|(one, ..)| one == peer);
            neighbour.before = found.map_or((0, 0, 0), |one| (one.1, one.2, one.3));
            if std::mem::take(&mut neighbour.held) {
                held.push(*peer);
            }
        }
        held
    }
}

const fn since(now: Moved, before: Moved) -> Moved {
    (now.0.saturating_sub(before.0), now.1.saturating_sub(before.1), now.2.saturating_sub(before.2))
}

impl Running {
    /// Somebody counts from now on.
    pub(super) fn count(self: &Rc<Self>, tell: Teller) {
        let moved: Vec<_> = self.share.borrow().moved().collect();
        self.counter.begin(tell, &moved);
        let now = self.now();
        if self.share.borrow().view(now).stage == Stage::Done {
            self.counter.whole(moved.into_iter());
        }
        let running = Rc::downgrade(self);
        let look = move || {
            if let Some(running) = running.upgrade() {
                let moved: Vec<_> = running.share.borrow().moved().collect();
                running.counter.count(moved.into_iter(), true);
            }
        };
        self.counter.looks.replace(Some(Interval::new(TELL_MS, look)));
    }

    /// Nobody counts any more: everybody is served.
    pub(super) fn count_no_more(&self) {
        let moved: Vec<_> = self.share.borrow().moved().collect();
        for peer in self.counter.end(&moved) {
            self.take(Input::Hold { peer, on: false });
        }
    }

    fn hold(&self, peer: PeerId, on: bool) {
        if let Some(neighbour) = self.counter.neighbours.borrow_mut().get_mut(&peer) {
            neighbour.held = on;
        }
        self.take(Input::Hold { peer, on });
    }
}

impl Files {
    /// Tells what whoever counts money for this share must know, from now on or from when it is opened. Once for
    /// each share: another takes its place.
    pub fn count(&self, cid: &str, tell: Teller) {
        self.0.tellers.borrow_mut().0.insert(cid.to_owned(), Rc::clone(&tell));
        if let Some(running) = self.running(cid) {
            running.count(tell);
        }
    }

    /// Nobody counts for this share any more.
    pub fn count_no_more(&self, cid: &str) {
        self.0.tellers.borrow_mut().0.remove(cid);
        if let Some(running) = self.running(cid) {
            running.count_no_more();
        }
    }

    /// Who counts for it.
    pub(super) fn teller(&self, cid: &str) -> Option<Teller> {
        self.0.tellers.borrow().0.get(cid).cloned()
    }

    /// Sends a neighbour a frame about payment.
    pub fn say(&self, cid: &str, to: Name, frame: Vec<u8>) {
        if let Some(running) = self.running(cid) {
            let (to, channel) = (PeerId::new(to), Channel::Control);
            let send = RoomInput::Send { to, channel, bytes: frame };
            self.0.driver.push(peer::Input::Room(running.swarm, send));
        }
    }

    /// Serves a neighbour no more, or again.
    pub fn hold(&self, cid: &str, peer: Name, on: bool) {
        if let Some(running) = self.running(cid) {
            running.hold(PeerId::new(peer), on);
        }
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn told() -> (Teller, Rc<RefCell<Vec<Told>>>) {
        let list: Rc<RefCell<Vec<Told>>> = Rc::default();
        let into = Rc::clone(&list);
        (Rc::new(move |told| into.borrow_mut().push(told)), list)
    }

    /// The kind of terms, without what they say.
    const TERMS: [u8; 4] = [0x82, 0x18, 0x20, 0x80];

    #[wasm_bindgen_test]
    fn what_came_before_the_terms_is_a_gift_and_of_what_came_after_a_credit_counts() {
        let (counter, peer) = (Counter::default(), PeerId::new([7; 32]));
        counter.hear(&Input::PeerUp(peer), |_| (0, 0, 0));
        let frame = Input::Frame { from: peer, bytes: TERMS.to_vec() };
        assert!(counter.hear(&frame, |_| (1_000, 0, 0)), "it is not for the share");
        assert_eq!(counter.terms(), [TERMS.to_vec()]);

        let (tell, list) = told();
        counter.begin(tell, &[(peer, 1_500, 9, 3)]);
        let expected = [
            Told::Up([7; 32]),
            Told::Frame([7; 32], TERMS.to_vec()),
            Told::Moved([7; 32], 500, 0, 0),
        ];
        assert_eq!(list.take(), expected);
        counter.count([(peer, 1_600, 9, 3)].into_iter(), false);
        assert_eq!(list.take(), [], "so little waits");
        counter.count([(peer, 1_600, 10, 5)].into_iter(), true);
        assert_eq!(list.take(), [Told::Moved([7; 32], 600, 1, 2)]);

        counter.whole([(peer, 1_610, 10, 5)].into_iter());
        let expected = [Told::Moved([7; 32], 610, 1, 2), Told::Whole];
        assert_eq!(list.take(), expected, "what moved comes first, however little");

        counter.end(&[(peer, 9_000_000, 10, 5)]);
        counter.whole([(peer, 9_000_000, 10, 5)].into_iter());
        assert_eq!(list.take(), [], "nobody counts");
        let (tell, list) = told();
        counter.begin(tell, &[(peer, 9_000_100, 10, 5)]);
        assert_eq!(list.take().last(), Some(&Told::Moved([7; 32], 100, 0, 0)));
        counter.hear(&Input::PeerDown(peer), |_| (0, 0, 0));
        assert_eq!(list.take(), [Told::Down([7; 32])]);
    }
}
