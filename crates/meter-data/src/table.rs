//! CSV: columns with a header, as portals and loggers write them. What each column is, and how its
//! numbers and dates are written, is guessed from all of the file; every guess is a warning.

mod header;

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord};

use crate::collect::{Collector, Entry, Refused, shortened};
use crate::counter::Counter;
use crate::energy::{micro_wh, unit_power};
use crate::limits::{CHANNELS_MAX, INTERVALS_MAX, LINES_MAX, METERS_MAX, PREAMBLE_LINES_MAX};
use crate::report::Warning;
use crate::time::{Order, Stamp, doubtful, stamp};
use crate::zone::{Side, Zone};
use crate::{Direction, Quality, ReadError, Reason};

use header::{EnergyColumn, Header};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Numbers are read in billionths of their unit, and get their unit when it is known.
const RAW_POWER: i32 = 9;
/// Fewest numbers that only rise to be taken for a counter.
const RISING_MIN: usize = 8;
const DAY_S: i64 = 86_400;

/// The header of a table, and its delimiter.
fn find_header(text: &str) -> Option<(u8, Header)> {
    let candidates = DELIMITERS.into_iter().filter_map(|delimiter| {
        let mut rows = records(text, delimiter).take(PREAMBLE_LINES_MAX);
        let header = rows.find_map(|(line, row)| Header::of(line, row.iter()))?;
        Some((delimiter, header))
    });
    candidates.max_by_key(|(_, header)| header.energies.len())
}

/// Whether text is a table whose columns are understood.
pub(crate) fn is_it(text: &str) -> bool {
    find_header(text).is_some()
}

/// Rows with their lines. A row that is not well quoted ends at its line.
fn records(text: &str, delimiter: u8) -> impl Iterator<Item = (usize, StringRecord)> {
    let mut builder = ReaderBuilder::new();
    builder.delimiter(delimiter).has_headers(false).flexible(true);
    let rows = builder.from_reader(text.as_bytes()).into_records();
    rows.filter_map(|row| {
        let row = row.ok()?;
        let line = row.position().map_or(1, csv::Position::line);
        Some((usize::try_from(line).unwrap_or(usize::MAX), row))
    })
}

/// Reads all rows.
pub(crate) fn read(
    text: &str,
    zone: Option<&Zone>,
    collector: &mut Collector,
) -> Result<(), ReadError> {
    // Of lines that end with CR LF the reader of CSV tells every number but the first one too small.
    let text = &*text.replace("\r\n", "\n");
    let (delimiter, header) = find_header(text).ok_or(ReadError::NoColumns)?;
    if header.energies.len() > CHANNELS_MAX {
        let (line, what, limit) = (header.line, "columns of energy", CHANNELS_MAX);
        return Err(ReadError::TooMany { line, what, limit });
    }
    let style = Style::of(text, delimiter, &header);
    if style.doubtful {
        collector.warn(header.line, Warning::GuessedDayFirst);
    }
    let mut table = Table { header, style, zone, collector, meters: Vec::new(), rows: Vec::new() };
    for (line, row) in records(text, delimiter) {
        if line > LINES_MAX {
            return Err(ReadError::TooMany { line, what: "lines", limit: LINES_MAX });
        }
        let blank = row.iter().all(|cell| cell.trim().is_empty());
        if line <= table.header.line || blank {
            continue;
        }
        match table.row(line, &row) {
            Ok(()) => {}
            Err(Refused::Line(reason)) => table.collector.refuse(line, reason),
            Err(Refused::File(error)) => return Err(error),
        }
    }
    table.give()
}

/// How dates and numbers of the file are written.
struct Style {
    order: Order,
    /// Dates could be read either way.
    doubtful: bool,
    decimal_comma: bool,
    newest_first: bool,
}

