//! What a counter showed, as energy between the times it was read.

use std::collections::BTreeMap;

use crate::collect::{Collector, Entry};
use crate::report::Warning;
use crate::{Direction, Quality, ReadError, Reason};

/// Readings closer together than this are one, in seconds: a meter may tell its counters every second.
const THIN_S: i64 = 300;
/// Highest counter, in millionths of a Wh: a TWh.
const COUNTER_MICRO_WH_MAX: i128 = 1_000_000_000_000_000_000;

/// Readings of one counter.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    /// Line and millionths of a Wh, by time.
    readings: BTreeMap<i64, (usize, i128)>,
}

impl Counter {
    /// Takes a reading. Of two of the same second the first stays.
    pub(crate) fn see(
        &mut self,
        collector: &mut Collector,
        line: usize,
        at_s: i64,
        micro_wh: i128,
    ) {
        if micro_wh < 0 {
            collector.refuse(line, Reason::Negative);
        } else if micro_wh > COUNTER_MICRO_WH_MAX {
            collector.refuse(line, Reason::TooMuch);
        } else if let Some((_, old)) = self.readings.get(&at_s) {
            let warning =
                if *old == micro_wh { Warning::RepeatedSame } else { Warning::RepeatedOther };
            collector.warn(line, warning);
        } else {
            self.readings.insert(at_s, (line, micro_wh));
        }
    }

    /// The energy between readings, into a channel. Where the counter goes back there is none.
    pub(crate) fn give(
        self,
        collector: &mut Collector,
        meter: &str,
        channel: &str,
        direction: Direction,
    ) -> Result<(), ReadError> {
        let last_s = self.readings.last_key_value().map(|(at_s, _)| *at_s);
        let mut before: Option<(i64, i128)> = None;
        for (at_s, (line, micro_wh)) in self.readings {
            let Some((start_s, old)) = before else {
                before = Some((at_s, micro_wh));
                continue;
            };
            let near = start_s.div_euclid(THIN_S) == at_s.div_euclid(THIN_S);
            if micro_wh < old {
                collector.refuse(line, Reason::CounterBack);
            } else if near && Some(at_s) != last_s {
                continue;
            } else {
                let (length_s, micro_wh) = (at_s - start_s, micro_wh - old);
                let quality = Quality::Measured;
                collector.add(Entry {
                    line,
                    meter,
                    channel,
                    direction,
                    start_s,
                    length_s,
                    micro_wh,
                    quality,
                })?;
            }
            before = Some((at_s, micro_wh));
        }
        Ok(())
    }
}
