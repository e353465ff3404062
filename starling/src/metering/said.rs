//! Signed readings as files, and what two of them can show.

use std::path::{Path, PathBuf};

use ledger::domains::energy::{self, Reading};
use ledger::{Action, TransactionId};
use primitives::KeyPair;

use super::live::act;
use super::{MeteringError, kept};
use crate::atomic;
use crate::ledger_client::Nodes;

/// Writes a signed reading as one line of base64 into a folder; where.
///
/// # Errors
/// It can't be written.
pub async fn write_said(folder: &Path, reading: &Reading) -> Result<PathBuf, MeteringError> {
    let Reading { community, meter, slot, revision, .. } = reading;
    let path = folder.join(format!("{community}-{meter}-{slot}-{revision}.reading"));
    let written = atomic::write(&path, format!("{}\n", kept::text(reading)).as_bytes()).await;
    written.map_err(|source| MeteringError::Io { path: path.clone(), source })?;
    Ok(path)
}

/// The signed reading in a file.
///
/// # Errors
/// It can't be read, or is something else.
pub async fn read_said(path: &Path) -> Result<Reading, MeteringError> {
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|source| MeteringError::Io { path: path.to_owned(), source })?;
    kept::reading(&text).ok_or_else(|| MeteringError::NotAReading(path.to_owned()))
}

/// Shows the ledger that a meter said two things of one slot: it is cut.
///
/// # Errors
/// They show nothing, or the ledger refuses.
pub async fn accuse(
    nodes: &mut Nodes,
    key: &KeyPair,
    first: Reading,
    second: Reading,
) -> Result<TransactionId, MeteringError> {
    if !energy::contradict(&first, &second) {
        return Err(MeteringError::NoEvidence);
    }
    let accuse = energy::Action::Accuse { first: Box::new(first), second: Box::new(second) };
    Ok(act(nodes, key, &Action::Energy(accuse)).await?)
}
