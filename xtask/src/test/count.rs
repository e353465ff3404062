//! Counts tests from what test programs print.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use anyhow::{Context as _, Result, bail};

use crate::house;

/// Tests that passed and failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// The machine lacks something that the tests can't do without; they said what.
    pub(crate) not_run: bool,
}

impl Tally {
    /// Counts one check.
    pub(crate) fn check(&mut self, good: bool) {
        if good {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
    }

    /// Ends a stage: one that counted nothing counts as one unless it said that it did not run, one
    /// that failed has a failure.
    pub(crate) fn close(&mut self, good: bool) {
        let uncounted = if good { *self == Self::default() } else { self.failed == 0 };
        if uncounted {
            self.check(good);
        }
    }

    /// Adds what a line of a test program says. Known are libtest's `test result: ok. 3 passed; 0
    /// failed; …`, nextest's `Summary [ 1.2s] 5 tests run: 4 passed, 1 failed, 0 skipped`, and our
    /// own `5 passed, 0 failed` that closes a run or `not run: …` in its place.
    fn read(&mut self, line: &str) {
        self.not_run |= line.starts_with("not run: ");
        let line = line.trim();
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |word: &str| {
            let at = words.iter().position(|one| one.trim_matches([',', ';']) == word)?;
            words.get(at.checked_sub(1)?)?.parse::<u64>().ok()
        };
        let ours = || matches!(words[..], [_, "passed,", _, "failed"]);
        let counts = line.starts_with("test result: ") || line.starts_with("Summary [") || ours();
        if counts {
            self.passed += number("passed").unwrap_or(0);
            self.failed += number("failed").unwrap_or(0);
        }
    }
}

/// Runs a child, shows what it prints, counts the tests it reports. Fails when the child does.
pub(crate) fn run(command: &mut Command, tally: &mut Tally) -> Result<()> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        command.spawn().with_context(|| format!("could not start {}", house::shown(command)))?;
    let (lines, read) = mpsc::channel();
    let stdout = child.stdout.take().context("the child's output is a pipe")?;
    let stderr = child.stderr.take().context("the child's errors are a pipe")?;
    let readers = [forward(stdout, lines.clone()), forward(stderr, lines)];
    for line in read {
        println!("{line}");
        tally.read(&line);
    }
    for reader in readers {
        reader.join().map_err(|_| anyhow::anyhow!("a reader of output panicked"))?;
    }
    let status = child.wait().context("waiting for a child")?;
    if !status.success() {
        bail!("{} ended with {status}", house::shown(command));
    }
    Ok(())
}

fn forward(
    output: impl Read + Send + 'static,
    lines: mpsc::Sender<String>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &str, passed: u64, failed: u64) {
        let mut tally = Tally::default();
        lines.lines().for_each(|line| tally.read(line));
        assert_eq!(tally, Tally { passed, failed, not_run: false }, "{lines}");
    }

    #[test]
    fn closing_lines_are_counted_and_others_not() {
        check("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured", 3, 2);
        check("     Summary [   0.52s] 5 tests run: 4 passed, 1 failed, 0 skipped", 4, 1);
        check("     Summary [   0.52s] 5 tests run: 5 passed (1 slow), 2 skipped", 5, 0);
        check("200 passed, 0 failed", 200, 0);
        check("the exam was passed, nobody failed", 0, 0);
    }

    #[test]
    fn a_stage_counts_at_least_once() {
        let mut quiet = Tally::default();
        quiet.close(true);
        assert_eq!(quiet, Tally { passed: 1, ..Tally::default() });
        let mut broken = Tally { passed: 4, ..Tally::default() };
        broken.close(false);
        assert_eq!(broken, Tally { passed: 4, failed: 1, not_run: false });
    }

    #[test]
    fn a_stage_that_can_not_run_here_counts_as_nothing() {
        let mut tally = Tally::default();
        tally.read("not run: network namespaces need root");
        tally.close(true);
        assert_eq!(tally, Tally { not_run: true, ..Tally::default() });
    }
}
