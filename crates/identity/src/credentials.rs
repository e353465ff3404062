//! Credentials in a browser, sans-IO: what a person holds and shows, what an organisation issues and
//! checks, and which shares a person granted to whom, on the keys of a [`crate::session`].
//!
//! [`Credentials::call`] takes the seed, the time, 32 random bytes and one [`Command`], and gives a [`Reply`]
//! and what to keep, sealed under the seed. It runs in the worker that holds the seed; a page sees what is
//! shown and the texts that a person hands on. Why it is so: `docs/adr/0067-credential-pages.md`.
//!
//! What the ledger says is brought in as [`Facts`], and so are status lists that the block store has: where one is
//! missing, the reply names what has to be proved or brought ([`Need`]), and the same command is given again with it.
//! So nothing here waits or asks, and nothing that a ledger should prove is taken for granted.
//!
//! Laws:
//! - nothing is shown to a verifier but by [`Command::Share`], of the request that the person saw;
//! - a question is answered once;
//! - what was revoked stays revoked, whatever book or list comes in later;
//! - what was issued leaves the book only when it holds no more and a file has it;
//! - a refusal changes nothing, and says why in words that a person can act on.

mod backup;
mod check;
mod facts;
mod grants;
mod hold;
mod issue;
mod keep;
mod lists;
mod shown;
#[cfg(test)]
mod tests;
mod texts;
mod told;
mod view;

use primitives::Seed;

use crate::{
    custody::Root,
    holder::Holder,
    session::{Head, Signer, signer},
};

pub use backup::Joined;
pub use check::Verdict;
pub use facts::{Facts, KeyFact, ListFact, Need, Newest, WebFact, WebWord};
pub use grants::{Give, Given, GrantAsk, Reading};
pub use told::Told;
pub use view::{
    Asking, Card, Choice, Claim, Command, Issued, List, Mark, Offer, Order, Part, Pick, Question,
    Reply, Said, Show, View, Wait, Wanted,
};

use facts::Resolved;
use grants::GivenOne;
use keep::{Asked, HeldList, IssuedOne, Made};

/// What is said where no key of the seed signs for the DID.
const NOT_YOURS: &str = "no key of this identity signs for that name now";

/// Everything of a person and of an organisation, open.
#[derive(Debug)]
pub struct Credentials {
    holder: Holder,
    /// Before the last removal, while it can be undone.
    before: Option<Holder>,
    /// Signed lists of issuers.
    lists: Vec<HeldList>,
    issued: Vec<IssuedOne>,
    /// This issuer's own lists.
    made: Vec<Made>,
    asked: Vec<Asked>,
    /// Grants of shares, oldest first.
    given: Vec<GivenOne>,
    /// Answers that were given, oldest first.
    told: Vec<Told>,
    /// When what was issued was made a file of.
    saved_s: Option<u64>,
    /// Changes since.
    unsaved: u32,
    /// A file that was made and is not known to be kept: when, and how many changes are in it.
    handed: Option<(u64, u32)>,
    /// Which of what was issued the page seeks, in lower case; empty: all.
    sought: String,
}

/// What one call may use.
struct Turn<'a> {
    root: &'a Root,
    now_s: u64,
    seed: Seed,
    reply: Reply,
    changed: bool,
}

impl Credentials {
    /// What was kept, opened; nothing kept is none yet. `None`: it is not this seed's, or damaged, and stays
    /// as it is. `drawn` is where numbers of copies begin, see [`Holder::new`].
    pub fn open(root: &Root, kept: Option<&[u8]>, drawn: [u8; 32]) -> Option<Self> {
        let none = || Self {
            holder: Holder::new(Seed::new(drawn)),
            before: None,
            lists: Vec::new(),
            issued: Vec::new(),
            made: Vec::new(),
            asked: Vec::new(),
            given: Vec::new(),
            told: Vec::new(),
            saved_s: None,
            unsaved: 0,
            handed: None,
            sought: String::new(),
        };
        kept.map_or_else(|| Some(none()), |kept| Self::unsealed(root, kept))
    }

    /// What it is called on this device. Says nothing of whose it is.
    pub fn name(root: &Root) -> String {
        let (_, name) = root.keeping(keep::WHAT);
        name.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Does one thing. `entropy` is drawn for this call alone. What to keep in place of what was kept before,
    /// if anything changed.
    pub fn call(
        &mut self,
        root: &Root,
        now_s: u64,
        entropy: [u8; 32],
        command: Command,
    ) -> (Reply, Option<Vec<u8>>) {
        let seed = Seed::new(entropy);
        let mut turn = Turn { root, now_s, seed, reply: Reply::default(), changed: false };
        let done = self.perform(command, &mut turn);
        // What is missing is not refused yet.
        if turn.reply.needs.is_empty() {
            turn.reply.refused = done.err();
        }
        turn.reply.view = self.view(now_s);
        let keep = turn.changed.then(|| self.sealed(root, &seed));
        (turn.reply, keep)
    }

    fn perform(&mut self, command: Command, turn: &mut Turn<'_>) -> Result<(), String> {
        match command {
            Command::Look => Ok(()),
            Command::Keys { kind, count } => self.keys(&kind, count, turn),
            Command::Take { text, facts } => self.take(&text, &facts, turn),
            Command::Remove(card) => self.remove(card, turn),
            Command::Undo => self.undo(turn),
            Command::Read { request, facts } => self.read(&request, &facts, turn),
            Command::Share { request, facts, picks, read } => {
                self.share((&request, read), &facts, &picks, turn)
            }
            Command::Offer(offer) => {
                turn.reply.text = texts::offer(&offer);
                Ok(())
            }
            Command::Issue(order) => self.issue(&order, turn),
            Command::Mark { entry, mark, head } => self.mark(entry, mark, head.as_ref(), turn),
            Command::List(head, list) => self.list(head.as_ref(), list, turn),
            Command::Anchor { network, number, head, last, despite, list } => {
                self.anchor((&network, number, list), (last, despite), head.as_ref(), turn)
            }
            Command::Ask(question) => self.ask(&question, turn),
            Command::Forget(state) => self.forget(&state, turn),
            Command::Check { answer, facts } => self.check(&answer, &facts, turn),
            Command::Grants { ask, facts } => self.grants(&ask, &facts, turn),
            Command::Backup => self.backup(turn),
            Command::Restore { file, sure } => self.restore(&file, sure, turn),
            Command::Learn { text, facts } => self.learn(&text, &facts, turn),
            Command::Saved => self.saved(turn),
            Command::LetGo => self.let_go(turn),
            Command::ForgetTold => {
                self.forget_told(turn);
                Ok(())
            }
            Command::Seek(text) => {
                self.sought = text.trim().to_lowercase();
                Ok(())
            }
        }
    }
}

/// Who signs, by the DID on the ledger if its head is there, else by the key's own.
fn signs(root: &Root, head: Option<&Head>) -> Result<Signer, String> {
    signer(root, head).ok_or_else(|| NOT_YOURS.to_owned())
}

/// A refusal in words.
fn words(why: impl core::fmt::Display) -> String {
    why.to_string()
}
