//! Files that we wrote, one for each way real ones are odd: what is understood of them, and every wrong place
//! named with its line. Other people's readers agree on the totals (`tests/interop/meters.mjs`).

#![allow(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

use meter_data::{
    ChannelReport, Direction, Format, Meter, Options, Reading, Reason, Warning, Zone, read,
};

const REGISTERS: &[u8] = include_bytes!("data/ours/nem12_registers.csv");
const WRONG: &[u8] = include_bytes!("data/ours/nem12_wrong.csv");
const HOURS: &[u8] = include_bytes!("data/ours/espi_hours.xml");
const PREFIXED: &[u8] = include_bytes!("data/ours/espi_prefixed.xml");
const V5: &[u8] = include_bytes!("data/ours/dsmr_v5.txt");
const V4: &[u8] = include_bytes!("data/ours/dsmr_v4.txt");
const BELGIUM: &[u8] = include_bytes!("data/ours/dsmr_belgium.txt");
const CLOCKS: &[u8] = include_bytes!("data/ours/csv_clock_change.csv");

fn reading(bytes: &[u8]) -> Reading {
    let options = Options { zone: Zone::named("Europe/Amsterdam"), ..Options::default() };
    read(bytes, &options).unwrap()
}

fn only(reading: &Reading) -> &Meter {
    assert_eq!(reading.meters.len(), 1);
    &reading.meters[0]
}

fn channel<'a>(meter: &'a Meter, name: &str) -> &'a ChannelReport {
    meter.channels.iter().find(|channel| channel.name == name).unwrap()
}

fn totals(reading: &Reading) -> [u64; 2] {
    [Direction::Import, Direction::Export].map(|way| only(reading).total_wh(way))
}

fn problems(reading: &Reading) -> Vec<(usize, Reason)> {
    reading.report.problems.iter().map(|problem| (problem.line, problem.reason)).collect()
}

fn warnings(reading: &Reading) -> Vec<Warning> {
    reading.report.warnings.iter().map(|warned| warned.warning).collect()
}

#[test]
fn registers_of_one_meter_in_three_units_and_two_lengths_with_a_day_missing() {
    let reading = reading(REGISTERS);
    let meter = only(&reading);
    assert_eq!((reading.report.format, meter.id.as_str()), (Format::Nem12, "6203000001"));
    let names: Vec<&str> = meter.channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["E1", "E2", "B1"], "reactive energy is none");
    for (name, intervals, total_wh, substituted) in
        [("E1", 192, 20_043, 0), ("E2", 96, 14_518, 36), ("B1", 96, 11_880, 0)]
    {
        let found = channel(meter, name);
        let numbers = (found.intervals, found.total_wh, found.substituted);
        assert_eq!(numbers, (intervals, total_wh, substituted), "{name}");
        assert_eq!((found.gap_count, found.gap_s), (1, 86_400), "{name}");
    }
    assert_eq!(totals(&reading), [34_561, 11_880]);
    assert_eq!(meter.slots().slots.len(), 192);
    assert_eq!((problems(&reading), warnings(&reading)), (vec![], vec![]));
}

#[test]
fn a_short_day_and_a_strange_record_cost_themselves_only() {
    let reading = reading(WRONG);
    assert_eq!(problems(&reading), [(4, Reason::Fields), (5, Reason::UnknownRecord)]);
    assert_eq!(warnings(&reading), [Warning::NoEnd]);
    let found = channel(only(&reading), "E1");
    assert_eq!((found.intervals, found.total_wh, found.gap_count), (96, 4_519, 1));
}

#[test]
fn a_feed_in_any_order_with_a_day_of_25_hours_one_of_them_missing_and_one_twice() {
    let reading = reading(HOURS);
    let meter = only(&reading);
    assert_eq!(meter.id, "7");
    let (forward, reverse) = (channel(meter, "forward"), channel(meter, "reverse"));
    assert_eq!((forward.intervals, forward.total_wh), (24, 9_590));
    assert_eq!((forward.duplicates_same, forward.duplicates_conflicting), (1, 0));
    assert_eq!((forward.gap_count, forward.gap_s), (1, 3_600));
    // Thousandths of a Wh.
    assert_eq!((reverse.intervals, reverse.total_wh, reverse.substituted), (25, 1_269, 25));
    assert_eq!(reading.report.changed_days[0].length_s, 25 * 3_600);
    assert_eq!(problems(&reading), [(364, Reason::Unit)], "watts are no energy");
    let slots = meter.slots();
    assert_eq!(slots.slots.len(), 96);
    assert!(slots.slots.iter().all(|slot| slot.cut));
}

