//! What a slot comes to after its book closed: what was traded before against what was measured.
//!
//! Trades stand, whatever is measured: who sold more than it fed in buys the rest from the grid at retail, who
//! bought more than it took gives the rest to it at feed-in. What counts as neighbours' energy, and moves
//! certificates, is only what was sold and fed in, as far as it was bought and taken.

use super::{
    Entry, Metered, Rules, Traded,
    outcome::{Left, Local},
    pro_rata, settle,
};

/// A meter against its book, in Wh. Either wants or has is nothing, and either bought or sold.
struct Against {
    /// Taken beyond what was given.
    wants_wh: u64,
    /// Given beyond what was taken.
    has_wh: u64,
    /// Of what it has, what arrives at neighbours.
    arrives_wh: u64,
    bought_wh: u64,
    sold_wh: u64,
}

fn against(rules: &Rules, entry: &Entry) -> Against {
    let has_wh = entry.export_wh.saturating_sub(entry.import_wh);
    Against {
        wants_wh: entry.import_wh.saturating_sub(entry.export_wh),
        has_wh,
        arrives_wh: rules.tradeable(has_wh),
        bought_wh: entry.booked.net_bought_wh(),
        sold_wh: entry.booked.net_sold_wh(),
    }
}

/// What the book left for friends: what was not bought of what is wanted, and what was not sold of what
/// arrives.
pub(super) fn left(rules: &Rules, entry: &Entry) -> Left {
    let one = against(rules, entry);
    Left {
        wants_wh: one.wants_wh.saturating_sub(one.bought_wh),
        has_wh: one.arrives_wh.saturating_sub(one.sold_wh),
    }
}

/// Wh that the grid supplies and takes, friends aside. What was sold and is lost on the way is missing, and
/// over where it was fed in.
pub(super) fn missing_and_over(rules: &Rules, entry: &Entry) -> (u64, u64) {
    let (import_wh, export_wh) = (entry.import_wh, entry.export_wh);
    let metered = Metered { id: entry.meter.into(), import_wh, export_wh };
    let (sold_wh, bought_wh) = (entry.booked.sold_wh, entry.booked.bought_wh);
    let settled = settle(&[Traded { metered, sold_wh, bought_wh }], &rules.tariff);
    let one = against(rules, entry);
    let lost_wh = one.has_wh.min(one.sold_wh).saturating_sub(one.arrives_wh);
    let narrow = |wh: u128| u64::try_from(wh).expect("Wh are bounded far below 64 bits");
    (narrow(settled.grid_in_wh) + lost_wh, narrow(settled.grid_out_wh) + lost_wh)
}

/// What was traded, as it is paid, and what of it stayed among neighbours; the mean price.
pub(super) fn traded(rules: &Rules, entries: &[Entry]) -> (u64, Vec<Local>) {
    let each = entries.iter().map(|entry| against(rules, entry));
    let (delivered, used): (Vec<u64>, Vec<u64>) =
        each.map(|one| (one.sold_wh.min(one.arrives_wh), one.bought_wh.min(one.wants_wh))).unzip();
    let volume_wh = delivered.iter().sum::<u64>().min(used.iter().sum());
    let (given, taken) = (pro_rata(volume_wh, &delivered), pro_rata(volume_wh, &used));
    let parts = entries.iter().zip(given).zip(taken);
    let locals = parts.map(|((entry, given_wh), taken_wh)| Local {
        taken_wh,
        given_wh,
        cost: entry.booked.cost.div_ceil(1_000),
        fee: entry.booked.fee / 1_000,
        revenue: entry.booked.revenue / 1_000,
    });
    let sold_wh: u128 = entries.iter().map(|entry| u128::from(entry.booked.sold_wh)).sum();
    let revenue: u128 = entries.iter().map(|entry| entry.booked.revenue).sum();
    let mean = revenue.checked_div(sold_wh).unwrap_or_default();
    let price = u64::try_from(mean).expect("a mean is at most the highest price");
    (price, locals.collect())
}
