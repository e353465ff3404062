//! That cuts of the input change nothing, and that what is built is what IPFS builds.

use proptest::prelude::*;

use super::*;
use crate::{
    Codec, Node, Profile, decode,
    store::{BlockStore as _, MemoryStore},
};

/// A file, pushed in cuts of these sizes over and over.
fn file(profile: Profile, bytes: &[u8], cuts: &[usize], store: &mut MemoryStore) -> Entry {
    let mut builder = FileBuilder::new(profile);
    let mut rest = bytes;
    let mut cuts = cuts.iter().cycle();
    while !rest.is_empty() {
        let cut = rest.len().min(*cuts.next().unwrap());
        let taken = builder.push(&rest[..cut]);
        rest = &rest[taken..];
        builder.drain(|block| store.put(&block)).unwrap();
    }
    builder.finish();
    builder.drain(|block| store.put(&block)).unwrap();
    builder.entry().unwrap()
}

fn entry_of(text: &str) -> Entry {
    let cid = Cid::of(Codec::Raw, text.as_bytes());
    Entry { cid, content_bytes: length(text.len()), tree_bytes: length(text.len()) }
}

fn folder(profile: Profile, names: impl Iterator<Item = String>) -> (Entry, MemoryStore) {
    let mut store = MemoryStore::new();
    let mut builder = FolderBuilder::new(profile);
    for name in names {
        let entry = entry_of(&name);
        builder.insert(name, entry).unwrap();
    }
    builder.finish().unwrap();
    builder.drain(|block| store.put(&block)).unwrap();
    (builder.entry().unwrap(), store)
}

fn root(entry: &Entry, store: &MemoryStore) -> Node {
    let bytes = store.get(&entry.cid).unwrap().unwrap().bytes;
    decode(entry.cid.codec(), &bytes).unwrap()
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
        cuts in proptest::collection::vec(1_usize..70, 1..8),
    ) {
        let whole = file(Profile::SWEEP, &bytes, &[usize::MAX], &mut MemoryStore::new());
        let cut = file(Profile::SWEEP, &bytes, &cuts, &mut MemoryStore::new());
        prop_assert_eq!(whole, cut);
        prop_assert_eq!(whole.content_bytes, length(bytes.len()));
    }
}

#[test]
fn names_may_come_late_and_nothing_changes() {
    let bytes: Vec<u8> = (0..1000).map(|i| u8::try_from(i % 251).unwrap()).collect();
    let expected = file(Profile::SWEEP, &bytes, &[usize::MAX], &mut MemoryStore::new());
    let mut builder = FileBuilder::new(Profile::SWEEP);
    // As a browser does that hashes several at once.
    let mut under_way = std::collections::VecDeque::new();
    let mut rest = &bytes[..];
    while builder.entry().is_none() {
        let taken = builder.push(rest);
        rest = &rest[taken..];
        if rest.is_empty() {
            builder.finish();
        }
        under_way.extend(builder.next_draft().map(Draft::hash));
        if under_way.len() == 7 || (rest.is_empty() && !under_way.is_empty()) {
            let block: Block = under_way.pop_front().unwrap();
            builder.name(block.cid(), block.bytes().len());
        }
    }
    assert_eq!(builder.entry(), Some(expected));
}

#[test]
fn one_chunk_is_its_own_root_and_no_bytes_are_one_empty_leaf() {
    for bytes in [&[][..], b"hello world", &[0; 16]] {
        let entry = file(Profile::SWEEP, bytes, &[usize::MAX], &mut MemoryStore::new());
        assert_eq!(entry.cid, Cid::of(Codec::Raw, bytes));
    }
}

#[test]
fn a_folder_is_sharded_by_the_bytes_of_its_block() {
    // 4 bytes of message, and per link 2 of head, 38 of CID, 2 + 7 of name, 2 of size.
    let most = (262_144 - 4) / 51;
    let names = |count: usize| (0..count).map(|at| format!("{at:07}"));
    let (entry, store) = folder(Profile::V1_2025, names(most));
    assert!(matches!(root(&entry, &store), Node::Folder(links) if links.len() == most));
    assert_eq!(store.cids().count(), 1);
    let (entry, store) = folder(Profile::V1_2025, names(most + 1));
    assert!(matches!(root(&entry, &store), Node::Shard(links) if links.len() == 256));
    // By names and CIDs alone it takes more.
    let most = 262_144 / (7 + 36);
    let (entry, store) = folder(Profile::KUBO, names(most));
    assert!(matches!(root(&entry, &store), Node::Folder(_)));
    let (entry, store) = folder(Profile::KUBO, names(most + 1));
    assert!(matches!(root(&entry, &store), Node::Shard(_)));
}

#[test]
fn a_folder_refuses_what_it_could_not_give_back() {
    let mut builder = FolderBuilder::new(Profile::default());
    builder.insert("a".to_owned(), entry_of("a")).unwrap();
    let mut add = |name: &str| builder.insert(name.to_owned(), entry_of(name));
    assert_eq!(add("a"), Err(FolderError::Twice("a".to_owned())));
    assert_eq!(add(".."), Err(FolderError::Name(crate::NameError::Dots)));
}

#[test]
fn a_tree_is_the_same_in_any_order_and_refuses_a_file_as_a_folder() {
    let build = |paths: &[&str]| {
        let mut tree = TreeBuilder::new(Profile::default());
        for path in paths {
            tree.insert(path, entry_of(path)).unwrap();
        }
        tree.insert_folder("empty/x").unwrap();
        let mut drafts = tree.finish();
        drafts.drain(|_| Ok::<_, ()>(())).unwrap();
        drafts.entry().unwrap()
    };
    assert_eq!(build(&["a/b/c", "a/d", "e"]), build(&["e", "a/d", "a/b/c"]));
    let mut tree = TreeBuilder::new(Profile::default());
    tree.insert("a", entry_of("a")).unwrap();
    assert_eq!(tree.insert("a/b", entry_of("b")), Err(TreeError::Taken));
    assert_eq!(tree.insert("a", entry_of("a")), Err(TreeError::Taken));
    assert_eq!(tree.insert_folder("a"), Err(TreeError::Taken));
    let deep = ["d"; 200].join("/");
    assert_eq!(tree.insert(&deep, entry_of("x")), Err(TreeError::Path(crate::NameError::TooDeep)));
}

#[test]
fn a_symlink_needs_a_target() {
    assert!(SymlinkBuilder::new("").is_none());
    let mut builder = SymlinkBuilder::new("../a").unwrap();
    builder.drain(|_| Ok::<_, ()>(())).unwrap();
    assert_eq!(builder.entry().unwrap().cid.codec(), Codec::DagPb);
}
