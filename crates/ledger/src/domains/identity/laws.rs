//! What is always true of identity.

use super::{
    WINDOW_S,
    state::{ANCHORS, DIDS, PAST, Record, VERSIONS, vault},
};
use crate::{
    AssetId, Scan,
    domains::{Broken, accounts},
};

pub(super) fn laws(state: &dyn Scan) -> Result<(), Broken> {
    let (mut locked, mut versions, mut past) = (0_u128, 0, 0);
    for (id, record) in DIDS.all(state) {
        locked = locked.saturating_add(record.deposit);
        versions += check_versions(state, &id, &record)?;
        past += check_past(state, &id, &record)?;
        let keys = record.standing.rotation.len();
        Broken::unless_equal("somebody may change a DID", 1, u128::from(keys > 0))?;
        let ended = record.standing.stopped_s.is_some() && record.pending.is_some();
        Broken::unless_equal("a DID that ended waits for nothing", 0, ended.into())?;
    }
    let held = accounts::balance(state, vault(), AssetId::NATIVE);
    // Somebody may send to the domain's account: a gift is nobody's and changes nothing.
    Broken::unless_at_most("deposits are there", held, locked)?;
    for (_, anchored) in ANCHORS.all(state) {
        let counted = u128::from(anchored.number.min(1));
        Broken::unless_equal("a list that is anchored has a version", 1, counted)?;
    }
    Broken::unless_equal("no version is without its DID", versions, count(&VERSIONS.all(state)))?;
    Broken::unless_equal("no past is without its DID", past, count(&PAST.all(state)))
}

/// Checks a DID's history; how many ops it has.
fn check_versions(state: &dyn Scan, id: &[u8], record: &Record) -> Result<u128, Broken> {
    let versions = VERSIONS.all_of(state, id);
    let found = count(&versions);
    Broken::unless_equal("numbers have no gap", u128::from(record.seq) + 1, found)?;
    for (_, version) in &versions {
        let age_s = version.erased_s.map_or(0, |at_s| at_s.saturating_sub(version.time_s));
        Broken::unless_at_most("only what is new is erased", WINDOW_S.into(), age_s.into())?;
    }
    let (head, standing) = (versions.last().map(|(_, version)| version), &record.standing);
    let is_head = head.is_some_and(|head| {
        head.op == record.head && head.content == standing.content && head.erased_s.is_none()
    });
    Broken::unless_equal("the head is the newest version", 1, is_head.into())?;
    Ok(found)
}

/// Checks what may be erased of a DID; how many ops that is.
fn check_past(state: &dyn Scan, id: &[u8], record: &Record) -> Result<u128, Broken> {
    let past = PAST.all_of(state, id);
    for (place, past) in &past {
        let seq = place.get(20..).and_then(|seq| seq.try_into().ok()).map_or(0, u64::from_be_bytes);
        let within = (record.window_from..=record.seq).contains(&seq);
        Broken::unless_equal("what may be erased is in the window", 1, within.into())?;
        let version = VERSIONS.get(state, &[id, &seq.to_be_bytes()]);
        let same =
            version.is_some_and(|version| version.op == past.op && version.erased_s.is_none());
        Broken::unless_equal("what may be erased is in the history", 1, same.into())?;
    }
    Ok(count(&past))
}

fn count<T>(list: &[T]) -> u128 {
    u128::try_from(list.len()).unwrap_or(u128::MAX)
}
