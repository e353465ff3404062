//! Two connections of this page to each other, by the browser's real WebRTC: what one sends the other
//! hears, what leaves the buffer is counted to the byte, and an end is told once.

use std::rc::Rc;

use peer::{Channel, Input, LinkId, RtcConfig};
use primitives::Time;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use super::Links;
use crate::test_sink::Told;

wasm_bindgen_test_configure!(run_in_browser);

const ID: LinkId = LinkId(1);

struct Side {
    told: Rc<Told>,
    links: Links,
}

impl Side {
    fn new() -> Self {
        let (told, inbox) = Told::new();
        Self { told, links: Links::new(inbox) }
    }

    async fn description(&self) -> String {
        self.told
            .wait("a description", |input| match input {
                Input::RtcDescription { sdp, .. } => Some(sdp),
                _ => None,
            })
            .await
    }
}

/// Carries candidates both ways until both sides are open.
async fn connect() -> (Side, Side) {
    let (mut caller, mut callee) = (Side::new(), Side::new());
    caller.links.dial(ID, &RtcConfig::default());
    callee.links.accept(ID, caller.description().await, &RtcConfig::default());
    caller.links.remote_answer(ID, callee.description().await);
    let (mut a_open, mut b_open) = (false, false);
    for _ in 0..4000 {
        a_open |= carry(&caller, &callee);
        b_open |= carry(&callee, &caller);
        if a_open && b_open {
            return (caller, callee);
        }
        gloo_timers::future::TimeoutFuture::new(5).await;
    }
    panic!("the two sides did not connect");
}

fn carry(from: &Side, to: &Side) -> bool {
    let mut is_open = false;
    for input in from.told.take_all() {
        match input {
            Input::RtcCandidate { candidate, mid, .. } => {
                to.links.remote_candidate(ID, candidate, mid);
            }
            Input::RtcOpen { .. } => is_open = true,
            other => panic!("unexpected while connecting: {other:?}"),
        }
    }
    is_open
}

#[wasm_bindgen_test]
async fn what_one_side_sends_the_other_hears_in_order() {
    let (caller, callee) = connect().await;
    for number in 0..50_u8 {
        caller.links.send(ID, Channel::Payload, &[number; 16_384]);
    }
    caller.links.send(ID, Channel::Control, b"hello");
    let mut numbers = Vec::new();
    let mut control = None;
    while numbers.len() < 50 || control.is_none() {
        let bytes = callee
            .told
            .wait("a message", |input| match input {
                Input::RtcMessage { bytes, .. } => Some(bytes),
                _ => None,
            })
            .await;
        if bytes == b"hello" {
            control = Some(numbers.len());
        } else {
            assert_eq!(bytes.len(), 16_384);
            numbers.push(bytes[0]);
        }
    }
    assert_eq!(numbers, (0..50).collect::<Vec<u8>>());
}

#[wasm_bindgen_test]
async fn every_payload_byte_that_leaves_is_counted_and_control_is_not() {
    let (caller, _callee) = connect().await;
    let sizes = [16_384_usize, 1, 65_536, 777];
    for size in sizes {
        caller.links.send(ID, Channel::Payload, &vec![0; size]);
    }
    caller.links.send(ID, Channel::Control, &[0; 1000]);
    let all: u64 = sizes.iter().map(|size| u64::try_from(*size).unwrap()).sum();
    let mut left = 0;
    while left < all {
        left += caller
            .told
            .wait("bytes to leave the buffer", |input| match input {
                Input::RtcSent { bytes, .. } => Some(bytes),
                _ => None,
            })
            .await;
    }
    assert_eq!(left, all);
}

#[wasm_bindgen_test]
async fn an_open_connection_tells_its_path() {
    let (mut caller, _callee) = connect().await;
    // A pair may be selected a moment after the channels open.
    for attempt in 1..100 {
        caller.links.look_up_paths(Time::from_ms(attempt * 10_000));
        gloo_timers::future::TimeoutFuture::new(50).await;
        let told = caller.told.take_all();
        let path = told.iter().find_map(|input| match input {
            Input::RtcPath { relayed, .. } => Some(*relayed),
            _ => None,
        });
        if let Some(relayed) = path {
            assert!(!relayed, "loopback goes through no relay");
            return;
        }
    }
    panic!("no path was told");
}

#[wasm_bindgen_test]
async fn a_restart_of_ice_keeps_the_channels() {
    let (caller, callee) = connect().await;
    caller.links.restart_ice(ID, &RtcConfig::default());
    callee.links.remote_offer(ID, caller.description().await, &RtcConfig::default());
    caller.links.remote_answer(ID, callee.description().await);
    caller.links.send(ID, Channel::Control, b"still here");
    let heard = callee
        .told
        .wait("a message over the restarted connection", |input| match input {
            Input::RtcMessage { bytes, .. } => Some(bytes),
            Input::RtcClosed { .. } => panic!("the restart closed the connection"),
            _ => None,
        })
        .await;
    assert_eq!(heard, b"still here");
}

#[wasm_bindgen_test]
async fn a_closed_side_is_silent_and_the_other_is_told_once() {
    let (mut caller, callee) = connect().await;
    caller.links.close(ID);
    callee
        .told
        .wait("the close to be told", |input| {
            matches!(input, Input::RtcClosed { .. }).then_some(())
        })
        .await;
    gloo_timers::future::TimeoutFuture::new(100).await;
    assert!(callee.told.take_all().iter().all(|input| !matches!(input, Input::RtcClosed { .. })));
    assert!(caller.told.take_all().iter().all(|input| !matches!(input, Input::RtcClosed { .. })));
}

#[wasm_bindgen_test]
async fn a_description_the_browser_refuses_ends_the_connection() {
    let mut side = Side::new();
    side.links.accept(ID, "not a description".to_owned(), &RtcConfig::default());
    side.told.wait("the end", |input| matches!(input, Input::RtcClosed { .. }).then_some(())).await;
}
