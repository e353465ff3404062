//! Blocks over HTTP: a Trustless Gateway, which is believed as little as a stranger.

use std::rc::Rc;

use files::{
    Input, NotFetched,
    content::{Cid, limits::BLOCK_BYTES_MAX},
};
use web_sys::Url;

use super::{FilesError, hash};
use crate::fetch;

/// Longest wait for one block, in milliseconds.
const BLOCK_MS_MAX: u32 = 30_000;
/// Longest wait for the answer whether there is a gateway, in milliseconds.
const PROBE_MS_MAX: u32 = 10_000;
/// The empty block in its own name: every gateway has it (Trustless Gateway, "Dedicated Probe Paths").
const PROBE: &str = "bafkqaaa";
/// Statuses that say nothing of the block: wait, try later, too many.
const LATER: [u16; 4] = [0, 408, 425, 429];

/// The address of a gateway: `https://host`, or a path below which `/ipfs/` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway(Rc<str>);

impl Gateway {
    /// The gateway a person typed: with or without `https://`, `/ipfs/` and slashes at its end.
    ///
    /// # Errors
    /// It is not an address of the web.
    pub fn parse(text: &str) -> Result<Self, FilesError> {
        let text = text.trim();
        let guessed =
            if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let url = Url::new(&guessed).map_err(|_| FilesError::Gateway)?;
        let good = matches!(url.protocol().as_str(), "http:" | "https:")
            && url.username().is_empty()
            && url.search().is_empty()
            // Chromium takes spaces in the name of a host.
            && !text.contains(char::is_whitespace)
            && !text.is_empty();
        let path = url.pathname();
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix("/ipfs").unwrap_or(path);
        if good {
            Ok(Self([url.origin().as_str(), path].concat().into()))
        } else {
            Err(FilesError::Gateway)
        }
    }

    /// The address.
    pub fn address(&self) -> &str {
        &self.0
    }

    /// Asks whether a gateway is there.
    ///
    /// # Errors
    /// None answers, or not to this page.
    pub async fn probe(&self) -> Result<(), FilesError> {
        match fetch::bounded(&self.url(PROBE), 0, PROBE_MS_MAX).await {
            Ok(_) => Ok(()),
            Err(_) => Err(FilesError::GatewaySilent),
        }
    }

    fn url(&self, cid: &str) -> String {
        format!("{}/ipfs/{cid}?format=raw", self.0)
    }

    /// One block, or why there is none.
    pub(super) async fn fetch(&self, cid: Cid) -> Input {
        match fetch::bounded(&self.url(&cid.to_string()), BLOCK_BYTES_MAX, BLOCK_MS_MAX).await {
            Ok(bytes) => {
                let digest = hash::digest(&bytes).await;
                Input::Fetched { cid, digest, bytes }
            }
            Err(status) if LATER.contains(&status) || status >= 500 => {
                Input::NotFetched { cid, why: NotFetched::Unreachable }
            }
            Err(_) => Input::NotFetched { cid, why: NotFetched::Lacking },
        }
    }
}
