//! A wallet in front of servers that prove, of a ledger in miniature.

mod assets;
mod clock;
mod funds;
mod hosts;
mod letters;
mod markets;
mod metering;
mod near;
mod notes;
mod outcomes;
mod paying;
mod proof;

use ledger::{
    AccountId, AssetId, Event, Params, Receipt, TransactionId,
    domains::accounts::{Account, Balance, account_key, balance_key},
};
use light_client::{
    RequestId, ServerId,
    testing::{Ledger, State},
};
use primitives::{KeyPair, Seed};

use crate::{
    Input, Output, Saved, Wallet,
    view::{self, Command, Fate, Faucet, Sight, View},
};

const ORIGIN: &str = "http://one.example";
const OTHER: &str = "http://two.example";
const SEED: [u8; 32] = [5; 32];

fn account() -> AccountId {
    AccountId::of_key(KeyPair::from_seed(Seed::new(SEED)).id())
}

fn state(units: u128, nonce: u64) -> State {
    state_of(units, &Account { nonce, policy: None }, &Params::default())
}

/// A ledger with this account, what it holds, and prices.
fn state_of(units: u128, of: &Account, params: &Params) -> State {
    let records = [
        minicbor::to_vec(Balance { amount: units, frozen: false }).unwrap(),
        minicbor::to_vec(of).unwrap(),
        minicbor::to_vec(params).unwrap(),
    ];
    let keys =
        [balance_key(account(), AssetId::NATIVE), account_key(account()), ledger::params_key()];
    let list: Vec<(&[u8], &[u8])> =
        keys.iter().zip(&records).map(|(key, one)| (key.as_bytes(), one.as_slice())).collect();
    State::of(&list, 2, 0)
}

/// A wallet, its servers, and what it last showed and kept.
struct Rig {
    ledger: Ledger,
    wallet: Wallet,
    now_ms: u64,
    view: View,
    saved: Saved,
    asks: Vec<(RequestId, String, Option<Vec<u8>>)>,
    connects: Vec<(ServerId, String)>,
    hangups: Vec<ServerId>,
    receipts: Vec<Receipt>,
    /// What is watched, and how often it was handed over.
    records: (view::Records, u32),
    /// How often another account came into use.
    reopened: u32,
    /// What is kept and shown of payments, and what the page is to carry.
    kept: Vec<u8>,
    /// How often that was.
    keeps: u32,
    purse: view::Purse,
    carried: Vec<view::Carry>,
    letters: Vec<view::Letter>,
    /// Transactions told to a server.
    submitted: Vec<Vec<u8>>,
    /// Answers of this server are spoiled.
    liar: Option<&'static str>,
    /// This server answers nothing any more.
    dead: Option<&'static str>,
    /// Servers take no transaction, and say why: the status, the error's code, and all of it.
    refuses: Option<(u16, &'static str, &'static str)>,
    /// Servers keep receipts from this block on only; 0: all.
    since: u64,
    /// What stands before servers answers for them who asks for a receipt: the status, and the error's code.
    tells_of_receipts: Option<(u16, &'static str)>,
}

impl Rig {
    fn new() -> Self {
        let ledger = Ledger::new(1);
        Self::with(ledger.clone(), Saved::new(SEED, ledger.root().to_string(), false))
    }

    fn with(ledger: Ledger, saved: Saved) -> Self {
        let mut out = Vec::new();
        let wallet = Wallet::new(saved.clone(), ORIGIN, true, &mut out).unwrap();
        let mut rig = Self {
            ledger,
            wallet,
            now_ms: 1_790_000_000_000,
            view: View::default(),
            saved,
            asks: vec![],
            connects: vec![],
            hangups: vec![],
            receipts: vec![],
            records: (view::Records::default(), 0),
            reopened: 0,
            kept: vec![],
            keeps: 0,
            purse: view::Purse::default(),
            carried: vec![],
            letters: vec![],
            submitted: vec![],
            liar: None,
            dead: None,
            refuses: None,
            since: 0,
            tells_of_receipts: None,
        };
        rig.perform(out);
        rig
    }

