//! A forwarder before servers of a ledger in miniature, which lag and lie.

use std::sync::atomic::AtomicBool;

use axum::body::to_bytes;
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
}

impl Server {
    async fn start(ledger: &Miniature, height: u64) -> Self {
        let (height, lies) = (watch::Sender::new(height), Arc::new(AtomicBool::new(false)));
        let status = json!({ "root": ledger.root().to_string() });
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
            .route("/ledger/status", get(move || async move { Json(status) }))
            .route("/ledger/ws", get(blocks))
            .route("/ledger/state/{key}", get(state));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, height, lies }
    }
}

async fn until(what: &str, look: impl Fn() -> bool) {
    for _ in 0..LOOKS_MAX {
        if look() {
            return;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    panic!("{what}");
}

/// What the forwarder hands on as the record; none: nothing.
async fn held(forwarder: &Forwarder) -> Option<u8> {
    let uri = format!("/ledger/state/{KEY_HEX}").parse().unwrap();
    let answer = forwarder.ask(&Asked::read(&uri, true).unwrap()).await?;
    let room = Arc::clone(&forwarder.asks).try_acquire_owned().unwrap();
    let response = answer.response(room);
    assert_eq!(response.headers()[header::CONTENT_TYPE], CBOR);
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    StateProof::read(&bytes).unwrap().record.unwrap().first().copied()
}

#[tokio::test]
async fn nothing_older_than_was_shown_and_nothing_false_is_handed_on() {
    let mut ledger = Miniature::new(1);
    for held in 1..=3 {
        ledger.add(TIME_MS, Records::of(&[(KEY, &[held]), (b"other", b"x")], 3, 0));
    }
    let (one, two) = (Server::start(&ledger, 2).await, Server::start(&ledger, 1).await);
    let from = [one.base.clone(), two.base.clone()];
    let root = ledger.root().to_string();
    let wanted =
        Wanted { from: &from, root: Some(&root), others: &[], asks_per_ip_per_minute: 1_000 };
    let forwarder = Forwarder::new(&wanted, Proxies::parse(&[]).unwrap()).unwrap();
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(Arc::clone(&forwarder).run(stopped));
    until("both are asked", || forwarder.order().len() == 2 && forwarder.highest() == 2).await;
    assert_eq!(held(&forwarder).await, Some(2), "the second one is behind");

    one.lies.store(true, Ordering::Relaxed);
    assert_eq!(held(&forwarder).await, None, "what is false, and what is older");
    two.height.send_replace(3);
    until("the second one shows a newer block", || forwarder.news.borrow().height == 3).await;
    assert_eq!(held(&forwarder).await, Some(3));
    one.lies.store(false, Ordering::Relaxed);
    assert_eq!(held(&forwarder).await, Some(3), "now the first one is behind");
    assert_eq!(forwarder.highest(), 3);
}
