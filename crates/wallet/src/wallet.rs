//! The wallet itself: one `step`.

mod clock;
mod counted;
mod errands;
mod hosts;
mod leaving;
mod metering;
mod nearby;
mod opening;
mod owner;
mod paying;
mod proving;
mod sending;
mod settling;
mod showing;
mod succession;
mod watching;

use ledger::{AccountId, Action, AssetId, ChainId, Receipt, domains::accounts};
use light_client::{
    Event, Fault, Head, Input as Seen, LightClient, Output as Wanted, Question, RequestId,
    RootError, ServerId, Status, TrustRoot, Wake,
};
use minicbor::{Decode, Encode};
use primitives::{KeyPair, Seed, SortedMap};

use crate::{
    devices::Devices,
    explain,
    holdings::{Holdings, Record},
    near::Near,
    past::{Before, Past},
    purse::{Hour, Kept, Purse},
    servers::Servers,
    transfers::{Order, Sent, Transfers},
    view::{self, Command, Fate, Faucet, View},
    watch::Watch,
};

/// Final blocks that are shown.
const BLOCKS_SHOWN: usize = 20;
/// Final blocks of which it is counted who proposed them: two turns of as many validators as there may be.
const BLOCKS_COUNTED: usize = 200;
/// Most requests under way that are not the light client's.
const REQUESTS_MAX: usize = 64;
/// How often servers are asked what became of transfers and who sent some, in milliseconds.
const ASK_EVERY_MS: u64 = 2_000;
/// How long a record is not asked for again after who proved it is behind, in milliseconds.
const REST_MS: u64 = 1_000;

/// What was kept between visits.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Saved {
    /// The key's seed. Whoever has it has the account.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub seed: [u8; 32],
    /// The trust root, as text.
    #[n(1)]
    pub root: String,
    /// Whether a link pinned it.
    #[n(2)]
    pub pinned_by_link: bool,
    /// Servers beside the page's own.
    #[n(3)]
    pub servers: Vec<String>,
    #[n(4)]
    pub(crate) sent: Vec<Sent>,
    /// The account that is not in use. What was kept before there were two has none.
    #[n(5)]
    pub(crate) aside: Option<Aside>,
    /// The seed above follows from the person's own.
    #[n(6)]
    pub(crate) recoverable: Option<bool>,
    /// Which validators took over from the root's, and so on.
    #[n(7)]
    pub(crate) successors: Option<Vec<succession::Successor>>,
    /// What had been promised lately when accounts were changed last, by whichever.
    #[cbor(n(8), default)]
    pub(crate) hour: Hour,
    /// Servers that the page's host named last.
    #[cbor(n(9), default)]
    pub(crate) named: Vec<String>,
    /// Those of them that a person does not want.
    #[cbor(n(10), default)]
    pub(crate) unwanted: Vec<String>,
}

/// An account that is not in use.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Aside {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) seed: [u8; 32],
    #[n(1)]
    pub(crate) sent: Vec<Sent>,
}

/// Without the seed: what is printed is read by others.
impl core::fmt::Debug for Saved {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Saved").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Saved {
    /// A new account on a ledger.
    pub fn new(seed: [u8; 32], root: String, pinned_by_link: bool) -> Self {
        Self {
            seed,
            root,
            pinned_by_link,
            servers: Vec::new(),
            sent: Vec::new(),
            aside: None,
            recoverable: None,
            successors: None,
            hour: Hour::default(),
            named: Vec::new(),
            unwanted: Vec::new(),
        }
    }
}

/// Everything that can happen to a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input<'a> {
    /// The wake time came.
    Tick,
    /// A connection stands.
    Up(ServerId),
    /// It does not, or no more.
    Down(ServerId),
    /// A server sent a final header.
    Pushed(ServerId, &'a [u8]),
    /// An answer: a status of HTTP, the code of an error, the body. Status 0: there is none.
    Answered(RequestId, u16, &'a str, &'a [u8]),
    /// A person wants something.
    Command(Command),
    /// The page's own host names other hosts of this ledger, one a line.
    Named(&'a str),
    /// The account whose key is of this seed is to be used: it follows from the person's own.
    Use([u8; 32]),
}

/// Everything a wallet can ask of its driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a WebSocket to `<url>/ledger/ws`.
    Connect(ServerId, String),
    /// Close it.
    Hangup(ServerId),
    /// Ask by HTTP: GET, or POST where there is a body. The answer is to be CBOR.
    Ask {
        /// To be named with the answer.
        request: RequestId,
        /// What.
        url: String,
        /// What to send, if anything.
        body: Option<Vec<u8>>,
    },
    /// Keep this, in place of what was kept before: [`Saved`], as bytes.
    Save(Vec<u8>),
    /// What is shown changed.
    Show(Box<View>),
    /// What is watched, proved anew.
    Records(Box<view::Records>),
    /// Another account is used from now on: drop this wallet, and open one with what is kept.
    Reopen,
    /// Keep this of payments, in place of what was kept before, for [`Wallet::set_purse`]; before
    /// anything else of this step leaves the device.
    KeepPurse(Vec<u8>),
    /// What is shown of payments changed.
    Purse(Box<view::Purse>),
    /// The page is to do this in a share.
    Carry(view::Carry),
    /// What meters' registers showed, sealed: for the page to hand on.
    Letters(view::Letters),
}

