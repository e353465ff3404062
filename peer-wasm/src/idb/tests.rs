//! The store against the browser's own IndexedDB: what is kept comes back after a reload, the least
//! recently used make room, and what could not be kept is told.

use std::{rc::Rc, sync::Arc};

use peer::Input;
use primitives::{SegmentId, SwarmId};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use super::Store;
use crate::test_sink::Told;

wasm_bindgen_test_configure!(run_in_browser);

/// Every test has its own swarm: all share the origin's one database.
fn swarm(number: u8) -> SwarmId {
    SwarmId::new([number; 32])
}

fn segment(index: u32) -> SegmentId {
    SegmentId::new(0, index)
}

fn bytes(index: u8, length: usize) -> Arc<[u8]> {
    vec![index; length].into()
}

/// A store as a freshly loaded page has it, open for one stream, and what is held of that.
async fn open(swarm: SwarmId, limit_bytes: u64) -> (Rc<Told>, Store, Vec<SegmentId>) {
    let (told, inbox) = Told::new();
    let store = Store::new(inbox, Some(limit_bytes));
    store.open(swarm);
    let held = told
        .wait("the store to open", |input| match input {
            Input::StoreOpen { held, .. } => Some(held),
            _ => None,
        })
        .await;
    (told, store, held)
}

async fn load(told: &Told, store: &Store, swarm: SwarmId, index: u32) -> Option<Vec<u8>> {
    store.load(swarm, segment(index));
    told.wait("a load to be answered", |input| match input {
        Input::Loaded { segment: id, bytes, .. } if id == segment(index) => Some(bytes),
        _ => None,
    })
    .await
}

async fn evicted(told: &Told) -> Vec<u32> {
    told.wait("an eviction", |input| match input {
        Input::Evicted { segments, .. } => Some(segments.iter().map(|id| id.index).collect()),
        _ => None,
    })
    .await
}

/// Waits until everything kept so far is written.
async fn written(store: &Store, segments: u32) {
    while store.info().await.segments < segments || store.0.flushing.get() {
        gloo_timers::future::TimeoutFuture::new(5).await;
    }
}

#[wasm_bindgen_test]
async fn what_is_kept_comes_back_after_a_reload_and_one_stream_never_sees_anothers() {
    let (told, store, _) = open(swarm(1), 1 << 20).await;
    store.clear().await.unwrap();
    store.keep(swarm(1), segment(0), bytes(7, 1000));
    store.keep(swarm(1), segment(3), bytes(8, 500));
    assert_eq!(load(&told, &store, swarm(1), 0).await, Some(vec![7; 1000]), "before it is written");
    written(&store, 2).await;
    drop((told, store));

    let (told, store, held) = open(swarm(1), 1 << 20).await;
    assert_eq!(held, [segment(0), segment(3)]);
    assert_eq!(load(&told, &store, swarm(1), 3).await, Some(vec![8; 500]));
    assert_eq!(load(&told, &store, swarm(1), 1).await, None);
    let info = store.info().await;
    assert_eq!((info.used_bytes, info.limit_bytes, info.segments), (1500, 1 << 20, 2));
    let (_told, _store, of_another) = open(swarm(2), 1 << 20).await;
    assert_eq!(of_another, []);
    store.clear().await.unwrap();
    assert_eq!(evicted(&told).await, [0, 3]);
    assert_eq!(store.info().await.segments, 0);
}

#[wasm_bindgen_test]
async fn the_least_recently_used_make_room_and_their_loss_is_told() {
    let (told, store, _) = open(swarm(3), 1000).await;
    store.clear().await.unwrap();
    for index in 0..3_u8 {
        store.keep(swarm(3), segment(index.into()), bytes(index, 300));
        written(&store, u32::from(index) + 1).await;
        gloo_timers::future::TimeoutFuture::new(5).await;
    }
    assert!(load(&told, &store, swarm(3), 0).await.is_some(), "used again: now the youngest");
    while store.0.flushing.get() || !store.0.used.borrow().is_empty() {
        gloo_timers::future::TimeoutFuture::new(5).await;
    }
    store.keep(swarm(3), segment(3), bytes(3, 300));
    assert_eq!(evicted(&told).await, [1, 2]);
    written(&store, 2).await;
    assert!(load(&told, &store, swarm(3), 0).await.is_some());
    assert_eq!(load(&told, &store, swarm(3), 1).await, None);
    assert!(store.info().await.used_bytes <= 1000);
    store.clear().await.unwrap();
}

#[wasm_bindgen_test]
async fn what_can_not_be_kept_is_told_as_evicted() {
    let (told, store, _) = open(swarm(4), 100).await;
    store.keep(swarm(4), segment(9), bytes(9, 101));
    assert_eq!(evicted(&told).await, [9]);
    assert_eq!(load(&told, &store, swarm(4), 9).await, None);
    assert_eq!(store.problem(), None, "a small limit is the person's choice, not a problem");
}

#[wasm_bindgen_test]
async fn a_lower_limit_makes_room_at_once() {
    let (told, store, _) = open(swarm(5), 10_000).await;
    store.clear().await.unwrap();
    store.keep(swarm(5), segment(0), bytes(0, 400));
    written(&store, 1).await;
    store.set_limit(100);
    assert_eq!(evicted(&told).await, [0]);
    assert_eq!(store.info().await.used_bytes, 0);
}
