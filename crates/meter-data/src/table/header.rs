//! What the columns of a table are, by their names in the languages of the countries with such meters.

use csv::StringRecord;

use crate::Direction;
use crate::energy::unit_power;
use crate::limits::FIELDS_MAX;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Date,
    Start,
    End,
    Meter,
    Unit,
    Energy(EnergyColumn),
}

/// A column of energies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EnergyColumn {
    /// Nothing: the name does not say.
    pub(super) direction: Option<Direction>,
    /// Power of ten of its unit in millionths of a Wh, where the name says it.
    pub(super) power: Option<i32>,
    /// Surely a counter, by its name.
    pub(super) counter: bool,
}

const EXPORT: [&str; 9] =
    ["export", "feed", "inject", "einspeis", "terug", "returned", "surplus", "ruecklief", "togrid"];
const IMPORT: [&str; 13] = [
    "import",
    "consum",
    "verbruik",
    "verbrauch",
    "bezug",
    "usage",
    "used",
    "afname",
    "afgenomen",
    "delivered",
    "entnahme",
    "soutir",
    "fromgrid",
];
/// Energy, but nothing about where it went.
const NEUTRAL: [&str; 6] = ["energy", "energie", "value", "wert", "waarde", "reading"];
const COUNTER: [&str; 5] = ["counter", "register", "zaehler", "cumulative", "index"];
const START: [&str; 16] = [
    "timestamp",
    "datetime",
    "start",
    "from",
    "von",
    "van",
    "begin",
    "time",
    "zeitstempel",
    "zeitpunkt",
    "uhrzeit",
    "zeit",
    "tijd",
    "tijdstip",
    "tstp",
    "interval",
];
const END: [&str; 6] = ["end", "to", "until", "bis", "tot", "ending"];
const DATE: [&str; 6] = ["date", "datum", "day", "tag", "dag", "fecha"];
const METER: [&str; 8] = ["nmi", "mpan", "mprn", "ean", "lclid", "meter", "serial", "meterid"];
const UNIT: [&str; 4] = ["unit", "units", "uom", "einheit"];
/// Columns with these words are something else.
const OTHER: [&str; 26] = [
    "cost",
    "costs",
    "price",
    "kosten",
    "preis",
    "prijs",
    "amount",
    "co2",
    "temperature",
    "quality",
    "status",
    "notes",
    "power",
    "kw",
    "w",
    "var",
    "kvar",
    "varh",
    "kvarh",
    "gas",
    "m3",
    "water",
    "max",
    "min",
    "average",
    "demand",
];

/// The role of a column, if its name tells one.
pub(super) fn role(name: &str) -> Option<Role> {
    let lower = name.to_lowercase().replace('ä', "ae").replace('ü', "ue");
    let words: Vec<&str> = lower
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
    let joined = words.concat();
    let stem = |stems: &[&str]| stems.iter().any(|stem| joined.contains(stem));
    let counter = has(&COUNTER) || words.iter().any(|word| word.ends_with("stand"));
    if words.is_empty() || has(&OTHER) {
        return None;
    }
    if words.iter().all(|word| UNIT.contains(word)) {
        return Some(Role::Unit);
    }
    if has(&METER)
        && words.iter().all(|word| METER.contains(word) || ["id", "number"].contains(word))
    {
        return Some(Role::Meter);
    }
    let power = words.iter().find_map(|word| unit_at_end(word));
    let direction = if stem(&EXPORT) {
        Some(Direction::Export)
    } else {
        stem(&IMPORT).then_some(Direction::Import)
    };
    let is_time = has(&START) || has(&END) || has(&DATE);
    if power.is_some() || !is_time && (direction.is_some() || stem(&NEUTRAL)) {
        return Some(Role::Energy(EnergyColumn { direction, power, counter }));
    }
    time_role(has(&START), has(&END), has(&DATE))
}

fn time_role(start: bool, end: bool, date: bool) -> Option<Role> {
    match (start, end, date) {
        (_, true, _) => Some(Role::End),
        (true, false, _) => Some(Role::Start),
        (false, false, true) => Some(Role::Date),
        (false, false, false) => None,
    }
}

/// The unit that a word is, or ends with: `kwh`, `importwh`.
fn unit_at_end(word: &str) -> Option<i32> {
    ["kwh", "mwh", "wh"].into_iter().find(|unit| word.ends_with(unit)).and_then(unit_power)
}

