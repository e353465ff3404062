//! What I did in communities, and what became of it.

use leptos::prelude::*;
use wallet::energy::{self, Asked, Side, Wish, starts_ms};
use wallet::view::Sent;

use crate::components::deeds::deeds;
use crate::format::short_key;
use crate::money::shown;

use super::clock;
use super::desk::Desk;
use super::words::{energy as wh, refusal, unsigned};

/// The list.
#[component]
pub(super) fn Deeds() -> impl IntoView {
    let desk = Desk::get();
    let sent = Memo::new(move |_| {
        let view = desk.ledger.view.read();
        let ours = |sent: &&Sent| sent.act.as_ref().and_then(energy::asked).is_some();
        view.sent.iter().filter(ours).cloned().collect::<Vec<_>>()
    });
    let problem =
        move || desk.signed.get().then(|| unsigned(&desk.ledger.view.read().refused)).flatten();
    let me = Memo::new(move |_| desk.ledger.view.read().account.clone());
    let what = move |sent: &Sent| {
        let asked = sent.act.as_ref().and_then(energy::asked)?;
        Some(words(&asked, &me.read()))
    };
    let told = "That it is in a block is proved. What became of it there a server tells: not proved. The numbers above are.";
    deeds(sent, problem, what, refusal, told)
}

fn words(asked: &Asked, me: &str) -> String {
    let slot = |slot: u64| clock::moment(starts_ms(slot));
    let what = match &asked.wish {
        Wish::Open(_) => return "Opened a community".to_owned(),
        Wish::Admit(account) => format!("Took in {}", short_key(account)),
        Wish::Rules(from, _) => format!("Announced rules from {}", slot(*from)),
        Wish::Leave => "Left".to_owned(),
        Wish::Dismiss(account) if account == me => "Left".to_owned(),
        Wish::Dismiss(account) => format!("Ended the membership of {}", short_key(account)),
        Wish::Deposit(_, units) => format!("Paid in {}", shown(*units, 6)),
        Wish::Withdraw(_, units) => format!("Took out {}", shown(*units, 6)),
        Wish::AddMeter { .. } => "Brought a meter".to_owned(),
        Wish::Trust(meter, _) => format!("Said how far meter {meter} is trusted"),
        Wish::Limits(meter, _) => format!("Set limits of meter {meter}"),
        Wish::Friend(meter, None) => format!("Meter {meter} has no neighbour first"),
        Wish::Friend(meter, Some(friend)) => {
            format!("Meter {meter} has meter {} first", friend.meter)
        }
        Wish::Place { slot: at, side: Side::Buy, quantity_wh, .. } => {
            format!("Ordered {} for {}", wh(*quantity_wh), slot(*at))
        }
        Wish::Place { slot: at, side: Side::Sell, quantity_wh, .. } => {
            format!("Offered {} for {}", wh(*quantity_wh), slot(*at))
        }
        Wish::Cancel(at, _) => format!("Took an order for {} back", slot(*at)),
        Wish::RemoveMeter(meter) => format!("Took meter {meter} away"),
        Wish::Read { readings, .. } => match (readings.first(), readings.last()) {
            (Some(first), Some(last)) => {
                let again = if first.revision > 0 { " again" } else { "" };
                let (from, to) = (slot(first.slot), slot(last.slot + 1));
                format!("Signed readings{again}, {from} to {to}")
            }
            _ => "Signed readings".to_owned(),
        },
        Wish::Settle(at) => format!("Settled {}", slot(*at)),
        Wish::Claim { slot: at, .. } => format!("Used up certificates of {}", slot(*at)),
    };
    match asked.community {
        Some(community) => format!("{what}, community {community}"),
        None => what,
    }
}
