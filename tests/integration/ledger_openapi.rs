//! `docs/spec/ledger-openapi.json` names the requests that a validator answers, and no others.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ledger_rig::Network;

const SPEC: &str = include_str!("../../docs/spec/ledger-openapi.json");
/// Where requests are routed. A router does not tell what it routes; the source does.
const API: &str = include_str!("../../ledger-node/src/api.rs");

/// The methods of each path of the specification, as an `Allow` header has them.
fn specified() -> Vec<(String, BTreeSet<String>)> {
    let spec: Value = serde_json::from_str(SPEC).unwrap();
    let paths = spec["paths"].as_object().unwrap().iter();
    let methods = paths.map(|(path, item)| {
        let known = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
        let named = item.as_object().unwrap().keys().filter(|key| known.contains(&key.as_str()));
        let mut methods: BTreeSet<String> = named.map(|name| name.to_uppercase()).collect();
        // Who answers the one answers the other without its body.
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        (path.clone(), methods)
    });
    methods.collect()
}

/// A path with something in the place of each parameter.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "0" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_path_that_is_routed_is_specified() {
    let routed: BTreeSet<&str> =
        API.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(routed.contains("/ledger/status"), "routes are written otherwise: {routed:?}");
    let specified = specified();
    let specified: BTreeSet<&str> = specified.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(routed, specified);
}

#[tokio::test]
async fn every_path_that_is_specified_is_answered_with_its_methods_and_no_others() {
    let mut network = Network::alone();
    network.start(0).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for (path, methods) in specified() {
        let url = format!("{}{}", network.base(0), filled(&path));
        // Nothing is ever deleted: a path that there is says what it takes instead.
        let answer = http.delete(url).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        let allowed = answer.headers()["allow"].to_str().unwrap().split(',');
        let allowed: BTreeSet<String> = allowed.map(|one| one.trim().to_owned()).collect();
        assert_eq!(allowed, methods, "{path}");
    }
}
