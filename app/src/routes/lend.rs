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
use leptos_router::components::A;
use wallet::lending;

use crate::browser;
use crate::components::icon::{Glyph, Icon};
use crate::ledger::{Ledger, Stage};
use crate::routes::wallet::{NotOpen, OtherLedger};

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
    browser::set_title("Lend");
    let ledger = Ledger::get();
    Desk::provide(ledger);
    let open = move || *ledger.stage.read() == Stage::Open;
    view! {
        <div class="route">
            <div class="heading">
                <div>
                    <h1>"Lend"</h1>
                    <p class="quiet">
                        "Markets on the ledger, with nobody in the middle. What is shown, this page has checked."
                    </p>
                </div>
                <A href="/wallet" attr:class="button">
                    <Icon glyph=Glyph::Wallet />
                    "Wallet"
                </A>
            </div>
            <NotOpen />
            <OtherLedger />
            <Show when=open>
                <Alerts />
                <Markets />
                <Chosen />
                <Deeds />
                <ActDialog />
            </Show>
        </div>
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
