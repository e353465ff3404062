//! What the account holds beside the ledger's own asset, each as whose promise it is, with its proof.

use leptos::prelude::*;
use wallet::assets::{Holding, Holdings, KNOWN_MAX};

use crate::assets::Assets;
use crate::components::avatar::Avatar;
use crate::components::icon::{Glyph, Icon};
use crate::components::test_units::TestUnits;
use crate::format::counted;
use crate::money;

/// The card.
#[component]
pub(super) fn Held() -> impl IntoView {
    let desk = Assets::get();
    let held = Memo::new(move |_| {
        let all = desk.all.read();
        all.iter().flat_map(|all| all.held.clone()).collect::<Vec<_>>()
    });
    let more = Memo::new(move |_| {
        let all = desk.all.read();
        all.iter().flat_map(|all| all.others.clone()).collect::<Vec<_>>()
    });
    let is_open = RwSignal::new(false);
    let counts = move || {
        let count = u64::try_from(more.read().len()).unwrap_or(u64::MAX);
        counted(count, "other asset", "other assets")
    };
    let shown = move || if is_open.get() { more.get() } else { Vec::new() };
    view! {
        <section class="card" aria-labelledby="assets-title">
            <h2 id="assets-title">"Assets"</h2>
            <p class="quiet">
                "Promises of whoever issued them: each is worth what its issuer makes good, and none is the ledger\u{2019}s own money."
            </p>
            <ul class="payments" id="assets">
                {move || held.get().into_iter().map(|one| row(desk, one)).collect_view()}
            </ul>
            <div id="assets-more" hidden=move || more.read().is_empty()>
                <p class="quiet num">
                    "You were given " {counts} " that you never marked, used or had for long. Anybody can send what they like: nothing of it asks you for anything."
                </p>
                <div class="dialog-actions">
                    <button
                        id="assets-more-show"
                        class="button"
                        type="button"
                        aria-expanded=move || if is_open.get() { "true" } else { "false" }
                        on:click=move |_| is_open.update(|open| *open = !*open)
                    >
                        {move || if is_open.get() { "Hide them" } else { "Show them" }}
                    </button>
                </div>
                <ul class="payments" id="assets-given">
                    {move || shown().into_iter().map(|one| row(desk, one)).collect_view()}
                </ul>
            </div>
            <p class="quiet num" id="assets-others" role="status">
                {move || others(desk)}
            </p>
            <Tests />
        </section>
    }
}

fn row(desk: Assets, holding: Holding) -> impl IntoView + use<> {
    let Holding { asset, units, frozen, supply, supply_max, freezable, seen, .. } = holding;
    let issuer = asset.issuer.clone().unwrap_or_default();
    let titled = asset.clone();
    let told = move || {
        let whose = desk.whose(&titled).unwrap_or_default();
        let (proved, _) = desk.proved(seen);
        format!("Asset {}, {whose}, {proved}", titled.id)
    };
    let is_old = move || desk.proved(seen).1;
    let amount = |units: u128| money::shown(units, asset.decimals);
    let there = supply.map(|units| format!("{} there are in all", amount(units)));
    let cap = supply_max.map(|units| format!("never more than {}", amount(units)));
    let freezes = freezable.then(|| "its issuer may freeze it".to_owned());
    let more: Vec<String> = [there, cap, freezes].into_iter().flatten().collect();
    let (name, shown) = (money::symbol(&asset), money::units_of(units, &asset));
    let number = asset.id;
    let label = format!("Keep {name} in sight");
    let is_marked = move || desk.is_marked(number);
    let is_full = RwSignal::new(false);
    let mark = move |_| is_full.set(!desk.mark(number, !untrack(is_marked)));
    view! {
        <li class="payment" data-asset=asset.id.to_string()>
            <Avatar key=issuer.clone() />
            <div class="row-words">
                <span>{name}</span>
                <span class="quiet num" class:quiet--warn=is_old title=issuer>
                    {told}
                </span>
                <span class="quiet num">{more.join(", ")}</span>
                <span class="quiet quiet--warn" role="status" hidden=move || !is_full.get()>
                    {format!("As many as may be are kept in sight, {KNOWN_MAX}: let another one go first.")}
                </span>
                {frozen.then(|| {
                    view! {
                        <span class="quiet quiet--warn">"Its issuer froze it: nothing can be sent or received."</span>
                    }
                })}
            </div>
            <span class="payment-units num">{shown}</span>
            <button
                class="button button--icon asset-mark"
                type="button"
                hidden=move || !is_marked() && !desk.has_more()
                aria-label=label
                aria-pressed=move || if is_marked() { "true" } else { "false" }
                title="Keep in sight, whatever else is sent"
                on:click=mark
            >
                <Icon glyph=Glyph::Pin />
            </button>
        </li>
    }
}

/// What is said of all other assets of the ledger.
fn others(desk: Assets) -> String {
    let all = desk.all.read();
    let Some(Holdings {
        held, others: more, made, without, without_seen, waiting, left_out, ..
    }) = &*all
    else {
        return "Which assets there are is being proved.".to_owned();
    };
    if *made == 0 {
        return "Nobody issued an asset on this ledger yet.".to_owned();
    }
    let mut told = Vec::new();
    if *waiting > 0 {
        told.push(format!("{} still to be looked at.", assets(*waiting)));
    }
    if let Some(seen) = without_seen.filter(|_| *without > 0) {
        let none = if held.is_empty() && more.is_empty() {
            assets(*without)
        } else {
            counted((*without).into(), "other asset", "other assets")
        };
        let (proved, _) = desk.proved(seen);
        told.push(format!("You hold nothing of {none} on this ledger, {proved}."));
    }
    if *left_out > 0 {
        told.push(format!(
            "Not looked at, so not said: {}, older, which nothing in your history names.",
            assets(*left_out)
        ));
    }
    told.join(" ")
}

fn assets(count: u32) -> String {
    counted(count.into(), "asset", "assets")
}

/// What a demo network's faucet gives beside the ledger's own.
#[component]
fn Tests() -> impl IntoView {
    let desk = Assets::get();
    let all = Memo::new(move |_| desk.tests());
    let one = move |number: u32| {
        let asset = Signal::derive(move || desk.asset(number));
        view! { <TestUnits asset /> }
    };
    let numbers = Memo::new(move |_| all.read().iter().map(|asset| asset.id).collect::<Vec<_>>());
    view! {
        <div id="test-assets">
            {move || numbers.get().into_iter().map(one).collect_view()}
        </div>
    }
}
