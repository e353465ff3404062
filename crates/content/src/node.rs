//! What a block means: bytes of a file, a folder, a shard of one, a symlink.

use core::fmt;
use std::collections::BTreeSet;

use crate::{
    Cid, CidError, Codec, NameError, check_name,
    dag_pb::{Link, PbError, PbNode},
    limits::{FILE_BYTES_MAX, FILE_LINKS_MAX, SHARD_FANOUT, SYMLINK_BYTES_MAX, TREE_ENTRIES_MAX},
    unixfs::{Kind, UnixFs},
};

/// murmur3-x64-64 in the multicodec table.
const MURMUR3_X64_64: u64 = 0x22;

/// What a block means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Part of a file, or a whole small one: `inline`, then every child.
    File {
        /// Bytes in the block itself.
        inline: Vec<u8>,
        /// At most [`FILE_LINKS_MAX`].
        children: Vec<Child>,
        /// All bytes, inline and below; at most [`FILE_BYTES_MAX`].
        size_bytes: u64,
    },
    /// A folder; names are checked and differ.
    Folder(Vec<FolderLink>),
    /// A shard of a folder too large for one block; places ascend.
    Shard(Vec<ShardLink>),
    /// A symlink: its target, which nothing has checked.
    Symlink(String),
}

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Child {
    /// Its block.
    pub cid: Cid,
    /// Bytes of the file below it, at least 1.
    pub size_bytes: u64,
}

/// An entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderLink {
    /// Its name.
    pub name: String,
    /// Its block.
    pub cid: Cid,
    /// Bytes of all blocks below, as the folder's writer says.
    pub tree_bytes: u64,
}

/// An entry of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardLink {
    /// Which of the 256 places.
    pub place: u8,
    /// The entry's name; none: a shard of the next level.
    pub name: Option<String>,
    /// Its block.
    pub cid: Cid,
    /// Bytes of all blocks below, as the folder's writer says.
    pub tree_bytes: u64,
}

/// Why a block means nothing to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeError {
    /// Not a dag-pb node with a UnixFS message.
    Malformed,
    /// A link to something that is not read.
    Link(CidError),
    /// A kind of UnixFS node that is not read (metadata).
    Kind,
    /// More links than a node may have.
    TooManyLinks {
        /// Links found.
        links: usize,
    },
    /// The sizes a file's node states do not add up, or a child has none.
    Sizes,
    /// The file is larger than [`FILE_BYTES_MAX`].
    FileTooLarge {
        /// Bytes stated.
        bytes: u64,
    },
    /// A name in a folder is refused.
    Name(NameError),
    /// Two entries of a folder have one name or one place.
    Twice,
    /// A shard of another hash or fanout than we read, or whose map of places contradicts its links.
    Shard,
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("expected a UnixFS node, found something else"),
            Self::Link(error) => write!(f, "a link is not read: {error}"),
            Self::Kind => f.write_str("expected a file, folder or symlink, found metadata"),
            Self::TooManyLinks { links } => write!(f, "a node has {links} links, too many"),
            Self::Sizes => f.write_str("the sizes stated in a file do not add up"),
            Self::FileTooLarge { bytes } => {
                write!(f, "file is {bytes} bytes, limit is {FILE_BYTES_MAX}")
            }
            Self::Name(error) => write!(f, "{error}"),
            Self::Twice => f.write_str("a folder has two entries of one name"),
            Self::Shard => {
                write!(f, "expected a folder's shard by murmur3 with fanout {SHARD_FANOUT}")
            }
        }
    }
}

impl core::error::Error for NodeError {}

impl From<PbError> for NodeError {
    fn from(error: PbError) -> Self {
        match error {
            PbError::Malformed => Self::Malformed,
            PbError::Link(error) => Self::Link(error),
        }
    }
}

/// Reads a block's bytes.
///
/// # Errors
/// Whatever is wrong with them; see [`NodeError`].
pub fn decode(codec: Codec, bytes: &[u8]) -> Result<Node, NodeError> {
    match codec {
        Codec::Raw => {
            let size_bytes = length(bytes.len());
            Ok(Node::File { inline: bytes.to_vec(), children: Vec::new(), size_bytes })
        }
        Codec::DagPb => decode_pb(PbNode::decode(bytes)?),
    }
}

fn decode_pb(node: PbNode) -> Result<Node, NodeError> {
    let data = node.data.ok_or(NodeError::Malformed)?;
    let message = UnixFs::decode(&data).map_err(|_| NodeError::Malformed)?;
    match message.kind {
        Kind::Raw | Kind::File => file(node.links, message),
        Kind::Directory => folder(node.links),
        Kind::Shard => shard(node.links, &message),
        Kind::Symlink => symlink(&node.links, message),
        Kind::Metadata => Err(NodeError::Kind),
    }
}

fn file(links: Vec<Link>, message: UnixFs) -> Result<Node, NodeError> {
    if links.len() > FILE_LINKS_MAX {
        return Err(NodeError::TooManyLinks { links: links.len() });
    }
    // A child of no bytes would be work without end and without a result.
    if links.len() != message.block_bytes.len() || message.block_bytes.contains(&0) {
        return Err(NodeError::Sizes);
    }
    let inline = message.data.unwrap_or_default();
    let sum = |all: u64, bytes: &u64| all.checked_add(*bytes);
    let size_bytes = message.block_bytes.iter().try_fold(length(inline.len()), sum);
    let size_bytes = size_bytes.ok_or(NodeError::Sizes)?;
    if message.file_bytes.is_some_and(|stated| stated != size_bytes) {
        return Err(NodeError::Sizes);
    }
    if size_bytes > FILE_BYTES_MAX {
        return Err(NodeError::FileTooLarge { bytes: size_bytes });
    }
    let sizes = message.block_bytes.into_iter();
    let child = |(link, size_bytes): (Link, _)| Child { cid: link.cid, size_bytes };
    Ok(Node::File {
        inline,
        children: links.into_iter().zip(sizes).map(child).collect(),
        size_bytes,
    })
}

