//! The light client itself: one `step`.

mod following;
mod time;

use primitives::{SortedMap, SortedSet};
use wire::ledger::{Finality, StateProof};

use crate::{
    Event, Fault, Head, Header, Input, Output, Proved, QueryId, Question, RequestId, RootError,
    ServerId, TrustRoot, Unproved, Verifier,
    heads::{Heads, Taken},
    queries::{KEY_BYTES_MAX, QUERIES_MAX, Queries, Query, Request},
};

pub use time::Status;
use time::least;

/// Most servers at a time. More are not heard.
const SERVERS_MAX: usize = 32;
/// How long an answer may take, in milliseconds.
const ANSWER_MS: u64 = 5_000;
/// How long a server may be behind the newest block before it is named, in milliseconds.
const LAG_MS: u64 = 15_000;
/// A server that was asked for no proof for this long is asked for one that is known already, in
/// milliseconds. Who hears of blocks first is asked for all proofs; a liar that is slower would never
/// be found out.
const AUDIT_EVERY_MS: u64 = 20_000;
/// Without a newer block for this long, all servers are asked, in milliseconds.
const QUIET_MS: u64 = 15_000;
/// Certificates are looked at this often, the newest of what came meanwhile, in milliseconds.
const LOOK_EVERY_MS: u64 = 200;

/// When to call [`LightClient::step`] with [`Input::Tick`] if nothing happens first, in milliseconds
/// of the clock that `now_ms` counts; none: never.
pub type Wake = Option<u64>;

#[derive(Debug, Default)]
struct Server {
    /// The highest block it showed.
    height: u64,
    /// The last one that it sent by itself.
    pushed: u64,
    /// When it was last asked for a proof.
    asked_ms: u64,
    /// When it was last asked for successions; none: not since one of them helped.
    followed_ms: Option<u64>,
    /// Since when the newest block is higher.
    behind_since_ms: Option<u64>,
    /// When the first and the last answer came that were behind what it had shown before, none since being as far.
    old_answers_ms: Option<(u64, u64)>,
    faults: SortedSet<Fault>,
    /// The newest that it sent and that was not looked at.
    unread: Option<Vec<u8>>,
}

impl Server {
    fn lies(&self) -> bool {
        self.faults.iter().any(|fault| fault.is_a_lie())
    }

    /// Whether its answers stay behind what it shows by itself.
    fn answers_late(&self) -> bool {
        self.old_answers_ms.is_some_and(|(first, last)| last.saturating_sub(first) >= LAG_MS)
    }
}

/// A light client. See the crate's story.
#[derive(Debug)]
pub struct LightClient {
    verifier: Verifier,
    now_ms: u64,
    heads: Heads,
    servers: SortedMap<ServerId, Server>,
    queries: Queries,
    looked_ms: u64,
    asked_ms: u64,
    forked: bool,
}

impl LightClient {
    /// A client that knows nothing but its root.
    ///
    /// # Errors
    /// The root's key is no key.
    pub fn new(root: &TrustRoot) -> Result<Self, RootError> {
        Ok(Self::with(Verifier::new(root)?))
    }

    fn with(verifier: Verifier) -> Self {
        Self {
            now_ms: 0,
            heads: Heads::resume(verifier.identities()),
            verifier,
            servers: SortedMap::new(),
            queries: Queries::default(),
            looked_ms: 0,
            asked_ms: 0,
            forked: false,
        }
    }

    /// Takes one input. `now_ms` is the time of day, in milliseconds since 1970-01-01 UTC: headers
    /// say when they were made, and old ones may be a server's old state.
    pub fn step(&mut self, now_ms: u64, input: Input<'_>, out: &mut Vec<Output>) -> Wake {
        if now_ms < self.now_ms {
            self.set_back(now_ms);
        }
        self.now_ms = now_ms;
        match input {
            Input::Tick => {}
            Input::Up(server) => self.on_up(server, out),
            Input::Down(server) => self.on_down(server, out),
            Input::Pushed { from, bytes } => self.on_pushed(from, bytes),
            Input::Answered { request, bytes } => self.on_answer(request, bytes, out),
            Input::Failed(request) => self.on_failed(request, out),
            Input::Prove { query, key } => self.on_prove(query, key, false, out),
            Input::ProveFor { query, key } => self.on_prove(query, key, true, out),
            Input::Forget(query) => drop(self.queries.waiting.remove(&query)),
        }
        self.look(out);
        self.on_late(out);
        self.watch_lag(out);
        self.ask_when_quiet(out);
        self.wake()
    }

    /// The newest final block.
    pub fn head(&self) -> Option<&Head> {
        self.heads.head()
    }

    /// Whether a question still waits for its proof.
    pub fn waits(&self, query: QueryId) -> bool {
        self.queries.waiting.contains_key(&query)
    }

