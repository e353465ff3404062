//! Transactions and blocks: what a stranger's bytes, a proposer and a replica may do.

mod histories;

use primitives::KeyPair;
use proptest::prelude::*;

use crate::{
    AccountId, Action, AssetId, Block, BlockError, BlockRun, Body, Checked, Code as _, Event,
    Genesis, Key, MemoryStore, Params, Policy, Refusal, Scan as _, Store as _, apply,
    domains::{accounts, assets, energy, lending},
    laws, params, reads, refusal_name,
    testing::{account, key},
    tip,
};

const START: u128 = 1_000_000_000;

fn genesis(people: u64) -> Genesis {
    Genesis {
        name: "test".to_owned(),
        time_ms: 1_000,
        params: Params::default(),
        symbol: "STAR".to_owned(),
        decimals: 6,
        allocations: (1..=people).map(|number| (account(number), START)).collect(),
    }
}

fn begin(people: u64) -> (Genesis, MemoryStore) {
    let genesis = genesis(people);
    let mut store = MemoryStore::new();
    store.commit(genesis.changes().unwrap());
    (genesis, store)
}

fn transfer(to: AccountId, amount: u128) -> Action {
    Action::Accounts(accounts::Action::Transfer { asset: AssetId::NATIVE, to, amount })
}

/// A transaction that offers enough.
fn body(genesis: &Genesis, signer: u64, nonce: u64, action: Action) -> Body {
    let mut body = Body::new(genesis.chain(), account(signer), nonce, action);
    body.fee = 100_000;
    body
}

fn checked(genesis: &Genesis, body: Body, key: &KeyPair) -> Checked {
    Checked::open(&body.sign(key).to_bytes(), genesis.chain()).unwrap()
}

#[test]
fn a_block_pays_counts_and_tells() {
    let (genesis, mut store) = begin(2);
    // SHA-256 of "abc", as the standard has it.
    let note = Body::memo_of("abc");
    assert!(note.to_string().starts_with("ba7816bf8f01cfea"));
    let mut first = body(&genesis, 1, 0, transfer(account(2), 5));
    first.memo = Some(note);
    let second = body(&genesis, 1, 1, transfer(account(2), START));
    let both = [checked(&genesis, first, &key(1)), checked(&genesis, second, &key(1))];
    let block = Block { height: 1, time_ms: 2_000, transactions: &both };
    let applied = apply(&store, &block).unwrap();
    assert_eq!(applied, apply(&store, &block).unwrap(), "the same block does the same");
    let codes: Vec<u16> = applied.receipts.iter().map(|receipt| receipt.code).collect();
    assert_eq!(codes, [0, accounts::Error::InsufficientBalance.code()]);
    assert!(applied.receipts[1].events.is_empty());
    store.commit(applied.changes);
    laws(&store).unwrap();
    // The refused one paid and was counted, and did nothing else.
    let left = accounts::balance(&store, account(1), AssetId::NATIVE);
    assert_eq!(left, START - 5 - 200_000);
    assert_eq!(accounts::nonce(&store, account(1)), 2);
    assert_eq!(accounts::supply(&store, AssetId::NATIVE), 2 * START - 200_000, "fees are burned");
    let last = tip(&store).unwrap();
    assert_eq!((last.height, last.time_ms), (1, 2_000));
}

#[test]
fn fees_go_to_the_account_that_genesis_names() {
    let mut genesis = genesis(2);
    genesis.params.fee_account = Some(account(2));
    let mut store = MemoryStore::new();
    store.commit(genesis.changes().unwrap());
    let one = [checked(&genesis, body(&genesis, 1, 0, transfer(account(3), 1)), &key(1))];
    let block = Block { height: 1, time_ms: 1_000, transactions: &one };
    store.commit(apply(&store, &block).unwrap().changes);
    assert_eq!(accounts::balance(&store, account(2), AssetId::NATIVE), START + 100_000);
    laws(&store).unwrap();
}

