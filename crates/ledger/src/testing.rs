//! A ledger in memory for the tests of domains: acts without blocks and asks the laws each time.

use std::sync::LazyLock;

use primitives::{KeyPair, Seed};

use crate::{
    AccountId, Action, AssetId, BlockContext, ChainId, Event, MemoryStore, Overlay, app,
    domains::accounts,
};

pub(crate) struct Lab {
    pub(crate) store: MemoryStore,
    pub(crate) context: BlockContext,
}

/// People whose keys are made once: making one costs a hundred hashes.
static PEOPLE: LazyLock<Vec<(KeyPair, AccountId)>> = LazyLock::new(|| {
    let person = |number| {
        let key = KeyPair::from_seed(Seed::from_number(number));
        let account = AccountId::of_key(key.id());
        (key, account)
    };
    (0..=100).map(person).collect()
});

/// The key of the person called by a number from 0 to 100.
pub(crate) fn key(number: u64) -> KeyPair {
    PEOPLE[usize::try_from(number).unwrap()].0.clone()
}

/// The account of that key.
pub(crate) fn account(number: u64) -> AccountId {
    PEOPLE[usize::try_from(number).unwrap()].1
}

impl Lab {
    pub(crate) fn new() -> Self {
        let chain = ChainId::new([1; 32]);
        let context = BlockContext { chain, height: 1, time_ms: 0 };
        Self { store: MemoryStore::new(), context }
    }

    /// Gives units out of nothing.
    pub(crate) fn fund(&mut self, to: AccountId, asset: AssetId, amount: u128) {
        let mut state = Overlay::new(&self.store);
        accounts::mint(&mut state, asset, to, amount).unwrap();
        let (changes, _) = state.into_parts();
        self.store.commit(changes);
    }

    pub(crate) fn wait_s(&mut self, seconds: u64) {
        self.context.time_ms += seconds * 1000;
        self.context.height += 1;
    }

    /// Acts; a refusal must leave the state as it was, and the laws must hold after either.
    pub(crate) fn act(&mut self, signer: AccountId, action: &Action) -> Result<Vec<Event>, u16> {
        let mut state = Overlay::new(&self.store);
        let outcome = app::execute(&self.context, signer, action, &mut state);
        let (changes, events) = state.into_parts();
        if outcome.is_ok() {
            self.store.commit(changes);
        }
        app::laws(&self.store).unwrap();
        outcome.map(|()| events)
    }

    pub(crate) fn balance(&self, account: AccountId, asset: AssetId) -> u128 {
        accounts::balance(&self.store, account, asset)
    }
}
