//! The files under `deploy/` fit the program they start and watch.

use std::collections::BTreeSet;

use serde_json::Value;
use starling::serve::Config;

use super::hosting_rig::{Host, checkout};

/// Names of our metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let words = text.split(|c| !is_name(c)).filter(|word| word.starts_with("starling_"));
    words.map(str::to_owned).collect()
}

/// Every text in a JSON document.
fn texts(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::String(text) => found.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|one| texts(one, found)),
        Value::Object(fields) => fields.values().for_each(|one| texts(one, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test]
async fn every_metric_of_the_dashboard_is_one_that_is_exported() {
    let dashboard: Value = serde_json::from_str(&checkout("deploy/grafana.json")).unwrap();
    let mut found = Vec::new();
    texts(&dashboard, &mut found);
    let wanted: BTreeSet<String> = found.iter().flat_map(|text| names(text)).collect();
    assert!(wanted.len() > 25, "{} metrics", wanted.len());
    let host = Host::start("");
    let metrics = host.get("/metrics").await.text().await.unwrap();
    let samples = metrics.lines().filter(|line| !line.starts_with('#'));
    let exported: BTreeSet<String> = samples.flat_map(names).collect();
    let unknown: Vec<_> = wanted.difference(&exported).collect();
    assert!(unknown.is_empty(), "{unknown:?} are not in\n{metrics}");
}

#[test]
fn the_settings_to_start_from_say_what_the_guide_says() {
    let config: Config = toml::from_str(&checkout("deploy/starling.toml")).unwrap();
    assert!(config.tls.cert.is_some() && !config.tls.redirect.is_empty());
    assert!(config.listen.iter().all(|address| address.port() == 443));
    assert!(config.relay.listen.iter().all(|address| address.port() == 3478));
    let guide = checkout("docs/hosting.md");
    for file in ["starling.toml", "starling.service", "Dockerfile", "compose.yaml", "grafana.json"]
    {
        assert!(guide.contains(&format!("deploy/{file}")), "{file}");
    }
    for port in ["443", "80", "3478", "5349", &format!("{}", config.relay.port_min)] {
        assert!(guide.contains(port), "{port}");
    }
}

#[test]
fn the_nodes_of_the_compose_file_do_not_take_each_others_ports() {
    let read = |name| -> Config { toml::from_str(&checkout(name)).unwrap() };
    let [one, two] = ["deploy/compose/node1.toml", "deploy/compose/node2.toml"].map(read);
    assert_ne!(one.listen, two.listen);
    assert_ne!(one.relay.listen, two.relay.listen);
    assert!(one.relay.port_max < two.relay.port_min);
    assert_eq!(one.bus.nats, two.bus.nats);
    assert_ne!(one.bus.name, two.bus.name);
    // Caddy speaks to both, from an address that both believe.
    let proxy = checkout("deploy/compose/Caddyfile");
    for node in [one, two] {
        assert!(node.listen.iter().all(|address| proxy.contains(&address.to_string())));
        assert!(node.listen.iter().all(|address| {
            node.signaling.trusted_proxies.iter().any(|net| net.contains(&address.ip()))
        }));
    }
}
