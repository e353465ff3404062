//! Neighbours of all shares, for whoever speaks with them of something else than shares: of the ledger.
//!
//! Frames about the ledger, and vouchers that are left here, are taken out here before they reach the core of a share or who
//! counts money beside it.
//! Nothing is read but their kind.

use core::{cell::RefCell, fmt};
use std::{collections::BTreeMap, rc::Rc};

use files::{Channel, Input, is_follows, is_keep, is_near};
use peer::RoomInput;
use primitives::{PeerId, SwarmId};
use web_sys::{Event, VisibilityState};

use super::{Files, Name, Teller, Told};
use crate::{clock::wall_ms, listener::Listener, number};

/// Most frames about the ledger that a neighbour is heard in a second: it asks for a block's records at once, and the
/// worker behind the page works on each.
const HEARD_PER_S: u32 = 64;
/// Largest frame that says which ledger a neighbour follows. It is remembered.
const FOLLOWS_BYTES_MAX: usize = 64;

/// Neighbours, and who is told of them.
#[derive(Default)]
pub(super) struct Beside {
    tell: RefCell<Option<Teller>>,
    here: RefCell<BTreeMap<PeerId, Here>>,
    /// What is said when the page is hidden or goes, and what hears of that.
    parting: RefCell<Vec<(Name, Vec<u8>)>>,
    hiding: RefCell<Option<Listener>>,
}

impl fmt::Debug for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Beside")
    }
}

/// One of them.
#[derive(Debug, Default)]
struct Here {
    /// Where it is met.
    swarms: Vec<SwarmId>,
    /// Which ledger it follows, as it said it.
    follows: Option<Vec<u8>>,
    /// In which second it was heard how often.
    heard: (u64, u32),
}

impl Beside {
    fn tell(&self, told: Told) {
        let tell = self.tell.borrow().clone();
        if let Some(tell) = tell {
            tell(told);
        }
    }

    /// Hears what a share is told; whether it is not for the share.
    pub(super) fn hear(&self, swarm: SwarmId, input: &Input) -> bool {
        match input {
            Input::PeerUp(peer) => self.up(swarm, *peer),
            Input::PeerDown(peer) => self.down(swarm, *peer),
            Input::Frame { from, bytes } if is_near(bytes) || is_keep(bytes) => {
                if self.may_speak(*from, bytes, number::whole(wall_ms()) / 1000) {
                    self.tell(Told::Frame(*from.as_bytes(), bytes.clone()));
                }
                return true;
            }
            _ => {}
        }
        false
    }

    fn up(&self, swarm: SwarmId, peer: PeerId) {
        let is_new = {
            let mut all = self.here.borrow_mut();
            let here = all.entry(peer).or_default();
            if !here.swarms.contains(&swarm) {
                here.swarms.push(swarm);
            }
            here.swarms.len() == 1
        };
        if is_new {
            self.tell(Told::Up(*peer.as_bytes()));
        }
    }

    fn down(&self, swarm: SwarmId, peer: PeerId) {
        let is_gone = {
            let mut all = self.here.borrow_mut();
            let Some(here) = all.get_mut(&peer) else { return };
            here.swarms.retain(|one| *one != swarm);
            here.swarms.is_empty() && all.remove(&peer).is_some()
        };
        if is_gone {
            self.tell(Told::Down(*peer.as_bytes()));
        }
    }

    fn may_speak(&self, peer: PeerId, frame: &[u8], now_s: u64) -> bool {
        let mut all = self.here.borrow_mut();
        let Some(here) = all.get_mut(&peer) else { return false };
        if here.heard.0 != now_s {
            here.heard = (now_s, 0);
        }
        here.heard.1 = here.heard.1.saturating_add(1);
        if is_follows(frame) && frame.len() <= FOLLOWS_BYTES_MAX {
            here.follows = Some(frame.to_vec());
        }
        here.heard.1 <= HEARD_PER_S
    }

    /// The share is closed: nobody is met in it any more.
    pub(super) fn close(&self, swarm: SwarmId) {
        let met: Vec<PeerId> = self.here.borrow().keys().copied().collect();
        met.into_iter().for_each(|peer| self.down(swarm, peer));
    }

    /// Tells again who is here, and which ledger they follow.
    fn greet(&self) {
        let all: Vec<(PeerId, Option<Vec<u8>>)> =
            self.here.borrow().iter().map(|(peer, here)| (*peer, here.follows.clone())).collect();
        for (peer, follows) in all {
            self.tell(Told::Up(*peer.as_bytes()));
            follows.into_iter().for_each(|frame| self.tell(Told::Frame(*peer.as_bytes(), frame)));
        }
    }

    /// A swarm in which it is met.
    fn met(&self, peer: PeerId) -> Option<SwarmId> {
        self.here.borrow().get(&peer)?.swarms.first().copied()
    }
}

