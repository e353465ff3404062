//! What the page knows: proved records, the community and the day that are looked at, and what is about
//! to be signed.

use std::cell::RefCell;
use std::time::Duration;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use wallet::energy::{
    self, Book, Community, Day, Meter, Named, Roll, Scene, Seen, Span, Spoken, Wish,
};
use wallet::view::{Fate, Records, Sent, Sight};

use crate::browser;
use crate::ledger::{Ledger, Stage};

use super::clock::day_slots;
use super::group;

/// How often the state of slots is told anew. A new block does so at once.
const TICK: Duration = Duration::from_secs(5);
/// Days that may be looked at: settled slots are kept for 31.
pub(super) const DAYS_MAX: u64 = 30;

thread_local! {
    /// What was proved last on these pages in this visit: shown, with its heights, until it is proved anew.
    static BEFORE: RefCell<Records> = RefCell::default();
}

/// Whether these are records of these pages.
fn is_ours(records: &Records) -> bool {
    energy::listing(&Book::with_kept(records, &Book::default())).is_some()
}

/// Begins with what was proved here before, if another page has watched something since.
fn recall(ledger: Ledger) {
    let before = BEFORE.take();
    if is_ours(&before) && !is_ours(&ledger.records.read_untracked()) {
        ledger.records.set(before);
    }
}

/// Keeps what is proved for the next time that one of these pages is opened.
fn remember(ledger: Ledger) {
    let records = ledger.records.get_untracked();
    if is_ours(&records) {
        BEFORE.set(records);
    }
}

/// Handle to what the page knows. Copied freely; lives as long as the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Desk {
    pub(super) ledger: Ledger,
    /// Where this page is.
    pub(super) path: &'static str,
    /// Proved records.
    pub(super) book: Memo<Book>,
    /// The number of the community that is looked at.
    pub(super) chosen: Memo<Option<u32>>,
    /// That community and its slots.
    pub(super) span: Memo<Option<Span>>,
    /// The community, as soon as it is proved.
    pub(super) community: Memo<Option<Community>>,
    /// The same without its heights, so that what is drawn of it stays while nothing changes.
    pub(super) street: Memo<Option<Community>>,
    /// Its meters, as soon as all are proved.
    pub(super) meters: Memo<Option<Vec<Meter>>>,
    /// The day.
    pub(super) day: Memo<Option<Day>>,
    /// How many days ago that is.
    pub(super) days_ago: RwSignal<u64>,
    /// The slot whose neighbours are shown.
    pub(super) slot: RwSignal<Option<u64>>,
    /// The slot whose book is open.
    pub(super) trade: RwSignal<Option<u64>>,
    /// All that waits in the slots of the day is proved, not only what is this household's.
    pub(super) whole: RwSignal<bool>,
    /// Slots that are about to be corrected, the newest wish first: what waits in them is proved before the rest.
    pub(super) correcting: RwSignal<Vec<u64>>,
    /// More is to be proved than is at a time: what is not may never be.
    pub(super) is_short: Memo<bool>,
    /// Members that a server listed, to be proved.
    pub(super) roll: RwSignal<Option<Roll>>,
    /// The newest block is new: otherwise the wallet sends nothing.
    pub(super) fresh: Memo<bool>,
    /// For whom what registers showed is sealed: DIDs.
    pub(super) group: Memo<Vec<String>>,
    /// Counts how often that was chosen anew.
    pub(super) regrouped: RwSignal<u32>,
    /// What the dialog is open for.
    pub(super) doing: RwSignal<Option<Doing>>,
    /// Something was signed here, so what the wallet refuses is about that.
    pub(super) signed: RwSignal<bool>,
    tick: RwSignal<u64>,
}

/// What a person is about to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doing {
    /// What, as a heading.
    pub(super) title: String,
    /// What comes of it: names and values.
    pub(super) lines: Vec<(&'static str, String)>,
    /// What to think of before.
    pub(super) warning: &'static str,
    /// Of which community; 0: of none, it is opened.
    pub(super) community: u32,
    /// One transaction each.
    pub(super) wishes: Vec<Wish>,
}

impl Desk {
    /// Whether something of that kind is signed, and in no block yet.
    pub(super) fn waits(self, is_it: fn(&Wish) -> bool) -> bool {
        let is_open = |sent: &Sent| matches!(sent.fate, Fate::Sending | Fate::Waiting);
        let asked = |sent: &Sent| sent.act.as_ref().and_then(energy::asked);
        let view = self.ledger.view.read();
        view.sent.iter().filter(|sent| is_open(sent)).filter_map(asked).any(|one| is_it(&one.wish))
    }

