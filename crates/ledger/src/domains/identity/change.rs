//! Ops that follow the first: R1 to R4, R6 and the count of R7.

use identity::{
    PublicKey,
    did::{
        StarlingId,
        starling::{Change, Content, Op, are_promised},
    },
};
use primitives::Hash;

use super::{
    Error, OPS_PER_DAY_MAX, WINDOW_S, did as find,
    execute::{day, emit, standing, write},
    state::{PAST, Past, Record, Standing, VERSIONS},
};
use crate::{BlockContext, Overlay, Store};

/// Does what an op says.
pub(super) fn apply(
    context: &BlockContext,
    id: StarlingId,
    op: &Op,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut record = find(state, id).ok_or(Error::NoDid)?;
    let next = record.seq.checked_add(1);
    if op.prev != Some(record.head) || Some(op.seq) != next {
        return Err(Error::NotNext);
    }
    prune(context, id, &mut record, state);
    match &op.change {
        Change::Set(content) => {
            let before = follow(context, op, &mut record)?;
            set(content, &mut record)?;
            push(context, state, id, (op, &before), &mut record)?;
            emit(state, 1, &[], id, &[op.seq.into()]);
        }
        Change::Stop => {
            let before = follow(context, op, &mut record)?;
            record.standing.stopped_s = Some(context.now_s());
            push(context, state, id, (op, &before), &mut record)?;
            emit(state, 3, &[], id, &[op.seq.into()]);
        }
        Change::Recover { fork, content } => {
            let first = recover(context, id, (op, *fork, content), &mut record, state)?;
            emit(state, 2, &[], id, &[op.seq.into(), first.into()]);
        }
    }
    Ok(())
}

/// What every op but a recovery needs; what was before it.
fn follow(context: &BlockContext, op: &Op, record: &mut Record) -> Result<Standing, Error> {
    if record.standing.stopped_s.is_some() {
        return Err(Error::Stopped);
    }
    count(context, record)?;
    check_signer(context, op, &record.standing)?;
    Ok(record.standing.clone())
}

fn set(content: &Content, record: &mut Record) -> Result<(), Error> {
    if !are_promised(&content.rotation, &record.standing.next) {
        return Err(Error::NotPromised);
    }
    record.standing = standing(content);
    Ok(())
}

/// The signer, if it may change the DID and signed this for this ledger.
fn check_signer(context: &BlockContext, op: &Op, standing: &Standing) -> Result<PublicKey, Error> {
    let key = standing.rotation.get(usize::from(op.by)).ok_or(Error::NoKey)?;
    op.verify(key, context.chain.as_bytes()).map_err(|_| Error::BadSignature)?;
    Ok(*key)
}

/// Counts an op of today.
pub(super) fn count(context: &BlockContext, record: &mut Record) -> Result<(), Error> {
    let today = day(context);
    if record.day != today {
        (record.day, record.day_ops) = (today, 0);
    }
    if record.day_ops >= OPS_PER_DAY_MAX {
        return Err(Error::TooOften);
    }
    record.day_ops += 1;
    Ok(())
}

/// Makes an op the head, erasable for a while. What guardians asked for followed another head.
fn push(
    context: &BlockContext,
    state: &mut Overlay<'_>,
    id: StarlingId,
    (op, before): (&Op, &Standing),
    record: &mut Record,
) -> Result<(), Error> {
    let signer = *before.rotation.get(usize::from(op.by)).ok_or(Error::NoKey)?;
    let (hash, time_s, before) = (op.hash(), context.now_s(), before.clone());
    let past = Past { op: hash, time_s, signer, before };
    PAST.put(state, &[id.as_bytes(), &op.seq.to_be_bytes()], &past);
    (record.head, record.seq, record.pending) = (hash, op.seq, None);
    write(context, state, id, record);
    Ok(())
}

/// Forgets ops that can't be erased any more.
pub(super) fn prune(
    context: &BlockContext,
    id: StarlingId,
    record: &mut Record,
    state: &mut Overlay<'_>,
) {
    while record.window_from <= record.seq {
        let place = record.window_from.to_be_bytes();
        let past = PAST.get(state, &[id.as_bytes(), &place]);
        let open = past.is_some_and(|past| context.now_s() <= past.time_s.saturating_add(WINDOW_S));
        if open {
            return;
        }
        PAST.remove(state, &[id.as_bytes(), &place]);
        record.window_from += 1;
    }
}

/// R4: erases `fork` and all after it; the number of `fork`.
fn recover(
    context: &BlockContext,
    id: StarlingId,
    (op, fork, content): (&Op, Hash, &Content),
    record: &mut Record,
    state: &mut Overlay<'_>,
) -> Result<u64, Error> {
    let erased = from_fork(state, id, fork, record)?;
    let (first, forked) = erased.first().ok_or(Error::NotInWindow)?;
    let (first, before) = (*first, forked.before.clone());
    check_signer(context, op, &before)?;
    check_authority(op.by, &before, &erased)?;
    record.standing = before.clone();
    set(content, record)?;
    for (seq, _) in &erased {
        let place: &[&[u8]] = &[id.as_bytes(), &seq.to_be_bytes()];
        PAST.remove(state, place);
        if let Some(mut version) = VERSIONS.get(state, place) {
            version.erased_s = Some(context.now_s());
            VERSIONS.put(state, place, &version);
        }
    }
    push(context, state, id, (op, &before), record)?;
    Ok(first)
}

/// The ops from `fork` on that may still be erased, with their numbers.
fn from_fork(
    state: &dyn Store,
    id: StarlingId,
    fork: Hash,
    record: &Record,
) -> Result<Vec<(u64, Past)>, Error> {
    let past = |seq: u64| Some((seq, PAST.get(state, &[id.as_bytes(), &seq.to_be_bytes()])?));
    let window = (record.window_from..=record.seq).filter_map(past);
    let erased: Vec<_> = window.skip_while(|(_, past)| past.op != fork).collect();
    if erased.is_empty() { Err(Error::NotInWindow) } else { Ok(erased) }
}

/// The signer must have more authority than whoever signed what is erased. A key has that of its place
/// before the fork; one that came later, that of the fork's signer, who let it in.
fn check_authority(by: u8, before: &Standing, erased: &[(u64, Past)]) -> Result<(), Error> {
    let place = |key: &PublicKey| before.rotation.iter().position(|known| known == key);
    let forker = erased.first().and_then(|(_, past)| place(&past.signer));
    let below = |past: &Past| {
        place(&past.signer).or(forker).is_some_and(|authority| usize::from(by) < authority)
    };
    if erased.iter().all(|(_, past)| below(past)) { Ok(()) } else { Err(Error::LessAuthority) }
}
