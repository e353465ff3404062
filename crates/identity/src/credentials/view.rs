//! What a page asks of a person's credentials and what it is told, as CBOR.

use minicbor::{Decode, Encode};
use primitives::Hash;

use super::{Facts, Given, GrantAsk, Joined, Need, Reading, Told, Verdict};
use crate::session::Head;

/// Everything a page may want.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Command {
    /// Only the view.
    #[n(0)]
    Look,
    /// Keys for copies of a type, as a text for its issuer.
    #[n(1)]
    Keys {
        /// The type (`vct`).
        #[n(0)]
        kind: String,
        /// How many copies.
        #[n(1)]
        count: u8,
    },
    /// Take what an issuer gave: a credential, copies, a signed status list; or read an offer.
    #[n(2)]
    Take {
        /// The text, or a link that ends with it.
        #[n(0)]
        text: String,
        /// What is proved so far.
        #[n(1)]
        facts: Facts,
    },
    /// Forget a card.
    #[n(3)]
    Remove(#[n(0)] Hash),
    /// Take the last removal back.
    #[n(4)]
    Undo,
    /// Read a request: who asks, why, and what would be shown. Nothing is.
    #[n(5)]
    Read {
        /// The text, or a link that ends with it.
        #[n(0)]
        request: String,
        /// What is proved so far.
        #[n(1)]
        facts: Facts,
    },
    /// Answer a request.
    #[n(6)]
    Share {
        /// As before.
        #[n(0)]
        request: String,
        /// What is proved so far.
        #[n(1)]
        facts: Facts,
        /// Which card for each part.
        #[n(2)]
        picks: Vec<Pick>,
        /// Which request the person saw: [`Asking::read`].
        #[n(3)]
        read: Hash,
    },
    /// An offer as a text: the holder answers with keys.
    #[n(7)]
    Offer(#[n(0)] Offer),
    /// Issue a credential.
    #[n(8)]
    Issue(#[n(0)] Order),
    /// Say whether a credential that was issued still holds.
    #[n(9)]
    Mark {
        /// Which.
        #[n(0)]
        entry: u32,
        /// Whether.
        #[n(1)]
        mark: Mark,
        /// Where the issuer's DID stands, if it is on the ledger.
        #[n(2)]
        head: Option<Head>,
    },
    /// The issuer's signed status list of this number ([`List::number`]), as it is.
    #[n(10)]
    List(#[n(0)] Option<Head>, #[n(1)] u32),
    /// Sign for a ledger that the issuer's list is the newest: the anchor, and the list.
    #[n(11)]
    Anchor {
        /// The ledger's chain.
        #[cbor(n(0), with = "minicbor::bytes")]
        network: [u8; 32],
        /// Its number: one more than the last that is proved.
        #[n(1)]
        number: u64,
        /// Where the issuer's DID stands, if it is on the ledger.
        #[n(2)]
        head: Option<Head>,
        /// Hash of the list that the ledger names now.
        #[n(3)]
        last: Option<Hash>,
        /// Though what that one says is not known here.
        #[n(4)]
        despite: bool,
        /// Which of the issuer's lists: [`List::number`].
        #[n(5)]
        list: u32,
    },
    /// Ask for something: a signed request.
    #[n(12)]
    Ask(#[n(0)] Question),
    /// Forget a question.
    #[n(13)]
    Forget(#[n(0)] String),
    /// Check an answer.
    #[n(14)]
    Check {
        /// The text, or a link that ends with it.
        #[n(0)]
        answer: String,
        /// What is proved so far.
        #[n(1)]
        facts: Facts,
    },
    /// Grant shares, and open what others granted.
    #[n(15)]
    Grants {
        /// What.
        #[n(0)]
        ask: GrantAsk,
        /// What is proved so far.
        #[n(1)]
        facts: Facts,
    },
    /// What was issued, as a file that is sealed under the seed.
    #[n(16)]
    Backup,
    /// Such a file: what it would bring, and if the person is sure, bring it.
    #[n(17)]
    Restore {
        /// The file.
        #[cbor(n(0), with = "minicbor::bytes")]
        file: Vec<u8>,
        /// Bring it.
        #[n(1)]
        sure: bool,
    },
    /// Learn what a list of this issuer says, which was signed elsewhere.
    #[n(18)]
    Learn {
        /// The signed list.
        #[n(0)]
        text: String,
        /// What is proved so far.
        #[n(1)]
        facts: Facts,
    },
    /// The person has the file that [`Command::Backup`] made last.
    #[n(19)]
    Saved,
    /// Let what was issued and is over leave this browser: a backup has it.
    #[n(20)]
    LetGo,
    /// Show of what was issued what has this text in its note or its type; empty: all.
    #[n(21)]
    Seek(#[n(0)] String),
    /// Forget what was shown to whom.
    #[n(22)]
    ForgetTold,
}

/// What an issuer offers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Offer {
    /// The type (`vct`).
    #[n(0)]
    pub kind: String,
    /// How many copies.
    #[n(1)]
    pub count: u8,
    /// Who says that it offers. Not signed.
    #[n(2)]
    pub issuer: String,
}

/// One claim to be issued.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Said {
    /// Where it stands: names behind slashes.
    #[n(0)]
    pub path: String,
    /// `true`, `false`, a whole number, or a text.
    #[n(1)]
    pub value: String,
}

/// What is to be issued.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Order {
    /// The type (`vct`).
    #[n(0)]
    pub kind: String,
    /// What is said. The holder may leave out each.
    #[n(1)]
    pub claims: Vec<Said>,
    /// The holder's `did:key`, or the text with their keys.
    #[n(2)]
    pub to: String,
    /// Most copies.
    #[n(3)]
    pub copies: u8,
    /// For how many seconds it holds; 0: for ever.
    #[n(4)]
    pub lasts_s: u64,
    /// Whether it can be revoked: it gets a place in the issuer's list.
    #[n(5)]
    pub revocable: bool,
    /// What the issuer calls it in its own list.
    #[n(6)]
    pub label: String,
    /// Where the issuer's DID stands, if it is on the ledger.
    #[n(7)]
    pub head: Option<Head>,
}

/// Whether a credential that was issued holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Mark {
    /// It does.
    #[default]
    #[n(0)]
    Valid,
    /// It does not any more.
    #[n(1)]
    Revoked,
    /// Not for now.
    #[n(2)]
    Suspended,
}

/// One claim that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Wanted {
    /// Where it stands: names behind slashes.
    #[n(0)]
    pub path: String,
    /// The value that will do; empty: any.
    #[n(1)]
    pub value: String,
}

/// What a verifier asks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Question {
    /// The type (`vct`).
    #[n(0)]
    pub kind: String,
    /// Claims.
    #[n(1)]
    pub claims: Vec<Wanted>,
    /// What the verifier calls itself; may be empty.
    #[n(2)]
    pub name: String,
    /// Why; may be empty.
    #[n(3)]
    pub purpose: String,
    /// The page that the answer goes to; empty: by hand.
    #[n(4)]
    pub return_to: String,
    /// For how many seconds.
    #[n(5)]
    pub lasts_s: u64,
    /// Where the verifier's DID stands, if it is on the ledger.
    #[n(6)]
    pub head: Option<Head>,
}

