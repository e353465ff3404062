//! What is typed into the form that opens a market, understood and checked: by the ledger's own rules, each
//! fault at the field where it can be mended.

use wallet::lending::{AssetId, Fault, Rates, Rules, faults};

use crate::money;

use super::super::words::percent_bps;

/// Numbers of a reserve.
pub(super) const NUMBERS: usize = 11;
/// One, in basis points.
const ALL_BPS: u32 = 10_000;
/// More than any rate may be: 1,000 % a year.
const RATE_BPS_MAX: u32 = 100_000;
/// Decimals by which caps are read where no asset is chosen.
const DECIMALS: u8 = 6;

/// Where something is typed or chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Asset,
    Feed,
    Number(Number),
}

/// A number of a reserve, in the order in which they stand in the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    SupplyCap,
    Ltv,
    Threshold,
    Bonus,
    ProtocolFee,
    BorrowCap,
    ReserveFactor,
    Optimal,
    Base,
    Slope1,
    Slope2,
}

/// All of them.
pub(super) const ALL: [Number; NUMBERS] = [
    Number::SupplyCap,
    Number::Ltv,
    Number::Threshold,
    Number::Bonus,
    Number::ProtocolFee,
    Number::BorrowCap,
    Number::ReserveFactor,
    Number::Optimal,
    Number::Base,
    Number::Slope1,
    Number::Slope2,
];
/// Those of what is pledged.
pub(super) const OF_PLEDGE: [Number; 4] =
    [Number::Ltv, Number::Threshold, Number::Bonus, Number::ProtocolFee];
/// Those of what is lent.
pub(super) const OF_LENT: [Number; 6] = [
    Number::BorrowCap,
    Number::ReserveFactor,
    Number::Optimal,
    Number::Base,
    Number::Slope1,
    Number::Slope2,
];

impl Number {
    /// Its name in the page's ids, what it is called, and what stands there first.
    pub(super) const fn told(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::SupplyCap => ("supply-cap", "Most that may be supplied", "10000"),
            Self::Ltv => ("ltv", "May be borrowed of its value", "70"),
            Self::Threshold => ("threshold", "Liquidated at", "80"),
            Self::Bonus => ("bonus", "Bonus of liquidators", "5"),
            Self::ProtocolFee => ("protocol-fee", "Of the bonus, for you", "10"),
            Self::BorrowCap => ("borrow-cap", "Most that may be owed", "8000"),
            Self::ReserveFactor => ("reserve-factor", "Of the interest, for you", "10"),
            Self::Optimal => ("optimal", "The curve bends at", "90"),
            Self::Base => ("base", "A year costs, with nothing lent out", "0"),
            Self::Slope1 => ("slope-1", "Added up to the bend", "4"),
            Self::Slope2 => ("slope-2", "Added from there to all", "60"),
        }
    }

    /// Whether it is an amount of the asset, not a percentage.
    pub(super) const fn is_amount(self) -> bool {
        matches!(self, Self::SupplyCap | Self::BorrowCap)
    }

    /// Most basis points that are taken; what the ledger says of less, it says itself.
    const fn most_bps(self) -> u32 {
        match self {
            Self::Optimal | Self::Base | Self::Slope1 | Self::Slope2 => RATE_BPS_MAX,
            _ => ALL_BPS,
        }
    }

    /// Its place in [`ALL`].
    pub(super) fn place(self) -> usize {
        ALL.iter().position(|one| *one == self).unwrap_or_default()
    }
}

/// What was typed of a reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) asset: Option<u32>,
    /// Decimals of that asset; none: none is chosen.
    pub(super) decimals: Option<u8>,
    pub(super) feed: Option<u32>,
    pub(super) is_pledged: bool,
    pub(super) is_lent: bool,
    pub(super) numbers: [String; NUMBERS],
}

/// What is wrong with a field, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// 0-based position of the reserve.
    pub(super) reserve: usize,
    pub(super) field: Field,
    pub(super) words: String,
}

/// What was typed, as rules, and what is wrong with them. A number that is none counts as what stood there first,
/// so that the others are judged all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) rules: Vec<Rules>,
    pub(super) problems: Vec<Problem>,
}

