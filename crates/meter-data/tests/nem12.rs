//! NEM12 from real samples and by hand: what each record means, and that a bad one costs itself only.

#![allow(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

use std::fmt::Write as _;

use meter_data::{
    Direction, Format, Meter, Options, Quality, Reading, Reason, Warning, Zone, read,
};

const QUALITIES: &[u8] = include_bytes!("data/nem12/multiple_quality.csv");
const LENGTHS: &[u8] = include_bytes!("data/nem12/different_interval_length.csv");
const SUBSTITUTED: &[u8] = include_bytes!("data/nem12/substituted_interval.csv");
const BAD_LENGTH: &[u8] = include_bytes!("data/nem12/bad_15min_200_30min_300.csv");
const BAD_DAY: &[u8] = include_bytes!("data/nem12/bad_incomplete_interval.csv");
const NO_HEADER: &[u8] = include_bytes!("data/nem12/bad_powercor_missing_fields.csv");
/// Midnight of 2026-10-25 in the market, in seconds since 1970.
const MIDNIGHT_S: i64 = 1_792_850_400;

fn reading(bytes: &[u8]) -> Reading {
    read(bytes, &Options::default()).unwrap()
}

fn only(reading: &Reading) -> &Meter {
    assert_eq!(reading.meters.len(), 1);
    &reading.meters[0]
}

fn problems(reading: &Reading) -> Vec<(usize, Reason)> {
    reading.report.problems.iter().map(|problem| (problem.line, problem.reason)).collect()
}

fn warnings(reading: &Reading) -> Vec<Warning> {
    reading.report.warnings.iter().map(|warned| warned.warning).collect()
}

/// A file of one day of one register, all values alike.
fn day(suffix: &str, unit: &str, minutes: usize, value: &str, quality: &str, rest: &str) -> String {
    let mut text = format!(
        "100,NEM12,202610260000,A,B\n200,NMI1,{suffix},1,{suffix},N1,M1,{unit},{minutes},\n300,20261025"
    );
    (0..1440 / minutes).for_each(|_| write!(text, ",{value}").unwrap());
    text + "," + quality + ",,,20261026000000,\n" + rest
}

#[test]
fn a_day_with_several_qualities_is_read_whole() {
    let reading = reading(QUALITIES);
    let meter = only(&reading);
    assert_eq!((reading.report.format, meter.id.as_str()), (Format::Nem12, "CCCC123456"));
    assert_eq!(reading.report.zone, "+10:00");
    let channel = &meter.channels[0];
    assert_eq!((channel.intervals, channel.substituted, channel.total_wh), (48, 44, 896_990));
    assert_eq!(meter.intervals[0].import_wh, Some(18_023));
    assert_eq!(meter.intervals[0].export_wh, None);
    // 2004-04-17 00:00 in the market is 14:00 of the day before in UTC.
    assert_eq!(meter.intervals[0].start_s, 1_082_124_000);
    let qualities = [0, 19, 20, 23, 24, 47].map(|index| meter.intervals[index].quality);
    let (bad, good) = (Quality::Substituted, Quality::Measured);
    assert_eq!(qualities, [bad, bad, good, good, bad, bad]);
    assert_eq!((problems(&reading), warnings(&reading)), (vec![], vec![]));
    let slots = meter.slots();
    assert_eq!((slots.slots.len(), slots.incomplete), (96, 0));
    assert_eq!(slots.slots.iter().map(|slot| slot.import_wh).sum::<u64>(), 896_990);
    assert!(slots.slots.iter().all(|slot| slot.cut));
}

#[test]
fn registers_of_consumption_are_added_and_volts_are_not() {
    let reading = reading(LENGTHS);
    let meter = only(&reading);
    let names: Vec<_> = meter.channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["E1", "E2"]);
    assert_eq!(meter.intervals[0].import_wh, Some(13_000));
    assert_eq!(meter.intervals.len(), 48);
    assert_eq!(problems(&reading), []);
}

#[test]
fn reactive_energy_is_passed_over() {
    let reading = reading(SUBSTITUTED);
    let channel = &only(&reading).channels[0];
    assert_eq!((channel.intervals, channel.substituted), (48, 48));
    assert_eq!(problems(&reading), []);
}

#[test]
fn a_day_of_another_length_than_its_register_is_refused() {
    let reading = reading(BAD_LENGTH);
    assert!(reading.is_empty());
    assert_eq!(problems(&reading), [(3, Reason::Fields)]);
}

#[test]
fn a_bad_day_costs_itself_only() {
    let reading = reading(BAD_DAY);
    assert_eq!(only(&reading).channels[0].intervals, 48);
    assert_eq!(problems(&reading), [(3, Reason::Fields)]);
}

