//! The page's side of the credentials: what they are, and calls that wait for what the ledger proves.
//!
//! A call that lacks a proof says which ([`Need`]). It waits here until the wallet has proved all of them, no older
//! than the call, and is given again with them. Status lists that it lacks are asked for as blocks ([`lists`]); web
//! servers of issuers once the person agreed, for they learn that somebody looks ([`Outside`]).

use std::time::Duration;

use identity::credentials::{Command, Facts, KeyFact, ListFact, Need, Reply, View};
use identity::did::{Did, Place, StarlingId};
use identity::session;
use identity::status::TokenHash;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wallet::dids::{self, Found, Name, VERSIONS_MAX, Version};
use wallet::view::Sight;

use crate::browser;
use crate::format::sentence;
use crate::ledger::Stage;
use crate::session::Session;
use crate::sharing::Sharing;

use super::super::desk::Desk;
use super::super::outside;
use super::super::statement::said_then;
use super::super::words::{GONE, LOST};
use super::lists::{self, Given};

/// Most rounds of proofs for one call: keys; then of each list, up to four, what the ledger names, its bytes, and its
/// key.
const ROUNDS_MAX: u8 = 13;
/// How long the ledger is waited for in each.
const WAIT: Duration = Duration::from_secs(30);

/// Said where a proof is needed and nobody can give it.
const NO_LEDGER: &str = "This has to be looked up on the ledger, which is not to be had here now. Look at the Wallet page: it says why.";
/// Said where the newest block is old.
const STALE: &str = "The newest block here is old, so nothing proves how it is now: the ledger stands still, or newer blocks are kept back. Try again later.";
/// What is said where this device's clock is off.
const CLOCK_OFF: &str = "This device\u{2019}s clock is off, so how new the newest block is can\u{2019}t be told: the Wallet page says by how much. Set the clock, and try again.";
/// Said where there are two ledgers.
const FORKED: &str =
    "Validators signed two histories of the ledger, so it proves nothing. Look at the Wallet page.";

/// The credentials of this page. Copied freely; lives as long as the page.
#[derive(Clone, Copy)]
pub(super) struct Book {
    pub(super) desk: Desk,
    /// Shares of files, of which lists are some.
    pub(super) sharing: Sharing,
    /// What there is.
    pub(super) view: RwSignal<View>,
    /// Who gives lists of one's own to others, by their hashes.
    pub(super) given: RwSignal<Vec<(TokenHash, Given)>>,
    /// Lists that the page shows by itself.
    pub(super) shown: RwSignal<Vec<(String, String)>>,
    needs: RwSignal<Vec<Need>>,
    job: StoredValue<Option<Job>, LocalStorage>,
    /// A key for which a web server has to be asked.
    asks: RwSignal<Option<Need>>,
    /// Those that the person agreed to ask while the page is open.
    agreed: StoredValue<Vec<String>>,
    /// How often the ledger was waited for.
    waits: StoredValue<u64>,
}

/// A call that waits.
struct Job {
    place: &'static str,
    command: Command,
    facts: Facts,
    then: Box<dyn FnOnce(Reply)>,
    rounds: u8,
    /// The newest block when it was asked for: proofs are no older.
    from: u64,
}

/// What the ledger says of one need.
enum Settled {
    /// A key that the DID had, in what it said at that version.
    Key {
        name: Box<Name>,
        seq: u64,
        version: Version,
    },
    /// There was none.
    NoKey {
        height: u64,
    },
    List(ListFact),
}

impl Book {
    pub(super) fn provide(desk: Desk) -> Self {
        let book = Self {
            desk,
            sharing: Session::get().sharing,
            view: RwSignal::new(View::default()),
            given: RwSignal::new(Vec::new()),
            shown: RwSignal::new(Vec::new()),
            needs: RwSignal::new(Vec::new()),
            job: StoredValue::new_local(None),
            asks: RwSignal::new(None),
            agreed: StoredValue::new(Vec::new()),
            waits: StoredValue::new(0),
        };
        provide_context(book);
        book.open();
        book.settle();
        book
    }

