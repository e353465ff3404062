//! Web push: a real server with a real ledger, a real push service on a port of this machine, and a browser's keys.
//!
//! Run as a test of the package `starling`, which may know ledgers.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod push_rig;
mod serve_rig;

use axum::http::StatusCode;
use push_rig::{Browser, Host, Service, Town};
use serde_json::json;

#[tokio::test]
async fn who_closed_the_page_hears_that_health_fell_once_and_again_when_it_is_worse() {
    let mut service = Service::start().await;
    let mut host = Host::start(&[service.origin()]).await;
    let mut town = Town::found(&host).await;
    // 100 SUN at 2.50, of which four fifths count, for 180 COIN: 1.1111.
    let borrower = town.borrower(&host, 100, 180).await;
    let browser = Browser::new(&service, "one", 1);
    let wish = browser.wish(borrower, 110, &[town.market()]);

    let (status, said) = host.subscribe(&wish).await;
    assert_eq!((status, &said["subscription"]), (StatusCode::CREATED, &json!("new")));
    let first = service.next().await;
    let short = &borrower.to_string()[..8];
    let on = json!({ "kind": "on", "account": short, "limit": "1.10" });
    assert_eq!(browser.read(&first), on);
    assert_eq!(first.header("content-encoding"), "aes128gcm");
    assert_eq!((first.header("ttl"), first.header("urgency")), ("43200", "high"));
    assert_eq!(first.header("topic").len(), 32);
    let key = host.key().await;
    let authorization = first.header("authorization");
    assert!(
        authorization.starts_with("vapid t=") && authorization.ends_with(&format!(", k={key}"))
    );

    // What it was when it subscribed is looked at before it changes.
    host.looked().await;
    town.price("2.4").await;
    let low = browser.read(&service.next().await);
    assert_eq!((&low["kind"], &low["limit"]), (&json!("low"), &json!("1.10")));
    assert_eq!((&low["market"], &low["account"]), (&json!(town.market()), &json!(short)));
    assert!(low["health"].as_str().unwrap().starts_with("1.0"), "{low}");

    // It trembles about the limit: nothing new. Then it falls below one. A restart forgets neither.
    town.price("2.5").await;
    host = host.again().await;
    town = town.at(&host);
    let (status, said) = host.subscribe(&wish).await;
    assert_eq!((status, &said["subscription"]), (StatusCode::OK, &json!("renewed")));
    town.price("2.4").await;
    town.price("2.2").await;
    let under = browser.read(&service.next().await);
    assert_eq!(under["kind"], "seizable", "{under}");
    assert!(under["health"].as_str().unwrap().starts_with("0.9"), "{under}");
    assert_eq!(host.key().await, key, "the same key at the next start");

    let metrics = host.metrics().await;
    for line in [
        "starling_push_subscriptions 1",
        "starling_push_asked_total{kind=\"renewed\"} 1",
        "starling_push_sent_total{kind=\"taken\"} 1",
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line} in {metrics}");
    }
    host.stop().await;
}

#[tokio::test]
async fn a_browser_that_is_gone_is_forgotten_and_one_that_says_so_too() {
    let mut service = Service::start().await;
    let host = Host::start(&[service.origin()]).await;
    let mut town = Town::found(&host).await;
    let borrower = town.borrower(&host, 100, 180).await;
    let (gone, leaves) = (Browser::new(&service, "gone", 1), Browser::new(&service, "leaves", 2));
    for browser in [&gone, &leaves] {
        let wish = browser.wish(borrower, 110, &[town.market()]);
        assert_eq!(host.subscribe(&wish).await.0, StatusCode::CREATED);
        service.next().await;
    }
    host.looked().await;
    #[cfg(unix)]
    assert_eq!(host.mode(), 0o600);
    let (status, said) = host.forget(&leaves).await;
    assert_eq!((status, &said["forgotten"]), (StatusCode::OK, &json!(true)));
    assert_eq!(host.forget(&leaves).await.1["forgotten"], false);

    service.answer(StatusCode::GONE);
    town.price("2.4").await;
    assert_eq!(service.next().await.name, "gone");
    host.until_kept(0).await;
    let kept = host.kept();
    assert!(!kept.contains("/p/"), "{kept}");
    assert!(host.metrics().await.contains("starling_push_sent_total{kind=\"gone\"} 1\n"));
    host.stop().await;
}

