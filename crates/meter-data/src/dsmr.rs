//! Telegrams of the customer port of Dutch, Belgian and Luxembourgian meters (DSMR P1, versions 2.2
//! to 5; IEC 62056-21 in form).
//!
//! A telegram is from a line with `/` to a line with `!`, on which, since version 4, its CRC16 stands.
//! A file holds as many as were recorded; between them may stand a time in ISO 8601 with an offset, for
//! the telegram after it: versions before 4 do not say when they were sent.

use std::collections::BTreeMap;

use crate::counter::Counter;
use crate::energy::{MICRO, micro_wh, unit_power};
use crate::limits::TELEGRAM_BYTES_MAX;
use crate::report::{Counters, Warning};
use crate::zone::{local, seconds_of};
use crate::{Direction, ReadError, Reason};
use crate::{collect::Collector, text::whole_lines, time};

/// Whether text is in this format: a line begins with `/`, and a counter stands below it.
pub(crate) fn is_it(text: &str) -> bool {
    let mut lines = text.lines().skip_while(|line| !line.starts_with('/'));
    lines.next().is_some() && lines.take(64).any(|line| line.starts_with("1-0:1.8."))
}

/// What a telegram says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Telegram {
    /// The meter's number; where it tells none, what the first line says.
    meter: String,
    /// As it stands there: `42`, `50`, `50213`.
    version: Option<String>,
    /// In seconds since 1970.
    at_s: Option<i64>,
    /// Energy from the grid, in millionths of a Wh.
    import: Option<i128>,
    export: Option<i128>,
    /// Whether it had a CRC16.
    has_checksum: bool,
}

impl Telegram {
    /// Reads one telegram, from its `/` to the end of the line with its `!`.
    ///
    /// The CRC16 counts where it stands, and must stand there since version 4. It is over lines that
    /// end with CR and LF; a record that lost its CRs is read as if they were there.
    fn read(text: &str) -> Result<Self, Reason> {
        if text.len() > TELEGRAM_BYTES_MAX {
            return Err(Reason::TooLong);
        }
        let body = text.strip_prefix('/').ok_or(Reason::Order)?;
        let (body, sum) = body.rsplit_once("\n!").ok_or(Reason::Cut)?;
        let mut telegram = Self::default();
        let mut totals = [None, None];
        for (index, line) in body.lines().enumerate() {
            let line = line.trim_end();
            if index == 0 {
                line.clone_into(&mut telegram.meter);
            } else {
                telegram.object(line, &mut totals)?;
            }
        }
        telegram.import = telegram.import.or(totals[0]);
        telegram.export = telegram.export.or(totals[1]);
        telegram.check(text, sum.trim())?;
        if telegram.import.is_none() && telegram.export.is_none() {
            return Err(Reason::Field("1-0:1.8.1"));
        }
        Ok(telegram)
    }

    /// Counters in whole Wh.
    fn counters(&self) -> Counters {
        let wh = |micro: Option<i128>| u64::try_from(micro.unwrap_or(0) / MICRO).unwrap_or(0);
        Counters { at_s: self.at_s, import_wh: wh(self.import), export_wh: wh(self.export) }
    }

    /// One line: a code, then values in parentheses, of which the last counts.
    fn object(&mut self, line: &str, totals: &mut [Option<i128>; 2]) -> Result<(), Reason> {
        let Some((code, values)) = line.split_once('(') else { return Ok(()) };
        let value = values.strip_suffix(')').unwrap_or(values);
        let value = value.rsplit_once('(').map_or(value, |(_, last)| last);
        match code {
            "0-0:1.0.0" => self.at_s = Some(moment(value)?),
            "1-3:0.2.8" | "0-0:96.1.4" => self.version = Some(value.to_owned()),
            "0-0:96.1.1" | "0-0:42.0.0" if !value.is_empty() => self.meter = name(value),
            "1-0:1.8.1" | "1-0:1.8.2" => add(&mut self.import, value)?,
            "1-0:2.8.1" | "1-0:2.8.2" => add(&mut self.export, value)?,
            "1-0:1.8.0" => add(&mut totals[0], value)?,
            "1-0:2.8.0" => add(&mut totals[1], value)?,
            _ => {}
        }
        Ok(())
    }

