//! Numbers and refusals of markets, in words.

use wallet::lending::{Asset, Factor, Kind, ONE, Price, PriceState};

pub(super) use crate::components::send::unsigned;
use crate::format::{counted, duration, short_key};
pub(super) use crate::money::{exact, symbol, units_of as named};
use crate::money::{grouped, parts, shown};

/// Between a number and its unit.
const NBSP: char = '\u{a0}';
/// Scale of prices and values.
const VALUE_DECIMALS: u8 = 8;

/// Why a market is not shown.
pub(super) const MISCOUNTED: &str = "Not shown: it counts STAR by other decimals than the ledger, so amounts would mislead. Use another market.";

/// Why nothing is signed.
pub(super) const STILL: &str = "Nothing is sent while the newest block is not known.";

/// Whose promise an asset is; nothing for the ledger's own.
pub(super) fn promise(asset: &Asset) -> Option<String> {
    let issuer = asset.issuer.as_ref()?;
    Some(format!(
        "{} is asset {}, an IOU of {}: it is worth what its issuer makes good, and its price is what this market\u{2019}s reporters say.",
        symbol(asset),
        asset.id,
        short_key(issuer)
    ))
}

/// A value with 8 decimals, to the cent below.
pub(super) fn value(units: u128) -> String {
    let (whole, digits) = parts(units, VALUE_DECIMALS);
    format!("{}.{}", grouped(whole), digits.get(..2).unwrap_or("00"))
}

/// A price: more digits than a value, since some are small.
pub(super) fn price(price: u64) -> String {
    shown(price.into(), VALUE_DECIMALS)
}

/// A share or a rate: `4.25 %`.
pub(super) fn percent(ppm: u64) -> String {
    let hundredths = ppm / 100;
    format!("{}.{:02}{NBSP}%", grouped((hundredths / 100).into()), hundredths % 100)
}

/// Basis points: `75 %`, `10.5 %`.
pub(super) fn percent_bps(bps: u64) -> String {
    match (bps / 100, bps % 100) {
        (whole, 0) => format!("{whole}{NBSP}%"),
        (whole, rest) => {
            let digits = format!("{rest:02}");
            format!("{whole}.{}{NBSP}%", digits.trim_end_matches('0'))
        }
    }
}

/// A health factor, rounded down to four digits: what is below one is never shown as one.
pub(super) fn factor(factor: Factor) -> String {
    match factor {
        Factor::Unknown => "no price".to_owned(),
        Factor::Endless => "\u{221e}".to_owned(),
        Factor::Is(factor) => {
            let (whole, rest) = (factor / ONE, factor % ONE / (ONE / 10_000));
            let digits = format!("{rest:04}");
            let trimmed = digits.trim_end_matches('0');
            format!("{}.{trimmed:0<2}", grouped(whole))
        }
    }
}

/// All 18 digits of a health factor.
pub(super) fn factor_exact(factor: Factor) -> String {
    match factor {
        Factor::Is(factor) => exact(factor, 18),
        Factor::Unknown | Factor::Endless => String::new(),
    }
}

/// How a price is known: age and reporters.
pub(super) fn price_source(price: &Price) -> String {
    let age =
        price.age_s.map(|age_s| format!("newest report {} ago", duration(age_s.max(1) * 1_000)));
    let age = age.unwrap_or_else(|| "no report yet".to_owned());
    let word = |count: usize| u64::try_from(count).unwrap_or_default();
    let reporters = counted(word(price.reporters), "reporter", "reporters");
    match price.state {
        PriceState::Unproved => "not proved here: open the market".to_owned(),
        PriceState::Fresh => format!("{} of {reporters} fresh, {age}", price.fresh),
        PriceState::Stale => {
            format!("stale: {} of {reporters} fresh, it takes {}; {age}", price.fresh, price.needed)
        }
        PriceState::Confirming => {
            format!("jumped, waits for {} of {reporters} to say so again; {age}", price.needed)
        }
    }
}

/// What is done, as a button says it.
pub(super) const fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Supply => "Supply",
        Kind::Withdraw => "Withdraw",
        Kind::Borrow => "Borrow",
        Kind::Repay => "Repay",
        Kind::Cover => "Cover deficit",
    }
}

