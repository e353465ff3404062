//! base64url without padding, in one form only (RFC 7515, 2; RFC 4648, 3.5).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The text of some bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a text: no padding, no other letters, no bits left over that are not zero.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
