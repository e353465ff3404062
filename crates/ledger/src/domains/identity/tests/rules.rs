//! Each rule, kept and broken.

use super::*;

#[test]
fn a_did_is_made_once_and_locks_its_deposit() {
    let mut game = Game::new();
    assert_eq!(game.locked(), DEPOSIT);
    let network = game.network();
    let first = guarded(&[1, 2, 3], 2, &[11, 12, 13]);
    let op = Op::sign((0, None), Change::Set(first), (0, &key(1)), &network);
    assert_eq!(op.id(), game.id);
    assert_eq!(game.create(op.clone()), refused(Error::Exists));
    let other = Op::sign((0, None), Change::Set(content(&[1])), (0, &key(2)), &network);
    assert_eq!(game.create(other), refused(Error::BadSignature));
    let elsewhere = Op::sign((0, None), Change::Set(content(&[1])), (0, &key(1)), &[9; 32]);
    assert_eq!(game.create(elsewhere), refused(Error::BadSignature));
    let late = Op { seq: 1, ..op.clone() };
    assert_eq!(game.create(late), refused(Error::BadPlace));
    let old = Op { version: 2, ..op };
    assert_eq!(game.create(old), refused(Error::BadOp));
    let empty = Op::sign((0, None), Change::Set(content(&[])), (0, &key(1)), &network);
    assert_eq!(game.create(empty), refused(Error::BadOp));
}

/// R1.
#[test]
fn of_two_ops_that_race_one_is_late() {
    let mut game = Game::new();
    let one = game.op(Change::Set(content(&[1, 4])), 0, 1);
    let two = game.op(Change::Set(content(&[1, 5])), 0, 1);
    game.bring(one.clone()).unwrap();
    assert_eq!(game.bring(two), refused(Error::NotNext));
    assert_eq!(game.bring(one), refused(Error::NotNext));
    let nobody = StarlingId::new([0; 20]);
    let op = game.op(Change::Stop, 0, 1);
    let apply = Action::Apply { did: nobody, op: Box::new(op) };
    assert_eq!(game.act(apply), refused(Error::NoDid));
}

/// R2.
#[test]
fn only_a_current_key_changes_a_did() {
    let mut game = Game::new();
    assert_eq!(game.set(content(&[4]), 0, 4), refused(Error::BadSignature));
    assert_eq!(game.set(content(&[4]), 1, 1), refused(Error::BadSignature));
    assert_eq!(game.set(content(&[4]), 3, 1), refused(Error::NoKey));
    game.set(content(&[4]), 2, 3).unwrap();
    assert_eq!(game.set(content(&[1]), 0, 1), refused(Error::BadSignature));
    game.set(content(&[5]), 0, 4).unwrap();
}

/// R3.
#[test]
fn promised_keys_and_no_others_come_next() {
    let promising = |rotation: &[u8], next: &[u8]| Content {
        next: next.iter().map(|number| promise(&public(*number))).collect(),
        ..content(rotation)
    };
    let mut game = Game::with(promising(&[1], &[2, 4]));
    assert_eq!(game.set(content(&[5]), 0, 1), refused(Error::NotPromised));
    assert_eq!(game.set(content(&[2, 5]), 0, 1), refused(Error::NotPromised));
    // Not inherited: the old key was not promised either.
    assert_eq!(game.set(content(&[1]), 0, 1), refused(Error::NotPromised));
    game.set(promising(&[4], &[6]), 0, 1).unwrap();
    assert_eq!(game.set(content(&[2]), 0, 4), refused(Error::NotPromised));
    game.set(content(&[6]), 0, 4).unwrap();
    game.set(content(&[7]), 0, 6).unwrap();
}

