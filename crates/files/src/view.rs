//! What the app shows of a share: plain values, made anew on request.

use content::share::{EntryKind, Secret};
use primitives::{PeerId, Time};

use crate::{Share, places::Places};

/// How far a share is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Its manifest is looked for: nobody has sent it yet.
    #[default]
    Finding,
    /// Names and sizes are known; nothing was chosen.
    Offered,
    /// What was chosen is being fetched.
    Fetching,
    /// Everything that was chosen is here.
    Done,
    /// It can't be had.
    Failed(Failure),
}

/// Why a share can't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The key does not open it.
    Key,
    /// The sender made something that is no share, or a later kind of one.
    Damaged,
    /// More blocks than [`wire::limits::SHARE_BLOCKS_MAX`], or a profile that is not known.
    TooLarge,
    /// Its time is over.
    Ended,
    /// A public share whose blocks are cut, or whose files are called, in a way that is not known here.
    Layout,
}

/// A share, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShareView {
    /// How far it is.
    pub stage: Stage,
    /// The person stopped it for now.
    pub paused: bool,
    /// The store takes nothing more.
    pub full: bool,
    /// Not encrypted: its CID is that of the content.
    pub public: bool,
    /// What the sender calls it.
    pub name: String,
    /// Files in it.
    pub files: u32,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// Bytes of files held here.
    pub held_bytes: u64,
    /// Bytes of the chosen files.
    pub chosen_bytes: u64,
    /// Of these, held here.
    pub chosen_held_bytes: u64,
    /// Of these, held here or by a neighbour: what can be had now.
    pub available_bytes: u64,
    /// Every block is here.
    pub complete: bool,
    /// Seconds since 1970 at which it ends.
    pub ends_at_s: Option<u64>,
    /// Bytes a second that came lately.
    pub receive_bytes_per_s: u64,
    /// Bytes a second that went out lately.
    pub send_bytes_per_s: u64,
    /// Verified bytes from others, since it was opened.
    pub received_bytes: u64,
    /// Bytes to others.
    pub sent_bytes: u64,
    /// Bytes that came twice or were thrown away.
    pub wasted_bytes: u64,
    /// Peers that were caught sending something else.
    pub liars: u32,
    /// The gateway.
    pub gateway: GatewayState,
    /// Verified bytes from it.
    pub gateway_bytes: u64,
    /// Open connections.
    pub peers: Vec<PeerView>,
}

/// How it is with the gateway of a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GatewayState {
    /// There is none.
    #[default]
    Off,
    /// It was not needed yet.
    Waiting,
    /// It gave blocks.
    Gives,
    /// It does not have what it was asked for last.
    Lacks,
    /// It does not answer.
    Unreachable,
    /// It gave something else than the block, and is not asked any more.
    Lied,
}

/// A neighbour, as shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerView {
    /// Its key.
    pub peer: PeerId,
    /// Share of the blocks that it holds, in percent; rounded down, so that 100 is all.
    pub has_percent: u8,
    /// Whether it uploads.
    pub uploads: bool,
    /// Verified bytes from it.
    pub received_bytes: u64,
    /// Bytes to it.
    pub sent_bytes: u64,
}

/// An entry, as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryView {
    /// Its number: what is chosen.
    pub number: u32,
    /// Names joined by slashes.
    pub path: String,
    /// Bytes of it.
    pub size_bytes: u64,
    /// Of these, held here.
    pub held_bytes: u64,
    /// All of it is held.
    pub whole: bool,
    /// Its type by the sender's word; nothing trusts it.
    pub media_type: Option<String>,
    /// It is a symlink.
    pub symlink: bool,
}

impl Share {
    /// What moved between us and each neighbour since it came: verified bytes from it, those thrown away
    /// unchecked through no fault of its own, bytes to it.
    pub fn moved(&self) -> impl Iterator<Item = (PeerId, u64, u64, u64)> {
        self.neighbours.values().map(|neighbour| {
            let (received, spared) = (neighbour.received_bytes, neighbour.spared_bytes);
            (neighbour.peer, received, spared, neighbour.upload.sent_bytes)
        })
    }

    /// What is shown now.
    pub fn view(&self, now: Time) -> ShareView {
        let mut view = ShareView {
            stage: self.stage(),
            paused: self.paused,
            full: self.full,
            receive_bytes_per_s: self.received.per_s(now),
            send_bytes_per_s: self.served.per_s(now),
            received_bytes: self.received.total,
            sent_bytes: self.served.total,
            wasted_bytes: self.wasted_bytes,
            liars: self.liars,
            ends_at_s: self.config.link.expires_at_s,
            public: self.config.link.secret == Secret::Public,
            gateway: self.gateway.state(),
            gateway_bytes: self.gateway.received_bytes(),
            peers: self.peers(),
            ..ShareView::default()
        };
        if let (Some(manifest), Some(places)) = (&self.manifest, &self.places) {
            view.name.clone_from(&manifest.name);
            let files = manifest.entries.iter().filter(|entry| entry.kind == EntryKind::File);
            view.files = u32::try_from(files.count()).unwrap_or(u32::MAX);
            view.total_bytes = manifest.total_bytes();
            let all = 0..places.list.spans().len();
            view.held_bytes = all.map(|span| places.held_bytes(span)).sum();
            view.complete = places.is_complete();
            let ends = [view.ends_at_s, manifest.expires_at_s];
            view.ends_at_s = ends.into_iter().flatten().min();
            self.show_chosen(places, &mut view);
        }
        view
    }

