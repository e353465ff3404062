//! Letters for who settles disputes: whom they are for, and what of the ledger's records they can be made of
//! again.

use identity::limits::READERS_MAX;
use ledger::domains::energy::{self as rules, READINGS_MAX, Reading};

use super::{Scene, Span};
use crate::view::{self, Command};

/// What a `did:key` of Ed25519 begins with.
const DID: &str = "did:key:z6Mk";
/// Letters of one.
const DID_LETTERS: usize = 56;
/// Letters that look like others, which base58 leaves out.
const NO_DIGITS: [char; 4] = ['0', 'O', 'I', 'l'];

/// Why a text names no group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoGroup {
    /// This is no `did:key` of Ed25519.
    NoDid(String),
    /// More than [`READERS_MAX`].
    TooMany,
}

/// Whom a person names, by lines, commas or blanks between them; each once. Whether the keys are points of
/// their curve, the wallet says.
///
/// # Errors
/// See [`NoGroup`].
pub fn readers(text: &str) -> Result<Vec<String>, NoGroup> {
    let mut found: Vec<String> = Vec::new();
    let names = text.split(|letter: char| letter.is_whitespace() || letter == ',' || letter == ';');
    for name in names.filter(|name| !name.is_empty()) {
        let is_digit = |one: char| one.is_ascii_alphanumeric() && !NO_DIGITS.contains(&one);
        let digits = name.strip_prefix("did:key:").unwrap_or_default();
        let is_did = name.starts_with(DID) && name.len() == DID_LETTERS;
        if !is_did || !digits.chars().all(is_digit) {
            return Err(NoGroup::NoDid(name.chars().take(2 * DID_LETTERS).collect()));
        }
        if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    if found.len() > READERS_MAX { Err(NoGroup::TooMany) } else { Ok(found) }
}

/// What a wallet is told to seal again of a day: the readings of a meter that are proved, whose key is the
/// wallet's of this number. With none it only looks at the readers.
pub fn seal_day(
    scene: &Scene<'_>,
    span: Span,
    meter: u32,
    device: u8,
    readers: &[String],
) -> Vec<Command> {
    let said: Vec<Reading> = span
        .slots(scene.book, scene.now_ms)
        .filter_map(|slot| {
            let record = rules::record(scene.book, span.community, slot, meter)?;
            let (revision, content) = (record.revision, record.content);
            let (community, signature) = (span.community, [0; 64]);
            Some(Reading { community, meter, slot, revision, content, signature })
        })
        .collect();
    said.chunks(READINGS_MAX).map(|part| seal(part, device, readers)).collect()
}

/// What a wallet is told in order to look whether it can seal for these.
pub fn look_at(readers: &[String]) -> Command {
    seal(&[], 0, readers)
}

fn seal(said: &[Reading], meter: u8, readers: &[String]) -> Command {
    let readings = minicbor::to_vec(said).expect("writing to memory does not fail");
    Command::Seal { readings, meter, readers: readers.to_vec() }
}

/// What came of it: files, by their names.
pub fn letters(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let letters = view::read::<view::Letters>(bytes).unwrap_or_default();
    letters.list.into_iter().map(|one| (one.name, one.file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: &str = "did:key:z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJgvVd";
    const BEN: &str = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH";

    #[test]
    fn a_group_is_read_however_it_was_pasted() {
        let text = format!("  {ANNA},\n{BEN}\n\n{ANNA};");
        assert_eq!(readers(&text), Ok(vec![ANNA.to_owned(), BEN.to_owned()]));
        assert_eq!(readers(" \n "), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_key_to_seal_for_is_named() {
        let cut = &ANNA[..50];
        let other = ANNA.replace("z6Mk", "zDna");
        let looks_alike = format!("{}0", &ANNA[..55]);
        for name in [cut, other.as_str(), looks_alike.as_str(), "did:web:a.example"] {
            assert_eq!(readers(&format!("{BEN} {name}")), Err(NoGroup::NoDid(name.to_owned())));
        }
        let digits = "123456789ABCDEFGH";
        let many: Vec<String> =
            digits.chars().map(|digit| format!("{}{digit}", &ANNA[..55])).collect();
        assert_eq!(readers(&many.join("\n")), Err(NoGroup::TooMany));
        assert_eq!(readers(&many[1..].join("\n")).map(|all| all.len()), Ok(READERS_MAX));
    }
}