impl Draft {
    /// Reads what was typed.
    pub(super) fn read(typed: &[Typed]) -> Self {
        let mut problems = Vec::new();
        let rules: Vec<Rules> = typed
            .iter()
            .enumerate()
            .map(|(reserve, one)| {
                one.rules(&mut |field, words| {
                    problems.push(Problem { reserve, field, words });
                })
            })
            .collect();
        for (reserve, fault) in faults(&rules) {
            // What is not chosen is no asset twice.
            let chosen = typed.get(reserve).and_then(|one| one.asset);
            let is_twice =
                chosen.is_some() && typed.iter().take(reserve).any(|other| other.asset == chosen);
            if fault == Fault::AssetTwice && !is_twice {
                continue;
            }
            let told = rules.get(reserve).map(|rules| told(fault, rules));
            problems.extend(told.map(|(field, words)| Problem { reserve, field, words }));
        }
        Self { rules, problems }
    }

    /// What is wrong with a field: the first of it.
    pub(super) fn problem(&self, reserve: usize, field: Field) -> Option<String> {
        let of = |one: &&Problem| one.reserve == reserve && one.field == field;
        self.problems.iter().find(of).map(|one| one.words.clone())
    }

    /// What is odd about the market as a whole, and allowed.
    pub(super) fn odd(&self) -> Option<&'static str> {
        let any = |is: fn(&Rules) -> bool| self.rules.iter().any(is);
        match (any(|one| one.ltv_bps > 0), any(|one| one.borrowable)) {
            (true, true) => None,
            (false, _) => Some("Nothing may be borrowed: no asset is pledged."),
            (true, false) => Some("Nothing may be borrowed: no asset is lent."),
        }
    }
}

impl Typed {
    /// Of an asset that is not chosen the ledger's own stands there, and of a feed the first: a problem says so.
    fn rules(&self, wrong: &mut dyn FnMut(Field, String)) -> Rules {
        if self.asset.is_none() {
            wrong(Field::Asset, "Choose what is lent or pledged.".to_owned());
        }
        if self.feed.is_none() {
            wrong(Field::Feed, "Choose whose price counts.".to_owned());
        }
        let amount = |number: Number, wrong: &mut dyn FnMut(Field, String)| {
            let decimals = self.decimals.unwrap_or(DECIMALS);
            match money::read(self.text(number), decimals) {
                Some(0) => wrong(Field::Number(number), "0 would allow nothing.".to_owned()),
                Some(units) => return units,
                None => wrong(
                    Field::Number(number),
                    format!(
                        "That is no amount: expected digits, at most {decimals} after the point."
                    ),
                ),
            }
            0
        };
        let bps = |number: Number, wrong: &mut dyn FnMut(Field, String)| {
            percent(self.text(number), number.most_bps()).unwrap_or_else(|words| {
                wrong(Field::Number(number), words);
                percent(number.told().2, RATE_BPS_MAX).unwrap_or_default()
            })
        };
        let short = |bps: u32| u16::try_from(bps).unwrap_or(u16::MAX);
        let mut rules = Rules {
            asset: AssetId(self.asset.unwrap_or_default()),
            feed: self.feed.unwrap_or_default(),
            decimals: self.decimals.unwrap_or(DECIMALS),
            supply_cap: amount(Number::SupplyCap, wrong),
            borrowable: self.is_lent,
            ..plain()
        };
        if self.is_pledged {
            rules.ltv_bps = short(bps(Number::Ltv, wrong));
            rules.threshold_bps = short(bps(Number::Threshold, wrong));
            rules.bonus_bps = short(bps(Number::Bonus, wrong).saturating_add(ALL_BPS));
            rules.protocol_fee_bps = short(bps(Number::ProtocolFee, wrong));
        }
        if self.is_lent {
            rules.borrow_cap = amount(Number::BorrowCap, wrong);
            rules.reserve_factor_bps = short(bps(Number::ReserveFactor, wrong));
            rules.curve = Rates {
                optimal_bps: bps(Number::Optimal, wrong),
                base_bps: bps(Number::Base, wrong),
                slope1_bps: bps(Number::Slope1, wrong),
                slope2_bps: bps(Number::Slope2, wrong),
            };
        }
        rules
    }

