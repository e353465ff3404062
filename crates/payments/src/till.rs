//! The till itself: one `step`, every input.

use ledger::{AccountId, domains::paypool::Voucher};
use primitives::{PeerId, SortedMap, Time};
use wire::pay::{Keep, Lane, PayMessage, Stop, StopReason, is_payment};

use crate::{
    LaneProof, Setup, config,
    earning::{self, Credit},
    paying::{self, Debt, PayLane, Promised, Purse, Reserved},
};

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The wake time came; nothing else happened.
    Tick,
    /// Data channels to this peer are open both ways.
    Up(PeerId),
    /// They are gone.
    Down(PeerId),
    /// A frame about payment ([`is_payment`]), from a stranger: any bytes.
    Frame {
        /// Who sent it.
        from: PeerId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Bytes that moved between us since it came up, by the count of what carries them.
    Moved {
        /// Which neighbour.
        peer: PeerId,
        /// From it: verified.
        received: u64,
        /// From it: thrown away unchecked, through no fault of its own.
        spared: u64,
        /// To it.
        sent: u64,
    },
    /// The answer to [`Output::Reserve`]: the payee's lane as it is now; none: the ledger would not.
    Reserved {
        /// Whose lane.
        payee: AccountId,
        /// As it is now.
        lane: Option<Reserved>,
    },
    /// The answer to [`Output::Prove`]; none: it is not there, or nobody could be asked.
    Proved {
        /// Who says it is there.
        peer: PeerId,
        /// Which lane.
        lane: Lane,
        /// As the ledger holds it.
        proof: Option<LaneProof>,
    },
    /// The answer to [`Output::Claim`].
    Claimed {
        /// Whose voucher.
        peer: PeerId,
        /// Units of the lane that the ledger has paid, whoever claimed them; none: it could not be asked.
        redeemed: Option<u128>,
    },
    /// Nothing more comes: what is owed is promised, and no more than that is set aside.
    Whole,
    /// This peer leaves: what is owed is promised, what was promised is claimed.
    Leave,
    /// The person pays so many units in all from now on, if that is more than before. Who was told that the limit
    /// or the funds were used up is paid again.
    Limit(u128),
    /// What [`Till::allow`] bounded may go on: who was told that a limit was reached is paid again, as far as that and
    /// the limit go.
    GoOn,
    /// The person wants no more of it: as [`Input::Leave`], and neighbours are told that nothing more is paid or
    /// counted. The bytes go on.
    Stop,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send a frame on the control channel.
    Send {
        /// To whom.
        to: PeerId,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// Set units of the pool aside for a payee; answered by [`Input::Reserved`].
    Reserve {
        /// For whom.
        payee: AccountId,
        /// How many more.
        amount: u128,
    },
    /// Nothing in this payee's lane is counted on from now on, though nothing was given back: what is left in it is
    /// for whoever asks for units for this payee next, this till or another.
    Forget(AccountId),
    /// Look up a lane of our account, and its pool; answered by [`Input::Proved`].
    Prove {
        /// Who says it is there.
        peer: PeerId,
        /// Which.
        lane: Lane,
    },
    /// A neighbour leaves a voucher of which it is the payee, by its word: for the [`crate::keeping::Book`], where there is
    /// one. Nothing is answered.
    Entrusted {
        /// Who.
        from: PeerId,
        /// It.
        keep: Keep,
    },
    /// Hand a voucher to the ledger; answered by [`Input::Claimed`].
    Claim {
        /// Whose.
        peer: PeerId,
        /// It.
        voucher: Voucher,
    },
    /// Remember this in case the peer ends: it is the `used` of a lane that is filled again.
    Remember(Promised),
    /// Remember this in case the peer ends: the newest promise of a lane of ours, which replaces those before.
    Keep(Voucher),
    /// Serve this neighbour no more until it pays, or serve it again.
    Hold {
        /// Which.
        peer: PeerId,
        /// Not to be served.
        on: bool,
    },
    /// Something for the app to know.
    Event(Event),
}

/// What the app may want to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// So many more units are this neighbour's.
    Paid(PeerId, u128),
    /// So many more units of this neighbour are ours.
    Earned(PeerId, u128),
    /// The ledger was handed this neighbour's voucher: units of the lane that it has paid, if that is known.
    Claimed(PeerId, Option<u128>),
    /// One side stopped paying or counting: why.
    Stopped(PeerId, StopReason),
    /// It said something about payment that can't be read.
    Nonsense(PeerId),
}

/// What was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Paid {
    /// Units promised to all.
    pub promised: u128,
    /// Units set aside for all, promised or not.
    pub reserved: u128,
    /// Units for what came that are not promised yet, to neighbours that are here and paid.
    pub owed: u128,
}