impl Style {
    fn of(text: &str, delimiter: u8, header: &Header) -> Self {
        let (mut highest, mut decimals) = ([0, 0], Decimals::default());
        let is_below = |(line, _): &(usize, StringRecord)| *line > header.line;
        for (_, row) in records(text, delimiter).filter(is_below) {
            let stamps = [header.date, header.start, header.end].into_iter().flatten();
            for numbers in stamps.filter_map(|place| doubtful(row.get(place)?)) {
                highest = [highest[0].max(numbers[0]), highest[1].max(numbers[1])];
            }
            let cells = header.energies.iter().filter_map(|(place, _, _)| row.get(*place));
            cells.for_each(|cell| decimals.see(cell));
        }
        let order = if highest[1] > 12 && highest[0] <= 12 { Order::Month } else { Order::Day };
        let doubtful = highest[0] > 0 && highest[0] <= 12 && highest[1] <= 12;
        let decimal_comma = decimals.are_commas(delimiter == b',');
        let newest_first = is_newest_first(text, delimiter, header, order);
        Self { order, doubtful, decimal_comma, newest_first }
    }

    /// A cell's number in billionths of its unit, and whether it has a fraction.
    fn number(&self, cell: &str) -> Result<(i128, bool), Reason> {
        let (decimal, thousands) = if self.decimal_comma { (',', '.') } else { ('.', ',') };
        let left_out = [thousands, ' ', '\'', '\u{a0}', '\u{202f}'];
        let plain: String = cell.chars().filter(|letter| !left_out.contains(letter)).collect();
        let plain = plain.replace(decimal, ".");
        Ok((micro_wh(&plain, RAW_POWER)?, plain.contains(['.', 'e', 'E'])))
    }
}

/// Whether more rows of a file are earlier than the one before than are later, by local clocks.
fn is_newest_first(text: &str, delimiter: u8, header: &Header, order: Order) -> bool {
    let (mut last, mut later, mut earlier) = (None, 0_usize, 0_usize);
    for (_, row) in records(text, delimiter).filter(|(line, _)| *line > header.line) {
        let (date, cell) = header.time_of(&row);
        // Moments are what they are, whatever the order.
        let Ok((Stamp::Local(at), _)) = stamp_of(date, cell, order) else { continue };
        if let Some(last) = last.replace(at) {
            later += usize::from(at > last);
            earlier += usize::from(at < last);
        }
    }
    earlier > later
}

/// What a cell says that holds a time, or that and the row's date; and whether it needed the date.
fn stamp_of(date: &str, cell: &str, order: Order) -> Result<(Stamp, bool), Reason> {
    match stamp(cell, order) {
        Ok(read) => Ok((read, false)),
        Err(_) if cell.is_empty() => Ok((stamp(date, order)?, true)),
        Err(_) => Ok((stamp(&format!("{date} {cell}"), order)?, true)),
    }
}

/// What stands in the numbers of a file.
#[derive(Default)]
struct Decimals {
    comma: bool,
    point: bool,
    /// A comma after a point, or one that can't part thousands.
    sure_comma: bool,
}

impl Decimals {
    fn see(&mut self, cell: &str) {
        let point_at = cell.rfind('.');
        self.point |= point_at.is_some();
        let Some(comma_at) = cell.rfind(',') else { return };
        self.comma = true;
        let (whole, rest) = cell.split_at(comma_at);
        let thousands = rest.trim_end().len() == 4 && whole.trim_start_matches(['-', ' ']) != "0";
        self.sure_comma |= match point_at {
            Some(point_at) => comma_at > point_at,
            None => !thousands,
        };
    }

    /// Whether fractions begin with a comma. Where commas part the columns, one inside a number parts
    /// thousands unless it can't.
    fn are_commas(&self, part_columns: bool) -> bool {
        self.comma && (self.sure_comma || !self.point && !part_columns)
    }
}

/// A row that was read.
struct Row {
    line: usize,
    meter: usize,
    at_s: i64,
    /// Where the file says it.
    end_s: Option<i64>,
    /// Power of ten of the row's own unit.
    power: Option<i32>,
    /// Number and whether it has a fraction, by column.
    numbers: Vec<Option<(i128, bool)>>,
}

/// A meter's name, and the time of its last row.
struct Known {
    name: String,
    last_s: Option<i64>,
}

struct Table<'a> {
    header: Header,
    style: Style,
    zone: Option<&'a Zone>,
    collector: &'a mut Collector,
    meters: Vec<Known>,
    rows: Vec<Row>,
}

