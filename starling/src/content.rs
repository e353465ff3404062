//! Files on disk as blocks in a store on disk, and back: what `add`, `get` and `car` do.
//!
//! Everything here waits for disks and belongs on a thread that may: `tokio::task::spawn_blocking`.

mod add;
mod car;
mod error;
mod fetch;
mod get;
mod list;
mod opening;
mod store;
mod walk;

pub use add::{Added, Options, add, name_only};
pub(crate) use add::{folder_of, io_at};
pub(crate) use car::block;
pub use car::{Exported, Imported, export, import};
pub use error::ContentError;
pub use fetch::{Fetched, Gateways, SourceError, fetch};
pub(crate) use get::files_below;
pub use get::{Got, get, get_share};
pub use list::{Listed, list};
pub use opening::Opening;
pub use store::{
    BLOCKS_MAX_DEFAULT, BLOCKS_MAX_MAX, FileStore, Limits, PINS_MAX, Pin, PinKind,
    QUOTA_BYTES_DEFAULT, QUOTA_BYTES_MIN, StoreError, Swept, Usage,
};
pub(crate) use walk::{Found, Kind, Walked, walk};

/// Told how many of how many bytes are done.
pub type Progress<'f> = &'f mut dyn FnMut(u64, u64);
