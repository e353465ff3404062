//! TLS by files: the page, WebSockets, HTTP/2, a new certificate without a restart, and the way there
//! from plain HTTP.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::hosting_rig::{Host, within};

/// A certificate for `localhost` and its key, written into a folder.
fn write_pair(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    // The key first: a reader between the two keeps the old pair.
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap()
}

fn settings(folder: &TempDir, more: &str) -> String {
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    format!("[tls]\ncert = {cert:?}\nkey = {key:?}\n{more}\n")
}

/// A connection that trusts this certificate only.
async fn connect(
    address: SocketAddr,
    certificate: &CertificateDer<'static>,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Sends the head of a request and reads until `end` came.
async fn ask(stream: &mut TlsStream<TcpStream>, head: &str, end: &str) -> String {
    let request = format!("{}\r\n\r\n", head.replace('\n', "\r\n"));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = async {
        while !String::from_utf8_lossy(&answer).contains(end) {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "it ended before {end}");
        }
    };
    within(end, read).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn the_page_and_the_socket_are_behind_tls() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = write_pair(folder.path());
    let host = Host::start(&settings(&folder, ""));
    let mut stream = connect(host.address, &certificate, &["http/1.1"]).await.unwrap();
    let answer = ask(&mut stream, "GET /healthz HTTP/1.1\nhost: localhost", "ok\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age="), "{answer}");
    let upgrade = "GET /signal HTTP/1.1\nhost: localhost\nconnection: upgrade\nupgrade: websocket\n\
        sec-websocket-version: 13\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    let answer = ask(&mut stream, upgrade, "\"challenge\"").await;
    // RFC 6455, 1.3.
    assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
}

#[tokio::test]
async fn version_2_of_http_is_spoken_to_those_who_can() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = write_pair(folder.path());
    let host = Host::start(&settings(&folder, ""));
    for (offered, expected) in [
        (&["h2", "http/1.1"][..], Some(&b"h2"[..])),
        (&["http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let stream = connect(host.address, &certificate, offered).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), expected);
    }
}

#[tokio::test]
async fn a_new_certificate_is_used_after_a_hangup_and_old_connections_stay() {
    let folder = tempfile::tempdir().unwrap();
    let old = write_pair(folder.path());
    let host = Host::start(&settings(&folder, ""));
    let mut before = connect(host.address, &old, &["http/1.1"]).await.unwrap();
    let new = write_pair(folder.path());
    host.signal("HUP");
    let exchanged = async {
        while connect(host.address, &new, &[]).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    within("the new certificate", exchanged).await;
    assert!(connect(host.address, &old, &[]).await.is_err());
    ask(&mut before, "GET /healthz HTTP/1.1\nhost: localhost", "ok\n").await;
}

#[tokio::test]
async fn plain_http_is_sent_to_tls_but_for_a_certificate_authority() {
    let folder = tempfile::tempdir().unwrap();
    write_pair(folder.path());
    let challenges = folder.path().join("challenges");
    let answers = challenges.join(".well-known/acme-challenge");
    std::fs::create_dir_all(&answers).unwrap();
    std::fs::write(answers.join("token"), "token.thumbprint").unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let plain = free.local_addr().unwrap();
    drop(free);
    let more = format!("redirect = [\"{plain}\"]\nchallenges = {challenges:?}");
    let host = Host::start(&settings(&folder, &more));
    let never = reqwest::redirect::Policy::none();
    let http = reqwest::Client::builder().no_proxy().redirect(never).build().unwrap();
    let answer = http.get(format!("http://{plain}/watch?src=a")).send().await.unwrap();
    assert_eq!(answer.status(), 308);
    let there = format!("https://127.0.0.1:{}/watch?src=a", host.address.port());
    assert_eq!(answer.headers()["location"], there.as_str());
    let asked = format!("http://{plain}/.well-known/acme-challenge/token");
    let answer = http.get(asked).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "token.thumbprint");
}
