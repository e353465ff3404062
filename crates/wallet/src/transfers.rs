//! What was sent, what it costs, and what became of it.

use ledger::{
    AccountId, Action, Body, ChainId, Params, Prefix, Receipt, TransactionId,
    domains::{energy, lending},
};
use minicbor::{Decode, Encode};
use primitives::KeyPair;

use crate::{
    holdings::Pair,
    view::{Act, Fate, PoolAct},
};

/// Most transfers remembered, beside readings of late.
const SENT_MAX: usize = 200;
/// Most transactions with readings remembered while something else could be said of their slots: twice as many as a
/// meter has slots in the longest window, and some.
const SPOKEN_MAX: usize = 600;
/// How long after it was signed something else could be said of a slot: three days, the longest window, and the slot
/// itself. What is read has ended.
const SPOKEN_MS: u64 = 289 * energy::SLOT_S * 1_000;
/// Blocks in which a transfer may be.
const EXPIRY_BLOCKS: u64 = 1_000;
/// First wait before something is tried again, in milliseconds. Each is twice the one before.
const TRY_FIRST_MS: u64 = 2_000;
/// Longest wait before one is told again to servers that did not take it, in milliseconds.
pub(crate) const TOLD_LONGEST_MS: u64 = 32_000;
/// Longest wait before it is asked again what became of one, in milliseconds.
pub(crate) const ASKED_LONGEST_MS: u64 = 1_024_000;
/// Questions after which it is believed that servers have no receipt of one: within 14 seconds. One may be a block
/// behind what it says of itself, or pass questions on to such a one.
const UNKNOWN_TRIES: u32 = 4;
/// Most questions in a visit for what became of one: an hour and a half of them. A server that forgets old blocks
/// never knows.
const RECEIPT_TRIES_MAX: u32 = 14;

/// A transfer sent from here.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Sent {
    #[n(0)]
    pub(crate) id: TransactionId,
    #[n(1)]
    pub(crate) to: AccountId,
    #[n(2)]
    pub(crate) units: u128,
    #[n(3)]
    pub(crate) fee: u128,
    #[n(4)]
    pub(crate) nonce: u64,
    #[n(5)]
    pub(crate) expiry_height: u64,
    #[n(6)]
    pub(crate) signed_ms: u64,
    #[n(7)]
    pub(crate) fate: Fate,
    #[n(8)]
    pub(crate) height: u64,
    #[n(9)]
    pub(crate) took_ms: u64,
    /// To be told to servers again.
    #[cbor(n(10), with = "minicbor::bytes")]
    pub(crate) bytes: Vec<u8>,
    /// Of actions on a market. What was kept before there were any has none.
    #[n(11)]
    pub(crate) act: Option<Act>,
    /// Of actions on a pool of payments.
    #[n(12)]
    pub(crate) pool: Option<PoolAct>,
    /// The block at which the balance proves that it was done.
    #[n(13)]
    pub(crate) by_balance: Option<u64>,
    /// The note whose hash it carries. What was kept before has none.
    #[n(14)]
    pub(crate) note: Option<String>,
    /// The block at which the account's number is proved to be used. What was kept before has none.
    #[n(15)]
    pub(crate) counted: Option<u64>,
    /// A server took it, or neighbours were told it, who say nothing to that. What was kept before has none.
    #[n(16)]
    pub(crate) taken: Option<bool>,
    #[cbor(skip)]
    pub(crate) tries: Tries,
}

/// What was tried with one in this visit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tries {
    pub(crate) count: u32,
    /// When it was tried last, and how long the wait is from then.
    tried_ms: u64,
    wait_ms: u64,
    /// Why a server did not take it: the error's code, and the refusal's number.
    pub(crate) unwanted: Option<(String, u16)>,
}

impl Tries {
    /// One more: the next one is after twice as long.
    pub(crate) fn note(&mut self, now_ms: u64, longest_ms: u64) {
        let doubled_ms = TRY_FIRST_MS.saturating_mul(1 << self.count.min(16));
        (self.tried_ms, self.wait_ms) = (now_ms, doubled_ms.min(longest_ms));
        self.count = self.count.saturating_add(1);
    }

    const fn are_over(&self) -> bool {
        self.count >= RECEIPT_TRIES_MAX
    }

    /// When the next one is due; at once where the clock was set back.
    fn due_ms(&self, now_ms: u64) -> u64 {
        if now_ms < self.tried_ms { 0 } else { self.tried_ms.saturating_add(self.wait_ms) }
    }
}

