//! Who is subscribed, and what each is to be told.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::limits::{AGE_MAX_S, DAY_S, FAILURES_MAX, PER_ENDPOINT_MAX, PER_NETWORK_MAX, RETRY_S};
use crate::subscription::{Forget, Letter, Name, Network, Refused, Subscription, Wish};
use crate::{Health, Level};

/// Version of what is on disk.
const VERSION: u32 = 1;

/// The file is none of ours, or of a later version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

/// Subscriptions, by account and browser. What is on its way is forgotten with the process, and then told again.
#[derive(Debug)]
pub struct List {
    max: usize,
    subscriptions: BTreeMap<Name, Subscription>,
    /// Where the last look ended.
    last: Option<Name>,
    changed: bool,
}

/// What a wish would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A new one: the browser has not shown yet that it is there.
    New,
    /// It is here already.
    Renewed,
}

/// Whose health to look at, where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// For whom.
    pub name: Name,
    /// In which market.
    pub market: u32,
}

/// Something to tell.
#[derive(Debug, Clone)]
pub struct Alert {
    /// To whom, about which market.
    pub look: Look,
    /// What.
    pub letter: Letter,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The push service took it.
    Taken,
    /// The browser is not subscribed any more.
    Gone,
    /// Anything else.
    Failed,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    subscriptions: Vec<Subscription>,
}

impl List {
    /// Nobody, and at most so many.
    pub fn new(max: usize) -> Self {
        Self { max, subscriptions: BTreeMap::new(), last: None, changed: false }
    }

    /// What [`Self::to_bytes`] gave. Of more than `max`, the first ones; those that no request could have
    /// made are left out.
    ///
    /// # Errors
    /// It is no such file.
    pub fn read(bytes: &[u8], max: usize) -> Result<Self, Damaged> {
        let kept: Kept = serde_json::from_slice(bytes).map_err(|_| Damaged)?;
        if kept.version != VERSION {
            return Err(Damaged);
        }
        let sound = kept.subscriptions.into_iter().filter(Subscription::is_sound).take(max);
        let subscriptions = sound.map(|one| (one.name(), one)).collect();
        Ok(Self { subscriptions, ..Self::new(max) })
    }

    /// What to keep on disk.
    pub fn to_bytes(&self) -> Vec<u8> {
        let subscriptions = self.subscriptions.values().cloned().collect();
        serde_json::to_vec(&Kept { version: VERSION, subscriptions }).unwrap_or_default()
    }

