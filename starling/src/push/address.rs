//! Which addresses of browsers are asked.

use signaling_server::reach;
use url::{Origin, Url};

/// A browser's address at its push service that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) url: Url,
    /// At a push service of the host's own, wherever that is.
    pub(super) is_own: bool,
}

impl Address {
    /// Reads what a stranger says it is. `None`: it is not asked.
    pub(super) fn read(endpoint: &str, own: &[Origin]) -> Option<Self> {
        let url = Url::parse(endpoint).ok()?;
        let is_named = url.username().is_empty() && url.password().is_none();
        if !is_named || url.fragment().is_some() {
            return None;
        }
        let is_own = own.contains(&url.origin());
        // Push services have the port of https, and other ports have no push services.
        let is_public = url.scheme() == "https"
            && url.port().is_none()
            && url.domain().is_none_or(|name| name != "localhost")
            && reach::may_be_public(&url);
        (is_own || is_public).then_some(Self { url, is_own })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(endpoint: &str, expected: Option<bool>) {
        let own = [Url::parse("http://127.0.0.1:8080").unwrap().origin()];
        let found = Address::read(endpoint, &own).map(|address| address.is_own);
        assert_eq!(found, expected, "{endpoint}");
    }

    #[test]
    fn a_strangers_address_is_asked_by_https_and_not_inside_the_hosts_network() {
        check("https://updates.push.services.mozilla.com/wpush/v2/abc", Some(false));
        check("https://fcm.googleapis.com:443/fcm/send/abc", Some(false));
        check("https://8.8.8.8/abc", Some(false));
        for endpoint in [
            "http://push.example/abc",
            "https://push.example:8443/abc",
            "https://user@push.example/abc",
            "https://push.example/abc#d",
            "https://localhost/abc",
            "https://127.0.0.1/abc",
            "https://127.1/abc",
            "https://2130706433/abc",
            "https://[::1]/abc",
            "https://[::ffff:10.0.0.1]/abc",
            "https://10.0.0.1/abc",
            "https://169.254.169.254/latest/meta-data",
            "http://127.0.0.1:8081/abc",
            "https://127.0.0.1:8080/abc",
            "ftp://push.example/abc",
            "data:,abc",
            "abc",
            "",
        ] {
            check(endpoint, None);
        }
    }

    #[test]
    fn a_service_of_the_hosts_own_is_asked_wherever_it_is() {
        check("http://127.0.0.1:8080/abc", Some(true));
        check("http://127.0.0.1:8080/abc?d", Some(true));
        check("http://somebody@127.0.0.1:8080/abc", None);
    }
}
