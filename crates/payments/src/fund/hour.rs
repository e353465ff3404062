//! One hour of a fund: who was there, from where, and how much their word was worth.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use ledger::AccountId;
use primitives::{Hash, PeerId, Time};
use wire::fund::GIVERS_MAX;

use super::Rules;

/// How long a session lasts.
const HOUR: Duration = Duration::from_secs(3_600);
/// Most viewers known in an hour; of further ones nothing counts.
const VIEWERS_MAX: usize = 16_384;
/// Most places known in an hour.
const PLACES_MAX: usize = 16_384;
/// Most reports of one place in an hour: those of sixteen viewers.
const REPORTS_MAX: u32 = 4_096;

/// Who reported.
#[derive(Debug)]
struct Viewer {
    place: IpAddr,
    account: Option<AccountId>,
    /// What it said it got from each sender.
    counted: BTreeMap<PeerId, u64>,
    /// Of that, what counts.
    bytes: u64,
}

/// Where viewers are.
#[derive(Debug, Default)]
struct Place {
    reports: u32,
    /// What counts of what its viewers said.
    bytes: u64,
}

#[derive(Debug)]
pub(super) struct Hour {
    pub(super) session: Hash,
    pub(super) ends: Time,
    viewers: BTreeMap<PeerId, Viewer>,
    places: BTreeMap<IpAddr, Place>,
    bytes: u64,
}

impl Hour {
    pub(super) fn new(session: Hash, now: Time) -> Self {
        let (viewers, places) = (BTreeMap::new(), BTreeMap::new());
        Self { session, ends: now + HOUR, viewers, places, bytes: 0 }
    }

    /// Viewers tell anew from here on, within the same bounds.
    pub(super) fn renew(&mut self, session: Hash) {
        self.session = session;
        self.viewers.values_mut().for_each(|viewer| viewer.counted.clear());
    }

    pub(super) fn viewers(&self) -> usize {
        self.viewers.len()
    }

    /// Whether one more report of a place is read.
    pub(super) fn admit(&mut self, place: IpAddr) -> bool {
        if self.places.len() >= PLACES_MAX && !self.places.contains_key(&place) {
            return false;
        }
        let place = self.places.entry(place).or_default();
        place.reports = place.reports.saturating_add(1);
        place.reports <= REPORTS_MAX
    }

    /// Who says it, proved, is from there for this hour and wants to be paid so. Whether it can be remembered.
    pub(super) fn meet(&mut self, peer: PeerId, place: IpAddr, account: Option<AccountId>) -> bool {
        if self.viewers.len() >= VIEWERS_MAX && !self.viewers.contains_key(&peer) {
            return false;
        }
        let new = || Viewer { place, account, counted: BTreeMap::new(), bytes: 0 };
        let viewer = self.viewers.entry(peer).or_insert_with(new);
        viewer.account = account;
        true
    }

    /// The account to pay for what `giver` gave `from`; none: nothing is paid for it.
    pub(super) fn payee(&self, from: PeerId, giver: PeerId, same_place: bool) -> Option<AccountId> {
        let (from, giver) = (self.viewers.get(&from)?, self.viewers.get(&giver)?);
        let account = giver.account?;
        let is_other = from.account != Some(account) && (same_place || from.place != giver.place);
        is_other.then_some(account)
    }

    /// Bytes that count of what a viewer says it got from a sender in all, at most `left` of them. What is beyond a
    /// bound does not count later either.
    pub(super) fn count(
        &mut self,
        rules: &Rules,
        from: PeerId,
        giver: PeerId,
        total: u64,
        left: u64,
    ) -> u64 {
        let hour_left = rules.bytes_for(rules.hour_units_max).saturating_sub(self.bytes);
        let Some(viewer) = self.viewers.get_mut(&from) else { return 0 };
        let Some(place) = self.places.get_mut(&viewer.place) else { return 0 };
        if from == giver
            || (viewer.counted.len() >= GIVERS_MAX && !viewer.counted.contains_key(&giver))
        {
            return 0;
        }
        let counted = viewer.counted.entry(giver).or_default();
        let new = total.saturating_sub(*counted);
        *counted = total.max(*counted);
        let bytes = new
            .min(rules.viewer_bytes_max.saturating_sub(viewer.bytes))
            .min(rules.place_bytes_max.saturating_sub(place.bytes))
            .min(hour_left)
            .min(left);
        viewer.bytes += bytes;
        place.bytes += bytes;
        self.bytes += bytes;
        bytes
    }
}
