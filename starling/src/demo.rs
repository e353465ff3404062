//! A video to start with: made by ffmpeg's own sources, so that nothing has to be downloaded.
//!
//! [`make`] encodes a finished stream of two renditions; [`Live`] plays such a stream out again as a
//! live one, a segment at a time.

mod encode;
mod live;

pub use encode::{DemoError, Shape, make};
pub use live::{Live, LiveError};

/// The playlist viewers open.
pub const PLAYLIST: &str = "master.m3u8";
