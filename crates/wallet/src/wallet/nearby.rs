//! Neighbours of the page's shares: what is said to them, and what their frames bring.

use light_client::{Header, Input as Seen, Proved, QueryId, Question, RequestId, ServerId, Status};
use primitives::PeerId;
use wire::{
    ledger::StateProof,
    limits::NEAR_ANSWER_BYTES_MAX,
    near::{Answer, Ask, Follows, NearMessage, NewHead, Submit},
    pay::PayMessage,
};

use super::{ASK_EVERY_MS, Errand, Output, Wallet};
use crate::{
    near::SUBMIT_COST,
    servers::Server,
    view::{Carry, Told},
};

/// Most transactions of neighbours on their way to a server.
const PASSED_MAX: usize = 8;
/// Neighbours that are told one transaction.
const TOLD_NEIGHBOURS: usize = 2;

impl Wallet {
    /// What happened among neighbours.
    pub(super) fn on_near(&mut self, told: Told, out: &mut Vec<Output>) {
        match told {
            Told::Up(peer) => self.near.on_up(PeerId::new(*peer)),
            Told::Down(peer) => {
                if let Some(id) = self.near.on_down(PeerId::new(*peer)) {
                    self.see(Seen::Down(id), out);
                }
            }
            // What can't be read is passed over.
            Told::Frame(peer, bytes) => {
                if let Ok(message) = NearMessage::decode(&bytes) {
                    self.on_near_message(PeerId::new(*peer), message, out);
                } else if let Ok(PayMessage::Keep(keep)) = PayMessage::decode(&bytes) {
                    self.on_keep(PeerId::new(*peer), &keep);
                }
            }
            Told::Moved(..) | Told::Whole => {}
        }
    }

    fn on_near_message(&mut self, peer: PeerId, message: NearMessage, out: &mut Vec<Output>) {
        let now_ms = self.now_ms;
        let Some(neighbour) = self.near.heard(peer) else { return };
        match message {
            NearMessage::Follows(follows) => {
                // Each time anew costs questions.
                if neighbour.id.is_some() && !neighbour.spend(now_ms, SUBMIT_COST) {
                    return;
                }
                let follows = *follows.chain == *self.chain.as_bytes();
                if let Some(id) = self.near.on_follows(peer, follows) {
                    self.see(Seen::Down(id), out);
                }
            }
            NearMessage::Ask(Ask { request, key }) => {
                let bytes = if neighbour.spend(now_ms, 1) {
                    match key {
                        None => self.show_newest(peer),
                        Some(key) => match self.look_up(peer, request, &key) {
                            Looked::Known(bytes) => Some(bytes),
                            Looked::Nothing => None,
                            Looked::Asking(query) => {
                                self.see(Seen::ProveFor { query, key: &key }, out);
                                return;
                            }
                        },
                    }
                } else {
                    None
                };
                answer(peer, request, bytes, out);
            }
            NearMessage::Answer(Answer { request, bytes }) => {
                let Some(request) = self.near.answered(peer, request) else { return };
                let seen = match &bytes {
                    Some(bytes) => Seen::Answered { request, bytes },
                    None => Seen::Failed(request),
                };
                self.see(seen, out);
            }
            NearMessage::NewHead(NewHead { finality }) => {
                if let Some(from) = neighbour.id {
                    self.see(Seen::Pushed { from, bytes: &finality }, out);
                }
            }
            NearMessage::Submit(Submit { transaction }) => {
                if neighbour.spend(now_ms, SUBMIT_COST) {
                    self.pass_on(transaction.into(), out);
                }
            }
        }
    }

    /// The newest block, for a neighbour that wants to follow.
    fn show_newest(&mut self, peer: PeerId) -> Option<Vec<u8>> {
        let head = self.client.head()?;
        let neighbour = self.near.heard(peer)?;
        neighbour.follow(self.now_ms);
        neighbour.shown = neighbour.shown.max(head.header.height);
        Some(head.bytes.clone())
    }

    /// A proof for a neighbour: what is known, or of a server.
    fn look_up(&mut self, peer: PeerId, request: u32, key: &[u8]) -> Looked {
        let Some(shown) = self.near.heard(peer).map(|neighbour| neighbour.shown) else {
            return Looked::Nothing;
        };
        let head = self.client.head().map_or(0, |head| head.header.height);
        let alone = self.servers.up().next().is_none();
        if let Some(bytes) = self.near.known(key, shown, head, alone).map(<[u8]>::to_vec) {
            self.was_shown(peer, &bytes);
            return Looked::Known(bytes);
        }
        let query = (!alone).then(|| self.near.relay(peer, request, key, shown)).flatten();
        query.map_or(Looked::Nothing, Looked::Asking)
    }

    /// A server proved what a neighbour asked for, or none did; whether one asked.
    pub(super) fn on_relayed(
        &mut self,
        query: QueryId,
        proved: Option<&Proved>,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(relayed) = self.near.relayed(query) else { return false };
        let (peer, request) = (relayed.peer, relayed.request);
        let fit = |proved: &&Proved| {
            proved.height >= relayed.least && proved.bytes.len() <= NEAR_ANSWER_BYTES_MAX
        };
        let bytes = proved.filter(fit).map(|proved| {
            self.was_shown(peer, &proved.bytes);
            self.near.keep(relayed, proved.height, &proved.bytes);
            proved.bytes.clone()
        });
        answer(peer, request, bytes, out);
        true
    }

