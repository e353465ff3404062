//! `docs/spec/ledger-openapi.json` names the requests that a validator answers, and no others, and its answers are
//! as that says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ledger_rig::{Network, balance};
use super::{ledger_errors, somebody};

const WORDS: &str = include_str!("../../docs/spec/ledger.md");
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

/// Where a value is not what a schema says, or has what that does not name. None: nowhere.
fn misfit(spec: &Value, schema: &Value, value: &Value) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let named = spec.pointer(name.trim_start_matches('#')).unwrap();
        return misfit(spec, named, value);
    }
    if let Some(forms) = schema["oneOf"].as_array() {
        let count = forms.iter().filter(|form| misfit(spec, form, value).is_none()).count();
        return (count != 1).then(|| format!("{value} has {count} of its forms"));
    }
    if let Some(words) = schema["enum"].as_array() {
        return (!words.contains(value)).then(|| format!("{value} is none of {words:?}"));
    }
    let fits = match schema["type"].as_str() {
        Some("object") => return misfit_of_object(spec, schema, value),
        Some("array") => {
            let Some(items) = value.as_array() else { return Some(format!("{value} is no list")) };
            return items.iter().find_map(|item| misfit(spec, &schema["items"], item));
        }
        Some("string") => value.as_str().is_some_and(|text| has_pattern(schema, text)),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        other => panic!("a type that this test does not know: {other:?}"),
    };
    (!fits).then(|| format!("{value} is not {schema}"))
}

fn misfit_of_object(spec: &Value, schema: &Value, value: &Value) -> Option<String> {
    let Some(fields) = value.as_object() else { return Some(format!("{value} is no object")) };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            return Some(format!("{name} is missing"));
        }
    }
    fields.iter().find_map(|(name, field)| match schema["properties"].get(name) {
        Some(schema) => misfit(spec, schema, field).map(|misfit| format!("{name}: {misfit}")),
        None => Some(format!("{name} is not specified")),
    })
}

/// Patterns are few: each is known here.
fn has_pattern(schema: &Value, text: &str) -> bool {
    let is_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match schema["pattern"].as_str() {
        None => true,
        Some("^[0-9]+$") => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
        Some("^[0-9a-f]*$") => is_hex,
        Some("^[0-9a-f]{64}$") => is_hex && text.len() == 64,
        Some("^[0-9a-f]{192}$") => is_hex && text.len() == 192,
        Some(other) => panic!("a pattern that this test does not know: {other}"),
    }
}

#[test]
fn what_is_not_as_specified_is_seen() {
    let spec: Value = serde_json::from_str(SPEC).unwrap();
    let error = serde_json::json!({ "$ref": "#/components/schemas/Error" });
    let check = |value: Value| misfit(&spec, &error, &value);
    assert_eq!(check(serde_json::json!({ "error": { "code": "busy" } })), None);
    assert!(check(serde_json::json!({ "error": { "code": "lazy" } })).is_some());
    assert!(check(serde_json::json!({ "error": {} })).is_some());
    assert!(check(serde_json::json!({ "error": { "code": "busy", "text": "" } })).is_some());
    assert!(check(serde_json::json!({ "error": { "code": "pruned", "since": "5" } })).is_some());
}

#[test]
fn every_code_of_an_error_is_specified() {
    let spec: Value = serde_json::from_str(SPEC).unwrap();
    let codes = "/components/schemas/Error/properties/error/properties/code/enum";
    let codes = spec.pointer(codes).unwrap().as_array().unwrap().iter();
    let codes: BTreeSet<&str> = codes.map(|code| code.as_str().unwrap()).collect();
    let (_, errors) = WORDS.split_once("\n## Errors\n").unwrap();
    let errors = errors.split("\n## ").next().unwrap().lines();
    let told = errors.filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(codes, told.collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn every_answer_is_as_it_is_specified() {
    let mut network = Network::alone();
    network.start(0).await;
    let spec: Value = serde_json::from_str(SPEC).unwrap();
    let sent = network.send(0, somebody(), 5);
    let parts = BTreeMap::from([
        ("{transaction}", sent["transaction"].as_str().unwrap().to_owned()),
        ("{height}", sent["height"].to_string()),
        ("{key}", balance(somebody())),
        ("{prefix}", balance(somebody())[..4].to_owned()),
        ("{account}", somebody().to_string()),
    ]);
    // It waits for the one before it, which nobody sends.
    let transaction = ledger_errors::body(&network, 40, 100_000).await;
    let transaction = transaction.sign(&network.faucet()).to_bytes();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut errors = 0;
    for (path, item) in spec["paths"].as_object().unwrap() {
        let filled = path.split('/').map(|part| parts.get(part).map_or(part, String::as_str));
        let good = format!("{}{}", network.base(0), filled.collect::<Vec<_>>().join("/"));
        let bad = format!("{}{}", network.base(0), self::filled(path));
        for (method, operation) in item.as_object().unwrap() {
            let method: reqwest::Method = method.to_uppercase().parse().unwrap();
            let mut responses = operation["responses"].as_object().unwrap().iter();
            let (status, response) = responses.find(|(status, _)| *status != "default").unwrap();
            for (kind, content) in response["content"].as_object().unwrap() {
                let asked = http.request(method.clone(), &good).header("accept", kind.as_str());
                let answer = asked.body(transaction.clone()).send().await.unwrap();
                assert_eq!(answer.status().as_str(), status, "{method} {path} as {kind}");
                assert_eq!(answer.headers()["content-type"], kind.as_str(), "{method} {path}");
                let bytes = answer.bytes().await.unwrap();
                assert!(!bytes.is_empty(), "{method} {path} as {kind}");
                if kind == "application/json" {
                    let value = serde_json::from_slice(&bytes).unwrap();
                    assert_eq!(misfit(&spec, &content["schema"], &value), None, "{path}");
                }
            }
            let answer = http.request(method.clone(), &bad).body("0").send().await.unwrap();
            if !answer.status().is_success() {
                let value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
                let error = &spec["components"]["schemas"]["Error"];
                assert_eq!(misfit(&spec, error, &value), None, "{method} {path}");
                errors += 1;
            }
        }
    }
    assert!(errors > 4, "only {errors} of them refuse what is none");
}
