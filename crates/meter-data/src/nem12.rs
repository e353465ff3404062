//! NEM12: interval data of the Australian market (AEMO, Meter Data File Format Specification).
//!
//! ```text
//! 100,NEM12,created,from,to
//! 200,NMI,configuration,register,suffix,stream,serial,unit,minutes,
//! 300,date,value 1 … value n,quality,…      a day; n = 1440 / minutes
//! 400,first,last,quality,…                  qualities of values, when the day's is V
//! 500,…                                     a person read the meter: not used
//! 900
//! ```
//!
//! Suffix `E…` is energy from the grid, `B…` to it; the market calls them the other way round. Other
//! suffixes (reactive energy, volts, check meters) are passed over. Times are the market's, UTC+10
//! without summer time, unless a fixed offset is given.

use crate::channel::{Direction, Quality};
use crate::collect::{Collector, Entry};
use crate::energy::{micro_wh, unit_power};
use crate::limits::{FIELDS_MAX, LINE_BYTES_MAX};
use crate::report::Warning;
use crate::text::lines;
use crate::time::day_numbers;
use crate::zone::{Side, Zone, local};
use crate::{ReadError, Reason};

/// The market's time: UTC+10, in seconds.
pub(crate) const MARKET_OFFSET_S: i32 = 36_000;
const MINUTES_OF_DAY: i64 = 1440;

/// Whether text is in this format: its first record says so, or is that of a register.
pub(crate) fn is_it(text: &str) -> bool {
    let first = text.trim_start();
    let (kind, rest) = first.split_once(',').unwrap_or((first, ""));
    kind == "100" && rest.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("NEM12"))
        || kind == "200" && rest.lines().next().is_some_and(|line| line.split(',').count() >= 8)
}

/// Reads all records.
pub(crate) fn read(text: &str, zone: &Zone, collector: &mut Collector) -> Result<(), ReadError> {
    let mut reader = Reader {
        zone,
        collector,
        register: Register::None,
        day: Day::None,
        header: false,
        end: false,
    };
    let mut last = 1;
    for numbered in lines(text) {
        let (line, record) = numbered?;
        last = line;
        reader.record(line, record.trim())?;
    }
    reader.close_day()?;
    if !reader.end {
        reader.collector.warn(last, Warning::NoEnd);
    }
    Ok(())
}

/// The register that days belong to.
enum Register {
    /// No record of one has come.
    None,
    /// It counts something else, or could not be read.
    Passed,
    Read {
        meter: String,
        suffix: String,
        direction: Direction,
        power: i32,
        minutes: i64,
    },
}

/// The day that is being read.
enum Day {
    None,
    /// Its values are not read, so neither are their qualities.
    Passed,
    Read(Values),
}

/// Values of a day, and what each rests on.
struct Values {
    line: usize,
    start_s: i64,
    length_s: i64,
    micro_wh: Vec<i128>,
    flags: Vec<Flag>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flag {
    Known(Quality),
    Null,
    /// A record of its own will say.
    Open,
}

/// The flag of a quality like `A`, `S14` or `V`.
fn flag(text: &str) -> Result<Flag, Reason> {
    match text.as_bytes().first().map(u8::to_ascii_uppercase) {
        Some(b'A') => Ok(Flag::Known(Quality::Measured)),
        Some(b'E' | b'F' | b'S') => Ok(Flag::Known(Quality::Substituted)),
        Some(b'N') => Ok(Flag::Null),
        Some(b'V') => Ok(Flag::Open),
        _ => Err(Reason::Field("quality")),
    }
}

struct Reader<'a> {
    zone: &'a Zone,
    collector: &'a mut Collector,
    register: Register,
    day: Day,
    header: bool,
    end: bool,
}

