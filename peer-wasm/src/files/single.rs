//! One public block by its name, for who wants no share of it: a status list.
//!
//! Nothing of it is remembered here once it came, and nobody stays in its swarm: whoever did would show longer than
//! needed that they wanted it.

use core::cell::Cell;
use std::rc::Rc;

use files::content::{
    Cid,
    share::{ShareKey, ShareLink},
};
use gloo_timers::callback::Timeout;
use js_sys::{Array, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::{
    Files,
    record::Chosen,
    running::{Around, Running, Sources},
};

impl Files {
    /// The bytes of this name, of a share that is open here, or else from whoever gives it, or from the gateway where
    /// one is used. `None`: it is no name of a block, or nobody gave it within so many milliseconds.
    pub async fn block(&self, cid: &str, within_ms: u32) -> Option<Vec<u8>> {
        if let Some(running) = self.running(cid) {
            let cid = running.cid;
            return Some(running.block(cid).await?.into_bytes());
        }
        let cid: Cid = cid.parse().ok()?;
        self.check_room().ok()?;
        let around = Around {
            driver: Rc::clone(&self.0.driver),
            shelf: Rc::clone(&self.0.shelf),
            beside: Rc::clone(&self.0.beside),
        };
        // Nothing is sealed: any key will do.
        let (link, key) = (ShareLink::public(cid), ShareKey::new([0; 32]));
        let opened = Running::open(around, link, key, Sources::default(), Chosen::Nothing).await;
        let running = opened.ok()?;
        let gateway = self.0.gateway.borrow().clone();
        if gateway.is_some() {
            running.set_gateway(gateway);
        }
        let found = came(&running, within_ms).await;
        let bytes = match found {
            true => running.block(cid).await.map(files::content::Block::into_bytes),
            false => None,
        };
        drop(running);
        if self.0.shelf.record(&cid).await.is_none() {
            // What can't be taken out lies there until room is made.
            drop(self.0.shelf.remove(&cid).await);
        }
        bytes
    }
}

/// Waits for the block that a share is named by; whether it came.
async fn came(running: &Running, within_ms: u32) -> bool {
    let is_over = Rc::new(Cell::new(false));
    let mut timer = None;
    let late = Promise::new(&mut |resolve: Function, _: Function| {
        let is_over = Rc::clone(&is_over);
        timer = Some(Timeout::new(within_ms, move || {
            is_over.set(true);
            // A promise that is settled already is none the worse.
            drop(resolve.call0(&JsValue::UNDEFINED));
        }));
    });
    while !running.has(&running.cid) && !is_over.get() {
        let next = Promise::race(&Array::of2(&running.next_kept(), &late));
        // It settles, and says nothing by it.
        drop(JsFuture::from(next).await);
    }
    drop(timer);
    running.has(&running.cid)
}
