use primitives::Seed;
use proptest::prelude::*;

use super::*;
use crate::grant::{Grant, Terms};

const CHEAP: PasswordCost = PasswordCost { memory_mib: 1, passes: 1 };

fn root() -> Root {
    Root::new([7; 32])
}

fn phrase() -> Phrase {
    let new = NewPhrase::new([5; 32]);
    let words = new.words().join(" ");
    new.confirm(&words).unwrap()
}

fn seal(kind: SlotKind, unlock: Unlock<'_>, number: u8) -> Slot {
    Slot::seal(&root(), kind, unlock, [number; 32], [number; 24]).unwrap()
}

/// A keyring of all four kinds.
fn keyring(shares: &[Share]) -> Keyring {
    let phrase = phrase();
    let ways = [
        (SlotKind::Password { cost: CHEAP }, Unlock::Password("horse")),
        (SlotKind::Phrase, Unlock::Phrase(&phrase)),
        (SlotKind::Passkey { id: vec![1, 2] }, Unlock::Passkey(&[9; 32])),
        (SlotKind::Guardians { threshold: 2 }, Unlock::Guardians(shares)),
    ];
    let mut slots = (1..).zip(ways).map(|(at, (kind, way))| (seal(kind, way, at), way));
    let (first, way) = slots.next().unwrap();
    let mut keyring = Keyring::new(&root(), first, way).unwrap();
    for (slot, way) in slots {
        keyring.add(&root(), slot, way).unwrap();
    }
    keyring
}

fn shares() -> Vec<Share> {
    split(&[3; 32], 2, 3, Seed::from_number(1)).unwrap()
}

#[test]
fn every_slot_gives_the_same_seed_and_only_by_its_own_way() {
    let shares = shares();
    let keyring = keyring(&shares);
    let phrase = phrase();
    let ways = [
        Unlock::Password("horse"),
        Unlock::Phrase(&phrase),
        Unlock::Passkey(&[9; 32]),
        Unlock::Guardians(&shares[1..]),
    ];
    for (at, way) in ways.into_iter().enumerate() {
        assert_eq!(keyring.open(at, way), Ok(root()), "slot {at}");
        let other = keyring.open((at + 1) % 4, way);
        assert_eq!(other, Err(UnlockError::OtherKind.into()), "slot {at}");
    }
    assert_eq!(keyring.open(0, Unlock::Password("house")), Err(UnlockError::Wrong.into()));
    assert_eq!(keyring.open(2, Unlock::Passkey(&[8; 32])), Err(UnlockError::Wrong.into()));
    let few = Unlock::Guardians(&shares[..1]);
    assert_eq!(keyring.open(3, few), Err(UnlockError::Shares.into()));
    let long = "x".repeat(2000);
    let bytes = 2000;
    let expected = UnlockError::PasswordLength { bytes };
    assert_eq!(keyring.open(0, Unlock::Password(&long)), Err(expected.into()));
    assert_eq!(keyring.open(4, Unlock::Password("horse")), Err(KeyringError::NoSlot));
}

#[test]
fn taking_a_slot_away_never_changes_the_seed() {
    let shares = shares();
    let mut keyring = keyring(&shares);
    assert!(keyring.is_recoverable());
    keyring.remove(3).unwrap();
    keyring.remove(1).unwrap();
    assert!(!keyring.is_recoverable(), "all that is left is on the device");
    assert_eq!(keyring.open(1, Unlock::Passkey(&[9; 32])), Ok(root()));
    keyring.remove(0).unwrap();
    assert_eq!(keyring.remove(0), Err(KeyringError::LastSlot));
    assert_eq!(keyring.open(0, Unlock::Passkey(&[9; 32])), Ok(root()));
}

#[test]
fn a_slot_of_another_seed_is_not_taken_and_not_believed() {
    let shares = shares();
    let mut keyring = keyring(&shares);
    let other = Root::new([8; 32]);
    let way = Unlock::Passkey(&[1; 32]);
    let slot =
        Slot::seal(&other, SlotKind::Passkey { id: vec![1] }, way, [1; 32], [1; 24]).unwrap();
    assert_eq!(keyring.add(&root(), slot.clone(), way), Err(KeyringError::OtherSeed));
    assert_eq!(keyring.add(&other, slot.clone(), way), Err(KeyringError::OtherSeed));
    // Put there by somebody who can write where the keyring is kept.
    let forged = Keyring { slots: vec![slot], ..keyring.clone() };
    assert_eq!(forged.open(0, way), Err(KeyringError::OtherSeed));
}

