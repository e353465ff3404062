//! A person's seed in a browser, sans-IO: made, backed up, locked, opened, and what it signs for pages.
//!
//! [`Session::call`] takes the time, 32 random bytes and one [`Command`], and gives an [`Answer`] and
//! what to keep. It runs in a worker: a page sees words and shares when it asks for them, and never the
//! seed. Why it is so: `docs/adr/0060-keys-in-the-browser.md`.
//!
//! ```text
//! Empty -- Create, Recover --> Draft -- two ways, one not on this device --> Open <--> Locked
//! ```
//!
//! Laws:
//! - nothing is kept of a seed that one lost device or one forgotten password would lose;
//! - what is kept opens nothing by itself;
//! - words and shares are shown to who opened it just now, not to who finds it open;
//! - shares are a way once the person said that they were handed out: those that nobody has bring nothing back;
//! - a refusal says nothing of a secret, and changes nothing.

mod keep;
mod own_did;
#[cfg(test)]
mod tests;
mod view;
mod ways;

use primitives::Seed;

use crate::{
    SecretKey,
    custody::{Keyring, Root, Share},
    did::did_key,
};

pub use keep::Keep;
pub(crate) use own_did::{Signer, signer};
pub use view::{Answer, Command, Head, Next, Refusal, Secret, Stage, View, Way, read, to_bytes};

use keep::Kept;

/// Minutes after which a session locks, unless it is told otherwise.
const LOCK_AFTER_MIN: u16 = 15;
/// Longest time until it locks, in minutes: a day.
const LOCK_AFTER_MIN_MAX: u16 = 1440;
/// How long after it was opened words and shares are shown, in milliseconds.
const FRESH_MS: u64 = 120_000;

/// A session.
#[derive(Debug, Default)]
pub struct Session {
    /// What is on this device, or would be.
    kept: Option<Kept>,
    /// The seed, while it is open.
    root: Option<Root>,
    /// Drawn for a passkey that is being made.
    salt: Option<[u8; 32]>,
    /// When keys were last used.
    used_ms: u64,
    /// When somebody last proved that they may open it.
    opened_ms: u64,
    /// Shares that were shown and are not said to be handed out yet, and how many are enough.
    handing: Option<(u8, Vec<Share>)>,
}

/// What one call may use.
struct Turn {
    now_ms: u64,
    seed: Seed,
    answer: Answer,
    keep: Option<Keep>,
}

impl Session {
    /// A session with what was kept; what can't be read is as good as nothing, and stays where it is
    /// until something else is kept.
    pub fn new(kept: Option<&[u8]>) -> Self {
        Self { kept: kept.and_then(Kept::from_bytes), ..Self::default() }
    }

    /// Does one thing. `entropy` is drawn for this call alone.
    pub fn call(
        &mut self,
        now_ms: u64,
        entropy: [u8; 32],
        command: Command,
    ) -> (Answer, Option<Keep>) {
        self.tick(now_ms);
        let seed = Seed::new(entropy);
        let mut turn = Turn { now_ms, seed, answer: Answer::default(), keep: None };
        let done = self.perform(command, &mut turn);
        turn.answer.refused = done.err();
        turn.answer.view = self.view();
        (turn.answer, turn.keep)
    }

    /// Time has passed; whether it locked.
    pub fn tick(&mut self, now_ms: u64) -> bool {
        let due = self.locks_at_ms().is_some_and(|at| at <= now_ms);
        if due {
            self.close();
        }
        due
    }

    /// When it locks by itself; none: it is not open, or not kept yet.
    pub fn locks_at_ms(&self) -> Option<u64> {
        let kept = self.kept.as_ref().filter(|kept| self.root.is_some() && kept.is_whole())?;
        Some(self.used_ms.saturating_add(u64::from(kept.lock_after_min) * 60_000))
    }

    /// The seed, for what signs beside this session (credentials). It counts as use.
    ///
    /// # Errors
    /// It is locked, or there is none, or it is not kept yet.
    pub fn root(&mut self, now_ms: u64) -> Result<&Root, Refusal> {
        self.tick(now_ms);
        match self.stage() {
            Stage::Open => {}
            Stage::Locked => return Err(Refusal::Locked),
            Stage::Empty | Stage::Draft => return Err(Refusal::Empty),
        }
        self.used_ms = now_ms;
        self.root.as_ref().ok_or(Refusal::Locked)
    }

    /// The seed of the key that spends from the account on a ledger, while it is open. No use: it would
    /// keep it open.
    pub fn account_seed(&self, chain: &[u8; 32]) -> Option<zeroize::Zeroizing<[u8; 32]>> {
        let root = self.root.as_ref().filter(|_| self.stage() == Stage::Open)?;
        Some(root.account_seed(chain))
    }

    /// How far it is.
    pub fn stage(&self) -> Stage {
        match (&self.kept, &self.root) {
            (Some(kept), Some(_)) if kept.is_whole() => Stage::Open,
            (Some(kept), None) if kept.is_whole() => Stage::Locked,
            (_, Some(_)) => Stage::Draft,
            (_, None) => Stage::Empty,
        }
    }

    /// What is shown.
    pub fn view(&self) -> View {
        let slots = self.keyring().map(Keyring::slots).unwrap_or_default();
        let key = match (&self.root, &self.kept) {
            (Some(root), _) => Some(root.identity_key().public()),
            (None, kept) => kept.as_ref().map(|kept| kept.key),
        };
        View {
            stage: self.stage(),
            did: key.map(|key| did_key::did(&key)).unwrap_or_default(),
            slots: slots.iter().map(ways::shown).collect(),
            is_recoverable: self.keyring().is_some_and(Keyring::is_recoverable),
            drilled_ms: self.kept.as_ref().map_or(0, |kept| kept.drilled_ms),
            lock_after_min: self.kept.as_ref().map_or(LOCK_AFTER_MIN, |kept| kept.lock_after_min),
            adopted: self.kept.as_ref().and_then(|kept| kept.adopted),
        }
    }

