//! What a community has agreed on, and what holds from which slot.

use minicbor::{Decode, Encode};

use super::{Error, LOSS_MAX_PPM, PRICE_MAX, TERMS_MAX, Tariff, ceil_cost, floor_cost};

/// How neighbours trade. Friends come first; where there is a book, after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Mode {
    /// One price in the middle, parts by readings.
    #[n(1)]
    Sharing,
    /// One price by standing limits.
    #[n(2)]
    Auction,
    /// Orders before the slot begins, each trade at its own price.
    #[n(3)]
    Book,
}

/// Why a reading should be believed, from the weakest to the strongest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Trust {
    /// Somebody says so: a key in a browser.
    #[default]
    #[n(0)]
    SelfReported,
    /// The retailer reads it, too.
    #[n(1)]
    Retailer,
    /// A sealed meter signs.
    #[n(2)]
    Hardware,
}

/// Where what a meter feeds in comes from: certificates say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Source {
    /// Not said.
    #[n(0)]
    Unknown,
    /// Sun.
    #[n(1)]
    Solar,
    /// Wind.
    #[n(2)]
    Wind,
    /// Water.
    #[n(3)]
    Water,
    /// What grew.
    #[n(4)]
    Biomass,
    /// A battery: from whatever filled it.
    #[n(5)]
    Storage,
}

/// What holds for a slot of a community.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Rules {
    /// How neighbours trade.
    #[n(0)]
    pub mode: Mode,
    /// What energy costs without neighbours, and between them.
    #[n(1)]
    pub tariff: Tariff,
    /// Millionths of what is fed in that do not arrive at neighbours; at most [`LOSS_MAX_PPM`]. The
    /// grid takes them at feed-in.
    #[n(2)]
    pub loss_ppm: u32,
    /// The least trusted meters that may trade.
    #[n(3)]
    pub trust_min: Trust,
}

/// To whom a meter gives first, and for what: between feed-in and the middle. In mode 1 the friend
/// gains by it, too, and need not agree; in mode 2, where the market may be cheaper, each names the
/// other; in mode 3 it gets what the book left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Friend {
    /// The friend's meter.
    #[n(0)]
    pub meter: u32,
    /// Millionths per kWh, without the grid fee; the nearest that lies between counts.
    #[n(1)]
    pub price: u64,
}

/// What a meter's owner trades for in an auction, in millionths per kWh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Limits {
    /// Most it pays, grid fee included.
    #[n(0)]
    pub buy: u64,
    /// Least it takes.
    #[n(1)]
    pub sell: u64,
}

impl Mode {
    /// The number it is known by.
    pub const fn number(self) -> u8 {
        match self {
            Self::Sharing => 1,
            Self::Auction => 2,
            Self::Book => 3,
        }
    }
}

impl Trust {
    /// The number it is known by.
    pub const fn number(self) -> u8 {
        match self {
            Self::SelfReported => 0,
            Self::Retailer => 1,
            Self::Hardware => 2,
        }
    }
}

impl Rules {
    /// Whether neighbours can keep these and gain by it.
    pub fn is_sound(&self) -> bool {
        self.tariff.is_sound() && self.loss_ppm <= LOSS_MAX_PPM
    }

    /// Limits of who has set none: what the grid asks and gives.
    pub fn standing(&self) -> Limits {
        Limits { buy: self.tariff.retail, sell: self.tariff.feed_in }
    }

    /// Wh of those fed in that arrive at neighbours, rounded down.
    pub fn tradeable(&self, export_wh: u64) -> u64 {
        let kept = u128::from(1_000_000 - self.loss_ppm.min(LOSS_MAX_PPM));
        let arrives = u128::from(export_wh) * kept / 1_000_000;
        u64::try_from(arrives).expect("a part is at most the whole")
    }

    /// What a friend pays in a slot of these rules, without the grid fee.
    pub fn friendly(&self, friend: Friend) -> u64 {
        self.tariff.mid().min(friend.price.max(self.tariff.feed_in))
    }

    /// Most that a reading can cost its owner: all of it at the dearer of grid and limit, and two units
    /// because three parts are rounded up: a friend's, the neighbours', the grid's.
    pub fn cover(&self, import_wh: u64, limits: &Limits) -> u128 {
        let dearest = match self.mode {
            Mode::Sharing | Mode::Book => self.tariff.retail,
            Mode::Auction => self.tariff.retail.max(limits.buy),
        };
        if import_wh == 0 { 0 } else { ceil_cost(import_wh, dearest) + 2 }
    }

    /// Most that a reading can cost the grid. In mode 3, where it pays some for what others fed in, parts
    /// are not to lose by rounding.
    pub fn grid_cover(&self, export_wh: u64) -> u128 {
        match self.mode {
            Mode::Sharing | Mode::Auction => floor_cost(export_wh, self.tariff.feed_in),
            Mode::Book => ceil_cost(export_wh, self.tariff.feed_in),
        }
    }
}

impl Limits {
    /// Whether these are prices.
    pub fn is_sound(&self) -> bool {
        self.buy <= PRICE_MAX && self.sell <= PRICE_MAX
    }
}

/// What holds for a slot, of things with the first slot they hold for.
pub(super) fn term<T: Copy>(terms: &[(u64, T)], slot: u64) -> Option<T> {
    terms.iter().rev().find(|(from, _)| *from <= slot).map(|(_, value)| *value)
}

/// Adds what holds from a slot on, in place of what was to hold later. What no slot from `oldest` on
/// needs is forgotten.
pub(super) fn add_term<T>(
    terms: &mut Vec<(u64, T)>,
    oldest: u64,
    from: u64,
    value: T,
) -> Result<(), Error> {
    while terms.get(1).is_some_and(|(next, _)| *next <= oldest) {
        terms.remove(0);
    }
    terms.retain(|(other, _)| *other < from);
    if terms.len() >= TERMS_MAX {
        return Err(Error::TooOften);
    }
    terms.push((from, value));
    Ok(())
}
