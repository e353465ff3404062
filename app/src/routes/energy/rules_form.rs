//! Tariffs and how neighbours trade, as a form: for who opens a community, and for who announces other rules.

use leptos::prelude::*;
use wallet::energy::{Asset, LOSS_MAX_PPM, Mode, Rules, Tariff, Trust};

use crate::money;

use super::fields::{Field, OneOf};
use super::words::{mode, mode_more, percent_ppm, price, price_of, trust, typed};

const MODES: [Mode; 3] = [Mode::Sharing, Mode::Auction, Mode::Book];
const TRUSTS: [Trust; 3] = [Trust::SelfReported, Trust::Retailer, Trust::Hardware];
/// Decimals of a percentage: its units are millionths of the whole.
const PERCENT_DECIMALS: u8 = 4;

/// What was typed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draft {
    retail: RwSignal<String>,
    feed_in: RwSignal<String>,
    grid_fee: RwSignal<String>,
    loss: RwSignal<String>,
    mode: RwSignal<Mode>,
    trust: RwSignal<Trust>,
}

impl Draft {
    /// As these rules are.
    pub(super) fn of(rules: &Rules) -> Self {
        let text = |price: u64| RwSignal::new(typed(price));
        Self {
            retail: text(rules.tariff.retail),
            feed_in: text(rules.tariff.feed_in),
            grid_fee: text(rules.tariff.grid_fee),
            loss: RwSignal::new(money::exact(rules.loss_ppm.into(), PERCENT_DECIMALS)),
            mode: RwSignal::new(rules.mode),
            trust: RwSignal::new(rules.trust_min),
        }
    }

    /// The rules; none: a number in it is none.
    pub(super) fn read(self) -> Option<Rules> {
        let tariff = Tariff {
            retail: price_of(&self.retail.read())?,
            feed_in: price_of(&self.feed_in.read())?,
            grid_fee: price_of(&self.grid_fee.read())?,
        };
        let loss_ppm = loss_of(&self.loss.read())?;
        Some(Rules { mode: self.mode.get(), tariff, loss_ppm, trust_min: self.trust.get() })
    }
}

/// What is lost on the way, of a percentage that was typed.
fn loss_of(typed: &str) -> Option<u32> {
    let ppm = u32::try_from(money::read(typed, PERCENT_DECIMALS)?).ok()?;
    (ppm <= LOSS_MAX_PPM).then_some(ppm)
}

/// What is said of rules before they are signed.
pub(super) fn lines(rules: &Rules, asset: &Asset) -> Vec<(&'static str, String)> {
    vec![
        ("From the grid", price(rules.tariff.retail, asset)),
        ("To the grid", price(rules.tariff.feed_in, asset)),
        ("Fee between neighbours", price(rules.tariff.grid_fee, asset)),
        ("Lost on the way", percent_ppm(rules.loss_ppm)),
        ("Neighbours trade by", mode(rules.mode).to_owned()),
        ("Meters that may trade, at least", trust(rules.trust_min).to_owned()),
    ]
}

/// The fields, and after them those that only one of the forms has.
#[component]
pub(super) fn RulesFields(
    draft: Draft,
    /// What the ids begin with.
    place: &'static str,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let id = |part: &str| format!("{place}-{part}");
    let problem = move || {
        let words = "A number is none: prices have at most 6 digits after the point, and at most 20\u{a0}% are lost.";
        draft.read().is_none().then_some(words)
    };
    view! {
        <div class="pair pair--form">
            <Field id=id("retail") name="Grid asks, per kWh" value=draft.retail />
            <Field id=id("feed-in") name="Grid pays, per kWh" value=draft.feed_in />
            <Field id=id("grid-fee") name="Fee between neighbours, per kWh" value=draft.grid_fee />
            <Field id=id("loss") name="Lost on the way, % of what is given" value=draft.loss />
            <OneOf
                id=id("mode")
                name="Neighbours trade by"
                all={MODES.map(|one| (one, mode(one))).to_vec()}
                chosen=draft.mode
            />
            <OneOf
                id=id("trust")
                name="Meters that may trade, at least"
                all={TRUSTS.map(|one| (one, trust(one))).to_vec()}
                chosen=draft.trust
            />
            {children.map(|children| children())}
        </div>
        <p class="quiet" id=id("mode-told")>
            {move || mode_more(draft.mode.get())}
        </p>
        <p class="quiet quiet--warn" role="alert">
            {problem}
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_a_percentage_of_at_most_a_fifth() {
        for (typed, ppm) in [
            ("0", Some(0)),
            ("2.5", Some(25_000)),
            ("20", Some(200_000)),
            ("20.0001", None),
            ("", None),
        ] {
            assert_eq!(loss_of(typed), ppm, "{typed}");
        }
        assert_eq!(percent_ppm(25_000), "2.5\u{a0}%");
    }
}
