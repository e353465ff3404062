//! Deposits and tills: what a person said of shares becomes what the ledger is asked.

use ledger::{
    Action, AssetId, Body,
    domains::paypool::{self, Pool, Voucher},
};
use payments::{Earning, Input as TillInput, Paying, Setup, Till};
use primitives::{KeyPair, PeerId, Seed, Time, sha256};

use super::{Output, Wallet};
use crate::{
    purse::{self, Close, Closing, Deal, Ending, NAME_BYTES_MAX, Running},
    transfers,
    view::{self, Fate, Part, PoolAct, Stage, Told, Wish},
};

/// How long a pool lives, and how much life is too little to pay from it.
pub(super) const TTL_S: u64 = 7 * 86_400;
const LEFT_LEAST_S: u64 = 86_400;
/// Vouchers worth more than so many times what a claim costs are handed in at once.
const CLAIM_TIMES: u128 = 10;
/// Most units that a transaction for payments may cost.
pub(super) const FEE_MAX: u128 = 1_000_000;
/// How often a deposit is tried to be made larger before the person is told.
const FUND_TRIES_MAX: u8 = 3;
/// Longest name of a share, in bytes.
const SHARE_BYTES_MAX: usize = 128;
/// Most rounds of questions and answers at a time.
const ROUNDS_MAX: usize = 32;
/// How often what is shown of pools and lanes is proved anew, in milliseconds.
const REFRESH_MS: u64 = 10_000;

/// How far a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Open,
    /// It is in this block or an earlier one: done or refused.
    InBlock(u64),
    /// No block takes it any more.
    Lost,
}

impl Wallet {
    /// What is to be remembered of payments, as [`Output::KeepPurse`] gave it.
    pub fn set_purse(&mut self, bytes: &[u8]) {
        let Some(mut kept) = view::read::<purse::Kept>(bytes) else { return };
        kept.hour.merge(&self.purse.kept.hour);
        // Its receipt was read and not kept: it is asked for once more.
        let opening = kept.opening.and_then(|id| self.transfers.get_mut(&id));
        if let Some(sent) = opening.filter(|sent| matches!(sent.fate, Fate::Done | Fate::Refused)) {
            sent.fate = Fate::Final;
        }
        self.purse = purse::Purse::of(kept);
    }

    pub(super) fn on_wish(&mut self, wish: Wish) {
        if !matches!(wish, Wish::Told { .. } | Wish::Cap(_) | Wish::HandIn(_)) {
            self.purse.refused.clear();
        }
        self.purse.now_ms = self.now_ms;
        match wish {
            Wish::Deal { share, name, part } => self.on_deal(share, name, part),
            Wish::End(share) => self.purse.end(&share, "person"),
            Wish::Settle { pool, epoch } => self.on_settle(pool, epoch),
            Wish::Close(pool) => self.on_close(pool),
            Wish::Told { share, told } => self.on_told(&share, told),
            Wish::Cap(units) => self.purse.cap(units),
            Wish::HandIn(on) => self.purse.left.on = on,
        }
    }

    fn on_told(&mut self, share: &str, told: Told) {
        let peer = |bytes: minicbor::bytes::ByteArray<32>| PeerId::new(*bytes);
        self.purse.left.hear(&told);
        let input = match told {
            Told::Up(up) => TillInput::Up(peer(up)),
            Told::Down(down) => TillInput::Down(peer(down)),
            Told::Frame(from, bytes) => TillInput::Frame { from: peer(from), bytes: bytes.into() },
            Told::Moved(with, received, spared, sent) => {
                TillInput::Moved { peer: peer(with), received, spared, sent }
            }
            Told::Whole => {
                self.purse.on_whole(share);
                TillInput::Whole
            }
        };
        self.purse.step(share, input);
    }

