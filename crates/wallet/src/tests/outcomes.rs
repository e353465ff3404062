//! What becomes of transfers where it is not simply done.

use ledger::{Event, Params, domains::accounts::Account};
use light_client::{ServerId, testing::State};

use super::{ORIGIN, OTHER, Rig, account, send, somebody, state, state_of};
use crate::{
    Input,
    view::{Command, Fate, Unwanted},
};

/// A rig with 10 STAR after block 1.
fn rich() -> Rig {
    let mut rig = Rig::new();
    rig.up();
    rig.block(10_000_000, 0);
    rig
}

/// Adds so many blocks in which nothing happens, and shows the last one.
fn idle(rig: &mut Rig, blocks: u32) {
    for _ in 1..blocks {
        rig.ledger.add(rig.now_ms, state(10_000_000, 0));
    }
    rig.block(10_000_000, 0);
}

#[test]
fn a_number_that_nothing_on_its_way_has_is_given_first() {
    let mut rig = rich();
    rig.command(send(somebody(), 1_000));
    rig.answer();
    idle(&mut rig, 500);
    rig.command(send(somebody(), 1_000));
    rig.answer();
    idle(&mut rig, 502);
    // The first one has expired: the second can be in no block before its number is used.
    rig.command(send(somebody(), 1_000));
    rig.command(send(somebody(), 1_000));
    let numbers: Vec<u64> = rig.saved.sent.iter().map(|sent| sent.nonce).collect();
    assert_eq!(numbers, [0, 1, 0, 2]);
}

/// Time passes, and what is due is asked and answered.
fn wait(rig: &mut Rig, ms: u64) {
    rig.now_ms += ms;
    rig.step(Input::Tick);
    rig.answer();
}

/// Servers are asked as often as it takes to believe that they know nothing.
fn wait_for_the_fourth(rig: &mut Rig) {
    (0..4).for_each(|_| wait(rig, 20_000));
}

#[test]
fn what_no_server_took_is_not_done_though_its_number_is_used_and_the_balance_fell() {
    let mut rig = rich();
    // Another device's transfer waits, of the same number.
    rig.refuses = Some((409, "underpriced", ""));
    rig.command(send(somebody(), 5_000_000));
    rig.answer();
    let fee = rig.view.sent[0].fee;
    // By more than the fee, and less than this one: of it nothing follows.
    rig.block(8_000_000 - fee, 1);
    let sent = &rig.view.sent[0];
    assert_eq!((sent.fate, sent.by_balance, sent.counted), (Fate::Final, None, Some(2)));
    // A server that is past that block knows nothing of it.
    rig.block(8_000_000 - fee, 1);
    wait_for_the_fourth(&mut rig);
    assert_eq!((rig.view.sent[0].fate, rig.view.outgoing), (Fate::Replaced, 0));
    let mut again = Rig::with(rig.ledger.clone(), rig.saved.clone());
    again.up();
    assert_eq!(again.view.sent[0].fate, Fate::Replaced);
}

#[test]
fn a_transfer_of_the_same_number_and_sum_is_told_apart_once_a_server_knows_no_receipt() {
    let mut rig = rich();
    rig.command(send(somebody(), 5_000_000));
    rig.answer();
    let (id, fee) = (rig.view.sent[0].id.clone(), rig.view.sent[0].fee);
    rig.block(5_000_000 - fee, 1);
    let told = |rig: &Rig| (rig.view.sent[0].fate, rig.view.sent[0].by_balance);
    assert_eq!(told(&rig), (Fate::Final, Some(2)));
    rig.block(5_000_000 - fee, 1);
    assert_eq!(told(&rig), (Fate::Final, Some(2)), "it may be a block behind");
    wait_for_the_fourth(&mut rig);
    assert_eq!(told(&rig), (Fate::Replaced, None));
    // That server did not say what is so: another one has the receipt.
    rig.receipt(&id, 0, vec![]);
    wait(&mut rig, 60_000);
    assert_eq!(told(&rig), (Fate::Done, None));
}

#[test]
fn a_host_that_forgot_old_blocks_or_is_behind_says_nothing_by_knowing_no_receipt() {
    let mut rig = rich();
    rig.command(send(somebody(), 5_000_000));
    rig.answer();
    // It was signed after block 1: it may have been in block 2, which this host does not keep.
    rig.since = 3;
    rig.block(8_000_000, 1);
    for _ in 0..3 {
        rig.block(8_000_000, 1);
    }
    assert_eq!(rig.view.sent[0].fate, Fate::Final);
    wait_for_the_fourth(&mut rig);
    assert_eq!(rig.view.sent[0].fate, Fate::Final);
    rig.since = 2;
    wait(&mut rig, 60_000);
    wait(&mut rig, 60_000);
    assert_eq!(rig.view.sent[0].fate, Fate::Replaced);
}

