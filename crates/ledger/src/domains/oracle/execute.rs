//! What the oracle does.

use super::{
    AGE_MAX_S, AGE_MIN_S, Action, Error, Feed, REPORTERS_MAX, REPORTERS_MIN, Report,
    average::Average,
    feed as find, laws,
    quote::{jumps, median},
    report as last_word,
    state::{self, COUNT, FEEDS, REPORTS},
};
use crate::{
    AccountId, BlockContext, Key, Overlay, Prefix, Scan,
    domains::{Broken, Domain},
};

/// The domain.
#[derive(Debug)]
pub struct Oracle;

impl Domain for Oracle {
    type Action = Action;
    type Error = Error;

    fn check(action: &Action) -> Result<(), Error> {
        match action {
            Action::Create { reporters, age_max_s } => {
                let count = (REPORTERS_MIN..=REPORTERS_MAX).contains(&reporters.len());
                if !count || !reporters.is_sorted_by(|one, next| one < next) {
                    return Err(Error::BadReporters);
                }
                let allowed = (AGE_MIN_S..=AGE_MAX_S).contains(age_max_s);
                if allowed { Ok(()) } else { Err(Error::BadAge) }
            }
            Action::Report { price: 0, .. } => Err(Error::BadPrice),
            Action::Report { .. } => Ok(()),
        }
    }

    fn work(action: &Action) -> u32 {
        match action {
            Action::Create { .. } => 4,
            // The median reads every reporter's last word.
            Action::Report { .. } => 36,
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
            Action::Create { reporters, age_max_s } => create(signer, reporters, *age_max_s, state),
            Action::Report { feed, price, seen_s, number } => {
                let report = Report { price: *price, seen_s: *seen_s, number: *number };
                take(context, signer, *feed, report, state)
            }
        }
    }

    /// Nothing waits for the end of a block here: reports age by themselves.
    fn end_block(_: &BlockContext, _: &mut Overlay<'_>) {}

    fn reads(key: &Key, record: &[u8]) -> Option<bool> {
        state::reads(key, record)
    }

    fn laws(state: &dyn Scan) -> Result<(), Broken> {
        laws::laws(state)
    }
}

fn create(
    signer: AccountId,
    reporters: &[AccountId],
    age_max_s: u64,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let id = COUNT.get(state, &[]).unwrap_or_default().checked_add(1).ok_or(Error::TooMany)?;
    let feed = Feed {
        reporters: reporters.to_vec(),
        age_max_s,
        accepted: 0,
        jumped_s: None,
        average: Average::default(),
    };
    COUNT.put(state, &[], &id);
    FEEDS.put(state, &[&id.to_be_bytes()], &feed);
    state.emit(Prefix::Oracle, 0, &[signer], &[id.into()]);
    Ok(())
}

fn take(
    context: &BlockContext,
    signer: AccountId,
    id: u32,
    report: Report,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut feed = find(state, id).ok_or(Error::NoFeed)?;
    let place = feed.reporters.binary_search(&signer).map_err(|_| Error::NotReporter)?;
    let place = u8::try_from(place).map_err(|_| Error::NotReporter)?;
    if report.seen_s > context.now_s() {
        return Err(Error::FromTheFuture);
    }
    if let Some(last) = last_word(state, id, place) {
        if report.seen_s < last.seen_s {
            return Err(Error::Older);
        }
        if report.number <= last.number {
            return Err(Error::NumberUsed);
        }
    }
    REPORTS.put(state, &[&id.to_be_bytes(), &[place]], &report);
    if let Ok(price) = median(state, &feed, id, context.now_s(), None) {
        accept(&mut feed, context, price, state, id);
        FEEDS.put(state, &[&id.to_be_bytes()], &feed);
    }
    let numbers = [id.into(), report.price.into(), report.seen_s.into()];
    state.emit(Prefix::Oracle, 1, &[signer], &numbers);
    Ok(())
}

/// Takes a price over, unless it jumped: then a quorum of what was seen after the jump decides.
fn accept(feed: &mut Feed, context: &BlockContext, price: u64, state: &Overlay<'_>, id: u32) {
    let mut price = price;
    if jumps(feed.accepted, price) {
        let jumped_s = *feed.jumped_s.get_or_insert(context.now_s());
        match median(state, feed, id, context.now_s(), Some(jumped_s)) {
            Ok(confirmed) => price = confirmed,
            Err(_) => return,
        }
    }
    feed.jumped_s = None;
    feed.average.advance(feed.accepted, context.now_s());
    feed.accepted = price;
}
