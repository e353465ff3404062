//! `/v1/turn` and the welcome: who gets credentials of the host's relay.

use std::sync::Arc;

use primitives::SwarmId;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use signaling_server::{Config, SiteConfig};
use starling::relay::{Offer, beside};
use wire::signaling::{FromServer, IceServer, ToServer};

use super::signaling_rig::{Client, SWARM, Server};

/// A server with a relay of its own.
async fn server(config: Config) -> Server {
    let server = Server::start(config).await;
    let settings = starling::serve::Config::default();
    let relay = beside(&settings.relay, &settings.listen).unwrap().unwrap();
    server.state.offer(Arc::new(Offer(relay.relay())));
    tokio::spawn(relay.run(std::future::pending()));
    server
}

async fn ask(server: &Server, peer: &str, token: &str) -> Response {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/v1/turn?peer={peer}", server.address);
    http.get(url).header("authorization", format!("Bearer {token}")).send().await.unwrap()
}

async fn servers(response: Response) -> Vec<IceServer> {
    assert_eq!(response.status(), StatusCode::OK);
    let mut answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert!(answer["expires_in_s"].as_u64().unwrap() >= 14_400);
    serde_json::from_value(answer["ice_servers"].take()).unwrap()
}

#[tokio::test]
async fn a_peer_in_a_swarm_gets_credentials_and_the_same_when_it_asks_again() {
    let server = server(Config::default()).await;
    let (client, _) = Client::join(&server, 1).await;
    let peer = client.id().to_string();
    let response = ask(&server, &peer, &client.resume).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let first = servers(response).await;
    assert!(first[0].urls.iter().any(|url| url.starts_with("turn:127.0.0.1:")));
    assert!(first[0].username.as_ref().unwrap().ends_with(&format!(":{peer}")));
    let again = servers(ask(&server, &peer, &client.resume).await).await;
    assert_eq!(first, again, "asking does not multiply what a credential may use");
}

#[tokio::test]
async fn nobody_else_gets_any() {
    let server = server(Config::default()).await;
    let (joined, _) = Client::join(&server, 1).await;
    let mut outside = Client::hello(&server, 2).await;
    let check = async |peer: &str, token: &str, expected: StatusCode| {
        assert_eq!(ask(&server, peer, token).await.status(), expected, "{peer} {token}");
    };
    let (peer, other) = (joined.id().to_string(), outside.id().to_string());
    check(&other, &outside.resume, StatusCode::FORBIDDEN).await;
    check(&other, &joined.resume, StatusCode::UNAUTHORIZED).await;
    check(&peer, "", StatusCode::UNAUTHORIZED).await;
    check(&peer, &joined.resume[1..], StatusCode::UNAUTHORIZED).await;
    check("nobody", &joined.resume, StatusCode::BAD_REQUEST).await;
    outside.enter(SWARM).await;
    check(&other, &outside.resume, StatusCode::OK).await;
    outside.send(&ToServer::Leave { swarm: SWARM }).await;
    // The answer to something later: the leave was handled.
    outside.send(&ToServer::Ping).await;
    assert_eq!(outside.next().await, FromServer::Pong);
    check(&other, &outside.resume, StatusCode::FORBIDDEN).await;
}

#[tokio::test]
async fn an_open_hosts_welcome_names_the_relay_and_a_closed_ones_does_not() {
    let site = SiteConfig { key: "k".to_owned(), ..SiteConfig::default() };
    for (open, expected) in [(true, 1), (false, 0)] {
        let config = Config { open, sites: vec![site.clone()], ..Config::default() };
        let server = server(config).await;
        let mut client = Client::open(&server, 1, None).await.unwrap();
        let proof = wire::signaling::hello_proof(&client.key, &client.nonce);
        client.send(&client.hello_with(proof, None)).await;
        let FromServer::Welcome { ice_servers, resume, .. } = client.next().await else {
            panic!("expected a welcome");
        };
        assert_eq!(ice_servers.len(), expected);
        // With the site's key it joins, and may ask.
        let peer = client.id().to_string();
        assert_eq!(ask(&server, &peer, &resume).await.status(), StatusCode::FORBIDDEN);
        client
            .send(&ToServer::Join {
                swarm: SwarmId::new([9; 32]),
                want: 1,
                region: None,
                site: Some("k".to_owned()),
                position: None,
            })
            .await;
        assert!(matches!(client.next().await, FromServer::Joined { .. }));
        assert_eq!(servers(ask(&server, &peer, &resume).await).await.len(), 1);
    }
}

#[tokio::test]
async fn a_page_of_another_origin_may_ask_with_a_token() {
    let server = server(Config::default()).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/v1/turn", server.address);
    let response = http.request(reqwest::Method::OPTIONS, url).send().await.unwrap();
    assert!(response.status().is_success());
    assert_eq!(response.headers()["access-control-allow-headers"], "authorization");
}

#[tokio::test]
async fn metrics_of_server_and_relay_are_one_text() {
    let server = server(Config::default()).await;
    let text = server.get("/metrics").await.text().await.unwrap();
    assert!(
        text.contains("starling_signaling_sockets ")
            && text.contains("starling_relay_allocations ")
    );
    assert_eq!(text.matches("# EOF").count(), 1);
    assert!(text.ends_with("# EOF\n"));
}