/// A person's choice for one part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Pick {
    /// The part.
    #[n(0)]
    pub part: String,
    /// The card.
    #[n(1)]
    pub card: Hash,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Reply {
    /// How it is now.
    #[n(0)]
    pub view: View,
    /// Why nothing was done, in words.
    #[n(1)]
    pub refused: Option<String>,
    /// What the ledger has to prove first; then the same again.
    #[n(2)]
    pub needs: Vec<Need>,
    /// Something to hand on.
    #[n(3)]
    pub text: String,
    /// An anchor for the ledger.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Who asks, and what would be shown.
    #[n(5)]
    pub asking: Option<Asking>,
    /// What an answer proves.
    #[n(6)]
    pub verdict: Option<Verdict>,
    /// An offer that was read.
    #[n(7)]
    pub offer: Option<Offer>,
    /// How many copies came, or whether a list did; or how many things were learned, or let go.
    #[n(8)]
    pub taken: u32,
    /// Parts of an answer that show a copy somebody has seen before.
    #[n(9)]
    pub seen_before: u32,
    /// It is locked.
    #[n(10)]
    pub locked: bool,
    /// A grant of somebody's.
    #[n(11)]
    pub reading: Option<Reading>,
    /// What a file brings.
    #[n(12)]
    pub joined: Option<Joined>,
    /// For a key of what was taken nothing vouches but a web server.
    #[n(13)]
    pub unproved: bool,
}

/// Everything shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct View {
    /// What is held.
    #[n(0)]
    pub cards: Vec<Card>,
    /// Whether a removal can be undone.
    #[n(1)]
    pub can_undo: bool,
    /// Of what was issued the newest that the page seeks, newest first.
    #[n(2)]
    pub issued: Vec<Issued>,
    /// The issuer's own lists.
    #[n(3)]
    pub lists: Vec<List>,
    /// Questions, newest first.
    #[n(4)]
    pub asked: Vec<Wait>,
    /// Grants that were given, newest first.
    #[n(5)]
    pub given: Vec<Given>,
    /// When a file of what was issued was made last, in seconds since 1970-01-01 UTC.
    #[n(6)]
    pub saved_s: Option<u64>,
    /// Changes since.
    #[n(7)]
    pub unsaved: u32,
    /// How many credentials are remembered as issued.
    #[n(8)]
    pub issued_count: u32,
    /// How many of them are over.
    #[n(9)]
    pub issued_over: u32,
    /// Answers that were given, newest first.
    #[n(10)]
    pub told: Vec<Told>,
    /// Which of what was issued the page seeks, in lower case; empty: all.
    #[n(11)]
    pub sought: String,
    /// A file was made of it that is not known to be kept.
    #[n(12)]
    pub handed: bool,
}

