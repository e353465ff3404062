//! What a page asks of a peer and of a stream.

use peer::{Integrity, StreamConfig};
use wasm_bindgen::JsValue;

use crate::fields::{Field, Fields, Mismatch};

/// How to start a peer. In JavaScript the names are in camel case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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

/// `null` is a value here (no limit), not an absence.
impl Field for UploadLimit {
    fn from_js(value: &JsValue) -> Option<Self> {
        let limit = Option::<u64>::from_js(value)?;
        Some(limit.map_or(Self::Unlimited, Self::BytesPerS))
    }
}

impl StartOptions {
    /// Reads what JavaScript gave.
    pub(crate) fn from_js(options: &JsValue) -> Result<Self, Mismatch> {
        let fields = Fields::of(options)?;
        Ok(Self {
            signal_url: fields.get_or_default("signalUrl")?,
            relay_only: fields.get_or_default("relayOnly")?,
            upload_limit: fields.get_or_default("uploadLimit")?,
            cache_bytes: fields.get_or_default("cacheBytes")?,
            memory_bytes: fields.get_or_default("memoryBytes")?,
        })
    }
}

/// New limits; what is absent stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitOptions {
    /// What may be uploaded.
    pub upload_limit: Option<UploadLimit>,
    /// Most bytes of segments held in memory.
    pub memory_bytes: Option<u64>,
}

impl LimitOptions {
    /// Reads what JavaScript gave.
    pub(crate) fn from_js(limits: &JsValue) -> Result<Self, Mismatch> {
        let fields = Fields::of(limits)?;
        Ok(Self {
            upload_limit: fields.get("uploadLimit")?,
            memory_bytes: fields.get_or_default("memoryBytes")?,
        })
    }
}

/// A stream to open. In JavaScript the names are in camel case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IntegrityOption {
    /// The strongest proof there is.
    #[default]
    Best,
    /// No check at all.
    None,
}

impl Field for IntegrityOption {
    fn from_js(value: &JsValue) -> Option<Self> {
        match value.as_string()?.as_str() {
            "best" => Some(Self::Best),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// Why options were refused: a stable code and what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadOption {
    pub(crate) code: &'static str,
    pub(crate) what: &'static str,
}

impl OpenOptions {
    /// Reads what JavaScript gave.
    pub(crate) fn from_js(options: &JsValue) -> Result<Self, Mismatch> {
        let fields = Fields::of(options)?;
        Ok(Self {
            playlist_url: fields.get_or_default("playlistUrl")?,
            swarm: fields.get_or_default("swarm")?,
            integrity: fields.get_or_default("integrity")?,
            publisher: fields.get_or_default("publisher")?,
            site: fields.get_or_default("site")?,
            region: fields.get_or_default("region")?,
        })
    }

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
