//! A DID whose owner lost all keys: guardians give another, which stops it, and the deposit goes back. What is refused
//! or vetoed on the way is in `ledger.json`.

use identity::did::starling::{Change, GuardOp, Op};
use ledger::{Action, domains::identity as dids};

use super::{
    check, content, genesis, secret,
    story::{Step, Story},
};

/// Guardians wait a week, a stop is final after three days.
const TIMES_MS: [u64; 3] = [1_700_000_001_000, 1_700_604_802_000, 1_700_864_003_000];

fn of_identity((name, action): (&'static str, dids::Action)) -> Step {
    (name, 1, Action::Identity(action))
}

#[test]
fn transactions_receipts_and_records_of_a_did_are_the_frozen_bytes() {
    use dids::Action as Act;
    let network = *genesis().chain().as_bytes();
    let owner = secret(1);
    let create = Op::sign((0, None), Change::Set(content(&[&owner])), (0, &owner), &network);
    let did = create.id();
    let mut guard = GuardOp::new(create.hash(), vec![secret(8).public()], Vec::new());
    guard.approve(0, (0, &secret(7)), &network);
    let stop = Op::sign((2, Some(guard.hash())), Change::Stop, (0, &secret(8)), &network);
    let asked = [
        ("lost-create", Act::Create { op: Box::new(create) }),
        ("lost-guard", Act::Guard { did, guard: Box::new(guard) }),
    ];
    let given = [
        ("lost-finish", Act::Finish { did }),
        ("lost-stop", Act::Apply { did, op: Box::new(stop) }),
    ];
    let mut story = Story::new();
    story.block(TIMES_MS[0], asked.map(of_identity));
    // Table 0 of prefix 6: with what is pending; later stopped, and without its deposit.
    story.records(&[6, 0]);
    story.block(TIMES_MS[1], given.map(of_identity));
    story.records(&[6]);
    story.block(TIMES_MS[2], [of_identity(("lost-close", Act::Close { did }))]);
    story.records(&[6, 0]);
    check("ledger-did.json", &story.vectors);
}
