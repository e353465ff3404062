//! Payments for bytes, as the wallet holds them: what is agreed, deposits, and what others owe.

use leptos::html::Dialog;
use leptos::prelude::*;
use wallet::view::{Command, Deal, Due, Kept, Part, Pool, ProvedPool, Purse, Stage, Wish};

use crate::browser;
use crate::components::asking::{lacks, per_gib};
use crate::components::price::why;
use crate::components::sure::{self, Sure};
use crate::format::counted;
use crate::ledger::Ledger;
use crate::money;
use crate::paying;

/// The section; nothing where nobody paid or was paid.
#[component]
pub(crate) fn Payments() -> impl IntoView {
    let ledger = Ledger::get();
    let any = Memo::new(move |_| {
        let purse = ledger.purse.read();
        let is_empty = purse.deals.is_empty() && purse.pools.is_empty() && purse.dues.is_empty();
        !is_empty || purse.kept.count > 0
    });
    view! {
        <Show when=move || any.get()>
            <section class="card" aria-labelledby="payments-title">
                <h2 id="payments-title">"Payments for files"</h2>
                <p class="quiet quiet--warn" role="alert">
                    {move || refused(&ledger.purse.read().refused)}
                </p>
                <p class="quiet quiet--warn" role="status">{move || unread(&ledger.purse.read())}</p>
                <Deals />
                <Deposits />
                <Earnings />
                <KeptForOthers />
            </section>
        </Show>
    }
}

#[component]
fn Deals() -> impl IntoView {
    let ledger = Ledger::get();
    let deals = Memo::new(move |_| ledger.purse.read().deals.clone());
    let row = move |deal: Deal| {
        let share = deal.share.clone();
        let stop = move |_| paying::end(ledger, share.clone());
        view! {
            <li class="payment" data-deal=deal.share.clone() data-units=deal.units.to_string()>
                <div class="row-words">
                    <span>{deal.name.clone()}</span>
                    <span class="quiet num">{agreed(&deal)}</span>
                    <span class="quiet quiet--warn">{why(&deal.stopped)}</span>
                </div>
                <span class="payment-units num">{money::named(deal.units)}</span>
                {(deal.stage != Stage::Off)
                    .then(|| {
                        view! {
                            <button class="button" type="button" data-do="end" on:click=stop>
                                "Stop"
                                <span class="visually-hidden">{format!(" {}", deal.name)}</span>
                            </button>
                        }
                    })}
            </li>
        }
    };
    view! {
        <ul class="payments" aria-label="Shares">
            {move || deals.get().into_iter().map(row).collect_view()}
        </ul>
    }
}

/// What was agreed, in words.
fn agreed(deal: &Deal) -> String {
    let state = match deal.stage {
        Stage::Opening => ", being set up",
        Stage::On => "",
        Stage::Off => ", over",
    };
    match deal.part {
        Part::Pay { limit, .. } => format!("You pay, {} at most{state}", money::named(limit)),
        Part::Earn { per_mib, .. } => format!("You ask {} for a GiB{state}", per_gib(per_mib)),
    }
}

#[component]
fn Deposits() -> impl IntoView {
    let ledger = Ledger::get();
    let pools = Memo::new(move |_| ledger.purse.read().pools.clone());
    let closing = RwSignal::new(None::<Pool>);
    let dialog = NodeRef::<Dialog>::new();
    let ask = move |pool: Pool| {
        closing.set(Some(pool));
        sure::open(dialog);
    };
    let row = move |pool: Pool| {
        let (asked, number) = (pool.clone(), pool.number);
        view! {
            <li class="payment" data-pool=number.to_string() data-closing=is_closing(&pool).to_string()>
                <div class="row-words">
                    <span>{format!("Deposit {number}")}</span>
                    <span class="quiet num">{state(&pool)}</span>
                    <span class="quiet num">{proof(pool.proved.map(|proved| proved.height))}</span>
                </div>
                <span class="payment-units num">{pool.proved.map(left).map(money::named)}</span>
                <button
                    class="button"
                    type="button"
                    data-do="close"
                    disabled=pool.busy || !can_close(&pool)
                    on:click=move |_| ask(asked.clone())
                >
                    {if pool.busy { "Closing\u{2026}" } else { "Close" }}
                    <span class="visually-hidden">{format!(" deposit {number}")}</span>
                </button>
            </li>
        }
    };
    let agree = move || {
        if let Some(pool) = closing.get_untracked() {
            ledger.command(&Command::Purse(Wish::Close(pool.number)));
        }
    };
    view! {
        <ul class="payments" aria-label="Deposits">
            {move || pools.get().into_iter().map(row).collect_view()}
        </ul>
        <Sure dialog name="close" title="Close this deposit?" agree="Close it" on_agree=agree>
            <p>{move || closing.get().map(|pool| consequence(&pool))}</p>
            <p class="quiet">"What you promised stays theirs. Each step on the ledger costs a fee."</p>
        </Sure>
    }
}

