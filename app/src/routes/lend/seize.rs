//! The dialog in which a liquidation is tried before it is signed.

use leptos::html::Input;
use leptos::prelude::*;
use wallet::lending::{self, Bid, Call, Outcome, Part, Standing, Target};

use crate::components::modal::{modal, once};
use crate::format::short_key;
use crate::money;

use super::desk::Desk;
use super::words::{STILL, exact, factor, named, percent_bps, refusal, symbol, value};

/// The dialog; open while somebody's position is being liquidated.
#[component]
pub(super) fn SeizeDialog() -> impl IntoView {
    modal(Desk::get().seizing, "dialog dialog--small", "seize-title", |target, close| {
        target.mine.map(|bid| view! { <Form bid target close /> })
    })
}

/// What is asked for, so that interest of the seconds until a block leaves nothing: a thousandth more, where
/// the account has it.
fn asked(bid: &Bid) -> u128 {
    bid.call.cover.min(bid.repaid.saturating_add(bid.repaid / 1_000).saturating_add(1))
}

#[component]
fn Form(bid: Bid, target: Target, close: Callback<()>) -> impl IntoView {
    let desk = Desk::get();
    let debt = bid.call.debt;
    // The form stays while the market's numbers move.
    let decimals = untrack(|| desk.reserve(debt)).map_or(0, |reserve| reserve.asset.decimals);
    let first = exact(asked(&bid), decimals);
    let typed = RwSignal::new(first.clone());
    let whose = short_key(&target.borrower.to_string());
    let call = move || {
        let cover = money::read(&typed.read(), decimals).filter(|units| *units > 0)?;
        Some(Call { cover, ..bid.call })
    };
    let outcome = Memo::new(move |_| desk.look(|scene| lending::liquidation(scene, call()?)));
    // The wallet refuses what it can't judge by a new block.
    let ready = move || {
        desk.fresh.get() && outcome.read().as_ref().is_some_and(|told| told.refusal.is_none())
    };
    let once = once();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let command = untrack(|| {
            let call = call().filter(|_| ready())?;
            desk.look(|scene| Some(lending::ask_to_liquidate(scene, call)))
        });
        if let Some(command) = command.filter(|_| once()) {
            desk.signed.set(true);
            desk.ledger.command(&command);
            close.run(());
        }
    };
    view! {
        <form class="send" on:submit=submit novalidate>
            <div class="dialog-head">
                <h2 id="seize-title">{format!("Liquidate {whose}")}</h2>
            </div>
            <Cover desk bid target first typed />
            <Told desk bid outcome typed />
            <div class="dialog-actions">
                <button class="button" type="button" on:click=move |_| close.run(())>
                    "Back"
                </button>
                <button id="seize-sign" class="button button--strong" type="submit" disabled=move || !ready()>
                    "Sign and send"
                </button>
            </div>
        </form>
    }
}

/// How much is repaid at most: the best stands there first.
#[component]
fn Cover(
    desk: Desk,
    bid: Bid,
    target: Target,
    first: String,
    typed: RwSignal<String>,
) -> impl IntoView {
    let field = NodeRef::<Input>::new();
    let unit = move || desk.reserve(bid.call.debt).map(|reserve| symbol(&reserve.asset));
    let bounds = untrack(|| rules(desk, &bid, &target));
    let best = first.clone();
    let take = move |_| {
        if let Some(field) = field.get_untracked() {
            field.set_value(&best);
        }
        typed.set(best.clone());
    };
    view! {
        <label for="seize-units">"Repay at most"</label>
        <div class="with-unit">
            <input
                id="seize-units"
                class="text-field num"
                node_ref=field
                inputmode="decimal"
                autocomplete="off"
                value=first
                aria-describedby="seize-told seize-rules"
                on:input=move |event| typed.set(event_target_value(&event))
            />
            <span>{unit}</span>
        </div>
        <div class="send-foot">
            <p class="quiet" id="seize-rules">
                {bounds}
            </p>
            <button class="button" id="seize-best" type="button" on:click=take>
                "Best"
            </button>
        </div>
    }
}

