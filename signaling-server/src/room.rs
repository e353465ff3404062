//! Swarms and their members: who is in, who is introduced to whom, who may be sent to.
//!
//! Sans-IO and deterministic: time and randomness are arguments, nothing is sent from here. One value
//! holds many swarms; the driver keeps several (shards), each behind its own lock.
//!
//! Laws, checked by the property tests:
//! 1. Nobody is introduced to itself, twice in one answer, to a stranger of the swarm, to a member
//!    whose socket is down, or to one of its exceptions; never to more than it wants.
//! 2. A membership ends only by its own session, so that a late message of an earlier session of the
//!    same key changes nothing.
//! 3. The cost of one introduction is bounded whatever the swarm's size (`choice`).
//! 4. An empty swarm is forgotten.

mod bag;
mod choice;
mod member;
mod remote;
mod session;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use primitives::{PeerId, Rng, SwarmId, Time};
use wire::limits::NEIGHBOURS_MAX;
use wire::signaling::Neighbour;

use crate::bus::NodeId;
use bag::Bag;
use choice::Asker;
use member::{Member, Place};

pub use session::{
    Detached, Ended, HELD_BYTES_MAX, HELD_MESSAGES_MAX, Opened, Posted, SessionId, Sessions,
    SocketId,
};

/// Most distinct regions told apart in one swarm; further ones count as not told.
pub const REGIONS_MAX: usize = 64;
/// Most unasked introductions of one [`Rooms::tick`].
pub const PUSHES_PER_TICK_MAX: usize = 64;

/// Bounds of [`Rooms`].
#[derive(Debug, Clone)]
pub struct RoomLimits {
    /// Most swarms held.
    pub swarms_max: usize,
    /// Most members of one swarm.
    pub swarm_peers_max: usize,
    /// Least time between two unasked introductions of one member, in milliseconds.
    pub push_every_ms: u32,
}

/// Why a room refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The asker is not in that swarm with this session.
    NotJoined,
    /// The swarm, or the room, is full.
    Full,
}

/// Who joins.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// Its key.
    pub peer: PeerId,
    /// Its session.
    pub session: SessionId,
    /// Where in the policy's list its site stands; told back when the membership ends.
    pub site: usize,
    /// Region hint.
    pub region: Option<String>,
    /// Media sequence number at its playhead.
    pub position: Option<u32>,
    /// How many neighbours it wants.
    pub want: u16,
}

/// What an asker is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    /// Peers in the swarm, the asker included.
    pub size: u32,
    /// Whom to dial.
    pub peers: Vec<Neighbour>,
    /// The membership is new: it was not there before this call.
    pub new: bool,
    /// It is the first of this server in the swarm.
    pub first: bool,
}

/// A membership that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// Its site.
    pub site: usize,
    /// It was the last of this server in the swarm.
    pub last: bool,
}

/// Where a member is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// It is not in the swarm.
    Gone,
    /// Its session is here.
    Here,
    /// It is on another node.
    There(NodeId),
}

/// Neighbours sent unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// The swarm.
    pub swarm: SwarmId,
    /// To whom.
    pub to: PeerId,
    /// What it is told.
    pub introduction: Introduction,
}

/// Many swarms and their members.
#[derive(Debug)]
pub struct Rooms {
    limits: RoomLimits,
    swarms: BTreeMap<SwarmId, Room>,
    /// Members left with few neighbours, by when they may be sent others.
    lonely: BTreeSet<(Time, SwarmId, PeerId)>,
    /// Members on other nodes, by when they are forgotten unless told of again.
    leases: BTreeSet<(Time, SwarmId, PeerId)>,
}

/// One swarm.
#[derive(Debug, Default)]
struct Room {
    members: BTreeMap<PeerId, Member>,
    /// How many of them are of this server.
    local_count: usize,
    /// Members whose socket is open, three ways.
    available: Bag,
    by_region: BTreeMap<Arc<str>, Bag>,
    by_position: BTreeSet<(u32, PeerId)>,
}

impl Rooms {
    /// No swarms yet.
    pub fn new(limits: RoomLimits) -> Self {
        Self { limits, swarms: BTreeMap::new(), lonely: BTreeSet::new(), leases: BTreeSet::new() }
    }

