//! That what was built reads back, that a changed bit does not, and that graphs made to hurt end soon.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    Block, Candidate, Child, Codec, Draft, Mismatch, Profile,
    build::{Build, Entry, FileBuilder, SymlinkBuilder, TreeBuilder},
    node,
    store::{BlockStore as _, MemoryStore},
};

const ANY: u64 = u64::MAX;

fn add_file(bytes: &[u8], store: &mut MemoryStore) -> Entry {
    let mut builder = FileBuilder::new(Profile::SWEEP);
    let mut rest = bytes;
    while !rest.is_empty() {
        rest = &rest[builder.push(rest)..];
        builder.drain(|block| store.put(&block)).unwrap();
    }
    builder.finish();
    builder.drain(|block| store.put(&block)).unwrap();
    builder.entry().unwrap()
}

fn block(store: &MemoryStore, cid: Cid) -> Block {
    store.get(&cid).unwrap().expect("a wanted block is in the store").verify().unwrap()
}

/// Reads with so many blocks under way, the last one first.
fn read(reader: &mut FileReader, store: &MemoryStore, ahead: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let mut offset = None;
    while !reader.is_done() {
        for cid in reader.wanted(ahead).into_iter().rev() {
            match reader.put(&block(store, cid).into_opened()) {
                // Bytes that repeat were put in with an earlier one.
                Ok(()) | Err(ReadError::NotWanted(_)) => {}
                Err(error) => return Err(error),
            }
        }
        while let Some(part) = reader.next_part() {
            assert_eq!(*offset.get_or_insert(part.offset), part.offset, "parts are in order");
            offset = Some(part.offset + length(part.bytes.len()));
            bytes.extend(part.bytes);
        }
    }
    Ok(bytes)
}

proptest! {
    #[test]
    fn a_file_reads_back_whole_and_in_ranges(
        bytes in proptest::collection::vec(0_u8..3, 0..1500),
        range in (0_usize..1600, 0_usize..1600),
        ahead in 1_usize..40,
    ) {
        let mut store = MemoryStore::new();
        let root = add_file(&bytes, &mut store).cid;
        prop_assert_eq!(&read(&mut FileReader::new(root, ANY), &store, ahead).unwrap(), &bytes);
        let (start, end) = (range.0.min(bytes.len()), range.1.min(bytes.len()));
        let expected = bytes.get(start..end).unwrap_or_default();
        let span = length(range.0)..length(range.1);
        let mut reader = FileReader::range(root, span, ANY);
        prop_assert_eq!(&read(&mut reader, &store, ahead).unwrap(), expected);
        prop_assert_eq!(reader.size_bytes(), Some(length(bytes.len())));
    }

    #[test]
    fn a_changed_bit_anywhere_is_refused(
        bytes in proptest::collection::vec(any::<u8>(), 1..600),
        which in any::<proptest::sample::Index>(),
        bit in any::<proptest::sample::Index>(),
    ) {
        let mut store = MemoryStore::new();
        add_file(&bytes, &mut store);
        let cids: Vec<Cid> = store.cids().copied().collect();
        let cid = cids[which.index(cids.len())];
        let mut bytes = block(&store, cid).into_bytes();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(Candidate { cid, bytes }.verify(), Err(Mismatch::Digest { cid }));
    }

    #[test]
    fn any_bytes_are_a_node_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = node::decode(Codec::DagPb, &bytes);
    }

    #[test]
    fn a_tree_reads_back(tree in tree()) {
        let mut store = MemoryStore::new();
        let mut builder = TreeBuilder::new(Profile::SWEEP);
        let mut expected = BTreeMap::from([(String::new(), Found::Folder)]);
        for (path, kind) in tree {
            let made = match &kind {
                Made::Folder => builder.insert_folder(&path),
                Made::File(bytes) => builder.insert(&path, add_file(bytes, &mut store)),
                Made::Symlink(target) => {
                    let mut symlink = SymlinkBuilder::new(target).unwrap();
                    symlink.drain(|block| store.put(&block)).unwrap();
                    builder.insert(&path, symlink.entry().unwrap())
                }
            };
            if made.is_err() {
                continue;
            }
            for (at, _) in path.match_indices('/') {
                expected.insert(path[..at].to_owned(), Found::Folder);
            }
            expected.insert(path, match kind {
                Made::Folder => Found::Folder,
                Made::File(bytes) => Found::File { size_bytes: length(bytes.len()) },
                Made::Symlink(target) => Found::Symlink { target, stays_inside: true },
            });
        }
        let mut drafts = builder.finish();
        drafts.drain(|block| store.put(&block)).unwrap();
        let root = drafts.entry().unwrap();
        let found = read_tree(&mut TreeReader::new(root.cid, 1000, ANY), &store).unwrap();
        prop_assert_eq!(found, expected);
        let walked = walk(root.cid, &store).len();
        prop_assert_eq!(walked, store.cids().count() - orphans(&store, root.cid));
    }
}

