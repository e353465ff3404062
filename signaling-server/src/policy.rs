//! Which sites may do what: [`SiteConfig`](crate::config::SiteConfig), checked and ready to ask.

use std::fmt::Display;
use std::sync::atomic::{AtomicU32, Ordering};

use primitives::SwarmId;
use wire::limits::TOKEN_BYTES_MAX;

use crate::config::Config;
use crate::error::ConfigError;
use crate::origin;

/// Sites, by number. The last is everybody else, if the host is open.
#[derive(Debug)]
pub(crate) struct Policy {
    sites: Vec<Site>,
    open: bool,
}

#[derive(Debug, Default)]
struct Site {
    origins: Vec<String>,
    key: Option<String>,
    swarm_prefixes: Vec<String>,
    /// 0: no bound.
    peers_max: u32,
    relay_only: bool,
    /// Its memberships now.
    peers: AtomicU32,
}

/// Why the policy refuses a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// No site has this key, or not for this page.
    Site,
    /// The site may not use this swarm.
    Swarm,
    /// The site has its most peers.
    Full,
}

impl Policy {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let mut sites = Vec::new();
        for (index, site) in config.sites.iter().enumerate() {
            let key = (!site.key.is_empty()).then(|| site.key.clone());
            let taken = key.is_some() && sites.iter().any(|other: &Site| other.key == key);
            let matches_nothing = key.is_none() && site.origins.is_empty();
            if taken || matches_nothing || site.key.len() > TOKEN_BYTES_MAX {
                return Err(ConfigError::Site { number: index + 1 });
            }
            let origins = site.origins.iter().map(|text| origin::parse(text));
            sites.push(Site {
                origins: origins.collect::<Result<_, _>>()?,
                key,
                swarm_prefixes: swarm_prefixes(&site.swarm_prefixes)?,
                peers_max: site.peers_max,
                relay_only: site.relay_only,
                peers: AtomicU32::new(0),
            });
        }
        sites.push(Site::default());
        Ok(Self { sites, open: config.open })
    }

    /// Whether a page of this origin may open a socket. A missing origin is no browser: the join
    /// decides.
    pub(crate) fn may_connect(&self, origin: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        self.open || self.named().any(|site| site.is_for(origin) || site.origins.is_empty())
    }

    /// The site a join counts for, with a place taken in it; give it back with [`Self::release`].
    pub(crate) fn admit(
        &self,
        origin: Option<&str>,
        key: Option<&str>,
        swarm: &SwarmId,
    ) -> Result<usize, Denied> {
        self.admit_named(origin, key, swarm)
    }

    /// The same, for a swarm whose name is what it displays.
    pub(crate) fn admit_named(
        &self,
        origin: Option<&str>,
        key: Option<&str>,
        swarm: &impl Display,
    ) -> Result<usize, Denied> {
        let number = self.number_of(origin, key).ok_or(Denied::Site)?;
        let site = &self.sites[number];
        let prefixes = &site.swarm_prefixes;
        if !prefixes.is_empty() {
            let id = swarm.to_string();
            if !prefixes.iter().any(|prefix| id.starts_with(prefix)) {
                return Err(Denied::Swarm);
            }
        }
        let most = if site.peers_max == 0 { u32::MAX } else { site.peers_max };
        site.peers
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |peers| {
                (peers < most).then(|| peers.saturating_add(1))
            })
            .map_err(|_| Denied::Full)?;
        Ok(number)
    }

    /// Gives back the place of a membership that ended.
    pub(crate) fn release(&self, number: usize) {
        if let Some(site) = self.sites.get(number) {
            site.peers.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn relay_only(&self, number: usize) -> bool {
        self.sites.get(number).is_some_and(|site| site.relay_only)
    }

    fn named(&self) -> impl Iterator<Item = &Site> {
        self.sites[..self.sites.len() - 1].iter()
    }

    fn number_of(&self, origin: Option<&str>, key: Option<&str>) -> Option<usize> {
        let fits = |site: &Site| match (&site.key, key) {
            (Some(wanted), Some(given)) => {
                wanted == given
                    && (site.origins.is_empty() || origin.is_none_or(|origin| site.is_for(origin)))
            }
            (Some(_), None) => false,
            (None, None) => origin.is_some_and(|origin| site.is_for(origin)),
            (None, Some(_)) => false,
        };
        let everybody = (self.open && key.is_none()).then(|| self.sites.len() - 1);
        self.named().position(fits).or(everybody)
    }
}

impl Site {
    fn is_for(&self, origin: &str) -> bool {
        self.origins.iter().any(|own| own == origin)
    }
}

fn swarm_prefixes(texts: &[String]) -> Result<Vec<String>, ConfigError> {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    texts
        .iter()
        .map(|text| {
            let fits = text.len() <= 64 && text.bytes().all(is_hex);
            fits.then(|| text.clone())
                .ok_or_else(|| ConfigError::SwarmPrefix { text: text.clone() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SiteConfig;

    const SWARM: SwarmId = SwarmId::new([0xab; 32]);

    fn policy(open: bool, sites: Vec<SiteConfig>) -> Policy {
        Policy::new(&Config { open, sites, ..Config::default() }).unwrap()
    }

    fn site(origins: &[&str], key: &str) -> SiteConfig {
        let origins = origins.iter().map(|&origin| origin.to_owned()).collect();
        SiteConfig { origins, key: key.to_owned(), ..SiteConfig::default() }
    }

    #[test]
    fn an_open_host_takes_everybody() {
        let policy = policy(true, Vec::new());
        assert!(policy.may_connect(Some("https://anybody.example")));
        assert_eq!(policy.admit(Some("https://anybody.example"), None, &SWARM), Ok(0));
        assert_eq!(policy.admit(None, None, &SWARM), Ok(0));
        assert_eq!(policy.admit(None, Some("no such key"), &SWARM), Err(Denied::Site));
    }

    #[test]
    fn a_closed_host_takes_its_sites_only() {
        let policy = policy(false, vec![site(&["https://a.example"], ""), site(&[], "k")]);
        assert_eq!(policy.admit(Some("https://a.example"), None, &SWARM), Ok(0));
        assert_eq!(policy.admit(Some("https://b.example"), None, &SWARM), Err(Denied::Site));
        assert_eq!(policy.admit(Some("https://b.example"), Some("k"), &SWARM), Ok(1));
        assert_eq!(policy.admit(None, None, &SWARM), Err(Denied::Site));
        let strict = super::tests::policy(false, vec![site(&["https://a.example"], "k")]);
        assert!(!strict.may_connect(Some("https://b.example")));
        assert_eq!(strict.admit(Some("https://b.example"), Some("k"), &SWARM), Err(Denied::Site));
    }

    #[test]
    fn swarms_and_places_of_a_site_are_bounded() {
        let prefixes = SiteConfig { swarm_prefixes: vec!["abc".into()], ..site(&[], "p") };
        let small = SiteConfig { peers_max: 1, relay_only: true, ..site(&[], "s") };
        let policy = policy(true, vec![prefixes, small]);
        assert_eq!(policy.admit(None, Some("p"), &SWARM), Err(Denied::Swarm));
        assert_eq!(policy.admit(None, Some("s"), &SWARM), Ok(1));
        assert_eq!(policy.admit(None, Some("s"), &SWARM), Err(Denied::Full));
        policy.release(1);
        assert_eq!(policy.admit(None, Some("s"), &SWARM), Ok(1));
        assert!(policy.relay_only(1) && !policy.relay_only(0));
    }

    #[test]
    fn a_site_that_can_not_be_meant_is_refused() {
        let refused = |sites| Policy::new(&Config { sites, ..Config::default() }).is_err();
        assert!(refused(vec![SiteConfig::default()]));
        assert!(refused(vec![site(&[], "k"), site(&[], "k")]));
        assert!(refused(vec![site(&["https://a.example/path"], "")]));
        let prefix = SiteConfig { swarm_prefixes: vec!["XY".into()], ..site(&[], "k") };
        assert!(refused(vec![prefix]));
    }
}
