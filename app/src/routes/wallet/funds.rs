//! Pools that this account opened for funds: set aside, drawn on, closed; and how the fund's process is called.
//!
//! Viewers' reports need a process that runs; the page only holds the purse strings. What a pool is, is proved; which ones
//! there are, this browser remembers, and the wallet's own history says.

mod form;
mod review;
mod words;

use leptos::prelude::*;
use wallet::funds::{self, Found, Pool, Wish};
use wallet::view::{Fate, Sent};

use crate::browser;
use crate::components::copy::CopyText;
use crate::components::fields::Line;
use crate::components::transfers::fate;
use crate::components::unwanted::NotTaken;
use crate::ledger::Ledger;
use crate::money;

use form::{OpenOne, ShowOne};
use review::Review;
use words::Steps;

/// Most numbers that are kept.
const KEPT_MAX: usize = 64;
/// Most pools that are shown: those opened last.
const SHOWN_MAX: usize = 16;
/// Most that was done with pools and is told.
const DEEDS_MAX: usize = 4;
/// What was done is waited for so long where no server tells what became of it, in milliseconds.
const UNTOLD_MS: u64 = 60_000;
/// Units that a fund's account is sent for its fees: one STAR.
const FEES: u128 = 1_000_000;
/// A pool is kept so much longer, in seconds: as long as the ledger lets it.
const LONGER_S: u64 = funds::TTL_S.1;

/// Handle to what the section knows. Copied freely.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pools {
    ledger: Ledger,
    account: Memo<String>,
    /// What the person is about to sign.
    draft: RwSignal<Option<Wish>>,
    /// Where it is kept which pools are shown: pools of two ledgers have the same numbers.
    place: Memo<String>,
    /// Numbers, and whether each is shown: those that are not were opened from here.
    kept: RwSignal<Vec<(u64, bool)>>,
    numbers: Memo<Vec<u64>>,
    /// What was done from here, the newest first.
    deeds: Memo<Vec<(Wish, Sent)>>,
    /// Keys of the records that the section needs.
    pub(super) wanted: Memo<Vec<Vec<u8>>>,
}

impl Pools {
    /// Reads what is remembered, and puts it into the context.
    pub(super) fn provide(ledger: Ledger) -> Self {
        let place = Memo::new(move |_| {
            let view = ledger.view.read();
            format!("starling-funds-{}-{}", view.root, view.account)
        });
        let kept = RwSignal::new(Vec::new());
        Effect::new(move |_| {
            kept.set(noted(&browser::kept(&place.read()).unwrap_or_default()));
        });
        let deeds = Memo::new(move |_| {
            let view = ledger.view.read();
            let asked = |sent: &Sent| Some((funds::asked(sent.act.as_ref()?)?, sent.clone()));
            view.sent.iter().filter_map(asked).collect::<Vec<_>>()
        });
        let numbers = Memo::new(move |_| shown(&kept.read(), &deeds.read()));
        let wanted = Memo::new(move |_| funds::wanted(&ledger.records.read(), &numbers.read()));
        let account = Memo::new(move |_| ledger.view.read().account.clone());
        let draft = RwSignal::new(None);
        let pools = Self { ledger, account, draft, place, kept, numbers, deeds, wanted };
        provide_context(pools);
        pools
    }

    fn get() -> Self {
        expect_context()
    }

    /// Shows a pool from now on, or not any more.
    fn note(self, number: u64, is_shown: bool) {
        // Whatever is opened under that number later is shown.
        let is_noted = is_shown || self.is_opened(number);
        self.kept.update(|kept| {
            kept.retain(|(known, _)| *known != number);
            kept.extend(is_noted.then_some((number, is_shown)));
            let over = kept.len().saturating_sub(KEPT_MAX);
            kept.drain(..over);
        });
        let mark = |(number, is_shown): &(u64, bool)| match is_shown {
            true => number.to_string(),
            false => format!("x{number}"),
        };
        let text: Vec<_> = self.kept.read_untracked().iter().map(mark).collect();
        browser::keep(&self.place.read_untracked(), &text.join(","));
    }

    /// Whether it was opened from here.
    fn is_opened(self, number: u64) -> bool {
        opened(&self.deeds.read_untracked()).any(|known| known == number)
    }

