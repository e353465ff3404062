//! What checks a certificate and a proof, and nothing that asks, follows or remembers. No page loads it: the light
//! client does the same and more. `cargo xtask bench ledger` weighs it.

use light_client::Verifier;
use wasm_bindgen::prelude::*;

/// One ledger's verifier.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Proofs(Verifier);

#[wasm_bindgen]
impl Proofs {
    /// The verifier of the root in this text. Nothing: it is none.
    pub fn open(root: &str) -> Option<Self> {
        Verifier::new(&root.parse().ok()?).ok().map(Self)
    }

    /// What is under a key, by a server's answer: a byte that is 1 and the record, or one that is 0. Nothing:
    /// it proves nothing.
    pub fn prove(&self, key: &[u8], answer: &[u8]) -> Option<Vec<u8>> {
        let (_, record) = self.0.answer(key, answer).ok()?;
        Some(record.map_or_else(|| vec![0], |record| [&[1], &record[..]].concat()))
    }
}
