//! Two wallets that pay each other for bytes, on a ledger whose transactions the ledger's own code carries out.

mod ending;
mod hour;
mod leaving;

use std::collections::BTreeMap;

use ledger::{
    AccountId, AssetId, BlockContext, ChainId, Event, Genesis, MemoryStore, Overlay, Params,
    Receipt, Scan as _, Transaction,
    domains::accounts::{self, Account, account_key},
};
use light_client::testing::{Ledger, State};
use primitives::{KeyPair, PeerId, Seed};

use super::Rig;
use crate::{
    Input, Saved,
    view::{self, Carry, Command, Part, Parting, PoolAct, Stage, Told, Wish},
};

const SHARE: &str = "bafyshare";
const MIB: u64 = 1 << 20;
const PER_MIB: u64 = 20_000;
const LIMIT: u128 = 1_000_000;
const GIFT: u128 = 10_000_000;
const EARN: Part = Part::Earn { per_mib: PER_MIB, required: true };
const PAY: Part = Part::Pay { per_mib_max: PER_MIB, limit: LIMIT };
const DAY_MS: u64 = 86_400_000;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Payer,
    Payee,
    /// A neighbour, who neither pays nor is paid.
    Keeper,
}

/// Two people, their ledger, and the share between their pages.
struct Town {
    store: MemoryStore,
    nonces: BTreeMap<AccountId, u64>,
    payer: Rig,
    payee: Rig,
    keeper: Rig,
    /// Its page is closed.
    gone: Option<Who>,
    /// What the payee's page is to tell neighbours.
    told: Vec<(PeerId, Vec<u8>)>,
    parting: Vec<Parting>,
    /// Bytes from payee to payer since they met.
    bytes: u64,
    held: bool,
    fees: BTreeMap<AccountId, u128>,
    /// The number that a server tells for the payer's pool, where it lies.
    told_pool: Option<u128>,
    /// A server tells that the payer's pool was refused.
    tells_refused: bool,
    /// The ledger refuses everything.
    refuses: bool,
}

fn account_of(seed: u8) -> AccountId {
    AccountId::of_key(KeyPair::from_seed(Seed::new([seed; 32])).id())
}

impl Town {
    fn new() -> Self {
        Self::with(vec![(account_of(1), GIFT), (account_of(2), GIFT)])
    }

    fn with(allocations: Vec<(AccountId, u128)>) -> Self {
        let ledger = Ledger::new(1);
        let rig = |seed: u8| {
            let saved = Saved::new([seed; 32], ledger.root().to_string(), false);
            Rig::with(ledger.clone(), saved)
        };
        let (payer, payee, keeper) = (rig(1), rig(2), rig(3));
        let genesis = Genesis {
            name: "test".to_owned(),
            time_ms: payer.now_ms,
            params: Params::default(),
            symbol: "STAR".to_owned(),
            decimals: 6,
            allocations,
        };
        let mut store = MemoryStore::new();
        store.commit(genesis.changes().unwrap());
        let (nonces, fees) = (BTreeMap::new(), BTreeMap::new());
        let mut town = Self {
            store,
            nonces,
            payer,
            payee,
            keeper,
            gone: None,
            told: vec![],
            parting: vec![],
            bytes: 0,
            held: false,
            fees,
            told_pool: None,
            tells_refused: false,
            refuses: false,
        };
        town.payer.up();
        town.payee.up();
        town.keeper.up();
        town.block();
        town
    }

    fn rig(&mut self, who: Who) -> &mut Rig {
        match who {
            Who::Payer => &mut self.payer,
            Who::Payee => &mut self.payee,
            Who::Keeper => &mut self.keeper,
        }
    }

    fn wish(&mut self, who: Who, wish: Wish) {
        self.rig(who).command(Command::Purse(wish));
        self.rig(who).answer();
        self.carry();
    }

    fn tell(&mut self, who: Who, told: Told) {
        self.wish(who, Wish::Told { share: SHARE.to_owned(), told });
    }

    fn agree(&mut self, who: Who, part: Part) {
        let (share, name) = (SHARE.to_owned(), "film.bin".to_owned());
        self.wish(who, Wish::Deal { share, name, part });
    }

    /// The pages of both find each other. Who pays learns the terms when its till is there, as a page has it.
    fn meet(&mut self) {
        self.bytes = 0;
        self.tell(Who::Payer, Told::Up([2; 32].into()));
        self.tell(Who::Payee, Told::Up([1; 32].into()));
    }

