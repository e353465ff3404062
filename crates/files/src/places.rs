//! What is known and held of each place of a share, and what is wanted.

use std::collections::BTreeMap;

use content::{Child, Cid, share::ShareManifest};
use primitives::{PeerId, Time};

use crate::{
    bits::Bits,
    config::{CHOICE_BLOCKS, CHOICE_STEPS},
    list::List,
    reading::Reader,
};

/// Where a block is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Its name is not known: the node above it is not here.
    Unknown,
    /// The store was asked.
    Looking,
    /// Not here.
    Missing,
    /// Asked of a neighbour.
    Asked,
    /// Here, being hashed or kept.
    Coming,
    /// In the store.
    Held,
    /// The same block as an earlier place.
    Twin,
}

/// Every place of a share whose manifest is here.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) list: List,
    cids: Vec<Option<Cid>>,
    states: Vec<State>,
    by_cid: BTreeMap<Cid, u32>,
    /// Later places of the same block.
    twins: BTreeMap<u32, Vec<u32>>,
    pub(crate) held: Bits,
    /// Of each span: blocks that are not held, and plain bytes of leaves that are.
    progress: Vec<(u32, u64)>,
    /// Chosen spans, the most wanted first; those before `head` are held.
    wanted: Vec<usize>,
    head: usize,
    in_order: bool,
    /// Where the share is read as it comes, who spoke last at the end; at most
    /// [`crate::config::READERS_MAX`].
    pub(crate) readers: Vec<Reader>,
}

/// A block to be asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Next {
    pub(crate) place: u32,
    pub(crate) cid: Cid,
    /// When a reader needs it; [`Time::NEVER`]: none does.
    pub(crate) due: Time,
}

impl Places {
    pub(crate) fn new(list: List) -> Self {
        let count = usize::try_from(list.count()).expect("bounded by SHARE_BLOCKS_MAX");
        let left = |span: &crate::list::Span| u32::try_from(span.places().len()).unwrap_or(0);
        let progress = list.spans().iter().map(|span| (left(span), 0)).collect();
        Self {
            cids: vec![None; count],
            states: vec![State::Unknown; count],
            by_cid: BTreeMap::new(),
            twins: BTreeMap::new(),
            held: Bits::default(),
            progress,
            wanted: Vec::new(),
            head: 0,
            in_order: false,
            readers: Vec::new(),
            list,
        }
    }

    /// The names of all roots are known from the manifest. Those that are new.
    pub(crate) fn learn_roots(&mut self, manifest: &ShareManifest) -> Vec<Cid> {
        let roots: Vec<(u32, Cid)> = self
            .list
            .spans()
            .iter()
            .filter_map(|span| {
                let entry = usize::try_from(span.entry).ok()?;
                Some((span.root(), manifest.entries.get(entry)?.cid))
            })
            .collect();
        roots.into_iter().filter_map(|(place, cid)| self.learn(place, cid)).collect()
    }

    /// The links of the node at a place are known; `None` where they are not what the manifest says.
    /// Those that are new.
    pub(crate) fn learn_children(&mut self, place: u32, children: &[Child]) -> Option<Vec<Cid>> {
        let mut new = Vec::new();
        let twins = self.twins.get(&place).cloned().unwrap_or_default();
        for parent in std::iter::once(place).chain(twins) {
            let span = &self.list.spans()[self.list.span_of(parent)];
            let places = span.children(parent);
            let fits = places.len() == children.len()
                && places.clone().zip(children).all(|(at, c)| span.bytes_below(at) == c.size_bytes);
            if !fits {
                return None;
            }
            new.extend(places.zip(children).filter_map(|(at, child)| self.learn(at, child.cid)));
        }
        Some(new)
    }

    fn learn(&mut self, place: u32, cid: Cid) -> Option<Cid> {
        if self.state(place) != State::Unknown {
            return None;
        }
        self.cids[at(place)] = Some(cid);
        if let Some(first) = self.by_cid.get(&cid).copied() {
            self.states[at(place)] = State::Twin;
            self.twins.entry(first).or_default().push(place);
            if self.held.contains(first) {
                self.count_held(place);
            }
            return None;
        }
        self.by_cid.insert(cid, place);
        self.states[at(place)] = State::Looking;
        Some(cid)
    }

    pub(crate) fn place(&self, cid: &Cid) -> Option<u32> {
        self.by_cid.get(cid).copied()
    }

    pub(crate) fn state(&self, place: u32) -> State {
        self.states[at(place)]
    }

    pub(crate) fn cid(&self, place: u32) -> Option<Cid> {
        self.cids[at(place)]
    }

    pub(crate) fn is_leaf(&self, place: u32) -> bool {
        self.list.spans()[self.list.span_of(place)].is_leaf(place)
    }

    /// Bytes to expect of the block at a place.
    pub(crate) fn block_bytes(&self, place: u32) -> u64 {
        let span = &self.list.spans()[self.list.span_of(place)];
        // A link is about fifty bytes, a seal 42.
        let links = u64::try_from(span.children(place).len()).unwrap_or(0);
        let plain = if span.is_leaf(place) { span.bytes_below(place) } else { links * 50 };
        plain + 42
    }

    /// Whether it lies in what was chosen.
    pub(crate) fn is_wanted(&self, place: u32) -> bool {
        let span = self.list.span_of(place);
        self.wanted.contains(&span)
    }

