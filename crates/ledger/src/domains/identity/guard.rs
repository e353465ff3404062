//! R5: guardians give new keys, unless somebody who has one says no in time.

use std::collections::BTreeSet;

use identity::{
    PublicKey,
    did::{
        Did, StarlingId,
        starling::{Approval, GuardOp, Guardians, Veto},
    },
};

use super::{
    Error, GUARD_DELAY_S,
    change::count,
    did as find,
    execute::{emit, write},
    state::{DIDS, PAST, Pending, Record},
};
use crate::{BlockContext, Overlay, Store};

/// Guardians ask.
pub(super) fn ask(
    context: &BlockContext,
    id: StarlingId,
    guard: &GuardOp,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut record = living(state, id)?;
    if guard.prev != record.head {
        return Err(Error::NotNext);
    }
    count(context, &mut record)?;
    let guardians = record.standing.guardians.as_ref().ok_or(Error::NoGuardians)?;
    if record.pending.is_some() {
        return Err(Error::AlreadyPending);
    }
    check_approvals(context, guard, guardians, state)?;
    let ready_s = context.now_s().saturating_add(GUARD_DELAY_S);
    let (rotation, next) = (guard.rotation.clone(), guard.next.clone());
    record.pending = Some(Pending { guard: guard.hash(), rotation, next, ready_s });
    DIDS.put(state, &[id.as_bytes()], &record);
    emit(state, 4, &[], id, &[ready_s.into()]);
    Ok(())
}

/// A current key says no.
pub(super) fn veto(
    context: &BlockContext,
    id: StarlingId,
    veto: &Veto,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut record = living(state, id)?;
    let key = record.standing.rotation.get(usize::from(veto.by)).ok_or(Error::NoKey)?;
    let signed = key.verify_unique(&veto.to_sign(context.chain.as_bytes()), &veto.signature);
    signed.map_err(|_| Error::BadSignature)?;
    if record.pending.as_ref().is_none_or(|pending| pending.guard != veto.guard) {
        return Err(Error::NothingPending);
    }
    record.pending = None;
    DIDS.put(state, &[id.as_bytes()], &record);
    emit(state, 5, &[], id, &[]);
    Ok(())
}

/// Nobody said no: the keys are given, and nothing before can be erased any more.
pub(super) fn finish(
    context: &BlockContext,
    id: StarlingId,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut record = living(state, id)?;
    let pending = record.pending.take().ok_or(Error::NothingPending)?;
    if context.now_s() < pending.ready_s {
        return Err(Error::TooEarly);
    }
    for seq in record.window_from..=record.seq {
        PAST.remove(state, &[id.as_bytes(), &seq.to_be_bytes()]);
    }
    record.seq = record.seq.checked_add(1).ok_or(Error::NotNext)?;
    record.window_from = record.seq.saturating_add(1);
    record.head = pending.guard;
    (record.standing.rotation, record.standing.next) = (pending.rotation, pending.next);
    write(context, state, id, &record);
    emit(state, 6, &[], id, &[record.seq.into()]);
    Ok(())
}

fn living(state: &dyn Store, id: StarlingId) -> Result<Record, Error> {
    let record = find(state, id).ok_or(Error::NoDid)?;
    if record.standing.stopped_s.is_some() { Err(Error::Stopped) } else { Ok(record) }
}

/// Enough guardians, each once, each with a key of their own.
fn check_approvals(
    context: &BlockContext,
    guard: &GuardOp,
    guardians: &Guardians,
    state: &dyn Store,
) -> Result<(), Error> {
    if guard.approvals.len() < usize::from(guardians.threshold) {
        return Err(Error::BadApprovals);
    }
    let bytes = guard.to_sign(context.chain.as_bytes());
    let mut keys = BTreeSet::new();
    for approval in &guard.approvals {
        let key = key_of(approval, guardians, state).ok_or(Error::BadApprovals)?;
        let signed = key.verify_unique(&bytes, &approval.signature).is_ok();
        // Two guardians that are one key are one guardian.
        if !signed || !keys.insert(key) {
            return Err(Error::BadApprovals);
        }
    }
    Ok(())
}

/// The key with which a guardian approves: of a `did:starling`, one that may change it now.
fn key_of(approval: &Approval, guardians: &Guardians, state: &dyn Store) -> Option<PublicKey> {
    let place = usize::from(approval.key);
    match guardians.members.get(usize::from(approval.member))? {
        Did::Key(key) => (place == 0).then_some(*key),
        Did::Starling(id) => living(state, *id).ok()?.standing.rotation.get(place).copied(),
        Did::Web(_) => None,
    }
}
