//! Green Button feeds: links, units and directions, and XML that must not be followed.

#![allow(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

use std::fmt::Write as _;

use meter_data::{Direction, Format, Options, Quality, ReadError, Reading, Reason, read};

const START_S: i64 = 1_792_886_400;
const POINT: &str = "https://utility.example/espi/RetailCustomer/1/UsagePoint/42";

/// What a meter reading of the feed counts, and its values.
struct Kind<'a> {
    direction: u32,
    multiplier: i32,
    unit: u32,
    length_s: i64,
    extra: &'a str,
    values: &'a [&'a str],
}

const FORWARD: Kind<'_> = Kind {
    direction: 1,
    multiplier: 0,
    unit: 72,
    length_s: 900,
    extra: "<accumulationBehaviour>4</accumulationBehaviour><commodity>1</commodity>",
    values: &["100", "200"],
};

fn feed(kinds: &[Kind<'_>]) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" \
         xmlns:e=\"http://naesb.org/espi\">\n<entry><link rel=\"self\" href=\"{POINT}\"/><content>\
         <e:UsagePoint><e:ServiceCategory><e:kind>0</e:kind></e:ServiceCategory></e:UsagePoint>\
         </content></entry>\n"
    );
    for (index, kind) in kinds.iter().enumerate() {
        let reading = format!("{POINT}/MeterReading/{index}");
        let at = format!("https://utility.example/espi/ReadingType/{index}");
        let Kind { direction, multiplier, unit, length_s, extra, values } = kind;
        write!(
            text,
            "<entry><link href=\"{reading}\" rel=\"self\"/><link rel=\"related\" \
             href=\"{reading}/IntervalBlock\"/><link rel=\"related\" href=\"{at}\"/>\
             <content><e:MeterReading/></content></entry>\n\
             <entry><link rel=\"self\" href=\"{reading}/IntervalBlock/1\"/><link rel=\"up\" \
             href=\"{reading}/IntervalBlock\"/><content><e:IntervalBlock>\n"
        )
        .unwrap();
        for (value, start_s) in values.iter().zip((START_S..).step_by(900)) {
            writeln!(
                text,
                "<e:IntervalReading><e:ReadingQuality><e:quality>17</e:quality></e:ReadingQuality>\
                 <e:timePeriod><e:duration>{length_s}</e:duration><e:start>{start_s}</e:start>\
                 </e:timePeriod><e:value>{value}</e:value></e:IntervalReading>"
            )
            .unwrap();
        }
        write!(
            text,
            "</e:IntervalBlock></content></entry>\n<entry><link rel=\"self\" href=\"{at}\"/>\
             <content><e:ReadingType>{extra}<e:flowDirection>{direction}</e:flowDirection>\
             <e:intervalLength>{length_s}</e:intervalLength><e:powerOfTenMultiplier>{multiplier}\
             </e:powerOfTenMultiplier><e:uom>{unit}</e:uom></e:ReadingType></content></entry>\n"
        )
        .unwrap();
    }
    text + "</feed>\n"
}

fn reading(text: &str) -> Reading {
    read(text.as_bytes(), &Options::default()).unwrap()
}

fn energies(reading: &Reading) -> Vec<(i64, Option<u64>, Option<u64>)> {
    let intervals = reading.meters.iter().flat_map(|meter| &meter.intervals);
    intervals.map(|one| (one.start_s - START_S, one.import_wh, one.export_wh)).collect()
}

fn reasons(reading: &Reading) -> Vec<Reason> {
    reading.report.problems.iter().map(|problem| problem.reason).collect()
}

#[test]
fn import_and_export_of_a_point_are_one_meter() {
    let reverse = Kind { direction: 19, values: &["7", "0"], ..FORWARD };
    let reading = reading(&feed(&[FORWARD, reverse]));
    assert_eq!((reading.report.format, reading.report.zone.as_str()), (Format::GreenButton, "UTC"));
    assert_eq!(reading.meters[0].id, "42");
    assert_eq!(energies(&reading), [(0, Some(100), Some(7)), (900, Some(200), Some(0))]);
    assert_eq!(reasons(&reading), []);
    assert_eq!(reading.meters[0].slots().slots.len(), 2);
}

#[test]
fn values_are_scaled_by_their_power_of_ten() {
    for (multiplier, wh) in [(3, 100_000), (0, 100), (-3, 0), (-2, 1)] {
        let reading = reading(&feed(&[Kind { multiplier, ..FORWARD }]));
        assert_eq!(energies(&reading)[0].1, Some(wh), "{multiplier}");
    }
    let absurd = reading(&feed(&[Kind { multiplier: i32::MAX, ..FORWARD }]));
    assert_eq!(reasons(&absurd), [Reason::TooMuch; 2]);
}

