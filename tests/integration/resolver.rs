//! Issuers whose documents a web server keeps: fetched by a server of ours, checked by who verifies.
//!
//! Proves with a real web server that a log is checked and not believed, that a `did:web` is said to rest on its web
//! server alone, and that `/did/` is no way to read anything else.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::SecretKey;
use identity::did::did_key;
use primitives::sha256;
use serde_json::{Value, json};
use signaling_server::Proxies;
use starling::resolver::{self, Config};
use tempfile::TempDir;

/// A web server somewhere: files by their paths, and how often it was asked.
#[derive(Debug, Clone, Default)]
struct Site {
    files: Arc<Mutex<BTreeMap<String, String>>>,
    asked: Arc<AtomicUsize>,
}

impl Site {
    fn put(&self, path: &str, text: &str) {
        self.files.lock().unwrap().insert(path.to_owned(), text.to_owned());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn file(State(site): State<Site>, request: Request) -> Response {
    site.asked.fetch_add(1, Ordering::SeqCst);
    let found = site.files.lock().unwrap().get(request.uri().path()).cloned();
    match found.as_deref() {
        None => StatusCode::NOT_FOUND.into_response(),
        Some("away") => {
            let to = [(header::LOCATION, "http://elsewhere.example/did.json")];
            (StatusCode::FOUND, to).into_response()
        }
        Some("never") => std::future::pending().await,
        Some(text) => text.to_owned().into_response(),
    }
}

async fn listen(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// A web server that answers for `town.example`, and a server of ours that asks it.
async fn open(config: Config) -> (Site, String) {
    let site = Site::default();
    let there = listen(Router::new().fallback(file).with_state(site.clone())).await;
    let instead = BTreeMap::from([("town.example".to_owned(), format!("http://{there}"))]);
    let ours =
        listen(resolver::router(&Config { instead, ..config }, Proxies::default()).unwrap()).await;
    (site, format!("http://{ours}"))
}

async fn ask(server: &str, did: &str, behind: &str) -> (u16, String) {
    let url = format!("{server}/did/{}{behind}", did.replace('%', "%25"));
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn code(server: &str, did: &str) -> (u16, String) {
    let (status, text) = ask(server, did, "").await;
    let told: Value = serde_json::from_str(&text).unwrap_or_default();
    (status, told["error"]["code"].as_str().unwrap_or_default().to_owned())
}

/// A document with one key for credentials.
fn document(did: &str, multikey: &str) -> Value {
    let id = format!("{did}#key");
    // In the order of names, as it is hashed.
    json!({
        "assertionMethod": [id], "id": did,
        "verificationMethod": [
            { "controller": did, "id": id, "publicKeyMultibase": multikey, "type": "Multikey" },
        ],
    })
}

fn multihash(text: &str) -> String {
    let hash = sha256(text.as_bytes());
    bs58::encode([&[0x12_u8, 0x20][..], hash.as_bytes()].concat()).into_string()
}

/// The log of a `did:webvh` with one entry; the DID and the log.
fn log(key: &SecretKey, multikey: &str) -> (String, String) {
    let own = key.public().to_multikey();
    // Names stand in their order in every object: as text it is canonical.
    let entry = |id: &str, scid: &str| {
        json!({
            "parameters": { "method": "did:webvh:1.0", "scid": scid, "updateKeys": [own] },
            "state": document(&format!("did:webvh:{scid}:town.example"), multikey),
            "versionId": id, "versionTime": "2025-01-01T00:00:00Z",
        })
    };
    let scid = multihash(&entry("{SCID}", "{SCID}").to_string());
    let id = format!("1-{}", multihash(&entry(&scid, &scid).to_string()));
    let mut entry = entry(&id, &scid);
    let options = json!({
        "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
        "type": "DataIntegrityProof", "verificationMethod": did_key::key_id(&key.public()),
    });
    let hash = |value: &Value| sha256(value.to_string().as_bytes());
    let message = [*hash(&options).as_bytes(), *hash(&entry).as_bytes()].concat();
    let mut proof = options;
    proof["proofValue"] = format!("z{}", bs58::encode(key.sign(&message)).into_string()).into();
    entry["proof"] = json!([proof]);
    (format!("did:webvh:{scid}:town.example"), format!("{entry}\n"))
}

/// What `starling id` prints, or what it says when it fails.
fn id(folder: &Path, words: &[&str]) -> Result<String, String> {
    let mut starling = Command::new(env!("CARGO_BIN_EXE_starling"));
    starling.arg("id").args(words).current_dir(folder).stdin(Stdio::null());
    let output = starling.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn keep(folder: &Path, name: &str, words: &[&str]) {
    fs::write(folder.join(name), id(folder, words).unwrap()).unwrap();
}

const QUESTION: [&str; 4] = ["--nonce", "Q2FzdGxl", "--audience", "did:web:bar.example"];

/// A credential that `town.key` signed as a key of some DID, shown to a verifier, with its list.
fn shown(folder: &Path, key_id: &str) {
    let list = json!({ "status_list": { "idx": 3, "uri": "did:web:town.example#list" } });
    let claims = json!({ "vct": "age", "over": 18, "status": list });
    fs::write(folder.join("claims.json"), claims.to_string()).unwrap();
    let holder = id(folder, &["key", "ann.key"]).unwrap();
    let issue = ["issue", "claims.json", "--key", "town.key", "--to", &holder, "--as", key_id];
    keep(folder, "credential", &issue);
    let status = ["status", "did:web:town.example#list", "--key", "town.key", "--as", key_id];
    keep(folder, "list", &[&status[..], &["--count", "64"]].concat());
}

fn verify(folder: &Path, more: &[&str]) -> Result<Value, String> {
    let words = ["verify", "shown", "--status", "list"];
    let said = id(folder, &[&words[..], &QUESTION, more].concat())?;
    Ok(serde_json::from_str(&said).unwrap())
}

fn town(folder: &TempDir) -> String {
    id(folder.path(), &["key", "town.key"]).unwrap().strip_prefix("did:key:").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_checked_by_who_verifies_and_vouches() {
    let (site, server) = open(Config { kept_ms: 0, ..Config::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let (did, log) = log(&SecretKey::ed25519(&[5; 32]), &town(&folder));
    site.put("/.well-known/did.jsonl", &log);

    let resolve = ["resolve", &did, "--resolver", &server];
    let found: Value = serde_json::from_str(&id(folder.path(), &resolve).unwrap()).unwrap();
    assert_eq!((&found["document"]["id"], &found["vouched"]["by"]), (&json!(did), &json!("log")));
    assert_eq!((&found["ended"], &found["versions"]), (&json!(false), &json!(1)));

    shown_to_bar(&folder, &format!("{did}#key"), &server);
    let with = ["--resolver", server.as_str()];
    let verdict = verify(folder.path(), &with).unwrap();
    assert_eq!((&verdict["issuer"], &verdict["status"]), (&json!(did), &json!("valid")));
    assert_eq!(verdict["vouched"]["by"], "log");
    let said = verify(folder.path(), &[]).unwrap_err();
    assert!(said.contains("the issuer is not known"), "nobody is asked unasked: {said}");

    // The web server puts in a key of its own; whoever fetched it would not have seen.
    let thief = SecretKey::ed25519(&[6; 32]).public().to_multikey();
    site.put("/.well-known/did.jsonl", &log.replace(&town(&folder), &thief));
    let said = verify(folder.path(), &with).unwrap_err();
    assert!(said.contains("entry 1: the version is not the entry's hash"), "{said}");
    // A whole log of another DID.
    let (_, other) = self::log(&SecretKey::ed25519(&[6; 32]), &town(&folder));
    site.put("/.well-known/did.jsonl", &other);
    let said = verify(folder.path(), &with).unwrap_err();
    assert!(said.contains("not of this DID"), "{said}");
}

fn shown_to_bar(folder: &TempDir, key_id: &str, server: &str) {
    shown(folder.path(), key_id);
    let present = ["present", "credential", "--key", "ann.key", "--resolver", server];
    keep(folder.path(), "shown", &[&present[..], &QUESTION].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_did_web_is_said_to_rest_on_its_web_server() {
    let (site, server) = open(Config { kept_ms: 0, ..Config::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let did = "did:web:town.example:people:ann";
    site.put("/people/ann/did.json", &document(did, &town(&folder)).to_string());
    shown_to_bar(&folder, &format!("{did}#key"), &server);
    let with = ["--resolver", server.as_str()];
    let verdict = verify(folder.path(), &with).unwrap();
    let vouched = json!({ "by": "web-server", "host": "town.example", "proved": false });
    assert_eq!(verdict["vouched"], vouched);
    // Whoever has the web server has the issuer.
    let other = SecretKey::ed25519(&[6; 32]).public().to_multikey();
    site.put("/people/ann/did.json", &document(did, &other).to_string());
    let said = verify(folder.path(), &with).unwrap_err();
    assert!(said.contains("did not sign"), "{said}");
    let words = ["resolve", did, "--resolver", &server];
    let found: Value = serde_json::from_str(&id(folder.path(), &words).unwrap()).unwrap();
    assert_eq!(found["vouched"], vouched);
    let said = id(folder.path(), &["resolve", did]).unwrap_err();
    assert!(said.contains("must be asked"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_documents_of_dids_at_public_names_is_given_away() {
    let (site, server) = open(Config { kept_ms: 0, timeout_ms: 300, ..Config::default() }).await;
    let at = |name: &str| format!("did:web:{name}");
    for name in ["127.0.0.1", "localhost%3A8080", "127%2E0%2E0%2E1", "town.example:..:x", ""] {
        assert_eq!(code(&server, &at(name)).await, (400, "did".to_owned()), "{name}");
    }
    assert_eq!(code(&server, "did:key:z6Mk").await.0, 400);
    assert_eq!(ask(&server, &at("town.example"), "/witness").await.0, 400);
    assert_eq!(site.asked(), 0, "nobody was asked");
    // Reserved for what is nowhere (RFC 6761, 6.4).
    let (status, why) = code(&server, &at("town.invalid")).await;
    assert!(status == 502 || status == 403, "{status} {why}");

    let check = async |text: &str, expected: (u16, &str)| {
        site.put("/.well-known/did.json", text);
        let found = code(&server, &at("town.example")).await;
        assert_eq!(found, (expected.0, expected.1.to_owned()), "{text:.40}");
    };
    check("root:x:0:0", (502, "form")).await;
    check(r#"{"id":"did:web:other.example"}"#, (502, "form")).await;
    check("away", (502, "status")).await;
    check("never", (504, "timed-out")).await;
    let large = json!({ "id": at("town.example"), "note": "x".repeat(64 << 10) }).to_string();
    check(&large, (502, "too-large")).await;
    assert_eq!(code(&server, &at("town.example:gone")).await, (404, "nothing".to_owned()));
    let plain = json!({ "id": at("town.example") }).to_string();
    site.put("/.well-known/did.json", &plain);
    assert_eq!(ask(&server, &at("town.example"), "").await, (200, plain));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_are_one_fetch_and_a_host_may_want_none() {
    let (site, server) = open(Config::default()).await;
    let did = "did:web:town.example";
    site.put("/.well-known/did.json", &json!({ "id": did }).to_string());
    let asks = (0..20).map(|_| ask(&server, did, ""));
    let answers = futures_util::future::join_all(asks).await;
    assert!(answers.iter().all(|(status, _)| *status == 200));
    assert_eq!((ask(&server, did, "").await.0, site.asked()), (200, 1));
    let config = Config { enabled: false, ..Config::default() };
    let off = resolver::router(&config, Proxies::default()).unwrap();
    let off = format!("http://{}", listen(off).await);
    assert_eq!(ask(&off, did, "").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_is_refused_and_nobody_else_is() {
    let site = Site::default();
    let there = listen(Router::new().fallback(file).with_state(site.clone())).await;
    let did = "did:web:town.example";
    site.put("/.well-known/did.json", &json!({ "id": did }).to_string());
    let instead = BTreeMap::from([("town.example".to_owned(), format!("http://{there}"))]);
    let config = Config { instead, asks_per_ip_per_minute: 3, ..Config::default() };
    let proxies = Proxies::parse(&["127.0.0.1".to_owned()]).unwrap();
    let ours = resolver::router(&config, proxies).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let ours = ours.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, ours).await });
    let client = reqwest::Client::new();
    let ask = async |place: &str| {
        let request = client.get(format!("http://{server}/did/{did}"));
        let answer = request.header("x-forwarded-for", place).send().await.unwrap();
        let status = answer.status().as_u16();
        let told: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        (status, told["error"]["code"].as_str().unwrap_or_default().to_owned())
    };
    for _ in 0..3 {
        assert_eq!(ask("203.0.113.9").await, (200, String::new()));
    }
    // What is kept counts too: it is an answer of up to a mebibyte.
    assert_eq!(ask("203.0.113.9").await, (429, "place".to_owned()));
    assert_eq!(ask("203.0.113.10").await, (200, String::new()));
    // One network of IPv6 is one visitor.
    for last in 1..=3 {
        assert_eq!(ask(&format!("2001:db8:1:2::{last}")).await.0, 200);
    }
    assert_eq!(ask("2001:db8:1:2::9").await.0, 429);
    assert_eq!(ask("2001:db8:1:3::9").await.0, 200);
}