/// R4: the thief has key 3.
#[test]
fn what_a_thief_did_is_erased_by_more_authority() {
    let mut game = Game::new();
    game.set(content(&[9]), 2, 3).unwrap();
    let fork = game.record().head;
    // The thief's own key comes first now, and it goes on.
    game.set(content(&[9, 8]), 0, 9).unwrap();
    assert_eq!(game.recover(fork, content(&[1]), 2, 3), refused(Error::LessAuthority));
    assert_eq!(game.recover(fork, content(&[1]), 0, 9), refused(Error::BadSignature));
    let theirs = game.op(Change::Set(content(&[9])), 0, 9);
    game.recover(fork, guarded(&[1, 2], 1, &[11]), 1, 2).unwrap();
    let record = game.record();
    assert_eq!((record.seq, record.standing.rotation), (3, vec![public(1), public(2)]));
    let erased = |seq| version(&game.lab.store, game.id, seq).unwrap().erased_s.is_some();
    assert_eq!([0, 1, 2, 3].map(erased), [false, true, true, false]);
    // What was signed for the erased head is nothing now.
    assert_eq!(game.bring(theirs), refused(Error::NotNext));
    assert_eq!(game.set(content(&[9]), 0, 9), refused(Error::BadSignature));
}

/// Whoever verifies what was signed in the meantime sees the op of before.
#[test]
fn at_any_time_what_was_not_erased_since_held() {
    let mut game = Game::new();
    game.lab.wait_s(100);
    game.set(content(&[9]), 2, 3).unwrap();
    let fork = game.record().head;
    game.lab.wait_s(100);
    game.recover(fork, content(&[1]), 0, 1).unwrap();
    let history: Vec<_> =
        (0..3).map(|seq| version(&game.lab.store, game.id, seq).unwrap()).collect();
    let at = |at_s| version_at(&history, at_s);
    assert_eq!([at(0), at(150), at(200)], [Some(0), Some(0), Some(2)]);
    assert_eq!(version_at(&history[1..2], 150), None);
}

#[test]
fn more_authority_erases_a_recovery_and_less_does_not() {
    let mut game = Game::new();
    game.set(content(&[9]), 2, 3).unwrap();
    let fork = game.record().head;
    game.recover(fork, content(&[2]), 1, 2).unwrap();
    let recovery = game.record().head;
    assert_eq!(game.recover(recovery, content(&[2]), 1, 2), refused(Error::LessAuthority));
    assert_eq!(game.recover(recovery, content(&[3]), 2, 3), refused(Error::LessAuthority));
    assert_eq!(game.recover(fork, content(&[1]), 0, 1), refused(Error::NotInWindow));
    game.recover(recovery, content(&[1]), 0, 1).unwrap();
    assert_eq!(game.record().standing.rotation, [public(1)]);
}

/// A key of more authority went on from the thief's op: it has seen and kept it.
#[test]
fn what_more_authority_built_upon_stays() {
    let mut game = Game::new();
    game.set(content(&[1, 2, 3]), 2, 3).unwrap();
    let fork = game.record().head;
    game.set(content(&[1, 2]), 0, 1).unwrap();
    assert_eq!(game.recover(fork, content(&[2]), 1, 2), refused(Error::LessAuthority));
}

#[test]
fn after_72_hours_nothing_is_erased() {
    let mut game = Game::new();
    game.set(content(&[9]), 2, 3).unwrap();
    let fork = game.record().head;
    game.lab.wait_s(WINDOW_S);
    game.set(content(&[9, 8]), 0, 9).unwrap();
    let mut late = Game { lab: Lab::new(), id: game.id };
    late.lab.store = game.lab.store.clone();
    late.lab.context = game.lab.context.clone();
    game.recover(fork, content(&[1]), 0, 1).unwrap();
    late.lab.wait_s(1);
    assert_eq!(late.recover(fork, content(&[1]), 0, 1), refused(Error::NotInWindow));
}

/// A recovery is bound by the promises that held before the fork.
#[test]
fn a_recovery_keeps_the_promises_of_before() {
    let first =
        Content { next: vec![promise(&public(3)), promise(&public(4))], ..content(&[1, 2]) };
    let mut game = Game::with(first);
    game.set(content(&[3]), 1, 2).unwrap();
    let fork = game.record().head;
    assert_eq!(game.recover(fork, content(&[5]), 0, 1), refused(Error::NotPromised));
    game.recover(fork, content(&[4]), 0, 1).unwrap();
}

