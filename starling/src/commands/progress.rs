//! One line on a terminal that is written over; on a pipe a line now and then.

use std::io::{IsTerminal as _, Write as _, stderr};

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
