//! Validators that crash, or lose their disks; the power that fails for everybody at once, and comes back in a runtime of
//! its own.

use std::collections::BTreeMap;

use commonware_p2p::simulated::{Config, Network as Wire};
use commonware_runtime::{Supervisor as _, deterministic::Context};
use commonware_utils::NZUsize;
use ledger::{Receipt, TransactionId};
use primitives::{KeyPair, Rng};

use super::super::disk::Disk;
use super::{Sent, Validator, World, good};
use crate::engine::message_bytes_max;
use crate::header::PublicKey;
use crate::network::{Network, Secrets};

/// What is left of a world without power: disks, and what was said.
pub(in crate::sim) struct Remains {
    pub(super) rng: Rng,
    pub(super) promises: Rng,
    pub(super) validators: Vec<Validator>,
    pub(super) network: Network,
    pub(super) next: Vec<Secrets>,
    pub(super) clients: Vec<KeyPair>,
    pub(super) sent: BTreeMap<TransactionId, Sent>,
    pub(super) told: BTreeMap<TransactionId, Receipt>,
}

impl World {
    /// Nobody runs yet, and everybody would hear everybody.
    pub(in crate::sim) async fn of(context: Context, remains: Remains) -> Self {
        let Remains { rng, promises, validators, network, next, clients, sent, told } = remains;
        let config = Config {
            max_size: message_bytes_max(validators.len()),
            max_peers_per_set: NZUsize!(16),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let names: Vec<PublicKey> = validators.iter().map(|one| one.key.clone()).collect();
        let (wire, oracle) = Wire::new_with_peers(context.child("network"), config, names).await;
        wire.start();
        let (twins, followed, between) = (Vec::new(), None, 0);
        let world = Self {
            rng,
            promises,
            validators,
            context,
            oracle,
            network,
            next,
            clients,
            twins,
            sent,
            told,
            followed,
            between,
        };
        world.connect(&good(), |_, _| true).await;
        world
    }

    /// It stops at once, and loses what it had not flushed.
    pub(in crate::sim) async fn crash(&mut self, index: usize) {
        self.crash_all(&[index]).await;
    }

    /// Several at once. Each has stopped as a whole before its records lose anything: what it still does must not reach
    /// the engine's disk alone.
    pub(in crate::sim) async fn crash_all(&mut self, some: &[usize]) {
        let running = || some.iter().filter_map(|index| self.validators[*index].running.as_ref());
        running().for_each(|one| one.task.abort());
        for index in some {
            if let Some(running) = &mut self.validators[*index].running {
                // It ends with all that it has begun; an error says that it was made to.
                let _ = (&mut running.task).await;
            }
        }
        some.iter().for_each(|index| self.lose(*index));
    }

    /// Its disk is gone. It does not know what it said before: until it votes again, it counts as
    /// faulty.
    pub(in crate::sim) async fn wipe(&mut self, index: usize) {
        self.crash(index).await;
        let validator = &mut self.validators[index];
        validator.disk = Disk::default();
        validator.disks += 1;
        validator.height = 0;
    }

    fn lose(&mut self, index: usize) {
        let validator = &mut self.validators[index];
        if let Some(running) = validator.running.take() {
            validator.height = validator.height.max(*running.handle.height().borrow());
            validator.disk.crash(&mut self.rng);
        }
    }

    /// Everybody crashes. What the engine had not flushed is for its runtime to lose, which ends with this.
    pub(in crate::sim) fn power_fails(mut self) -> Remains {
        // Nothing runs any more.
        (0..self.count()).for_each(|index| self.lose(index));
        let Self { rng, promises, validators, network, next, clients, sent, told, .. } = self;
        Remains { rng, promises, validators, network, next, clients, sent, told }
    }
}
