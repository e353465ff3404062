//! Bytes of a file as numbered lines.

use std::borrow::Cow;

use crate::ReadError;
use crate::limits::LINES_MAX;

/// The text of a file. What is not UTF-8 (old exports are Latin-1) becomes a mark: it can only stand
/// in names, which nothing depends on.
pub(crate) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") || bytes.contains(&0) {
        return Err(ReadError::NotText);
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ReadError::Empty);
    }
    Ok(String::from_utf8_lossy(bytes))
}

/// Lines with their numbers, from 1. Errs past [`LINES_MAX`].
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Result<(usize, &str), ReadError>> {
    whole_lines(text).map(|numbered| numbered.map(|(number, line)| (number, line.trim_end())))
}

/// The same, with what ends each.
pub(crate) fn whole_lines(text: &str) -> impl Iterator<Item = Result<(usize, &str), ReadError>> {
    let numbered = text.split_inclusive('\n').zip(1..);
    numbered.map(|(line, number)| {
        if number <= LINES_MAX {
            return Ok((number, line));
        }
        Err(ReadError::TooMany { line: number, what: "lines", limit: LINES_MAX })
    })
}
