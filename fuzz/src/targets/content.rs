//! Everything that files and shares read from strangers: CIDs, nodes, CARs, manifests, links, locks.
//!
//! Besides raw bytes, they are given a name of their own: whoever makes a link makes its blocks too, and
//! nothing behind verification would be reached otherwise.

use content::{
    Cid, Codec, Draft, Node, Opened, Profile,
    build::{Build as _, Entry, FileBuilder, FolderBuilder, SymlinkBuilder, TreeBuilder},
    car::{self, CarReader},
    check_name, check_path, decode,
    read::{FileReader, ReadError, TreeReader, WalkReader},
    share::{Cipher, PasswordLock, Secret, ShareKey, ShareLink, ShareManifest},
    store::{BlockStore as _, MemoryStore},
};

/// Most bytes a reader is told to expect.
const LIMIT_BYTES: u64 = 1 << 20;
/// Most entries a reader is told to expect.
const ENTRIES_MAX: usize = 200;

/// Reads the bytes as everything; what is read must keep its own laws.
pub fn run(bytes: &[u8]) {
    if let Ok((cid, length)) = Cid::read(bytes) {
        assert!(length <= bytes.len(), "a CID longer than its bytes");
        assert_eq!(cid.to_string().parse(), Ok(cid));
    }
    node(bytes);
    cars(bytes);
    if let Ok(manifest) = ShareManifest::decode(bytes) {
        let again = manifest.encode().expect("what was read is within its bounds");
        assert_eq!(ShareManifest::decode(&again), Ok(manifest));
    }
    if let Ok(lock) = PasswordLock::from_bytes(bytes) {
        assert_eq!(lock.as_bytes(), bytes);
    }
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = text.parse::<Cid>();
        if let Ok(link) = text.parse::<ShareLink>() {
            assert_eq!(link.to_string().parse(), Ok(link));
        }
    }
}

/// The bytes as a block of their own name, alone and below others.
fn node(bytes: &[u8]) {
    if let Ok(node) = decode(Codec::DagPb, bytes) {
        check(&node);
    }
    let block = Draft { codec: Codec::DagPb, bytes: bytes.to_vec() }.hash().into_opened();
    let root = block.cid();
    let _ = FileReader::new(root, LIMIT_BYTES).put(&block);
    let _ = WalkReader::new(root).put(&block);
    let mut tree = TreeReader::new(root, ENTRIES_MAX, LIMIT_BYTES);
    if tree.put(&block).is_ok() {
        assert_eq!(tree.put(&block).err(), Some(ReadError::NotWanted(root)));
        while let Some(entry) = tree.next_entry() {
            assert!(entry.path.is_empty() || check_path(&entry.path).is_ok(), "{}", entry.path);
        }
    }
}

fn check(node: &Node) {
    match node {
        Node::File { inline, children, size_bytes } => {
            let below: u64 = children.iter().map(|child| child.size_bytes).sum();
            assert_eq!(below + u64::try_from(inline.len()).expect("it is short"), *size_bytes);
        }
        Node::Folder(links) => assert!(links.iter().all(|link| check_name(&link.name).is_ok())),
        Node::Shard(links) => {
            let names = links.iter().filter_map(|link| link.name.as_deref());
            assert!(names.into_iter().all(|name| check_name(name).is_ok()));
        }
        Node::Symlink(_) => {}
    }
}

/// The bytes as a CAR, in two cuts; then whatever its roots are, from its blocks.
fn cars(bytes: &[u8]) {
    let whole = blocks(bytes, bytes.len().max(1));
    let cut = blocks(bytes, 7);
    assert_eq!(whole.0, cut.0, "cuts change what a CAR is");
    let (Some(roots), store) = whole else { return };
    for root in roots {
        walk(root, &store);
    }
}