#[test]
fn what_no_block_may_hold_is_refused_with_its_reason() {
    let (genesis, store) = begin(1);
    let good = || body(&genesis, 1, 0, transfer(account(2), 1));
    let cases: [(Body, u64, Refusal); 5] = [
        (Body { expiry_height: 0, ..good() }, 1, Refusal::Expired),
        (good(), 2, Refusal::OtherKeys),
        (Body { nonce: 1, ..good() }, 1, Refusal::Nonce),
        (Body { fee: 1, ..good() }, 1, Refusal::FeeTooLow),
        (Body { fee: START + 1, ..good() }, 1, Refusal::CannotPayFee),
    ];
    for (body, signer, refusal) in cases {
        let one = [checked(&genesis, body, &key(signer))];
        let block = Block { height: 1, time_ms: 1_000, transactions: &one };
        assert_eq!(apply(&store, &block), Err(BlockError::Refused { index: 0, refusal }));
    }
}

#[test]
fn bytes_that_are_no_transaction_are_refused_before_any_state() {
    let (genesis, _) = begin(1);
    let chain = genesis.chain();
    let good = || body(&genesis, 1, 0, transfer(account(2), 1));
    let open = |bytes: &[u8]| Checked::open(bytes, chain).unwrap_err();
    assert_eq!(open(&[0; 20_000]), Refusal::TooLarge);
    assert_eq!(open(b"hello"), Refusal::Malformed);
    let longer = [&good().sign(&key(1)).to_bytes()[..], &[0]].concat();
    assert_eq!(open(&longer), Refusal::Malformed, "a byte behind it");
    let later = Body { version: 2, ..good() };
    assert_eq!(open(&later.sign(&key(1)).to_bytes()), Refusal::Version);
    let other = Body { chain: crate::ChainId::new([0; 32]), ..good() };
    assert_eq!(open(&other.sign(&key(1)).to_bytes()), Refusal::OtherChain);
    let mut nobody = good().sign(&key(1));
    nobody.policy.threshold = 0;
    assert_eq!(open(&nobody.to_bytes()), Refusal::Policy);
    let mut twice = good().sign(&key(1));
    twice.signatures.push(twice.signatures[0]);
    assert_eq!(open(&twice.to_bytes()), Refusal::SignatureCount);
    let mut forged = good().sign(&key(1));
    forged.body.fee += 1;
    assert_eq!(open(&forged.to_bytes()), Refusal::Signature);
    let nothing = body(&genesis, 1, 0, transfer(account(2), 0));
    let refusal = Refusal::Action(accounts::Error::NothingToSend.code());
    assert_eq!(open(&nothing.sign(&key(1)).to_bytes()), refusal);
}

#[test]
fn two_of_three_keys_speak_and_one_does_not() {
    let (mut genesis, _) = begin(0);
    let keys = [key(1), key(2), key(3)];
    let mut ids: Vec<_> = keys.iter().map(KeyPair::id).collect();
    ids.sort();
    let policy = Policy { threshold: 2, keys: ids };
    let shared = AccountId::of(&policy);
    genesis.allocations = vec![(shared, START)];
    let mut store = MemoryStore::new();
    store.commit(genesis.changes().unwrap());
    let mut body = Body::new(genesis.chain(), shared, 0, transfer(account(9), 7));
    body.fee = body.cost_by(&genesis.params, &policy);
    assert!(body.fee > body.cost(&genesis.params), "each signature costs");
    let alone = body.clone().sign_by(policy.clone(), &[&keys[0]]);
    let refused = Checked::open(&alone.to_bytes(), genesis.chain());
    assert_eq!(refused, Err(Refusal::SignatureCount));
    let two = body.sign_by(policy, &[&keys[2], &keys[0]]);
    let one = [Checked::open(&two.to_bytes(), genesis.chain()).unwrap()];
    let applied = apply(&store, &Block { height: 1, time_ms: 1_000, transactions: &one }).unwrap();
    assert_eq!(applied.receipts[0].code, 0);
}

