//! A proof that is shown has all that it takes to check it elsewhere.

use ledger::{AssetId, domains::accounts::balance_key};
use primitives::sha256;
use wire::ledger::StateProof;

use super::{Rig, account};

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap();
    (0..text.len() / 2).map(byte).collect()
}

#[test]
fn each_step_can_be_done_again_from_what_is_shown() {
    let mut rig = Rig::new();
    rig.up();
    rig.block(7_000_000, 0);
    let step = |what: &str| {
        let found = rig.view.steps.iter().find(|step| step.what.starts_with(what));
        found.unwrap_or_else(|| panic!("{what}: {:?}", rig.view.steps)).clone()
    };
    let bytes = |what: &str| unhex(&step(what).value);
    assert_eq!(bytes("The record's key"), balance_key(account(), AssetId::NATIVE).as_bytes());
    let (status, body) = rig.told(&step("The request").value, None);
    let proof = StateProof::read(&body).unwrap();
    assert_eq!((status, proof.proof.to_vec()), (200, bytes("The proof from")));
    assert_eq!(proof.record.map(|record| record.to_vec()), Some(bytes("The record, as")));
    assert_eq!(proof.finality.headers[0].to_vec(), bytes("The block's header"));
    assert_eq!(proof.finality.certificate.to_vec(), bytes("The certificate"));
    let hash = |what: &str| sha256(&bytes(what)).to_string();
    assert_eq!(hash("The record, as"), step("Its SHA-256, which").value);
    assert_eq!(hash("The block's header"), step("Its SHA-256, the block").value);
    assert!(step("The proof from").is_long && !step("Its SHA-256, which").is_long);
}