#[test]
fn a_net_register_is_import_above_zero_and_export_below() {
    let reading = reading(&feed(&[Kind { direction: 4, values: &["5", "-6"], ..FORWARD }]));
    assert_eq!(energies(&reading), [(0, Some(5), Some(0)), (900, Some(0), Some(6))]);
}

#[test]
fn the_same_energy_in_longer_intervals_is_not_counted_twice() {
    let daily = Kind { length_s: 86_400, values: &["300"], ..FORWARD };
    let reading = reading(&feed(&[daily, FORWARD]));
    assert_eq!(reading.meters[0].total_wh(Direction::Import), 300);
    assert_eq!(reasons(&reading), [Reason::Coarser]);
}

#[test]
fn what_is_not_energy_of_intervals_is_refused_by_its_reason() {
    let refused = |kind: Kind<'_>| {
        let reading = reading(&feed(&[kind]));
        assert!(reading.is_empty());
        reasons(&reading)
    };
    assert_eq!(refused(Kind { unit: 38, ..FORWARD }), [Reason::Unit], "watts");
    assert_eq!(refused(Kind { direction: 2, ..FORWARD }), [Reason::Direction]);
    let gas = "<commodity>7</commodity>";
    assert_eq!(refused(Kind { extra: gas, ..FORWARD }), [Reason::NotElectricity]);
    let counter = "<accumulationBehaviour>3</accumulationBehaviour>";
    assert_eq!(refused(Kind { extra: counter, ..FORWARD }), [Reason::NotDelta]);
}

#[test]
fn a_point_of_gas_is_not_electricity() {
    let text = feed(&[FORWARD]).replace("<e:kind>0</e:kind>", "<e:kind>1</e:kind>");
    assert_eq!(reasons(&reading(&text)), [Reason::NotElectricity]);
}

#[test]
fn estimates_are_marked() {
    let reading = reading(&feed(&[FORWARD]).replacen(">17<", ">8<", 1));
    let qualities: Vec<_> = reading.meters[0].intervals.iter().map(|one| one.quality).collect();
    assert_eq!(qualities, [Quality::Substituted, Quality::Measured]);
}

#[test]
fn bad_numbers_are_named_with_their_line_and_the_others_stay() {
    let reading = reading(&feed(&[Kind { values: &["100", "1&lt;2", "-5"], ..FORWARD }]));
    let problems: Vec<_> =
        reading.report.problems.iter().map(|one| (one.line, one.reason)).collect();
    assert_eq!(problems, [(7, Reason::Number), (8, Reason::Negative)]);
    assert_eq!(energies(&reading), [(0, Some(100), None)]);
}

#[test]
fn blocks_without_links_belong_to_the_only_reading_type() {
    let text = feed(&[FORWARD]);
    let bare: String = text.lines().map(|line| line.replace("<link", "<other") + "\n").collect();
    assert_eq!(energies(&reading(&bare)), [(0, Some(100), None), (900, Some(200), None)]);
    let two = feed(&[FORWARD, FORWARD]).replace("<link", "<other");
    assert_eq!(reasons(&reading(&two)), [Reason::NoReadingType; 4]);
}

#[test]
fn xml_that_could_grow_or_reach_out_is_refused() {
    let refused = |text: &str| read(text.as_bytes(), &Options::default()).unwrap_err();
    let laughs =
        feed(&[FORWARD]).replace("<feed", "<!DOCTYPE feed [<!ENTITY a \"aaaaaaaaaa\">]>\n<feed");
    let what = "a document type is not allowed";
    assert!(matches!(refused(&laughs), ReadError::Xml { what: found, .. } if found == what));
    let deep = feed(&[FORWARD]).replace("<feed", &("<a>".repeat(40) + "<feed"));
    assert!(matches!(refused(&deep), ReadError::TooMany { what: "levels of XML", .. }));
    let wide: String = (0..100).fold(String::new(), |all, number| all + &format!(" a{number}='x'"));
    let wide = feed(&[FORWARD]).replacen("<link", &("<link".to_owned() + &wide), 1);
    assert!(matches!(refused(&wide), ReadError::TooMany { what: "attributes", .. }));
    let text = feed(&[FORWARD]);
    let cut = &text[..text.len() - 8];
    assert!(matches!(refused(cut), ReadError::Xml { .. }));
    let crossed = text.replacen("</e:UsagePoint>", "</e:Other>", 1);
    assert!(matches!(refused(&crossed), ReadError::Xml { .. }));
}
