//! Whether what is shown is proved, at which height, and how it was checked.

use leptos::prelude::*;
use wallet::view::Sight;

use crate::components::icon::{Glyph, Icon};
use crate::ledger::Ledger;

/// What is said of a ledger with two histories.
pub(crate) const FORKED: &str = "The ledger has two histories";
/// What that means.
pub(crate) const FORKED_MORE: &str = "More than a third of the validators signed two blocks of one height. Nothing said by this ledger can be believed any more.";
/// How what is proved was checked; more follows.
pub(crate) const CHECKED: &str =
    "This page checked it itself: a certificate that more than two thirds of the validators signed";

/// How good something is, in words; opens to say what they mean.
#[component]
pub(crate) fn Badge(
    /// It is proved and new.
    good: Signal<bool>,
    /// What is said.
    words: Signal<String>,
    /// What that means.
    more: Signal<String>,
) -> impl IntoView {
    view! {
        <details class="badge proof-badge" class:badge--warn=move || !good.get()>
            <summary class="num">
                {move || view! { <Icon glyph={if good.get() { Glyph::Shield } else { Glyph::ShieldOff }} /> }}
                {words}
            </summary>
            <div class="badge-more">{more}</div>
        </details>
    }
}

/// The badge of the balance.
#[component]
pub(crate) fn ProofBadge() -> impl IntoView {
    let ledger = Ledger::get();
    let words = Signal::derive(move || {
        let view = ledger.view.read();
        match (view.sight, view.balance) {
            (Sight::Forked, _) => FORKED.to_owned(),
            (_, None) => "Not proved yet".to_owned(),
            (Sight::Stale, Some(proved)) => format!("Proved, but old: block {}", proved.height),
            (_, Some(proved)) if view.by_neighbour => {
                format!("Proved at block {}, by a neighbour", proved.height)
            }
            (_, Some(proved)) => format!("Proved at block {}", proved.height),
        }
    });
    let more = Signal::derive(move || {
        let view = ledger.view.read();
        let told = match view.sight {
            Sight::Forked => FORKED_MORE,
            Sight::Stale => {
                "No new block was seen for a minute. The ledger stands still, or every server asked keeps newer blocks back."
            }
            Sight::Blind => {
                "No block was seen yet. A new ledger makes its first one within ten seconds."
            }
            Sight::Fresh if view.by_neighbour => {
                return format!(
                    "{CHECKED}, and a proof from there to your record. No server could be asked: a neighbour in a share handed on both, and did not have to be believed."
                );
            }
            Sight::Fresh => {
                return format!(
                    "{CHECKED}, and a proof from there to your record. No server had to be believed."
                );
            }
        };
        told.to_owned()
    });
    let good = Signal::derive(move || {
        let view = ledger.view.read();
        view.sight == Sight::Fresh && view.balance.is_some()
    });
    view! { <Badge good words more /> }
}
