//! Native peers as processes, read by their lines of JSON.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use serde_json::Value;

use crate::files_rig::{DEADLINE, Killed, Place};

/// Lines of a process, waited for no longer than [`DEADLINE`].
struct Told {
    what: String,
    lines: Receiver<Value>,
}

impl Told {
    fn new(what: String, stdout: ChildStdout) -> Self {
        let (sender, lines) = channel();
        let read: Lines<_> = BufReader::new(stdout).lines();
        std::thread::spawn(move || {
            for line in read.map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        Self { what, lines }
    }

    /// The first line that is as wanted.
    fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + DEADLINE;
        let mut last = Value::Null;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if wanted(&line) => return line,
                Ok(line) => last = line,
                Err(_) => panic!("{}: its last line is {last}", self.what),
            }
        }
    }
}

fn spawn(place: &Place, words: &[&str]) -> (Killed, Told) {
    let mut command = place.command(words);
    command.arg("--json").stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut process = command.spawn().unwrap();
    let told = Told::new(words.join(" "), process.stdout.take().unwrap());
    (Killed(process), told)
}

/// A running `starling seed`.
pub(crate) struct Seeded {
    pub(crate) link: String,
    /// What it told of the share.
    pub(crate) about: Value,
    process: Killed,
    told: Told,
}

impl Seeded {
    /// Starts it, and waits for its link and until the server knows it.
    pub(crate) fn start(place: &Place, words: &[&str]) -> Self {
        let (process, mut told) = spawn(place, &[&["seed"], words].concat());
        let about = told.until(|line| line["link"].is_string());
        told.until(|line| line["connected"] == true);
        let link = about["link"].as_str().unwrap().to_owned();
        Self { link, about, process, told }
    }

    /// Waits for a line.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.told.until(wanted)
    }

    /// Stops it as Ctrl-C does; its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let id = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.process.0.wait().unwrap().code()
    }
}

/// A running `starling get`.
pub(crate) struct Getting {
    process: Killed,
    told: Told,
}

impl Getting {
    pub(crate) fn start(place: &Place, words: &[&str]) -> Self {
        let (process, told) = spawn(place, &[&["get"], words].concat());
        Self { process, told }
    }

    /// Runs one to its end, which is good; what it tells at the end.
    pub(crate) fn finish(place: &Place, words: &[&str]) -> Value {
        let mut getting = Self::start(place, words);
        let last = getting.told.until(|line| !line["progress"].is_object());
        assert!(last["output"].is_string(), "{last}");
        assert_eq!(getting.process.0.wait().unwrap().code(), Some(0));
        last
    }

    /// Waits for a line.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.told.until(wanted)
    }

    /// Kills it as a power cut would.
    pub(crate) fn kill(self) {
        self.process.kill();
    }
}
