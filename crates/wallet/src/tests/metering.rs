//! What the wallet signs for meters: never two words of one slot.

use ledger::domains::energy::{Action, Content, Reading};
use primitives::Hash;

use super::Rig;
use crate::{
    energy::{self, Wish},
    view::{self, Command, Fate},
};

/// Says of slots that so much was taken in each, under a revision.
fn read(slots: core::ops::Range<u64>, import_wh: u64, revision: u8) -> Command {
    let said = |slot| {
        let content = Content {
            import_wh,
            export_wh: 0,
            import_total_wh: 1_000 + import_wh,
            export_total_wh: 0,
            commitment: Hash::new([0; 32]),
        };
        Reading { community: 7, meter: 3, slot, revision, content, signature: [0; 64] }
    };
    let action = view::to_bytes(&Action::Read { readings: slots.map(said).collect() });
    Command::Energy { action, units: 0, meter: Some(1), readers: Vec::new() }
}

#[test]
fn what_contradicts_something_on_its_way_is_not_signed() {
    let mut rig = Rig::new();
    rig.up();
    rig.block(10_000_000, 0);
    rig.command(read(10..13, 250, 0));
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("", 1));
    rig.command(read(12..15, 251, 0));
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("contradicts", 1));
    rig.answer();
    rig.command(read(11..12, 251, 0));
    assert_eq!(
        (rig.view.refused.as_str(), rig.view.sent.len()),
        ("contradicts", 1),
        "a server has it"
    );
    for fits in [read(12..13, 250, 0), read(13..15, 251, 0), read(12..13, 251, 1)] {
        rig.command(fits);
        assert_eq!(rig.view.refused, "");
    }
    assert_eq!(rig.view.sent.len(), 4);
}

#[test]
fn the_block_that_counted_it_is_remembered_and_the_highest_revision_in_it() {
    let mut rig = Rig::new();
    rig.up();
    rig.block(10_000_000, 0);
    rig.command(read(10..13, 250, 2));
    rig.answer();
    assert_eq!((rig.view.sent[0].fate, rig.view.sent[0].counted), (Fate::Waiting, None));
    rig.block(9_000_000, 1);
    assert_eq!((rig.view.sent[0].fate, rig.view.sent[0].counted), (Fate::Final, Some(2)));
    let kept = Rig::with(rig.ledger.clone(), rig.saved.clone());
    assert_eq!(kept.saved.sent[0].counted, Some(2), "it is known at the next visit");
    let Wish::Read { readings, .. } =
        energy::asked(rig.view.sent[0].act.as_ref().unwrap()).unwrap().wish
    else {
        panic!("readings were sent")
    };
    let ends: Vec<(u64, u8)> = readings.iter().map(|one| (one.slot, one.revision)).collect();
    assert_eq!(ends, [(10, 2), (12, 2)]);
    // Another page, which did not see it, says something else of a slot between: in whatever became of the first,
    // its word is known to others.
    rig.command(read(11..12, 240, 2));
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("contradicts", 1));
    for other in [read(11..12, 240, 3), read(13..14, 240, 0)] {
        rig.command(other);
        assert_eq!(rig.view.refused, "");
    }
}
