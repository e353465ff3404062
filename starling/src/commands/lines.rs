//! Lines of a command that goes on: words, or one JSON object each.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Problem;

/// Most warnings that are remembered; with more, some are told again.
const WARNED_MAX: usize = 64;

/// What tells them. A warning is told once, until what it was about went well.
#[derive(Debug)]
pub(crate) struct Lines {
    json: bool,
    warned: BTreeSet<String>,
}

impl Lines {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, warned: BTreeSet::new() }
    }

    /// Something happened: `event` names it for programs.
    pub(crate) fn tell(&mut self, event: &str, about: Value, text: &str) {
        self.put(event, about, text);
    }

    /// All is well: what is warned of from now on is new.
    pub(crate) fn settle(&mut self) {
        self.warned.clear();
    }

    /// Something stands in the way and may pass.
    pub(crate) fn warn(&mut self, problem: &Problem) {
        self.warn_as(&problem.what, problem);
    }

    /// The same, where `name` says whether it was told: its words may count something.
    pub(crate) fn warn_as(&mut self, name: &str, problem: &Problem) {
        let Problem { code, what, remedy, .. } = problem;
        if self.warned.len() >= WARNED_MAX {
            self.settle();
        }
        if !self.warned.insert(name.to_owned()) {
            return;
        }
        if self.json {
            self.put("warning", json!({ "code": code, "what": what, "remedy": remedy }), "");
        } else {
            eprintln!("warning: {what}\n  {remedy}");
        }
    }

    fn put(&self, event: &str, mut about: Value, text: &str) {
        if self.json {
            about["event"] = json!(event);
            println!("{about}");
        } else {
            println!("{text}");
        }
    }
}
