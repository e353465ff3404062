//! Questions that wait for a proof, and the requests under way.

use primitives::{SortedMap, SortedSet};

use crate::{QueryId, Question, RequestId, ServerId};

/// Most questions that wait at a time.
pub(crate) const QUERIES_MAX: usize = 64;
/// Longest key of a record, in bytes.
pub(crate) const KEY_BYTES_MAX: usize = 128;

/// Somebody's question.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) key: Vec<u8>,
    /// Who was asked already.
    pub(crate) asked: SortedSet<ServerId>,
    /// No neighbour is asked: one wants to know it.
    pub(crate) servers_only: bool,
}

/// A request under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) server: ServerId,
    /// None: for the newest header, an audit, or successions.
    pub(crate) query: Option<QueryId>,
    pub(crate) due_ms: u64,
    /// How far the server had shown itself to be when it was asked.
    pub(crate) height: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Queries {
    pub(crate) waiting: SortedMap<QueryId, Query>,
    pub(crate) requests: SortedMap<RequestId, Request>,
    /// Keys of the requests whose answer only shows whether the server lies; one a server at most.
    pub(crate) audits: SortedMap<RequestId, Vec<u8>>,
    /// Requests for successions, and after which epoch; one a server at most.
    pub(crate) successions: SortedMap<RequestId, u64>,
    next: u64,
}

impl Queries {
    /// Numbers a request.
    pub(crate) fn open(&mut self, request: Request) -> RequestId {
        let id = RequestId(self.next);
        self.next += 1;
        self.requests.insert(id, request);
        id
    }

    /// What a request is to ask.
    pub(crate) fn question(&self, query: QueryId) -> Option<Question> {
        self.waiting.get(&query).map(|waiting| Question::State(waiting.key.clone()))
    }

    /// Requests under way to a server.
    pub(crate) fn load(&self, server: ServerId) -> usize {
        self.requests.values().filter(|request| request.server == server).count()
    }

    /// Whether a server is being asked for successions.
    pub(crate) fn follows(&self, server: ServerId) -> bool {
        self.successions
            .keys()
            .any(|id| self.requests.get(id).is_some_and(|request| request.server == server))
    }

    /// Takes out the requests that `gone` names.
    pub(crate) fn remove(&mut self, gone: impl Fn(&Request) -> bool) -> Vec<Request> {
        let ids: Vec<RequestId> =
            self.requests.iter().filter(|(_, request)| gone(request)).map(|(id, _)| *id).collect();
        ids.iter().for_each(|id| drop((self.audits.remove(id), self.successions.remove(id))));
        ids.iter().filter_map(|id| self.requests.remove(id)).collect()
    }
}
