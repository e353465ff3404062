//! What I have in a market, and how far it is from being liquidated.

use leptos::prelude::*;
use wallet::lending::{self, Factor, Held, Liquidation, ONE, Place, Position, Reserve};

use super::desk::{Desk, What};
use super::seen::SeenBadge;
use super::words::{factor, factor_exact, named, percent_bps, price, symbol, value};

/// The width of the bar, and where on it a health of one is.
const FULL: u128 = 1_000;
const AT_ONE: u128 = FULL / 3;
/// How far from there the bar ends at least: what is above one is seen to be.
const APART: u128 = FULL / 100;
/// Health from which the bar is full.
const LARGE: u128 = ONE << 16;
/// What a factor is divided by, so that products fit.
const COARSE: u128 = 1_000_000;

/// My position.
#[component]
pub(super) fn Mine(market: u32) -> impl IntoView {
    let desk = Desk::get();
    let mine = Memo::new(move |_| desk.look(|scene| lending::position(scene, market)));
    let seen = Signal::derive(move || mine.read().as_ref().map(|mine| mine.seen));
    let places = Memo::new(move |_| mine.read().as_ref().map(held_places).unwrap_or_default());
    let words = move || match (mine.read().is_some(), places.read().is_empty()) {
        (false, _) => Some("What you have here is being proved."),
        (true, true) => {
            Some("Nothing yet. Supply an asset below: it earns, and can stand for a loan.")
        }
        (true, false) => None,
    };
    let any = move || !places.read().is_empty();
    view! {
        <section class="card mine" aria-labelledby="mine-title">
            <div class="card-head">
                <h2 id="mine-title">{format!("What I have in market {market}")}</h2>
                <SeenBadge seen />
            </div>
            <p class="quiet" role="status" hidden=move || words().is_none()>
                {words}
            </p>
            <Show when=any>
                <Health mine />
                <ul class="held">
                    {move || {
                        places.get().into_iter().map(|place| view! { <Row place mine /> }).collect_view()
                    }}
                </ul>
            </Show>
        </section>
    }
}

fn held_places(mine: &Position) -> Vec<Place> {
    let any = |one: &&Held| one.supplied > 0 || one.owed > 0;
    mine.held.iter().filter(any).map(|one| one.place).collect()
}

/// Length of the bar. Its scale is stretched above one, where loans end and where they should stay.
fn bar(factor: Factor) -> u128 {
    match factor {
        Factor::Unknown => 0,
        Factor::Endless => FULL,
        Factor::Is(factor) if factor < ONE => (AT_ONE * factor / ONE).min(AT_ONE - APART),
        Factor::Is(factor) => {
            // From one to endless: 1 - 1 / health of what is left of the bar.
            let factor = factor.min(LARGE);
            let above = (FULL - AT_ONE) * ((factor - ONE) / COARSE) / (factor / COARSE);
            (AT_ONE + above).max(AT_ONE + APART)
        }
    }
}

#[component]
fn Health(mine: Memo<Option<Position>>) -> impl IntoView {
    let standing = move || mine.read().as_ref().map(|mine| mine.standing);
    let now = move || standing().map_or(Factor::Unknown, |standing| standing.factor);
    // Only below one: a warning that is always on warns of nothing.
    let under = move || matches!(now(), Factor::Is(factor) if factor < ONE);
    let words = move || {
        match now() {
        Factor::Unknown => {
            "A price it needs is stale, or jumped and waits to be confirmed, so nobody can say. Nothing is borrowed or liquidated meanwhile.".to_owned()
        }
        Factor::Endless => "Nothing is owed, so nothing can be liquidated.".to_owned(),
        Factor::Is(_) if under() => {
            "Below 1: anybody may repay for you and take collateral with a bonus. Repay, or add collateral.".to_owned()
        }
        Factor::Is(_) => "Below 1 it may be liquidated.".to_owned(),
    }
    };
    // Not in a title alone, which neither fingers nor keys open.
    let exact = move || {
        let exact = factor_exact(now());
        (!exact.is_empty()).then(|| format!("Exactly {exact}."))
    };
    let worth = move |of: fn(&lending::Standing) -> Option<u128>| {
        standing().and_then(|standing| of(&standing)).map_or_else(|| "\u{2013}".to_owned(), value)
    };
    let interest = move || {
        let interest = mine.read().as_ref()?.interest?;
        let (earned, paid) = (value(interest.earned), value(interest.paid));
        Some(format!("A year at today\u{2019}s rates brings {earned} and costs {paid}."))
    };
    view! {
        <div class="health" class:health--under=under>
            <p class="health-line">
                <span>"Health"</span>
                <strong id="health" class="num">
                    {move || factor(now())}
                </strong>
            </p>
            <div class="gauge" role="img" aria-label=move || format!("Health {}", factor(now()))>
                <span class="gauge-fill" style:width=move || format!("{}%", tenths(bar(now())))></span>
                <span class="gauge-one" style:inset-inline-start=format!("{}%", tenths(AT_ONE))></span>
            </div>
            <p class="quiet">{words} " " <span class="num" id="health-exact">{exact}</span></p>
            <dl class="facts-row facts-row--three num">
                <div class="fact">
                    <dt>"Collateral"</dt>
                    <dd class="fact-value">{move || worth(|one| one.collateral)}</dd>
                </div>
                <div class="fact">
                    <dt>"Owed"</dt>
                    <dd class="fact-value">{move || worth(|one| one.debt)}</dd>
                </div>
                <div class="fact">
                    <dt>"May still be borrowed"</dt>
                    <dd class="fact-value">{move || worth(|one| one.available)}</dd>
                </div>
            </dl>
            <p class="quiet num">{interest}</p>
        </div>
    }
}

