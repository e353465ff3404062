//! A forwarder before servers of a ledger in miniature, which lag and lie.

use std::sync::atomic::AtomicBool;

use axum::body::to_bytes;
use ledger_node::api::Seats;
use light_client::testing::{Ledger as Miniature, State as Records};
use tokio::net::TcpListener;
use wire::ledger::StateProof;

use super::*;

/// The record that is asked for, and its key in hexadecimal.
const KEY: &[u8] = b"held";
const KEY_HEX: &str = "68656c64";
const TIME_MS: u64 = 1_790_000_000_000;
/// What a slow machine may take, and how often it is looked.
const LOOKS_MAX: usize = 3_000;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A server that shows blocks up to a height.
struct Server {
    base: String,
    height: watch::Sender<u64>,
    lies: Arc<AtomicBool>,
    /// Whether its status is another ledger's.
    strays: Arc<AtomicBool>,
    /// How often it was asked for units.
    asked: Arc<AtomicU64>,
}

impl Server {
    async fn start(ledger: &Miniature, height: u64) -> Self {
        let (height, lies) = (watch::Sender::new(height), Arc::new(AtomicBool::new(false)));
        let (strays, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (own, straying) = (ledger.root().to_string(), Arc::clone(&strays));
        let status = move || async move {
            let other = Miniature::new(2).root().to_string();
            Json(json!({ "root": if straying.load(Ordering::Relaxed) { other } else { own } }))
        };
        let counting = Arc::clone(&asked);
        let gift = move || async move {
            counting.fetch_add(1, Ordering::Relaxed);
            "no answer of a ledger"
        };
        let (proving, at, lying) = (ledger.clone(), height.clone(), Arc::clone(&lies));
        let state = move || async move {
            let mut proof = proving.state_proof(*at.borrow(), KEY);
            if lying.load(Ordering::Relaxed) {
                proof.record = Some(vec![99].into());
            }
            ([(header::CONTENT_TYPE, CBOR)], proof.to_bytes())
        };
        let (showing, shown) = (ledger.clone(), height.clone());
        let blocks = move |upgrade: WebSocketUpgrade| async move {
            upgrade.on_upgrade(move |mut socket: WebSocket| async move {
                let mut heights = shown.subscribe();
                heights.mark_changed();
                while heights.changed().await.is_ok() {
                    let height = *heights.borrow_and_update();
                    let bytes = showing.finality(height, 0).to_bytes();
                    if socket.send(Message::Binary(bytes.into())).await.is_err() {
                        return;
                    }
                }
            })
        };
        let router = Router::new()
            .route("/ledger/status", get(status))
            .route(
                "/ledger/receipts/{transaction}",
                get(async || ApiError::Unknown.into_response()),
            )
            .route("/ledger/faucet/{account}", post(gift))
            .route("/ledger/ws", get(blocks))
            .route("/ledger/state/{key}", get(state));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, height, lies, strays, asked }
    }
}

