//! What is read as it comes: blocks that somebody needs by a time.
//!
//! A reader stands at a byte of an entry and goes on at a pace, so each block ahead of it has a time at
//! which it is *due*. What is due soon is asked for first, of whoever brings it first, though enough is
//! asked there already: neighbours send it before what is not due. Where it would come late, a second
//! neighbour is asked too, and the gateway where both would be. Everything else waits for none of this: it
//! is still the rarest first, or in order.
//!
//! Bytes fetched twice are bounded: a block is asked of two neighbours at most, few at a time
//! ([`config::HEDGES_MAX`]), and none while more than [`config::WASTE_PART`] of what came was in vain. Late
//! blocks ([`config::PATIENCE`]) are asked of a second neighbour all the same.

use content::Cid;
use core::time::Duration;
use primitives::{PeerId, Time};
use swarm::rate::time_for;

use crate::{
    Output, Share, config,
    neighbour::Neighbour,
    places::{Next, Places, State},
};

/// Somebody who reads an entry as it comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader {
    span: usize,
    /// The leaf it stands at.
    leaf: u32,
    /// When it said so.
    at: Time,
    bytes_per_s: u64,
}

impl Places {
    /// Somebody reads an entry from this byte on. Whoever said so nearby is the same reader.
    pub(crate) fn read(&mut self, now: Time, entry: u32, from: u64, bytes_per_s: u64) {
        let Some(span) = self.list.span_of_entry(entry) else { return };
        let leaf = self.list.spans()[span].leaf_at(from);
        self.readers.retain(|reader| {
            let moved = reader.leaf.abs_diff(leaf) <= config::LOOK_AHEAD_BLOCKS;
            now.since(reader.at) < config::READER_FOR && !(reader.span == span && moved)
        });
        if self.readers.len() >= config::READERS_MAX {
            self.readers.remove(0);
        }
        self.readers.push(Reader { span, leaf, at: now, bytes_per_s });
    }

    /// What a reader needs of the leaf so many after the one it stands at: that, or the node that names it;
    /// none where it is here or coming, or past the end.
    fn needs(&self, reader: &Reader, ahead: u32) -> Option<Next> {
        let span = self.list.spans().get(reader.span)?;
        let leaf = reader.leaf.saturating_add(ahead);
        if leaf >= span.places().end {
            return None;
        }
        let before = u64::from(ahead).saturating_mul(span.chunk_bytes);
        let due = reader.at + time_for(before, reader.bytes_per_s);
        for place in span.path(leaf) {
            let cid = self.cid(place)?;
            let place = self.place(&cid)?;
            if matches!(self.state(place), State::Missing | State::Asked) {
                return Some(Next { place, cid, due });
            }
        }
        None
    }

    /// The next block for a reader that may be asked for: of who spoke last first.
    pub(crate) fn next_read(&self, may: impl Fn(&Next) -> bool) -> Option<Next> {
        for reader in self.readers.iter().rev() {
            for ahead in 0..config::LOOK_AHEAD_BLOCKS {
                if let Some(next) = self.needs(reader, ahead)
                    && self.state(next.place) == State::Missing
                    && may(&next)
                {
                    return Some(next);
                }
            }
        }
        None
    }

    /// Blocks that are due, the soonest first, of who spoke last first; at most
    /// [`config::DUE_BLOCKS_MAX`].
    pub(crate) fn due(&self, now: Time) -> Vec<Next> {
        let mut all: Vec<Next> = Vec::new();
        for reader in self.readers.iter().rev() {
            for ahead in 0..config::LOOK_AHEAD_BLOCKS {
                let Some(mut next) = self.needs(reader, ahead) else { continue };
                // What is late is no more urgent than what is needed now.
                next.due = next.due.max(now);
                let is_known = all.iter().any(|known| known.place == next.place);
                if !is_known && next.due <= now + config::DUE_WITHIN {
                    let at = all.partition_point(|known| known.due <= next.due);
                    all.insert(at, next);
                }
            }
        }
        all.truncate(config::DUE_BLOCKS_MAX);
        all
    }
}

