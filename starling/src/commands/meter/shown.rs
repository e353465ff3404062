//! Readings as a person and a program see them.

use std::fmt;

use chrono::{DateTime, SecondsFormat};
use meter_data::{ChannelReport, Direction, Meter, Quality, Reading, Report, SLOT_S, Slot};
use serde_json::{Value, json};

use crate::commands::units;

/// Most gaps and lines of one kind that a table shows.
const SHOWN_MAX: usize = 5;

/// A moment in UTC.
pub(super) fn moment(at_s: i64) -> String {
    let at = DateTime::from_timestamp(at_s, 0).unwrap_or_default();
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Energy in kWh, to the Wh.
pub(super) fn kwh(wh: u64) -> String {
    format!("{}.{:03} kWh", wh / 1000, wh % 1000)
}

/// A length in its two largest units.
fn length(seconds: i64) -> String {
    units::time(u64::try_from(seconds).unwrap_or(0))
}

/// What was understood, as a table.
pub(super) struct Table<'a>(pub(super) &'a Reading);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reading { meters, report } = self.0;
        let version =
            report.version.as_ref().map_or(String::new(), |version| format!(" {version}"));
        writeln!(f, "format    {}{version}", report.format.code())?;
        writeln!(f, "times     {}", report.zone)?;
        for meter in meters {
            show_meter(f, meter)?;
        }
        for day in &report.changed_days {
            writeln!(f, "clocks    {} has {}", day.date, length(day.length_s))?;
        }
        show_findings(f, report)
    }
}

fn show_meter(f: &mut fmt::Formatter<'_>, meter: &Meter) -> fmt::Result {
    writeln!(f, "meter     {}", if meter.id.is_empty() { "-" } else { &meter.id })?;
    if let Some((from_s, to_s)) = meter.span() {
        let span = length(to_s - from_s);
        writeln!(f, "  span    {} to {} ({span})", moment(from_s), moment(to_s))?;
        let slots = meter.slots();
        let (made, missing) = (slots.slots.len(), slots.incomplete);
        writeln!(f, "  slots   {made} of {} min, {missing} incomplete", SLOT_S / 60)?;
    }
    for channel in &meter.channels {
        show_channel(f, channel)?;
    }
    for direction in [Direction::Import, Direction::Export] {
        let total = if meter.measures(direction) {
            kwh(meter.total_wh(direction))
        } else {
            "not measured".to_owned()
        };
        writeln!(f, "  {}  {total}", direction.name())?;
    }
    if let Some(counters) = &meter.counters {
        let (import, export) = (kwh(counters.import_wh), kwh(counters.export_wh));
        let at = counters.at_s.map_or_else(|| "no time".to_owned(), moment);
        writeln!(f, "  counter import {import}, export {export}, {at}")?;
    }
    Ok(())
}

fn show_channel(f: &mut fmt::Formatter<'_>, channel: &ChannelReport) -> fmt::Result {
    let ChannelReport { name, direction, intervals, .. } = channel;
    let total = kwh(channel.total_wh);
    write!(f, "  channel {name}: {}, {intervals} intervals, {total}", direction.name())?;
    for (count, what) in [
        (channel.substituted, "substituted"),
        (channel.duplicates_same, "twice"),
        (channel.duplicates_conflicting, "twice and different"),
    ] {
        if count > 0 {
            write!(f, ", {count} {what}")?;
        }
    }
    writeln!(f)?;
    if channel.gap_count > 0 {
        writeln!(f, "    {} gaps, {} together", channel.gap_count, length(channel.gap_s))?;
    }
    for gap in channel.gaps.iter().take(SHOWN_MAX) {
        let missing = length(gap.end_s - gap.start_s);
        writeln!(f, "    gap from {} to {} ({missing})", moment(gap.start_s), moment(gap.end_s))?;
    }
    Ok(())
}

