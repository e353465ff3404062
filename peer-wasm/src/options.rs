//! What a page asks of a peer and of a stream.

use peer::{Integrity, StreamConfig};
use serde::{Deserialize, Deserializer};

/// How to start a peer. In JavaScript the names are in camel case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StartOptions {
    /// The signaling server: absolute, or relative to the page; `http:` and `https:` become `ws:` and
    /// `wss:`. Default: `/signal` on the page's own host.
    pub signal_url: String,
    /// Connect to peers through relays only, so that they do not learn this device's address.
    pub relay_only: bool,
    /// What may be uploaded to peers.
    pub upload_limit: UploadLimit,
    /// Most bytes kept across reloads. Default: 512 MiB, at most a fifth of what the browser grants.
    pub cache_bytes: Option<u64>,
    /// Most bytes of segments held in memory. Default: 96 MiB.
    pub memory_bytes: Option<u64>,
}

/// What may be uploaded to peers. In JavaScript: absent, `null`, or bytes per second (0: nothing).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UploadLimit {
    /// No limit, but nothing where it would cost the person: data saver on, or a cellular line.
    #[default]
    Auto,
    /// No limit.
    Unlimited,
    /// Bytes per second to all peers together; 0: nothing.
    BytesPerS(u64),
}

impl UploadLimit {
    /// The limit in bytes per second; `None`: none.
    pub(crate) const fn resolve(self, is_metered: bool) -> Option<u64> {
        match self {
            Self::Auto if is_metered => Some(0),
            Self::Auto | Self::Unlimited => None,
            Self::BytesPerS(limit) => Some(limit),
        }
    }
}

impl<'de> Deserialize<'de> for UploadLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = Option::<u64>::deserialize(deserializer)?;
        Ok(limit.map_or(Self::Unlimited, Self::BytesPerS))
    }
}

/// New limits; what is absent stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LimitOptions {
    /// What may be uploaded.
    #[serde(deserialize_with = "present")]
    pub upload_limit: Option<UploadLimit>,
    /// Most bytes of segments held in memory.
    pub memory_bytes: Option<u64>,
}

/// `null` is a value here (no limit), not an absence.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UploadLimit>, D::Error> {
    UploadLimit::deserialize(deserializer).map(Some)
}

/// A stream to open. In JavaScript the names are in camel case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OpenOptions {
    /// The playlist the player was given: absolute, or relative to the page.
    pub playlist_url: String,
    /// Overrides the swarm's name: viewers of mirrors who give the same text share.
    pub swarm: Option<String>,
    /// How bytes from strangers are checked: `best` (the default) or `none`.
    pub integrity: IntegrityOption,
    /// The only publisher whose signed manifest is accepted, in hexadecimal.
    pub publisher: Option<String>,
    /// The site's key with the signaling server's host.
    pub site: Option<String>,
    /// Region hint, in the embedder's own words.
    pub region: Option<String>,
}

/// See [`OpenOptions::integrity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IntegrityOption {
    /// The strongest proof there is.
    #[default]
    Best,
    /// No check at all.
    None,
}

/// Why options were refused: a stable code and what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadOption {
    pub(crate) code: &'static str,
    pub(crate) what: &'static str,
}

impl OpenOptions {
    /// The same for the core; `playlist_url` made absolute by the caller.
    pub(crate) fn into_config(self, playlist_url: String) -> Result<StreamConfig, BadOption> {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let publisher = filled(self.publisher).map(|hex| hex.parse()).transpose();
        let publisher = publisher.map_err(|_| BadOption {
            code: "bad-publisher",
            what: "expected the publisher as 64 hexadecimal characters",
        })?;
        let integrity = match self.integrity {
            IntegrityOption::Best => Integrity::Best { publisher },
            IntegrityOption::None => Integrity::None,
        };
        Ok(StreamConfig {
            playlist_url,
            swarm_name: filled(self.swarm),
            integrity,
            site: filled(self.site),
            region: filled(self.region),
        })
    }
}