    /// How many swarms have members.
    pub fn swarm_count(&self) -> usize {
        self.swarms.len()
    }

    /// Every swarm: its members, those of this server among them, its id.
    pub fn sizes(&self) -> impl Iterator<Item = (usize, usize, SwarmId)> {
        self.swarms.iter().map(|(swarm, room)| (room.members.len(), room.local_count, *swarm))
    }

    /// The peers of this server in a swarm, with the sessions they joined with.
    pub fn sessions_in(&self, swarm: SwarmId) -> Vec<(PeerId, SessionId)> {
        let members = self.swarms.get(&swarm).into_iter().flat_map(|room| &room.members);
        members.filter_map(|(peer, member)| Some((*peer, member.session()?))).collect()
    }

    /// Puts a peer into a swarm and introduces it to up to `want` members. Joining again, or with a
    /// newer session, keeps one membership and renews what was told.
    pub fn join(
        &mut self,
        now: Time,
        swarm: SwarmId,
        newcomer: Newcomer,
        rng: &mut Rng,
    ) -> Result<Introduction, Refusal> {
        let swarm_count = self.swarms.len();
        let room = self.swarms.get(&swarm);
        let full = match room {
            None => swarm_count >= self.limits.swarms_max,
            Some(room) => {
                room.members.len() >= self.limits.swarm_peers_max
                    && !room.members.contains_key(&newcomer.peer)
            }
        };
        if full {
            return Err(Refusal::Full);
        }
        let held = room.and_then(|room| room.members.get(&newcomer.peer));
        if held.and_then(Member::session).is_some_and(|held| held > newcomer.session) {
            return Err(Refusal::NotJoined);
        }
        let want = usize::from(newcomer.want).min(NEIGHBOURS_MAX);
        let room = self.swarms.entry(swarm).or_default();
        let replaced = room.enter(&newcomer, want);
        let new = !matches!(replaced, Some(Place::Local { .. }));
        let first = new && room.local_count == 1;
        let peers = room.introduce(now, &newcomer.peer, want, &BTreeSet::new(), rng);
        let introduction = Introduction { size: room.size(), peers, new, first };
        if let Some(Place::Remote { until, .. }) = replaced {
            self.leases.remove(&(until, swarm, newcomer.peer));
        }
        Ok(introduction)
    }

    /// Introduces a member to others than `except`.
    #[expect(clippy::too_many_arguments, reason = "each is one field of the message")]
    pub fn more(
        &mut self,
        now: Time,
        swarm: SwarmId,
        (peer, session): (PeerId, SessionId),
        want: u16,
        except: &BTreeSet<PeerId>,
        position: Option<u32>,
        rng: &mut Rng,
    ) -> Result<Introduction, Refusal> {
        let room = self.room_of(swarm, &peer, session).ok_or(Refusal::NotJoined)?;
        if position.is_some() {
            room.move_to(&peer, position);
        }
        let want = usize::from(want).min(NEIGHBOURS_MAX);
        let peers = room.introduce(now, &peer, want, except, rng);
        Ok(Introduction { size: room.size(), peers, new: false, first: false })
    }

    /// Where a message of `from` to `to` goes.
    pub fn route(
        &self,
        swarm: SwarmId,
        (from, session): (PeerId, SessionId),
        to: &PeerId,
    ) -> Result<Route, Refusal> {
        let room = self.swarms.get(&swarm).ok_or(Refusal::NotJoined)?;
        let sender = room.members.get(&from).ok_or(Refusal::NotJoined)?;
        if sender.session() != Some(session) {
            return Err(Refusal::NotJoined);
        }
        Ok(match room.members.get(to).map(|member| member.place) {
            None => Route::Gone,
            Some(Place::Local { .. }) => Route::Here,
            Some(Place::Remote { node, .. }) => Route::There(node),
        })
    }

    /// Ends a membership; `None` if there was none of this session.
    pub fn leave(
        &mut self,
        now: Time,
        swarm: SwarmId,
        peer: &PeerId,
        session: SessionId,
    ) -> Option<Departure> {
        self.room_of(swarm, peer, session)?;
        let Place::Local { site, .. } = self.remove(now, swarm, peer)? else { return None };
        let room = self.swarms.get_mut(&swarm)?;
        room.local_count = room.local_count.saturating_sub(1);
        let last = room.local_count == 0;
        if last {
            self.forget(swarm);
        }
        Some(Departure { site, last })
    }

