//! What was understood of a file, for a person to look at.

use core::fmt;

use crate::{Direction, Reason};

/// Which format a file is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Meter Data File Format of the Australian market (AEMO), interval data.
    Nem12,
    /// Green Button, which is NAESB ESPI: an Atom feed.
    GreenButton,
    /// Telegrams of a Dutch or Belgian meter's customer port (DSMR P1).
    Dsmr,
    /// Columns with a header.
    Csv,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Nem12, Self::GreenButton, Self::Dsmr, Self::Csv];

    /// Its name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nem12 => "nem12",
            Self::GreenButton => "green-button",
            Self::Dsmr => "dsmr",
            Self::Csv => "csv",
        }
    }

    /// The format of this [`Format::code`].
    pub fn by_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.code() == code)
    }
}

/// What a person should look at, because it may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    /// An interval with more power than a home's connection carries.
    PowerHigh,
    /// So little energy in a day that it may be kWh that were called Wh.
    PowerTiny,
    /// A column without a unit, taken as kWh.
    GuessedKwh,
    /// A column without a unit, taken as Wh.
    GuessedWh,
    /// A column of energy that names no direction, taken as import.
    GuessedImport,
    /// A column that only rises, taken as a counter.
    GuessedCounter,
    /// Days and months that could be read either way, taken as day first.
    GuessedDayFirst,
    /// Starts without ends: the usual distance taken as the length.
    GuessedLength,
    /// A NEM12 file without its header record.
    NoHeader,
    /// A NEM12 file without its end record: it may have been cut.
    NoEnd,
    /// Values that the file says do not exist; they are gaps.
    NullValues,
    /// A telegram of a version without check sums.
    NoChecksum,
    /// A counter was told twice for the same second, alike.
    RepeatedSame,
    /// A counter was told twice for the same second, differently: the first stays.
    RepeatedOther,
}

impl Warning {
    /// Its name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::PowerHigh => "power-high",
            Self::PowerTiny => "power-tiny",
            Self::GuessedKwh => "guessed-kwh",
            Self::GuessedWh => "guessed-wh",
            Self::GuessedImport => "guessed-import",
            Self::GuessedCounter => "guessed-counter",
            Self::GuessedDayFirst => "guessed-day-first",
            Self::GuessedLength => "guessed-length",
            Self::NoHeader => "no-header",
            Self::NoEnd => "no-end",
            Self::NullValues => "null-values",
            Self::NoChecksum => "no-checksum",
            Self::RepeatedSame => "repeated-same",
            Self::RepeatedOther => "repeated-other",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerHigh => "over 100 kW: is the unit right?",
            Self::PowerTiny => "under 10 Wh a day: is the unit right?",
            Self::GuessedKwh => "a column names no unit: taken as kWh",
            Self::GuessedWh => "a column names no unit and has whole numbers only: taken as Wh",
            Self::GuessedImport => "a column names no direction: taken as import",
            Self::GuessedCounter => "a column only rises: taken as a counter",
            Self::GuessedDayFirst => "dates could be read either way: taken as day before month",
            Self::GuessedLength => "intervals have no end: taken as long as they are usually apart",
            Self::NoHeader => "the header record (100) is missing",
            Self::NoEnd => "the end record (900) is missing: was the file cut?",
            Self::NullValues => "the file says that values do not exist: they are gaps",
            Self::NoChecksum => "telegrams of an old version have no check sum",
            Self::RepeatedSame => "a counter was told twice for the same second, alike",
            Self::RepeatedOther => "a counter was told twice for the same second, differently",
        })
    }
}

/// A warning, where it came first, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warned {
    /// What it says.
    pub warning: Warning,
    /// The first line it is about.
    pub line: usize,
    /// How often it came.
    pub count: usize,
}

/// A line, or a record that begins there, that was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// From 1.
    pub line: usize,
    /// Why not.
    pub reason: Reason,
}

/// Time without an interval, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Its first second.
    pub start_s: i64,
    /// The second after its last.
    pub end_s: i64,
}

/// What a counter showed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    /// When, in seconds since 1970; nothing: the meter did not say.
    pub at_s: Option<i64>,
    /// Energy from the grid since the meter was set, in Wh.
    pub import_wh: u64,
    /// Energy to the grid, in Wh.
    pub export_wh: u64,
}

/// One register of a meter, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelReport {
    /// As the file calls it.
    pub name: String,
    /// Which way.
    pub direction: Direction,
    /// How many intervals.
    pub intervals: usize,
    /// Start of the first, in seconds since 1970.
    pub start_s: i64,
    /// End of the last.
    pub end_s: i64,
    /// Its energy, in Wh.
    pub total_wh: u64,
    /// How many intervals are estimates or substitutes.
    pub substituted: usize,
    /// Intervals that came again with the same energy.
    pub duplicates_same: usize,
    /// Intervals that came again with another.
    pub duplicates_conflicting: usize,
    /// The first [`crate::limits::LISTED_MAX`] gaps between first and last.
    pub gaps: Vec<Gap>,
    /// How many gaps there are.
    pub gap_count: usize,
    /// How long they are together, in seconds.
    pub gap_s: i64,
}

/// A day on which clocks were changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedDay {
    /// As `2026-10-25`.
    pub date: String,
    /// How long it was: 23 or 25 hours nearly everywhere.
    pub length_s: i64,
}

/// What was understood of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which format.
    pub format: Format,
    /// Its version, where the file says one.
    pub version: Option<String>,
    /// How local times were read: a zone's name, or an offset. `UTC` where the file has moments.
    pub zone: String,
    /// Days in the span of the readings on which the clocks of that zone were changed.
    pub changed_days: Vec<ChangedDay>,
    /// What a person should look at.
    pub warnings: Vec<Warned>,
    /// The first [`crate::limits::LISTED_MAX`] lines that were not read.
    pub problems: Vec<Problem>,
    /// How many were not.
    pub problem_count: usize,
    /// How much more the whole Wh are than what the file says, in millionths of a Wh.
    pub rounding_micro_wh: i128,
}
