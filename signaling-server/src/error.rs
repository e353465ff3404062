//! What is wrong with the settings. Peers' faults are messages, not errors.

/// A setting the server can't start with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A number that must not be zero is.
    #[error("{field} is 0, expected at least 1")]
    Zero {
        /// The setting.
        field: &'static str,
    },
    /// A text that should be an origin is not.
    #[error("{text:?} is not an origin, expected scheme, host and port only: https://example.com")]
    Origin {
        /// The text.
        text: String,
    },
    /// A swarm prefix that is not lower-case hexadecimal.
    #[error("swarm prefix {text:?} is not at most 64 characters of 0-9a-f")]
    SwarmPrefix {
        /// The text.
        text: String,
    },
    /// A site that nothing could match, or two with one key.
    #[error("site {number} has neither origins nor a key, or a key that is too long or taken")]
    Site {
        /// 1-based place in the list.
        number: usize,
    },
    /// The idle timeout would close sockets before they are pinged.
    #[error("idle_timeout_ms is {idle_ms}, expected more than ping_ms, which is {ping_ms}")]
    Idle {
        /// `idle_timeout_ms`.
        idle_ms: u32,
        /// `ping_ms`.
        ping_ms: u32,
    },
    /// A ban that can't be meant.
    #[error("ban {number}: {what}")]
    Ban {
        /// 1-based place in the list.
        number: usize,
        /// What is wrong with it.
        what: String,
    },
    /// A token that can be guessed.
    #[error("token of the host is {found} bytes, expected at least 16, or none")]
    Token {
        /// Bytes found.
        found: usize,
    },
    /// An address of the bus that is none. The address itself is not told: it may hold a password.
    #[error("`nats` is not an address like nats://host:4222: {what}")]
    Nats {
        /// What is wrong with it.
        what: String,
    },
    /// A first word of subjects that can't be one.
    #[error("subject {text:?} is not words of a-z, A-Z, 0-9, - and _ with dots between")]
    Subject {
        /// The text.
        text: String,
    },
    /// A node's name is too long.
    #[error("name of the node is {found} bytes, limit is 64")]
    NodeName {
        /// Bytes found.
        found: usize,
    },
    /// Peers of the tracker would be forgotten before they are asked to announce themselves again.
    #[error("tracker.lease_s is {lease_s}, expected more than interval_s, which is {interval_s}")]
    TrackerLease {
        /// `lease_s`.
        lease_s: u32,
        /// `interval_s`.
        interval_s: u32,
    },
    /// The HTTP client of the witness could not be made.
    #[error("the witness has no HTTP client")]
    Client(#[from] reqwest::Error),
    /// The platform gave no randomness.
    #[error("the platform gave no randomness: {0}")]
    Entropy(String),
}
