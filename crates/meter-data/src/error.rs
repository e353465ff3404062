//! Why a file can't be read, and why a line of it was not.

use core::fmt;

/// Why nothing of a file is read, in order of check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// More bytes than [`crate::limits::FILE_BYTES_MAX`].
    TooLarge {
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Nothing in it but white space.
    Empty,
    /// UTF-16, or an archive, or another file that is not lines of text.
    NotText,
    /// None of the known formats.
    UnknownFormat,
    /// More of something than is read from one file.
    TooMany {
        /// Where the limit was passed.
        line: usize,
        /// Of what.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
    /// XML that is not well formed, or uses what is not allowed here.
    Xml {
        /// Where.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A header with times and energies was not found in a CSV file.
    NoColumns,
    /// Times without an offset, and no zone was given.
    ZoneNeeded {
        /// The first such time.
        line: usize,
    },
}

impl ReadError {
    /// Its name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too-large",
            Self::Empty => "empty",
            Self::NotText => "not-text",
            Self::UnknownFormat => "unknown-format",
            Self::TooMany { .. } => "too-many",
            Self::Xml { .. } => "xml",
            Self::NoColumns => "no-columns",
            Self::ZoneNeeded { .. } => "zone-needed",
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => write!(f, "file is {bytes} bytes, limit is {limit}"),
            Self::Empty => f.write_str("the file is empty"),
            Self::NotText => f.write_str("expected lines of text, found UTF-16 or another file"),
            Self::UnknownFormat => f.write_str(
                "expected NEM12, Green Button XML, DSMR telegrams or CSV, found another",
            ),
            Self::TooMany { line, what, limit } => {
                write!(f, "line {line}: more than {limit} {what}")
            }
            Self::Xml { line, what } => write!(f, "line {line}: {what}"),
            Self::NoColumns => {
                f.write_str("expected a header with a time and an energy, found none")
            }
            Self::ZoneNeeded { line } => {
                write!(
                    f,
                    "line {line}: expected a time with an offset or a given zone, found neither"
                )
            }
        }
    }
}

impl core::error::Error for ReadError {}

/// Why a line, a record or a block was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Longer than a line may be.
    TooLong,
    /// A record of a kind the format does not have.
    UnknownRecord,
    /// A record that may not stand here.
    Order,
    /// Not as many fields as the record needs.
    Fields,
    /// A field that is empty or of another form: its name.
    Field(&'static str),
    /// Not a date and time.
    Time,
    /// A local time that the change to summer time leaves out.
    SkippedTime,
    /// Not a number, or not one this format may have.
    Number,
    /// Below zero.
    Negative,
    /// More than [`crate::limits::INTERVAL_WH_MAX`].
    TooMuch,
    /// An interval of no length, or longer than a year.
    Length,
    /// A unit that is not one of energy.
    Unit,
    /// Overlaps an interval of another cut.
    Overlap,
    /// The check sum is another one.
    Checksum,
    /// Ends before its end.
    Cut,
    /// Nothing says when it was measured.
    NoTime,
    /// A counter that shows less than before.
    CounterBack,
    /// Neither from the grid nor to it.
    Direction,
    /// Gas, water, heat.
    NotElectricity,
    /// A feed's block without the reading type that says what it counts.
    NoReadingType,
    /// Not energy of each interval: a counter, a peak, an average.
    NotDelta,
    /// The same energy as another series of the feed, in longer intervals or by tariff.
    Coarser,
}

impl Reason {
    /// Its name for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::UnknownRecord => "unknown-record",
            Self::Order => "order",
            Self::Fields => "fields",
            Self::Field(_) => "field",
            Self::Time => "time",
            Self::SkippedTime => "skipped-time",
            Self::Number => "number",
            Self::Negative => "negative",
            Self::TooMuch => "too-much",
            Self::Length => "length",
            Self::Unit => "unit",
            Self::Overlap => "overlap",
            Self::Checksum => "checksum",
            Self::Cut => "cut",
            Self::NoTime => "no-time",
            Self::CounterBack => "counter-back",
            Self::Direction => "direction",
            Self::NotElectricity => "not-electricity",
            Self::NoReadingType => "no-reading-type",
            Self::NotDelta => "not-delta",
            Self::Coarser => "coarser",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the line is too long",
            Self::UnknownRecord => "a record of an unknown kind",
            Self::Order => "the record does not belong here",
            Self::Fields => "another number of fields than the record needs",
            Self::Field(name) => return write!(f, "field `{name}` is missing or of another form"),
            Self::Time => "not a date and time",
            Self::SkippedTime => "a local time that the change to summer time leaves out",
            Self::Number => "not a number",
            Self::Negative => "less than nothing",
            Self::TooMuch => "more energy than any home uses",
            Self::Length => "an interval of no length, or longer than a year",
            Self::Unit => "not a unit of energy",
            Self::Overlap => "overlaps an interval of another length or start",
            Self::Checksum => "the check sum does not fit",
            Self::Cut => "ends before its end",
            Self::NoTime => "nothing says when it was measured",
            Self::CounterBack => "the counter shows less than before",
            Self::Direction => "neither from the grid nor to it",
            Self::NotElectricity => "not electricity",
            Self::NoReadingType => "no reading type says what it counts",
            Self::NotDelta => "not the energy of each interval",
            Self::Coarser => "the same energy as another series, in longer intervals or by tariff",
        })
    }
}
