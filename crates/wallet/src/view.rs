//! What a page shows of a wallet and what it asks of it, as CBOR.

mod purse;
mod told;

use minicbor::{Decode, Encode, bytes::ByteVec};

pub use purse::{
    Carry, Deal, Due, Hour, Kept, Owed, Part, Parting, Pool, PoolAct, ProvedPool, Purse, Stage,
    Terms, Told, Wish, terms,
};

pub use told::{FromPool, Unwanted};

/// Most units that are promised in an hour, until a person says otherwise.
pub const HOUR_CAP: u128 = crate::purse::CAP;
/// Most units of fees in a day for what neighbours left.
pub const HAND_IN_A_DAY: u128 = payments::keeping::FEES_A_DAY;

/// Most that is told of what came.
pub const RECEIVED_MAX: usize = crate::past::RECEIVED_MAX;

/// Longest note of a transfer, in bytes.
pub const NOTE_BYTES_MAX: usize = 200;

/// How well the light client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Sight {
    /// No block was seen yet.
    #[default]
    #[n(0)]
    Blind,
    /// The newest block is new.
    #[n(1)]
    Fresh,
    /// The newest block is old.
    #[n(2)]
    Stale,
    /// Validators signed two histories.
    #[n(3)]
    Forked,
    /// Validators signed blocks of a later time than this device's clock shows.
    #[n(4)]
    ClockBehind,
    /// Blocks come, and all are old by the same: this device's clock is ahead, or servers hand on blocks that late.
    #[n(5)]
    ClockAhead,
}

/// Everything shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct View {
    /// The trust root, as text.
    #[n(0)]
    pub root: String,
    /// Whether it was pinned by a link, not by the first visit.
    #[n(1)]
    pub pinned_by_link: bool,
    /// The account's name, hexadecimal.
    #[n(2)]
    pub account: String,
    /// How well the light client sees.
    #[n(3)]
    pub sight: Sight,
    /// The newest final blocks seen, newest first.
    #[n(4)]
    pub blocks: Vec<Block>,
    /// Servers asked.
    #[n(5)]
    pub servers: Vec<Server>,
    /// Units of the ledger's own asset; none: not proved yet.
    #[n(6)]
    pub balance: Option<Proved>,
    /// What is on its way out, in units, fees included.
    #[n(7)]
    pub outgoing: u128,
    /// Transfers sent from here, newest first.
    #[n(8)]
    pub sent: Vec<Sent>,
    /// What a server tells of transfers to here, newest first. Not proved.
    #[n(9)]
    pub received: Vec<Received>,
    /// What was signed and no server takes, and why.
    #[n(30)]
    pub unwanted: Vec<Unwanted>,
    /// More can be asked for than what is told to have come.
    #[n(31)]
    pub has_older: bool,
    /// What a transfer costs; none: not known yet.
    #[n(10)]
    pub fee: Option<u128>,
    /// What the faucet did last.
    #[n(11)]
    pub faucet: Faucet,
    /// Signatures of validators checked so far.
    #[n(12)]
    pub certificates: u64,
    /// Proofs of records checked so far.
    #[n(13)]
    pub proofs: u64,
    /// How the balance is proved, step by step.
    #[n(14)]
    pub steps: Vec<Step>,
    /// Why the last command was refused; empty: it was not.
    #[n(15)]
    pub refused: String,
    /// Public keys of meters that this wallet can sign for, hexadecimal; by their number.
    #[n(16)]
    pub meter_keys: Vec<String>,
    /// Keys that speak for the account in place of the wallet's own, as proved: it can't sign alone. None: it can.
    #[n(17)]
    pub keys: Option<Keys>,
    /// What a transfer with a note costs; none: not known yet.
    #[n(18)]
    pub note_fee: Option<u128>,
    /// The account's key follows from the person's seed: it is recovered with that.
    #[n(20)]
    pub recoverable: bool,
    /// The account that is not in use here, if there is one, hexadecimal.
    #[n(21)]
    pub aside: String,
    /// Neighbours that are asked because no server is of use, and those that lied; as servers, by their peer ids.
    #[n(22)]
    pub neighbours: Vec<Server>,
    /// A neighbour gave the proof of the balance.
    #[n(23)]
    pub by_neighbour: bool,
    /// The last time that validators changed, proved; none: they are those of the trust root.
    #[n(24)]
    pub succession: Option<Succession>,
    /// Who proposed the last blocks that were seen and checked, of those who make blocks now.
    #[n(25)]
    pub proposers: Vec<Proposer>,
    /// By how much this device's clock is off, about, in minutes; 0: not known to be.
    #[n(26)]
    pub clock_minutes: u64,
}

