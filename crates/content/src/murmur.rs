//! Where a name stands in a sharded folder.

use std::io::Cursor;

use crate::limits::SHARD_DEPTH_MAX;

/// The name's place at each level of shards, outermost first.
///
/// Each is a byte of the first half of murmur3-x64-128 with seed 0, most significant first: the
/// `murmur3-x64-64` of the UnixFS specification with a fanout of 256.
pub(crate) fn places(name: &str) -> [u8; SHARD_DEPTH_MAX] {
    let hash = murmur3::murmur3_x64_128(&mut Cursor::new(name.as_bytes()), 0)
        .expect("reading from memory does not fail");
    let mut first = [0; SHARD_DEPTH_MAX];
    first.copy_from_slice(&hash.to_le_bytes()[..SHARD_DEPTH_MAX]);
    first.reverse();
    first
}