impl Reader<'_> {
    fn record(&mut self, line: usize, record: &str) -> Result<(), ReadError> {
        if record.is_empty() {
            return Ok(());
        }
        if record.len() > LINE_BYTES_MAX {
            self.collector.refuse(line, Reason::TooLong);
            return Ok(());
        }
        let fields: Vec<&str> = record.split(',').map(str::trim).take(FIELDS_MAX).collect();
        let kind = fields[0];
        if kind != "400" {
            self.close_day()?;
        }
        self.end = kind == "900";
        let read = match kind {
            "100" => self.header(&fields),
            "200" => self.register(line, &fields),
            "300" => self.day(line, &fields),
            "400" => self.qualities(&fields),
            "500" | "900" => Ok(()),
            _ => Err(Reason::UnknownRecord),
        };
        if let Err(reason) = read {
            self.collector.refuse(line, reason);
        }
        Ok(())
    }

    fn header(&mut self, fields: &[&str]) -> Result<(), Reason> {
        self.header = true;
        self.register = Register::None;
        match fields.get(1) {
            Some(version) if version.eq_ignore_ascii_case("NEM12") => Ok(()),
            _ => Err(Reason::Field("version")),
        }
    }

    fn register(&mut self, line: usize, fields: &[&str]) -> Result<(), Reason> {
        if !self.header {
            self.header = true;
            self.collector.warn(line, Warning::NoHeader);
        }
        self.register = Register::Passed;
        let &[_, meter, _, _, suffix, _, _, unit, minutes, ..] = fields else {
            return Err(Reason::Fields);
        };
        let direction = match suffix.as_bytes().first().map(u8::to_ascii_uppercase) {
            Some(b'E') => Direction::Import,
            Some(b'B') => Direction::Export,
            Some(_) => return Ok(()),
            None => return Err(Reason::Field("suffix")),
        };
        let power = unit_power(unit).ok_or(Reason::Unit)?;
        let minutes = minutes.parse::<i64>().ok().filter(|minutes| [5, 15, 30].contains(minutes));
        let minutes = minutes.ok_or(Reason::Field("minutes"))?;
        let (meter, suffix) = (meter.to_owned(), suffix.to_owned());
        self.register = Register::Read { meter, suffix, direction, power, minutes };
        Ok(())
    }

    fn day(&mut self, line: usize, fields: &[&str]) -> Result<(), Reason> {
        self.day = Day::Passed;
        let (power, minutes) = match self.register {
            Register::None => return Err(Reason::Order),
            Register::Passed => return Ok(()),
            Register::Read { power, minutes, .. } => (power, minutes),
        };
        let count = usize::try_from(MINUTES_OF_DAY / minutes).map_err(|_| Reason::Fields)?;
        let (values, rest) =
            fields.get(2..).unwrap_or_default().split_at_checked(count).ok_or(Reason::Fields)?;
        let quality = rest.first().ok_or(Reason::Fields)?;
        let midnight = local(day_numbers(fields[1])?, [0, 0, 0])?;
        let start_s = self.zone.moment(midnight, Side::After(None))?;
        let read = values.iter().map(|value| micro_wh(value, power));
        let micro_wh = read.collect::<Result<Vec<_>, _>>()?;
        let flags = vec![flag(quality)?; count];
        self.day = Day::Read(Values { line, start_s, length_s: minutes * 60, micro_wh, flags });
        Ok(())
    }

    fn qualities(&mut self, fields: &[&str]) -> Result<(), Reason> {
        let values = match &mut self.day {
            Day::None => return Err(Reason::Order),
            Day::Passed => return Ok(()),
            Day::Read(values) => values,
        };
        let &[_, first, last, quality, ..] = fields else { return Err(Reason::Fields) };
        let number = |text: &str| text.parse::<usize>().map_err(|_| Reason::Field("interval"));
        let (first, last) = (number(first)?, number(last)?);
        let place = first.checked_sub(1).ok_or(Reason::Field("interval"))?;
        let named = values.flags.get_mut(place..last).filter(|named| !named.is_empty());
        match flag(quality)? {
            Flag::Open => Err(Reason::Field("quality")),
            flag => {
                named.ok_or(Reason::Field("interval"))?.fill(flag);
                Ok(())
            }
        }
    }

    /// Gives the day that has been read to the collector.
    fn close_day(&mut self) -> Result<(), ReadError> {
        let day = core::mem::replace(&mut self.day, Day::None);
        let (Day::Read(values), Register::Read { meter, suffix, direction, .. }) =
            (day, &self.register)
        else {
            return Ok(());
        };
        let line = values.line;
        if values.flags.contains(&Flag::Open) {
            self.collector.refuse(line, Reason::Field("quality"));
        }
        let mut start_s = values.start_s;
        for (micro_wh, flag) in values.micro_wh.into_iter().zip(values.flags) {
            if let Flag::Known(quality) = flag {
                let (channel, direction, length_s) = (suffix.as_str(), *direction, values.length_s);
                self.collector.add(Entry {
                    line,
                    meter,
                    channel,
                    direction,
                    start_s,
                    length_s,
                    micro_wh,
                    quality,
                })?;
            } else if flag == Flag::Null {
                self.collector.warn(line, Warning::NullValues);
            }
            start_s += values.length_s;
        }
        Ok(())
    }
}
