//! Opening a community: tariffs, how neighbours trade, and how long readings may take.

use leptos::prelude::*;
use wallet::energy::{Asset, Mode, Opening, Rules, Tariff, Trust, Wish};

use crate::format::counted;

use super::desk::Desk;
use super::words::{mode, mode_more, price, price_of, trust, typed};

/// The ledger's own asset, in which communities are opened here.
fn native() -> Asset {
    Asset { id: 0, symbol: String::new(), decimals: 6, issuer: None }
}

/// Tariffs as the form begins with, in millionths per kWh.
const TARIFF: Tariff = Tariff { retail: 300_000, feed_in: 80_000, grid_fee: 50_000 };
/// Windows offered, in slots: an hour, a day, three days.
const WINDOWS: [(u16, &str); 3] = [
    (4, "an hour: meters that are always there"),
    (96, "a day: a file each evening"),
    (288, "three days"),
];
pub(super) const MODES: [Mode; 3] = [Mode::Sharing, Mode::Auction, Mode::Book];
pub(super) const TRUSTS: [Trust; 3] = [Trust::SelfReported, Trust::Retailer, Trust::Hardware];

/// What was typed.
#[derive(Debug, Clone, Copy)]
struct Draft {
    retail: RwSignal<String>,
    feed_in: RwSignal<String>,
    grid_fee: RwSignal<String>,
    window: RwSignal<usize>,
    mode: RwSignal<usize>,
    trust: RwSignal<usize>,
}

impl Draft {
    /// The rules and the window; none: a price is none.
    fn read(self) -> Option<(Rules, u16)> {
        let tariff = Tariff {
            retail: price_of(&self.retail.read())?,
            feed_in: price_of(&self.feed_in.read())?,
            grid_fee: price_of(&self.grid_fee.read())?,
        };
        let rules = Rules {
            mode: *MODES.get(self.mode.get())?,
            tariff,
            loss_ppm: 0,
            trust_min: *TRUSTS.get(self.trust.get())?,
        };
        Some((rules, WINDOWS.get(self.window.get())?.0))
    }
}

/// The card that opens one.
#[component]
pub(super) fn OpenForm() -> impl IntoView {
    let desk = Desk::get();
    let text = |price: u64| RwSignal::new(typed(price));
    let draft = Draft {
        retail: text(TARIFF.retail),
        feed_in: text(TARIFF.feed_in),
        grid_fee: text(TARIFF.grid_fee),
        window: RwSignal::new(1),
        mode: RwSignal::new(0),
        trust: RwSignal::new(0),
    };
    let begin = move |_| {
        let Some((rules, window_slots)) = untrack(|| draft.read()) else { return };
        let me = desk.ledger.view.read_untracked().account.clone();
        let asset = native();
        let lines = vec![
            ("From the grid", price(rules.tariff.retail, &asset)),
            ("To the grid", price(rules.tariff.feed_in, &asset)),
            ("Fee between neighbours", price(rules.tariff.grid_fee, &asset)),
            ("Neighbours trade by", mode(rules.mode).to_owned()),
            ("Readings within", counted(window_slots.into(), "slot", "slots")),
        ];
        let opening = Opening { grid: me.clone(), network: me, window_slots, rules };
        desk.begin(
            "Open a community",
            lines,
            "You operate it. This account also stands for the retailer and gets the grid fees: pay into the retailer\u{2019}s purse, out of which feed-in is paid. Other rules take a day\u{2019}s notice.",
            Wish::Open(opening),
        );
    };
    let options = |words: Vec<&'static str>| {
        let option = |(at, one): (usize, &'static str)| {
            view! { <option value=at.to_string()>{one}</option> }
        };
        words.into_iter().enumerate().map(option).collect_view()
    };
    view! {
        <section class="card" aria-labelledby="open-title" id="open">
            <h2 id="open-title">"Open a community"</h2>
            <div class="pair pair--form">
                <Field id="retail" name="Grid asks, per kWh" value=draft.retail />
                <Field id="feed-in" name="Grid pays, per kWh" value=draft.feed_in />
                <Field id="grid-fee" name="Fee between neighbours, per kWh" value=draft.grid_fee />
                <Choice id="open-mode" name="Neighbours trade by" value=draft.mode>
                    {options(MODES.map(mode).to_vec())}
                </Choice>
                <Choice id="open-window" name="Readings may take" value=draft.window>
                    {options(WINDOWS.map(|one| one.1).to_vec())}
                </Choice>
                <Choice id="open-trust" name="Meters that may trade, at least" value=draft.trust>
                    {options(TRUSTS.map(trust).to_vec())}
                </Choice>
            </div>
            <p class="quiet" id="open-mode-told">
                {move || MODES.get(draft.mode.get()).copied().map(mode_more)}
            </p>
            <p class="quiet quiet--warn" role="alert">
                {move || draft.read().is_none().then_some("A price is no number: expected digits, at most 6 after the point.")}
            </p>
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

#[component]
pub(super) fn Field(
    id: &'static str,
    name: &'static str,
    value: RwSignal<String>,
) -> impl IntoView {
    view! {
        <div class="labelled">
            <label for=id>{name}</label>
            <input
                id=id
                class="text-field num"
                inputmode="decimal"
                autocomplete="off"
                prop:value=move || value.get()
                on:input=move |event| value.set(event_target_value(&event))
            />
        </div>
    }
}

#[component]
pub(super) fn Choice(
    id: &'static str,
    name: &'static str,
    value: RwSignal<usize>,
    children: Children,
) -> impl IntoView {
    Effect::new(move |_| {
        let found = document().get_element_by_id(id);
        let select =
            found.and_then(|one| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(one).ok());
        if let Some(select) = select {
            let at = value.get_untracked().to_string();
            // A plain property of a select.
            drop(js_sys::Reflect::set(&select, &"value".into(), &at.into()));
        }
    });
    view! {
        <div class="labelled">
            <label for=id>{name}</label>
            <select
                id=id
                class="text-field"
                on:change=move |event| value.set(event_target_value(&event).parse().unwrap_or_default())
            >
                {children()}
            </select>
        </div>
    }
}