/// R5.
#[test]
fn guardians_give_new_keys_after_seven_days() {
    let mut game = Game::new();
    assert_eq!(game.ask(7, &[11]), refused(Error::BadApprovals));
    assert_eq!(game.ask(7, &[11, 14]), refused(Error::BadApprovals));
    assert_eq!(game.finish(), refused(Error::NothingPending));
    game.ask(7, &[11, 13]).unwrap();
    assert_eq!(game.ask(8, &[11, 12]), refused(Error::AlreadyPending));
    game.lab.wait_s(GUARD_DELAY_S - 1);
    assert_eq!(game.finish(), refused(Error::TooEarly));
    game.lab.wait_s(1);
    game.finish().unwrap();
    assert_eq!(game.set(content(&[1]), 0, 1), refused(Error::BadSignature));
    game.set(content(&[7, 8]), 0, 7).unwrap();
    assert_eq!(game.record().seq, 2);
}

#[test]
fn a_current_key_says_no_to_guardians_by_a_veto_or_by_going_on() {
    let mut game = Game::new();
    game.ask(7, &[11, 12]).unwrap();
    assert_eq!(game.veto(0, 7), refused(Error::BadSignature));
    assert_eq!(game.veto(5, 1), refused(Error::NoKey));
    game.veto(2, 3).unwrap();
    assert_eq!(game.veto(2, 3), refused(Error::NothingPending));
    game.ask(7, &[12, 13]).unwrap();
    let stale = game.guard(7, &[12, 13]);
    game.set(guarded(&[1], 2, &[11, 12, 13]), 0, 1).unwrap();
    game.lab.wait_s(GUARD_DELAY_S);
    assert_eq!(game.finish(), refused(Error::NothingPending));
    assert_eq!(game.demand(stale), refused(Error::NotNext));
}

#[test]
fn a_guardian_counts_once_and_for_this_ledger_only() {
    let mut game = Game::new();
    let mut twice = game.guard(7, &[11]);
    let mut copy = twice.approvals[0].clone();
    copy.member = if copy.member == 0 { 1 } else { 0 };
    twice.approvals.push(copy);
    twice.approvals.sort_by_key(|approval| approval.member);
    assert_eq!(game.demand(twice), refused(Error::BadApprovals));
    let mut same = game.guard(7, &[11]);
    same.approvals.push(same.approvals[0].clone());
    assert_eq!(game.demand(same), refused(Error::BadOp));
    let mut changed = game.guard(7, &[11, 12]);
    changed.rotation = vec![public(8)];
    assert_eq!(game.demand(changed), refused(Error::BadApprovals));
    let mut none = Game::with(content(&[1]));
    assert_eq!(none.ask(7, &[11]), refused(Error::NoGuardians));
}

/// A guardian whose own DID changed approves with the new key.
#[test]
fn a_guardian_with_a_did_of_their_own_approves_with_its_current_key() {
    let mut game = Game::with(content(&[21]));
    let friend = game.id;
    game.set(content(&[22]), 0, 21).unwrap();
    let members = vec![Did::Starling(friend)];
    let guardians = Some(Guardians { threshold: 1, members });
    let change = Change::Set(Content { guardians, ..content(&[1]) });
    let op = Op::sign((0, None), change, (0, &key(1)), &game.network());
    game.id = op.id();
    game.create(op).unwrap();
    let mut guard = GuardOp::new(game.record().head, vec![public(7)], Vec::new());
    let mut old = guard.clone();
    old.approve(0, (0, &key(21)), &game.network());
    assert_eq!(game.demand(old), refused(Error::BadApprovals));
    guard.approve(0, (0, &key(22)), &game.network());
    game.demand(guard).unwrap();
}

/// R6.
#[test]
fn a_stop_is_final_after_72_hours_and_gives_the_deposit_back() {
    let mut game = Game::new();
    game.apply(Change::Stop, 2, 3).unwrap();
    assert_eq!(game.set(content(&[1]), 0, 1), refused(Error::Stopped));
    assert_eq!(game.apply(Change::Stop, 0, 1), refused(Error::Stopped));
    assert_eq!(game.ask(7, &[11, 12]), refused(Error::Stopped));
    assert_eq!(game.close(), refused(Error::TooEarly));
    let stop = game.record().head;
    game.recover(stop, guarded(&[1, 2, 3], 2, &[11, 12, 13]), 0, 1).unwrap();
    assert_eq!(game.close(), refused(Error::NothingToClose));
    game.apply(Change::Stop, 0, 1).unwrap();
    let stop = game.record().head;
    game.lab.wait_s(WINDOW_S + 1);
    assert_eq!(game.recover(stop, content(&[1]), 0, 1), refused(Error::NotInWindow));
    game.close().unwrap();
    assert_eq!(game.locked(), 0);
    assert_eq!(game.close(), refused(Error::NothingToClose));
    assert!(version(&game.lab.store, game.id, game.record().seq).unwrap().stopped);
}

