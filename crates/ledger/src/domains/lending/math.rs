//! Fixed-point numbers, with 256 bits between the steps.
//!
//! A ray has 27 decimals, a wad 18, basis points 4. Every division says which way it rounds. The
//! formulas are those of Aave v3.7 (`WadRayMath`, `PercentageMath`, `MathUtils`), so that balances
//! agree to the last unit.

pub use ruint::aliases::U256;

/// 1.0 with 27 decimals.
pub const RAY: u128 = 1_000_000_000_000_000_000_000_000_000;
/// 1.0 with 18 decimals.
pub const WAD: u128 = 1_000_000_000_000_000_000;
/// 1.0 in basis points.
pub const BPS: u128 = 10_000;
/// Seconds of a year of 365 days, over which rates are given.
pub const YEAR_S: u128 = 31_536_000;

/// Which way a division goes when it does not come out even.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the smaller.
    Floor,
    /// To the nearer, halves to the larger.
    Half,
    /// To the larger.
    Ceil,
}

/// A number beyond the 256 bits of intermediates or the 128 bits of the state, or a division by
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow;

/// `a * b / divisor`.
pub fn mul_div(a: U256, b: U256, divisor: U256, rounding: Rounding) -> Result<U256, Overflow> {
    if divisor.is_zero() {
        return Err(Overflow);
    }
    let product = a.checked_mul(b).ok_or(Overflow)?;
    let added = match rounding {
        Rounding::Floor => U256::ZERO,
        Rounding::Half => divisor >> 1,
        Rounding::Ceil => divisor - U256::ONE,
    };
    Ok(product.checked_add(added).ok_or(Overflow)? / divisor)
}

/// Product of two numbers of which one is in rays.
pub fn ray_mul(a: U256, b: U256, rounding: Rounding) -> Result<U256, Overflow> {
    mul_div(a, b, wide(RAY), rounding)
}

/// Quotient in rays.
pub fn ray_div(a: U256, b: U256, rounding: Rounding) -> Result<U256, Overflow> {
    mul_div(a, wide(RAY), b, rounding)
}

/// Share of a value in basis points.
pub fn percent_mul(value: U256, bps: U256, rounding: Rounding) -> Result<U256, Overflow> {
    mul_div(value, bps, wide(BPS), rounding)
}

/// The value of which `value` is a share in basis points.
pub fn percent_div(value: U256, bps: U256, rounding: Rounding) -> Result<U256, Overflow> {
    mul_div(value, wide(BPS), bps, rounding)
}

/// Growth of supply over `seconds` at `rate` rays a year: 1 + rate * time, rounded down.
pub fn linear(rate: U256, seconds: u64) -> Result<U256, Overflow> {
    let grown = mul_div(rate, U256::from(seconds), wide(YEAR_S), Rounding::Floor)?;
    grown.checked_add(wide(RAY)).ok_or(Overflow)
}

/// Growth of debt over `seconds` at `rate` rays a year: e^x to the third power of x = rate * time.
pub fn compounded(rate: U256, seconds: u64) -> Result<U256, Overflow> {
    let x = mul_div(rate, U256::from(seconds), wide(YEAR_S), Rounding::Floor)?;
    let cube = ray_mul(x, x / U256::from(6_u8), Rounding::Half)?;
    let inner = (x >> 1_usize).checked_add(cube).ok_or(Overflow)?;
    let curved = ray_mul(x, inner, Rounding::Half)?;
    let grown = wide(RAY).checked_add(x).ok_or(Overflow)?;
    grown.checked_add(curved).ok_or(Overflow)
}

/// A number of the state with room for intermediates.
pub fn wide(number: u128) -> U256 {
    U256::from(number)
}

/// A number that must fit the state.
pub fn narrow(number: U256) -> Result<u128, Overflow> {
    u128::try_from(number).map_err(|_| Overflow)
}
