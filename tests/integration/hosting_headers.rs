//! Security headers of every answer, which keep nothing from the sites that embed the player.

use super::hosting_rig::Host;

fn text<'a>(answer: &'a reqwest::Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn every_answer_has_its_security_headers() {
    let host = Host::start("");
    for path in [
        "/",
        "/watch",
        "/nowhere",
        "/none.js",
        "/signal",
        "/v1/turn",
        "/v1/status",
        "/healthz",
        "/readyz",
        "/metrics",
        "/media/",
        "/media/a.m4s",
        "/ipfs/x",
    ] {
        let answer = host.get(path).await;
        assert_eq!(text(&answer, "x-content-type-options"), "nosniff", "{path}");
        assert_eq!(text(&answer, "strict-transport-security"), "", "{path}: this is plain HTTP");
        if text(&answer, "access-control-allow-origin") == "*" {
            let policy = text(&answer, "cross-origin-resource-policy");
            assert_ne!(policy, "same-origin", "{path} is for other sites");
        } else {
            let policy = text(&answer, "content-security-policy");
            assert!(policy.contains("default-src 'none'") || policy.contains("script-src 'self'"));
            assert!(policy.contains("frame-ancestors"), "{path}: {policy}");
            assert_eq!(text(&answer, "cross-origin-resource-policy"), "same-origin", "{path}");
        }
    }
}

#[tokio::test]
async fn the_player_is_for_pages_of_any_site() {
    let host = Host::start("");
    let answer = host.get("/embed.js").await;
    if answer.status() == 404 {
        // This binary was built without its page.
        return;
    }
    assert_eq!(text(&answer, "access-control-allow-origin"), "*");
    assert_eq!(text(&answer, "cross-origin-resource-policy"), "cross-origin");
    for name in ["content-security-policy", "x-frame-options", "referrer-policy"] {
        assert_eq!(text(&answer, name), "", "{name}");
    }
}