/// R7: and a thief who uses up the day can't keep the owner from recovering.
#[test]
fn a_did_changes_ten_times_a_day_and_is_recovered_nevertheless() {
    let mut game = Game::new();
    game.set(guarded(&[1, 2, 3], 2, &[11, 12, 13]), 2, 3).unwrap();
    let fork = game.record().head;
    for _ in 0..8 {
        game.set(guarded(&[1, 2, 3], 2, &[11, 12, 13]), 2, 3).unwrap();
    }
    assert_eq!(game.set(content(&[1]), 2, 3), refused(Error::TooOften));
    assert_eq!(game.ask(7, &[11, 12]), refused(Error::TooOften));
    game.recover(fork, content(&[1]), 0, 1).unwrap();
    assert_eq!(game.set(content(&[1]), 0, 1), refused(Error::TooOften));
    game.lab.wait_s(24 * 3600);
    game.set(content(&[1]), 0, 1).unwrap();
    let mut poor = Lab::new();
    let op = Op::sign((0, None), Change::Set(content(&[1])), (0, &key(1)), &game.network());
    let create = ledger::Action::Identity(Action::Create { op: Box::new(op) });
    let expected = accounts::Error::InsufficientBalance.code();
    assert_eq!(poor.act(account(PAYER), &create), Err(expected));
}

#[test]
fn a_status_list_has_one_newest_version_by_its_issuer() {
    let mut game = Game::new();
    let issuer = Did::Key(public(20));
    assert_eq!(game.anchor(issuer.clone(), 2, (0, 20)), refused(Error::NotNext));
    game.anchor(issuer.clone(), 1, (0, 20)).unwrap();
    game.lab.wait_s(100);
    assert_eq!(game.anchor(issuer.clone(), 1, (0, 20)), refused(Error::NotNext));
    assert_eq!(game.anchor(issuer.clone(), 3, (0, 20)), refused(Error::NotNext));
    assert_eq!(game.anchor(issuer.clone(), 2, (0, 21)), refused(Error::BadSignature));
    assert_eq!(game.anchor(issuer.clone(), 2, (1, 20)), refused(Error::NoKey));
    game.anchor(issuer.clone(), 2, (0, 20)).unwrap();
    let record = anchored(&game.lab.store, &issuer, LIST).unwrap();
    assert_eq!((record.number, record.token), (2, token_hash("token 2")));
    assert_eq!((record.height, record.time_s), (2, 100));
    // Another's list of the same name is another list.
    assert_eq!(game.anchored(&Did::Key(public(21))), 0);
    game.anchor(Did::Key(public(21)), 1, (0, 21)).unwrap();
    let web = "did:web:town.example".parse::<Did>().unwrap();
    assert_eq!(game.anchor(web, 1, (0, 20)), refused(Error::NoKey));
    assert_eq!(game.anchor(issuer, 0, (0, 20)), refused(Error::BadOp));
}

#[test]
fn an_issuer_on_the_ledger_anchors_with_the_keys_of_now() {
    let mut game = Game::new();
    let issuer = Did::Starling(game.id);
    game.anchor(issuer.clone(), 1, (1, 2)).unwrap();
    game.set(content(&[4]), 0, 1).unwrap();
    assert_eq!(game.anchor(issuer.clone(), 2, (1, 2)), refused(Error::NoKey));
    assert_eq!(game.anchor(issuer.clone(), 2, (0, 1)), refused(Error::BadSignature));
    game.anchor(issuer.clone(), 2, (0, 4)).unwrap();
    game.apply(Change::Stop, 0, 4).unwrap();
    assert_eq!(game.anchor(issuer, 3, (0, 4)), refused(Error::Stopped));
    let nobody = Did::Starling(StarlingId::new([0; 20]));
    assert_eq!(game.anchor(nobody, 1, (0, 4)), refused(Error::NoDid));
}
