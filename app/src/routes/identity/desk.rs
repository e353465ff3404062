//! What the parts of the page share: the keys, what went wrong where, and what the ledger proves.

use identity::did::StarlingId;
use identity::session::{Answer, Command, Head};
use leptos::html::{Input, Textarea};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wallet::dids::{self, Found, Name};
use wallet::view::Command as Order;

use crate::keys::Keys;
use crate::ledger::Ledger;

use super::words;

/// The desk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Desk {
    pub(super) keys: Keys,
    pub(super) ledger: Ledger,
    /// A call is under way.
    pub(super) busy: RwSignal<bool>,
    /// What is to be said, and below which form.
    said: RwSignal<Option<(&'static str, String)>>,
    /// The ledger's chain.
    pub(super) chain: Memo<Option<[u8; 32]>>,
    /// The DID that follows from the seed, or the one that guardians gave to it.
    pub(super) did: RwSignal<Option<StarlingId>>,
    /// Another DID that is looked up: to recover it, or as its guardian.
    pub(super) other: RwSignal<Option<StarlingId>>,
}

impl Desk {
    pub(super) fn provide() -> Self {
        let ledger = Ledger::get();
        let desk = Self {
            keys: Keys::get(),
            ledger,
            busy: RwSignal::new(false),
            said: RwSignal::new(None),
            chain: Memo::new(move |_| dids::chain(&ledger.view.read().root)),
            did: RwSignal::new(None),
            other: RwSignal::new(None),
        };
        provide_context(desk);
        desk.watch();
        desk
    }

    pub(super) fn get() -> Self {
        expect_context()
    }

    /// Says something below a form.
    pub(super) fn say(self, place: &'static str, text: impl Into<String>) {
        self.said.set(Some((place, text.into())));
    }

    /// Tells the session something; `then` gets the answer unless it refused, which is said at `place`.
    pub(super) fn run(
        self,
        place: &'static str,
        command: Command,
        then: impl FnOnce(Answer) + 'static,
    ) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.said.set(None);
        spawn_local(async move {
            let answer = self.keys.call(command).await;
            // The person may have left the page.
            if self.busy.try_set(false).is_some() {
                return;
            }
            match answer {
                None => self.say(place, words::GONE),
                Some(answer) => match answer.refused {
                    Some(why) => self.say(place, words::refusal(why, answer.at)),
                    None => then(answer),
                },
            }
        });
    }

    /// Sends something to the ledger, or says why not.
    pub(super) fn order(self, place: &'static str, order: Option<Order>, done: &'static str) {
        match order {
            Some(_) if *self.ledger.stage.read_untracked() != crate::ledger::Stage::Open => {
                self.say(place, words::GONE);
            }
            Some(order) => {
                self.ledger.command(&order);
                self.say(place, done);
            }
            None => self.say(place, words::GONE),
        }
    }

    /// What the ledger proves of a DID.
    pub(super) fn look(self, id: StarlingId) -> Found {
        match self.chain.get() {
            Some(chain) => dids::look(&self.ledger.records.read(), chain, id),
            None => Found::Unproved,
        }
    }

    /// My DID, where it is on the ledger.
    pub(super) fn name(self) -> Option<Name> {
        match self.look(self.did.get()?) {
            Found::Here(name) => Some(*name),
            Found::Unproved | Found::Absent { .. } => None,
        }
    }

    /// Where my DID stands, now and without following it.
    pub(super) fn head(self) -> Option<Head> {
        untrack(|| self.name()).map(|name| name.head)
    }

    /// Finds out which DID is mine, and has its records proved, and those of the other one.
    fn watch(self) {
        let view = self.keys.view;
        let is_open = Memo::new(move |_| view.read().stage == identity::session::Stage::Open);
        let adopted = Memo::new(move |_| view.read().adopted);
        Effect::new(move |_| {
            let (Some(chain), true) = (self.chain.get(), is_open.get()) else {
                self.did.set(None);
                return;
            };
            if let Some(adopted) = adopted.get() {
                self.did.set(Some(adopted));
                return;
            }
            spawn_local(async move {
                let answer = self.keys.call(Command::Genesis(chain)).await;
                let id = answer.and_then(|answer| dids::id_of(&answer.bytes));
                self.did.try_set(id);
            });
        });
        let seq = move |id: StarlingId| match self.look(id) {
            Found::Here(name) => Some(name.head.seq),
            Found::Unproved | Found::Absent { .. } => None,
        };
        let wanted = Memo::new(move |_| {
            let ids = [self.did.get(), self.other.get()];
            ids.into_iter().flatten().map(|id| (id, seq(id))).collect::<Vec<_>>()
        });
        let open = move || *self.ledger.stage.read() == crate::ledger::Stage::Open;
        // Another account is another wallet, which watches nothing yet.
        let account = Memo::new(move |_| self.ledger.view.read().account.clone());
        Effect::new(move |_| {
            account.track();
            let keys = wanted.get().into_iter().flat_map(|(id, seq)| dids::keys(id, seq));
            let keys: Vec<_> = keys.collect();
            if open() {
                self.ledger.command(&Order::Watch(keys));
            }
        });
        let watcher = self.ledger.begin_watching();
        on_cleanup(move || self.ledger.end_watching(watcher));
    }
}

/// What is said below a form.
#[component]
pub(super) fn Said(
    /// Which form.
    place: &'static str,
) -> impl IntoView {
    let desk = Desk::get();
    let text = move || {
        let said = desk.said.read();
        said.as_ref().filter(|(at, _)| *at == place).map(|(_, text)| text.clone())
    };
    view! {
        <p class="quiet quiet--warn" id=format!("said-{place}") role="alert">
            {move || text().unwrap_or_default()}
        </p>
    }
}

/// What was typed into a field.
pub(super) fn typed(field: NodeRef<Input>) -> String {
    field.get_untracked().map(|field| field.value()).unwrap_or_default()
}

/// What was typed into a field of several lines.
pub(super) fn written(field: NodeRef<Textarea>) -> String {
    field.get_untracked().map(|field| field.value()).unwrap_or_default()
}

/// Empties it: what opens something does not stay on the screen.
/// Nothing, where the form is gone: what was asked for may have drawn another one.
pub(super) fn empty(field: NodeRef<Input>) {
    if let Some(field) = field.try_get_untracked().flatten() {
        field.set_value("");
    }
}

/// The same of several lines.
pub(super) fn empty_lines(field: NodeRef<Textarea>) {
    if let Some(field) = field.try_get_untracked().flatten() {
        field.set_value("");
    }
}
