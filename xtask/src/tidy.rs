//! `cargo xtask tidy`: what compilers and linters don't see.
//!
//! | check | law |
//! |---|---|
//! | map | every path that ARCHITECTURE.md names exists |
//! | links | every relative link of a document leads to a file |
//! | anchors | every section of `docs/spec` that a comment names exists |
//! | size | no source file is longer than [`LINES_MAX`] lines (functions: clippy) |
//! | promises | nothing is left for later without the number of its issue |
//! | machine | no path of one person's machine |

mod documents;
mod sources;

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::house::{self, House};

/// Longest source file.
const LINES_MAX: usize = 600;

/// A text file under version control.
struct File {
    /// Relative to the root, with `/` between folders.
    path: String,
    text: String,
}

impl File {
    fn is(&self, ends: &[&str]) -> bool {
        ends.iter().any(|end| self.path.ends_with(end))
    }

    /// `path:line: what`, lines from 1.
    fn finding(&self, index: usize, what: &str) -> String {
        format!("{}:{}: {what}", self.path, index + 1)
    }
}

type Check = fn(&House, &[File]) -> Vec<String>;

const CHECKS: &[(&str, Check)] = &[
    ("map", documents::map),
    ("links", documents::links),
    ("anchors", documents::anchors),
    ("size", sources::size),
    ("promises", sources::promises),
    ("machine", sources::machine),
];

/// Runs every check as a chore of its own.
pub(crate) fn tidy(house: &House) -> Result<()> {
    let mut bad = 0;
    check(house, |good| bad += usize::from(!good))?;
    if bad > 0 {
        bail!("{bad} of {} checks found something", CHECKS.len());
    }
    Ok(())
}

/// Runs every check, prints what it finds, and tells whether it found nothing.
pub(crate) fn check(house: &House, mut tell: impl FnMut(bool)) -> Result<()> {
    let files = files(house)?;
    for (name, check) in CHECKS {
        let findings = check(house, &files);
        println!("{} {name}", if findings.is_empty() { '✓' } else { '✗' });
        for finding in &findings {
            println!("  {finding}");
        }
        tell(findings.is_empty());
    }
    Ok(())
}

/// All text files that are, or would be, under version control.
fn files(house: &House) -> Result<Vec<File>> {
    let mut git = house.command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let names = house::read(&mut git).context("tidy needs git to know what is ours")?;
    let read = |path: &str| {
        // Not text, or deleted and not yet committed: nothing to read.
        let text = fs::read_to_string(house.root.join(path)).ok()?;
        Some(File { path: path.to_owned(), text })
    };
    Ok(names.split('\0').filter(|path| !path.is_empty()).filter_map(read).collect())
}
