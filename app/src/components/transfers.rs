//! What went out and what came in.

use leptos::prelude::*;
use wallet::view::{Fate, Received, Sent};

use crate::components::avatar::Avatar;
use crate::components::icon::{Glyph, Icon};
use crate::format::{duration, short_key};
use crate::ledger::Ledger;
use crate::money;

/// One line, whichever way it went.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
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
                <span>
                    {match (line.inward, line.for_name) {
                        (true, _) => "From ",
                        (false, true) => "For your name, by ",
                        (false, false) => "To ",
                    }}
                    <span class="mono" title=line.other.clone()>
                        {short_key(&line.other)}
                    </span>
                </span>
                <span class="quiet num" class:quiet--warn=line.warn>
                    {line.state}
                </span>
            </div>
            <span class="payment-units num">{format!("{sign}{}", line.amount)}</span>
            <Icon glyph={if line.inward { Glyph::Receive } else { Glyph::Arrow }} />
        </li>
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
    Line {
        other: sent.to.clone(),
        amount: money::named(sent.units),
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
        other: received.from.clone(),
        amount: money::named(received.units),
        inward: true,
        for_name: false,
        state: format!("Block {}, as a server tells", received.height),
        warn: false,
        height: received.height,
    }
}
