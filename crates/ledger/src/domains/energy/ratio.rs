//! Whole parts of a whole.

/// Splits `total` in proportion to `weights`: each part rounded down, then one more for the largest
/// remainders, the earlier of equal ones first. Parts add up to `total` and none exceeds its weight
/// while `total` is at most their sum.
pub fn pro_rata(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u128 = weights.iter().copied().map(u128::from).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let share = |weight: &u64| u128::from(total) * u128::from(*weight);
    let narrow = |part: u128| u64::try_from(part).expect("a part is at most the total");
    let mut parts: Vec<u64> = weights.iter().map(|weight| narrow(share(weight) / sum)).collect();
    let given: u64 = parts.iter().sum();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    // Stable: equal remainders keep the order of the weights.
    order.sort_by_key(|index| core::cmp::Reverse(share(&weights[*index]) % sum));
    let missing = usize::try_from(total - given).expect("less than one per part is missing");
    order.iter().take(missing).for_each(|index| parts[*index] += 1);
    parts
}