#[test]
fn heights_follow_each_other_and_time_does_not_run_backwards() {
    let (_, store) = begin(1);
    let at = |height, time_ms| apply(&store, &Block { height, time_ms, transactions: &[] });
    assert_eq!(at(2, 1_000), Err(BlockError::Height { expected: 1, found: 2 }));
    assert_eq!(at(1, 999), Err(BlockError::Time { earliest_ms: 1_000, found_ms: 999 }));
    let empty = MemoryStore::new();
    let none = Block { height: 1, time_ms: 0, transactions: &[] };
    assert_eq!(apply(&empty, &none), Err(BlockError::NoGenesis));
}

#[test]
fn a_builder_leaves_out_what_does_not_fit() {
    let mut genesis = genesis(1);
    genesis.params.block_work_max = 20;
    let mut store = MemoryStore::new();
    store.commit(genesis.changes().unwrap());
    let mut run = BlockRun::begin(&store, 1, 1_000).unwrap();
    let one = checked(&genesis, body(&genesis, 1, 0, transfer(account(2), 1)), &key(1));
    assert_eq!(run.push(&one).unwrap().code, 0);
    assert_eq!(run.push(&one), Err(Refusal::Nonce));
    let next = checked(&genesis, body(&genesis, 1, 1, transfer(account(2), 1)), &key(1));
    assert_eq!(run.push(&next), Err(Refusal::BlockFull));
    assert_eq!(run.finish().receipts.len(), 1);
}

#[test]
fn a_block_holds_as_many_bytes_as_the_chain_chose_and_no_more() {
    let size = |genesis: &Genesis| {
        checked(genesis, body(genesis, 1, 0, transfer(account(2), 1)), &key(1)).size_bytes()
    };
    let pair = 2 * size(&genesis(1));
    for (bytes_max, second) in [(pair, Ok(0)), (pair - 1, Err(Refusal::BlockFull))] {
        let mut genesis = genesis(1);
        genesis.params.block_bytes_max = bytes_max;
        let mut store = MemoryStore::new();
        store.commit(genesis.changes().unwrap());
        let one =
            |nonce| checked(&genesis, body(&genesis, 1, nonce, transfer(account(2), 1)), &key(1));
        let mut run = BlockRun::begin(&store, 1, 1_000).unwrap();
        assert_eq!(run.push(&one(0)).map(|receipt| receipt.code), Ok(0));
        assert_eq!(run.push(&one(1)).map(|receipt| receipt.code), second, "{bytes_max} bytes");
    }
}

#[test]
fn other_choices_hold_from_their_block_on_and_are_a_record() {
    let (genesis, mut store) = begin(1);
    let paid = |nonce, fee| {
        let mut body = body(&genesis, 1, nonce, transfer(account(2), 1));
        body.fee = fee;
        checked(&genesis, body, &key(1))
    };
    let dear = Params { fee_base: 500_000, ..Params::default() };
    let mut run = BlockRun::begin(&store, 1, 1_000).unwrap();
    let large = Params { block_bytes_max: u64::MAX, ..Params::default() };
    assert_eq!(run.choose(large), None);
    assert_eq!(run.params(), &Params::default(), "nothing is changed");
    run.choose(dear.clone()).unwrap();
    assert_eq!(run.push(&paid(0, 100_000)), Err(Refusal::FeeTooLow));
    assert_eq!(run.push(&paid(0, 600_000)).unwrap().code, 0);
    store.commit(run.finish().changes);
    assert_eq!(params(&store), Some(dear));
    let mut run = BlockRun::begin(&store, 2, 1_000).unwrap();
    assert_eq!(run.push(&paid(1, 100_000)), Err(Refusal::FeeTooLow));
}

