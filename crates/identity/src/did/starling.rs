//! `did:starling`: what the owner of a DID signs. What the ledger makes of it is the ledger's
//! (`crates/ledger/src/domains/identity.rs`).
//!
//! Every [`Op`] holds the whole of what the DID says ([`Content`]), the hash of the op before, and a
//! signature over the network it is for: an op is of one place in one history on one ledger. The id is
//! the hash of the first, signed op, so that nobody makes a DID that is another's.

mod content;
mod handed;
mod op;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

pub use content::{Content, ContentError, Guardians, KeyMethod, Service, promise, purposes};
pub use handed::{AskText, HandedApproval, HandedError};
pub use op::{Approval, Change, GuardOp, OP_BYTES_MAX, Op, VERSION, Veto, are_promised};

use super::StarlingId;

/// The document of a DID whose content is known, as JSON of W3C DID 1.0.
pub fn document(id: StarlingId, content: &Content) -> Value {
    let did = format!("did:starling:{id}");
    let methods: Vec<Value> = content
        .methods
        .iter()
        .map(|method| {
            json!({
                "id": format!("{did}#{}", method.id), "type": "Multikey", "controller": did,
                "publicKeyMultibase": method.key.to_multikey(),
            })
        })
        .collect();
    let services: Vec<Value> = content
        .services
        .iter()
        .map(|service| {
            json!({
                "id": format!("{did}#{}", service.id), "type": service.kind,
                "serviceEndpoint": service.endpoint,
            })
        })
        .collect();
    let mut document = json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did, "alsoKnownAs": content.aliases,
        "verificationMethod": methods, "service": services,
    });
    for (bit, name) in purposes::NAMES {
        let listed = content.methods.iter().filter(|method| method.purposes & bit != 0);
        let ids: Vec<String> = listed.map(|method| format!("{did}#{}", method.id)).collect();
        document[*name] = ids.into();
    }
    document
}