#[test]
fn a_file_without_its_header_is_read_and_what_contradicts_is_told() {
    let reading = reading(NO_HEADER);
    let channel = &only(&reading).channels[0];
    assert_eq!((channel.intervals, channel.duplicates_conflicting), (48, 48));
    assert_eq!(channel.total_wh, 48 * 1111, "the first stays");
    assert_eq!(warnings(&reading), [Warning::NoHeader]);
}

#[test]
fn units_suffixes_and_lengths_are_what_they_say() {
    for (suffix, unit, minutes, value, wh) in [
        ("E1", "kWh", 30, "0.012", 12),
        ("e1", "KWH", 15, "0.012", 12),
        ("E2", "Wh", 15, "12", 12),
        ("B1", "wh", 5, "12", 12),
        ("B1", "MWH", 30, "0.000012", 12),
    ] {
        let reading = reading(day(suffix, unit, minutes, value, "A", "900").as_bytes());
        let meter = only(&reading);
        let first = meter.intervals[0];
        let import = suffix.eq_ignore_ascii_case("E1") || suffix == "E2";
        let way = if import { Direction::Import } else { Direction::Export };
        assert_eq!(first.wh(way), Some(wh), "{suffix} {unit}");
        assert_eq!(
            (first.start_s, usize::try_from(first.length_s)),
            (MIDNIGHT_S, Ok(minutes * 60))
        );
        assert_eq!(meter.intervals.len(), 1440 / minutes);
        assert_eq!(meter.slots().slots.len(), 96);
    }
    let refused = |text: String| problems(&reading(text.as_bytes()))[0];
    assert_eq!(refused(day("E1", "kVArh", 30, "1", "A", "900")), (2, Reason::Unit));
    assert_eq!(refused(day("E1", "kWh", 10, "1", "A", "900")), (2, Reason::Field("minutes")));
    assert_eq!(refused(day("E1", "kWh", 30, "x", "A", "900")), (3, Reason::Number));
    assert_eq!(refused(day("E1", "kWh", 30, "-1", "A", "900")), (3, Reason::Negative));
    assert_eq!(refused(day("E1", "kWh", 30, "1", "Z", "900")), (3, Reason::Field("quality")));
}

#[test]
fn values_that_do_not_exist_are_gaps_and_not_zero() {
    let rest = "400,1,46,A,,\n400,47,47,N,,\n400,48,48,S14,1,\n900\n";
    let reading = reading(day("E1", "kWh", 30, "1", "V", rest).as_bytes());
    let meter = only(&reading);
    let channel = &meter.channels[0];
    assert_eq!((channel.intervals, channel.substituted, channel.gap_count), (47, 1, 1));
    assert_eq!(channel.gap_s, 1800);
    assert_eq!(warnings(&reading), [Warning::NullValues]);
    assert_eq!(meter.slots().slots.len(), 94);
}

#[test]
fn qualities_that_are_not_said_cost_their_values() {
    let reading = reading(day("E1", "kWh", 30, "1", "V", "400,1,40,A,,\n900").as_bytes());
    assert_eq!(only(&reading).intervals.len(), 40);
    assert_eq!(problems(&reading), [(3, Reason::Field("quality"))]);
}

#[test]
fn records_out_of_place_are_named_with_their_line() {
    let text = "300,20261025,1\n400,1,2,A\n777,1\n200,NMI,E1,1,E1,N1\n";
    let options = Options { format: Some(Format::Nem12), ..Options::default() };
    let reading = read(text.as_bytes(), &options).unwrap();
    let expected = [(1, Reason::Order), (3, Reason::UnknownRecord), (4, Reason::Fields)];
    assert_eq!(problems(&reading), expected, "qualities of a day that was not read are not read");
    assert_eq!(warnings(&reading), [Warning::NoHeader, Warning::NoEnd]);
}

#[test]
fn a_fixed_offset_may_be_given_and_a_zone_with_summer_time_does_not_count() {
    let text = day("E1", "kWh", 30, "1", "A", "900");
    let start = |zone: &str| {
        let options = Options { zone: Zone::named(zone), ..Options::default() };
        read(text.as_bytes(), &options).unwrap().meters[0].intervals[0].start_s
    };
    assert_eq!(start("+08:00"), MIDNIGHT_S + 7200, "Western Australia");
    assert_eq!(start("Australia/Sydney"), MIDNIGHT_S);
}

#[test]
fn an_implausible_power_is_told() {
    let reading = reading(day("E1", "kWh", 30, "500", "A", "900").as_bytes());
    assert_eq!(warnings(&reading), [Warning::PowerHigh]);
    let tiny =
        read(day("E1", "Wh", 30, "0.5", "A", "900").as_bytes(), &Options::default()).unwrap();
    assert_eq!(tiny.meters[0].total_wh(Direction::Import), 48, "half a Wh goes up");
    assert_eq!(tiny.report.rounding_micro_wh, 24_000_000);
}