/// What is held, copies together.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Card {
    /// Its name here.
    #[n(0)]
    pub id: Hash,
    /// The type.
    #[n(1)]
    pub kind: String,
    /// The issuer's DID.
    #[n(2)]
    pub issuer: String,
    /// What it says.
    #[n(3)]
    pub claims: Vec<Claim>,
    /// From when on it does not hold, in seconds since 1970-01-01 UTC; none: for ever.
    #[n(4)]
    pub until_s: Option<u64>,
    /// Copies.
    #[n(5)]
    pub copies: u32,
    /// Copies that nobody has seen.
    #[n(6)]
    pub fresh: u32,
    /// The list that says whether it holds; none: it can't be revoked.
    #[n(7)]
    pub list: Option<List>,
    /// What that list says, as far as it is here.
    #[n(8)]
    pub mark: Option<Mark>,
}

/// A status list.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct List {
    /// Whose.
    #[n(0)]
    pub issuer: String,
    /// Its name.
    #[n(1)]
    pub uri: String,
    /// Hash of the signed list that is here; none: it is not, or of one's own, it does not say yet what it should.
    #[n(2)]
    pub token: Option<Hash>,
    /// Of one's own: hashes of lists that say nothing new.
    #[n(3)]
    pub seen: Vec<Hash>,
    /// Of one's own: which of its issuer's it is.
    #[n(4)]
    pub number: u32,
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    /// Its name, steps apart.
    #[n(0)]
    pub name: String,
    /// Its value in words.
    #[n(1)]
    pub value: String,
    /// Whether it is shown, and why.
    #[n(2)]
    pub show: Show,
}

/// Whether a claim is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Show {
    /// Always: it can't be left out.
    #[n(0)]
    Always,
    /// It was asked for, or is within what was.
    #[n(1)]
    Asked,
    /// It stays hidden, or may.
    #[n(2)]
    Hidden,
}

/// A credential that was issued, all its copies.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Issued {
    /// Its number here.
    #[n(0)]
    pub entry: u32,
    /// What the issuer calls it.
    #[n(1)]
    pub label: String,
    /// The type.
    #[n(2)]
    pub kind: String,
    /// By which DID.
    #[n(3)]
    pub issuer: String,
    /// When, in seconds since 1970-01-01 UTC.
    #[n(4)]
    pub at_s: u64,
    /// Until when; none: for ever.
    #[n(5)]
    pub until_s: Option<u64>,
    /// Copies.
    #[n(6)]
    pub copies: u32,
    /// Whether it has places in a list.
    #[n(7)]
    pub revocable: bool,
    /// Whether it holds.
    #[n(8)]
    pub mark: Mark,
}

/// A question that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Wait {
    /// Its name.
    #[n(0)]
    pub state: String,
    /// The signed request.
    #[n(1)]
    pub request: String,
    /// Until when it may be answered, in seconds since 1970-01-01 UTC.
    #[n(2)]
    pub until_s: u64,
    /// The type that is asked for.
    #[n(3)]
    pub kind: String,
    /// Whether it was answered.
    #[n(4)]
    pub answered: bool,
}

/// Who asks, what for, and what would be shown.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Asking {
    /// The verifier's DID, whose key signed the request.
    #[n(0)]
    pub verifier: String,
    /// Version and block of that key, and the block that proved it; none: the DID is its key.
    #[n(1)]
    pub proved: Option<(u64, u64, u64)>,
    /// What it calls itself.
    #[n(2)]
    pub name: Option<String>,
    /// Why it asks, in its own words.
    #[n(3)]
    pub purpose: Option<String>,
    /// Until when, in seconds since 1970-01-01 UTC.
    #[n(4)]
    pub until_s: u64,
    /// The page that the answer goes to.
    #[n(5)]
    pub return_to: Option<String>,
    /// What is asked for, with cards that answer.
    #[n(6)]
    pub parts: Vec<Part>,
    /// Why it can't be answered.
    #[n(7)]
    pub lacking: Option<String>,
    /// Hash of the request that all this is of: only that one is answered.
    #[n(8)]
    pub read: Hash,
    /// What vouches for the key, where a web server keeps the DID; none: `proved` says.
    #[n(9)]
    pub shown: Option<String>,
}

/// One part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Part {
    /// Its id.
    #[n(0)]
    pub id: String,
    /// Cards that answer it.
    #[n(1)]
    pub choices: Vec<Choice>,
}

/// A card that answers, and what of it would be shown.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Choice {
    /// The card.
    #[n(0)]
    pub card: Hash,
    /// Its type.
    #[n(1)]
    pub kind: String,
    /// Its issuer.
    #[n(2)]
    pub issuer: String,
    /// Claim by claim.
    #[n(3)]
    pub claims: Vec<Claim>,
    /// Copies that nobody has seen.
    #[n(4)]
    pub fresh: u32,
}
