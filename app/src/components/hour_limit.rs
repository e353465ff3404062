//! How much is paid in an hour, at most: for all files together; and what is done for neighbours who left.

use leptos::prelude::*;

use crate::components::upload::Switch;
use crate::money;
use crate::paying;
use crate::session::Session;

/// What handing in for others does, and what it costs.
const HAND_IN: &str = "While your wallet is open: what others earned and left with you goes into their accounts if they don\u{2019}t come back in time. You pay the fees: at most 0.05\u{a0}STAR a day, within what is paid in an hour.";

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
                "For all files together, whatever you agree to for each. Then paying waits until the hour is over. 0 pays nobody. The ledger\u{2019}s fees for it are not counted."
            </p>
            <p id="pay-hour-problem" class="quiet quiet--warn" role="alert">
                {move || problem.get()}
            </p>
        </div>
    }
}

/// Whether earnings of neighbours who left are handed in for them.
#[component]
pub(crate) fn HandInSwitch() -> impl IntoView {
    let session = Session::get();
    view! {
        <Switch
            label="Hand in earnings for neighbours who left"
            help=HAND_IN
            on=Signal::derive(move || session.settings.read().hand_in)
            choose=move |on| {
                session.choose(|settings| settings.hand_in = on);
                session.sharing.ledger.tell_hand_in();
            }
        />
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_handing_in_costs_at_most_is_what_is_said() {
        assert!(HAND_IN.contains(&money::named(wallet::view::HAND_IN_A_DAY)), "{HAND_IN}");
    }
}
