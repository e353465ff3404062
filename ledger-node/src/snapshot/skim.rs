//! All of a snapshot, read and not checked: for tests and for `fuzz/`.

use commonware_codec::{Copying, Decode as _, DecodeExt as _};
use commonware_storage::{mmr, qmdb::sync::Response};

use super::{Head, LOG_BATCH, MAGIC, Page, SnapshotError, Update, read_part};
use crate::block::Block;
use crate::header::{Digest, Finalization};

/// Reads what `restore` reads, part by part; how many records there are.
///
/// # Errors
/// In order: what it begins with, its first part, its log, its records, its end.
pub(crate) fn skim(bytes: &[u8]) -> Result<u64, SnapshotError> {
    let mut rest = bytes.strip_prefix(MAGIC.as_slice()).ok_or(SnapshotError::NotASnapshot)?;
    let head = read_part(&mut rest)?.ok_or(SnapshotError::Cut)?;
    let Head { finality, block, successions: _ } =
        minicbor::decode(&head).map_err(|_| SnapshotError::Form("first part"))?;
    Block::decode(Copying(&block[..])).map_err(|_| SnapshotError::Form("block"))?;
    Finalization::decode(Copying(&finality.certificate[..]))
        .map_err(|_| SnapshotError::Form("certificate"))?;
    let most = usize::try_from(LOG_BATCH).unwrap_or(usize::MAX);
    while let Some(part) = read_part(&mut rest)? {
        let read =
            Response::<mmr::Family, Update, Digest>::decode_cfg(Copying(&part[..]), &(most, ()));
        drop(read.map_err(|_| SnapshotError::Form("log"))?);
    }
    let mut records = 0;
    while let Some(part) = read_part(&mut rest)? {
        let page: Page = minicbor::decode(&part).map_err(|_| SnapshotError::Form("records"))?;
        records += u64::try_from(page.len()).unwrap_or(u64::MAX);
    }
    if rest.is_empty() { Ok(records) } else { Err(SnapshotError::Form("end")) }
}