    pub(crate) fn set(&mut self, place: u32, state: State) {
        self.states[at(place)] = state;
    }

    /// The store has it: every place of this block is held. Those that are new.
    pub(crate) fn hold(&mut self, place: u32) -> Vec<u32> {
        self.states[at(place)] = State::Held;
        let twins = self.twins.get(&place).cloned().unwrap_or_default();
        let mut all: Vec<u32> = std::iter::once(place).chain(twins).collect();
        all.retain(|place| self.count_held(*place));
        all
    }

    /// The store lost it. Those that were held.
    pub(crate) fn lose(&mut self, place: u32) -> Vec<u32> {
        if self.state(place) != State::Held {
            return Vec::new();
        }
        self.states[at(place)] = State::Missing;
        let twins = self.twins.get(&place).cloned().unwrap_or_default();
        let all: Vec<u32> = std::iter::once(place).chain(twins).collect();
        self.head = 0;
        for place in &all {
            if self.held.remove(*place) {
                let span = self.list.span_of(*place);
                let bytes = self.leaf_bytes(*place);
                self.progress[span].0 += 1;
                self.progress[span].1 = self.progress[span].1.saturating_sub(bytes);
            }
        }
        all
    }

    fn count_held(&mut self, place: u32) -> bool {
        let new = self.held.insert(place);
        if new {
            let span = self.list.span_of(place);
            let bytes = self.leaf_bytes(place);
            self.progress[span].0 = self.progress[span].0.saturating_sub(1);
            self.progress[span].1 += bytes;
        }
        new
    }

    fn leaf_bytes(&self, place: u32) -> u64 {
        let span = &self.list.spans()[self.list.span_of(place)];
        if span.is_leaf(place) { span.bytes_below(place) } else { 0 }
    }

    /// Chooses what to fetch.
    pub(crate) fn choose(&mut self, entries: &[u32], in_order: bool) {
        let mut seen = Bits::default();
        let spans = entries.iter().filter(|entry| seen.insert(**entry));
        self.wanted = spans.filter_map(|entry| self.list.span_of_entry(*entry)).collect();
        (self.head, self.in_order) = (0, in_order);
    }

    pub(crate) fn wanted(&self) -> &[usize] {
        &self.wanted
    }

    /// Whether all of a span is held.
    pub(crate) fn is_whole(&self, span: usize) -> bool {
        self.progress[span].0 == 0
    }

    /// Plain bytes held of a span.
    pub(crate) fn held_bytes(&self, span: usize) -> u64 {
        self.progress[span].1
    }

    /// Whether anything was chosen and all of it is held.
    pub(crate) fn is_done(&self) -> bool {
        // What is before `head` is held, so this stops at once until the end.
        let rest = self.wanted.get(self.head..).unwrap_or_default();
        !self.wanted.is_empty() && rest.iter().all(|span| self.is_whole(*span))
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.held.count() == self.list.count()
    }

    /// The block to ask next of a neighbour that `has` places: what somebody reads, and a little ahead of it;
    /// link nodes, for they name the rest; then in order, or what fewest hold, each peer breaking ties in an
    /// order of its own so that those who begin together ask for different blocks. `holders` counts who holds
    /// a place; `in_time` says whether so many bytes of what is read would not come too late.
    pub(crate) fn next(
        &mut self,
        me: &PeerId,
        has: impl Fn(u32, &Cid) -> bool,
        in_time: impl Fn(&Next, u64) -> bool,
        holders: impl Fn(u32) -> usize,
    ) -> Option<Next> {
        while self.wanted.get(self.head).is_some_and(|span| self.is_whole(*span)) {
            self.head += 1;
        }
        let may =
            |next: &Next| has(next.place, &next.cid) && in_time(next, self.block_bytes(next.place));
        if let Some(read) = self.next_read(may) {
            return Some(read);
        }
        let due = Time::NEVER;
        let (mut steps, mut missing) = (0, 0);
        let mut best: Option<((usize, u64), u32, Cid)> = None;
        for span in self.wanted[self.head.min(self.wanted.len())..].iter().copied() {
            if self.is_whole(span) {
                continue;
            }
            for place in self.list.spans()[span].places() {
                steps += 1;
                if missing >= CHOICE_BLOCKS || steps >= CHOICE_STEPS {
                    return best.map(|(_, place, cid)| Next { place, cid, due });
                }
                let (State::Missing, Some(cid)) = (self.state(place), self.cid(place)) else {
                    continue;
                };
                missing += 1;
                if !has(place, &cid) {
                    continue;
                }
                if self.in_order || !self.list.spans()[span].is_leaf(place) {
                    return Some(Next { place, cid, due });
                }
                let rank = (holders(place), tie(me, &cid));
                if best.as_ref().is_none_or(|(least, ..)| rank < *least) {
                    best = Some((rank, place, cid));
                }
            }
        }
        best.map(|(_, place, cid)| Next { place, cid, due })
    }
}

/// An order of this peer's own: both are uniform, so their sum is.
fn tie(me: &PeerId, cid: &Cid) -> u64 {
    let first = |bytes: &[u8]| bytes.iter().take(8).fold(0, |sum, b| sum << 8 | u64::from(*b));
    let (mine, block) = (first(me.as_bytes()), first(cid.digest().as_bytes()));
    (mine ^ block).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1
}

fn at(place: u32) -> usize {
    usize::try_from(place).expect("a 32-bit number is an index on every target")
}
