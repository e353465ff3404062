//! A warning when health falls under what the person chose.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wallet::lending::{self, Factor, ONE};

use crate::browser;

use super::closed::Closed;
use super::desk::Desk;
use super::words::factor;

/// Where the limit is kept between visits: hundredths of health.
const KEPT: &str = "starling-lend-alert";
/// Where it is kept whether warnings come as notifications.
const TOLD: &str = "starling-lend-notify";
/// The limit of somebody who chose none, in hundredths.
const LIMIT: u64 = 110;
/// What may be chosen, in hundredths.
const LIMITS: [u64; 6] = [100, 105, 110, 125, 150, 200];

/// Health in one market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Watched {
    market: u32,
    factor: Factor,
}

/// What is wrong with it, if anything.
fn warning(watched: Watched, limit: u64) -> Option<String> {
    let Watched { market, factor: now } = watched;
    let shown = factor(now);
    match now {
        Factor::Is(now) if now < ONE => Some(format!(
            "Health in market {market} is {shown}: anybody may liquidate it now. Repay, or add collateral."
        )),
        Factor::Is(now) if now < u128::from(limit) * (ONE / 100) => Some(format!(
            "Health in market {market} is {shown}, under your limit of {}. Below 1 it may be liquidated.",
            hundredths(limit)
        )),
        Factor::Unknown => Some(format!(
            "Health in market {market} is not known: a price it needs is stale, or jumped and waits to be confirmed."
        )),
        Factor::Is(_) | Factor::Endless => None,
    }
}

fn hundredths(limit: u64) -> String {
    format!("{}.{:02}", limit / 100, limit % 100)
}

/// What is wrong, without the numbers that every block moves.
fn kind(watched: &Watched) -> (u32, u8) {
    let kind = match watched.factor {
        Factor::Unknown => 0,
        Factor::Is(now) if now < ONE => 1,
        Factor::Is(_) | Factor::Endless => 2,
    };
    (watched.market, kind)
}

/// Tells outside of the page what is wrong and was not before.
fn tell(before: &[(u32, u8)], now: &[Watched], limit: u64) -> Vec<(u32, u8)> {
    let mut told = Vec::new();
    for one in now {
        let Some(words) = warning(*one, limit) else { continue };
        let kind = kind(one);
        told.push(kind);
        if !before.contains(&kind) && browser::may_notify() == Some(true) && is_on() {
            browser::notify("Health is low", &words, &format!("starling-health-{}", one.market));
        }
    }
    told
}

fn is_on() -> bool {
    browser::kept(TOLD).as_deref() == Some("on")
}

/// Whether warnings also come as notifications, while the page is open.
#[component]
fn Notify() -> impl IntoView {
    let on = RwSignal::new(is_on() && browser::may_notify() == Some(true));
    let refused = RwSignal::new(false);
    let change = move |event| {
        let wanted = event_target_checked(&event);
        browser::keep(TOLD, if wanted { "on" } else { "off" });
        if !wanted {
            on.set(false);
            return;
        }
        spawn_local(async move {
            let allowed = browser::ask_to_notify().await;
            // Nobody waits any more where the person left the page meanwhile.
            on.try_set(allowed);
            refused.try_set(!allowed);
        });
    };
    view! {
        <label class="check" hidden=browser::may_notify().is_none()>
            <input type="checkbox" id="health-notify" prop:checked=on on:change=change />
            "Notify me too, while this page is open in a tab"
        </label>
        <span class="quiet quiet--warn" role="status" hidden=move || !refused.get()>
            "This browser does not let the page notify you: allow it in the site\u{2019}s settings."
        </span>
    }
}

/// Warnings, and the limit.
#[component]
pub(super) fn Alerts() -> impl IntoView {
    let desk = Desk::get();
    let kept = browser::kept(KEPT).and_then(|text| text.parse::<u64>().ok());
    let limit = RwSignal::new(kept.filter(|limit| LIMITS.contains(limit)).unwrap_or(LIMIT));
    let owing = Memo::new(move |_| {
        let markets = lending::followed(&desk.book.read(), desk.chosen.get(), &desk.acted.read());
        let watched = |market: u32| {
            let mine = desk.look(|scene| lending::position(scene, market))?;
            let factor = mine.standing.factor;
            (factor != Factor::Endless).then_some(Watched { market, factor })
        };
        markets.into_iter().filter_map(watched).collect::<Vec<_>>()
    });
    // What is on can be turned off by who owes nothing any more.
    let closed = RwSignal::new(false);
    let markets = Memo::new(move |_| owing.read().iter().map(|one| one.market).collect::<Vec<_>>());
    let warnings = Memo::new(move |_| {
        let warned = |one: &Watched| warning(*one, limit.get());
        owing.read().iter().filter_map(warned).collect::<Vec<_>>()
    });
    // What was told is kept: the same is not told again.
    Effect::new(move |before: Option<Vec<(u32, u8)>>| {
        tell(&before.unwrap_or_default(), &owing.read(), limit.get())
    });
    let choose = move |event| {
        if let Ok(chosen) = event_target_value(&event).parse::<u64>() {
            limit.set(chosen);
            browser::keep(KEPT, &chosen.to_string());
        }
    };
    view! {
        <div class="problems" role="alert" id="health-alert">
            {move || {
                let line = |words: String| view! { <p class="problem problem--warn">{words}</p> };
                warnings.get().into_iter().map(line).collect_view()
            }}
        </div>
        <p class="select limit" hidden=move || owing.read().is_empty() && !closed.get()>
            <label for="health-limit">"Warn me here when health is under"</label>
            <select id="health-limit" on:change=choose>
                {LIMITS
                    .into_iter()
                    .map(|stop| {
                        view! {
                            <option value=stop.to_string() selected=move || limit.get() == stop>
                                {hundredths(stop)}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
            <Notify />
            <Closed limit owing=markets on=closed />
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interest_alone_is_nothing_new_to_tell_and_falling_below_one_is() {
        let of = |factor| kind(&Watched { market: 7, factor });
        assert_eq!(of(Factor::Is(ONE + 5)), of(Factor::Is(ONE + 4)));
        assert_ne!(of(Factor::Is(ONE)), of(Factor::Is(ONE - 1)));
        assert_ne!(of(Factor::Unknown), of(Factor::Is(ONE)));
    }

    #[test]
    fn a_warning_comes_under_the_limit_and_is_another_one_below_one() {
        let told = |factor| warning(Watched { market: 7, factor }, 110);
        assert_eq!(told(Factor::Is(ONE * 11 / 10)), None);
        assert_eq!(told(Factor::Endless), None);
        assert!(told(Factor::Is(ONE * 11 / 10 - 1)).unwrap().contains("under your limit of 1.10"));
        assert!(told(Factor::Is(ONE - 1)).unwrap().contains("0.9999: anybody may liquidate"));
        assert!(told(Factor::Unknown).unwrap().contains("market 7 is not known"));
    }
}
