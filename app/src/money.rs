//! Units of assets, the ledger's own first, as people read and write them.

use wallet::lending::{Asset, NATIVE_DECIMALS};

/// What the ledger's own asset is called.
pub(crate) const SYMBOL: &str = "STAR";
/// Digits after the point that are shown of an amount; typed and signed are all.
const SHOWN: usize = 6;
/// Most bytes of an amount that is typed: 128 bits have 39 digits.
const TYPED_BYTES_MAX: usize = 60;

/// Units of the ledger's own asset for reading: `12.50`, `1,204.000001`.
pub(crate) fn amount(units: u128) -> String {
    shown(units, NATIVE_DECIMALS)
}

/// The same with the asset's name, never parted at a line's end.
pub(crate) fn named(units: u128) -> String {
    format!("{}\u{a0}{SYMBOL}", amount(units))
}

/// What an asset is called. Anybody may call theirs as the ledger's own: then its number is said.
pub(crate) fn symbol(asset: &Asset) -> String {
    match &asset.issuer {
        None => SYMBOL.to_owned(),
        Some(_) if asset.symbol.trim().eq_ignore_ascii_case(SYMBOL) => {
            format!("{} (asset {})", asset.symbol, asset.id)
        }
        Some(_) => asset.symbol.clone(),
    }
}

/// Units of any asset for reading, with its name.
pub(crate) fn units_of(units: u128, asset: &Asset) -> String {
    format!("{}\u{a0}{}", shown(units, asset.decimals), symbol(asset))
}

/// Units with all their digits, as they can be typed.
pub(crate) fn exact(units: u128, decimals: u8) -> String {
    let (whole, digits) = parts(units, decimals);
    let trimmed = digits.trim_end_matches('0');
    if trimmed.is_empty() { whole.to_string() } else { format!("{whole}.{trimmed}") }
}

/// Units for reading, rounded down: two digits after the point at least, [`SHOWN`] at most.
pub(crate) fn shown(units: u128, decimals: u8) -> String {
    let (whole, digits) = parts(units, decimals);
    let trimmed = digits.get(..SHOWN).unwrap_or(&digits).trim_end_matches('0');
    if whole == 0 && units > 0 && trimmed.is_empty() {
        return format!("under 0.{:0>SHOWN$}", 1);
    }
    format!("{}.{trimmed:0<2}", grouped(whole))
}

/// What is before the point, and the digits after it, as many as there are decimals.
pub(crate) fn parts(units: u128, decimals: u8) -> (u128, String) {
    let scale = 10_u128.checked_pow(decimals.into()).unwrap_or(u128::MAX);
    let width = usize::from(decimals);
    let digits = format!("{:0width$}", units % scale);
    (units / scale, if decimals == 0 { String::new() } else { digits })
}

/// A whole number with a comma before every three digits.
pub(crate) fn grouped(whole: u128) -> String {
    let digits = whole.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Units of the ledger's own asset in what a person typed.
pub(crate) fn units(typed: &str) -> Option<u128> {
    read(typed, NATIVE_DECIMALS)
}

/// Units in what a person typed: digits with at most one point or comma before the fraction. `None`: it
/// is no amount of that many decimals.
pub(crate) fn read(typed: &str, decimals: u8) -> Option<u128> {
    let typed = typed.trim().replace(',', ".");
    let (whole, fraction) = typed.split_once('.').unwrap_or((&typed, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let decimals = usize::from(decimals);
    if !plain(whole) || !plain(fraction) || fraction.len() > decimals {
        return None;
    }
    let empty = whole.is_empty() && fraction.is_empty();
    if empty || typed.len() > TYPED_BYTES_MAX {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_typed_again() {
        for (units_shown, text) in [
            (0, "0.00"),
            (1, "0.000001"),
            (10_000_000, "10.00"),
            (1_234_567_890_000, "1,234,567.89"),
        ] {
            assert_eq!(amount(units_shown), text);
            let typed = text.replace(',', "");
            assert_eq!(units(&typed), Some(units_shown));
        }
    }

    #[test]
    fn what_is_no_amount_is_none() {
        for text in ["", ".", "-1", "1e3", "0.0000001", "1.2.3", "one"] {
            assert_eq!(units(text), None, "{text}");
        }
        assert_eq!(units(" 2,5 "), Some(2_500_000));
        assert_eq!(units(".5"), Some(500_000));
        assert_eq!(read("0.0000001", 6), None, "more digits than the asset has");
        assert_eq!(read("1e3", 6), None);
    }

    #[test]
    fn of_many_decimals_a_few_are_shown() {
        for (units, text) in [
            (0, "0.00"),
            (1_500_000_000_000_000_000, "1.50"),
            (1_234_000_000_000_000_000_001, "1,234.00"),
            (1, "under 0.000001"),
        ] {
            assert_eq!(shown(units, 18), text);
        }
        assert_eq!(shown(5, 0), "5.00");
    }
}
