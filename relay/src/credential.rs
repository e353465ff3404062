//! Credentials that carry their own end: the REST form of TURN servers.
//!
//! `username = expiry ":" name`, expiry in seconds of Unix time; `password = base64(HMAC-SHA1(secret,
//! username))` (draft-uberti-behave-turn-rest-00, which browsers and coturn know). Who has the secret
//! makes them, the relay checks them, and neither keeps a list. Two secrets are valid at once, so
//! that one can be replaced without a gap: the first signs, both are accepted.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// Most secrets valid at once.
pub const SECRETS_MAX: usize = 2;
/// Shortest secret: 128 bits if it is random hexadecimal.
pub const SECRET_BYTES_MIN: usize = 16;
/// Longest username that is looked at; RFC 8489 allows 508 bytes.
pub const USERNAME_BYTES_MAX: usize = 256;

/// What a client gives the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// `expiry:name`.
    pub username: String,
    /// Its proof.
    pub password: String,
}

/// A secret shared by those who make credentials and those who check them.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<[u8]>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A secret; its text is used as it stands, as coturn does.
    pub fn new(text: &str) -> Self {
        Self(text.as_bytes().into())
    }

    /// The credential of `name` until `expires_unix_s`.
    pub fn credential(&self, name: &str, expires_unix_s: u64) -> Credential {
        let username = format!("{expires_unix_s}:{name}");
        let password = self.password(&username);
        Credential { username, password }
    }

    /// The password that belongs to a username.
    pub(crate) fn password(&self, username: &str) -> String {
        let mut hmac =
            Hmac::<Sha1>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        hmac.update(username.as_bytes());
        STANDARD.encode(hmac.finalize().into_bytes())
    }
}

/// The end of a credential in seconds of Unix time; `None` if the username has none.
pub(crate) fn expiry(username: &str) -> Option<u64> {
    let (expiry, _) = username.split_once(':').unwrap_or((username, ""));
    // `parse` would take a sign.
    expiry.bytes().all(|byte| byte.is_ascii_digit()).then(|| expiry.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `openssl dgst -sha1 -hmac north -binary | base64` over the username.
    #[test]
    fn a_password_is_the_hmac_of_the_username() {
        let credential = Secret::new("north").credential("alice", 1_700_000_000);
        assert_eq!(credential.username, "1700000000:alice");
        assert_eq!(credential.password, "Cd/49soE35ICqcJF/bCTn8Z4OyE=");
        assert_ne!(Secret::new("south").password(&credential.username), credential.password);
    }

    #[test]
    fn the_expiry_is_a_plain_number_before_the_colon() {
        assert_eq!(expiry("1700000000:alice"), Some(1_700_000_000));
        assert_eq!(expiry("1700000000"), Some(1_700_000_000));
        for none in ["alice", ":alice", "", "+5:a", "-5:a", "99999999999999999999:a", "5 :a"] {
            assert_eq!(expiry(none), None, "{none}");
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Secret::new("north")), "Secret");
    }
}