/// Why the ledger refuses, by the refusal's number (`docs/spec/ledger.md`, "Receipts").
pub(super) const fn refusal(number: u16) -> &'static str {
    match number {
        0x0104 => "The issuer froze this balance.",
        0x0105 => "The account holds less than that, with the fee.",
        0x0501 => "A market has 1 to 8 assets, each once.",
        0x0502 => "Rules that can\u{2019}t be kept, or an asset or feed that is not there.",
        0x0503 => "There is no such market or reserve.",
        0x0504 => "Somebody else opened this market.",
        0x0505 => "Too little, or more than the reserve has.",
        0x0506 => {
            "The market\u{2019}s creator stopped new supply and borrowing. Repaying and withdrawing go on."
        }
        0x0507 => "This asset is not lent.",
        0x0508 => "The supply cap is reached: not that much more may be supplied.",
        0x0509 => "The borrow cap is reached: not that much more may be owed.",
        0x050a => "You supplied less than that.",
        0x050b => "The reserve has lent out what you ask for. It comes back as others repay.",
        0x050c => "Nothing is owed here.",
        0x050d => "Too little to lower the debt.",
        0x050e => "Nothing is supplied here, so nothing can be pledged.",
        0x050f => {
            "Nothing may be borrowed against what is pledged. Supply an asset that is collateral first."
        }
        0x0510 => "Health would fall below 1, where anybody may liquidate.",
        0x0511 => "The collateral does not carry that much debt.",
        0x0512 => "Nobody liquidates themselves: repay, or add collateral.",
        0x0513 => "Its health is not below 1 any more.",
        0x0514 => "That is not pledged any more.",
        0x0515 => "That is not owed any more.",
        0x0516 => {
            "What would be left on both sides is too little for the next one: repay less, or all that may be."
        }
        0x0517 => "There is no deficit any more.",
        0x0518 => {
            "A price is stale, or jumped and waits to be confirmed. Supplying and repaying need none."
        }
        0x0519 => "The number is too large.",
        _ => "The ledger would refuse it.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money;

    #[test]
    fn the_most_that_is_offered_has_all_its_digits_and_can_be_typed() {
        for (units, typed) in [
            (0, "0"),
            (1_500_000_000_000_000_000, "1.5"),
            (1_234_000_000_000_000_000_001, "1234.000000000000000001"),
            (1, "0.000000000000000001"),
        ] {
            assert_eq!(exact(units, 18), typed);
            assert_eq!(money::read(typed, 18), Some(units));
        }
    }

    #[test]
    fn what_an_action_was_refused_for_is_said_as_for_a_transfer() {
        assert_eq!(unsigned("too-much"), crate::components::send::refusal("too-much"));
        assert_eq!(unsigned("action"), Some("The wallet did not take it."));
        assert_eq!((unsigned(""), unsigned("server")), (None, None));
    }

    #[test]
    fn health_just_below_one_is_not_shown_as_one() {
        assert_eq!(factor(Factor::Is(ONE - 1)), "0.9999");
        assert_eq!(factor(Factor::Is(ONE)), "1.00");
        assert_eq!(factor(Factor::Is(ONE + ONE / 100)), "1.01");
        assert_eq!(factor_exact(Factor::Is(ONE - 1)), "0.999999999999999999");
    }

    #[test]
    fn one_of_a_market_is_one_of_the_wallet() {
        let decimals = wallet::lending::NATIVE_DECIMALS;
        let one = 10_u128.pow(decimals.into());
        assert_eq!(
            named(one, &Asset { id: 0, symbol: String::new(), decimals, issuer: None }),
            money::named(one)
        );
        assert_eq!(money::amount(one), "1.00");
    }

    #[test]
    fn an_ious_issuer_is_named_and_none_passes_as_the_ledgers_own() {
        let issuer = Some("ab12cd34".repeat(8));
        let fake = Asset { id: 9, symbol: "star".to_owned(), decimals: 6, issuer };
        assert_eq!(symbol(&fake), "star (asset 9)");
        assert!(promise(&fake).unwrap().contains("an IOU of ab12\u{a0}cd34"));
        let own = Asset { id: 0, symbol: String::new(), decimals: 6, issuer: None };
        assert_eq!((symbol(&own).as_str(), promise(&own)), (money::SYMBOL, None));
    }

    #[test]
    fn rates_have_two_digits() {
        assert_eq!(percent(42_599).replace(NBSP, " "), "4.25 %");
        assert_eq!(percent_bps(7_500).replace(NBSP, " "), "75 %");
        assert_eq!(percent_bps(1_666).replace(NBSP, " "), "16.66 %");
        assert_eq!(percent_bps(1_050).replace(NBSP, " "), "10.5 %");
    }
}
