//! What I paid in, and paying in or taking out.

use leptos::prelude::*;
use wallet::energy::{Purse, Wish};

use crate::money;

use super::desk::Desk;
use super::words::{named, symbol};

/// The card of my purse.
#[component]
pub(super) fn Purses() -> impl IntoView {
    let desk = Desk::get();
    let is_member =
        Memo::new(move |_| desk.community.read().as_ref().is_some_and(|one| one.me.is_some()));
    let fact = move |which: fn(&wallet::energy::Community) -> u128| {
        let community = desk.community.read();
        community.as_ref().map(|one| named(which(one), &one.asset))
    };
    let free = move || fact(|one| one.me.map_or(0, |me| me.free));
    let held = move || fact(|one| one.me.map_or(0, |me| me.held));
    view! {
        <Show when=move || is_member.get()>
            <section class="card" aria-labelledby="purse-title" id="purse">
                <h2 id="purse-title">"My money in the community"</h2>
                <dl class="facts-row facts-row--three">
                    <div class="fact">
                        <dt>"Free"</dt>
                        <dd>
                            <span class="fact-value num" id="purse-free">{free}</span>
                        </dd>
                    </div>
                    <div class="fact">
                        <dt>"Set aside for readings that wait"</dt>
                        <dd>
                            <span class="fact-value num">{held}</span>
                        </dd>
                    </div>
                </dl>
                <Move purse=Purse::Member id="purse" />
                <Leave />
                <p class="quiet">
                    "A reading is only taken if what it may cost is covered: its energy at the grid\u{2019}s price, or at your limit where that is higher."
                </p>
            </section>
        </Show>
    }
}

/// Ending the membership, for who has no meter left.
#[component]
fn Leave() -> impl IntoView {
    let desk = Desk::get();
    let can = Memo::new(move |_| {
        let community = desk.community.read();
        let me = community.as_ref().and_then(|one| one.me.as_ref());
        me.is_some_and(|me| me.meters == 0 && me.held == 0)
    });
    let begin = move |_| {
        let community = desk.community.get_untracked();
        let paid = community.and_then(|one| Some(named(one.me?.free, &one.asset)));
        let lines = vec![("Paid out to you", paid.unwrap_or_default())];
        let warning = "The operator can take you in again.";
        desk.begin("Leave the community", lines, warning, Wish::Leave);
    };
    view! {
        <Show when=move || can.get()>
            <div class="ways">
                <button class="button button--quiet" type="button" data-do="leave" on:click=begin>
                    "Leave the community"
                </button>
            </div>
        </Show>
    }
}

/// Paying into a purse and taking out of it.
#[component]
pub(super) fn Move(
    /// Which.
    purse: Purse,
    /// Distinguishes fields of several purses on one page.
    id: &'static str,
) -> impl IntoView {
    let desk = Desk::get();
    let typed = RwSignal::new(String::new());
    let units = move || money::read(&typed.read(), 6).filter(|units| *units > 0);
    let unit = move || desk.community.read().as_ref().map(|one| symbol(&one.asset));
    let begin = move |is_in: bool| {
        let asset = desk.community.get_untracked().map(|one| one.asset);
        let (Some(units), Some(asset)) = (untrack(units), asset) else { return };
        let (title, wish) = if is_in {
            ("Pay in", Wish::Deposit(purse, units))
        } else {
            ("Take out", Wish::Withdraw(purse, units))
        };
        let is_trial = desk.community.read_untracked().as_ref().is_some_and(|one| one.pace > 1);
        let warning = if is_in && is_trial {
            "This community is for trying out: its clock is fast, and rules change within minutes or seconds. Pay in what you can lose."
        } else {
            ""
        };
        desk.begin(title, vec![("Amount", named(units, &asset))], warning, wish);
    };
    let field = format!("{id}-units");
    view! {
        <div class="move">
            <label for=field.clone()>"Amount"</label>
            <div class="with-unit">
                <input
                    id=field
                    class="text-field num"
                    inputmode="decimal"
                    autocomplete="off"
                    placeholder="0.00"
                    on:input=move |event| typed.set(event_target_value(&event))
                />
                <span>{unit}</span>
            </div>
            <button
                class="button"
                type="button"
                data-do="pay-in"
                // Neighbours alone pay fees in, by trading.
                hidden={purse == Purse::Fees}
                disabled=move || units().is_none()
                on:click=move |_| begin(true)
            >
                "Pay in"
            </button>
            <button
                class="button"
                type="button"
                data-do="take-out"
                disabled=move || units().is_none()
                on:click=move |_| begin(false)
            >
                "Take out"
            </button>
        </div>
    }
}
