//! Which paths a manifest may name.

use crate::limits::PATH_BYTES_MAX;

/// Whether `path` is a relative URL path that stays below the folder it is resolved against.
///
/// Refused: the empty path, more than [`PATH_BYTES_MAX`] bytes, a scheme or any other colon in the
/// first step, a leading or doubled slash, steps `.` and `..` (also written `%2e`), a query, a
/// fragment, a backslash (browsers read it as a slash) and everything outside printable ASCII
/// (browsers drop tabs and line ends). Whoever writes a manifest percent-encodes the rest.
pub fn is_safe_path(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    path.len() <= PATH_BYTES_MAX
        && !first.contains(':')
        && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\?#".contains(&byte))
        && path.split('/').all(is_safe_step)
}

fn is_safe_step(step: &str) -> bool {
    let plain = step.replace("%2e", ".").replace("%2E", ".");
    !matches!(plain.as_str(), "" | "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_the_folder_are_safe() {
        for path in ["a.m4s", "hi/s000.m4s", "starling/0-{part}.json", "a/b..c/%20d", "a/b:c"] {
            assert!(is_safe_path(path), "{path}");
        }
    }

    #[test]
    fn paths_that_leave_the_folder_are_not() {
        let long = "a".repeat(PATH_BYTES_MAX + 1);
        for path in [
            "",
            "/a",
            "//host/a",
            "a//b",
            "a/",
            "../a",
            "a/../../b",
            "a/%2e%2E/b",
            ".%2e/a",
            "./a",
            "https://host/a",
            "javascript:alert(1)",
            "a\\..\\b",
            "a?b",
            "a#b",
            "a b",
            "\ta",
            ".\t./a",
            "ä",
            long.as_str(),
        ] {
            assert!(!is_safe_path(path), "{path}");
        }
    }
}
