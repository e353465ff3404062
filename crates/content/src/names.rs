//! Which names and paths may come from or go to a folder of a person.
//!
//! One rule for building and reading, on every system: what can be added can be got everywhere.

use core::fmt;

use crate::limits::{NAME_BYTES_MAX, PATH_BYTES_MAX, PATH_DEPTH_MAX};

/// Why a name or a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// No name at all.
    Empty,
    /// `.` or `..`.
    Dots,
    /// It has a slash, a backslash or a colon (a drive or a stream on Windows).
    Separator,
    /// It has a control character, or one that turns the direction of text and hides an extension.
    Control,
    /// A device on Windows: `con`, `nul`, `com1`, with any extension.
    Reserved,
    /// It ends in a full stop or a space, which Windows drops.
    Trailing,
    /// Longer than [`NAME_BYTES_MAX`].
    NameTooLong,
    /// Longer than [`PATH_BYTES_MAX`].
    PathTooLong,
    /// More than [`PATH_DEPTH_MAX`] names.
    TooDeep,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a name is empty"),
            Self::Dots => f.write_str("a name is . or .."),
            Self::Separator => f.write_str("a name has a slash, backslash or colon"),
            Self::Control => f.write_str("a name has a control character"),
            Self::Reserved => f.write_str("a name is a device on Windows"),
            Self::Trailing => f.write_str("a name ends in a full stop or a space"),
            Self::NameTooLong => write!(f, "a name is longer than {NAME_BYTES_MAX} bytes"),
            Self::PathTooLong => write!(f, "a path is longer than {PATH_BYTES_MAX} bytes"),
            Self::TooDeep => write!(f, "a path is deeper than {PATH_DEPTH_MAX} names"),
        }
    }
}

impl core::error::Error for NameError {}

/// Whether `name` may stand in a folder.
///
/// # Errors
/// Why not.
pub fn check_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if matches!(name, "." | "..") {
        return Err(NameError::Dots);
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(NameError::NameTooLong);
    }
    if name.contains(['/', '\\', ':']) {
        return Err(NameError::Separator);
    }
    if name.contains(hides) {
        return Err(NameError::Control);
    }
    if name.ends_with(['.', ' ']) {
        return Err(NameError::Trailing);
    }
    if is_device(name) { Err(NameError::Reserved) } else { Ok(()) }
}

/// Whether `path`, names joined by slashes, may stand below a folder.
///
/// # Errors
/// Why not.
pub fn check_path(path: &str) -> Result<(), NameError> {
    if path.len() > PATH_BYTES_MAX {
        return Err(NameError::PathTooLong);
    }
    if path.split('/').count() > PATH_DEPTH_MAX {
        return Err(NameError::TooDeep);
    }
    path.split('/').try_for_each(check_name)
}

/// Whether a symlink at `path` to `target` stays below the folder that `path` is relative to.
///
/// A step up after a step down is not counted as inside: the step down may be a symlink itself, and two
/// that each look harmless can leave together. A symlink that may leave is shown as what it is; whether
/// it is made is the driver's choice.
pub fn symlink_stays_inside(path: &str, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains(['\\', ':', '\0']) {
        return false;
    }
    let depth = path.split('/').count() - 1;
    let steps = || target.split('/').filter(|step| !matches!(*step, "" | "."));
    let ups = steps().take_while(|step| *step == "..").count();
    ups <= depth && steps().skip(ups).all(|step| step != "..")
}

/// Control characters, and those that change the direction in which text reads (UAX 9) or break lines.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Names of devices on Windows, which an extension does not change.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered = |prefix| {
        let number = stem.strip_prefix(prefix).and_then(|rest: &str| {
            let mut chars = rest.chars();
            Some((chars.next()?, chars.next()))
        });
        matches!(number, Some(('1'..='9' | '¹' | '²' | '³', None)))
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$")
        || numbered("com")
        || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_fine() {
        for name in ["a", ".hidden", "...a", "ä ö.txt", "console", "com10", "nul1.txt", "日本"]
        {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        assert_eq!(check_path("a/b/c.txt"), Ok(()));
    }

    #[test]
    fn tricks_are_refused_for_what_they_are() {
        use NameError::{Control, Dots, Empty, NameTooLong, Reserved, Separator, Trailing};
        let long = "a".repeat(256);
        for (name, why) in [
            ("", Empty),
            (".", Dots),
            ("..", Dots),
            ("a/b", Separator),
            ("a\\b", Separator),
            ("c:", Separator),
            ("a:stream", Separator),
            ("a\0", Control),
            ("a\nb", Control),
            ("a\u{202e}txt.exe", Control),
            ("a.", Trailing),
            ("a ", Trailing),
            ("con", Reserved),
            ("NUL.txt", Reserved),
            ("Com1", Reserved),
            ("lpt².log", Reserved),
            (&long, NameTooLong),
        ] {
            assert_eq!(check_name(name), Err(why), "{name:?}");
        }
        assert_eq!(check_path("/etc/passwd"), Err(Empty));
        assert_eq!(check_path("a/../../b"), Err(Dots));
        assert_eq!(check_path(&"a/".repeat(10_000)), Err(NameError::PathTooLong));
        assert_eq!(check_path(&["a"; 129].join("/")), Err(NameError::TooDeep));
    }

    #[test]
    fn a_symlink_is_followed_in_thought_only() {
        for (path, target) in [("a", "b"), ("d/a", "../b"), ("d/e/a", "./../../b"), ("a", "b//c")] {
            assert!(symlink_stays_inside(path, target), "{path} -> {target}");
        }
        for (path, target) in [
            ("a", ""),
            ("a", "/etc"),
            ("a", ".."),
            ("d/a", "../../b"),
            ("d/a", "x/../y"),
            ("a", "c:x"),
        ] {
            assert!(!symlink_stays_inside(path, target), "{path} -> {target}");
        }
    }
}
