//! A proof for people: what was taken, what came out, in the order in which it was checked; and all that it takes to
//! check it elsewhere.

use light_client::{Header, Proved};
use primitives::sha256;
use wire::ledger::StateProof;

use crate::view::Step;

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
    bytes.iter().flat_map(digits).flatten().collect()
}

/// How a proof of the balance holds. `key`: the record's; `url`: where a server has it.
pub(crate) fn steps(proved: &Proved, key: &[u8], url: &str) -> Vec<Step> {
    let Some(proof) = StateProof::read(&proved.bytes) else { return Vec::new() };
    let headers = &proof.finality.headers;
    let signed = headers.last().map(|bytes| bytes.to_vec()).unwrap_or_default();
    let first = headers.first().map(|bytes| bytes.to_vec()).unwrap_or_default();
    let Some(header) = Header::read(&first) else { return Vec::new() };
    let record = match &proof.record {
        Some(record) => hex(record),
        None => "none: absence is proved".to_owned(),
    };
    let value = proof.record.as_ref().map(|record| sha256(record).to_string());
    let step = |what: &str, value| Step { what: what.to_owned(), value, is_long: false };
    let long = |what: &str, bytes: &[u8]| Step { is_long: true, ..step(what, hex(bytes)) };
    let later = headers
        .iter()
        .skip(1)
        .map(|bytes| long("The next block's header: it names the one before as its parent", bytes));
    let mut list = vec![
        step("The record's key: what this account holds of the ledger's own", hex(key)),
        step("The request that gives all of this (accept: application/cbor)", url.to_owned()),
        step("The record, as the server sent it (CBOR)", record),
        step("Its SHA-256, which the state commits to", value.unwrap_or_else(|| "nothing".into())),
        long("The proof from there to the state root", &proof.proof),
        step("State root that it comes to, as in the header", header.state_root.to_string()),
        long(&format!("The block's header, block {}", header.height), &first),
        step("Its SHA-256, the block's name", header.name.to_string()),
    ];
    list.extend(later);
    list.push(step("The block that the certificate names", sha256(&signed).to_string()));
    let certificate = hex(&proof.finality.certificate);
    list.push(step("The certificate: one BLS12-381 signature", certificate));
    list
}