impl Sent {
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.fate, Fate::Sending | Fate::Waiting)
    }

    /// When it is to be told to servers that have not taken it; none: never.
    pub(crate) fn told_ms(&self, now_ms: u64) -> Option<u64> {
        (self.fate == Fate::Sending).then(|| self.tries.due_ms(now_ms))
    }

    /// When it is to be asked what became of it; none: it is known, or nobody knew it for long.
    pub(crate) fn asked_ms(&self, now_ms: u64) -> Option<u64> {
        let is_open = matches!(self.fate, Fate::Final | Fate::Replaced);
        (is_open && !self.tries.are_over()).then(|| self.tries.due_ms(now_ms))
    }

    /// Its number was used, and no server has a word of what became of it, or none will be asked any more.
    pub(crate) fn is_untold(&self) -> bool {
        self.fate == Fate::Replaced || (self.fate == Fate::Final && self.tries.are_over())
    }

    /// Whether a meter said something in it of slots that may still be read: what else it says of them must not
    /// contradict that, whatever became of it.
    fn speaks(&self, now_ms: u64) -> bool {
        let is_late = now_ms.saturating_sub(self.signed_ms) > SPOKEN_MS;
        let is_ours = |act: &&Act| act.domain == Some(Prefix::Energy.byte());
        let act = self.act.as_ref().filter(|act| !is_late && is_ours(act));
        let action = act.and_then(|act| minicbor::decode::<energy::Action>(&act.action).ok());
        matches!(action, Some(energy::Action::Read { .. }))
    }
}

/// All of them, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    pub(crate) list: Vec<Sent>,
}

impl Transfers {
    /// Units on their way out, fees included.
    pub(crate) fn outgoing(&self) -> u128 {
        let open = self.list.iter().filter(|sent| sent.is_open());
        open.map(|sent| sent.units.saturating_add(sent.fee)).fold(0, u128::saturating_add)
    }

    /// The next transfer's number: the first that nothing on its way has. Behind one that is left out nothing else
    /// gets into a block.
    pub(crate) fn nonce(&self, proved: u64) -> u64 {
        let open = self.list.iter().filter(|sent| sent.is_open());
        let mut used: Vec<u64> = open.map(|sent| sent.nonce).collect();
        used.sort_unstable();
        let after = |next: u64, used: u64| if used == next { next.saturating_add(1) } else { next };
        used.into_iter().fold(proved, after)
    }

    /// Signs one and remembers it.
    pub(crate) fn sign(&mut self, key: &KeyPair, chain: ChainId, order: &Order, fee: u128) -> Sent {
        let body = body(key, chain, order, fee);
        let (id, expiry_height) = (body.id(), body.expiry_height);
        let sent = Sent {
            id,
            to: order.to,
            units: order.units,
            fee,
            nonce: order.nonce,
            expiry_height,
            signed_ms: order.now_ms,
            fate: Fate::Sending,
            height: 0,
            took_ms: 0,
            bytes: body.sign(key).to_bytes(),
            act: order.act.clone(),
            pool: order.pool,
            by_balance: None,
            note: order.note.clone(),
            counted: None,
            taken: None,
            tries: Tries::default(),
        };
        self.list.push(sent.clone());
        self.trim(order.now_ms);
        sent
    }

    /// Forgets the oldest beyond those that are remembered: readings of late make no room for what comes after them.
    fn trim(&mut self, now_ms: u64) {
        if self.list.len() <= SENT_MAX {
            return;
        }
        let speak: Vec<bool> = self.list.iter().map(|sent| sent.speaks(now_ms)).collect();
        let spoken = speak.iter().filter(|speaks| **speaks).count();
        let mut spoken_over = spoken.saturating_sub(SPOKEN_MAX);
        let mut over = (self.list.len() - spoken).saturating_sub(SENT_MAX);
        let mut speak = speak.into_iter();
        self.list.retain(|_| {
            let left = if speak.next().unwrap_or_default() { &mut spoken_over } else { &mut over };
            let stays = *left == 0;
            *left = left.saturating_sub(1);
            stays
        });
    }

    pub(crate) fn get_mut(&mut self, id: &TransactionId) -> Option<&mut Sent> {
        self.list.iter_mut().find(|sent| sent.id == *id)
    }

