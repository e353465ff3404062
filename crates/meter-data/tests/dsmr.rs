//! Recorded telegrams: counters become intervals, the hour that comes twice is told apart, and a bad
//! telegram costs itself only.

#![allow(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

use meter_data::{Direction, Format, Options, Reading, Reason, Warning, read};

/// CRC16 of the port, written a second time: by the table of one byte's shifts.
fn crc16(bytes: &[u8]) -> u16 {
    let step = |value: u16| (0..8).fold(value, |sum, _| (sum >> 1) ^ (0xa001 * (sum & 1)));
    bytes.iter().fold(0, |sum, byte| (sum >> 8) ^ step((sum ^ u16::from(*byte)) & 0xff))
}

fn sealed(text: &str) -> String {
    format!("{text}{:04X}\r\n", crc16(text.as_bytes()))
}

/// A telegram of version 5 with counters in Wh.
fn telegram(time: &str, import_wh: [u32; 2], export_wh: u32) -> String {
    let kwh = |wh: u32| format!("{:06}.{:03}*kWh", wh / 1000, wh % 1000);
    let [low, high] = import_wh.map(kwh);
    sealed(&format!(
        "/ISK5\\2M550T-1012\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0({time})\r\n\
         0-0:96.1.1(4B384547)\r\n1-0:1.8.1({low})\r\n1-0:1.8.2({high})\r\n1-0:2.8.1({})\r\n\
         1-0:2.8.2(000000.000*kWh)\r\n1-0:1.7.0(00.428*kW)\r\n\
         0-1:24.2.1(261025020000S)(00372.120*m3)\r\n!",
        kwh(export_wh)
    ))
}

fn reading(text: &str) -> Reading {
    read(text.as_bytes(), &Options::default()).unwrap()
}

fn energies(reading: &Reading) -> Vec<(i64, u32, Option<u64>, Option<u64>)> {
    let line =
        |one: &meter_data::Interval| (one.start_s, one.length_s, one.import_wh, one.export_wh);
    reading.meters[0].intervals.iter().map(line).collect()
}

fn problems(reading: &Reading) -> Vec<(usize, Reason)> {
    reading.report.problems.iter().map(|problem| (problem.line, problem.reason)).collect()
}

#[test]
fn counters_become_intervals_through_the_hour_that_comes_twice() {
    // 02:45 of summer time, 02:00 of winter time: a quarter of an hour later.
    let reading = reading(
        &[
            telegram("261025024500S", [1000, 2000], 50),
            telegram("261025020000W", [1010, 2005], 50),
            telegram("261025021500W", [1010, 2030], 57),
        ]
        .concat(),
    );
    let first_s = 1_792_889_100;
    let expected = [(first_s, 900, Some(15), Some(0)), (first_s + 900, 900, Some(25), Some(7))];
    assert_eq!(energies(&reading), expected);
    let report = &reading.report;
    assert_eq!((report.format, report.version.as_deref()), (Format::Dsmr, Some("50")));
    assert_eq!(report.changed_days.len(), 1);
    assert_eq!(report.changed_days[0].date, "2026-10-25");
    assert_eq!(report.changed_days[0].length_s, 25 * 3600);
    assert_eq!(reading.meters[0].id, "K8EG");
    let counters = reading.meters[0].counters.unwrap();
    assert_eq!((counters.import_wh, counters.export_wh), (3040, 57));
    assert_eq!(reading.meters[0].slots().slots.len(), 2);
    assert_eq!(problems(&reading), []);
}

#[test]
fn telegrams_of_every_second_are_thinned_and_lose_nothing() {
    let text: String = (0..600_u32)
        .map(|second| {
            let time = format!("26102412{:02}{:02}S", second / 60, second % 60);
            telegram(&time, [second, 0], 0)
        })
        .collect();
    let reading = reading(&text);
    let lengths: Vec<_> = energies(&reading).iter().map(|one| one.1).collect();
    assert_eq!(lengths, [300, 299]);
    assert_eq!(reading.meters[0].total_wh(Direction::Import), 599);
}

#[test]
fn a_bad_telegram_costs_itself_only() {
    let bad = telegram("261024121500S", [9_999, 0], 0).replace("9.999", "8.999");
    let good =
        [telegram("261024120000S", [100, 0], 0), bad, telegram("261024123000S", [150, 0], 0)];
    let reading = reading(&good.concat());
    assert_eq!(energies(&reading).len(), 1);
    assert_eq!(reading.meters[0].total_wh(Direction::Import), 50);
    assert_eq!(problems(&reading), [(13, Reason::Checksum)]);
}

#[test]
fn a_telegram_that_was_cut_is_named() {
    let whole = telegram("261024120000S", [100, 0], 0);
    let cut = &whole[..whole.len() / 2];
    let reading = reading(&[cut, "\r\n", &whole, cut].concat());
    let reasons: Vec<_> = problems(&reading).into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, [Reason::Cut, Reason::Cut]);
    assert!(reading.meters[0].counters.is_some(), "one telegram has counters and no interval");
    assert!(reading.meters[0].intervals.is_empty());
}

#[test]
fn a_counter_that_goes_back_makes_no_energy() {
    let text = [
        telegram("261024120000S", [500, 0], 10),
        telegram("261024121500S", [100, 0], 20),
        telegram("261024123000S", [130, 0], 30),
    ];
    let reading = reading(&text.concat());
    assert_eq!(reading.meters[0].total_wh(Direction::Import), 30);
    assert_eq!(reading.meters[0].total_wh(Direction::Export), 20);
    assert_eq!(problems(&reading), [(13, Reason::CounterBack)]);
}

#[test]
fn the_same_telegram_twice_is_one() {
    let one = telegram("261024120000S", [100, 0], 0);
    let other = telegram("261024120000S", [101, 0], 0);
    let next = telegram("261024121500S", [200, 0], 0);
    let reading = reading(&[&*one, &one, &other, &next].concat());
    assert_eq!(reading.meters[0].total_wh(Direction::Import), 100);
    let warned: Vec<_> =
        reading.report.warnings.iter().map(|one| (one.warning, one.count)).collect();
    assert_eq!(warned, [(Warning::RepeatedSame, 3), (Warning::RepeatedOther, 1)]);
}

#[test]
fn old_telegrams_get_their_time_from_the_line_above() {
    let old = |wh: u32| {
        format!(
            "/KMP5 KA6U001585575011\r\n\r\n0-0:96.1.1(KA6U)\r\n1-0:1.8.1(00608.{wh:03}*kWh)\r\n\
             1-0:1.8.2(00490.342*kWh)\r\n0-1:24.3.0(121030140000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n\
             (00024.123)\r\n!\r\n"
        )
    };
    let text = format!(
        "2026-10-24T12:00:00+02:00\n{}2026-10-24T12:15:00+02:00\n{}{}",
        old(400),
        old(410),
        old(420)
    );
    let reading = reading(&text);
    assert_eq!(energies(&reading), [(1_792_836_000, 900, Some(10), None)]);
    assert_eq!(problems(&reading), [(19, Reason::NoTime)]);
    assert_eq!(reading.report.warnings[0].warning, Warning::NoChecksum);
    assert_eq!(reading.report.version, None);
}

#[test]
fn what_stands_between_telegrams_is_named() {
    let text = format!("!\r\nnoise\r\n{}", telegram("261024120000S", [1, 0], 0));
    assert_eq!(problems(&reading(&text)), [(1, Reason::Order), (2, Reason::UnknownRecord)]);
}
