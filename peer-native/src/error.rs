//! What a caller can be told.

/// Why a peer or a share does not run; by what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The system gives no random bytes.
    #[error("the system gives no entropy: {0}")]
    Entropy(getrandom::Error),
    /// TLS can't be set up: the system's certificates can't be read.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The share is open already.
    #[error("the share is open already")]
    Open,
    /// The peer has ended.
    #[error("the peer has ended")]
    Ended,
}
