//! The ledger's markets: what they hold and cost, what I have there, and what I can do.
//!
//! Everything is computed here, of records that the wallet proved, by the ledger's own code
//! (`wallet::lending`); the wallet signs.

mod alert;
mod curve;
mod desk;
mod form;
mod history;
mod list;
mod position;
mod reserve;
mod seen;
mod words;

use leptos::prelude::*;
use wallet::lending;

use crate::ledger::Ledger;
use crate::routes::wallet::BelowWallet;

use alert::Alerts;
use desk::Desk;
use form::ActDialog;
use history::Deeds;
use list::Markets;
use position::Mine;
use reserve::Reserves;

/// The lend page.
#[component]
pub(crate) fn LendPage() -> impl IntoView {
    Desk::provide(Ledger::get());
    view! {
        <BelowWallet
            title="Lend"
            about="Markets on the ledger, with nobody in the middle. What is shown, this page has checked."
        >
            <Alerts />
            <Markets />
            <Chosen />
            <Deeds />
            <ActDialog />
        </BelowWallet>
    }
}

/// The market that is looked at.
#[component]
fn Chosen() -> impl IntoView {
    let desk = Desk::get();
    let miscounted = Memo::new(move |_| {
        let chosen = desk.chosen.get();
        chosen.is_some_and(|market| lending::is_miscounted(&desk.book.read(), market))
    });
    move || {
        desk.chosen.get().map(|market| {
            view! {
                <Show when=move || !miscounted.get()>
                    <Mine market />
                </Show>
                <Reserves market />
            }
        })
    }
}
