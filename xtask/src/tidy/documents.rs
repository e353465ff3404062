//! Checks of documents, and of comments that refer to them.

use std::path::Path;

use super::File;
use crate::house::House;

/// What a build makes: named in the map, absent in a fresh checkout.
const MADE: &[&str] = &["dist", "data", "target"];
/// Ends that make a word without a slash a file.
const FILES: &[&str] = &[".rs", ".toml", ".md", ".js", ".mjs", ".html"];

/// Every path in backticks in ARCHITECTURE.md exists.
pub(super) fn map(house: &House, files: &[File]) -> Vec<String> {
    let Some(map) = files.iter().find(|file| file.path == "ARCHITECTURE.md") else {
        return vec!["there is no ARCHITECTURE.md".to_owned()];
    };
    let mut findings = Vec::new();
    for (index, line) in map.text.lines().enumerate() {
        let words = line.split('`').skip(1).step_by(2);
        for path in words.filter(|word| is_path(word)) {
            if !house.root.join(path).exists() {
                findings.push(map.finding(index, &format!("{path} does not exist")));
            }
        }
    }
    findings
}

/// Whether a word in backticks means a file or folder of the checkout. `/signal` is a route,
/// `crates/*` a pattern, `http://…` an address.
fn is_path(word: &str) -> bool {
    let first = word.split('/').next().unwrap_or_default();
    let shaped = word.contains('/') || FILES.iter().any(|end| word.ends_with(end));
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    shaped && plain && !first.is_empty() && !word.starts_with("..") && !MADE.contains(&first)
}

/// Every relative link in a Markdown file leads somewhere.
pub(super) fn links(house: &House, files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is(&[".md"])) {
        let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        for (index, line) in file.text.lines().enumerate() {
            for target in targets(line) {
                let path = target.split('#').next().unwrap_or_default();
                if !path.is_empty() && !house.root.join(folder).join(path).exists() {
                    findings.push(file.finding(index, &format!("{target} leads nowhere")));
                }
            }
        }
    }
    findings
}

/// Relative targets of the Markdown links in a line.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter(|target| !target.contains(':') && !target.starts_with('/'))
}

/// Every `docs/….md` that code names exists, and so does the section it names: by
/// `file.md#anchor`, or by `file.md`, "Section".
pub(super) fn anchors(_: &House, files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    // The examples of this check name documents that need not exist.
    let code = files.iter().filter(|file| !file.path.starts_with("xtask/src/tidy/"));
    for file in code.filter(|file| file.is(&[".rs", ".js", ".mjs", ".ts"])) {
        for (index, line) in file.text.lines().enumerate() {
            for mention in mentions(line) {
                let document = files.iter().find(|one| one.path == mention.path);
                let problem = match (document, mention.section) {
                    (None, _) => Some(format!("{} does not exist", mention.path)),
                    (Some(document), Some(section)) if !has_section(document, section) => {
                        Some(format!("{} has no section {section:?}", mention.path))
                    }
                    _ => None,
                };
                findings.extend(problem.map(|what| file.finding(index, &what)));
            }
        }
    }
    findings
}

struct Mention<'a> {
    path: &'a str,
    section: Option<&'a str>,
}

fn mentions(line: &str) -> impl Iterator<Item = Mention<'_>> {
    line.match_indices("docs/").filter_map(|(at, _)| {
        let rest = &line[at..];
        let end = rest.find(".md")? + ".md".len();
        let (path, after) = rest.split_at(end);
        let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
        let section = match after.strip_prefix('#') {
            Some(anchor) => anchor.split(|c: char| !c.is_alphanumeric() && c != '-').next(),
            None => after
                .trim_start_matches(['`', ',', ' '])
                .strip_prefix('"')
                .and_then(|quoted| quoted.split_once('"').map(|(title, _)| title)),
        };
        plain.then_some(Mention { path, section })
    })
}

fn has_section(document: &File, section: &str) -> bool {
    let titles = document.text.lines().filter(|line| line.starts_with('#'));
    titles
        .map(|line| line.trim_start_matches('#').trim())
        .any(|title| title == section || slug(title) == section)
}

/// The anchor that renderers give a heading.
fn slug(title: &str) -> String {
    title
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_patterns_and_built_files_are_not_paths_of_the_checkout() {
        assert!(is_path("crates/swarm") && is_path("deny.toml"));
        assert!(!is_path("/signal") && !is_path("crates/*") && !is_path("dist/web"));
        assert!(!is_path("step(now, input, out)"));
    }

    #[test]
    fn a_section_is_named_by_title_or_by_anchor() {
        let text = "# Swarm\n\n## Swarm id\n".to_owned();
        let document = File { path: "docs/spec/swarm.md".to_owned(), text };
        assert!(has_section(&document, "Swarm id") && has_section(&document, "swarm-id"));
        assert!(!has_section(&document, "Pieces"));
        let found: Vec<_> = mentions("(see `docs/spec/swarm.md`, \"Swarm id\")")
            .map(|mention| (mention.path, mention.section))
            .collect();
        assert_eq!(found, [("docs/spec/swarm.md", Some("Swarm id"))]);
    }

    #[test]
    fn only_relative_links_are_followed() {
        let line = "[a](docs/a.md#x) [b](https://example.org) ![c](images/c.png \"title\")";
        assert_eq!(targets(line).collect::<Vec<_>>(), ["docs/a.md#x", "images/c.png"]);
    }
}