    /// How many signatures were checked so far.
    pub fn verified(&self) -> u64 {
        self.heads.verified
    }

    /// What each server showed, and what it is blamed for.
    pub fn servers(&self) -> impl Iterator<Item = (ServerId, u64, Vec<Fault>)> {
        self.servers
            .iter()
            .map(|(id, server)| (*id, server.height, server.faults.iter().copied().collect()))
    }

    fn on_up(&mut self, id: ServerId, out: &mut Vec<Output>) {
        if self.servers.len() < SERVERS_MAX && !self.servers.contains_key(&id) {
            self.servers.insert(id, Server::default());
            self.ask_latest(id, out);
            self.ask_unasked(false, out);
        }
    }

    fn on_down(&mut self, id: ServerId, out: &mut Vec<Output>) {
        self.servers.remove(&id);
        let gone = self.queries.remove(|request| request.server == id);
        gone.into_iter()
            .filter_map(|request| request.query)
            .for_each(|query| self.ask_state(query, out));
        self.ask_unasked(false, out);
    }

    fn on_pushed(&mut self, from: ServerId, bytes: &[u8]) {
        if bytes.len() > wire::limits::LEDGER_ANSWER_BYTES_MAX {
            return;
        }
        if let Some(server) = self.servers.get_mut(&from).filter(|server| !server.lies()) {
            server.unread = Some(bytes.to_vec());
        }
    }

    /// Looks at what servers sent, not more often than [`LOOK_EVERY_MS`].
    fn look(&mut self, out: &mut Vec<Output>) {
        if self.now_ms.saturating_sub(self.looked_ms) < LOOK_EVERY_MS
            && self.looked_ms <= self.now_ms
        {
            return;
        }
        let unread = |(id, server): (&ServerId, &mut Server)| Some((*id, server.unread.take()?));
        let unread: Vec<_> = self.servers.iter_mut().filter_map(unread).collect();
        for (id, bytes) in unread {
            self.looked_ms = self.now_ms;
            let Some(finality) = Finality::read(&bytes) else {
                self.blame(id, Fault::Malformed, out);
                continue;
            };
            let least = self.servers.get(&id).map_or(0, |server| server.pushed);
            let taken = self.take(id, &finality, least, out);
            if let (Some(server), Some(taken)) = (self.servers.get_mut(&id), taken) {
                server.pushed = taken.height;
            }
        }
    }

    /// Takes what a server shows as final; `least` is what it showed before by the same way.
    fn take(
        &mut self,
        id: ServerId,
        finality: &Finality,
        least: u64,
        out: &mut Vec<Output>,
    ) -> Option<Taken> {
        if self.forked || !self.is_known(id, finality, out) {
            return None;
        }
        let taken = self.heads.take(&self.verifier, finality, id, self.now_ms);
        let taken = taken.and_then(|taken| match taken {
            Some(taken) if taken.height < least => Err(Fault::Backwards),
            taken => Ok(taken),
        });
        match taken {
            // Whoever shows nothing newer is behind, and named for that in time.
            Ok(None) => None,
            Ok(Some(taken)) => {
                if taken.is_newer {
                    out.extend(
                        self.heads.head().cloned().map(|head| Output::Event(Event::Head(head))),
                    );
                }
                if let Some(server) = self.servers.get_mut(&id) {
                    server.height = server.height.max(taken.height);
                }
                Some(taken)
            }
            Err(fault) => {
                self.blame(id, fault, out);
                None
            }
        }
    }

    fn on_answer(&mut self, id: RequestId, bytes: &[u8], out: &mut Vec<Output>) {
        let Some(request) = self.queries.requests.remove(&id) else { return };
        if let Some(after) = self.queries.successions.remove(&id) {
            self.on_successions(request.server, after, bytes, out);
            return;
        }
        self.recover(request.server, Fault::Withholds, out);
        if let Some(key) = self.queries.audits.remove(&id) {
            // Known already: only whether it is proved counts.
            let _ = self.checked(&key, request, bytes, out);
            return;
        }
        let Some(query) = request.query else {
            match Finality::read(bytes) {
                Some(finality) => {
                    let least = least(request);
                    let taken = self.take(request.server, &finality, least, out);
                    if let Some(taken) = taken {
                        self.note_answer(request, taken.height);
                    }
                }
                None => self.blame(request.server, Fault::Malformed, out),
            }
            return;
        };
        match self.proved(query, request, bytes, out) {
            Some(proved) => {
                let known = self.queries.waiting.remove(&query);
                out.push(Output::Event(Event::Proved(proved)));
                if let Some(known) = known.filter(|known| !known.servers_only) {
                    self.audit(known.key, out);
                }
            }
            // It waits for what the server says of its validators.
            None if self.queries.follows(request.server) => {}
            None => self.ask_state(query, out),
        }
    }

