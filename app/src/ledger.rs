//! The page's side of the ledger: a worker that holds the wallet, started when a page needs it.
//!
//! Everything shown is derived from [`Ledger::view`]; everything a person wants goes through
//! [`Ledger::command`]. What the two say to each other: `static/wallet/worker.js`.

use std::rc::Rc;

use js_sys::{Reflect, Uint8Array};
use leptos::prelude::*;
use wallet::view::{self, Carry, Command, Purse, Records, View, Wish};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::browser;
use crate::settings::Settings;

const WORKER: &str = "/wallet/worker.js";
/// Most packets of letters that nobody took, each of as many as one transaction has readings: a month of a meter.
const LETTERS_MAX: usize = 64;

/// Handle to the wallet. Copied freely; lives as long as the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ledger {
    /// The wallet, as shown.
    pub(crate) view: RwSignal<View>,
    /// Records that a page watches, proved.
    pub(crate) records: RwSignal<Records>,
    /// Letters that the wallet sealed and nobody took yet, as it gave them.
    pub(crate) letters: RwSignal<Vec<Vec<u8>>>,
    /// What is paid for bytes and earned by them.
    pub(crate) purse: RwSignal<Purse>,
    /// How far it is.
    pub(crate) stage: RwSignal<Stage>,
    /// The trust root that this host names.
    pub(crate) served: RwSignal<Option<String>>,
    /// The longest step of the worker so far, in milliseconds: a certificate and a proof.
    pub(crate) took_ms: RwSignal<f64>,
    /// Whether all that is to be remembered is written on this device; none: nothing was yet.
    pub(crate) kept: RwSignal<Option<bool>>,
    worker: StoredValue<Option<Running>, LocalStorage>,
    carrier: StoredValue<Option<Carrier>, LocalStorage>,
    near: StoredValue<Option<Near>, LocalStorage>,
    /// Counts pages that watch records: the last one says what is watched.
    watcher: StoredValue<u64>,
}

/// Who does in shares what the wallet's tills want. Held as `dyn`: shares come with the pages that need them.
#[derive(Clone)]
pub(crate) struct Carrier {
    /// Does one thing.
    pub(crate) carry: Rc<dyn Fn(Carry)>,
    /// Sees which shares are counted.
    pub(crate) purse: Rc<dyn Fn(&Purse)>,
}

/// Who says to neighbours what the wallet has for them. As `dyn` for the same reason.
type Near = Rc<dyn Fn(Carry)>;

/// How far the wallet is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It was not needed yet, or is on its way.
    Starting,
    /// It is open in another tab.
    Elsewhere,
    /// There is no ledger here, and the code that says why.
    Failed(String),
    /// There.
    Open,
}

struct Running {
    worker: Worker,
    _listener: Closure<dyn FnMut(MessageEvent)>,
}

impl Ledger {
    /// Puts it into the context, asleep.
    pub(crate) fn provide() {
        provide_context(Self {
            view: RwSignal::new(View::default()),
            records: RwSignal::new(Records::default()),
            letters: RwSignal::new(Vec::new()),
            purse: RwSignal::new(Purse::default()),
            stage: RwSignal::new(Stage::Starting),
            served: RwSignal::new(None),
            took_ms: RwSignal::new(0.0),
            kept: RwSignal::new(None),
            worker: StoredValue::new_local(None),
            carrier: StoredValue::new_local(None),
            near: StoredValue::new_local(None),
            watcher: StoredValue::new(0),
        });
    }

    /// The ledger of this page, awake.
    pub(crate) fn get() -> Self {
        let ledger = Self::handle();
        ledger.wake();
        ledger
    }

    /// The ledger of this page, which may sleep.
    pub(crate) fn handle() -> Self {
        expect_context()
    }

    /// Starts it, if it sleeps.
    pub(crate) fn wake(self) {
        if self.worker.with_value(Option::is_none) {
            self.start();
        }
    }

