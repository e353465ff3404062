//! Settings made into what can't be wrong.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::config::Config;
use crate::credential::{SECRET_BYTES_MIN, SECRETS_MAX, Secret};
use crate::error::RelayError;
use crate::stun::attribute::Family;

/// Longest realm; RFC 8489 allows 127 characters.
const NAME_BYTES_MAX: usize = 127;
/// Addresses a packet to which would take the default route; none is sent.
const PROBES: [(&str, &str); 2] = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];

/// What was found good.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) secrets: Vec<Secret>,
    /// Addresses to bind, and what the outside sees in their place.
    pub(super) relay_ips: Vec<(IpAddr, IpAddr)>,
}

pub(super) fn check(config: &Config) -> Result<Checked, RelayError> {
    if config.listen.is_empty() && config.listen_tls.is_empty() {
        return Err(RelayError::NoAddress);
    }
    let count = config.listen.len() * 2 + config.listen_tls.len();
    if count > 64 {
        return Err(RelayError::ManyAddresses(count));
    }
    for (field, is_zero) in [
        ("allocations_max", config.allocations_max == 0),
        ("user_allocations_max", config.user_allocations_max == 0),
        ("credential_lifetime_s", config.credential_lifetime_s == 0),
    ] {
        if is_zero {
            return Err(RelayError::Zero { field });
        }
    }
    let (min, max) = (config.port_min, config.port_max);
    if min < 1024 || min > max {
        return Err(RelayError::Ports { min, max });
    }
    name("realm", &config.realm)?;
    if !config.host.is_empty() {
        name("host", &config.host)?;
    }
    Ok(Checked { secrets: secrets(&config.secrets)?, relay_ips: relay_ips(config)? })
}

fn name(field: &'static str, text: &str) -> Result<(), RelayError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let good = !text.is_empty() && text.len() <= NAME_BYTES_MAX && text.bytes().all(plain);
    if good { Ok(()) } else { Err(RelayError::Name { field, text: text.to_owned() }) }
}

fn secrets(texts: &[String]) -> Result<Vec<Secret>, RelayError> {
    let shortest = texts.iter().map(String::len).min().unwrap_or(0);
    if texts.is_empty() || texts.len() > SECRETS_MAX || shortest < SECRET_BYTES_MIN {
        return Err(RelayError::Secrets { count: texts.len(), shortest });
    }
    Ok(texts.iter().map(|text| Secret::new(text)).collect())
}

fn relay_ips(config: &Config) -> Result<Vec<(IpAddr, IpAddr)>, RelayError> {
    let bound = match &config.relay_ips[..] {
        [] => found(config),
        given => given.to_vec(),
    };
    for ips in [&bound, &config.public_ips] {
        let twice =
            |ip: &&IpAddr| ips.iter().filter(|other| same_family(**ip, **other)).count() > 1;
        let wrong = ips.iter().find(|ip| twice(ip) || ip.is_unspecified() || ip.is_multicast());
        wrong.map_or(Ok(()), |ip| Err(RelayError::Ips(*ip)))?;
    }
    let outside = |ip: IpAddr| config.public_ips.iter().find(|public| same_family(ip, **public));
    if let Some(alone) =
        config.public_ips.iter().find(|public| !bound.iter().any(|ip| same_family(*ip, **public)))
    {
        return Err(RelayError::Ips(*alone));
    }
    let pairs: Vec<_> =
        bound.iter().map(|ip| (*ip, outside(*ip).copied().unwrap_or(*ip))).collect();
    if pairs.is_empty() { Err(RelayError::NoRelayIp) } else { Ok(pairs) }
}

/// The first listening address of each family, or the one the default route leaves by.
fn found(config: &Config) -> Vec<IpAddr> {
    let listen: Vec<SocketAddr> = config.listen.iter().chain(&config.listen_tls).copied().collect();
    let mut ips = Vec::new();
    for (family, (from, to)) in [Family::V4, Family::V6].into_iter().zip(PROBES) {
        let mut of_family =
            listen.iter().map(SocketAddr::ip).filter(|ip| Family::of(*ip) == family);
        let Some(first) = of_family.next() else { continue };
        let concrete = std::iter::once(first).chain(of_family).find(|ip| !ip.is_unspecified());
        ips.extend(concrete.or_else(|| by_route(from, to)));
    }
    ips
}

/// The address packets to the outside leave from.
fn by_route(from: &str, to: &str) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified()).then_some(ip)
}

fn same_family(a: IpAddr, b: IpAddr) -> bool {
    a.is_ipv4() == b.is_ipv4()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            secrets: vec!["0123456789abcdef".to_owned()],
            ..Config::default()
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        let check = |change: &dyn Fn(&mut Config)| {
            let mut config = config();
            change(&mut config);
            check(&config).unwrap_err().to_string()
        };
        assert!(super::check(&config()).is_ok());
        assert!(check(&|config| config.listen.clear()).contains("`listen`"));
        assert!(check(&|config| config.secrets.clear()).starts_with("0 secrets"));
        assert!(check(&|config| config.secrets.push("short".to_owned())).contains("at least 5"));
        assert!(check(&|config| config.secrets = vec!["x".repeat(16); 3]).starts_with("3 secrets"));
        assert!(check(&|config| config.port_min = 80).contains("port_min"));
        assert!(check(&|config| config.port_max = 40_000).contains("port_max"));
        assert!(check(&|config| config.realm.clear()).contains("realm"));
        assert!(check(&|config| config.host = "a b".to_owned()).contains("host"));
        assert!(check(&|config| config.allocations_max = 0).contains("allocations_max"));
        assert!(check(&|config| config.relay_ips = vec![ip("1.1.1.1"); 2]).contains("1.1.1.1"));
        assert!(check(&|config| config.public_ips = vec![ip("::2")]).contains("::2"));
        assert!(check(&|config| config.relay_ips = vec![ip("0.0.0.0")]).contains("0.0.0.0"));
    }

    #[test]
    fn the_relay_is_where_it_listens_unless_told_otherwise() {
        let mut config = config();
        assert_eq!(relay_ips(&config).unwrap(), [(ip("127.0.0.1"), ip("127.0.0.1"))]);
        config.listen.push("[::1]:0".parse().unwrap());
        config.public_ips = vec![ip("203.0.113.5")];
        let expected = [(ip("127.0.0.1"), ip("203.0.113.5")), (ip("::1"), ip("::1"))];
        assert_eq!(relay_ips(&config).unwrap(), expected);
    }
}
