//! Certificates and proofs: one bit more or less is another statement.

use primitives::Hash;
use proptest::prelude::*;
use wire::ledger::{Finality, StateProof};

use super::*;
use crate::{Header, Verifier};

fn check(ledger: &Ledger, key: &[u8], proof: &StateProof) -> Result<Option<Vec<u8>>, Fault> {
    let verifier = Verifier::new(&ledger.root()).unwrap();
    let (header, record) = verifier.answer(key, &proof.to_bytes())?;
    assert_eq!(header, verifier.finality(&proof.finality)?[0]);
    Ok(record)
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::new(1);
    (1..=3).for_each(|number| {
        ledger.add(START_MS, state(number));
    });
    ledger
}

#[test]
fn a_record_and_its_absence_are_proved_at_their_height() {
    let ledger = ledger();
    assert_eq!(check(&ledger, b"held", &ledger.state_proof(2, b"held")), Ok(Some(vec![2])));
    assert_eq!(check(&ledger, b"gone", &ledger.state_proof(2, b"gone")), Ok(None));
    let moved = StateProof { finality: ledger.finality(3, 0), ..ledger.state_proof(2, b"held") };
    assert_eq!(check(&ledger, b"held", &moved), Err(Fault::FalseProof), "of another height");
    let other = ledger.state_proof(2, b"held");
    assert_eq!(check(&ledger, b"other", &other), Err(Fault::FalseProof), "of another key");
    let hidden = StateProof { record: None, ..ledger.state_proof(2, b"held") };
    assert_eq!(check(&ledger, b"held", &hidden), Err(Fault::FalseProof));
    let gap = StateProof { record: None, ..ledger.state_proof(2, b"gone") };
    assert_eq!(check(&ledger, b"held", &gap), Err(Fault::FalseProof), "absent by another's gap");
}

#[test]
fn a_certificate_covers_the_headers_before_it() {
    let ledger = ledger();
    let verifier = Verifier::new(&ledger.root()).unwrap();
    let headers = verifier.finality(&ledger.finality(1, 2)).unwrap();
    assert_eq!(headers.iter().map(|one| one.height).collect::<Vec<_>>(), [1, 2, 3]);
    let mut gap = ledger.finality(1, 2);
    gap.headers.remove(1);
    assert_eq!(verifier.finality(&gap), Err(Fault::BrokenChain));
    let mut short = ledger.finality(1, 2);
    short.headers.pop();
    assert_eq!(verifier.finality(&short), Err(Fault::BrokenChain));
}

#[test]
fn another_ledgers_certificate_is_a_forgery() {
    let (ledger, mut other) = (ledger(), Ledger::new(2));
    other.add(START_MS, state(1));
    let verifier = Verifier::new(&ledger.root()).unwrap();
    assert_eq!(verifier.finality(&other.finality(1, 0)), Err(Fault::Forged));
}

#[test]
fn a_root_without_a_key_is_refused() {
    let mut root = ledger().root();
    root.group_key = [0; 96];
    assert!(Verifier::new(&root).is_err());
    // The point at infinity would accept the signature at infinity.
    root.group_key[0] = 0xc0;
    assert!(Verifier::new(&root).is_err());
}

#[test]
fn every_flipped_bit_of_a_certificate_is_refused() {
    let ledger = ledger();
    let verifier = Verifier::new(&ledger.root()).unwrap();
    let good = ledger.finality(2, 0);
    for byte in 0..good.certificate.len() {
        let mut bad = good.clone();
        bad.certificate[byte] ^= 1 << (byte % 8);
        assert!(verifier.finality(&bad).is_err(), "byte {byte}");
    }
    for byte in 0..good.headers[0].len() {
        let mut bad = good.clone();
        bad.headers[0][byte] ^= 1 << (byte % 8);
        assert!(verifier.finality(&bad).is_err(), "byte {byte} of the header");
    }
}

#[test]
fn every_flipped_bit_and_every_cut_of_a_proof_is_refused() {
    let ledger = ledger();
    let header = Header::read(&ledger.finality(2, 0).headers[0]).unwrap();
    let good = ledger.state_proof(2, b"held");
    for bit in 0..good.proof.len() * 8 {
        let mut bad = good.clone();
        bad.proof[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Verifier::record(&header, b"held", &bad), Err(Fault::FalseProof), "bit {bit}");
    }
    for end in 0..good.proof.len() {
        let bad = StateProof { proof: good.proof[..end].to_vec().into(), ..good.clone() };
        assert_eq!(Verifier::record(&header, b"held", &bad), Err(Fault::FalseProof), "cut {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Logs of any length, chunks of bits complete or not, peaks folded or not.
    #[test]
    fn whatever_the_shape_of_the_log_true_proofs_hold_and_others_do_not(
        records in prop::collection::btree_map(any::<[u8; 4]>(), any::<[u8; 2]>(), 1..40),
        stale in 0usize..1100,
        folded in 0usize..4,
        other in any::<[u8; 4]>(),
    ) {
        let listed: Vec<(&[u8], &[u8])> =
            records.iter().map(|(key, record)| (key.as_slice(), record.as_slice())).collect();
        let peaks = (stale + listed.len()).count_ones();
        let state = State::of(&listed, stale, folded.min(usize::try_from(peaks).unwrap()));
        let mut ledger = Ledger::new(1);
        ledger.add(START_MS, state);
        let header = Header::read(&ledger.finality(1, 0).headers[0]).unwrap();
        for (key, record) in records.iter().take(6) {
            let mut proof = ledger.state_proof(1, key);
            prop_assert_eq!(Verifier::record(&header, key, &proof), Ok(Some(record.as_slice())));
            proof.record = Some(b"forged".to_vec().into());
            prop_assert_eq!(Verifier::record(&header, key, &proof), Err(Fault::FalseProof));
        }
        let expected = records.get(&other).map(<[u8; 2]>::as_slice);
        let proof = ledger.state_proof(1, &other);
        prop_assert_eq!(Verifier::record(&header, &other, &proof), Ok(expected));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let root = Hash::new([0; 32]);
        prop_assert!(!crate::proof::is_held(&bytes, [1; 32], [2; 32], &root));
        prop_assert!(!crate::proof::is_absent(&bytes, &[1; 32], &root));
        prop_assert!(Header::read(&bytes).is_none_or(|header| header.name != root));
        prop_assert!(Finality::read(&bytes).is_none_or(|finality| !finality.headers.is_empty()));
        prop_assert!(StateProof::read(&bytes).is_none_or(|proof| proof.to_bytes().len() <= bytes.len()));
    }
}