    fn proved(
        &mut self,
        query: QueryId,
        request: Request,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Option<Proved> {
        let key = self.queries.waiting.get(&query)?.key.clone();
        let (header, record) = self.checked(&key, request, bytes, out)?;
        Some(Proved {
            query,
            record,
            height: header.height,
            block: header.name,
            time_ms: header.time_ms,
            from: request.server,
            bytes: bytes.to_vec(),
        })
    }

    /// The block and the record that an answer proves; an answer that does not is blamed.
    fn checked(
        &mut self,
        key: &[u8],
        request: Request,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Option<(Header, Option<Vec<u8>>)> {
        let from = request.server;
        let Some(proof) = StateProof::read(bytes) else {
            if !self.is_for_a_neighbour(request) {
                self.blame(from, Fault::Malformed, out);
            }
            return None;
        };
        let header = self.take(from, &proof.finality, least(request), out)?.first;
        let record =
            Verifier::record(&header, key, &proof).map(|record| record.map(<[u8]>::to_vec));
        let fault = match record {
            Ok(_) if header.height < least(request) => Fault::Backwards,
            Ok(record) => {
                self.note_answer(request, header.height);
                return self.is_new_enough(request, &header).then_some((header, record));
            }
            Err(fault) => fault,
        };
        self.blame(from, fault, out);
        None
    }

    /// A server that has shown no block yet has nothing to say, and is not blamed for it.
    fn on_failed(&mut self, id: RequestId, out: &mut Vec<Output>) {
        let Some(request) = self.queries.requests.remove(&id) else { return };
        if self.queries.successions.remove(&id).is_some() {
            self.unanswered(request, out);
            self.ask_unasked(false, out);
            return;
        }
        let audit = self.queries.audits.remove(&id).is_some();
        match request.query {
            Some(query) if request.height == 0 => self.ask_state(query, out),
            None if !audit || request.height == 0 => {}
            _ => self.unanswered(request, out),
        }
    }

    fn on_late(&mut self, out: &mut Vec<Output>) {
        let now_ms = self.now_ms;
        let late = self.queries.remove(|request| request.due_ms <= now_ms);
        let any = !late.is_empty();
        late.into_iter().for_each(|request| self.unanswered(request, out));
        if any {
            self.ask_unasked(false, out);
        }
    }

    /// Whether only a neighbour wants to know it. It chose the key: that there is no answer is no server's fault.
    fn is_for_a_neighbour(&self, request: Request) -> bool {
        let waiting = request.query.and_then(|query| self.queries.waiting.get(&query));
        waiting.is_some_and(|waiting| waiting.servers_only)
    }

    fn unanswered(&mut self, request: Request, out: &mut Vec<Output>) {
        if !self.is_for_a_neighbour(request) {
            self.blame(request.server, Fault::Withholds, out);
        }
        if let Some(query) = request.query {
            self.ask_state(query, out);
        }
    }

    fn on_prove(&mut self, query: QueryId, key: &[u8], servers_only: bool, out: &mut Vec<Output>) {
        if self.queries.waiting.len() >= QUERIES_MAX || key.len() > KEY_BYTES_MAX {
            out.push(Output::Event(Event::Unproved(query, Unproved::TooMany)));
            return;
        }
        let waiting = Query { key: key.to_vec(), asked: SortedSet::new(), servers_only };
        self.queries.waiting.insert(query, waiting);
        self.ask_state(query, out);
    }

    fn is_asked(&self, query: QueryId) -> bool {
        self.queries.requests.values().any(|request| request.query == Some(query))
    }

    /// Asks one more server: one that was not asked, does not lie, shows the highest block, is no neighbour, and has
    /// least to do.
    fn ask_state(&mut self, query: QueryId, out: &mut Vec<Output>) {
        let Some(question) = self.queries.question(query) else { return };
        let ruled_out = |id: &ServerId| {
            self.queries.waiting.get(&query).is_some_and(|waiting| {
                waiting.asked.contains(id) || (waiting.servers_only && id.is_neighbour())
            })
        };
        let best = self
            .servers
            .iter()
            .filter(|(id, server)| !server.lies() && !ruled_out(id))
            .min_by_key(|(id, server)| {
                let load = self.queries.load(**id);
                (server.faults.len(), u64::MAX - server.height, id.is_neighbour(), load)
            })
            .map(|(id, server)| (*id, server.height));
        let Some((server, height)) = best.filter(|_| !self.forked) else {
            self.queries.waiting.remove(&query);
            let why = if self.forked { Unproved::Forked } else { Unproved::NoServer };
            out.push(Output::Event(Event::Unproved(query, why)));
            return;
        };
        if let Some(waiting) = self.queries.waiting.get_mut(&query) {
            waiting.asked.insert(server);
        }
        self.note_asked(server);
        let due_ms = self.now_ms.saturating_add(ANSWER_MS);
        let request = self.queries.open(Request { server, query: Some(query), due_ms, height });
        out.push(Output::Ask { server, request, question });
    }

    /// Asks a server that was not asked for long to prove what another proved just now. Neighbours are asked for
    /// nothing that is not needed.
    fn audit(&mut self, key: Vec<u8>, out: &mut Vec<Output>) {
        let now_ms = self.now_ms;
        let due = |(id, server): &(&ServerId, &Server)| {
            let rested = now_ms.saturating_sub(server.asked_ms) >= AUDIT_EVERY_MS;
            rested && !id.is_neighbour() && !server.lies() && self.queries.load(**id) == 0
        };
        let longest = self.servers.iter().filter(due).min_by_key(|(_, server)| server.asked_ms);
        let Some((server, height)) = longest.map(|(id, server)| (*id, server.height)) else {
            return;
        };
        self.note_asked(server);
        let due_ms = now_ms.saturating_add(ANSWER_MS);
        let request = self.queries.open(Request { server, query: None, due_ms, height });
        self.queries.audits.insert(request, key.clone());
        out.push(Output::Ask { server, request, question: Question::State(key) });
    }

    fn note_asked(&mut self, id: ServerId) {
        if let Some(server) = self.servers.get_mut(&id) {
            server.asked_ms = self.now_ms;
        }
    }

    fn ask_latest(&mut self, server: ServerId, out: &mut Vec<Output>) {
        let due_ms = self.now_ms.saturating_add(ANSWER_MS);
        let height = self.servers.get(&server).map_or(0, |server| server.height);
        let request = self.queries.open(Request { server, query: None, due_ms, height });
        out.push(Output::Ask { server, request, question: Question::Latest });
    }

    /// A ledger that seems to stand still may be servers that stopped pushing.
    fn ask_when_quiet(&mut self, out: &mut Vec<Output>) {
        let heard_ms = self.heads.head().map_or(0, |head| head.heard_ms).max(self.asked_ms);
        if self.servers.is_empty() || self.now_ms.saturating_sub(heard_ms) < QUIET_MS {
            return;
        }
        self.asked_ms = self.now_ms;
        let idle = |id: &ServerId| self.queries.load(*id) == 0;
        let honest = self.servers.iter().filter(|(_, server)| !server.lies());
        let all: Vec<ServerId> = honest.map(|(id, _)| *id).filter(idle).collect();
        all.into_iter().for_each(|id| self.ask_latest(id, out));
    }

    /// Names servers that stay behind.
    fn watch_lag(&mut self, out: &mut Vec<Output>) {
        let Some(height) = self.heads.head().map(|head| head.header.height) else { return };
        let (mut late, mut back) = (Vec::new(), Vec::new());
        for (id, server) in self.servers.iter_mut().filter(|(_, server)| !server.lies()) {
            if server.height >= height {
                server.behind_since_ms = None;
                if server.answers_late() { late.push(*id) } else { back.push(*id) }
            } else {
                let since_ms = *server.behind_since_ms.get_or_insert(self.now_ms);
                if self.now_ms.saturating_sub(since_ms) >= LAG_MS {
                    late.push(*id);
                }
            }
        }
        back.into_iter().for_each(|id| self.recover(id, Fault::Lags, out));
        late.into_iter().for_each(|id| self.blame(id, Fault::Lags, out));
    }

    fn blame(&mut self, id: ServerId, fault: Fault, out: &mut Vec<Output>) {
        self.forked |= fault == Fault::Fork;
        let Some(server) = self.servers.get_mut(&id) else { return };
        if server.faults.insert(fault) {
            out.push(Output::Event(Event::Misbehaved(id, fault)));
        }
    }

    fn recover(&mut self, id: ServerId, fault: Fault, out: &mut Vec<Output>) {
        let server = self.servers.get_mut(&id);
        if server.is_some_and(|server| server.faults.remove(&fault)) {
            out.push(Output::Event(Event::Recovered(id, fault)));
        }
    }

    fn wake(&self) -> Wake {
        let due = self.queries.requests.values().map(|request| request.due_ms);
        let unread = self.servers.values().any(|server| server.unread.is_some());
        let look = unread.then(|| self.looked_ms.saturating_add(LOOK_EVERY_MS));
        let behind = self
            .servers
            .values()
            .filter(|server| !server.lies() && !server.faults.contains(&Fault::Lags));
        let lag =
            behind.filter_map(|server| server.behind_since_ms).map(|at| at.saturating_add(LAG_MS));
        let heard_ms = self.heads.head().map_or(0, |head| head.heard_ms).max(self.asked_ms);
        let quiet = (!self.servers.is_empty()).then(|| heard_ms.saturating_add(QUIET_MS));
        due.chain(look).chain(lag).chain(quiet).min()
    }
}