#[test]
fn other_genesis_other_chain() {
    let (one, mut two) = (genesis(1), genesis(1));
    two.time_ms += 1;
    assert_ne!(one.chain(), two.chain());
    two.params.block_bytes_max = u64::MAX;
    assert!(two.changes().is_err());
}

#[test]
fn records_lie_where_light_clients_look() {
    let (_, store) = begin(1);
    let key = accounts::balance_key(account(1), AssetId::NATIVE);
    let record = store.get(&key).unwrap();
    let read: accounts::Balance = minicbor::decode(&record).unwrap();
    assert_eq!(read, accounts::Balance { amount: START, frozen: false });
}

#[test]
fn refusals_of_every_domain_have_names() {
    assert_eq!(refusal_name(accounts::Error::Frozen.code()), Some("Frozen"));
    assert_eq!(refusal_name(energy::Error::Settled.code()), Some("Settled"));
    assert_eq!(refusal_name(0), None);
}

#[test]
fn a_record_is_read_where_its_table_is_known_and_its_form_is_right() {
    let (_, store) = begin(2);
    let mut count = 0;
    store.scan(&[], &mut |key, record| {
        count += 1;
        assert_eq!((reads(key, record), reads(key, &[0xff])), (Some(true), Some(false)), "{key}");
    });
    assert_eq!(count, 5, "tip, parameters, two balances, a supply");
    let nowhere = Key::from_bytes(vec![5, 9, 0xa0]);
    assert_eq!((reads(&nowhere, &[0]), nowhere.to_string().as_str()), (None, "0509a0"));
}

#[test]
fn what_a_body_costs_is_enough_whatever_fee_it_offers() {
    let genesis = genesis(1);
    let mut body = Body::new(genesis.chain(), account(1), 0, transfer(account(2), 5));
    let cost = body.cost(&genesis.params);
    for (fee, spare) in [(u64::MAX.into(), 0), (cost, 8 * genesis.params.fee_per_byte)] {
        body.fee = fee;
        assert_eq!(body.cost(&genesis.params), cost, "whatever it offers");
        let checked = checked(&genesis, body.clone(), &key(1));
        let least = genesis.params.fee(checked.size_bytes(), checked.work());
        assert!(least <= cost && cost - least <= u128::from(spare), "{least} of {cost}");
    }
}

#[test]
fn what_moved_is_told_and_a_pledge_moves_nothing() {
    let event =
        |kind, numbers: &[u128]| Event { kind, accounts: vec![], numbers: numbers.to_vec() };
    let (paid, lent) = (event(0x0100, &[0, 7]), event(0x0502, &[1, 0, 5]));
    assert_eq!(lending::moved(&[paid.clone(), lent]), Some(5));
    assert_eq!(lending::moved(&[event(0x0505, &[1, 0, 6])]), Some(6));
    assert_eq!(lending::moved(&[event(0x0509, &[1, 0, 8])]), Some(8), "covered");
    assert_eq!(lending::moved(&[paid, event(0x0506, &[1, 0, 1])]), None);
}