    pub(super) fn get() -> Self {
        expect_context()
    }

    /// Tells the worker something; `then` gets the reply unless it refused, which is said at `place`.
    pub(super) fn run(
        self,
        place: &'static str,
        command: Command,
        then: impl FnOnce(Reply) + 'static,
    ) {
        if self.desk.busy.get_untracked() {
            return;
        }
        self.desk.busy.set(true);
        self.desk.say(place, "");
        let from =
            self.desk.ledger.view.read_untracked().blocks.first().map_or(0, |one| one.height);
        let facts = Facts::default();
        self.go(Job { place, command, facts, then: Box::new(then), rounds: 0, from });
    }

    fn go(self, mut job: Job) {
        spawn_local(async move {
            let command = job.command.clone().with(job.facts.clone());
            let reply = self.desk.keys.post("credentials", &session::to_bytes(&command)).await;
            if self.is_gone() {
                return;
            }
            let Some(bytes) = reply else {
                // The form may be gone: what is not kept is not open either.
                self.end("lost", LOST);
                return;
            };
            let Some(reply) = session::read::<Reply>(&bytes) else {
                self.end(job.place, GONE);
                return;
            };
            if !reply.needs.is_empty() && job.rounds < ROUNDS_MAX {
                job.rounds += 1;
                let is_web = |need: &&Need| matches!(need, Need::Web { .. });
                if let Some(need) = reply.needs.iter().find(is_web) {
                    self.ask_web(job, need.clone());
                    return;
                }
                let token = reply.needs.iter().find_map(|need| match need {
                    Need::Token(token) => Some(*token),
                    Need::Key { .. } | Need::List { .. } | Need::Web { .. } => None,
                });
                if let Some(token) = token {
                    self.desk.tell(job.place, "The newest status list is being fetched.");
                    match lists::fetch(self.sharing, token).await {
                        Some(text) => job.facts.tokens.push(text),
                        None => job.facts.missing.push(token),
                    }
                    if !self.is_gone() {
                        self.go(job);
                    }
                    return;
                }
                self.desk.tell(job.place, "The ledger is being asked.");
                self.job.set_value(Some(job));
                self.give_up_later();
                self.needs.set(reply.needs);
                return;
            }
            self.end(job.place, "");
            if !reply.locked {
                self.view.set(reply.view.clone());
            }
            if let Some(why) = &reply.refused {
                self.desk.say(job.place, sentence(why));
            } else if reply.locked {
                self.desk.say(job.place, "Your identity locked itself. Unlock it and try again.");
            } else if reply.needs.is_empty() {
                (job.then)(reply);
            } else {
                self.desk.say(job.place, NO_LEDGER);
            }
        });
    }

    /// Has a web server asked what it shows of a name, if the person agrees.
    fn ask_web(self, job: Job, need: Need) {
        let Need::Web { did, id, at_s } = need else { return };
        // What the ledger was waited for before ends nothing any more.
        self.waits.update_value(|waits| *waits += 1);
        if self.agreed.with_value(|agreed| agreed.contains(&did)) {
            self.desk.tell(job.place, "The web server of that name is being asked.");
            self.look_up(job, (did, id, at_s));
            return;
        }
        self.desk.tell(job.place, "Somebody has to be asked first: see at the top.");
        self.job.set_value(Some(job));
        self.asks.set(Some(Need::Web { did, id, at_s }));
    }

    fn look_up(self, mut job: Job, (did, id, at_s): (String, String, Option<u64>)) {
        spawn_local(async move {
            let found = outside::key(&did, id, at_s).await;
            if self.is_gone() {
                return;
            }
            match found {
                Ok(fact) => {
                    job.facts.web.push(fact);
                    self.go(job);
                }
                Err(why) => self.end(job.place, &sentence(&why)),
            }
        });
    }

    /// What the person says to asking a web server.
    fn decide(self, is_agreed: bool) {
        let need = self.asks.try_update(Option::take).flatten();
        let job = self.job.try_update_value(Option::take).flatten();
        let (Some(need), Some(job)) = (need, job) else { return };
        if is_agreed {
            if let Need::Web { did, .. } = &need {
                self.agreed.update_value(|agreed| agreed.push(did.clone()));
            }
            self.ask_web(job, need);
        } else {
            self.end(job.place, "Left as it was: nobody was asked.");
        }
    }

