//! What a validator hands out is checked by the light client: code that shares nothing with the engine.

mod crowd;
mod succession;

use std::fs::File;
use std::time::Duration;

use ledger::{Action, AssetId, Body, Key, domains::accounts};
use light_client::Verifier;

use super::*;
use crate::fill::{fill, filled_account};
use crate::snapshot::restore;

/// What a slow machine may take for anything here.
const DEADLINE: Duration = Duration::from_secs(60);

fn faucet(folder: &Path) -> KeyPair {
    let seed: [u8; 32] = secret::read(&folder.join("faucet.key")).unwrap().try_into().unwrap();
    KeyPair::from_seed(Seed::new(seed))
}

fn verifier(handle: &Handle) -> Verifier {
    Verifier::new(&handle.root().parse().unwrap()).unwrap()
}

/// Whether the certificate makes the first header final under the trust root.
fn is_final(handle: &Handle, certified: &Certified) -> bool {
    verifier(handle).finality(&certified.to_wire()).is_ok()
}

/// Whether the proof says of the key what the answer does.
fn is_proved(key: &Key, proved: &Proved) -> bool {
    let header = light_client::Header::read(&proved.certified.headers[0]).unwrap();
    Verifier::record(&header, key.as_bytes(), &proved.to_wire())
        .is_ok_and(|record| record == proved.record.as_deref())
}

fn signed(handle: &Handle, key: &KeyPair, to: AccountId) -> Vec<u8> {
    let transfer = accounts::Action::Transfer { asset: AssetId::NATIVE, to, amount: 5 };
    let signer = AccountId::of_key(key.id());
    let nonce = handle.with_state(|state| accounts::nonce(state, signer)).unwrap();
    let mut body = Body::new(handle.chain(), signer, nonce, Action::Accounts(transfer));
    body.fee = 100_000;
    body.sign(key).to_bytes()
}

async fn pay(handle: &Handle, key: &KeyPair, to: AccountId) -> Receipt {
    let id = handle.submit(&signed(handle, key, to)).unwrap();
    let mut heights = handle.height();
    let waiting = async {
        loop {
            heights.mark_unchanged();
            if let Some(receipt) = handle.receipt(&id).unwrap() {
                return receipt;
            }
            heights.changed().await.unwrap();
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap()
}

#[tokio::test]
async fn certificates_and_proofs_hold_under_the_group_key_and_no_other_bit_does() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().to_owned(), heartbeat_ms: 200, ..Config::default() };
    let node = Node::start(&config).unwrap();
    let handle = node.handle();
    let to = AccountId::new([7; 32]);
    let receipt = pay(&handle, &faucet(folder.path()), to).await;
    assert_eq!(receipt.code, 0);

    let held = accounts::balance_key(to, AssetId::NATIVE);
    let absent = accounts::balance_key(AccountId::new([8; 32]), AssetId::NATIVE);
    for (key, there) in [(held.clone(), true), (absent.clone(), false)] {
        let proved = crate::api::proved(&handle, &key).await.unwrap();
        assert_eq!(proved.record.is_some(), there);
        assert!(proved.height >= receipt.height);
        assert!(is_final(&handle, &proved.certified) && is_proved(&key, &proved));
        // A flipped bit of a proof of absence may name another neighbour, whose gap is as true.
        for byte in (0..proved.proof.len()).step_by(7).filter(|_| there) {
            let mut other = proved.clone();
            other.proof[byte] ^= 1 << (byte % 8);
            assert!(!is_proved(&key, &other), "byte {byte}");
        }
        let elsewhere = if there { &absent } else { &held };
        assert!(!is_proved(elsewhere, &proved), "it is of its own key only");
        let mut other = proved.clone();
        other.record = Some(b"forged".to_vec());
        assert!(!is_proved(&key, &other));
    }
    let certified = handle.certificate(receipt.height).await.unwrap();
    assert!(is_final(&handle, &certified));
    for byte in 0..certified.certificate.len() {
        let mut other = certified.clone();
        other.certificate[byte] ^= 1 << (byte % 8);
        assert!(!is_final(&handle, &other), "byte {byte}");
    }
    for byte in 0..certified.headers[0].len() {
        let mut other = certified.clone();
        other.headers[0][byte] ^= 1 << (byte % 8);
        assert!(!is_final(&handle, &other), "byte {byte}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_known_from_its_submission_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().to_owned(), heartbeat_ms: 200, ..Config::default() };
    let node = Node::start(&config).unwrap();
    let (handle, key) = (node.handle(), faucet(folder.path()));
    // Whoever asks all the time asks at the worst moment.
    for turn in 0..20 {
        let id = handle.submit(&signed(&handle, &key, AccountId::new([7; 32]))).unwrap();
        let asking = async {
            loop {
                match handle.fate(&id).unwrap() {
                    Fate::Waits => tokio::task::yield_now().await,
                    fate => break fate,
                }
            }
        };
        let fate = tokio::time::timeout(DEADLINE, asking).await.unwrap();
        assert!(matches!(fate, Fate::Done(_)), "turn {turn}: {fate:?}");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_stopped_validator_starts_again_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().to_owned(), heartbeat_ms: 200, ..Config::default() };
    let node = Node::start(&config).unwrap();
    assert!(matches!(Node::start(&config), Err(NodeError::Locked(_))), "one at a time");
    let (handle, key) = (node.handle(), faucet(folder.path()));
    let to = AccountId::new([7; 32]);
    let first = pay(&handle, &key, to).await;
    let header = handle.header(first.height).unwrap();
    drop(handle);
    node.stop().await;

    let node = Node::start(&config).unwrap();
    let handle = node.handle();
    assert_eq!(handle.receipt(&first.transaction).unwrap(), Some(first.clone()));
    assert_eq!(handle.header(first.height).unwrap(), header);
    let second = pay(&handle, &key, to).await;
    assert!(second.height > first.height);
    let units = handle.with_state(|state| accounts::balance(state, to, AssetId::NATIVE)).unwrap();
    assert_eq!(units, 10);
    node.stop().await;
}

#[tokio::test]
async fn a_filled_ledger_goes_on_starts_again_and_proves_what_it_was_filled_with() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().to_owned(), heartbeat_ms: 200, ..Config::default() };
    let mut wanted = [300, 12].into_iter();
    let filled = fill(&config, |_| wanted.next().unwrap_or(0)).unwrap();
    assert_eq!(filled.accounts, 312);
    assert!(matches!(fill(&config, |_| 0), Err(NodeError::Io { .. })), "into no other's folder");

    let key = faucet(folder.path());
    for turn in 0..2 {
        let node = Node::start(&config).unwrap();
        let handle = node.handle();
        let to = filled_account(311);
        // Beyond the block that the disk begins with.
        for _ in 0..70 {
            assert_eq!(pay(&handle, &key, to).await.code, 0);
        }
        assert_eq!(handle.since().unwrap(), 2);
        for (account, units) in [(filled_account(0), 1), (to, 1 + 350 * (turn + 1))] {
            let held = accounts::balance_key(account, AssetId::NATIVE);
            let proved = crate::api::proved(&handle, &held).await.unwrap();
            assert!(is_final(&handle, &proved.certified) && is_proved(&held, &proved));
            let found =
                handle.with_state(|state| accounts::balance(state, account, AssetId::NATIVE));
            assert_eq!(found.unwrap(), units);
        }
        // What the faucet paid with makes one record: its account's.
        let records = u64::try_from(handle.records().all().unwrap().len()).unwrap();
        assert_eq!(records, filled.records + 1);
        drop(handle);
        node.stop().await;
    }
}

