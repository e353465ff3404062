//! Bounds of what a manifest and a part may hold.

/// Most renditions of one manifest.
pub const RENDITIONS_MAX: u16 = wire::limits::TRACKS_MAX;
/// Most segments of one part.
pub const SEGMENTS_PER_PART_MAX: u32 = 256;
/// Most digests in the proof of a part: two per level of a tree of 2^32 segments.
pub const PROOF_HASHES_MAX: usize = 64;
/// Longest path in a manifest or a part, in bytes.
pub const PATH_BYTES_MAX: usize = 512;
/// Largest `starling.json`, in bytes: 64 renditions with the longest paths need 110 KiB.
pub const MANIFEST_BYTES_MAX: usize = 256 << 10;
/// Largest part, in bytes. 64 segments of 2.5 Mbit/s and 4 s need 80 KiB, of 25 MiB each 1.5 MiB.
/// A publisher of larger segments puts fewer of them in a part.
pub const PART_BYTES_MAX: usize = 4 << 20;
