//! One GET of a DID's document, log or witnesses' proofs.

use std::collections::BTreeMap;
use std::time::Duration;

use identity::did::{Document, Place, webvh};
use identity::limits::{DOCUMENT_BYTES_MAX, LOG_BYTES_MAX, WITNESS_BYTES_MAX};
use reqwest::{Client, StatusCode, Url, header};
use signaling_server::reach::{self, Reach};

/// Which file of a DID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum File {
    /// The document or the log.
    Document,
    /// What witnesses of a log signed.
    Witness,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// No DID that web servers keep.
    #[error("expected a did:web or a did:webvh of a public name")]
    Did,
    /// The name leads to no public address.
    #[error("the name leads to no public address")]
    NotPublic,
    /// No connection, or it broke.
    #[error("the web server did not answer")]
    Unreachable,
    /// Too slow.
    #[error("the web server took too long")]
    TimedOut,
    /// It has no such file.
    #[error("the web server has no such file")]
    Nothing,
    /// Another status than 200 and 404, or an encoded body.
    #[error("the web server answered with status {0}, expected 200 and no content encoding")]
    Status(u16),
    /// Longer than such a file may be.
    #[error("the file is too large")]
    TooLarge,
    /// Not the document or log of this DID.
    #[error("the file is not of this DID")]
    Form,
    /// As many fetches as there may be.
    #[error("too many fetches are under way")]
    Busy,
    /// This address asked too often.
    #[error("this address asks too often, try again in a minute")]
    Place,
    /// The server that was to fetch it did not, or an address in the settings is none.
    #[error("{0}")]
    Server(String),
}

impl Missing {
    /// Its code, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Did => "did",
            Self::NotPublic => "not-public",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed-out",
            Self::Nothing => "nothing",
            Self::Status(_) => "status",
            Self::TooLarge => "too-large",
            Self::Form => "form",
            Self::Busy => "busy",
            Self::Place => "place",
            Self::Server(_) => "server",
        }
    }
}

/// Fetches files of DIDs.
#[derive(Debug, Clone)]
pub struct Fetcher {
    public: Client,
    inside: Client,
    /// Addresses that are asked instead, by the names of hosts.
    instead: BTreeMap<String, Url>,
}

impl Fetcher {
    /// One that waits so long. `instead`: see [`super::Config::instead`].
    ///
    /// # Errors
    /// The platform gives no HTTP client, or one of these is no address.
    pub fn new(timeout: Duration, instead: &BTreeMap<String, String>) -> Result<Self, Missing> {
        let client = |reach| {
            let agent = concat!("starling-resolver/", env!("CARGO_PKG_VERSION"));
            let built = reach::client(reach).user_agent(agent).timeout(timeout).build();
            built.map_err(|error| Missing::Server(error.to_string()))
        };
        let address = |(host, text): (&String, &String)| {
            let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            let url = url.ok_or_else(|| Missing::Server(format!("`{text}` is no address of HTTP")));
            Ok((host.to_ascii_lowercase(), url?))
        };
        let instead = instead.iter().map(address).collect::<Result<_, Missing>>()?;
        Ok(Self { public: client(Reach::Public)?, inside: client(Reach::Anywhere)?, instead })
    }

    /// Fetches a file of `did`, which lies at `place`.
    ///
    /// # Errors
    /// See [`Missing`].
    pub async fn get(&self, did: &str, place: &Place, file: File) -> Result<Vec<u8>, Missing> {
        let (path, bytes_max) = match (file, place.scid()) {
            (File::Document, None) => (place.path(), DOCUMENT_BYTES_MAX),
            (File::Document, Some(_)) => (place.path(), LOG_BYTES_MAX),
            (File::Witness, _) => (place.witness_path().ok_or(Missing::Did)?, WITNESS_BYTES_MAX),
        };
        let (client, url) = match self.instead.get(&place.authority()) {
            Some(base) => (&self.inside, base.join(&path)),
            None => (&self.public, Url::parse(&format!("https://{}{path}", place.authority()))),
        };
        let url = url.map_err(|_| Missing::Did)?;
        // The reader of addresses may see one where we saw a name.
        let is_inside = self.instead.contains_key(&place.authority());
        if !is_inside && !reach::may_be_public(&url) {
            return Err(Missing::NotPublic);
        }
        let bytes = fetch(client, url, bytes_max).await?;
        let is_it = match (file, place.scid()) {
            (File::Document, None) => Document::parse(&bytes, did).is_ok(),
            (File::Document, Some(scid)) => webvh::is_log_of(&bytes, scid),
            (File::Witness, _) => webvh::are_witnesses(&bytes),
        };
        if is_it { Ok(bytes) } else { Err(Missing::Form) }
    }
}

async fn fetch(client: &Client, url: Url, bytes_max: usize) -> Result<Vec<u8>, Missing> {
    let request = client.get(url).header(header::ACCEPT_ENCODING, "identity");
    let mut response = request.send().await.map_err(|error| missing(&error))?;
    let encoded = response.headers().contains_key(header::CONTENT_ENCODING);
    match response.status() {
        StatusCode::OK if !encoded => {}
        StatusCode::NOT_FOUND | StatusCode::GONE => return Err(Missing::Nothing),
        status => return Err(Missing::Status(status.as_u16())),
    }
    let mut bytes = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| missing(&error))? {
        if bytes.len().saturating_add(part.len()) > bytes_max {
            return Err(Missing::TooLarge);
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

fn missing(error: &reqwest::Error) -> Missing {
    if error.is_timeout() {
        Missing::TimedOut
    } else if reach::is_not_public(error) {
        Missing::NotPublic
    } else {
        Missing::Unreachable
    }
}
