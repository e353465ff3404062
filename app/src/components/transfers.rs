//! What went out and what came in.

use leptos::prelude::*;
use wallet::assets;
use wallet::view::{Command, Fate, FromPool, PoolAct, RECEIVED_MAX, Received, Sent};

use crate::assets::Assets;
use crate::components::avatar::Avatar;
use crate::components::icon::{Glyph, Icon};
use crate::components::unwanted::NotTaken;
use crate::format::{counted, duration, short_key};
use crate::ledger::Ledger;
use crate::money;
use crate::routes::wallet::words::{Told, refusal, told};

/// One line, whichever way it went.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// Of what was sent from here: the transaction's name.
    id: Option<String>,
    /// What it is, where it is no transfer.
    what: Option<String>,
    other: String,
    amount: String,
    way: Way,
    /// Made for this account by whose promise it is.
    issued: bool,
    state: String,
    /// What it was for, where this browser knows it.
    note: Option<String>,
    warn: bool,
    /// It was for a DID: nothing went to somebody else.
    for_name: bool,
    /// A gift of less than a transfer costs: anybody can send many.
    small: bool,
    /// Orders lines: block, or the end while there is none.
    height: u64,
}

/// Which way units went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
    /// They went from nobody here: they were made for somebody.
    Beside,
}

/// The list.
#[component]
pub(crate) fn Transfers() -> impl IntoView {
    let (ledger, desk) = (Ledger::get(), Assets::get());
    let lines = Memo::new(move |_| {
        let view = ledger.view.read();
        // What was asked of markets is told on their page.
        let out = view.sent.iter().filter_map(|sent| match &sent.act {
            None => Some(sent_line(sent, &view.account)),
            Some(act) => Some(asset_line(desk, sent, &assets::asked(act)?, act.code)),
        });
        let fee = view.fee.unwrap_or_default();
        let came = view.received.iter().map(|received| received_line(desk, received, fee));
        let mut all: Vec<Line> = out.chain(came).collect();
        all.sort_by_key(|line| std::cmp::Reverse(line.height));
        all
    });
    let all = RwSignal::new(false);
    let small = Memo::new(move |_| lines.read().iter().filter(|line| line.small).count());
    let shown = move || {
        let list = lines.get().into_iter().filter(|line| all.get() || !line.small);
        list.map(row).collect_view()
    };
    let untold = move || {
        let view = ledger.view.read();
        let by_neighbours = view.neighbours.iter().any(|one| one.is_up);
        by_neighbours && !view.servers.iter().any(|one| one.is_up)
    };
    view! {
        <section class="card" aria-labelledby="history-title">
            <h2 id="history-title">"History"</h2>
            <p class="quiet" hidden=move || !lines.read().is_empty()>
                "Nothing was sent or received yet."
            </p>
            <ul class="payments" aria-live="polite">
                {shown}
            </ul>
            <More all small />
            <p class="quiet" id="untold" hidden=move || !untold()>
                "No server can be asked now, only neighbours, and nothing proves who sent something: what came is in your balance, and told here once a server is back."
            </p>
        </section>
    }
}

/// What is left out of the list: gifts that are hardly any, and what came before.
#[component]
fn More(
    /// Whether those are shown.
    all: RwSignal<bool>,
    /// How many there are.
    small: Memo<usize>,
) -> impl IntoView {
    let ledger = Ledger::get();
    let has_older = Memo::new(move |_| ledger.view.read().has_older);
    let is_full = Memo::new(move |_| ledger.view.read().received.len() >= RECEIVED_MAX);
    let words = move || {
        let count = u64::try_from(small.get()).unwrap_or(u64::MAX);
        let verb = if all.get() { "Hide" } else { "Show" };
        let gifts = counted(count, "gift", "gifts");
        format!("{verb} {gifts} of less than a fee")
    };
    view! {
        <div class="ways" hidden=move || small.get() == 0 && !has_older.get()>
            <button
                class="button"
                id="small-gifts"
                type="button"
                hidden=move || small.get() == 0
                on:click=move |_| all.update(|all| *all = !*all)
            >
                {words}
            </button>
            <button
                class="button"
                id="older"
                type="button"
                hidden=move || !has_older.get()
                on:click=move |_| ledger.command(&Command::Older)
            >
                "Older"
            </button>
        </div>
        <p class="quiet" hidden=move || !is_full.get()>
            {format!("Of what came, the last {RECEIVED_MAX} are told here. The ledger has all of it.")}
        </p>
    }
}

fn row(line: Line) -> impl IntoView + use<> {
    let (sign, way, glyph) = match line.way {
        Way::In => ("+", "in", Glyph::Receive),
        Way::Out => ("\u{2212}", "out", Glyph::Arrow),
        Way::Beside => ("", "beside", Glyph::Arrow),
    };
    view! {
        <li class="payment" data-way=way>
            <Avatar key=line.other.clone() />
            <div class="row-words">
                {match (line.what, line.for_name) {
                    (Some(what), _) => view! { <span>{what}</span> }.into_any(),
                    (None, true) => view! { <Other other=line.other.clone() way="For your name, by " /> }.into_any(),
                    (None, false) => {
                        let way = match line.way {
                            Way::In if line.issued => "Issued by ",
                            Way::In => "From ",
                            Way::Out | Way::Beside => "To ",
                        };
                        view! { <Other other=line.other.clone() way /> }.into_any()
                    }
                }}
                {line.note.map(|note| view! { <span class="wrap">{note}</span> })}
                <span class="quiet num" class:quiet--warn=line.warn>
                    {line.state}
                </span>
                {line.id.map(|id| view! { <NotTaken id /> })}
            </div>
            <span class="payment-units num">{format!("{sign}{}", line.amount)}</span>
            <Icon glyph />
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
        PoolAct::HandIn => "Handed in for neighbours who left, the fee",
    }
}