    /// Takes a member out and arranges that those left with few are sent others.
    fn remove(&mut self, now: Time, swarm: SwarmId, peer: &PeerId) -> Option<Place> {
        let every = Duration::from_millis(u64::from(self.limits.push_every_ms));
        let room = self.swarms.get_mut(&swarm)?;
        let (member, lonely) = room.exit(peer)?;
        for left in lonely {
            if let Some(due) = room.schedule_push(now, every, &left) {
                self.lonely.insert((due, swarm, left));
            }
        }
        if let Some(due) = member.push_due {
            self.lonely.remove(&(due, swarm, *peer));
        }
        if let Place::Remote { until, .. } = member.place {
            self.leases.remove(&(until, swarm, *peer));
        }
        Some(member.place)
    }

    /// Forgets a swarm nobody of this server is in.
    fn forget(&mut self, swarm: SwarmId) {
        let Some(room) = self.swarms.remove(&swarm) else { return };
        for (peer, member) in room.members {
            if let Some(due) = member.push_due {
                self.lonely.remove(&(due, swarm, peer));
            }
            if let Place::Remote { until, .. } = member.place {
                self.leases.remove(&(until, swarm, peer));
            }
        }
    }

    /// The member's socket closed, or it is back. A detached member keeps its place and is handed to
    /// nobody.
    pub fn set_attached(
        &mut self,
        swarm: SwarmId,
        peer: &PeerId,
        session: SessionId,
        attached: bool,
    ) {
        if let Some(room) = self.room_of(swarm, peer, session) {
            room.set_attached(peer, attached);
        }
    }

    /// Forgets members of silent nodes, and sends neighbours to members that were left with few, at most [`PUSHES_PER_TICK_MAX`] a call.
    pub fn tick(&mut self, now: Time, rng: &mut Rng) -> Vec<Push> {
        self.end_leases(now);
        let mut pushes = Vec::new();
        while pushes.len() < PUSHES_PER_TICK_MAX {
            let Some(&(at, swarm, to)) = self.lonely.first() else { break };
            if at > now {
                break;
            }
            self.lonely.pop_first();
            let Some(room) = self.swarms.get_mut(&swarm) else { continue };
            if let Some(introduction) = room.push(now, &to, rng) {
                pushes.push(Push { swarm, to, introduction });
            }
        }
        pushes
    }

    fn room_of(&mut self, swarm: SwarmId, peer: &PeerId, session: SessionId) -> Option<&mut Room> {
        let room = self.swarms.get_mut(&swarm)?;
        (room.members.get(peer)?.session() == Some(session)).then_some(room)
    }
}

impl Room {
    fn size(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }

    /// Puts in a peer of this server; where it was before, if it was in.
    fn enter(&mut self, newcomer: &Newcomer, want: usize) -> Option<Place> {
        let held = self.members.get(&newcomer.peer).map(|member| member.place);
        // A renewed membership stays with the site that has a place taken for it.
        let site = match held {
            Some(Place::Local { site, .. }) => site,
            Some(Place::Remote { .. }) | None => newcomer.site,
        };
        if !matches!(held, Some(Place::Local { .. })) {
            self.local_count += 1;
        }
        let place = Place::Local { session: newcomer.session, site };
        self.put(newcomer.peer, place, want, newcomer.region.as_deref(), newcomer.position);
        held
    }

    /// Puts a member in, or renews what is known of it.
    fn put(
        &mut self,
        peer: PeerId,
        place: Place,
        want: usize,
        region: Option<&str>,
        position: Option<u32>,
    ) {
        self.hide(&peer);
        let region = region.and_then(|name| self.region(name));
        let member = self.members.entry(peer).or_insert_with(|| Member::new(place, want));
        member.place = place;
        member.want = want;
        member.region = region;
        member.position = position;
        member.attached = true;
        self.show(&peer);
    }

    /// The shared name of a region; `None` when there are too many.
    fn region(&mut self, name: &str) -> Option<Arc<str>> {
        if let Some((known, _)) = self.by_region.get_key_value(name) {
            return Some(Arc::clone(known));
        }
        (self.by_region.len() < REGIONS_MAX).then(|| Arc::from(name))
    }

