//! A guardian's share as a text that is sent, printed, and typed again.

use core::fmt;

use data_encoding::BASE32_NOPAD;
use primitives::sha256;

use super::{Share, guardians::GUARDIANS_MAX};

/// What the text begins with: a person who finds it knows what it is.
const START: &str = "starling-share-1-";
/// Threshold, index, name, value, and what checks them.
const BYTES: usize = 2 + NAME_BYTES + 32 + CHECK_BYTES;
const NAME_BYTES: usize = 8;
const CHECK_BYTES: usize = 4;

/// A share, with what tells it from others'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedShare {
    /// How many are enough.
    pub threshold: u8,
    /// Of which splitting it is one; drawn for it.
    pub name: [u8; NAME_BYTES],
    /// The share.
    pub share: Share,
}

/// Why a text is no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareTextError {
    /// It does not begin as one, or is too long or too short.
    Form,
    /// It was changed on the way, or mistyped.
    Checksum,
}

impl fmt::Display for ShareTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "expected a share, found something else",
            Self::Checksum => "a letter of the share is wrong",
        })
    }
}

impl core::error::Error for ShareTextError {}

impl HandedShare {
    /// The text.
    pub fn to_text(&self) -> String {
        let mut bytes = vec![self.threshold, self.share.index];
        bytes.extend_from_slice(&self.name);
        bytes.extend_from_slice(&self.share.value);
        let check = sha256(&bytes);
        bytes.extend_from_slice(&check.as_bytes()[..CHECK_BYTES]);
        format!("{START}{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase())
    }

    /// The share of a text; spaces and case do not matter.
    ///
    /// # Errors
    /// [`ShareTextError`].
    pub fn parse(text: &str) -> Result<Self, ShareTextError> {
        let text: String = text.split_whitespace().collect();
        let letters = text.to_ascii_lowercase();
        let letters = letters.strip_prefix(START).ok_or(ShareTextError::Form)?;
        let bytes = BASE32_NOPAD.decode(letters.to_ascii_uppercase().as_bytes());
        let bytes: [u8; BYTES] =
            bytes.ok().and_then(|bytes| bytes.try_into().ok()).ok_or(ShareTextError::Form)?;
        let (said, check) = bytes.split_at(BYTES - CHECK_BYTES);
        if &sha256(said).as_bytes()[..CHECK_BYTES] != check {
            return Err(ShareTextError::Checksum);
        }
        let (threshold, index) = (said[0], said[1]);
        let within = (2..=GUARDIANS_MAX).contains(&threshold);
        if !within || !(1..=GUARDIANS_MAX).contains(&index) {
            return Err(ShareTextError::Form);
        }
        let (mut name, mut value) = ([0; NAME_BYTES], [0; 32]);
        name.copy_from_slice(&said[2..2 + NAME_BYTES]);
        value.copy_from_slice(&said[2 + NAME_BYTES..]);
        Ok(Self { threshold, name, share: Share { index, value } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share() -> HandedShare {
        HandedShare { threshold: 2, name: [3; 8], share: Share { index: 1, value: [9; 32] } }
    }

    #[test]
    fn a_share_survives_its_text_however_it_is_spaced() {
        let text = share().to_text();
        assert_eq!(HandedShare::parse(&text), Ok(share()));
        let spaced = format!("  {} \n {}", text[..30].to_uppercase(), &text[30..]);
        assert_eq!(HandedShare::parse(&spaced), Ok(share()));
    }

    #[test]
    fn a_wrong_letter_is_seen_and_other_texts_are_refused() {
        let text = share().to_text();
        let end = if text.ends_with('a') { "b" } else { "a" };
        for at in START.len()..text.len() - 1 {
            let letter = if &text[at..=at] == "a" { "b" } else { "a" };
            let changed = format!("{}{letter}{}", &text[..at], &text[at + 1..]);
            assert!(HandedShare::parse(&changed).is_err(), "letter {at}");
        }
        for text in ["", START, &text[1..], &format!("{text}{end}{end}")] {
            assert_eq!(HandedShare::parse(text), Err(ShareTextError::Form), "{text}");
        }
    }
}
