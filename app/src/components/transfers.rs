//! What went out and what came in.

use leptos::prelude::*;
use wallet::view::{Fate, PoolAct, Received, Sent};

use crate::components::avatar::Avatar;
use crate::components::icon::{Glyph, Icon};
use crate::format::{duration, short_key};
use crate::ledger::Ledger;
use crate::money;

/// One line, whichever way it went.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// What it is, where it is no transfer.
    what: Option<&'static str>,
    other: String,
    amount: String,
    inward: bool,
    state: String,
    warn: bool,
    /// It was for a DID: nothing went to somebody else.
    for_name: bool,
    /// Orders lines: block, or the end while there is none.
    height: u64,
}

/// The list.
#[component]
pub(crate) fn Transfers() -> impl IntoView {
    let ledger = Ledger::get();
    let lines = Memo::new(move |_| {
        let view = ledger.view.read();
        // What was asked of markets is told on their page.
        let out = view.sent.iter().filter(|sent| sent.act.is_none());
        let out = out.map(|sent| sent_line(sent, &view.account));
        let mut all: Vec<Line> = out.chain(view.received.iter().map(received_line)).collect();
        all.sort_by_key(|line| std::cmp::Reverse(line.height));
        all
    });
    view! {
        <section class="card" aria-labelledby="history-title">
            <h2 id="history-title">"History"</h2>
            <p class="quiet" hidden=move || !lines.read().is_empty()>
                "Nothing was sent or received yet."
            </p>
            <ul class="payments" aria-live="polite">
                {move || lines.get().into_iter().map(row).collect_view()}
            </ul>
        </section>
    }
}

fn row(line: Line) -> impl IntoView + use<> {
    let sign = if line.inward { "+" } else { "\u{2212}" };
    view! {
        <li class="payment" data-way={if line.inward { "in" } else { "out" }}>
            <Avatar key=line.other.clone() />
            <div class="row-words">
                {match (line.what, line.for_name) {
                    (Some(what), _) => view! { <span>{what}</span> }.into_any(),
                    (None, true) => view! { <Other other=line.other.clone() way="For your name, by " /> }.into_any(),
                    (None, false) => {
                        let way = if line.inward { "From " } else { "To " };
                        view! { <Other other=line.other.clone() way /> }.into_any()
                    }
                }}
                <span class="quiet num" class:quiet--warn=line.warn>
                    {line.state}
                </span>
            </div>
            <span class="payment-units num">{format!("{sign}{}", line.amount)}</span>
            <Icon glyph={if line.inward { Glyph::Receive } else { Glyph::Arrow }} />
        </li>
    }
}

/// Whom it went to or came from.
#[component]
fn Other(other: String, way: &'static str) -> impl IntoView {
    view! {
        <span>
            {way}
            <span class="mono" title=other.clone()>
                {short_key(&other)}
            </span>
        </span>
    }
}

/// What was done for payments of bytes.
const fn pool_words(act: PoolAct) -> &'static str {
    match act {
        PoolAct::Open => "Deposit for payments",
        PoolAct::TopUp => "More for payments",
        PoolAct::Extend => "Deposit kept for longer, the fee",
        PoolAct::Reserve => "Set aside for people, the fee",
        PoolAct::Claim => "Earnings handed in, the fee",
        PoolAct::Release => "Rest given back to a payer, the fee",
        PoolAct::CloseStart => "Deposit asked back, the fee",
        PoolAct::CloseFinish => "Deposit came back, the fee",
    }
}

/// What became of something that was sent, and whether that is bad news.
pub(crate) fn fate(sent: &Sent) -> (String, bool) {
    let took =
        if sent.took_ms > 0 { format!(" in {}", duration(sent.took_ms)) } else { String::new() };
    match sent.fate {
        Fate::Sending => ("Being sent".to_owned(), false),
        Fate::Waiting => ("Waits for a block".to_owned(), false),
        Fate::Final => (format!("In a block, proved{took}"), false),
        Fate::Done => (format!("Done{took}, block {}", sent.height), false),
        Fate::Refused => (format!("Refused in block {}: only the fee is gone", sent.height), true),
        Fate::Expired => ("No block took it: nothing is gone".to_owned(), true),
    }
}

fn sent_line(sent: &Sent, account: &str) -> Line {
    let (state, warn) = fate(sent);
    // What is set aside goes; of the rest, the fee does.
    let units = if sent.pool.is_some() && sent.units == 0 { sent.fee } else { sent.units };
    Line {
        what: sent.pool.map(pool_words),
        other: sent.to.clone(),
        amount: money::named(units),
        inward: false,
        // The wallet sends nothing to itself.
        for_name: sent.to == account,
        state,
        warn,
        height: if sent.height > 0 { sent.height } else { u64::MAX },
    }
}

fn received_line(received: &Received) -> Line {
    Line {
        what: None,
        other: received.from.clone(),
        amount: money::named(received.units),
        inward: true,
        for_name: false,
        state: format!("Block {}, as a server tells", received.height),
        warn: false,
        height: received.height,
    }
}