#[test]
fn a_keyring_has_one_form_and_any_flipped_bit_of_a_slot_is_seen() {
    let shares = shares();
    let keyring = keyring(&shares);
    let bytes = keyring.to_bytes();
    assert_eq!(Keyring::from_bytes(&bytes), Ok(keyring.clone()));
    for at in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[at / 8] ^= 1 << (at % 8);
        let Ok(read) = Keyring::from_bytes(&changed) else { continue };
        // What a page would show of it differs, or the way in does not open: never another seed.
        let opened = read.open(2, Unlock::Passkey(&[9; 32]));
        assert!(opened.is_err() || opened == Ok(root()), "bit {at}");
    }
    assert_eq!(Keyring::from_bytes(&[&bytes[..], &[0]].concat()), Err(KeyringError::Form));
}

#[test]
fn a_slot_that_asks_for_too_much_is_refused_before_it_costs() {
    let cost = PasswordCost { memory_mib: 255, passes: 255 };
    let kind = SlotKind::Password { cost };
    let sealed = Slot::seal(&root(), kind, Unlock::Password("horse"), [0; 32], [0; 24]);
    assert_eq!(sealed, Err(UnlockError::Bounds));
}

#[test]
fn a_phrase_is_entered_again_before_it_seals() {
    let new = NewPhrase::new([5; 32]);
    let words = new.words();
    assert_eq!(words.len(), 24);
    let written = words.join("  ").to_uppercase();
    assert_eq!(new.clone().confirm(&written), Ok(phrase()));
    let other = NewPhrase::new([6; 32]).words().join(" ");
    assert_eq!(new.clone().confirm(&other), Err(PhraseError::Other));
    let check = |words: &[&str], expected| {
        assert_eq!(Phrase::parse(&words.join(" ")), Err(expected));
    };
    check(&words[1..], PhraseError::Count { found: 23 });
    let mut unknown = words.clone();
    unknown[4] = "starling";
    check(&unknown, PhraseError::Word { index: 4 });
    let mut wrong = words.clone();
    wrong[23] = if words[23] == "zoo" { "abandon" } else { "zoo" };
    check(&wrong, PhraseError::Checksum);
}

/// BIP-39's own vector: 32 bytes of zeros.
#[test]
fn the_words_are_those_of_the_standard() {
    let words = NewPhrase::new([0; 32]).words();
    assert_eq!(words[..23], ["abandon"; 23]);
    assert_eq!(words[23], "art");
}

#[test]
fn keys_of_different_purposes_have_nothing_in_common() {
    let root = root();
    let (resource, other) = ([1; 32], [2; 32]);
    let mut keys = vec![
        root.identity_key().public(),
        root.rotation_key(0).public(),
        root.rotation_key(1).public(),
        root.holder_key("a", 0).public(),
        root.holder_key("a", 1).public(),
        root.holder_key("b", 0).public(),
        Root::new([8; 32]).identity_key().public(),
    ];
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 7);
    assert_ne!(root.vault_key(&resource), root.vault_key(&other));
    assert_ne!(phrase().locator(), NewPhrase::new([6; 32]).confirm_any().locator());
    assert_eq!(format!("{root:?} {:?}", phrase()), "Root(..) Phrase(..)");
}

impl NewPhrase {
    fn confirm_any(self) -> Phrase {
        let words = self.words().join(" ");
        self.confirm(&words).unwrap()
    }
}

/// What is sealed for the key in a person's DID document opens with their seed.
#[test]
fn who_has_the_seed_opens_what_was_sealed_for_the_did() {
    let key = root().identity_key().public().agreement().unwrap();
    assert_eq!(root().recipient().public(), key);
    let hash = primitives::Hash::new([1; 32]);
    let terms = Terms { resource: hash, consent: hash, scope: "read".to_owned() };
    let grant = Grant::seal(&[4; 32], &terms, &key, Seed::from_number(1)).unwrap();
    assert_eq!(grant.open(&root().recipient(), &terms), Ok([4; 32]));
}

proptest! {
    #[test]
    fn any_bytes_are_a_keyring_or_refused(bytes: Vec<u8>) {
        prop_assert!(Keyring::from_bytes(&bytes).is_err());
    }
}
