//! Bounds of what strangers can make grow.

/// Subscriptions in all, unless the host says otherwise: some 800 bytes each, on disk and in memory.
pub const SUBSCRIPTIONS_MAX_DEFAULT: usize = 2_000;
/// Most subscriptions made from one network, so that a few don't fill the list. For one account there is no
/// bound: strangers would reach it, and its owner be left out.
pub const PER_NETWORK_MAX: usize = 32;
/// Most accounts that one browser watches.
pub const PER_ENDPOINT_MAX: usize = 4;
/// Most markets of one subscription.
pub const MARKETS_MAX: usize = 8;
/// Longest address of a browser at its push service, in bytes; the longest seen are half of it.
pub const ENDPOINT_BYTES_MAX: usize = 1_024;
/// Longest request, in bytes.
pub const REQUEST_BYTES_MAX: usize = 4_096;
/// Lowest and highest limit of health, in hundredths.
pub const LIMIT_MIN: u16 = 100;
/// See [`LIMIT_MIN`].
pub const LIMIT_MAX: u16 = 1_000;
/// How far health must rise above what was told before a fall is news again, in hundredths.
pub const BACK: u16 = 5;
/// Most messages of one subscription in a day, the first one not counted.
pub const MESSAGES_PER_DAY_MAX: u16 = 24;
/// Messages that fail one after the other before a subscription is forgotten.
pub const FAILURES_MAX: u8 = 8;
/// How long after a failure the next try is, in seconds; doubled with each further one.
pub const RETRY_S: u64 = 60;
/// How long a subscription lasts that its page does not renew, in seconds: 60 days.
pub const AGE_MAX_S: u64 = 60 * DAY_S;
/// A day.
pub const DAY_S: u64 = 86_400;
/// How long a push service keeps a message for a browser that is away, in seconds: 12 hours. Older news
/// is worse than none.
pub const TTL_S: u32 = 43_200;
/// What every message is filled up to before it is sealed, in bytes, so that its length tells nothing.
pub const MESSAGE_BYTES: usize = 256;
