//! Whether what is shown is proved, at which height, and how it was checked.

use leptos::prelude::*;
use wallet::view::{Sight, View};

use crate::components::icon::{Glyph, Icon};
use crate::format::uptime;
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

/// What it means that this device's clock is off, and by how much.
fn clock_off(view: &View) -> String {
    let about = uptime(view.clock_minutes.saturating_mul(60));
    let why = if view.sight == Sight::ClockBehind {
        format!(
            "This device\u{2019}s clock is about {about} behind: validators signed blocks of a later time. How new they are can\u{2019}t be told by it."
        )
    } else {
        format!(
            "This device\u{2019}s clock seems to be about {about} ahead: blocks come, and all of them are that old by it. If it is right, every server asked hands on blocks that late."
        )
    };
    format!("{why} Nothing is sent until the clock is set, which is noticed by itself.")
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
            (Sight::ClockBehind | Sight::ClockAhead, Some(proved)) => {
                format!("Proved at block {}, but the clock is off", proved.height)
            }
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
                "No new block was seen for a minute, by this device\u{2019}s clock. The ledger stands still, every server asked keeps newer blocks back, or the clock is wrong."
            }
            Sight::ClockBehind | Sight::ClockAhead => return clock_off(&view),
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