    /// What was signed for a meter from here before.
    pub(super) fn spoken(self, meter: u32) -> Spoken {
        let community = self.chosen.get().unwrap_or_default();
        Spoken::of(&self.ledger.view.read().sent, community, meter)
    }

    /// Whether what a meter said from here is not settled yet, or newer than what is proved of it and of these slots.
    pub(super) fn speaks(self, meter: u32, corrected: &[u64]) -> bool {
        let community = self.chosen.get().unwrap_or_default();
        let view = self.ledger.view.read();
        energy::on_way(&self.book.read(), &view.sent, community, meter, corrected)
    }

    /// Puts it into the context, and lets the wallet prove what the page needs while it is shown.
    pub(super) fn provide(ledger: Ledger, path: &'static str) {
        recall(ledger);
        let kept = RwSignal::new(Book::default());
        let book = Memo::new(move |_| Book::with_kept(&ledger.records.read(), &kept.read()));
        let tick = RwSignal::new(0_u64);
        let days_ago = RwSignal::new(0);
        let chosen = chosen(book);
        let newest =
            Memo::new(move |_| ledger.view.read().blocks.first().map(|block| block.height));
        let now = Memo::new(move |_| newest.get().and_then(|_| now_ms(ledger, tick)));
        let span = Memo::new(move |_| {
            let community = chosen.get()?;
            let shown_ms = energy::shown_ms(&book.read(), community, now.get()?);
            let (from, to) = day_slots(shown_ms, days_ago.get());
            Some(Span { community, from, to })
        });
        let (slot, trade) = (RwSignal::new(None), RwSignal::new(None));
        let (whole, roll) = (RwSignal::new(path == "/community"), RwSignal::new(None));
        let correcting = RwSignal::new(Vec::new());
        let all = (whole, correcting, roll);
        let is_short = prove(ledger, (kept, book), (now, span), (slot, trade), all);
        if let Ok(ticking) =
            set_interval_with_handle(move || tick.update(|count| *count += 1), TICK)
        {
            on_cleanup(move || ticking.clear());
        }
        let fresh = Memo::new(move |_| ledger.view.read().sight == Sight::Fresh);
        let look = Look { ledger, book, now };
        let community =
            Memo::new(move |_| look.at(|scene| energy::community(scene, chosen.get()?)));
        let street = Memo::new(move |_| {
            let seen = Seen { from_height: 0, to_height: 0, from_ms: 0 };
            Some(Community { seen, ..community.get()? })
        });
        let meters = Memo::new(move |_| {
            let keys = ledger.view.read().meter_keys.clone();
            look.at(|scene| energy::meters(scene, span.get()?, &keys))
        });
        let day = Memo::new(move |_| look.at(|scene| energy::day(scene, span.get()?)));
        let (doing, signed) = (RwSignal::new(None), RwSignal::new(false));
        let regrouped = RwSignal::new(0);
        let root = Memo::new(move |_| ledger.view.read().root.clone());
        let group = Memo::new(move |_| {
            regrouped.track();
            chosen.get().map(|community| group::kept(&root.read(), community)).unwrap_or_default()
        });
        provide_context(Self {
            ledger,
            path,
            book,
            chosen,
            span,
            community,
            street,
            meters,
            day,
            days_ago,
            slot,
            trade,
            whole,
            correcting,
            is_short,
            roll,
            fresh,
            group,
            regrouped,
            doing,
            signed,
            tick,
        });
    }

    /// The page's.
    pub(super) fn get() -> Self {
        expect_context()
    }