    /// Moves bytes as far as the payee serves, or so many.
    fn move_bytes(&mut self, bytes: u64) {
        let until = self.bytes + bytes;
        while self.bytes < until && !self.held {
            self.bytes += MIB / 4;
            let moved = self.bytes;
            self.tell(Who::Payee, Told::Moved([1; 32].into(), 0, 0, moved));
            self.tell(Who::Payer, Told::Moved([2; 32].into(), moved, 0, 0));
        }
    }

    /// Does what each wallet wants of its page.
    fn carry(&mut self) {
        for who in [Who::Payer, Who::Payee].repeat(4) {
            let (other, me) = match who {
                Who::Payer => (Who::Payee, [1; 32]),
                Who::Payee | Who::Keeper => (Who::Payer, [2; 32]),
            };
            for carry in std::mem::take(&mut self.rig(who).carried) {
                match carry {
                    Carry::Say { frame, share, .. } => {
                        let told = Told::Frame(me.into(), frame);
                        self.rig(other).command(Command::Purse(Wish::Told { share, told }));
                        self.rig(other).answer();
                    }
                    Carry::Hold { on, .. } => self.held = on,
                    Carry::Tell { to, frame } => self.told.push((PeerId::new(*to), frame.into())),
                    // About the ledger: both have a server.
                    Carry::Greet => {}
                    Carry::Parting(said) => self.parting = said,
                }
            }
        }
    }

    /// A block of what both sent.
    fn block(&mut self) {
        let now_ms = self.payer.now_ms + 3_000;
        let mut receipts = Vec::new();
        for who in [Who::Payer, Who::Payee, Who::Keeper] {
            for bytes in std::mem::take(&mut self.rig(who).submitted) {
                receipts.extend(self.execute(&bytes, now_ms));
            }
        }
        self.lie(&mut receipts);
        let state = self.state();
        for who in [Who::Payer, Who::Payee, Who::Keeper] {
            let is_gone = self.gone == Some(who);
            let rig = self.rig(who);
            receipts.iter().for_each(|receipt| rig.receipts.insert(0, receipt.clone()));
            if is_gone {
                // The ledger goes on.
                rig.now_ms += 3_000;
                rig.ledger.add(rig.now_ms, state.clone());
                continue;
            }
            rig.block_of(state.clone());
            rig.step(Input::Tick);
            rig.answer();
        }
        self.carry();
    }

    /// Of pools that were opened, the server tells another number, or that they were refused.
    fn lie(&self, receipts: &mut [Receipt]) {
        let opens = |receipt: &&mut Receipt| receipt.events.iter().any(|one| one.kind == 0x0300);
        for receipt in receipts.iter_mut().filter(opens).filter(|_| self.tells_refused) {
            (receipt.code, receipt.events) = (0x0301, vec![]);
        }
        let Some(number) = self.told_pool else { return };
        let events = receipts.iter_mut().flat_map(|receipt| &mut receipt.events);
        for event in events.filter(|event| event.accounts.first() == Some(&account_of(1))) {
            if let Some(told) = event.numbers.first_mut() {
                *told = number;
            }
        }
    }

    fn sent(&self, kind: PoolAct) -> usize {
        let sent = self.payer.saved.sent.iter();
        sent.filter(|sent| sent.pool == Some(kind)).count()
    }

    /// The payee's page sends what it may, and the payer's says nothing of it.
    fn serve(&mut self, bytes: u64) {
        let until = self.bytes + bytes;
        while self.bytes < until && !self.held {
            self.bytes += MIB / 4;
            let moved = self.bytes;
            self.tell(Who::Payee, Told::Moved([1; 32].into(), 0, 0, moved));
        }
    }

    fn execute(&mut self, bytes: &[u8], time_ms: u64) -> Option<Receipt> {
        let transaction: Transaction = minicbor::decode(bytes).unwrap();
        let body = &transaction.body;
        let nonce = self.nonces.entry(body.signer).or_default();
        if body.nonce != *nonce {
            return None;
        }
        *nonce += 1;
        let (signer, fee) = (body.signer, body.fee);
        *self.fees.entry(signer).or_default() += fee;
        let mut state = Overlay::new(&self.store);
        accounts::burn(&mut state, AssetId::NATIVE, signer, fee).unwrap();
        let (changes, _) = state.into_parts();
        self.store.commit(changes);
        let height = self.payer.ledger.height() + 1;
        let context = BlockContext { chain: ChainId::new([1; 32]), height, time_ms };
        let mut state = Overlay::new(&self.store);
        let outcome = if self.refuses {
            Err(0x0301)
        } else {
            ledger::execute(&context, signer, &body.action, &mut state)
        };
        let (changes, events) = state.into_parts();
        let (code, events): (u16, Vec<Event>) = match outcome {
            Ok(()) => {
                self.store.commit(changes);
                (0, events)
            }
            Err(code) => (code, vec![]),
        };
        assert!(code == 0 || self.refuses, "{:?}", body.action);
        Some(Receipt { transaction: body.id(), height, index: 0, code, fee, events })
    }

