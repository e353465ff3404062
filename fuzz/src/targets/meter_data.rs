//! Files of electricity meters, in every format. What is read must be in order of time, and
//! slots hold no more than was measured.

use meter_data::{Direction, Format, Options, Reading, SLOT_S, Zone, read};

/// Reads the bytes as what they look like, and as each format by force.
pub fn run(bytes: &[u8]) {
    let zone = Zone::named("Europe/Amsterdam");
    for format in [None].into_iter().chain(Format::ALL.map(Some)) {
        if let Ok(reading) = read(bytes, &Options { format, zone: zone.clone() }) {
            check(&reading);
        }
    }
}

fn check(reading: &Reading) {
    for meter in &reading.meters {
        let intervals = &meter.intervals;
        assert!(intervals.is_sorted_by(|one, next| one.end_s() <= next.start_s), "an overlap");
        let slots = meter.slots().slots;
        assert!(slots.iter().all(|slot| slot.start_s % i64::from(SLOT_S) == 0), "not aligned");
        assert!(slots.is_sorted_by(|one, next| one.start_s < next.start_s), "a slot twice");
        let import: u64 = slots.iter().map(|slot| slot.import_wh).sum();
        assert!(import <= meter.total_wh(Direction::Import), "more than was measured");
        let export: u64 = slots.iter().map(|slot| slot.export_wh).sum();
        assert!(export <= meter.total_wh(Direction::Export), "more than was measured");
    }
}

/// A small file of each format.
pub fn seeds() -> Vec<Vec<u8>> {
    let nem12 = format!(
        "100,NEM12,202610260000,A,B\n200,NMI1,E1,1,E1,N1,M1,kWh,30,\n300,20261025{},V,,,\n\
         400,1,20,A,,\n400,21,48,S14,,\n900\n",
        ",0.25".repeat(48)
    );
    let feed = "<feed xmlns=\"http://naesb.org/espi\"><entry><link rel=\"self\" href=\"a\"/>\
        <ReadingType><flowDirection>4</flowDirection><uom>72</uom></ReadingType></entry><entry>\
        <link rel=\"up\" href=\"UsagePoint/1/MeterReading/1/IntervalBlock\"/><IntervalReading>\
        <timePeriod><duration>900</duration><start>1792886400</start></timePeriod>\
        <value>-5</value></IntervalReading></entry></feed>";
    let telegrams: String = ["261025024500S", "261025020000W"]
        .map(|time| format!("/KMP5\r\n0-0:1.0.0({time})\r\n1-0:1.8.1(000001.5*kWh)\r\n!\r\n"))
        .concat();
    let table = "Date,Start time,Import kWh\n25/10/2026,02:30,\"1,5\"\n25/10/2026,02:45,2\n";
    [nem12.as_str(), feed, telegrams.as_str(), table].map(|text| text.as_bytes().to_vec()).to_vec()
}