    fn on_deal(&mut self, share: String, mut name: String, part: Part) {
        let bad = share.is_empty() || share.len() > SHARE_BYTES_MAX;
        let nothing = match part {
            Part::Pay { per_mib_max, limit } => per_mib_max == 0 || limit == 0,
            Part::Earn { per_mib, .. } => per_mib == 0,
        };
        if bad || nothing {
            "nothing".clone_into(&mut self.purse.refused);
            return;
        }
        if matches!(part, Part::Pay { .. }) && self.purse.kept.hour.cap() == 0 {
            // No deposit for what is not to be paid.
            purse::HOUR.clone_into(&mut self.purse.refused);
            return;
        }
        let end = (0..=NAME_BYTES_MAX).rev().find(|end| name.is_char_boundary(*end));
        name.truncate(end.unwrap_or_default());
        self.purse.fund_tries = 0;
        self.purse.is_new = true;
        if matches!(part, Part::Pay { .. }) {
            self.forget_given_up();
        }
        let running = self.purse.tills.contains_key(&share);
        if let (Part::Pay { limit, .. }, true) = (part, running)
            && let Some(deal) = self.purse.kept.deal(&share)
            && let Part::Pay { limit: before, .. } = &mut deal.part
        {
            // The same till goes on with a higher limit, once that is deposited.
            *before = limit.max(*before);
            deal.funded = false;
            return;
        }
        self.purse.end(&share, "person");
        let deal = Deal {
            share,
            name,
            part,
            stage: Stage::Opening,
            units: 0,
            reserved: 0,
            funded: matches!(part, Part::Earn { .. }),
            stopped: String::new(),
        };
        if !self.purse.kept.add_deal(deal) {
            "many".clone_into(&mut self.purse.refused);
        }
    }

    fn on_close(&mut self, pool: u64) {
        let is_ours = self.purse.kept.pools.contains(&pool);
        if !is_ours || self.purse.closes.iter().any(|close| close.pool == pool) {
            return;
        }
        if self.purse.kept.pools.last() == Some(&pool) {
            let pays = |deal: &&Deal| matches!(deal.part, Part::Pay { .. });
            let over = self.purse.kept.deals.iter().filter(pays).filter(|d| d.stage != Stage::Off);
            for share in over.map(|deal| deal.share.clone()).collect::<Vec<_>>() {
                self.purse.end(&share, "person");
            }
        }
        let stage = Closing::Look(self.purse.height);
        self.purse.closes.push(Close { pool, stage });
    }

    /// Works off what tills and people want, as far as what is proved allows.
    pub(super) fn run_purse(&mut self, out: &mut Vec<Output>) {
        self.purse.now_ms = self.now_ms;
        self.purse.height = self.client.head().map_or(0, |head| head.header.height);
        for _ in 0..ROUNDS_MAX {
            let before = self.purse.answers;
            self.fund(out);
            self.open_tills();
            self.purse.tick();
            self.purse.go_on();
            self.purse.end_over();
            self.settle_purse(out);
            self.keep_for_others(out);
            if self.purse.answers == before {
                break;
            }
        }
        self.refresh();
        while let Some((query, key)) = self.purse.facts.next(self.now_ms) {
            self.see(light_client::Input::Prove { query, key: &key }, out);
        }
        self.flush(out);
    }

    /// When that is to be done again, if nothing happens before.
    pub(super) fn purse_wake(&self) -> Option<u64> {
        let tills = self.purse.tills.values().map(|running| running.wake);
        let tills = tills
            .filter(|wake| *wake != Time::NEVER)
            .map(|wake| wake.as_us().div_ceil(1_000).saturating_sub(self.purse.shift_ms));
        let waits = self.purse.proves.iter().map(|prove| prove.until_ms);
        let waits = waits.chain(self.purse.reserves.iter().map(|reserve| reserve.until_ms));
        let ends = self.purse.tills.values().filter_map(|running| running.ending.as_ref());
        let waits = waits.chain(ends.map(Ending::due_ms)).chain(self.purse.again_ms());
        let waits = waits.filter(|until| *until > self.now_ms);
        tills.chain(waits).chain(self.purse.facts.wake(self.now_ms)).min()
    }

