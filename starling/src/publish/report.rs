//! What publishing tells while it works and when it is done.

use std::path::PathBuf;

use primitives::PeerId;
use serde::Serialize;

/// One step of publishing, for a progress line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A rendition begins.
    Rendition {
        /// Its playlist.
        playlist: String,
        /// How many segments it has.
        segments: usize,
    },
    /// One more segment is hashed.
    Segment {
        /// 1-based.
        number: usize,
        /// Of how many.
        of: usize,
        /// Its size.
        bytes: u32,
    },
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Who signed it: what a page pins.
    pub publisher: PeerId,
    /// The manifest's file.
    pub manifest: PathBuf,
    /// The playlist viewers open, relative to the manifest.
    pub playlist: String,
    /// Whether segments are still being added.
    pub live: bool,
    /// In order of track.
    pub renditions: Vec<RenditionReport>,
}

/// One rendition of a [`Report`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RenditionReport {
    /// Its number in the swarm.
    pub track: u16,
    /// Its media playlist.
    pub playlist: String,
    /// Segments signed.
    pub segments: usize,
    /// Their size together.
    pub bytes: u64,
}
