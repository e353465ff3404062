//! What servers send a light client: headers, certificates, proofs. A ledger in miniature signs them, so
//! that mutations reach what lies behind a signature.

use light_client::{
    Event, Header, Input, LightClient, Output, QueryId, ServerId, Verifier,
    testing::{Ledger, State},
};
use wire::ledger::{Finality, Records, StateProof, Successions};

const NOW_MS: u64 = 1_790_000_000_000;
const KEY: &[u8] = b"held";

/// Whatever comes, a record is told only as it is, and a block only as it was signed.
pub fn run(bytes: &[u8]) {
    let ledger = ledger();
    drop(Header::read(bytes));
    if let Some(finality) = Finality::read(bytes) {
        assert_eq!(
            Finality::read(&finality.to_bytes()),
            Some(finality),
            "it survives being written"
        );
    }
    if let Some(page) = Records::read(bytes) {
        assert_eq!(Records::read(&page.to_bytes()), Some(page), "it survives being written");
    }
    if let Some(proof) = StateProof::read(bytes) {
        let headers = ledger.finality(2, 0).headers;
        let header = Header::read(&headers[0]).expect("the ledger's own");
        if let Ok(record) = Verifier::record(&header, KEY, &proof) {
            assert_eq!(record, Some([2].as_slice()), "another record than the state's");
        }
    }
    if let Some(Successions(proofs)) = Successions::read(bytes) {
        let ledger = succeeded();
        let (mut named, mut verifier) = (verifier(&ledger), verifier(&ledger));
        for proof in &ledger.successions(0).0 {
            named.succeed(proof).expect("the ledger's own");
        }
        for proof in &proofs {
            // Whatever of it is refused, the rest is looked at.
            let _ = verifier.succeed(proof);
        }
        assert!(named.identities().starts_with(verifier.identities()), "only who was named");
    }
    let mut client = LightClient::new(&ledger.root()).expect("the ledger's own");
    let mut out = Vec::new();
    client.step(NOW_MS, Input::Up(ServerId(0)), &mut out);
    client.step(NOW_MS, Input::Prove { query: QueryId(0), key: KEY }, &mut out);
    for output in std::mem::take(&mut out) {
        if let Output::Ask { request, .. } = output {
            client.step(NOW_MS, Input::Answered { request, bytes }, &mut out);
        }
    }
    client.step(NOW_MS + 1_000, Input::Pushed { from: ServerId(0), bytes }, &mut out);
    client.step(NOW_MS + 2_000, Input::Tick, &mut out);
    for output in &out {
        match output {
            Output::Event(Event::Head(head)) => assert!(head.header.height <= ledger.height()),
            Output::Event(Event::Proved(proved)) => {
                let units = u8::try_from(proved.height).expect("three blocks");
                assert_eq!(proved.record.as_deref(), Some([units].as_slice()));
            }
            Output::Event(_) | Output::Ask { .. } => {}
        }
    }
}

fn ledger() -> Ledger {
    let mut ledger = Ledger::new(1);
    for number in 1..=3u8 {
        let records: [(&[u8], &[u8]); 2] = [(KEY, &[number]), (b"other", b"x")];
        ledger.add(NOW_MS, State::of(&records, 5, 0));
    }
    ledger
}

fn verifier(ledger: &Ledger) -> Verifier {
    Verifier::new(&ledger.root()).expect("the ledger's own")
}

/// Two sets of validators took over in it.
fn succeeded() -> Ledger {
    let mut ledger = ledger();
    ledger.succeed(NOW_MS, 2, &[(KEY, &[4])]);
    ledger.succeed(NOW_MS, 3, &[(KEY, &[5])]);
    ledger
}

/// True answers.
pub fn seeds() -> Vec<Vec<u8>> {
    let ledger = ledger();
    vec![
        ledger.finality(3, 0).to_bytes(),
        ledger.finality(1, 2).to_bytes(),
        ledger.state_proof(2, KEY).to_bytes(),
        ledger.state_proof(3, b"gone").to_bytes(),
        ledger.finality(2, 0).headers[0].to_vec(),
        succeeded().successions(0).to_bytes(),
    ]
}
