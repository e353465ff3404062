//! `cargo xtask bench energy`: what settling costs, into docs/bench.md.
//!
//! The chore builds this program optimised and runs it again as `measure-energy`. What is measured is the
//! ledger's own code on records in memory: no disks, no agreement, no network.

mod street;

use std::{
    fmt::Write as _,
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use ledger::AccountId;
use ledger::domains::energy::{
    Booked, Entry, Friend, Limits, METERS_MAX, Mode, Order, Rules, Tariff, Trust, clear, outcome,
};
use primitives::{KeyPair, Seed};

use crate::{
    chores::Forwarded,
    house::{self, House},
    say,
};
use street::Street;

const BEGINNING: &str = "<!-- energy: written by cargo xtask bench energy -->";
const END: &str = "<!-- /energy -->";
/// Rounds of each measurement; the middle one counts.
const ROUNDS: usize = 5;
/// Orders of the auction that is measured by itself.
const ORDERS: u64 = 100_000;

/// Options of `measure-energy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A short look at whether it works: a hundredth of the sizes, nothing is written
    #[arg(long)]
    quick: bool,
}

/// Builds the optimised program and has it measure.
pub(crate) fn bench(house: &House, words: &Forwarded) -> Result<()> {
    let run = ["run", "--quiet", "--release", "--package", "xtask", "--", "measure-energy"];
    house::run(house.cargo(run).args(words.after_first()))
}

/// Measures, prints the section and writes it.
pub(crate) fn measure(house: &House, args: &Args) -> Result<()> {
    let part = if args.quick { 100 } else { 1 };
    let section = section(house, part)?;
    println!("{section}");
    if args.quick {
        return Ok(());
    }
    let path = house.root.join("docs/bench.md");
    let text = fs::read_to_string(&path).context("reading docs/bench.md")?;
    fs::write(&path, with_section(&text, &section)).context("writing docs/bench.md")?;
    say::note("written to docs/bench.md");
    Ok(())
}

/// The document with the section in the place of the one before, or at the end.
fn with_section(text: &str, section: &str) -> String {
    let place = text.find(BEGINNING).zip(text.find(END)).filter(|(from, to)| from < to);
    match place {
        Some((from, to)) => format!("{}{section}{}", &text[..from], &text[to + END.len()..]),
        None => format!("{}\n\n{section}\n", text.trim_end()),
    }
}

fn section(house: &House, part: u64) -> Result<String> {
    let said = |program: &str, words: &[&str]| -> Result<String> {
        Ok(house::read(house.command(program).args(words))?.trim().to_owned())
    };
    let date = said("date", &["-u", "+%F"])?;
    let commit = said("git", &["rev-parse", "--short", "HEAD"])?;
    let mut text = format!(
        "{BEGINNING}\n## Energy\n\nMeasured {date} at `{commit}` with `cargo xtask bench energy`: \
         release build, one thread, records in memory; no disks, no agreement, no network. The middle \
         of {ROUNDS} rounds.\n\n| | |\n|---|---|\n"
    );
    for meters in [10, METERS_MAX] {
        let mut street = Street::new(meters)?;
        let slots = if part == 1 { 200 } else { 4 };
        let (read, settled) = street.slots(slots)?;
        writeln!(
            text,
            "| slots settled per second on the ledger, {meters} meters that all read (mode 1) | {} |\n\
             | readings taken per second, one signature each | {} |",
            per_second(slots, settled),
            per_second(slots * u64::from(meters), read)
        )?;
    }
    for meters in [10, 1_000, 100_000 / part] {
        for (mode, name) in [(Mode::Sharing, "mid-market sharing"), (Mode::Auction, "auction")] {
            let (entries, rules) = (entries(meters), rules(mode));
            let times = times(meters).div_ceil(part);
            let took = middle(|| {
                (0..times).for_each(|_| drop(std::hint::black_box(outcome(&rules, &entries))));
            });
            let rate = per_second(times, took);
            writeln!(text, "| slots computed per second, {meters} meters, {name} | {rate} |")?;
        }
    }
    let (bids, offers) = (orders(ORDERS / part / 2, 90_000), orders(ORDERS / part / 2, 0));
    let took = middle(|| drop(std::hint::black_box(clear(&bids, &offers, 50_000))));
    writeln!(
        text,
        "| an auction of {} orders, with who supplied whom | {} ms |",
        bids.len() + offers.len(),
        took.as_millis()
    )?;
    // The quick look leaves the full one out: 96 slots of 128 signatures.
    for meters in [12, METERS_MAX].into_iter().take(if part == 1 { 2 } else { 1 }) {
        let bytes = Street::new(meters)?.bytes_of_a_day()?;
        writeln!(
            text,
            "| bytes on the ledger per meter and day, {meters} meters: records that are kept for a month | {} |\n\
             | transactions in blocks: readings of all meters together, and settling | {} |",
            bytes.records, bytes.transactions
        )?;
    }
    write!(
        text,
        "\nA community on the ledger has at most {METERS_MAX} meters (`METERS_MAX`): a settlement reads \
         and writes each. Larger ones are the same function, `outcome`, on so many readings, a tenth of \
         them with a friend. `xtask/src/bench_energy.rs`.\n{END}"
    )?;
    Ok(text)
}

