//! What the page knows: proved records, the market that is looked at, and what is being done.

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use wallet::lending::{self, Book, Hints, Kind, Market, Place, Ranked, Reserve, Scene, Target};
use wallet::view::Sight;

use crate::browser;
use crate::ledger::{Ledger, Stage};

/// How often amounts with interest and the age of prices are told anew. A new block does so at once.
const TICK: Duration = Duration::from_secs(5);

/// Handle to what the page knows. Copied freely; lives as long as the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Desk {
    pub(super) ledger: Ledger,
    /// Proved records.
    pub(super) book: Memo<Book>,
    /// The market that is looked at.
    pub(super) chosen: Memo<Option<u32>>,
    /// Markets in which something was done from here.
    pub(super) acted: Memo<Vec<u32>>,
    /// The newest block is new: otherwise the wallet sends nothing.
    pub(super) fresh: Memo<bool>,
    /// What the dialog is open for.
    pub(super) doing: RwSignal<Option<Doing>>,
    /// What a server lists of the chosen market's positions; none: nothing yet.
    pub(super) hints: RwSignal<Option<Hints>>,
    /// Whose positions are worth a look, by that list.
    pub(super) ranked: Memo<Option<Ranked>>,
    /// The position that the person is about to liquidate.
    pub(super) seizing: RwSignal<Option<Target>>,
    /// The form that opens a market is open.
    pub(super) opening: RwSignal<Option<()>>,
    /// The market that was asked for from here.
    pub(super) asked: RwSignal<Option<Asked>>,
    /// Something was signed here, so what the wallet refuses is about that.
    pub(super) signed: RwSignal<bool>,
    tick: RwSignal<u64>,
}

/// Whose positions a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The person's own.
    Mine,
    /// Those that are close to being liquidated.
    Others,
}

/// A market that was asked for: what came before it is another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// The name of the transaction that asked for one before.
    pub(super) after: Option<String>,
    /// Markets that there were.
    pub(super) count: u32,
}

/// What a person is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Doing {
    pub(super) place: Place,
    pub(super) what: What,
}

/// With an amount, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Amount(Kind),
    Pledge(bool),
    Stop(bool),
    Collect,
}

impl Desk {
    /// Puts it into the context, and lets the wallet prove what the page needs while it is shown.
    pub(super) fn provide(ledger: Ledger, whose: Whose) {
        let book = Memo::new(move |_| Book::new(&ledger.records.read()));
        let chosen = chosen(book);
        let account = Memo::new(move |_| ledger.view.read().account.clone());
        let acted = Memo::new(move |_| lending::acted(&ledger.view.read().sent));
        let fresh = Memo::new(move |_| ledger.view.read().sight == Sight::Fresh);
        let tick = RwSignal::new(0);
        let hints = RwSignal::new(None::<Hints>);
        let (opening, asked) = (RwSignal::new(None::<()>), RwSignal::new(None::<Asked>));
        let ranked = Memo::new(move |_| {
            tick.track();
            let now_ms = now_ms(ledger)?;
            let hints = hints.read();
            let hints = hints.as_ref().filter(|hints| Some(hints.market()) == chosen.get())?;
            hints.ranked(&book.read(), now_ms)
        });
        let wanted = Memo::new(move |_| {
            let (book, account) = (book.read(), account.read());
            if whose == Whose::Mine {
                let wanted = lending::wanted(&book, &account, chosen.get(), &acted.read());
                let is_opening = opening.read().is_some();
                return if is_opening { lending::with_choices(&book, wanted) } else { wanted };
            }
            let ranked = ranked.get().unwrap_or_default();
            lending::wanted_to_liquidate(&book, &account, chosen.get(), &ranked.accounts)
        });
        Effect::new(move |_| {
            let keys = wanted.get();
            if *ledger.stage.read() == Stage::Open && !keys.is_empty() {
                ledger.command(&lending::watch(keys));
            }
        });
        let watcher = ledger.begin_watching();
        on_cleanup(move || ledger.end_watching(watcher));
        if let Ok(ticking) =
            set_interval_with_handle(move || tick.update(|count| *count += 1), TICK)
        {
            on_cleanup(move || ticking.clear());
        }
        let (doing, seizing, signed) =
            (RwSignal::new(None), RwSignal::new(None), RwSignal::new(false));
        provide_context(Self {
            ledger,
            book,
            chosen,
            acted,
            fresh,
            doing,
            hints,
            ranked,
            seizing,
            opening,
            asked,
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
        self.tick.track();
        now_ms(self.ledger)
    }

    /// A market, as soon as it is proved.
    pub(super) fn market(self, id: u32) -> Option<Market> {
        self.look(|scene| lending::market(scene.book, id, scene.now_ms))
    }

    /// A reserve, as soon as its market is proved.
    pub(super) fn reserve(self, place: Place) -> Option<Reserve> {
        self.market(place.market)?.reserves.into_iter().find(|one| one.place == place)
    }

    /// Opens the dialog.
    pub(super) fn begin(self, place: Place, what: What) {
        self.doing.set(Some(Doing { place, what }));
    }
}

/// The market that the address names. One market needs no choice, and stays looked at when somebody opens
/// another.
fn chosen(book: Memo<Book>) -> Memo<Option<u32>> {
    let query = use_query_map();
    let alone = Memo::new(move |was: Option<&bool>| {
        was.is_some_and(|was| *was)
            || lending::listing(&book.read()).is_some_and(|listing| listing.count == 1)
    });
    Memo::new(move |_| {
        let named = query.read().get("market").and_then(|text| text.parse::<u32>().ok());
        named.or_else(|| alone.get().then_some(1))
    })
}

/// The ledger's time, as of now.
fn now_ms(ledger: Ledger) -> Option<u64> {
    let view = ledger.view.read_untracked();
    Some(lending::ledger_ms(view.blocks.first()?, browser::now_ms()))
}
