//! Grants as forms: who opens them, what is refused, and that no bytes end badly.

use proptest::prelude::*;

use super::*;
use crate::{did::did_key, letter::Letter, limits::GRANTED_TEXT_BYTES_MAX, sd_jwt::DidKeys};

const NOW_S: u64 = 1_800_000_000;
const DAY_S: u64 = 86_400;
const KEY: [u8; 32] = [9; 32];
const CID: &str = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";

fn giver() -> SecretKey {
    SecretKey::ed25519(&[1; 32])
}

fn reader() -> SecretKey {
    SecretKey::ed25519(&[2; 32])
}

fn consent() -> Consent {
    Consent {
        by: did_key::key_id(&giver().public()),
        to: did_key::did(&reader().public()),
        reader: reader().public(),
        resource: CID.to_owned(),
        name: "x-ray.png".to_owned(),
        purpose: "A second opinion".to_owned(),
        at_s: NOW_S,
        until_s: NOW_S + 7 * DAY_S,
    }
}

fn given(consent: Consent) -> Result<Access, AccessError> {
    Access::give(&KEY, consent, &giver(), Seed::from_number(1))
}

fn access() -> Access {
    given(consent()).unwrap()
}

fn envelope() -> Envelope {
    Envelope::seal(&access(), Seed::from_number(2)).unwrap()
}

fn recipient() -> Recipient {
    Recipient::of_ed25519(&[2; 32])
}

#[test]
fn its_reader_opens_it_and_knows_who_gave_what_for_what() {
    let envelope = Envelope::parse(&envelope().to_text()).unwrap();
    assert_eq!((envelope.to(), *envelope.reader()), (&*consent().to, reader().public()));
    let opened = envelope.open(&recipient()).unwrap();
    assert_eq!((opened.consent(), opened.verify(&DidKeys)), (&consent(), Ok(())));
    assert_eq!(opened.open(&recipient()), Ok(KEY));
    assert_eq!(opened.id(), access().id());
}

#[test]
fn nobody_else_opens_it_and_the_text_says_only_for_whom() {
    let other = Recipient::of_ed25519(&[3; 32]);
    assert_eq!(envelope().open(&other), Err(AccessError::Sealed));
    assert_eq!(access().open(&other), Err(AccessError::Sealed));
    let text = envelope().to_text();
    let bytes = base64_of(&text);
    for hidden in [&KEY[..], CID.as_bytes(), b"x-ray", b"opinion", giver().public().as_bytes()] {
        assert!(!bytes.windows(hidden.len()).any(|part| part == hidden), "{hidden:?}");
    }
    assert!(text.len() < 1_600, "{} letters still make a code", text.len());
}

fn base64_of(text: &str) -> Vec<u8> {
    crate::base64url::decode(text.strip_prefix("starling-access-1.").unwrap()).unwrap()
}

#[test]
fn the_sealed_key_is_bound_to_share_purpose_and_end() {
    let changes: [fn(&mut Consent); 6] = [
        |consent| consent.resource.replace_range(9..10, "a"),
        |consent| consent.purpose.push('s'),
        |consent| consent.until_s += 1,
        |consent| consent.at_s -= 1,
        |consent| consent.name.push('2'),
        |consent| consent.by = did_key::key_id(&SecretKey::ed25519(&[7; 32]).public()),
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut changed = access();
        change(&mut changed.consent);
        assert_eq!(changed.open(&recipient()), Err(AccessError::Sealed), "change {at}");
        assert_eq!(changed.verify(&DidKeys), Err(AccessError::Signature), "change {at}");
    }
}

