//! `starling meter` as people run it: tables, JSON, exit codes, and a replay that keeps its speed.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[allow(dead_code, reason = "the rig is shared with the tests of files")]
mod files_rig;

use std::fmt::Write as _;
use std::process::Output;
use std::time::{Duration, Instant};

use files_rig::Place;
use serde_json::{Value, json};

const REAL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../crates/meter-data/tests/data/nem12/multiple_quality.csv"
);

/// A place with a file `readings`.
struct Desk(Place);

impl Desk {
    fn with(text: &str) -> Self {
        let place = Place::new();
        place.write("readings", text.as_bytes());
        Self(place)
    }

    fn run(&self, words: &[&str]) -> Output {
        self.0.plain(&[&["meter"][..], words].concat()).output().unwrap()
    }

    /// What it prints; it must succeed.
    fn text(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.text(words)).unwrap()
    }

    /// How it ends, and what it says then.
    fn fails(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = self.run(words);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

/// Quarters of the day of 25 hours, by clocks that are not named.
fn long_day() -> String {
    let mut text = "time;Bezug (kWh);Einspeisung (kWh)\n".to_owned();
    for hour in (0..3).chain(2..24) {
        for minute in [0, 15, 30, 45] {
            writeln!(text, "25.10.2026 {hour:02}:{minute:02};0,125;0,010").unwrap();
        }
    }
    text
}

#[test]
fn a_real_file_is_shown_as_a_table() {
    let table = Desk::with("").text(&["inspect", REAL]);
    for line in [
        "format    nem12",
        "times     +10:00",
        "meter     CCCC123456",
        "  span    2004-04-16T14:00:00Z to 2004-04-17T14:00:00Z (1 d 0 h)",
        "  slots   96 of 15 min, 0 incomplete",
        "  channel E1: import, 48 intervals, 896.990 kWh, 44 substituted",
        "  import  896.990 kWh",
        "  export  not measured",
    ] {
        assert!(table.lines().any(|shown| shown == line), "no {line:?} in:\n{table}");
    }
}

#[test]
fn the_day_of_25_hours_is_whole_when_the_zone_is_named() {
    let desk = Desk::with(&long_day());
    let shown = desk.json(&["inspect", "readings", "--zone", "Europe/Berlin", "--json"]);
    let meter = &shown["meters"][0];
    assert_eq!((&meter["slots"], &meter["slots_incomplete"]), (&json!(100), &json!(0)));
    assert_eq!((&meter["import_wh"], &meter["export_wh"]), (&json!(12_500), &json!(1000)));
    assert_eq!(shown["changed_days"], json!([{ "date": "2026-10-25", "length_s": 90_000 }]));
    assert_eq!((&shown["zone"], &shown["problem_count"]), (&json!("Europe/Berlin"), &json!(0)));

    let (code, said) = desk.fails(&["inspect", "readings"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("line 2") && said.contains("--zone"), "{said}");
}

#[test]
fn what_was_not_read_is_listed_with_its_line() {
    let text = "time,import Wh\n2026-10-25T00:00:00Z,1\n2026-10-25T00:15:00Z,1\nnonsense,1\n\
        2026-10-25T00:30:00Z,x\n";
    let shown = Desk::with(text).json(&["inspect", "readings", "--json"]);
    let listed: Vec<_> = shown["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["line"].as_u64().unwrap(), one["code"].as_str().unwrap()))
        .collect();
    assert_eq!(listed, [(4, "time"), (5, "number")]);
}

#[test]
fn nothing_to_read_ends_with_1_and_says_why() {
    let none = "time,import Wh\nnonsense,1\n";
    let desk = Desk::with(none);
    let output = desk.run(&["inspect", "readings"]);
    assert_eq!(output.status.code(), Some(1));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("line 2: not a date and time"), "{table}");

    for (text, reason) in [("", "empty"), ("hello", "CSV"), ("PK\u{3}\0", "UTF-16")] {
        let (code, said) = Desk::with(text).fails(&["inspect", "readings"]);
        assert_eq!(code, Some(1), "{text}");
        assert!(said.contains(reason), "{said}");
    }
    let (code, said) = desk.fails(&["inspect", "missing"]);
    assert!(code == Some(1) && said.contains("missing"), "{said}");
    let (code, _) = desk.fails(&["inspect", "readings", "--zone", "Europe/Atlantis"]);
    assert_eq!(code, Some(2), "a wrong option is not a wrong file");
    let output = Desk::with("").run(&["inspect", "readings", "--json"]);
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error["error"]["code"], "empty");
}

#[test]
fn a_replay_tells_every_slot_in_order() {
    let desk = Desk::with(&long_day());
    let words = ["replay", "readings", "--zone", "Europe/Berlin", "--speed", "1000000x", "--json"];
    let text = desk.text(&words);
    let slots: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(slots.len(), 100);
    let starts: Vec<_> = slots.iter().map(|slot| slot["start_s"].as_i64().unwrap()).collect();
    assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == 900));
    assert_eq!((&slots[0]["import_wh"], &slots[0]["export_wh"]), (&json!(125), &json!(10)));
    let shown = desk.text(&words[..words.len() - 1]);
    assert!(shown.starts_with("2026-10-24T22:00:00Z"), "{shown}");
}

#[test]
fn a_replay_is_not_faster_than_it_is_told() {
    let text = "time,import Wh\n2026-10-25T00:00:00Z,1\n2026-10-25T00:15:00Z,2\n";
    let began = Instant::now();
    let told = Desk::with(text).text(&["replay", "readings", "--speed", "9000"]);
    assert!(
        began.elapsed() >= Duration::from_millis(200),
        "two slots of 900 s, 9000 times as fast"
    );
    assert_eq!(told.lines().count(), 2);
    let (code, _) = Desk::with(text).fails(&["replay", "readings", "--speed", "0x"]);
    assert_eq!(code, Some(2));
}