    /// Whether something is new since this was last asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.subscriptions.len()
    }

    /// What a wish from a network would do.
    ///
    /// # Errors
    /// In order: other keys than the browser's, the browser's, the network's and the server's bounds.
    pub fn check(&self, wish: &Wish, network: Network) -> Result<Place, Refused> {
        if let Some(known) = self.subscriptions.get(&wish.name()) {
            let same = known.p256dh == wish.p256dh && known.has_auth(&wish.auth);
            return if same { Ok(Place::Renewed) } else { Err(Refused::Keys) };
        }
        let all = || self.subscriptions.values();
        if all().filter(|one| one.endpoint == wish.endpoint).count() >= PER_ENDPOINT_MAX {
            return Err(Refused::EndpointFull);
        }
        if all().filter(|one| one.network == Some(network)).count() >= PER_NETWORK_MAX {
            return Err(Refused::NetworkFull);
        }
        if self.subscriptions.len() >= self.max {
            return Err(Refused::Full);
        }
        Ok(Place::New)
    }

    /// Subscribes, or renews; renewed from elsewhere, it stays with the network that it was made from.
    ///
    /// # Errors
    /// See [`Self::check`].
    pub fn add(&mut self, wish: Wish, network: Network, now_s: u64) -> Result<Place, Refused> {
        let place = self.check(&wish, network)?;
        match self.subscriptions.get_mut(&wish.name()) {
            Some(known) => known.renew(&wish, network, now_s),
            None => {
                self.subscriptions.insert(wish.name(), Subscription::new(wish, network, now_s));
            }
        }
        self.changed = true;
        Ok(place)
    }

    /// Forgets a browser, whatever accounts it watches; whether it was here. Whoever does not know its secret
    /// is told the same as if it was not.
    pub fn forget(&mut self, forget: &Forget) -> bool {
        let count = self.subscriptions.len();
        self.subscriptions
            .retain(|name, one| name.endpoint != forget.endpoint || !one.has_auth(&forget.auth));
        let is_less = self.subscriptions.len() < count;
        self.changed |= is_less;
        is_less
    }

    /// Forgets those that nobody renewed.
    pub fn expire(&mut self, now_s: u64) {
        let count = self.subscriptions.len();
        self.subscriptions.retain(|_, one| one.renewed_s.saturating_add(AGE_MAX_S) > now_s);
        self.changed |= self.subscriptions.len() < count;
    }

    /// Whose health to look at next: at most so many, each once, beginning where the last look ended.
    pub fn next(&mut self, looks_max: usize) -> Vec<Look> {
        let last = self.last.take();
        let behind = last.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.subscriptions.range((behind, Bound::Unbounded));
        let before = last.into_iter().flat_map(|last| self.subscriptions.range(..=last));
        let (mut looks, mut end) = (Vec::new(), None);
        for (name, one) in behind.chain(before) {
            if looks.len() + one.markets.len() > looks_max {
                break;
            }
            looks.extend(
                one.markets.iter().map(|of| Look { name: name.clone(), market: of.market }),
            );
            end = Some(name.clone());
        }
        self.last = end;
        looks
    }

    /// What was seen there: something to tell, if it got worse than the person knows. It is on its way until
    /// [`Self::settle`] says what became of it.
    pub fn see(&mut self, look: &Look, health: Health, now_s: u64) -> Option<Alert> {
        let factor = match health {
            // Nobody can liquidate either.
            Health::Unknown => return None,
            Health::Endless => u128::MAX,
            Health::Is(factor) => factor,
        };
        let one = self.subscriptions.get_mut(&look.name)?;
        let (limit, may_send) = (one.limit, one.may_send(now_s));
        let watched = one.markets.iter_mut().find(|of| of.market == look.market)?;
        if watched.sending.is_some() {
            return None;
        }
        let told = watched.told;
        let level = told.map_or_else(|| Level::of(factor, limit), |told| told.after(factor, limit));
        // The page showed how it was when they subscribed; that it is under one now is told all the same.
        let is_news = told.map_or(level == Level::Seizable, |told| level > told);
        if !is_news {
            self.changed |= told != Some(level);
            watched.told = Some(level);
            return None;
        }
        if !may_send {
            return None;
        }
        watched.sending = Some(level);
        let letter = one.letter(look.market, level, factor)?;
        Some(Alert { look: look.clone(), letter })
    }

    /// What became of a message.
    pub fn settle(&mut self, look: &Look, outcome: Outcome, now_s: u64) {
        let Some(one) = self.subscriptions.get_mut(&look.name) else { return };
        let watched = one.markets.iter_mut().find(|of| of.market == look.market);
        let sending = watched.and_then(|of| {
            let sending = of.sending.take();
            if outcome == Outcome::Taken && sending.is_some() {
                of.told = sending;
            }
            sending
        });
        // It was renewed meanwhile, and is another one now; or another message of the same burst failed, and they
        // count once.
        let is_no_news = sending.is_none() || now_s < one.wait_until_s;
        if outcome == Outcome::Failed && is_no_news {
            return;
        }
        self.changed = true;
        let is_over = match outcome {
            Outcome::Gone => true,
            Outcome::Taken => {
                let day = now_s / DAY_S;
                one.sent = if one.day == day { one.sent.saturating_add(1) } else { 1 };
                (one.day, one.failures, one.wait_until_s) = (day, 0, 0);
                false
            }
            Outcome::Failed => {
                let wait_s = RETRY_S.saturating_mul(1 << one.failures.min(16));
                one.failures = one.failures.saturating_add(1);
                one.wait_until_s = now_s.saturating_add(wait_s);
                one.failures >= FAILURES_MAX
            }
        };
        if is_over {
            self.subscriptions.remove(&look.name);
        }
    }
}

#[cfg(test)]
mod tests;
