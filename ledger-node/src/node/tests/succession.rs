//! A lone validator hands over: who pinned its key follows, and what was done before stays.

use light_client::Fault;
use wire::ledger::Successions;

use super::*;
use crate::mempool::Unwanted;
use crate::network::deal_successor;

/// Blocks between now and those of the next validator.
const AHEAD: u64 = 20;

fn config(data: &Path) -> Config {
    Config { data: data.to_owned(), heartbeat_ms: 50, ..Config::default() }
}

async fn until(handle: &Handle, height: u64) {
    let mut heights = handle.height();
    let waiting = heights.wait_for(|at| *at >= height);
    tokio::time::timeout(DEADLINE, waiting).await.unwrap().unwrap();
}

/// Who took over, once the proof of it is kept.
async fn successions(handle: &Handle) -> Successions {
    let asking = async {
        loop {
            let found = handle.successions(0).unwrap();
            if !found.0.is_empty() {
                break found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, asking).await.unwrap()
}

/// The next validator's folder, its network's file beside it.
fn dealt(network: &Path, height: u64) -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let address: [SocketAddr; 1] = [([127, 0, 0, 1], 1).into()];
    deal_successor(network, height, &address, folder.path(), std::slice::from_ref(&home)).unwrap();
    let network = Some(folder.path().join("network.toml"));
    (folder, Config { network, ..config(&home) })
}

/// What is left of a lone validator that took a payment: others may take over at `first`.
struct Paid {
    old: tempfile::TempDir,
    settings: Config,
    shared: PathBuf,
    key: KeyPair,
    to: AccountId,
    before: Receipt,
    root: String,
    first: u64,
}

async fn paid() -> Paid {
    let old = tempfile::tempdir().unwrap();
    let (settings, shared) = (config(old.path()), old.path().join("network.toml"));
    let node = Node::start(&settings).unwrap();
    let (handle, key) = (node.handle(), faucet(old.path()));
    let to = AccountId::new([7; 32]);
    let before = pay(&handle, &key, to).await;
    let (root, first) = (handle.root(), *handle.height().borrow() + AHEAD);
    drop(handle);
    node.stop().await;
    Paid { old, settings, shared, key, to, before, root, first }
}

/// What is left when a lone validator was told and has made its last block: its folder, the next one's with a
/// snapshot beside it, and the first block of that one.
async fn handed_over() -> (tempfile::TempDir, (tempfile::TempDir, Config), u64) {
    let old = tempfile::tempdir().unwrap();
    let (settings, shared) = (config(old.path()), old.path().join("network.toml"));
    let node = Node::start(&settings).unwrap();
    let handle = node.handle();
    until(&handle, 1).await;
    let first = *handle.height().borrow() + AHEAD;
    drop(handle);
    node.stop().await;
    let (next, later) = dealt(&shared, first);
    std::fs::copy(next.path().join("network.toml"), &shared).unwrap();
    let node = Node::start(&settings).unwrap();
    let handle = node.handle();
    until(&handle, first - 1).await;
    successions(&handle).await;
    let Taken { mut file, height, .. } = handle.snapshot().await.unwrap().unwrap();
    assert_eq!(height, first - 1);
    std::io::copy(&mut file, &mut File::create(next.path().join("file")).unwrap()).unwrap();
    drop(handle);
    node.stop().await;
    (old, (next, later), first)
}

/// Gives a folder the ledger of another, in place of its own.
fn copy_ledger(from: &Path, to: &Path) {
    if to.join("engine").exists() {
        std::fs::remove_dir_all(to.join("engine")).unwrap();
    }
    copy_folder(&from.join("engine"), &to.join("engine"));
    std::fs::copy(from.join("records.redb"), to.join("records.redb")).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (from, to) = entry.map(|one| (one.path(), to.join(one.file_name()))).unwrap();
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn old_data_again_makes_no_second_history() {
    let (old, (next, later), first) = handed_over().await;
    copy_ledger(old.path(), &later.data);
    let node = Node::start(&later).unwrap();
    until(&node.handle(), first + 1).await;
    node.stop().await;
    assert!(!later.data.join(FRESH).exists());

    // What it signed since is not in it.
    copy_ledger(old.path(), &later.data);
    let mut node = Node::start(&later).unwrap();
    let failed = tokio::time::timeout(DEADLINE, node.failed()).await.unwrap();
    assert!(matches!(failed, NodeError::Ended), "{failed}");
    assert_eq!(*node.handle().height().borrow(), first - 1);
    drop(node);

    // Told to, it begins there nevertheless, and remembers it.
    std::fs::remove_dir_all(later.data.join("engine")).unwrap();
    std::fs::remove_file(later.data.join("records.redb")).unwrap();
    let file = next.path().join("file");
    assert!(matches!(restore(&later, &file, false), Err(SnapshotError::RollBack)));
    assert_eq!(restore(&later, &file, true).unwrap().height, first - 1);
    for at in [first, first + 1] {
        let node = Node::start(&later).unwrap();
        until(&node.handle(), at).await;
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secrets_of_who_was_replaced_are_told_from_another_history() {
    let (old, (_next, later), first) = handed_over().await;
    copy_ledger(old.path(), &later.data);
    let node = Node::start(&later).unwrap();
    until(&node.handle(), first).await;
    node.stop().await;
    for name in ["validator.key", "validator.share"] {
        std::fs::copy(old.path().join(name), later.data.join(name)).unwrap();
    }
    let refused = Node::start(&later).unwrap_err();
    let last = first - 1;
    let told = matches!(refused, NodeError::Over { epoch: 0, last: at, .. } if at == last);
    assert!(told, "{refused}");
    assert!(refused.to_string().contains(&format!("ended with block {last}")), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_proof_of_a_succession_gives_no_snapshot() {
    let (old, (_next, later), first) = handed_over().await;
    copy_ledger(old.path(), &later.data);
    let node = Node::start(&later).unwrap();
    until(&node.handle(), first).await;
    node.stop().await;
    // As one that ran all blocks later has it.
    let database = redb::Database::open(later.data.join("records.redb")).unwrap();
    let write = database.begin_write().unwrap();
    {
        let table = redb::TableDefinition::<u64, &[u8]>::new("successions");
        let mut table = write.open_table(table).unwrap();
        assert!(table.remove(1_u64).unwrap().is_some());
    }
    write.commit().unwrap();
    drop(database);
    let node = Node::start(&later).unwrap();
    let handle = node.handle();
    let refused = handle.snapshot().await;
    let unshown = matches!(refused, Err(SnapshotError::Unshown { found: 0, expected: 1 }));
    assert!(unshown, "{refused:?}");
    drop(handle);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_pinned_the_first_key_follows_to_the_next_validator() {
    let Paid { old: _old, settings, shared, key, to, before, root, first } = paid().await;

    let (next, later) = dealt(&shared, first);
    std::fs::copy(next.path().join("network.toml"), &shared).unwrap();
    let node = Node::start(&settings).unwrap();
    let handle = node.handle();
    until(&handle, first - 1).await;
    let listed = successions(&handle).await;
    assert_eq!(listed.0.len(), 1);
    assert!(handle.is_over());
    let late = signed(&handle, &key, to);
    assert_eq!(handle.submit(&late), Err(Unwanted::Replaced));
    let Taken { mut file, height, .. } = handle.snapshot().await.unwrap().unwrap();
    assert_eq!(height, first - 1);
    let snapshot = next.path().join("file");
    std::io::copy(&mut file, &mut File::create(&snapshot).unwrap()).unwrap();
    drop(handle);
    node.stop().await;
    // It says the same when it starts again, and makes no block.
    let node = Node::start(&settings).unwrap();
    let handle = node.handle();
    let held = accounts::balance_key(to, AssetId::NATIVE);
    let proved = crate::api::proved(&handle, &held).await.unwrap();
    assert!(is_final(&handle, &proved.certified) && is_proved(&held, &proved));
    assert_eq!((proved.height, *handle.height().borrow()), (first - 1, first - 1));
    assert_eq!((handle.epoch(), handle.successions(0).unwrap()), (0, listed.clone()));
    drop(handle);
    node.stop().await;

    assert_eq!(restore(&later, &snapshot, false).unwrap().height, first - 1);
    let pinned = Verifier::new(&root.parse().unwrap()).unwrap();
    let mut verifier = pinned.clone();
    let (identity, last) = verifier.succeed(&listed.0[0]).unwrap();
    assert_eq!((identity.height, last.height), (first, first - 1));
    for turn in 0..2 {
        let node = Node::start(&later).unwrap();
        let handle = node.handle();
        assert_eq!((handle.epoch(), handle.root()), (1, root.clone()));
        assert_eq!(handle.successions(0).unwrap(), listed);
        let after = pay(&handle, &key, to).await;
        assert!(after.height >= first);
        let proved = crate::api::proved(&handle, &held).await.unwrap();
        let finality = proved.certified.to_wire();
        assert_eq!(pinned.finality(&finality), Err(Fault::Forged), "nobody named them");
        assert!(verifier.finality(&finality).is_ok() && is_proved(&held, &proved));
        let units = handle.with_state(|state| accounts::balance(state, to, AssetId::NATIVE));
        assert_eq!(units.unwrap(), 10 + 5 * turn, "with what was paid before");
        assert_eq!(handle.receipt(&before.transaction).unwrap(), None, "not in a snapshot");
        drop(handle);
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_validator_goes_on_with_the_old_ones_data() {
    let Paid { old, settings, shared, key, to, before, root, first } = paid().await;
    let (next, _) = dealt(&shared, first);
    std::fs::copy(next.path().join("network.toml"), &shared).unwrap();
    let node = Node::start(&settings).unwrap();
    let handle = node.handle();
    until(&handle, first - 1).await;
    drop(handle);
    node.stop().await;

    for name in ["validator.key", "validator.share", FRESH] {
        std::fs::copy(next.path().join("home").join(name), old.path().join(name)).unwrap();
    }
    let mut verifier = Verifier::new(&root.parse().unwrap()).unwrap();
    for _ in 0..2 {
        let node = Node::start(&settings).unwrap();
        let handle = node.handle();
        let after = pay(&handle, &key, to).await;
        assert!(after.height >= first);
        assert_eq!(handle.receipt(&before.transaction).unwrap(), Some(before.clone()));
        let listed = successions(&handle).await;
        if verifier.epoch() == 0 {
            verifier.succeed(&listed.0[0]).unwrap();
        }
        for height in [before.height, first - 1, after.height] {
            let certified = handle.certificate(height).await.unwrap();
            let headers = verifier.finality(&certified.to_wire()).unwrap();
            assert_eq!(headers[0].height, height);
        }
        drop(handle);
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_over_from_who_was_not_told() {
    let old = tempfile::tempdir().unwrap();
    let (settings, shared) = (config(old.path()), old.path().join("network.toml"));
    let node = Node::start(&settings).unwrap();
    let handle = node.handle();
    until(&handle, 5).await;
    node.stop().await;
    let height = *handle.height().borrow();
    drop(handle);
    // Told too late: others were to make the last block.
    let (next, _) = dealt(&shared, height);
    let text = std::fs::read_to_string(&shared).unwrap();
    std::fs::copy(next.path().join("network.toml"), &shared).unwrap();
    let refused = Node::start(&settings).unwrap_err();
    assert!(matches!(refused, NodeError::Epoch { made: 0, epoch: 1, .. }), "{refused}");

    // Its last block is there, but names nobody.
    std::fs::write(&shared, text).unwrap();
    let (next, _) = dealt(&shared, height + 1);
    std::fs::copy(next.path().join("network.toml"), &shared).unwrap();
    for name in ["validator.key", "validator.share", FRESH] {
        std::fs::copy(next.path().join("home").join(name), old.path().join(name)).unwrap();
    }
    let refused = Node::start(&settings).unwrap_err();
    assert!(matches!(refused, NodeError::Unnamed { .. }), "{refused}");
}
