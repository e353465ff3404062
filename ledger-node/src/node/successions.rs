//! Who took over from whom, as light clients are shown it: the proof is of the state after the last block of
//! the old validators, and can be made only then.

use std::path::Path;

use commonware_codec::{Copying, DecodeExt as _};
use commonware_consensus::types::Height;
use ledger::Store as _;
use wire::ledger::{StateProof, Successions};
use wire::limits::LEDGER_SUCCESSIONS_MAX;

use super::questions::prove;
use super::{Handle, NodeError, Unanswered};
use crate::application::{Core, Stores};
use crate::engine::{Final, Runtime};
use crate::header::Header;
use crate::network::Members;
use crate::records::RecordsError;
use crate::snapshot::SnapshotError;

impl Handle {
    /// What light clients pin, as text: `docs/spec/ledger.md`, "Trust root". Whoever took over since is found
    /// from there.
    pub fn root(&self) -> String {
        self.root.to_string()
    }

    /// Whether others make the blocks from the next one on.
    pub fn is_over(&self) -> bool {
        self.core.is_over()
    }

    /// In which epoch this validator takes part: 0 for the first validators, one more for each that took over.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Who took over after an epoch, one after the other, as far as this validator knows; at most
    /// [`LEDGER_SUCCESSIONS_MAX`].
    ///
    /// # Errors
    /// The records can't be read.
    pub fn successions(&self, after: u64) -> Result<Successions, RecordsError> {
        let records = self.core.state.records();
        records.successions(after, LEDGER_SUCCESSIONS_MAX).map(Successions)
    }

    /// All of them up to a block that is final now, its own included.
    ///
    /// # Errors
    /// [`Unanswered::Busy`] where only its own is not kept yet, [`SnapshotError::Unshown`] where more are not.
    pub(crate) fn successions_at(&self, height: u64) -> Result<Vec<StateProof>, SnapshotError> {
        let named = &self.core.named;
        let expected = named.until(height);
        let kept = self.core.state.records().successions(0, expected)?;
        let found = kept.len();
        if found == expected {
            return Ok(kept);
        }
        // It is made in a moment.
        if named.after(height).is_some() && found + 1 == expected {
            return Err(Unanswered::Busy.into());
        }
        Err(SnapshotError::Unshown { found, expected })
    }
}

/// Whether the blocks of a folder are those of the validators in the network's file, who named each other.
pub(super) fn one_history(members: &Members, core: &Core, folder: &Path) -> Result<(), NodeError> {
    let (height, folder) = (*core.height.borrow(), folder.to_owned());
    let header = core.state.records().header(height)?;
    let header = header.and_then(|bytes| Header::decode(Copying(&bytes[..])).ok());
    let epoch = members.eras.epoch(height);
    let made = header.map_or(epoch, |header| header.context.round.epoch().get());
    if made != epoch {
        return Err(NodeError::Epoch { folder, height, made, epoch });
    }
    if let Some(last) = members.ends().filter(|last| height > *last) {
        return Err(NodeError::Over { folder, height, epoch: members.epoch, last });
    }
    let state = core.state.records().snapshot()?;
    for (epoch, set) in members.eras.iter().skip(1).filter(|(_, set)| set.first <= height + 1) {
        let named =
            u32::try_from(epoch).ok().and_then(|epoch| state.get(&ledger::succession_key(epoch)));
        let named = named.and_then(|record| minicbor::decode(&record).ok());
        if named != Some(set.succession()) {
            return Err(NodeError::Unnamed { folder, height: set.first });
        }
    }
    Ok(())
}

/// Says so where a proof of who took over is not kept: neither a light client nor who begins with a snapshot can
/// follow by this validator.
pub(super) fn tell_missing(core: &Core) {
    let expected = core.named.until(*core.height.borrow());
    let kept = core.state.records().successions(0, expected);
    // A validator that can't use its disk stops.
    let found = kept.expect("the ledger's records can be read").len();
    if found < expected {
        tracing::warn!(
            found,
            expected,
            "proofs of who took over are missing here: no snapshot is given, and light clients ask others"
        );
    }
}

/// Keeps the proof of who takes over, if the last final block names them.
pub(super) async fn keep<E: Runtime>(core: &Core, blocks: &Final, stores: &Stores<E>) {
    let height = *core.height.borrow();
    let Some(epoch) = core.named.after(height) else { return };
    let records = core.state.records();
    // A validator that can't use its disk stops.
    if records.has_succession(epoch).expect("the ledger's records can be read") {
        return;
    }
    // Nobody but those who are replaced may say by whom: a certificate of a later block is of others.
    if blocks.get_finalization(Height::new(height)).await.is_none() {
        return;
    }
    let Ok(proved) = prove(&ledger::succession_key(epoch), core, blocks, stores).await else {
        return;
    };
    if proved.height == height && proved.certified.headers.len() == 1 && proved.record.is_some() {
        let proof = proved.to_wire();
        records.keep_succession(epoch, &proof).expect("the ledger's records can be written");
    }
}
