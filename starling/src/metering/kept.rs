//! What a meter has said, on disk: who goes on from it never says two things of a slot.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ledger::ChainId;
use ledger::domains::energy::{Counters, Reading};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::MeteringError;
use crate::atomic;

/// A meter's memory.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    pub(super) known: Known,
}

/// What is written down, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) chain: ChainId,
    pub(super) community: u32,
    pub(super) meter: u32,
    /// Slots from a quarter hour of the feed to the one it is told as.
    pub(super) shift: i64,
    /// The next quarter hour of the feed, or the one after it that there is.
    pub(super) next: i64,
    /// Counters after the last slot that was taken from the feed.
    pub(super) import_wh: u64,
    pub(super) export_wh: u64,
    pub(super) last_slot: Option<u64>,
    /// Signed and not yet in a block, in order of slots.
    pub(super) waiting: Vec<Said>,
}

/// A signed reading; in files base64 of its CBOR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said(pub(super) Reading);

impl Kept {
    /// What was written down of this meter; if nothing was, as if it began with `fresh`.
    pub(super) async fn open(path: &Path, fresh: Known) -> Result<Self, MeteringError> {
        let path = path.to_owned();
        let known = match tokio::fs::read(&path).await {
            Ok(text) => {
                serde_json::from_slice(&text).map_err(|_| MeteringError::Damaged(path.clone()))?
            }
            Err(error) if error.kind() == ErrorKind::NotFound => fresh.clone(),
            Err(source) => return Err(MeteringError::Io { path, source }),
        };
        let of = |known: &Known| (known.chain, known.community, known.meter);
        if of(&known) != of(&fresh) {
            return Err(MeteringError::OtherState(path));
        }
        Ok(Self { path, known })
    }

    /// Goes on from where the ledger is, if that is further: what was written down was lost.
    pub(super) fn catch_up(&mut self, ledger: Option<Counters>) {
        let Some(ledger) = ledger else { return };
        let known = &mut self.known;
        known.waiting.retain(|said| said.0.slot > ledger.slot);
        if known.last_slot.is_none_or(|slot| slot < ledger.slot) {
            known.last_slot = Some(ledger.slot);
            let next = i64::try_from(ledger.slot).unwrap_or(i64::MAX / 4) + 1 - known.shift;
            known.next = known.next.max(next);
            known.import_wh = known.import_wh.max(ledger.import_wh);
            known.export_wh = known.export_wh.max(ledger.export_wh);
        }
    }

    /// Whether anything was said before.
    pub(super) fn is_new(&self) -> bool {
        self.known.last_slot.is_none()
    }

    pub(super) async fn write(&self) -> Result<(), MeteringError> {
        let text = serde_json::to_vec(&self.known).expect("names and numbers are JSON");
        let written = atomic::write(&self.path, &text).await;
        written.map_err(|source| MeteringError::Io { path: self.path.clone(), source })
    }
}

/// The text of a signed reading.
pub(super) fn text(reading: &Reading) -> String {
    let bytes = minicbor::to_vec(reading).expect("writing to memory does not fail");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The reading of a text.
pub(super) fn reading(text: &str) -> Option<Reading> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim()).ok()?;
    minicbor::decode(&bytes).ok()
}

impl Serialize for Said {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&text(&self.0))
    }
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let said = String::deserialize(from)?;
        reading(&said).map(Self).ok_or_else(|| D::Error::custom("expected a signed reading"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(meter: u32) -> Known {
        Known {
            chain: ChainId::new([1; 32]),
            community: 1,
            meter,
            shift: -5,
            next: 9,
            import_wh: 7,
            export_wh: 0,
            last_slot: Some(3),
            waiting: Vec::new(),
        }
    }

    #[tokio::test]
    async fn what_was_written_is_read_and_what_is_of_another_meter_or_damaged_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("meter.json");
        Kept::open(&path, fresh(2)).await.unwrap().write().await.unwrap();
        let again = Known { import_wh: 0, ..fresh(2) };
        assert_eq!(Kept::open(&path, again).await.unwrap().known, fresh(2));
        let other = Kept::open(&path, fresh(3)).await;
        assert!(matches!(other, Err(MeteringError::OtherState(_))));
        std::fs::write(&path, "{}").unwrap();
        let damaged = Kept::open(&path, fresh(2)).await;
        assert!(matches!(damaged, Err(MeteringError::Damaged(_))));
    }

    #[tokio::test]
    async fn a_meter_that_lost_its_file_goes_on_from_the_ledgers_counters() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::open(&folder.path().join("meter.json"), fresh(2)).await.unwrap();
        kept.catch_up(Some(Counters { slot: 2, import_wh: 900, export_wh: 900 }));
        assert_eq!((kept.known.last_slot, kept.known.import_wh), (Some(3), 7), "it is further");
        kept.catch_up(Some(Counters { slot: 9, import_wh: 90, export_wh: 4 }));
        let known = &kept.known;
        assert_eq!((known.last_slot, known.import_wh, known.export_wh), (Some(9), 90, 4));
        assert_eq!(known.next, 15, "slot 10 by the feed's count");
    }
}
