//! Which peers a client may reach through the relay.
//!
//! A relay that reaches everything is a door into its host's own network (CVE-2020-26262,
//! CVE-2026-27624). Three rules, asked for every peer address, in whatever way it comes in:
//!
//! 1. Our own relayed addresses are always allowed, and reached inside this process only: nothing
//!    that listens at those addresses for another reason can be reached. Without this rule two clients
//!    of one relay on a private network could not meet.
//! 2. Addresses that are not of the public internet are refused, in every IPv6 spelling that carries
//!    an IPv4 address, unless the host allows their network by name.
//! 3. The host's own list is refused, whatever else is true.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// IPv4 networks that are not of the public internet (IANA special-purpose registry, RFC 6890).
const CLOSED_V4: &[(u32, u8)] = &[
    (0x0000_0000, 8),  // this network
    (0x0a00_0000, 8),  // private
    (0x6440_0000, 10), // carrier-grade NAT
    (0x7f00_0000, 8),  // loopback
    (0xa9fe_0000, 16), // link-local, and the metadata services of clouds
    (0xac10_0000, 12), // private
    (0xc000_0000, 24), // protocol assignments
    (0xc000_0200, 24), // documentation
    (0xc058_6300, 24), // 6to4 relays
    (0xc0a8_0000, 16), // private
    (0xc612_0000, 15), // benchmarks
    (0xc633_6400, 24), // documentation
    (0xcb00_7100, 24), // documentation
    (0xe000_0000, 4),  // multicast
    (0xf000_0000, 4),  // reserved, broadcast
];

/// IPv6 networks that are not of the public internet.
const CLOSED_V6: &[(u128, u8)] = &[
    (0x0100 << 112, 64),          // discard
    (0x0064_ff9b_0001 << 80, 48), // NAT64 of local use
    (0x2001_0002 << 96, 48),      // benchmarks
    (0x2001_0010 << 96, 28),      // ORCHID
    (0x2001_0020 << 96, 28),      // ORCHIDv2
    (0x2001_0db8 << 96, 32),      // documentation
    (0x3fff << 112, 20),          // documentation
    (0x5f00 << 112, 16),          // segment routing
    (0xfc00 << 112, 7),           // unique local
    (0xfe80 << 112, 10),          // link-local
    (0xfec0 << 112, 10),          // site-local, deprecated
    (0xff00 << 112, 8),           // multicast
];

/// The rules of one relay.
#[derive(Debug, Clone)]
pub struct PeerRules {
    /// Addresses our relayed addresses are of.
    own: Vec<IpAddr>,
    allowed: Vec<IpNet>,
    denied: Vec<IpNet>,
    closed: Vec<IpNet>,
}

/// What may be done with a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It is a relayed address of ours: inside this process.
    Own,
    /// It is out on the network.
    Network,
    /// Not at all.
    Refused,
}

impl PeerRules {
    /// Rules for a relay that gives out addresses of `own`. `denied` counts before `allowed`, and
    /// that before the built-in list.
    pub fn new(own: Vec<IpAddr>, allowed: Vec<IpNet>, denied: Vec<IpNet>) -> Self {
        let net = |&(bits, length): &(u32, u8)| Ipv4Net::new(Ipv4Addr::from_bits(bits), length);
        let v4 = CLOSED_V4.iter().map(net).map(|net| net.map(IpNet::V4));
        let net = |&(bits, length): &(u128, u8)| Ipv6Net::new(Ipv6Addr::from_bits(bits), length);
        let v6 = CLOSED_V6.iter().map(net).map(|net| net.map(IpNet::V6));
        let closed = v4.chain(v6).map(|net| net.expect("the lengths above are lengths")).collect();
        Self { own, allowed, denied, closed }
    }

    /// What may be done with a peer at this address.
    pub fn reach(&self, peer: IpAddr) -> Reach {
        if self.own.contains(&peer) {
            return Reach::Own;
        }
        if spellings(peer).all(|ip| self.is_open(ip)) { Reach::Network } else { Reach::Refused }
    }

    /// Whether the host allows its network by name.
    pub fn is_allowed(&self, ip: IpAddr) -> bool {
        let is_in = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&ip));
        is_in(&self.allowed) && !is_in(&self.denied)
    }

    fn is_open(&self, ip: IpAddr) -> bool {
        let is_in = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&ip));
        // A relayed address of ours in disguise would go round over the network.
        let own = self.own.iter().any(|own| spellings(*own).any(|own| own == ip));
        !own && !is_in(&self.denied) && (is_in(&self.allowed) || !self.is_closed(ip))
    }

    fn is_closed(&self, ip: IpAddr) -> bool {
        self.closed.iter().any(|net| net.contains(&ip))
            || matches!(ip, IpAddr::V6(ip) if ip.is_unspecified() || ip.is_loopback())
    }
}

/// An address and every IPv4 address that is in it. All of them must be allowed, so that no
/// translator on the way makes of an open address a closed one.
fn spellings(ip: IpAddr) -> impl Iterator<Item = IpAddr> {
    let inner = match ip {
        IpAddr::V4(_) => [None; 3],
        IpAddr::V6(ip) => embedded(ip),
    };
    std::iter::once(ip).chain(inner.into_iter().flatten().map(IpAddr::V4))
}

