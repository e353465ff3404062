//! The page's side of a person's keys: a worker that holds them, started when a page needs it.
//!
//! Everything shown is derived from [`Keys::view`]; everything a person wants goes through
//! [`Keys::call`]. What the two say to each other: `static/identity/worker.js`.

use std::collections::BTreeMap;

use identity::session::{self, Answer, Command, View};
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{MessageChannel, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::browser;
use crate::ledger::Ledger;

const WORKER: &str = "/identity/worker.js";

/// Handle to the keys. Copied freely; lives as long as the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    /// What there is, as shown.
    pub(crate) view: RwSignal<View>,
    /// How far the worker is.
    pub(crate) stage: RwSignal<Stage>,
    worker: StoredValue<Option<Running>, LocalStorage>,
    /// Who waits for which answer.
    waiting: StoredValue<BTreeMap<u32, Function>, LocalStorage>,
    count: StoredValue<u32>,
}

/// How far the worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It was not needed yet, or is on its way.
    Starting,
    /// Keys are open in another tab.
    Elsewhere,
    /// It can't run here, or can't keep anything.
    Failed,
    /// There.
    Open,
}

struct Running {
    worker: Worker,
    _listener: Closure<dyn FnMut(MessageEvent)>,
    _broken: Closure<dyn FnMut(web_sys::Event)>,
}

impl Keys {
    /// Puts it into the context, asleep.
    pub(crate) fn provide() {
        provide_context(Self {
            view: RwSignal::new(View::default()),
            stage: RwSignal::new(Stage::Starting),
            worker: StoredValue::new_local(None),
            waiting: StoredValue::new_local(BTreeMap::new()),
            count: StoredValue::new(0),
        });
    }

    /// The keys of this page, awake.
    pub(crate) fn get() -> Self {
        let keys: Self = expect_context();
        if keys.worker.with_value(Option::is_none) {
            keys.start();
        }
        keys
    }

    /// Tells the session what a person wants; what came of it. None: the worker is gone, or could not keep it.
    pub(crate) async fn call(self, command: Command) -> Option<Answer> {
        let bytes = self.post("call", &session::to_bytes(&command)).await?;
        session::read(&bytes)
    }

    /// Sends bytes to a room of the worker, and waits for its answer. None: there is none, and nothing was done.
    pub(crate) async fn post(self, room: &'static str, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.stage.try_get_untracked()? == Stage::Failed {
            return None;
        }
        let id = self.count.try_update_value(|count| {
            *count += 1;
            *count
        })?;
        let promise = Promise::new(&mut |resolve, _| {
            self.waiting.update_value(|waiting| {
                waiting.insert(id, resolve);
            });
        });
        self.send(&[(room, Uint8Array::from(bytes).into()), ("id", id.into())], &Array::new());
        let answer = JsFuture::from(promise).await.ok()?;
        Some(answer.dyn_into::<Uint8Array>().ok()?.to_vec())
    }

    /// Lets the wallet's worker have the key of the account that follows from the seed; from worker to
    /// worker, no page sees it.
    pub(crate) fn lend_account(self, ledger: Ledger, chain: &[u8; 32]) {
        let Ok(channel) = MessageChannel::new() else { return };
        let (one, two) = (channel.port1(), channel.port2());
        ledger.take_keys(&two);
        let chain = Uint8Array::from(chain.as_slice());
        let fields = [("port", JsValue::from(one.clone())), ("chain", chain.into())];
        self.send(&fields, &Array::of1(&one));
    }

    fn send(self, fields: &[(&str, JsValue)], transfer: &Array) {
        let message = js_sys::Object::new();
        for (name, value) in fields {
            // A plain object takes any field.
            drop(Reflect::set(&message, &(*name).into(), value));
        }
        self.worker.with_value(|running| {
            if let Some(running) = running {
                // Bytes and ports can always be sent.
                drop(running.worker.post_message_with_transfer(&message, transfer));
            }
        });
    }

    fn start(self) {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let script = browser::of_this_version(WORKER);
        let Ok(worker) = Worker::new_with_options(&script, &options) else {
            self.stage.set(Stage::Failed);
            return;
        };
        let listener = Closure::new(move |event: MessageEvent| self.on_message(&event.data()));
        worker.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        // Its file or its module did not come: it never says a word.
        let broken = Closure::new(move |_: web_sys::Event| self.fail());
        worker.set_onerror(Some(broken.as_ref().unchecked_ref()));
        self.worker.set_value(Some(Running { worker, _listener: listener, _broken: broken }));
        leptos::task::spawn_local(async move {
            // What there is on this device; the answer sets the view.
            let _: Option<Answer> = self.call(Command::Look).await;
        });
    }

    fn on_message(self, message: &JsValue) {
        let field = |name: &str| Reflect::get(message, &name.into()).unwrap_or_default();
        match field("state").as_string().as_deref() {
            Some("waiting") => self.stage.set(Stage::Elsewhere),
            Some("failed") => self.fail(),
            Some(_) => {}
            None if field("room").is_undefined() => self.on_answer(&field("answer"), &field("id")),
            None => self.hand(&field("answer"), &field("id")),
        }
    }

    /// There are no keys here. Whoever waits is told that nothing came of it.
    fn fail(self) {
        self.stage.set(Stage::Failed);
        let waiting = self.waiting.try_update_value(core::mem::take).unwrap_or_default();
        for resolve in waiting.into_values() {
            // Whoever waited may be gone; then nobody hears it.
            drop(resolve.call1(&JsValue::NULL, &JsValue::NULL));
        }
    }

    fn on_answer(self, answer: &JsValue, id: &JsValue) {
        let bytes = answer.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec);
        if let Some(read) = bytes.and_then(|bytes| session::read::<Answer>(&bytes)) {
            if *self.view.read_untracked() != read.view {
                self.view.set(read.view);
            }
            self.stage.set(Stage::Open);
        }
        self.hand(answer, id);
    }

    /// Gives an answer to who waits for it.
    fn hand(self, answer: &JsValue, id: &JsValue) {
        let id = id.as_f64().unwrap_or_default();
        let resolve = self.waiting.try_update_value(|waiting| {
            let known = waiting.keys().copied().find(|known| f64::from(*known) == id)?;
            waiting.remove(&known)
        });
        if let Some(resolve) = resolve.flatten() {
            // Whoever waited may be gone; then nobody hears it.
            drop(resolve.call1(&JsValue::NULL, answer));
        }
    }
}
