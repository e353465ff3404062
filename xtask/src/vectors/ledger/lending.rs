//! Kinds of lending: `math`, `interest`, `rates`, `liquidation` case by case; `scenario-aave` played on
//! the domain, the full state compared after each step.

mod scenario;

use ledger::domains::lending::{
    Curve, Terms,
    math::{Rounding, U256, compounded, linear, percent_div, percent_mul, ray_div, ray_mul},
    rates, seize,
};
use serde_json::Value;

pub(crate) use scenario::check as check_scenario;

use super::{list, small, text};

type Case = Result<(), String>;

fn each_case(vector: &Value, check: fn(&Value) -> Case) -> Case {
    for (index, case) in list(vector, "cases")?.iter().enumerate() {
        check(case).map_err(|problem| format!("case {index}: {problem}"))?;
    }
    Ok(())
}

/// A number of up to 256 bits in decimal digits.
fn big(value: &Value, name: &str) -> Result<U256, String> {
    let digits = text(value, name)?;
    U256::from_str_radix(digits, 10).map_err(|_| format!("{name:?} is not a number: {digits}"))
}

/// Compares a number of the case with what was found.
fn equal<E>(case: &Value, name: &str, found: Result<U256, E>) -> Case {
    let expected = big(case, name)?;
    match found {
        Ok(found) if found == expected => Ok(()),
        Ok(found) => Err(format!("{name}: expected {expected}, found {found}")),
        Err(_) => Err(format!("{name}: expected {expected}, found an overflow")),
    }
}

/// Kind `math`: products and quotients of rays and of percentages in every rounding.
pub(crate) fn check_math(vector: &Value) -> Case {
    each_case(vector, |case| {
        let of_rays = case.get("a").is_some();
        let (first, second) = if of_rays { ("a", "b") } else { ("v", "p") };
        let (a, b) = (big(case, first)?, big(case, second)?);
        let names = case.as_object().ok_or("a case is not an object")?;
        for name in names.keys().filter(|name| ![first, second].contains(&name.as_str())) {
            let rounding = match name {
                _ if name.ends_with("Floor") => Rounding::Floor,
                _ if name.ends_with("Ceil") => Rounding::Ceil,
                _ => Rounding::Half,
            };
            let found = match name.trim_end_matches("Floor").trim_end_matches("Ceil") {
                "rayMul" => ray_mul(a, b, rounding),
                "rayDiv" => ray_div(a, b, rounding),
                "percentMul" => percent_mul(a, b, rounding),
                "percentDiv" => percent_div(a, b, rounding),
                other => return Err(format!("unknown function {other:?}")),
            };
            equal(case, name, found)?;
        }
        Ok(())
    })
}

/// Kind `interest`: growth of supply and of debt.
pub(crate) fn check_interest(vector: &Value) -> Case {
    each_case(vector, |case| {
        let (rate, seconds) = (big(case, "rate")?, small(case, "dt")?);
        equal(case, "linear", linear(rate, seconds))?;
        equal(case, "compounded", compounded(rate, seconds))
    })
}

/// Kind `rates`: the curve with its bend.
pub(crate) fn check_rates(vector: &Value) -> Case {
    each_case(vector, |case| {
        let curve = curve(case)?;
        let (debt, available) = (big(case, "totalDebt")?, big(case, "available")?);
        let (deficit, factor) = (big(case, "deficit")?, small(case, "reserveFactor")?);
        let found = rates(&curve, debt, available, deficit, factor);
        equal(case, "liquidityRate", found.map(|(supply, _)| supply))?;
        equal(case, "borrowRate", found.map(|(_, borrow)| borrow))
    })
}

/// The curve of an `irm`: optimal, base, first and second slope, in basis points.
fn curve(value: &Value) -> Result<Curve, String> {
    let points = list(value, "irm")?;
    let point = |index: usize| {
        let found = points.get(index).ok_or("\"irm\" is too short")?;
        let digits = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        digits.parse().map_err(|_| format!("\"irm\" holds {found}"))
    };
    let (optimal_bps, base_bps) = (point(0)?, point(1)?);
    Ok(Curve { optimal_bps, base_bps, slope1_bps: point(2)?, slope2_bps: point(3)? })
}

/// Kind `liquidation`: what changes hands.
pub(crate) fn check_liquidation(vector: &Value) -> Case {
    each_case(vector, |case| {
        let terms = Terms {
            collateral_price: big(case, "collateralPrice")?,
            collateral_unit: big(case, "collateralUnit")?,
            debt_price: big(case, "debtPrice")?,
            debt_unit: big(case, "debtUnit")?,
            bonus_bps: big(case, "bonusBps")?,
            protocol_fee_bps: big(case, "protocolFeeBps")?,
        };
        let found = seize(&terms, big(case, "debtToCover")?, big(case, "borrowerCollateral")?);
        equal(case, "collateralToLiquidator", found.map(|seizure| seizure.collateral))?;
        equal(case, "debtRepaid", found.map(|seizure| seizure.debt))?;
        equal(case, "protocolFee", found.map(|seizure| seizure.fee))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_open_vectors_pass() {
        let kinds = ["math", "interest", "rates", "liquidation", "scenario-aave"];
        super::super::check_file("lending_vectors_open.json", &kinds);
    }

    #[test]
    fn a_wrong_unit_fails() {
        let case = json!({ "a": "2", "b": "3", "rayMul": "1" });
        let vector = json!({ "cases": [case] });
        let problem = "case 0: rayMul: expected 1, found 0".to_owned();
        assert_eq!(check_math(&vector), Err(problem));
    }
}