pub(super) async fn until(what: &str, look: impl Fn() -> bool) {
    for _ in 0..LOOKS_MAX {
        if look() {
            return;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    panic!("{what}");
}

/// A forwarder of these, which runs until the sender is dropped.
fn before(ledger: &Miniature, servers: &[&Server]) -> (Arc<Forwarder>, watch::Sender<bool>) {
    let from: Vec<String> = servers.iter().map(|server| server.base.clone()).collect();
    let root = ledger.root().to_string();
    let wanted =
        Wanted { from: &from, root: Some(&root), others: &[], asks_per_ip_per_minute: 1_000 };
    let forwarder = Forwarder::new(&wanted, Proxies::default()).unwrap();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(Arc::clone(&forwarder).run(stopped));
    (forwarder, stop)
}

/// A ledger of so many blocks.
fn ledger_of(blocks: u8) -> Miniature {
    let mut ledger = Miniature::new(1);
    for held in 1..=blocks {
        ledger.add(TIME_MS, Records::of(&[(KEY, &[held]), (b"other", b"x")], 3, 0));
    }
    ledger
}

fn asked(path: &str) -> Asked {
    Asked::read(&path.parse().unwrap(), false).unwrap()
}

/// What the forwarder hands on as the record; none: nothing.
async fn held(forwarder: &Forwarder) -> Option<u8> {
    let uri = format!("/ledger/state/{KEY_HEX}").parse().unwrap();
    let answer = forwarder.ask(&Asked::read(&uri, true).unwrap()).await?;
    let response = answer.response(Seats::new(1, 1).take(None).unwrap());
    assert_eq!(response.headers()[header::CONTENT_TYPE], CBOR);
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    StateProof::read(&bytes).unwrap().record.unwrap().first().copied()
}

#[tokio::test]
async fn nothing_false_is_handed_on_and_nothing_older_than_was_shown_where_there_is_better() {
    let ledger = ledger_of(3);
    let (one, two) = (Server::start(&ledger, 2).await, Server::start(&ledger, 1).await);
    let (forwarder, _stop) = before(&ledger, &[&one, &two]);
    until("both are asked", || forwarder.order().len() == 2 && forwarder.highest() == 2).await;
    assert_eq!(held(&forwarder).await, Some(2), "the second one is behind");

    one.lies.store(true, Ordering::Relaxed);
    assert_eq!(
        held(&forwarder).await,
        Some(1),
        "nothing false, and an older one is better than none"
    );
    two.lies.store(true, Ordering::Relaxed);
    assert_eq!(held(&forwarder).await, None, "nothing false");
    two.lies.store(false, Ordering::Relaxed);
    two.height.send_replace(3);
    until("the second one shows a newer block", || forwarder.news.borrow().height == 3).await;
    assert_eq!(held(&forwarder).await, Some(3));
    one.lies.store(false, Ordering::Relaxed);
    assert_eq!(held(&forwarder).await, Some(3), "now the first one is behind");
    assert_eq!(forwarder.highest(), 3);
}

#[tokio::test]
async fn who_is_behind_is_not_believed_that_a_transaction_is_unknown() {
    let ledger = ledger_of(1);
    let one = Server::start(&ledger, 1).await;
    let (forwarder, _stop) = before(&ledger, &[&one]);
    until("it is asked", || forwarder.order().len() == 1 && forwarder.highest() == 1).await;
    let receipt = asked("/ledger/receipts/ab");
    let answer = forwarder.ask(&receipt).await.unwrap();
    let response = answer.response(Seats::new(1, 1).take(None).unwrap());
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    // Another one showed the next block, and went.
    forwarder.highest.store(2, Ordering::Relaxed);
    assert!(forwarder.ask(&receipt).await.is_none());
}

#[tokio::test]
async fn a_gift_that_may_have_been_given_is_asked_of_nobody_else() {
    let ledger = ledger_of(1);
    let (one, two) = (Server::start(&ledger, 1).await, Server::start(&ledger, 1).await);
    let (forwarder, _stop) = before(&ledger, &[&one, &two]);
    until("both are asked", || forwarder.order().len() == 2).await;
    let gift = asked("/ledger/faucet/ab").with(Bytes::new());
    assert!(forwarder.ask(&gift).await.is_none());
    let times = [one, two].map(|server| server.asked.load(Ordering::Relaxed));
    assert_eq!(times.iter().sum::<u64>(), 1, "{times:?}");
}

#[tokio::test]
async fn a_source_that_strayed_is_looked_at_anew_with_its_next_word() {
    let ledger = ledger_of(2);
    let one = Server::start(&ledger, 1).await;
    let (forwarder, _stop) = before(&ledger, &[&one]);
    until("it is asked", || forwarder.news.borrow().height == 1).await;
    one.strays.store(true, Ordering::Relaxed);
    assert!(forwarder.ask(&asked("/ledger/status")).await.is_none());
    assert_eq!(forwarder.refusal(), Refusal::OtherLedger);
    one.strays.store(false, Ordering::Relaxed);
    one.height.send_replace(2);
    until("it is asked again", || forwarder.order().len() == 1).await;
}