    fn state(&self) -> State {
        let mut records: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        self.store.scan(&[], &mut |key, record| {
            records.insert(key.as_bytes().to_vec(), record.to_vec());
        });
        for (account, nonce) in &self.nonces {
            let record = minicbor::to_vec(Account { nonce: *nonce, policy: None }).unwrap();
            records.insert(account_key(*account).as_bytes().to_vec(), record);
        }
        let list: Vec<(&[u8], &[u8])> =
            records.iter().map(|(key, record)| (key.as_slice(), record.as_slice())).collect();
        State::of(&list, 2, 0)
    }

    fn deal(&mut self, who: Who) -> view::Deal {
        self.rig(who).purse.deals[0].clone()
    }

    fn balance(&mut self, who: Who) -> u128 {
        self.rig(who).view.balance.unwrap().units
    }

    /// The page is loaded anew: what was kept is all that it has.
    fn reload(&mut self, who: Who) {
        let rig = self.rig(who);
        let mut again = Rig::with(rig.ledger.clone(), rig.saved.clone());
        again.now_ms = rig.now_ms;
        again.receipts = rig.receipts.clone();
        again.submitted = std::mem::take(&mut rig.submitted);
        again.wallet.set_purse(&rig.kept);
        again.up();
        *rig = again;
    }

    /// Both have a till, and what is set aside is there.
    fn begin(&mut self) {
        self.agree(Who::Payee, EARN);
        self.agree(Who::Payer, PAY);
        for _ in 0..3 {
            self.block();
        }
        assert_eq!(self.deal(Who::Payee).stage, Stage::On);
        assert_eq!(self.deal(Who::Payer).stage, Stage::On);
        self.meet();
    }

    /// Moves so many bytes, with blocks in between.
    fn fetch(&mut self, bytes: u64) {
        let until = self.bytes + bytes;
        for _ in 0..40 {
            self.move_bytes(until.saturating_sub(self.bytes));
            self.block();
        }
    }
}

#[test]
fn what_came_is_paid_settled_and_the_rest_of_the_deposit_comes_back() {
    let mut town = Town::new();
    town.begin();
    assert!(town.balance(Who::Payer) < GIFT - LIMIT, "it is deposited");
    town.fetch(12 * MIB);
    assert_eq!(town.bytes, 12 * MIB, "it is served to the end");
    let price = u128::from(12 * PER_MIB);
    assert_eq!(town.deal(Who::Payer).units, price);
    assert_eq!(town.deal(Who::Payee).units, price);

    let due = town.payee.purse.dues[0].clone();
    assert_eq!(due.promised, price);
    town.wish(Who::Payee, Wish::End(SHARE.to_owned()));
    town.wish(Who::Payee, Wish::Settle { pool: due.pool, epoch: due.epoch });
    for _ in 0..6 {
        town.block();
    }
    let due = town.payee.purse.dues[0].clone();
    assert!(due.closed && due.redeemed == price && due.height > 0, "{due:?}");
    let pool = town.payer.purse.pools[0].clone();
    town.wish(Who::Payer, Wish::Close(pool.number));
    for _ in 0..4 {
        town.block();
    }
    assert_eq!(town.payer.purse.pools, []);
    let fees = town.fees.clone();
    assert_eq!(town.balance(Who::Payer), GIFT - price - fees[&account_of(1)]);
    assert_eq!(town.balance(Who::Payee), GIFT + price - fees[&account_of(2)]);
    assert!(fees.values().all(|fee| *fee < 100_000), "{fees:?}");
}

#[test]
fn nothing_is_paid_before_a_person_agrees_and_what_came_on_credit_is_the_most() {
    let mut town = Town::new();
    town.agree(Who::Payee, EARN);
    town.block();
    town.meet();
    town.move_bytes(12 * MIB);
    assert!(town.held && town.bytes <= 2 * MIB + MIB / 4);
    assert_eq!(town.balance(Who::Payer), GIFT);
    assert_eq!(town.payer.saved.sent, []);
}

