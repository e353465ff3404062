//! What tests of push stand on: a server, a push service, browsers' keys, and a market whose prices move.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::{Aes128Gcm, Nonce};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as Named, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hkdf::Hkdf;
use ledger::domains::lending;
use ledger::{AccountId, Action};
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::{PublicKey, SecretKey};
use primitives::{KeyPair, Seed};
use serde_json::{Value, json};
use sha2::Sha256;
use starling::keepers::demo::{self, Demo, Reporters};
use starling::key_file;
use starling::ledger_client::{Client, Nodes};
use starling::push;
use starling::serve::{Config, ledger as beside};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::serve_rig::Serving;

/// What a slow machine may take for anything here.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a block waits for its first transaction.
const HEARTBEAT_MS: u64 = 200;
/// Units of one of an asset.
const ONE: u128 = 1_000_000;

pub(crate) fn account(number: u8) -> AccountId {
    AccountId::of_key(KeyPair::from_seed(Seed::from_number(number.into())).id())
}

pub(crate) fn somebody() -> AccountId {
    account(77)
}

async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A message as the push service got it.
#[derive(Debug)]
pub(crate) struct Letter {
    /// Last part of the browser's address.
    pub(crate) name: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Letter {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// A push service: it takes messages, or says what the test wants said.
#[derive(Debug)]
pub(crate) struct Service {
    address: SocketAddr,
    answer: Arc<Mutex<StatusCode>>,
    letters: mpsc::UnboundedReceiver<Letter>,
}

type Office = (Arc<Mutex<StatusCode>>, mpsc::UnboundedSender<Letter>);

async fn take(
    State((answer, letters)): State<Office>,
    Named(name): Named<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // An error: the test has ended.
    let _ = letters.send(Letter { name, headers, body });
    let status = *answer.lock().unwrap();
    (status, [("location", "/p/elsewhere")]).into_response()
}

impl Service {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(StatusCode::CREATED));
        let (sender, letters) = mpsc::unbounded_channel();
        let app = Router::new().route("/p/{name}", post(take)).with_state((answer.clone(), sender));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, answer, letters }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it says from now on.
    pub(crate) fn answer(&self, status: StatusCode) {
        *self.answer.lock().unwrap() = status;
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Letter {
        tokio::time::timeout(DEADLINE, self.letters.recv()).await.expect("a message").unwrap()
    }

    /// Whether nobody asked it anything.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.letters.try_recv().is_err()
    }
}

/// A browser's keys and its address at a push service.
#[derive(Debug)]
pub(crate) struct Browser {
    endpoint: String,
    key: SecretKey,
    auth: [u8; 16],
}

impl Browser {
    pub(crate) fn new(service: &Service, name: &str, number: u8) -> Self {
        let key = SecretKey::from_slice(&[number; 32]).unwrap();
        Self { endpoint: format!("{}/p/{name}", service.origin()), key, auth: [number; 16] }
    }

    /// What its page asks for.
    pub(crate) fn wish(&self, account: AccountId, limit: u16, markets: &[u32]) -> Value {
        let point = self.key.public_key().to_sec1_point(false);
        json!({
            "endpoint": self.endpoint,
            "p256dh": BASE64.encode(point.as_bytes()),
            "auth": BASE64.encode(self.auth),
            "account": account,
            "limit": limit,
            "markets": markets,
        })
    }

    /// Opens a message as a browser does: RFC 8291, from the receiver's side.
    pub(crate) fn read(&self, letter: &Letter) -> Value {
        let (salt, rest) = letter.body.split_at(16);
        let (size, rest) = rest.split_at(4);
        assert_eq!(size, 4_096_u32.to_be_bytes());
        let (theirs, sealed) = rest[1..].split_at(usize::from(rest[0]));
        let ours = self.key.public_key().to_sec1_point(false);
        let shared = self.key.diffie_hellman(&PublicKey::from_sec1_bytes(theirs).unwrap());
        let info = [b"WebPush: info\0".as_slice(), ours.as_bytes(), theirs].concat();
        let expand = |salt: &[u8], input: &[u8], info: &[u8], out: &mut [u8]| {
            Hkdf::<Sha256>::new(Some(salt), input).expand(info, out).unwrap();
        };
        let (mut input, mut key, mut nonce) = ([0; 32], [0; 16], [0; 12]);
        expand(&self.auth, shared.raw_secret_bytes().as_slice(), &info, &mut input);
        expand(salt, &input, b"Content-Encoding: aes128gcm\0", &mut key);
        expand(salt, &input, b"Content-Encoding: nonce\0", &mut nonce);
        let opened = Aes128Gcm::new(&key.into()).decrypt(&Nonce::from(nonce), sealed).unwrap();
        let (last, text) = opened.split_last().unwrap();
        assert_eq!((*last, text.len()), (2, 256), "one record, of one length");
        serde_json::from_slice(text).unwrap()
    }
}

/// A server with a ledger.
#[derive(Debug)]
pub(crate) struct Host {
    folder: TempDir,
    services: Vec<String>,
    serving: Serving,
}

impl Host {
    pub(crate) async fn start(services: &[String]) -> Self {
        let settings = push::Config { services: services.to_vec(), ..push::Config::default() };
        Self::at(tempfile::tempdir().unwrap(), settings).await
    }

    /// One that tells nobody.
    pub(crate) async fn off() -> Self {
        let settings = push::Config { enabled: false, ..push::Config::default() };
        Self::at(tempfile::tempdir().unwrap(), settings).await
    }

