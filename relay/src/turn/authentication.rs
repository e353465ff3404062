//! The long-term credential mechanism (RFC 8489, 9.2) with credentials of the REST form.

use primitives::Time;

use super::FiveTuple;
use super::asker::{Asker, Key, PasswordAlgorithm};
use super::machine::Machine;
use crate::credential::{USERNAME_BYTES_MAX, expiry};
use crate::stun::{Builder, ErrorCode, Message, attribute};

/// A request whose credential is good.
#[derive(Debug)]
pub(super) struct Authentic<'a> {
    pub(super) username: &'a str,
    pub(super) expires_unix_s: u64,
    pub(super) key: Key,
}

/// What a request says of its credential.
struct Claim<'a> {
    username: &'a str,
    algorithm: PasswordAlgorithm,
}

impl Machine {
    /// Checks a request's credential, or answers it. `Some`: the answers from now on are signed.
    pub(super) fn authenticate<'a>(
        &mut self,
        now: Time,
        asker: &mut Asker,
        request: &Message<'a>,
    ) -> Option<Authentic<'a>> {
        let claim = match self.claim(now, &asker.client, request) {
            Ok(claim) => claim,
            Err(code) => {
                self.challenge(now, asker, code);
                return None;
            }
        };
        let Some(authentic) = self.verify(now, &asker.client, request, &claim) else {
            self.stats.authentication_failures += 1;
            self.challenge(now, asker, ErrorCode::Unauthenticated);
            return None;
        };
        let integrity = request.integrity().expect("a claim has an integrity attribute");
        asker.signing = Some((integrity, authentic.key.clone()));
        let other = self.allocation_of(&asker.client).map(|allocation| allocation.user);
        if other.is_some_and(|user| self.users.name(user) != authentic.username) {
            self.refuse(asker, ErrorCode::WrongCredentials);
            return None;
        }
        Some(authentic)
    }

    /// Everything that can be said without the secret.
    fn claim<'a>(
        &mut self,
        now: Time,
        client: &FiveTuple,
        request: &Message<'a>,
    ) -> Result<Claim<'a>, ErrorCode> {
        if request.integrity().is_none() {
            self.stats.challenges += 1;
            return Err(ErrorCode::Unauthenticated);
        }
        let text = |kind| request.text(kind).ok_or(ErrorCode::BadRequest);
        let (username, realm) = (text(attribute::USERNAME)?, text(attribute::REALM)?);
        let nonce = text(attribute::NONCE)?;
        let algorithms = request.get(attribute::PASSWORD_ALGORITHMS);
        let algorithm = match (algorithms, request.get(attribute::PASSWORD_ALGORITHM)) {
            (None, None) => PasswordAlgorithm::Md5,
            // Another list than ours: somebody on the way took the better one out (RFC 8489, 16.1.3).
            (Some(list), _) if list != attribute::OUR_PASSWORD_ALGORITHMS => {
                return Err(ErrorCode::BadRequest);
            }
            (Some(_), Some(chosen)) if chosen == attribute::MD5 => PasswordAlgorithm::Md5,
            (Some(_), Some(chosen)) if chosen == attribute::SHA256 => PasswordAlgorithm::Sha256,
            _ => return Err(ErrorCode::BadRequest),
        };
        if !self.nonces.is_good(now, client, nonce) {
            return Err(ErrorCode::StaleNonce);
        }
        if realm != self.settings.realm || username.len() > USERNAME_BYTES_MAX {
            self.stats.authentication_failures += 1;
            return Err(ErrorCode::Unauthenticated);
        }
        Ok(Claim { username, algorithm })
    }

    fn verify<'a>(
        &self,
        now: Time,
        client: &FiveTuple,
        request: &Message<'a>,
        claim: &Claim<'a>,
    ) -> Option<Authentic<'a>> {
        let expires_unix_s = expiry(claim.username)?;
        let known = self.allocation_of(client);
        let known = known.filter(|known| self.users.name(known.user) == claim.username);
        // Who has an allocation keeps it: a call does not end because its credential does.
        if known.is_none() && expires_unix_s < self.unix_s(now) {
            return None;
        }
        let username = claim.username;
        let known = known.map(|known| &known.key);
        if let Some(key) = known.filter(|key| key.algorithm == claim.algorithm)
            && request.is_by(&key.bytes)
        {
            return Some(Authentic { username, expires_unix_s, key: key.clone() });
        }
        let keys = self.settings.secrets.iter().map(|secret| {
            claim.algorithm.key(username, &self.settings.realm, &secret.password(username))
        });
        keys.into_iter().find(|key| request.is_by(&key.bytes)).map(|key| Authentic {
            username,
            expires_unix_s,
            key,
        })
    }

    /// Answers a stranger with what a good request needs.
    fn challenge(&mut self, now: Time, asker: &Asker, code: ErrorCode) {
        let response = asker.error(code);
        let response = match code {
            ErrorCode::Unauthenticated | ErrorCode::StaleNonce => self.invite(now, asker, response),
            _ => response,
        };
        self.stats.refuse(code);
        self.answer_stranger(now, asker, response);
    }

    fn invite(&self, now: Time, asker: &Asker, response: Builder) -> Builder {
        response
            .put(attribute::REALM, self.settings.realm.as_bytes())
            .put(attribute::NONCE, self.nonces.make(now, &asker.client).as_bytes())
            .put(attribute::PASSWORD_ALGORITHMS, &attribute::OUR_PASSWORD_ALGORITHMS)
    }
}
