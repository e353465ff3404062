//! Assets beside the ledger's own: what the wallet signs of them, who sent some; and what a balance proves of a
//! transfer of the ledger's own.

use ledger::{
    AssetId, Event,
    domains::{accounts, assets},
};

use super::{Rig, account, send, somebody, state};
use crate::{
    Input,
    assets::{self as page, Wish},
    lending,
    view::{Command, Fate},
};

fn sent_other(asset: u32) -> Command {
    let to = somebody().to_string();
    page::ask(&Wish::Send { asset, to, amount: 5 }).unwrap()
}

/// A rig with 10 STAR after block 1.
fn rich() -> Rig {
    let mut rig = Rig::new();
    rig.up();
    rig.block(10_000_000, 0);
    rig
}

#[test]
fn another_asset_is_sent_for_a_fee_in_the_ledgers_own_and_told_as_what_it_is() {
    let mut rig = rich();
    rig.command(sent_other(7));
    let sent = rig.view.sent[0].clone();
    assert_eq!((sent.units, sent.to.clone()), (0, somebody().to_string()));
    assert_eq!(rig.view.outgoing, sent.fee, "nothing of the ledger's own leaves beside the fee");
    let wish = page::asked(sent.act.as_ref().unwrap()).unwrap();
    assert_eq!(wish.asset(), Some(7));
    let action = ledger::Action::Accounts(accounts::Action::Transfer {
        asset: AssetId(7),
        to: somebody(),
        amount: 5,
    });
    rig.answer();
    let signed = rig.submitted[0].clone();
    let transaction: ledger::Transaction = minicbor::decode(&signed).unwrap();
    assert_eq!(transaction.body.action, action);
}

#[test]
fn what_is_asked_of_an_asset_is_signed_and_what_can_never_be_right_is_not() {
    let mut rig = rich();
    let (symbol, supply_max) = ("GOLD".to_owned(), None);
    let create = Wish::Create { symbol, decimals: 2, supply_max, freezable: true };
    rig.command(page::ask(&create).unwrap());
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("", 1));
    assert_eq!(page::asked(rig.view.sent[0].act.as_ref().unwrap()), Some(create));
    let bad =
        Wish::Create { symbol: "gold".to_owned(), decimals: 2, supply_max: None, freezable: true };
    for command in [page::ask(&bad).unwrap(), Command::Asset(vec![0x80])] {
        rig.command(command);
        assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("action", 1));
    }
}

#[test]
fn why_an_asset_refused_is_told_by_its_number() {
    let mut rig = rich();
    rig.command(page::ask(&Wish::Burn { asset: 1, amount: 5 }).unwrap());
    rig.answer();
    let id = rig.view.sent[0].id.clone();
    rig.receipt(&id, 0x0105, vec![]);
    rig.block(9_000_000, 1);
    rig.now_ms += 3_000;
    rig.step(Input::Tick);
    rig.answer();
    let sent = &rig.view.sent[0];
    assert_eq!(sent.fate, Fate::Refused);
    assert_eq!(sent.act.as_ref().map(|act| act.code), Some(0x0105));
    assert_eq!(sent.by_balance, None, "what a block decides the amount of is not judged");
}

#[test]
fn who_sent_or_issued_another_asset_is_asked_while_a_page_looks_at_them() {
    let mut rig = rich();
    let event = |kind, from, asset| Event {
        kind,
        accounts: vec![from, account()],
        numbers: vec![asset, 5],
    };
    rig.receipt(&"ab".repeat(32), 0, vec![event(0x0100, somebody(), 3)]);
    rig.receipt(&"cd".repeat(32), 0, vec![event(0x0201, somebody(), 4)]);
    rig.receipt(&"ef".repeat(32), 0, vec![event(0x0201, account(), 4)]);
    rig.block(10_000_000, 0);
    rig.now_ms += 3_000;
    rig.step(Input::Tick);
    rig.answer();
    assert_eq!(rig.view.received, [], "the balance of the ledger's own does not tell");
    let key = accounts::balance_key(account(), AssetId(3));
    let counted = assets::count_key();
    let keys = [key, counted].map(|key| key.as_bytes().to_vec());
    rig.command(lending::watch(keys.to_vec()));
    rig.answer();
    rig.now_ms += 3_000;
    rig.step(Input::Tick);
    rig.answer();
    let told: Vec<_> = rig.view.received.iter().map(|one| (one.asset, one.issued)).collect();
    assert_eq!(told, [(4, true), (3, false)], "what I issue to myself is among what I did");
}

#[test]
fn a_balance_that_fell_by_a_transfer_proves_it_without_a_servers_word() {
    let mut rig = rich();
    rig.command(send(somebody(), 4_000_000));
    rig.answer();
    let fee = rig.view.sent[0].fee;
    rig.block(6_000_000 - fee, 1);
    let sent = &rig.view.sent[0];
    assert_eq!((sent.fate, sent.by_balance), (Fate::Final, Some(2)));
    let kept = Rig::with(rig.ledger.clone(), rig.saved.clone());
    assert_eq!(kept.saved.sent[0].by_balance, Some(2), "it is known at the next visit");
}

#[test]
fn a_balance_that_fell_by_the_fee_alone_or_by_another_sum_proves_nothing() {
    for (left, expected) in [(10_000_000, None), (9_000_000, None), (6_000_000, Some(2))] {
        let mut rig = rich();
        rig.command(send(somebody(), 4_000_000));
        rig.answer();
        let fee = rig.view.sent[0].fee;
        // With nothing gone but the fee it was refused, or as much came in meanwhile: nobody can tell. Of another
        // sum, another device with this key may have sent it, and taken the number.
        rig.block(left - fee, 1);
        let sent = &rig.view.sent[0];
        assert_eq!((sent.fate, sent.by_balance), (Fate::Final, expected), "{left}");
    }
}

#[test]
fn of_two_transfers_both_are_proved_or_none() {
    let mut rig = rich();
    rig.command(send(somebody(), 1_000_000));
    rig.command(send(somebody(), 3_000_000));
    rig.answer();
    let fees = rig.view.outgoing - 4_000_000;
    let mut refused = rich();
    refused.command(send(somebody(), 1_000_000));
    refused.command(send(somebody(), 3_000_000));
    refused.answer();
    rig.block(6_000_000 - fees, 2);
    refused.block(7_000_000 - fees, 2);
    let told = |rig: &Rig| [rig.view.sent[0].by_balance, rig.view.sent[1].by_balance];
    assert_eq!(told(&rig), [Some(2), Some(2)]);
    assert_eq!(told(&refused), [None, None], "one of them may have been refused");
}

#[test]
fn what_another_device_signed_proves_nothing_here() {
    let mut rig = rich();
    rig.command(send(somebody(), 4_000_000));
    rig.answer();
    rig.block_of(state(1_000_000, 2));
    assert_eq!(
        rig.view.sent[0].by_balance, None,
        "a transaction was counted that is not known here"
    );
}