    /// Takes a member out; with it, those who are left with few neighbours.
    fn exit(&mut self, peer: &PeerId) -> Option<(Member, Vec<PeerId>)> {
        self.hide(peer);
        let member = self.members.remove(peer)?;
        let mut lonely = Vec::new();
        for other in &member.links {
            let Some(left) = self.members.get_mut(other) else { continue };
            left.links.retain(|link| link != peer);
            if left.is_lonely() {
                lonely.push(*other);
            }
        }
        Some((member, lonely))
    }

    fn set_attached(&mut self, peer: &PeerId, attached: bool) {
        let Some(member) = self.members.get_mut(peer) else { return };
        if member.attached == attached {
            return;
        }
        if attached {
            member.attached = true;
            self.show(peer);
        } else {
            self.hide(peer);
            if let Some(member) = self.members.get_mut(peer) {
                member.attached = false;
            }
        }
    }

    fn move_to(&mut self, peer: &PeerId, position: Option<u32>) {
        self.hide(peer);
        if let Some(member) = self.members.get_mut(peer) {
            member.position = position;
        }
        self.show(peer);
    }

    /// Enters an attached member into the indexes it is found by.
    fn show(&mut self, peer: &PeerId) {
        let Some(member) = self.members.get(peer).filter(|member| member.attached) else { return };
        self.available.insert(*peer);
        if let Some(region) = &member.region {
            self.by_region.entry(Arc::clone(region)).or_default().insert(*peer);
        }
        if let Some(position) = member.position {
            self.by_position.insert((position, *peer));
        }
    }

    /// Takes a member out of the indexes.
    fn hide(&mut self, peer: &PeerId) {
        let Some(member) = self.members.get(peer) else { return };
        self.available.remove(peer);
        if let Some(region) = &member.region
            && let Some(bag) = self.by_region.get_mut(region)
        {
            bag.remove(peer);
            if bag.is_empty() {
                self.by_region.remove(region);
            }
        }
        if let Some(position) = member.position {
            self.by_position.remove(&(position, *peer));
        }
    }

    /// Chooses neighbours for a member and remembers the introductions on both sides.
    fn introduce(
        &mut self,
        now: Time,
        peer: &PeerId,
        want: usize,
        except: &BTreeSet<PeerId>,
        rng: &mut Rng,
    ) -> Vec<Neighbour> {
        let Some(member) = self.members.get(peer) else { return Vec::new() };
        let region = member.region.clone();
        let position = member.position;
        let asker = Asker { peer, region: region.as_ref(), position, except };
        let chosen = self.choose(now, &asker, want, rng);
        let mut neighbours = Vec::with_capacity(chosen.len());
        for other in chosen {
            let Some(met) = self.members.get_mut(&other) else { continue };
            met.link(now, *peer);
            neighbours
                .push(Neighbour { peer: other, region: met.region.as_deref().map(Into::into) });
            if let Some(member) = self.members.get_mut(peer) {
                member.link(now, other);
            }
        }
        neighbours
    }

    /// When a member left with few neighbours may be sent others; `None` if that is arranged already.
    fn schedule_push(&mut self, now: Time, every: Duration, peer: &PeerId) -> Option<Time> {
        let member = self.members.get_mut(peer)?;
        if member.session().is_none() || member.push_due.is_some() {
            return None;
        }
        let due = member.pushed_at.map_or(now, |pushed| now.max(pushed + every));
        member.push_due = Some(due);
        Some(due)
    }

    /// An unasked introduction, if the member is still here, still lonely, and there is anyone.
    fn push(&mut self, now: Time, to: &PeerId, rng: &mut Rng) -> Option<Introduction> {
        let member = self.members.get_mut(to)?;
        member.push_due = None;
        if member.session().is_none() || !member.attached || !member.is_lonely() {
            return None;
        }
        let except: BTreeSet<PeerId> = member.links.iter().copied().collect();
        let want = member.want.saturating_sub(member.links.len());
        let peers = self.introduce(now, to, want, &except, rng);
        if peers.is_empty() {
            return None;
        }
        let member = self.members.get_mut(to)?;
        member.pushed_at = Some(now);
        Some(Introduction { size: self.size(), peers, new: false, first: false })
    }
}
