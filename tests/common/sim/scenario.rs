//! The situations a swarm is judged in. Numbers follow the table of `docs/bench.md`: 8 viewers joining
//! 5 s apart, 2.6 Mbit/s, 30 segments of 4 s.

use std::time::Duration;

use netsim::{Access, Fault, FaultKind, Path, UNLIMITED};
use primitives::Time;

use super::viewer::Role;

/// Names for the command line and the suite.
pub const NAMES: &[&str] = &[
    "vod-loopback",
    "vod-home",
    "live",
    "live-home",
    "origin-capped",
    "flash-crowd",
    "flash-home",
    "abr-home",
    "churn",
    "slow-peers",
    "lossy",
    "liars",
    "origin-fails",
    "network-cut",
    "partition",
];

/// One situation.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// How many viewers join in all (with churn: how many are there at a time).
    pub viewers: u32,
    /// Time over which they join, evenly and with some chance.
    pub joining: Duration,
    /// Live instead of video on demand.
    pub live: bool,
    /// Segments of a video on demand; of the window when live.
    pub segments: u32,
    /// Duration of a segment.
    pub segment: Duration,
    /// How long a live stream goes on after the last has joined.
    pub live_goes_on: Duration,
    /// Bits per second of each rendition.
    pub bits_per_s: Vec<u64>,
    /// Line of most viewers.
    pub access: Access,
    /// Line of every second viewer, if it differs.
    pub slow_access: Option<Access>,
    /// Path between viewers.
    pub path: Path,
    /// Path of every fourth viewer, if it differs.
    pub bad_path: Option<Path>,
    /// Total rate of the origin.
    pub origin_bits_per_s: u64,
    /// The origin's rate for one client.
    pub client_bits_per_s: Option<u64>,
    /// Latency the origin adds.
    pub think: Duration,
    /// One-way latency to the origin.
    pub origin_one_way: Duration,
    /// What goes wrong at the origin.
    pub faults: Vec<Fault>,
    /// Roles of the first viewers; the others are honest.
    pub liars: Vec<Role>,
    /// Mean stay of a viewer, replaced by a new one when it leaves.
    pub mean_stay: Option<Duration>,
    /// How long viewers come and go before those who are there play to the end.
    pub churn_for: Duration,
    /// Every second viewer is cut off in this time.
    pub cut: Option<Cut>,
    /// No neighbours at all: plain HTTP, for comparison.
    pub plain: bool,
    /// Bytes of verified segments a viewer may hold in memory; `None`: the default of the swarm.
    pub memory_bytes: Option<u64>,
}

/// A time without a network.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// Start.
    pub from: Time,
    /// End.
    pub until: Time,
    /// From everything; otherwise only from the other half of the viewers.
    pub offline: bool,
}

const MBIT: u64 = 1_000_000;
const HOME: Access = Access::home(5 * MBIT, 20 * MBIT);
/// What one Chromium's loopback moves in one connection, with a window that allows it.
const LOOPBACK: Access = Access {
    up_bits_per_s: 200 * MBIT,
    down_bits_per_s: 200 * MBIT,
    up_queue: Duration::from_millis(5),
};

impl Scenario {
    /// The scenario of this name with its usual size.
    pub fn named(name: &str) -> Option<Self> {
        let name = NAMES.iter().find(|known| **known == name)?;
        let base = match *name {
            n if n.ends_with("-home") => Self::home(),
            "churn" | "slow-peers" | "lossy" | "network-cut" | "partition" => Self::home(),
            _ => Self::loopback(),
        };
        let mut scenario = Self { name, ..base };
        scenario.adapt();
        Some(scenario)
    }

    fn adapt(&mut self) {
        let fault = |from_s: u64, until_s: u64, kind, permille| Fault {
            from: Time::from_ms(from_s * 1000),
            until: Time::from_ms(until_s * 1000),
            kind,
            permille,
        };
        let cut =
            |offline| Cut { from: Time::from_ms(50_000), until: Time::from_ms(80_000), offline };
        match self.name {
            "live" | "live-home" => {
                self.live = true;
                self.segments = 10;
            }
            "origin-capped" => self.origin_bits_per_s = 8 * MBIT,
            "flash-crowd" | "flash-home" => {
                self.origin_bits_per_s = 16 * MBIT;
                self.joining = Duration::ZERO;
            }
            "abr-home" => self.bits_per_s = vec![2_600_000, 870_000],
            "churn" => self.mean_stay = Some(Duration::from_secs(40)),
            "slow-peers" => self.slow_access = Some(Access::home(MBIT / 2, 20 * MBIT)),
            "lossy" => {
                let far = Path::data_channel(Duration::from_millis(60));
                self.bad_path = Some(far.with_trouble(Duration::from_millis(20), 10_000));
                self.path = self.path.with_trouble(Duration::from_millis(5), 1_000);
            }
            "liars" => self.liars = vec![Role::Corrupts, Role::Mute, Role::Boasts],
            "origin-fails" => {
                self.faults = vec![
                    fault(20, 32, FaultKind::Status(503), 1000),
                    fault(40, 60, FaultKind::Break, 300),
                    fault(60, 90, FaultKind::Silence, 200),
                ];
            }
            "network-cut" => self.cut = Some(cut(true)),
            "partition" => self.cut = Some(cut(false)),
            _ => {}
        }
    }

