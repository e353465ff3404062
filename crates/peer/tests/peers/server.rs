//! The least of a signaling server: challenge, join, hand over, resume, witness.

use std::collections::{BTreeMap, BTreeSet};

use primitives::{KeyPair, PeerId, Seed, SwarmId, sha256};
use wire::signaling::{
    Base64, ErrorCode, FromServer, IceServer, Neighbour, Signal, ToServer, WitnessStatement,
    check_hello,
};

/// What this server does with a signal before it hands it over. `None`: it is lost.
pub(crate) type Tamper = fn(Signal) -> Option<Signal>;

pub(crate) struct Server {
    pub(crate) up: bool,
    /// Takes sockets and never says a word.
    pub(crate) is_silent: bool,
    /// Tells members of a newcomer as well, so that both ends dial.
    pub(crate) introduces_both: bool,
    pub(crate) tamper: Tamper,
    pub(crate) witnesses: bool,
    /// Signs witness statements; the challenge always tells the server's own key.
    pub(crate) witness_key: KeyPair,
    pub(crate) ice_servers: Vec<IceServer>,
    /// Every message heard, with the peer's number.
    pub(crate) heard: Vec<(usize, ToServer)>,
    key: KeyPair,
    nonces: u8,
    sockets: BTreeMap<usize, Socket>,
    /// Members of swarms, also those whose socket is down.
    members: BTreeMap<SwarmId, BTreeSet<PeerId>>,
    resumable: BTreeSet<String>,
}

struct Socket {
    nonce: Base64,
    peer: Option<PeerId>,
}

/// A message for the peer of that number.
pub(crate) type Said = (usize, FromServer);

impl Server {
    pub(crate) fn new() -> Self {
        let key = KeyPair::from_seed(Seed::from_number(999));
        Self {
            up: true,
            is_silent: false,
            introduces_both: false,
            tamper: Some,
            witnesses: false,
            witness_key: key.clone(),
            ice_servers: Vec::new(),
            heard: Vec::new(),
            key,
            nonces: 0,
            sockets: BTreeMap::new(),
            members: BTreeMap::new(),
            resumable: BTreeSet::new(),
        }
    }

    pub(crate) fn connect(&mut self, node: usize) -> Vec<Said> {
        self.nonces += 1;
        let nonce = Base64(vec![self.nonces; 32]);
        self.sockets.insert(node, Socket { nonce: nonce.clone(), peer: None });
        vec![(node, FromServer::Challenge { version: 1, nonce, server: self.key.id() })]
    }

    /// The socket is gone; the session stays resumable.
    pub(crate) fn disconnect(&mut self, node: usize) {
        self.sockets.remove(&node);
    }

    /// Forgets everything, as a restarted process does.
    pub(crate) fn restart(&mut self) {
        self.sockets.clear();
        self.members.clear();
        self.resumable.clear();
    }

    pub(crate) fn hear(
        &mut self,
        node: usize,
        message: ToServer,
        files: &BTreeMap<String, Vec<u8>>,
    ) -> Vec<Said> {
        self.heard.push((node, message.clone()));
        match message {
            ToServer::Hello { peer, proof, resume, .. } => self.hello(node, peer, &proof, resume),
            ToServer::Join { swarm, want, .. } => self.join(node, swarm, want),
            ToServer::More { swarm, want, except, .. } => {
                let peers = self.others(node, swarm, want, &except);
                vec![(node, FromServer::Neighbours { swarm, size: self.size(swarm), peers })]
            }
            ToServer::Signal { swarm, to, signal } => self.hand_over(node, swarm, to, signal),
            ToServer::Leave { swarm } => {
                if let (Some(peer), Some(members)) = (self.peer(node), self.members.get_mut(&swarm))
                {
                    members.remove(&peer);
                }
                Vec::new()
            }
            ToServer::Witness { id, url } => vec![(node, self.witness(id, url, files))],
            ToServer::Ping => vec![(node, FromServer::Pong)],
        }
    }

