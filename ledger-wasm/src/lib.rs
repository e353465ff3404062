//! The wallet as a module for a worker of the page: `static/wallet/worker.js` performs, `wallet`
//! decides, this crate carries values between them.
//!
//! Each call returns a list of outputs, plain objects whose `kind` says what is wanted; `wake` says
//! when to call `tick`. Byte strings of views and commands are CBOR (`wallet::view`).

use js_sys::{Array, Date, Object, Reflect, Uint8Array};
use light_client::{RequestId, ServerId};
use wallet::{Input, Output, Saved, Wallet, view};
use wasm_bindgen::prelude::*;

/// A wallet.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Tab {
    wallet: Wallet,
    first: Vec<Output>,
    wake_ms: Option<u64>,
}

/// The time of day, in milliseconds since 1970-01-01 UTC.
#[allow(clippy::as_conversions, reason = "there is no TryFrom<f64>; the cast saturates")]
fn now_ms() -> u64 {
    Date::now() as u64
}

#[wasm_bindgen]
impl Tab {
    /// A wallet as it was kept, or, without that, a new one with `seed`, on the ledger of `root`.
    /// `linked`: a link named the root. Without a root where there must be one: nothing.
    pub fn open(
        saved: Option<Vec<u8>>,
        seed: &[u8],
        root: &str,
        linked: bool,
        origin: &str,
        demo: bool,
    ) -> Option<Self> {
        let saved = match saved {
            // What can't be read is not written over: a key is in it.
            Some(bytes) => view::read::<Saved>(&bytes)?,
            None => Saved::new(seed.try_into().ok()?, root.to_owned(), linked),
        };
        let mut first = Vec::new();
        let wallet = Wallet::new(saved, origin, demo, &mut first).ok()?;
        Some(Self { wallet, first, wake_ms: None })
    }

    /// The account that it signs for, hexadecimal.
    #[wasm_bindgen(getter)]
    pub fn holder(&self) -> String {
        self.wallet.account().to_string()
    }

    /// What was kept of the account's payments, before the first `tick`.
    pub fn purse(&mut self, kept: &[u8]) {
        self.wallet.set_purse(kept);
    }

    /// When to call `tick`, in milliseconds from now; none: never.
    #[wasm_bindgen(getter)]
    pub fn wake(&self) -> Option<f64> {
        let ms = self.wake_ms?.saturating_sub(now_ms());
        Some(f64::from(u32::try_from(ms).unwrap_or(u32::MAX)))
    }

    /// Time has passed. The first call starts it.
    pub fn tick(&mut self) -> Array {
        self.step(Input::Tick)
    }

    /// A connection stands.
    pub fn up(&mut self, server: u32) -> Array {
        self.step(Input::Up(ServerId(server)))
    }

    /// It does not, or no more.
    pub fn down(&mut self, server: u32) -> Array {
        self.step(Input::Down(ServerId(server)))
    }

    /// A server sent a header.
    pub fn pushed(&mut self, server: u32, bytes: &[u8]) -> Array {
        self.step(Input::Pushed(ServerId(server), bytes))
    }

    /// A server answered, or did not (status 0).
    pub fn answered(&mut self, request: u64, status: u16, code: &str, bytes: &[u8]) -> Array {
        self.step(Input::Answered(RequestId(request), status, code, bytes))
    }

    /// A person wants something.
    pub fn command(&mut self, bytes: &[u8]) -> Array {
        match view::read(bytes) {
            Some(command) => self.step(Input::Command(command)),
            None => Array::new(),
        }
    }

    /// The page's own host names other hosts of this ledger, one a line.
    pub fn named(&mut self, hosts: &str) -> Array {
        self.step(Input::Named(hosts))
    }

    /// The account of this seed is to be used: it came over the port of the worker with the person's keys.
    pub fn account(&mut self, seed: &[u8]) -> Array {
        match seed.try_into() {
            Ok(seed) => self.step(Input::Use(seed)),
            Err(_) => Array::new(),
        }
    }

    fn step(&mut self, input: Input<'_>) -> Array {
        let mut out = std::mem::take(&mut self.first);
        self.wake_ms = self.wallet.step(now_ms(), input, &mut out);
        out.into_iter().map(object).collect()
    }
}

fn object(output: Output) -> JsValue {
    let bytes = |bytes: &[u8]| JsValue::from(Uint8Array::from(bytes));
    match output {
        Output::Connect(server, url) => {
            fields("connect", [("server", server.0.into()), ("url", url.into())])
        }
        Output::Hangup(server) => fields("hangup", [("server", server.0.into())]),
        Output::Ask { request, url, body } => {
            let body = body.map_or(JsValue::NULL, |body| bytes(&body));
            fields("ask", [("request", request.0.into()), ("url", url.into()), ("body", body)])
        }
        Output::Save(saved) => fields("save", [("bytes", bytes(&saved))]),
        Output::Reopen => fields("reopen", []),
        Output::Show(shown) => fields("show", [("bytes", bytes(&view::to_bytes(&*shown)))]),
        Output::KeepPurse(kept) => fields("keep", [("bytes", bytes(&kept))]),
        Output::Purse(purse) => fields("purse", [("bytes", bytes(&view::to_bytes(&*purse)))]),
        Output::Carry(carry) => fields("carry", [("bytes", bytes(&view::to_bytes(&carry)))]),
        Output::Letters(letters) => {
            fields("letters", [("bytes", bytes(&view::to_bytes(&letters)))])
        }
        Output::Records(proved) => fields("records", [("bytes", bytes(&view::to_bytes(&*proved)))]),
    }
}

fn fields<const N: usize>(kind: &str, fields: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    let all = [("kind", JsValue::from(kind))].into_iter().chain(fields);
    for (name, value) in all {
        // A plain object takes any field.
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}
