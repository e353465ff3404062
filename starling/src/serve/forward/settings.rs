//! What the settings say of other hosts, checked.

use light_client::RootError;
use url::{Host, Url};

/// Most hosts that are asked, and that are named to pages.
const HOSTS_MAX: usize = 8;
/// Longest address that is named to pages, in bytes.
const NAMED_BYTES_MAX: usize = 200;

/// Why the settings of the ledger can't be meant.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// No address of a host.
    #[error("`{0}`: {1:?} is no host, expected scheme, name and port only, as in https://host")]
    Source(&'static str, String),
    /// No address that a page could ask.
    #[error(
        "`others`: {0:?} is no host that pages can ask, expected https, name and port only, as in \
         https://host, at most {max} bytes", max = NAMED_BYTES_MAX
    )]
    Named(String),
    /// More than are asked.
    #[error("`{0}` names {1} hosts, limit is {max}", max = HOSTS_MAX)]
    TooMany(&'static str, usize),
    /// The trust root is none.
    #[error("`root`: {0}")]
    Root(RootError),
    /// It would be pinned for nobody.
    #[error("`root` is for a ledger that others run, and `from` names none")]
    RootAlone,
    /// It would be fetched for nobody.
    #[error("`snapshot_from` is for a validator of this host, and with `from` it runs none")]
    SnapshotAlone,
    /// Two ledgers for one path.
    #[error("`from` and `network` can't be set both: either others run the ledger or this host")]
    Both,
    /// No HTTP client.
    #[error("no HTTP client: {0}")]
    Client(String),
}

/// Addresses of sources, without what follows the port.
pub(super) fn sources(from: &[String]) -> Result<Vec<String>, ForwardError> {
    asked("from", from)
}

/// Addresses of hosts that a snapshot is fetched from.
///
/// # Errors
/// One is no address of a host, or there are too many.
pub fn snapshot_hosts(from: &[String]) -> Result<Vec<String>, ForwardError> {
    asked("snapshot_from", from)
}

/// Addresses of hosts that this one asks, which may be of any network.
fn asked(field: &'static str, from: &[String]) -> Result<Vec<String>, ForwardError> {
    few(field, from)?;
    let mut sources = Vec::new();
    for text in from {
        let base = host(text).ok_or_else(|| ForwardError::Source(field, text.clone()))?.1;
        if !sources.contains(&base) {
            sources.push(base);
        }
    }
    Ok(sources)
}

/// Addresses of other hosts, as they are named to pages: https, or this machine for who tries.
///
/// # Errors
/// One is no such address, or there are too many.
pub fn hosts(others: &[String]) -> Result<Vec<String>, ForwardError> {
    few("others", others)?;
    let mut hosts = Vec::new();
    for text in others {
        let base = public(text).ok_or_else(|| ForwardError::Named(text.clone()))?;
        if !hosts.contains(&base) {
            hosts.push(base);
        }
    }
    Ok(hosts)
}

/// The same, with the sources that pages can ask themselves behind them.
pub(super) fn named(others: &[String], sources: &[String]) -> Result<Vec<String>, ForwardError> {
    let mut hosts = hosts(others)?;
    for source in sources.iter().filter_map(|source| public(source)) {
        if !hosts.contains(&source) {
            hosts.push(source);
        }
    }
    hosts.truncate(HOSTS_MAX);
    Ok(hosts)
}

fn few(field: &'static str, list: &[String]) -> Result<(), ForwardError> {
    if list.len() > HOSTS_MAX {
        return Err(ForwardError::TooMany(field, list.len()));
    }
    Ok(())
}

/// An address of HTTP with nothing behind the port, and how it is written.
fn host(text: &str) -> Option<(Url, String)> {
    let url = Url::parse(text.trim()).ok()?;
    let is_plain = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let is_http = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    let base = url.origin().ascii_serialization();
    (is_plain && is_http).then_some((url, base))
}

fn public(text: &str) -> Option<String> {
    let (url, base) = host(text)?;
    let is_here = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    ((url.scheme() == "https" || is_here) && base.len() <= NAMED_BYTES_MAX).then_some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn sources_are_hosts_of_any_network_and_pages_are_told_those_that_they_can_ask() {
        let from = ["https://A.example/", "http://10.0.0.5:8788", "https://a.example"];
        let sources = sources(&list(&from)).unwrap();
        assert_eq!(sources, ["https://a.example", "http://10.0.0.5:8788"]);
        let told = named(&list(&["https://b.example:8443"]), &sources).unwrap();
        assert_eq!(told, ["https://b.example:8443", "https://a.example"]);
        let tried = hosts(&list(&["http://127.0.0.1:8788", "http://[::1]:1", "http://localhost"]));
        assert_eq!(tried.unwrap().len(), 3);
    }

    #[test]
    fn what_is_no_host_is_refused_with_its_name() {
        let (path, name) = ("https://a.example/ledger", format!("https://{}.x", "a".repeat(200)));
        for text in ["a.example", "ftp://a.example", path, "https://me@a.example", "https://a/?b"] {
            let refused = sources(&list(&[text])).unwrap_err();
            let is_told = matches!(&refused, ForwardError::Source("from", told) if told == text);
            assert!(is_told, "{refused}");
            let refused = snapshot_hosts(&list(&[text])).unwrap_err();
            assert!(refused.to_string().contains("`snapshot_from`"), "{refused}");
            assert!(hosts(&list(&[text])).is_err(), "{text}");
        }
        for text in ["http://a.example", "http://10.0.0.5", name.as_str()] {
            assert!(matches!(hosts(&list(&[text])), Err(ForwardError::Named(_))), "{text}");
        }
        let many: Vec<String> =
            (0..=HOSTS_MAX).map(|number| format!("https://h{number}.example")).collect();
        assert!(matches!(sources(&many), Err(ForwardError::TooMany("from", 9))));
        assert!(matches!(hosts(&many), Err(ForwardError::TooMany("others", 9))));
        let refused = snapshot_hosts(&many);
        assert!(matches!(refused, Err(ForwardError::TooMany("snapshot_from", 9))));
        let told = named(&many[1..], &list(&["https://a.example"])).unwrap();
        assert_eq!(told.len(), HOSTS_MAX, "own words come first");
    }
}
