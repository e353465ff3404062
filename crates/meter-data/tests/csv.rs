//! CSV as portals and loggers write it: what is guessed, and that no guess is silent.

#![allow(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

use meter_data::{Direction, Format, Options, ReadError, Reading, Reason, Warning, Zone, read};

/// 2026-10-24 00:00 in Amsterdam, in seconds since 1970.
const MIDNIGHT_S: i64 = 1_792_792_800;

fn reading_in(zone: &str, text: &str) -> Reading {
    let options = Options { zone: Zone::named(zone), ..Options::default() };
    read(text.as_bytes(), &options).unwrap()
}

fn reading(text: &str) -> Reading {
    reading_in("Europe/Amsterdam", text)
}

fn energies(reading: &Reading) -> Vec<(i64, u32, Option<u64>, Option<u64>)> {
    let line = |one: &meter_data::Interval| {
        (one.start_s - MIDNIGHT_S, one.length_s, one.import_wh, one.export_wh)
    };
    reading.meters.iter().flat_map(|meter| &meter.intervals).map(line).collect()
}

fn problems(reading: &Reading) -> Vec<(usize, Reason)> {
    reading.report.problems.iter().map(|problem| (problem.line, problem.reason)).collect()
}

fn warnings(reading: &Reading) -> Vec<Warning> {
    reading.report.warnings.iter().map(|warned| warned.warning).collect()
}

const TWO: [(i64, u32, Option<u64>, Option<u64>); 2] =
    [(0, 900, Some(120), Some(0)), (900, 900, Some(1500), Some(30))];

#[test]
fn the_same_readings_are_the_same_however_they_are_written() {
    for text in [
        "time,import (kWh),export (kWh)\n2026-10-24T00:00:00+02:00,0.120,0\n2026-10-24T00:15:00+02:00,1.500,0.03\n",
        "start;end;Verbrauch kWh;Einspeisung kWh\n24.10.2026 00:00;24.10.2026 00:15;0,120;0,000\n24.10.2026 00:15;24.10.2026 00:30;1,500;0,030\n",
        "Datum\tTijd\tVerbruik (Wh)\tTeruglevering (Wh)\n24-10-2026\t00:00\t120\t0\n24-10-2026\t00:15\t1500\t30\n",
        "Date,Start time,End time,Consumption [Wh],Feed-in [Wh]\n10/24/2026,12:00 AM,12:14 AM,120,0\n10/24/2026,12:15 AM,12:29 AM,\"1,500\",30\n",
        "interval end|import_wh|export_wh\n2026-10-23T22:15:00Z|120|0\n2026-10-23T22:30:00Z|1500|30\n",
        "timestamp,import_kwh,export_kwh\n1792792800,0.12,0\n1792793700,1.5,0.03\n",
        "\u{feff}\"Name\",\"A. Person\"\r\nAddress,\"1 Street, Town\"\r\n\r\nTime,Import MWh,Export MWh\r\n2026-10-24 00:00,0.00012,0\r\n2026-10-24 00:15,0.0015,0.00003\r\n",
    ] {
        let reading = reading(text);
        assert_eq!(energies(&reading), TWO, "{text}");
        assert_eq!(problems(&reading), [], "{text}");
        assert_eq!(reading.report.format, Format::Csv);
        assert_eq!(reading.meters[0].slots().slots.len(), 2);
    }
}

#[test]
fn local_times_need_a_zone() {
    let text = "time,import kWh\n2026-10-24 00:00,1\n";
    let error = read(text.as_bytes(), &Options::default()).unwrap_err();
    assert_eq!(error, ReadError::ZoneNeeded { line: 2 });
}

/// Quarters of a day in Amsterdam by its clocks, whichever hours it has.
fn quarters(hours: impl Iterator<Item = u32>, date: &str) -> String {
    let row = |hour: u32| (0..4).map(move |quarter| format!("{:02}:{:02},1\n", hour, quarter * 15));
    let rows: String = hours.flat_map(row).map(|row| format!("{date} {row}")).collect();
    format!("time,import Wh\n{rows}")
}