    /// Remembers the highest block that a proof shows to a neighbour.
    fn was_shown(&mut self, peer: PeerId, proof: &[u8]) {
        let signed = StateProof::read(proof)
            .and_then(|proof| proof.finality.headers.last().and_then(|bytes| Header::read(bytes)));
        if let (Some(neighbour), Some(header)) = (self.near.heard(peer), signed) {
            neighbour.shown = neighbour.shown.max(header.height);
        }
    }

    /// Tells a neighbour's transaction to one server, whose answer is nobody's.
    fn pass_on(&mut self, transaction: Vec<u8>, out: &mut Vec<Output>) {
        let passed = self.errands.values().filter(|errand| matches!(errand, Errand::Pass)).count();
        let url = self.servers.up().next().map(|server| server.url.clone());
        if let Some(url) = url.filter(|_| passed < PASSED_MAX) {
            let url = format!("{url}/ledger/transactions");
            self.errand(Errand::Pass, url, Some(transaction), out);
        }
    }

    /// Asks a neighbour what the light client wants to know.
    pub(super) fn ask_near(
        &mut self,
        id: ServerId,
        request: RequestId,
        question: &Question,
        out: &mut Vec<Output>,
    ) {
        let Some(peer) = self.near.by_id(id).map(|neighbour| neighbour.peer) else { return };
        let key = match question {
            Question::Latest => None,
            Question::State(key) => Some(key.clone().into()),
            // The light client asks servers only.
            Question::Successions(_) => return,
        };
        let request = self.near.ask(peer, request, self.now_ms);
        say(peer, &NearMessage::Ask(Ask { request, key }), out);
    }

    /// Hands a transaction to neighbours that are asked, by turns. They may drop it: it is told again, to others,
    /// until it is in a block. Whether there was anybody to hand it to.
    pub(super) fn submit_near(&self, transaction: &[u8], out: &mut Vec<Output>) -> bool {
        let mut peers = self.near.asked_peers();
        if peers.is_empty() {
            return false;
        }
        let turn = usize::try_from(self.now_ms / ASK_EVERY_MS).unwrap_or_default() % peers.len();
        let first = turn * TOLD_NEIGHBOURS % peers.len();
        peers.rotate_left(first);
        peers.truncate(TOLD_NEIGHBOURS);
        let message = NearMessage::Submit(Submit { transaction: transaction.to_vec().into() });
        for peer in peers {
            say(peer, &message, out);
        }
        true
    }

    /// Tells neighbours what they are to know, and asks them or not.
    pub(super) fn keep_near(&mut self, out: &mut Vec<Output>) {
        if self.servers.up().next().is_some() {
            let follows = NearMessage::Follows(Follows { chain: (*self.chain.as_bytes()).into() });
            for neighbour in self.near.list.iter_mut().filter(|one| !one.is_told && !one.lies()) {
                neighbour.is_told = true;
                say(neighbour.peer, &follows, out);
            }
        }
        // Who is asked stays until a server shows the newest block, too: proofs of it are under way.
        let newest = self.client.head().map_or(0, |head| head.header.height);
        let least = if self.near.is_asked() { newest } else { 0 };
        let fit = |server: &Server| server.faults.is_empty() && server.height >= least;
        let useful = self.servers.up().any(fit);
        let alone = !useful || matches!(self.client.status(), Status::Blind | Status::Stale);
        let (begun, ended) = self.near.turn(alone, self.now_ms);
        // In this order: what those that go were asked is asked of those that come.
        for id in begun {
            self.watch.on_up();
            self.see(Seen::Up(id), out);
        }
        for id in ended {
            self.see(Seen::Down(id), out);
        }
        if let Some(head) = self.client.head() {
            for peer in self.near.due(head.header.height, self.now_ms) {
                let finality = head.bytes.clone().into();
                say(peer, &NearMessage::NewHead(NewHead { finality }), out);
            }
        }
    }

    /// When that is to be done again.
    pub(super) fn near_wake(&self) -> Option<u64> {
        let height = self.client.head().map_or(0, |head| head.header.height);
        self.near.wake(height, self.now_ms)
    }
}

/// What there is for a neighbour.
enum Looked {
    Known(Vec<u8>),
    Asking(QueryId),
    Nothing,
}

fn answer(peer: PeerId, request: u32, bytes: Option<Vec<u8>>, out: &mut Vec<Output>) {
    let bytes = bytes.map(Into::into);
    say(peer, &NearMessage::Answer(Answer { request, bytes }), out);
}

fn say(peer: PeerId, message: &NearMessage, out: &mut Vec<Output>) {
    let frame = message.encode_to_vec().into();
    out.push(Output::Carry(Carry::Tell { to: (*peer.as_bytes()).into(), frame }));
}