fn show_findings(f: &mut fmt::Formatter<'_>, report: &Report) -> fmt::Result {
    for warned in &report.warnings {
        let times =
            if warned.count > 1 { format!(" ({} times)", warned.count) } else { String::new() };
        writeln!(f, "warning   line {}: {}{times}", warned.line, warned.warning)?;
    }
    for problem in report.problems.iter().take(SHOWN_MAX) {
        writeln!(f, "not read  line {}: {}", problem.line, problem.reason)?;
    }
    let more = report.problem_count.saturating_sub(SHOWN_MAX);
    if more > 0 {
        writeln!(f, "not read  {more} more")?;
    }
    Ok(())
}

/// The same, whole.
pub(super) fn json(reading: &Reading) -> Value {
    let report = &reading.report;
    let changed =
        |day: &meter_data::ChangedDay| json!({ "date": day.date, "length_s": day.length_s });
    let warned = |one: &meter_data::Warned| {
        json!({ "code": one.warning.code(), "what": one.warning.to_string(), "line": one.line,
                "count": one.count })
    };
    let problem = |one: &meter_data::Problem| json!({ "line": one.line, "code": one.reason.code(), "what": one.reason.to_string() });
    json!({
        "format": report.format.code(),
        "version": report.version,
        "zone": report.zone,
        "meters": reading.meters.iter().map(meter_json).collect::<Vec<_>>(),
        "changed_days": report.changed_days.iter().map(changed).collect::<Vec<_>>(),
        "warnings": report.warnings.iter().map(warned).collect::<Vec<_>>(),
        "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
        "problem_count": report.problem_count,
        "rounding_micro_wh": i64::try_from(report.rounding_micro_wh).ok(),
    })
}

fn meter_json(meter: &Meter) -> Value {
    let slots = meter.slots();
    let span = meter.span();
    let total = |way| meter.measures(way).then(|| meter.total_wh(way));
    let counters = meter.counters.map(|counters| {
        json!({ "at_s": counters.at_s, "import_wh": counters.import_wh,
                "export_wh": counters.export_wh })
    });
    json!({
        "id": meter.id,
        "start_s": span.map(|span| span.0),
        "end_s": span.map(|span| span.1),
        "intervals": meter.intervals.len(),
        "slot_s": SLOT_S,
        "slots": slots.slots.len(),
        "slots_incomplete": slots.incomplete,
        "import_wh": total(Direction::Import),
        "export_wh": total(Direction::Export),
        "counters": counters,
        "channels": meter.channels.iter().map(channel_json).collect::<Vec<_>>(),
    })
}

fn channel_json(channel: &ChannelReport) -> Value {
    let gap = |gap: &meter_data::Gap| json!({ "start_s": gap.start_s, "end_s": gap.end_s });
    json!({
        "name": channel.name,
        "direction": channel.direction.name(),
        "intervals": channel.intervals,
        "start_s": channel.start_s,
        "end_s": channel.end_s,
        "total_wh": channel.total_wh,
        "substituted": channel.substituted,
        "duplicates_same": channel.duplicates_same,
        "duplicates_conflicting": channel.duplicates_conflicting,
        "gaps": channel.gaps.iter().map(gap).collect::<Vec<_>>(),
        "gap_count": channel.gap_count,
        "gap_s": channel.gap_s,
    })
}

/// One slot of a replay, for a program.
pub(super) fn slot_json(meter: &str, slot: &Slot) -> String {
    json!({
        "meter": meter,
        "start_s": slot.start_s,
        "length_s": SLOT_S,
        "import_wh": slot.import_wh,
        "export_wh": slot.export_wh,
        "substituted": slot.quality == Quality::Substituted,
        "cut": slot.cut,
    })
    .to_string()
}

/// One slot of a replay, for a person.
pub(super) fn slot_text(meter: &str, slot: &Slot) -> String {
    let (import, export) = (kwh(slot.import_wh), kwh(slot.export_wh));
    format!("{}  {meter}  import {import}  export {export}", moment(slot.start_s))
}
