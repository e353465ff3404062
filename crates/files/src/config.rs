//! Constants of the exchange, with their reasons.

use core::time::Duration;

/// A neighbour that is held back is told to ask elsewhere after so long.
pub const HELD: Duration = Duration::from_secs(5);
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
/// A neighbour that owes blocks, or its greeting, and sent nothing for this long is hung up.
pub const SILENT: Duration = Duration::from_secs(25);
/// Missing blocks looked at for the rarest one: enough that four receivers of one sender rarely ask for
/// the same, few enough to cost nothing.
pub const CHOICE_BLOCKS: usize = 512;
/// Places looked at to find them.
pub const CHOICE_STEPS: usize = 8_192;
/// Blocks that come in order, before the rarest, from where somebody reads on: a film that plays has this
/// much ahead, and the rest is still traded.
pub const LOOK_AHEAD_BLOCKS: u32 = 16;
/// Places at which a share is read as it comes; the one that said nothing for longest gives way.
pub const READERS_MAX: usize = 4;
/// A reader that said nothing for this long is over when another speaks: somebody jumped, or looks at
/// something else.
pub const READER_FOR: Duration = Duration::from_secs(2);
/// A block that a reader needs within this time is due: it is asked of whoever brings it first, though
/// enough is asked there, and before what is not due.
pub const DUE_WITHIN: Duration = Duration::from_secs(4);
/// Due blocks looked at: the soonest.
pub const DUE_BLOCKS_MAX: usize = 8;
/// Bytes of due blocks beyond [`COMING_BYTES_MAX`].
pub const DUE_BYTES_MAX: u64 = 8 << 20;
/// A block is asked of a second neighbour that needs less than half of the time which it will take at the
/// first, and this much less.
pub const HEDGE_MARGIN: Duration = Duration::from_millis(250);
/// Blocks asked of two neighbours at a time because one would be late or slow…
pub const HEDGES_MAX: usize = 4;
/// …and only while what came twice or was thrown away is below this part of what came, and the bytes of
/// [`WASTE_FREE_BYTES`]: so much is fetched in vain at most, and the last [`HEDGES_MAX`] blocks.
pub const WASTE_PART: u64 = 16;
/// See [`WASTE_PART`]: a share of few blocks has slow neighbours, too.
pub const WASTE_FREE_BYTES: u64 = 4 << 20;
/// Blocks that somebody waits for: of sixty-four who read, sixteen each. The oldest is forgotten first.
pub const WAITED_MAX: usize = 1_024;
/// Blocks that a neighbour declined and that are not asked of it again; the oldest is forgotten first.
pub const DECLINED_MAX: usize = 256;
/// How long a declined block is not asked of that neighbour again.
pub const DECLINED_FOR: Duration = Duration::from_secs(10);
/// Askings taken back whose parts may still come.
pub const FORGOTTEN_MAX: usize = 256;

/// How long peers have to come before a gateway is asked.
pub const GATEWAY_AFTER: Duration = Duration::from_secs(3);
/// A due block that its neighbour will bring this much too late is asked of the gateway.
pub const GATEWAY_LATE: Duration = Duration::from_secs(2);
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

/// Blocks read from the store and not sent yet, of all neighbours together; besides, one for each that
/// waits for a due block.
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
