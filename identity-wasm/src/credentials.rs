//! The person's credentials, on the seed that the session holds.
//!
//! Calls and answers are CBOR (`identity::credentials::Command` and `Reply`). What is open here is dropped when the
//! session locks; on the device it lies sealed under the seed.

use identity::{
    credentials::{Credentials, Reply},
    session::{self, Stage},
};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use super::{Keys, now_ms};

/// What is kept can't be opened: nothing is written over it.
const DAMAGED: &str =
    "what this browser keeps of your credentials can\u{2019}t be read, and is left as it is";
/// Not a call of this version.
const FORM: &str = "this page and its worker do not understand each other: load the page anew";

#[wasm_bindgen]
impl Keys {
    /// What the credentials are called on this device; none while it is not open.
    #[wasm_bindgen(js_name = credentialsName)]
    pub fn credentials_name(&mut self) -> Option<String> {
        self.session.root(now_ms()).ok().map(Credentials::name)
    }

    /// Does one thing with them; `entropy` is 32 random bytes, `kept` what lies under their name. A list: the
    /// answer as bytes, then what to keep: bytes, or undefined for what there is.
    pub fn credentials(&mut self, command: &[u8], entropy: &[u8], kept: Option<Vec<u8>>) -> Array {
        let (reply, keep) = match self.perform(command, entropy, kept.as_deref()) {
            Ok(done) => done,
            Err(reply) => (*reply, None),
        };
        let keep =
            keep.map_or(JsValue::UNDEFINED, |bytes| Uint8Array::from(bytes.as_slice()).into());
        [Uint8Array::from(session::to_bytes(&reply).as_slice()).into(), keep].iter().collect()
    }
}

impl Keys {
    fn perform(
        &mut self,
        command: &[u8],
        entropy: &[u8],
        kept: Option<&[u8]>,
    ) -> Result<(Reply, Option<Vec<u8>>), Box<Reply>> {
        let refused =
            |why: &str| Box::new(Reply { refused: Some(why.to_owned()), ..Reply::default() });
        let now_ms = now_ms();
        let Ok(root) = self.session.root(now_ms) else {
            self.credentials = None;
            return Err(Box::new(Reply { locked: true, ..Reply::default() }));
        };
        let (Some(command), Ok(entropy)) = (session::read(command), entropy.try_into()) else {
            return Err(refused(FORM));
        };
        if self.credentials.is_none() {
            self.credentials = Credentials::open(root, kept, entropy);
        }
        let credentials = self.credentials.as_mut().ok_or_else(|| refused(DAMAGED))?;
        Ok(credentials.call(root, now_ms / 1000, entropy, command))
    }

    /// Drops what is open, unless the session is.
    pub(crate) fn close_credentials(&mut self) {
        if self.session.stage() != Stage::Open {
            self.credentials = None;
        }
    }
}