/// A validator that proposed blocks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Proposer {
    /// Its key, hexadecimal.
    #[n(0)]
    pub key: String,
    /// How many of the blocks that are counted. All proposers' together are all of these.
    #[n(1)]
    pub count: u64,
    /// The last one.
    #[n(2)]
    pub height: u64,
}

/// Other validators took over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Succession {
    /// Their first block.
    #[n(0)]
    pub height: u64,
    /// How often that has been.
    #[n(1)]
    pub count: u64,
}

/// How many keys it takes to sign for an account, and of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Keys {
    /// So many must sign.
    #[n(0)]
    pub needed: u8,
    /// Of so many.
    #[n(1)]
    pub count: u8,
    /// The wallet's own key is one of them.
    #[n(2)]
    pub has_ours: bool,
}

/// A final block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Block {
    /// Blocks since genesis.
    #[n(0)]
    pub height: u64,
    /// Its name, hexadecimal.
    #[n(1)]
    pub name: String,
    /// When, by the validators' agreement, in milliseconds since 1970-01-01 UTC.
    #[n(2)]
    pub time_ms: u64,
    /// When it was heard of here, by this machine's clock.
    #[n(3)]
    pub heard_ms: u64,
    /// The validator that proposed it, hexadecimal.
    #[n(4)]
    pub leader: String,
    /// The round of agreement.
    #[n(5)]
    pub round: u64,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Server {
    /// Its address.
    #[n(0)]
    pub url: String,
    /// Whether it is connected.
    #[n(1)]
    pub is_up: bool,
    /// The highest block it showed.
    #[n(2)]
    pub height: u64,
    /// What it is blamed for: codes of `light_client::Fault`.
    #[n(3)]
    pub faults: Vec<String>,
    /// It is not asked any more.
    #[n(4)]
    pub lies: bool,
    /// It did not answer, or hung up, and has not been reached since.
    #[n(5)]
    pub is_away: bool,
    /// The page's host named it, and no person.
    #[n(6)]
    pub is_named: bool,
}

/// A number with its proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Proved {
    /// The number.
    #[n(0)]
    pub units: u128,
    /// After which block.
    #[n(1)]
    pub height: u64,
    /// That block's time.
    #[n(2)]
    pub time_ms: u64,
    /// The issuer froze it.
    #[n(3)]
    pub frozen: bool,
}

/// What became of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Fate {
    /// No server has it yet.
    #[n(0)]
    Sending,
    /// It waits for a block.
    #[n(1)]
    Waiting,
    /// It is in a block, proved by the account's number; a server tells that it was done.
    #[n(2)]
    Done,
    /// It is in a block and was refused: only the fee is gone.
    #[n(3)]
    Refused,
    /// No block took it in time. Nothing is gone.
    #[n(4)]
    Expired,
    /// Its number is used in a block, proved; what became of it is not told yet.
    #[n(5)]
    Final,
    /// Something else used its number, as servers tell: it was not done.
    #[n(6)]
    Replaced,
    /// No server took it, and the person gave it up.
    #[n(7)]
    GivenUp,
}

