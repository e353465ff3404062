//! Files and folders as IPFS blocks, and what a share says about them.
//!
//! - [`Cid`] and [`Block`]: bytes with the name that proves them.
//! - [`build`]: bytes in, blocks out: UnixFS files, symlinks, folders, sharded folders.
//! - [`read`]: blocks in, bytes out: says which blocks it needs next, in order.
//! - [`car`]: blocks one after another in one file (CARv1).
//! - [`share`]: block encryption, the share manifest, passwords and links.
//! - [`store`]: what a driver's block store answers.
//!
//! The formats are `docs/spec/files.md`; why they are these, `docs/adr/0010-files-as-ipfs-blocks.md`.
//!
//! Laws of this crate:
//! - a [`Block`] can't exist whose bytes do not hash to its CID;
//! - reading is total: any bytes give values within the bounds of [`limits`] or an error, and work is
//!   bounded by what a reader was told to expect;
//! - no more than one chunk and the open link nodes are held while a file is built, however long it is;
//! - a name that came from a stranger never leaves the folder it is written into ([`check_name`]).
//!
//! Hashing is the driver's choice: builders hand out [`Draft`]s and take the finished block's name;
//! readers take blocks. [`Draft::hash`] and [`Candidate::verify`] hash here; the browser gives digests
//! of WebCrypto to [`Draft::with_digest`] and [`Candidate::verify_digest`].
//!
//! Not here: files, sockets, clocks, entropy. Keys, salts and the time of day are arguments.

mod block;
pub mod build;
pub mod car;
mod cid;
pub mod limits;
mod names;
mod node;
mod profile;
pub mod read;
pub mod share;
pub mod store;

mod dag_pb;
mod murmur;
mod protobuf;
mod unixfs;

pub use block::{Block, Candidate, Draft, Mismatch, Opened};
pub use cid::{Cid, CidError, Codec};
pub use names::{NameError, check_name, check_path, symlink_stays_inside};
pub use node::{Child, FolderLink, Node, NodeError, ShardLink, decode};
pub use profile::{Profile, ShardRule};