    fn check(&mut self, text: &str, sum: &str) -> Result<(), Reason> {
        if sum.is_empty() {
            let old = self.version.as_ref().is_none_or(|version| version.as_str() < "4");
            return if old { Ok(()) } else { Err(Reason::Checksum) };
        }
        let expected = u16::from_str_radix(sum, 16).map_err(|_| Reason::Checksum)?;
        let end = text.rfind('!').map_or(text.len(), |at| at + 1);
        let covered = &text[..end];
        let with_returns = || covered.replace("\r\n", "\n").replace('\n', "\r\n");
        let fits = |bytes: &[u8]| crc16(bytes) == expected;
        self.has_checksum = true;
        let good = fits(covered.as_bytes()) || fits(with_returns().as_bytes());
        if good { Ok(()) } else { Err(Reason::Checksum) }
    }
}

/// CRC16 as the port has it: polynomial x^16 + x^15 + x^2 + 1, lowest bit first, from 0.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| {
            if sum & 1 == 1 { (sum >> 1) ^ 0xa001 } else { sum >> 1 }
        })
    })
}

/// A counter like `000371.313*kWh`, added to those of other tariffs.
fn add(sum: &mut Option<i128>, value: &str) -> Result<(), Reason> {
    let (number, unit) = value.split_once('*').ok_or(Reason::Unit)?;
    let micro = micro_wh(number, unit_power(unit).ok_or(Reason::Unit)?)?;
    *sum = Some(sum.unwrap_or(0).checked_add(micro).ok_or(Reason::TooMuch)?);
    Ok(())
}

/// A time like `261025023000S`: S is summer time, UTC+2, W winter time, UTC+1.
fn moment(text: &str) -> Result<i64, Reason> {
    let offset_s = match text.as_bytes().last() {
        Some(b'S') => 7200,
        Some(b'W') => 3600,
        _ => return Err(Reason::Time),
    };
    let digits = &text.as_bytes()[..text.len() - 1];
    if digits.len() != 12 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Reason::Time);
    }
    let two = |at: usize| i32::from(digits[at] - b'0') * 10 + i32::from(digits[at + 1] - b'0');
    let naive = local([2000 + two(0), two(2), two(4)], [two(6), two(8), two(10)])?;
    Ok(seconds_of(naive)? - offset_s)
}

/// A number that is written as the hexadecimal codes of its letters; other texts as they are.
fn name(text: &str) -> String {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let letter = |pair: &[u8]| {
        let code = digit(pair[0])? * 16 + digit(*pair.get(1)?)?;
        char::from_u32(code).filter(|letter| letter.is_ascii_graphic() || *letter == ' ')
    };
    let decoded: Option<String> = text.as_bytes().chunks(2).map(letter).collect();
    decoded.unwrap_or_else(|| text.to_owned())
}

/// Counters of one meter.
#[derive(Default)]
struct Seen {
    import: Counter,
    export: Counter,
}

/// Reads all telegrams of a file. The version of the first one.
pub(crate) fn read(text: &str, collector: &mut Collector) -> Result<Option<String>, ReadError> {
    let mut recording =
        Recording { collector, seen: BTreeMap::new(), version: None, said_s: None, open: None };
    let mut from = 0;
    for numbered in whole_lines(text) {
        let (number, line) = numbered?;
        recording.line(text, number, from, line)?;
        from += line.len();
    }
    if let Some((line, _)) = recording.open {
        recording.collector.refuse(line, Reason::Cut);
    }
    let Recording { collector, seen, version, .. } = recording;
    for (meter, Seen { import, export }) in seen {
        import.give(collector, &meter, "1-0:1.8", Direction::Import)?;
        export.give(collector, &meter, "1-0:2.8", Direction::Export)?;
    }
    Ok(version)
}

struct Recording<'a> {
    collector: &'a mut Collector,
    seen: BTreeMap<String, Seen>,
    version: Option<String>,
    /// The time on a line of its own, for the telegram after it.
    said_s: Option<i64>,
    /// Line and place of the telegram that has begun.
    open: Option<(usize, usize)>,
}

