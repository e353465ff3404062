//! What communities do: opening and dispatch. Money and members are in `members`, meters in `meters`,
//! readings in `taking`, settlement in `closing`.

use super::{
    Action, CONNECTION_MAX_W, Clock, Community, Error, Friend, METERS_MAX, PACE_MAX, PRICE_MAX,
    QUANTITY_MAX_WH, READINGS_MAX, Rules, TRADES_MAX, WINDOW_MAX_SLOTS, WINDOW_MIN_SLOTS, closing,
    evidence, laws, members,
    meters::{self, New},
    state::{self, COUNT, Parties, write_community},
    taking, trading,
};
use crate::{
    AccountId, BlockContext, Key, Overlay, Prefix, Scan,
    domains::{Broken, Domain},
    limits::SIGNATURE_WORK,
};

/// The domain.
#[derive(Debug)]
pub struct Energy;

impl Domain for Energy {
    type Action = Action;
    type Error = Error;

    fn check(action: &Action) -> Result<(), Error> {
        let (holds, otherwise) = match action {
            Action::Open { window_slots, rules, .. } => return check_opening(rules, *window_slots),
            Action::OpenTrial { window_slots, rules, pace, .. } => {
                check_opening(rules, *window_slots)?;
                ((2..=PACE_MAX).contains(pace), Error::BadPace)
            }
            Action::SetRules { rules, .. } => (rules.is_sound(), Error::BadRules),
            Action::Deposit { amount, .. } | Action::Withdraw { amount, .. } => {
                (*amount > 0, Error::NothingToMove)
            }
            Action::Claim { energy_wh, .. } => (*energy_wh > 0, Error::NothingToMove),
            Action::AddMeter { connection_w, .. } => {
                ((1..=CONNECTION_MAX_W).contains(connection_w), Error::BadConnection)
            }
            Action::SetLimits { limits, .. } => (limits.is_sound(), Error::BadLimits),
            Action::SetFriend { meter, friend, .. } => {
                let fits = |friend: &Friend| friend.meter != *meter && friend.price <= PRICE_MAX;
                (friend.as_ref().is_none_or(fits), Error::BadLimits)
            }
            Action::Read { readings } => {
                ((1..=READINGS_MAX).contains(&readings.len()), Error::BadBatch)
            }
            Action::Settle { readings_max, .. } => {
                ((1..=METERS_MAX).contains(readings_max), Error::BadBatch)
            }
            Action::Accuse { first, second } => {
                (evidence::contradict(first, second), Error::NoEvidence)
            }
            Action::Expose { reading, opening } => {
                (evidence::is_lie(reading, opening), Error::NoEvidence)
            }
            Action::Place { limit, quantity_wh, trades_max, .. } => {
                let fits = *limit <= PRICE_MAX
                    && (1..=QUANTITY_MAX_WH).contains(quantity_wh)
                    && (1..=TRADES_MAX).contains(trades_max);
                (fits, Error::BadOrder)
            }
            Action::Admit { .. }
            | Action::Leave { .. }
            | Action::SetTrust { .. }
            | Action::RemoveMeter { .. }
            | Action::Cancel { .. } => return Ok(()),
        };
        if holds { Ok(()) } else { Err(otherwise) }
    }

    fn work(action: &Action) -> u32 {
        match action {
            Action::Read { readings } => u32::try_from(readings.len())
                .map_or(u32::MAX, |count| count.saturating_mul(SIGNATURE_WORK + 12)),
            // Readings of the slot that is forgotten are within the most that are paid for, too.
            Action::Settle { readings_max, .. } => 12 + 12 * u32::from(*readings_max),
            Action::Accuse { .. } => 2 * SIGNATURE_WORK + 4,
            Action::Expose { .. } => SIGNATURE_WORK + 4,
            Action::AddMeter { .. } => SIGNATURE_WORK + 10,
            // Of each order that is met, its meter's position.
            Action::Place { trades_max, .. } => 12 + 2 * u32::from(*trades_max),
            Action::Cancel { .. } => 12,
            Action::Open { .. }
            | Action::OpenTrial { .. }
            | Action::SetRules { .. }
            | Action::Admit { .. }
            | Action::Leave { .. }
            | Action::Deposit { .. }
            | Action::Withdraw { .. }
            | Action::SetTrust { .. }
            | Action::SetLimits { .. }
            | Action::SetFriend { .. }
            | Action::RemoveMeter { .. }
            | Action::Claim { .. } => 10,
        }
    }