impl Share {
    /// Asks for what is due, before anything else.
    pub(crate) fn ask_due(&mut self, out: &mut Vec<Output>) {
        if self.paused || self.full {
            return;
        }
        let due = self.places.as_ref().map(|places| places.due(self.now));
        for next in due.into_iter().flatten() {
            self.bring(next, out);
        }
    }

    /// Asks for one due block, unless whoever owes it brings it in time or nobody brings it sooner.
    fn bring(&mut self, next: Next, out: &mut Vec<Output>) {
        let mut owing = self.neighbours.values().filter(|other| other.owes(&next.cid));
        let (owes, second) = (owing.next(), owing.next());
        if second.is_some() {
            return;
        }
        let owed = owes.and_then(|other| Some((other, other.ask_for(&next.cid)?)));
        let waits = owed.filter(|(_, ask)| ask.due == Time::NEVER && ask.buffer.is_empty());
        if let Some(peer) = waits.map(|(other, _)| other.peer) {
            // It waits behind others there: that neighbour, or a sooner one, is to send it before them.
            self.take_back(peer, &next.cid, out);
            self.unasked(&next.cid);
            return self.bring_first(next, out);
        }
        let Some((other, ask)) = owed else { return self.bring_first(next, out) };
        let takes = other.takes(self.now, ask);
        if self.now + takes <= next.due || !self.may_hedge() {
            return;
        }
        if let Some((sooner, peer)) = self.soonest(&next)
            && is_worth(sooner, takes)
        {
            self.ask_now(peer, next, out);
        }
    }

    /// Asks for a due block that no neighbour owes.
    fn bring_first(&mut self, next: Next, out: &mut Vec<Output>) {
        let most = config::COMING_BYTES_MAX + config::DUE_BYTES_MAX;
        if self.gateway.owes(&next.cid) || self.coming_bytes() >= most {
            return;
        }
        if let Some((_, peer)) = self.soonest(&next) {
            self.ask_now(peer, next, out);
        }
    }

    /// Who would bring a due block first, and when; of those who don't owe it.
    fn soonest(&self, next: &Next) -> Option<(Duration, PeerId)> {
        let bytes = self.places.as_ref()?.block_bytes(next.place);
        let may = |other: &&Neighbour| {
            other.gives(self.now) && other.may_give(self.now, next) && !other.owes(&next.cid)
        };
        let able = self.neighbours.values().filter(may);
        able.map(|other| (other.brings_in(self.now, bytes, next.due), other.peer)).min()
    }

    fn ask_now(&mut self, peer: PeerId, next: Next, out: &mut Vec<Output>) {
        let bytes = self.places.as_ref().map_or(0, |places| places.block_bytes(next.place));
        if let Some(block) = self.ask_of(peer, (next.cid, bytes), next.due) {
            self.send_ask(peer, vec![block], next.due, out);
        }
    }

    /// Whether a block may be asked of a second neighbour: see [`config::WASTE_PART`].
    pub(crate) fn may_hedge(&self) -> bool {
        let hedges = |other: &Neighbour| other.asks.iter().filter(|ask| ask.is_hedge).count();
        let free = self.received.total / config::WASTE_PART + config::WASTE_FREE_BYTES;
        self.wasted_bytes <= free
            && self.neighbours.values().map(hedges).sum::<usize>() < config::HEDGES_MAX
    }

