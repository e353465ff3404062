//! The store of blocks in a real browser. One database for all tests of a page: each uses shares of its
//! own and leaves none.

use std::rc::Rc;

use files::content::{Cid, Codec};
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::{
    FilesError,
    record::{Chosen, Record},
    shelf::Shelf,
};

fn cid(name: &str) -> Cid {
    Cid::of(Codec::Raw, name.as_bytes())
}

fn block(share: Cid, bytes: &[u8]) -> (Cid, Cid, Vec<u8>) {
    (share, Cid::of(Codec::Raw, bytes), bytes.to_vec())
}

fn record(share: Cid, used_ms: f64, pinned: bool) -> Record {
    Record {
        share,
        link: "#/get/x".to_owned(),
        key: [7; 32],
        name: "name".to_owned(),
        size_bytes: 5,
        made: false,
        active: false,
        pinned,
        used_ms,
        run: Some([3; 16]),
        chosen: Chosen::Some(vec![1, 4]),
    }
}

#[test]
async fn blocks_and_records_are_there_for_the_next_visit() {
    let (share, other) = (cid("visit"), cid("other visit"));
    let shelf = Rc::new(Shelf::default());
    let blocks = [block(share, b"one"), block(share, b""), block(other, b"two")];
    shelf.write(&blocks).await.unwrap();
    shelf.put_record(&record(share, 1.0, false)).await.unwrap();
    let later = Shelf::default();
    let mut held = later.held(&share).await;
    let mut expected = vec![blocks[0].1, blocks[1].1];
    held.sort();
    expected.sort();
    assert_eq!(held, expected);
    assert_eq!(later.read(&share, &blocks[0].1).await, Some(b"one".to_vec()));
    assert_eq!(later.read(&share, &blocks[1].1).await, Some(Vec::new()));
    assert_eq!(later.read(&share, &blocks[2].1).await, None);
    assert_eq!(later.record(&share).await, Some(record(share, 1.0, false)));
    assert_eq!(later.used_by(&share).await.blocks, 2);
    later.remove(&share).await.unwrap();
    assert_eq!(later.held(&share).await, []);
    assert_eq!(later.held(&other).await, [blocks[2].1]);
    later.remove(&other).await.unwrap();
}

#[test]
async fn the_share_used_longest_ago_makes_room_and_kept_ones_stay() {
    let shelf = Rc::new(Shelf::default());
    let shares = ["oldest", "kept", "open", "newest"].map(cid);
    for (share, used_ms) in shares.into_iter().zip([1.0, 0.0, 0.5, 9.0]) {
        shelf.write(&[block(share, &[1; 100])]).await.unwrap();
        shelf.put_record(&record(share, used_ms, share == shares[1])).await.unwrap();
    }
    let before = Shelf::default().space().await.used_bytes;
    shelf.set_open(shares[2], true);
    shelf.set_limit(Some(before));
    let coming = cid("coming");
    shelf.put_record(&record(coming, 2.0, true)).await.unwrap();
    shelf.write(&[block(coming, &[2; 100])]).await.unwrap();
    let left = |share: Cid| async move { Shelf::default().held(&share).await.len() };
    assert_eq!(left(shares[0]).await, 0, "the oldest that may go");
    assert_eq!(left(shares[1]).await + left(shares[2]).await + left(shares[3]).await, 3);
    shelf.write(&[block(coming, &[3; 100])]).await.unwrap();
    assert_eq!(left(shares[3]).await, 0, "then the newest");
    let full = shelf.write(&[block(coming, &[4; 100])]).await;
    assert_eq!(full, Err(FilesError::Full), "nothing is left that may go");
    for share in shares.into_iter().chain([coming]) {
        shelf.remove(&share).await.unwrap();
    }
}