    /// Whether it is among those that are shown.
    fn shows(self, number: u64) -> bool {
        self.numbers.read_untracked().contains(&number)
    }

    /// Whether something that was asked of a pool is not in what is proved of it as of this block.
    fn is_busy(self, number: u64, height: u64) -> bool {
        let now_ms = browser::now_ms();
        self.deeds
            .read()
            .iter()
            .any(|(wish, sent)| wish.pool() == Some(number) && is_under_way(sent, height, now_ms))
    }
}

fn is_under_way(sent: &Sent, height: u64, now_ms: u64) -> bool {
    match sent.fate {
        Fate::Sending | Fate::Waiting => true,
        Fate::Final => now_ms.saturating_sub(sent.signed_ms) < UNTOLD_MS,
        Fate::Done => sent.height > height,
        Fate::Refused | Fate::Expired | Fate::Replaced | Fate::GivenUp => false,
    }
}

/// Numbers of pools that were opened from here.
fn opened(deeds: &[(Wish, Sent)]) -> impl Iterator<Item = u64> {
    deeds.iter().filter_map(|(wish, sent)| {
        let act = sent.act.as_ref().filter(|act| act.code == 0)?;
        let number = act.amount.filter(|_| matches!(wish, Wish::Open { .. }))?;
        u64::try_from(number).ok()
    })
}

/// Numbers in what was kept.
fn noted(text: &str) -> Vec<(u64, bool)> {
    let one = |mark: &str| match mark.strip_prefix('x') {
        Some(number) => Some((number.parse().ok()?, false)),
        None => Some((mark.parse().ok()?, true)),
    };
    text.split(',').filter_map(one).take(KEPT_MAX).collect()
}

/// Pools that are shown: those that were noted, and those that were opened from here; the newest first.
fn shown(kept: &[(u64, bool)], deeds: &[(Wish, Sent)]) -> Vec<u64> {
    let noted = kept.iter().filter(|(_, is_shown)| *is_shown).map(|(number, _)| *number);
    let mut all: Vec<u64> =
        noted.chain(opened(deeds)).filter(|number| !kept.contains(&(*number, false))).collect();
    all.sort_unstable_by(|one, other| other.cmp(one));
    all.dedup();
    all.truncate(SHOWN_MAX);
    all
}

/// The card.
#[component]
pub(super) fn Funds() -> impl IntoView {
    let pools = Pools::get();
    let done = move || {
        let deeds = pools.deeds.read();
        deeds.iter().take(DEEDS_MAX).map(|(wish, sent)| deed(wish, sent)).collect_view()
    };
    view! {
        <section class="card" aria-labelledby="funds-title" id="funds">
            <h2 id="funds-title">"Funds"</h2>
            <p class="quiet">
                "Pay viewers who pass on a video or a share of yours. What you set aside here is locked, not spent: a fund\u{2019}s process draws on it, a little at a time, and what it did not draw comes back to you."
            </p>
            <For each=move || pools.numbers.get() key=|number| *number let:number>
                <One number />
            </For>
            <details class="steps">
                <summary>"Set aside for a fund"</summary>
                <OpenOne pools />
            </details>
            <details class="steps">
                <summary>"Show a pool by its number"</summary>
                <ShowOne pools />
            </details>
            <ul class="payments" id="fund-deeds" aria-live="polite">
                {done}
            </ul>
            <Review />
        </section>
    }
}

/// What was done, and what became of it.
fn deed(wish: &Wish, sent: &Sent) -> impl IntoView + use<> {
    let (state, warn) = fate(sent);
    let code = sent.act.as_ref().map_or(0, |act| act.code);
    let why = (code != 0).then(|| format!("{} (refusal {code})", words::refusal(code)));
    view! {
        <li class="payment">
            <div class="row-words">
                <span class="num">{words::done(wish)}</span>
                <span class="quiet num" class:quiet--warn=warn>
                    {state}
                </span>
                {why.map(|why| view! { <span class="quiet quiet--warn">{why}</span> })}
                <NotTaken id=sent.id.clone() />
            </div>
        </li>
    }
}