fn folder(links: Vec<Link>) -> Result<Node, NodeError> {
    if links.len() > TREE_ENTRIES_MAX {
        return Err(NodeError::TooManyLinks { links: links.len() });
    }
    let mut names = BTreeSet::new();
    for link in &links {
        check_name(&link.name).map_err(NodeError::Name)?;
        if !names.insert(&link.name) {
            return Err(NodeError::Twice);
        }
    }
    let entry =
        |link: Link| FolderLink { name: link.name, cid: link.cid, tree_bytes: link.tree_bytes };
    Ok(Node::Folder(links.into_iter().map(entry).collect()))
}

fn shard(links: Vec<Link>, message: &UnixFs) -> Result<Node, NodeError> {
    let reads = message.hash == Some(MURMUR3_X64_64)
        && message.fanout == Some(u64::from(SHARD_FANOUT))
        && !links.is_empty();
    if !reads {
        return Err(NodeError::Shard);
    }
    let entries = links.into_iter().map(shard_link).collect::<Result<Vec<_>, _>>()?;
    if !entries.is_sorted_by(|a, b| a.place < b.place) {
        return Err(NodeError::Twice);
    }
    let places = entries.iter().map(|entry| entry.place);
    if message.data.as_deref() != Some(&place_map(places)) {
        return Err(NodeError::Shard);
    }
    Ok(Node::Shard(entries))
}

/// The name of a shard's link is its place in two upper-case hexadecimal digits, then the entry's name.
fn shard_link(link: Link) -> Result<ShardLink, NodeError> {
    let (digits, name) = link.name.split_at_checked(2).ok_or(NodeError::Shard)?;
    let place = u8::from_str_radix(digits, 16).map_err(|_| NodeError::Shard)?;
    if digits != format!("{place:02X}") {
        return Err(NodeError::Shard);
    }
    if !name.is_empty() {
        check_name(name).map_err(NodeError::Name)?;
    }
    let name = (!name.is_empty()).then(|| name.to_owned());
    Ok(ShardLink { place, name, cid: link.cid, tree_bytes: link.tree_bytes })
}

fn symlink(links: &[Link], message: UnixFs) -> Result<Node, NodeError> {
    let target = message.data.unwrap_or_default();
    if !links.is_empty() || target.len() > SYMLINK_BYTES_MAX {
        return Err(NodeError::Malformed);
    }
    String::from_utf8(target).map(Node::Symlink).map_err(|_| NodeError::Malformed)
}

/// The places of a shard as the number whose bit `i` is place `i`, big-endian, without leading zeros.
fn place_map(places: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut map = [0_u8; 32];
    for place in places {
        map[31 - usize::from(place / 8)] |= 1 << (place % 8);
    }
    let zeros = map.iter().take_while(|byte| **byte == 0).count();
    map[zeros..].to_vec()
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// The bytes of a file's link node.
pub(crate) fn encode_file(children: &[(Child, u64)]) -> Vec<u8> {
    let mut message = UnixFs::new(Kind::File);
    message.block_bytes = children.iter().map(|(child, _)| child.size_bytes).collect();
    message.file_bytes = Some(message.block_bytes.iter().sum());
    let link = |(child, tree_bytes): &(Child, u64)| Link {
        cid: child.cid,
        name: String::new(),
        tree_bytes: *tree_bytes,
    };
    let links = children.iter().map(link).collect();
    PbNode { links, data: Some(message.encode()) }.encode()
}

/// The bytes of a folder's block; `links` sorted by name.
pub(crate) fn encode_folder(links: Vec<FolderLink>) -> Vec<u8> {
    let link =
        |link: FolderLink| Link { cid: link.cid, name: link.name, tree_bytes: link.tree_bytes };
    let links = links.into_iter().map(link).collect();
    PbNode { links, data: Some(UnixFs::new(Kind::Directory).encode()) }.encode()
}

/// The bytes of a shard's block; `links` sorted by place.
pub(crate) fn encode_shard(links: Vec<ShardLink>) -> Vec<u8> {
    let mut message = UnixFs::new(Kind::Shard);
    message.data = Some(place_map(links.iter().map(|link| link.place)));
    message.hash = Some(MURMUR3_X64_64);
    message.fanout = Some(u64::from(SHARD_FANOUT));
    let link = |link: ShardLink| Link {
        cid: link.cid,
        name: format!("{:02X}{}", link.place, link.name.unwrap_or_default()),
        tree_bytes: link.tree_bytes,
    };
    let links = links.into_iter().map(link).collect();
    PbNode { links, data: Some(message.encode()) }.encode()
}

/// The bytes of a symlink's block.
pub(crate) fn encode_symlink(target: &str) -> Vec<u8> {
    let mut message = UnixFs::new(Kind::Symlink);
    message.data = Some(target.as_bytes().to_vec());
    PbNode { links: Vec::new(), data: Some(message.encode()) }.encode()
}

#[cfg(test)]
mod tests;