impl Table<'_> {
    fn row(&mut self, line: usize, row: &StringRecord) -> Result<(), Refused> {
        if self.rows.len() == INTERVALS_MAX {
            let (what, limit) = ("rows", INTERVALS_MAX);
            return Err(Refused::File(ReadError::TooMany { line, what, limit }));
        }
        let cell =
            |place: Option<usize>| place.and_then(|place| row.get(place)).unwrap_or("").trim();
        let meter = self.meter(line, cell(self.header.meter))?;
        let ((date, first), end) = (self.header.time_of(row), cell(self.header.end));
        let last_s = self.meters[meter].last_s;
        let newest_first = self.style.newest_first;
        let side = if newest_first { Side::Before(last_s) } else { Side::After(last_s) };
        let (at_s, _) = self.moment(line, (date, first), side)?;
        let both = !self.header.ends_only() && !end.is_empty();
        let end_s = if both { Some(self.end(line, date, end, at_s)?) } else { None };
        let unit = cell(self.header.unit);
        let power = match unit_power(unit) {
            None if !unit.is_empty() => return Err(Reason::Unit.into()),
            power => power,
        };
        let number = |place: usize| match cell(Some(place)) {
            "" | "-" => Ok(None),
            text => self.style.number(text).map(Some),
        };
        let places = self.header.energies.iter().map(|(place, _, _)| *place);
        let numbers = places.map(number).collect::<Result<_, _>>()?;
        self.meters[meter].last_s = Some(at_s);
        self.rows.push(Row { line, meter, at_s, end_s, power, numbers });
        Ok(())
    }

    fn meter(&mut self, line: usize, name: &str) -> Result<usize, Refused> {
        let name = shortened(name);
        if let Some(index) = self.meters.iter().position(|known| known.name == name) {
            return Ok(index);
        }
        if self.meters.len() == METERS_MAX {
            let (what, limit) = ("meters", METERS_MAX);
            return Err(Refused::File(ReadError::TooMany { line, what, limit }));
        }
        self.meters.push(Known { name, last_s: None });
        Ok(self.meters.len() - 1)
    }

    /// The moment of a cell, with the row's date before it; and whether it needed the date.
    fn moment(
        &self,
        line: usize,
        (date, cell): (&str, &str),
        side: Side,
    ) -> Result<(i64, bool), Refused> {
        let (read, needed_date) = stamp_of(date, cell, self.style.order)?;
        let at_s = match (read, self.zone) {
            (Stamp::Moment(at_s), _) => at_s,
            (Stamp::Local(local), Some(zone)) => zone.moment(local, side)?,
            (Stamp::Local(_), None) => return Err(Refused::File(ReadError::ZoneNeeded { line })),
        };
        Ok((at_s, needed_date))
    }

    /// The end of an interval. A time before the start is of the next day; an end such as 00:14 after
    /// 00:00 is its last minute.
    fn end(&self, line: usize, date: &str, cell: &str, start_s: i64) -> Result<i64, Refused> {
        let side = Side::After(Some(start_s));
        let (mut end_s, needed_date) = self.moment(line, (date, cell), side)?;
        if needed_date && end_s <= start_s {
            end_s += DAY_S;
        }
        let last_minute = (end_s - start_s + 60) % 300 == 0;
        Ok(if last_minute { end_s + 60 } else { end_s })
    }

    /// Gives what was read to the collector, column by column.
    fn give(self) -> Result<(), ReadError> {
        let steps: Vec<Option<i64>> =
            (0..self.meters.len()).map(|meter| usual_step(&self.rows, meter)).collect();
        let needs_step = self.rows.iter().any(|row| row.end_s.is_none());
        let mut guessed_length = false;
        for (index, (_, name, column)) in self.header.energies.iter().enumerate() {
            let kind = Kind::of(self.collector, &self.header, &self.rows, index, *column);
            if kind.counter {
                give_counter(self.collector, &self.rows, &self.meters, index, name, &kind)?;
                continue;
            }
            guessed_length |= needs_step;
            for row in &self.rows {
                let Some((raw, _)) = row.numbers[index] else { continue };
                let (start_s, length_s) = match (row.end_s, steps[row.meter]) {
                    (Some(end_s), _) => (row.at_s, end_s - row.at_s),
                    (None, Some(step_s)) if self.header.ends_only() => (row.at_s - step_s, step_s),
                    (None, Some(step_s)) => (row.at_s, step_s),
                    (None, None) => (row.at_s, 0),
                };
                self.collector.add(Entry {
                    line: row.line,
                    meter: &self.meters[row.meter].name,
                    channel: name,
                    direction: kind.direction,
                    start_s,
                    length_s,
                    micro_wh: in_unit(raw, row.power.unwrap_or(kind.power)),
                    quality: Quality::Measured,
                })?;
            }
        }
        if guessed_length {
            self.collector.warn(self.header.line, Warning::GuessedLength);
        }
        Ok(())
    }
}

