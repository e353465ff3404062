//! What a stranger may send and what he is told: each code of `docs/spec/ledger.md`, "Errors".

use ledger::{
    AccountId, Action, AssetId, Body, Code as _, Refusal, domains::accounts::Action as Accounts,
    limits::TRANSACTION_BYTES_MAX,
};
use serde_json::{Value, json};

use super::ledger_rig::Network;
use super::somebody;

/// A transfer of who holds everything.
pub(super) async fn body(network: &Network, nonce: u64, fee: u128) -> Body {
    let status = network.get(0, "status").await;
    let chain = status["chain"].as_str().unwrap().parse().unwrap();
    let signer = AccountId::of_key(network.faucet().id());
    let transfer = Accounts::Transfer { asset: AssetId::NATIVE, to: somebody(), amount: 1 };
    let mut body = Body::new(chain, signer, nonce, Action::Accounts(transfer));
    body.fee = fee;
    body
}

async fn submit(network: &Network, body: Body) -> (u16, Value) {
    let bytes = body.sign(&network.faucet()).to_bytes();
    network.ask(0, "transactions", Some(bytes)).await
}

fn error(status: u16, code: &str) -> (u16, Value) {
    (status, json!({ "error": { "code": code } }))
}

fn refused(refusal: Refusal) -> (u16, Value) {
    (422, json!({ "error": { "code": "refused", "refusal": refusal.code() } }))
}

#[tokio::test]
async fn every_bad_request_has_its_code() {
    let mut network = Network::alone();
    network.start(0).await;
    let zeros = "00".repeat(32);
    let far = u64::MAX.to_string();
    let paths = [
        ("receipts/xyz", error(400, "malformed")),
        ("accounts/0", error(400, "malformed")),
        ("blocks/-1", error(400, "malformed")),
        ("blocks/18446744073709551616", error(400, "malformed")),
        ("certificates/one", error(400, "malformed")),
        ("state/0g", error(400, "malformed")),
        (&format!("state/{}", "00".repeat(200)), error(400, "malformed")),
        (&format!("receipts/{zeros}"), error(404, "unknown")),
        (&format!("blocks/{far}"), error(404, "unknown")),
        (&format!("certificates/{far}"), error(404, "unknown")),
        // Genesis is what one starts from: nobody signs it.
        ("certificates/0", error(404, "unknown")),
    ];
    for (path, expected) in paths {
        assert_eq!(network.ask(0, path, None).await, expected, "{path}");
    }
    let long = vec![0; TRANSACTION_BYTES_MAX + 1];
    assert_eq!(network.ask(0, "transactions", Some(long)).await, error(413, "too-large"));
    let text = b"hello".to_vec();
    assert_eq!(network.ask(0, "transactions", Some(text)).await, refused(Refusal::Malformed));
}

#[tokio::test]
async fn every_unwanted_transaction_has_its_code() {
    let mut network = Network::alone();
    network.start(0).await;
    let mut forged = body(&network, 0, 100_000).await.sign(&network.faucet());
    forged.signatures[0].bytes[9] ^= 1;
    let forged = network.ask(0, "transactions", Some(forged.to_bytes())).await;
    assert_eq!(forged, refused(Refusal::Signature));
    assert_eq!(submit(&network, body(&network, 0, 1).await).await, refused(Refusal::FeeTooLow));
    assert_eq!(submit(&network, body(&network, 64, 100_000).await).await, error(422, "nonce-gap"));
    // Number 1 waits for number 0, which nobody sends: it stays where it is.
    let waits = body(&network, 1, 100_000).await;
    assert_eq!(submit(&network, waits.clone()).await, (202, json!({ "transaction": waits.id() })));
    assert_eq!(submit(&network, waits.clone()).await, error(409, "duplicate"));
    let mut cheaper = waits;
    cheaper.fee -= 1;
    assert_eq!(submit(&network, cheaper).await, error(409, "underpriced"));
    assert_eq!(network.get(0, "status").await["waiting"]["count"], 1);
}
