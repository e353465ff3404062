//! What the wallet seals for who settles disputes, beside what its meters sign.

use identity::{SecretKey, did::did_key, grant::Recipient};
use ledger::{
    ChainId,
    domains::energy::{Action, Content, Opened, Reading},
};
use primitives::Hash;

use super::Rig;
use crate::view::{self, Command};

fn chain(rig: &Rig) -> ChainId {
    ChainId::new(*rig.ledger.root().chain.as_bytes())
}

/// What a page asks a meter to say.
fn said(slot: u64) -> Reading {
    let content = Content {
        import_wh: 250,
        export_wh: 0,
        import_total_wh: 250 * slot,
        export_total_wh: 0,
        commitment: Hash::new([0; 32]),
    };
    Reading { community: 7, meter: 3, slot, revision: 0, content, signature: [0; 64] }
}

fn read(readers: &[String]) -> Command {
    let action = view::to_bytes(&Action::Read { readings: vec![said(10), said(11)] });
    Command::Energy { action, units: 0, meter: Some(1), readers: readers.to_vec() }
}

fn did(seed: u8) -> String {
    did_key::did(&SecretKey::ed25519(&[seed; 32]).public())
}

#[test]
fn what_is_signed_is_sealed_for_a_group_and_made_again_alike_of_what_the_ledger_has() {
    let mut rig = Rig::new();
    rig.up();
    rig.block(10_000_000, 0);
    rig.command(read(&[did(1), did(2)]));
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("", 1));
    let names: Vec<&str> = rig.letters.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["7-3-10-0.sealed", "7-3-11-0.sealed"]);
    let chain = chain(&rig);
    let open = |letter: &view::Letter, seed: u8| {
        Opened::open(&letter.file, chain, &Recipient::of_ed25519(&[seed; 32]))
    };
    let first = open(&rig.letters[0], 1).unwrap();
    assert_eq!(open(&rig.letters[0], 2).as_ref(), Some(&first), "each of the group");
    assert_eq!(open(&rig.letters[0], 3), None, "and nobody else");
    assert_eq!(first.reading.content.import_wh, 250);
    assert_eq!(first.opening.commitment(), first.reading.content.commitment);
    let key = rig.view.meter_keys[1].parse().unwrap();
    assert!(first.reading.verify(chain, key).is_ok(), "the meter's word");

    // The ledger has no signatures, and they are the same again.
    let second = open(&rig.letters[1], 1).unwrap();
    let known = [first, second].map(|one| Reading { signature: [0; 64], ..one.reading });
    let sealed = std::mem::take(&mut rig.letters);
    let readers = vec![did(1), did(2)];
    let seal = |known: &[Reading], meter| Command::Seal {
        readings: minicbor::to_vec(known).unwrap(),
        meter,
        readers: readers.clone(),
    };
    rig.command(seal(&known, 1));
    assert_eq!(rig.letters, sealed);
    rig.command(seal(&known, 2));
    rig.command(seal(&[said(12)], 1));
    assert_eq!(rig.letters.len(), 2, "nothing is sealed that the key did not sign");
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("", 1), "nothing was sent");
}

#[test]
fn nothing_is_sealed_that_was_not_sent_and_nothing_sent_for_a_group_that_is_none() {
    let mut rig = Rig::new();
    rig.up();
    rig.command(read(&[did(1)]));
    assert_eq!((rig.view.refused.as_str(), rig.letters.len()), ("not-fresh", 0));
    rig.block(10_000_000, 0);
    for readers in [vec!["did:web:a.example".to_owned()], vec![did(1), "x".to_owned()]] {
        rig.command(read(&readers));
        assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("readers", 0));
    }
    rig.command(read(&vec![did(1); 17]));
    assert_eq!((rig.view.refused.as_str(), rig.letters.len()), ("readers", 0));
    rig.command(read(&[]));
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("", 1));
    assert_eq!(rig.letters, [], "nobody is to read it");
    rig.command(crate::energy::look_at(&[did(1)]));
    assert_eq!(rig.view.refused, "");
    rig.command(crate::energy::look_at(&["did:key:z6Mk".to_owned()]));
    assert_eq!(rig.view.refused, "readers");
}
