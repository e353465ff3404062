//! What a stream's publisher says its segments must be: the signed manifest.
//!
//! A publisher hashes the segments of its playlists and puts `starling.json` beside the multivariant
//! playlist ([`Manifest`]), and the digests in parts below it ([`Part`]). Both are signed with the
//! publisher's key ([`primitives::KeyPair`]) in a JWS envelope. A viewer that pins the publisher
//! takes segments from strangers only when they hash to what the publisher signed.
//!
//! The format is `docs/spec/manifest.md`.
//!
//! Laws of this crate:
//! - opening is total: any bytes give a value within its bounds or a [`ManifestError`];
//! - the signature is checked over the received bytes before any of their content is believed;
//! - a path from a manifest stays below the folder the manifest lies in ([`is_safe_path`]).
//!
//! Not here: fetching, clocks, files, playlists. The reader is `crates/peer`, the writer
//! `starling publish`.

mod envelope;
mod error;
pub mod limits;
mod manifest;
mod merkle;
mod part;
mod path;

pub use error::ManifestError;
pub use manifest::{MANIFEST_NAME, Manifest, PART_PLACEHOLDER, Rendition};
pub use merkle::{merkle_proof, merkle_root};
pub use part::{Part, SegmentEntry};
pub use path::is_safe_path;