    fn perform(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Connect(server, url) => self.connects.push((server, url)),
                Output::Hangup(server) => self.hangups.push(server),
                Output::Ask { request, url, body } => self.asks.push((request, url, body)),
                Output::Save(bytes) => self.saved = view::read(&bytes).unwrap(),
                // What the page reads is what the wallet said.
                Output::Show(view) => self.view = view::read(&view::to_bytes(&*view)).unwrap(),
                Output::KeepPurse(bytes) => (self.kept, self.keeps) = (bytes, self.keeps + 1),
                Output::Purse(purse) => self.purse = view::read(&view::to_bytes(&*purse)).unwrap(),
                Output::Carry(carry) => {
                    self.carried.push(view::read(&view::to_bytes(&carry)).unwrap())
                }
                Output::Records(records) => {
                    let read = view::read(&view::to_bytes(&*records)).unwrap();
                    self.records = (read, self.records.1 + 1);
                }
                Output::Reopen => self.reopened += 1,
                Output::Letters(letters) => {
                    let read: view::Letters = view::read(&view::to_bytes(&letters)).unwrap();
                    self.letters.extend(read.list);
                }
            }
        }
    }

    fn step(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.wallet.step(self.now_ms, input, &mut out);
        self.perform(out);
    }

    fn command(&mut self, command: Command) {
        // As a page sends it.
        self.step(Input::Command(view::read(&view::to_bytes(&command)).unwrap()));
    }

    fn up(&mut self) {
        for (server, _) in std::mem::take(&mut self.connects) {
            self.step(Input::Up(server));
        }
        self.answer();
    }

    /// Answers everything asked, as a server at the newest block does.
    fn answer(&mut self) {
        while !self.asks.is_empty() {
            let (request, url, body) = self.asks.remove(0);
            if self.dead.is_some_and(|dead| url.starts_with(dead)) {
                self.step(Input::Answered(request, 0, "", &[]));
                continue;
            }
            if let Some((status, code)) = self.tells_of_receipts
                && url.contains("/receipts/")
            {
                self.step(Input::Answered(request, status, code, b"<html>"));
                continue;
            }
            if url.ends_with("/ledger/transactions") {
                if let Some((status, code, error)) = self.refuses {
                    self.step(Input::Answered(request, status, code, error.as_bytes()));
                    continue;
                }
                self.submitted.extend(body.clone());
            }
            let (status, bytes) = self.told(&url, body.as_deref());
            self.step(Input::Answered(request, status, "unknown", &bytes));
        }
    }

    fn told(&self, url: &str, body: Option<&[u8]>) -> (u16, Vec<u8>) {
        let (base, path) = url.split_once("/ledger/").unwrap();
        let height = self.ledger.height();
        match path.split_once('/').unwrap_or((path, "")) {
            ("certificates", _) if height > 0 => (200, self.ledger.finality(height, 0).to_bytes()),
            ("state", key) if height > 0 => {
                let key: Vec<u8> = (0..key.len() / 2)
                    .map(|at| u8::from_str_radix(&key[at * 2..at * 2 + 2], 16).unwrap())
                    .collect();
                let mut proof = self.ledger.state_proof(height, &key);
                if self.liar == Some(base) {
                    proof.record = Some(vec![0x82, 0x19, 0xff, 0xff, 0xf4].into());
                }
                (200, proof.to_bytes())
            }
            (asked, _) if asked.starts_with("successions?after=") => {
                let after = asked.split_once('=').unwrap().1.parse().unwrap();
                (200, self.ledger.successions(after).to_bytes())
            }
            ("accounts", _) => (200, minicbor::to_vec(&self.receipts).unwrap()),
            ("receipts", id) => {
                let mut known = self.receipts.iter().filter(|one| one.height >= self.since);
                match known.find(|one| one.transaction.to_string() == id) {
                    Some(receipt) => (200, minicbor::to_vec(receipt).unwrap()),
                    None => (404, format!("{{\"since\":{}}}", self.since).into_bytes()),
                }
            }
            ("transactions" | "faucet", _) if body.is_some() => (202, vec![]),
            _ => (404, vec![]),
        }
    }

    fn block(&mut self, units: u128, nonce: u64) {
        self.block_of(state(units, nonce));
    }

    fn block_of(&mut self, state: State) {
        self.now_ms += 3_000;
        let height = self.ledger.add(self.now_ms, state);
        let bytes = self.ledger.finality(height, 0).to_bytes();
        let up: Vec<ServerId> = (0..20).map(ServerId).collect();
        up.into_iter().for_each(|server| self.step(Input::Pushed(server, &bytes)));
        self.answer();
    }

    fn receipt(&mut self, id: &str, code: u16, events: Vec<Event>) {
        let transaction: TransactionId = id.parse().unwrap();
        let height = self.ledger.height();
        let receipt = Receipt { transaction, height, index: 0, code, fee: 1, events };
        self.receipts.insert(0, receipt);
    }
}

fn somebody() -> AccountId {
    AccountId::new([9; 32])
}