    /// Looks at what is proved, at the ledger's time now; anew with every round and tick.
    pub(super) fn look<T>(self, at: impl FnOnce(&Scene<'_>) -> Option<T>) -> Option<T> {
        let book = self.book.read();
        let now_ms = self.now_ms()?;
        let view = self.ledger.view.read_untracked();
        at(&Scene::new(&book, &view.account, now_ms)?)
    }

    /// The ledger's time, anew with every tick; none: no block was seen yet.
    pub(super) fn now_ms(self) -> Option<u64> {
        now_ms(self.ledger, self.tick)
    }

    /// My meters, as soon as they are proved.
    pub(super) fn mine(self) -> Vec<Meter> {
        let meters = self.meters.read();
        let all = meters.as_deref().unwrap_or_default();
        all.iter().filter(|meter| meter.is_mine).cloned().collect()
    }

    /// Asks before one thing is signed.
    pub(super) fn begin(
        self,
        title: impl Into<String>,
        lines: Vec<(&'static str, String)>,
        warning: &'static str,
        wish: Wish,
    ) {
        let community = match wish {
            Wish::Open(_) => 0,
            _ => self.chosen.get_untracked().unwrap_or_default(),
        };
        let (title, wishes) = (title.into(), vec![wish]);
        self.doing.set(Some(Doing { title, lines, warning, community, wishes }));
    }
}

fn now_ms(ledger: Ledger, tick: RwSignal<u64>) -> Option<u64> {
    tick.track();
    let view = ledger.view.read_untracked();
    Some(energy::ledger_ms(view.blocks.first()?, browser::now_ms()))
}

/// The community that the address names; without one, the only one there is or that I am in.
fn chosen(book: Memo<Book>) -> Memo<Option<u32>> {
    let query = use_query_map();
    let ledger = Ledger::get();
    Memo::new(move |_| {
        let named = query.read().get("community").and_then(|text| text.parse::<u32>().ok());
        named.or_else(|| {
            let listing = energy::listing(&book.read())?;
            if listing.count == 1 {
                return Some(1);
            }
            let view = ledger.view.read();
            let book = book.read();
            let joined = energy::joined(&Scene::new(&book, &view.account, 0)?);
            (joined.len() == 1).then(|| joined.first().copied()).flatten()
        })
    })
}

/// Tells the wallet what to prove, and keeps what will not change; whether that is more than is proved at a time.
fn prove(
    ledger: Ledger,
    (kept, book): (RwSignal<Book>, Memo<Book>),
    (now, span): (Memo<Option<u64>>, Memo<Option<Span>>),
    (slot, trade): (RwSignal<Option<u64>>, RwSignal<Option<u64>>),
    (whole, correcting, roll): (RwSignal<bool>, RwSignal<Vec<u64>>, RwSignal<Option<Roll>>),
) -> Memo<bool> {
    Effect::new(move |before: Option<Option<Span>>| {
        let span = span.get();
        if before.is_some_and(|before| before != span) {
            kept.set(Book::default());
            slot.set(None);
        }
        let records = ledger.records.read();
        if let (Some(span), Some(now_ms)) = (span, now.get_untracked()) {
            let mut more = kept.get_untracked();
            energy::keep(&mut more, &records, span, now_ms);
            if more != *kept.read_untracked() {
                kept.set(more);
            }
        }
        span
    });
    let wanted = Memo::new(move |_| {
        let (account, devices) = {
            let view = ledger.view.read();
            (view.account.clone(), view.meter_keys.clone())
        };
        let named = Named { span: span.get(), slot: slot.get(), trade: trade.get() };
        let now_ms = now.get().unwrap_or_default();
        let (book, kept) = (book.read(), kept.read());
        let mut keys = energy::wanted((&*book, &*kept), &account, now_ms, named, &devices);
        let Some(span) = named.span else { return (keys, false) };
        let roll = roll.read();
        let listed = roll.as_ref().filter(|roll| roll.community() == span.community);
        keys.extend(listed.map(Roll::keys).unwrap_or_default());
        let mut is_all = true;
        if whole.get() {
            let first = correcting.read();
            let (waiting, fits) = energy::waiting_keys(&book, span, now_ms, &first);
            is_all = fits;
            // What somebody waits for before they sign is not cut off by what is only shown.
            let at = if first.is_empty() { keys.len() } else { 0 };
            keys.splice(at..at, waiting);
        }
        let is_short = !is_all || energy::is_short(&keys);
        (keys, is_short)
    });
    Effect::new(move |_| {
        let (keys, _) = wanted.get();
        if *ledger.stage.read() == Stage::Open && !keys.is_empty() {
            ledger.command(&energy::watch(keys));
        }
    });
    let watcher = ledger.begin_watching();
    on_cleanup(move || {
        remember(ledger);
        ledger.end_watching(watcher);
    });
    Memo::new(move |_| wanted.read().1)
}

/// What memos of the desk look at.
#[derive(Clone, Copy)]
struct Look {
    ledger: Ledger,
    book: Memo<Book>,
    now: Memo<Option<u64>>,
}

impl Look {
    fn at<T>(self, at: impl FnOnce(&Scene<'_>) -> Option<T>) -> Option<T> {
        let book = self.book.read();
        let now_ms = self.now.get()?;
        let view = self.ledger.view.read_untracked();
        at(&Scene::new(&book, &view.account, now_ms)?)
    }
}
