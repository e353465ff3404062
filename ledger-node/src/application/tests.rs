//! What is on which disk first.

use std::num::NonZeroUsize;
use std::path::Path;

use commonware_consensus::CertifiableBlock as _;
use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
use commonware_runtime::{
    Runner as _, Strategizer as _, Supervisor as _, buffer::paged::CacheRef, deterministic,
};
use commonware_utils::{NZU16, NZUsize};
use redb::{Database, backends::InMemoryBackend};

use super::*;
use crate::engine::{PAGE_BYTES, store_config};
use crate::network::{Plan, deal_keys};
use crate::node;
use crate::records::Records;

type Runtime = deterministic::Context;

/// The only validator of a ledger, with its records in memory.
fn alone(context: &Runtime) -> App {
    let plan = Plan {
        name: "alone".to_owned(),
        demo: false,
        time_ms: 1_000,
        addresses: vec![([127, 0, 0, 1], 1).into()],
        allocations: vec![(AccountId::new([7; 32]), 1_000_000)],
    };
    let dealt = deal_keys(&plan, vec![PrivateKey::from_seed(1)], context.child("deal"));
    let members = dealt.unwrap().0.members(Path::new("alone")).unwrap();
    let memory = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
    node::app(&members, Duration::ZERO, |genesis| Records::of(memory, genesis)).unwrap()
}

async fn store(context: &Runtime) -> Stores<Runtime> {
    let strategy = context.child("pool").strategy(NonZeroUsize::MIN);
    let pages = CacheRef::new(NZU16!(PAGE_BYTES), NZUsize!(64));
    let settings = store_config("", &pages, &strategy, 0);
    <Stores<Runtime> as DatabaseSet<Runtime>>::init(context.child("state"), settings, None).await
}

/// After a crash the engine does not bring again what its store has.
#[test]
fn what_a_final_block_did_is_in_the_records_before_it_is_in_the_store() {
    deterministic::Runner::default().start(|context| async move {
        let (mut app, stores) = (alone(&context), Box::pin(store(&context)).await);
        let genesis = app.genesis.clone();
        let batch = <Stores<Runtime> as DatabaseSet<Runtime>>::new_batches(&stores).await;
        let place = genesis.header.context.clone();
        let made = Box::pin(app.make::<Runtime>(place, &genesis, batch, 2_000)).await;
        let (block, sealed) = made.unwrap();
        let before = stores.read().await.root();
        for is_first in [true, false] {
            let readers = <Stores<Runtime> as DatabaseSet<Runtime>>::readers(&stores);
            let place = (context.child("capture"), block.context());
            let executed = app.capture(place, &block, &sealed, readers).await;
            // The second time is that after a crash.
            assert_eq!(executed.is_some(), is_first);
            assert_eq!(app.core.state.records().last().unwrap(), (1, block.digest()));
        }
        assert_eq!(stores.read().await.root(), before, "the engine writes its own");
        assert_ne!(before, block.header.state_root);
    });
}
