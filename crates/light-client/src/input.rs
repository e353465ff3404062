//! Everything that can happen to a light client.

/// A server as the driver knows it. Numbers are not used twice. Those from [`ServerId::NEIGHBOURS`] on are
/// neighbours that ask servers of theirs: checked alike, asked where no server is as good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerId(pub u32);

impl ServerId {
    /// The first neighbour's number.
    pub const NEIGHBOURS: u32 = 1 << 31;

    /// Whether it is a neighbour's.
    pub const fn is_neighbour(self) -> bool {
        self.0 >= Self::NEIGHBOURS
    }
}

/// A question to a server, numbered by the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// A question to the client, numbered by whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueryId(pub u64);

/// Everything that can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// The wake time came; nothing else happened.
    Tick,
    /// A server can be asked.
    Up(ServerId),
    /// It can't any more.
    Down(ServerId),
    /// A server sent this by itself: the bytes of a [`wire::ledger::Finality`].
    Pushed {
        /// Who.
        from: ServerId,
        /// What.
        bytes: &'a [u8],
    },
    /// The answer to a question.
    Answered {
        /// Which question.
        request: RequestId,
        /// What came.
        bytes: &'a [u8],
    },
    /// There is no answer.
    Failed(RequestId),
    /// Somebody wants to know what is under a key.
    Prove {
        /// What the answer is told under.
        query: QueryId,
        /// The record's key.
        key: &'a [u8],
    },
    /// A neighbour wants to know that: only servers are asked, so that no question goes round.
    ProveFor {
        /// What the answer is told under.
        query: QueryId,
        /// The record's key.
        key: &'a [u8],
    },
    /// Nobody wants to know that any more.
    Forget(QueryId),
}
