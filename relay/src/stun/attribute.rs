//! Attributes: kinds, and the values that are more than bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::message::{MAGIC_COOKIE, Transaction};

/// RFC 8489, 14.3.
pub const USERNAME: u16 = 0x0006;
/// HMAC-SHA1 over what precedes it (RFC 8489, 14.5).
pub const MESSAGE_INTEGRITY: u16 = 0x0008;
/// RFC 8489, 14.8.
pub const ERROR_CODE: u16 = 0x0009;
/// RFC 8489, 14.13.
pub const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
/// RFC 8656, 18.1.
pub const CHANNEL_NUMBER: u16 = 0x000c;
/// Seconds (RFC 8656, 18.2).
pub const LIFETIME: u16 = 0x000d;
/// RFC 8656, 18.3.
pub const XOR_PEER_ADDRESS: u16 = 0x0012;
/// RFC 8656, 18.4.
pub const DATA: u16 = 0x0013;
/// RFC 8489, 14.9.
pub const REALM: u16 = 0x0014;
/// RFC 8489, 14.10.
pub const NONCE: u16 = 0x0015;
/// RFC 8656, 18.5.
pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
/// RFC 8656, 18.6.
pub const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
/// RFC 8656, 18.7.
pub const EVEN_PORT: u16 = 0x0018;
/// RFC 8656, 18.8.
pub const REQUESTED_TRANSPORT: u16 = 0x0019;
/// RFC 8656, 18.9.
pub const DONT_FRAGMENT: u16 = 0x001a;
/// HMAC-SHA256 over what precedes it (RFC 8489, 14.6).
pub const MESSAGE_INTEGRITY_SHA256: u16 = 0x001c;
/// The algorithm the client chose (RFC 8489, 14.12).
pub const PASSWORD_ALGORITHM: u16 = 0x001d;
/// RFC 8489, 14.2.
pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
/// RFC 8656, 18.10.
pub const RESERVATION_TOKEN: u16 = 0x0022;
/// RFC 8656, 18.11.
pub const ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8000;
/// [`ADDITIONAL_ADDRESS_FAMILY`] as the draft numbered it, and coturn's client still does.
pub const DRAFT_ADDITIONAL_ADDRESS_FAMILY: u16 = 0x8032;
/// RFC 8656, 18.12.
pub const ADDRESS_ERROR_CODE: u16 = 0x8001;
/// The algorithms the server knows (RFC 8489, 14.11).
pub const PASSWORD_ALGORITHMS: u16 = 0x8002;
/// CRC-32 of all that precedes it (RFC 8489, 14.7).
pub const FINGERPRINT: u16 = 0x8028;

/// Attributes below this must be understood (RFC 8489, 14).
pub const OPTIONAL_FROM: u16 = 0x8000;

/// Password algorithms in the order we like them: kind, length of parameters (RFC 8489, 18.5).
pub const OUR_PASSWORD_ALGORITHMS: [u8; 8] = [0, 2, 0, 0, 0, 1, 0, 0];
/// [`PASSWORD_ALGORITHM`] for MD5.
pub const MD5: [u8; 4] = [0, 1, 0, 0];
/// [`PASSWORD_ALGORITHM`] for SHA-256.
pub const SHA256: [u8; 4] = [0, 2, 0, 0];

/// UDP in [`REQUESTED_TRANSPORT`].
pub const TRANSPORT_UDP: u8 = 17;

/// An address family as numbered in attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// 1
    V4,
    /// 2
    V6,
}

impl Family {
    /// The family of an address.
    pub const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::V4 => 1,
            Self::V6 => 2,
        }
    }

    /// From its number on the wire.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::V4),
            2 => Some(Self::V6),
            _ => None,
        }
    }
}

/// Longest value of an XOR address.
pub const ADDRESS_BYTES_MAX: usize = 20;

/// The value of an XOR address (RFC 8489, 14.2) and its length.
pub fn xor_address(
    address: SocketAddr,
    transaction: &Transaction,
) -> ([u8; ADDRESS_BYTES_MAX], usize) {
    let mut value = [0; ADDRESS_BYTES_MAX];
    value[1] = Family::of(address.ip()).number();
    let port = address.port().to_be_bytes();
    value[2..4].copy_from_slice(&port);
    let length = match address.ip() {
        IpAddr::V4(ip) => {
            value[4..8].copy_from_slice(&ip.octets());
            8
        }
        IpAddr::V6(ip) => {
            value[4..20].copy_from_slice(&ip.octets());
            20
        }
    };
    xor(&mut value, transaction);
    (value, length)
}

/// The address in the value of an XOR address; `None` when it is none.
pub fn read_xor_address(value: &[u8], transaction: &Transaction) -> Option<SocketAddr> {
    let mut plain = [0; ADDRESS_BYTES_MAX];
    plain.get_mut(..value.len())?.copy_from_slice(value);
    xor(&mut plain, transaction);
    let port = u16::from_be_bytes([plain[2], plain[3]]);
    let octets = *plain[4..].first_chunk::<16>()?;
    let ip = match (Family::from_number(plain[1])?, value.len()) {
        (Family::V4, 8) => IpAddr::V4(Ipv4Addr::from(*octets.first_chunk::<4>()?)),
        (Family::V6, 20) => IpAddr::V6(Ipv6Addr::from(octets)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// Port and address, each with what RFC 8489 says; twice gives it back.
fn xor(value: &mut [u8; ADDRESS_BYTES_MAX], transaction: &Transaction) {
    for (byte, mask) in value[2..4].iter_mut().zip(MAGIC_COOKIE) {
        *byte ^= mask;
    }
    let mask = MAGIC_COOKIE.iter().chain(transaction);
    for (byte, mask) in value[4..].iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// A 32-bit value, as of [`LIFETIME`].
pub fn read_u32(value: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(value.try_into().ok()?))
}

/// The number in [`CHANNEL_NUMBER`]: 16 bits and 16 that mean nothing.
pub fn read_channel(value: &[u8]) -> Option<u16> {
    let value: [u8; 4] = value.try_into().ok()?;
    Some(u16::from_be_bytes([value[0], value[1]]))
}

/// The first byte of four, as of [`REQUESTED_TRANSPORT`] and the address families.
pub fn read_byte_of_four(value: &[u8]) -> Option<u8> {
    let value: [u8; 4] = value.try_into().ok()?;
    Some(value[0])
}
