//! What a person decides, and the numbers nobody needs to.

use core::time::Duration;

use ledger::{AccountId, AssetId, ChainId};
use primitives::KeyPair;

/// A promise is due after so many bytes.
pub const QUANTUM_BYTES: u32 = 512 << 10;
/// Served to somebody unknown before anything is paid. A payer pays what it could verify, so this is not less
/// than the largest block ([`wire::limits::BLOCK_BYTES_MAX`]): otherwise both would wait for each other.
const CREDIT_BYTES: u64 = 2 << 20;
/// Quanta paid after which the credit doubles, and how often it may.
const CREDIT_STEP: (u64, u32) = (10, 4);
/// A lane is filled for four times what came, for so many bytes at least and at most; again when a quarter of
/// that is left.
pub const LANE_BYTES: (u64, u64) = (4 << 20, 64 << 20);
/// What is owed and less than a quantum is promised when nothing came for so long.
pub const QUIET: Duration = Duration::from_secs(1);
/// The ledger is asked again after it did not do or find something.
pub const AGAIN: Duration = Duration::from_secs(5);
/// How often the ledger is asked for one lane before it is given up.
pub const TRIES_MAX: u8 = 6;
/// A neighbour that is gone for so long is not waited for: what is left in its lane is no part of what this till
/// may set aside any more.
pub const GONE: Duration = Duration::from_secs(600);
/// A lane must live so much longer to be counted on, in seconds.
pub const EXPIRY_MARGIN_S: u64 = 600;
/// Vouchers are claimed when so little of their pool's life is left, in seconds.
pub const CLAIM_BEFORE_S: u64 = 6 * 3_600;
/// Most vouchers of others that are taken from one neighbour in a minute: it tells what is new of four lanes, and once
/// more when it goes.
pub(crate) const KEEPS_A_MINUTE: u8 = 8;
/// Most neighbours with an account; a swarm has fewer.
pub const ACCOUNTS_MAX: usize = 256;
/// Bytes that nobody checked are paid up to this and a part of what was verified: as much as is asked of a
/// neighbour at a time comes in vain by chance.
const UNCHECKED_BYTES: u64 = 4 << 20;
/// See [`UNCHECKED_BYTES`].
const UNCHECKED_PART: u64 = 8;

/// How a till is set up. Neither part: it carries nothing.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The ledger.
    pub chain: ChainId,
    /// To pay.
    pub paying: Option<Paying>,
    /// To be paid.
    pub earning: Option<Earning>,
}

/// What a person pays, at most.
#[derive(Debug, Clone)]
pub struct Paying {
    /// From which pool, which must be open.
    pub pool: u64,
    /// Of which asset it is.
    pub asset: AssetId,
    /// The pool's voucher key.
    pub signer: KeyPair,
    /// Most units for a MiB.
    pub per_mib_max: u64,
    /// Most units promised by this till.
    pub spend_max: u128,
}

/// What a person wants for bytes.
#[derive(Debug, Clone)]
pub struct Earning {
    /// Whom to pay.
    pub account: AccountId,
    /// In which asset.
    pub asset: AssetId,
    /// Units for a MiB.
    pub per_mib: u64,
    /// Whoever does not pay is not served beyond its credit.
    pub required: bool,
    /// Vouchers worth more than this are claimed at once: some times what a claim costs.
    pub claim_from: u128,
    /// Vouchers worth no more than this are never claimed: about what that costs.
    pub claim_least: u128,
}

/// Bytes that are paid, of those that came: the verified ones, and what was thrown away through no fault of the
/// sender, within bounds.
pub fn payable(received: u64, spared: u64) -> u64 {
    let most = UNCHECKED_BYTES + received / UNCHECKED_PART;
    received.saturating_add(spared.min(most))
}

/// Bytes served before they are paid, to a neighbour that paid this many quanta.
pub fn credit_bytes(paid_quanta: u64) -> u64 {
    let (step, most) = CREDIT_STEP;
    let doublings = u32::try_from(paid_quanta / step).unwrap_or(most).min(most);
    CREDIT_BYTES << doublings
}
