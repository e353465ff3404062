//! Opening a market: a form whose rules are checked as they are typed, and what came of it.

mod draft;
mod fields;

use leptos::prelude::*;
use leptos_router::components::A;
use wallet::lending::{self, RESERVES_MAX, Rules};
use wallet::view::{Fate, Sent};

use crate::components::modal::{modal, once};
use crate::format::counted;
use crate::money;

use draft::{Draft, Typed};
use fields::{AssetFields, Fields, Looks};

use super::desk::{Asked, Desk};
use super::words::{STILL, refusal};

/// Assets with which the form begins: one to pledge, one to borrow.
const BEGINS_WITH: usize = 2;

/// What became of a market that was asked for from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    /// No block has it yet.
    Waits,
    /// It is in no block, or was refused there.
    Nothing,
    /// It is in a block, and its records are not proved yet.
    Proving,
    /// It is this one, proved at a block.
    Market { number: u32, height: u64 },
}

/// The newest opening that was sent.
fn newest(sent: &[Sent]) -> Option<(&Sent, Vec<Rules>)> {
    sent.iter().find_map(|sent| Some((sent, lending::opened(sent.act.as_ref()?)?)))
}

/// The way to the form, and what came of it.
#[component]
pub(super) fn OpenMarket() -> impl IntoView {
    let desk = Desk::get();
    let became = Memo::new(move |_| {
        let asked = desk.asked.get()?;
        let found = {
            let view = desk.ledger.view.read();
            newest(&view.sent).map(|(sent, rules)| (sent.id.clone(), sent.fate, rules))
        };
        let Some((_, fate, rules)) = found.filter(|(id, ..)| Some(id) != asked.after.as_ref())
        else {
            return Some(Became::Waits);
        };
        Some(match fate {
            Fate::Sending | Fate::Waiting => Became::Waits,
            Fate::Refused | Fate::Expired | Fate::Replaced | Fate::GivenUp => Became::Nothing,
            Fate::Final | Fate::Done => {
                let proved = desk.look(|scene| lending::market_opened(scene, &rules));
                match proved.filter(|(number, _)| *number > asked.count) {
                    Some((number, seen)) => Became::Market { number, height: seen.to_height },
                    None => Became::Proving,
                }
            }
        })
    });
    let words = move || {
        Some(match became.get()? {
            Became::Waits => "The market you signed waits for a block.".to_owned(),
            Became::Nothing => "The market you signed was not opened: see below.".to_owned(),
            Became::Proving => {
                "The market you signed is in a block, and is being proved.".to_owned()
            }
            Became::Market { number, height } => {
                format!("Market {number} is open, proved at block {height}. ")
            }
        })
    };
    let number = Memo::new(move |_| match became.get() {
        Some(Became::Market { number, .. }) => Some(number),
        _ => None,
    });
    view! {
        <div class="send-foot">
            <p class="quiet num" id="opened" role="status">
                {words}
                {move || {
                    number.get().map(|number| {
                        view! { <A href=format!("/lend?market={number}")>"Look at it"</A> }
                    })
                }}
            </p>
            <button
                id="open-market"
                class="button"
                type="button"
                aria-haspopup="dialog"
                on:click=move |_| desk.opening.set(Some(()))
            >
                "Open a market"
            </button>
        </div>
    }
}

/// The dialog with the form.
#[component]
pub(super) fn OpenDialog() -> impl IntoView {
    let desk = Desk::get();
    modal(desk.opening, "dialog", "open-title", |(), close| view! { <Form close /> })
}

