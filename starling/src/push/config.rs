//! Settings of push.

use ::push::limits::SUBSCRIPTIONS_MAX_DEFAULT;
use serde::{Deserialize, Serialize};
use url::{Origin, Url};

use super::PushError;

/// The commented default.
pub const DEFAULT_TOML: &str = include_str!("config.toml");

/// Whether people who closed the page are told, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether they are. Default true; without a ledger there is nothing to tell.
    pub enabled: bool,
    /// Who runs this server, for push services: `mailto:` or `https:`. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Origins of push services of the host's own, asked wherever they are. Default none.
    pub services: Vec<String>,
    /// Most subscriptions. Default [`SUBSCRIPTIONS_MAX_DEFAULT`].
    pub subscriptions_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            contact: None,
            services: Vec::new(),
            subscriptions_max: SUBSCRIPTIONS_MAX_DEFAULT,
        }
    }
}

impl Config {
    pub(super) fn contact(&self) -> Result<Option<String>, PushError> {
        let is_one = |text: &&String| text.starts_with("mailto:") || text.starts_with("https://");
        match &self.contact {
            None => Ok(None),
            Some(text) => match Some(text).filter(is_one) {
                Some(text) => Ok(Some(text.clone())),
                None => Err(PushError::Contact(text.clone())),
            },
        }
    }

    pub(super) fn services(&self) -> Result<Vec<Origin>, PushError> {
        let one = |text: &String| {
            let fail = || PushError::Service(text.clone());
            let url = Url::parse(text).map_err(|_| fail())?;
            let origin = url.origin();
            let is_bare = origin.ascii_serialization() == text.trim_end_matches('/');
            if is_bare && origin.is_tuple() { Ok(origin) } else { Err(fail()) }
        };
        self.services.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_an_origin() {
        let check = |text: &str, good: bool| {
            let config = Config { services: vec![text.to_owned()], ..Config::default() };
            assert_eq!(config.services().is_ok(), good, "{text}");
        };
        check("http://127.0.0.1:8080", true);
        check("https://push.example/", true);
        check("https://push.example/path", false);
        check("https://somebody@push.example", false);
        check("push.example", false);
        check("data:,", false);
    }

    #[test]
    fn a_contact_is_what_services_take() {
        let check = |text: &str, good: bool| {
            let config = Config { contact: Some(text.to_owned()), ..Config::default() };
            assert_eq!(config.contact().is_ok(), good, "{text}");
        };
        check("mailto:host@example.com", true);
        check("https://example.com/contact", true);
        check("host@example.com", false);
    }
}
