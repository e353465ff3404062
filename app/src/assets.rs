//! What the Wallet page knows of assets beside the ledger's own: proved records, what they come to, and what is
//! about to be signed. What there is and what an action would do: `wallet::assets`.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wallet::assets::{self, Asset, Book, Holdings, Known, Preview, Scene, Seen, Wish};
use wallet::funds;
use wallet::lending::{ledger_ms, watch};
use wallet::view::{Faucet, Sight};

use crate::browser;
use crate::format::short_key;
use crate::ledger::{Ledger, Stage};
use crate::money;

/// How often the age of proofs is told anew. A new block does so at once.
const TICK: Duration = Duration::from_secs(5);
/// Most records that are asked for while only neighbours can be asked: each of them answers eight questions a second,
/// and the balance comes first.
const ALONE_MAX: usize = 12;

/// Handle to what the page knows. Copied freely; lives as long as the page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assets {
    pub(crate) ledger: Ledger,
    /// What is held and issued; none: how many assets there are is not proved yet.
    pub(crate) all: Memo<Option<Holdings>>,
    /// The asset that the form sends, by its number.
    pub(crate) sends: RwSignal<u32>,
    /// What the person is about to sign.
    pub(crate) draft: RwSignal<Option<Wish>>,
    /// The account of a demo network's faucet, by its server's word.
    pub(crate) faucet: RwSignal<Option<String>>,
    book: Memo<Book>,
    account: Memo<String>,
    named: Memo<Vec<u32>>,
    /// What the person marked, and has had for long.
    known: RwSignal<Known>,
    /// Where that is kept.
    place: Memo<String>,
    tick: RwSignal<u64>,
    /// What follows once the draft is signed.
    after: StoredValue<Option<Callback<()>>>,
}

/// Whether no server answers.
fn is_alone(ledger: Ledger) -> bool {
    !ledger.view.read().servers.iter().any(|server| server.is_up)
}

/// Takes note of what is held; whether that is new.
fn notices(known: &mut Known, book: &Book, account: &str, all: Option<&Holdings>) -> bool {
    let numbers = all.into_iter().flat_map(|all| all.all_held().map(|one| one.asset.id));
    known.notice((book, account), numbers, browser::now_s())
}

impl Assets {
    /// Puts it into the context, and lets the wallet prove what the page needs while it is shown: `more` are keys of
    /// other records.
    pub(crate) fn provide(ledger: Ledger, more: Memo<Vec<Vec<u8>>>) {
        let account = Memo::new(move |_| ledger.view.read().account.clone());
        let asked = browser::query("asset").and_then(|text| text.parse().ok());
        let sends = RwSignal::new(asked.unwrap_or_default());
        let draft = RwSignal::new(None::<Wish>);
        let place = Memo::new(move |_| {
            let view = ledger.view.read();
            format!("starling-assets-{}-{}", view.root, view.account)
        });
        let known = RwSignal::new(Known::default());
        Effect::new(move |_| {
            known.set(browser::kept(&place.read()).as_deref().map(Known::read).unwrap_or_default());
        });
        let named = Memo::new(move |_| {
            let view = ledger.view.read();
            let came = (view.sent.as_slice(), view.received.as_slice());
            known.read().names(sends.get(), came, browser::now_s())
        });
        let book = Memo::new(move |before: Option<&Book>| {
            let before = before.cloned().unwrap_or_default();
            assets::remember(&ledger.records.read(), &before, &account.read(), &named.read())
        });
        let all =
            Memo::new(move |_| assets::holdings(&book.read(), &account.read(), &named.read()));
        Effect::new(move |_| {
            let mut now = known.get_untracked();
            if notices(&mut now, &book.read(), &account.read(), all.read().as_ref()) {
                browser::keep(&place.read_untracked(), &now.to_text());
                known.set(now);
            }
        });
        let alone = Memo::new(move |_| is_alone(ledger));
        let wanted = Memo::new(move |_| {
            let deciding =
                draft.read().as_ref().map(|wish| assets::deciding(&account.read(), wish));
            let mut deciding = deciding.unwrap_or_default();
            deciding.extend(more.get());
            let mut keys = assets::wanted(&book.read(), &account.read(), &named.read(), &deciding);
            if alone.get() {
                keys.truncate(ALONE_MAX);
            }
            keys
        });
        Effect::new(move |_| {
            let keys = wanted.get();
            if *ledger.stage.read() == Stage::Open && !keys.is_empty() {
                ledger.command(&watch(keys));
            }
        });
        let watcher = ledger.begin_watching();
        on_cleanup(move || ledger.end_watching(watcher));
        let tick = RwSignal::new(0);
        let next = move || tick.update(|count| *count += 1);
        if let Ok(ticking) = set_interval_with_handle(next, TICK) {
            on_cleanup(move || ticking.clear());
        }
        let faucet = faucet(ledger);
        provide_context(Self {
            ledger,
            all,
            sends,
            draft,
            faucet,
            book,
            account,
            named,
            known,
            place,
            tick,
            after: StoredValue::new(None),
        });
    }

    /// The page's.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// An asset by its number, as soon as it is proved; 0 is the ledger's own.
    pub(crate) fn asset(self, number: u32) -> Option<Asset> {
        assets::described(&self.book.read(), wallet::lending::AssetId(number))
    }