/// The rules that bound it, as they are for this position.
fn rules(desk: Desk, bid: &Bid, target: &Target) -> String {
    let owed = target.owed.iter().find(|part| part.place == bid.call.debt);
    let all = target.anybody.map_or(bid.repaid, |anybody| anybody.repaid);
    let bound = match owed {
        Some(part) if bid.repaid >= part.amount => "All of this debt may be repaid.",
        Some(_) if bid.repaid < all => "Your account holds less than may be repaid.",
        _ => {
            "Not all of it: half while health is above 0.95 and both sides are worth 2,000, and no more than what is pledged pays for."
        }
    };
    let Some(collateral) = desk.reserve(bid.call.collateral) else { return bound.to_owned() };
    let (bonus, fee) = (collateral.bonus_bps, collateral.protocol_fee_bps);
    format!(
        "{bound} The bonus is {}, of which the market\u{2019}s treasury takes {}. What is left on both sides must be nothing, or worth 1,000.",
        percent_bps(bonus.into()),
        percent_bps(fee.into())
    )
}

#[component]
fn Told(
    desk: Desk,
    bid: Bid,
    outcome: Memo<Option<Outcome>>,
    typed: RwSignal<String>,
) -> impl IntoView {
    let problem = move || {
        if !desk.fresh.get() {
            return STILL.to_owned();
        }
        let told = outcome.read();
        match told.as_ref().map(|told| told.refusal) {
            Some(Some(number)) => format!("{} (refusal {number})", refusal(number)),
            Some(None) => String::new(),
            None if typed.read().trim().is_empty() => "Type how much you repay at most.".to_owned(),
            None => "That is no amount, or what decides it is not proved yet.".to_owned(),
        }
    };
    let lost = move || outcome.get().map(|told| told.lost).filter(|lost| !lost.is_empty());
    let lost = move || {
        lost().map(|lost| {
            let one = |part: &Part| {
                desk.reserve(part.place).map(|reserve| named(part.amount, &reserve.asset))
            };
            let lost: Vec<String> = lost.iter().filter_map(one).collect();
            format!(
                "What is pledged does not pay for all of it: {} is booked as the market\u{2019}s deficit.",
                lost.join(", ")
            )
        })
    };
    view! {
        <div id="seize-told" aria-live="polite">
            {move || outcome.get().map(|told| view! { <Bill told bid desk /> })}
        </div>
        <p id="seize-lost" class="quiet quiet--warn">
            {lost}
        </p>
        <p id="seize-problem" class="quiet quiet--warn" role="alert">
            {problem}
        </p>
    }
}

#[component]
fn Bill(told: Outcome, bid: Bid, desk: Desk) -> impl IntoView {
    let Outcome { before, after, fee, .. } = told;
    let reserve = |place| untrack(|| desk.reserve(place));
    let (debt, collateral) = (reserve(bid.call.debt), reserve(bid.call.collateral));
    let amount = |units: u128, reserve: &Option<lending::Reserve>| {
        reserve.as_ref().map(|reserve| named(units, &reserve.asset)).unwrap_or_default()
    };
    let done = after.as_ref().map(|(bid, _)| {
        vec![
            ("You repay", amount(bid.repaid, &debt)),
            ("You get", amount(bid.seized, &collateral)),
            ("Worth more than you pay", value(bid.gain)),
            ("The treasury gets", amount(bid.fee, &collateral)),
        ]
    });
    let worth = |of: Option<u128>| of.map_or_else(|| "\u{2013}".to_owned(), value);
    let changes = after.map(|(_, after)| {
        let line = |name, of: &dyn Fn(&Standing) -> String| (name, of(&before), of(&after));
        vec![
            line("Their health", &|one| factor(one.factor)),
            line("They owe", &|one| worth(one.debt)),
            line("They pledge", &|one| worth(one.collateral)),
        ]
    });
    let plain = |(name, what): (&'static str, String)| {
        view! { <div><dt>{name}</dt><dd><strong>{what}</strong></dd></div> }
    };
    let change = |(name, was, becomes): (&'static str, String, String)| {
        view! {
            <div>
                <dt>{name}</dt>
                <dd>
                    <span class="was">{was}</span>
                    <span aria-hidden="true">" \u{2192} "</span>
                    <strong>{becomes}</strong>
                </dd>
            </div>
        }
    };
    view! {
        <dl class="bill num">
            {done.into_iter().flatten().map(plain).collect_view()}
            {changes.into_iter().flatten().map(change).collect_view()}
            <div class="bill-total">
                <dt>"Fee, at most"</dt>
                <dd>{money::named(fee)}</dd>
            </div>
        </dl>
    }
}
