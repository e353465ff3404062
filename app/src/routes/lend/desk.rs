//! What the page knows: proved records, the market that is looked at, and what is being done.

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use wallet::lending::{self, Book, Kind, Market, Place, Reserve, Scene};
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
    /// Something was signed here, so what the wallet refuses is about that.
    pub(super) signed: RwSignal<bool>,
    tick: RwSignal<u64>,
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
}

impl Desk {
    /// Puts it into the context, and lets the wallet prove what the page needs while it is shown.
    pub(super) fn provide(ledger: Ledger) {
        let book = Memo::new(move |_| Book::new(&ledger.records.read()));
        let query = use_query_map();
        let chosen = Memo::new(move |_| {
            let named = query.read().get("market").and_then(|text| text.parse::<u32>().ok());
            // One market needs no choice.
            named.or_else(|| {
                let listing = lending::listing(&book.read())?;
                (listing.count == 1).then_some(1)
            })
        });
        let account = Memo::new(move |_| ledger.view.read().account.clone());
        let acted = Memo::new(move |_| lending::acted(&ledger.view.read().sent));
        let fresh = Memo::new(move |_| ledger.view.read().sight == Sight::Fresh);
        let wanted = Memo::new(move |_| {
            lending::wanted(&book.read(), &account.read(), chosen.get(), &acted.read())
        });
        Effect::new(move |_| {
            let keys = wanted.get();
            if *ledger.stage.read() == Stage::Open && !keys.is_empty() {
                ledger.command(&lending::watch(keys));
            }
        });
        on_cleanup(move || ledger.command(&lending::watch(Vec::new())));
        let tick = RwSignal::new(0);
        if let Ok(ticking) =
            set_interval_with_handle(move || tick.update(|count| *count += 1), TICK)
        {
            on_cleanup(move || ticking.clear());
        }
        let (doing, signed) = (RwSignal::new(None), RwSignal::new(false));
        provide_context(Self { ledger, book, chosen, acted, fresh, doing, signed, tick });
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
        let view = self.ledger.view.read_untracked();
        Some(lending::ledger_ms(view.blocks.first()?, browser::now_ms()))
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
