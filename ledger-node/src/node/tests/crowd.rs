//! Many who ask at once.

use super::*;

/// A validator whose engine is this test.
fn silent(folder: &Path) -> (Handle, Ends) {
    let config = Config { data: folder.to_owned(), ..Config::default() };
    let path = solo(&config).unwrap();
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
    let (handle, mut ends) = silent(folder.path());
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
        match ends.asked.recv().await.unwrap() {
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