    /// The newest block's time, in seconds.
    pub(super) fn ledger_now_s(&self) -> u64 {
        self.client.head().map_or(0, |head| head.header.time_ms / 1_000)
    }

    pub(super) fn progress(&self, id: ledger::TransactionId) -> Progress {
        let sent = self.transfers.list.iter().find(|sent| sent.id == id);
        match sent.map(|sent| sent.fate) {
            Some(Fate::Sending | Fate::Waiting) => Progress::Open,
            // A server may have kept it all the same: it ends with its number, or when it expires.
            Some(Fate::GivenUp) if sent.is_some_and(|one| one.pool == Some(PoolAct::Open)) => {
                Progress::Open
            }
            // Something else may have used its number: what is proved says what it came to.
            Some(Fate::Final | Fate::Done | Fate::Refused | Fate::Replaced) => {
                Progress::InBlock(self.account_height())
            }
            Some(Fate::Expired | Fate::GivenUp) | None => Progress::Lost,
        }
    }

    /// Whether no block has a transaction of this kind yet that was sent.
    pub(super) fn is_under_way(&self, kind: PoolAct) -> bool {
        self.transfers.list.iter().any(|sent| sent.pool == Some(kind) && sent.is_open())
    }

    /// The block as of which the account is known: what was sent before and is not under way is in it.
    pub(super) fn account_height(&self) -> u64 {
        self.holdings.account.as_ref().map_or(0, |known| known.height)
    }

