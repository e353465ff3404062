//! Where readers of formats put what they find, within the bounds of a file.

use std::collections::BTreeMap;

use crate::channel::{Channel, Part};
use crate::energy::{rounding, whole_wh};
use crate::limits::{
    CHANNELS_MAX, INTERVAL_S_MAX, INTERVALS_MAX, LISTED_MAX, METERS_MAX, NAME_CHARS_MAX,
    TIME_S_MAX, TIME_S_MIN,
};
use crate::report::{Counters, Problem, Warned, Warning};
use crate::{Direction, Quality, ReadError, Reason};

/// More power than a home's connection carries, in W: three phases of 125 A have 86 kW.
const POWER_W_MAX: i128 = 100_000;

/// One interval as a format has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) line: usize,
    pub(crate) meter: &'a str,
    pub(crate) channel: &'a str,
    pub(crate) direction: Direction,
    pub(crate) start_s: i64,
    pub(crate) length_s: i64,
    /// Millionths of a Wh.
    pub(crate) micro_wh: i128,
    pub(crate) quality: Quality,
}

/// A meter while it is read.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) channels: Vec<Channel>,
    pub(crate) counters: Option<Counters>,
}

/// Everything of a file while it is read.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    pub(crate) meters: BTreeMap<String, Gathered>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) problem_count: usize,
    warnings: BTreeMap<Warning, (usize, usize)>,
    intervals: usize,
    pub(crate) rounding_micro_wh: i128,
}

impl Collector {
    /// Takes an interval, or notes why not. Errs when the file has more than is read.
    pub(crate) fn add(&mut self, entry: Entry<'_>) -> Result<(), ReadError> {
        match self.try_add(entry) {
            Ok(()) => Ok(()),
            Err(Refused::Line(reason)) => {
                self.refuse(entry.line, reason);
                Ok(())
            }
            Err(Refused::File(error)) => Err(error),
        }
    }

    fn try_add(&mut self, entry: Entry<'_>) -> Result<(), Refused> {
        let Entry { line, start_s, length_s, micro_wh, quality, .. } = entry;
        if !(1..=INTERVAL_S_MAX).contains(&length_s) {
            return Err(Reason::Length.into());
        }
        if !(TIME_S_MIN..=TIME_S_MAX - INTERVAL_S_MAX).contains(&start_s) {
            return Err(Reason::Time.into());
        }
        let length = u32::try_from(length_s).map_err(|_| Reason::Length)?;
        let wh = whole_wh(micro_wh)?;
        if self.intervals == INTERVALS_MAX {
            let (what, limit) = ("intervals", INTERVALS_MAX);
            return Err(Refused::File(ReadError::TooMany { line, what, limit }));
        }
        let channel = self.channel(&entry)?;
        channel.add(start_s, Part { length_s: length, wh, quality })?;
        self.intervals += 1;
        self.rounding_micro_wh += rounding(micro_wh, wh);
        if i128::from(wh) * 3600 > POWER_W_MAX * i128::from(length_s) {
            self.warn(line, Warning::PowerHigh);
        }
        Ok(())
    }

    fn channel(&mut self, entry: &Entry<'_>) -> Result<&mut Channel, Refused> {
        let (line, name) = (entry.line, shortened(entry.channel));
        let channels = &mut self.meter(line, entry.meter).map_err(Refused::File)?.channels;
        let is_it = |old: &Channel| old.name == name && old.direction == entry.direction;
        let index = match channels.iter().position(is_it) {
            Some(index) => index,
            None if channels.len() == CHANNELS_MAX => {
                let (what, limit) = ("channels", CHANNELS_MAX);
                return Err(Refused::File(ReadError::TooMany { line, what, limit }));
            }
            None => {
                channels.push(Channel::new(&name, entry.direction));
                channels.len() - 1
            }
        };
        Ok(&mut channels[index])
    }

    /// The meter of this name, from now on one of the file.
    pub(crate) fn meter(&mut self, line: usize, name: &str) -> Result<&mut Gathered, ReadError> {
        let name = shortened(name);
        if self.meters.len() == METERS_MAX && !self.meters.contains_key(&name) {
            return Err(ReadError::TooMany { line, what: "meters", limit: METERS_MAX });
        }
        Ok(self.meters.entry(name).or_default())
    }

    /// Notes a line that was not read.
    pub(crate) fn refuse(&mut self, line: usize, reason: Reason) {
        self.problem_count += 1;
        if self.problems.len() < LISTED_MAX {
            self.problems.push(Problem { line, reason });
        }
    }

    /// Notes what a person should look at.
    pub(crate) fn warn(&mut self, line: usize, warning: Warning) {
        self.warnings.entry(warning).or_insert((line, 0)).1 += 1;
    }

    pub(crate) fn warned(&self) -> Vec<Warned> {
        let warned = |(warning, (line, count)): (&Warning, &(usize, usize))| Warned {
            warning: *warning,
            line: *line,
            count: *count,
        };
        self.warnings.iter().map(warned).collect()
    }
}

/// Why a line is not taken, or the whole file.
pub(crate) enum Refused {
    Line(Reason),
    File(ReadError),
}

impl From<Reason> for Refused {
    fn from(reason: Reason) -> Self {
        Self::Line(reason)
    }
}

/// What a name may be of: no control characters, at most [`NAME_CHARS_MAX`].
pub(crate) fn shortened(name: &str) -> String {
    let shown = name.trim().chars().filter(|letter| !letter.is_control());
    shown.take(NAME_CHARS_MAX).collect()
}