#[tokio::test]
async fn what_a_lone_validator_takes_is_final_without_its_next_heartbeat() {
    let folder = tempfile::tempdir().unwrap();
    let hour =
        Config { data: folder.path().to_owned(), heartbeat_ms: 3_600_000, ..Config::default() };
    let node = Node::start(&hour).unwrap();
    let (handle, key) = (node.handle(), faucet(folder.path()));
    for _ in 0..100 {
        pay(&handle, &key, AccountId::new([7; 32])).await;
    }
    node.stop().await;
}

#[tokio::test]
async fn a_lone_validator_that_starts_again_proves_what_it_has_without_its_next_heartbeat() {
    let folder = tempfile::tempdir().unwrap();
    let hour =
        Config { data: folder.path().to_owned(), heartbeat_ms: 3_600_000, ..Config::default() };
    let to = AccountId::new([7; 32]);
    let held = accounts::balance_key(to, AssetId::NATIVE);
    let mut last = 0;
    for turn in 0..4 {
        let node = Node::start(&hour).unwrap();
        let (handle, key) = (node.handle(), faucet(folder.path()));
        if turn > 0 {
            let mut news = handle.finality();
            let newest = news.wait_for(|bytes| !bytes.is_empty());
            let newest = tokio::time::timeout(DEADLINE, newest).await.unwrap().unwrap().clone();
            let newest = wire::ledger::Finality::read(&newest).unwrap();
            let headers = verifier(&handle).finality(&newest).unwrap();
            assert!(headers[0].height >= last, "what was final is told");
            let asking = crate::api::proved(&handle, &held);
            let proved = tokio::time::timeout(DEADLINE, asking).await.unwrap().unwrap();
            assert!(is_final(&handle, &proved.certified) && is_proved(&held, &proved));
            assert!(proved.height >= last && proved.record.is_some());
        }
        last = pay(&handle, &key, to).await.height;
        drop(handle);
        node.stop().await;
    }
}

#[test]
fn a_validators_key_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    secret::write(&folder.path().join("validator.key"), &[1; 32]).unwrap();
    let config = Config { data: folder.path().to_owned(), ..Config::default() };
    assert!(matches!(Node::start(&config), Err(NodeError::Network(NetworkError::Form { .. }))));
    assert_eq!(secret::read(&folder.path().join("validator.key")).unwrap(), [1; 32]);
}

