//! The page's files over HTTP, without a socket.

use axum::Router;
use axum::http::{Request, Response};

use super::*;

fn page() -> Page {
    let files = [
        ("index.html", "<script>1</script>"),
        ("embed.js", "export {}"),
        ("kept.json", r#"{"version":"0123456789abcdef","bytes":0,"files":[]}"#),
        ("wallet/worker.js", "onmessage"),
        ("app-5ef3a9d1c4b07a26_bg.wasm", "wasm wasm wasm"),
        ("app-5ef3a9d1c4b07a26_bg.wasm.br", "br"),
    ];
    Page::of(files.into_iter().map(|(path, text)| (path.into(), text.into())).collect())
}

async fn get(path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::get(path);
    for (name, text) in headers {
        request = request.header(*name, *text);
    }
    let app = Router::new().fallback(serve).with_state(Arc::new(page()));
    tower::ServiceExt::oneshot(app, request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn body(response: Response<Body>) -> Vec<u8> {
    axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()
}

#[tokio::test]
async fn the_apps_routes_are_the_document_and_other_files_are_not_found() {
    for (path, status) in [
        ("/", 200),
        ("/watch?src=https://a.example/master.m3u8", 200),
        ("/network/", 200),
        ("/settings", 200),
        ("/nowhere", 404),
        ("/nowhere.js", 404),
        ("/index.html", 404),
        ("/app-5ef3a9d1c4b07a26_bg.wasm.br", 404),
    ] {
        assert_eq!(get(path, &[]).await.status(), status, "{path}");
    }
    assert_eq!(body(get("/nowhere.js", &[]).await).await, b"not found\n");
    assert_eq!(body(get("/nowhere", &[]).await).await, b"<script>1</script>");
}

#[tokio::test]
async fn a_page_of_another_version_gets_no_worker_of_this_one() {
    for (path, status) in [
        ("/wallet/worker.js", 200),
        ("/wallet/worker.js?v=0123456789abcdef", 200),
        ("/wallet/worker.js?v=fedcba9876543210", 404),
        ("/wallet/worker.js?w=1&v=", 404),
        ("/embed.js?v=7", 200),
        ("/watch?v=7", 200),
    ] {
        assert_eq!(get(path, &[]).await.status(), status, "{path}");
    }
}

#[tokio::test]
async fn brotli_goes_to_those_who_take_it_and_caches_keep_the_two_apart() {
    let path = "/app-5ef3a9d1c4b07a26_bg.wasm";
    let small = get(path, &[("accept-encoding", "gzip, br")]).await;
    assert_eq!(small.headers()["content-encoding"], "br");
    assert_eq!(small.headers()["content-type"], "application/wasm");
    assert_eq!(small.headers()["vary"], "accept-encoding");
    let plain = get(path, &[]).await;
    assert_eq!(plain.headers().get("content-encoding"), None);
    assert_eq!(plain.headers()["vary"], "accept-encoding");
    assert_ne!(small.headers()["etag"], plain.headers()["etag"]);
    assert_eq!(body(small).await, b"br");
    assert_eq!(body(plain).await, b"wasm wasm wasm");
}

#[tokio::test]
async fn hashed_names_are_kept_for_good_and_others_are_asked_for_again() {
    let hashed = get("/app-5ef3a9d1c4b07a26_bg.wasm", &[]).await;
    assert_eq!(hashed.headers()["cache-control"], "public, max-age=31536000, immutable");
    let stable = get("/embed.js", &[]).await;
    assert_eq!(stable.headers()["cache-control"], "no-cache");
    let etag = stable.headers()["etag"].to_str().unwrap().to_owned();
    let again = get("/embed.js", &[("if-none-match", &etag)]).await;
    assert_eq!(again.status(), 304);
    assert_eq!(again.headers()["access-control-allow-origin"], "*");
    assert_eq!(body(again).await, b"");
}

#[tokio::test]
async fn other_sites_may_run_the_player_but_not_frame_the_page() {
    let script = get("/embed.js", &[]).await;
    assert_eq!(script.headers()["access-control-allow-origin"], "*");
    assert_eq!(script.headers()["cross-origin-resource-policy"], "cross-origin");
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    let page = get("/", &[]).await;
    for headers in [script.headers(), page.headers()] {
        assert_eq!(headers.get("cross-origin-embedder-policy"), None);
        assert_eq!(headers.get("cross-origin-opener-policy"), None);
    }
    assert_eq!(page.headers().get("access-control-allow-origin"), None);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors 'self'"));
    assert!(policy.contains("'wasm-unsafe-eval'"));
}

/// While the host is down, the worker that keeps the page answers for the same ones.
#[test]
fn the_worker_that_keeps_the_page_knows_the_apps_routes() {
    let worker = include_str!("../../../../static/kept.js");
    for route in APP_ROUTES {
        assert!(worker.contains(&format!("\"{route}\"")), "{route}");
    }
}

#[test]
fn a_hash_in_a_name_is_told_from_a_word() {
    for path in ["vendor/hls-0a1b2c3d.mjs", "app-5ef3a9d1c4b07a26_bg.wasm", "a-b-0123456789.css"] {
        assert!(has_hash(path), "{path}");
    }
    for path in ["embed.js", "facade-deadbee.js", "icons/icon-512.png", "a-0123456789abc", "-.js"] {
        assert!(!has_hash(path), "{path}");
    }
}
