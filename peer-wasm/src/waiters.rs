//! Players that wait for segments: promises, settled when the core delivers or gives up.

use core::cell::RefCell;

use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use peer::Sources;
use primitives::{SegmentId, SortedMap, SwarmId};
use wasm_bindgen::JsValue;

use crate::{js_error::coded_error, number};

/// One segment of one stream.
pub(crate) type WaitKey = (SwarmId, SegmentId);

/// Most promises that may wait at once; a player asks for a handful.
const WAITING_MAX: usize = 256;

/// All promises that wait.
#[derive(Debug, Default)]
pub(crate) struct Waiters(RefCell<SortedMap<WaitKey, Vec<Waiter>>>);

#[derive(Debug)]
struct Waiter {
    resolve: Function,
    reject: Function,
}

impl Waiters {
    /// A promise of a segment.
    pub(crate) fn wait(&self, key: WaitKey) -> Promise {
        let mut waiting = self.0.borrow_mut();
        let full = waiting.values().map(Vec::len).sum::<usize>() >= WAITING_MAX;
        Promise::new(&mut |resolve, reject| {
            if full {
                let error = coded_error("busy", "too many segments are waited for", None);
                settle(&reject, &error);
            } else {
                waiting.entry(key).or_default().push(Waiter { resolve, reject });
            }
        })
    }

    /// Whether anyone waits for it.
    pub(crate) fn has(&self, key: WaitKey) -> bool {
        self.0.borrow().contains_key(&key)
    }

    /// The segment is here.
    pub(crate) fn deliver(&self, key: WaitKey, bytes: &[u8], sources: &Sources) {
        for waiter in self.take(key) {
            settle(&waiter.resolve, &delivery(bytes, sources));
        }
    }

    /// The segment can't be had.
    pub(crate) fn fail(&self, key: WaitKey, status: u16, forged: bool) {
        let (code, message) = if forged {
            ("forged", "the origin's bytes are not those the publisher signed")
        } else if status == 0 {
            ("unreachable", "the origin did not answer, or refused this page (CORS)")
        } else {
            ("origin-refused", "the origin answered with an error")
        };
        for waiter in self.take(key) {
            settle(&waiter.reject, &coded_error(code, message, Some(status)));
        }
    }

    /// Nobody wants it any longer.
    pub(crate) fn abort(&self, key: WaitKey) {
        for waiter in self.take(key) {
            settle(&waiter.reject, &coded_error("aborted", "the load was aborted", None));
        }
    }

    /// All of a stream that is closed.
    pub(crate) fn abort_all(&self, swarm: SwarmId) {
        let keys: Vec<WaitKey> =
            self.0.borrow().keys().filter(|key| key.0 == swarm).copied().collect();
        keys.into_iter().for_each(|key| self.abort(key));
    }

    fn take(&self, key: WaitKey) -> Vec<Waiter> {
        self.0.borrow_mut().remove(&key).unwrap_or_default()
    }
}

/// A promise's own functions do not throw, and run nothing of the page before this turn ends.
fn settle(function: &Function, value: &JsValue) {
    let _ = function.call1(&JsValue::UNDEFINED, value);
}

fn delivery(bytes: &[u8], sources: &Sources) -> JsValue {
    let object = Object::new();
    // Setting a fresh property on a fresh object cannot fail.
    let set = |name: &str, value: JsValue| {
        let _ = Reflect::set(&object, &name.into(), &value);
    };
    set("data", Uint8Array::from(bytes).buffer().into());
    set("originBytes", sources.origin_bytes.into());
    set("peerBytes", sources.peer_bytes.into());
    set("cacheBytes", sources.cache_bytes.into());
    set("bytesPerS", number::float(sources.bytes_per_s).into());
    object.into()
}
