//! Constants of the schedule, with their reasons. Durations are in milliseconds.

use core::time::Duration;

use primitives::SwarmId;

/// What differs from swarm to swarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The swarm: told in the hello; a peer that says another is hung up.
    pub swarm: SwarmId,
    /// Refuse to play origin bytes that are not what was signed: the embedder pinned the publisher.
    /// Otherwise such bytes play, as they would without us, and are not shared.
    pub refuse_forged: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { swarm: SwarmId::new([0; 32]), refuse_forged: false }
    }
}

/// Most segments of one track: a day of 4 s segments is 21,600.
pub const TRACK_SEGMENTS_MAX: usize = 65_536;
/// Most segments followed at once (arriving, held in memory, wanted).
pub const SEGMENTS_MAX: usize = 4_096;
/// Most segments from an earlier visit that are remembered.
pub const STORED_MAX: usize = 65_536;
/// Most neighbours; a further one is hung up.
pub const NEIGHBOURS_MAX: usize = 16;
/// Neighbours below which more are asked for.
pub const NEIGHBOURS_GOAL: usize = 8;
/// Segments of one neighbour whose progress is followed; older progress is forgotten.
pub const PROGRESS_MAX: usize = 64;
/// Pieces one neighbour may have queued at us; more is refused as busy.
pub const UPLOAD_QUEUE_MAX: usize = 256;
/// Origin fetches at a time: two keep a 40 ms round trip busy, a third takes an urgent segment.
pub const FETCHES_MAX: usize = 3;

/// What is due within this is asked of peers. Longer wastes upload on viewers who leave.
pub const HORIZON: Duration = Duration::from_secs(60);
/// What is due within this is asked of peers as fast as they give it.
pub const HURRY: Duration = Duration::from_secs(16);
/// What is due later comes at these two's quotient of the speed at which it plays: a newcomer does not take lines
/// and processors from those who start now, and is a horizon ahead within a minute all the same.
pub const CALM_SPEED: (u32, u32) = (3, 2);
/// Playing time of what may be asked for at once after a calm pause.
pub const CALM_BURST: Duration = Duration::from_secs(1);
/// How long before its first viewer needs it an agreed fetcher fetches what nobody has.
pub const SEED_LEAD: Duration = Duration::from_secs(24);
/// The next in the agreed order takes over after this long without a sign of the one before.
pub const BACKUP_STEP: Duration = Duration::from_millis(2_000);
/// One hop of spreading in a large swarm: see `origin.rs`, "Large swarms".
pub const HOP: Duration = Duration::from_millis(1_200);
/// A claim ("I am fetching this") counts this long without progress.
pub const CLAIM_FRESH: Duration = Duration::from_millis(2_500);
/// The same for a segment that is already late.
pub const CLAIM_FRESH_LATE: Duration = Duration::from_millis(1_200);

/// Slack added to the estimated origin time: the last responsible moment.
pub const ORIGIN_MARGIN: Duration = Duration::from_millis(2_000);
/// The same while a fresh stream waits for its first neighbour: half a second of signaling and ICE is
/// worth a segment, and a line that is slower than believed still has a second.
pub const INTRODUCTION_MARGIN: Duration = Duration::from_millis(1_000);
/// Only a line that brings a segment this fast is kept waiting for introductions: neighbours on home
/// links that are still unknown must not cost a stall.
pub const INTRODUCTION_TRANSFER: Duration = Duration::from_millis(400);
/// No segment waits for peers longer than this before its due time with nothing coming.
pub const ORIGIN_LEAD_MAX: Duration = Duration::from_secs(14);
/// Peers' estimated finish must lie this long before the due time.
pub const PEER_MARGIN: Duration = Duration::from_millis(700);
/// A stored segment waits this long for its proof before the origin is asked.
pub const STORE_GRACE: Duration = Duration::from_millis(600);
/// How long a fresh stream believes it may get neighbours before it acts as if alone.
pub const ALONE_AFTER: Duration = Duration::from_secs(4);
/// The same when the server says that there are others. Lines that others' uploads fill lose packets of
/// handshakes: of eight viewers on home links the last met its first neighbour after 10 s, and had taken
/// eleven segments from the origin by then.
pub const INTRODUCED_AFTER: Duration = Duration::from_secs(15);

/// What the player says it loads by itself is left alone this long: then it is taken for forgotten.
pub const ELSEWHERE_MAX: Duration = Duration::from_secs(30);