impl Recording<'_> {
    /// Takes the line that begins at `from`.
    fn line(
        &mut self,
        text: &str,
        number: usize,
        from: usize,
        line: &str,
    ) -> Result<(), ReadError> {
        if line.starts_with('/') {
            if let Some((begun, _)) = self.open.replace((number, from)) {
                self.collector.refuse(begun, Reason::Cut);
            }
        } else if line.starts_with('!') {
            match self.open.take() {
                Some((begun, start)) => self.telegram(begun, &text[start..from + line.len()])?,
                None => self.collector.refuse(number, Reason::Order),
            }
        } else if self.open.is_none() && !line.trim().is_empty() {
            match time::iso(line.trim()) {
                Some(at_s) => self.said_s = Some(at_s),
                None => self.collector.refuse(number, Reason::UnknownRecord),
            }
        }
        Ok(())
    }

    fn telegram(&mut self, line: usize, text: &str) -> Result<(), ReadError> {
        let said_s = self.said_s.take();
        let mut telegram = match Telegram::read(text) {
            Ok(telegram) => telegram,
            Err(reason) => {
                self.collector.refuse(line, reason);
                return Ok(());
            }
        };
        if !telegram.has_checksum {
            self.collector.warn(line, Warning::NoChecksum);
        }
        telegram.at_s = telegram.at_s.or(said_s);
        self.version = self.version.take().or_else(|| telegram.version.clone());
        let meter = self.collector.meter(line, &telegram.meter)?;
        let newer = |old: Counters| old.at_s <= telegram.at_s;
        if meter.counters.is_none_or(newer) {
            meter.counters = Some(telegram.counters());
        }
        let Some(at_s) = telegram.at_s else {
            self.collector.refuse(line, Reason::NoTime);
            return Ok(());
        };
        let seen = self.seen.entry(telegram.meter).or_default();
        if let Some(micro_wh) = telegram.import {
            seen.import.see(self.collector, line, at_s, micro_wh);
        }
        if let Some(micro_wh) = telegram.export {
            seen.export.see(self.collector, line, at_s, micro_wh);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTS: &str = "/ISk5\\2MT382-1000\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(261025023000W)\r\n\
        0-0:96.1.1(4B384547303034303436333935353037)\r\n1-0:1.8.1(000100.123*kWh)\r\n\
        1-0:1.8.2(000200.877*kWh)\r\n1-0:2.8.1(000003.000*kWh)\r\n1-0:2.8.2(000000.500*kWh)\r\n\
        0-1:24.2.1(261025020000W)(12785.123*m3)\r\n!";

    fn sealed(objects: &str) -> String {
        format!("{objects}{:04X}\r\n", crc16(objects.as_bytes()))
    }

    #[test]
    fn the_check_sum_is_that_of_the_catalogue() {
        assert_eq!(crc16(b"123456789"), 0xbb3d);
    }

    #[test]
    fn a_telegram_is_read_and_tariffs_are_added() {
        let telegram = Telegram::read(&sealed(OBJECTS)).unwrap();
        assert_eq!(telegram.meter, "K8EG004046395507");
        assert_eq!((telegram.version.as_deref(), telegram.has_checksum), (Some("50"), true));
        let counters = Counters { at_s: Some(1_792_891_800), import_wh: 301_000, export_wh: 3_500 };
        assert_eq!(telegram.counters(), counters);
    }

    #[test]
    fn any_other_letter_breaks_the_check_sum_and_lost_returns_do_not() {
        let good = sealed(OBJECTS);
        for at in 1..OBJECTS.len() - 1 {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
            assert!(Telegram::read(&String::from_utf8(bytes).unwrap()).is_err(), "{at}");
        }
        assert!(Telegram::read(&good.replace("\r\n", "\n")).is_ok());
        let without = OBJECTS.to_owned() + "\r\n";
        assert_eq!(Telegram::read(&without), Err(Reason::Checksum), "version 5 has one");
        let old = without.replace("1-3:0.2.8(50)\r\n", "");
        assert!(!Telegram::read(&old).unwrap().has_checksum);
    }

    #[test]
    fn times_say_which_of_two_hours_they_are_in() {
        assert_eq!(moment("261025023000S"), Ok(1_792_888_200));
        assert_eq!(moment("261025023000W"), Ok(1_792_891_800));
        for wrong in ["", "S", "261025023000", "261325023000S", "2610250230é0S"] {
            assert_eq!(moment(wrong), Err(Reason::Time), "{wrong}");
        }
    }

    #[test]
    fn a_name_that_is_not_hexadecimal_stays() {
        assert_eq!(name("4B38"), "K8");
        assert_eq!([name("xyz"), name("4B3"), name("00ff")], ["xyz", "4B3", "00ff"]);
    }
}