#[tokio::test]
async fn what_a_stranger_names_is_not_asked_unless_it_may_be() {
    let mut service = Service::start().await;
    let host = Host::start(&[service.origin()]).await;
    let browser = Browser::new(&service, "one", 1);
    let wish = browser.wish(push_rig::somebody(), 110, &[1]);
    let mut other = Service::start().await;
    for endpoint in [
        other.origin() + "/p/one",
        "https://127.0.0.1/p/one".to_owned(),
        "https://10.0.0.1/p/one".to_owned(),
        "https://push.example:8443/p/one".to_owned(),
        "http://push.example/p/one".to_owned(),
    ] {
        let mut wish = wish.clone();
        wish["endpoint"] = endpoint.clone().into();
        let (status, said) = host.subscribe(&wish).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{endpoint}");
        assert_eq!(said["error"]["code"], "address", "{endpoint}");
    }
    // A name that leads to this machine is found out when it is resolved.
    let mut named = wish.clone();
    named["endpoint"] = "https://localhost./p/one".into();
    let (status, said) = host.subscribe(&named).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert_eq!(said["error"]["code"], "service-unreachable");

    for (answer, code) in [
        (StatusCode::NOT_FOUND, "gone"),
        (StatusCode::FORBIDDEN, "service-refused"),
        // A redirect is not followed, wherever it leads.
        (StatusCode::TEMPORARY_REDIRECT, "service-refused"),
    ] {
        service.answer(answer);
        let (status, said) = host.subscribe(&wish).await;
        assert_eq!((status, &said["error"]["code"]), (StatusCode::BAD_GATEWAY, &json!(code)));
        service.next().await;
    }
    assert_eq!(host.kept_count(), 0, "nobody who did not answer is kept");
    assert!(other.is_quiet());
    host.stop().await;
}

#[tokio::test]
async fn only_a_page_of_ours_may_ask_and_not_without_end() {
    let mut service = Service::start().await;
    let host = Host::start(&[service.origin()]).await;
    let wish = |number: u8| {
        let browser = Browser::new(&service, &format!("browser-{number}"), number);
        browser.wish(push_rig::account(number), 110, &[1])
    };
    let plain = host.post("text/plain", wish(1).to_string()).await;
    assert_eq!(plain, StatusCode::BAD_REQUEST, "a form of another site");
    assert_eq!(host.post("application/json", "{}".to_owned()).await, StatusCode::BAD_REQUEST);
    let long = " ".repeat(5_000);
    assert_eq!(host.post("application/json", long).await, StatusCode::PAYLOAD_TOO_LARGE);

    // Twenty new ones of an address in an hour.
    let wishes: Vec<_> = (1..=21).map(wish).collect();
    for wish in &wishes[..20] {
        assert_eq!(host.subscribe(wish).await.0, StatusCode::CREATED);
        service.next().await;
    }
    let (status, said) = host.subscribe(&wishes[20]).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(said["error"]["code"], "place");
    assert_eq!(host.subscribe(&wishes[0]).await.0, StatusCode::OK, "who is here may stay");
    host.stop().await;
}

#[tokio::test]
async fn a_host_may_want_nobody_told() {
    let host = Host::off().await;
    let (status, said) = host.get("/push/key").await;
    assert_eq!((status, &said["error"]["code"]), (StatusCode::NOT_FOUND, &json!("off")));
    assert!(!host.metrics().await.contains("starling_push"));
    host.stop().await;
}