/// One pool.
#[component]
fn One(number: u64) -> impl IntoView {
    let pools = Pools::get();
    let found = Memo::new(move |before: Option<&Found>| {
        let now = funds::pool(&pools.ledger.records.read(), number);
        goes_on(now, before)
    });
    let here = Memo::new(move |_| match found.get() {
        Found::Here(pool) => Some(pool),
        Found::Unproved | Found::Gone(_) | Found::Unread => None,
    });
    let mine = Memo::new(move |_| {
        here.read().as_ref().is_some_and(|pool| pool.payer == *pools.account.read())
    });
    let steps = Memo::new(move |_| {
        let pool = here.get().filter(|_| mine.get());
        pool.map_or_else(Steps::default, |pool| Steps::of(&pool, browser::now_s()))
    });
    // Only what is one's own stays until it is gone.
    let foreign = move || match *found.read() {
        Found::Here(_) => !mine.get(),
        Found::Gone(_) | Found::Unread => true,
        Found::Unproved => !pools.is_opened(number),
    };
    let told = move || match &*found.read() {
        Found::Here(pool) if !mine.get() => words::others(pool),
        found => words::state(found, browser::now_s(), browser::moment),
    };
    let units = move || here.read().as_ref().map(|pool| pool.free.saturating_add(pool.reserved));
    view! {
        <ul class="payments" aria-label=format!("Pool {number}")>
            <li
                class="payment"
                data-fund=number.to_string()
                data-left=move || units().map(|units| units.to_string())
                data-drawn=move || here.read().as_ref().and_then(|pool| pool.drawn).map(|units| units.to_string())
                data-next=move || steps.read().name()
            >
                <div class="row-words">
                    <span>{move || words::title(number, here.read().as_ref())}</span>
                    <span class="quiet num">{told}</span>
                    <span class="quiet num">{move || words::proof(&found.read())}</span>
                </div>
                <span class="payment-units num">{move || units().map(money::named)}</span>
            </li>
        </ul>
        <Ways pools number here steps />
        <Show when=foreign>
            <div class="dialog-actions">
                <button class="button" type="button" on:click=move |_| pools.note(number, false)>
                    "Hide"
                    <span class="visually-hidden">{format!(" pool {number}")}</span>
                </button>
            </div>
        </Show>
        <Show when=move || { mine.get() && !steps.read().is_over }>
            <Runs pools number here />
        </Show>
    }
}

/// What is known goes on while a round of proofs is under way.
fn goes_on(now: Found, before: Option<&Found>) -> Found {
    match (now, before) {
        (Found::Unproved, Some(before)) => before.clone(),
        (Found::Here(mut now), Some(Found::Here(before))) => {
            now.drawn = now.drawn.or(before.drawn);
            Found::Here(now)
        }
        (now, _) => now,
    }
}

/// What may be done with it now.
#[component]
fn Ways(pools: Pools, number: u64, here: Memo<Option<Pool>>, steps: Memo<Steps>) -> impl IntoView {
    let busy = Memo::new(move |_| {
        here.read().as_ref().is_none_or(|pool| pools.is_busy(number, pool.height))
    });
    let begin = move |wish: Option<Wish>| {
        if wish.is_some() {
            pools.draft.set(wish);
        }
    };
    let allow = move || {
        let pool = here.get_untracked();
        let allow =
            |pool: Pool| Wish::Allow { pool: number, account: pool.account, units: pool.free };
        begin(pool.map(allow));
    };
    let longer = move || begin(Some(Wish::Extend { pool: number, ttl_s: LONGER_S }));
    let close = move || begin(Some(Wish::Close(number)));
    let take = move || begin(Some(Wish::Take(number)));
    let none = move || *steps.read() == Steps::default();
    view! {
        <div class="dialog-actions" hidden=none>
            <Way name="allow" label="Let the fund draw" number shown=Signal::derive(move || steps.read().allow) busy run=allow strong=true />
            <Way name="longer" label="Keep it 30 days" number shown=Signal::derive(move || steps.read().longer) busy run=longer />
            <Way name="close" label="Close" number shown=Signal::derive(move || steps.read().close) busy run=close />
            <Way name="take" label="Take it back" number shown=Signal::derive(move || steps.read().take) busy run=take />
        </div>
    }
}

