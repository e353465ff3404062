//! The light client alone, as small as a page could load it. No page does: they load it in the wallet's module.
//! `cargo xtask bench ledger` weighs it.

use std::collections::VecDeque;

use light_client::{
    Event, Input, LightClient, Output, QueryId, Question, RequestId, ServerId, Wake,
};
use wasm_bindgen::prelude::*;

/// A light client. The time of day is told with each call, in milliseconds since 1970-01-01 UTC.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Light {
    client: LightClient,
    out: VecDeque<Output>,
    wake_ms: Wake,
}

#[wasm_bindgen]
impl Light {
    /// A client that knows nothing but the root in this text. Nothing: it is none.
    pub fn open(root: &str) -> Option<Self> {
        let client = LightClient::new(&root.parse().ok()?).ok()?;
        Some(Self { client, out: VecDeque::new(), wake_ms: None })
    }

    /// When to call `tick`; none: never.
    #[wasm_bindgen(getter)]
    pub fn wake(&self) -> Option<u64> {
        self.wake_ms
    }

    /// Time has passed.
    pub fn tick(&mut self, now_ms: u64) {
        self.step(now_ms, Input::Tick);
    }

    /// A server can be asked.
    pub fn up(&mut self, now_ms: u64, server: u32) {
        self.step(now_ms, Input::Up(ServerId(server)));
    }

    /// It can't any more.
    pub fn down(&mut self, now_ms: u64, server: u32) {
        self.step(now_ms, Input::Down(ServerId(server)));
    }

    /// A server sent a header.
    pub fn pushed(&mut self, now_ms: u64, server: u32, bytes: &[u8]) {
        self.step(now_ms, Input::Pushed { from: ServerId(server), bytes });
    }

    /// The answer to a question.
    pub fn answered(&mut self, now_ms: u64, request: u64, bytes: &[u8]) {
        self.step(now_ms, Input::Answered { request: RequestId(request), bytes });
    }

    /// There is none.
    pub fn failed(&mut self, now_ms: u64, request: u64) {
        self.step(now_ms, Input::Failed(RequestId(request)));
    }

    /// What is under a key?
    pub fn prove(&mut self, now_ms: u64, query: u64, key: &[u8]) {
        self.step(now_ms, Input::Prove { query: QueryId(query), key });
    }

    /// The next thing to do or to know: a byte that says what, numbers of 8 bytes, bytes.
    #[allow(clippy::should_implement_trait, reason = "an iterator can't leave a module")]
    pub fn next(&mut self) -> Option<Vec<u8>> {
        self.out.pop_front().map(bytes_of)
    }

    fn step(&mut self, now_ms: u64, input: Input<'_>) {
        let mut out = Vec::new();
        self.wake_ms = self.client.step(now_ms, input, &mut out);
        self.out.extend(out);
    }
}

fn bytes_of(output: Output) -> Vec<u8> {
    match output {
        Output::Ask { server, request, question } => {
            let (kind, key) = match question {
                Question::Latest => (0, Vec::new()),
                Question::State(key) => (0, key),
                Question::Successions(after) => (7, after.to_be_bytes().to_vec()),
            };
            told(kind, &[server.0.into(), request.0], &key)
        }
        Output::Event(Event::Head(head)) => {
            told(1, &[head.header.height, head.header.time_ms], &head.bytes)
        }
        Output::Event(Event::Proved(proved)) => {
            let kind = if proved.record.is_some() { 2 } else { 3 };
            told(kind, &[proved.query.0, proved.height], &proved.record.unwrap_or_default())
        }
        Output::Event(Event::Unproved(query, _)) => told(4, &[query.0], &[]),
        Output::Event(Event::Misbehaved(server, _)) => told(5, &[server.0.into()], &[]),
        Output::Event(Event::Recovered(server, _)) => told(6, &[server.0.into()], &[]),
        Output::Event(Event::Succeeded(_)) => told(8, &[], &[]),
    }
}

fn told(kind: u8, numbers: &[u64], bytes: &[u8]) -> Vec<u8> {
    let mut told = vec![kind];
    numbers.iter().for_each(|number| told.extend_from_slice(&number.to_be_bytes()));
    told.extend_from_slice(bytes);
    told
}