/// What a request of the wallet's own is about.
#[derive(Debug, Clone, Copy)]
enum Errand {
    Submit(ledger::TransactionId),
    /// Of which transaction, and the block at which the server was when it was asked.
    Receipt(ledger::TransactionId, u64),
    Events,
    /// Those before a transaction.
    Older(Before),
    Faucet,
    /// A neighbour's transaction.
    Pass,
}

/// A wallet. See the crate's story.
#[derive(Debug)]
pub struct Wallet {
    key: KeyPair,
    saved: Saved,
    account: AccountId,
    devices: Devices,
    chain: ChainId,
    client: LightClient,
    servers: Servers,
    holdings: Holdings,
    transfers: Transfers,
    blocks: Vec<view::Block>,
    past: Past,
    faucet: Faucet,
    refused: String,
    errands: SortedMap<RequestId, Errand>,
    /// The light client counts its requests up from 0, the wallet its own down from the end.
    next: u64,
    asked_ms: u64,
    /// What a transfer costs, by the proved prices.
    fee: Option<u128>,
    /// When these were proved last.
    priced_ms: u64,
    /// The balance changed since servers were asked who did it.
    curious: bool,
    watch: Watch,
    purse: Purse,
    near: Near,
    now_ms: u64,
    wake: Wake,
    shown: Option<View>,
}

impl Wallet {
    /// A wallet as it was kept, or a new one. `origin` is the page's own server, `demo` whether it
    /// has a faucet.
    ///
    /// # Errors
    /// The trust root is none.
    pub fn new(
        saved: Saved,
        origin: &str,
        demo: bool,
        out: &mut Vec<Output>,
    ) -> Result<Self, RootError> {
        let root: TrustRoot = saved.root.parse()?;
        let key = KeyPair::from_seed(Seed::new(saved.seed));
        let chain = ChainId::new(*root.chain.as_bytes());
        let mut wallet = Self {
            account: AccountId::of_key(key.id()),
            devices: Devices::new(&saved.seed, chain),
            chain,
            client: succession::client(&root, &saved)?,
            servers: Servers::default(),
            holdings: Holdings::default(),
            transfers: Transfers { list: saved.sent.clone() },
            blocks: Vec::new(),
            past: Past::default(),
            faucet: if demo { Faucet::Ready } else { Faucet::None },
            refused: String::new(),
            errands: SortedMap::new(),
            next: u64::MAX,
            asked_ms: 0,
            fee: None,
            priced_ms: 0,
            curious: false,
            watch: Watch::default(),
            purse: Purse::of(Kept { hour: saved.hour.clone(), ..Kept::default() }),
            near: Near::default(),
            now_ms: 0,
            wake: None,
            shown: None,
            key,
            saved,
        };
        wallet.open_servers(origin, out);
        wallet.save(out);
        out.push(Output::Carry(view::Carry::Greet));
        Ok(wallet)
    }