    /// The account in use; none: the wallet is not open here, or its key would be gone with the page.
    pub(crate) fn account(self) -> Option<String> {
        let is_open = *self.stage.read() == Stage::Open && self.kept.get() == Some(true);
        let account = is_open.then(|| self.view.read().account.clone());
        account.filter(|account| !account.is_empty())
    }

    /// Whether somebody carries for it.
    pub(crate) fn carries(self) -> bool {
        self.carrier.with_value(Option::is_some)
    }

    /// Carries for it from now on.
    pub(crate) fn carry_by(self, carrier: Carrier) {
        (carrier.purse)(&self.purse.read_untracked());
        self.carrier.set_value(Some(carrier));
    }

    /// Says to neighbours from now on what it has for them.
    pub(crate) fn near_by(self, near: Near) {
        self.near.set_value(Some(near));
    }

    /// A page begins to watch records; its number.
    pub(crate) fn begin_watching(self) -> u64 {
        self.watcher.update_value(|count| *count += 1);
        self.watcher.get_value()
    }

    /// It ends, and so does what it watched, unless another page began meanwhile: the next one is drawn before
    /// the one before is gone.
    pub(crate) fn end_watching(self, watcher: u64) {
        if self.watcher.try_get_value() == Some(watcher) {
            self.command(&Command::Watch(Vec::new()));
        }
    }

    /// Tells the wallet what a person wants.
    pub(crate) fn command(self, command: &Command) {
        let bytes = Uint8Array::from(view::to_bytes(command).as_slice());
        self.worker.with_value(|running| {
            if let Some(running) = running {
                // Bytes can always be sent.
                drop(running.worker.post_message(&bytes));
            }
        });
    }

    /// Tells the wallet whether it keeps what neighbours leave, and hands it in for them.
    pub(crate) fn tell_hand_in(self) {
        let on = Settings::load(browser::kept).hand_in;
        self.command(&Command::Purse(Wish::HandIn(on)));
    }

    /// What a server of the ledger has at `path`, below `/ledger`: the page's own host first, then the others that
    /// are asked. Not proved.
    pub(crate) async fn fetch(self, path: &str) -> Option<Vec<u8>> {
        let mut servers = readable(&self.view.read_untracked());
        if servers.is_empty() {
            // The wallet has said nothing yet.
            servers.push(browser::origin());
        }
        for server in servers {
            let answer = browser::ask_at(&server, &format!("/ledger{path}"), "GET").await;
            if let Some((200, bytes)) = answer {
                return Some(bytes);
            }
        }
        None
    }

    /// Hands the wallet a port over which its account's key comes.
    pub(crate) fn take_keys(self, port: &web_sys::MessagePort) {
        let message = js_sys::Object::new();
        // A plain object takes any field, and a port can always be sent.
        drop(Reflect::set(&message, &"keys".into(), port));
        self.worker.with_value(|running| {
            if let Some(running) = running {
                drop(
                    running.worker.post_message_with_transfer(&message, &js_sys::Array::of1(port)),
                );
            }
        });
    }

    fn start(self) {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let Ok(worker) = Worker::new_with_options(&browser::of_this_version(WORKER), &options)
        else {
            self.stage.set(Stage::Failed("no-worker".to_owned()));
            return;
        };
        let listener = Closure::new(move |event: MessageEvent| self.on_message(&event.data()));
        worker.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        // Its file did not come, and it never says a word: this event has no data.
        worker.set_onerror(Some(listener.as_ref().unchecked_ref()));
        let hello = js_sys::Object::new();
        let root = browser::query("root").map_or(JsValue::NULL, JsValue::from);
        for (name, value) in [("origin", browser::origin().into()), ("root", root)] {
            // A plain object takes any field.
            drop(Reflect::set(&hello, &name.into(), &value));
        }
        drop(worker.post_message(&hello));
        self.worker.set_value(Some(Running { worker, _listener: listener }));
    }