/// An action of one of five people on one of a few assets, sensible or not.
fn any_action() -> impl Strategy<Value = (u64, Action)> {
    let person = 1..=5_u64;
    let asset = (0..4_u32).prop_map(AssetId);
    let amount = prop_oneof![0..50_u128, 0..2_000_000_000_u128, Just(u128::MAX)];
    let action = (0..7_u8, person.clone(), asset, amount, any::<bool>()).prop_map(
        |(kind, other, asset, amount, yes)| {
            let to = account(other);
            let cap = yes.then_some(amount);
            match kind {
                0 | 1 => Action::Accounts(accounts::Action::Transfer { asset, to, amount }),
                2 => Action::Assets(assets::Action::Create {
                    symbol: "TEST".to_owned(),
                    decimals: 2,
                    supply_max: cap,
                    freezable: yes,
                }),
                3 => Action::Assets(assets::Action::Issue { asset, to, amount }),
                4 => Action::Assets(assets::Action::Burn { asset, amount }),
                5 => {
                    let account = to;
                    Action::Assets(assets::Action::Freeze { asset, account, frozen: yes })
                }
                _ => Action::Assets(assets::Action::Renounce { asset }),
            }
        },
    );
    (person, action)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_history_keeps_the_laws(history in prop::collection::vec(any_action(), 1..40)) {
        let mut lab = crate::testing::Lab::new();
        (1..=5).for_each(|person| lab.fund(account(person), AssetId::NATIVE, START));
        for (signer, action) in history {
            let before = lab.store.clone();
            if lab.act(account(signer), &action).is_err() {
                prop_assert_eq!(&lab.store, &before, "a refusal writes nothing");
            }
        }
        prop_assert_eq!(accounts::supply(&lab.store, AssetId::NATIVE), 5 * START);
    }

    #[test]
    fn any_bytes_are_a_transaction_or_a_refusal(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Checked::open(&bytes, genesis(0).chain()).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn one_changed_bit_is_refused(at in 0..2_500_usize) {
        let genesis = genesis(1);
        let body = body(&genesis, 1, 0, transfer(account(2), 1));
        let mut bytes = body.sign(&key(1)).to_bytes();
        let at = at % (bytes.len() * 8);
        bytes[at / 8] ^= 1 << (at % 8);
        prop_assert!(Checked::open(&bytes, genesis.chain()).is_err());
    }

    #[test]
    fn many_are_opened_as_each_of_them_is(
        changed in prop::collection::vec((1..4_u64, prop::option::weighted(0.1, 0..2_500_usize)), 0..20),
    ) {
        let genesis = genesis(1);
        let mut keys: Vec<_> = [1, 2, 3].map(|one| key(one).id()).to_vec();
        keys.sort();
        let two_of_three = Policy { threshold: 2, keys };
        let many: Vec<Vec<u8>> = (0..)
            .zip(changed)
            .map(|(nonce, (signer, change))| {
                let body = body(&genesis, signer, nonce, transfer(account(2), 1));
                let mut bytes = match signer {
                    3 => body.sign_by(two_of_three.clone(), &[&key(1), &key(3)]).to_bytes(),
                    _ => body.sign(&key(signer)).to_bytes(),
                };
                let bits = bytes.len() * 8;
                if let Some(at) = change {
                    bytes[at % bits / 8] ^= 1 << (at % 8);
                }
                bytes
            })
            .collect();
        let each: Vec<_> =
            many.iter().map(|bytes| Checked::open(bytes, genesis.chain())).collect();
        let opened = Checked::open_all(many.iter().map(Vec::as_slice), genesis.chain());
        prop_assert_eq!(opened, each);
    }

    #[test]
    fn replicas_agree_whatever_the_blocks_hold(
        histories in prop::collection::vec(prop::collection::vec(any_action(), 0..6), 1..5),
    ) {
        let (genesis, mut one) = begin(5);
        let mut other = one.clone();
        for (height, history) in (1..).zip(histories) {
            let time_ms = 1_000 + height;
            let mut run = BlockRun::begin(&one, height, time_ms).unwrap();
            let mut block = Vec::new();
            for (signer, action) in history {
                let nonce = run.nonce(account(signer));
                let transaction = body(&genesis, signer, nonce, action).sign(&key(signer));
                let opened = Checked::open(&transaction.to_bytes(), genesis.chain());
                let Ok(opened) = opened else { continue };
                if run.push(&opened).is_ok() {
                    block.push(opened);
                }
            }
            let built = run.finish();
            let applied = apply(&other, &Block { height, time_ms, transactions: &block }).unwrap();
            prop_assert_eq!(&built, &applied);
            one.commit(built.changes);
            other.commit(applied.changes);
            prop_assert_eq!(one.digest(), other.digest());
            laws(&one).unwrap();
        }
    }
}
