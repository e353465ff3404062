//! What is always true of feeds.

use super::{
    average::marks_max,
    state::{COUNT, FEEDS},
};
use crate::{Scan, domains::Broken};

pub(super) fn laws(state: &dyn Scan) -> Result<(), Broken> {
    let feeds = FEEDS.all(state);
    let count = u128::from(COUNT.get(state, &[]).unwrap_or_default());
    let known = u128::try_from(feeds.len()).unwrap_or(u128::MAX);
    Broken::unless_equal("every number up to the count is a feed", count, known)?;
    for (_, feed) in feeds {
        let marks = feed.average.mark_count();
        let wide = |number: usize| u128::try_from(number).unwrap_or(u128::MAX);
        Broken::unless_at_most("marks are bounded", wide(marks_max()), wide(marks))?;
        let jumped_first = feed.accepted == 0 && feed.jumped_s.is_some();
        Broken::unless_equal("a first price is no jump", 0, jumped_first.into())?;
    }
    Ok(())
}
