//! Ways to the seed: added, tried, taken away.

use super::{Kept, LOCK_AFTER_MIN, Refusal, Secret, Session, Stage, Turn, Way};
use crate::{
    custody::{
        HandedShare, Keyring, KeyringError, PasswordCost, Phrase, PhraseError, Root, Share, Slot,
        SlotKind, Unlock, UnlockError, combine, split,
    },
    limits::PASSWORD_CHARS_MIN,
};

/// What is shown of a way.
pub(super) fn shown(slot: &Slot) -> Way {
    match &slot.kind {
        SlotKind::Password { .. } => Way::Password,
        SlotKind::Phrase => Way::Words,
        SlotKind::Passkey { id } => {
            Way::Passkey { id: id.clone().into(), salt: slot.salt.to_vec().into() }
        }
        SlotKind::Guardians { threshold } => Way::Guardians { threshold: *threshold },
    }
}

impl Session {
    /// The words, to who opened it just now.
    pub(super) fn words(&mut self, turn: &mut Turn) -> Result<(), Refusal> {
        let root = self.fresh_root(turn)?;
        turn.answer.texts = root.words().words().iter().map(|word| Secret::text(word)).collect();
        Ok(())
    }

    pub(super) fn confirm(&mut self, entered: &str, turn: &mut Turn) -> Result<(), Refusal> {
        let root = self.open_root(turn)?;
        let phrase = root.words().confirm(entered);
        let phrase = phrase.map_err(|why| wrong_words(why, turn))?;
        self.opened_ms = turn.now_ms;
        if self.place(|way| *way == SlotKind::Phrase).is_none() {
            self.add(&root, (SlotKind::Phrase, Unlock::Phrase(&phrase)), None, turn)?;
        }
        if let Some(kept) = &mut self.kept {
            kept.drilled_ms = turn.now_ms;
        }
        self.save(turn);
        Ok(())
    }

    pub(super) fn set_password(&mut self, password: &str, turn: &mut Turn) -> Result<(), Refusal> {
        let root = self.open_root(turn)?;
        if password.chars().count() < PASSWORD_CHARS_MIN {
            return Err(Refusal::PasswordLength);
        }
        let is_password = |kind: &SlotKind| matches!(kind, SlotKind::Password { .. });
        let before = self.place(is_password);
        let kind = SlotKind::Password { cost: PasswordCost::default() };
        self.add(&root, (kind, Unlock::Password(password)), before, turn)
    }

    pub(super) fn draw_salt(&mut self, turn: &mut Turn) -> Result<(), Refusal> {
        self.open_root(turn)?;
        // The same until a passkey took it: a prompt that is still open was asked for this one.
        let drawn = *turn.seed.derive("identity/salt").as_bytes();
        let salt = *self.salt.get_or_insert(drawn);
        turn.answer.bytes = salt.to_vec();
        Ok(())
    }

    pub(super) fn add_passkey(
        &mut self,
        id: &[u8],
        output: &[u8],
        turn: &mut Turn,
    ) -> Result<(), Refusal> {
        let root = self.open_root(turn)?;
        let salt = self.salt.take().ok_or(Refusal::Form)?;
        let output: [u8; 32] = output.try_into().map_err(|_| Refusal::Form)?;
        let kind = SlotKind::Passkey { id: id.to_vec() };
        let before = self.place(|way| *way == kind);
        let unlock = Unlock::Passkey(&output);
        let nonce = nonce(turn);
        let slot = Slot::seal(&root, kind, unlock, salt, nonce).map_err(refusal)?;
        self.put(&root, slot, unlock, before, turn)
    }

    /// Shares of the seed itself. They count as a way once they are [handed out](Self::handed_out).
    pub(super) fn share(
        &mut self,
        threshold: u8,
        count: u8,
        turn: &mut Turn,
    ) -> Result<(), Refusal> {
        let root = self.fresh_root(turn)?;
        let seed = turn.seed.derive("identity/shares");
        let shares = split(root.shared(), threshold, count, seed);
        let shares = shares.map_err(|_| Refusal::Guardians)?;
        let mut name = [0; 8];
        name.copy_from_slice(&turn.seed.derive("identity/share-name").as_bytes()[..8]);
        let handed = shares.iter().cloned().map(|share| HandedShare { threshold, name, share });
        turn.answer.texts = handed.map(|share| Secret::text(&share.to_text())).collect();
        self.handing = Some((threshold, shares));
        Ok(())
    }