#[test]
fn a_limit_that_is_reached_says_so_and_a_higher_one_goes_on() {
    let mut town = Town::new();
    town.begin();
    let small = Part::Pay { per_mib_max: PER_MIB, limit: 5 * u128::from(PER_MIB) };
    town.wish(Who::Payer, Wish::End(SHARE.to_owned()));
    town.agree(Who::Payer, small);
    for _ in 0..3 {
        town.block();
    }
    town.meet();
    town.fetch(12 * MIB);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.units, deal.stopped.as_str()), (5 * u128::from(PER_MIB), "limit"));
    assert!(town.held && town.bytes < 12 * MIB);
    town.agree(Who::Payer, PAY);
    town.fetch(12 * MIB - town.bytes);
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.units, deal.stopped.as_str()), (12 * u128::from(PER_MIB), ""));
    assert_eq!(town.deal(Who::Payee).units, deal.units);
}

#[test]
fn who_begins_anew_goes_on_from_what_was_kept_and_nobody_loses() {
    let mut town = Town::new();
    town.begin();
    town.fetch(6 * MIB);
    let price = 6 * u128::from(PER_MIB);
    town.reload(Who::Payer);
    town.reload(Who::Payee);
    town.held = false;
    town.block();
    town.block();
    assert_eq!(town.deal(Who::Payer).units, price);
    assert_eq!(town.deal(Who::Payer).stage, Stage::On);
    town.meet();
    town.fetch(6 * MIB);
    let payer = town.deal(Who::Payer);
    assert_eq!(payer.units, 2 * price);
    assert_eq!(town.payee.purse.dues.len(), 1, "it is the same lane");
    assert_eq!(town.payee.purse.dues[0].promised, 2 * price);
    assert_eq!(town.deal(Who::Payee).units, 2 * price);
    assert_eq!(town.payer.purse.pools.len(), 1, "it is the same deposit");
}

#[test]
fn what_was_promised_at_an_earlier_visit_is_claimed_at_the_next() {
    let mut town = Town::new();
    town.begin();
    town.fetch(2 * MIB);
    let before = town.payee.purse.dues[0].clone();
    assert_eq!(before.redeemed, 0, "so little is not claimed at once");
    town.reload(Who::Payee);
    town.wish(Who::Payee, Wish::End(SHARE.to_owned()));
    for _ in 0..4 {
        town.block();
    }
    let due = town.payee.purse.dues[0].clone();
    assert_eq!((due.promised, due.redeemed), (before.promised, before.promised));
    let fees = town.fees[&account_of(2)];
    assert_eq!(town.balance(Who::Payee), GIFT + before.promised - fees);
}

#[test]
fn what_was_promised_to_an_account_waits_while_another_is_in_use() {
    let mut town = Town::new();
    assert_eq!(town.payee.purse.unclaimed(), None);
    town.begin();
    town.fetch(2 * MIB);
    let owed = town.payee.purse.unclaimed().unwrap();
    assert_eq!(owed.units, town.payee.purse.dues[0].promised);

    // Another account comes into use and goes; each finds its own payments again.
    town.payee.step(Input::Use([9; 32]));
    assert_eq!(town.payee.reopened, 1);
    let mut other = Rig::with(town.payee.ledger.clone(), town.payee.saved.clone());
    other.command(Command::UseDevice);
    assert_eq!((other.reopened, other.purse.unclaimed()), (1, None));
    town.payee.saved = other.saved;
    town.reload(Who::Payee);
    town.wish(Who::Payee, Wish::End(SHARE.to_owned()));
    assert_eq!(town.payee.purse.unclaimed().map(|again| again.units), Some(owed.units));
    for _ in 0..4 {
        town.block();
    }
    assert_eq!(town.payee.purse.unclaimed(), None);
    assert_eq!(town.payee.purse.dues[0].redeemed, owed.units);
}

#[test]
fn what_an_earlier_visit_was_promised_is_claimed_while_the_share_is_asked_for_still() {
    let mut town = Town::new();
    town.begin();
    town.fetch(2 * MIB);
    let before = town.payee.purse.dues[0].clone();
    assert_eq!(before.redeemed, 0, "so little is not claimed at once");
    town.reload(Who::Payee);
    for _ in 0..4 {
        town.block();
    }
    assert_eq!(town.deal(Who::Payee).stage, Stage::On);
    assert_eq!(town.payee.purse.dues[0].redeemed, before.promised);
}