#[derive(Debug, Clone)]
enum Made {
    File(Vec<u8>),
    Folder,
    Symlink(String),
}

fn tree() -> impl Strategy<Value = Vec<(String, Made)>> {
    let path = proptest::collection::vec("[a-c]", 1..5).prop_map(|names| names.join("/"));
    let made = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..100).prop_map(Made::File),
        Just(Made::Folder),
        "[a-c]".prop_map(Made::Symlink),
    ];
    proptest::collection::vec((path, made), 0..30)
}

fn read_tree(
    reader: &mut TreeReader,
    store: &MemoryStore,
) -> Result<BTreeMap<String, Found>, ReadError> {
    let mut found = BTreeMap::new();
    while !reader.is_done() {
        if let Some(cid) = reader.wanted(1).first() {
            reader.put(&block(store, *cid).into_opened())?;
        }
        while let Some(entry) = reader.next_entry() {
            assert_eq!(found.insert(entry.path, entry.found), None, "an entry is told once");
        }
    }
    Ok(found)
}

fn walk(root: Cid, store: &MemoryStore) -> Vec<Cid> {
    let mut walk = WalkReader::new(root);
    let mut seen = Vec::new();
    while let Some(cid) = walk.wanted(1).first().copied() {
        walk.put(&block(store, cid).into_opened()).unwrap();
        seen.push(cid);
    }
    seen
}

/// Blocks of files that had no place in the tree.
fn orphans(store: &MemoryStore, root: Cid) -> usize {
    let below = walk(root, store);
    store.cids().filter(|cid| !below.contains(cid)).count()
}

/// A file's node with these children, in the store.
fn file_node(children: &[Child], store: &mut MemoryStore) -> Cid {
    let links: Vec<_> = children.iter().map(|child| (*child, 0)).collect();
    put(node::encode_file(&links), store)
}

fn put(bytes: Vec<u8>, store: &mut MemoryStore) -> Cid {
    let block = Draft { codec: Codec::DagPb, bytes }.hash();
    store.put(&block).unwrap();
    block.cid()
}

#[test]
fn a_block_nobody_asked_for_is_refused_and_changes_nothing() {
    let mut store = MemoryStore::new();
    let root = add_file(&[5; 100], &mut store).cid;
    let stray = Draft { codec: Codec::Raw, bytes: vec![1] }.hash();
    let mut reader = FileReader::new(root, ANY);
    assert_eq!(reader.put(&stray.clone().into_opened()), Err(ReadError::NotWanted(stray.cid())));
    assert_eq!(read(&mut reader, &store, 4).unwrap(), [5; 100]);
    let mut tree = TreeReader::new(root, 10, ANY);
    assert_eq!(tree.put(&stray.clone().into_opened()), Err(ReadError::NotWanted(stray.cid())));
    let mut walk = WalkReader::new(root);
    assert_eq!(walk.put(&stray.clone().into_opened()), Err(ReadError::NotWanted(stray.cid())));
}

#[test]
fn a_file_larger_or_deeper_than_agreed_is_refused() {
    let mut store = MemoryStore::new();
    let leaf = Draft { codec: Codec::Raw, bytes: vec![1] }.hash();
    store.put(&leaf).unwrap();
    let mut top = leaf.cid();
    // A thousand times the same below each, six levels: 10^18 bytes from seven blocks.
    for level in 0..5 {
        top = file_node(&[Child { cid: top, size_bytes: 1000_u64.pow(level) }; 1000], &mut store);
    }
    let limit = 1 << 30;
    let mut reader = FileReader::new(top, limit);
    let refused = ReadError::TooLarge { bytes: 1000_u64.pow(5), limit };
    assert_eq!(read(&mut reader, &store, 4), Err(refused));
    let mut chain = leaf.cid();
    for _ in 0..=FILE_DEPTH_MAX {
        chain = file_node(&[Child { cid: chain, size_bytes: 1 }], &mut store);
    }
    assert_eq!(read(&mut FileReader::new(chain, ANY), &store, 4), Err(ReadError::TooDeep));
}

