//! Showing that a meter can't be believed.

use super::{
    Error, Opening, Reading,
    execute::emit,
    meter as find,
    state::{existing, write_meter},
};
use crate::{BlockContext, Overlay};

/// Whether these are two things said of one slot in one revision.
pub fn contradict(first: &Reading, second: &Reading) -> bool {
    let place = |said: &Reading| (said.community, said.meter, said.slot, said.revision);
    place(first) == place(second) && first.content != second.content
}

/// Whether more was traded than metered.
pub(super) fn is_lie(reading: &Reading, opening: &Opening) -> bool {
    let content = &reading.content;
    let more = content.import_wh > opening.import_wh || content.export_wh > opening.export_wh;
    more && opening.commitment() == content.commitment
}

/// Cuts the meter that said this and, if there is one, the other. What it said of slots that wait is
/// left out when they are settled; what is settled stays.
pub(super) fn cut(
    context: &BlockContext,
    reading: &Reading,
    other: Option<&Reading>,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let (id, number) = (reading.community, reading.meter);
    existing(state, id)?;
    let mut meter = find(state, id, number).ok_or(Error::NoMeter)?;
    for said in [Some(reading), other].into_iter().flatten() {
        said.verify(context.chain, meter.key).map_err(|_| Error::BadSignature)?;
    }
    if meter.cut {
        return Err(Error::Cut);
    }
    meter.cut = true;
    write_meter(state, id, number, &meter);
    emit(state, 11, &[meter.owner], id, &[number.into()]);
    Ok(())
}
