//! What identity does.

use identity::did::{
    StarlingId,
    starling::{Change, Content, Op},
};

use super::{
    Action, DEPOSIT, Error, WINDOW_S, anchor, change, did as find, guard, laws,
    state::{self, DIDS, Record, Standing, VERSIONS, Version, vault},
};
use crate::{
    AccountId, AssetId, BlockContext, Key, Overlay, Prefix, Scan,
    domains::{Broken, Domain, accounts},
    limits::SIGNATURE_WORK,
};

/// The domain.
#[derive(Debug)]
pub struct Identity;

impl Domain for Identity {
    type Action = Action;
    type Error = Error;

    fn check(action: &Action) -> Result<(), Error> {
        match action {
            Action::Create { op } => check_op(op, |op| {
                op.seq == 0 && op.prev.is_none() && matches!(op.change, Change::Set(_))
            }),
            Action::Apply { op, .. } => check_op(op, |op| op.seq > 0 && op.prev.is_some()),
            Action::Guard { guard, .. } if !guard.is_formed() => Err(Error::BadOp),
            Action::Anchor { anchor } if !anchor.is_formed() => Err(Error::BadOp),
            Action::Anchor { .. }
            | Action::Guard { .. }
            | Action::Veto { .. }
            | Action::Finish { .. }
            | Action::Close { .. } => Ok(()),
        }
    }

    /// A day's ops may leave the window at once, and a recovery may look at all that are in it: ten a
    /// day of four days, and a recovery for each.
    fn work(action: &Action) -> u32 {
        let signatures = match action {
            Action::Create { .. }
            | Action::Apply { .. }
            | Action::Veto { .. }
            | Action::Anchor { .. } => 1,
            Action::Guard { .. } => 9,
            Action::Finish { .. } | Action::Close { .. } => 0,
        };
        let records = match action {
            Action::Apply { op, .. } if matches!(op.change, Change::Recover { .. }) => 200,
            Action::Apply { .. } | Action::Finish { .. } => 100,
            Action::Guard { .. } => 20,
            Action::Create { .. }
            | Action::Veto { .. }
            | Action::Close { .. }
            | Action::Anchor { .. } => 8,
        };
        records + signatures * SIGNATURE_WORK
    }

    fn execute(
        context: &BlockContext,
        signer: AccountId,
        action: &Action,
        state: &mut Overlay<'_>,
    ) -> Result<(), Error> {
        Self::check(action)?;
        match action {
            Action::Create { op } => create(context, signer, op, state),
            Action::Apply { did, op } => change::apply(context, *did, op, state),
            Action::Guard { did, guard } => guard::ask(context, *did, guard, state),
            Action::Veto { did, veto } => guard::veto(context, *did, veto, state),
            Action::Finish { did } => guard::finish(context, *did, state),
            Action::Close { did } => close(context, *did, state),
            Action::Anchor { anchor: next } => anchor::take(context, signer, next, state),
        }
    }

    /// Nothing waits for the end of a block here: what time brings, somebody asks for.
    fn end_block(_: &BlockContext, _: &mut Overlay<'_>) {}

    fn reads(key: &Key, record: &[u8]) -> Option<bool> {
        state::reads(key, record)
    }

    fn laws(state: &dyn Scan) -> Result<(), Broken> {
        laws::laws(state)
    }
}

fn check_op(op: &Op, is_in_place: impl Fn(&Op) -> bool) -> Result<(), Error> {
    if !op.is_formed() {
        return Err(Error::BadOp);
    }
    if is_in_place(op) { Ok(()) } else { Err(Error::BadPlace) }
}

fn create(
    context: &BlockContext,
    payer: AccountId,
    op: &Op,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let id = op.id();
    if find(state, id).is_some() {
        return Err(Error::Exists);
    }
    let content = op.content().ok_or(Error::BadPlace)?;
    let key = content.rotation.get(usize::from(op.by)).ok_or(Error::NoKey)?;
    op.verify(key, context.chain.as_bytes()).map_err(|_| Error::BadSignature)?;
    accounts::send(state, AssetId::NATIVE, payer, vault(), DEPOSIT)?;
    let record = Record {
        head: op.hash(),
        seq: 0,
        standing: standing(content),
        pending: None,
        window_from: 1,
        day: day(context),
        day_ops: 1,
        payer,
        deposit: DEPOSIT,
    };
    write(context, state, id, &record);
    emit(state, 0, &[payer], id, &[0]);
    Ok(())
}

fn close(context: &BlockContext, id: StarlingId, state: &mut Overlay<'_>) -> Result<(), Error> {
    let mut record = find(state, id).ok_or(Error::NoDid)?;
    let stopped_s = record.standing.stopped_s.filter(|_| record.deposit > 0);
    let stopped_s = stopped_s.ok_or(Error::NothingToClose)?;
    if context.now_s() <= stopped_s.saturating_add(WINDOW_S) {
        return Err(Error::TooEarly);
    }
    accounts::send(state, AssetId::NATIVE, vault(), record.payer, record.deposit)?;
    record.deposit = 0;
    DIDS.put(state, &[id.as_bytes()], &record);
    emit(state, 7, &[record.payer], id, &[]);
    Ok(())
}

/// What decides about the next op when this is what the DID says.
pub(super) fn standing(content: &Content) -> Standing {
    Standing {
        rotation: content.rotation.clone(),
        next: content.next.clone(),
        content: content.hash(),
        guardians: content.guardians.clone(),
        stopped_s: None,
    }
}

/// Writes a DID whose head is new, and the head into its history.
pub(super) fn write(
    context: &BlockContext,
    state: &mut Overlay<'_>,
    id: StarlingId,
    record: &Record,
) {
    let version = Version {
        op: record.head,
        height: context.height,
        time_s: context.now_s(),
        content: record.standing.content,
        stopped: record.standing.stopped_s.is_some(),
        erased_s: None,
    };
    VERSIONS.put(state, &[id.as_bytes(), &record.seq.to_be_bytes()], &version);
    DIDS.put(state, &[id.as_bytes()], record);
}

/// Days of UTC since 1970.
pub(super) fn day(context: &BlockContext) -> u64 {
    context.now_s() / (24 * 3600)
}

pub(super) fn emit(
    state: &mut Overlay<'_>,
    kind: u8,
    accounts: &[AccountId],
    id: StarlingId,
    numbers: &[u128],
) {
    let mut first = [0; 16];
    first.copy_from_slice(&id.as_bytes()[..16]);
    let numbers = [&[u128::from_be_bytes(first)], numbers].concat();
    state.emit(Prefix::Identity, kind, accounts, &numbers);
}