    fn text(&self, number: Number) -> &str {
        self.numbers.get(number.place()).map_or("", String::as_str)
    }
}

/// Rules of an asset that is neither pledged nor lent.
const fn plain() -> Rules {
    Rules {
        asset: AssetId::NATIVE,
        feed: 0,
        decimals: DECIMALS,
        ltv_bps: 0,
        threshold_bps: 0,
        bonus_bps: 10_000,
        reserve_factor_bps: 1_000,
        protocol_fee_bps: 0,
        supply_cap: 0,
        borrow_cap: 0,
        borrowable: false,
        curve: Rates { optimal_bps: 9_000, base_bps: 0, slope1_bps: 400, slope2_bps: 6_000 },
    }
}

/// Basis points of what was typed as percent, or why there are none.
fn percent(text: &str, most_bps: u32) -> Result<u32, String> {
    let bps = money::read(text, 2).ok_or_else(|| {
        "That is no percentage: expected digits, at most 2 after the point.".to_owned()
    })?;
    let bps = u32::try_from(bps).ok().filter(|bps| *bps <= most_bps);
    bps.ok_or_else(|| format!("Expected at most {}.", percent_bps(most_bps.into())))
}

/// Where a fault is mended, and how.
fn told(fault: Fault, rules: &Rules) -> (Field, String) {
    let (number, words) = match fault {
        Fault::AssetTwice => {
            return (Field::Asset, "The market has this asset already.".to_owned());
        }
        Fault::Decimals => return (Field::Asset, "It has too many decimals.".to_owned()),
        Fault::Ltv => {
            let most = percent_bps(rules.threshold_bps.into());
            (Number::Ltv, format!("Expected at most {most}, at which it is liquidated."))
        }
        Fault::Bonus => (Number::Bonus, "Expected 0 or more.".to_owned()),
        Fault::BonusAndThreshold => {
            // The largest whose product with the threshold is below one.
            let most = 99_999_999_u32.checked_div(rules.threshold_bps.into()).unwrap_or_default();
            match most.checked_sub(ALL_BPS) {
                Some(most) => (
                    Number::Bonus,
                    format!(
                        "Expected at most {} with this threshold: a liquidation must leave more health.",
                        percent_bps(most.into())
                    ),
                ),
                None => (
                    Number::Threshold,
                    format!("Expected less than {}.", percent_bps(ALL_BPS.into())),
                ),
            }
        }
        Fault::ReserveFactor => (
            Number::ReserveFactor,
            format!("Expected less than {}: suppliers get the rest.", percent_bps(ALL_BPS.into())),
        ),
        Fault::ProtocolFee => {
            (Number::ProtocolFee, format!("Expected at most {}.", percent_bps(ALL_BPS.into())))
        }
        Fault::Optimal => {
            (Number::Optimal, format!("Expected {} to {}.", percent_bps(100), percent_bps(9_900)))
        }
        Fault::Slopes => {
            let least = percent_bps(rules.curve.slope1_bps.into());
            (Number::Slope2, format!("Expected at least {least}, as up to the bend."))
        }
        Fault::Steep => (
            Number::Slope2,
            format!("Expected at most {} a year in all.", percent_bps(RATE_BPS_MAX.into())),
        ),
    };
    (Field::Number(number), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the form begins, with what must be chosen.
    fn typed(asset: u32, is_pledged: bool) -> Typed {
        let numbers = ALL.map(|number| number.told().2.to_owned());
        let (decimals, feed) = (Some(6), Some(asset + 1));
        Typed { asset: Some(asset), decimals, feed, is_pledged, is_lent: !is_pledged, numbers }
    }

    fn with(number: Number, text: &str) -> Typed {
        let mut one = Typed { is_lent: true, ..typed(0, true) };
        text.clone_into(&mut one.numbers[number.place()]);
        one
    }

    fn check(typed: &[Typed], expected: &[(usize, Field, &str)]) {
        let draft = Draft::read(typed);
        let told = |one: &Problem| (one.reserve, one.field, one.words.replace('\u{a0}', " "));
        let problems: Vec<_> = draft.problems.iter().map(told).collect();
        let expected: Vec<_> =
            expected.iter().map(|(at, field, words)| (*at, *field, (*words).to_owned())).collect();
        assert_eq!(problems, expected);
    }

    #[test]
    fn what_stands_there_first_can_be_signed_once_assets_and_feeds_are_chosen() {
        let pair = [typed(0, true), typed(1, false)];
        let draft = Draft::read(&pair);
        assert_eq!((draft.problems, draft.rules.len()), (Vec::new(), 2));
        let [pledged, lent] = [&draft.rules[0], &draft.rules[1]];
        assert_eq!(
            (pledged.ltv_bps, pledged.threshold_bps, pledged.bonus_bps),
            (7_000, 8_000, 10_500)
        );
        assert_eq!((pledged.supply_cap, pledged.borrow_cap), (10_000_000_000, 0));
        assert!(!pledged.borrowable && lent.borrowable);
        assert_eq!((lent.ltv_bps, lent.threshold_bps, lent.bonus_bps), (0, 0, 10_000));
        assert_eq!(lent.borrow_cap, 8_000_000_000);
        assert_eq!(Draft::read(&pair).odd(), None);
        assert!(Draft::read(&pair[..1]).odd().unwrap().contains("no asset is lent"));
    }

    #[test]
    fn what_is_not_chosen_is_asked_for() {
        let empty = Typed { asset: None, feed: None, decimals: None, ..typed(0, true) };
        check(
            &[typed(0, true), empty],
            &[
                (1, Field::Asset, "Choose what is lent or pledged."),
                (1, Field::Feed, "Choose whose price counts."),
            ],
        );
        let none = Typed { asset: None, ..typed(0, false) };
        check(&[none, typed(0, true)], &[(0, Field::Asset, "Choose what is lent or pledged.")]);
        check(
            &[typed(0, true), typed(0, false)],
            &[(1, Field::Asset, "The market has this asset already.")],
        );
    }

    #[test]
    fn each_number_is_told_of_beside_its_field() {
        use Number::{
            Base, Bonus, BorrowCap, Ltv, Optimal, ReserveFactor, Slope2, SupplyCap, Threshold,
        };
        let no_percent = "That is no percentage: expected digits, at most 2 after the point.";
        for (number, text, words) in [
            (Ltv, "80.01", "Expected at most 80 %, at which it is liquidated."),
            (Ltv, "a lot", no_percent),
            (Ltv, "", no_percent),
            (Threshold, "100", "Expected less than 100 %."),
            (
                Bonus,
                "25",
                "Expected at most 24.99 % with this threshold: a liquidation must leave more health.",
            ),
            (Bonus, "700", "Expected at most 100 %."),
            (ReserveFactor, "100", "Expected less than 100 %: suppliers get the rest."),
            (Optimal, "99.5", "Expected 1 % to 99 %."),
            (Base, "936.01", "Expected at most 1000 % a year in all."),
            (Slope2, "3", "Expected at least 4 %, as up to the bend."),
            (SupplyCap, "0", "0 would allow nothing."),
            (
                BorrowCap,
                "1.2345678",
                "That is no amount: expected digits, at most 6 after the point.",
            ),
        ] {
            check(&[with(number, text)], &[(0, Field::Number(number_of(number, words)), words)]);
        }
    }

    /// A sum of rates is mended at its last part.
    fn number_of(typed: Number, words: &str) -> Number {
        if words.contains("in all") { Number::Slope2 } else { typed }
    }

    #[test]
    fn the_largest_bonus_that_is_told_is_one_that_the_ledger_takes() {
        for threshold in ["1", "33.33", "80", "99.99"] {
            let mut one = with(Number::Threshold, threshold);
            "1".clone_into(&mut one.numbers[Number::Ltv.place()]);
            "100".clone_into(&mut one.numbers[Number::Bonus.place()]);
            let told = Draft::read(&[one.clone()]);
            let Some(words) = told.problem(0, Field::Number(Number::Bonus)) else { continue };
            let most = words.split_whitespace().nth(3).unwrap();
            most.clone_into(&mut one.numbers[Number::Bonus.place()]);
            assert!(Draft::read(&[one]).problems.is_empty(), "{threshold}: {most}");
        }
    }
}
