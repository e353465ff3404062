//! Green Button: NAESB ESPI, an Atom feed of usage points, meter readings, reading types and blocks of
//! intervals that refer to each other by links.
//!
//! ```text
//! UsagePoint <- MeterReading -> ReadingType      what is counted: unit, power of ten, direction
//!                    ^- IntervalBlock            IntervalReading: start, duration, value, quality
//! ```
//!
//! Document types are refused and entities are not resolved: nothing a feed says of energy needs them.
//! Moments are seconds since 1970. Several readings of one point in the same direction tell the same
//! energy in different lengths: the shortest is taken.

mod feed;

use std::collections::BTreeMap;

use crate::collect::{Collector, Entry};
use crate::energy::micro_wh;
use crate::report::Warning;
use crate::{Direction, ReadError, Reason};

use feed::{Feed, ReadingType, Value};

/// `uom` of Wh.
const UNIT_WH: i64 = 72;
/// `flowDirection`: to the home, net, from it.
const FORWARD: i64 = 1;
const NET: i64 = 4;
const REVERSE: i64 = 19;
/// `accumulationBehaviour` of the energy of each interval.
const DELTA: i64 = 4;
/// Power of ten of a Wh in millionths of it.
const WH_POWER: i32 = 6;

/// Whether text is XML that names the standard or its elements.
pub(crate) fn is_it(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(4096).collect();
    let names = ["naesb.org/espi", "IntervalBlock", "UsagePoint"];
    start.starts_with('<') && names.iter().any(|name| start.contains(name))
}

/// Reads a feed.
pub(crate) fn read(text: &str, collector: &mut Collector) -> Result<(), ReadError> {
    let feed = feed::read(text, collector)?;
    let links = Links::of(&feed);
    let mut series: BTreeMap<(usize, usize), Series<'_>> = BTreeMap::new();
    for value in &feed.values {
        let Some((reading, kind)) = links.of_block(&feed, value.entry) else {
            collector.refuse(value.line, Reason::NoReadingType);
            continue;
        };
        let one =
            series.entry((reading, kind)).or_insert_with(|| Series::new(&feed, reading, kind));
        one.push(value);
    }
    let mut series: Vec<Series<'_>> = series.into_values().collect();
    series.retain(|one| match one.usable() {
        Ok(()) => true,
        Err(reason) => {
            collector.refuse(one.line(), reason);
            false
        }
    });
    for index in 0..series.len() {
        if series.iter().any(|other| other.goes_before(&series[index])) {
            collector.refuse(series[index].line(), Reason::Coarser);
        } else {
            series[index].give(collector)?;
        }
    }
    Ok(())
}

/// Values of one meter reading and reading type.
struct Series<'a> {
    point: String,
    /// Whether the point is one of electricity.
    electric: bool,
    kind: &'a ReadingType,
    values: Vec<&'a Value>,
    shortest_s: i64,
}

impl<'a> Series<'a> {
    fn new(feed: &'a Feed, reading: usize, kind: usize) -> Self {
        let point = feed.entries[reading].point().unwrap_or_default().to_owned();
        let electric = feed
            .entries
            .iter()
            .filter(|entry| entry.point() == Some(point.as_str()))
            .filter_map(|entry| entry.service)
            .all(|service| service == 0);
        let kind = feed.entries[kind].kind.as_ref().unwrap_or(&ReadingType::NOTHING);
        Self { point, electric, kind, values: Vec::new(), shortest_s: i64::MAX }
    }

    fn push(&mut self, value: &'a Value) {
        self.shortest_s = self.shortest_s.min(self.length_s(value));
        self.values.push(value);
    }

    fn line(&self) -> usize {
        self.values.first().map_or(1, |value| value.line)
    }

    fn usable(&self) -> Result<(), Reason> {
        if !self.electric || self.kind.commodity.is_some_and(|commodity| commodity > 2) {
            return Err(Reason::NotElectricity);
        }
        if self.kind.unit != Some(UNIT_WH) {
            return Err(Reason::Unit);
        }
        if ![None, Some(0), Some(DELTA)].contains(&self.kind.accumulation) {
            return Err(Reason::NotDelta);
        }
        let known = [None, Some(0), Some(FORWARD), Some(NET), Some(REVERSE)];
        if known.contains(&self.kind.direction) { Ok(()) } else { Err(Reason::Direction) }
    }