/// A transfer sent from here.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Sent {
    /// The transaction's name, hexadecimal.
    #[n(0)]
    pub id: String,
    /// To which account, hexadecimal.
    #[n(1)]
    pub to: String,
    /// Units.
    #[n(2)]
    pub units: u128,
    /// Units paid to the ledger.
    #[n(3)]
    pub fee: u128,
    /// When it was signed.
    #[n(4)]
    pub signed_ms: u64,
    /// What became of it.
    #[n(5)]
    pub fate: Fate,
    /// In which block; 0: in none yet.
    #[n(6)]
    pub height: u64,
    /// From signing to the proof that it is in a block, in milliseconds; 0: not yet.
    #[n(7)]
    pub took_ms: u64,
    /// What was asked of a market or a community, or of an asset beside the ledger's own; none: it is a
    /// transfer of the ledger's own.
    #[n(8)]
    pub act: Option<Act>,
    /// What was done with a pool of payments; none: nothing.
    #[n(9)]
    pub pool: Option<PoolAct>,
    /// The block at which the balance is proved that fell by exactly this: it was done, whatever a server
    /// tells. None: the balance does not say.
    #[n(10)]
    pub by_balance: Option<u64>,
    /// The note whose hash it carries, as it was written here; none: it carries none.
    #[n(11)]
    pub note: Option<String>,
    /// The block at which its number is proved to be used; none: not yet, or not known any more.
    #[n(12)]
    pub counted: Option<u64>,
}

/// What was asked of a market, of a community, of an asset or of a fund's pool.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Act {
    /// The action: CBOR, for `crate::lending::asked`, `crate::energy::asked`, `crate::assets::asked` or
    /// `crate::funds::asked`.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub action: Vec<u8>,
    /// Why it was refused, as a server tells: the refusal's number; 0: it was not.
    #[n(1)]
    pub code: u16,
    /// The amount that moved, as a server tells; of a liquidation: what was repaid; of a deficit: what was covered;
    /// of a fund: the pool's number.
    #[n(2)]
    pub amount: Option<u128>,
    /// Of a liquidation: what it brought, as a server tells. What was kept before has none.
    #[n(3)]
    pub seized: Option<u128>,
    /// The domain that it was asked of; none: markets, also in what was kept before there was this.
    #[n(4)]
    pub domain: Option<u8>,
}

/// A transfer to here, as a server tells it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Received {
    /// The transaction's name, hexadecimal.
    #[n(0)]
    pub id: String,
    /// From which account, hexadecimal.
    #[n(1)]
    pub from: String,
    /// Units.
    #[n(2)]
    pub units: u128,
    /// In which block.
    #[n(3)]
    pub height: u64,
    /// Of which asset; 0: the ledger's own.
    #[n(4)]
    pub asset: u32,
    /// They were made for this account by whose promise they are.
    #[n(5)]
    pub issued: bool,
    /// They came out of a pool of payments; none: they did not.
    #[n(6)]
    pub pool: Option<FromPool>,
}

/// What the faucet did last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Faucet {
    /// There is none here.
    #[default]
    #[n(0)]
    None,
    /// It can be asked.
    #[n(1)]
    Ready,
    /// It was asked.
    #[n(2)]
    Asked,
    /// It says that the account has enough.
    #[n(3)]
    Enough,
    /// It gave nothing: ask again later.
    #[n(4)]
    Failed,
}

/// One step of a proof: what is taken, and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Step {
    /// What is done.
    #[n(0)]
    pub what: String,
    /// What comes out, hexadecimal or a number.
    #[n(1)]
    pub value: String,
    /// It is long: to be copied, not to be read.
    #[n(2)]
    pub is_long: bool,
}