#[test]
fn a_feed_with_other_prefixes_returns_a_mark_and_two_blocks_in_one_entry() {
    let reading = reading(PREFIXED);
    assert_eq!(reading.report.format, Format::GreenButton);
    assert_eq!(only(&reading).id, "A%2F9");
    let forward = channel(only(&reading), "forward");
    assert_eq!((forward.intervals, forward.total_wh), (23, 45_000), "kWh");
    assert_eq!((forward.duplicates_conflicting, forward.gap_count), (1, 0), "the first stays");
    assert_eq!(reading.report.changed_days[0].length_s, 23 * 3_600);
    let expected = [(198, Reason::Overlap), (205, Reason::Number), (212, Reason::Length)];
    assert_eq!(problems(&reading), expected);
    assert_eq!(only(&reading).slots().slots.len(), 92);
}

#[test]
fn telegrams_of_three_kinds_through_the_hour_that_comes_twice_with_a_wrong_check_sum() {
    for (bytes, version, id, wh, wrong) in [
        (V5, "50", "STREET05", [180, 21], vec![(51, Reason::Checksum)]),
        (V4, "42", "STREET04", [260, 0], vec![]),
        (BELGIUM, "50217", "STREETBE", [3, 901], vec![]),
    ] {
        let reading = reading(bytes);
        let report = &reading.report;
        assert_eq!((report.format, report.version.as_deref()), (Format::Dsmr, Some(version)));
        assert_eq!(only(&reading).id, id);
        assert_eq!((totals(&reading), problems(&reading)), (wh, wrong), "{version}");
        assert_eq!(warnings(&reading), [], "{version}");
    }
    let reading = reading(V5);
    let lengths: Vec<u32> = only(&reading).intervals.iter().map(|one| one.length_s).collect();
    assert_eq!(lengths, [900, 1_800], "what the wrong one would have told is told by the next");
    assert_eq!(reading.report.changed_days[0].length_s, 25 * 3_600);
}

/// A telegram whose CRs a program lost, and one whose check sum was cut off.
#[test]
fn a_telegram_without_returns_is_read_and_one_without_its_check_sum_is_not() {
    let text = String::from_utf8(V4.to_vec()).unwrap();
    let lost = reading(text.replace('\r', "").as_bytes());
    assert_eq!(totals(&lost), [260, 0]);
    let last = text.rfind('!').unwrap();
    let cut = reading([&text[..=last], "\r\n"].concat().as_bytes());
    assert_eq!((totals(&cut), problems(&cut)), ([125, 0], vec![(27, Reason::Checksum)]));
}

#[test]
fn a_table_through_the_hour_that_comes_twice_names_every_row_that_is_wrong() {
    let reading = reading(CLOCKS);
    assert_eq!((reading.report.format, only(&reading).id.as_str()), (Format::Csv, "STREET-9"));
    assert_eq!(totals(&reading), [1_500, 10]);
    let expected = [(8, Reason::Number), (13, Reason::Time), (10, Reason::Negative)];
    assert_eq!(problems(&reading), expected);
    assert_eq!(warnings(&reading), [Warning::GuessedLength]);
    let import = only(&reading).channels.iter().find(|one| one.direction == Direction::Import);
    let import = import.unwrap();
    assert_eq!((import.intervals, import.duplicates_same), (9, 1));
    // From 01:45 of summer time to 04:00 of winter time: 195 minutes, 60 of them nowhere.
    assert_eq!((import.end_s - import.start_s, import.gap_s), (195 * 60, 60 * 60));
    assert_eq!(reading.report.changed_days[0].length_s, 25 * 3_600);
}