    /// Every guardian has theirs, as the person says. The slot remembers that there are some, and how many are
    /// enough.
    pub(super) fn handed_out(&mut self, turn: &mut Turn) -> Result<(), Refusal> {
        let root = self.open_root(turn)?;
        let (threshold, shares) = self.handing.take().ok_or(Refusal::NoShares)?;
        let is_guardians = |kind: &SlotKind| matches!(kind, SlotKind::Guardians { .. });
        let before = self.place(is_guardians);
        let kind = SlotKind::Guardians { threshold };
        let added = self.add(&root, (kind, Unlock::Guardians(&shares)), before, turn);
        if added.is_err() {
            // A way may be removed, and it is said again.
            self.handing = Some((threshold, shares));
        }
        added
    }

    pub(super) fn remove(&mut self, slot: u8, turn: &mut Turn) -> Result<(), Refusal> {
        self.open_root(turn)?;
        let kept = self.kept.as_mut().ok_or(Refusal::Empty)?;
        let mut left = kept.keyring.clone();
        left.remove(slot.into()).map_err(|why| match why {
            KeyringError::LastSlot => Refusal::TooFewWays,
            _ => Refusal::NoWay,
        })?;
        if !left.is_recoverable() {
            return Err(Refusal::TooFewWays);
        }
        kept.keyring = left;
        self.save(turn);
        Ok(())
    }

    pub(super) fn unlock(&mut self, slot: u8, with: &Secret, turn: &Turn) -> Result<(), Refusal> {
        let keyring = self.keyring().ok_or(Refusal::Empty)?;
        let place = usize::from(slot);
        let output: [u8; 32];
        let unlock = match keyring.slots().get(place).map(|slot| &slot.kind) {
            Some(SlotKind::Password { .. }) => Unlock::Password(with.as_str()),
            Some(SlotKind::Passkey { .. }) => {
                output = with.as_bytes().try_into().map_err(|_| Refusal::Form)?;
                Unlock::Passkey(&output)
            }
            Some(SlotKind::Phrase | SlotKind::Guardians { .. }) | None => {
                return Err(Refusal::NoWay);
            }
        };
        let root = keyring.open(place, unlock).map_err(of_keyring)?;
        self.enter_as(root, turn.now_ms);
        Ok(())
    }

    pub(super) fn recover(&mut self, words: &str, turn: &mut Turn) -> Result<(), Refusal> {
        let phrase = Phrase::parse(words).map_err(|why| wrong_words(why, turn))?;
        self.enter(phrase.root(), turn.now_ms)?;
        if self.stage() == Stage::Draft {
            // They were entered, so they are written down.
            let root = phrase.root();
            self.add(&root, (SlotKind::Phrase, Unlock::Phrase(&phrase)), None, turn)?;
        }
        if let Some(kept) = &mut self.kept {
            kept.drilled_ms = turn.now_ms;
        }
        self.save(turn);
        Ok(())
    }

    pub(super) fn recover_by_shares(
        &mut self,
        texts: &[Secret],
        turn: &mut Turn,
    ) -> Result<(), Refusal> {
        let parsed = texts.iter().map(|text| HandedShare::parse(text.as_str()));
        let handed: Vec<HandedShare> =
            parsed.collect::<Result<_, _>>().map_err(|_| Refusal::Share)?;
        let first = handed.first().ok_or(Refusal::Shares)?;
        let (threshold, name) = (first.threshold, first.name);
        let together =
            handed.iter().all(|share| share.threshold == threshold && share.name == name);
        if !together || handed.len() < usize::from(threshold) {
            return Err(Refusal::Shares);
        }
        let shares: Vec<Share> = handed.into_iter().map(|handed| handed.share).collect();
        let root = Root::new(*combine(&shares).map_err(|_| Refusal::Shares)?);
        self.enter(root.clone(), turn.now_ms)?;
        if self.stage() == Stage::Draft {
            let kind = SlotKind::Guardians { threshold };
            self.add(&root, (kind, Unlock::Guardians(&shares)), None, turn)?;
        }
        Ok(())
    }

