//! One subscription, and what a page asks for.

use primitives::{Hash, sha256};
use serde::{Deserialize, Serialize};

use crate::Level;
use crate::limits::{
    DAY_S, ENDPOINT_BYTES_MAX, LIMIT_MAX, LIMIT_MIN, MARKETS_MAX, MESSAGES_PER_DAY_MAX,
    REQUEST_BYTES_MAX,
};
use crate::message::{Kind, Message, Topic};
use crate::seal::Recipient;

/// An account of the ledger.
pub type Account = Hash;

/// Where a page asked from, as a name that the driver gives it: one for each block of addresses.
pub type Network = Hash;

/// Digits of an account's name that a message tells.
const ACCOUNT_DIGITS: usize = 8;

/// What tells subscriptions apart: whose health, and which browser. An account's stand together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Whose health.
    pub account: Account,
    /// The browser's address at its push service.
    pub endpoint: String,
}

/// Why a page is not subscribed. Closed, each with its own code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is not a request: no JSON of the form, an address too long, no market, a limit out of range.
    Malformed,
    /// The keys are none, or others than this browser's.
    Keys,
    /// The browser watches its most accounts.
    EndpointFull,
    /// As many subscriptions as may be were made from this network.
    NetworkFull,
    /// The server has its most subscriptions.
    Full,
}

impl Refused {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Keys => "keys",
            Self::EndpointFull => "browser-full",
            Self::NetworkFull => "network-full",
            Self::Full => "full",
        }
    }
}

/// What a page asks for. Its fields are as they should be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    pub(crate) endpoint: String,
    pub(crate) p256dh: String,
    pub(crate) auth: String,
    pub(crate) account: Account,
    pub(crate) limit: u16,
    pub(crate) markets: Vec<u32>,
}

/// A page that wants to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forget {
    pub(crate) endpoint: String,
    pub(crate) auth: String,
}

/// A message, to whom, and what it takes the place of.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Where to.
    pub endpoint: String,
    /// Whom it is sealed for.
    pub recipient: Recipient,
    /// What it says.
    pub message: Message,
    /// What it takes the place of.
    pub topic: Topic,
}

/// A subscription, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) endpoint: String,
    pub(crate) p256dh: String,
    pub(crate) auth: String,
    pub(crate) account: Account,
    /// Hundredths of health.
    pub(crate) limit: u16,
    pub(crate) markets: Vec<Watched>,
    /// Where it was made; none: before that was kept, until it is renewed.
    #[serde(default)]
    pub(crate) network: Option<Network>,
    /// When its page asked for it last.
    pub(crate) renewed_s: u64,
    /// Failures one after the other.
    pub(crate) failures: u8,
    /// When the next try may be.
    pub(crate) wait_until_s: u64,
    /// Days since 1970 at the last message.
    pub(crate) day: u64,
    /// Messages on that day.
    pub(crate) sent: u16,
}

/// A market of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Watched {
    pub(crate) market: u32,
    /// What the person knows; none: not looked at yet. The page shows how it is when they subscribe.
    pub(crate) told: Option<Level>,
    /// What is on its way.
    #[serde(skip)]
    pub(crate) sending: Option<Level>,
}

impl Wish {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Refused::Malformed`] or [`Refused::Keys`].
    pub fn read(bytes: &[u8]) -> Result<Self, Refused> {
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(Refused::Malformed);
        }
        let mut wish: Self = serde_json::from_slice(bytes).map_err(|_| Refused::Malformed)?;
        wish.markets.sort_unstable();
        wish.markets.dedup();
        let fits = (1..=ENDPOINT_BYTES_MAX).contains(&wish.endpoint.len())
            && (1..=MARKETS_MAX).contains(&wish.markets.len())
            && (LIMIT_MIN..=LIMIT_MAX).contains(&wish.limit);
        if !fits {
            return Err(Refused::Malformed);
        }
        Recipient::new(&wish.p256dh, &wish.auth).map_err(|_| Refused::Keys)?;
        Ok(wish)
    }

    /// The browser's address at its push service: a stranger's word.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The first message: that alerts are on. That it is taken says that the address is a browser's.
    ///
    /// # Errors
    /// [`Refused::Keys`], which reading would have said.
    pub fn first(&self) -> Result<Letter, Refused> {
        let message = Message {
            kind: Kind::On,
            account: short(&self.account),
            limit: crate::level::shown_hundredths(self.limit),
            market: None,
            health: None,
        };
        let recipient = Recipient::new(&self.p256dh, &self.auth).map_err(|_| Refused::Keys)?;
        let topic = Topic::of(&self.auth, &self.account.to_string(), None);
        Ok(Letter { endpoint: self.endpoint.clone(), recipient, message, topic })
    }

    pub(crate) fn name(&self) -> Name {
        Name { account: self.account, endpoint: self.endpoint.clone() }
    }
}

impl Forget {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Refused::Malformed`].
    pub fn read(bytes: &[u8]) -> Result<Self, Refused> {
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(Refused::Malformed);
        }
        serde_json::from_slice(bytes).map_err(|_| Refused::Malformed)
    }
}