    /// Ends the call that waits, unless it went on until then.
    fn give_up_later(self) {
        let Some(wait) = self.waits.try_update_value(|waits| {
            *waits += 1;
            *waits
        }) else {
            return;
        };
        set_timeout(
            move || {
                if self.is_gone() || self.waits.get_value() != wait {
                    return;
                }
                let Some(job) = self.job.try_update_value(Option::take).flatten() else { return };
                self.needs.set(Vec::new());
                let sight = self.desk.ledger.view.read_untracked().sight;
                let words = match sight {
                    Sight::Stale => STALE,
                    Sight::ClockBehind | Sight::ClockAhead => CLOCK_OFF,
                    Sight::Forked => FORKED,
                    Sight::Blind | Sight::Fresh => NO_LEDGER,
                };
                self.end(job.place, words);
            },
            WAIT,
        );
    }

    /// Whether the person left the page.
    fn is_gone(self) -> bool {
        self.needs.try_get_untracked().is_none()
    }

    /// A call is over.
    fn end(self, place: &'static str, words: &str) {
        self.desk.busy.set(false);
        self.desk.say(place, words);
    }

    /// Reads what there is whenever the identity opens.
    fn open(self) {
        let view = self.desk.keys.view;
        let is_open = Memo::new(move |_| view.read().stage == session::Stage::Open);
        Effect::new(move |_| {
            if !is_open.get() {
                self.view.set(View::default());
                return;
            }
            spawn_local(async move {
                let look = session::to_bytes(&Command::Look);
                let reply = self.desk.keys.post("credentials", &look).await;
                let reply = reply.and_then(|bytes| session::read::<Reply>(&bytes));
                if let Some(reply) = reply.filter(|reply| !reply.locked) {
                    self.view.try_set(reply.view);
                    self.desk
                        .say("book", reply.refused.as_deref().map(sentence).unwrap_or_default());
                }
            });
        });
    }

    /// Has the ledger prove what is needed, and goes on when it did.
    fn settle(self) {
        Effect::new(move |_| {
            let (needs, shown) = (self.needs.get(), self.shown.get());
            let ids: Vec<StarlingId> = needs.iter().filter_map(id_of).collect();
            let mut lists = shown;
            for need in &needs {
                let Need::List { issuer, uri } = need else { continue };
                let list = (issuer.clone(), uri.clone());
                if !lists.contains(&list) {
                    lists.push(list);
                }
            }
            change(self.desk.more, ids);
            change(self.desk.lists, lists);
        });
        let view = self.desk.ledger.view;
        let sight = Memo::new(move |_| view.read().sight);
        Effect::new(move |_| {
            let (needs, sight) = (self.needs.get(), sight.get());
            if needs.is_empty() {
                return;
            }
            let stage = self.desk.ledger.stage.get();
            let from = self.job.with_value(|job| job.as_ref().map_or(0, |job| job.from));
            let settled: Option<Vec<Settled>> =
                needs.iter().map(|need| self.look(need, from)).collect();
            // What an old block proves, or one of two histories, is not so now.
            let settled = settled.filter(|_| sight == Sight::Fresh);
            let may_come = matches!(stage, Stage::Starting | Stage::Open);
            if settled.is_none() && may_come && sight != Sight::Forked {
                return;
            }
            let Some(job) = self.job.try_update_value(Option::take).flatten() else { return };
            self.needs.set(Vec::new());
            match settled {
                Some(settled) => self.proved(job, needs, settled),
                None if sight == Sight::Forked => self.end(job.place, FORKED),
                None => self.end(job.place, NO_LEDGER),
            }
        });
    }