/// The secrets of a validator, and its network, in another folder.
fn moved(from: &Path) -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["network.toml", "validator.key", "validator.share"] {
        std::fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    let data = folder.path().to_owned();
    (folder, Config { data, heartbeat_ms: 200, ..Config::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_a_ledger_that_goes_on_and_with_a_changed_byte_it_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().to_owned(), heartbeat_ms: 200, ..Config::default() };
    let node = Node::start(&config).unwrap();
    let (handle, key) = (node.handle(), faucet(folder.path()));
    let to = AccountId::new([7; 32]);
    let mut first = pay(&handle, &key, to).await;
    for _ in 0..4 {
        first = pay(&handle, &key, to).await;
    }
    let Taken { mut file, height, place } = handle.snapshot().await.unwrap().unwrap();
    assert!(height >= first.height);
    let others = [
        handle.snapshot().await.unwrap().unwrap(),
        handle.snapshot().await.unwrap().unwrap(),
        handle.snapshot().await.unwrap().unwrap(),
    ];
    assert!(others.iter().all(|one| one.height == height), "one for some time");
    let fifth = handle.snapshot().await;
    assert!(matches!(fifth, Err(SnapshotError::Unanswered(Unanswered::Busy))), "few at a time");
    drop((place, others));
    // Who goes away in the middle ends nothing, and the next one is given a whole file.
    drop(tokio::time::timeout(Duration::ZERO, handle.snapshot()).await);
    assert_eq!(handle.snapshot().await.unwrap().unwrap().height, height);
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
    let root = handle.root();
    drop(handle);
    node.stop().await;

    let (other, config) = moved(folder.path());
    let path = other.path().join("file");
    let made = |bytes: &[u8], roll_back| {
        std::fs::write(&path, bytes).unwrap();
        restore(&config, &path, roll_back)
    };
    // Alone, and it may have signed later blocks.
    assert!(matches!(made(&bytes, false), Err(SnapshotError::RollBack)));
    for byte in (0..bytes.len()).step_by(bytes.len() / 48) {
        let mut changed = bytes.clone();
        changed[byte] ^= 1 << (byte % 8);
        assert!(made(&changed, true).is_err(), "byte {byte} of {}", bytes.len());
    }
    for cut in [0, 4, bytes.len() / 2, bytes.len() - 1] {
        assert!(made(&bytes[..cut], true).is_err(), "cut at {cut}");
    }
    assert!(made(&[&bytes[..], &[0]].concat(), true).is_err(), "something behind its end");
    let left = std::fs::read_dir(other.path()).unwrap();
    assert_eq!(left.count(), 4, "what failed leaves nothing");
    assert_eq!(made(&bytes, true).unwrap().height, height);
    assert!(matches!(made(&bytes, true), Err(SnapshotError::Used(_))));

    for turn in 1..3 {
        let node = Node::start(&config).unwrap();
        let handle = node.handle();
        assert_eq!((handle.root(), handle.since().unwrap()), (root.clone(), height + 1));
        assert_eq!(handle.receipt(&first.transaction).unwrap(), None);
        let early = handle.certificate(height - 1).await;
        assert_eq!(early, Err(Unanswered::Pruned(height + 1)));
        let next = pay(&handle, &key, to).await;
        assert!(next.height > height);
        let held = accounts::balance_key(to, AssetId::NATIVE);
        let proved = crate::api::proved(&handle, &held).await.unwrap();
        assert!(is_final(&handle, &proved.certified) && is_proved(&held, &proved));
        let units = handle.with_state(|state| accounts::balance(state, to, AssetId::NATIVE));
        assert_eq!(units.unwrap(), 25 + 5 * turn);
        drop(handle);
        node.stop().await;
    }
    std::fs::write(other.path().join(UNFINISHED), "").unwrap();
    assert!(matches!(Node::start(&config), Err(NodeError::Unfinished(_))));
}

#[tokio::test]
async fn a_snapshot_of_another_ledger_is_refused() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config =
        |folder: &Path| Config { data: folder.to_owned(), heartbeat_ms: 200, ..Config::default() };
    for folder in [&one, &two] {
        let node = Node::start(&config(folder.path())).unwrap();
        let handle = node.handle();
        handle.height().wait_for(|height| *height > 0).await.unwrap();
        if folder.path() == one.path() {
            let Taken { mut file, .. } = handle.snapshot().await.unwrap().unwrap();
            let mut copy = File::create(two.path().join("file")).unwrap();
            std::io::copy(&mut file, &mut copy).unwrap();
        }
        drop(handle);
        node.stop().await;
    }
    let (_other, config) = moved(two.path());
    let made = restore(&config, &two.path().join("file"), true);
    assert!(matches!(made, Err(SnapshotError::NotFinal)));
}

#[test]
fn too_few_blocks_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_owned();
    let config = Config { data, keep_blocks: 5, ..Config::default() };
    assert!(matches!(Node::start(&config), Err(NodeError::Keep(5))));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