    pub(crate) fn signals(&self, from: usize) -> usize {
        let signal = |message: &ToServer| matches!(message, ToServer::Signal { .. });
        self.heard.iter().filter(|(node, message)| *node == from && signal(message)).count()
    }

    fn hello(
        &mut self,
        node: usize,
        peer: PeerId,
        proof: &Base64,
        resume: Option<String>,
    ) -> Vec<Said> {
        let socket = self.sockets.get_mut(&node).expect("a hello comes on a socket");
        check_hello(&peer, &socket.nonce, proof).expect("peers prove their keys");
        socket.peer = Some(peer);
        let resumed = resume.is_some_and(|token| self.resumable.contains(&token));
        let resume = format!("token of {peer}");
        self.resumable.insert(resume.clone());
        let ice_servers = self.ice_servers.clone();
        let welcome =
            FromServer::Welcome { resume, lease_ms: 60_000, resumed, ping_ms: 25_000, ice_servers };
        vec![(node, welcome)]
    }

    fn join(&mut self, node: usize, swarm: SwarmId, want: u16) -> Vec<Said> {
        let Some(me) = self.peer(node) else { return Vec::new() };
        let is_new = self.members.entry(swarm).or_default().insert(me);
        let (size, peers) = (self.size(swarm), self.others(node, swarm, want, &[]));
        let mut said = Vec::new();
        if self.introduces_both && is_new {
            for other in &peers {
                let Some(other) = self.node(other.peer) else { continue };
                let peers = vec![Neighbour { peer: me, region: None }];
                said.push((other, FromServer::Neighbours { swarm, size, peers }));
            }
        }
        said.push((node, FromServer::Joined { swarm, size, peers, relay_only: false }));
        said
    }

    fn hand_over(&self, node: usize, swarm: SwarmId, to: PeerId, signal: Signal) -> Vec<Said> {
        let Some(from) = self.peer(node) else { return Vec::new() };
        let Some(other) = self.node(to).filter(|_| self.members[&swarm].contains(&to)) else {
            return vec![(node, FromServer::Gone { swarm, peer: to })];
        };
        let signal = (self.tamper)(signal);
        signal
            .map(|signal| (other, FromServer::Signal { swarm, from, signal }))
            .into_iter()
            .collect()
    }

    fn witness(&self, id: u32, url: String, files: &BTreeMap<String, Vec<u8>>) -> FromServer {
        let Some(body) = files.get(&url).filter(|_| self.witnesses) else {
            let code = if self.witnesses { ErrorCode::Unfetched } else { ErrorCode::NoWitness };
            let message = String::new();
            return FromServer::Error {
                code,
                message,
                swarm: None,
                id: Some(id),
                retry_after_ms: None,
            };
        };
        let piece = usize::try_from(wire::limits::PIECE_BYTES).unwrap();
        let pieces = body.chunks(piece).flat_map(|piece| *sha256(piece).as_bytes()).collect();
        let statement = WitnessStatement {
            url,
            size_bytes: u32::try_from(body.len()).unwrap(),
            sha256: sha256(body),
            pieces: Base64(pieces),
        };
        let signature = statement.sign(&self.witness_key);
        FromServer::Witness { id, statement, signature }
    }

    fn peer(&self, node: usize) -> Option<PeerId> {
        self.sockets.get(&node)?.peer
    }

    fn node(&self, peer: PeerId) -> Option<usize> {
        let mut sockets = self.sockets.iter();
        sockets.find(|(_, socket)| socket.peer == Some(peer)).map(|(node, _)| *node)
    }

    fn size(&self, swarm: SwarmId) -> u32 {
        u32::try_from(self.members[&swarm].len()).unwrap()
    }

    fn others(&self, node: usize, swarm: SwarmId, want: u16, except: &[PeerId]) -> Vec<Neighbour> {
        let me = self.peer(node);
        let members = self.members.get(&swarm).into_iter().flatten();
        let others = members.filter(|peer| Some(**peer) != me && !except.contains(peer));
        others.take(usize::from(want)).map(|peer| Neighbour { peer: *peer, region: None }).collect()
    }
}
