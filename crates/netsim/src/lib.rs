//! A network that exists only in memory: hosts, access links, paths, reliable channels, HTTP servers.
//!
//! [`Network`] is a discrete-event machine. The caller opens connections, sends messages, starts
//! fetches and sets timers; iterating it returns what happens next and when. There is no clock
//! and no entropy but a seed: the same calls give the same run, event for event.
//!
//! What is modelled, and how coarsely:
//! - **Access link**: each host has one uplink and one downlink, each a FIFO with a rate. The uplink's
//!   queue is bounded in time; what does not fit waits in the senders' buffers, shared fairly (by bytes)
//!   between the host's connections. Peers and HTTP share both.
//! - **Path**: one-way latency, jitter, and loss. Loss never loses a message, since the channels are
//!   reliable: it delays the message and all behind it by a round trip, and caps the window
//!   (Mathis, Semke, Mahdavi, Ott 1997).
//! - **Channel**: reliable and ordered, two lanes (control first). A window opens by slow start up to
//!   [`Path::window_bytes`], so that a long path caps one connection as SCTP does in browsers.
//! - **HTTP**: requests travel the client's uplink, answers share the server's uplink fairly between
//!   clients, paced per client; statuses, broken answers and silence by schedule.
//! - **Faults**: hosts leave or crash, sides of a partition lose sight of each other and heal.
//!
//! What is not: packets (a message up to 16 KiB is one event), acknowledgement traffic, NAT, routing.

mod flow;
mod host;
mod http;
mod line;
mod network;
mod path;
mod queue;

pub use flow::Lane;
pub use host::{Access, HostId, Traffic};
pub use http::{Fault, FaultKind, Get, HttpServer};
pub use line::{UNLIMITED, transfer_time};
pub use network::{Happening, Network, OFFLINE};
pub use path::Path;
pub use queue::EventQueue;