#[test]
fn an_answer_that_is_not_the_ledgers_own_says_nothing_of_a_transfer() {
    let mut rig = rich();
    rig.command(send(somebody(), 5_000_000));
    rig.answer();
    let fee = rig.view.sent[0].fee;
    rig.block(5_000_000 - fee, 1);
    for (status, code) in [(502, "unknown"), (404, "unreadable")] {
        rig.tells_of_receipts = Some((status, code));
        for _ in 0..6 {
            rig.block(5_000_000 - fee, 1);
            wait(&mut rig, 60_000);
        }
        let sent = &rig.view.sent[0];
        assert_eq!((sent.fate, sent.by_balance), (Fate::Final, Some(2)), "{status}");
    }
}

#[test]
fn what_nobody_knows_is_asked_for_less_and_less_often_and_then_no_more() {
    let mut rig = rich();
    for _ in 0..20 {
        rig.command(send(somebody(), 1_000));
    }
    rig.answer();
    rig.since = u64::MAX;
    rig.block(9_000_000, 20);
    let mut asked = Vec::new();
    let mut second = 0_u64;
    while second < 4 * 3_600 {
        let more = if second < 120 { 1 } else { 16 };
        second += more;
        rig.now_ms += more * 1_000;
        rig.step(Input::Tick);
        let receipts = rig.asks.iter().filter(|(_, url, _)| url.contains("/receipts/")).count();
        assert!(receipts <= 8, "{receipts} at once leave room for what is to be told");
        asked.extend((receipts > 0).then_some((second, receipts)));
        rig.answer();
    }
    let all: usize = asked.iter().map(|(_, receipts)| receipts).sum();
    assert!((20 * 10..=20 * 14).contains(&all), "{all}");
    assert!(asked.last().is_some_and(|(second, _)| *second < 2 * 3_600), "{asked:?}");
    assert!(rig.view.sent.iter().all(|sent| sent.fate == Fate::Final));
}

/// The account with other prices.
fn priced(units: u128, nonce: u64, params: &Params) -> State {
    state_of(units, &Account { nonce, policy: None }, params)
}

