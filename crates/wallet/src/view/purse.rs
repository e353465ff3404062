//! What a page shows of payments for bytes, what it wants, and what it carries between its shares and the tills
//! of the wallet.

use minicbor::{
    Decode, Encode,
    bytes::{ByteArray, ByteVec},
};

/// What is paid for bytes and earned by them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Purse {
    /// Shares that a person pays for or asks payment for, newest first.
    #[n(0)]
    pub deals: Vec<Deal>,
    /// Deposits of this account, newest first.
    #[n(1)]
    pub pools: Vec<Pool>,
    /// What others promised to this account, newest first.
    #[n(2)]
    pub dues: Vec<Due>,
    /// What handing in one voucher costs at most; none: not known yet.
    #[n(3)]
    pub claim_cost: Option<u128>,
    /// What setting a deposit aside costs at most; none: not known yet.
    #[n(4)]
    pub open_cost: Option<u128>,
    /// Why the last wish was refused; empty: it was not.
    #[n(5)]
    pub refused: String,
    /// Units that the account lacks to hand in one voucher; 0: none, or not proved yet.
    #[n(6)]
    pub claim_lacks: u128,
    /// A pool of which a record is proved and can't be read here: it is of a later version.
    #[n(7)]
    pub unread: Option<u64>,
    /// What may be promised in an hour, for all shares together.
    #[n(8)]
    pub hour: Hour,
    /// What neighbours left here, in case they don't come back.
    #[n(9)]
    pub kept: Kept,
}

/// What is kept for neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Kept {
    /// Promises of others to them.
    #[n(0)]
    pub count: u32,
    /// Units that these would bring them, as proved last.
    #[n(1)]
    pub units: u128,
    /// Units of fees spent on it within the last day, or an hour longer.
    #[n(2)]
    pub spent: u128,
}

/// What may be promised in an hour, and what was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct Hour {
    /// Units, at most; 0: nobody is paid.
    #[n(0)]
    pub cap: u128,
    /// Units promised within the last hour.
    #[n(1)]
    pub spent: u128,
    /// When somebody who waits for it may be paid again, in milliseconds since 1970; none: nobody waits, or it is
    /// in vain.
    #[n(2)]
    pub again_ms: Option<u64>,
}

/// One share's.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Deal {
    /// Its CID, as the page names it.
    #[n(0)]
    pub share: String,
    /// What people call it.
    #[n(1)]
    pub name: String,
    /// Who pays, and how much.
    #[n(2)]
    pub part: Part,
    /// How far it is.
    #[n(3)]
    pub stage: Stage,
    /// Units promised to others, or sure from them, in all visits.
    #[n(4)]
    pub units: u128,
    /// Units for what came that are not promised yet.
    #[n(5)]
    pub owed: u128,
    /// Why one side stopped last: `terms`, `limit`, `funds`, `lane`, `promise`, `deposit`, `person`; or why it ended
    /// by itself: `whole`, everything came, `gone`, nobody was there who is paid; or why it waits: `hour`, as much
    /// was promised within an hour as may be; empty: none of it.
    #[n(6)]
    pub stopped: String,
    /// The till that counts it; 0: none. Another number is another till, which has to be told of neighbours anew.
    #[n(7)]
    pub till: u64,
}

/// Who pays, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Part {
    /// This account.
    #[n(0)]
    Pay {
        /// Most units for a MiB.
        #[n(0)]
        per_mib_max: u64,
        /// Most units in all.
        #[n(1)]
        limit: u128,
    },
    /// Whoever takes bytes.
    #[n(1)]
    Earn {
        /// Units for a MiB.
        #[n(0)]
        per_mib: u64,
        /// Who does not pay gets a first credit and no more.
        #[n(1)]
        required: bool,
    },
}

/// How far a deal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Stage {
    /// The deposit is being set aside, or prices are not proved yet.
    #[n(0)]
    Opening,
    /// It counts: the page carries what its share tells.
    #[n(1)]
    On,
    /// Over.
    #[n(2)]
    Off,
}

/// A deposit.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Pool {
    /// Its number.
    #[n(0)]
    pub number: u64,
    /// As it is proved; none: not yet.
    #[n(1)]
    pub proved: Option<ProvedPool>,
    /// Units promised from it, in all.
    #[n(2)]
    pub promised: u128,
    /// Something is being done with it.
    #[n(3)]
    pub busy: bool,
}

/// A deposit with the block after which it was so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ProvedPool {
    /// Units set aside for nobody.
    #[n(0)]
    pub free: u128,
    /// Units set aside for people, not claimed.
    #[n(1)]
    pub reserved: u128,
    /// People whose part is open.
    #[n(2)]
    pub open_lanes: u32,
    /// When anybody may give the rest back, in seconds since 1970.
    #[n(3)]
    pub ends_s: u64,
    /// Its owner asked for the rest.
    #[n(4)]
    pub closing: bool,
    /// After which block.
    #[n(5)]
    pub height: u64,
    /// That block's time.
    #[n(6)]
    pub time_ms: u64,
}

/// What one payer's pool owes this account.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Due {
    /// Which pool.
    #[n(0)]
    pub pool: u64,
    /// Which lane of it.
    #[n(1)]
    pub epoch: u32,
    /// What people call the share.
    #[n(2)]
    pub name: String,
    /// Units promised in all.
    #[n(3)]
    pub promised: u128,
    /// Of these, paid into the account, as proved.
    #[n(4)]
    pub redeemed: u128,
    /// After which block that was so; 0: not proved yet.
    #[n(5)]
    pub height: u64,
    /// Until when it must be claimed, in seconds since 1970; 0: not proved yet.
    #[n(6)]
    pub ends_s: u64,
    /// It is being claimed.
    #[n(7)]
    pub busy: bool,
    /// Nothing is left of it: its lane is closed.
    #[n(8)]
    pub closed: bool,
}

