//! `starling serve` as browsers see it: a real server on port 0 with a real folder of media.

#![allow(clippy::unwrap_used, reason = "a test's helpers may panic like the test itself")]

mod stream_rig;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use media::Manifest;
use primitives::{PeerId, sha256};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use starling::serve::{Config, MediaState, ServeError, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;

use stream_rig::{Folder, key, master, playlist, segment};

/// No wait of these tests is this long unless something is broken.
const DEADLINE: Duration = Duration::from_secs(60);

/// A running server.
struct Running {
    address: SocketAddr,
    publisher: PeerId,
    http: reqwest::Client,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<Result<(), ServeError>>,
    _data: Folder,
}

fn config(data: &Path, media: &Path) -> Config {
    Config {
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        data: data.to_owned(),
        media: Some(media.to_owned()),
        ..Config::default()
    }
}

impl Running {
    async fn start(media: &Folder) -> Self {
        let data = Folder::new();
        let server = Server::bind(config(data.path(), media.path())).unwrap();
        let publisher = server.publisher();
        let state = server.prepare_media(&mut |_| ()).await;
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, address) = oneshot::channel();
        let ended = tokio::spawn(server.run(
            state,
            |addresses| ready.send(addresses[0]).unwrap(),
            async move { stopped.await.unwrap_or(()) },
        ));
        let address = address.await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { address, publisher, http, stop, ended, _data: data }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let mut request = self.http.get(self.url(path)).header("origin", "https://site.example");
        for (name, text) in headers {
            request = request.header(*name, *text);
        }
        request.send().await.unwrap()
    }

    async fn bytes(&self, path: &str) -> Vec<u8> {
        self.ask(path, &[]).await.bytes().await.unwrap().to_vec()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_segment_comes_whole_or_by_range_with_what_a_player_elsewhere_needs() {
    let folder = Folder::with_stream(2);
    let server = Running::start(&folder).await;
    let bytes = segment("hi", 1);
    let whole = server.ask("/media/hi/s1.m4s", &[]).await;
    assert_eq!(whole.status(), StatusCode::OK);
    let headers = whole.headers().clone();
    assert_eq!(text(&headers, "content-type"), "video/iso.segment");
    assert_eq!(text(&headers, "access-control-allow-origin"), "*");
    assert_eq!(text(&headers, "cross-origin-resource-policy"), "cross-origin");
    for name in ["content-range", "content-length", "etag", "repr-digest"] {
        assert!(text(&headers, "access-control-expose-headers").contains(name), "{name}");
    }
    assert_eq!(whole.bytes().await.unwrap(), bytes);

    let part = server.ask("/media/hi/s1.m4s", &[("range", "bytes=100-299")]).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    let range = format!("bytes 100-299/{}", bytes.len());
    assert_eq!(text(part.headers(), "content-range"), range);
    // RFC 9530, 3: the digest of the whole, whatever range is sent.
    assert_eq!(text(part.headers(), "repr-digest"), text(&headers, "repr-digest"));
    assert_eq!(part.bytes().await.unwrap(), bytes[100..300]);

    let beyond = server.ask("/media/hi/s1.m4s", &[("range", "bytes=999999-")]).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
}

/// The digest is the Base64 of SHA-256 of "abc" (FIPS 180-4).
#[tokio::test]
async fn a_segment_carries_the_digest_of_what_it_is_now() {
    let folder = Folder::with_stream(1);
    folder.write("hi/s0.m4s", "abc");
    let server = Running::start(&folder).await;
    let digest = "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:";
    let first = server.ask("/media/hi/s0.m4s", &[]).await;
    assert_eq!(text(first.headers(), "repr-digest"), digest);
    folder.write("hi/s0.m4s", "abcd");
    let second = server.ask("/media/hi/s0.m4s", &[]).await;
    assert_ne!(text(second.headers(), "repr-digest"), digest);
    let playlist = server.ask("/media/master.m3u8", &[]).await;
    assert_eq!(text(playlist.headers(), "repr-digest"), "");
}

#[tokio::test]
async fn what_is_still_the_same_is_not_sent_again() {
    let folder = Folder::with_stream(1);
    let server = Running::start(&folder).await;
    for path in ["/media/master.m3u8", "/media/hi/s0.m4s", "/media/starling.json"] {
        let etag = text(server.ask(path, &[]).await.headers(), "etag").to_owned();
        let again = server.ask(path, &[("if-none-match", &etag)]).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(text(again.headers(), "etag"), etag);
        assert_eq!(text(again.headers(), "access-control-allow-origin"), "*");
        let other = server.ask(path, &[("if-none-match", "\"other\"")]).await;
        assert_eq!(other.status(), StatusCode::OK, "{path}");
    }
    let etag = text(server.ask("/media/hi/s0.m4s", &[]).await.headers(), "etag").to_owned();
    for (condition, status) in [(etag.as_str(), 206), ("\"other\"", 200)] {
        let headers = [("if-range", condition), ("range", "bytes=0-9")];
        let answer = server.ask("/media/hi/s0.m4s", &headers).await;
        assert_eq!(answer.status(), status, "{condition}");
    }
}

#[tokio::test]
async fn playlists_are_asked_for_again_and_segments_are_kept() {
    let folder = Folder::with_stream(1);
    let server = Running::start(&folder).await;
    for (path, media_type, caching) in [
        ("/media/master.m3u8", "application/vnd.apple.mpegurl", "no-cache"),
        ("/media/starling.json", "application/json", "no-cache"),
        ("/media/starling/0-0.json", "application/json", "no-cache"),
        ("/media/hi/s0.m4s", "video/iso.segment", "public, max-age=3600"),
    ] {
        let answer = server.ask(path, &[]).await;
        assert_eq!(text(answer.headers(), "content-type"), media_type, "{path}");
        assert_eq!(text(answer.headers(), "cache-control"), caching, "{path}");
    }
}

#[tokio::test]
async fn other_sites_may_ask_and_read_refusals() {
    let folder = Folder::with_stream(1);
    let server = Running::start(&folder).await;
    let preflight = server
        .http
        .request(Method::OPTIONS, server.url("/media/hi/s0.m4s"))
        .header("origin", "https://site.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "range,if-none-match")
        .send()
        .await
        .unwrap();
    assert!(preflight.status().is_success());
    assert_eq!(text(preflight.headers(), "access-control-allow-origin"), "*");
    assert_eq!(text(preflight.headers(), "access-control-allow-headers"), "*");
    let missing = server.ask("/media/hi/none.m4s", &[]).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(text(missing.headers(), "access-control-allow-origin"), "*");
}

/// Written by hand: HTTP clients tidy paths up before they send them.
#[tokio::test]
async fn no_path_leads_out_of_the_media_folder() {
    let outer = Folder::new();
    outer.write("secret.txt", "the secret");
    outer.write("media/.hidden", "the secret");
    outer.write("media/index.m3u8", playlist(0, 1, true));
    outer.write("media/s0.m4s", "x");
    let data = Folder::new();
    let server = Server::bind(config(data.path(), &outer.join("media"))).unwrap();
    let app = server.app();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    for path in [
        "/media/../secret.txt",
        "/media/%2e%2e/secret.txt",
        "/media/..%2fsecret.txt",
        "/media/hi/../../secret.txt",
        "/media/..%5csecret.txt",
        "/media/.hidden",
        "/media/",
    ] {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(!answer.contains("the secret"), "{path}");
    }
}

#[tokio::test]
async fn a_folder_nobody_signed_is_signed_and_proves_what_is_served() {
    let folder = Folder::with_stream(2);
    let server = Running::start(&folder).await;
    let manifest = Manifest::open(&server.bytes("/media/starling.json").await).unwrap();
    assert_eq!(manifest.publisher, server.publisher);
    let path = format!("/media/{}", manifest.rendition(1).unwrap().part_url(0));
    let part = manifest.open_part(1, 0, &server.bytes(&path).await).unwrap();
    let served = server.bytes("/media/lo/s1.m4s").await;
    assert_eq!(part.segment(1).unwrap().sha256, sha256(&served));
}

#[tokio::test]
async fn somebody_elses_manifest_is_served_as_it_is() {
    let folder = Folder::with_stream(1);
    starling::publish::whole(&folder.job(&key(1)), &mut |_| ()).await.unwrap();
    let before = folder.read("starling.json");
    let server = Running::start(&folder).await;
    assert_eq!(server.bytes("/media/starling.json").await, before);
    assert_ne!(server.publisher, key(1).id());
}

#[tokio::test]
async fn media_packaged_again_are_signed_again() {
    let folder = Folder::with_stream(1);
    let data = folder.join("data");
    let sign = async || {
        let server = Server::bind(config(&data, folder.path())).unwrap();
        let state = server.prepare_media(&mut |_| ()).await;
        assert!(
            matches!(state, MediaState::Signed { publisher } if publisher == server.publisher())
        );
        folder.read("starling/0-0.json")
    };
    let first = sign().await;
    assert_eq!(sign().await, first);
    folder.write("hi/s0.m4s", b"another cut");
    folder.write("hi/index.m3u8", playlist(0, 1, true));
    assert_ne!(sign().await, first);
}

#[tokio::test]
async fn media_that_cannot_be_signed_are_served_all_the_same() {
    let folder = Folder::with_stream(1);
    folder.write("starling", "a file where the parts would go");
    let server = Running::start(&folder).await;
    assert_eq!(server.bytes("/media/hi/s0.m4s").await, segment("hi", 0));
    assert_eq!(server.ask("/media/starling.json", &[]).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_live_folder_is_signed_as_it_grows() {
    let folder = Folder::new();
    folder.write("master.m3u8", master(&["hi"]));
    folder.add_segment("hi", 0);
    folder.write("hi/index.m3u8", playlist(0, 1, false));
    let server = Running::start(&folder).await;
    assert!(Manifest::open(&server.bytes("/media/starling.json").await).unwrap().live);
    folder.add_segment("hi", 1);
    folder.write("hi/index.m3u8", playlist(0, 2, false));
    let signed = async {
        while server.ask("/media/starling/0-1.json", &[]).await.status() != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, signed).await.expect("the new segment is signed");
}

#[tokio::test]
async fn one_port_has_the_page_the_media_and_the_signaling_server() {
    let folder = Folder::with_stream(1);
    let server = Running::start(&folder).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(server.ask(path, &[]).await.status(), StatusCode::OK, "{path}");
    }
    let page = server.ask("/watch?src=https://a.example/master.m3u8", &[]).await;
    // Without a built page the answer says how to build it.
    assert!(matches!(page.status().as_u16(), 200 | 503));
    assert!(text(page.headers(), "content-type").starts_with("text/html"));
    for name in ["cross-origin-opener-policy", "cross-origin-embedder-policy"] {
        assert_eq!(text(page.headers(), name), "", "{name}");
    }
    assert_eq!(server.ask("/none.js", &[]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(server.ask("/signal", &[]).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_server_told_to_stop_ends_and_frees_its_port() {
    let folder = Folder::with_stream(1);
    let server = Running::start(&folder).await;
    server.bytes("/media/master.m3u8").await;
    server.stop.send(()).unwrap();
    let ended = tokio::time::timeout(DEADLINE, server.ended).await.expect("it ends");
    assert!(ended.unwrap().is_ok());
    let mut config = config(&folder.join("data"), folder.path());
    config.listen = vec![server.address];
    assert!(Server::bind(config).is_ok());
}

#[tokio::test]
async fn a_taken_port_says_what_to_do() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let folder = Folder::with_stream(1);
    let mut config = config(&folder.join("data"), folder.path());
    config.listen = vec![listener.local_addr().unwrap()];
    let error = Server::bind(config).unwrap_err();
    assert!(error.remedy().contains("--listen"), "{}", error.remedy());
}

#[tokio::test]
async fn a_missing_media_folder_is_refused() {
    let folder = Folder::new();
    let none: PathBuf = folder.join("none");
    let error = Server::bind(config(folder.path(), &none)).unwrap_err();
    assert!(matches!(error, ServeError::NoMedia(path) if path == none));
}

#[tokio::test]
async fn the_publishers_key_outlives_the_server() {
    let folder = Folder::with_stream(1);
    let data = folder.join("data");
    let first = Server::bind(config(&data, folder.path())).unwrap();
    let second = Server::bind(config(&data, folder.path())).unwrap();
    assert_eq!(first.publisher(), second.publisher());
    assert!(matches!(first.prepare_media(&mut |_| ()).await, MediaState::Signed { .. }));
    let again = second.prepare_media(&mut |_| ()).await;
    assert!(matches!(again, MediaState::Signed { publisher } if publisher == first.publisher()));
}
