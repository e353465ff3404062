//! A meter's channels on one time line.

use crate::channel::{Channel, Part};
use crate::collect::Gathered;
use crate::limits::LISTED_MAX;
use crate::report::{ChannelReport, Counters, Gap};
use crate::{Direction, Quality};

/// What one meter measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meter {
    /// As the file calls it; empty when it does not.
    pub id: String,
    /// In order of time, none over another.
    pub intervals: Vec<Interval>,
    /// Its registers.
    pub channels: Vec<ChannelReport>,
    /// What its counters showed last, where the file has them.
    pub counters: Option<Counters>,
}

/// Energy in some seconds, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// In seconds since 1970, UTC.
    pub start_s: i64,
    /// In seconds.
    pub length_s: u32,
    /// From the grid, in Wh; nothing where the file has a gap or nothing about it.
    pub import_wh: Option<u64>,
    /// To the grid, in Wh; as above.
    pub export_wh: Option<u64>,
    /// The worst of what it rests on.
    pub quality: Quality,
    /// Length of the longest interval of the file that this one is, or was cut from, in seconds.
    pub cut_from_s: u32,
}

impl Interval {
    /// The second after its last.
    pub fn end_s(&self) -> i64 {
        self.start_s + i64::from(self.length_s)
    }

    /// Its energy in one direction.
    pub fn wh(&self, direction: Direction) -> Option<u64> {
        match direction {
            Direction::Import => self.import_wh,
            Direction::Export => self.export_wh,
        }
    }
}

impl Meter {
    /// Whether any register counts this direction.
    pub fn measures(&self, direction: Direction) -> bool {
        self.channels.iter().any(|channel| channel.direction == direction)
    }

    /// All energy of one direction, in Wh.
    pub fn total_wh(&self, direction: Direction) -> u64 {
        let ours = self.channels.iter().filter(|channel| channel.direction == direction);
        ours.map(|channel| channel.total_wh).sum()
    }

    /// Start of the first interval and end of the last.
    pub fn span(&self) -> Option<(i64, i64)> {
        Some((self.intervals.first()?.start_s, self.intervals.last()?.end_s()))
    }

    pub(crate) fn new(id: String, gathered: &Gathered) -> Self {
        let full = || gathered.channels.iter().filter(|channel| !channel.parts.is_empty());
        let channels = full().map(channel_report).collect();
        let lines: Vec<Line> = full().map(Line::new).collect();
        Self { id, intervals: merged(lines), channels, counters: gathered.counters }
    }
}

fn channel_report(channel: &Channel) -> ChannelReport {
    let (start_s, end_s) = channel.span().unwrap_or_default();
    let mut report = ChannelReport {
        name: channel.name.clone(),
        direction: channel.direction,
        intervals: channel.parts.len(),
        start_s,
        end_s,
        total_wh: channel.parts.values().map(|part| part.wh).sum(),
        substituted: 0,
        duplicates_same: channel.same,
        duplicates_conflicting: channel.conflicting,
        gaps: Vec::new(),
        gap_count: 0,
        gap_s: 0,
    };
    let mut at_s = start_s;
    for (start_s, part) in &channel.parts {
        report.substituted += usize::from(part.quality == Quality::Substituted);
        if *start_s > at_s {
            report.gap_count += 1;
            report.gap_s += start_s - at_s;
            if report.gaps.len() < LISTED_MAX {
                report.gaps.push(Gap { start_s: at_s, end_s: *start_s });
            }
        }
        at_s = start_s + i64::from(part.length_s);
    }
    report
}

/// A channel's intervals in a row, with a finger on the one that is next.
struct Line {
    direction: Direction,
    parts: Vec<(i64, Part)>,
    next: usize,
    span: (i64, i64),
}

/// What a channel has between two moments.
enum Share {
    /// The channel does not reach there.
    Outside,
    /// It does, but has nothing.
    Missing,
    /// Wh of a part.
    Energy(u64, Part),
}

impl Line {
    fn new(channel: &Channel) -> Self {
        let parts = channel.parts.iter().map(|(start_s, part)| (*start_s, *part)).collect();
        let span = channel.span().unwrap_or_default();
        Self { direction: channel.direction, parts, next: 0, span }
    }

    fn boundaries(&self) -> impl Iterator<Item = i64> {
        self.parts.iter().flat_map(|(start_s, part)| [*start_s, start_s + i64::from(part.length_s)])
    }

    /// What it has from `from_s` to `to_s`, which lie in one part or in none. Asked in order of time.
    fn share(&mut self, from_s: i64, to_s: i64) -> Share {
        let over = |(start_s, part): &(i64, Part)| start_s + i64::from(part.length_s) <= from_s;
        while self.parts.get(self.next).is_some_and(over) {
            self.next += 1;
        }
        match self.parts.get(self.next) {
            Some((start_s, part)) if *start_s <= from_s => {
                let until = |at_s: i64| cut(part.wh, at_s - start_s, part.length_s);
                Share::Energy(until(to_s) - until(from_s), *part)
            }
            _ if self.span.0 <= from_s && from_s < self.span.1 => Share::Missing,
            _ => Share::Outside,
        }
    }
}

