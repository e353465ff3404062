//! What was promised of a pool, on disk: who pays again goes on from it, and never promises a unit twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledger::{AccountId, ChainId};
use peer_native::payments::Promised;
use serde_json::{Value, json};

use crate::atomic;

/// In the data folder.
const FILE: &str = "promises.json";

/// The newest promise of each lane of a pool. A pool has a bounded number of payees.
#[derive(Debug)]
pub(super) struct Promises {
    path: PathBuf,
    chain: ChainId,
    pool: u64,
    lanes: BTreeMap<AccountId, (u32, u128)>,
    is_new: bool,
}

impl Promises {
    /// Those that were written down of this pool.
    pub(super) async fn of(data: &Path, chain: ChainId, pool: u64) -> Self {
        let path = data.join(FILE);
        let text = tokio::fs::read_to_string(&path).await.unwrap_or_default();
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let same = value["chain"].as_str() == Some(chain.to_string().as_str())
            && value["pool"].as_u64() == Some(pool);
        let lanes = value["lanes"].as_object().filter(|_| same);
        let lanes = lanes.into_iter().flatten().filter_map(|(payee, lane)| {
            let epoch = u32::try_from(lane["epoch"].as_u64()?).ok()?;
            Some((payee.parse().ok()?, (epoch, lane["units"].as_str()?.parse().ok()?)))
        });
        Self { path, chain, pool, lanes: lanes.collect(), is_new: false }
    }

    pub(super) fn note(&mut self, promised: Promised) {
        let Promised { payee, epoch, cumulative } = promised;
        self.lanes.insert(payee, (epoch, cumulative));
        self.is_new = true;
    }

    /// Units promised of a lane.
    pub(super) fn of_lane(&self, payee: AccountId, epoch: u32) -> u128 {
        let lane = self.lanes.get(&payee).filter(|(known, _)| *known == epoch);
        lane.map_or(0, |(_, units)| *units)
    }

    /// Writes down what is new.
    pub(super) async fn write(&mut self) {
        if !std::mem::replace(&mut self.is_new, false) {
            return;
        }
        let lane = |(payee, (epoch, units)): (&AccountId, &(u32, u128))| {
            (payee.to_string(), json!({ "epoch": epoch, "units": units.to_string() }))
        };
        let lanes: serde_json::Map<String, Value> = self.lanes.iter().map(lane).collect();
        let chain = self.chain.to_string();
        let text = json!({ "chain": chain, "pool": self.pool, "lanes": lanes }).to_string();
        if let Err(error) = atomic::write(&self.path, text.as_bytes()).await {
            tracing::warn!("{}: {error}", self.path.display());
        }
    }
}
