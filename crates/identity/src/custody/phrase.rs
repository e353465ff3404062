//! The recovery phrase: 24 words (BIP-39, English), 256 random bits and eight that check them.

use core::fmt;

use bip39::{Language, Mnemonic};
use zeroize::{Zeroize as _, Zeroizing};

use super::{Root, root::derive};

/// Words of a phrase.
const WORDS: usize = 24;

/// A phrase that was drawn and is not yet known to be written down.
#[derive(Clone)]
pub struct NewPhrase(Phrase);

/// A phrase that somebody has entered. Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Phrase([u8; 32]);

/// Why words are not the phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhraseError {
    /// Not 24 words.
    Count {
        /// Words found.
        found: usize,
    },
    /// The word at this 0-based place is not in the list.
    Word {
        /// Its place.
        index: usize,
    },
    /// All words are in the list, but one is wrong or two are swapped.
    Checksum,
    /// A phrase, but not the one that was shown.
    Other,
}

impl fmt::Display for PhraseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { found } => write!(f, "expected {WORDS} words, found {found}"),
            Self::Word { index } => write!(f, "word {} is not in the list", index + 1),
            Self::Checksum => f.write_str("a word is wrong, or two are swapped"),
            Self::Other => f.write_str("these are not the words that were shown"),
        }
    }
}

impl core::error::Error for PhraseError {}

impl NewPhrase {
    /// The phrase of 32 random bytes.
    pub const fn new(entropy: [u8; 32]) -> Self {
        Self(Phrase(entropy))
    }

    /// The words, to be shown once and written down.
    pub fn words(&self) -> Vec<&'static str> {
        self.0.mnemonic().words().collect()
    }

    /// Takes what was entered again. Only then does the phrase open anything: one that nobody wrote
    /// down recovers nothing.
    ///
    /// # Errors
    /// What was entered is no phrase, or another.
    pub fn confirm(self, entered: &str) -> Result<Phrase, PhraseError> {
        let entered = Phrase::parse(entered)?;
        if entered == self.0 { Ok(entered) } else { Err(PhraseError::Other) }
    }
}

impl Phrase {
    /// Reads words as people write them: any spaces, any case.
    ///
    /// # Errors
    /// See [`PhraseError`]; in its order.
    pub fn parse(text: &str) -> Result<Self, PhraseError> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        if words.len() != WORDS {
            return Err(PhraseError::Count { found: words.len() });
        }
        let text = Zeroizing::new(words.join(" "));
        let mnemonic = Mnemonic::parse_in_normalized(Language::English, &text);
        let mnemonic = mnemonic.map_err(|error| match error {
            bip39::Error::UnknownWord(index) => PhraseError::Word { index },
            _ => PhraseError::Checksum,
        })?;
        let (mut entropy, _) = mnemonic.to_entropy_array();
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&entropy[..32]);
        entropy.zeroize();
        Ok(Self(bytes))
    }

    /// The seed that the words are, where they were made as [`Root::words`].
    pub const fn root(&self) -> Root {
        Root::new(self.0)
    }

    /// Where a keyring is looked for by who has only the phrase. Says nothing of the phrase.
    pub fn locator(&self) -> [u8; 32] {
        *derive(&self.0, "locate", &[])
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn mnemonic(&self) -> Mnemonic {
        Mnemonic::from_entropy_in(Language::English, &self.0).expect("32 bytes are 24 words")
    }
}

impl Drop for Phrase {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase(..)")
    }
}

impl fmt::Debug for NewPhrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPhrase(..)")
    }
}
