//! What a meter's registers showed, sealed for the people who settle disputes of its community.
//!
//! No block holds this: the ledger keeps of a reading the Wh that are traded and a commitment. What that opens
//! to is written into a file of its own, which only those people read, so that it may lie anywhere. Meters of
//! the command line and of pages make the same files.
//!
//! Layout: CBOR, an array of community, meter, slot, revision and an [`identity::letter`]. In the letter is an
//! array of the signed reading and its opening, filled up with zeros to [`SEALED_BYTES`]: a length would tell
//! of the numbers.

use identity::grant::Recipient;
use identity::letter::{Letter, LetterError};
use minicbor::{Decode, Encode};
use primitives::{Hash, Seed, sha256};

use super::{Opening, Reading};
use crate::ChainId;

/// What every letter's context begins with.
const OPENING: &[u8] = b"starling/energy/opening-letter/1";
/// Bytes that are sealed, whatever they say.
const SEALED_BYTES: usize = 256;
/// Largest file, in bytes: sixteen readers.
pub const LETTER_FILE_BYTES_MAX: usize = 8 << 10;
/// How a file of one is called in the end.
pub const LETTER_ENDING: &str = "sealed";

/// A file: what it is about, and the letter.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Sealed {
    #[n(0)]
    community: u32,
    #[n(1)]
    meter: u32,
    #[n(2)]
    slot: u64,
    #[n(3)]
    revision: u8,
    #[cbor(n(4), with = "minicbor::bytes")]
    letter: Vec<u8>,
}

/// What is in a letter.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Opened {
    /// What the meter said, signed by it.
    #[n(0)]
    pub reading: Reading,
    /// What its registers showed.
    #[n(1)]
    pub opening: Opening,
}

impl Opened {
    /// SHA-256 of what is sealed.
    pub fn digest(&self) -> Hash {
        sha256(&minicbor::to_vec(self).expect("writing to memory does not fail"))
    }

    /// How its file is called.
    pub fn file_name(&self) -> String {
        let Reading { community, meter, slot, revision, .. } = &self.reading;
        format!("{community}-{meter}-{slot}-{revision}.{LETTER_ENDING}")
    }

    /// Its file, for the X25519 keys `readers`. `seed` is secret and of what is sealed alone: the same opening
    /// has the same file.
    ///
    /// # Errors
    /// As [`Letter::seal`].
    pub fn seal(
        &self,
        readers: &[[u8; 32]],
        chain: ChainId,
        seed: Seed,
    ) -> Result<Vec<u8>, LetterError> {
        let Reading { community, meter, slot, revision, .. } = self.reading;
        let mut sealed = Sealed { community, meter, slot, revision, letter: Vec::new() };
        let mut bytes = minicbor::to_vec(self).expect("writing to memory does not fail");
        debug_assert!(bytes.len() <= SEALED_BYTES, "an opening fits");
        bytes.resize(bytes.len().max(SEALED_BYTES), 0);
        let letter = Letter::seal(&bytes, &context(chain, &sealed), readers, seed)?;
        sealed.letter = letter.to_bytes();
        Ok(minicbor::to_vec(&sealed).expect("writing to memory does not fail"))
    }

    /// What a file holds; none: it is not for this reader, or something else.
    pub fn open(bytes: &[u8], chain: ChainId, reader: &Recipient) -> Option<Self> {
        let sealed: Sealed = minicbor::decode(bytes).ok()?;
        let letter = Letter::from_bytes(&sealed.letter).ok()?;
        let inside = letter.open(reader, &context(chain, &sealed)).ok()?;
        let mut decoder = minicbor::Decoder::new(&inside);
        let opened: Self = decoder.decode().ok()?;
        let Reading { community, meter, slot, revision, .. } = opened.reading;
        let same = (community, meter, slot, revision)
            == (sealed.community, sealed.meter, sealed.slot, sealed.revision);
        let is_padded = inside.get(decoder.position()..)?.iter().all(|byte| *byte == 0);
        (same && is_padded).then_some(opened)
    }
}

/// What a letter is about: bytes that its key is bound to.
fn context(chain: ChainId, sealed: &Sealed) -> Vec<u8> {
    [
        OPENING,
        chain.as_bytes(),
        &sealed.community.to_be_bytes(),
        &sealed.meter.to_be_bytes(),
        &sealed.slot.to_be_bytes(),
        &[sealed.revision],
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use primitives::KeyPair;

    use super::*;
    use crate::domains::energy::Content;

    const CHAIN: ChainId = ChainId::new([1; 32]);

    /// A meter that metered so many Wh, with the largest of all other numbers.
    fn opened(import_wh: u64) -> Opened {
        let opening = Opening {
            salt: [3; 32],
            import_wh,
            export_wh: 0,
            import_register_wh: 140 * import_wh,
            export_register_wh: u64::MAX,
        };
        let content = Content {
            import_wh,
            export_wh: 0,
            import_total_wh: import_wh,
            export_total_wh: 0,
            commitment: opening.commitment(),
        };
        let key = KeyPair::from_seed(Seed::from_number(1));
        let reading = Reading::sign(&key, CHAIN, (4, u32::MAX), (u64::MAX, 0), content);
        Opened { reading, opening }
    }

    #[test]
    fn the_group_opens_it_on_its_ledger_and_nobody_else_and_its_length_says_nothing() {
        let readers = [Recipient::new(&[7; 32]), Recipient::new(&[8; 32])];
        let keys: Vec<[u8; 32]> = readers.iter().map(Recipient::public).collect();
        let bytes = opened(500).seal(&keys, CHAIN, Seed::from_number(2)).unwrap();
        for reader in &readers {
            assert_eq!(Opened::open(&bytes, CHAIN, reader), Some(opened(500)));
            assert_eq!(Opened::open(&bytes, ChainId::new([2; 32]), reader), None);
        }
        assert_eq!(Opened::open(&bytes, CHAIN, &Recipient::new(&[9; 32])), None);
        let other = opened(0).seal(&keys, CHAIN, Seed::from_number(2)).unwrap();
        assert_eq!(other.len(), bytes.len());
        assert!(bytes.len() <= LETTER_FILE_BYTES_MAX);
        let most = vec![keys[0]; identity::limits::READERS_MAX];
        let bytes = opened(500).seal(&most, CHAIN, Seed::from_number(2)).unwrap();
        assert!(bytes.len() <= LETTER_FILE_BYTES_MAX, "{} bytes for sixteen", bytes.len());
    }

    #[test]
    fn a_letter_about_another_slot_does_not_open() {
        let reader = Recipient::new(&[7; 32]);
        let bytes = opened(500).seal(&[reader.public()], CHAIN, Seed::from_number(2)).unwrap();
        let mut sealed: Sealed = minicbor::decode(&bytes).unwrap();
        sealed.slot -= 1;
        assert_eq!(Opened::open(&minicbor::to_vec(&sealed).unwrap(), CHAIN, &reader), None);
        assert_eq!(opened(1).file_name(), "4-4294967295-18446744073709551615-0.sealed");
    }
}
