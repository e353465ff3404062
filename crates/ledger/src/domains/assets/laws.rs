//! What is always true of assets.

use super::state::{ASSETS, COUNT};
use crate::{
    AssetId, Scan,
    domains::{Broken, accounts},
};

pub(super) fn laws(state: &dyn Scan) -> Result<(), Broken> {
    let assets = ASSETS.all(state);
    let count = COUNT.get(state, &[]).unwrap_or_default();
    let known = u128::try_from(assets.len()).unwrap_or(u128::MAX);
    Broken::unless_equal("every number below the count is an asset", count.into(), known)?;
    for (number, (_, asset)) in (1..).zip(&assets) {
        let supply = accounts::supply(state, AssetId(number));
        let cap = asset.supply_max.unwrap_or(u128::MAX);
        Broken::unless_at_most("a supply is at most its cap", cap, supply)?;
    }
    for (asset, frozen) in accounts::frozen(state) {
        let index = usize::try_from(asset.0).unwrap_or(usize::MAX).checked_sub(1);
        let asset = index.and_then(|index| assets.get(index));
        let allowed = asset.is_some_and(|(_, asset)| asset.freezable);
        let law = "only what was declared so is frozen";
        Broken::unless_equal(law, 0, if allowed { 0 } else { frozen })?;
    }
    Ok(())
}
