//! From what a person calls a server to its signaling socket.

use url::{Host, Url};

/// Path of the signaling socket.
const SIGNAL_PATH: &str = "/signal";

/// A server that introduces peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    page: Url,
    signal: Url,
}

/// Why a text names no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no URL.
    #[error("expected a URL like https://host, found {0:?}")]
    Form(String),
    /// It is a URL of something else.
    #[error("expected a URL that begins with https:// or http://, found {0}:")]
    Scheme(String),
}

impl Server {
    /// The server at an address. Of a link, what comes after the `#` is left out.
    ///
    /// # Errors
    /// It is no `http:` or `https:` URL.
    pub fn new(text: &str) -> Result<Self, AddressError> {
        let form = || AddressError::Form(text.chars().take(80).collect());
        let mut page = Url::parse(text.trim()).map_err(|_| form())?;
        let scheme = match page.scheme() {
            "http" => "ws",
            "https" => "wss",
            other => return Err(AddressError::Scheme(other.to_owned())),
        };
        if page.host().is_none() {
            return Err(form());
        }
        page.set_fragment(None);
        page.set_query(None);
        let mut signal = page.clone();
        // From one special scheme to another: the URL standard lets both pass.
        signal.set_scheme(scheme).map_err(|()| form())?;
        signal.set_path(SIGNAL_PATH);
        Ok(Self { page, signal })
    }

    /// The page that opens links: a link is this, and the fragment after it.
    pub fn page(&self) -> &str {
        self.page.as_str()
    }

    /// The origin of that page (RFC 6454), which the server may ask for.
    pub(crate) fn origin(&self) -> String {
        self.page.origin().ascii_serialization()
    }

    pub(crate) const fn signal(&self) -> &Url {
        &self.signal
    }

    /// Whether it is on this machine: then its other peers may be too.
    pub(crate) fn is_here(&self) -> bool {
        match self.page.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, page: &str, signal: &str, origin: &str, is_here: bool) {
        let server = Server::new(text).unwrap();
        assert_eq!(server.page(), page, "{text}");
        assert_eq!(server.signal().as_str(), signal, "{text}");
        assert_eq!(server.origin(), origin, "{text}");
        assert_eq!(server.is_here(), is_here, "{text}");
    }

    #[test]
    fn a_server_is_named_by_its_page_or_by_a_link() {
        let (page, signal) = ("https://host.example/", "wss://host.example/signal");
        check("https://host.example", page, signal, "https://host.example", false);
        let link = "https://host.example/#/get/bafk?k=secret";
        check(link, page, signal, "https://host.example", false);
        let (page, signal) = ("http://127.0.0.1:8787/", "ws://127.0.0.1:8787/signal");
        check(page, page, signal, "http://127.0.0.1:8787", true);
        check("http://[::1]:1/", "http://[::1]:1/", "ws://[::1]:1/signal", "http://[::1]:1", true);
    }

    #[test]
    fn what_names_no_server_says_so() {
        assert_eq!(Server::new("host"), Err(AddressError::Form("host".to_owned())));
        assert_eq!(Server::new("ftp://host"), Err(AddressError::Scheme("ftp".to_owned())));
        assert!(Server::new("").is_err() && Server::new("https://").is_err());
    }
}