    fn keyring(&self) -> Option<&Keyring> {
        self.kept.as_ref().map(|kept| &kept.keyring)
    }

    fn perform(&mut self, command: Command, turn: &mut Turn) -> Result<(), Refusal> {
        match command {
            Command::Look => Ok(()),
            Command::Create => self.create(turn),
            Command::Words => self.words(turn),
            Command::Confirm(words) => self.confirm(words.as_str(), turn),
            Command::Password(password) => self.set_password(password.as_str(), turn),
            Command::Salt => self.draw_salt(turn),
            Command::Passkey { id, output } => self.add_passkey(&id, output.as_bytes(), turn),
            Command::Share { threshold, count } => self.share(threshold, count, turn),
            Command::HandedOut => self.handed_out(turn),
            Command::Remove(slot) => self.remove(slot, turn),
            Command::Unlock { slot, with } => self.unlock(slot, &with, turn),
            Command::Recover(words) => self.recover(words.as_str(), turn),
            Command::RecoverByShares(shares) => self.recover_by_shares(&shares, turn),
            Command::Drill(words) => self.drill(words.as_str(), turn),
            Command::Lock => {
                if self.stage() == Stage::Open {
                    self.close();
                }
                Ok(())
            }
            Command::SignOut => {
                *self = Self::default();
                turn.keep = Some(Keep::Nothing);
                Ok(())
            }
            Command::LockAfter(minutes) => self.lock_after(minutes, turn),
            Command::GiveUp => {
                if self.stage() == Stage::Draft {
                    *self = Self::default();
                }
                Ok(())
            }
            Command::Backup => {
                let kept = self.kept.as_ref().filter(|kept| kept.is_whole());
                turn.answer.bytes = kept.ok_or(Refusal::Empty)?.to_bytes();
                Ok(())
            }
            Command::Restore(bytes) => self.restore(&bytes, turn),
            Command::Adopt(did) => self.adopt(did, turn),
            Command::Mine(head) => self.adopt_mine(&head, turn),
            Command::Account(chain) => {
                let seed = self.account_seed(&chain).ok_or(Refusal::Locked)?;
                turn.answer.bytes = SecretKey::ed25519(&seed).public().as_bytes().to_vec();
                Ok(())
            }
            of_dids => self.perform_of_dids(of_dids, turn),
        }
    }

    fn create(&mut self, turn: &Turn) -> Result<(), Refusal> {
        if self.stage() != Stage::Empty {
            return Err(Refusal::Exists);
        }
        self.begin(Root::new(*turn.seed.derive("identity/seed").as_bytes()), turn.now_ms);
        Ok(())
    }

    /// A seed without a way to it yet.
    fn begin(&mut self, root: Root, now_ms: u64) {
        *self = Self { root: Some(root), used_ms: now_ms, opened_ms: now_ms, ..Self::default() };
    }

    fn lock_after(&mut self, minutes: u16, turn: &mut Turn) -> Result<(), Refusal> {
        self.open_root(turn)?;
        let kept = self.kept.as_mut().ok_or(Refusal::Empty)?;
        kept.lock_after_min = minutes.clamp(1, LOCK_AFTER_MIN_MAX);
        self.save(turn);
        Ok(())
    }

    fn adopt(
        &mut self,
        did: Option<crate::did::StarlingId>,
        turn: &mut Turn,
    ) -> Result<(), Refusal> {
        self.root(turn.now_ms)?;
        self.kept.as_mut().ok_or(Refusal::Empty)?.adopted = did;
        self.save(turn);
        Ok(())
    }

    fn restore(&mut self, bytes: &[u8], turn: &mut Turn) -> Result<(), Refusal> {
        if self.stage() != Stage::Empty {
            return Err(Refusal::Exists);
        }
        let kept = Kept::from_bytes(bytes).ok_or(Refusal::Form)?;
        *self = Self { kept: Some(kept), ..Self::default() };
        self.save(turn);
        Ok(())
    }

    /// The seed, kept or not; it counts as use.
    fn open_root(&mut self, turn: &Turn) -> Result<Root, Refusal> {
        self.used_ms = turn.now_ms;
        let none = if self.kept.is_some() { Refusal::Locked } else { Refusal::Empty };
        self.root.clone().ok_or(none)
    }

    /// The same, where it was opened just now or is not kept yet: for what opens it anywhere.
    fn fresh_root(&mut self, turn: &Turn) -> Result<Root, Refusal> {
        let age_ms = turn.now_ms.saturating_sub(self.opened_ms);
        if self.stage() == Stage::Open && age_ms > FRESH_MS {
            return Err(Refusal::NotFresh);
        }
        self.open_root(turn)
    }

    /// It is opened, by who may.
    fn enter_as(&mut self, root: Root, now_ms: u64) {
        (self.root, self.used_ms, self.opened_ms) = (Some(root), now_ms, now_ms);
    }

    /// Forgets what is secret until it is opened again.
    fn close(&mut self) {
        (self.root, self.handing) = (None, None);
    }

    /// Keeps what there is, once it is enough.
    fn save(&self, turn: &mut Turn) {
        if let Some(kept) = self.kept.as_ref().filter(|kept| kept.is_whole()) {
            turn.keep = Some(Keep::This(kept.to_bytes()));
        }
    }
}
