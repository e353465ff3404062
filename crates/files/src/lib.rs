//! A share between peers, sans-IO: which blocks it has, which are fetched next and from whom, and who
//! gets which from here.
//!
//! A [`Share`] is a value: [`Share::step`] takes the time and one [`Input`], pushes [`Output`]s and says
//! when to call again. It begins with a link. A sender and a receiver are the same thing: one whose store
//! has every block, and one whose store has none yet.
//!
//! ```text
//! link → manifest (names, sizes, roots) → the list of places (docs/spec/files.md) → link nodes → leaves
//! ```
//!
//! A public link names the content itself; its folders and roots are read instead of a manifest (`plain`).
//!
//! [`make::Maker`] makes a share from files.
//!
//! | part | what it decides |
//! |---|---|
//! | `list` | the place of every block of a share, from the manifest alone |
//! | `places` | what is known and held of each place, and which are wanted next |
//! | `opening` | the manifest and link nodes: read, checked against each other |
//! | `plain` | what a public share holds, from its blocks alone |
//! | `asking` | which block is asked of which neighbour |
//! | `reading` | what somebody reads as it comes: due times, and a second source for what is late |
//! | `gateway` | which block is asked of a gateway: what no neighbour has |
//! | `serving` | which neighbour gets the next part |
//! | `telling` | greeting, holdings, judging |
//! | `division` | how much each of several shares may send |
//!
//! Laws: nothing is kept, shown or passed on before it hashes to its name; only blocks of this share are
//! read for strangers; what a stranger sends never panics and never grows anything without a named bound
//! ([`config`]); memory is bounded by blocks under way, not by the share.
//!
//! Not here: disks, hashing, sockets, the page. The driver keeps blocks and computes digests.

mod asking;
mod bits;
pub mod config;
mod division;
mod gateway;
pub mod input;
mod list;
pub mod make;
mod neighbour;
mod opening;
pub mod output;
mod places;
mod plain;
mod reading;
mod serving;
mod share;
mod telling;
pub mod view;

/// What drivers need of blocks, so that they import this crate only.
pub use content;
pub use division::{Division, Sends};
pub use input::{Config, Input, NotFetched};
pub use output::{Event, Output};
pub use share::{Share, swarm_of};
/// What drivers pass on to connections.
pub use swarm::{Channel, HangupReason};
/// What drivers tell apart: frames about the ledger and about payment are not for the share.
pub use wire::near::{is_follows, is_near};
pub use wire::pay::{is_keep, is_payment, is_terms};