    /// What the account has of an asset, as soon as that is proved.
    pub(crate) fn holding(self, number: u32) -> Option<assets::Holding> {
        assets::holding(&self.book.read(), &self.account.read(), number)
    }

    /// Whether more is held than is in sight.
    pub(crate) fn has_more(self) -> bool {
        self.all.read().as_ref().is_some_and(|all| !all.others.is_empty())
    }

    /// Whether the person marked an asset, to have it in sight whatever else comes.
    pub(crate) fn is_marked(self, number: u32) -> bool {
        self.known.read().is_marked(number)
    }

    /// Marks an asset, or does not any more; whether that is so now: only so many can be marked.
    pub(crate) fn mark(self, number: u32, is_marked: bool) -> bool {
        let done = self.known.try_update(|known| known.mark(number, is_marked));
        browser::keep(&self.place.read_untracked(), &self.known.read_untracked().to_text());
        done.unwrap_or_default()
    }

    /// Assets that a demo network's faucet gives.
    pub(crate) fn tests(self) -> Vec<Asset> {
        let faucet = self.faucet.read();
        let all = |issuer: &String| assets::made_by(&self.book.read(), issuer, &self.named.read());
        faucet.as_ref().map(all).unwrap_or_default()
    }

    /// What would come of it in a block that is made now; none: what decides it is not proved yet, or no new block
    /// is known.
    pub(crate) fn preview(self, wish: &Wish) -> Option<Preview> {
        let now_ms = self.now_ms()?;
        let (book, view) = (self.book.read(), self.ledger.view.read());
        if view.sight != Sight::Fresh {
            return None;
        }
        assets::preview(&Scene::new(&book, &view.account, now_ms)?, &view.sent, wish)
    }

    /// What something done with a fund's pool costs at most; none: it is not proved.
    pub(crate) fn fund_fee(self, wish: &funds::Wish) -> Option<u128> {
        match wish {
            funds::Wish::Fees { .. } => self.ledger.view.read().fee,
            wish => funds::fee(&self.book.read(), &self.account.read(), wish),
        }
    }

    /// Takes a wish to the last look; `after`: what follows once it is signed.
    pub(crate) fn begin(self, wish: Wish, after: Callback<()>) {
        self.after.set_value(Some(after));
        self.draft.set(Some(wish));
    }

    /// Signs and sends what was tried.
    pub(crate) fn sign(self, wish: &Wish) {
        let Some(command) = assets::ask(wish) else { return };
        self.ledger.command(&command);
        if let Some(after) = self.after.try_update_value(Option::take).flatten() {
            after.run(());
        }
    }

    /// Whose promise an asset is, in words; nothing for the ledger's own.
    pub(crate) fn whose(self, asset: &Asset) -> Option<String> {
        let issuer = asset.issuer.as_ref()?;
        Some(if *issuer == *self.account.read() {
            "your own IOU".to_owned()
        } else if self.faucet.read().as_ref() == Some(issuer) {
            "test asset, worth nothing".to_owned()
        } else {
            format!("IOU of {}", short_key(issuer))
        })
    }

    /// An asset's name with whose promise it is.
    pub(crate) fn titled(self, asset: &Asset) -> String {
        match self.whose(asset) {
            None => format!("{}, the ledger\u{2019}s own", money::SYMBOL),
            Some(whose) => format!("{}: asset {}, {whose}", money::symbol(asset), asset.id),
        }
    }

    /// An amount of an asset, as well as it is known.
    pub(crate) fn units(self, units: u128, number: u32) -> String {
        match self.asset(number) {
            Some(asset) => money::units_of(units, &asset),
            None => format!("{units} units of asset {number}"),
        }
    }

    /// At which blocks something was proved, and whether that is old.
    pub(crate) fn proved(self, seen: Seen) -> (String, bool) {
        let blocks = if seen.from_height == seen.to_height {
            format!("block {}", seen.to_height)
        } else {
            format!("blocks {} to {}", seen.from_height, seen.to_height)
        };
        match self.now_ms() {
            Some(now_ms) if !seen.is_old(now_ms) => (format!("proved at {blocks}"), false),
            _ => (format!("proved, but old: {blocks}"), true),
        }
    }

    /// The ledger's time, anew with every tick; none: no block was seen yet.
    fn now_ms(self) -> Option<u64> {
        self.tick.track();
        Some(ledger_ms(self.ledger.view.read().blocks.first()?, browser::now_ms()))
    }
}

/// Asks the page's server for its faucet's account, where it has one: what that issues are test assets.
fn faucet(ledger: Ledger) -> RwSignal<Option<String>> {
    let account = RwSignal::new(None);
    let has_one = Memo::new(move |_| ledger.view.read().faucet != Faucet::None);
    Effect::new(move |_| {
        if !has_one.get() {
            return;
        }
        spawn_local(async move {
            let answer = browser::ask("/ledger/status", "GET").await;
            let told = answer.and_then(|(_, bytes)| browser::json_text(&bytes, "faucet"));
            // Nobody waits any more where the person left the page meanwhile.
            account.try_set(told);
        });
    });
    account
}