    fn home() -> Self {
        Self {
            access: HOME,
            path: Path::data_channel(Duration::from_millis(20)),
            client_bits_per_s: Some(20 * MBIT),
            think: Duration::from_millis(40),
            origin_one_way: Duration::from_millis(10),
            ..Self::loopback()
        }
    }

    fn loopback() -> Self {
        let path = Path::data_channel(Duration::from_micros(200));
        Self {
            name: "vod-loopback",
            viewers: 8,
            joining: Duration::from_secs(40),
            live: false,
            segments: 30,
            segment: Duration::from_secs(4),
            live_goes_on: Duration::from_secs(80),
            bits_per_s: vec![2_600_000],
            access: LOOPBACK,
            slow_access: None,
            path,
            bad_path: None,
            origin_bits_per_s: UNLIMITED,
            client_bits_per_s: None,
            think: Duration::from_millis(1),
            origin_one_way: Duration::from_micros(200),
            faults: Vec::new(),
            liars: Vec::new(),
            mean_stay: None,
            churn_for: Duration::from_secs(120),
            cut: None,
            plain: false,
            memory_bytes: None,
        }
    }

    /// The same with another number of viewers: up to twelve join 5 s apart, more join within a minute.
    #[must_use]
    pub fn with_viewers(mut self, viewers: u32) -> Self {
        if !self.joining.is_zero() {
            self.joining = Duration::from_secs(5 * u64::from(viewers.min(12)));
        }
        let capped = self.origin_bits_per_s != UNLIMITED;
        if capped {
            let scaled = u128::from(self.origin_bits_per_s) * u128::from(viewers);
            let per_viewer = u64::try_from(scaled / u128::from(self.viewers)).unwrap_or(UNLIMITED);
            // Small crowds are not starved below what one copy needs.
            self.origin_bits_per_s = per_viewer.max(8 * MBIT);
        }
        self.viewers = viewers;
        self
    }

    /// A version that runs in about a second, for many seeds.
    #[must_use]
    pub fn small(self) -> Self {
        let flash = self.joining.is_zero();
        let mut small = self.with_viewers(6).with_bit_rate(1_300_000);
        if !flash {
            small.joining = Duration::from_secs(12);
        }
        if !small.live {
            small.segments = 15;
        }
        small.live_goes_on = Duration::from_secs(40);
        small.churn_for = Duration::from_secs(40);
        small.mean_stay = small.mean_stay.map(|stay| stay / 2);
        if let Some(cut) = &mut small.cut {
            cut.from = Time::from_ms(20_000);
            cut.until = Time::from_ms(45_000);
        }
        small
    }

    /// The same video at another rate, so that many viewers fit into memory. Lines stay as they are: their
    /// rate is against pieces and latencies, which do not change. The origin's total follows the video.
    #[must_use]
    pub fn with_bit_rate(mut self, bits_per_s: u64) -> Self {
        let first = self.bits_per_s.first().copied().unwrap_or(bits_per_s).max(1);
        let scale = |rate: u64| {
            if rate == UNLIMITED {
                return rate;
            }
            let scaled = u128::from(rate) * u128::from(bits_per_s) / u128::from(first);
            u64::try_from(scaled).unwrap_or(UNLIMITED)
        };
        self.origin_bits_per_s = scale(self.origin_bits_per_s);
        for rate in &mut self.bits_per_s {
            *rate = scale(*rate);
        }
        self
    }

    /// The line of one viewer.
    pub(crate) fn access_of(&self, viewer: usize) -> Access {
        self.slow_access.filter(|_| viewer % 2 == 1).unwrap_or(self.access)
    }

    /// The path between two viewers.
    pub(crate) fn path_between(&self, a: usize, b: usize) -> Path {
        self.bad_path.filter(|_| a % 4 == 3 || b % 4 == 3).unwrap_or(self.path)
    }

    /// The role of one viewer.
    pub(crate) fn role_of(&self, viewer: usize) -> Role {
        self.liars.get(viewer).copied().unwrap_or(Role::Honest)
    }

    /// When the stream can at best be played out by all.
    pub(crate) fn ends_at(&self) -> Time {
        let watching = if self.live { self.live_goes_on } else { self.segment * self.segments };
        let leaving = if self.mean_stay.is_some() { self.churn_for } else { Duration::ZERO };
        Time::ZERO + self.joining + watching + leaving
    }
}