/// What was earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Earned {
    /// Units that are sure.
    pub sure: u128,
    /// Of these, not yet claimed; of neighbours that are remembered.
    pub unclaimed: u128,
    /// Something is being claimed.
    pub claiming: bool,
}

/// See the crate's story.
#[derive(Debug)]
pub struct Till {
    setup: Setup,
    now: Time,
    accounts: SortedMap<PeerId, Account>,
    /// What is set aside, by the payee's account; of accounts above.
    lanes: SortedMap<AccountId, PayLane>,
    purse: Purse,
    sure: u128,
    leaving: bool,
    /// Nothing more comes.
    whole: bool,
    /// Nothing more is paid or counted.
    ended: bool,
}

/// One neighbour's.
#[derive(Debug, Default)]
struct Account {
    up: bool,
    /// When it went, if it is gone and its lane is counted on.
    went: Option<Time>,
    debt: Debt,
    credit: Credit,
    /// How many vouchers of others it left since then.
    keeps: (Time, u8),
}

impl Account {
    /// Whether one more is looked at.
    fn may_leave(&mut self, now: Time) -> bool {
        if now >= self.keeps.0 + core::time::Duration::from_secs(60) {
            self.keeps = (now, 0);
        }
        self.keeps.1 = self.keeps.1.saturating_add(1);
        self.keeps.1 <= config::KEEPS_A_MINUTE
    }
}

impl Till {
    /// A till with nothing in it.
    pub fn new(setup: Setup, now: Time) -> Self {
        let (accounts, lanes) = (SortedMap::new(), SortedMap::new());
        Self {
            setup,
            now,
            accounts,
            lanes,
            purse: Purse::default(),
            sure: 0,
            leaving: false,
            whole: false,
            ended: false,
        }
    }

    /// Whether it has anything to do with this frame.
    pub fn takes(frame: &[u8]) -> bool {
        is_payment(frame)
    }

    /// What was paid so far.
    pub fn paid(&self) -> Paid {
        let here = self.accounts.values().filter(|account| account.up);
        let owed = here.map(|account| account.debt.unpaid()).sum();
        Paid { promised: self.purse.promised, reserved: self.purse.reserved, owed }
    }

    /// From now on so many units may be promised, whatever the limit leaves: what a driver that has several tills
    /// gives to all of them together, said again before each step. None: there is no such bound.
    pub fn allow(&mut self, units: Option<u128>) {
        self.purse.allowed = units;
    }

    /// Whether somebody is paid no more because nothing more is allowed ([`Till::allow`]), until [`Input::GoOn`].
    pub const fn is_bound(&self) -> bool {
        self.purse.is_bound
    }

    /// Neighbours that are here and paid for what they give.
    pub fn payees(&self) -> usize {
        self.accounts.values().filter(|account| account.up && account.debt.is_paid()).count()
    }

    /// What was earned so far.
    pub fn earned(&self) -> Earned {
        let unclaimed = self.accounts.values().map(|account| account.credit.unclaimed()).sum();
        let claiming = self.accounts.values().any(|account| account.credit.is_claiming());
        Earned { sure: self.sure, unclaimed, claiming }
    }

    /// Takes one input at `now`, pushes what is to be done and says when to call again.
    ///
    /// Total: whatever a stranger, the ledger or the driver says, nothing panics.
    pub fn step(&mut self, now: Time, input: Input, out: &mut Vec<Output>) -> Time {
        self.now = self.now.max(now);
        self.take(input, out);
        self.forget_gone(out);
        for peer in self.accounts.keys().copied().collect::<Vec<_>>() {
            self.settle(peer, out);
            if self.ended {
                self.part(peer, out);
            }
        }
        let wake = self.accounts.values().map(|account| self.wake(account)).min();
        wake.unwrap_or(Time::NEVER).max(self.now + core::time::Duration::from_millis(1))
    }

    fn wake(&self, account: &Account) -> Time {
        let debt = &account.debt;
        let lane = debt.account().and_then(|payee| self.lanes.get(&payee));
        // Who leaves has promised already.
        let pay = if account.up && !self.leaving { debt.wake(lane) } else { Time::NEVER };
        let gone = account.went.map_or(Time::NEVER, |went| went + config::GONE);
        pay.min(gone).min(account.credit.wake(self.now))
    }

