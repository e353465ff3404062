//! How much is paid in an hour, at most: for all files together.

use leptos::prelude::*;

use crate::money;
use crate::paying;
use crate::session::Session;

/// The field.
#[component]
pub(crate) fn HourLimit() -> impl IntoView {
    let session = Session::get();
    let problem = RwSignal::new("");
    let kept = move || money::amount(session.settings.read().pay_hour_units).replace(',', "");
    let changed = move |event| match money::units(&event_target_value(&event)) {
        Some(units) => {
            problem.set("");
            session.choose(|settings| settings.pay_hour_units = units);
            paying::tell_cap(session.sharing.ledger);
        }
        None => {
            problem.set("That is no amount: expected digits, at most six after the point. Nothing was changed.");
        }
    };
    view! {
        <div class="choice">
            <div class="choice-head">
                <label for="pay-hour">"Pay at most, in an hour"</label>
                <div class="with-unit">
                    <input
                        id="pay-hour"
                        class="text-field num"
                        prop:value=kept
                        inputmode="decimal"
                        autocomplete="off"
                        aria-describedby="pay-hour-help pay-hour-problem"
                        on:change=changed
                    />
                    <span>{money::SYMBOL}</span>
                </div>
            </div>
            <p id="pay-hour-help" class="quiet">
                "For all files together, whatever you agree to for each. Then paying waits until the hour is over. 0 pays nobody. The ledger\u{2019}s fees are not counted."
            </p>
            <p id="pay-hour-problem" class="quiet quiet--warn" role="alert">
                {move || problem.get()}
            </p>
        </div>
    }
}
