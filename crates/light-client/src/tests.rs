//! Honest and dishonest servers, in front of one client.

mod clock;
mod lies;
mod neighbours;
mod proofs;
mod successions;

use crate::{
    Event, Fault, Input, LightClient, Output, Question, RequestId, ServerId, Wake,
    testing::{Ledger, State},
};

/// The time of day when tests begin.
pub(super) const START_MS: u64 = 1_790_000_000_000;

pub(super) fn state(amount: u8) -> State {
    State::of(&[(b"held", &[amount]), (b"other", b"x"), (b"third", b"y")], 3, 0)
}

/// A client, its clock, and what it asked and said.
pub(super) struct Tab {
    pub(super) client: LightClient,
    pub(super) now_ms: u64,
    pub(super) wake: Wake,
    pub(super) asked: Vec<(ServerId, RequestId, Question)>,
    pub(super) events: Vec<Event>,
}

impl Tab {
    pub(super) fn new(ledger: &Ledger, servers: u32) -> Self {
        let client = LightClient::new(&ledger.root()).unwrap();
        let mut tab = Self { client, now_ms: START_MS, wake: None, asked: vec![], events: vec![] };
        (0..servers).for_each(|id| tab.step(Input::Up(ServerId(id))));
        tab
    }

    pub(super) fn step(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.wake = self.client.step(self.now_ms, input, &mut out);
        for output in out {
            match output {
                Output::Ask { server, request, question } => {
                    self.asked.push((server, request, question));
                }
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    /// Lets time pass, waking the client as it asked.
    pub(super) fn wait(&mut self, ms: u64) {
        let end_ms = self.now_ms + ms;
        while let Some(at) = self.wake.filter(|at| *at <= end_ms) {
            self.now_ms = at.max(self.now_ms);
            let before = self.wake;
            self.step(Input::Tick);
            assert!(self.wake.is_none_or(|next| next > self.now_ms), "{before:?} again");
        }
        self.now_ms = end_ms;
    }

    pub(super) fn push(&mut self, from: u32, bytes: &[u8]) {
        self.step(Input::Pushed { from: ServerId(from), bytes });
        // It may have looked at another header just now.
        self.wait(250);
    }

    /// Answers what was asked, as `answer` says; none: the server fails.
    pub(super) fn answer(&mut self, answer: impl Fn(ServerId, &Question) -> Option<Vec<u8>>) {
        while !self.asked.is_empty() {
            let (server, request, question) = self.asked.remove(0);
            match answer(server, &question) {
                Some(bytes) => self.step(Input::Answered { request, bytes: &bytes }),
                None => self.step(Input::Failed(request)),
            }
        }
    }

    pub(super) fn faults(&self) -> Vec<(u32, Fault)> {
        let named = |event: &Event| match event {
            Event::Misbehaved(server, fault) => Some((server.0, *fault)),
            _ => None,
        };
        self.events.iter().filter_map(named).collect()
    }

    pub(super) fn height(&self) -> u64 {
        self.client.head().map_or(0, |head| head.header.height)
    }
}

/// What an honest server that is at `height` says.
pub(super) fn honest(ledger: &Ledger, height: u64, question: &Question) -> Vec<u8> {
    match question {
        Question::Latest => ledger.finality(height, 0).to_bytes(),
        Question::State(key) => ledger.state_proof(height, key).to_bytes(),
        Question::Successions(after) => ledger.successions(*after).to_bytes(),
    }
}