/// One of them.
#[component]
fn Way(
    /// For programs.
    name: &'static str,
    label: &'static str,
    /// Of which pool.
    number: u64,
    /// Whether it may be done.
    shown: Signal<bool>,
    busy: Memo<bool>,
    run: impl Fn() + 'static,
    /// Whether it is what comes next.
    #[prop(default = false)]
    strong: bool,
) -> impl IntoView {
    view! {
        <button
            class="button"
            class:button--strong=strong
            type="button"
            data-do=name
            hidden=move || !shown.get()
            disabled=busy
            on:click=move |_| run()
        >
            {label}
            <span class="visually-hidden">{format!(" pool {number}")}</span>
        </button>
    }
}

/// What this page can't do, and the command that does.
#[component]
fn Runs(pools: Pools, number: u64, here: Memo<Option<Pool>>) -> impl IntoView {
    let about = RwSignal::new(String::new());
    let command = Signal::derive(move || {
        let units = here.read().as_ref().map_or(0, |pool| pool.free.saturating_add(pool.reserved));
        words::command(&about.read(), &browser::origin(), number, units)
    });
    let fees = move |_| {
        let account = here.get_untracked().map(|pool| pool.account);
        pools.draft.set(account.map(|account| Wish::Fees { account, units: FEES }));
    };
    view! {
        <details class="steps">
            <summary>"What pays from it"</summary>
            <p class="quiet">
                "This page can\u{2019}t take viewers\u{2019} reports: a process that always runs does. Call it on the machine that has the fund\u{2019}s key, and name it in the video\u{2019}s link or tag."
            </p>
            <Line
                id=format!("fund-about-{number}")
                label="What it pays for: a playlist\u{2019}s address, or a share\u{2019}s link"
                value=about
                mono=true
                placeholder="https://\u{2026}/master.m3u8"
            />
            <CopyText label="the command" text=command />
            <p class="quiet">
                "Its account pays the first fees itself: send it some units. Later ones it draws."
            </p>
            <div class="dialog-actions">
                <button class="button" type="button" data-do="fees" on:click=fees>
                    {format!("Send it {} for fees", money::named(FEES))}
                </button>
            </div>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use wallet::view::Act;

    use super::*;

    fn sent(fate: Fate, height: u64, number: Option<u128>) -> Sent {
        let act = Act { action: Vec::new(), code: 0, amount: number, seized: None, domain: None };
        Sent {
            id: String::new(),
            to: String::new(),
            units: 0,
            fee: 0,
            signed_ms: 1_000,
            fate,
            height,
            took_ms: 0,
            act: Some(act),
            pool: None,
            by_balance: None,
            note: None,
            counted: None,
        }
    }

    #[test]
    fn pools_of_the_history_and_of_the_browser_are_shown_until_they_are_hidden() {
        let kept = noted("3,x4,rubbish,9,");
        assert_eq!(kept, [(3, true), (4, false), (9, true)]);
        let open = Wish::Open { key: String::new(), units: 1, ttl_s: 1 };
        let opened = |number| (open.clone(), sent(Fate::Done, 2, Some(number)));
        let closed = (Wish::Close(8), sent(Fate::Done, 2, Some(8)));
        let deeds = [opened(12), opened(4), opened(3), closed];
        assert_eq!(shown(&kept, &deeds), [12, 9, 3]);
        let many: Vec<_> = (20..40).map(|number| (number, true)).collect();
        assert_eq!(shown(&many, &deeds).len(), SHOWN_MAX);
        assert!(!shown(&many, &deeds).contains(&12), "the page says so of one that is asked for");
    }

    #[test]
    fn what_was_signed_is_under_way_until_what_is_proved_is_later() {
        let busy = |fate, height, now_ms| is_under_way(&sent(fate, height, None), 7, now_ms);
        assert!(busy(Fate::Waiting, 0, 999_999));
        assert!(busy(Fate::Final, 0, 2_000) && !busy(Fate::Final, 0, 999_999));
        assert!(busy(Fate::Done, 8, 2_000) && !busy(Fate::Done, 7, 2_000));
        assert!(!busy(Fate::Refused, 8, 2_000));
    }

    #[test]
    fn what_is_known_stays_while_it_is_proved_again() {
        let known = Found::Gone(5);
        assert_eq!(goes_on(Found::Unproved, Some(&known)), known);
        assert_eq!(goes_on(Found::Unread, Some(&known)), Found::Unread);
    }
}