/// IPv4 addresses in an IPv6 address: mapped (`::ffff:0:0/96`), translated (`::ffff:0:0:0/96`),
/// compatible (`::/96`), NAT64 (`64:ff9b::/96`), ISATAP, 6to4 (`2002::/16`), and both of Teredo's
/// (`2001::/32`).
fn embedded(ip: Ipv6Addr) -> [Option<Ipv4Addr>; 3] {
    let segments = ip.segments();
    let at = |index: usize| {
        let (high, low) = (segments[index].to_be_bytes(), segments[index + 1].to_be_bytes());
        Ipv4Addr::new(high[0], high[1], low[0], low[1])
    };
    let last = at(6);
    match segments {
        [0, 0, 0, 0, 0, 0, ..] if !ip.is_loopback() && !ip.is_unspecified() => {
            [Some(last), None, None]
        }
        [0, 0, 0, 0, 0, 0xffff, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..] => [Some(last), None, None],
        [0x2001, 0, ..] => [Some(at(2)), Some(Ipv4Addr::from_bits(!last.to_bits())), None],
        [first, .., 0 | 0x0200, 0x5efe, _, _] => {
            [Some(last), (first == 0x2002).then(|| at(1)), None]
        }
        [0x2002, ..] => [Some(at(1)), None, None],
        _ => [None; 3],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules() -> PeerRules {
        PeerRules::new(vec!["192.168.7.1".parse().unwrap()], Vec::new(), Vec::new())
    }

    fn check(rules: &PeerRules, peer: &str, expected: Reach) {
        assert_eq!(rules.reach(peer.parse().unwrap()), expected, "{peer}");
    }

    #[test]
    fn addresses_of_the_public_internet_are_reached() {
        for peer in ["1.1.1.1", "100.63.255.255", "172.32.0.1", "198.17.0.1", "223.255.255.255"] {
            check(&rules(), peer, Reach::Network);
        }
        for peer in ["2606:4700::1111", "2a01:4f8::1", "2002:101:101::1", "64:ff9b::101:101"] {
            check(&rules(), peer, Reach::Network);
        }
    }

    #[test]
    fn every_spelling_of_an_inner_address_is_refused() {
        let inner = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
        ];
        for v4 in inner {
            check(&rules(), v4, Reach::Refused);
            let [a, b, c, d] = v4.parse::<Ipv4Addr>().unwrap().octets();
            let hex = format!("{a:02x}{b:02x}:{c:02x}{d:02x}");
            let not = format!("{:02x}{:02x}:{:02x}{:02x}", !a, !b, !c, !d);
            for v6 in [
                format!("::ffff:{v4}"),
                format!("::ffff:0:{hex}"),
                format!("::{hex}"),
                format!("64:ff9b::{hex}"),
                format!("64:ff9b:1::{hex}"),
                format!("2002:{hex}::1"),
                format!("2001:0:{hex}::1"),
                format!("2001:0:101:101:0:0:{not}"),
                format!("2a01:4f8::5efe:{hex}"),
                format!("2a01:4f8::200:5efe:{hex}"),
                format!("2002:{hex}::5efe:101:101"),
            ] {
                check(&rules(), &v6, Reach::Refused);
            }
        }
    }

    #[test]
    fn inner_networks_of_ipv6_are_refused() {
        for peer in [
            "::",
            "::1",
            "100::1",
            "2001:db8::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            check(&rules(), peer, Reach::Refused);
        }
    }

    #[test]
    fn our_own_address_is_reached_inside_and_in_its_plain_spelling_only() {
        check(&rules(), "192.168.7.1", Reach::Own);
        check(&rules(), "::ffff:192.168.7.1", Reach::Refused);
        check(&rules(), "192.168.7.2", Reach::Refused);
        let public = PeerRules::new(vec!["1.2.3.4".parse().unwrap()], Vec::new(), Vec::new());
        check(&public, "1.2.3.4", Reach::Own);
        check(&public, "::ffff:1.2.3.4", Reach::Refused);
        check(&public, "64:ff9b::102:304", Reach::Refused);
    }

    #[test]
    fn the_hosts_lists_count_before_ours() {
        let nets = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let rules = PeerRules::new(
            Vec::new(),
            nets(&["10.0.0.0/8", "1.1.0.0/16"]),
            nets(&["10.9.0.0/16", "1.1.1.0/24"]),
        );
        check(&rules, "10.1.2.3", Reach::Network);
        check(&rules, "10.9.0.1", Reach::Refused);
        check(&rules, "1.1.1.1", Reach::Refused);
        check(&rules, "::ffff:1.1.1.1", Reach::Refused);
        check(&rules, "192.168.0.1", Reach::Refused);
    }

    proptest! {
        #[test]
        fn no_spelling_reaches_what_the_plain_one_does_not(octets: [u8; 4]) {
            let v4 = Ipv4Addr::from(octets);
            let rules = rules();
            if rules.reach(v4.into()) != Reach::Network {
                prop_assert_eq!(rules.reach(v4.to_ipv6_mapped().into()), Reach::Refused);
                let nat64 = (0x0064_ff9b_u128 << 96) | u128::from(v4.to_bits());
                prop_assert_eq!(rules.reach(Ipv6Addr::from_bits(nat64).into()), Reach::Refused);
            }
        }
    }
}
