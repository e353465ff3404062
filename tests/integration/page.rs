//! A page that one host hands on and another serves, each block checked on the way; both say what it is called.
//!
//! Run as a test of the package `starling`, which knows its servers.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod serve_rig;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use content::Cid;
use serde_json::{Value, json};
use starling::content::{FileStore, Gateways, Opening, Options, add, fetch};
use starling::serve::{Config, ServeError, Server, ledger as beside};

use serve_rig::Serving;

const DOCUMENT: &str = "<!doctype html><title>Handed on</title>";
const PART: &str = "app-0123456789abcdef.js";

/// A host that serves this page out of its store.
fn config(data: &Path, page: Cid) -> Config {
    Config {
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        data: data.to_owned(),
        page: Some(page.to_string()),
        ledger: beside::Config { enabled: false, ..beside::Config::default() },
        ..Config::default()
    }
}

/// Brings a page into the store of a host, from the gateway of another.
async fn bring(page: Cid, from: &Serving, data: &Path) {
    let url = format!("http://{}", from.address).parse().unwrap();
    let mut store = FileStore::open(data).unwrap();
    let fetched = tokio::task::spawn_blocking(move || {
        let gateways = Arc::new(Gateways::new(&[url]).unwrap());
        fetch(page, &Opening::Plain, 1 << 20, &gateways, &mut store, &mut |_, _| {}).unwrap()
    });
    assert!(fetched.await.unwrap().blocks >= 3, "a folder and two files");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_serves_the_page_that_another_handed_on_and_both_say_what_it_is_called() {
    let [one, two, files] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    std::fs::write(files.path().join("index.html"), DOCUMENT).unwrap();
    std::fs::write(files.path().join(PART), "export {}").unwrap();
    let mut store = FileStore::open(one.path()).unwrap();
    let page = add(files.path(), Options::default(), &mut store, &mut |_, _| {}).unwrap().cid;

    let first = Serving::start(config(one.path(), page)).await;
    let refused = Server::bind(config(two.path(), page)).unwrap_err();
    assert!(matches!(refused, ServeError::Page { .. }), "{refused}");
    assert!(refused.remedy().contains("starling get"), "{}", refused.remedy());
    bring(page, &first, two.path()).await;
    let second = Serving::start(config(two.path(), page)).await;

    for host in [&first, &second] {
        let get = async |path: &str| {
            let answer = host.http.get(format!("http://{}{path}", host.address)).send();
            answer.await.unwrap().error_for_status().unwrap()
        };
        let document = get("/lend").await;
        assert!(document.headers().contains_key("content-security-policy"));
        assert_eq!(document.text().await.unwrap(), DOCUMENT);
        let part = get(&format!("/{PART}")).await;
        assert!(part.headers()["cache-control"].to_str().unwrap().contains("immutable"));
        let named = get("/v1/page").await.bytes().await.unwrap();
        let named: Value = serde_json::from_slice(&named).unwrap();
        assert_eq!(named, json!({ "cid": page.to_string() }));
    }
    first.stop().await;
    second.stop().await;
}