/// Energy of the first `elapsed_s` of `length_s` seconds, evenly spread, down to whole Wh. The shares
/// of any cuts add up to the whole, because each is the difference of two of these.
pub(crate) fn cut(wh: u64, elapsed_s: i64, length_s: u32) -> u64 {
    let elapsed = u64::try_from(elapsed_s).unwrap_or(0).min(u64::from(length_s));
    let share = u128::from(wh) * u128::from(elapsed) / u128::from(length_s.max(1));
    u64::try_from(share).unwrap_or(wh)
}

/// One direction of an interval while channels are added.
#[derive(Clone, Copy, Default)]
struct Sum {
    wh: Option<u64>,
    missing: bool,
}

impl Sum {
    fn add(&mut self, share: &Share) {
        match share {
            Share::Outside => {}
            Share::Missing => self.missing = true,
            Share::Energy(wh, _) => self.wh = Some(self.wh.unwrap_or(0).saturating_add(*wh)),
        }
    }

    fn known(self) -> Option<u64> {
        self.wh.filter(|_| !self.missing)
    }
}

/// All channels on one line, cut wherever an interval of any begins or ends.
fn merged(mut channels: Vec<Line>) -> Vec<Interval> {
    let mut moments: Vec<i64> = channels.iter().flat_map(Line::boundaries).collect();
    moments.sort_unstable();
    moments.dedup();
    let pairs = moments.windows(2).map(|pair| (pair[0], pair[1]));
    pairs.filter_map(|(from_s, to_s)| between(&mut channels, from_s, to_s)).collect()
}

fn between(channels: &mut [Line], from_s: i64, to_s: i64) -> Option<Interval> {
    let (mut import, mut export) = (Sum::default(), Sum::default());
    let (mut quality, mut cut_from_s) = (Quality::Measured, 0);
    for channel in channels {
        let share = channel.share(from_s, to_s);
        if let Share::Energy(_, part) = &share {
            quality = quality.max(part.quality);
            cut_from_s = cut_from_s.max(part.length_s);
        }
        match channel.direction {
            Direction::Import => import.add(&share),
            Direction::Export => export.add(&share),
        }
    }
    let (import_wh, export_wh) = (import.known(), export.known());
    if import_wh.is_none() && export_wh.is_none() {
        return None;
    }
    let length_s = u32::try_from(to_s - from_s).ok()?;
    Some(Interval { start_s: from_s, length_s, import_wh, export_wh, quality, cut_from_s })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Start and length in seconds, Wh.
    type Parts<'p> = &'p [(i64, u32, u64)];

    fn meter(channels: &[(Direction, Parts<'_>)]) -> Meter {
        let mut gathered = Gathered::default();
        for (number, (direction, parts)) in channels.iter().enumerate() {
            let mut channel = Channel::new(&number.to_string(), *direction);
            for (start_s, length_s, wh) in *parts {
                let part = Part { length_s: *length_s, wh: *wh, quality: Quality::Measured };
                channel.add(*start_s, part).unwrap();
            }
            gathered.channels.push(channel);
        }
        Meter::new("m".to_owned(), &gathered)
    }

    fn shown(meter: &Meter) -> Vec<(i64, u32, Option<u64>, Option<u64>)> {
        let line = |one: &Interval| (one.start_s, one.length_s, one.import_wh, one.export_wh);
        meter.intervals.iter().map(line).collect()
    }

    const IMPORT: Direction = Direction::Import;
    const EXPORT: Direction = Direction::Export;

    #[test]
    fn registers_of_one_direction_are_added() {
        let meter = meter(&[(IMPORT, &[(0, 900, 5)]), (IMPORT, &[(0, 900, 7)])]);
        assert_eq!(shown(&meter), [(0, 900, Some(12), None)]);
        assert_eq!(meter.total_wh(IMPORT), 12);
        assert!(!meter.measures(EXPORT));
    }

    #[test]
    fn different_cuts_meet_and_nothing_is_lost() {
        let meter = meter(&[(IMPORT, &[(0, 1800, 101)]), (EXPORT, &[(0, 600, 1), (600, 1200, 7)])]);
        assert_eq!(shown(&meter), [(0, 600, Some(33), Some(1)), (600, 1200, Some(68), Some(7))]);
        assert!(meter.intervals.iter().all(|interval| interval.cut_from_s == 1800));
    }

    #[test]
    fn a_gap_of_one_register_is_a_gap_of_its_direction() {
        let meter = meter(&[
            (IMPORT, &[(0, 900, 1), (1800, 900, 1)]),
            (IMPORT, &[(0, 900, 2), (900, 900, 2), (1800, 900, 2)]),
            (EXPORT, &[(0, 900, 3), (900, 900, 3)]),
        ]);
        let expected =
            [(0, 900, Some(3), Some(3)), (900, 900, None, Some(3)), (1800, 900, Some(3), None)];
        assert_eq!(shown(&meter), expected);
        assert_eq!(meter.channels[0].gaps, [Gap { start_s: 900, end_s: 1800 }]);
        assert_eq!((meter.channels[0].gap_count, meter.channels[0].gap_s), (1, 900));
    }

    #[test]
    fn a_meter_without_intervals_has_none() {
        assert_eq!(shown(&meter(&[])), []);
        assert_eq!(meter(&[(IMPORT, &[])]).span(), None);
    }
}
