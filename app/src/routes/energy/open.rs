//! Opening a community: tariffs, how neighbours trade, how long readings may take, and how fast its clock is.

use leptos::prelude::*;
use wallet::energy::{Asset, Mode, Opening, Rules, Tariff, Trust, Wish};

use crate::format::counted;

use super::desk::Desk;
use super::fields::OneOf;
use super::rules_form::{Draft, RulesFields, lines};

/// The ledger's own asset, in which communities are opened here.
fn native() -> Asset {
    Asset { id: 0, symbol: String::new(), decimals: 6, issuer: None }
}

/// Rules as the form begins with, prices in millionths per kWh.
const RULES: Rules = Rules {
    mode: Mode::Sharing,
    tariff: Tariff { retail: 300_000, feed_in: 80_000, grid_fee: 50_000 },
    loss_ppm: 0,
    trust_min: Trust::SelfReported,
};
/// Windows offered, in slots: an hour, a day, three days.
const WINDOWS: [(u16, &str); 3] = [
    (4, "an hour: meters that are always there"),
    (96, "a day: a file each evening"),
    (288, "three days"),
];
/// The window that the form begins with.
const WINDOW_SLOTS: u16 = 96;
/// Clocks offered: how many times as fast as the ledger's.
const PACES: [(u32, &str); 3] = [
    (1, "the ledger\u{2019}s: a slot in 15 minutes"),
    (60, "60 times as fast, to try things out: a slot in 15 seconds"),
    (900, "900 times as fast, to try things out: a slot in a second"),
];

/// The card that opens one.
#[component]
pub(super) fn OpenForm() -> impl IntoView {
    let desk = Desk::get();
    let draft = Draft::of(&RULES);
    let (window, pace) = (RwSignal::new(WINDOW_SLOTS), RwSignal::new(1_u32));
    let begin = move |_| {
        let Some(rules) = untrack(|| draft.read()) else { return };
        let (window_slots, pace) = (window.get_untracked(), pace.get_untracked());
        let clock = PACES.iter().find(|one| one.0 == pace).map(|one| one.1).unwrap_or_default();
        let me = desk.ledger.view.read_untracked().account.clone();
        let mut lines = lines(&rules, &native());
        lines.push(("Readings within", counted(window_slots.into(), "slot", "slots")));
        lines.push(("Clock", clock.to_owned()));
        let opening = Opening { grid: me.clone(), network: me, window_slots, rules, pace };
        desk.begin(
            "Open a community",
            lines,
            "You operate it. This account also stands for the retailer and gets the grid fees: pay into the retailer\u{2019}s purse, out of which feed-in is paid. Other rules take a day\u{2019}s notice; its clock stays as it is.",
            Wish::Open(opening),
        );
    };
    view! {
        <section class="card" aria-labelledby="open-title" id="open">
            <h2 id="open-title">"Open a community"</h2>
            <RulesFields draft place="open">
                <OneOf
                    id="open-window"
                    name="Readings may take"
                    all=WINDOWS.to_vec()
                    chosen=window
                />
                <OneOf id="open-clock" name="Its clock" all=PACES.to_vec() chosen=pace />
            </RulesFields>
            <button
                class="button"
                type="button"
                data-do="open"
                disabled=move || draft.read().is_none()
                on:click=begin
            >
                "Open a community"
            </button>
        </section>
    }
}
