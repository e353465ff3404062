//! Liquidations of mine by others, as a server tells them.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wallet::lending::{self, AccountId, Part, Suffered};

use crate::format::short_key;
use crate::ledger::Ledger;

use super::desk::Desk;
use super::words::named;

/// How often a server is asked.
const ASK_EVERY: Duration = Duration::from_secs(15);

/// The list; hidden while there is nothing in it.
#[component]
pub(super) fn Losses() -> impl IntoView {
    let desk = Desk::get();
    let told = RwSignal::new(Vec::<Suffered>::new());
    let account = Memo::new(move |_| desk.ledger.view.read().account.clone());
    let look = move || spawn_local(ask(desk.ledger, account, told));
    Effect::new(move |_| {
        account.track();
        look();
    });
    if let Ok(asking) = set_interval_with_handle(look, ASK_EVERY) {
        on_cleanup(move || asking.clear());
    }
    let row = move |one: Suffered| {
        let height = one.height;
        view! {
            <li class="payment">
                <div class="row-words">
                    <span class="num">{move || words(desk, &one)}</span>
                    <span class="quiet num">{format!("block {height}")}</span>
                </div>
            </li>
        }
    };
    view! {
        <section class="card" aria-labelledby="losses-title" hidden=move || told.read().is_empty()>
            <h2 id="losses-title">"Liquidated by others"</h2>
            <ul class="payments" id="losses" aria-live="polite">
                {move || told.get().into_iter().map(row).collect_view()}
            </ul>
            <p class="quiet">"A server tells this: not proved. What is left to you above is."</p>
        </section>
    }
}

/// Asks for it, and keeps what was told before where nobody answers.
async fn ask(ledger: Ledger, account: Memo<String>, told: RwSignal<Vec<Suffered>>) {
    let Some(name) = account.try_get_untracked() else { return };
    let Ok(mine) = name.parse::<AccountId>() else { return };
    let Some(receipts) = ledger.fetch(&format!("/accounts/{name}/events")).await else { return };
    // Another account is used meanwhile, or the person left the page.
    if account.try_get_untracked() != Some(name) {
        return;
    }
    if let Some(list) = lending::suffered(&receipts, mine)
        && told.try_get_untracked().is_some_and(|before| before != list)
    {
        told.set(list);
    }
}

fn words(desk: Desk, one: &Suffered) -> String {
    let amount = |part: Part| match desk.reserve(part.place) {
        Some(reserve) => named(part.amount, &reserve.asset),
        None => format!("{} units", part.amount),
    };
    format!(
        "{} repaid {} for you and took {}, market {}",
        short_key(&one.by.to_string()),
        amount(one.repaid),
        amount(one.taken),
        one.repaid.place.market
    )
}
