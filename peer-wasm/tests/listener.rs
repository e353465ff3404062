//! A listener hears its event while it lives, and nothing after.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![cfg(target_arch = "wasm32")]

use std::{cell::Cell, rc::Rc};

use peer_wasm::Listener;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Event, EventTarget};

wasm_bindgen_test_configure!(run_in_browser);

fn fire(target: &EventTarget) {
    target.dispatch_event(&Event::new("ping").unwrap()).unwrap();
}

#[wasm_bindgen_test]
fn a_dropped_listener_hears_nothing_and_frees_what_it_holds() {
    let target = EventTarget::new().unwrap();
    let heard = Rc::new(Cell::new(0));
    let count = Rc::clone(&heard);
    let listener = Listener::new(&target, "ping", move |_: Event| count.set(count.get() + 1));
    fire(&target);
    fire(&target);
    assert_eq!(heard.get(), 2);
    assert_eq!(Rc::strong_count(&heard), 2);
    drop(listener);
    fire(&target);
    assert_eq!(heard.get(), 2);
    assert_eq!(Rc::strong_count(&heard), 1, "the closure was freed");
}

#[wasm_bindgen_test]
fn a_listener_may_drop_itself() {
    let target = EventTarget::new().unwrap();
    let heard = Rc::new(Cell::new(0));
    let own = Rc::new(Cell::new(None));
    let (count, slot) = (Rc::clone(&heard), Rc::clone(&own));
    let listener = Listener::new(&target, "ping", move |_: Event| {
        drop(slot.take());
        count.set(count.get() + 1);
    });
    own.set(Some(listener));
    fire(&target);
    fire(&target);
    assert_eq!(heard.get(), 1);
    assert_eq!(Rc::strong_count(&heard), 1);
}