/// What others promised to an account and is not in it yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// Units.
    pub units: u128,
    /// Until when the first of it must be handed in, in seconds since 1970; 0: not proved yet.
    pub ends_s: u64,
}

impl Purse {
    /// What is not handed in; none: nothing. An account that is put aside does not hand it in meanwhile.
    pub fn unclaimed(&self) -> Option<Owed> {
        let left = |due: &Due| due.promised.saturating_sub(due.redeemed);
        let open = || self.dues.iter().filter(|due| !due.closed && left(due) > 0);
        let units = open().map(left).fold(0, u128::saturating_add);
        let ends_s = open().map(|due| due.ends_s).filter(|ends_s| *ends_s > 0).min();
        (units > 0).then_some(Owed { units, ends_s: ends_s.unwrap_or_default() })
    }
}

/// What a person wants of payments, and what the page carries.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Wish {
    /// Ask whoever takes bytes of a share for payment, or pay whoever gives them.
    #[n(0)]
    Deal {
        /// Its CID.
        #[n(0)]
        share: String,
        /// What people call it.
        #[n(1)]
        name: String,
        /// Who pays, and how much.
        #[n(2)]
        part: Part,
    },
    /// Neither, from now on.
    #[n(1)]
    End(#[n(0)] String),
    /// Hand in what a lane owes, and give back what is left in it if nobody uses it.
    #[n(2)]
    Settle {
        /// Which pool.
        #[n(0)]
        pool: u64,
        /// Which lane.
        #[n(1)]
        epoch: u32,
    },
    /// Ask for the rest of a deposit, or take it.
    #[n(3)]
    Close(#[n(0)] u64),
    /// What happened in a share.
    #[n(4)]
    Told {
        /// Its CID.
        #[n(0)]
        share: String,
        /// What.
        #[n(1)]
        told: Told,
    },
    /// At most so many units are promised in an hour, for all shares together.
    #[n(5)]
    Cap(#[n(0)] u128),
    /// Keep what neighbours leave here and hand it in if they don't come back, or not. Nothing is done before this is
    /// said.
    #[n(6)]
    HandIn(#[n(0)] bool),
}

/// What happened in a share.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Told {
    /// This neighbour is there.
    #[n(0)]
    Up(#[n(0)] ByteArray<32>),
    /// It is gone.
    #[n(1)]
    Down(#[n(0)] ByteArray<32>),
    /// It sent a frame about payment, or about the ledger.
    #[n(2)]
    Frame(#[n(0)] ByteArray<32>, #[n(1)] ByteVec),
    /// So many bytes moved since it is there: verified from it, spared from it, sent to it.
    #[n(3)]
    Moved(#[n(0)] ByteArray<32>, #[n(1)] u64, #[n(2)] u64, #[n(3)] u64),
    /// Everything that was chosen of it is here.
    #[n(4)]
    Whole,
}

/// What the page is to do in a share, or among neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Carry {
    /// Send a neighbour this frame.
    #[n(0)]
    Say {
        /// The share's CID.
        #[n(0)]
        share: String,
        /// Whom.
        #[n(1)]
        to: ByteArray<32>,
        /// What.
        #[n(2)]
        frame: ByteVec,
    },
    /// Serve it, or not.
    #[n(1)]
    Hold {
        /// The share's CID.
        #[n(0)]
        share: String,
        /// Whom.
        #[n(1)]
        peer: ByteArray<32>,
        /// Not to be served.
        #[n(2)]
        on: bool,
    },
    /// Send a neighbour of any share this frame about the ledger.
    #[n(2)]
    Tell {
        /// Whom.
        #[n(0)]
        to: ByteArray<32>,
        /// What.
        #[n(1)]
        frame: ByteVec,
    },
    /// Say again which neighbours are there.
    #[n(3)]
    Greet,
    /// Send neighbours these frames when the page is hidden or goes; in place of those before.
    #[n(4)]
    Parting(#[n(0)] Vec<Parting>),
}

/// A frame for when the page goes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Parting {
    /// For whom.
    #[n(0)]
    pub to: ByteArray<32>,
    /// What.
    #[n(1)]
    pub frame: ByteVec,
}

/// What was done with a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum PoolAct {
    /// A deposit was made.
    #[n(0)]
    Open,
    /// Made larger.
    #[n(1)]
    TopUp,
    /// Made to live longer.
    #[n(2)]
    Extend,
    /// Parts were set aside for people.
    #[n(3)]
    Reserve,
    /// Promises were handed in.
    #[n(4)]
    Claim,
    /// What was left of a lane was given back.
    #[n(5)]
    Release,
    /// The rest was asked for.
    #[n(6)]
    CloseStart,
    /// The rest came back.
    #[n(7)]
    CloseFinish,
    /// What others were promised was handed in for them.
    #[n(8)]
    HandIn,
}

/// What a neighbour wants for its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The ledger's chain, hexadecimal.
    pub chain: String,
    /// Whom to pay: an account, hexadecimal.
    pub account: String,
    /// Units for a MiB.
    pub per_mib: u64,
    /// It is the ledger's own asset.
    pub native: bool,
    /// Who does not pay gets a first credit and no more.
    pub required: bool,
}

/// The terms in a frame, as a neighbour sent it: any bytes.
pub fn terms(frame: &[u8]) -> Option<Terms> {
    let wire::pay::PayMessage::Terms(terms) = wire::pay::PayMessage::decode(frame).ok()? else {
        return None;
    };
    Some(Terms {
        chain: crate::explain::hex(&*terms.chain),
        account: crate::explain::hex(&*terms.account),
        per_mib: terms.per_mib,
        native: terms.asset == 0,
        required: terms.required,
    })
}
