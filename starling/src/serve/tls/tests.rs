//! Certificates come, change and are broken.

use std::net::SocketAddr;

use tempfile::TempDir;

use super::*;

fn write(folder: &TempDir) -> TlsConfig {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    TlsConfig { cert: Some(cert), key: Some(key), ..TlsConfig::default() }
}

fn current(certificate: &Certificate) -> Vec<u8> {
    certificate.current.read().unwrap().cert[0].to_vec()
}

#[test]
fn without_files_there_is_no_tls_and_half_a_pair_is_refused() {
    assert!(Certificate::open(&TlsConfig::default()).unwrap().is_none());
    let folder = tempfile::tempdir().unwrap();
    let half = TlsConfig { key: None, ..write(&folder) };
    assert!(matches!(Certificate::open(&half), Err(TlsError::Half)));
    let redirect = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    let nowhere = TlsConfig { redirect, ..TlsConfig::default() };
    assert!(matches!(Certificate::open(&nowhere), Err(TlsError::Nowhere)));
}

#[test]
fn a_file_that_is_missing_or_wrong_is_told_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(&folder);
    let missing = TlsConfig { cert: Some(folder.path().join("none.pem")), ..config.clone() };
    let error = Certificate::open(&missing).unwrap_err();
    assert!(error.to_string().contains("none.pem"), "{error}");
    std::fs::write(config.cert.as_ref().unwrap(), "no certificate").unwrap();
    assert!(matches!(Certificate::open(&config), Err(TlsError::File { .. })));
}

#[test]
fn a_new_pair_takes_the_place_of_the_old_and_a_broken_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(&folder);
    let certificate = Certificate::open(&config).unwrap().unwrap();
    assert!(!certificate.look());
    let old = current(&certificate);
    write(&folder);
    certificate.reload();
    let new = current(&certificate);
    assert_ne!(old, new);
    // The certificate of another key.
    let other = tempfile::tempdir().unwrap();
    std::fs::copy(write(&other).cert.unwrap(), config.cert.unwrap()).unwrap();
    certificate.reload();
    assert_eq!(current(&certificate), new);
}
