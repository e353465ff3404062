//! The power fails for everybody at once, and comes back in a runtime of its own.

use std::collections::BTreeMap;

use commonware_p2p::simulated::{Config, Network as Wire};
use commonware_runtime::{Supervisor as _, deterministic::Context};
use commonware_utils::NZUsize;
use ledger::{Receipt, TransactionId};
use primitives::{KeyPair, Rng};

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

    /// Everybody crashes. What the engine had not flushed is for its runtime to lose, which ends with this.
    pub(in crate::sim) fn power_fails(mut self) -> Remains {
        (0..self.count()).for_each(|index| self.crash(index));
        let Self { rng, promises, validators, network, next, clients, sent, told, .. } = self;
        Remains { rng, promises, validators, network, next, clients, sent, told }
    }
}
