//! This page's end of the service worker (`static/preview/worker.js`), which answers frames and downloads
//! with what it asks for here, a piece at a time.
//!
//! | what it says | what it gets |
//! |---|---|
//! | `{token}` with a port | of a download: `{name, size}`; `size` may be null |
//! | `{token, from}` with a port | the bytes from there, or null: not of this page, or not any more |
//! | `{token}` without a port | nothing: the download was cancelled |

use core::cell::{Cell, RefCell};
use std::{
    collections::BTreeMap,
    rc::{Rc, Weak},
};

use data_encoding::HEXLOWER;
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    EventTarget, MessageEvent, MessagePort, ServiceWorker, ServiceWorkerContainer,
    ServiceWorkerRegistration, ServiceWorkerState,
};

use super::{FilesError, handing::Handing, preview::Screen};
use crate::{entropy, listener::Listener, number};

/// Screens at a time; a further one takes the place of one of these.
const SCREENS_MAX: usize = 4;
/// Downloads at a time; a further one goes another way. Each holds a piece at most.
const DOWNLOADS_MAX: usize = 4;
/// Looks at whether the worker runs, and the milliseconds between two.
const WORKER_LOOKS: (u32, i32) = (100, 50);
/// Where the worker is: its scope is the folder it is in, so it hears of nothing else of this page.
const WORKER: &str = "/preview/worker.js";
/// Its folder.
pub(super) const FOLDER: &str = "/preview/";

/// Where the worker's questions arrive.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// The worker of this origin is ours, as it is not on sites that embed a share.
    is_ours: Cell<bool>,
    /// At most [`SCREENS_MAX`], by their tokens.
    screens: RefCell<BTreeMap<String, Rc<Screen>>>,
    /// At most [`DOWNLOADS_MAX`] that live, by their tokens.
    downloads: RefCell<BTreeMap<String, Weak<Handing>>>,
    listener: RefCell<Option<Listener>>,
}

impl Desk {
    /// This page is of the site that serves the worker.
    pub(super) fn set_ours(&self) {
        self.is_ours.set(true);
    }

    /// The worker, running and heard.
    pub(super) async fn worker(self: &Rc<Self>) -> Result<ServiceWorker, FilesError> {
        let container = container().filter(|_| self.is_ours.get()).ok_or(FilesError::NoPreview)?;
        let worker = start_worker(&container).await?;
        self.listen(&container);
        Ok(worker)
    }

    /// Shows a file under this token.
    pub(super) fn add_screen(&self, token: String, screen: Rc<Screen>) {
        let mut screens = self.screens.borrow_mut();
        if screens.len() >= SCREENS_MAX {
            screens.pop_first();
        }
        screens.insert(token, screen);
    }

    /// Shows it no longer.
    pub(super) fn remove_screen(&self, token: &str) {
        self.screens.borrow_mut().remove(token);
    }

    /// Hands a file over under this token; whether there is room for one more.
    pub(super) fn add_download(&self, token: String, handing: &Rc<Handing>) -> bool {
        let mut downloads = self.downloads.borrow_mut();
        downloads.retain(|_, known| known.strong_count() > 0);
        let fits = downloads.len() < DOWNLOADS_MAX;
        if fits {
            downloads.insert(token, Rc::downgrade(handing));
        }
        fits
    }

    /// Hears the worker's questions, from the first file that needs it on.
    fn listen(self: &Rc<Self>, container: &ServiceWorkerContainer) {
        let mut listener = self.listener.borrow_mut();
        if listener.is_some() {
            return;
        }
        let target: &EventTarget = container;
        let desk = Rc::downgrade(self);
        *listener = Some(Listener::new(target, "message", move |event: MessageEvent| {
            if let Some(desk) = desk.upgrade() {
                desk.hear(&event);
            }
        }));
    }

    fn hear(&self, event: &MessageEvent) {
        let field = |name: &str| Reflect::get(&event.data(), &name.into()).ok();
        let Some(token) = field("token").and_then(|token| token.as_string()) else { return };
        let download = self.downloads.borrow().get(&token).and_then(Weak::upgrade);
        let Ok(port) = event.ports().get(0).dyn_into::<MessagePort>() else {
            if let Some(download) = download {
                download.cancel();
            }
            return;
        };
        let from = field("from").and_then(|from| from.as_f64()).map(number::whole);
        let question = Question { from, port };
        let screen = self.screens.borrow().get(&token).cloned();
        match (download, screen) {
            (Some(download), _) => download.take(question),
            (None, Some(screen)) => Screen::take(screen, question),
            (None, None) => question.reply(None),
        }
    }
}

/// What the worker asks, with a port for the answer.
#[derive(Debug)]
pub(super) struct Question {
    /// Offset of the bytes it wants; none: what it is called and how large it is.
    pub(super) from: Option<u64>,
    port: MessagePort,
}

impl Question {
    /// An object, or null.
    pub(super) fn reply(&self, answer: Option<&Object>) {
        let answer = answer.cloned().map_or(JsValue::NULL, JsValue::from);
        // Without an answer the request ends when the frame or the download does.
        drop(self.port.post_message(&answer));
    }

    /// `{bytes}`, which leave this page's memory with it.
    pub(super) fn give(&self, bytes: &[u8]) {
        let bytes = Uint8Array::from(bytes);
        let value: &JsValue = &bytes;
        let answer = object(&[("bytes", value)]);
        let moved = Array::of1(&bytes.buffer());
        drop(self.port.post_message_with_transferable(&answer, &moved));
    }
}

/// An object with these fields.
pub(super) fn object(fields: &[(&str, &JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a fresh property on a fresh object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

/// A name that nobody guesses.
pub(super) fn token() -> Result<String, FilesError> {
    let seed = entropy::seed().map_err(FilesError::Browser)?;
    Ok(HEXLOWER.encode(&seed.derive("preview").as_bytes()[..16]))
}

/// Where service workers are registered; absent in private windows and outside of secure contexts.
fn container() -> Option<ServiceWorkerContainer> {
    let navigator = web_sys::window()?.navigator();
    Reflect::get(&navigator, &"serviceWorker".into()).ok()?.dyn_into().ok()
}

/// Makes sure that the worker runs.
async fn start_worker(container: &ServiceWorkerContainer) -> Result<ServiceWorker, FilesError> {
    let registered = JsFuture::from(container.register(WORKER)).await;
    let registered = registered.map_err(|_| FilesError::NoPreview)?;
    let registration: ServiceWorkerRegistration = registered.unchecked_into();
    let (looks, wait_ms) = WORKER_LOOKS;
    for _ in 0..looks {
        let active = registration.active();
        let runs = |worker: &ServiceWorker| worker.state() == ServiceWorkerState::Activated;
        if let Some(worker) = active.filter(runs) {
            return Ok(worker);
        }
        sleep(wait_ms).await;
    }
    Err(FilesError::NoPreview)
}

/// Lets this much time pass.
pub(super) async fn sleep(ms: i32) {
    let waiting = Promise::new(&mut |resolve: Function, _: Function| call_after(&resolve, ms));
    // A timer rejects nothing.
    drop(JsFuture::from(waiting).await);
}

/// Calls a function once, later.
pub(super) fn call_after(function: &Function, ms: i32) {
    if let Some(window) = web_sys::window() {
        // A browser that sets no timer leaves it as it is: waiting.
        drop(window.set_timeout_with_callback_and_timeout_and_arguments_0(function, ms));
    }
}
