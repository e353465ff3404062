//! Meters: whose they are, how far they are trusted, for what their energy is traded.

use primitives::PeerId;

use super::{
    Error, Friend, Limits, METERS_MAX, METERS_OF_MEMBER_MAX, Meter, Source, Trust,
    execute::emit,
    meter as find, meter_proof,
    rules::add_term,
    state::{KEYS, METERS, existing, member, operated, write_community, write_member, write_meter},
};
use crate::{AccountId, BlockContext, Overlay};

/// A meter that somebody brings.
pub(super) struct New<'a> {
    pub(super) key: PeerId,
    pub(super) source: Source,
    pub(super) connection_w: u32,
    pub(super) proof: &'a [u8; 64],
}

pub(super) fn add(
    context: &BlockContext,
    owner: AccountId,
    id: u32,
    new: &New<'_>,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut community = existing(state, id)?;
    let mut record = member(state, id, owner).ok_or(Error::NotMember)?;
    let number = community.meters_ever;
    let full = community.meters >= METERS_MAX || record.meters >= METERS_OF_MEMBER_MAX;
    if full || number == u32::MAX {
        return Err(Error::TooMany);
    }
    if KEYS.get(state, &[new.key.as_bytes()]).is_some() {
        return Err(Error::KeyTaken);
    }
    let signed = meter_proof(context.chain, id, owner);
    new.key.verify(&signed, new.proof).map_err(|_| Error::BadSignature)?;
    community.meters += 1;
    community.meters_ever += 1;
    record.meters += 1;
    let meter = Meter {
        key: new.key,
        owner,
        source: new.source,
        connection_w: new.connection_w,
        trust: Trust::SelfReported,
        cut: false,
        // Not the slot that runs: its first part was before.
        from_slot: community.now(context).saturating_add(1),
        last: None,
        limits: Vec::new(),
        friends: Vec::new(),
        open: 0,
    };
    write_community(state, id, &community);
    write_member(state, id, owner, &record);
    write_meter(state, id, number, &meter);
    KEYS.put(state, &[new.key.as_bytes()], &(id, number));
    emit(state, 6, &[owner], id, &[number.into(), new.connection_w.into()]);
    Ok(())
}

pub(super) fn set_trust(
    signer: AccountId,
    (id, number): (u32, u32),
    trust: Trust,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    operated(state, signer, id)?;
    let mut meter = find(state, id, number).ok_or(Error::NoMeter)?;
    meter.trust = trust;
    write_meter(state, id, number, &meter);
    emit(state, 7, &[meter.owner], id, &[number.into(), trust.number().into()]);
    Ok(())
}

/// Limits hold from the next slot: whoever sees others' readings of a slot can't answer them.
pub(super) fn set_limits(
    context: &BlockContext,
    signer: AccountId,
    (id, number): (u32, u32),
    limits: Limits,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let community = existing(state, id)?;
    let mut meter = find(state, id, number).ok_or(Error::NoMeter)?;
    if meter.owner != signer {
        return Err(Error::NotOwner);
    }
    let now = community.now(context);
    let from = now.saturating_add(1);
    add_term(&mut meter.limits, community.oldest(now), from, limits)?;
    write_meter(state, id, number, &meter);
    let numbers = [number.into(), from.into(), limits.buy.into(), limits.sell.into()];
    emit(state, 8, &[signer], id, &numbers);
    Ok(())
}

/// A friend is one from the next slot, too. Whether it is still there is seen when a slot is settled.
pub(super) fn set_friend(
    context: &BlockContext,
    signer: AccountId,
    (id, number): (u32, u32),
    friend: Option<Friend>,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let community = existing(state, id)?;
    let mut meter = find(state, id, number).ok_or(Error::NoMeter)?;
    if meter.owner != signer {
        return Err(Error::NotOwner);
    }
    if friend.is_some_and(|friend| find(state, id, friend.meter).is_none()) {
        return Err(Error::NoMeter);
    }
    let now = community.now(context);
    let from = now.saturating_add(1);
    add_term(&mut meter.friends, community.oldest(now), from, friend)?;
    write_meter(state, id, number, &meter);
    let mut numbers = vec![u128::from(number), from.into()];
    if let Some(friend) = friend {
        numbers.extend([u128::from(friend.meter), friend.price.into()]);
    }
    emit(state, 15, &[signer], id, &numbers);
    Ok(())
}

/// Takes a meter away when none of its readings waits. One that was cut stays, so that its key does
/// not come back, until the operator says otherwise.
pub(super) fn remove(
    signer: AccountId,
    (id, number): (u32, u32),
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut community = existing(state, id)?;
    let meter = find(state, id, number).ok_or(Error::NoMeter)?;
    if signer != community.operator {
        if meter.owner != signer {
            return Err(Error::NotOwner);
        }
        if meter.cut {
            return Err(Error::Cut);
        }
    }
    if meter.open > 0 {
        return Err(Error::StillNeeded);
    }
    let mut owner = member(state, id, meter.owner).expect("nobody leaves before their meters");
    owner.meters -= 1;
    community.meters -= 1;
    write_member(state, id, meter.owner, &owner);
    write_community(state, id, &community);
    METERS.remove(state, &[&id.to_be_bytes(), &number.to_be_bytes()]);
    KEYS.remove(state, &[meter.key.as_bytes()]);
    emit(state, 9, &[meter.owner], id, &[number.into()]);
    Ok(())
}
