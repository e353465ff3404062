//! What is typed: a new pool for a fund, or the number of one that is there.

use leptos::prelude::*;
use wallet::funds::{self, Wish};

use crate::components::copy::CopyText;
use crate::components::fields::Line;
use crate::ledger::Ledger;
use crate::money;

use super::{Pools, SHOWN_MAX};

/// What makes a fund's key, and shows it.
const SHOW_KEY: &str = "starling keys show fund.key";
/// Days that a pool lives, unless another number is typed; and most of them.
const DAYS: &str = "30";
const DAY_S: u64 = 86_400;

/// A new pool.
#[component]
pub(super) fn OpenOne(pools: Pools) -> impl IntoView {
    let (key, amount) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (days, problem) = (RwSignal::new(DAYS.to_owned()), RwSignal::new(String::new()));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let typed = (key.get_untracked(), amount.get_untracked(), days.get_untracked());
        match understood(&typed.0, &typed.1, &typed.2, pools.ledger) {
            Ok(wish) => {
                problem.set(String::new());
                pools.draft.set(Some(wish));
            }
            Err(why) => problem.set(why),
        }
    };
    view! {
        <form class="send" id="fund-open" on:submit=submit novalidate>
            <p class="quiet">
                "The fund has a key of its own. This makes it on the machine that is to pay, and prints what to paste here."
            </p>
            <CopyText label="the command" text=SHOW_KEY.to_owned() />
            <Line
                id="fund-key".to_owned()
                label="The fund\u{2019}s key"
                value=key
                mono=true
                placeholder="What it prints after the word key"
            />
            <Line
                id="fund-units".to_owned()
                label="STAR to set aside"
                value=amount
                inputmode="decimal"
            />
            <Line
                id="fund-days".to_owned()
                label="Days that it lasts, 30 at most"
                value=days
                inputmode="numeric"
            />
            <p id="fund-problem-typed" class="quiet quiet--warn" role="alert">
                {problem}
            </p>
            <div class="dialog-actions">
                <button id="fund-review" class="button" type="submit">
                    "Review"
                </button>
            </div>
        </form>
    }
}

/// What was typed, or what is wrong with it.
fn understood(key: &str, amount: &str, days: &str, ledger: Ledger) -> Result<Wish, String> {
    let (key, units, ttl_s) = read(key, amount, days)?;
    let view = ledger.view.read_untracked();
    let held = view.balance.map_or(0, |proved| proved.units).saturating_sub(view.outgoing);
    if units >= held {
        return Err(format!(
            "That is more than there is: {} and a fee for each step.",
            money::named(held)
        ));
    }
    Ok(Wish::Open { key, units, ttl_s })
}

fn read(key: &str, amount: &str, days: &str) -> Result<(String, u128, u64), String> {
    let key = funds::key_in(key).ok_or(
        "That is no key: expected 64 digits and letters a to f, or all that the command prints.",
    )?;
    let units = money::units(amount)
        .filter(|units| *units > 0)
        .ok_or("That is no amount: expected digits, at most six after the point.")?;
    let days = days.trim().parse::<u64>().ok().and_then(|days| days.checked_mul(DAY_S));
    let ttl_s = days
        .filter(|ttl_s| (funds::TTL_S.0..=funds::TTL_S.1).contains(ttl_s))
        .ok_or("Days: 1 to 30.")?;
    Ok((key, units, ttl_s))
}

/// A pool that is there.
#[component]
pub(super) fn ShowOne(pools: Pools) -> impl IntoView {
    let (number, problem) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        match number.get_untracked().trim().parse::<u64>() {
            Ok(found) => {
                pools.note(found, true);
                number.set(String::new());
                let said = format!(
                    "Only {SHOWN_MAX} are shown, those with the highest numbers. It comes once you hide one of them."
                );
                problem.set(if pools.shows(found) { String::new() } else { said });
            }
            Err(_) => problem.set("That is no number.".to_owned()),
        }
    };
    view! {
        <form class="send" id="fund-show" on:submit=submit novalidate>
            <Line
                id="fund-number".to_owned()
                label="Its number, as the fund\u{2019}s process says it"
                value=number
                inputmode="numeric"
            />
            <p class="quiet quiet--warn" role="alert">
                {problem}
            </p>
            <div class="dialog-actions">
                <button class="button" type="submit">
                    "Show"
                </button>
            </div>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_a_pool_or_says_what_is_wrong() {
        let key = "a1".repeat(32);
        assert_eq!(read(&key, "2,5", "30"), Ok((key.clone(), 2_500_000, 30 * DAY_S)));
        let key = key.as_str();
        for (key, amount, days, wrong) in [
            ("me", "1", "1", "no key"),
            (key, "0", "1", "no amount"),
            (key, "1", "0", "Days"),
            (key, "1", "31", "Days"),
        ] {
            let why = read(key, amount, days).unwrap_err();
            assert!(why.contains(wrong), "{why}");
        }
    }
}