fn left(proved: ProvedPool) -> u128 {
    proved.free.saturating_add(proved.reserved)
}

fn is_closing(pool: &Pool) -> bool {
    pool.proved.is_some_and(|proved| proved.closing)
}

/// Whether closing would do something now.
fn can_close(pool: &Pool) -> bool {
    pool.proved.is_some_and(|proved| {
        !proved.closing || proved.open_lanes == 0 || browser::now_s() >= proved.ends_s
    })
}

fn state(pool: &Pool) -> String {
    let Some(proved) = pool.proved else { return "Not proved yet".to_owned() };
    let people = counted(u64::from(proved.open_lanes), "person", "people");
    let set_aside = if proved.open_lanes == 0 {
        "nothing set aside for anybody".to_owned()
    } else {
        format!("{} set aside for {people}", money::named(proved.reserved))
    };
    let when = match (proved.closing, proved.open_lanes, wait(proved.ends_s)) {
        (_, 0, _) => "comes back when you close it".to_owned(),
        (true, _, Some(wait)) => format!("comes back in {wait}"),
        (true, _, None) => "close it once more to take it".to_owned(),
        (false, ..) => "comes back a day after you close it".to_owned(),
    };
    format!("{} free, {set_aside}; {when}", money::named(proved.free))
}

fn consequence(pool: &Pool) -> String {
    let Some(proved) = pool.proved else { return String::new() };
    let rest = money::named(left(proved));
    if proved.open_lanes == 0 || wait(proved.ends_s).is_none() {
        format!("{rest} come back with the next block.")
    } else {
        format!(
            "Nothing more is paid from it. Who was promised something has a day to hand it in; then what is left of {rest} is yours to take here. It comes at once when they give their part back."
        )
    }
}

/// Until then, in words; none: it is over.
fn wait(until_s: u64) -> Option<String> {
    let left_s = until_s.saturating_sub(browser::now_s());
    match left_s {
        0 => None,
        1..=5_400 => Some(format!("{}\u{a0}min", left_s.div_ceil(60))),
        5_401..=172_800 => Some(format!("{}\u{a0}h", left_s.div_ceil(3_600))),
        _ => Some(format!("{}\u{a0}days", left_s.div_ceil(86_400))),
    }
}

fn proof(height: Option<u64>) -> String {
    match height {
        Some(height) if height > 0 => format!("Proved at block {height}"),
        _ => "Not proved yet".to_owned(),
    }
}

