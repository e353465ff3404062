//! What holds from a block on: other fees and bounds, and by which rules blocks are made.
//!
//! Validators agree on it outside of the ledger, by the same lines in everybody's network file before
//! that block. The first such block writes the ledger's choices, so that they are proved like every
//! record. A program that does not know the rules of a line does not start with it; a validator
//! without the line finds another state in that block than the others, and stops there.

use std::collections::BTreeMap;

use ledger::{BlockRun, Params};
use serde::{Deserialize, Serialize};

/// The newest rules that this program can make blocks by.
pub const RULES: u32 = 1;
/// Most upgrades of a ledger.
pub const UPGRADES_MAX: usize = 1_000;

/// What holds from a block on. What is left out stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upgrade {
    /// From which block on.
    pub height: u64,
    /// By which rules blocks are made. Default 1, the first.
    #[serde(default = "first")]
    pub rules: u32,
    /// See [`Params::fee_base`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_base: Option<u64>,
    /// See [`Params::fee_per_byte`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_per_byte: Option<u64>,
    /// See [`Params::fee_per_work`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_per_work: Option<u64>,
    /// See [`Params::block_bytes_max`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_bytes_max: Option<u64>,
    /// See [`Params::block_work_max`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_work_max: Option<u64>,
}

fn first() -> u32 {
    1
}

/// Why upgrades can't be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    /// The program is too old.
    #[error(
        "from block {height} on, blocks follow rules {rules}, and this program knows rules up to {RULES}: \
         install a newer one"
    )]
    Rules {
        /// From which block on.
        height: u64,
        /// The rules.
        rules: u32,
    },
    /// They are not in order.
    #[error(
        "upgrades rise in height, from block 1 on, and their rules do not fall: look at block {0}"
    )]
    Order(u64),
    /// Blocks would be larger than a program can bear.
    #[error("the upgrade of block {0} allows larger blocks than the code")]
    Bounds(u64),
    /// More than [`UPGRADES_MAX`].
    #[error("expected at most {UPGRADES_MAX} upgrades")]
    Count,
}

/// Upgrades of a ledger, by height. Those that this program can follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Upgrades(BTreeMap<u64, Upgrade>);

impl Upgrade {
    /// The choices of a ledger that had these.
    fn change(&self, params: &Params) -> Params {
        let Params { fee_account, .. } = params;
        Params {
            fee_base: self.fee_base.unwrap_or(params.fee_base),
            fee_per_byte: self.fee_per_byte.unwrap_or(params.fee_per_byte),
            fee_per_work: self.fee_per_work.unwrap_or(params.fee_per_work),
            fee_account: *fee_account,
            block_bytes_max: self.block_bytes_max.unwrap_or(params.block_bytes_max),
            block_work_max: self.block_work_max.unwrap_or(params.block_work_max),
        }
    }
}

impl Upgrades {
    /// Those of a ledger that began with these choices.
    pub(crate) fn new(params: &Params, listed: &[Upgrade]) -> Result<Self, UpgradeError> {
        if listed.len() > UPGRADES_MAX {
            return Err(UpgradeError::Count);
        }
        let (mut last, mut params) = ((0, 1), params.clone());
        for Upgrade { height, rules, .. } in listed {
            if *height <= last.0 || *rules < last.1 {
                return Err(UpgradeError::Order(*height));
            }
            last = (*height, *rules);
        }
        for upgrade in listed {
            let Upgrade { height, rules, .. } = *upgrade;
            if rules > RULES {
                return Err(UpgradeError::Rules { height, rules });
            }
            params = upgrade.change(&params);
            if !params.fits() {
                return Err(UpgradeError::Bounds(height));
            }
        }
        Ok(Self(listed.iter().map(|one| (one.height, one.clone())).collect()))
    }

    /// What holds from the block on that begins. `None`: it can't be.
    pub(crate) fn begin(&self, height: u64, run: &mut BlockRun<'_>) -> Option<()> {
        match self.0.get(&height) {
            Some(upgrade) => run.choose(upgrade.change(run.params())),
            None => Some(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upgrade(height: u64) -> Upgrade {
        toml::from_str(&format!("height = {height}")).unwrap()
    }

    fn checked(listed: &[Upgrade]) -> Result<Upgrades, UpgradeError> {
        Upgrades::new(&Params::default(), listed)
    }

    #[test]
    fn rules_that_this_program_does_not_know_are_refused_in_words() {
        let newer = Upgrade { rules: RULES + 1, ..upgrade(120_000) };
        let refused = checked(&[upgrade(5), newer]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "from block 120000 on, blocks follow rules 2, and this program knows rules up to 1: \
             install a newer one"
        );
    }

    #[test]
    fn upgrades_are_in_order_and_within_bounds() {
        assert!(checked(&[]).is_ok());
        assert!(checked(&[upgrade(1), upgrade(2)]).is_ok());
        for (bad, height) in [(vec![0], 0), (vec![2, 2], 2), (vec![3, 2], 2)] {
            let listed: Vec<Upgrade> = bad.into_iter().map(upgrade).collect();
            assert_eq!(checked(&listed), Err(UpgradeError::Order(height)));
        }
        let falls = Upgrade { rules: 0, ..upgrade(9) };
        assert_eq!(checked(&[falls]), Err(UpgradeError::Order(9)));
        let large = Upgrade { block_bytes_max: Some(u64::MAX), ..upgrade(7) };
        assert_eq!(checked(&[large]), Err(UpgradeError::Bounds(7)));
        let many: Vec<Upgrade> = (1..).take(UPGRADES_MAX + 1).map(upgrade).collect();
        assert_eq!(checked(&many), Err(UpgradeError::Count));
    }

    #[test]
    fn what_an_upgrade_does_not_name_stays() {
        let upgrade = Upgrade { fee_base: Some(7), ..upgrade(3) };
        let params = upgrade.change(&Params::default());
        assert_eq!(params, Params { fee_base: 7, ..Params::default() });
    }
}
