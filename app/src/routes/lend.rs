//! The ledger's markets: what they hold and cost, what I have there, and what I can do.
//!
//! Everything is computed here, of records that the wallet proved, by the ledger's own code
//! (`wallet::lending`); the wallet signs.

mod alert;
mod closed;
mod curve;
mod desk;
mod form;
mod history;
mod list;
mod open;
mod position;
mod push;
mod reserve;
mod running;
pub(super) mod seen;
mod seize;
mod suffered;
mod targets;
mod words;

use leptos::prelude::*;
use leptos_router::components::A;
use wallet::lending;

use crate::components::icon::{Glyph, Icon};
use crate::ledger::Ledger;
use crate::routes::wallet::BelowWallet;

use alert::Alerts;
use desk::{Desk, Whose};
use form::ActDialog;
use history::Deeds;
use list::Markets;
use open::OpenDialog;
use position::Mine;
use reserve::Reserves;
use seize::SeizeDialog;
use suffered::Losses;
use targets::Targets;

/// The lend page.
#[component]
pub(crate) fn LendPage() -> impl IntoView {
    Desk::provide(Ledger::get(), Whose::Mine);
    view! {
        <BelowWallet
            title="Lend"
            about="Markets on the ledger, with nobody in the middle. What is shown, this page has checked."
        >
            <Alerts />
            <Others />
            <Markets />
            <Chosen />
            <Deeds />
            <Losses />
            <ActDialog />
            <OpenDialog />
        </BelowWallet>
    }
}

/// The page of positions that anybody may liquidate.
#[component]
pub(crate) fn LiquidationsPage() -> impl IntoView {
    Desk::provide(Ledger::get(), Whose::Others);
    view! {
        <BelowWallet
            title="Liquidations"
            about="Whose health is below 1 may be liquidated by anybody: you repay for them, and get what they pledged with a bonus."
        >
            <Targets />
            <Deeds />
            <SeizeDialog />
        </BelowWallet>
    }
}

/// The way to the positions of others.
#[component]
fn Others() -> impl IntoView {
    let desk = Desk::get();
    let href = move || match desk.chosen.get() {
        Some(market) => format!("/liquidations?market={market}"),
        None => "/liquidations".to_owned(),
    };
    view! {
        <p class="ways ways--top">
            <A href attr:class="button" attr:id="to-liquidations">
                <Icon glyph=Glyph::Lend />
                "Liquidations"
            </A>
        </p>
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