    /// The account that it signs for.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// Takes one input; `now_ms` is the time of day.
    pub fn step(&mut self, now_ms: u64, input: Input<'_>, out: &mut Vec<Output>) -> Wake {
        if now_ms < self.now_ms {
            self.set_back(now_ms);
        }
        self.now_ms = now_ms;
        match input {
            Input::Tick => self.see(Seen::Tick, out),
            Input::Up(id) if self.servers.on_up(id) => {
                self.watch.on_up();
                self.see(Seen::Up(id), out);
            }
            Input::Up(_) => {}
            Input::Down(id) => {
                self.servers.on_down(id, now_ms);
                self.see(Seen::Down(id), out);
            }
            Input::Pushed(from, bytes) => self.see(Seen::Pushed { from, bytes }, out),
            Input::Answered(request, status, code, bytes) => {
                self.on_answer(request, status, code, bytes, out);
            }
            Input::Command(command) => self.on_command(command, out),
            Input::Named(hosts) => self.on_named(hosts, out),
            Input::Use(seed) => self.use_account(Some(seed), out),
        }
        if matches!(out.last(), Some(Output::Reopen)) {
            // From here on another account's: nothing more is signed or kept in this one's name.
            return None;
        }
        for (id, url) in self.servers.due(now_ms) {
            out.push(Output::Connect(id, url));
        }
        self.keep_near(out);
        self.prove_again(out);
        self.ask_now_and_then(out);
        self.ask_watched(out);
        self.run_purse(out);
        self.show(out);
        let asking = self.asking_ms();
        let (watching, paying) = (self.watch.wake(now_ms), self.purse_wake());
        let (again, near) = (self.holdings.again_ms, self.near_wake());
        let all = [self.wake, self.servers.wake(), asking, watching, paying, near, again];
        all.into_iter().flatten().min()
    }

    /// Hands something to the light client and does what follows.
    fn see(&mut self, input: Seen<'_>, out: &mut Vec<Output>) {
        let mut wanted = Vec::new();
        self.wake = self.client.step(self.now_ms, input, &mut wanted);
        for one in wanted {
            match one {
                Wanted::Ask { server, request, question } => {
                    self.ask(server, request, &question, out)
                }
                Wanted::Event(event) => self.on_event(event, out),
            }
        }
        for (id, height, _) in self.client.servers() {
            if let Some(server) = self.servers.list.iter_mut().find(|server| server.id == id) {
                server.height = height;
            } else if let Some(neighbour) = self.near.by_id(id) {
                neighbour.height = height;
            }
        }
    }

    fn ask(
        &mut self,
        server: ServerId,
        request: RequestId,
        question: &Question,
        out: &mut Vec<Output>,
    ) {
        if server.is_neighbour() {
            return self.ask_near(server, request, question, out);
        }
        let Some(server) = self.servers.get_mut(server) else { return };
        let path = match question {
            Question::Latest => "certificates/latest".to_owned(),
            Question::State(key) => format!("state/{}", explain::hex(key)),
            Question::Successions(after) => format!("successions?after={after}"),
        };
        out.push(Output::Ask { request, url: format!("{}/ledger/{path}", server.url), body: None });
    }

    fn on_event(&mut self, event: Event, out: &mut Vec<Output>) {
        match event {
            Event::Head(head) => self.on_head(&head, out),
            Event::Succeeded(next) => self.on_succeeded(next.height, out),
            Event::Proved(proved) if self.on_relayed(proved.query, Some(&proved), out) => {}
            Event::Proved(proved) if self.watch.on_proved(&proved) => self.holdings.proofs += 1,
            Event::Proved(proved) if self.purse.facts.on_proved(&proved, self.now_ms) => {}
            Event::Proved(proved) => {
                let height = proved.height;
                let Some(record) = Record::of(proved.query) else { return };
                let (before, shown) = (self.balance(), self.holdings.height(record));
                // A record of another version is as good as none.
                let _ = self.holdings.take(record, proved);
                self.curious |= self.balance() != before;
                match record {
                    Record::Account => self.settle(out),
                    Record::Params => self.on_priced(),
                    Record::Balance => {}
                }
                self.look_back(out);
                let behind = self.client.head().is_some_and(|head| head.header.height > height);
                if behind && record != Record::Params {
                    // Who is behind and says the same again is not asked at once.
                    if self.holdings.height(record) > shown {
                        self.prove(record, out);
                    } else {
                        let again_ms = self.now_ms.saturating_add(REST_MS);
                        self.holdings.again_ms = self.holdings.again_ms.or(Some(again_ms));
                    }
                }
            }
            Event::Unproved(query, _) if self.on_relayed(query, None, out) => {}
            // With the next block, or the next server, it is asked again.
            Event::Unproved(query, _) if self.purse.facts.on_unproved(query, self.now_ms) => {}
            Event::Unproved(query, _) => self.watch.on_unproved(query, self.now_ms),
            Event::Misbehaved(id, fault) => self.on_fault(id, fault, out),
            Event::Recovered(id, fault) => {
                self.servers.forgive(id, fault);
                self.near.forgive(id, fault);
            }
        }
    }

    fn on_fault(&mut self, id: ServerId, fault: Fault, out: &mut Vec<Output>) {
        if self.servers.blame(id, fault) {
            out.push(Output::Hangup(id));
        } else if !self.near.blame(id, fault) {
            return;
        }
        self.see(Seen::Down(id), out);
    }

