//! Frozen bytes of the ledger: keys of records, records, transactions, names.
//!
//! Proves that today's code writes and reads the bytes of the vectors, so that what people signed and
//! what was proved stays valid. A vector changes only by a reviewed decision, noted in the changelog
//! under **Formats**: `UPDATE_VECTORS=1` writes them anew.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod complete;
mod energy;
mod lending;
mod lost;
mod paypool;
mod story;

use std::{fmt::Write as _, fs, path::PathBuf};

use identity::{
    SecretKey,
    did::{
        Did,
        starling::{
            Change, Content, GuardOp, Guardians, KeyMethod, Op, Service, Veto, promise, purposes,
        },
    },
    status::Anchor,
};
use ledger::{
    AccountId, Action, AssetId, Block, BlockRun, Body, Checked, Genesis, MemoryStore, Params,
    Policy, Scan as _, Succession, apply,
    domains::{accounts, assets, identity as dids},
};
use primitives::{Hash, KeyPair, Seed};
use serde_json::{Value, json};

fn file(name: &str) -> PathBuf {
    // Built as a test of `crates/ledger`: what it proves needs nothing else.
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("tests/conformance/vectors").join(name)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn key(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

fn account(number: u64) -> AccountId {
    AccountId::of_key(key(number).id())
}

fn genesis() -> Genesis {
    Genesis {
        name: "conformance".to_owned(),
        time_ms: 1_700_000_000_000,
        params: Params { fee_account: Some(account(9)), ..Params::default() },
        symbol: "STAR".to_owned(),
        decimals: 6,
        // More than 64 bits hold: bignums are part of the format.
        allocations: vec![(account(1), 1 << 70), (account(2), 5_000_000)],
    }
}

fn two_of_three() -> Policy {
    let mut keys: Vec<_> = (1..=3).map(|number| key(number).id()).collect();
    keys.sort();
    Policy { threshold: 2, keys }
}

fn actions() -> Vec<(&'static str, Action)> {
    let (asset, to, amount) = (AssetId(1), account(2), 1 << 65);
    let account = to;
    let symbol = "GOLD".to_owned();
    let policy = two_of_three();
    vec![
        (
            "create",
            Action::Assets(assets::Action::Create {
                symbol,
                decimals: 2,
                supply_max: Some(u128::MAX),
                freezable: true,
            }),
        ),
        ("issue", Action::Assets(assets::Action::Issue { asset, to, amount })),
        ("freeze", Action::Assets(assets::Action::Freeze { asset, account, frozen: true })),
        ("renounce", Action::Assets(assets::Action::Renounce { asset })),
        ("burn", Action::Assets(assets::Action::Burn { asset, amount: 1 })),
        (
            "transfer",
            Action::Accounts(accounts::Action::Transfer {
                asset: AssetId::NATIVE,
                to,
                amount: 1_000,
            }),
        ),
        ("set-policy", Action::Accounts(accounts::Action::SetPolicy { policy })),
    ]
}

fn secret(number: u8) -> SecretKey {
    SecretKey::ed25519(&[number; 32])
}

/// A DID says all that one can say: keys of both kinds, a promise, a service, guardians.
fn content(rotation: &[&SecretKey]) -> Content {
    let p256 = SecretKey::p256(&[9; 32]).unwrap().public();
    let (id, purposes) = ("login".to_owned(), purposes::AUTHENTICATION | purposes::ASSERTION);
    let members = vec![Did::Key(secret(7).public())];
    let (kind, endpoint) = ("Inbox".to_owned(), "https://a.example/inbox".to_owned());
    Content {
        rotation: rotation.iter().map(|key| key.public()).collect(),
        next: vec![promise(&secret(1).public()), promise(&p256)],
        methods: vec![KeyMethod { id, key: p256, purposes }],
        services: vec![Service { id: "inbox".to_owned(), kind, endpoint }],
        aliases: vec!["https://a.example".to_owned()],
        guardians: Some(Guardians { threshold: 1, members }),
    }
}

/// A DID is made, changed by its second key, recovered by its first, asked for by its guardian, who is
/// refused, stopped. Its deposit is refused: the stop is not final yet. Another issuer anchors a list.
fn dids() -> Vec<(&'static str, Action)> {
    let network = *genesis().chain().as_bytes();
    let (first, second) = (secret(1), SecretKey::p256(&[9; 32]).unwrap());
    let create =
        Op::sign((0, None), Change::Set(content(&[&first, &second])), (0, &first), &network);
    let did = create.id();
    let after = |op: &Op| (op.seq + 1, Some(op.hash()));
    let set = Change::Set(content(&[&second]));
    let set = Op::sign(after(&create), set, (1, &second), &network);
    let recover = Change::Recover { fork: set.hash(), content: content(&[&first]) };
    let recover = Op::sign(after(&set), recover, (0, &first), &network);
    let mut guard = GuardOp::new(recover.hash(), vec![secret(8).public()], Vec::new());
    guard.approve(0, (0, &secret(7)), &network);
    let veto = Veto::sign(guard.hash(), (0, &first), &network);
    let stop = Op::sign(after(&recover), Change::Stop, (0, &first), &network);
    let issuer = Did::Key(secret(7).public());
    let anchor = Anchor::sign((issuer, "did:key:a#list"), 1, "token", (0, &secret(7)), &network);
    let apply = |op| dids::Action::Apply { did, op: Box::new(op) };
    [
        ("did-create", dids::Action::Create { op: Box::new(create) }),
        ("did-set", apply(set)),
        ("did-recover", apply(recover)),
        ("did-guard", dids::Action::Guard { did, guard: Box::new(guard) }),
        ("did-veto", dids::Action::Veto { did, veto }),
        ("did-stop", apply(stop)),
        ("did-finish", dids::Action::Finish { did }),
        ("did-close", dids::Action::Close { did }),
        ("status-anchor", dids::Action::Anchor { anchor: Box::new(anchor) }),
    ]
    .map(|(name, action)| (name, Action::Identity(action)))
    .into()
}

/// The first person does everything in one block; the burn is refused for lack of units. The second
/// brings what is done to a DID.
fn transactions() -> Vec<(&'static str, Vec<u8>)> {
    let sign = |person, (nonce, (name, action)): (u64, (&'static str, Action))| {
        let mut body = Body::new(genesis().chain(), account(person), nonce, action);
        body.fee = 100_000;
        body.expiry_height = 1_000;
        body.memo = (nonce == 5).then(|| Hash::new([7; 32]));
        (name, body.sign(&key(person)).to_bytes())
    };
    let first = (0..).zip(actions()).map(|action| sign(1, action));
    first.chain((0..).zip(dids()).map(|action| sign(2, action))).collect()
}

#[test]
fn names_transactions_receipts_and_records_are_the_frozen_bytes() {
    let mut vectors = vec![
        json!({ "name": "account-of-key-1", "kind": "ledger-name", "hash": account(1).to_string() }),
        json!({ "name": "account-2-of-3", "kind": "ledger-name", "hash": AccountId::of(&two_of_three()).to_string() }),
        json!({ "name": "account-of-domain", "kind": "ledger-name", "hash": AccountId::of_domain("paypool").to_string() }),
        json!({ "name": "chain", "kind": "ledger-name", "hash": genesis().chain().to_string() }),
    ];
    let chain = genesis().chain();
    let mut store = MemoryStore::new();
    store.commit(genesis().changes().unwrap());
    let mut checked = Vec::new();
    for (name, bytes) in transactions() {
        let opened = Checked::open(&bytes, chain).unwrap();
        vectors.push(json!({
            "name": name, "kind": "ledger-transaction", "cbor": hex(&bytes),
            "id": opened.id().to_string(), "work": opened.work(),
        }));
        checked.push(opened);
    }
    let block = Block { height: 1, time_ms: 1_700_000_001_000, transactions: &checked };
    let applied = apply(&store, &block).unwrap();
    for (receipt, (name, _)) in applied.receipts.iter().zip(transactions()) {
        let bytes = minicbor::to_vec(receipt).unwrap();
        vectors.push(json!({
            "name": name, "kind": "ledger-receipt", "cbor": hex(&bytes), "code": receipt.code,
        }));
    }
    store.commit(applied.changes);
    ledger::laws(&store).unwrap();
    store.scan(&[], &mut |key, record| {
        vectors.push(json!({
            "name": hex(&key.as_bytes()[..2]), "kind": "ledger-record",
            "key": hex(key.as_bytes()), "key_hash": key.hash().to_string(), "record": hex(record),
        }));
    });
    // What the last block of validators writes of those who take over.
    let mut run = BlockRun::begin(&store, 2, 1_700_000_002_000).unwrap();
    run.succeed(1, &Succession { height: 5_000, key: [7; 96] });
    let key = ledger::succession_key(1);
    let record = run.finish().changes[&key].clone().unwrap();
    vectors.push(json!({
        "name": hex(&key.as_bytes()[..2]), "kind": "ledger-record",
        "key": hex(key.as_bytes()), "key_hash": key.hash().to_string(), "record": hex(&record),
    }));
    check("ledger.json", &vectors);
}

/// Compares with the file, or writes it when that was decided.
fn check(name: &str, vectors: &[Value]) {
    let text = serde_json::to_string_pretty(&json!({ "vectors": vectors })).unwrap() + "\n";
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(file(name), &text).unwrap();
    }
    let frozen: Value = serde_json::from_str(&fs::read_to_string(file(name)).unwrap()).unwrap();
    let frozen = frozen["vectors"].as_array().unwrap();
    assert_eq!(frozen.len(), vectors.len(), "number of vectors");
    for (expected, found) in frozen.iter().zip(vectors) {
        assert_eq!(expected, found);
    }
}