#[test]
fn a_part_of_another_size_than_its_parent_says_is_refused() {
    let mut store = MemoryStore::new();
    let leaf = Draft { codec: Codec::Raw, bytes: vec![1, 2] }.hash();
    store.put(&leaf).unwrap();
    let root = file_node(&[Child { cid: leaf.cid(), size_bytes: 3 }], &mut store);
    let error = ReadError::Size { cid: leaf.cid(), expected: 3, found: 2 };
    assert_eq!(read(&mut FileReader::new(root, ANY), &store, 1), Err(error));
}

#[test]
fn a_folder_is_not_a_file() {
    let mut store = MemoryStore::new();
    let root = put(node::encode_folder(Vec::new()), &mut store);
    assert_eq!(read(&mut FileReader::new(root, ANY), &store, 1), Err(ReadError::NotAFile(root)));
}

#[test]
fn folders_without_end_end() {
    let mut store = MemoryStore::new();
    let folder = |below: Option<Cid>, names: usize, store: &mut MemoryStore| {
        let link =
            |at| crate::FolderLink { name: format!("{at:03}"), cid: below.unwrap(), tree_bytes: 0 };
        put(node::encode_folder((0..names).map(link).collect()), store)
    };
    let mut wide = folder(None, 0, &mut store);
    for _ in 0..10 {
        wide = folder(Some(wide), 100, &mut store);
    }
    let mut reader = TreeReader::new(wide, 5_000, ANY);
    assert_eq!(read_tree(&mut reader, &store), Err(ReadError::TooManyEntries));
    let mut deep = folder(None, 0, &mut store);
    for _ in 0..10_000 {
        deep = folder(Some(deep), 1, &mut store);
    }
    let mut reader = TreeReader::new(deep, 100_000, ANY);
    assert_eq!(read_tree(&mut reader, &store), Err(ReadError::Path(NameError::TooDeep)));
}

#[test]
fn a_large_folder_reads_back_from_its_shards_and_a_misplaced_name_does_not() {
    let mut store = MemoryStore::new();
    let file = add_file(b"x", &mut store);
    let mut tree = TreeBuilder::new(Profile::SWEEP);
    for at in 0..6_000 {
        tree.insert(&format!("file-{at}"), file).unwrap();
    }
    let mut drafts = tree.finish();
    drafts.drain(|block| store.put(&block)).unwrap();
    let root = drafts.entry().unwrap();
    assert_eq!(root.content_bytes, 6_000);
    let found = read_tree(&mut TreeReader::new(root.cid, 10_000, ANY), &store).unwrap();
    assert_eq!(found.len(), 6_001);

    let place = crate::murmur::places("a")[0].wrapping_add(1);
    let link = crate::ShardLink { place, name: Some("a".to_owned()), cid: file.cid, tree_bytes: 1 };
    let root = put(node::encode_shard(vec![link]), &mut store);
    let mut reader = TreeReader::new(root, 10, ANY);
    assert_eq!(read_tree(&mut reader, &store), Err(ReadError::Misplaced(root)));
}

#[test]
fn content_larger_than_agreed_is_refused() {
    let mut store = MemoryStore::new();
    let file = add_file(&[1; 100], &mut store);
    let mut tree = TreeBuilder::new(Profile::SWEEP);
    tree.insert("a", file).unwrap();
    tree.insert("b", file).unwrap();
    let mut drafts = tree.finish();
    drafts.drain(|block| store.put(&block)).unwrap();
    let root = drafts.entry().unwrap().cid;
    let refused = ReadError::TooLarge { bytes: 200, limit: 150 };
    assert_eq!(read_tree(&mut TreeReader::new(root, 10, 150), &store), Err(refused));
}