/// How often a slot of so many meters is computed in a round: about as long for any.
fn times(meters: u64) -> u64 {
    (100_000 / meters).clamp(3, 10_000)
}

/// The middle of some rounds.
fn middle(mut work: impl FnMut()) -> Duration {
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    took.sort();
    took[ROUNDS / 2]
}

/// A rate of three digits.
fn per_second(count: u64, took: Duration) -> String {
    let micros = took.as_micros().max(1);
    let thousandths = u128::from(count) * 1_000_000_000 / micros;
    match thousandths {
        0..10_000 => format!("{}.{:02}", thousandths / 1_000, thousandths % 1_000 / 10),
        10_000..100_000 => format!("{}.{}", thousandths / 1_000, thousandths % 1_000 / 100),
        _ => (thousandths / 1_000).to_string(),
    }
}

fn rules(mode: Mode) -> Rules {
    let tariff = Tariff { retail: 300_000, feed_in: 80_000, grid_fee: 50_000 };
    Rules { mode, tariff, loss_ppm: 20_000, trust_min: Trust::SelfReported }
}

fn somebody() -> AccountId {
    AccountId::of_key(KeyPair::from_seed(Seed::from_number(1)).id())
}

/// Half of them take, half give, each its own amount and limits; every tenth has a friend.
fn entries(count: u64) -> Vec<Entry> {
    let owner = somebody();
    let mut rng = Seed::from_number(7).rng();
    let entry = |number: u64| {
        let meter = u32::try_from(number).unwrap_or(u32::MAX);
        let energy_wh = rng.u64(1..2_500);
        let takes = number.is_multiple_of(2);
        let friend = Friend { meter: meter.wrapping_add(1), price: rng.u64(80_000..165_000) };
        Entry {
            meter,
            owner,
            import_wh: if takes { energy_wh } else { 0 },
            export_wh: if takes { 0 } else { energy_wh },
            limits: Limits { buy: rng.u64(130_000..300_000), sell: rng.u64(80_000..250_000) },
            friend: number.is_multiple_of(10).then_some(friend),
            booked: Booked::default(),
            unpaid_wh: 0,
        }
    };
    (0..count).map(entry).collect()
}

fn orders(count: u64, above: u64) -> Vec<Order> {
    let owner = somebody();
    let mut rng = Seed::from_number(9 + above).rng();
    let order = |id: u64| Order {
        id,
        owner,
        limit: rng.u64(80_000..250_000) + above,
        quantity_wh: rng.u64(1..2_500),
    };
    (0..count).map(order).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_added_once_and_replaced_after() {
        let section = |text: &str| format!("{BEGINNING}\n{text}\n{END}");
        let once = with_section("# Figures\n", &section("one"));
        assert_eq!(once, format!("# Figures\n\n{}\n", section("one")));
        let more = format!("{once}\nbehind\n");
        let again = with_section(&more, &section("two"));
        assert_eq!(again, format!("# Figures\n\n{}\n\nbehind\n", section("two")));
    }

    #[test]
    fn a_small_street_settles_and_leaves_records() {
        let mut street = Street::new(9).unwrap();
        street.slots(2).unwrap();
        let bytes = Street::new(2).unwrap().bytes_of_a_day().unwrap();
        assert!(bytes.records > 96 * 50 && bytes.transactions > 96 * 100);
    }

    #[test]
    fn a_round_of_any_size_computes_enough_slots_to_be_measured() {
        assert_eq!([10, 1_000, 100_000, 1 << 40].map(times), [10_000, 100, 3, 3]);
    }

    #[test]
    fn a_rate_has_three_digits() {
        let rate = |count, micros| per_second(count, Duration::from_micros(micros));
        assert_eq!(
            [rate(3, 1_000_000), rate(25, 2_000_000), rate(5_000, 10_000)],
            ["3.00", "12.5", "500000"]
        );
    }
}
