//! At a height the same machines go on under a fresh key, with fresh shares of it, or with fresh shares of their own.

use std::sync::atomic::Ordering;
use std::time::Duration;

use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
use commonware_runtime::{Clock as _, Supervisor as _};

use super::{DEADLINE, TICK, World};
use crate::ceremony::testing::reshare;
use crate::network::{Secrets, succeed};

/// How long nobody makes a block after the last one.
const REST: Duration = Duration::from_secs(4);

impl World {
    /// Everybody is told, before any starts, who makes the blocks from one on.
    pub(in crate::sim) fn name_successors(&mut self, height: u64) {
        let count = u64::try_from(self.count()).unwrap();
        let keys: Vec<PrivateKey> = (0..count).map(PrivateKey::from_seed).collect();
        let addresses = vec![([127, 0, 0, 1], 1).into(); self.count()];
        let rng = self.context.child("succeed");
        let named = succeed(self.network.clone(), height, &addresses, keys, rng).unwrap();
        (self.network, self.next) = named;
    }

    /// The same, and the key stays: those that there are dealt it to them by a ceremony.
    pub(in crate::sim) fn name_reshared(&mut self, height: u64) {
        let count = u64::try_from(self.count()).unwrap();
        let keys: Vec<PrivateKey> = (0..count).map(PrivateKey::from_seed).collect();
        let old: Vec<Secrets> = self.validators.iter().map(|one| one.secrets.clone()).collect();
        (self.network, self.next) = reshare(self.network.clone(), height, &old, &keys);
        let members = self.members();
        let keys = [0, 1].map(|epoch| members.eras.get(epoch).unwrap().group_key());
        assert_eq!(keys[0], keys[1]);
    }

    /// Everybody who runs comes to the last block of theirs, and makes no other.
    pub(in crate::sim) async fn comes_to_its_end(&mut self, last: u64) {
        let end = self.context.current() + DEADLINE;
        while self.heights().iter().any(|height| *height < last) {
            assert!(self.context.current() < end, "never at {last}: {:?}", self.heights());
            self.pass(TICK).await;
        }
        self.stands_still(REST).await;
        assert!(self.heights().iter().all(|height| *height == last), "{:?}", self.heights());
    }

    /// All stop, and start again with their fresh shares: one with nothing but a snapshot of another's state.
    pub(in crate::sim) async fn take_over(&mut self, wiped: usize) {
        self.wipe(wiped).await;
        self.exchange(wiped);
        self.restore(wiped).await;
        for index in (0..self.count()).filter(|index| *index != wiped) {
            self.crash(index).await;
            self.exchange(index);
        }
        // What is on its way is of an epoch that is over.
        self.context.sleep(TICK).await;
        self.start_all().await;
    }

    fn exchange(&mut self, index: usize) {
        let validator = &mut self.validators[index];
        validator.secrets = self.next[index].clone();
        validator.fresh.store(true, Ordering::Relaxed);
    }
}