    /// Which ways it counts: to the home, from it.
    fn ways(&self) -> (bool, bool) {
        match self.kind.direction {
            Some(NET) => (true, true),
            Some(REVERSE) => (false, true),
            _ => (true, false),
        }
    }

    fn length_s(&self, value: &Value) -> i64 {
        value.length_s.or(self.kind.length_s).unwrap_or(0)
    }

    /// Whether it tells the same energy better: in shorter intervals, or not split by tariff.
    fn goes_before(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.ways(), other.ways());
        let shares_way = ours.0 && theirs.0 || ours.1 && theirs.1;
        let rank = |one: &Self| (one.shortest_s, one.kind.tariff.unwrap_or(0) != 0);
        self.point == other.point && shares_way && rank(self) < rank(other)
    }

    fn give(&self, collector: &mut Collector) -> Result<(), ReadError> {
        if ![Some(FORWARD), Some(NET), Some(REVERSE)].contains(&self.kind.direction) {
            collector.warn(self.line(), Warning::GuessedImport);
        }
        let power = WH_POWER.saturating_add(self.kind.multiplier);
        let tariff = self.kind.tariff.filter(|tariff| *tariff != 0);
        let name = |way: &str| match tariff {
            Some(tariff) => format!("{way}, tariff {tariff}"),
            None => way.to_owned(),
        };
        let (forward, reverse) = (name("forward"), name("reverse"));
        for value in &self.values {
            let micro_wh = match micro_wh(&value.text, power) {
                Ok(micro_wh) => micro_wh,
                Err(reason) => {
                    collector.refuse(value.line, reason);
                    continue;
                }
            };
            let mut add = |channel: &str, direction, micro_wh| {
                collector.add(Entry {
                    line: value.line,
                    meter: &self.point,
                    channel,
                    direction,
                    start_s: value.start_s,
                    length_s: self.length_s(value),
                    micro_wh,
                    quality: value.quality,
                })
            };
            match self.kind.direction {
                Some(NET) => {
                    add(&forward, Direction::Import, micro_wh.max(0))?;
                    add(&reverse, Direction::Export, (-micro_wh).max(0))?;
                }
                Some(REVERSE) => add(&reverse, Direction::Export, micro_wh)?,
                _ => add(&forward, Direction::Import, micro_wh)?,
            }
        }
        Ok(())
    }
}

/// Which entry is behind an address.
#[derive(Default)]
struct Links<'a> {
    /// Meter readings by their own address, and by those they name.
    readings: BTreeMap<&'a str, usize>,
    /// Reading types by their own.
    kinds: BTreeMap<&'a str, usize>,
    /// The only ones of the feed, for blocks without links.
    only_reading: Option<usize>,
    only_kind: Option<usize>,
}

impl<'a> Links<'a> {
    fn of(feed: &'a Feed) -> Self {
        let mut links = Self::default();
        let (mut readings, mut kinds) = (Vec::new(), Vec::new());
        for (index, entry) in feed.entries.iter().enumerate() {
            if entry.is_reading {
                readings.push(index);
                links.readings.extend(entry.related.iter().map(|to| (to.as_str(), index)));
            }
            if entry.kind.is_some() {
                kinds.push(index);
                links.kinds.extend(entry.own.iter().map(|own| (own.as_str(), index)));
            }
        }
        // A reading's own address counts more than what another says is its.
        for index in &readings {
            let own = feed.entries[*index].own.iter();
            links.readings.extend(own.map(|own| (own.as_str(), *index)));
        }
        let only = |indexes: &[usize]| if let [one] = indexes { Some(*one) } else { None };
        (links.only_reading, links.only_kind) = (only(&readings), only(&kinds));
        links
    }

    /// The meter reading and the reading type of the block of an entry.
    fn of_block(&self, feed: &Feed, block: usize) -> Option<(usize, usize)> {
        let entry = &feed.entries[block];
        let mut addresses = entry.up.iter().chain(&entry.own);
        let above = |address: &String| {
            let reading = address.split_once("/IntervalBlock").map_or("", |(reading, _)| reading);
            let found = self.readings.get(address.as_str());
            found.or_else(|| self.readings.get(reading)).copied()
        };
        let reading = addresses.find_map(above).or(self.only_reading);
        let of_reading = |reading: usize| {
            let mut related = feed.entries[reading].related.iter();
            related.find_map(|to| self.kinds.get(to.as_str()).copied())
        };
        let kind = reading.and_then(of_reading).or(self.only_kind)?;
        Some((reading.unwrap_or(block), kind))
    }
}
