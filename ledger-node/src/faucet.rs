//! Units for nothing, on networks whose units are worth nothing.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ledger::domains::{accounts, assets};
use ledger::{AccountId, Action, AssetId, Body, Store, TransactionId};
use primitives::KeyPair;

use crate::mempool::Unwanted;
use crate::node::Handle;
use crate::records::RecordsError;

/// Units given at a time: ten, at six decimals.
pub const GIFT_UNITS: u128 = 10_000_000;
/// Wholes given at a time of an asset that the faucet's account issues.
const GIFT_WHOLES: u128 = 1_000;
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
    /// The faucet's account does not issue this asset.
    NotIssuer,
    /// The ledger does not take it.
    Unwanted(Unwanted),
    /// The records can't be read.
    Records(RecordsError),
}

/// The account that holds a demo network's units.
#[derive(Debug)]
pub struct Faucet {
    key: KeyPair,
    /// When it gave, at most [`GIFTS_MAX`].
    given: Mutex<VecDeque<Instant>>,
}

impl Faucet {
    pub(crate) fn new(key: KeyPair) -> Self {
        Self { key, given: Mutex::default() }
    }

    /// Its account: what this issues are test assets.
    pub fn account(&self) -> AccountId {
        AccountId::of_key(self.key.id())
    }

    /// Sends [`GIFT_UNITS`] to an account that holds less, or issues a thousand of another asset that is
    /// this account's to issue; the transaction's name.
    ///
    /// # Errors
    /// See [`Denied`].
    pub fn give(
        &self,
        node: &Handle,
        to: AccountId,
        asset: AssetId,
    ) -> Result<TransactionId, Denied> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        while given.front().is_some_and(|at| now.duration_since(*at) > WINDOW) {
            given.pop_front();
        }
        if given.len() >= GIFTS_MAX {
            return Err(Denied::Busy);
        }
        let signer = self.account();
        let look = node.with_state(|state| {
            let height = ledger::tip(state).map_or(0, |tip| tip.height);
            let held = accounts::balance(state, to, asset);
            (height, held, gift(state, signer, asset))
        });
        let (height, held, gift) = look.map_err(Denied::Records)?;
        let gift = gift.ok_or(Denied::NotIssuer)?;
        if held >= gift {
            return Err(Denied::Enough);
        }
        // What was sent before waits, is in a block, or is lost: then this takes its number.
        let nonce = node.next_number(signer);
        let action = if asset == AssetId::NATIVE {
            Action::Accounts(accounts::Action::Transfer { asset, to, amount: gift })
        } else {
            Action::Assets(assets::Action::Issue { asset, to, amount: gift })
        };
        let mut body = Body::new(node.chain(), signer, nonce, action);
        body.fee = FEE_UNITS;
        body.expiry_height = height.saturating_add(EXPIRY_BLOCKS);
        let id = node.submit(&body.sign(&self.key).to_bytes()).map_err(Denied::Unwanted)?;
        given.push_back(now);
        Ok(id)
    }
}

/// Units given at a time; none: they are not this account's to give.
fn gift(state: &dyn Store, signer: AccountId, asset: AssetId) -> Option<u128> {
    if asset == AssetId::NATIVE {
        return Some(GIFT_UNITS);
    }
    let made = assets::asset(state, asset).filter(|made| made.issuer == signer && !made.closed)?;
    GIFT_WHOLES.checked_mul(10_u128.checked_pow(made.decimals.into())?)
}
