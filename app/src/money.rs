//! Units of the ledger's own asset, as people read and write them.

/// Digits after the point.
const DECIMALS: usize = 6;
/// What the asset is called.
pub(crate) const SYMBOL: &str = "STAR";

/// `12.5`, `1,204.000001`: as many digits after the point as say something, two at least.
pub(crate) fn amount(units: u128) -> String {
    let scale = 10u128.pow(6);
    let (whole, rest) = (units / scale, units % scale);
    let digits = format!("{rest:0width$}", width = DECIMALS);
    let trimmed = digits.trim_end_matches('0');
    let fraction = if trimmed.len() < 2 { &digits[..2] } else { trimmed };
    format!("{}.{fraction}", grouped(whole))
}

/// The same with the asset's name, never parted at a line's end.
pub(crate) fn named(units: u128) -> String {
    format!("{}\u{a0}{SYMBOL}", amount(units))
}

fn grouped(whole: u128) -> String {
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

/// Units in what a person typed: digits with at most one point or comma before the fraction.
pub(crate) fn units(typed: &str) -> Option<u128> {
    let typed = typed.trim().replace(',', ".");
    let (whole, fraction) = typed.split_once('.').unwrap_or((&typed, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || fraction.len() > DECIMALS || typed.len() > 30 {
        return None;
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let padded = format!("{fraction:0<width$}", width = DECIMALS);
    format!("{whole}{padded}").parse().ok()
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
    }
}
