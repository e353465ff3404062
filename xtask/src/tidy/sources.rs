//! Checks of source files.

use super::{File, LINES_MAX};
use crate::house::House;

/// Files that people write and read as code.
const CODE: &[&str] = &[".rs", ".js", ".mjs", ".ts", ".css"];

pub(super) fn size(_: &House, files: &[File]) -> Vec<String> {
    let code = files.iter().filter(|file| file.is(CODE));
    code.filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > LINES_MAX)
            .then(|| format!("{}: {lines} lines, limit is {LINES_MAX}: find the seam", file.path))
    })
    .collect()
}

pub(super) fn promises(_: &House, files: &[File]) -> Vec<String> {
    // Put together here, so that this file does not find itself.
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X:"].concat()];
    search(files.iter().filter(|file| file.is(CODE)), |line| {
        let found = marks.iter().find(|mark| line.contains(mark.as_str()))?;
        let issue =
            line.split('#').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        (!issue).then(|| format!("{found} without the number of its issue"))
    })
}

pub(super) fn machine(_: &House, files: &[File]) -> Vec<String> {
    let homes = ["home", "root", "work", "Users"].map(|name| format!("/{name}/"));
    let sources = files.iter().filter(|file| !file.path.ends_with(".lock"));
    search(sources, |line| {
        let found = homes.iter().find(|home| starts_a_path(line, home))?;
        Some(format!("a path of one machine ({found}…)"))
    })
}

/// Whether `home` stands in the line as the start of a path, not inside one.
fn starts_a_path(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || "._-/}".contains(c))
    })
}

fn search<'a>(
    files: impl Iterator<Item = &'a File>,
    mut find: impl FnMut(&str) -> Option<String>,
) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            findings.extend(find(line).map(|what| file.finding(index, &what)));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_folder_is_a_path_and_a_route_of_that_name_is_not() {
        let home = format!("/{}/", "home");
        assert!(starts_a_path(&format!("open {home}ann/file"), &home));
        assert!(!starts_a_path(&format!("https://example.org{home}"), &home));
    }
}