fn give_counter(
    collector: &mut Collector,
    rows: &[Row],
    meters: &[Known],
    index: usize,
    name: &str,
    kind: &Kind,
) -> Result<(), ReadError> {
    let mut counters: BTreeMap<usize, Counter> = BTreeMap::new();
    for row in rows {
        let Some((raw, _)) = row.numbers[index] else { continue };
        let micro_wh = in_unit(raw, row.power.unwrap_or(kind.power));
        counters.entry(row.meter).or_default().see(collector, row.line, row.at_s, micro_wh);
    }
    for (meter, counter) in counters {
        counter.give(collector, &meters[meter].name, name, kind.direction)?;
    }
    Ok(())
}

/// What a column turned out to be.
struct Kind {
    direction: Direction,
    power: i32,
    counter: bool,
}

impl Kind {
    fn of(
        collector: &mut Collector,
        header: &Header,
        rows: &[Row],
        index: usize,
        column: EnergyColumn,
    ) -> Self {
        let mut warn = |warning| collector.warn(header.line, warning);
        let direction = column.direction.unwrap_or_else(|| {
            warn(Warning::GuessedImport);
            Direction::Import
        });
        let numbers = || rows.iter().filter_map(|row| row.numbers[index]);
        let own_units = !rows.is_empty() && rows.iter().all(|row| row.power.is_some());
        let power = column.power.unwrap_or_else(|| {
            let fractions = numbers().any(|(_, fraction)| fraction);
            let (power, warning) =
                if fractions { (9, Warning::GuessedKwh) } else { (6, Warning::GuessedWh) };
            if !own_units {
                warn(warning);
            }
            power
        });
        let counter = column.counter || {
            let rises = rises(rows, index);
            if rises {
                warn(Warning::GuessedCounter);
            }
            rises
        };
        Self { direction, power, counter }
    }
}

/// Whether a column is that of a counter by its numbers: they never fall, and each step is small beside
/// what they began with.
fn rises(rows: &[Row], index: usize) -> bool {
    let mut last: BTreeMap<usize, (i64, i128)> = BTreeMap::new();
    let (mut count, mut lowest, mut highest_step) = (0, i128::MAX, 0);
    for row in rows {
        let Some((raw, _)) = row.numbers[index] else { continue };
        if let Some((at_s, before)) = last.insert(row.meter, (row.at_s, raw)) {
            if row.at_s < at_s || raw < before {
                return false;
            }
            highest_step = highest_step.max(raw - before);
        }
        (count, lowest) = (count + 1, lowest.min(raw));
    }
    count >= RISING_MIN && highest_step > 0 && lowest / 10 >= highest_step
}

/// The commonest distance between one row of a meter and the next, in seconds.
fn usual_step(rows: &[Row], meter: usize) -> Option<i64> {
    let mut times: Vec<i64> =
        rows.iter().filter(|row| row.meter == meter).map(|row| row.at_s).collect();
    times.sort_unstable();
    times.dedup();
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for pair in times.windows(2) {
        *counts.entry(pair[1] - pair[0]).or_default() += 1;
    }
    // Of equally common ones the shortest.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(step_s, _)| step_s)
}

/// Billionths of a unit as millionths of a Wh, half up.
fn in_unit(raw: i128, power: i32) -> i128 {
    let scale = |power: u32| 10_i128.pow(power.min(12));
    match u32::try_from(power - RAW_POWER) {
        Ok(up) => raw.saturating_mul(scale(up)),
        Err(_) => {
            let divisor = scale((power - RAW_POWER).unsigned_abs());
            (raw + divisor / 2).div_euclid(divisor)
        }
    }
}
