//! Transactions of strangers, and blocks made of them. Besides raw bytes, a body that decodes is signed
//! by a key of ours: nothing behind the signature would be reached otherwise.

use ledger::{
    AccountId, Action, AssetId, Block, Body, Checked, Genesis, MemoryStore, Params, Transaction,
    apply,
    domains::{accounts, assets, energy, paypool},
    laws,
};
use primitives::{KeyPair, Seed};

/// What opens is canonical; what a block takes keeps every law; a block does the same twice.
pub fn run(bytes: &[u8]) {
    let genesis = genesis();
    let opened = Checked::open(bytes, genesis.chain());
    let many = Checked::open_all([bytes; 3], genesis.chain());
    assert!(many.iter().all(|one| *one == opened), "it depends on what it came with");
    if let Ok(opened) = opened {
        assert_eq!(opened.transaction().to_bytes(), bytes, "a second form of a transaction");
    }
    let Ok(transaction) = minicbor::decode::<Transaction>(bytes) else { return };
    let mut body = transaction.body;
    (body.version, body.chain, body.nonce) = (1, genesis.chain(), 0);
    (body.signer, body.expiry_height, body.fee) = (AccountId::of_key(key().id()), 1, 1 << 40);
    let sealed = body.sign(&key()).to_bytes();
    let Ok(checked) = Checked::open(&sealed, genesis.chain()) else { return };
    let mut store = MemoryStore::new();
    store.commit(genesis.changes().expect("it was checked before"));
    let block = Block { height: 1, time_ms: 1_700_000_000_000, transactions: &[checked] };
    let applied = apply(&store, &block).expect("it is paid for and fits");
    assert_eq!(Ok(&applied), apply(&store, &block).as_ref());
    store.commit(applied.changes);
    laws(&store).expect("the laws hold after any action");
}

fn key() -> KeyPair {
    KeyPair::from_seed(Seed::new([3; 32]))
}

fn genesis() -> Genesis {
    Genesis {
        name: "fuzz".to_owned(),
        time_ms: 0,
        params: Params::default(),
        symbol: "STAR".to_owned(),
        decimals: 6,
        allocations: vec![(AccountId::of_key(key().id()), 1 << 60)],
    }
}

/// One signed transaction of each of a few kinds.
pub fn seeds() -> Vec<Vec<u8>> {
    let to = AccountId::of_domain("somebody");
    let native = AssetId::NATIVE;
    let (symbol, supply_max) = ("GOLD".to_owned(), Some(1 << 70));
    let actions = [
        Action::Accounts(accounts::Action::Transfer { asset: native, to, amount: 5 }),
        Action::Assets(assets::Action::Create { symbol, decimals: 2, supply_max, freezable: true }),
        Action::Paypool(paypool::Action::Open {
            asset: native,
            deposit: 1_000,
            ttl_s: 3_600,
            signer: key().id(),
        }),
        Action::Paypool(paypool::Action::Reserve { pool: 1, lanes: vec![(to, 5)] }),
        Action::Energy(energy::Action::Open {
            asset: native,
            grid: to,
            network: to,
            window_slots: 96,
            rules: energy::Rules {
                mode: energy::Mode::Sharing,
                tariff: energy::Tariff { retail: 300_000, feed_in: 80_000, grid_fee: 50_000 },
                loss_ppm: 0,
                trust_min: energy::Trust::Retailer,
            },
        }),
    ];
    let sign = |action| {
        Body::new(genesis().chain(), AccountId::of_key(key().id()), 0, action)
            .sign(&key())
            .to_bytes()
    };
    actions.into_iter().map(sign).collect()
}
