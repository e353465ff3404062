//! One message to a push service: RFC 8030.

use std::time::Duration;

use ::push::limits::TTL_S;
use ::push::{Letter, Once, Outcome};
use primitives::Seed;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, header};
use signaling_server::reach::PublicOnly;
use url::Origin;

use super::address::Address;
use super::{Push, now_s};

/// How long a push service may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The HTTP clients, and whom they may ask.
#[derive(Debug)]
pub(super) struct Post {
    anywhere: Client,
    public: Client,
    own: Vec<Origin>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// The push service took it.
    Taken,
    /// The browser is not subscribed any more.
    Gone,
    /// The push service did not want it.
    Refused(StatusCode),
    /// No answer, or none may be asked for.
    Unreachable,
}

impl Sent {
    /// As counters tell it.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Gone => "gone",
            Self::Refused(_) => "refused",
            Self::Unreachable => "unreachable",
        }
    }

    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Taken => Outcome::Taken,
            Self::Gone => Outcome::Gone,
            Self::Refused(_) | Self::Unreachable => Outcome::Failed,
        }
    }
}

impl Post {
    pub(super) fn new(own: Vec<Origin>) -> Result<Self, reqwest::Error> {
        let builder = || {
            Client::builder()
                .user_agent(concat!("starling-push/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .connect_timeout(CONNECT_WITHIN)
                .timeout(ANSWER_WITHIN)
                // A proxy would resolve names itself, past the filter below.
                .no_proxy()
        };
        let public = builder().https_only(true).dns_resolver(PublicOnly);
        Ok(Self { anywhere: builder().build()?, public: public.build()?, own })
    }

    /// Reads a browser's address. `None`: it is not asked.
    pub(super) fn address(&self, endpoint: &str) -> Option<Address> {
        Address::read(endpoint, &self.own)
    }
}

impl Push {
    /// Seals a letter and hands it to the push service.
    pub(super) async fn send(&self, letter: &Letter) -> Sent {
        let sent = self.try_send(letter).await.unwrap_or(Sent::Unreachable);
        self.0.metrics.sent(sent.kind());
        sent
    }

    /// `None`: no answer, or none may be asked for.
    async fn try_send(&self, letter: &Letter) -> Option<Sent> {
        let Address { url, is_own } = self.0.post.address(&letter.endpoint)?;
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy).ok()?;
        let once = Once::new(&Seed::new(entropy))?;
        let body = letter.recipient.seal(&letter.message.to_bytes(), &once).ok()?;
        let audience = url.origin().ascii_serialization();
        let contact = self.0.contact.as_deref();
        let client = if is_own { &self.0.post.anywhere } else { &self.0.post.public };
        let request = client
            .post(url)
            .header(header::AUTHORIZATION, self.0.vapid.authorization(&audience, contact, now_s()))
            .header(header::CONTENT_ENCODING, "aes128gcm")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header("ttl", TTL_S)
            .header("urgency", "high")
            .header("topic", letter.topic.as_str())
            .body(body);
        // What else it says is of no interest and is not read.
        let status = request.send().await.ok()?.status();
        Some(match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Sent::Gone,
            taken if taken.is_success() => Sent::Taken,
            other => {
                tracing::debug!(%audience, status = other.as_u16(), "a push service refused");
                Sent::Refused(other)
            }
        })
    }
}