/// What is said of what has lost its number.
const REPLACED: &str = "Not done, as a server tells: another transaction of this account took its number, perhaps from another device. Look at your balance before you send it again";
/// What is said of what a person gave up.
const GIVEN_UP: &str = "Given up: servers did not take it. What you send next gets its number, and only one of the two can be done";

/// What came out of a pool of payments.
fn paid_words(pool: FromPool) -> String {
    let number = pool.number;
    match (pool.rest, pool.is_known) {
        (true, _) => format!("What was left of your deposit, pool\u{a0}{number}"),
        (false, true) => format!("Paid for what you passed on, from pool\u{a0}{number}"),
        (false, false) => {
            format!("Paid from pool\u{a0}{number}; of which asset is not proved any more")
        }
    }
}

/// What became of something that was sent, and whether that is bad news.
pub(crate) fn fate(sent: &Sent) -> (String, bool) {
    let took =
        if sent.took_ms > 0 { format!(" in {}", duration(sent.took_ms)) } else { String::new() };
    match (sent.fate, sent.by_balance) {
        (Fate::Sending, _) => ("Being sent".to_owned(), false),
        (Fate::Waiting, _) => ("Waits for a block".to_owned(), false),
        (Fate::Final, Some(height)) => {
            (format!("Done{took}: your balance fell by it, proved at block {height}"), false)
        }
        (Fate::Final, None) => {
            let unless = "unless another device used its number; no server told yet";
            (format!("In a block, proved{took}, {unless}"), false)
        }
        (Fate::Done, Some(_)) => {
            (format!("Done{took}, block {}, proved by your balance", sent.height), false)
        }
        (Fate::Done, None) => {
            (format!("Done{took}, block {}, as a server tells", sent.height), false)
        }
        (Fate::Refused, _) => {
            (format!("Refused in block {}: only the fee is gone", sent.height), true)
        }
        (Fate::Expired, _) => ("No block took it: nothing is gone".to_owned(), true),
        (Fate::Replaced, _) => (REPLACED.to_owned(), true),
        (Fate::GivenUp, _) => (GIVEN_UP.to_owned(), true),
    }
}

fn sent_line(sent: &Sent, account: &str) -> Line {
    let (state, warn) = fate(sent);
    // What is set aside goes; of the rest, the fee does.
    let units = if sent.pool.is_some() && sent.units == 0 { sent.fee } else { sent.units };
    Line {
        id: Some(sent.id.clone()),
        small: false,
        what: sent.pool.map(|act| pool_words(act).to_owned()),
        other: sent.to.clone(),
        amount: money::named(units),
        way: Way::Out,
        issued: false,
        // The wallet sends nothing to itself.
        for_name: sent.to == account,
        state,
        note: sent.note.clone(),
        warn,
        height: if sent.height > 0 { sent.height } else { u64::MAX },
    }
}

/// What was done with an asset beside the ledger's own, and why it was refused where it was.
fn asset_line(desk: Assets, sent: &Sent, wish: &assets::Wish, code: u16) -> Line {
    let Told { what, amount, left } = told(desk, wish);
    let line = sent_line(sent, "");
    let state = match code {
        0 => line.state,
        code => format!("{}. {}", line.state, refusal(code)),
    };
    Line {
        id: line.id,
        small: false,
        what,
        amount: amount.unwrap_or_else(|| money::named(sent.fee)),
        way: if left { Way::Out } else { Way::Beside },
        state,
        other: line.other,
        issued: false,
        note: None,
        warn: line.warn,
        for_name: false,
        height: line.height,
    }
}

fn received_line(desk: Assets, received: &Received, fee: u128) -> Line {
    let is_gift = received.pool.is_none() && !received.issued && received.asset == 0;
    Line {
        id: None,
        small: is_gift && received.units < fee,
        what: received.pool.map(paid_words),
        other: received.from.clone(),
        amount: match received.pool {
            Some(pool) if !pool.is_known => format!("{} units", money::grouped(received.units)),
            _ => desk.units(received.units, received.asset),
        },
        way: Way::In,
        issued: received.issued,
        for_name: false,
        state: format!("Block {}, as a server tells", received.height),
        note: None,
        warn: false,
        height: received.height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_balance_proves_and_what_a_server_tells_are_told_apart() {
        let told = |state, by_balance| {
            let sent = Sent {
                id: String::new(),
                to: String::new(),
                units: 5,
                fee: 1,
                signed_ms: 0,
                fate: state,
                height: 7,
                took_ms: 0,
                act: None,
                pool: None,
                by_balance,
                note: None,
                counted: None,
            };
            fate(&sent).0
        };
        assert_eq!(told(Fate::Done, None), "Done, block 7, as a server tells");
        assert_eq!(told(Fate::Done, Some(8)), "Done, block 7, proved by your balance");
        assert_eq!(told(Fate::Final, Some(8)), "Done: your balance fell by it, proved at block 8");
        assert_eq!(
            told(Fate::Final, None),
            "In a block, proved, unless another device used its number; no server told yet"
        );
        assert_eq!(told(Fate::Replaced, None), REPLACED);
        assert_eq!(told(Fate::GivenUp, None), GIVEN_UP);
    }

    #[test]
    fn what_came_out_of_a_pool_says_whose_and_whether_the_asset_is_known() {
        let words = |rest, is_known| paid_words(FromPool { number: 7, rest, is_known });
        assert!(words(true, true).contains("left of your deposit"));
        assert!(words(false, true).starts_with("Paid for what you passed on"));
        assert!(words(false, false).contains("not proved"));
    }
}