#[component]
fn Form(close: Callback<()>) -> impl IntoView {
    let desk = Desk::get();
    let choices = Memo::new(move |_| desk.look(lending::choices));
    let all: [Fields; RESERVES_MAX] = std::array::from_fn(Fields::new);
    let count = RwSignal::new(BEGINS_WITH);
    let draft = Memo::new(move |_| {
        let choices = choices.read();
        let typed = |fields: Fields| fields.typed(choices.as_ref());
        let typed: Vec<Typed> = all.into_iter().take(count.get()).map(typed).collect();
        Draft::read(&typed)
    });
    let looks = Looks { choices, draft };
    let opening = Memo::new(move |_| {
        let draft = draft.read();
        let is_sound = draft.problems.is_empty();
        is_sound.then(|| desk.look(|scene| lending::opening(scene, &draft.rules))).flatten()
    });
    // The wallet refuses what it can't judge by a new block.
    let ready =
        move || desk.fresh.get() && opening.get().is_some_and(|told| told.refusal.is_none());
    let first = once();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if untrack(ready) && first() {
            sign(desk, &draft.get_untracked().rules);
            close.run(());
        }
    };
    let reserves = move || {
        let shown = all.into_iter().take(count.get());
        shown.map(|fields| view! { <AssetFields fields looks /> }).collect_view()
    };
    view! {
        <form class="send" on:submit=submit novalidate>
            <div class="dialog-head">
                <h2 id="open-title">"Open a market"</h2>
            </div>
            <p class="quiet">
                "Its risk is its own. The rules are fixed from then on; you may stop new supply and borrowing, and what is kept of interest and bonuses is yours."
            </p>
            {reserves}
            <Count count />
            <Told desk looks opening />
            <div class="dialog-actions">
                <button class="button" type="button" on:click=move |_| close.run(())>
                    "Back"
                </button>
                <button id="open-sign" class="button button--strong" type="submit" disabled=move || !ready()>
                    "Sign and send"
                </button>
            </div>
        </form>
    }
}

/// How many assets there are.
#[component]
fn Count(count: RwSignal<usize>) -> impl IntoView {
    let is_full = move || count.get() == RESERVES_MAX;
    let is_last = move || count.get() == 1;
    view! {
        <div class="ways">
            <button
                id="open-more"
                class="button"
                type="button"
                disabled=is_full
                on:click=move |_| count.update(|count| *count += 1)
            >
                "One asset more"
            </button>
            <button
                id="open-less"
                class="button"
                type="button"
                disabled=is_last
                on:click=move |_| count.update(|count| *count -= 1)
            >
                "One asset less"
            </button>
        </div>
    }
}

/// What it costs, and what is in the way.
#[component]
fn Told(desk: Desk, looks: Looks, opening: Memo<Option<lending::Opening>>) -> impl IntoView {
    let odd = move || looks.draft.read().odd();
    let problem = move || {
        if !desk.fresh.get() {
            return STILL.to_owned();
        }
        if looks.choices.read().is_none() {
            return "Which assets and feeds there are is being proved.".to_owned();
        }
        let wrong = u64::try_from(looks.draft.read().problems.len()).unwrap_or(u64::MAX);
        if wrong > 0 {
            return format!("{} above to look at.", counted(wrong, "field", "fields"));
        }
        match opening.get() {
            None => "What decides it is not proved yet.".to_owned(),
            Some(lending::Opening { refusal: Some(number), .. }) => {
                format!("{} (refusal {number})", refusal(number))
            }
            Some(lending::Opening { refusal: None, .. }) => String::new(),
        }
    };
    let fee =
        move || opening.get().map_or_else(|| "\u{2026}".to_owned(), |told| money::named(told.fee));
    view! {
        <dl class="bill num" id="open-bill">
            <div>
                <dt>"Deposit"</dt>
                <dd>"none"</dd>
            </div>
            <div class="bill-total">
                <dt>"Fee, at most"</dt>
                <dd>{fee}</dd>
            </div>
        </dl>
        <p class="quiet quiet--warn">{odd}</p>
        <p id="open-problem" class="quiet quiet--warn" role="alert">
            {problem}
        </p>
    }
}

fn sign(desk: Desk, rules: &[Rules]) {
    let command = untrack(|| desk.look(|scene| Some(lending::ask_to_open(scene, rules))));
    let Some(command) = command else { return };
    let view = desk.ledger.view.read_untracked();
    let after = newest(&view.sent).map(|(sent, _)| sent.id.clone());
    drop(view);
    let count = lending::listing(&desk.book.read_untracked()).map_or(0, |listing| listing.count);
    desk.asked.set(Some(Asked { after, count }));
    desk.signed.set(true);
    desk.ledger.command(&command);
}
