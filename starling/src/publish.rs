//! Signs what the segments of an HLS stream must be: `starling.json` and its parts.
//!
//! A [`Source`] is a folder or a web folder with playlists. `whole` publishes a finished stream in
//! one go, [`Watch`] one that is still being packaged, a part per new segment. The format is
//! `docs/spec/manifest.md`, its types are in `crates/media`.
//!
//! Everything is written to a temporary file and renamed, parts before the manifest that counts
//! them: a viewer reads the old state or the new one.

mod error;
mod playlists;
mod report;
mod source;
mod store;
mod watch;
mod whole;

pub use error::PublishError;
pub use report::{RenditionReport, Report, Step};
pub use source::Source;
pub use watch::{Added, Watch};
pub use whole::whole;

use std::path::PathBuf;
use std::time::Duration;

use primitives::KeyPair;

/// How often [`Watch::poll`] is called: a viewer who asks for the newest part waits about as long.
pub const POLL_EVERY: Duration = Duration::from_millis(250);

/// What to publish, and where to.
#[derive(Debug)]
pub struct Job {
    /// Where the playlists and segments are.
    pub source: Source,
    /// The playlist the stream is played by; `None`: found ([`Source::playlist`]).
    pub playlist: Option<String>,
    /// Folder the manifest is written to: the source's own, unless it is on the web.
    pub out: PathBuf,
    /// Signs.
    pub key: KeyPair,
    /// Whether somebody else's manifest may be replaced.
    pub replace: bool,
}
