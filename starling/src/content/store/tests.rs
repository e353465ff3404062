//! What the store promises, crash by crash.

use ::content::{Codec, Draft};

use super::*;

fn block(number: u16) -> Block {
    Draft { codec: Codec::Raw, bytes: number.to_be_bytes().to_vec() }.hash()
}

fn files(data: &Path) -> usize {
    evict::scan(&data.join("blocks")).unwrap().len()
}

#[test]
fn what_was_committed_is_there_for_the_next_process() {
    let data = tempfile::tempdir().unwrap();
    let mut store = FileStore::open(data.path()).unwrap();
    for number in 0..300 {
        store.put(&block(number)).unwrap();
        store.put(&block(number)).unwrap();
    }
    store.commit().unwrap();
    drop(store);
    let mut store = FileStore::open(data.path()).unwrap();
    // Two at once, of what is there and what is not.
    let mut other = FileStore::open(data.path()).unwrap();
    for number in 290..310 {
        store.put(&block(number)).unwrap();
        other.put(&block(number)).unwrap();
    }
    other.commit().unwrap();
    store.commit().unwrap();
    for number in 0..310 {
        let found = store.get(&block(number).cid()).unwrap().unwrap();
        assert_eq!(found.verify(), Ok(block(number)));
    }
    assert!(!store.has(&block(310).cid()).unwrap());
    assert_eq!(store.get(&block(310).cid()).unwrap(), None);
    assert_eq!(files(data.path()), 310);
}

#[test]
fn a_crash_between_writing_and_committing_leaves_no_half_block() {
    let data = tempfile::tempdir().unwrap();
    let mut store = FileStore::open(data.path()).unwrap();
    store.put(&block(1)).unwrap();
    store.commit().unwrap();
    store.put(&block(2)).unwrap();
    // The process dies here: nothing of it runs any more.
    std::mem::forget(store);
    let mut store = FileStore::open(data.path()).unwrap();
    assert!(store.has(&block(1).cid()).unwrap());
    assert!(!store.has(&block(2).cid()).unwrap());
    store.put(&block(2)).unwrap();
    store.commit().unwrap();
    assert!(store.has(&block(2).cid()).unwrap());
}

#[test]
fn a_damaged_block_does_not_verify_and_is_written_anew_when_its_length_changed() {
    let data = tempfile::tempdir().unwrap();
    let mut store = FileStore::open(data.path()).unwrap();
    store.put(&block(1)).unwrap();
    store.commit().unwrap();
    let path = place(&store.root, &block(1).cid());
    fs::write(&path, b"cut").unwrap();
    assert!(store.get(&block(1).cid()).unwrap().unwrap().verify().is_err());
    store.put(&block(1)).unwrap();
    store.commit().unwrap();
    assert!(store.get(&block(1).cid()).unwrap().unwrap().verify().is_ok());
}

/// A block of a megabyte.
fn large(number: u8) -> Block {
    Draft { codec: Codec::Raw, bytes: vec![number; 1 << 20] }.hash()
}

fn pin(root: Cid, kind: PinKind) -> Pin {
    Pin { root, kind, name: None }
}

/// Sixteen blocks of a megabyte, each used a second after the one before, a thousand seconds ago.
fn filled(data: &Path) -> FileStore {
    let mut store = FileStore::open(data).unwrap();
    store.set_limits(Limits { quota_bytes: 0, ..Limits::default() }).unwrap();
    assert_eq!(store.limits().unwrap().quota_bytes, QUOTA_BYTES_MIN);
    for number in 0..16 {
        store.put(&large(number)).unwrap();
    }
    store.commit().unwrap();
    for number in 0..16 {
        let used = SystemTime::now() - Duration::from_secs(1000 - u64::from(number));
        let path = place(&store.root, &large(number).cid());
        File::options().write(true).open(path).unwrap().set_modified(used).unwrap();
    }
    drop(store);
    FileStore::open(data).unwrap()
}

fn held(store: &FileStore) -> Vec<u8> {
    (0..20).filter(|number| store.has(&large(*number).cid()).unwrap()).collect()
}