    /// The account's number after a block is proved: numbers that were counted are used, by these or by what another
    /// device signed; what can't be in a block any more has expired. Whether anything changed.
    pub(crate) fn settle(&mut self, nonce: u64, height: u64, now_ms: u64) -> bool {
        let mut changed = false;
        let open = self.list.iter().filter(|sent| sent.is_open());
        let others: Vec<u64> = open.map(|sent| sent.nonce).collect();
        let lives = |sent: &&mut Sent| sent.is_open() || sent.fate == Fate::GivenUp;
        for sent in self.list.iter_mut().filter(lives) {
            if sent.nonce < nonce {
                if sent.fate == Fate::Waiting {
                    sent.taken = Some(true);
                }
                // A server may have kept what was given up. Where another one from here has its number, that is not
                // believed; should a server tell otherwise, it counts.
                let is_replaced = sent.fate == Fate::GivenUp && others.contains(&sent.nonce);
                sent.fate = if is_replaced { Fate::Replaced } else { Fate::Final };
                sent.tries = Tries::default();
                sent.counted = Some(height);
                // A day of readings is 17 kB that nobody is told again, nor what expired.
                sent.bytes = Vec::new();
                sent.took_ms = now_ms.saturating_sub(sent.signed_ms).max(1);
                changed = true;
            } else if sent.expiry_height < height {
                sent.fate = Fate::Expired;
                sent.tries = Tries::default();
                sent.bytes = Vec::new();
                changed = true;
            }
        }
        changed
    }

    /// Tells one to nobody any more that servers did not take. Whether it is such a one.
    pub(crate) fn give_up(&mut self, id: &str) -> bool {
        let refused = |sent: &&mut Sent| {
            let is_refused = sent.fate == Fate::Sending && sent.tries.unwanted.is_some();
            is_refused && sent.id.to_string() == id
        };
        let Some(sent) = self.list.iter_mut().find(refused) else { return false };
        sent.fate = Fate::GivenUp;
        sent.tries = Tries::default();
        sent.bytes = Vec::new();
        true
    }

    /// A server has no receipt of one. Where it has all blocks since that was signed, and one behind that in which its
    /// number was used, and others were asked before, then something else used it. `height`: of the server, when it was
    /// asked; `since`: its first block of which it keeps receipts. Whether anything is known now.
    pub(crate) fn on_unknown(&mut self, id: &TransactionId, height: u64, since: u64) -> bool {
        let found = self.get_mut(id);
        let Some(sent) = found.filter(|sent| sent.fate == Fate::Final) else { return false };
        let signed = sent.expiry_height.saturating_sub(EXPIRY_BLOCKS);
        let has_all = since <= signed.saturating_add(1);
        if !has_all || sent.tries.count < UNKNOWN_TRIES {
            return false;
        }
        if sent.counted.is_none_or(|counted| counted >= height) {
            return false;
        }
        sent.fate = Fate::Replaced;
        sent.by_balance = None;
        true
    }

    /// The balance is proved before and after some of them were counted. Nothing but what the account signs
    /// takes from it, so where it fell by just what they take, all were done, or another device signed as many that
    /// take as much. What came in meanwhile hides that: then a server's word is all there is; and what nobody took
    /// was not done. Whether anything is known now.
    pub(crate) fn on_fall(&mut self, before: Pair, now: Pair) -> bool {
        let counted = before.nonce..now.nonce;
        let is_done = |fate| !matches!(fate, Fate::Expired | Fate::Replaced | Fate::GivenUp);
        let between = |sent: &Sent| counted.contains(&sent.nonce) && is_done(sent.fate);
        let list: Vec<&Sent> = self.list.iter().filter(|sent| between(sent)).collect();
        // Not from here, or of an amount that a block decides: nothing follows from the fall.
        let is_whole = u64::try_from(list.len()).ok() == now.nonce.checked_sub(before.nonce);
        let is_exact = list.iter().all(|sent| {
            let is_plain = sent.act.is_none() && sent.units > 0;
            is_plain && sent.taken == Some(true)
        });
        let total = list.iter().map(|sent| sent.units.saturating_add(sent.fee));
        let total = total.fold(0, u128::saturating_add);
        let fell = before.units.checked_sub(now.units);
        if list.is_empty() || !is_whole || !is_exact || fell != Some(total) {
            return false;
        }
        for sent in self.list.iter_mut().filter(|sent| between(sent)) {
            sent.by_balance = Some(now.height);
        }
        true
    }

