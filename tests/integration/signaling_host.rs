//! What only the host may: see how it is, and ban.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use signaling_server::{AdminConfig, BanConfig, Config};
use tokio_tungstenite::tungstenite;
use wire::signaling::{ErrorCode, FromServer, ToServer};

use super::signaling_rig::{Client, SWARM, Server, join, within};
use super::tracker_rig::{self, name_hex};

const TOKEN: &str = "north of the river, 16";

fn config() -> Config {
    Config { admin: AdminConfig { token: TOKEN.to_owned() }, ..Config::default() }
}

/// The answer to a request of the host: status and JSON, `null` without a body.
async fn ask(server: &Server, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}{path}", server.address);
    let mut request = http.request(method, url).bearer_auth(TOKEN);
    if !body.is_null() {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

async fn ban(server: &Server, body: Value) {
    let (status, answer) = ask(server, Method::POST, "/v1/bans", body).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");
}

/// Status and text of a refused socket.
async fn refused(server: &Server) -> (StatusCode, String) {
    match Client::open(server, 9, None).await.err().unwrap() {
        tungstenite::Error::Http(response) => {
            let body = response.body().clone().unwrap_or_default();
            (response.status(), String::from_utf8(body).unwrap())
        }
        other => panic!("expected an HTTP answer, found {other:?}"),
    }
}

#[tokio::test]
async fn the_host_sees_nodes_swarms_sockets_and_refusals() {
    let server = Server::start(config()).await;
    let (mut client, _) = Client::join(&server, 1).await;
    client.send_text("nonsense".to_owned()).await;
    client.refusal().await;
    let (status, answer) = ask(&server, Method::GET, "/v1/status", Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["node"]["sockets"], 1);
    assert_eq!(answer["node"]["members"], 1);
    assert_eq!(answer["nodes"], json!([]));
    assert_eq!(answer["bus"]["is_heard"], false);
    assert_eq!(answer["swarms"], json!([{ "swarm": SWARM.to_string(), "peers": 1, "here": 1 }]));
    assert_eq!(answer["errors"]["bad-message"], 1);
    assert_eq!(answer["refused"]["place"], 0);
    assert_eq!(answer["relay"], Value::Null);
    let tracker = &answer["tracker"];
    assert_eq!((&tracker["sockets"], &tracker["peers"]), (&json!(0), &json!(0)));
    assert_eq!(answer["bans"], 0);
}

#[tokio::test]
async fn nobody_else_does() {
    let server = Server::start(config()).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/v1/status", "/v1/bans"] {
        let url = format!("http://{}{path}", server.address);
        let without = server.get(path).await;
        assert_eq!(without.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(without.headers()["www-authenticate"], "Bearer");
        assert_eq!(without.headers()["cache-control"], "no-store");
        let wrong = http.get(&url).bearer_auth("south of the river, 16").send().await.unwrap();
        assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert!(wrong.text().await.unwrap().contains("wrong-token"));
        // A page of another origin is not told that it may ask.
        let preflight = http.request(Method::OPTIONS, &url).send().await.unwrap();
        assert!(!preflight.headers().contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn without_a_token_in_the_settings_there_is_no_host() {
    let server = Server::start(Config::default()).await;
    for path in ["/v1/status", "/v1/bans"] {
        let (status, answer) = ask(&server, Method::GET, path, Value::Null).await;
        assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("off")));
    }
}

#[tokio::test]
async fn guessing_a_token_is_slow() {
    let server = Server::start(config()).await;
    let refused = async {
        loop {
            while server.get("/v1/status").await.status() != StatusCode::TOO_MANY_REQUESTS {}
            // On a busy machine a try is earned back before the next one comes.
            let (status, _) = ask(&server, Method::GET, "/v1/status", Value::Null).await;
            if status == StatusCode::TOO_MANY_REQUESTS {
                return;
            }
        }
    };
    within("a refusal of the right token too", refused).await;
}

#[tokio::test]
async fn a_banned_address_is_told_why_and_comes_back_when_the_ban_is_lifted() {
    let server = Server::start(config()).await;
    let (mut client, _) = Client::join(&server, 1).await;
    let who = json!({ "address": "127.0.0.0/8", "reason": "floods" });
    ban(&server, who.clone()).await;
    assert_eq!(client.goodbye().await.0, "banned: floods");
    let (status, text) = refused(&server).await;
    assert_eq!((status, &*text), (StatusCode::FORBIDDEN, "refused: banned: floods\n"));
    let (_, answer) = ask(&server, Method::GET, "/v1/bans", Value::Null).await;
    assert_eq!(answer["bans"], json!([who]));
    let (status, _) = ask(&server, Method::DELETE, "/v1/bans", who.clone()).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = ask(&server, Method::DELETE, "/v1/bans", who).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (_client, met) = Client::join(&server, 1).await;
    assert_eq!(met, [], "the membership of the banned one is over");
}

#[tokio::test]
async fn a_banned_key_is_told_why_at_its_hello() {
    let server = Server::start(config()).await;
    let mut client = Client::hello(&server, 1).await;
    let mut other = Client::hello(&server, 2).await;
    ban(&server, json!({ "peer": client.id().to_string() })).await;
    assert!(client.goodbye().await.0.starts_with("banned: "));
    other.send(&ToServer::Ping).await;
    assert_eq!(other.next().await, FromServer::Pong, "others stay");
    let mut again = Client::open(&server, 1, None).await.unwrap();
    let proof = wire::signaling::hello_proof(&again.key, &again.nonce);
    again.send(&again.hello_with(proof, None)).await;
    assert_eq!(again.refusal().await.0, ErrorCode::Forbidden);
    again.goodbye().await;
}

#[tokio::test]
async fn a_banned_swarm_is_emptied_and_nobody_joins_it() {
    let server = Server::start(config()).await;
    let (mut client, _) = Client::join(&server, 1).await;
    ban(&server, json!({ "swarm": SWARM.to_string(), "reason": "a court order" })).await;
    match client.next().await {
        FromServer::Error { code, message, swarm, .. } => {
            assert_eq!((code, swarm), (ErrorCode::Forbidden, Some(SWARM)));
            assert!(message.contains("a court order"), "{message}");
        }
        other => panic!("expected an error, found {other:?}"),
    }
    client.send(&join(SWARM)).await;
    assert_eq!(client.refusal().await.0, ErrorCode::Forbidden);
    server.metric_becomes("starling_signaling_members", 0).await;
    client.send(&ToServer::Ping).await;
    assert_eq!(client.next().await, FromServer::Pong, "the socket stays");
}

#[tokio::test]
async fn a_banned_swarm_of_the_tracker_is_emptied_and_nobody_joins_it() {
    let server = Server::start(config()).await;
    let mut client = tracker_rig::Client::open(&server).await;
    client.enter(1, 10).await;
    ban(&server, json!({ "swarm": name_hex(1), "reason": "a court order" })).await;
    server.metric_becomes("starling_tracker_peers", 0).await;
    client.announce(1, 10, json!({})).await;
    assert_eq!(client.failure().await, "this swarm is banned: a court order");
    assert_eq!(client.enter(2, 10).await, (0, 1), "the socket stays");
}

#[tokio::test]
async fn bans_of_the_settings_hold_from_the_start() {
    let (address, reason) = ("127.0.0.1".to_owned(), "spam".to_owned());
    let bans = vec![BanConfig { address, reason, ..BanConfig::default() }];
    let server = Server::start(Config { bans, ..config() }).await;
    assert_eq!(refused(&server).await.0, StatusCode::FORBIDDEN);
    assert_eq!(server.metric(r#"starling_signaling_refused_total{kind="banned"}"#).await, 1);
}

#[tokio::test]
async fn a_ban_that_can_not_be_meant_is_refused() {
    let server = Server::start(config()).await;
    for body in [
        json!({}),
        json!({ "address": "somewhere" }),
        json!({ "address": "192.0.2.1", "origin": "https://a.example" }),
        json!({ "where": "192.0.2.1" }),
        json!({ "address": "192.0.2.1", "reason": "x".repeat(5_000) }),
    ] {
        let (status, answer) = ask(&server, Method::POST, "/v1/bans", body.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}: {answer}");
    }
}