#[test]
fn prices_that_an_upgrade_changed_are_proved_after_a_refusal_and_what_was_signed_can_be_given_up() {
    let mut rig = rich();
    let fee = rig.view.fee.unwrap();
    let dear = Params { fee_base: 2_000, ..Params::default() };
    rig.block_of(priced(10_000_000, 0, &dear));
    rig.refuses = Some((422, "refused", r#"{"error":{"code":"refused","refusal":12}}"#));
    rig.command(send(somebody(), 5_000_000));
    rig.answer();
    let id = rig.view.sent[0].id.clone();
    let code = "refused".to_owned();
    assert_eq!(rig.view.unwanted, [Unwanted { id: id.clone(), code, number: 12 }]);
    assert_eq!((rig.view.sent[0].fate, rig.view.fee), (Fate::Sending, Some(fee + 1_000)));
    assert_eq!(rig.view.sent[0].fee, fee);

    rig.command(Command::GiveUp(id.clone()));
    assert_eq!((rig.view.sent[0].fate, rig.view.outgoing), (Fate::GivenUp, 0));
    assert_eq!(rig.view.unwanted, []);
    rig.refuses = None;
    wait(&mut rig, 60_000);
    assert_eq!(rig.submitted.len(), 0, "it is told to nobody any more");
    rig.block_of(priced(10_000_000, 0, &dear));
    rig.command(send(somebody(), 6_000_000));
    rig.answer();
    let numbers: Vec<u64> = rig.saved.sent.iter().map(|sent| sent.nonce).collect();
    assert_eq!((numbers, rig.view.sent[0].fate), (vec![0, 0], Fate::Waiting), "one or the other");
    rig.command(Command::GiveUp(rig.view.sent[0].id.clone()));
    assert_eq!((rig.view.refused.as_str(), rig.view.sent[0].fate), ("taken", Fate::Waiting));
    let left = 4_000_000 - rig.view.sent[0].fee;
    rig.block(left, 1);
    let fates: Vec<Fate> = rig.view.sent.iter().map(|sent| sent.fate).collect();
    assert_eq!(fates, [Fate::Final, Fate::Replaced]);
    assert_eq!(rig.view.sent[0].by_balance, Some(rig.ledger.height()));
}

#[test]
fn prices_are_proved_again_now_and_then() {
    let mut rig = rich();
    let fee = rig.view.fee.unwrap();
    let dear = Params { fee_base: 2_000, ..Params::default() };
    rig.block_of(priced(10_000_000, 0, &dear));
    assert_eq!(rig.view.fee, Some(fee), "not with each block");
    rig.now_ms += 300_000;
    rig.block_of(priced(10_000_000, 0, &dear));
    assert_eq!(rig.view.fee, Some(fee + 1_000));
}

#[test]
fn what_was_given_up_and_kept_by_a_server_all_the_same_is_told_as_what_it_became() {
    let mut rig = rich();
    rig.refuses = Some((503, "full", ""));
    rig.command(send(somebody(), 5_000_000));
    rig.answer();
    let id = rig.view.sent[0].id.clone();
    rig.command(Command::GiveUp(id.clone()));
    // Nobody says yet what it became: it may be done.
    rig.tells_of_receipts = Some((502, "unreadable"));
    rig.block(4_000_000, 1);
    assert_eq!(rig.view.sent[0].fate, Fate::Final);
    rig.tells_of_receipts = None;
    rig.receipt(&id, 0, vec![]);
    wait(&mut rig, 20_000);
    assert_eq!(rig.view.sent[0].fate, Fate::Done);
}

#[test]
fn who_paid_is_asked_of_no_server_that_is_behind_the_balance() {
    let mut rig = rich();
    rig.command(Command::AddServer(OTHER.to_owned()));
    rig.up();
    rig.block(10_000_000, 0);
    rig.dead = Some(ORIGIN);
    for (turn, paid) in [(0, 1_u8), (1, 2)] {
        // By that time the turn is of the one, then of the other.
        rig.now_ms = (rig.now_ms / 4_000 + 2) * 4_000 + turn * 2_000;
        let units = 10_000_000 + u128::from(paid) * 5_000;
        let height = rig.ledger.add(rig.now_ms, state(units, 0));
        let accounts = vec![somebody(), account()];
        let event = Event { kind: 0x0100, accounts, numbers: vec![0, 5_000] };
        rig.receipt(&format!("{paid:02x}").repeat(32), 0, vec![event]);
        let bytes = rig.ledger.finality(height, 0).to_bytes();
        rig.step(Input::Pushed(ServerId(1), &bytes));
        rig.answer();
        assert_eq!(rig.view.balance.map(|one| one.units), Some(units));
        assert_eq!(rig.view.received.len(), usize::from(paid), "turn {turn}");
    }
}

/// Sends 4,000,000 units by the first server, which takes them and dies; the second one is there. The transfer's name.
fn sent_by_a_server_that_died(rig: &mut Rig) -> String {
    rig.up();
    rig.block(10_000_000, 0);
    rig.command(send(somebody(), 4_000_000));
    rig.answer();
    assert_eq!((rig.view.sent[0].fate, rig.submitted.len()), (Fate::Waiting, 1));
    rig.dead = Some(ORIGIN);
    assert_eq!(rig.view.servers[0].height, 1);
    rig.step(Input::Down(ServerId(0)));
    assert_eq!(rig.view.servers[0].height, 0, "it is at no block, as far as anybody knows");
    rig.command(Command::AddServer(OTHER.to_owned()));
    rig.up();
    rig.view.sent[0].id.clone()
}

#[test]
fn what_became_of_a_transfer_is_told_by_another_server_than_the_one_that_took_it_and_died() {
    let mut rig = Rig::new();
    let id = sent_by_a_server_that_died(&mut rig);
    let fee = rig.view.fee.unwrap();
    rig.block(10_000_000 - 4_000_000 - fee, 1);
    assert_eq!(rig.view.sent[0].fate, Fate::Final, "nobody has told yet");
    rig.receipt(&id, 0, vec![]);
    rig.now_ms += 3_000;
    rig.step(Input::Tick);
    rig.answer();
    let sent = &rig.view.sent[0];
    assert_eq!((sent.fate, sent.height, sent.fee), (Fate::Done, 2, fee));
    assert_eq!((rig.view.outgoing, rig.view.balance.unwrap().height), (0, 2));
}

#[test]
fn what_a_server_took_before_it_died_is_told_to_the_other_once() {
    let mut rig = Rig::new();
    sent_by_a_server_that_died(&mut rig);
    for _ in 0..4 {
        rig.now_ms += 3_000;
        rig.step(Input::Tick);
        rig.answer();
    }
    assert_eq!(rig.submitted.len(), 2, "it may have kept it for itself");
    assert_eq!(rig.submitted[0], rig.submitted[1]);
    // At the next visit nobody knows what happened meanwhile.
    let mut again = Rig::with(rig.ledger.clone(), rig.saved.clone());
    again.up();
    assert_eq!(again.submitted, rig.submitted[..1]);
}
