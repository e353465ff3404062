//! Web origins (RFC 6454) as texts that compare.

use reqwest::Url;

use crate::error::ConfigError;

/// The one text form of a configured origin.
pub(crate) fn parse(text: &str) -> Result<String, ConfigError> {
    let refused = || ConfigError::Origin { text: text.into() };
    let url = Url::parse(text).map_err(|_| refused())?;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    (bare && is_web(&url)).then(|| of(&url)).ok_or_else(refused)
}

/// The origin of an `http:` or `https:` URL.
pub(crate) fn of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Whether it is fetched over HTTP.
pub(crate) fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_text_form() {
        assert_eq!(parse("HTTPS://Example.com:443/").unwrap(), "https://example.com");
        assert_eq!(parse("http://127.0.0.1:8787").unwrap(), "http://127.0.0.1:8787");
        for text in
            ["example.com", "https://a.example/x", "https://u@a.example", "ftp://a.example", "*"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
