//! Who belongs to a community, and the money they bring and take.

use super::{
    Error, MEMBERS_MAX, Member, NOTICE_SLOTS, Purse, Rules,
    execute::emit,
    rules::add_term,
    state::{Community, MEMBERS, existing, member, operated, vault, write_community, write_member},
};
use crate::{AccountId, BlockContext, Overlay, domains::accounts};

/// Announces rules.
pub(super) fn set_rules(
    context: &BlockContext,
    signer: AccountId,
    id: u32,
    (from_slot, rules): (u64, Rules),
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut community = operated(state, signer, id)?;
    let now = community.now(context);
    if from_slot < now.saturating_add(NOTICE_SLOTS) {
        return Err(Error::TooSoon);
    }
    let oldest = community.oldest(now);
    add_term(&mut community.rules, oldest, from_slot, rules)?;
    write_community(state, id, &community);
    emit(state, 1, &[signer], id, &[from_slot.into(), rules.mode.number().into()]);
    Ok(())
}

/// Takes somebody in. It costs them nothing and binds them to nothing.
pub(super) fn admit(
    signer: AccountId,
    id: u32,
    account: AccountId,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut community = operated(state, signer, id)?;
    if member(state, id, account).is_some() {
        return Err(Error::AlreadyMember);
    }
    if community.members >= MEMBERS_MAX {
        return Err(Error::TooMany);
    }
    community.members += 1;
    write_community(state, id, &community);
    write_member(state, id, account, &Member::default());
    emit(state, 2, &[account], id, &[]);
    Ok(())
}

/// Ends a membership: by the member, or by the operator.
pub(super) fn leave(
    signer: AccountId,
    id: u32,
    account: AccountId,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut community = existing(state, id)?;
    if signer != account && signer != community.operator {
        return Err(Error::NotOperator);
    }
    let left = member(state, id, account).ok_or(Error::NotMember)?;
    if left.meters > 0 {
        return Err(Error::StillNeeded);
    }
    accounts::send(state, community.asset, vault(), account, left.free)?;
    let all = "what members have is part of all";
    community.funds.total = community.funds.total.checked_sub(left.free).expect(all);
    community.members -= 1;
    community.certificates.left_wh += left.claimed_wh;
    write_community(state, id, &community);
    MEMBERS.remove(state, &[&id.to_be_bytes(), account.as_bytes()]);
    emit(state, 3, &[account], id, &[left.free]);
    Ok(())
}

pub(super) fn deposit(
    signer: AccountId,
    id: u32,
    purse: Purse,
    amount: u128,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut community = existing(state, id)?;
    let add = |sum: u128| sum.checked_add(amount).ok_or(accounts::Error::SupplyOverflow);
    match purse {
        Purse::Member => {
            let mut payer = member(state, id, signer).ok_or(Error::NotMember)?;
            payer.free = add(payer.free)?;
            write_member(state, id, signer, &payer);
        }
        Purse::Grid => community.funds.grid_free = add(community.funds.grid_free)?,
        Purse::Fund => community.funds.fund = add(community.funds.fund)?,
        // Fees come from trades alone, so that what is in there says what was traded.
        Purse::Fees => return Err(Error::NotOwner),
    }
    community.funds.total = add(community.funds.total)?;
    accounts::send(state, community.asset, signer, vault(), amount)?;
    write_community(state, id, &community);
    emit(state, 4, &[signer], id, &[purse.number().into(), amount]);
    Ok(())
}

pub(super) fn withdraw(
    signer: AccountId,
    id: u32,
    (purse, to): (Purse, AccountId),
    amount: u128,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut community = existing(state, id)?;
    let take = |sum: u128| sum.checked_sub(amount).ok_or(Error::NotEnough);
    if let Purse::Member = purse {
        let mut payee = member(state, id, signer).ok_or(Error::NotMember)?;
        payee.free = take(payee.free)?;
        write_member(state, id, signer, &payee);
    } else {
        let (owner, sum) = common(&mut community, purse).ok_or(Error::NotOwner)?;
        if owner != signer {
            return Err(Error::NotOwner);
        }
        *sum = take(*sum)?;
    }
    community.funds.total = take(community.funds.total)?;
    accounts::send(state, community.asset, vault(), to, amount)?;
    write_community(state, id, &community);
    emit(state, 5, &[signer, to], id, &[purse.number().into(), amount]);
    Ok(())
}

/// Who may take out of a purse that is no member's, and what is in it.
fn common(community: &mut Community, purse: Purse) -> Option<(AccountId, &mut u128)> {
    match purse {
        Purse::Member => None,
        Purse::Grid => Some((community.grid, &mut community.funds.grid_free)),
        Purse::Fees => Some((community.network, &mut community.funds.fees)),
        Purse::Fund => Some((community.operator, &mut community.funds.fund)),
    }
}
