//! Many who ask at once.

use super::*;

/// A validator whose engine is this test.
fn silent(folder: &Path, allocations: Vec<(AccountId, u128)>) -> (Handle, Asked) {
    let plan = Plan {
        name: "test".to_owned(),
        demo: true,
        time_ms: 0,
        addresses: vec![([127, 0, 0, 1], 1).into()],
        allocations,
    };
    deal_network(&plan, folder, &[folder.to_owned()]).unwrap();
    let path = folder.join("network.toml");
    let network = Network::read(&path).unwrap();
    let secrets = Secrets::read(folder).unwrap();
    let (members, _) = network.members(&path).unwrap().seat(&secrets).unwrap();
    let records = folder.join("records.redb");
    let app = app(&members, Duration::ZERO, |genesis| Records::open(&records, genesis)).unwrap();
    Handle::new(app.core, &network, &members, (None, None))
}

#[tokio::test]
async fn who_finds_all_places_taken_waits_for_one_and_a_snapshot_as_long_as_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let (handle, mut asked) = silent(folder.path(), vec![(AccountId::new([1; 32]), 1)]);
    let asking = |_| {
        let handle = handle.clone();
        tokio::spawn(async move { handle.transactions(1).await })
    };
    let first: Vec<_> = (0..QUESTIONS_MAX).map(asking).collect();
    while handle.questions.capacity() > 0 {
        tokio::task::yield_now().await;
    }
    // As many wait as may.
    let crowd = u32::try_from(CROWD_MAX).unwrap();
    let crowd = handle.crowd.try_acquire_many(crowd).unwrap();
    assert_eq!(handle.certificate(1).await, Err(Unanswered::Busy));
    drop(crowd);
    let late = asking(0);
    let copying = {
        let handle = handle.clone();
        tokio::spawn(async move { handle.whole_block(1).await })
    };
    while handle.crowd.available_permits() == CROWD_MAX {
        tokio::task::yield_now().await;
    }
    for _ in 0..QUESTIONS_MAX + 2 {
        match asked.0.recv().await.unwrap() {
            Question::Transactions(_, reply) => reply.send(Ok(Vec::new())).unwrap(),
            Question::Whole(_, reply) => reply.send(Err(Unanswered::Unknown)).unwrap(),
            _ => panic!("nobody asked this"),
        }
    }
    for answer in first.into_iter().chain([late]) {
        assert_eq!(answer.await.unwrap(), Ok(Vec::new()));
    }
    assert_eq!(copying.await.unwrap(), Err(Unanswered::Unknown));
    assert_eq!(handle.crowd.available_permits(), CROWD_MAX);
}

#[tokio::test]
async fn a_gift_that_was_lost_does_not_keep_the_next_ones_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let [giver, stranger] = [1, 2].map(|number| KeyPair::from_seed(Seed::from_number(number)));
    let rich = [&giver, &stranger].map(|key| (AccountId::of_key(key.id()), SOLO_UNITS));
    let (handle, _asked) = silent(folder.path(), rich.to_vec());
    // Somebody's waits for the one before it, which nobody sends.
    let (asset, to) = (AssetId::NATIVE, AccountId::new([9; 32]));
    let transfer = Action::Accounts(accounts::Action::Transfer { asset, to, amount: 5 });
    let mut body = Body::new(handle.chain(), AccountId::of_key(stranger.id()), 1, transfer);
    body.fee = 100_000;
    handle.submit(&body.sign(&stranger).to_bytes()).unwrap();

    let faucet = Faucet::new(giver);
    let give = |to: u8| faucet.give(&handle, AccountId::new([to; 32]), asset).unwrap();
    let gifts = (give(1), give(2));
    assert_eq!(handle.waiting().0, 3);
    // The last block that they may be in passes.
    handle.core.mempool().expire(1_000);
    assert_eq!(handle.waiting().0, 1);
    assert_eq!((give(1), give(2)), gifts, "with the numbers that are free again");
}
