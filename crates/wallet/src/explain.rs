//! A proof for people: what was taken, what came out, in the order in which it was checked.

use core::fmt::Write as _;

use light_client::{Header, Proved};
use primitives::sha256;
use wire::ledger::StateProof;

use crate::view::Step;

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes any text");
    }
    text
}

/// How a proof of the balance holds.
pub(crate) fn steps(proved: &Proved) -> Vec<Step> {
    let Some(proof) = StateProof::read(&proved.bytes) else { return Vec::new() };
    let signed = proof.finality.headers.last().map(|bytes| bytes.to_vec()).unwrap_or_default();
    let Some(header) = proof.finality.headers.first().and_then(|bytes| Header::read(bytes)) else {
        return Vec::new();
    };
    let record = match &proof.record {
        Some(record) => hex(record),
        None => "none: absence is proved".to_owned(),
    };
    let value = proof.record.as_ref().map(|record| sha256(record).to_string());
    let list = [
        ("The record, as the server sent it (CBOR)", record),
        ("Its SHA-256, which the state commits to", value.unwrap_or_else(|| "nothing".to_owned())),
        ("The proof from there to the state root", format!("{} bytes", proof.proof.len())),
        ("State root that it comes to, as in the header", header.state_root.to_string()),
        ("The block's header", format!("{} bytes, block {}", header_bytes(&proof), header.height)),
        ("Its SHA-256, the block's name", header.name.to_string()),
        ("The block that the certificate names", sha256(&signed).to_string()),
        ("The certificate: one BLS12-381 signature", hex(&proof.finality.certificate)),
    ];
    list.into_iter().map(|(what, value)| Step { what: what.to_owned(), value }).collect()
}

fn header_bytes(proof: &StateProof) -> usize {
    proof.finality.headers.first().map_or(0, |bytes| bytes.len())
}