impl Subscription {
    pub(crate) fn new(wish: Wish, network: Network, now_s: u64) -> Self {
        let Wish { endpoint, p256dh, auth, account, limit, markets } = wish;
        let (failures, wait_until_s, day, sent) = (0, 0, 0, 0);
        let markets = markets.into_iter().map(Watched::new).collect();
        let renewed_s = now_s;
        Self {
            endpoint,
            p256dh,
            auth,
            account,
            limit,
            markets,
            network: Some(network),
            renewed_s,
            failures,
            wait_until_s,
            day,
            sent,
        }
    }

    /// What is known of markets that stay is kept; with another limit, only that health is under one.
    pub(crate) fn renew(&mut self, wish: &Wish, network: Network, now_s: u64) {
        let mut known = self.markets.clone();
        if wish.limit != self.limit {
            known.retain(|of| of.told == Some(Level::Seizable));
        }
        let kept = |market: &u32| known.iter().find(|one| one.market == *market).copied();
        let one = |market: &u32| kept(market).unwrap_or_else(|| Watched::new(*market));
        self.markets = wish.markets.iter().map(one).collect();
        self.limit = wish.limit;
        self.network.get_or_insert(network);
        self.renewed_s = now_s;
        (self.failures, self.wait_until_s) = (0, 0);
    }

    /// Whether these are its keys. Compared by their hashes, whose bytes nobody can choose.
    pub(crate) fn has_auth(&self, auth: &str) -> bool {
        sha256(self.auth.as_bytes()) == sha256(auth.as_bytes())
    }

    pub(crate) fn name(&self) -> Name {
        Name { account: self.account, endpoint: self.endpoint.clone() }
    }

    /// Whether a message may be sent now. Those on their way count as sent.
    pub(crate) fn may_send(&self, now_s: u64) -> bool {
        let sent = if self.day == now_s / DAY_S { self.sent } else { 0 };
        let on_their_way = self.markets.iter().filter(|of| of.sending.is_some()).count();
        let most = usize::from(MESSAGES_PER_DAY_MAX);
        now_s >= self.wait_until_s && usize::from(sent).saturating_add(on_their_way) < most
    }

    /// Whether it could have been made by a request.
    pub(crate) fn is_sound(&self) -> bool {
        (1..=ENDPOINT_BYTES_MAX).contains(&self.endpoint.len())
            && (1..=MARKETS_MAX).contains(&self.markets.len())
            && (LIMIT_MIN..=LIMIT_MAX).contains(&self.limit)
            && Recipient::new(&self.p256dh, &self.auth).is_ok()
    }

    /// That health is at a level in a market. `None`: its keys are none.
    pub(crate) fn letter(&self, market: u32, level: Level, factor: u128) -> Option<Letter> {
        let kind = match level {
            Level::Well => return None,
            Level::Low => Kind::Low,
            Level::Seizable => Kind::Seizable,
        };
        let message = Message {
            kind,
            account: short(&self.account),
            limit: crate::level::shown_hundredths(self.limit),
            market: Some(market),
            health: Some(crate::level::shown(factor)),
        };
        let recipient = Recipient::new(&self.p256dh, &self.auth).ok()?;
        let topic = Topic::of(&self.auth, &self.account.to_string(), Some(market));
        Some(Letter { endpoint: self.endpoint.clone(), recipient, message, topic })
    }
}

impl Watched {
    fn new(market: u32) -> Self {
        Self { market, told: None, sending: None }
    }
}

fn short(account: &Account) -> String {
    account.to_string().chars().take(ACCOUNT_DIGITS).collect()
}
