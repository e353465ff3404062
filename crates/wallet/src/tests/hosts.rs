//! Servers that the page's host names: asked like all others, believed as little, and taken off for good.

use light_client::ServerId;

use super::{ORIGIN, OTHER, Rig, state};
use crate::{Input, view::Command};

const THREE: &str = "https://three.example";
const FOUR: &str = "https://four.example";

/// Who is asked, and whether the host named them.
fn asked(rig: &Rig) -> Vec<(&str, bool)> {
    rig.view.servers.iter().map(|one| (one.url.as_str(), one.is_named)).collect()
}

#[test]
fn whom_the_host_names_is_asked_and_whom_a_person_takes_off_stays_away() {
    let mut rig = Rig::new();
    rig.up();
    rig.step(Input::Named("https://three.example\nhttps://four.example/\nhttp://unsafe.example"));
    assert_eq!(asked(&rig), [(ORIGIN, false), (THREE, true), (FOUR, true)]);
    rig.up();
    assert!(rig.view.servers.iter().all(|one| one.is_up));

    rig.command(Command::RemoveServer(THREE.to_owned()));
    assert_eq!(rig.hangups, [ServerId(1)]);
    rig.step(Input::Named("https://three.example\nhttps://four.example\nhttps://five.example"));
    let left = [(ORIGIN, false), (FOUR, true), ("https://five.example", true)];
    assert_eq!(asked(&rig), left, "it was named again");

    let mut again = Rig::with(rig.ledger.clone(), rig.saved.clone());
    again.step(Input::Tick);
    assert_eq!(asked(&again), left, "at the next visit, before the host says anything");
    // A person may want it after all.
    again.command(Command::AddServer(THREE.to_owned()));
    assert!(again.saved.unwanted.is_empty());
    again.step(Input::Named(""));
    assert_eq!(asked(&again), [(ORIGIN, false), (THREE, false)]);
    assert_eq!(again.saved.servers, [THREE]);
}

#[test]
fn a_host_that_stays_behind_is_noticed_though_nobody_named_another() {
    let mut rig = Rig::new();
    rig.up();
    rig.step(Input::Named(THREE));
    rig.up();
    rig.block(7_000_000, 0);
    rig.dead = Some(ORIGIN);
    rig.now_ms += 3_000;
    let height = rig.ledger.add(rig.now_ms, state(8_000_000, 0));
    let bytes = rig.ledger.finality(height, 0).to_bytes();
    rig.step(Input::Pushed(ServerId(1), &bytes));
    rig.answer();
    assert_eq!(rig.view.balance.unwrap().units, 8_000_000);
    rig.now_ms += 16_000;
    rig.step(Input::Tick);
    let own = &rig.view.servers[0];
    assert!(own.url == ORIGIN && own.faults.contains(&"lags".to_owned()), "{own:?}");
}

#[test]
fn whom_a_person_names_is_theirs_though_the_host_names_it_too() {
    let mut rig = Rig::new();
    rig.up();
    rig.step(Input::Named("https://three.example"));
    rig.up();
    rig.command(Command::AddServer(format!("{THREE}/")));
    assert_eq!(
        (asked(&rig), rig.view.refused.as_str()),
        (vec![(ORIGIN, false), (THREE, false)], "")
    );
    assert!(rig.connects.is_empty() && rig.hangups.is_empty(), "it is asked already");
    rig.command(Command::AddServer(OTHER.to_owned()));
    rig.step(Input::Named(""));
    assert_eq!(asked(&rig), [(ORIGIN, false), (THREE, false), (OTHER, false)]);
}