/// What is due within this is fetched alone: nothing later shares the line to the origin with it.
pub const URGENT: Duration = Duration::from_millis(1_000);
/// How many segments are fetched from the origin at a time, from the first missing one on, while that is
/// due within the time beside it. Simulator, 14 seeds of a small `flash-crowd`: startup 3.4 -> 2.2 s
/// against four while the player stands still and no limit afterwards, no stall with either; one instead
/// of two starts in 1.5 s and then stalls on other scenarios.
pub const OPEN: [(Duration, usize); 2] =
    [(Duration::from_millis(4_000), 2), (Duration::from_millis(8_000), 3)];
/// What is not urgent waits this long for its proof: with it, parts can be shared out.
pub const PROOF_GRACE: Duration = Duration::from_millis(1_500);
/// After the first greeting, the others' greetings and holdings are waited for this long.
pub const SETTLE: Duration = Duration::from_millis(600);

/// Goodput believed of a neighbour that sent nothing yet, in bytes per second.
pub const GOODPUT_PRIOR: u64 = 250_000;
/// Rate believed of an origin that sent nothing yet, in bytes per second.
pub const ORIGIN_PRIOR: u64 = 1_250_000;
/// A piece that the origin needs longer for is asked of neighbours while it arrives.
pub const SLOW_PIECE: Duration = Duration::from_millis(400);
/// Requests are outstanding for round trip plus this: the bandwidth-delay product and scheduling jitter.
pub const PIPELINE: Duration = Duration::from_millis(500);
/// Least and most bytes outstanding at one neighbour.
pub const WINDOW_BYTES: (u64, u64) = (2 * 65_536, 40 * 65_536);
/// A piece asked for longer ago than this, and than three times what was expected, is late.
pub const PATIENCE: Duration = Duration::from_millis(1_500);
/// A late piece is asked of a second neighbour when its segment is due within this.
pub const HEDGE: Duration = Duration::from_secs(8);
/// Late pieces are looked for at most this often.
pub const LATE_RECHECK: Duration = Duration::from_millis(60);
/// Longer than this, a late piece is asked elsewhere however far its due time.
pub const PATIENCE_MAX: Duration = Duration::from_secs(10);
/// A neighbour that owes pieces and sent nothing for this long gets no new requests.
pub const STALLED: Duration = Duration::from_secs(4);
/// A neighbour that owes pieces and sent nothing for this long is hung up.
pub const SILENT: Duration = Duration::from_secs(20);
/// Refusals of what it said it has, after which a neighbour is taken for a liar.
pub const REFUSALS_MAX: u32 = 24;

/// Progress is told at most this often for each segment: one that somebody plays within
/// [`PROGRESS_URGENT`], and any other. Each telling is a packet, a wake and a plan at every neighbour.
pub const PROGRESS_EVERY: (Duration, Duration) =
    (Duration::from_millis(60), Duration::from_millis(300));
/// What somebody plays within this is told of often.
pub const PROGRESS_URGENT: Duration = Duration::from_secs(6);
/// The playhead is told at most this often.
pub const PLAYBACK_EVERY: Duration = Duration::from_millis(1_000);
/// First and longest wait between two calls for neighbours.
pub const NEIGHBOURS_EVERY: (Duration, Duration) =
    (Duration::from_secs(3), Duration::from_secs(60));
/// How long a full neighbourhood keeps a neighbour that gave and took nothing.
pub const IDLE_NEIGHBOUR: Duration = Duration::from_secs(60);

/// The window of payload that is sent and not acknowledged: at first, and at most (20 MB/s for a fifth of
/// a second). At least it is one frame. See `window.rs`.
pub const FLIGHT_BYTES: (u64, u64) = (2 * 16_384, 4 << 20);
/// So much may be under way to all neighbours together whatever the delays say, because a busy processor
/// looks like a queue. It fits a home line: 5 Mbit/s, 40 ms and a queue of 200 ms are 150 kB.
pub const FLIGHT_LEAST_BYTES: u64 = 9 * 16_384;
/// Queue that the windows allow on a line: RFC 6817 says at most 100 ms.
pub const QUEUE: Duration = Duration::from_millis(80);
/// The least delay of this long is taken for a line without a queue.
pub const LEAST_DELAY_FOR: Duration = Duration::from_secs(60);
/// Payload that came is acknowledged at most this often.
pub const ACK_EVERY: Duration = Duration::from_millis(20);

/// Payload handed to the transport of one neighbour: rate times this…
pub const SEND_AHEAD: Duration = Duration::from_millis(150);
/// …within these bytes.
pub const SEND_WINDOW_BYTES: (u64, u64) = (49_152, 1 << 20);
/// Requests due within this are served earliest first; later ones fewest copies first.
pub const SERVE_URGENT: Duration = Duration::from_secs(4);