    fn on_head(&mut self, head: &Head, out: &mut Vec<Output>) {
        let header = &head.header;
        self.blocks.insert(
            0,
            view::Block {
                height: header.height,
                name: header.name.to_string(),
                time_ms: header.time_ms,
                heard_ms: head.heard_ms,
                leader: explain::hex(&header.leader),
                round: header.view,
            },
        );
        self.blocks.truncate(BLOCKS_COUNTED);
        self.watch.on_block();
        for record in Record::ALL {
            if record != Record::Params || self.are_prices_old() {
                self.prove(record, out);
            }
        }
    }

    fn on_command(&mut self, command: Command, out: &mut Vec<Output>) {
        // A page watches by itself: what it said to the person before stays.
        if !matches!(command, Command::Watch(_) | Command::Purse(_) | Command::Near(_)) {
            self.refused.clear();
        }
        let signed = match command {
            Command::Send { to, units, asset } => self.send(&to, units, AssetId(asset), out),
            Command::Asset(action) => self.act_on_asset(&action, out),
            Command::SendNoted { to, units, note } => self.send_noted(&to, units, note, out),
            Command::Pool(action) => self.act_on_pool(&action, out),
            Command::Act { action, units } => self.act(&action, units, out),
            Command::Energy { action, units, meter, readers } => {
                self.act_in_community(&action, units, meter, &readers, out)
            }
            Command::Seal { readings, meter, readers } => {
                self.seal_again(&readings, meter, &readers, out)
            }
            Command::Did { action, units } => self.act_on_did(&action, units, out),
            Command::AddServer(url) => self.add_server(&url, out),
            Command::RemoveServer(url) => {
                self.remove_server(&url, out);
                Ok(())
            }
            Command::GiveUp(id) => self.give_up(&id, out),
            Command::Older => {
                self.past.want_older();
                Ok(())
            }
            Command::Faucet => {
                self.ask_faucet(out);
                Ok(())
            }
            Command::Watch(keys) => {
                self.watch.set(keys.into_iter().map(Into::into), self.now_ms);
                Ok(())
            }
            Command::UseDevice => return self.use_account(None, out),
            Command::Purse(wish) => return self.on_wish(wish),
            Command::Near(told) => return self.on_near(told, out),
        };
        if let Err(why) = signed {
            why.clone_into(&mut self.refused);
        }
    }

    fn ask_faucet(&mut self, out: &mut Vec<Output>) {
        let url = self.servers.list.first().map(|server| server.url.clone());
        let path = url.map(|url| format!("{url}/ledger/faucet/{}", self.account));
        if let Some(url) = path.filter(|_| self.faucet != Faucet::None) {
            self.faucet = Faucet::Asked;
            self.errand(Errand::Faucet, url, Some(Vec::new()), out);
        }
    }

    /// Signs and sends. The errors are codes that the page puts into words.
    fn send(
        &mut self,
        to: &str,
        units: u128,
        asset: AssetId,
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        let to = self.payee(to, units)?;
        let transfer = accounts::Action::Transfer { asset, to, amount: units };
        if asset != AssetId::NATIVE {
            return self.send_other(transfer, to, out);
        }
        let order = self.order(Action::Accounts(transfer), to, units)?;
        self.dispatch(&order, self.fee.ok_or("not-fresh")?, out)
    }

    /// Signs, keeps and tells, if the proved balance bears it.
    fn dispatch(
        &mut self,
        order: &Order,
        fee: u128,
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        if self.client.status() != Status::Fresh {
            return Err("not-fresh");
        }
        if self.keys().is_some() {
            return Err("keys");
        }
        let balance = self.holdings.balance.as_ref().ok_or("not-fresh")?.value;
        let needed =
            order.units.checked_add(fee).and_then(|sum| sum.checked_add(self.transfers.outgoing()));
        if balance.frozen || needed.is_none_or(|needed| needed > balance.amount) {
            return Err("too-much");
        }
        let sent = self.transfers.sign(&self.key, self.chain, order, fee);
        // Kept before it is told: a transfer that nobody remembers would be made again.
        self.save(out);
        self.submit(&sent, out);
        Ok(())
    }

    fn balance(&self) -> Option<u128> {
        self.holdings.balance.as_ref().map(|known| known.value.amount)
    }

    fn save(&mut self, out: &mut Vec<Output>) {
        self.saved.sent.clone_from(&self.transfers.list);
        out.push(Output::Save(view::to_bytes(&self.saved)));
    }
}
