//! Whether what is shown is proved, at which height, and how it was checked.

use leptos::prelude::*;
use wallet::view::Sight;

use crate::components::icon::{Glyph, Icon};
use crate::ledger::Ledger;

/// The badge of the balance; opens to say what it means.
#[component]
pub(crate) fn ProofBadge() -> impl IntoView {
    let ledger = Ledger::get();
    let words = move || {
        let view = ledger.view.read();
        match (view.sight, view.balance) {
            (Sight::Forked, _) => "The ledger has two histories".to_owned(),
            (_, None) => "Not proved yet".to_owned(),
            (Sight::Stale, Some(proved)) => format!("Proved, but old: block {}", proved.height),
            (_, Some(proved)) => format!("Proved at block {}", proved.height),
        }
    };
    let more = move || match ledger.view.read().sight {
        Sight::Forked => {
            "More than a third of the validators signed two blocks of one height. Nothing said by this ledger can be believed any more."
        }
        Sight::Stale => {
            "No new block was seen for a minute. The ledger stands still, or every server asked keeps newer blocks back."
        }
        Sight::Blind => {
            "No block was seen yet. A new ledger makes its first one within ten seconds."
        }
        Sight::Fresh => {
            "This page checked it itself: a certificate that more than two thirds of the validators signed, and a proof from there to your record. No server had to be believed."
        }
    };
    let good = move || {
        let view = ledger.view.read();
        view.sight == Sight::Fresh && view.balance.is_some()
    };
    view! {
        <details class="badge proof-badge" class:badge--warn=move || !good()>
            <summary class="num">
                {move || view! { <Icon glyph={if good() { Glyph::Shield } else { Glyph::ShieldOff }} /> }}
                {words}
            </summary>
            <div class="badge-more">{more}</div>
        </details>
    }
}