    /// A block that another neighbour sends slowly, for one that has nothing else to do: the last blocks
    /// wait for the quickest, not for the slowest.
    pub(crate) fn pick_slow(&self, peer: PeerId) -> Option<(Cid, u64)> {
        let neighbour = self.neighbours.get(&peer)?;
        if !neighbour.asks.is_empty() || !self.may_hedge() {
            return None;
        }
        let mut slowest = None;
        let mut most = Duration::ZERO;
        for other in self.neighbours.values() {
            for ask in &other.asks {
                let takes = other.takes(self.now, ask);
                let sooner = neighbour.brings_in(self.now, ask.expected_bytes, ask.due);
                if takes > most && is_worth(sooner, takes) && self.may_ask_too(neighbour, &ask.cid)
                {
                    (most, slowest) = (takes, Some((ask.cid, ask.expected_bytes)));
                }
            }
        }
        slowest
    }

    /// Whether a neighbour may be asked for what one other owes.
    pub(crate) fn may_ask_too(&self, neighbour: &Neighbour, cid: &Cid) -> bool {
        let askers = self.neighbours.values().filter(|other| other.owes(cid)).count();
        let place = self.places.as_ref().and_then(|places| places.place(cid));
        let holds = place.is_none_or(|place| neighbour.holds.contains(place));
        askers == 1 && holds && !neighbour.owes(cid) && !neighbour.declined(self.now, cid)
    }

    /// A due block that will be late by more than [`config::GATEWAY_LATE`] at every neighbour that owes it,
    /// and its bytes, for the gateway.
    pub(crate) fn due_late(&self) -> Option<(Cid, u64)> {
        let places = self.places.as_ref()?;
        let late = |next: &&Next| {
            let mut soonest = None;
            for other in self.neighbours.values() {
                if let Some(ask) = other.ask_for(&next.cid) {
                    let takes = other.takes(self.now, ask);
                    soonest = Some(soonest.map_or(takes, |other: Duration| other.min(takes)));
                }
            }
            let is_late = |takes: Duration| self.now + takes > next.due + config::GATEWAY_LATE;
            soonest.is_some_and(is_late) && self.gateway.may_be_asked(self.now, &next.cid)
        };
        let due = places.due(self.now);
        due.iter().find(late).map(|next| (next.cid, places.block_bytes(next.place)))
    }
}

/// Whether asking one that needs `sooner` is worth the bytes, of another that still takes so long.
fn is_worth(sooner: Duration, takes: Duration) -> bool {
    sooner * 2 + config::HEDGE_MARGIN < takes
}

#[cfg(test)]
mod tests {
    use content::{
        Node, Profile,
        build::{Build as _, FileBuilder},
        decode,
    };
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    use super::*;
    use crate::list::{List, tests::manifest};

    /// A file of so many leaves of 16 bytes, four to a node; every name is known, nothing is here.
    fn places(leaves: usize) -> Places {
        let bytes: Vec<u8> = (0..leaves * 16).map(|n| u8::try_from(n / 16).unwrap()).collect();
        let mut builder = FileBuilder::new(Profile::SWEEP);
        let (mut nodes, mut rest) = (BTreeMap::new(), &bytes[..]);
        while builder.entry().is_none() {
            rest = &rest[builder.push(rest)..];
            if rest.is_empty() {
                builder.finish();
            }
            let kept = builder.drain(|block| {
                nodes.insert(block.cid(), block.into_opened());
                Ok::<_, ()>(())
            });
            kept.unwrap();
        }
        let size = u64::try_from(bytes.len()).unwrap();
        let manifest = manifest(&[size], &[builder.entry().unwrap().cid]);
        let mut places = Places::new(List::of(&manifest).unwrap());
        places.learn_roots(&manifest);
        for place in 0..places.list.count() {
            let opened = &nodes[&places.cid(place).unwrap()];
            let Ok(Node::File { children, .. }) = decode(opened.codec(), opened.bytes()) else {
                panic!("not a file")
            };
            places.learn_children(place, &children).unwrap();
            places.set(place, State::Missing);
        }
        places
    }

    fn leaf(places: &Places, number: u64) -> u32 {
        places.list.spans()[0].leaf_at(number * 16)
    }

