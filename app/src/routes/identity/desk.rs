//! What the parts of the page share: the keys, what went wrong where, and what the ledger proves.

use identity::did::StarlingId;
use identity::session::{Answer, Command, Head, Refusal};
use leptos::html::{Input, Textarea};
use leptos::prelude::*;
use leptos::task::spawn_local;
use wallet::dids::{self, Found, Name};
use wallet::view::Command as Order;

use crate::browser;
use crate::components::send::unsigned;
use crate::components::transfers::fate;
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
    said: RwSignal<Option<(&'static str, Word)>>,
    /// Below which form the ledger was asked for something last, and when, in milliseconds since 1970: what
    /// becomes of it is said there.
    ordered: RwSignal<Option<(&'static str, u64)>>,
    /// The wallet was told to sign something of names or lists; none: it did, or refused.
    told: RwSignal<Option<Before>>,
    /// The session wants to be opened once more.
    pub(super) asks_again: RwSignal<bool>,
    /// What is done then.
    retry: StoredValue<Option<Box<dyn FnOnce()>>, LocalStorage>,
    /// The ledger's chain.
    pub(super) chain: Memo<Option<[u8; 32]>>,
    /// The DID that follows from the seed, or the one that guardians gave to it.
    pub(super) did: RwSignal<Option<StarlingId>>,
    /// Another DID that is looked up: to recover it, or as its guardian.
    pub(super) other: RwSignal<Option<StarlingId>>,
    /// More DIDs whose keys have to be proved.
    pub(super) more: RwSignal<Vec<StarlingId>>,
    /// Status lists that have to be proved: issuer and name.
    pub(super) lists: RwSignal<Vec<(String, String)>>,
}

impl Desk {
    pub(super) fn provide() -> Self {
        let ledger = Ledger::get();
        let desk = Self {
            keys: Keys::get(),
            ledger,
            busy: RwSignal::new(false),
            said: RwSignal::new(None),
            ordered: RwSignal::new(None),
            told: RwSignal::new(None),
            asks_again: RwSignal::new(false),
            retry: StoredValue::new_local(None),
            chain: Memo::new(move |_| dids::chain(&ledger.view.read().root)),
            did: RwSignal::new(None),
            other: RwSignal::new(None),
            more: RwSignal::new(Vec::new()),
            lists: RwSignal::new(Vec::new()),
        };
        provide_context(desk);
        desk.watch();
        desk.hear();
        desk
    }

    pub(super) fn get() -> Self {
        expect_context()
    }

    /// Says something below a form.
    pub(super) fn say(self, place: &'static str, text: impl Into<String>) {
        self.said.set(Some((place, Word { text: text.into(), is_good: false })));
        self.ordered.set(None);
    }

    /// Says below a form that it is done.
    pub(super) fn tell(self, place: &'static str, text: impl Into<String>) {
        self.said.set(Some((place, Word { text: text.into(), is_good: true })));
        self.ordered.set(None);
    }

    /// What is said below a form: of the ledger's refusal, if there is one, and else what was said.
    fn said_at(self, place: &'static str) -> Option<Word> {
        let ordered = self.ordered.get().filter(|(at, _)| *at == place);
        let refused = ordered.and_then(|(_, since_ms)| {
            let view = self.ledger.view.read();
            let failed = || dids::failed(&view, since_ms).map(|sent| fate(sent).0);
            unsigned(&view.refused).map(str::to_owned).or_else(failed)
        });
        let said = || {
            let said = self.said.read();
            said.as_ref().filter(|(at, _)| *at == place).map(|(_, word)| word.clone())
        };
        refused.map(|text| Word { text, is_good: false }).or_else(said)
    }

    /// It was opened once more: what was asked for is done.
    pub(super) fn retry(self) {
        let retry = self.retry.try_update_value(Option::take).flatten();
        self.asks_again.set(false);
        if let Some(retry) = retry {
            retry();
        }
    }

    /// It is not opened once more.
    pub(super) fn forget_retry(self) {
        // The page may be going.
        drop(self.retry.try_update_value(Option::take));
        if self.asks_again.try_get_untracked() == Some(true) {
            self.asks_again.try_set(false);
        }
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
        self.ordered.set(None);
        spawn_local(async move {
            let answer = self.keys.call(command.clone()).await;
            // The person may have left the page.
            if self.busy.try_set(false).is_some() {
                return;
            }
            match answer {
                // The form may be gone: what is not kept is not open either.
                None => self.say("keys", words::LOST),
                Some(answer) => match answer.refused {
                    Some(Refusal::NotFresh) => {
                        let retry = move || self.run(place, command, then);
                        self.retry.set_value(Some(Box::new(retry)));
                        self.asks_again.set(true);
                    }
                    Some(why) => self.say(place, words::refusal(why, answer.at)),
                    None => then(answer),
                },
            }
        });
    }

    /// The wallet was told something: if it refuses, or the ledger does, that is said at `place`.
    pub(super) fn expect_refusal(self, place: &'static str) {
        self.ordered.set(Some((place, browser::now_ms())));
    }

    /// Sends something to the ledger, or says why not.
    pub(super) fn order(self, place: &'static str, order: Option<Order>, done: &'static str) {
        match order {
            Some(_) if *self.ledger.stage.read_untracked() != crate::ledger::Stage::Open => {
                self.say(place, words::GONE);
            }
            Some(Order::Did { .. }) if untrack(|| self.waits()) => {
                self.say(place, words::ON_ITS_WAY)
            }
            Some(order) => {
                if matches!(order, Order::Did { .. }) {
                    self.told.set(Some(Before::of(self.ledger)));
                }
                self.ledger.command(&order);
                self.tell(place, done);
                self.expect_refusal(place);
            }
            None => self.say(place, words::GONE),
        }
    }

    /// Whether something that was asked of names or lists is on its way to the ledger, or to what is proved here. Asked
    /// once more meanwhile, it would cost a second fee.
    pub(super) fn waits(self) -> bool {
        if self.told.read().is_some() {
            return true;
        }
        let proved = self.ledger.records.read().list.iter().map(|one| one.height).min();
        dids::waits(&self.ledger.view.read(), proved.unwrap_or_default())
    }

    /// Notices when the wallet signed what it was told to, or would not.
    fn hear(self) {
        Effect::new(move |_| {
            let is_refused = !self.ledger.view.read().refused.is_empty();
            let Some(before) = self.told.get() else { return };
            if is_refused || Before::of(self.ledger) != before {
                self.told.set(None);
            }
        });
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

    /// The DID that signs: the one on the ledger where it stands there, else the key's own.
    pub(super) fn signer(self, head: Option<&Head>) -> String {
        match head {
            Some(head) => format!("did:starling:{}", head.did),
            None => self.keys.view.read_untracked().did.clone(),
        }
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
            let ids = [self.did.get(), self.other.get()].into_iter().flatten();
            ids.chain(self.more.get()).map(|id| (id, seq(id))).collect::<Vec<_>>()
        });
        let open = move || *self.ledger.stage.read() == crate::ledger::Stage::Open;
        // Another account is another wallet, which watches nothing yet.
        let account = Memo::new(move |_| self.ledger.view.read().account.clone());
        Effect::new(move |_| {
            account.track();
            let keys = wanted.get().into_iter().flat_map(|(id, seq)| dids::keys(id, seq));
            let lists = self.lists.read();
            let lists = lists.iter().filter_map(|(issuer, uri)| dids::list_key(issuer, uri));
            let keys: Vec<_> = keys.chain(lists).collect();
            if open() {
                self.ledger.command(&Order::Watch(keys));
            }
        });
        let watcher = self.ledger.begin_watching();
        on_cleanup(move || self.ledger.end_watching(watcher));
    }
}

/// What was asked of names and lists last, when the wallet was told of something new.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Before(Option<String>);

impl Before {
    fn of(ledger: Ledger) -> Self {
        Self(dids::last(&ledger.view.read_untracked()).map(|sent| sent.id.clone()))
    }
}

/// What is said below a form.
#[component]
pub(super) fn Said(
    /// Which form.
    place: &'static str,
) -> impl IntoView {
    let desk = Desk::get();
    let word = Memo::new(move |_| desk.said_at(place).unwrap_or_default());
    view! {
        <p
            class="quiet"
            class:quiet--warn=move || !word.read().is_good
            id=format!("said-{place}")
            role=move || if word.read().is_good { "status" } else { "alert" }
        >
            {move || word.get().text}
        </p>
    }
}

/// What is said below a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Word {
    text: String,
    /// It is done; else it is not, and this is why.
    is_good: bool,
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
