//! Other validators take over: whoever shows their blocks is asked who named them.

use primitives::SortedSet;
use wire::ledger::{Finality, Successions};

use super::{ANSWER_MS, LightClient, Request};
use crate::{Event, Fault, Identity, Output, Question, RootError, ServerId, TrustRoot, Verifier};

impl LightClient {
    /// A client that knows its root, and which validators followed on the root's: [`Self::identities`] as they
    /// were kept.
    ///
    /// # Errors
    /// The root's key is no key, or they are not what follows on it.
    pub fn resume(root: &TrustRoot, identities: &[Identity]) -> Result<Self, RootError> {
        Ok(Self::with(Verifier::resume(root, identities)?))
    }

    /// All validators known, by epoch; the first are the trust root's.
    pub fn identities(&self) -> &[Identity] {
        self.verifier.identities()
    }

    /// Whether what a server shows is of validators that are known. If not, it is asked who named them, and
    /// shows it again.
    pub(super) fn is_known(
        &mut self,
        id: ServerId,
        finality: &Finality,
        out: &mut Vec<Output>,
    ) -> bool {
        let known = self.verifier.knows(finality);
        if !known {
            self.ask_successions(id, out);
        }
        known
    }

    /// Neighbours know nothing of it. A server is asked once at a time, and not all the time.
    fn ask_successions(&mut self, id: ServerId, out: &mut Vec<Output>) {
        let now_ms = self.now_ms;
        let Some(server) = self.servers.get_mut(&id) else { return };
        let rests = |asked_ms: u64| now_ms.saturating_sub(asked_ms) < ANSWER_MS;
        if id.is_neighbour() || server.lies() || server.followed_ms.is_some_and(rests) {
            return;
        }
        server.followed_ms = Some(now_ms);
        let (due_ms, height) = (now_ms.saturating_add(ANSWER_MS), server.height);
        let request = self.queries.open(Request { server: id, query: None, due_ms, height });
        let after = self.verifier.epoch();
        self.queries.successions.insert(request, after);
        out.push(Output::Ask { server: id, request, question: Question::Successions(after) });
    }

    /// What a server says of successions after an epoch. If it helps, the server shows its newest block again,
    /// and questions that waited for it are asked again.
    pub(super) fn on_successions(
        &mut self,
        id: ServerId,
        after: u64,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        let Some(Successions(proofs)) = Successions::read(bytes) else {
            self.blame(id, Fault::Malformed, out);
            self.ask_unasked(false, out);
            return;
        };
        // Others may have told of the first ones meanwhile.
        let known = usize::try_from(self.verifier.epoch().saturating_sub(after));
        for proof in proofs.iter().skip(known.unwrap_or(usize::MAX)) {
            let followed = self.verifier.succeed(proof);
            let taken = followed.and_then(|(identity, last)| {
                let late = self.heads.succeed(identity.height, &last)?;
                Ok((identity, late))
            });
            match taken {
                Ok((identity, late)) => {
                    for server in self.servers.values_mut() {
                        server.height = server.height.min(identity.height.saturating_sub(1));
                        server.pushed = server.pushed.min(identity.height.saturating_sub(1));
                    }
                    out.push(Output::Event(Event::Succeeded(identity)));
                    if let Some(late) = late {
                        self.blame(late, Fault::Replaced, out);
                    }
                }
                Err(fault) => {
                    self.blame(id, fault, out);
                    break;
                }
            }
        }
        let helps = self.verifier.epoch() > after;
        let lies = self.servers.get(&id).is_none_or(|server| server.lies());
        if helps && !lies {
            if let Some(server) = self.servers.get_mut(&id) {
                server.followed_ms = None;
            }
            self.ask_latest(id, out);
        } else if !lies {
            // It shows blocks of validators that nobody named.
            self.blame(id, Fault::Withholds, out);
        }
        self.ask_unasked(helps, out);
    }

    /// Asks the questions that nobody is asked now; `anew`: whoever was asked before, too.
    pub(super) fn ask_unasked(&mut self, anew: bool, out: &mut Vec<Output>) {
        let waiting = self.queries.waiting.keys().copied();
        let unasked: Vec<_> = waiting.filter(|query| !self.is_asked(*query)).collect();
        for query in unasked {
            if let Some(waiting) = self.queries.waiting.get_mut(&query).filter(|_| anew) {
                waiting.asked = SortedSet::new();
            }
            self.ask_state(query, out);
        }
    }
}