    fn on_message(self, message: &JsValue) {
        if message.is_undefined() {
            if *self.stage.read_untracked() == Stage::Starting {
                self.stage.set(Stage::Failed("no-code".to_owned()));
            }
            return;
        }
        let field = |name: &str| Reflect::get(message, &name.into()).unwrap_or_default();
        let text = |name: &str| field(name).as_string();
        match text("state").as_deref() {
            Some("waiting") => self.stage.set(Stage::Elsewhere),
            Some("failed") => self.stage.set(Stage::Failed(text("why").unwrap_or_default())),
            Some(_) => self.served.set(text("served")),
            None => {
                if let Some(kept) = field("kept").as_bool() {
                    self.kept.set(Some(kept));
                    return;
                }
                let bytes = |name| Some(field(name).dyn_into::<Uint8Array>().ok()?.to_vec());
                if let Some(carry) = bytes("carry") {
                    self.on_carry(&carry);
                    return;
                }
                if let Some(bytes) = bytes("purse") {
                    self.on_purse(&bytes);
                    return;
                }
                if let Some(bytes) = bytes("letters") {
                    self.letters.update(|all| {
                        all.push(bytes);
                        // The oldest go: they can be sealed again.
                        let over = all.len().saturating_sub(LETTERS_MAX);
                        all.drain(..over);
                    });
                    return;
                }
                if let Some(bytes) = bytes("records") {
                    if let Some(records) = view::read(&bytes) {
                        self.records.set(records);
                    }
                    return;
                }
                if let Some(view) = bytes("view").and_then(|bytes| view::read(&bytes)) {
                    self.view.set(view);
                    if *self.stage.read_untracked() != Stage::Open {
                        self.stage.set(Stage::Open);
                    }
                }
                let took_ms = field("took").as_f64().unwrap_or_default();
                if took_ms > self.took_ms.get_untracked() {
                    self.took_ms.set(took_ms);
                }
            }
        }
    }

    fn on_carry(self, bytes: &[u8]) {
        let Some(carry) = view::read::<Carry>(bytes) else { return };
        if matches!(carry, Carry::Greet) {
            // A wallet was opened, at first or of another account.
            self.tell_hand_in();
        }
        if matches!(carry, Carry::Tell { .. } | Carry::Greet | Carry::Parting(_)) {
            if let Some(near) = self.near.with_value(Clone::clone) {
                near(carry);
            }
        } else if let Some(carrier) = self.carrier.with_value(Clone::clone) {
            (carrier.carry)(carry);
        }
    }

    fn on_purse(self, bytes: &[u8]) {
        let Some(purse) = view::read(bytes) else { return };
        if let Some(carrier) = self.carrier.with_value(Clone::clone) {
            (carrier.purse)(&purse);
        }
        self.purse.set(purse);
    }
}

/// Addresses of servers that can be read, those that answer first.
pub(crate) fn readable(view: &View) -> Vec<String> {
    let (mut up, down): (Vec<_>, Vec<_>) =
        view.servers.iter().filter(|one| !one.lies).partition(|one| one.is_up);
    up.extend(down);
    up.into_iter().map(|one| one.url.clone()).collect()
}

#[cfg(test)]
mod tests {
    use wallet::view::Server;

    use super::*;

    #[test]
    fn who_answers_is_asked_first_and_who_lied_is_not() {
        let server = |url: &str, is_up, lies| Server {
            url: url.to_owned(),
            is_up,
            is_away: !is_up,
            is_named: false,
            height: 1,
            faults: Vec::new(),
            lies,
        };
        let servers = vec![
            server("own", false, false),
            server("liar", true, true),
            server("one", true, false),
            server("two", true, false),
        ];
        let view = View { servers, ..View::default() };
        assert_eq!(readable(&view), ["one", "two", "own"]);
        assert_eq!(readable(&View::default()), Vec::<String>::new());
    }
}