#[test]
fn the_longest_unused_go_first_and_pins_stay() {
    let data = tempfile::tempdir().unwrap();
    let mut store = filled(data.path());
    store.pin(&pin(large(0).cid(), PinKind::Below), &[]).unwrap();
    store.pin(&pin(large(1).cid(), PinKind::Listed), &[large(2).cid()]).unwrap();
    // Reading is using.
    assert!(store.get(&large(3).cid()).unwrap().is_some());
    store.put(&large(16)).unwrap();
    store.commit().unwrap();
    // Down to nine tenths of sixteen megabytes with the new one: 14.
    assert_eq!(held(&store), [0, 1, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    let usage = Usage { bytes: 14 << 20, blocks: 14 };
    assert_eq!(counted(&store), Some(usage));
    assert_eq!(store.usage().unwrap(), usage);
}

fn counted(store: &FileStore) -> Option<Usage> {
    limits::counted(&store.root).unwrap()
}

#[test]
fn the_number_of_blocks_is_bounded_too() {
    let data = tempfile::tempdir().unwrap();
    let store = FileStore::open(data.path()).unwrap();
    store.set_limits(Limits { blocks_max: 10, ..Limits::default() }).unwrap();
    for number in 0..30 {
        let mut store = FileStore::open(data.path()).unwrap();
        store.put(&block(number)).unwrap();
        store.commit().unwrap();
        assert!(files(data.path()) <= 10);
    }
    assert!(store.has(&block(29).cid()).unwrap());
}

#[test]
fn what_a_living_writer_put_or_found_is_not_evicted_by_another() {
    let data = tempfile::tempdir().unwrap();
    let mut store = filled(data.path());
    store.put(&large(0)).unwrap();
    let mut other = FileStore::open(data.path()).unwrap();
    other.put(&large(16)).unwrap();
    other.commit().unwrap();
    assert_eq!(held(&store), [0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    assert_eq!(store.collect().unwrap().left.blocks, 2);
    drop(store);
    drop(other);
    assert_eq!(FileStore::open(data.path()).unwrap().collect().unwrap().left.blocks, 0);
}

#[test]
fn a_store_of_pins_only_says_that_it_is_full_and_loses_nothing() {
    let data = tempfile::tempdir().unwrap();
    let mut store = filled(data.path());
    for number in 0..16 {
        store.pin(&pin(large(number).cid(), PinKind::Below), &[]).unwrap();
    }
    store.put(&large(16)).unwrap();
    let refused = store.commit().unwrap_err();
    assert!(matches!(refused, StoreError::Quota { blocks: 17, .. }), "{refused}");
    assert_eq!(held(&store).len(), 16);
    assert!(store.unpin(&large(5).cid()).unwrap());
    assert!(!store.unpin(&large(5).cid()).unwrap());
    store.put(&large(16)).unwrap();
    store.commit().unwrap();
    assert!(!store.has(&large(5).cid()).unwrap() && store.has(&large(16).cid()).unwrap());
}

#[test]
fn a_pin_that_cannot_be_read_stops_removal() {
    let data = tempfile::tempdir().unwrap();
    let store = filled(data.path());
    store.pin(&pin(large(0).cid(), PinKind::Below), &[]).unwrap();
    fs::write(store.root.join("pins").join(large(0).cid().to_string()), b"{").unwrap();
    assert!(matches!(store.collect(), Err(StoreError::Form { .. })));
    assert_eq!(held(&store).len(), 16);
}

#[test]
fn what_is_removed_is_not_pinned_and_shares_nothing_with_a_pin() {
    let data = tempfile::tempdir().unwrap();
    let store = filled(data.path());
    let cid = large(0).cid();
    store.pin(&pin(cid, PinKind::Below), &[]).unwrap();
    // What is being fetched does not replace a pin.
    store.pin(&pin(cid, PinKind::Getting), &[]).unwrap();
    assert_eq!(store.pins().unwrap(), [pin(cid, PinKind::Below)]);
    assert!(matches!(store.remove(&cid), Err(StoreError::Pinned(_))));
    store.unpin(&cid).unwrap();
    let swept = store.remove(&cid).unwrap().unwrap();
    assert_eq!((swept.removed.blocks, swept.left.blocks), (1, 15));
    assert_eq!(store.remove(&cid).unwrap(), None);
}

#[test]
fn the_litter_of_a_dead_session_is_cleared_and_that_of_a_living_one_stays() {
    let data = tempfile::tempdir().unwrap();
    let mut dead = FileStore::open(data.path()).unwrap();
    dead.put(&block(1)).unwrap();
    let folder = dead.session.as_ref().unwrap().folder().to_owned();
    // A process that dies gives its lock back and removes nothing.
    let copy = data.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for name in ["lock".to_owned(), block(1).cid().to_string()] {
        fs::copy(folder.join(&name), copy.join(&name)).unwrap();
    }
    let litter = folder.with_file_name("of-a-dead-process");
    fs::rename(&copy, &litter).unwrap();
    let mut store = FileStore::open(data.path()).unwrap();
    store.begin().unwrap();
    assert!(!litter.exists() && folder.exists());
    dead.commit().unwrap();
    assert!(store.has(&block(1).cid()).unwrap());
}