    pub(super) fn drill(&mut self, entered: &str, turn: &mut Turn) -> Result<(), Refusal> {
        let kept = self.kept.as_mut().ok_or(Refusal::Empty)?;
        let phrase = Phrase::parse(entered).map_err(|why| wrong_words(why, turn))?;
        if phrase.root().identity_key().public() != kept.key {
            return Err(Refusal::WordsOther);
        }
        kept.drilled_ms = turn.now_ms;
        self.save(turn);
        Ok(())
    }

    /// The seed of words or shares: of the identity that is here, or of one that now comes here.
    fn enter(&mut self, root: Root, now_ms: u64) -> Result<(), Refusal> {
        match &self.kept {
            Some(kept) if kept.key != root.identity_key().public() => Err(Refusal::WordsOther),
            Some(_) => {
                self.enter_as(root, now_ms);
                Ok(())
            }
            None if self.root.is_some() => Err(Refusal::Exists),
            None => {
                self.begin(root, now_ms);
                Ok(())
            }
        }
    }

    fn place(&self, is_wanted: impl Fn(&SlotKind) -> bool) -> Option<usize> {
        self.keyring()?.slots().iter().position(|slot| is_wanted(&slot.kind))
    }

    fn add(
        &mut self,
        root: &Root,
        (kind, unlock): (SlotKind, Unlock<'_>),
        before: Option<usize>,
        turn: &mut Turn,
    ) -> Result<(), Refusal> {
        let salt = *turn.seed.derive("identity/slot").as_bytes();
        let slot = Slot::seal(root, kind, unlock, salt, nonce(turn)).map_err(refusal)?;
        self.put(root, slot, unlock, before, turn)
    }

    /// Adds a slot and takes the one before away, or neither.
    fn put(
        &mut self,
        root: &Root,
        slot: Slot,
        unlock: Unlock<'_>,
        before: Option<usize>,
        turn: &mut Turn,
    ) -> Result<(), Refusal> {
        match &mut self.kept {
            Some(kept) => {
                let mut keyring = kept.keyring.clone();
                keyring.add(root, slot, unlock).map_err(of_keyring)?;
                if let Some(before) = before {
                    keyring.remove(before).map_err(of_keyring)?;
                }
                kept.keyring = keyring;
            }
            None => {
                self.kept = Some(Kept {
                    keyring: Keyring::new(root, slot, unlock).map_err(of_keyring)?,
                    key: root.identity_key().public(),
                    lock_after_min: LOCK_AFTER_MIN,
                    drilled_ms: 0,
                    adopted: None,
                });
            }
        }
        self.save(turn);
        Ok(())
    }
}

fn nonce(turn: &Turn) -> [u8; 24] {
    let mut nonce = [0; 24];
    nonce.copy_from_slice(&turn.seed.derive("identity/nonce").as_bytes()[..24]);
    nonce
}

fn wrong_words(why: PhraseError, turn: &mut Turn) -> Refusal {
    match why {
        PhraseError::Count { .. } => Refusal::WordCount,
        PhraseError::Word { index } => {
            turn.answer.at = u8::try_from(index + 1).unwrap_or_default();
            Refusal::Word
        }
        PhraseError::Checksum => Refusal::WordsChecked,
        PhraseError::Other => Refusal::WordsOther,
    }
}

fn of_keyring(why: KeyringError) -> Refusal {
    match why {
        KeyringError::Form | KeyringError::OtherSeed => Refusal::Form,
        KeyringError::Full => Refusal::Full,
        KeyringError::NoSlot => Refusal::NoWay,
        KeyringError::LastSlot => Refusal::TooFewWays,
        KeyringError::Unlock(why) => refusal(why),
    }
}

fn refusal(why: UnlockError) -> Refusal {
    match why {
        UnlockError::OtherKind => Refusal::NoWay,
        UnlockError::Bounds => Refusal::Form,
        UnlockError::PasswordLength { .. } => Refusal::PasswordLength,
        UnlockError::Shares => Refusal::Shares,
        UnlockError::Memory => Refusal::Memory,
        UnlockError::Wrong => Refusal::Wrong,
    }
}
