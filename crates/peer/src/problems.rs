//! What is wrong now, for a person: raised, shown, taken back.

use core::time::Duration;

use primitives::{SwarmId, Time};

use crate::{
    Output,
    effect::Effect,
    effect::Effects,
    view::{PROBLEMS_MAX, Problem},
};

/// How long a problem that nothing takes back is shown.
const SHOWN: Duration = Duration::from_secs(60);

/// At most [`PROBLEMS_MAX`] problems, newest first, one per code and stream.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    list: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    swarm: Option<SwarmId>,
    problem: Problem,
    /// Shown until then; states that are taken back explicitly stay.
    until: Time,
}

impl Problems {
    /// Adds it, or refreshes it. The driver hears of it once, however often strangers cause it.
    pub(crate) fn raise(
        &mut self,
        now: Time,
        swarm: Option<SwarmId>,
        problem: Problem,
        out: &mut Vec<Output>,
    ) {
        self.list.retain(|entry| entry.until > now);
        let until = if is_state(&problem.code) { Time::NEVER } else { now + SHOWN };
        let known = |entry: &Entry| entry.swarm == swarm && entry.problem.code == problem.code;
        let was = self.list.iter().position(known).map(|at| self.list.remove(at));
        if was.is_none() {
            out.push(Output::Problem(problem.clone()));
        }
        self.list.insert(0, Entry { swarm, problem, until });
        self.list.truncate(PROBLEMS_MAX);
    }

    /// Takes it back.
    pub(crate) fn clear(&mut self, swarm: Option<SwarmId>, code: &str) {
        self.list.retain(|entry| entry.swarm != swarm || entry.problem.code != code);
    }

    /// Takes back all of one stream.
    pub(crate) fn close(&mut self, swarm: SwarmId) {
        self.list.retain(|entry| entry.swarm != Some(swarm));
    }

    pub(crate) fn view(&self, now: Time) -> Vec<Problem> {
        self.list.iter().filter(|e| e.until > now).map(|e| e.problem.clone()).collect()
    }
}

/// Problems that last until [`Problems::clear`].
fn is_state(code: &str) -> bool {
    matches!(
        code,
        "signaling-unreachable"
            | "no-integrity"
            | "no-relay"
            | "publisher-mismatch"
            | "manifest-missing"
            | "origin-refused"
    )
}

/// Raises a problem.
pub(crate) fn wrong(
    fx: &mut Effects,
    swarm: Option<SwarmId>,
    code: &str,
    what: impl Into<String>,
    remedy: &str,
) {
    let problem = Problem { code: code.to_owned(), what: what.into(), remedy: remedy.to_owned() };
    fx.push_back(Effect::Wrong(swarm, problem));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(code: &str) -> Problem {
        Problem { code: code.to_owned(), what: String::new(), remedy: String::new() }
    }

    #[test]
    fn one_cause_is_told_once_and_shown_until_it_is_old_or_taken_back() {
        let (mut problems, mut out) = (Problems::default(), Vec::new());
        let at = Time::from_ms;
        problems.raise(at(0), None, problem("peer-lied"), &mut out);
        problems.raise(at(1), None, problem("peer-lied"), &mut out);
        problems.raise(at(2), None, problem("no-relay"), &mut out);
        assert_eq!(out.len(), 2);
        assert_eq!(problems.view(at(3)), [problem("no-relay"), problem("peer-lied")]);
        assert_eq!(problems.view(at(70_000)), [problem("no-relay")]);
        problems.clear(None, "no-relay");
        assert_eq!(problems.view(at(70_000)), []);
    }

    #[test]
    fn a_flood_of_causes_stays_within_the_bound() {
        let (mut problems, mut out) = (Problems::default(), Vec::new());
        for number in 0..100 {
            problems.raise(Time::ZERO, None, problem(&format!("c{number}")), &mut out);
        }
        assert_eq!(problems.view(Time::ZERO).len(), PROBLEMS_MAX);
    }
}