/// Everything a person may want.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// Send units.
    #[n(0)]
    Send {
        /// To which account, hexadecimal.
        #[n(0)]
        to: String,
        /// How many units.
        #[n(1)]
        units: u128,
        /// Of which asset; 0: the ledger's own.
        #[n(2)]
        asset: u32,
    },
    /// Send units of the ledger's own asset with the hash of a note, which stays in this wallet.
    #[n(20)]
    SendNoted {
        /// To which account, hexadecimal.
        #[n(0)]
        to: String,
        /// How many units.
        #[n(1)]
        units: u128,
        /// What they are for, at most [`NOTE_BYTES_MAX`] long.
        #[n(2)]
        note: String,
    },
    /// Ask the faucet.
    #[n(1)]
    Faucet,
    /// Ask one more server.
    #[n(2)]
    AddServer(#[n(0)] String),
    /// Ask it no more.
    #[n(3)]
    RemoveServer(#[n(0)] String),
    /// Prove the records under these keys, in place of those before, and again after later blocks.
    #[n(4)]
    Watch(#[n(0)] Vec<ByteVec>),
    /// Do something on a market.
    #[n(5)]
    Act {
        /// The action: CBOR, from `crate::lending::ask`.
        #[cbor(n(0), with = "minicbor::bytes")]
        action: Vec<u8>,
        /// Units of the ledger's own asset that it takes beside the fee.
        #[n(1)]
        units: u128,
    },
    /// Do something in a community of energy.
    #[n(6)]
    Energy {
        /// The action: CBOR, from `crate::energy`. What a meter signs in it is left open.
        #[cbor(n(0), with = "minicbor::bytes")]
        action: Vec<u8>,
        /// Units of the ledger's own asset that it takes beside the fee.
        #[n(1)]
        units: u128,
        /// The number of the meter's key that signs, of [`View::meter_keys`]; none: no meter does.
        #[n(2)]
        meter: Option<u8>,
        /// For whom what readings commit to is sealed, as in [`Self::Seal`]; nobody: it is not.
        #[n(3)]
        readers: Vec<String>,
    },
    /// Seal again what readings on the ledger commit to. The answer is [`Letters`].
    #[n(12)]
    Seal {
        /// The readings: CBOR, from `crate::energy`. Without any, only the readers are looked at.
        #[cbor(n(0), with = "minicbor::bytes")]
        readings: Vec<u8>,
        /// The number of the meter's key, of [`View::meter_keys`].
        #[n(1)]
        meter: u8,
        /// For whom: DIDs of the method `key`.
        #[n(2)]
        readers: Vec<String>,
    },
    /// Do something with a DID.
    #[n(9)]
    Did {
        /// The action: CBOR, from `crate::dids`.
        #[cbor(n(0), with = "minicbor::bytes")]
        action: Vec<u8>,
        /// Units of the ledger's own asset that it takes beside the fee.
        #[n(1)]
        units: u128,
    },
    /// Create, issue, burn or freeze an asset.
    #[n(13)]
    Asset(
        /// The action: CBOR, from `crate::assets`.
        #[cbor(n(0), with = "minicbor::bytes")]
        Vec<u8>,
    ),
    /// Open, prolong or close a pool for a fund, or let it draw on one.
    #[n(14)]
    Pool(
        /// The action: CBOR, from `crate::funds`.
        #[cbor(n(0), with = "minicbor::bytes")]
        Vec<u8>,
    ),
    /// Use the account before, whose key was made in this browser.
    #[n(10)]
    UseDevice,
    /// Tell something that servers did not take to nobody any more: by its name, hexadecimal.
    #[n(30)]
    GiveUp(#[n(0)] String),
    /// Ask for older ones of what came.
    #[n(31)]
    Older,
    /// Pay for bytes, or ask to be paid; and what that needs of the page.
    #[n(7)]
    Purse(#[n(0)] Wish),
    /// What the page carries between neighbours and the wallet: frames are about the ledger.
    #[n(11)]
    Near(#[n(0)] Told),
}

/// What meters' registers showed, sealed; files as `starling meter check` reads them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Letters {
    /// One for each reading.
    #[n(0)]
    pub list: Vec<Letter>,
}

/// A sealed file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Letter {
    /// How it is called.
    #[n(0)]
    pub name: String,
    /// What is in it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub file: Vec<u8>,
}

/// Records that are watched, all proved.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Records {
    /// In the order in which they were asked for.
    #[n(0)]
    pub list: Vec<Record>,
}

/// A record with the block after which it was so.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Record {
    /// Where it is.
    #[n(0)]
    pub key: ByteVec,
    /// The record; none: its absence is proved.
    #[n(1)]
    pub record: Option<ByteVec>,
    /// After which block.
    #[n(2)]
    pub height: u64,
    /// That block's time.
    #[n(3)]
    pub time_ms: u64,
}

/// As bytes, for the other side.
pub fn to_bytes(value: &impl Encode<()>) -> Vec<u8> {
    minicbor::to_vec(value).expect("encoding into memory does not fail")
}

/// From bytes of the other side.
pub fn read<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Option<T> {
    minicbor::decode(bytes).ok()
}