    /// Signs and sends. `units` of the account go into it beside the fee.
    pub(super) fn pool_act(
        &mut self,
        action: paypool::Action,
        kind: PoolAct,
        units: u128,
        out: &mut Vec<Output>,
    ) -> Result<ledger::TransactionId, &'static str> {
        if self.is_under_way(kind) {
            // Perhaps of an earlier visit: the same again would be refused.
            return Err("not-fresh");
        }
        let mut order = self.order(Action::Paypool(action), self.account, units)?;
        order.pool = Some(kind);
        let params = self.holdings.params.as_ref().ok_or("not-fresh")?;
        let fee = transfers::fee(&self.key, self.chain, params, &order).ok_or("action")?;
        if fee > FEE_MAX {
            return Err("fee");
        }
        self.dispatch(&order, fee, out)?;
        self.transfers.list.last().map(|sent| sent.id).ok_or("action")
    }

    /// The key of vouchers: one of its own, so that the account's signs nothing while bytes come.
    pub(super) fn voucher_key(&self) -> KeyPair {
        let seed = sha256(&[b"starling/voucher-key/v1".as_slice(), &self.saved.seed].concat());
        KeyPair::from_seed(Seed::new(*seed.as_bytes()))
    }

    pub(super) fn is_ours(&self, pool: &Pool) -> bool {
        pool.payer == self.account
            && pool.signer == self.voucher_key().id()
            && pool.asset == AssetId::NATIVE
    }

    /// Makes the deposits that deals need, one transaction at a time.
    fn fund(&mut self, out: &mut Vec<Output>) {
        if let Some(id) = self.purse.kept.opening {
            return self.on_opening(id);
        }
        if let Some(id) = self.purse.funding {
            match self.progress(id) {
                Progress::Open => return,
                Progress::InBlock(height) => self.purse.funded_at = height,
                Progress::Lost => {}
            }
            self.purse.funding = None;
        }
        if self.purse.height == 0 || !self.purse.kept.deals.iter().any(purse::is_unfunded) {
            return;
        }
        if self.purse.funded_at == 0 {
            // A pool that is not there yet in an older block would be made anew.
            self.purse.funded_at = self.purse.height;
        }
        let wanted = self.purse.kept.deals.iter().map(purse::committed);
        let wanted = wanted.fold(0, u128::saturating_add);
        let Some(number) = self.purse.kept.pools.last().copied() else {
            return self.open_pool(wanted, out);
        };
        let Some(known) = self.purse.facts.pool(number, self.purse.funded_at) else { return };
        match known.value {
            Some(pool) if !self.is_ours(&pool) => {
                // A server told another number than that of our pool.
                self.purse.kept.drop_pool(number);
                self.purse.fail_unfunded("deposit");
            }
            Some(pool) if pool.is_open(self.ledger_now_s()) => {
                self.fill_pool(number, &pool, wanted, out);
            }
            Some(_) => self.open_pool(wanted, out),
            None => {
                self.purse.kept.drop_pool(number);
                self.purse.is_new = true;
                self.purse.answers += 1;
            }
        }
    }

    fn fill_pool(&mut self, pool: u64, known: &Pool, wanted: u128, out: &mut Vec<Output>) {
        let lacking = wanted.saturating_sub(known.free);
        if lacking > 0 {
            let more = paypool::Action::TopUp { pool, amount: lacking };
            self.purse.funding = self.try_fund(more, PoolAct::TopUp, lacking, out);
        } else if known.expiry_s.saturating_sub(self.ledger_now_s()) < LEFT_LEAST_S {
            let longer = paypool::Action::Extend { pool, ttl_s: TTL_S };
            self.purse.funding = self.try_fund(longer, PoolAct::Extend, 0, out);
        } else {
            self.on_funded();
        }
    }

    /// Sends a transaction for a deposit; none: not yet, or it can't be and the person is told.
    pub(super) fn try_fund(
        &mut self,
        action: paypool::Action,
        kind: PoolAct,
        units: u128,
        out: &mut Vec<Output>,
    ) -> Option<ledger::TransactionId> {
        if self.purse.fund_tries >= FUND_TRIES_MAX {
            self.purse.fail_unfunded("deposit");
            return None;
        }
        match self.pool_act(action, kind, units, out) {
            Ok(id) => {
                self.purse.fund_tries += 1;
                Some(id)
            }
            Err("not-fresh") => None,
            Err(why) => {
                self.purse.fail_unfunded(why);
                None
            }
        }
    }

    /// What deals need is deposited: those that wait begin, those that run get their higher limit.
    fn on_funded(&mut self) {
        let mut raised = Vec::new();
        for deal in self.purse.kept.deals.iter_mut().filter(|deal| purse::is_unfunded(deal)) {
            deal.funded = true;
            raised.extend(match deal.part {
                Part::Pay { limit, .. } => Some((deal.share.clone(), limit)),
                Part::Earn { .. } => None,
            });
        }
        for (share, limit) in raised {
            let before = self.purse.tills.get(&share).map_or(0, |running| running.before);
            self.purse.step(&share, TillInput::Limit(limit.saturating_sub(before)));
            if let Some(deal) = self.purse.kept.deal(&share) {
                deal.stopped.clear();
            }
        }
        self.purse.is_new = true;
        self.purse.answers += 1;
    }

    fn open_tills(&mut self) {
        let opening = self.purse.kept.deals.iter().filter(|deal| deal.stage == Stage::Opening);
        for deal in opening.cloned().collect::<Vec<_>>() {
            let setup = match deal.part {
                Part::Earn { per_mib, required } => self.earning(per_mib, required),
                Part::Pay { .. } if deal.funded && self.is_pool_over() => {
                    self.purse.end(&deal.share, "funds");
                    continue;
                }
                Part::Pay { per_mib_max, limit } if deal.funded => {
                    self.paying(per_mib_max, limit.saturating_sub(deal.units))
                }
                Part::Pay { .. } => None,
            };
            let Some(setup) = setup else { continue };
            let till = Till::new(setup, self.purse.now());
            self.purse.opened_tills += 1;
            let (number, before) = (self.purse.opened_tills, deal.units);
            let (lanes, proved) = (Vec::new(), Vec::new());
            let ending = match deal.part {
                Part::Pay { .. } => Some(Ending { alone_ms: self.now_ms, whole_by_ms: None }),
                Part::Earn { .. } => None,
            };
            let wake = Time::NEVER;
            let running = Running { till, wake, number, before, lanes, proved, ending };
            self.purse.tills.insert(deal.share.clone(), running);
            if let Some(deal) = self.purse.kept.deal(&deal.share) {
                deal.stage = Stage::On;
            }
            self.purse.is_new = true;
        }
    }

    /// Whether the pool that is paid from takes nothing more, as proved.
    fn is_pool_over(&self) -> bool {
        let Some(pool) = self.purse.kept.pools.last() else { return true };
        let (known, now_s) = (self.purse.facts.known_pool(*pool), self.ledger_now_s());
        known.is_some_and(|known| known.value.as_ref().is_none_or(|pool| !pool.is_open(now_s)))
    }

    fn earning(&self, per_mib: u64, required: bool) -> Option<Setup> {
        let cost = self.claim_cost()?;
        let earning = Earning {
            account: self.account,
            asset: AssetId::NATIVE,
            per_mib,
            required,
            claim_from: cost.saturating_mul(CLAIM_TIMES),
            claim_least: cost,
        };
        Some(Setup { chain: self.chain, paying: None, earning: Some(earning) })
    }

    fn paying(&mut self, per_mib_max: u64, spend_max: u128) -> Option<Setup> {
        let pool = self.purse.kept.pools.last().copied()?;
        let known = self.purse.facts.pool(pool, 1)?;
        let is_open = known.value.is_some_and(|pool| pool.is_open(self.ledger_now_s()));
        let (asset, signer) = (AssetId::NATIVE, self.voucher_key());
        let paying = Paying { pool, asset, signer, per_mib_max, spend_max };
        is_open.then_some(Setup { chain: self.chain, paying: Some(paying), earning: None })
    }

    /// Most units that a claim of one voucher costs.
    pub(super) fn claim_cost(&self) -> Option<u128> {
        // Numbers of as many bytes as any.
        let (most, units) = (u64::MAX, u128::from(u64::MAX));
        let voucher = Voucher {
            pool: most,
            payee: self.account,
            epoch: u32::MAX,
            cumulative: units,
            signature: [0xff; 64],
        };
        self.most(paypool::Action::Claim { vouchers: vec![voucher] })
    }

    pub(super) fn most(&self, action: paypool::Action) -> Option<u128> {
        let params = self.holdings.params.as_ref()?;
        let body = Body::new(self.chain, self.account, u64::MAX, Action::Paypool(action));
        Some(body.cost(params).min(FEE_MAX))
    }

    /// What is shown is proved anew now and then.
    fn refresh(&mut self) {
        let due = self.now_ms.saturating_sub(self.purse.refreshed_ms) >= REFRESH_MS;
        if !due || self.purse.height == 0 {
            return;
        }
        self.purse.refreshed_ms = self.now_ms;
        let height = self.purse.height;
        let open = self.purse.kept.vouchers.iter().filter(|one| !one.closed);
        let others: Vec<u64> = open.map(|one| one.voucher.pool).collect();
        for pool in self.purse.kept.pools.clone() {
            self.purse.facts.want(purse::About::Pool(pool), height);
        }
        for pool in others {
            self.purse.facts.want(purse::About::Pool(pool), height);
            self.purse.facts.want(purse::About::Lane(pool, self.account), height);
        }
    }

    /// What is kept comes first: nothing is told to anybody that would be forgotten.
    fn flush(&mut self, out: &mut Vec<Output>) {
        if std::mem::take(&mut self.purse.is_new) {
            out.push(Output::KeepPurse(view::to_bytes(&self.purse.kept)));
        }
        out.extend(self.purse.carries.drain(..).map(Output::Carry));
        let shown = self.shown_purse();
        if self.purse.shown.as_ref() != Some(&shown) {
            self.purse.shown = Some(shown.clone());
            out.push(Output::Purse(Box::new(shown)));
        }
    }
}