#[test]
fn what_the_giver_did_not_sign_is_refused() {
    let mut other_key = access();
    other_key.grant = given(Consent { purpose: "Other".to_owned(), ..consent() }).unwrap().grant;
    assert_eq!(other_key.verify(&DidKeys), Err(AccessError::Signature));
    let forged = Access::give(&KEY, consent(), &reader(), Seed::from_number(1)).unwrap();
    assert_eq!(forged.verify(&DidKeys), Err(AccessError::Signature));
    let by = format!("{}#key-0", did_key::did(&giver().public()));
    let unnamed = given(Consent { by, ..consent() }).unwrap();
    assert_eq!(unnamed.verify(&DidKeys), Err(AccessError::NoKey(NoKey::NotTheirs)));
    let by = format!("did:starling:{}#key-0", crate::did::StarlingId::new([7; 20]));
    let elsewhere = given(Consent { by, ..consent() }).unwrap();
    assert_eq!(elsewhere.verify(&DidKeys), Err(AccessError::NoKey(NoKey::Method)));
}

#[test]
fn it_holds_from_its_beginning_to_its_end() {
    let access = access();
    assert_eq!(access.hold(NOW_S), Ok(()));
    assert_eq!(access.hold(NOW_S - CLOCK_SKEW_S_MAX), Ok(()));
    assert_eq!(access.hold(NOW_S - CLOCK_SKEW_S_MAX - 1), Err(AccessError::Ahead));
    assert_eq!(access.hold(NOW_S + 7 * DAY_S - 1), Ok(()));
    assert_eq!(access.hold(NOW_S + 7 * DAY_S), Err(AccessError::Ended));
}

#[test]
fn a_consent_that_can_not_be_is_not_signed_and_not_read() {
    let p256 = SecretKey::p256(&[1; 32]).unwrap().public();
    let refused = |change: &dyn Fn(&mut Consent)| {
        let mut consent = consent();
        change(&mut consent);
        // What is not made is not read either, whoever made it.
        let mut made = access();
        made.consent = consent.clone();
        let read = Access::from_bytes(&made.to_bytes());
        let error = given(consent).unwrap_err();
        assert_eq!(read, Err(error));
        error
    };
    for by in ["", "did:key:x#x", "Ann#1", "did:web:a.example#1"] {
        assert_eq!(refused(&|consent| consent.by = by.to_owned()), AccessError::Name, "{by}");
    }
    let long = format!("{}#{}", did_key::did(&giver().public()), "k".repeat(2 * DID_BYTES_MAX));
    assert_eq!(refused(&|consent| consent.by.clone_from(&long)), AccessError::Name);
    for to in ["", "Bob", "did:web:b.example"] {
        assert_eq!(refused(&|consent| consent.to = to.to_owned()), AccessError::Name, "{to}");
    }
    let other = did_key::did(&giver().public());
    assert_eq!(refused(&|consent| consent.to.clone_from(&other)), AccessError::Reader);
    let no_agreement = |consent: &mut Consent| {
        (consent.to, consent.reader) = (did_key::did(&p256), p256);
    };
    assert_eq!(refused(&no_agreement), AccessError::Reader);
    for cid in ["", "bafy", "BAFYBEIGD", "bafybei/../", &"b".repeat(GRANTED_CID_BYTES_MAX + 1)] {
        assert_eq!(refused(&|consent| consent.resource = cid.to_owned()), AccessError::Resource);
    }
    for name in ["a\u{202e}b", &"x".repeat(GRANTED_NAME_BYTES_MAX + 1)] {
        assert_eq!(refused(&|consent| consent.name = name.to_owned()), AccessError::Form);
    }
    for purpose in ["", "  ", "a\nb", &"x".repeat(PURPOSE_BYTES_MAX + 1)] {
        assert_eq!(refused(&|consent| consent.purpose = purpose.to_owned()), AccessError::Purpose);
    }
    for until_s in [0, NOW_S, NOW_S + GRANTED_LIFE_S_MAX + 1, u64::MAX] {
        assert_eq!(refused(&|consent| consent.until_s = until_s), AccessError::Times);
    }
}

