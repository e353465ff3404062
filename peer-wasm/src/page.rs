//! The page around the peer: hidden and shown, offline and online, and the person's data saver.

use js_sys::Reflect;
use peer::{Input, view::Problem};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Document, Event, EventTarget, PageTransitionEvent, VisibilityState};

use crate::{js_error::BrowserError, listener::Listener, pump::Inbox};

/// Tells the peer what happens to the page, until dropped.
pub(crate) fn listen(inbox: &Inbox) -> Vec<Listener> {
    let Some(window) = web_sys::window() else { return Vec::new() };
    let always = |target: &EventTarget, kind, input: fn() -> Input| {
        let inbox = inbox.clone();
        Listener::new(target, kind, move |_: Event| inbox.push(input()))
    };
    let leave = |target: &EventTarget, kind| {
        let inbox = inbox.clone();
        Listener::new(target, kind, move |_: Event| {
            inbox.going();
            inbox.push(Input::Pause);
        })
    };
    let mut all =
        vec![leave(&window, "pagehide"), always(&window, "online", || Input::NetworkChanged)];
    let shown = inbox.clone();
    all.push(Listener::new(&window, "pageshow", move |event: PageTransitionEvent| {
        // Also fires when the page first loads, when nothing was paused.
        if event.persisted() {
            shown.push(Input::Resume);
        }
    }));
    if let Some(document) = window.document() {
        all.push(leave(&document, "freeze"));
        all.push(always(&document, "resume", || Input::Resume));
        all.push(on_visible(&document, inbox.clone()));
    }
    if let Some(network) = connection() {
        // Not `change`: that one also fires whenever an estimate of the rate moves.
        all.push(always(&network, "typechange", || Input::NetworkChanged));
    }
    all
}

/// Timers of a hidden page are slow; catch up at once when it is seen again.
fn on_visible(document: &Document, inbox: Inbox) -> Listener {
    let shown = document.clone();
    Listener::new(document, "visibilitychange", move |_: Event| {
        if shown.visibility_state() == VisibilityState::Visible {
            inbox.push(Input::Tick);
        }
    })
}

/// Whether uploading would cost the person: a data saver is on, or the line is a phone's.
pub(crate) fn is_metered() -> bool {
    let Some(network) = connection() else { return false };
    let field = |name: &str| Reflect::get(&network, &name.into()).unwrap_or(JsValue::UNDEFINED);
    field("saveData").is_truthy() || field("type").as_string().as_deref() == Some("cellular")
}

/// `navigator.connection`, where there is one (not in Firefox and Safari).
fn connection() -> Option<EventTarget> {
    let navigator = web_sys::window()?.navigator();
    Reflect::get(&navigator, &"connection".into()).ok()?.dyn_into().ok()
}

/// A line in the console for the site's owner.
pub(crate) fn warn(problem: &Problem) {
    let text = ["starling: ", &problem.what, " ", &problem.remedy].concat();
    web_sys::console::warn_1(&text.into());
}

/// Where signaling is when the page does not say: on its own host.
const SIGNAL_PATH: &str = "/signal";

/// An absolute `ws:` or `wss:` URL; `url` may be relative to the page, or empty for the default.
pub(crate) fn socket_url(url: &str) -> Result<String, BrowserError> {
    let url = if url.is_empty() { SIGNAL_PATH } else { url };
    let absolute = absolute_url(url)?;
    // `http` → `ws` and `https` → `wss`; a WebSocket URL has no fragment.
    let absolute = absolute.split('#').next().unwrap_or_default();
    Ok(absolute
        .strip_prefix("http")
        .map_or_else(|| absolute.to_owned(), |rest| ["ws", rest].concat()))
}

/// An absolute URL; `url` may be relative to the page.
pub(crate) fn absolute_url(url: &str) -> Result<String, BrowserError> {
    let document = web_sys::window().and_then(|window| window.document());
    let base = document.and_then(|document| document.base_uri().ok().flatten());
    web_sys::Url::new_with_base(url, &base.unwrap_or_default())
        .map(|url| url.href())
        .map_err(|thrown| BrowserError::thrown("URL", &thrown))
}