    #[test]
    fn nodes_come_before_the_leaves_that_they_name() {
        let mut places = places(64);
        places.read(Time::ZERO, 0, 20 * 16, 16);
        let due = |places: &Places| -> Vec<u32> {
            places.due(Time::ZERO).iter().map(|next| next.place).collect()
        };
        assert_eq!(due(&places), [0], "the root names all");
        let path: Vec<u32> = places.list.spans()[0].path(leaf(&places, 20)).collect();
        for place in &path[..path.len() - 1] {
            places.hold(*place);
        }
        assert_eq!(due(&places)[0], leaf(&places, 20));
    }

    /// One leaf a second: four seconds are due, and the reader's own.
    #[test]
    fn blocks_are_due_by_the_pace_of_their_reader() {
        let mut places = places(64);
        (0..leaf(&places, 0)).for_each(|node| drop(places.hold(node)));
        let now = Time::from_ms(9_000);
        places.read(now, 0, 8 * 16, 16);
        let due = places.due(now);
        let times: Vec<u64> = due.iter().map(|next| next.due.as_ms()).collect();
        assert_eq!(times, [9_000, 10_000, 11_000, 12_000, 13_000]);
        assert_eq!(due[4].place, leaf(&places, 12));
        // What is late comes first and is due now; what was asked for is looked at still, what came is not.
        places.set(leaf(&places, 8), State::Asked);
        places.set(leaf(&places, 9), State::Coming);
        let due = places.due(now + Duration::from_secs(3));
        assert_eq!((due[0].place, due[0].due.as_ms()), (leaf(&places, 8), 12_000));
        assert_eq!(due[1].place, leaf(&places, 10));
        assert_eq!(places.next_read(|_| true).unwrap().place, leaf(&places, 10));
    }

    #[test]
    fn who_jumped_is_read_for_where_it_is() {
        let mut places = places(64);
        (0..leaf(&places, 0)).for_each(|node| drop(places.hold(node)));
        places.read(Time::ZERO, 0, 0, 16);
        places.read(Time::from_ms(500), 0, 40 * 16, 16);
        assert_eq!(places.due(Time::from_ms(500))[0].place, leaf(&places, 40), "who spoke last");
        assert_eq!(places.readers.len(), 2, "an index at the end, and the picture");
        places.read(Time::from_ms(3_000), 0, 41 * 16, 16);
        assert_eq!(places.readers.len(), 1);
        // Nothing is read of what is no file.
        places.read(Time::from_ms(3_000), 7, 0, 16);
        assert_eq!(places.readers.len(), 1);
    }

    proptest! {
        /// Whatever is read at whatever pace: what is due is bounded, in order, missing, and named once.
        #[test]
        fn what_is_due_is_bounded_and_in_order(
            reads in prop::collection::vec((0_u64..70, any::<u64>(), 0_u64..4_000), 1..20),
            held in prop::collection::vec(0_u32..90, 0..60),
        ) {
            let mut places = places(64);
            let count = places.list.count();
            for place in held {
                places.hold(place % count);
            }
            let mut now = Time::ZERO;
            for (number, bytes_per_s, ms) in reads {
                now = now + Duration::from_millis(ms);
                places.read(now, 0, number * 16, bytes_per_s);
                prop_assert!(places.readers.len() <= config::READERS_MAX);
                let due = places.due(now);
                prop_assert!(due.len() <= config::DUE_BLOCKS_MAX);
                prop_assert!(due.is_sorted_by_key(|next| next.due));
                for (at, next) in due.iter().enumerate() {
                    prop_assert!(next.due >= now && next.due <= now + config::DUE_WITHIN);
                    prop_assert_eq!(places.state(next.place), State::Missing);
                    prop_assert!(due[..at].iter().all(|other| other.place != next.place));
                }
                let at = leaf(&places, number);
                if places.state(at) == State::Missing {
                    let path: Vec<u32> = places.list.spans()[0].path(at).collect();
                    prop_assert!(due.first().is_some_and(|next| path.contains(&next.place)));
                }
            }
        }
    }
}