#[component]
fn Earnings() -> impl IntoView {
    let ledger = Ledger::get();
    let dues = Memo::new(move |_| ledger.purse.read().dues.clone());
    let chosen = RwSignal::new(None::<Due>);
    let dialog = NodeRef::<Dialog>::new();
    let ask = move |due: Due| {
        chosen.set(Some(due));
        sure::open(dialog);
    };
    let row = move |due: Due| {
        let asked = due.clone();
        view! {
            <li
                class="payment"
                data-way="in"
                data-due=format!("{}/{}", due.pool, due.epoch)
                data-promised=due.promised.to_string()
                data-redeemed=due.redeemed.to_string()
                data-closed=due.closed.to_string()
            >
                <div class="row-words">
                    <span>{due.name.clone()}</span>
                    <span class="quiet num">{owed(&due)}</span>
                    <span class="quiet num">{proof(Some(due.height))}</span>
                </div>
                <span class="payment-units num">{money::named(due.promised)}</span>
                {(!due.closed)
                    .then(|| {
                        view! {
                            <button
                                class="button"
                                type="button"
                                data-do="settle"
                                disabled=due.busy
                                on:click=move |_| ask(asked.clone())
                            >
                                {if due.busy { "Settling\u{2026}" } else { "Settle" }}
                                <span class="visually-hidden">{format!(" {}", due.name)}</span>
                            </button>
                        }
                    })}
            </li>
        }
    };
    let agree = move || {
        if let Some(Due { pool, epoch, .. }) = chosen.get_untracked() {
            ledger.command(&Command::Purse(Wish::Settle { pool, epoch }));
        }
    };
    let fee = move || ledger.purse.read().claim_cost.map(money::named).unwrap_or_default();
    let short = move || {
        let waits = dues.read().iter().any(|due| !due.closed && due.promised > due.redeemed);
        if waits { lacks(&ledger.purse.read()) } else { String::new() }
    };
    view! {
        <p class="quiet quiet--warn" role="status">{short}</p>
        <ul class="payments" aria-label="Earned">
            {move || dues.get().into_iter().map(row).collect_view()}
        </ul>
        <Sure
            dialog
            name="settle"
            title="Settle this on the ledger?"
            agree="Settle"
            on_agree=agree
        >
            <p>
                "What was promised and not paid yet goes into your account. If nobody fetches from you any more, what is left of the part set aside for you goes back to the payer."
            </p>
            <p class="quiet num">"Fee of each step, at most: " {fee}</p>
        </Sure>
    }
}

fn owed(due: &Due) -> String {
    let paid = money::named(due.redeemed);
    let open = due.promised.saturating_sub(due.redeemed);
    if due.closed && open > 0 {
        // Its lane is gone, and with it how much of that was paid.
        return format!(
            "Over: at least {paid} were paid into your account; what a neighbour handed in for you since then is in your balance"
        );
    }
    if due.closed {
        return format!("Settled: {paid} were paid into your account");
    }
    let until = match (due.ends_s, wait(due.ends_s)) {
        (0, _) => String::new(),
        (_, Some(wait)) => format!(", to be settled within {wait}"),
        (_, None) => ", too late to settle".to_owned(),
    };
    match open {
        0 => format!("All of it was paid into your account{until}"),
        open => format!("{} owed to you, {paid} paid into your account{until}", money::named(open)),
    }
}

/// What neighbours left here. There is nothing to do for it.
#[component]
fn KeptForOthers() -> impl IntoView {
    let ledger = Ledger::get();
    let kept = Memo::new(move |_| ledger.purse.read().kept);
    view! {
        <Show when=move || { kept.get().count > 0 }>
            <p class="quiet" data-kept=move || kept.get().units.to_string()>
                {move || kept_words(kept.get())}
            </p>
        </Show>
    }
}

fn kept_words(kept: Kept) -> String {
    let promises = counted(u64::from(kept.count), "promise", "promises");
    let units = money::named(kept.units);
    format!(
        "You keep {promises} to neighbours, {units}: handed in for them if they don\u{2019}t come back in time, unless you turned that off in Settings."
    )
}

/// Why the last wish was refused, in words.
fn refused(code: &str) -> &'static str {
    match code {
        "early" => "Others still have time to hand in what you promised them. Try again later.",
        "lost" => "The ledger did not take it in time. Nothing is gone; try again.",
        "refused" => "The ledger refused it: only a fee is gone. Try again.",
        "many" => "Too many shares are paid for or asked for at a time. Stop some first.",
        "nothing" => "Nothing is not an amount.",
        "hour" => "You chose in Settings to pay nothing.",
        other => why(other),
    }
}

/// What is on the ledger and can't be read here, in words.
fn unread(purse: &Purse) -> String {
    let Some(number) = purse.unread else { return String::new() };
    format!(
        "What the ledger holds of deposit {number} is proved, but this page is too old to read it. Load the page anew."
    )
}
