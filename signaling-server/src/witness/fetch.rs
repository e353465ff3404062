//! One GET, as far as a witness may go.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url, header};
use wire::limits::SEGMENT_BYTES_MAX;

use super::{Looking, Seen, Unseen};
use crate::error::ConfigError;
use crate::reach::{self, Reach};

/// The HTTP clients.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    anywhere: Client,
    public: Client,
}

impl Fetcher {
    pub(super) fn new(timeout: Duration) -> Result<Self, ConfigError> {
        let client = |reach| {
            reach::client(reach)
                .user_agent(concat!("starling-witness/", env!("CARGO_PKG_VERSION")))
                .timeout(timeout)
                .build()
        };
        Ok(Self { anywhere: client(Reach::Anywhere)?, public: client(Reach::Public)? })
    }

    /// Fetches and hashes.
    pub(super) async fn fetch(&self, url: Url, reach: Reach) -> Result<Seen, Unseen> {
        let client = match reach {
            Reach::Anywhere => &self.anywhere,
            Reach::Public if !reach::may_be_public(&url) => return Err(Unseen::NotPublic),
            Reach::Public => &self.public,
        };
        let request = client.get(url).header(header::ACCEPT_ENCODING, "identity");
        let mut response = request.send().await.map_err(|error| unseen(&error))?;
        let encoded = response.headers().contains_key(header::CONTENT_ENCODING);
        if response.status() != StatusCode::OK || encoded {
            return Err(Unseen::Status(response.status().as_u16()));
        }
        if response.content_length().is_some_and(|length| length > u64::from(SEGMENT_BYTES_MAX)) {
            return Err(Unseen::TooLong);
        }
        let mut looking = Looking::default();
        while let Some(part) = response.chunk().await.map_err(|error| unseen(&error))? {
            looking.update(&part)?;
        }
        Ok(looking.finish())
    }
}

fn unseen(error: &reqwest::Error) -> Unseen {
    if error.is_timeout() {
        Unseen::TimedOut
    } else if reach::is_not_public(error) {
        Unseen::NotPublic
    } else {
        Unseen::Unreachable
    }
}
