//! What people do in some blocks: their transactions, the receipts, and the records that are left.

use std::collections::BTreeMap;

use ledger::{Action, Block, Body, Checked, MemoryStore, Scan as _, apply};
use serde_json::{Value, json};

use super::{account, genesis, hex, key};

/// A transaction's name, who signs it, what it does. Of one that does nothing the name ends with "refused".
pub(super) type Step = (&'static str, u64, Action);

/// A ledger from its genesis on, and the vectors of what was done on it.
pub(super) struct Story {
    pub(super) vectors: Vec<Value>,
    store: MemoryStore,
    height: u64,
    nonces: BTreeMap<u64, u64>,
}

impl Story {
    pub(super) fn new() -> Self {
        let mut store = MemoryStore::new();
        store.commit(genesis().changes().unwrap());
        Self { vectors: Vec::new(), store, height: 0, nonces: BTreeMap::new() }
    }

    /// The next block: all transactions, then all receipts.
    pub(super) fn block(&mut self, time_ms: u64, steps: impl IntoIterator<Item = Step>) {
        let (mut names, mut transactions) = (Vec::new(), Vec::new());
        for step in steps {
            let (name, bytes) = self.sign(step);
            let opened = Checked::open(&bytes, genesis().chain()).unwrap();
            self.vectors.push(json!({
                "name": name, "kind": "ledger-transaction", "cbor": hex(&bytes),
                "id": opened.id().to_string(), "work": opened.work(),
            }));
            names.push(name);
            transactions.push(opened);
        }
        self.height += 1;
        let block = Block { height: self.height, time_ms, transactions: &transactions };
        let applied = apply(&self.store, &block).unwrap();
        for (receipt, name) in applied.receipts.iter().zip(names) {
            assert_eq!(receipt.code != 0, name.ends_with("refused"), "{name}: {}", receipt.code);
            let bytes = minicbor::to_vec(receipt).unwrap();
            self.vectors.push(json!({
                "name": name, "kind": "ledger-receipt", "cbor": hex(&bytes), "code": receipt.code,
            }));
        }
        self.store.commit(applied.changes);
        ledger::laws(&self.store).unwrap();
    }

    fn sign(&mut self, (name, who, action): Step) -> (&'static str, Vec<u8>) {
        let nonce = self.nonces.entry(who).or_default();
        let mut body = Body::new(genesis().chain(), account(who), *nonce, action);
        *nonce += 1;
        body.fee = 100_000;
        body.expiry_height = 1_000;
        (name, body.sign(&key(who)).to_bytes())
    }

    /// The records now whose keys begin so.
    pub(super) fn records(&mut self, prefix: &[u8]) {
        let Self { vectors, store, .. } = self;
        store.scan(prefix, &mut |key, record| {
            vectors.push(json!({
                "name": hex(&key.as_bytes()[..2]), "kind": "ledger-record",
                "key": hex(key.as_bytes()), "key_hash": key.hash().to_string(), "record": hex(record),
            }));
        });
    }
}