fn blocks(bytes: &[u8], cut: usize) -> (Option<Vec<Cid>>, MemoryStore) {
    let mut store = MemoryStore::new();
    let mut reader = CarReader::new();
    for part in bytes.chunks(cut) {
        reader.push(part);
        while let Ok(Some(block)) = reader.next_block() {
            assert_eq!(Cid::of(block.cid().codec(), block.bytes()), block.cid());
            let _ = store.put(&block);
        }
    }
    let roots = reader.roots().ok().flatten().map(<[Cid]>::to_vec);
    (roots.filter(|_| reader.finish().is_ok()), store)
}

fn opened(store: &MemoryStore, cid: Cid) -> Option<Opened> {
    Some(store.get(&cid).ok()??.verify().ok()?.into_opened())
}

/// Readers end, and yield no more than they were told to expect.
fn walk(root: Cid, store: &MemoryStore) {
    let mut tree = TreeReader::new(root, ENTRIES_MAX, LIMIT_BYTES);
    let mut told = 0;
    while let Some(block) = tree.wanted(1).first().and_then(|cid| opened(store, *cid)) {
        if tree.put(&block).is_err() {
            break;
        }
        told += std::iter::from_fn(|| tree.next_entry()).count();
        assert!(told <= 2 * ENTRIES_MAX && tree.content_bytes() <= LIMIT_BYTES);
    }
    let mut file = FileReader::range(root, 3..LIMIT_BYTES / 2, LIMIT_BYTES);
    let mut offset = 3;
    while let Some(block) = file.wanted(1).first().and_then(|cid| opened(store, *cid)) {
        if file.put(&block).is_err() {
            break;
        }
        while let Some(part) = file.next_part() {
            assert_eq!(part.offset, offset, "parts are in order and without gaps");
            offset += u64::try_from(part.bytes.len()).expect("it is short");
        }
        assert!(offset <= LIMIT_BYTES / 2);
    }
}

/// Nodes of every kind, a CAR of all, a manifest, links.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    let mut keep = |block: content::Block| {
        blocks.push(block);
        Ok::<(), ()>(())
    };
    let mut file = FileBuilder::new(Profile::SWEEP);
    let mut rest = &[7_u8; 100][..];
    while !rest.is_empty() {
        rest = &rest[file.push(rest)..];
        file.drain(&mut keep).expect("it keeps all");
    }
    file.finish();
    file.drain(&mut keep).expect("it keeps all");
    let mut symlink = SymlinkBuilder::new("../x").expect("it has a target");
    symlink.drain(&mut keep).expect("it keeps all");
    let mut tree = TreeBuilder::new(Profile::SWEEP);
    let (file, symlink) = (file.entry().expect("it is done"), symlink.entry().expect("it is done"));
    tree.insert("a/file", file).expect("the path is free");
    tree.insert("a/b/symlink", symlink).expect("the path is free");
    let mut tree = tree.finish();
    tree.drain(&mut keep).expect("it keeps all");
    let root = tree.entry().expect("it is done").cid;
    shards(file).drain(&mut keep).expect("it keeps all");

    let mut car = car::header(&[root]);
    for block in blocks.iter().filter(|block| block.bytes().len() < 1000) {
        car.extend(car::frame_head(block));
        car.extend(block.bytes());
    }
    let profile = Profile::default().name().to_owned();
    let manifest = ShareManifest::new("name".to_owned(), root, Cipher::XChaCha20Poly1305, profile);
    let key = ShareLink::new(root, Secret::Key(ShareKey::new([7; 32])));
    let mut public = ShareLink::public(root);
    (public.name, public.expires_at_s) = (Some("ä b".to_owned()), Some(9));
    let texts = [key, public].map(|link| link.to_string().into_bytes());
    let manifest = manifest.encode().expect("it is within its bounds");
    let small =
        blocks.into_iter().map(content::Block::into_bytes).filter(|bytes| bytes.len() < 4000);
    small.chain(texts).chain([car, manifest, root.to_bytes().to_vec()]).collect()
}

/// A folder large enough to be sharded.
fn shards(file: Entry) -> FolderBuilder {
    let mut folder = FolderBuilder::new(Profile::KUBO);
    for at in 0..1500 {
        let name = format!("{at:0200}");
        folder.insert(name, file).expect("the name is free");
    }
    folder.finish().expect("no two hashes are the same");
    folder
}
