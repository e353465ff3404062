//! Bounds of what a transaction and a block may hold.

/// Largest transaction, in bytes: 64 vouchers of 170 bytes fit.
pub const TRANSACTION_BYTES_MAX: usize = 16 << 10;
/// Most bytes of transactions in a block, whatever the parameters say.
pub const BLOCK_BYTES_MAX: u64 = 4 << 20;
/// Most work of a block, whatever the parameters say. One unit is about one record read and written.
pub const BLOCK_WORK_MAX: u64 = 200_000;
/// Most keys of an account.
pub const KEYS_MAX: usize = 16;
/// Longest symbol of an asset, in bytes.
pub const SYMBOL_BYTES_MAX: usize = 12;
/// Most decimals of an asset: more than any in use, and 10^24 units still leave room in 128 bits.
pub const DECIMALS_MAX: u8 = 24;
/// Most events of one action.
pub const EVENTS_MAX: usize = 256;
/// Work of one signature check, in units of a record.
pub const SIGNATURE_WORK: u32 = 10;
