//! The one place where a `JsValue` becomes an error.

use core::fmt;

use js_sys::Reflect;
use wasm_bindgen::{JsCast as _, JsValue};

/// A browser API refused or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserError {
    /// The API, as a reader of its manual would name it: `RTCPeerConnection.createOffer`.
    pub api: &'static str,
    /// Name of the `DOMException` or error class: `QuotaExceededError`, `TypeError`.
    pub name: String,
    /// The browser's own words; may be empty.
    pub message: String,
}

impl BrowserError {
    /// What `api` threw.
    pub(crate) fn thrown(api: &'static str, thrown: &JsValue) -> Self {
        let (name, message) = thrown
            .dyn_ref::<js_sys::Error>()
            .map(|error| (String::from(error.name()), String::from(error.message())))
            .or_else(|| {
                let name = Reflect::get(thrown, &"name".into()).ok()?.as_string()?;
                let message = Reflect::get(thrown, &"message".into()).ok()?.as_string()?;
                Some((name, message))
            })
            .unwrap_or_else(|| ("Error".to_owned(), thrown.as_string().unwrap_or_default()));
        Self { api, name, message }
    }

    /// `api` is not there, or gave something else than its manual says.
    pub(crate) fn missing(api: &'static str) -> Self {
        Self { api, name: "NotSupportedError".to_owned(), message: String::new() }
    }

    /// The same as a JavaScript `Error` with `code`, for callers of the JavaScript façade.
    pub(crate) fn to_js(&self) -> JsValue {
        let text = [self.api, ": ", &self.name, " ", &self.message].concat();
        coded_error(&self.name, &text, None)
    }
}

/// A JavaScript `Error` with a stable `code`, and the HTTP `status` where there was one.
pub(crate) fn coded_error(code: &str, message: &str, status: Option<u16>) -> JsValue {
    let error = js_sys::Error::new(message);
    // Setting a fresh property on a fresh object cannot fail.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    if let Some(status) = status {
        let _ = Reflect::set(&error, &"status".into(), &status.into());
    }
    error.into()
}

impl fmt::Display for BrowserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.api)?;
        f.write_str(": ")?;
        f.write_str(&self.name)?;
        f.write_str(" ")?;
        f.write_str(&self.message)
    }
}

impl core::error::Error for BrowserError {}