    /// Reads what proved names said, and goes on.
    fn proved(self, mut job: Job, needs: Vec<Need>, settled: Vec<Settled>) {
        spawn_local(async move {
            for (need, settled) in needs.into_iter().zip(settled) {
                match (need, settled) {
                    (Need::List { .. }, Settled::List(fact)) => job.facts.lists.push(fact),
                    (Need::Key { id, at_s, .. }, settled) => {
                        let fact = key_fact(id, at_s, settled).await;
                        if self.is_gone() {
                            return;
                        }
                        let Some(fact) = fact else {
                            self.end(
                                job.place,
                                "This host does not hand over the block that the key is in, so the key can\u{2019}t be checked. Try again later.",
                            );
                            return;
                        };
                        job.facts.keys.push(fact);
                    }
                    (Need::List { .. } | Need::Token(_) | Need::Web { .. }, _) => {}
                }
            }
            self.go(job);
        });
    }

    /// What the ledger says of a need; none: nothing yet.
    fn look(self, need: &Need, from: u64) -> Option<Settled> {
        match need {
            // No ledger has it.
            Need::Token(_) | Need::Web { .. } => None,
            Need::List { issuer, uri } => {
                let fact = dids::look_list(&self.desk.ledger.records.read(), issuer, uri)?;
                (fact.height >= from).then_some(Settled::List(fact))
            }
            Need::Key { at_s, .. } => match self.desk.look(id_of(need)?) {
                Found::Unproved => None,
                Found::Absent { height } => (height >= from).then_some(Settled::NoKey { height }),
                Found::Here(name) if name.height < from => None,
                Found::Here(name) => {
                    let at_s = at_s.unwrap_or_else(browser::now_s);
                    if let Some((seq, version)) = name.version_at(at_s) {
                        let version = version.clone();
                        return Some(Settled::Key { name, seq, version });
                    }
                    let newest = name.head.seq;
                    let first = (newest + 1).saturating_sub(VERSIONS_MAX);
                    let whole = (first..=newest).all(|seq| name.versions.contains_key(&seq));
                    whole.then_some(Settled::NoKey { height: name.height })
                }
            },
        }
    }
}

/// Sets it, if it is another.
fn change<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, to: T) {
    if *signal.read_untracked() != to {
        signal.set(to);
    }
}

/// The name on the ledger of a need.
fn id_of(need: &Need) -> Option<StarlingId> {
    let Need::Key { did, .. } = need else { return None };
    match did.parse() {
        Ok(Did::Starling(id)) => Some(id),
        _ => None,
    }
}

/// None: what the name said is not handed over.
async fn key_fact(id: String, at_s: Option<u64>, settled: Settled) -> Option<KeyFact> {
    match settled {
        Settled::Key { name, seq, version } => {
            let said = said_then(&name, &version).await?;
            let key = match id.split_once('#') {
                Some((_, key_name)) => dids::issuing_key(&said, key_name),
                // The name alone: what is sealed for whoever has it is sealed for this key.
                None => dids::sealing_key(&said),
            };
            let (since, height) = (version.height, name.height);
            Some(KeyFact { id, at_s, key, version: seq, since, height })
        }
        Settled::NoKey { height } => {
            Some(KeyFact { id, at_s, key: None, version: 0, since: 0, height })
        }
        Settled::List(_) => None,
    }
}

/// Asks before a web server is asked.
#[component]
pub(super) fn Outside() -> impl IntoView {
    let book = Book::get();
    let host = move || {
        let asks = book.asks.read();
        let Some(Need::Web { did, .. }) = &*asks else { return None };
        let place = Place::of(did).ok()?;
        Some(format!("The keys of that name lie at {}.", place.authority()))
    };
    view! {
        <div id="web-ask" class="problem" role="alert" hidden=move || book.asks.read().is_none()>
            <span>
                <strong>{host}</strong>
                " This page\u{2019}s server would ask it. It learns that somebody here looks that name up now, and nothing of you or of what it is for."
            </span>
            <span class="heading-ways">
                <button id="web-leave" class="button" type="button" on:click=move |_| book.decide(false)>
                    "Leave it"
                </button>
                <button id="web-go" class="button button--strong" type="button" on:click=move |_| book.decide(true)>
                    "Ask it"
                </button>
            </span>
        </div>
    }
}