fn send(to: AccountId, units: u128) -> Command {
    Command::Send { to: to.to_string(), units, asset: 0 }
}

#[test]
fn a_balance_is_shown_with_the_height_at_which_it_is_proved() {
    let mut rig = Rig::new();
    assert_eq!(rig.connects, [(ServerId(0), ORIGIN.to_owned())]);
    rig.up();
    assert_eq!((rig.view.sight, rig.view.balance), (Sight::Blind, None));
    rig.block(7_000_000, 0);
    let balance = rig.view.balance.unwrap();
    assert_eq!((balance.units, balance.height), (7_000_000, 1));
    assert_eq!(rig.view.sight, Sight::Fresh);
    assert_eq!(rig.view.steps.len(), 10);
    rig.block(8_000_000, 0);
    assert_eq!(rig.view.balance.unwrap().height, 2);
    assert_eq!(rig.view.blocks.iter().map(|one| one.height).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((rig.view.certificates, rig.view.proofs), (2, 5));
}

#[test]
fn validators_change_and_the_wallet_keeps_whom_it_found() {
    let mut rig = Rig::new();
    rig.up();
    rig.block(7_000_000, 0);
    assert_eq!(rig.view.succession, None);
    // The last block of the first ones, then one of the next.
    rig.now_ms += 3_000;
    rig.ledger.succeed(rig.now_ms, 2, &[(b"any", b"record")]);
    rig.block(8_000_000, 0);
    let shown = Some(view::Succession { height: 3, count: 1 });
    assert_eq!((rig.view.succession, rig.view.sight), (shown, Sight::Fresh));
    assert_eq!(rig.view.balance.as_ref().map(|one| (one.units, one.height)), Some((8_000_000, 3)));
    assert!(rig.view.servers.iter().all(|server| !server.lies), "{:?}", rig.view.servers);

    // At the next visit nobody is asked for it.
    let mut again = Rig::with(rig.ledger.clone(), rig.saved.clone());
    again.now_ms = rig.now_ms;
    again.up();
    assert_eq!((again.view.succession, again.view.blocks[0].height), (shown, 3));
    assert!(again.saved.successors.is_some() && again.saved == rig.saved);

    // It knows those before by their last block, and believes them no other.
    let mut late = Rig::with(rig.ledger.clone(), rig.saved.clone());
    let mut old = Ledger::new(1);
    for _ in 0..2 {
        old.add(rig.now_ms, state(9_000_000, 0));
    }
    let (made_up, last) = (old.finality(2, 0), rig.ledger.finality(2, 0));
    late.now_ms = rig.now_ms;
    for (finality, sight) in [(made_up, Sight::Blind), (last, Sight::Fresh)] {
        for (server, _) in late.connects.clone() {
            late.step(Input::Up(server));
            late.step(Input::Pushed(server, &finality.to_bytes()));
        }
        late.now_ms += 1_000;
        late.step(Input::Tick);
        assert_eq!(late.view.sight, sight);
    }
}

#[test]
fn who_proposed_is_counted_among_those_who_make_blocks_now() {
    let mut rig = Rig::new();
    rig.up();
    assert!(rig.view.proposers.is_empty());
    rig.block(7_000_000, 0);
    rig.block(7_000_000, 0);
    let key = "03".repeat(32);
    let proposed = |count, height| vec![view::Proposer { key: key.clone(), count, height }];
    assert_eq!(rig.view.proposers, proposed(2, 2));
    // Block 3 is the last one of the first validators.
    rig.now_ms += 3_000;
    rig.ledger.succeed(rig.now_ms, 2, &[(b"any", b"record")]);
    rig.block(8_000_000, 0);
    assert_eq!(rig.view.proposers, proposed(1, 4));
    for _ in 0..21 {
        rig.block(8_000_000, 0);
    }
    assert_eq!(rig.view.proposers, proposed(22, 25), "more are counted than shown");
    assert_eq!(rig.view.blocks.len(), 20);
}

#[test]
fn blocks_from_after_their_time_are_shown_no_more_however_many_took_over() {
    let mut rig = Rig::new();
    rig.up();
    rig.block(7_000_000, 0);
    // Block 2, not seen here, is the last one of the root's validators, who make two more for this wallet.
    let mut named = rig.ledger.clone();
    let (key, record) = named.naming(2, 3);
    let last: [(&[u8], &[u8]); 2] = [(b"any", b"record"), (key.as_slice(), record.as_slice())];
    named.succeed(rig.now_ms, 2, &[(b"any", b"record")]);
    rig.ledger.add(rig.now_ms, State::of(&last, 3, 0));
    assert_eq!(rig.ledger.finality(2, 0), named.finality(2, 0));
    rig.block(8_000_000, 0);
    rig.block(9_000_000, 0);
    let heights = |rig: &Rig| rig.view.blocks.iter().map(|one| one.height).collect::<Vec<_>>();
    assert_eq!(heights(&rig), [4, 3, 1]);
    // Others took over twice meanwhile, the second time behind all of that.
    named.add(rig.now_ms, state(7_000_000, 0));
    named.add(rig.now_ms, state(7_000_000, 0));
    named.succeed(rig.now_ms, 3, &[(b"any", b"record")]);
    rig.ledger = named;
    rig.block(7_000_000, 0);
    assert_eq!(rig.view.succession, Some(view::Succession { height: 6, count: 2 }));
    assert_eq!(heights(&rig), [1]);
}

#[test]
fn a_transfer_is_done_when_the_accounts_number_is_proved_and_a_server_tells() {
    let mut rig = Rig::new();
    rig.up();
    rig.block(10_000_000, 0);
    let fee = rig.view.fee.unwrap();
    rig.command(send(somebody(), 4_000_000));
    assert_eq!((rig.view.sent[0].fate, rig.view.refused.as_str()), (Fate::Sending, ""));
    assert_eq!(rig.view.outgoing, 4_000_000 + fee);
    rig.answer();
    assert_eq!(rig.view.sent[0].fate, Fate::Waiting);
    let id = rig.view.sent[0].id.clone();
    rig.receipt(&id, 0, vec![]);
    rig.block(10_000_000 - 4_000_000 - fee, 1);
    rig.now_ms += 3_000;
    rig.step(Input::Tick);
    rig.answer();
    let sent = &rig.view.sent[0];
    assert_eq!((sent.fate, sent.fee), (Fate::Done, fee));
    assert!(sent.took_ms > 0);
    assert_eq!(rig.view.outgoing, 0);
    let kept = Rig::with(rig.ledger.clone(), rig.saved.clone());
    assert_eq!(kept.saved.sent.len(), 1, "it is remembered at the next visit");
}

#[test]
fn two_transfers_before_a_block_have_two_numbers_and_share_the_balance() {
    let mut rig = Rig::new();
    rig.up();
    rig.block(10_000_000, 3);
    rig.command(send(somebody(), 4_000_000));
    rig.command(send(somebody(), 4_000_000));
    assert_eq!(rig.view.sent.len(), 2);
    let nonces: Vec<u64> = rig.saved.sent.iter().map(|sent| sent.nonce).collect();
    assert_eq!(nonces, [3, 4]);
    rig.command(send(somebody(), 4_000_000));
    assert_eq!((rig.view.sent.len(), rig.view.refused.as_str()), (2, "too-much"));
}

#[test]
fn what_the_ledger_would_refuse_is_not_signed() {
    let mut rig = Rig::new();
    rig.up();
    rig.command(send(somebody(), 1));
    assert_eq!(rig.view.refused, "not-fresh", "nothing is proved yet");
    rig.block(10, 0);
    for (command, why) in [
        (send(somebody(), 10), "too-much"),
        (send(somebody(), 0), "nothing"),
        (send(account(), 1), "itself"),
        (Command::Send { to: "somebody".to_owned(), units: 1, asset: 0 }, "account"),
        (Command::AddServer("ftp://x".to_owned()), "server"),
    ] {
        rig.command(command);
        assert_eq!(rig.view.refused, why);
    }
    assert_eq!(rig.view.sent, []);
}

#[test]
fn a_refused_transfer_and_an_expired_one_are_told_apart() {
    let mut rig = Rig::new();
    rig.up();
    rig.block(10_000_000, 0);
    rig.command(send(somebody(), 1_000));
    rig.answer();
    let id = rig.view.sent[0].id.clone();
    rig.receipt(&id, 261, vec![]);
    rig.block(9_000_000, 1);
    rig.now_ms += 3_000;
    rig.step(Input::Tick);
    rig.answer();
    assert_eq!(rig.view.sent[0].fate, Fate::Refused);
    rig.command(send(somebody(), 1_000));
    rig.answer();
    for _ in 0..1_002 {
        rig.ledger.add(rig.now_ms, state(9_000_000, 1));
    }
    rig.block(9_000_000, 1);
    assert_eq!(rig.view.sent[0].fate, Fate::Expired);
    assert_eq!(rig.view.outgoing, 0);
}

#[test]
fn what_came_in_is_told_by_a_server_and_says_so() {
    let mut rig = Rig::new();
    rig.up();
    rig.block(0, 0);
    let event =
        Event { kind: 0x0100, accounts: vec![somebody(), account()], numbers: vec![0, 5_000_000] };
    rig.receipt(&"ab".repeat(32), 0, vec![event]);
    rig.block(5_000_000, 0);
    rig.now_ms += 3_000;
    rig.step(Input::Tick);
    rig.answer();
    assert_eq!(rig.view.received[0].units, 5_000_000);
    assert_eq!(rig.view.received[0].from, somebody().to_string());
}

#[test]
fn a_server_that_proves_falsely_is_named_left_and_the_balance_is_the_other_ones() {
    let mut rig = Rig::new();
    rig.liar = Some(ORIGIN);
    rig.up();
    rig.command(Command::AddServer(OTHER.to_owned()));
    rig.up();
    rig.block(7_000_000, 0);
    rig.block(7_000_000, 0);
    assert_eq!(rig.view.balance.unwrap().units, 7_000_000);
    let liar = rig.view.servers.iter().find(|server| server.url == ORIGIN).unwrap();
    assert!(liar.lies && liar.faults == ["false-proof"], "{liar:?}");
    assert_eq!(rig.hangups.len(), 1);
    assert_eq!(rig.saved.servers, [OTHER]);
    rig.step(Input::Down(rig.hangups[0]));
    rig.now_ms += 60_000;
    rig.step(Input::Tick);
    assert!(rig.connects.is_empty(), "it is not tried again");
}

#[test]
fn a_server_that_is_gone_is_tried_again_later_and_later() {
    let mut rig = Rig::new();
    rig.up();
    let mut waits = Vec::new();
    let mut server = ServerId(0);
    for _ in 0..7 {
        rig.step(Input::Down(server));
        let gone_ms = rig.now_ms;
        while rig.connects.is_empty() {
            rig.now_ms += 500;
            rig.step(Input::Tick);
        }
        server = rig.connects.remove(0).0;
        waits.push((rig.now_ms - gone_ms) / 1_000);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
}

#[test]
fn while_the_pages_own_host_is_away_another_proves_the_balance_and_the_page_hears_of_both() {
    let mut rig = Rig::new();
    rig.command(Command::AddServer(OTHER.to_owned()));
    let away = |rig: &Rig| rig.view.servers.iter().map(|one| one.is_away).collect::<Vec<_>>();
    assert_eq!(away(&rig), [false, false], "both are tried for the first time");
    rig.connects.clear();
    rig.step(Input::Down(ServerId(0)));
    rig.step(Input::Up(ServerId(1)));
    rig.answer();
    rig.block(7_000_000, 0);
    assert_eq!(rig.view.balance.unwrap().units, 7_000_000);
    assert_eq!((away(&rig), rig.view.servers[1].height), (vec![true, false], 1));
    rig.now_ms += 2_000;
    rig.step(Input::Tick);
    let (again, url) = rig.connects.remove(0);
    assert_eq!((url.as_str(), away(&rig)), (ORIGIN, vec![true, false]), "tried, not reached");
    rig.step(Input::Up(again));
    assert_eq!(away(&rig), [false, false]);
}

#[test]
fn the_faucet_is_asked_for_this_account() {
    let mut rig = Rig::new();
    rig.up();
    rig.command(Command::Faucet);
    assert_eq!(rig.view.faucet, Faucet::Asked);
    assert_eq!(rig.asks[0].1, format!("{ORIGIN}/ledger/faucet/{}", account()));
    let request = rig.asks.remove(0).0;
    rig.step(Input::Answered(request, 409, "enough", &[]));
    assert_eq!(rig.view.faucet, Faucet::Enough);
}

#[test]
fn another_account_is_used_from_the_next_opening_on_and_the_one_before_is_shown() {
    let mut rig = Rig::new();
    let before = account().to_string();
    rig.step(Input::Use([9; 32]));
    assert_eq!(rig.reopened, 1);
    let mut again = Rig::with(rig.ledger.clone(), rig.saved.clone());
    again.step(Input::Tick);
    let other = AccountId::of_key(KeyPair::from_seed(Seed::new([9; 32])).id()).to_string();
    assert_eq!((&again.view.account, again.view.recoverable), (&other, true));
    assert_eq!(again.view.aside, before);
    again.step(Input::Use([9; 32]));
    assert_eq!(again.reopened, 0, "it is in use");
    again.step(Input::Command(Command::UseDevice));
    assert_eq!(again.saved.seed, SEED);
}
