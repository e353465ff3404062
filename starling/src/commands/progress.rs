//! One line on a terminal that is written over; on a pipe a line now and then.

use std::io::{IsTerminal as _, Write as _, stderr};

use super::units;

/// A progress line on standard error.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    label: &'static str,
    terminal: bool,
    shown: Option<u32>,
}

/// Steps between lines that are not written over, in percent.
const PIPE_STEP_PERCENT: u32 = 25;

impl ProgressLine {
    pub(crate) fn new(label: &'static str) -> Self {
        Self { label, terminal: stderr().is_terminal(), shown: None }
    }

    /// Shows that so many of so many bytes are done.
    pub(crate) fn show_bytes(&mut self, done: u64, of: u64) {
        let percent = u128::from(done) * 100 / u128::from(of.max(1));
        self.show(u32::try_from(percent).unwrap_or(100));
    }

    /// Shows that this much is done.
    pub(crate) fn show(&mut self, percent: u32) {
        let step = if self.terminal { 1 } else { PIPE_STEP_PERCENT };
        let percent = percent.min(100) / step * step;
        if self.shown == Some(percent) {
            return;
        }
        self.shown = Some(percent);
        let (start, end) = match (self.terminal, percent) {
            (true, 100) => ("\r", "\n"),
            (true, _) => ("\r", ""),
            (false, _) => ("", "\n"),
        };
        let mut out = stderr().lock();
        // A closed standard error is no reason to stop.
        let _ = write!(out, "{start}{}: {percent} %{end}", self.label).and_then(|()| out.flush());
    }
}

/// How far a transfer is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Transfer {
    pub(crate) done_bytes: u64,
    pub(crate) of_bytes: u64,
    pub(crate) bytes_per_s: u64,
    pub(crate) peers: usize,
}

/// A bar with bytes, speed, time and peers on a terminal; a line for each quarter on a pipe.
#[derive(Debug)]
pub(crate) struct TransferLine {
    label: &'static str,
    terminal: bool,
    quarter: Option<u64>,
    /// Characters of what stands there.
    width: usize,
}

/// Characters of a whole bar.
const BAR: u64 = 24;

impl TransferLine {
    pub(crate) fn new(label: &'static str) -> Self {
        Self { label, terminal: stderr().is_terminal(), quarter: None, width: 0 }
    }

    pub(crate) fn show(&mut self, transfer: Transfer) {
        let text = format!("{}: {}", self.label, transfer.text(self.terminal));
        if self.terminal {
            return self.write_over(&text);
        }
        let quarter = transfer.done_bytes.saturating_mul(4) / transfer.of_bytes.max(1);
        if self.quarter != Some(quarter) {
            self.quarter = Some(quarter);
            eprintln!("{text}");
        }
    }

    /// Puts a text where the last one stands.
    pub(crate) fn write_over(&mut self, text: &str) {
        if !self.terminal {
            return;
        }
        let width = text.chars().count();
        let blank = " ".repeat(self.width.saturating_sub(width));
        self.width = width;
        let mut out = stderr().lock();
        // A closed standard error is no reason to stop.
        let _ = write!(out, "\r{text}{blank}").and_then(|()| out.flush());
    }

    /// Leaves the line as it stands; what is written next begins on a new one.
    pub(crate) fn end(&mut self) {
        if self.terminal && self.width > 0 {
            eprintln!();
        }
        self.width = 0;
    }
}

impl Transfer {
    fn text(&self, bar: bool) -> String {
        let Self { done_bytes, of_bytes, bytes_per_s, peers } = *self;
        let part = |of: u64| u128::from(done_bytes) * u128::from(of) / u128::from(of_bytes.max(1));
        let percent = part(100).min(100);
        let full = usize::try_from(part(BAR).min(u128::from(BAR))).unwrap_or(0);
        let rest = usize::try_from(BAR).unwrap_or(0) - full;
        let bar = if bar {
            format!("[{}{}] ", "#".repeat(full), ".".repeat(rest))
        } else {
            String::new()
        };
        let left = of_bytes.saturating_sub(done_bytes).checked_div(bytes_per_s);
        let left = left.filter(|left| *left > 0);
        let left = left.map_or_else(String::new, |left| format!(", {} left", units::time(left)));
        format!(
            "{bar}{percent} %, {} of {}, {}/s{left}, {peers} peers",
            units::bytes(done_bytes),
            units::bytes(of_bytes),
            units::bytes(bytes_per_s),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_says_how_far_it_is_and_how_long_it_takes() {
        let transfer = Transfer {
            done_bytes: 25_000_000,
            of_bytes: 100_000_000,
            bytes_per_s: 1_000_000,
            peers: 2,
        };
        let text = "25 %, 25.0 MB of 100.0 MB, 1.0 MB/s, 1 min 15 s left, 2 peers";
        assert_eq!(transfer.text(false), text);
        assert_eq!(transfer.text(true), format!("[######..................] {text}"));
        assert_eq!(Transfer::default().text(false), "0 %, 0 B of 0 B, 0 B/s, 0 peers");
        let over = Transfer { done_bytes: 3, of_bytes: 2, ..Transfer::default() };
        assert!(over.text(true).starts_with("[########################] 100 %"));
    }
}
