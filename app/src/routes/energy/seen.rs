//! At which blocks a group of numbers is proved.

use leptos::prelude::*;
use wallet::energy::Seen;

use crate::components::proof_badge::Badge;
use crate::routes::lend::seen::told;

use super::desk::Desk;

/// The badge of a group of numbers; opens to say what it means.
#[component]
pub(super) fn SeenBadge(
    /// When they were so; none: they are not proved.
    seen: Signal<Option<Seen>>,
) -> impl IntoView {
    let desk = Desk::get();
    let said = Memo::new(move |_| {
        let time_ms = desk.now_ms();
        let view = desk.ledger.view.read();
        let newest = view.blocks.first().map(|block| block.height);
        told(view.sight, seen.get(), newest.zip(time_ms))
    });
    let good = Signal::derive(move || said.read().0);
    let words = Signal::derive(move || said.read().1.clone());
    let more = Signal::derive(move || said.read().2.clone());
    view! { <Badge good words more /> }
}

/// The badge of what does not change: settled slots, proved once.
#[component]
pub(super) fn SettledBadge(
    /// At which blocks that was; none: not all of it is proved.
    seen: Signal<Option<Seen>>,
) -> impl IntoView {
    let good = Signal::derive(move || seen.read().is_some());
    let words = Signal::derive(move || match *seen.read() {
        None => "Not all proved yet".to_owned(),
        Some(seen) if seen.from_height == seen.to_height => {
            format!("Proved at block {}", seen.to_height)
        }
        Some(seen) => format!("Proved at blocks {} to {}", seen.from_height, seen.to_height),
    });
    let more = Signal::derive(|| {
        "Every slot and reading was proved by a certificate that more than two thirds of the validators signed. A settled slot does not change, so it is proved once; what still waits is proved again with new blocks.".to_owned()
    });
    view! { <Badge good words more /> }
}
