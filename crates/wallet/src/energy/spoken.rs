//! What a meter was made to say from here before, so that nothing else is said of a slot under the same number:
//! two such words cut it, also where no block took one of them, because whoever carried it has it.

use ledger::domains::energy as rules;

use super::{Asked, Book, Wish, asked};
use crate::view::{Fate, Sent};

/// Slots of which something was signed from here, by transactions that a wallet remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spoken {
    parts: Vec<Part>,
}

/// Slots of one transaction, and the highest revision in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    from: u64,
    to: u64,
    revision: u8,
}

impl Part {
    /// None: it is something else, or of another meter.
    fn of(sent: &Sent, community: u32, meter: u32) -> Option<Self> {
        let Asked { community: place, wish: Wish::Read { readings, .. } } =
            asked(sent.act.as_ref()?)?
        else {
            return None;
        };
        let (first, last) = (readings.first()?, readings.last()?);
        let is_meant = place == Some(community) && first.meter == meter;
        let revision = readings.iter().map(|one| one.revision).max()?;
        is_meant.then_some(Self { from: first.slot, to: last.slot, revision })
    }
}

impl Spoken {
    /// Of a meter, by what was sent.
    pub fn of(sent: &[Sent], community: u32, meter: u32) -> Self {
        let parts = sent.iter().filter_map(|one| Part::of(one, community, meter));
        Self { parts: parts.collect() }
    }

    /// The lowest revision under which nothing was said of a slot, whose record on the ledger has `known`; none:
    /// all of them were used.
    pub(super) fn next(&self, slot: u64, known: Option<u8>) -> Option<u8> {
        let around = self.parts.iter().filter(|part| (part.from..=part.to).contains(&slot));
        let highest = around.map(|part| part.revision).chain(known).max();
        highest.map_or(Some(0), |highest| highest.checked_add(1))
    }
}

/// Whether what a meter said from here before is not settled yet: it is on its way, or it is in a block that is newer
/// than what is proved here of the meter and of the slots that are to be corrected. What has expired waits no more.
pub fn on_way(book: &Book, sent: &[Sent], community: u32, meter: u32, corrected: &[u64]) -> bool {
    let mine = || sent.iter().filter(move |one| Part::of(one, community, meter).is_some());
    if mine().any(|one| matches!(one.fate, Fate::Sending | Fate::Waiting)) {
        return true;
    }
    let newest = mine().filter_map(|one| one.counted).max().unwrap_or_default();
    let mut keys = vec![rules::meter_key(community, meter)];
    keys.extend(corrected.iter().map(|slot| rules::record_key(community, *slot, meter)));
    book.seen(&keys).is_none_or(|seen| seen.from_height < newest)
}