/// Thousandths as percent.
fn tenths(thousandths: u128) -> String {
    format!("{}.{}", thousandths / 10, thousandths % 10)
}

#[component]
fn Row(place: Place, mine: Memo<Option<Position>>) -> impl IntoView {
    let desk = Desk::get();
    let reserve = Memo::new(move |_| desk.reserve(place));
    let held = move || {
        let mine = mine.get()?;
        mine.held.into_iter().find(|one| one.place == place)
    };
    let both = move || Some((held()?, reserve.get()?));
    let pledged = move || held().is_some_and(|held| held.is_pledged);
    let pledges =
        move || both().is_some_and(|(held, reserve)| held.supplied > 0 && reserve.ltv_bps > 0);
    let press = move |_| desk.begin(place, What::Pledge(!untrack(pledged)));
    view! {
        <li class="payment" data-reserve=place.reserve.to_string()>
            <div class="row-words">
                <span class="num">{move || both().map(|(held, reserve)| amounts(&held, &reserve))}</span>
                <span class="quiet num">{move || both().map(|(held, reserve)| stands(&held, &reserve))}</span>
            </div>
            <button class="button" type="button" data-pledge="" hidden=move || !pledges() on:click=press>
                {move || if pledged() { "Stop pledging" } else { "Pledge" }}
            </button>
        </li>
    }
}

fn amounts(held: &Held, reserve: &Reserve) -> String {
    let worth = |units| reserve.value(units).map(|worth| format!(" ({})", value(worth)));
    let line = |verb: &str, units: u128| {
        (units > 0).then(|| {
            format!("{verb} {}{}", named(units, &reserve.asset), worth(units).unwrap_or_default())
        })
    };
    let lines = [line("Supplied", held.supplied), line("Owed", held.owed)];
    lines.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What it stands for.
fn stands(held: &Held, reserve: &Reserve) -> String {
    let name = symbol(&reserve.asset);
    match held.liquidation {
        Some(Liquidation { price: at, fall_bps: 0 }) => {
            format!("Collateral. May be liquidated at today\u{2019}s price of {}", price(at))
        }
        Some(Liquidation { price: at, fall_bps }) => format!(
            "Collateral. Liquidated if {name} falls {} to {}, all else as it is",
            percent_bps(fall_bps),
            price(at)
        ),
        None if held.is_pledged => "Collateral".to_owned(),
        None if held.supplied > 0 => "Earns, and stands for nothing".to_owned(),
        None => "Grows by what borrowing costs".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_ends_past_the_mark_at_health_above_one_and_before_it_below() {
        assert!(bar(Factor::Is(ONE + ONE / 100)) >= AT_ONE + APART);
        assert!(bar(Factor::Is(ONE)) > AT_ONE, "at one it is not liquidated");
        assert!(bar(Factor::Is(ONE - 1)) < AT_ONE);
        assert_eq!(bar(Factor::Is(0)), 0);
        assert_eq!(bar(Factor::Is(3 * ONE)), AT_ONE + (FULL - AT_ONE) * 2 / 3);
        assert_eq!(bar(Factor::Is(u128::MAX)), FULL - 1, "nearly");
        assert_eq!(bar(Factor::Endless), FULL);
    }

    #[test]
    fn the_bar_grows_with_health() {
        let healths = [ONE / 2, ONE, ONE * 11 / 10, ONE * 3 / 2, ONE * 2, ONE * 10, ONE * 1_000];
        let bars = healths.map(|health| bar(Factor::Is(health)));
        assert!(bars.is_sorted_by(|one, next| one < next), "{bars:?}");
    }
}