    async fn at(folder: TempDir, push: push::Config) -> Self {
        let services = push.services.clone();
        let config = Config {
            data: folder.path().to_owned(),
            ledger: beside::Config { heartbeat_ms: HEARTBEAT_MS, ..beside::Config::default() },
            push,
            ..Config::default()
        };
        let host = Self { folder, services, serving: Serving::start(config).await };
        until("the ledger starts", async || {
            let (status, _) = host.get("/ledger/status").await;
            status.is_success().then_some(())
        })
        .await;
        host
    }

    pub(crate) async fn stop(self) {
        self.serving.stop().await;
    }

    /// The same one, started again.
    pub(crate) async fn again(self) -> Self {
        let Self { folder, services, serving } = self;
        serving.stop().await;
        Self::at(folder, push::Config { services, ..push::Config::default() }).await
    }

    fn base(&self) -> String {
        format!("http://{}", self.serving.address)
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let answer = self.serving.http.get(format!("{}{path}", self.base())).send().await.unwrap();
        let status = answer.status();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    pub(crate) async fn key(&self) -> String {
        let (status, said) = self.get("/push/key").await;
        assert_eq!(status, StatusCode::OK);
        said["key"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn metrics(&self) -> String {
        let answer =
            self.serving.http.get(format!("{}/metrics", self.base())).send().await.unwrap();
        String::from_utf8(answer.bytes().await.unwrap().to_vec()).unwrap()
    }

    pub(crate) async fn subscribe(&self, wish: &Value) -> (StatusCode, Value) {
        self.ask(reqwest::Method::POST, wish).await
    }

    pub(crate) async fn forget(&self, browser: &Browser) -> (StatusCode, Value) {
        let auth = BASE64.encode(browser.auth);
        let request = json!({ "endpoint": browser.endpoint, "auth": auth });
        self.ask(reqwest::Method::DELETE, &request).await
    }

    async fn ask(&self, method: reqwest::Method, body: &Value) -> (StatusCode, Value) {
        let request =
            self.serving.http.request(method, format!("{}/push/subscriptions", self.base()));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    pub(crate) async fn post(&self, kind: &str, body: String) -> StatusCode {
        let request = self.serving.http.post(format!("{}/push/subscriptions", self.base()));
        request.header("content-type", kind).body(body).send().await.unwrap().status()
    }

    /// Waits until everybody who is subscribed now was looked at: every level is known.
    pub(crate) async fn looked(&self) {
        until("everybody was looked at", async || {
            let kept = self.kept();
            (!kept.contains("\"told\":null")).then_some(())
        })
        .await;
    }

    /// The list on the disk.
    pub(crate) fn kept(&self) -> String {
        std::fs::read_to_string(self.list()).unwrap_or_default()
    }

    /// What others may do with it.
    #[cfg(unix)]
    pub(crate) fn mode(&self) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(self.list()).unwrap().permissions().mode() & 0o777
    }

    pub(crate) fn kept_count(&self) -> usize {
        self.kept().matches("\"endpoint\":").count()
    }

    pub(crate) async fn until_kept(&self, count: usize) {
        until("the list is so long", async || (self.kept_count() == count).then_some(())).await;
    }

    fn list(&self) -> PathBuf {
        self.folder.path().join("push.json")
    }

    fn faucet(&self) -> KeyPair {
        key_file::load_or_create(&self.folder.path().join("ledger/faucet.key")).unwrap().key
    }
}

/// A market of SUN and COIN, whose prices the test says.
#[derive(Debug)]
pub(crate) struct Town {
    nodes: Nodes,
    demo: Demo,
    reporters: Reporters,
    // Keys and prices lie in it.
    _folder: TempDir,
}

impl Town {
    pub(crate) async fn found(host: &Host) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut nodes = Nodes::new(&[host.base()]).unwrap();
        let demo = demo::set_up(&mut nodes, &host.faucet(), folder.path()).await.unwrap();
        let reporters = Reporters::open(&mut nodes, &demo).await.unwrap();
        let mut town = Self { nodes, demo, reporters, _folder: folder };
        town.report().await;
        town
    }

    /// The same one behind another address.
    pub(crate) fn at(self, host: &Host) -> Self {
        Self { nodes: Nodes::new(&[host.base()]).unwrap(), ..self }
    }

    pub(crate) fn market(&self) -> u32 {
        self.demo.market
    }

    /// Says what a SUN is worth.
    pub(crate) async fn price(&mut self, text: &str) {
        let [sun, _] = &self.demo.prices;
        std::fs::write(sun, format!("{text}\n")).unwrap();
        self.report().await;
    }

    async fn report(&mut self) {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.reporters.round(&mut self.nodes, now_s).await.unwrap();
    }

    /// Somebody who pledged SUN and owes COIN.
    pub(crate) async fn borrower(&mut self, host: &Host, sun: u128, coin: u128) -> AccountId {
        let key = KeyPair::from_seed(Seed::from_number(1));
        let account = AccountId::of_key(key.id());
        let gift = format!("{}/ledger/faucet/{account}", host.base());
        let client = Client::new(&host.base()).unwrap();
        assert!(host.serving.http.post(gift).send().await.unwrap().status().is_success());
        until("the gift is there", async || {
            let (_, said) = host.get(&format!("/ledger/accounts/{account}")).await;
            said["units"].as_str().is_some_and(|units| units != "0").then_some(())
        })
        .await;
        demo::give(&mut self.nodes, &host.faucet(), &self.demo, account).await.unwrap();
        let market = self.demo.market;
        let supply = lending::Action::Supply { market, reserve: 0, amount: sun * ONE };
        let borrow = lending::Action::Borrow { market, reserve: 1, amount: coin * ONE };
        for action in [supply, borrow] {
            let id = client.act(&key, Action::Lending(action)).await.unwrap();
            client.done(id, DEADLINE).await.unwrap();
        }
        account
    }
}