    fn stage(&self) -> Stage {
        match (&self.failure, &self.places) {
            (Some(failure), _) => Stage::Failed(*failure),
            (None, None) => Stage::Finding,
            (None, Some(places)) if places.is_done() => Stage::Done,
            (None, Some(places)) if places.wanted().is_empty() => Stage::Offered,
            (None, Some(_)) => Stage::Fetching,
        }
    }

    fn show_chosen(&self, places: &Places, view: &mut ShareView) {
        for number in places.wanted() {
            let span = &places.list.spans()[*number];
            let held = places.held_bytes(*number);
            view.chosen_bytes += span.size_bytes;
            view.chosen_held_bytes += held;
            if places.is_whole(*number) {
                view.available_bytes += held;
                continue;
            }
            let leaves = span.places().filter(|place| span.is_leaf(*place));
            let had = leaves.filter(|place| {
                places.held.contains(*place)
                    || self.neighbours.values().any(|other| other.holds.contains(*place))
            });
            view.available_bytes += had.map(|place| span.bytes_below(place)).sum::<u64>();
        }
    }

    fn peers(&self) -> Vec<PeerView> {
        let count = self.places.as_ref().map_or(0, |places| places.list.count());
        let show = |neighbour: &crate::neighbour::Neighbour| {
            let percent = u64::from(neighbour.holds.count()) * 100 / u64::from(count.max(1));
            PeerView {
                peer: neighbour.peer,
                has_percent: u8::try_from(percent.min(100)).unwrap_or(100),
                uploads: neighbour.uploads && !neighbour.choked,
                received_bytes: neighbour.received_bytes,
                sent_bytes: neighbour.upload.sent_bytes,
            }
        };
        self.neighbours.values().filter(|known| known.greeted).map(show).collect()
    }

    /// Files and symlinks of the share, in their order. Folders are in their paths.
    pub fn entries(&self) -> Vec<EntryView> {
        let (Some(manifest), Some(places)) = (&self.manifest, &self.places) else {
            return Vec::new();
        };
        let show = |(number, span): (usize, &crate::list::Span)| {
            let entry = manifest.entries.get(usize::try_from(span.entry).ok()?)?;
            Some(EntryView {
                number: span.entry,
                path: entry.path.clone(),
                size_bytes: entry.size_bytes,
                held_bytes: places.held_bytes(number),
                whole: places.is_whole(number),
                media_type: entry.media_type.clone(),
                symlink: entry.kind == EntryKind::Symlink,
            })
        };
        places.list.spans().iter().enumerate().filter_map(show).collect()
    }

    /// Names of all blocks that are known: the manifest's, and the content's as far as its links are here.
    pub fn cids(&self) -> Vec<content::Cid> {
        let manifest = self.opening.blocks.keys().copied();
        let places = self.places.as_ref();
        let known = places
            .into_iter()
            .flat_map(|places| (0..places.list.count()).filter_map(|place| places.cid(place)));
        manifest.chain(known).collect()
    }
}

/// Whole seconds that a rate is shown over.
const SECONDS: u64 = 4;

/// A total, and a rate over the last seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter {
    pub(crate) total: u64,
    seconds: [u64; 6],
    at: u64,
}

impl Meter {
    pub(crate) fn add(&mut self, now: Time, bytes: u32) {
        self.total += u64::from(bytes);
        self.roll(now);
        self.seconds[slot(self.at)] += u64::from(bytes);
    }

    fn roll(&mut self, now: Time) {
        let second = now.as_ms() / 1000;
        if second.saturating_sub(self.at) > SECONDS {
            self.seconds = [0; 6];
            self.at = second;
        }
        while self.at < second {
            self.at += 1;
            self.seconds[slot(self.at)] = 0;
        }
    }

    /// Bytes a second over the last whole seconds; of the first seconds, over what there is.
    pub(crate) fn per_s(&self, now: Time) -> u64 {
        let mut meter = self.clone();
        meter.roll(now);
        let past = (1..=SECONDS.min(meter.at)).map(|back| meter.seconds[slot(meter.at - back)]);
        let (sum, count) = past.fold((0, 0), |(sum, count), bytes| (sum + bytes, count + 1));
        sum.checked_div(count).unwrap_or(meter.seconds[slot(meter.at)])
    }
}

fn slot(second: u64) -> usize {
    usize::try_from(second % 6).expect("below six")
}
