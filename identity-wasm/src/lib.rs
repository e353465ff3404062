//! Keys as a module for a worker of the page: `static/identity/worker.js` performs, `identity::session`
//! decides, this crate carries values between them.
//!
//! Calls and answers are CBOR (`identity::session::Command` and `Answer`). What else signs with the
//! person's keys is a file of its own beside this one, with a method of [`Keys`] that takes and gives
//! bytes; it gets the seed by [`identity::session::Session::root`], and nothing else does.

mod credentials;

use identity::credentials::Credentials;
use identity::session::{self, Answer, Keep, Refusal, Session};
use js_sys::{Array, Date, Uint8Array};
use wasm_bindgen::prelude::*;

/// A session.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Keys {
    pub(crate) session: Session,
    /// The person's credentials, once a page wanted them.
    pub(crate) credentials: Option<Credentials>,
}

/// The time of day, in milliseconds since 1970-01-01 UTC.
#[allow(clippy::as_conversions, reason = "there is no TryFrom<f64>; the cast saturates")]
pub(crate) fn now_ms() -> u64 {
    Date::now() as u64
}

#[wasm_bindgen]
impl Keys {
    /// A session with what was kept on this device, if anything was.
    pub fn open(kept: Option<Vec<u8>>) -> Self {
        Self { session: Session::new(kept.as_deref()), credentials: None }
    }

    /// Does one thing; `entropy` is 32 random bytes. A list: the answer as bytes, then what to keep: bytes, or
    /// null for nothing any more, or undefined for what there is.
    pub fn call(&mut self, command: &[u8], entropy: &[u8]) -> Array {
        let (answer, keep) = match (session::read(command), entropy.try_into()) {
            (Some(command), Ok(entropy)) => self.session.call(now_ms(), entropy, command),
            _ => (self.refusal(Refusal::Form), None),
        };
        self.close_credentials();
        let keep = match keep {
            Some(Keep::This(bytes)) => Uint8Array::from(bytes.as_slice()).into(),
            Some(Keep::Nothing) => JsValue::NULL,
            None => JsValue::UNDEFINED,
        };
        [Uint8Array::from(session::to_bytes(&answer).as_slice()).into(), keep].iter().collect()
    }

    /// Milliseconds until it locks by itself; none: it is not open.
    #[wasm_bindgen(getter)]
    pub fn wake(&self) -> Option<f64> {
        let ms = self.session.locks_at_ms()?.saturating_sub(now_ms());
        Some(f64::from(u32::try_from(ms).unwrap_or(u32::MAX)))
    }

    /// Locks it if it is time; the answer to a look, if it did.
    pub fn tick(&mut self) -> Option<Vec<u8>> {
        let locked = self.session.tick(now_ms());
        self.close_credentials();
        let view = self.session.view();
        locked.then(|| session::to_bytes(&Answer { view, ..Answer::default() }))
    }

    /// The seed of the key that spends from the account on a ledger, by its chain of 32 bytes; none while it is
    /// not open. For the wallet's worker, by a port that no page reads.
    pub fn account(&self, chain: &[u8]) -> Option<Vec<u8>> {
        let chain: [u8; 32] = chain.try_into().ok()?;
        Some(self.session.account_seed(&chain)?.to_vec())
    }

    fn refusal(&self, why: Refusal) -> Answer {
        Answer { view: self.session.view(), refused: Some(why), ..Answer::default() }
    }
}
