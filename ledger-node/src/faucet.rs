//! Units for nothing, on networks whose units are worth nothing.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ledger::{AccountId, Action, AssetId, Body, TransactionId, domains::accounts};
use primitives::KeyPair;

use crate::mempool::Unwanted;
use crate::node::Handle;
use crate::records::RecordsError;

/// Units given at a time: ten, at six decimals.
pub const GIFT_UNITS: u128 = 10_000_000;
/// Most gifts in [`WINDOW`].
const GIFTS_MAX: usize = 60;
/// See [`GIFTS_MAX`].
const WINDOW: Duration = Duration::from_secs(60);
/// Blocks in which a gift may be.
const EXPIRY_BLOCKS: u64 = 1_000;
/// What a gift pays: enough for a transfer.
const FEE_UNITS: u128 = 10_000;

/// Why there is no gift.
#[derive(Debug)]
pub enum Denied {
    /// The account holds as much already.
    Enough,
    /// Too many asked lately.
    Busy,
    /// The ledger does not take it.
    Unwanted(Unwanted),
    /// The records can't be read.
    Records(RecordsError),
}

/// The account that holds a demo network's units.
#[derive(Debug)]
pub struct Faucet {
    key: KeyPair,
    given: Mutex<Given>,
}

#[derive(Debug, Default)]
struct Given {
    /// When, at most [`GIFTS_MAX`].
    at: VecDeque<Instant>,
    /// The next number of its account, those that wait counted.
    nonce: u64,
}

impl Faucet {
    pub(crate) fn new(key: KeyPair) -> Self {
        Self { key, given: Mutex::default() }
    }

    /// Sends [`GIFT_UNITS`] to an account that holds less; the transaction's name.
    ///
    /// # Errors
    /// See [`Denied`].
    pub fn give(&self, node: &Handle, to: AccountId) -> Result<TransactionId, Denied> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while given.at.front().is_some_and(|at| now.duration_since(*at) > WINDOW) {
            given.at.pop_front();
        }
        if given.at.len() >= GIFTS_MAX {
            return Err(Denied::Busy);
        }
        let signer = AccountId::of_key(self.key.id());
        let look = node.with_state(|state| {
            let height = ledger::tip(state).map_or(0, |tip| tip.height);
            let held = accounts::balance(state, to, AssetId::NATIVE);
            (height, held, accounts::nonce(state, signer))
        });
        let (height, held, nonce) = look.map_err(Denied::Records)?;
        if held >= GIFT_UNITS {
            return Err(Denied::Enough);
        }
        // Nothing waits: what was sent before is in a block, or lost.
        let waits = node.waiting().0 > 0;
        let nonce = if waits { nonce.max(given.nonce) } else { nonce };
        let transfer =
            accounts::Action::Transfer { asset: AssetId::NATIVE, to, amount: GIFT_UNITS };
        let mut body = Body::new(node.chain(), signer, nonce, Action::Accounts(transfer));
        body.fee = FEE_UNITS;
        body.expiry_height = height.saturating_add(EXPIRY_BLOCKS);
        let id = node.submit(&body.sign(&self.key).to_bytes()).map_err(Denied::Unwanted)?;
        given.nonce = nonce + 1;
        given.at.push_back(now);
        Ok(id)
    }
}
