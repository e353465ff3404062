//! Energy, prices, slots and refusals, in words.

use wallet::energy::{Asset, Mode, Source, State, Trust};

pub(super) use crate::components::send::unsigned;
use crate::money::{self, shown};

use super::clock;

/// Between a number and its unit.
const NBSP: char = '\u{a0}';
/// Decimals of money and prices: a community's units are millionths.
const DECIMALS: u8 = 6;

/// What an asset is called.
pub(super) fn symbol(asset: &Asset) -> String {
    if asset.symbol.is_empty() { money::SYMBOL.to_owned() } else { asset.symbol.clone() }
}

/// Units for reading, with the asset's name.
pub(super) fn named(units: u128, asset: &Asset) -> String {
    format!("{}{NBSP}{}", shown(units, DECIMALS), symbol(asset))
}

/// Units with a sign where they are less than none.
pub(super) fn signed(units: i128, asset: &Asset) -> String {
    let sign = if units < 0 { "\u{2212}" } else { "" };
    format!("{sign}{}", named(units.unsigned_abs(), asset))
}

/// A price of a kWh.
pub(super) fn price(price: u64, asset: &Asset) -> String {
    format!("{}{NBSP}{}/kWh", shown(price.into(), DECIMALS), symbol(asset))
}

/// A price as it can be typed, and read back by [`price_of`].
pub(super) fn typed(price: u64) -> String {
    shown(price.into(), DECIMALS).replace(',', "")
}

/// A price in what a person typed.
pub(super) fn price_of(typed: &str) -> Option<u64> {
    u64::try_from(money::read(typed, DECIMALS)?).ok()
}

/// Energy: Wh below one kWh, then kWh to the Wh.
pub(super) fn energy(wh: impl Into<u128>) -> String {
    let wh: u128 = wh.into();
    if wh < 1_000 {
        return format!("{wh}{NBSP}Wh");
    }
    format!("{}.{:03}{NBSP}kWh", money::grouped(wh / 1_000), wh % 1_000)
}

/// Power: `9.2 kW`.
pub(super) fn power(watts: u32) -> String {
    format!("{}.{}{NBSP}kW", watts / 1_000, watts % 1_000 / 100)
}

/// A share in millionths, in percent with all its digits.
pub(super) fn percent_ppm(ppm: u32) -> String {
    format!("{}{NBSP}%", money::exact(ppm.into(), 4))
}

/// How far a slot is.
pub(super) fn state(state: &State) -> String {
    match state {
        State::Running => "runs".to_owned(),
        State::Waiting { until_ms } => {
            format!("no reading yet, time until {}", clock::time(*until_ms))
        }
        State::Open { until_ms } => format!("read, open until {}", clock::time(*until_ms)),
        State::Due => "to be settled".to_owned(),
        State::Settled(_) => "settled".to_owned(),
        State::Silent => "nobody read it".to_owned(),
        State::Unproved => "not proved yet".to_owned(),
    }
}

/// How neighbours trade.
pub(super) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Sharing => "Sharing: one price in the middle, each in proportion",
        Mode::Auction => "Auction: one price for all, by everybody\u{2019}s limits",
        Mode::Book => "Order book: orders ahead, each trade at its own price",
    }
}

/// The same, for who chooses between them.
pub(super) const fn mode_more(mode: Mode) -> &'static str {
    match mode {
        Mode::Sharing => {
            "For households whose page is mostly closed: nobody has to do anything but let meters read."
        }
        Mode::Auction => {
            "Each household sets the most it pays and the least it takes, once; slots are cleared by these when they are settled."
        }
        Mode::Book => {
            "For batteries and cars that can wait: who knows what it will need or have orders up to a day ahead. What is sold and not fed in is bought from the grid."
        }
    }
}

/// How far a meter is trusted.
pub(super) const fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::SelfReported => "self-reported",
        Trust::Retailer => "read by the retailer, too",
        Trust::Hardware => "sealed meter",
    }
}

/// Where energy comes from.
pub(super) const fn source(source: Source) -> &'static str {
    match source {
        Source::Unknown => "not said",
        Source::Solar => "sun",
        Source::Wind => "wind",
        Source::Water => "water",
        Source::Biomass => "biomass",
        Source::Storage => "battery",
    }
}

/// Sources, as a form offers them.
pub(super) const SOURCES: [Source; 6] =
    [Source::Solar, Source::Unknown, Source::Wind, Source::Water, Source::Biomass, Source::Storage];

/// Why the ledger refuses, by the refusal's number (`docs/spec/ledger.md`, "Receipts").
pub(super) const fn refusal(number: u16) -> &'static str {
    match number {
        0x0104 => "The issuer froze this balance.",
        0x0105 => "The account holds less than that, with the fee.",
        0x0701 => "Feed-in and grid fee together must not be above retail, and no price too high.",
        0x0702 => "The window is at least an hour and at most three days.",
        0x0703 => "Nothing is not an amount.",
        0x0704 => "A connection has between 1 W and 4 MW.",
        0x0705 => "A limit is higher than any price, or a meter is its own friend.",
        0x0708 => "There is no such community.",
        0x0709 => "Only the operator may do this.",
        0x070a => "The account is a member already.",
        0x070b => "The account is no member: the operator takes it in first.",
        0x070c => "There is no such meter.",
        0x070d => "It belongs to somebody else.",
        0x070e => "The community, or this member, has as many as may be.",
        0x070f => "This key is another meter\u{2019}s.",
        0x0711 => "Rules are announced a day ahead.",
        0x0712 => "There are as many changes as are kept. Try again when the first has come.",
        0x0713 => "The meter was cut: it contradicted itself, or lied. The operator decides.",
        0x0714 => "Meters are left, or readings that wait to be settled.",
        0x0715 => "The purse has less than that.",
        0x0716 => "Another thing was said of this slot before.",
        0x0717 => "The slot has not ended, or its time is over.",
        0x0718 => "The community asks for meters that are trusted more.",
        0x0719 => "More than the connection carries in a slot.",
        0x071a => "A later slot was read before.",
        0x071b => "The counters do not follow from those before. Choose the file again.",
        0x071c => "Too many slots wait to be settled. Settle some first.",
        0x071d => "What you paid in does not cover what it may cost. Pay in more.",
        0x071e => "What the retailer paid in does not cover what is fed in.",
        0x071f => "All of it was handed in before.",
        0x0720 => "No meter read this slot.",
        0x0721 => "Somebody settled it before. Nothing is lost but the fee.",
        0x0722 => "There is still time for readings.",
        0x0724 => "Fewer certificates are left.",
        0x0726 => "Nothing, or more than any order may be for.",
        0x0727 => "Neighbours do not trade by orders in this slot.",
        0x0728 => "The slot has begun, or is a day away.",
        0x0729 => "What you would pay at most is less than the fee for the way.",
        0x072a => "The meter has as many orders there as may wait. Take one back first.",
        0x072b => "It was met, or taken back, before.",
        _ => "The ledger would refuse it.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_keeps_every_wh() {
        for (wh, text) in
            [(0_u64, "0 Wh"), (999, "999 Wh"), (1_000, "1.000 kWh"), (1_234_567, "1,234.567 kWh")]
        {
            assert_eq!(energy(wh).replace(NBSP, " "), text);
        }
    }

    #[test]
    fn a_price_that_is_shown_can_be_typed_again() {
        for cost in [0, 1, 165_000, 1_000_000_000] {
            assert_eq!(price_of(&typed(cost)), Some(cost));
        }
        assert_eq!(price_of("cheap"), None);
    }
}
