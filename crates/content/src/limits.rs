//! Every bound of what is built and read, named once.

/// Largest block, in bytes: what IPFS peers and gateways pass on.
pub const BLOCK_BYTES_MAX: usize = 2 << 20;
/// Most links of a file's link node. Profiles use 1024 and 174; the largest writers known use 8192.
pub const FILE_LINKS_MAX: usize = 8192;
/// Deepest file, in levels of link nodes. 1 MiB chunks and 1024 links need 3 for a petabyte.
pub const FILE_DEPTH_MAX: usize = 16;
/// Largest file, in bytes: 1 PiB.
pub const FILE_BYTES_MAX: u64 = 1 << 50;
/// Blocks a reader takes ahead of the byte it waits for. With the next constant, what it can hold.
pub const READ_AHEAD_BLOCKS_MAX: usize = 16;
/// Most entries of a tree that is built or read, folders and the shards of folders included.
pub const TREE_ENTRIES_MAX: usize = 1_000_000;
/// Deepest path, in names.
pub const PATH_DEPTH_MAX: usize = 128;
/// Longest path, in bytes.
pub const PATH_BYTES_MAX: usize = 4096;
/// Longest name in a folder, in bytes: what file systems take.
pub const NAME_BYTES_MAX: usize = 255;
/// Longest target of a symlink, in bytes.
pub const SYMLINK_BYTES_MAX: usize = 4096;
/// Children of a shard of a folder (UnixFS HAMT); other fanouts are not read.
pub const SHARD_FANOUT: u16 = 256;
/// Deepest shard: a name's hash has eight bytes, each shard level takes one.
pub const SHARD_DEPTH_MAX: usize = 8;
/// A folder larger than this, by its profile's measure, is sharded. In bytes.
pub const FOLDER_BYTES_MAX: usize = 262_144;
/// Most blocks of one walk over a graph, which remembers each it has seen.
pub const WALK_BLOCKS_MAX: usize = 1_000_000;
/// Largest header of a CAR file, in bytes.
pub const CAR_HEADER_BYTES_MAX: usize = 64 << 10;
/// Most roots of a CAR file.
pub const CAR_ROOTS_MAX: usize = 1024;
/// Longest CID in bytes: version, codec, hash, length and a digest of 64 bytes.
pub const CID_BYTES_MAX: usize = 80;
/// Longest text of a CID, in bytes.
pub const CID_TEXT_BYTES_MAX: usize = 160;
/// Largest share manifest, in bytes.
pub const SHARE_MANIFEST_BYTES_MAX: usize = 16 << 20;
/// Most entries of a share manifest.
pub const SHARE_ENTRIES_MAX: usize = 65_536;
/// Longest media type, in bytes.
pub const MEDIA_TYPE_BYTES_MAX: usize = 127;
/// Longest share link, in bytes.
pub const LINK_BYTES_MAX: usize = 4096;
/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Memory Argon2id may be asked for by a link, in MiB: what a phone's tab survives.
pub const ARGON2_MEMORY_MIB_MAX: u8 = 128;
/// Passes Argon2id may be asked for by a link.
pub const ARGON2_PASSES_MAX: u8 = 10;
