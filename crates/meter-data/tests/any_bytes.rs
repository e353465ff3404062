//! Reading is total, and what it gives keeps its laws: whatever the bytes, no panic, no interval over
//! another, no Wh lost between channels, intervals and slots.

#![allow(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

use meter_data::{Direction, Format, Options, Reading, SLOT_S, Zone, read};
use proptest::prelude::*;

const PIECES: [&str; 34] = [
    "100,NEM12,1,a,b\n",
    "200,NMI,E1,1,E1,,,kWh,30,\n",
    "200,NMI,B1,1,B1,,,Wh,5,\n",
    "300,20261025,",
    "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,",
    "A,,,\n",
    "V,,,\n",
    "400,1,20,S14,\n",
    "400,20,48,N\n",
    "900\n",
    "time,import kWh,export kWh\n",
    "Datum;Bezug\n",
    "2026-10-25 02:30,1.5,2\n",
    "25.10.2026 02:30;1,5\n",
    "2026-10-25T00:30:00Z,9e9,-1\n",
    "1792888200,7,\n",
    "/ISK5\r\n",
    "0-0:1.0.0(261025023000S)\r\n",
    "0-0:1.0.0(261025024500S)\r\n",
    "1-0:1.8.1(000001.500*kWh)\r\n",
    "1-0:2.8.1(000009.999*kWh)\r\n",
    "!\r\n",
    "<feed>",
    "</feed>",
    "<IntervalBlock>",
    "</IntervalBlock>",
    "<ReadingType><uom>72</uom></ReadingType>",
    "<IntervalReading><timePeriod><start>1792886400</start><duration>3600</duration></timePeriod><value>5</value></IntervalReading>",
    "<IntervalReading><timePeriod><start>1792888000</start><duration>900</duration></timePeriod><value>7</value></IntervalReading>",
    "<flowDirection>4</flowDirection>",
    "&amp;",
    "\u{feff}",
    "\"",
    ",",
];

fn check(bytes: &[u8]) {
    for format in [None].into_iter().chain(Format::ALL.map(Some)) {
        for zone in ["Europe/Amsterdam", "+10:00"] {
            let options = Options { format, zone: Zone::named(zone) };
            if let Ok(reading) = read(bytes, &options) {
                laws(&reading);
            }
        }
        let _ = read(bytes, &Options { format, zone: None });
    }
}

fn laws(reading: &Reading) {
    for meter in &reading.meters {
        assert!(meter.intervals.is_sorted_by(|one, next| one.end_s() <= next.start_s));
        for way in [Direction::Import, Direction::Export] {
            let channels = meter.channels.iter().filter(|channel| channel.direction == way);
            let whole: u64 = channels.clone().map(|channel| channel.total_wh).sum();
            let known: u64 = meter.intervals.iter().filter_map(|one| one.wh(way)).sum();
            assert!(known <= whole);
            if channels.clone().count() == 1 {
                assert_eq!(known, whole, "one register alone is all there is");
            }
        }
        let slots = meter.slots().slots;
        let starts_right = |start_s: i64| start_s.rem_euclid(i64::from(SLOT_S)) == 0;
        assert!(slots.iter().all(|slot| starts_right(slot.start_s)));
        assert!(slots.is_sorted_by(|one, next| one.start_s < next.start_s));
        let sold: u64 = slots.iter().map(|slot| slot.import_wh).sum();
        assert!(sold <= meter.total_wh(Direction::Import));
    }
    assert!(reading.report.problems.len() <= reading.report.problem_count);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        check(&bytes);
    }

    #[test]
    fn pieces_of_files_in_any_order_are_read_or_refused(
        pieces in proptest::collection::vec(prop::sample::select(PIECES.to_vec()), 0..24)
    ) {
        check(pieces.concat().as_bytes());
    }

    #[test]
    fn cutting_and_adding_registers_loses_no_wh(
        half_hours in proptest::collection::vec(0_u32..5000, 48),
        minutes in proptest::collection::vec(0_u32..900, 288),
    ) {
        let day = |values: &[u32]| values.iter().map(|wh| format!(",{wh}")).collect::<String>();
        let text = format!(
            "100,NEM12,202610260000,A,B\n200,NMI,E1,1,E1,N1,M1,Wh,30,\n300,20261025{},A,,,\n\
             200,NMI,E2,1,E2,N1,M1,Wh,5,\n300,20261025{},A,,,\n900\n",
            day(&half_hours), day(&minutes)
        );
        let reading = read(text.as_bytes(), &Options::default()).unwrap();
        laws(&reading);
        let whole: u64 = half_hours.iter().chain(&minutes).map(|wh| u64::from(*wh)).sum();
        let meter = &reading.meters[0];
        let measured: u64 = meter.intervals.iter().filter_map(|one| one.import_wh).sum();
        prop_assert_eq!(measured, whole);
        let sold: u64 = meter.slots().slots.iter().map(|slot| slot.import_wh).sum();
        prop_assert_eq!(sold, whole);
    }

    #[test]
    fn any_intervals_keep_the_laws(
        rows in proptest::collection::vec((0_i64..2000, 1_i64..4000, 0_u32..5000), 1..40)
    ) {
        let line = |(gap_s, length_s, wh): &(i64, i64, u32), at_s: &mut i64| {
            let start_s = *at_s + gap_s;
            *at_s = start_s + length_s;
            format!("{},{},{wh}\n", start_s, at_s)
        };
        let mut at_s = 1_792_886_400;
        let rows: String = rows.iter().map(|row| line(row, &mut at_s)).collect();
        let text = format!("start,end,import Wh\n{rows}");
        laws(&read(text.as_bytes(), &Options::default()).unwrap());
    }
}