#[test]
fn an_envelope_is_of_one_form_and_for_whom_it_says() {
    let text = envelope().to_text();
    let (first, second) = text.split_at(40);
    assert_eq!(Envelope::parse(&format!(" {first}\n {second} ")), Ok(envelope()));
    let receipt = Receipt::sign(&access(), &reader(), NOW_S).to_text();
    let long = "x".repeat(GRANTED_TEXT_BYTES_MAX + 1);
    for bad in ["", "starling-access-1.", &text[..text.len() - 4], &receipt, &long] {
        assert_eq!(Envelope::parse(bad), Err(AccessError::Form), "{bad}");
    }
    let later = Envelope { version: 2, ..envelope() };
    assert_eq!(Envelope::parse(&later.to_text()), Err(AccessError::Form));
    let nobody = Envelope { to: "did:web:b.example".to_owned(), ..envelope() };
    assert_eq!(Envelope::parse(&nobody.to_text()), Err(AccessError::Name));
    // Somebody writes another name on it.
    let renamed = Envelope { to: did_key::did(&giver().public()), ..envelope() };
    assert_eq!(renamed.open(&recipient()), Err(AccessError::Sealed));
    // Somebody puts what they were given into an envelope for another.
    let (to, key) = (did_key::did(&giver().public()), giver().public());
    let (about, agreement) = (envelope::about(&to, &key), key.agreement().unwrap());
    let (seed, bytes) = (Seed::from_number(3), access().to_bytes());
    let letter = Letter::seal(&bytes, &about, &[agreement], seed).unwrap();
    let handed_on = Envelope { version: VERSION, to, reader: key, letter };
    let other = Recipient::of_ed25519(&[1; 32]);
    assert_eq!(handed_on.open(&other), Err(AccessError::Sealed));
}

#[test]
fn a_receipt_is_of_its_grant_and_by_its_reader() {
    let (access, at_s) = (access(), NOW_S + DAY_S);
    let receipt = Receipt::sign(&access, &reader(), at_s);
    assert_eq!(Receipt::parse(&receipt.to_text()), Ok(receipt.clone()));
    assert_eq!((receipt.access(), receipt.at_s()), (access.id(), at_s));
    assert_eq!(receipt.verify(&access, at_s), Ok(()));
    let other = given(Consent { purpose: "Other".to_owned(), ..consent() }).unwrap();
    assert_eq!(receipt.verify(&other, at_s), Err(AccessError::Other));
    let forged = Receipt::sign(&access, &giver(), at_s);
    assert_eq!(forged.verify(&access, at_s), Err(AccessError::Signature));
    let ahead = Receipt::sign(&access, &reader(), at_s + CLOCK_SKEW_S_MAX + 1);
    assert_eq!(ahead.verify(&access, at_s), Err(AccessError::Times));
    let before = Receipt::sign(&access, &reader(), NOW_S - CLOCK_SKEW_S_MAX - 1);
    assert_eq!(before.verify(&access, at_s), Err(AccessError::Times));
    for bad in ["", "starling-receipt-1.", &envelope().to_text(), &"x".repeat(600)] {
        assert_eq!(Receipt::parse(bad), Err(AccessError::Form));
    }
}

#[test]
fn any_flipped_bit_is_refused() {
    let bytes = base64_of(&envelope().to_text());
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let text = format!("starling-access-1.{}", crate::base64url::encode(&changed));
        let opened = Envelope::parse(&text).and_then(|envelope| envelope.open(&recipient()));
        assert!(opened.is_err(), "bit {bit}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes: Vec<u8>) {
        prop_assert!(Access::from_bytes(&bytes).is_err());
        let text = crate::base64url::encode(&bytes);
        let (access, receipt) = (format!("starling-access-1.{text}"), format!("starling-receipt-1.{text}"));
        prop_assert!(Envelope::parse(&access).is_err());
        prop_assert!(Receipt::parse(&receipt).is_err());
    }
}