    /// What a server tells of one that is in a block.
    pub(crate) fn on_receipt(&mut self, receipt: &Receipt) -> bool {
        let found = self.get_mut(&receipt.transaction);
        let is_asked = |sent: &&mut Sent| matches!(sent.fate, Fate::Final | Fate::Replaced);
        let Some(sent) = found.filter(is_asked) else { return false };
        sent.tries = Tries::default();
        sent.fate = if receipt.code == 0 { Fate::Done } else { Fate::Refused };
        sent.height = receipt.height;
        if let Some(act) = &mut sent.act {
            act.code = receipt.code;
            act.amount = match act.domain == Some(Prefix::Paypool.byte()) {
                // A pool's events begin with its number.
                true => receipt.events.iter().find_map(|event| event.numbers.first().copied()),
                false => lending::moved(&receipt.events),
            };
            act.seized = lending::seized(&receipt.events);
        }
        true
    }
}

/// What is to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) action: Action,
    /// To whom units go; the account itself where none leave it.
    pub(crate) to: AccountId,
    /// Units of the ledger's own asset that leave the account beside the fee.
    pub(crate) units: u128,
    pub(crate) act: Option<Act>,
    pub(crate) pool: Option<PoolAct>,
    /// What it is for: its hash is signed.
    pub(crate) note: Option<String>,
    pub(crate) nonce: u64,
    pub(crate) height: u64,
    pub(crate) now_ms: u64,
}

fn body(key: &KeyPair, chain: ChainId, order: &Order, fee: u128) -> Body {
    let signer = AccountId::of_key(key.id());
    let mut body = Body::new(chain, signer, order.nonce, order.action.clone());
    body.fee = fee;
    body.memo = order.note.as_deref().map(Body::memo_of);
    body.expiry_height = order.height.saturating_add(EXPIRY_BLOCKS);
    body
}

/// What an action costs at most; none: it can't be right in any state.
pub(crate) fn fee(key: &KeyPair, chain: ChainId, params: &Params, order: &Order) -> Option<u128> {
    ledger::check(&order.action).ok()?;
    Some(body(key, chain, order, 0).cost(params))
}

#[cfg(test)]
mod tests {
    use ledger::domains::energy::{Content, Reading, SLOT_S, WINDOW_MAX_SLOTS};
    use primitives::{Hash, Seed};

    use super::*;
    use crate::view;

    fn readings() -> energy::Action {
        let content = Content {
            import_wh: 1,
            export_wh: 0,
            import_total_wh: 1,
            export_total_wh: 0,
            commitment: Hash::new([0; 32]),
        };
        let one =
            Reading { community: 7, meter: 3, slot: 9, revision: 0, content, signature: [0; 64] };
        energy::Action::Read { readings: vec![one] }
    }

    #[test]
    fn what_a_meter_said_is_remembered_until_the_longest_window_is_over() {
        assert_eq!(SPOKEN_MS, (u64::from(WINDOW_MAX_SLOTS) + 1) * SLOT_S * 1_000);
        let key = KeyPair::from_seed(Seed::from_number(1));
        let mut all = Transfers::default();
        let mut sign = |nonce: u64, act: Option<Act>, now_ms: u64| {
            let action = Action::Energy(readings());
            let to = AccountId::of_key(key.id());
            let (units, height, pool, note) = (0, 1, None, None);
            let order = Order { action, to, units, act, pool, note, nonce, height, now_ms };
            let id = all.sign(&key, ChainId::new([1; 32]), &order, 1).id;
            (id, all.list.iter().map(|sent| sent.id).collect::<Vec<_>>())
        };
        let action = view::to_bytes(&readings());
        let domain = Some(Prefix::Energy.byte());
        let said = Act { action, code: 0, amount: None, seized: None, domain };
        let (plain, _) = sign(0, None, 1_000);
        let (spoken, _) = sign(1, Some(said), 1_000);
        let more: Vec<_> = (2..300).map(|nonce| sign(nonce, None, 2_000)).collect();
        let known = &more.last().unwrap().1;
        assert_eq!((known.len(), known.first()), (SENT_MAX + 1, Some(&spoken)));
        assert!(!known.contains(&plain));
        let (newest, known) = sign(300, None, 1_000 + SPOKEN_MS + 1);
        assert_eq!((known.len(), known.last()), (SENT_MAX, Some(&newest)));
        assert!(!known.contains(&spoken), "nothing else can be said of it any more");
    }
}