    fn take(&mut self, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Tick => {}
            Input::Up(peer) => self.on_up(peer, out),
            Input::Down(peer) => {
                if let Some(account) = self.accounts.get_mut(&peer) {
                    (account.up, account.went) = (false, Some(self.now));
                }
            }
            Input::Frame { from, bytes } => self.on_frame(from, &bytes, out),
            Input::Moved { peer, received, spared, sent } => {
                if let Some(account) = self.accounts.get_mut(&peer) {
                    account.debt.on_received(self.now, config::payable(received, spared));
                    account.credit.on_sent(sent);
                }
            }
            Input::Reserved { payee, lane } => self.on_reserved(payee, lane),
            Input::Proved { peer, lane, proof } => {
                let Some(account) = self.accounts.get_mut(&peer) else { return };
                let step = account.credit.on_proved(self.now, lane, proof, &self.setup);
                step.into_iter().for_each(|step| self.earn(peer, step, out));
            }
            Input::Claimed { peer, redeemed } => {
                if let Some(account) = self.accounts.get_mut(&peer) {
                    account.credit.on_claimed(self.now, redeemed);
                    out.push(Output::Event(Event::Claimed(peer, redeemed)));
                }
            }
            Input::Whole => self.whole = true,
            Input::Leave => self.leaving = true,
            Input::Limit(units) => self.on_limit(units),
            Input::GoOn if self.ended => {}
            Input::GoOn => self.pay_again(),
            Input::Stop => (self.leaving, self.ended) = (true, true),
        }
    }

    /// A neighbour that was here before goes on where it was.
    fn on_up(&mut self, peer: PeerId, out: &mut Vec<Output>) {
        if self.accounts.len() >= config::ACCOUNTS_MAX && !self.accounts.contains_key(&peer) {
            let done =
                |(_, account): &(&PeerId, &Account)| !account.up && account.credit.unclaimed() == 0;
            let Some(gone) = self.accounts.iter().find(done).map(|(peer, _)| *peer) else { return };
            let payee = self.accounts.remove(&gone).and_then(|account| account.debt.account());
            payee.into_iter().for_each(|payee| self.forget(payee, out));
            let payees: Vec<_> = self.accounts.values().map(|one| one.debt.account()).collect();
            self.lanes.retain(|payee, _| payees.contains(&Some(*payee)));
        }
        let account = self.accounts.entry(peer).or_default();
        (account.up, account.went) = (true, None);
        account.debt.again();
        account.credit.again(self.setup.earning.as_ref());
        if self.ended {
            return;
        }
        let step = account.credit.greet(&self.setup);
        step.into_iter().for_each(|step| self.earn(peer, step, out));
    }

    /// Lanes of who has been gone for long are counted on no more.
    fn forget_gone(&mut self, out: &mut Vec<Output>) {
        let mut payees = Vec::new();
        for account in self.accounts.values_mut() {
            if account.went.is_none_or(|went| went + config::GONE > self.now) {
                continue;
            }
            let payee = account.debt.account();
            let lane = payee.and_then(|payee| self.lanes.get(&payee));
            // Until the ledger has answered, another while.
            account.went = lane.filter(|lane| lane.is_asked()).map(|_| self.now);
            payees.extend(payee);
        }
        payees.into_iter().for_each(|payee| self.forget(payee, out));
    }

    /// Counts on a payee's lane no more, unless somebody is here or expected who has it.
    fn forget(&mut self, payee: AccountId, out: &mut Vec<Output>) {
        let has = |account: &Account| account.debt.account() == Some(payee);
        let waits = |account: &Account| account.up || account.went.is_some();
        if !self.accounts.values().any(|account| has(account) && waits(account)) {
            self.renew(payee, out);
        }
    }

    fn renew(&mut self, payee: AccountId, out: &mut Vec<Output>) {
        let lane = self.lanes.get_mut(&payee);
        if lane.is_some_and(|lane| lane.forget(&mut self.purse)) {
            out.push(Output::Forget(payee));
        }
    }

    fn on_limit(&mut self, units: u128) {
        let Some(paying) = &mut self.setup.paying else { return };
        if units > paying.spend_max && !self.ended {
            paying.spend_max = units;
            self.pay_again();
        }
    }

    fn pay_again(&mut self) {
        self.purse.is_bound = false;
        self.lanes.values_mut().for_each(PayLane::fill_again);
        self.accounts.values_mut().for_each(|account| account.debt.resume());
    }

    /// Tells a neighbour, once, that this is over.
    fn part(&mut self, peer: PeerId, out: &mut Vec<Output>) {
        let Some(account) = self.accounts.get_mut(&peer).filter(|account| account.up) else {
            return;
        };
        let (paid, earned) = (account.debt.part(), account.credit.part());
        paid.into_iter().for_each(|step| self.pay(peer, step, out));
        earned.into_iter().for_each(|step| self.earn(peer, step, out));
    }

    fn on_frame(&mut self, from: PeerId, bytes: &[u8], out: &mut Vec<Output>) {
        let Some(account) = self.accounts.get_mut(&from) else { return };
        let Ok(message) = PayMessage::decode(bytes) else {
            out.push(Output::Event(Event::Nonsense(from)));
            return;
        };
        match message {
            PayMessage::Terms(_) if self.ended => {}
            PayMessage::Terms(terms) => {
                let again = account.debt.is_stopped_by_them();
                let step = account.debt.on_terms(&self.setup, &terms);
                // Who asks again has perhaps settled and given its lane back.
                let payee = account.debt.account().filter(|_| again);
                payee.into_iter().for_each(|payee| self.renew(payee, out));
                step.into_iter().for_each(|step| self.pay(from, step, out));
            }
            PayMessage::Lane(lane) if self.setup.earning.is_some() => self.on_lane(from, lane, out),
            PayMessage::Promise(promise) => account.credit.on_promise(promise),
            PayMessage::Stop(stop) => {
                // Each side knows which of its two roles is meant.
                match stop.reason {
                    StopReason::Lane | StopReason::Promise => account.debt.on_stop(),
                    StopReason::Terms | StopReason::Limit | StopReason::Funds => {
                        account.credit.on_stop();
                    }
                }
                out.push(Output::Event(Event::Stopped(from, stop.reason)));
            }
            PayMessage::Keep(keep) if account.may_leave(self.now) => {
                out.push(Output::Entrusted { from, keep });
            }
            PayMessage::Lane(_) | PayMessage::Keep(_) => {}
        }
    }

    /// A lane is of one neighbour at a time: of several, each promise would count several times.
    fn on_lane(&mut self, from: PeerId, lane: Lane, out: &mut Vec<Output>) {
        let others = self.accounts.iter_mut().filter(|(peer, _)| **peer != from);
        let other = { others }.find(|(_, account)| account.credit.is_of(lane));
        let inherited = match other {
            Some((_, other)) if other.up => {
                let stop = PayMessage::Stop(Stop { reason: StopReason::Lane });
                return self.say(from, &stop, out);
            }
            // It has a new key.
            Some((_, other)) => Some(other.credit.hand_over()),
            None => None,
        };
        let Some(account) = self.accounts.get_mut(&from) else { return };
        let step = account.credit.on_lane(lane);
        if let Some(inherited) = inherited.filter(|_| step.is_none()) {
            account.credit.take_over(inherited);
        }
        step.into_iter().for_each(|step| self.earn(from, step, out));
    }

    fn on_reserved(&mut self, payee: AccountId, lane: Option<Reserved>) {
        let Some(known) = self.lanes.get_mut(&payee) else { return };
        match lane {
            Some(lane) => known.on_reserved(lane),
            None => known.on_not_reserved(self.now, &mut self.purse),
        }
    }

    fn settle(&mut self, peer: PeerId, out: &mut Vec<Output>) {
        let Some(account) = self.accounts.get_mut(&peer) else { return };
        let earned = account.credit.settle(self.now, self.leaving || !account.up, &self.setup);
        let paid = match (&self.setup.paying, account.debt.account()) {
            (Some(paying), Some(payee)) if account.up => {
                let mut till = paying::Till {
                    now: self.now,
                    leaving: self.leaving,
                    whole: self.whole,
                    chain: self.setup.chain,
                    paying,
                    purse: &mut self.purse,
                };
                account.debt.settle(&mut till, self.lanes.entry(payee).or_default())
            }
            _ => Vec::new(),
        };
        earned.into_iter().for_each(|step| self.earn(peer, step, out));
        paid.into_iter().for_each(|step| self.pay(peer, step, out));
    }

    fn pay(&mut self, peer: PeerId, step: paying::Step, out: &mut Vec<Output>) {
        match step {
            paying::Step::Say(message) => self.say(peer, &message, out),
            paying::Step::Reserve(payee, amount) => out.push(Output::Reserve { payee, amount }),
            paying::Step::Paid(units, promised) => {
                out.push(Output::Remember(promised));
                out.push(Output::Event(Event::Paid(peer, units)));
            }
        }
    }

    fn earn(&mut self, peer: PeerId, step: earning::Step, out: &mut Vec<Output>) {
        match step {
            earning::Step::Say(message) => self.say(peer, &message, out),
            earning::Step::Prove(lane) => out.push(Output::Prove { peer, lane }),
            earning::Step::Earned(units, voucher) => {
                self.sure = self.sure.saturating_add(units);
                out.push(Output::Keep(voucher));
                out.push(Output::Event(Event::Earned(peer, units)));
            }
            earning::Step::Hold(on) => out.push(Output::Hold { peer, on }),
            earning::Step::Claim(voucher) => out.push(Output::Claim { peer, voucher }),
        }
    }

    fn say(&self, to: PeerId, message: &PayMessage, out: &mut Vec<Output>) {
        if let PayMessage::Stop(stop) = message {
            out.push(Output::Event(Event::Stopped(to, stop.reason)));
        }
        if self.accounts.get(&to).is_some_and(|account| account.up) {
            out.push(Output::Send { to, bytes: message.encode_to_vec() });
        }
    }
}
