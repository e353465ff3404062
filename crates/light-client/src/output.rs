//! Everything a light client can ask of its driver.

use primitives::Hash;

use crate::{Fault, Header, Identity, QueryId, RequestId, ServerId};

/// What is to be asked of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The newest final header: a [`wire::ledger::Finality`].
    Latest,
    /// What is under this key: a [`wire::ledger::StateProof`].
    State(Vec<u8>),
    /// Who took over from the validators of this epoch, and so on: a [`wire::ledger::Successions`].
    Successions(u64),
}

/// Everything a light client can ask of its driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Ask, and come back with the answer or without.
    Ask {
        /// Whom.
        server: ServerId,
        /// To be named with the answer.
        request: RequestId,
        /// What.
        question: Question,
    },
    /// Something a person may want to know.
    Event(Event),
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// There is a newer block.
    Head(Head),
    /// Other validators took over: to be kept, for [`LightClient::resume`](crate::LightClient::resume).
    Succeeded(Identity),
    /// What is under a key.
    Proved(Proved),
    /// Nobody could prove it.
    Unproved(QueryId, Unproved),
    /// A server did what an honest one does not.
    Misbehaved(ServerId, Fault),
    /// It does again what it should: it answers, or is as far as the others.
    Recovered(ServerId, Fault),
}

/// The newest block that is known to be final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its header.
    pub header: Header,
    /// Who told first.
    pub from: ServerId,
    /// When, in milliseconds since 1970-01-01 UTC by this machine's clock.
    pub heard_ms: u64,
    /// The bytes that show that it is final: a [`wire::ledger::Finality`] of this header alone.
    pub bytes: Vec<u8>,
}

/// What is under a key, proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// Which question.
    pub query: QueryId,
    /// The record; none: there is none.
    pub record: Option<Vec<u8>>,
    /// After which block.
    pub height: u64,
    /// The block's name.
    pub block: Hash,
    /// The block's time, in milliseconds since 1970-01-01 UTC.
    pub time_ms: u64,
    /// Who proved it.
    pub from: ServerId,
    /// The bytes that prove it: a [`wire::ledger::StateProof`].
    pub bytes: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproved {
    /// No server is left to ask.
    NoServer,
    /// Too many questions wait already.
    TooMany,
    /// Validators signed two histories: nothing is proved any more.
    Forked,
}
