//! Constants of the exchange, with their reasons.

use core::time::Duration;

/// Most neighbours; a further one is hung up.
pub const NEIGHBOURS_MAX: usize = 16;
/// Neighbours below which more are asked for.
pub const NEIGHBOURS_GOAL: usize = 6;
/// First and longest wait between two calls for neighbours.
pub const NEIGHBOURS_EVERY: (Duration, Duration) =
    (Duration::from_secs(2), Duration::from_secs(60));

/// Bytes of blocks that are asked for, checked or being kept, all together: what a receiver holds. Twice
/// the bandwidth-delay product of 100 Mbit/s and a second.
pub const COMING_BYTES_MAX: u64 = 24 << 20;
/// Blocks outstanding at one neighbour, at least: one under way, and a choice for a sender that serves
/// first what it sent to fewest.
pub const ASKED_LEAST: usize = 4;
/// Outstanding at one neighbour is what it sends in its round trip and this.
pub const PIPELINE: Duration = Duration::from_millis(600);
/// Goodput believed of a neighbour that sent nothing yet, in bytes per second.
pub const GOODPUT_PRIOR: u64 = 2_000_000;
/// A block asked for longer ago than this, and than three times what was expected, is late: somebody
/// else is asked too.
pub const PATIENCE: Duration = Duration::from_millis(2_500);
/// A neighbour that owes blocks and sent nothing for this long gets no new requests.
pub const STALLED: Duration = Duration::from_secs(5);
/// A neighbour that owes blocks and sent nothing for this long is hung up.
pub const SILENT: Duration = Duration::from_secs(25);
/// Missing blocks looked at for the rarest one: enough that four receivers of one sender rarely ask for
/// the same, few enough to cost nothing.
pub const CHOICE_BLOCKS: usize = 512;
/// Places looked at to find them.
pub const CHOICE_STEPS: usize = 8_192;
/// Blocks that come in order, before the rarest, from where somebody looks on: a film that plays has this
/// much ahead, and the rest is still traded.
pub const LOOK_AHEAD_BLOCKS: u32 = 16;
/// Blocks that a neighbour declined and that are not asked of it again; the oldest is forgotten first.
pub const DECLINED_MAX: usize = 256;
/// How long a declined block is not asked of that neighbour again.
pub const DECLINED_FOR: Duration = Duration::from_secs(10);
/// Askings taken back whose parts may still come.
pub const FORGOTTEN_MAX: usize = 256;

/// How long peers have to come before a gateway is asked.
pub const GATEWAY_AFTER: Duration = Duration::from_secs(3);
/// How often it is looked whether a gateway is needed.
pub const GATEWAY_EVERY: Duration = Duration::from_millis(200);
/// Blocks asked of a gateway at a time.
pub const GATEWAY_ASKS_MAX: usize = 4;
/// First and longest wait after a gateway gave nothing.
pub const GATEWAY_WAIT: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));
/// Blocks that a gateway did not have and that are not asked of it again; one is forgotten for one more.
pub const GATEWAY_LACKS_MAX: usize = 256;
/// How long such a block is not asked of it again.
pub const GATEWAY_LACKS_FOR: Duration = Duration::from_secs(60);

/// Blocks read from the store and not sent yet, of all neighbours together.
pub const READY_BLOCKS_MAX: usize = 8;
/// Blocks of which it is remembered how often they were sent.
pub const COPIES_MAX: usize = 8_192;
/// Of one neighbour: the one being sent and the next.
pub const READY_BLOCKS_EACH: usize = 2;
/// Payload handed to the transport of one neighbour: its rate times this…
pub const SEND_AHEAD: Duration = Duration::from_millis(200);
/// …within these bytes.
pub const SEND_WINDOW_BYTES: (u64, u64) = (256 << 10, 4 << 20);

/// Link nodes and parts of the manifest read from the own store at a time.
pub const READING_MAX: usize = 4;
/// Names in one question to the own store.
pub const LOOK_MAX: usize = 512;
/// What is newly held is told at most this often…
pub const TELL_EVERY: Duration = Duration::from_millis(100);
/// …unless it is this many blocks.
pub const TELL_BLOCKS: usize = 64;
