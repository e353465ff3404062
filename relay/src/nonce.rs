//! Nonces that need no memory: each carries its end and the proof that we made it for this client.
//!
//! Text of a nonce: `obMatJos2`, four characters of security features (RFC 8489, 9.2), then 20 bytes
//! in base64url: the end in seconds of the machine's clock (4), and the first 16 bytes of HMAC-SHA256
//! over end, listener and both addresses. So strangers cost no memory, however many they are, and
//! a nonce is worth nothing to another client.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use primitives::{Seed, Time};
use sha2::Sha256;

use crate::turn::FiveTuple;

/// How long a nonce is good for, in seconds (RFC 8656, 5, asks for at most an hour).
pub const NONCE_S: u32 = 3600;
/// The cookie, and the features: password algorithms, and nothing else.
const PREFIX: &str = "obMatJos2gAAA";
const END_BYTES: usize = 4;
const PROOF_BYTES: usize = 16;

/// Makes and checks nonces.
#[derive(Debug)]
pub(crate) struct Nonces {
    key: Seed,
}

impl Nonces {
    pub(crate) fn new(key: Seed) -> Self {
        Self { key }
    }

    /// A nonce for this client.
    pub(crate) fn make(&self, now: Time, client: &FiveTuple) -> String {
        let end = seconds(now).saturating_add(NONCE_S).to_be_bytes();
        let mut bytes = [0; END_BYTES + PROOF_BYTES];
        bytes[..END_BYTES].copy_from_slice(&end);
        let proof = self.proof(end, client).finalize().into_bytes();
        bytes[END_BYTES..].copy_from_slice(&proof[..PROOF_BYTES]);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether we made it for this client, and its time is not over.
    pub(crate) fn is_good(&self, now: Time, client: &FiveTuple, nonce: &str) -> bool {
        self.check(now, client, nonce).unwrap_or(false)
    }

    fn check(&self, now: Time, client: &FiveTuple, nonce: &str) -> Option<bool> {
        let bytes = URL_SAFE_NO_PAD.decode(nonce.strip_prefix(PREFIX)?).ok()?;
        let (end, proof) = bytes.split_first_chunk::<END_BYTES>()?;
        let ours = proof.len() == PROOF_BYTES
            && self.proof(*end, client).verify_truncated_left(proof).is_ok();
        Some(ours && seconds(now) <= u32::from_be_bytes(*end))
    }

    fn proof(&self, end: [u8; END_BYTES], client: &FiveTuple) -> Hmac<Sha256> {
        let key = self.key.as_bytes();
        let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        hmac.update(&end);
        hmac.update(&client.listener.to_be_bytes());
        for ip in [client.local, client.remote.ip()] {
            let octets = match ip {
                std::net::IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                std::net::IpAddr::V6(ip) => ip.octets(),
            };
            hmac.update(&octets);
        }
        hmac.update(&client.remote.port().to_be_bytes());
        hmac
    }
}

fn seconds(now: Time) -> u32 {
    u32::try_from(now.as_ms() / 1000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn client(remote: &str) -> FiveTuple {
        let local = [127, 0, 0, 1].into();
        FiveTuple { listener: 0, local, remote: remote.parse().unwrap() }
    }

    #[test]
    fn a_nonce_is_good_for_its_client_and_its_hour() {
        let nonces = Nonces::new(Seed::from_number(1));
        let (start, me) = (Time::from_ms(5_000), client("192.0.2.1:5000"));
        let nonce = nonces.make(start, &me);
        assert!(nonce.len() <= 128, "{nonce} is long");
        let hour = Duration::from_secs(3600);
        assert!(nonces.is_good(start, &me, &nonce));
        assert!(nonces.is_good(start + hour, &me, &nonce));
        assert!(!nonces.is_good(start + hour + Duration::from_secs(1), &me, &nonce));
        assert!(!nonces.is_good(start, &client("192.0.2.1:5001"), &nonce));
        assert!(!nonces.is_good(start, &client("192.0.2.2:5000"), &nonce));
        assert!(!nonces.is_good(start, &FiveTuple { listener: 1, ..me }, &nonce));
        assert!(!Nonces::new(Seed::from_number(2)).is_good(start, &me, &nonce));
    }

    proptest! {
        #[test]
        fn another_text_is_not_good(at in 0_usize..40, letter in "[ -~]") {
            let nonces = Nonces::new(Seed::from_number(1));
            let me = client("192.0.2.1:5000");
            let mut nonce = nonces.make(Time::ZERO, &me);
            let at = at % nonce.len();
            prop_assume!(nonce[at..=at] != letter);
            nonce.replace_range(at..=at, &letter);
            prop_assert!(!nonces.is_good(Time::ZERO, &me, &nonce));
        }
    }
}
