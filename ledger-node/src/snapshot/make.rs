//! A snapshot of a running validator.

use std::io::Write;
use std::num::NonZeroU64;
use std::sync::Arc;

use commonware_codec::{Copying, DecodeExt as _};
use commonware_storage::{merkle::Location, mmr, qmdb::sync::Request};
use commonware_utils::NZU64;

use super::{Head, LOG_BATCH, MAGIC, Page, SnapshotError, encoded, write_part};
use crate::header::Header;
use crate::node::{Handle, Unanswered};
use crate::records;

/// How many blocks are waited for one that has a certificate of its own.
const TRIES_MAX: usize = 16;

impl Handle {
    /// Writes the state after the last final block. Blocks go on meanwhile. Reads the disk on the thread
    /// that runs it.
    ///
    /// # Errors
    /// In order: the state, its log, what is written to.
    pub(crate) async fn write_snapshot(&self, out: &mut impl Write) -> Result<u64, SnapshotError> {
        let (state, head) = self.certified_state().await?;
        write_parts(&head, &state, async |request| self.log(request).await, out).await
    }

    /// The state after a block that has a certificate of its own: most have.
    async fn certified_state(&self) -> Result<(Arc<records::Snapshot>, Head), SnapshotError> {
        let mut heights = self.height();
        for _ in 0..TRIES_MAX {
            heights.mark_unchanged();
            let state = self.final_state()?;
            // The engine's store has the block when it is told, a moment after the records.
            let told = heights.wait_for(|height| *height >= state.last.0).await;
            told.map_err(|_| Unanswered::Stopped)?;
            let successions = self.successions_at(state.last.0)?;
            let successions = Some(successions).filter(|all| !all.is_empty());
            match self.whole_block(state.last.0).await {
                Ok((header, certificate, block)) => {
                    let finality = wire::ledger::Finality::new(vec![header], certificate);
                    return Ok((state, Head { finality, block: block.into(), successions }));
                }
                Err(Unanswered::Unknown) => {}
                Err(error) => return Err(error.into()),
            }
            // An error: nobody makes blocks any more.
            heights.changed().await.map_err(|_| Unanswered::Stopped)?;
        }
        Err(Unanswered::Busy.into())
    }
}

/// Writes the state after the block of `head`; `log` is asked for the parts of the store's log.
pub(super) async fn write_parts(
    head: &Head,
    state: &records::Snapshot,
    log: impl AsyncFn(Request<mmr::Family>) -> Result<Vec<u8>, Unanswered>,
    out: &mut impl Write,
) -> Result<u64, SnapshotError> {
    let header = head.finality.headers.first().ok_or(SnapshotError::Form("header"))?;
    let header = Header::decode(Copying(&header[..]));
    let header = header.map_err(|_| SnapshotError::Form("header"))?;
    out.write_all(MAGIC)?;
    write_part(out, &encoded(head))?;
    let size = Location::<mmr::Family>::new(header.log_end);
    let mut at = header.log_start;
    if at > 0 {
        let boundary = Request::Boundary { size, start: Location::new(at) };
        write_part(out, &log(boundary).await?)?;
        at += 1;
    }
    while let Some(left) = NonZeroU64::new(header.log_end.saturating_sub(at)) {
        let max_ops = left.min(NZU64!(LOG_BATCH));
        let start = Location::new(at);
        write_part(out, &log(Request::Operations { size, start, max_ops }).await?)?;
        at += max_ops.get();
    }
    write_part(out, &[])?;
    let mut after: Option<Vec<u8>> = None;
    loop {
        let (page, more) = state.list(&[], after.as_deref())?;
        after = page.last().map(|(key, _)| key.clone());
        let page: Page =
            page.into_iter().map(|(key, record)| (key.into(), record.into())).collect();
        if !page.is_empty() {
            write_part(out, &encoded(&page))?;
        }
        if !more {
            break;
        }
    }
    write_part(out, &[])?;
    out.flush()?;
    Ok(header.height.get())
}
