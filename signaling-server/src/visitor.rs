//! Who opened a socket, as far as HTTP tells: address, web origin, the host it asked for.

use std::net::{AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderName, header, request::Parts};
use ipnet::IpNet;

/// Most hops of a forwarding chain that are read, from the end.
const HOPS_MAX: usize = 16;
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// One visitor.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// The address budgets are kept for; an IPv6 address is cut to its /64.
    pub(crate) place: IpAddr,
    /// The `Origin` header: the page the socket belongs to.
    pub(crate) origin: Option<Box<str>>,
    /// The `Host` header (or the proxy's `X-Forwarded-Host` equivalent is not believed: the proxy
    /// must pass `Host` on).
    pub(crate) host: Option<Box<str>>,
}

impl Visitor {
    pub(crate) fn of(parts: &Parts, trusted: &[IpNet]) -> Self {
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let socket = connected.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
        let text = |name| Some(parts.headers.get(name)?.to_str().ok()?.to_ascii_lowercase().into());
        let authority = parts.uri.authority().map(|host| host.as_str().to_ascii_lowercase().into());
        Self {
            place: place(client(socket, &parts.headers, trusted)),
            origin: text(header::ORIGIN),
            host: text(header::HOST).or(authority),
        }
    }
}

/// Proxies whose word about who asked counts, for other doors of a host.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Those that are trusted here.
    pub(crate) const fn new(trusted: Vec<IpNet>) -> Self {
        Self(trusted)
    }

    /// Networks (`10.0.0.0/8`) or single addresses.
    ///
    /// # Errors
    /// One is neither.
    pub fn parse(texts: &[String]) -> Result<Self, AddrParseError> {
        let one = |text: &String| match text.parse::<IpNet>() {
            Ok(net) => Ok(net),
            Err(_) => text.parse::<IpAddr>().map(IpNet::from),
        };
        texts.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// Where a request comes from: an address, or the /64 of one. The server must tell with whom it is connected
    /// (`into_make_service_with_connect_info::<SocketAddr>()`).
    pub fn place(&self, parts: &Parts) -> IpAddr {
        Visitor::of(parts, &self.0).place
    }
}

/// The address of the client: the last hop that is not a trusted proxy.
fn client(socket: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let socket = socket.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_trusted(&socket) {
        return socket;
    }
    let mut client = socket;
    for hop in hops(headers).iter().rev().take(HOPS_MAX) {
        let Some(address) = hop else { break };
        client = *address;
        if !is_trusted(&client) {
            break;
        }
    }
    client
}

/// The chain, nearest hop last; `None` for a hop that hides itself. `Forwarded` (RFC 7239) counts
/// before `X-Forwarded-For`.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = |name| headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    let forwarded: Vec<_> = lines(header::FORWARDED)
        .flat_map(|line| line.split(','))
        .map(|element| {
            let pair = element.split(';').find_map(|pair| {
                let (name, value) = pair.trim().split_once('=')?;
                name.eq_ignore_ascii_case("for").then_some(value)
            });
            address(pair?)
        })
        .collect();
    if !forwarded.is_empty() {
        return forwarded;
    }
    lines(X_FORWARDED_FOR).flat_map(|line| line.split(',')).map(address).collect()
}

/// An address with or without port, brackets and quotes.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(inner, _)| inner);
    let parsed = bare.unwrap_or(text).parse::<IpAddr>().ok();
    parsed
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .map(|address| address.to_canonical())
}

fn place(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(long) => IpAddr::V6(Ipv6Addr::from_bits(long.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(socket: &str, line: (&'static str, &str), expected: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(line.0, line.1.parse().unwrap());
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let found = place(client(socket.parse().unwrap(), &headers, &trusted));
        assert_eq!(found, expected.parse::<IpAddr>().unwrap(), "{line:?}");
    }

    #[test]
    fn proxies_are_networks_or_addresses() {
        let texts = |one: &str| vec![one.to_owned()];
        let read = |one| Proxies::parse(&texts(one)).map(|proxies| proxies.0);
        assert_eq!(read("10.0.0.0/8").unwrap(), ["10.0.0.0/8".parse::<IpNet>().unwrap()]);
        assert_eq!(read("127.0.0.1").unwrap(), ["127.0.0.1/32".parse::<IpNet>().unwrap()]);
        assert!(read("proxy").is_err());
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        check("198.51.100.7", ("x-forwarded-for", "203.0.113.9"), "198.51.100.7");
        check("10.0.0.1", ("x-forwarded-for", "203.0.113.9"), "203.0.113.9");
        check("::ffff:10.0.0.1", ("x-forwarded-for", "203.0.113.9"), "203.0.113.9");
    }

    #[test]
    fn a_client_can_not_put_itself_before_the_proxys_word() {
        check("10.0.0.1", ("x-forwarded-for", "1.2.3.4, 203.0.113.9"), "203.0.113.9");
        check("10.0.0.1", ("x-forwarded-for", "1.2.3.4, 203.0.113.9, 10.2.2.2"), "203.0.113.9");
        check("10.0.0.1", ("x-forwarded-for", "1.2.3.4, junk"), "10.0.0.1");
    }

    #[test]
    fn the_standard_header_is_read_with_its_quotes_and_ports() {
        check("10.0.0.1", ("forwarded", "for=203.0.113.9;proto=https"), "203.0.113.9");
        check("::1", ("forwarded", r#"by=x;For="[2001:db8:1:2:3::9]:4711""#), "2001:db8:1:2::");
        check("10.0.0.1", ("forwarded", "for=1.2.3.4, for=\"203.0.113.9:80\""), "203.0.113.9");
        check("10.0.0.1", ("forwarded", "for=_hidden"), "10.0.0.1");
    }
}
