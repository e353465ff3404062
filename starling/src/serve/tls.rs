//! TLS by files: a certificate and its key, read again when they change or on SIGHUP.

mod config;
mod redirect;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

pub(super) use config::DEFAULT_TOML;
pub use config::TlsConfig;
pub(super) use redirect::router as redirect;

/// HTTP/2 in ALPN.
pub(super) const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";
/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of the two files is named and the other is not.
    #[error("expected both `cert` and `key`, found only one")]
    Half,
    /// Addresses to redirect from, without TLS to redirect to.
    #[error("`redirect` and `challenges` need `cert` and `key`")]
    Nowhere,
    /// A file can't be read, or is not what it should be.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// The two do not belong together, or are of a kind that is not known.
    #[error("certificate and key: {0}")]
    Pair(#[from] rustls::Error),
}

/// A certificate that may be exchanged while it is used.
#[derive(Debug)]
pub(super) struct Certificate {
    cert: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
    /// When the files changed, as of the last look.
    changed: RwLock<Option<[SystemTime; 2]>>,
}

impl Certificate {
    /// The one that the settings name; `None`: plain HTTP.
    pub(super) fn open(config: &TlsConfig) -> Result<Option<Arc<Self>>, TlsError> {
        let (cert, key) = match (&config.cert, &config.key) {
            (Some(cert), Some(key)) => (cert.clone(), key.clone()),
            (None, None) if config.redirect.is_empty() && config.challenges.is_none() => {
                return Ok(None);
            }
            (None, None) => return Err(TlsError::Nowhere),
            (Some(_), None) | (None, Some(_)) => return Err(TlsError::Half),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let changed = RwLock::new(changed(&cert, &key));
        let current = RwLock::new(read(&cert, &key, &provider)?);
        Ok(Some(Arc::new(Self { cert, key, provider, current, changed })))
    }

    /// What takes connections with whatever the certificate is then.
    pub(super) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Reads the files again whenever they change or the process gets SIGHUP, which ends it no more from this call
    /// on.
    pub(super) fn keep(self: Arc<Self>) -> impl Future<Output = ()> {
        let mut hangups = Hangups::new();
        async move {
            loop {
                let told = tokio::select! {
                    () = hangups.next() => true,
                    () = tokio::time::sleep(LOOK_EVERY) => false,
                };
                if self.look() || told {
                    self.reload();
                }
            }
        }
    }

    /// Whether the files are others than at the last look.
    fn look(&self) -> bool {
        let now = changed(&self.cert, &self.key);
        let mut last = self.changed.write().unwrap_or_else(PoisonError::into_inner);
        let is_new = now.is_some() && *last != now;
        *last = now;
        is_new
    }

    /// A pair that can't be used, or that is half written, leaves the old one in place.
    fn reload(&self) {
        match read(&self.cert, &self.key, &self.provider) {
            Ok(new) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
                tracing::info!("the certificate was read again");
            }
            Err(error) => tracing::error!("the certificate stays the old one: {error}"),
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// SIGHUP, where there is such a thing.
struct Hangups(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

impl Hangups {
    fn new() -> Self {
        #[cfg(unix)]
        {
            Self(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok())
        }
        #[cfg(not(unix))]
        {
            Self()
        }
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}

fn changed(cert: &Path, key: &Path) -> Option<[SystemTime; 2]> {
    let time = |path: &Path| std::fs::metadata(path).and_then(|found| found.modified()).ok();
    Some([time(cert)?, time(key)?])
}

fn read(cert: &Path, key: &Path, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
    let fail = |path: &Path, what: &dyn ToString| TlsError::File {
        path: path.to_owned(),
        what: what.to_string(),
    };
    let chain = CertificateDer::pem_file_iter(cert).map_err(|error| fail(cert, &error))?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|error| fail(cert, &error))?;
    if chain.is_empty() {
        return Err(fail(cert, &"no certificate in it"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| fail(key, &error))?;
    Ok(Arc::new(CertifiedKey::from_der(chain, secret, provider)?))
}

#[cfg(test)]
mod tests;
