//! One file, from bytes to meters.

use crate::collect::Collector;
use crate::limits::FILE_BYTES_MAX;
use crate::report::{Format, Report, Warning};
use crate::zone::Zone;
use crate::{Direction, Meter, ReadError, dsmr, espi, nem12, table, text};

/// Where Dutch and Belgian meters stand.
const DSMR_ZONE: &str = "Europe/Amsterdam";
/// Less than this in a day is less than a clock uses, in Wh.
const DAY_WH_MIN: u64 = 10;
const DAY_S: i64 = 86_400;

/// What a file does not say.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which format; nothing: whichever it looks like.
    pub format: Option<Format>,
    /// The zone of local times in CSV. For NEM12 it counts only when its offset never changes.
    pub zone: Option<Zone>,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// In order of their ids.
    pub meters: Vec<Meter>,
    /// What was understood.
    pub report: Report,
}

impl Reading {
    /// Whether nothing was measured: no interval, no counter.
    pub fn is_empty(&self) -> bool {
        self.meters.iter().all(|meter| meter.intervals.is_empty() && meter.counters.is_none())
    }
}

/// Reads a file. Total: any bytes give a reading or an error.
pub fn read(bytes: &[u8], options: &Options) -> Result<Reading, ReadError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(ReadError::TooLarge { bytes: bytes.len(), limit: FILE_BYTES_MAX });
    }
    let text = text::text(bytes)?;
    let format = options.format.or_else(|| recognised(&text)).ok_or(ReadError::UnknownFormat)?;
    let mut collector = Collector::default();
    let mut version = None;
    let zone = zone(format, options);
    match format {
        Format::Nem12 => {
            let zone = zone.as_ref().expect("the market's time is a zone");
            nem12::read(&text, zone, &mut collector)?;
        }
        Format::GreenButton => espi::read(&text, &mut collector)?,
        Format::Dsmr => version = dsmr::read(&text, &mut collector)?,
        Format::Csv => table::read(&text, zone.as_ref(), &mut collector)?,
    }
    Ok(finished(format, version, zone.as_ref(), collector))
}

/// The format that a text looks like.
fn recognised(text: &str) -> Option<Format> {
    let looks = |format: &Format| match format {
        Format::Nem12 => nem12::is_it(text),
        Format::GreenButton => espi::is_it(text),
        Format::Dsmr => dsmr::is_it(text),
        Format::Csv => table::is_it(text),
    };
    Format::ALL.into_iter().find(looks)
}

/// The zone that a format's local times are in.
fn zone(format: Format, options: &Options) -> Option<Zone> {
    let given = options.zone.clone();
    match format {
        Format::Nem12 => given
            .filter(|zone| zone.fixed_offset_s().is_some())
            .or_else(|| Zone::fixed(nem12::MARKET_OFFSET_S)),
        Format::Dsmr => Zone::named(DSMR_ZONE),
        Format::GreenButton | Format::Csv => given,
    }
}

fn finished(
    format: Format,
    version: Option<String>,
    zone: Option<&Zone>,
    mut collector: Collector,
) -> Reading {
    let gathered = core::mem::take(&mut collector.meters);
    let meters = gathered.into_iter().map(|(id, gathered)| Meter::new(id, &gathered));
    let meters: Vec<Meter> =
        meters.filter(|meter| !meter.intervals.is_empty() || meter.counters.is_some()).collect();
    if meters.iter().any(uses_nothing) {
        collector.warn(1, Warning::PowerTiny);
    }
    let spans = || meters.iter().filter_map(Meter::span);
    let span = spans().map(|span| span.0).min().zip(spans().map(|span| span.1).max());
    let changed_days = zone.zip(span).map(|(zone, (from_s, to_s))| zone.changed_days(from_s, to_s));
    let report = Report {
        format,
        version,
        zone: zone.map_or_else(|| "UTC".to_owned(), ToString::to_string),
        changed_days: changed_days.unwrap_or_default(),
        warnings: collector.warned(),
        problem_count: collector.problem_count,
        rounding_micro_wh: collector.rounding_micro_wh,
        problems: collector.problems,
    };
    Reading { meters, report }
}

/// Whether a meter with readings of a day and more counted something, but next to nothing.
fn uses_nothing(meter: &Meter) -> bool {
    let total = meter.total_wh(Direction::Import) + meter.total_wh(Direction::Export);
    let days = meter.span().map_or(0, |(from_s, to_s)| (to_s - from_s) / DAY_S);
    let days = u64::try_from(days).unwrap_or(0);
    days > 0 && total > 0 && total / days < DAY_WH_MIN
}
