//! What who opened a market may do with a reserve: stop new business, and collect what is set aside.

use leptos::prelude::*;
use wallet::lending::Place;

use super::desk::{Desk, What};
use super::words::named;

/// What a deficit has to do with what is set aside.
const COVERS: &str =
    " Collected, it is yours as if you had supplied it, and can cover the deficit.";

/// What this account may do, and how things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mine {
    may_stop: bool,
    is_stopped: bool,
    /// What is set aside for this account, in words; none: nothing.
    kept: Option<String>,
}

/// Hidden from everybody else.
#[component]
pub(super) fn Running(place: Place) -> impl IntoView {
    let desk = Desk::get();
    let mine = Memo::new(move |_| {
        let market = desk.market(place.market)?;
        let reserve = market.reserves.iter().find(|one| one.place == place)?;
        let view = desk.ledger.view.read();
        let (may_stop, is_treasury) = (
            market.creator.to_string() == view.account,
            market.treasury.to_string() == view.account,
        );
        let kept = is_treasury && reserve.kept > 0;
        let covers = if reserve.deficit > 0 { COVERS } else { "" };
        let kept = kept.then(|| {
            format!("Set aside for you: {}.{covers}", named(reserve.kept, &reserve.asset))
        });
        Some(Mine { may_stop, is_stopped: reserve.is_frozen, kept })
    });
    let may_stop = move || mine.read().as_ref().is_some_and(|mine| mine.may_stop);
    let is_stopped = move || mine.read().as_ref().is_some_and(|mine| mine.is_stopped);
    let kept = move || mine.get()?.kept;
    let words = move || {
        let opened = may_stop().then_some("You opened this market. ");
        format!("{}{}", opened.unwrap_or_default(), kept().unwrap_or_default())
    };
    view! {
        <div class="send-foot" hidden=move || !may_stop() && kept().is_none()>
            <p class="quiet num">{words}</p>
            <div class="ways ways--top">
                <button
                    class="button"
                    type="button"
                    data-stop=""
                    hidden=move || !may_stop()
                    on:click=move |_| desk.begin(place, What::Stop(!untrack(is_stopped)))
                >
                    {move || if is_stopped() { "Allow new business" } else { "Stop new business" }}
                </button>
                <button
                    class="button"
                    type="button"
                    data-collect=""
                    hidden=move || kept().is_none()
                    on:click=move |_| desk.begin(place, What::Collect)
                >
                    "Collect"
                </button>
            </div>
        </div>
    }
}
