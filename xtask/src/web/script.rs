//! Our own scripts as they are shipped: without the comments and types that are for their readers.
//!
//! Not a parser: it knows the ways comments stand in our scripts (lines that start with `//`, blocks
//! that start a line or carry a type) and leaves everything else alone.

/// The script without its comments.
pub(super) fn without_comments(script: &str) -> String {
    let mut shipped = String::with_capacity(script.len());
    let mut in_block = false;
    for line in script.lines() {
        let mut code = line.to_owned();
        if in_block {
            let Some((_, after)) = line.split_once("*/") else { continue };
            in_block = false;
            code = after.to_owned();
        }
        while let Some((before, comment, after)) = block(&code) {
            in_block = comment.is_none();
            code = format!("{before}{after}");
        }
        if !code.trim().is_empty() && !code.trim_start().starts_with("//") {
            shipped.push_str(code.trim_end());
            shipped.push('\n');
        }
    }
    shipped
}

/// The first block comment of a line: what stands before it, the comment (`None`: it goes on in the
/// next line), what stands after it.
fn block(line: &str) -> Option<(&str, Option<&str>, &str)> {
    let starts_line = line.trim_start().starts_with("/*");
    let at = if starts_line { line.find("/*")? } else { line.find("/** @")? };
    let (before, rest) = line.split_at(at);
    match rest.split_once("*/") {
        Some((comment, after)) => Some((before, Some(comment), after)),
        None if starts_line => Some((before, None, "")),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_types_go_and_code_stays() {
        let script = r#"// @ts-check
// Story.
/** @typedef {import("./loader.js").Segment} Segment */
import { a } from "./a.js";

/**
 * Doc.
 */
export class B {
  /** @type {number | null} */ #c = null;
  d = /** @type {any} */ (a);
  url = "https://example.org/*"; // kept
}
"#;
        let shipped = r#"import { a } from "./a.js";
export class B {
   #c = null;
  d =  (a);
  url = "https://example.org/*"; // kept
}
"#;
        assert_eq!(without_comments(script), shipped);
    }
}