#[test]
fn the_day_of_25_hours_has_100_quarters() {
    let hours = (0..3).chain(2..24);
    let reading = reading(&quarters(hours, "2026-10-25"));
    let meter = &reading.meters[0];
    assert_eq!((meter.intervals.len(), meter.slots().slots.len()), (100, 100));
    assert_eq!(meter.channels[0].gap_count, 0);
    assert_eq!(reading.report.changed_days[0].length_s, 25 * 3600);
    assert_eq!(problems(&reading), []);
}

#[test]
fn newest_rows_may_be_first_and_newest_days_with_quarters_in_order() {
    let rows = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let long = rows(&quarters((0..3).chain(2..24), "2026-10-25"));
    let next = rows(&quarters(0..24, "2026-10-26"));
    let oldest_first = [long.clone(), next.clone()].concat();
    let newest_first = oldest_first.iter().rev().cloned().collect();
    // The first row is of the hour that comes twice: none before it tells which round it is.
    let night = long.iter().take(16).rev().cloned().collect();
    for (rows, count) in
        [(oldest_first, 196), (newest_first, 196), (night, 16), ([next, long].concat(), 196)]
    {
        let reading = reading(&format!("time,import Wh\n{}\n", rows.join("\n")));
        let channel = &reading.meters[0].channels[0];
        assert_eq!((channel.intervals, channel.gap_count), (count, 0));
        assert_eq!((channel.duplicates_same, channel.duplicates_conflicting), (0, 0));
        assert_eq!(problems(&reading), []);
    }
}

#[test]
fn the_newest_round_of_the_hour_that_comes_twice_keeps_its_energy() {
    let text = "time,import Wh\n2026-10-25 03:00,5\n2026-10-25 02:30,4\n2026-10-25 02:00,3\n2026-10-25 02:30,2\n2026-10-25 02:00,1\n";
    let from_s = MIDNIGHT_S + 26 * 3600;
    let found: Vec<_> = reading(text).meters[0]
        .intervals
        .iter()
        .map(|one| (one.start_s - from_s, one.import_wh.unwrap()))
        .collect();
    assert_eq!(found, [(0, 1), (1800, 2), (3600, 3), (5400, 4), (7200, 5)]);
}

#[test]
fn a_table_has_no_more_columns_of_energy_than_a_meter_has_channels() {
    let table = |columns: usize| {
        let names: String = (0..columns).map(|column| format!(",import T{column} Wh")).collect();
        let ones = ",1".repeat(columns);
        format!("time{names}\n2026-10-24 00:00{ones}\n2026-10-24 00:15{ones}\n")
    };
    assert_eq!(reading(&table(32)).meters[0].total_wh(Direction::Import), 64);
    let options = Options { zone: Zone::named("Europe/Amsterdam"), ..Options::default() };
    let error = read(table(33).as_bytes(), &options).unwrap_err();
    assert_eq!(error, ReadError::TooMany { line: 1, what: "columns of energy", limit: 32 });
}

#[test]
fn an_hour_that_was_left_out_of_it_is_a_gap() {
    let reading = reading(&quarters(0..24, "2026-10-25"));
    let channel = &reading.meters[0].channels[0];
    assert_eq!((channel.intervals, channel.gap_count, channel.gap_s), (96, 1, 3600));
}

#[test]
fn the_day_of_23_hours_has_92_quarters_and_the_hour_that_was_not_is_refused() {
    let reading = reading(&quarters(0..24, "2026-03-29"));
    let channel = &reading.meters[0].channels[0];
    assert_eq!((channel.intervals, channel.gap_count), (92, 0));
    assert_eq!(reading.report.changed_days[0].length_s, 23 * 3600);
    let skipped = [10, 11, 12, 13].map(|line| (line, Reason::SkippedTime));
    assert_eq!(problems(&reading), skipped);
}

#[test]
fn guesses_are_warnings() {
    let text = "date,energy\n1/2/2026 00:00,1.5\n1/2/2026 00:30,2\n";
    let read = reading_in("UTC", text);
    let expected = [
        Warning::GuessedKwh,
        Warning::GuessedImport,
        Warning::GuessedDayFirst,
        Warning::GuessedLength,
    ];
    assert_eq!(warnings(&read), expected);
    assert_eq!(read.meters[0].intervals[0].import_wh, Some(1500));
    assert_eq!(read.meters[0].intervals[0].start_s, 1_769_904_000, "the first of February");
    let whole = reading_in("UTC", &text.replace("1.5", "15").replace("1/2", "13/2"));
    assert_eq!(warnings(&whole)[0], Warning::GuessedWh);
    assert!(!warnings(&whole).contains(&Warning::GuessedDayFirst));
}