impl Files {
    /// Tells of neighbours, and what they say of the ledger, from now on; first who is here.
    pub fn beside(&self, tell: Teller) {
        self.0.beside.tell.replace(Some(tell));
        self.greet();
    }

    /// Tells again who is here.
    pub fn greet(&self) {
        self.0.beside.greet();
    }

    /// Sends neighbours these frames when the page is hidden or goes, in place of those before: whoever would say it
    /// then is in a worker, and not waited for. On phones many a page that was hidden is never told that it goes.
    pub fn part(&self, said: Vec<(Name, Vec<u8>)>) {
        self.0.beside.parting.replace(said);
        let mut hiding = self.0.beside.hiding.borrow_mut();
        let document = web_sys::window().and_then(|window| window.document());
        let Some(document) = document.filter(|_| hiding.is_none()) else { return };
        let (me, shown) = (Rc::downgrade(&self.0), document.clone());
        let part = move || {
            let files = me.upgrade().map(Files);
            files.iter().for_each(Self::say_parting);
        };
        self.0.driver.before_leaving(Rc::new(part.clone()));
        hiding.replace(Listener::new(&document, "visibilitychange", move |_: Event| {
            if shown.visibility_state() == VisibilityState::Hidden {
                part();
            }
        }));
    }

    /// Once for each time that it was given.
    fn say_parting(&self) {
        for (to, frame) in self.0.beside.parting.take() {
            self.tell(to, frame);
        }
    }

    /// Sends a neighbour a frame about the ledger, or one to be kept.
    pub fn tell(&self, to: Name, frame: Vec<u8>) {
        let to = PeerId::new(to);
        if let Some(swarm) = self.0.beside.met(to) {
            let send = RoomInput::Send { to, channel: Channel::Control, bytes: frame };
            self.0.driver.push(peer::Input::Room(swarm, send));
        }
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    /// A frame of that kind, without what it says.
    fn near(kind: u8) -> Vec<u8> {
        vec![0x82, 0x18, kind, 0x80]
    }

    fn listened() -> (Beside, Rc<RefCell<Vec<Told>>>) {
        let (beside, list): (Beside, Rc<RefCell<Vec<Told>>>) = Default::default();
        let into = Rc::clone(&list);
        beside.tell.replace(Some(Rc::new(move |told| into.borrow_mut().push(told))));
        (beside, list)
    }

    #[wasm_bindgen_test]
    fn a_neighbour_of_two_shares_is_one_neighbour() {
        let (beside, list) = listened();
        let (peer, one, two) = (PeerId::new([7; 32]), SwarmId::new([1; 32]), SwarmId::new([2; 32]));
        for swarm in [one, two, two] {
            assert!(!beside.hear(swarm, &Input::PeerUp(peer)), "the share hears it, too");
        }
        assert_eq!(list.take(), [Told::Up([7; 32])]);
        assert_eq!(beside.met(peer), Some(one));
        beside.close(one);
        assert_eq!((list.take(), beside.met(peer)), (vec![], Some(two)));
        beside.hear(two, &Input::PeerDown(peer));
        assert_eq!((list.take(), beside.met(peer)), (vec![Told::Down([7; 32])], None));
    }

    #[wasm_bindgen_test]
    fn frames_about_the_ledger_are_not_for_the_share_and_who_comes_late_is_told() {
        let (beside, list) = listened();
        let (peer, swarm) = (PeerId::new([7; 32]), SwarmId::new([1; 32]));
        beside.hear(swarm, &Input::PeerUp(peer));
        for bytes in [near(40), near(41), near(36)] {
            assert!(beside.hear(swarm, &Input::Frame { from: peer, bytes }));
        }
        let other = Input::Frame { from: peer, bytes: vec![0x82, 0x18, 0x20, 0x80] };
        assert!(!beside.hear(swarm, &other), "of payment");
        let frame = |kind| Told::Frame([7; 32], near(kind));
        assert_eq!(list.take(), [Told::Up([7; 32]), frame(40), frame(41), frame(36)]);
        beside.greet();
        assert_eq!(list.take(), [Told::Up([7; 32]), frame(40)]);
    }

    #[wasm_bindgen_test]
    fn a_neighbour_that_shouts_is_heard_as_often_as_it_may() {
        let (beside, _list) = listened();
        let (peer, swarm) = (PeerId::new([7; 32]), SwarmId::new([1; 32]));
        beside.hear(swarm, &Input::PeerUp(peer));
        let heard = |now_s| (0..200).filter(|_| beside.may_speak(peer, &near(41), now_s)).count();
        assert_eq!((heard(5), heard(6)), (64, 64));
        assert!(!beside.may_speak(PeerId::new([8; 32]), &near(41), 7), "a stranger");
    }
}
