//! What was promised of a pool, on disk: who pays again goes on from it, and never promises a unit twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledger::{AccountId, ChainId};
use peer_native::payments::Promised;
use serde::{Deserialize, Serialize};

use super::{PurseError, state};

/// In the data folder.
const FILE: &str = "promises.json";

/// The newest promise of each lane of a pool. A pool has a bounded number of payees.
#[derive(Debug)]
pub(super) struct Promises {
    path: PathBuf,
    known: Known,
    is_new: bool,
}

/// What is written down.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    chain: Option<ChainId>,
    pool: Option<u64>,
    /// By the payee's account.
    lanes: BTreeMap<AccountId, Lane>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Lane {
    epoch: u32,
    /// In decimal digits.
    #[serde(with = "digits")]
    units: u128,
}

impl Promises {
    /// Those that were written down of this pool.
    pub(super) async fn of(data: &Path, chain: ChainId, pool: u64) -> Result<Self, PurseError> {
        let path = data.join(FILE);
        let known: Known = state::read(&path).await?;
        let (chain, pool) = (Some(chain), Some(pool));
        let same = known.chain == chain && known.pool == pool;
        let known = if same { known } else { Known { chain, pool, ..Known::default() } };
        Ok(Self { path, known, is_new: false })
    }

    /// The last ones that were written down, and of which pool of this ledger.
    pub(super) async fn last(
        data: &Path,
        chain: ChainId,
    ) -> Result<Option<(u64, Self)>, PurseError> {
        let path = data.join(FILE);
        let known: Known = state::read(&path).await?;
        let pool = known.pool.filter(|_| known.chain == Some(chain));
        Ok(pool.map(|pool| (pool, Self { path, known, is_new: false })))
    }

    pub(super) fn note(&mut self, promised: Promised) {
        let Promised { payee, epoch, cumulative } = promised;
        self.known.lanes.insert(payee, Lane { epoch, units: cumulative });
        self.is_new = true;
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = Promised> {
        self.known.lanes.iter().map(|(payee, lane)| Promised {
            payee: *payee,
            epoch: lane.epoch,
            cumulative: lane.units,
        })
    }

    /// Units promised of a lane.
    pub(super) fn of_lane(&self, payee: AccountId, epoch: u32) -> u128 {
        let lane = self.known.lanes.get(&payee).filter(|lane| lane.epoch == epoch);
        lane.map_or(0, |lane| lane.units)
    }

    /// Writes down what is new.
    pub(super) async fn write(&mut self) {
        if !std::mem::replace(&mut self.is_new, false) {
            return;
        }
        if let Err(error) = state::write(&self.path, &self.known).await {
            tracing::warn!("{error}");
        }
    }
}

/// JSON has no numbers of 128 bits that every reader takes.
mod digits {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(units: &u128, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(units)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u128, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn promises_of_the_pool_are_read_again_and_a_damaged_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (chain, payee) = (ChainId::new([1; 32]), AccountId::new([3; 32]));
        let path = folder.path().join(FILE);
        let units = u128::MAX;
        let text = format!(
            r#"{{"chain":"{chain}","lanes":{{"{payee}":{{"epoch":2,"units":"{units}"}}}},"pool":5}}"#
        );
        std::fs::write(&path, &text).unwrap();
        let read = Promises::of(folder.path(), chain, 5).await.unwrap();
        assert_eq!((read.of_lane(payee, 2), read.of_lane(payee, 1)), (units, 0));
        let other = Promises::of(folder.path(), chain, 6).await.unwrap();
        assert_eq!(other.of_lane(payee, 2), 0);
        let (pool, last) = Promises::last(folder.path(), chain).await.unwrap().unwrap();
        assert_eq!((pool, last.of_lane(payee, 2)), (5, units));
        let elsewhere = ChainId::new([2; 32]);
        assert!(Promises::last(folder.path(), elsewhere).await.unwrap().is_none());

        let mut written = read;
        written.note(Promised { payee, epoch: 3, cumulative: 40 });
        written.write().await;
        let read = Promises::of(folder.path(), chain, 5).await.unwrap();
        assert_eq!(read.of_lane(payee, 3), 40);

        let (epoch, units) = (text.replace("h\":2", "h\":-2"), text.replace("units", "unit"));
        for damaged in ["", epoch.as_str(), units.as_str()] {
            std::fs::write(&path, damaged).unwrap();
            let read = Promises::of(folder.path(), chain, 5).await;
            assert!(matches!(read, Err(PurseError::Damaged { .. })), "{damaged}");
        }
    }
}
