//! One register of a meter: energy in one direction, interval by interval.

use std::collections::BTreeMap;

use crate::Reason;

/// Which way energy went, as seen from the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From the grid.
    Import,
    /// To the grid.
    Export,
}

impl Direction {
    /// Its name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
        }
    }
}

/// What an interval's energy rests on. The worse is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quality {
    /// The meter.
    Measured,
    /// An estimate or a substitute, as the file says.
    Substituted,
}

/// The energy of one interval of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) length_s: u32,
    pub(crate) wh: u64,
    pub(crate) quality: Quality,
}

/// Intervals of one register, none over another.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) direction: Direction,
    /// By their start.
    pub(crate) parts: BTreeMap<i64, Part>,
    pub(crate) same: usize,
    pub(crate) conflicting: usize,
}

impl Channel {
    pub(crate) fn new(name: &str, direction: Direction) -> Self {
        let (name, parts) = (name.to_owned(), BTreeMap::new());
        Self { name, direction, parts, same: 0, conflicting: 0 }
    }

    /// Adds an interval. Twice the same is one; of two that contradict each other the first stays, but
    /// measured goes before substituted.
    pub(crate) fn add(&mut self, start_s: i64, part: Part) -> Result<(), Reason> {
        if let Some(old) = self.parts.get_mut(&start_s)
            && old.length_s == part.length_s
        {
            if old.wh == part.wh {
                self.same += 1;
                old.quality = old.quality.min(part.quality);
                return Ok(());
            }
            self.conflicting += 1;
            if part.quality < old.quality {
                *old = part;
            }
            return Ok(());
        }
        let end_s = start_s + i64::from(part.length_s);
        let before = self.parts.range(..end_s).next_back();
        if before.is_some_and(|(at_s, old)| at_s + i64::from(old.length_s) > start_s) {
            return Err(Reason::Overlap);
        }
        self.parts.insert(start_s, part);
        Ok(())
    }

    /// First start and last end.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        let (first_s, _) = self.parts.first_key_value()?;
        let (last_s, last) = self.parts.last_key_value()?;
        Some((*first_s, last_s + i64::from(last.length_s)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(length_s: u32, wh: u64, quality: Quality) -> Part {
        Part { length_s, wh, quality }
    }

    #[test]
    fn no_interval_lies_over_another() {
        let mut channel = Channel::new("E1", Direction::Import);
        let mut add =
            |start_s, length_s| channel.add(start_s, part(length_s, 1, Quality::Measured));
        assert_eq!(add(900, 900), Ok(()));
        assert_eq!(add(0, 900), Ok(()));
        assert_eq!(add(1800, 900), Ok(()));
        for (start_s, length_s) in [(0, 1800), (100, 10), (1700, 200), (-100, 200), (-1, 9000)] {
            assert_eq!(add(start_s, length_s), Err(Reason::Overlap), "{start_s} {length_s}");
        }
        assert_eq!(channel.span(), Some((0, 2700)));
    }

    #[test]
    fn the_first_of_two_stays_unless_the_second_was_measured() {
        let mut channel = Channel::new("E1", Direction::Import);
        channel.add(0, part(900, 5, Quality::Substituted)).unwrap();
        channel.add(0, part(900, 6, Quality::Substituted)).unwrap();
        assert_eq!(channel.parts[&0].wh, 5);
        channel.add(0, part(900, 7, Quality::Measured)).unwrap();
        channel.add(0, part(900, 8, Quality::Measured)).unwrap();
        channel.add(0, part(900, 7, Quality::Substituted)).unwrap();
        assert_eq!(channel.parts[&0], part(900, 7, Quality::Measured));
        assert_eq!((channel.same, channel.conflicting), (1, 3));
    }
}