#[test]
fn counters_are_known_by_name_or_by_their_rise() {
    let named = "time,Meterstand afname (kWh)\n2026-10-24 00:00,100.000\n2026-10-24 00:15,100.120\n2026-10-24 00:30,101.620\n";
    let read = reading(named);
    assert_eq!(read.meters[0].total_wh(Direction::Import), 1620);
    assert_eq!(warnings(&read), []);
    let rows: String =
        (0..9).map(|hour| format!("2026-10-24 {hour:02}:00,{}.5\n", 5000 + hour)).collect();
    let read = reading(&format!("time,import kWh\n{rows}"));
    assert_eq!(warnings(&read), [Warning::GuessedCounter]);
    assert_eq!(read.meters[0].total_wh(Direction::Import), 8000);
}

#[test]
fn rows_name_their_meters_and_units() {
    let text = "LCLid,tstp,Usage,Units\nA,2026-10-24 00:00,1,kWh\nB,2026-10-24 00:00,2,Wh\nA,2026-10-24 00:30,3,kWh\nB,2026-10-24 00:30,4,therms\nB,2026-10-24 01:00,4,Wh\n";
    let read = reading(text);
    let totals: Vec<_> = read
        .meters
        .iter()
        .map(|meter| (meter.id.as_str(), meter.total_wh(Direction::Import)))
        .collect();
    assert_eq!(totals, [("A", 4000), ("B", 6)]);
    assert_eq!(problems(&read), [(5, Reason::Unit)]);
}

#[test]
fn tariffs_are_added_and_costs_are_not() {
    let text =
        "time,import T1 kWh,import T2 kWh,cost\n2026-10-24 00:00,1,2,99\n2026-10-24 00:15,3,,99\n";
    let read = reading(text);
    assert_eq!(energies(&read), [(0, 900, Some(3000), None), (900, 900, Some(3000), None)]);
}

#[test]
fn bad_rows_are_named_and_the_others_stay() {
    let text = "time,import Wh\n2026-10-24 00:00,5\nnonsense,5\n2026-10-24 00:15,x\n2026-10-24 00:30,-5\n2026-10-24 00:45,5\n2026-10-24 00:45,5\n2026-10-24 00:45,6\n";
    let read = reading(text);
    assert_eq!(problems(&read), [(3, Reason::Time), (4, Reason::Number), (5, Reason::Negative)]);
    let channel = &read.meters[0].channels[0];
    assert_eq!((channel.duplicates_same, channel.duplicates_conflicting), (1, 1));
    assert_eq!(channel.total_wh, 10);
}

#[test]
fn other_files_are_refused_by_what_they_are() {
    let refused = |bytes: &[u8]| read(bytes, &Options::default()).unwrap_err();
    assert_eq!(refused(b" \r\n"), ReadError::Empty);
    assert_eq!(refused(b"PK\x03\x04\0\0"), ReadError::NotText);
    assert_eq!(refused(b"\xff\xfet\0i\0"), ReadError::NotText);
    assert_eq!(refused(b"hello, world\n1,2\n"), ReadError::UnknownFormat);
    assert_eq!(refused(b"100,NEM13,2004,A,B\n"), ReadError::UnknownFormat);
    let options = Options { format: Some(Format::Csv), ..Options::default() };
    assert_eq!(read(b"hello", &options), Err(ReadError::NoColumns));
}

#[test]
fn old_encodings_of_names_do_not_matter() {
    let text = b"Zeit;Z\xe4hlerstand Bezug kWh\n24.10.2026 00:00;1,0\n24.10.2026 00:15;1,5\n";
    let options = Options { zone: Zone::named("Europe/Berlin"), ..Options::default() };
    let read = read(text, &options).unwrap();
    assert_eq!(read.meters[0].total_wh(Direction::Import), 500);
}
