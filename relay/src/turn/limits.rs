//! Bounds and times of the machine. What a host may choose is in [`Settings`](super::Settings).

use std::time::Duration;

/// Lifetime of an allocation that asks for none or less (RFC 8656, 3.2).
pub const LIFETIME_DEFAULT_S: u32 = 600;
/// Longest lifetime of an allocation (RFC 8656, 7.2).
pub const LIFETIME_MAX_S: u32 = 3600;
/// Lifetime of a permission (RFC 8656, 9).
pub const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);
/// Lifetime of a channel (RFC 8656, 12).
pub const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);
/// How long a reserved port waits for its allocation (RFC 8656, 7.2).
pub const RESERVATION_LIFETIME: Duration = Duration::from_secs(30);

/// Most permissions of one allocation: candidates of a few dozen peers.
pub const PERMISSIONS_MAX: usize = 256;
/// Most channels of one allocation.
pub const CHANNELS_MAX: usize = 256;
/// Most peer addresses in one CreatePermission request.
pub const PEERS_PER_REQUEST_MAX: usize = 64;
/// Most reserved ports.
pub const RESERVATIONS_MAX: usize = 1024;
/// Most credentials remembered, those without an allocation included.
pub const USERS_MAX: usize = 65_536;
/// Random ports looked at before a relay counts as full.
pub const PORT_LOOKS_MAX: usize = 64;
/// Ports the system may refuse before a relay counts as full.
pub const PORT_TRIES_MAX: u8 = 8;
/// Longest data relayed: what fits into a datagram with the longest frame round it.
pub const DATA_BYTES_MAX: usize = 65_507 - 48;