/// Which column is what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Header {
    /// Its line, from 1.
    pub(super) line: usize,
    pub(super) date: Option<usize>,
    pub(super) start: Option<usize>,
    pub(super) end: Option<usize>,
    pub(super) meter: Option<usize>,
    pub(super) unit: Option<usize>,
    /// Place, name and kind.
    pub(super) energies: Vec<(usize, String, EnergyColumn)>,
}

impl Header {
    /// The header that these cells are, if a time and an energy are among them.
    pub(super) fn of<'a>(line: usize, cells: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut header = Self { line, ..Self::default() };
        for (place, name) in cells.take(FIELDS_MAX).enumerate() {
            match role(name) {
                Some(Role::Date) => header.date = header.date.or(Some(place)),
                Some(Role::Start) => header.start = header.start.or(Some(place)),
                Some(Role::End) => header.end = header.end.or(Some(place)),
                Some(Role::Meter) => header.meter = header.meter.or(Some(place)),
                Some(Role::Unit) => header.unit = header.unit.or(Some(place)),
                Some(Role::Energy(column)) => {
                    header.energies.push((place, name.trim().to_owned(), column));
                }
                None => {}
            }
        }
        // What names no direction may be the sum, or the home's own use: it counts only alone.
        if header.energies.iter().any(|(_, _, column)| column.direction.is_some()) {
            header.energies.retain(|(_, _, column)| column.direction.is_some());
        }
        let timed = header.date.is_some() || header.start.is_some() || header.end.is_some();
        (timed && !header.energies.is_empty()).then_some(header)
    }

    /// A row's date, and the cell of its start, or of its end where that is all there is.
    pub(super) fn time_of<'a>(&self, row: &'a StringRecord) -> (&'a str, &'a str) {
        let cell =
            |place: Option<usize>| place.and_then(|place| row.get(place)).unwrap_or("").trim();
        (cell(self.date), cell(if self.ends_only() { self.end } else { self.start }))
    }

    /// Whether rows say when an interval ends and not when it begins.
    pub(super) fn ends_only(&self) -> bool {
        self.start.is_none() && self.end.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn energy(direction: Option<Direction>, power: Option<i32>, counter: bool) -> Option<Role> {
        Some(Role::Energy(EnergyColumn { direction, power, counter }))
    }

    #[test]
    fn columns_are_known_by_their_names() {
        let (import, export) = (Some(Direction::Import), Some(Direction::Export));
        for (name, expected) in [
            ("Import (kWh)", energy(import, Some(9), false)),
            ("export_wh", energy(export, Some(6), false)),
            ("USAGE", energy(import, None, false)),
            ("KWH/hh (per half hour)", energy(None, Some(9), false)),
            ("Zählerstand Bezug [kWh]", energy(import, Some(9), true)),
            ("Meterstand teruglevering (kWh)", energy(export, Some(9), true)),
            ("Standard import kWh", energy(import, Some(9), false)),
            ("Energy to grid (Wh)", energy(export, Some(6), false)),
            ("Energy", energy(None, None, false)),
            ("DATE", Some(Role::Date)),
            ("Datum/Uhrzeit", Some(Role::Start)),
            ("START TIME", Some(Role::Start)),
            ("END TIME", Some(Role::End)),
            ("Interval end", Some(Role::End)),
            ("bis", Some(Role::End)),
            ("tstp", Some(Role::Start)),
            ("Meter ID", Some(Role::Meter)),
            ("Units", Some(Role::Unit)),
            ("COST", None),
            ("Import power (kW)", None),
            ("Q1 (kvarh)", None),
            ("TYPE", None),
            ("", None),
        ] {
            assert_eq!(role(name), expected, "{name}");
        }
    }

    #[test]
    fn a_header_has_a_time_and_an_energy() {
        let of = |names: &[&str]| Header::of(3, names.iter().copied());
        assert_eq!(of(&["Date", "Cost"]), None);
        assert_eq!(of(&["Import kWh"]), None);
        let header = of(&["Time", "Energy kWh", "Import kWh", "Export kWh"]).unwrap();
        let places: Vec<_> = header.energies.iter().map(|(place, _, _)| *place).collect();
        assert_eq!((header.line, header.start, places), (3, Some(0), vec![2, 3]));
        assert!(of(&["Date", "End time", "Import"]).unwrap().ends_only());
    }

    #[test]
    fn no_more_fields_of_a_header_are_looked_at_than_a_line_may_have() {
        let names = core::iter::once("Time").chain(core::iter::repeat_n("Import", 2 * FIELDS_MAX));
        let header = Header::of(1, names).unwrap();
        assert_eq!(header.energies.last().unwrap().0, FIELDS_MAX - 1);
    }
}