    fn execute(
        context: &BlockContext,
        signer: AccountId,
        action: &Action,
        state: &mut Overlay<'_>,
    ) -> Result<(), Error> {
        Self::check(action)?;
        match action {
            Action::Open { asset, grid, network, window_slots, rules } => {
                let parties = Parties { operator: signer, grid: *grid, network: *network };
                open(state, &Community::new(parties, *asset, *window_slots, *rules))
            }
            Action::OpenTrial { asset, grid, network, window_slots, rules, pace } => {
                let parties = Parties { operator: signer, grid: *grid, network: *network };
                let mut community = Community::new(parties, *asset, *window_slots, *rules);
                community.clock = Some(Clock { pace: *pace, opened_ms: context.time_ms });
                open(state, &community)
            }
            Action::SetRules { community, from_slot, rules } => {
                members::set_rules(context, signer, *community, (*from_slot, *rules), state)
            }
            Action::Admit { community, account } => {
                members::admit(signer, *community, *account, state)
            }
            Action::Leave { community, account } => {
                members::leave(signer, *community, *account, state)
            }
            Action::Deposit { community, purse, amount } => {
                members::deposit(signer, *community, *purse, *amount, state)
            }
            Action::Withdraw { community, purse, to, amount } => {
                members::withdraw(signer, *community, (*purse, *to), *amount, state)
            }
            Action::AddMeter { community, key, source, connection_w, proof } => {
                let (key, source, connection_w) = (*key, *source, *connection_w);
                let new = New { key, source, connection_w, proof };
                meters::add(context, signer, *community, &new, state)
            }
            Action::SetTrust { community, meter, trust } => {
                meters::set_trust(signer, (*community, *meter), *trust, state)
            }
            Action::SetLimits { community, meter, limits } => {
                meters::set_limits(context, signer, (*community, *meter), *limits, state)
            }
            Action::SetFriend { community, meter, friend } => {
                meters::set_friend(context, signer, (*community, *meter), *friend, state)
            }
            Action::RemoveMeter { community, meter } => {
                meters::remove(signer, (*community, *meter), state)
            }
            Action::Read { readings } => taking::read(context, readings, state),
            Action::Accuse { first, second } => {
                evidence::cut(context, first, Some(&**second), state)
            }
            Action::Expose { reading, .. } => evidence::cut(context, reading, None, state),
            Action::Settle { community, slot, readings_max } => {
                closing::settle(context, signer, (*community, *slot), *readings_max, state)
            }
            Action::Claim { community, slot, meter, energy_wh, holder } => {
                closing::claim(signer, (*community, *slot, *meter), *energy_wh, *holder, state)
            }
            Action::Place { community, slot, meter, side, limit, quantity_wh, trades_max } => {
                let (slot, meter, side, limit) = (*slot, *meter, *side, *limit);
                let (quantity_wh, trades_max) = (*quantity_wh, *trades_max);
                let new = trading::New { slot, meter, side, limit, quantity_wh, trades_max };
                trading::place(context, signer, *community, &new, state)
            }
            Action::Cancel { community, slot, order } => {
                trading::cancel(signer, (*community, *slot), *order, state)
            }
        }
    }

    /// Nothing waits for the end of a block here: a slot whose window is over is settled when asked.
    fn end_block(_: &BlockContext, _: &mut Overlay<'_>) {}

    fn reads(key: &Key, record: &[u8]) -> Option<bool> {
        state::reads(key, record)
    }

    fn laws(state: &dyn Scan) -> Result<(), Broken> {
        laws::laws(state)
    }
}

fn check_opening(rules: &Rules, window_slots: u16) -> Result<(), Error> {
    if !rules.is_sound() {
        return Err(Error::BadRules);
    }
    let allowed = WINDOW_MIN_SLOTS..=WINDOW_MAX_SLOTS;
    if allowed.contains(&window_slots) { Ok(()) } else { Err(Error::BadWindow) }
}

fn open(state: &mut Overlay<'_>, community: &Community) -> Result<(), Error> {
    let id = COUNT.get(state, &[]).unwrap_or_default().checked_add(1).ok_or(Error::TooMany)?;
    COUNT.put(state, &[], &id);
    write_community(state, id, community);
    emit(state, 0, &[community.operator], id, &[]);
    Ok(())
}

/// Tells those concerned, with the community before the other numbers.
pub(super) fn emit(
    state: &mut Overlay<'_>,
    kind: u8,
    accounts: &[AccountId],
    community: u32,
    numbers: &[u128],
) {
    let numbers = [&[u128::from(community)], numbers].concat();
    state.emit(Prefix::Energy, kind, accounts, &numbers);
}
