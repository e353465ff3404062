//! Decimal numbers as exact energies.

use crate::Reason;
use crate::limits::INTERVAL_WH_MAX;

/// Most digits of a number that is read.
const DIGITS_MAX: usize = 24;
/// Largest number that is read, in millionths of a Wh; sums of some stay far inside an `i128`.
const VALUE_MAX: i128 = 10_i128.pow(30);
/// Millionths of a Wh in a Wh.
pub(crate) const MICRO: i128 = 1_000_000;

/// Power of ten of a unit of energy, in millionths of a Wh; any case.
pub(crate) fn unit_power(unit: &str) -> Option<i32> {
    match unit.trim().to_ascii_lowercase().as_str() {
        "wh" => Some(6),
        "kwh" => Some(9),
        "mwh" => Some(12),
        _ => None,
    }
}

/// A decimal number of units of `10^power` millionths of a Wh, in millionths of a Wh: exact down to
/// there, then half up. A sign, a point and an exponent may stand in it.
pub(crate) fn micro_wh(text: &str, power: i32) -> Result<i128, Reason> {
    let text = text.trim();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().map_err(|_| Reason::Number)?),
        None => (text, 0_i32),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let count = whole.len() + fraction.len();
    let all = || whole.bytes().chain(fraction.bytes());
    if count == 0 || count > DIGITS_MAX || !all().all(|byte| byte.is_ascii_digit()) {
        return Err(Reason::Number);
    }
    let number = all().fold(0_i128, |sum, byte| sum * 10 + i128::from(byte - b'0'));
    let decimals = i32::try_from(fraction.len()).map_err(|_| Reason::Number)?;
    let shift = power.saturating_add(exponent).saturating_sub(decimals);
    let value =
        shifted(number, shift).filter(|value| *value <= VALUE_MAX).ok_or(Reason::TooMuch)?;
    Ok(if negative { -value } else { value })
}

/// A number that is not negative, times `10^shift`.
fn shifted(number: i128, shift: i32) -> Option<i128> {
    match u32::try_from(shift) {
        _ if number == 0 => Some(0),
        Ok(up) => number.checked_mul(10_i128.checked_pow(up)?),
        Err(_) => match 10_i128.checked_pow(shift.unsigned_abs()) {
            Some(divisor) => Some((number + divisor / 2) / divisor),
            None => Some(0),
        },
    }
}

/// Whole Wh of an interval, half up: each interval by itself, so that another file with the same
/// interval says the same.
pub(crate) fn whole_wh(micro: i128) -> Result<u64, Reason> {
    if micro < 0 {
        return Err(Reason::Negative);
    }
    let wh = u64::try_from((micro + MICRO / 2) / MICRO).map_err(|_| Reason::TooMuch)?;
    if wh > INTERVAL_WH_MAX { Err(Reason::TooMuch) } else { Ok(wh) }
}

/// How much the whole Wh are more than the exact energy, in millionths.
pub(crate) fn rounding(micro: i128, wh: u64) -> i128 {
    i128::from(wh) * MICRO - micro
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_whatever_their_unit() {
        let kwh = |text| micro_wh(text, 9);
        assert_eq!(kwh("1.111"), Ok(1_111_000_000));
        assert_eq!(kwh(".048"), Ok(48_000_000));
        assert_eq!(kwh("-2"), Ok(-2_000_000_000));
        assert_eq!(kwh("1.2e-05"), Ok(12_000));
        assert_eq!(micro_wh("12.", 6), Ok(12_000_000));
        assert_eq!(micro_wh("0.00000049", 6), Ok(0));
        assert_eq!(micro_wh("0.0000005", 6), Ok(1), "half a millionth goes up");
        assert_eq!(micro_wh("0", 2_000_000_000), Ok(0));
        for wrong in ["", "-", ".", "1,5", "1.2.3", "0x1", "nan", "1e", "1234567890123456789012345"]
        {
            assert_eq!(kwh(wrong), Err(Reason::Number), "{wrong}");
        }
        assert_eq!(kwh("1e40"), Err(Reason::TooMuch));
    }

    #[test]
    fn an_interval_is_whole_watt_hours_half_up() {
        assert_eq!(whole_wh(499_999), Ok(0));
        assert_eq!(whole_wh(500_000), Ok(1));
        assert_eq!(whole_wh(-1), Err(Reason::Negative));
        assert_eq!(whole_wh(1_000_000_001 * MICRO), Err(Reason::TooMuch));
        assert_eq!(rounding(500_000, 1), 500_000);
    }
}
