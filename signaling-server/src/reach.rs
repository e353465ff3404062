//! Where a server goes when a stranger names an address.
//!
//! Whoever fetches for others can be used to look into its own network. [`Reach::Public`] goes to addresses of the
//! public internet only: names are resolved here and other addresses left out, so that what was judged is what is
//! connected to; redirects stay within the origin.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, ClientBuilder, Url};

/// Most redirects followed, all within the origin.
const REDIRECTS_MAX: usize = 3;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a fetch may connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The host wrote this address into its settings.
    Anywhere,
    /// Public addresses only, so that nobody learns of the host's own network by asking.
    Public,
}

/// A client that goes so far. Of [`Reach::Public`], each address is judged by [`may_be_public`] first.
pub fn client(reach: Reach) -> ClientBuilder {
    let builder = Client::builder()
        .redirect(Policy::custom(within_origin))
        .connect_timeout(CONNECT_TIMEOUT)
        // A proxy would resolve names itself, past the filter below.
        .no_proxy();
    match reach {
        Reach::Anywhere => builder,
        Reach::Public => builder.dns_resolver(PublicOnly),
    }
}

/// Whether its host is a name, which is looked up, or a public address: the resolver is not asked about an
/// address.
pub fn may_be_public(url: &Url) -> bool {
    literal(url).is_none_or(is_public)
}

/// Whether a fetch failed because the name leads to no public address.
pub fn is_not_public(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.is::<NoPublicAddress>() {
            return true;
        }
        cause = inner.source();
    }
    false
}

fn within_origin(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let asked = attempt.previous().first().map(Url::origin);
    if attempt.previous().len() > REDIRECTS_MAX || asked != Some(attempt.url().origin()) {
        // The redirect itself becomes the answer, and its status is not 200.
        return attempt.stop();
    }
    attempt.follow()
}

fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Resolves names by the system and leaves out what is not public. A client that uses it must follow no proxy,
/// which would resolve names itself, and asks [`may_be_public`] first.
#[derive(Debug, Clone, Copy)]
pub struct PublicOnly;

#[derive(Debug, thiserror::Error)]
#[error("the name leads to no public address")]
struct NoPublicAddress;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|found| is_public(found.ip())).collect();
            if public.is_empty() {
                return Err(NoPublicAddress.into());
            }
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether an address is of the public internet (the special-purpose registries of RFC 6890 are not).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global_unicast = a & 0xe000 == 0x2000;
    // 2001::/23 holds Teredo and protocol assignments, 2002::/16 embeds IPv4 addresses.
    let special = (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || a == 0x3fff;
    global_unicast && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        let check =
            |text: &str, expected| assert_eq!(is_public(text.parse().unwrap()), expected, "{text}");
        for text in ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"] {
            check(text, true);
        }
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
        ] {
            check(text, false);
        }
    }

    #[test]
    fn an_address_in_any_spelling_is_seen_as_one() {
        for text in ["http://127.1/", "http://2130706433/", "http://0x7f.0.0.1/", "http://[::1]/"] {
            let address = literal(&text.parse().unwrap());
            assert!(address.is_some_and(|address| !is_public(address)), "{text}");
        }
        assert_eq!(literal(&"http://localhost/".parse().unwrap()), None);
    }
}