#[test]
fn what_was_promised_before_a_reload_pays_for_nothing_that_comes_after() {
    let mut town = Town::new();
    town.begin();
    town.fetch(2 * MIB);
    town.reload(Who::Payee);
    town.held = false;
    // What was promised is handed in, but no block has it yet.
    assert_eq!(town.payee.purse.dues[0].redeemed, 0);
    town.tell(Who::Payer, Told::Down([2; 32].into()));
    town.meet();
    town.move_bytes(MIB);
    town.serve(12 * MIB);
    assert!(town.held && town.bytes <= 3 * MIB + MIB / 2, "{} bytes for one MiB", town.bytes);
}

#[test]
fn a_server_that_tells_another_pools_number_brings_about_no_second_deposit() {
    let mut town = Town::new();
    town.agree(Who::Payee, EARN);
    town.agree(Who::Payer, PAY);
    town.told_pool = Some(7_777);
    for _ in 0..6 {
        town.block();
    }
    assert_eq!((town.sent(PoolAct::Open), town.deal(Who::Payer).stage), (1, Stage::Opening));
    let number = town.payer.receipts.iter_mut().flat_map(|receipt| &mut receipt.events);
    number.filter_map(|event| event.numbers.first_mut()).for_each(|told| *told = 1);
    for _ in 0..6 {
        town.block();
    }
    assert_eq!((town.sent(PoolAct::Open), town.deal(Who::Payer).stage), (1, Stage::On));
    assert_eq!(town.payer.purse.pools.len(), 1);
}

#[test]
fn a_claim_that_an_earlier_visit_sent_is_not_made_twice() {
    let mut town = Town::new();
    town.begin();
    town.fetch(2 * MIB);
    let promised = town.payee.purse.dues[0].promised;
    town.wish(Who::Payee, Wish::End(SHARE.to_owned()));
    let claims = |town: &Town| {
        let sent = town.payee.saved.sent.iter();
        sent.filter(|sent| sent.pool == Some(PoolAct::Claim)).count()
    };
    assert_eq!(claims(&town), 1);
    // Before a block has it.
    town.reload(Who::Payee);
    // Longer than it takes to look after what is left.
    for _ in 0..40 {
        town.block();
    }
    assert_eq!(town.payee.purse.dues[0].redeemed, promised);
    assert_eq!(claims(&town), 1);
}

#[test]
fn a_pool_with_an_open_lane_is_closed_a_day_later() {
    let mut town = Town::new();
    town.begin();
    town.fetch(4 * MIB);
    let pool = town.payer.purse.pools[0].number;
    town.wish(Who::Payer, Wish::Close(pool));
    town.block();
    town.block();
    let proved = town.payer.purse.pools[0].proved.unwrap();
    assert!(proved.closing && proved.open_lanes == 1, "{proved:?}");
    assert_eq!(town.deal(Who::Payer).stage, Stage::Off);
    town.wish(Who::Payer, Wish::Close(pool));
    assert_eq!(town.payer.purse.refused, "early");
    for rig in [&mut town.payer, &mut town.payee] {
        rig.now_ms += DAY_MS;
    }
    // What is left to claim is claimed first.
    town.block();
    town.block();
    town.wish(Who::Payer, Wish::Close(pool));
    town.block();
    town.block();
    assert_eq!(town.payer.purse.pools, []);
}

#[test]
fn an_account_with_too_little_is_told_and_nothing_is_signed() {
    let mut town = Town::new();
    town.agree(Who::Payer, Part::Pay { per_mib_max: PER_MIB, limit: GIFT });
    town.block();
    let deal = town.deal(Who::Payer);
    assert_eq!((deal.stage, deal.stopped.as_str()), (Stage::Off, "too-much"));
    assert_eq!(town.payer.saved.sent, []);
}

#[test]
fn terms_are_read_from_any_bytes() {
    let mut town = Town::new();
    town.agree(Who::Payee, EARN);
    town.payee.command(Command::Purse(Wish::Told {
        share: SHARE.to_owned(),
        told: Told::Up([1; 32].into()),
    }));
    let said = town.payee.carried.iter().find_map(|carry| match carry {
        Carry::Say { frame, .. } => view::terms(frame),
        Carry::Hold { .. } | Carry::Tell { .. } | Carry::Greet | Carry::Parting(_) => None,
    });
    let said = said.unwrap();
    assert_eq!((said.per_mib, said.native, said.required), (PER_MIB, true, true));
    assert_eq!(said.account, account_of(2).to_string());
    assert_eq!(view::terms(&[0x82, 0x18, 0x20]), None);
    assert_eq!(view::terms(b"nonsense"), None);
}
