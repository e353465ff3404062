//! What an Allocate request asks for, checked in the order of RFC 8656, 7.2.

use super::lifetime;
use crate::stun::attribute::{self, Family, read_byte_of_four, read_u32};
use crate::stun::{ErrorCode, Message};
use crate::turn::ports::Parity;

/// A request that makes sense.
#[derive(Debug)]
pub(super) struct Wish {
    /// `None`: the client does not mind.
    pub(super) family: Option<Family>,
    /// A second address, of the other family.
    pub(super) additional: Option<Family>,
    pub(super) parity: Parity,
    /// The address after one of an earlier allocation, instead of a fresh one.
    pub(super) token: Option<[u8; 8]>,
    /// Already within bounds, in seconds.
    pub(super) lifetime_s: u32,
}

impl Wish {
    pub(super) fn read(request: &Message<'_>) -> Result<Self, ErrorCode> {
        let bad = ErrorCode::BadRequest;
        let transport = request.get(attribute::REQUESTED_TRANSPORT).ok_or(bad)?;
        if read_byte_of_four(transport).ok_or(bad)? != attribute::TRANSPORT_UDP {
            return Err(ErrorCode::UnsupportedTransport);
        }
        let parity = match request.get(attribute::EVEN_PORT) {
            None => Parity::Any,
            Some([bits]) if bits & 0x80 == 0 => Parity::Even,
            Some([_]) => Parity::EvenWithNext,
            Some(_) => return Err(bad),
        };
        let asked = family(request, attribute::REQUESTED_ADDRESS_FAMILY)?;
        let additional = match family(request, attribute::ADDITIONAL_ADDRESS_FAMILY)? {
            None => family(request, attribute::DRAFT_ADDITIONAL_ADDRESS_FAMILY)?,
            also => also,
        };
        let token = request.get(attribute::RESERVATION_TOKEN).map(<[u8; 8]>::try_from);
        let token = token.transpose().map_err(|_| bad)?;
        let choosy = parity != Parity::Any || asked.is_some() || additional.is_some();
        let both = asked.is_some() && additional.is_some();
        let pair = additional.is_some() && parity == Parity::EvenWithNext;
        if token.is_some() && choosy || both || pair || additional == Some(Family::V4) {
            return Err(bad);
        }
        let lifetime_s = lifetime(lifetime_s(request)?);
        Ok(Self { family: asked, additional, parity, token, lifetime_s })
    }
}

/// The lifetime a request asks for, in seconds.
pub(super) fn lifetime_s(request: &Message<'_>) -> Result<Option<u32>, ErrorCode> {
    let value = request.get(attribute::LIFETIME);
    value.map(|value| read_u32(value).ok_or(ErrorCode::BadRequest)).transpose()
}

/// The address family in an attribute.
pub(super) fn family(request: &Message<'_>, kind: u16) -> Result<Option<Family>, ErrorCode> {
    let Some(value) = request.get(kind) else { return Ok(None) };
    let number = read_byte_of_four(value).ok_or(ErrorCode::BadRequest)?;
    Family::from_number(number).map(Some).ok_or(ErrorCode::AddressFamilyNotSupported)
}
