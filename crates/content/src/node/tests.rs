use super::*;

fn cid(text: &str) -> Cid {
    Cid::of(Codec::Raw, text.as_bytes())
}

fn read(bytes: &[u8]) -> Result<Node, NodeError> {
    decode(Codec::DagPb, bytes)
}

fn folder_link(name: &str) -> FolderLink {
    FolderLink { name: name.to_owned(), cid: cid(name), tree_bytes: 1 }
}

/// A file's node whose message is changed after the fact.
fn file_with(change: impl FnOnce(&mut UnixFs)) -> Result<Node, NodeError> {
    let children = [5, 3].map(|size_bytes| Child { cid: cid("x"), size_bytes });
    let bytes = encode_file(&children.map(|child| (child, child.size_bytes)));
    let mut node = PbNode::decode(&bytes).unwrap();
    let mut message = UnixFs::decode(&node.data.unwrap()).unwrap();
    change(&mut message);
    node.data = Some(message.encode());
    read(&node.encode())
}

#[test]
fn nodes_are_read_as_they_were_written() {
    let size = |node| match node {
        Ok(Node::File { size_bytes, children, .. }) => (size_bytes, children.len()),
        other => panic!("{other:?}"),
    };
    assert_eq!(size(file_with(|_| ())), (8, 2));
    let links = vec![folder_link("a"), folder_link("b")];
    assert_eq!(read(&encode_folder(links.clone())), Ok(Node::Folder(links)));
    assert_eq!(read(&encode_symlink("../x")), Ok(Node::Symlink("../x".to_owned())));
    let entry = |place, name: Option<&str>| ShardLink {
        place,
        name: name.map(str::to_owned),
        cid: cid("s"),
        tree_bytes: 9,
    };
    let links = vec![entry(0, None), entry(9, Some("n")), entry(255, Some("m"))];
    assert_eq!(read(&encode_shard(links.clone())), Ok(Node::Shard(links)));
}

/// The folder every IPFS node knows without asking.
#[test]
fn the_empty_folder_is_the_known_one() {
    let known = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
    assert_eq!(Cid::of(Codec::DagPb, &encode_folder(Vec::new())).to_string(), known);
}

#[test]
fn a_file_whose_sizes_do_not_add_up_is_refused() {
    assert_eq!(file_with(|m| m.file_bytes = Some(9)), Err(NodeError::Sizes));
    assert_eq!(file_with(|m| m.block_bytes = vec![8]), Err(NodeError::Sizes));
    assert_eq!(file_with(|m| m.block_bytes = vec![8, 0]), Err(NodeError::Sizes));
    assert_eq!(file_with(|m| m.block_bytes = vec![u64::MAX, 2]), Err(NodeError::Sizes));
    let huge = FILE_BYTES_MAX + 1;
    let stated = file_with(|m| (m.file_bytes, m.block_bytes) = (None, vec![FILE_BYTES_MAX, 1]));
    assert_eq!(stated, Err(NodeError::FileTooLarge { bytes: huge }));
}

#[test]
fn a_folder_with_tricks_is_refused() {
    let folder =
        |names: &[&str]| read(&encode_folder(names.iter().map(|n| folder_link(n)).collect()));
    assert_eq!(folder(&["a", "a"]), Err(NodeError::Twice));
    assert_eq!(folder(&[".."]), Err(NodeError::Name(NameError::Dots)));
    assert_eq!(folder(&["a/b"]), Err(NodeError::Name(NameError::Separator)));
}

#[test]
fn a_shard_that_contradicts_itself_is_refused() {
    let links = || vec![folder_link("0Aa"), folder_link("0Bb")];
    let shard = |links: Vec<FolderLink>, data: Vec<u8>, fanout| {
        let mut message = UnixFs::new(Kind::Shard);
        message.data = Some(data);
        message.hash = Some(MURMUR3_X64_64);
        message.fanout = Some(fanout);
        let link = |l: FolderLink| Link { cid: l.cid, name: l.name, tree_bytes: 1 };
        let links = links.into_iter().map(link).collect();
        read(&PbNode { links, data: Some(message.encode()) }.encode())
    };
    let map = || vec![0x0c, 0];
    assert!(shard(links(), map(), 256).is_ok());
    assert_eq!(shard(links(), vec![0x0c], 256), Err(NodeError::Shard));
    assert_eq!(shard(links(), map(), 16), Err(NodeError::Shard));
    assert_eq!(shard(Vec::new(), vec![], 256), Err(NodeError::Shard));
    for (name, why) in
        [("0aa", NodeError::Shard), ("+1a", NodeError::Shard), ("0", NodeError::Shard)]
    {
        assert_eq!(shard(vec![folder_link(name)], map(), 256), Err(why), "{name}");
    }
    let twice = vec![folder_link("0Aa"), folder_link("0Ab")];
    assert_eq!(shard(twice, vec![4, 0], 256), Err(NodeError::Twice));
}
