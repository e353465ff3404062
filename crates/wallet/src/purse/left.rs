//! What payees leave with neighbours, and what neighbours left here: what is of this visit only.

use ledger::TransactionId;
use payments::keeping::{Entrusted, OF_ONE_MAX, Place};
use primitives::{PeerId, SortedMap};
use wire::pay::{Keep, is_terms};

use crate::view::Told;

/// Most vouchers being looked at that neighbours left here and nobody proved yet.
const OFFERS_MAX: usize = 16;
/// Most neighbours remembered that want to be paid: the longest known.
const EARNERS_MAX: usize = 16;

/// Most lanes of which it is remembered who pays from them: as many as vouchers are kept.
const PAYERS_MAX: usize = 256;

/// A voucher whose lane is being looked up.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) voucher: Entrusted,
    /// As of this block or a later one.
    pub(crate) since: u64,
    /// Then it is let go.
    pub(crate) until_ms: u64,
}

/// Lanes that are being proved anew.
#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) places: Vec<Place>,
    pub(crate) since: u64,
    pub(crate) until_ms: u64,
    pub(crate) why: Why,
}

/// What for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// To see whether what is kept is due.
    Look,
    /// What is due still is handed in.
    HandIn,
    /// It was handed in.
    After,
}

/// See the module's story.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// Vouchers are kept for others, and handed in.
    pub(crate) on: bool,
    pub(crate) offers: Vec<Offer>,
    pub(crate) round: Option<Round>,
    /// On its way, with what is in it.
    pub(crate) sent: Option<(TransactionId, Vec<Place>)>,
    pub(crate) looked_ms: u64,
    /// Neighbours that want to be paid: most of them have a purse.
    pub(crate) earners: Vec<PeerId>,
    /// Who pays from these lanes, by pool and epoch, as it was here last, though its deal may be over: nothing is left
    /// with them. At most [`PAYERS_MAX`].
    pub(crate) payers: SortedMap<(u64, u32), PeerId>,
    /// What the page says when it goes.
    pub(crate) parting: Vec<(PeerId, Keep)>,
    /// What was said to neighbours, and when.
    pub(crate) said: Vec<(PeerId, Keep)>,
    pub(crate) said_ms: u64,
}

impl Left {
    /// Hears who of a share's neighbours wants to be paid.
    pub(crate) fn hear(&mut self, told: &Told) {
        match told {
            Told::Frame(from, bytes) if is_terms(bytes) => {
                let from = PeerId::new(**from);
                if self.earners.len() < EARNERS_MAX && !self.earners.contains(&from) {
                    self.earners.push(from);
                }
            }
            Told::Down(peer) => self.earners.retain(|one| *one != PeerId::new(**peer)),
            Told::Up(_) | Told::Frame(..) | Told::Moved(..) | Told::Whole => {}
        }
    }

    /// This neighbour pays from this lane. The oldest pool makes room.
    pub(crate) fn pays(&mut self, lane: (u64, u32), from: PeerId) {
        if self.payers.len() >= PAYERS_MAX && !self.payers.contains_key(&lane) {
            self.payers.pop_first();
        }
        self.payers.insert(lane, from);
    }

    /// The clock was set back: what is being proved is waited for until then at most.
    pub(crate) fn set_back(&mut self, now_ms: u64, until_ms: u64) {
        self.looked_ms = self.looked_ms.min(now_ms);
        self.said_ms = self.said_ms.min(now_ms);
        for offer in &mut self.offers {
            offer.until_ms = offer.until_ms.min(until_ms);
        }
        if let Some(round) = &mut self.round {
            round.until_ms = round.until_ms.min(until_ms);
        }
    }

    /// Vouchers of a neighbour that are being looked at, beside one of this lane.
    pub(crate) fn waiting(&self, from: PeerId, place: Place) -> usize {
        let of_one = |offer: &&Offer| offer.voucher.from == from && offer.voucher.place() != place;
        self.offers.iter().filter(of_one).count()
    }

    /// A neighbour's voucher is looked at, in place of what it said of that lane before.
    pub(crate) fn offer(&mut self, offer: Offer) {
        let (from, place) = (offer.voucher.from, offer.voucher.place());
        self.offers.retain(|one| one.voucher.from != from || one.voucher.place() != place);
        if self.offers.len() < OFFERS_MAX && self.waiting(from, place) < OF_ONE_MAX {
            self.offers.push(offer);
        }
    }
}
